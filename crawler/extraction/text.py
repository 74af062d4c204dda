"""Text as it enters: no control characters, no lone surrogates, one kind of white space, composed characters."""

import re
import unicodedata

_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_QUOTES = str.maketrans(
    {**dict.fromkeys("‘’‚‛`´′", "'"), **dict.fromkeys("“”„‟«»″", '"'), **dict.fromkeys("‐‑‒–—―", "-")}
)


def without_control_characters(text: str) -> str:
    """Return `text` without what neither XML nor a database takes: control characters and lone surrogates."""
    return _UNWANTED.sub("", text)


def one_line(text: str | None) -> str:
    """Return `text` on one line: white space runs made one space, invisible characters out, NFC; None makes ""."""
    if not text:
        return ""
    return unicodedata.normalize("NFC", " ".join(_INVISIBLE.sub("", without_control_characters(text)).split()))


def key(text: str) -> str:
    """Return only the letters and figures of a line, casefolded: the same however it was marked up."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text))).casefold()


def folded(text: str | None) -> str:
    """Return the form in which two lines are compared: case, quotation marks, dashes and spaces made alike."""
    return " ".join(unicodedata.normalize("NFKC", one_line(text)).translate(_QUOTES).casefold().split())
