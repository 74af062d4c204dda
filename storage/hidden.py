"""What nobody is shown: passwords in whatever is printed, logged or told, and foreign text in messages of failures.

A message that a driver or a library writes quotes what it was given: a value of a statement, a row that a constraint
refused, a page's text. So of a failure that was not foreseen only the first line is told, and of what it quotes little.
"""

import re
from urllib.parse import quote, quote_plus

from storage.errors import MorgueError

LONGEST_MESSAGE = 200
LONGEST_QUOTATION = 40

_CREDENTIALS = re.compile(r"(://[^:/?#\s@]{0,200}):[^/?#\s@]*@")
"""A password in an address of any scheme. The user's name stays: it says which account was meant."""
_QUOTATION = re.compile(r"""'[^']*'?|"[^"]*"?""")

_secrets: list[str] = []


def keep_secret(*secrets: str) -> None:
    """Have these texts replaced from now on, however a URL may spell them; to be told as soon as they are known."""
    spellings = {spelling for secret in secrets for spelling in (secret, quote(secret), quote_plus(secret))}
    # The longest first, so that one which another one begins with leaves no rest of it.
    _secrets[:] = sorted({*_secrets, *spellings} - {""}, key=len, reverse=True)


def without_secrets(text: str) -> str:
    """Return a text in which `***` stands for each secret that is known, and for passwords in addresses."""
    for secret in _secrets:
        if secret in text:
            # A password of a letter or two, as people try things out with, is hidden where it is a word by itself.
            text = re.sub(rf"(?<![^\W_]){re.escape(secret)}(?![^\W_])", "***", text)
    return _CREDENTIALS.sub(r"\1:***@", text)


def failure_message(problem: BaseException) -> str:
    """Return one line of what an exception says, short and without secrets.

    Our own sentences are told whole; of others the first line, of whose quotations the beginnings.
    """
    try:
        text = str(problem)
    except Exception:  # noqa: BLE001 - whatever its class does to say something
        return "(it cannot say what it is about)"
    if isinstance(problem, MorgueError):
        return without_secrets(text)
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    # Before anything is cut, or the rest of a secret would not be known for one.
    return shortened(without_secrets(line))


def shortened(line: str) -> str:
    """Return a line with the beginnings alone of what it quotes, cut where it is long."""
    line = _QUOTATION.sub(lambda quoted: _cut(quoted.group(), LONGEST_QUOTATION), line)
    return _cut(line, LONGEST_MESSAGE)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "…"
