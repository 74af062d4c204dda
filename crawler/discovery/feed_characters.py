"""Mends what feeds say about their characters, where the parser of feeds would break on it. Pure."""

import codecs
import re

# Codecs that Python knows by a name and that no feed can be written in.
_NO_CHARSETS = frozenset({"undefined", "idna", "punycode", "unicode-escape", "raw-unicode-escape"})
_DECLARED = re.compile(rb"""\A(<\?[^<>]{0,1000}?)(?<!\s)\s++encoding\s*+=\s*+["']([^"'<>]{0,100}+)["']""")
# References by number to what is no character: the halves of surrogate pairs, and what is beyond the last one.
_NO_CHARACTERS = re.compile(
    rb"(?:&#(?:0*+(?:5[5-7]\d{3}|[1-9]\d{6,}+)|[xX]0*+(?:[dD][89a-fA-F][0-9a-fA-F]{2}|[1-9a-fA-F][0-9a-fA-F]{5,}+));)+"
)
_REFERENCE = re.compile(rb"&#(?:0*+(\d*+)|[xX]0*+([0-9a-fA-F]*+));")
_LAST_CHARACTER = 0x10FFFF


def usable_charset(label: str | None) -> str | None:
    """Return the label of a character set if text can be decoded by it, else None."""
    try:
        codec = codecs.lookup(label or "")
    except (LookupError, ValueError):
        return None
    # Some codecs turn bytes into bytes, as zip does.
    if codec.name in _NO_CHARSETS or not getattr(codec, "_is_text_encoding", True):
        return None
    return label


def declared_charset(body: bytes) -> str | None:
    """Return the character set that an XML declaration names, if text can be decoded by it."""
    declared = _DECLARED.match(body)
    return usable_charset(declared[2].decode("ascii", errors="replace")) if declared else None


def without_unusable_declaration(body: bytes) -> bytes:
    """Return XML without the encoding that its declaration names, if that is none: then it is guessed."""
    declared = _DECLARED.match(body)
    if declared is None or declared_charset(body):
        return body
    return body[: declared.end(1)] + body[declared.end() :]


def join_surrogates(body: bytes) -> bytes:
    """Return XML in which references by number all name characters.

    Programs that count characters in UTF-16 write an emoji as two references to the halves of a pair: they become one.
    A half alone, and a number beyond all characters, says nothing and is dropped.
    """
    return _NO_CHARACTERS.sub(_joined, body) if b"&#" in body else body


def _joined(run: re.Match[bytes]) -> bytes:
    units = []
    for decimal, hexadecimal in _REFERENCE.findall(run[0]):
        # Seven digits are enough for every character; Python refuses to read numbers of thousands.
        number = (
            _LAST_CHARACTER + 1
            if len(decimal + hexadecimal) > 7
            else int(decimal or hexadecimal, 10 if decimal else 16)
        )
        if number <= _LAST_CHARACTER:
            units.append(chr(number))
    text = "".join(units).encode("utf-16-le", errors="surrogatepass").decode("utf-16-le", errors="ignore")
    return b"".join(b"&#%d;" % ord(character) for character in text)
