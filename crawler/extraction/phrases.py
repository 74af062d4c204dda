"""Lists of phrases that are looked for in what a page says, each as one pattern that takes linear time. Pure."""

import re
from collections.abc import Iterable

Phrases = re.Pattern[str]

_LETTER = "[a-z0-9\u00c0-\u052f\u1e00-\u1fff]"
_BORDERED = re.compile(_LETTER)
"""Scripts that part words by spaces, and that put no prefixes in front of them as Hebrew and Arabic do."""
_REST_OF_WORD = re.compile(f"{_LETTER}*")


def phrases(*lists: Iterable[str]) -> Phrases:
    """Return the pattern of some lists of phrases, folded as `text.folded` does.

    A phrase stands where a word begins and may go on, as stems do. One that ends in a space ends with its word, and one
    that begins with a hyphen is the end of a word.
    """
    beginning: list[str] = []
    anywhere: list[str] = []
    for phrase in dict.fromkeys(phrase for one in lists for phrase in one):
        pattern = re.escape(phrase.strip(" ").lstrip("-")) + (
            r"(?!\w)" if phrase[0] == "-" or phrase[-1] == " " else ""
        )
        (beginning if _BORDERED.match(phrase) else anywhere).append(pattern)
    kinds = [f"(?<!{_LETTER})(?:{'|'.join(beginning)})"] if beginning else []
    return re.compile("|".join([*kinds, *anywhere]))


def covers(pattern: Phrases, text: str) -> bool:
    """Tell whether a phrase, to the end of its word, makes up half of a text or more."""
    for found in pattern.finditer(text):
        rest = _REST_OF_WORD.match(text, found.end())
        if rest is not None and 2 * (rest.end() - found.start()) >= len(text):
            return True
    return False
