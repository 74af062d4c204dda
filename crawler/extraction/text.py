"""Text as it enters: no control characters, no lone surrogates, one kind of white space, composed characters."""

import re
import unicodedata

from storage.combining_marks import with_bounded_marks

_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_CONTROL_REFERENCE = re.compile(
    r"&#(?:x0*(?:[0-8bcef]|1[0-9a-f]|7f|d[89a-f][0-9a-f]{2}|fff[ef])|0*(?:[0-8]|1[124-9]|2\d|3[01]|127))(?:;|(?![0-9a-f]))",
    re.IGNORECASE,
)
_WIDE = re.compile("[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]")
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_QUOTES = str.maketrans(
    {**dict.fromkeys("‘’‚‛`´′", "'"), **dict.fromkeys("“”„‟«»″", '"'), **dict.fromkeys("‐‑‒–—―", "-")}
)


def without_control_characters(text: str) -> str:
    """Return `text` without what neither XML nor a database takes: control characters and lone surrogates."""
    return _UNWANTED.sub("", text)


def without_control_references(markup: str) -> str:
    """Return markup without references to such characters (`&#0;`, `&#x1F;`), which parsing would turn into them."""
    return _CONTROL_REFERENCE.sub("", markup)


def one_line(text: str | None) -> str:
    """Return `text` on one line: white space runs made one space, invisible characters out, NFC; None makes ""."""
    if not text:
        return ""
    visible = _INVISIBLE.sub("", without_control_characters(text))
    return unicodedata.normalize("NFC", with_bounded_marks(" ".join(visible.split())))


def key(text: str) -> str:
    """Return only the letters and figures of a line, casefolded: the same however it was marked up."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", with_bounded_marks(text)))).casefold()


def folded(text: str | None) -> str:
    """Return the form in which two lines are compared: case, quotation marks, dashes and spaces made alike."""
    return " ".join(unicodedata.normalize("NFKC", one_line(text)).translate(_QUOTES).casefold().split())


def weight(text: str) -> int:
    """Return the length of a text in letters of an alphabet: a character of Chinese, Japanese or Korean says as two."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))
