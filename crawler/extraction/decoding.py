"""Bytes to text. Servers mislabel pages, so a label is believed only where the bytes bear it out."""

import codecs
import re

from charset_normalizer import from_bytes
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_STATEFUL = frozenset({"iso2022_jp", "iso2022_jp_2", "iso2022_kr", "hz"})
"""Encodings whose bytes are all ASCII, so that strict UTF-8 proves nothing against their label."""
_WIDE = frozenset({"utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"})
_DETECTED_BYTES = 1 << 18
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
_LANGUAGE = re.compile(rb"<html[^>]*?\slang\s*=\s*[\"']?([a-z]{2})", re.IGNORECASE)
_USUAL_ENCODINGS = {
    **dict.fromkeys(("en", "de", "fr", "es", "it", "pt", "nl", "da", "sv", "no", "nb", "fi", "is", "ca"), "cp1252"),
    **dict.fromkeys(("pl", "cs", "sk", "hu", "hr", "sl", "ro"), "cp1250"),
    **dict.fromkeys(("ru", "uk", "bg", "sr", "mk"), "cp1251"),
    **dict.fromkeys(("et", "lv", "lt"), "cp1257"),
    "el": "cp1253",
    "tr": "cp1254",
    "he": "cp1255",
    "ar": "cp1256",
}
"""What the HTML standard takes for unlabelled pages of a language, where it is one byte a character."""
_SOUND_PER_BROKEN = 20
"""A text with so many sound UTF-8 sequences for each broken one is UTF-8 that was cut or patched."""


def decode_html(body: bytes, *, content_type: str | None) -> str:
    """Return the text of a page, after its content codings were undone; never raises.

    A byte order mark decides. Then strict UTF-8, then the label of the header, then that of the markup, each if the
    bytes decode under it without error, then a detector. What nothing explains is read as UTF-8 with marks of
    replacement.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, errors="replace")
    labels = _labels(body, content_type)
    for label in labels:
        if (label in _STATEFUL and body.isascii()) or (label in _WIDE and b"\0" in body[:512]):
            text = _strictly(body, label)
            if text is not None:
                return text
    text = _strictly(body, "utf-8")
    if text is None and _nearly_utf8(body):
        text = body.decode("utf-8", errors="replace")
    for label in labels:
        if text is None and label not in _WIDE:
            text = _strictly(body, label)
    return text if text is not None else _detected(body, labels)


def _labels(body: bytes, content_type: str | None) -> list[str]:
    """Return the encodings that header and markup name, as Python knows them; unknown names are passed over."""
    found: list[str] = []
    for label in (http_content_type_encoding(content_type), html_body_declared_encoding(body[:8192])):
        if label is not None and label != "utf-7" and label not in found:
            found.append(label)
    return found


def _strictly(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _nearly_utf8(body: bytes) -> bool:
    replaced = body.decode("utf-8", errors="replace").count("\ufffd")
    return len(_MULTIBYTE.findall(body)) >= _SOUND_PER_BROKEN * replaced


def _detected(body: bytes, labels: list[str]) -> str:
    language = _LANGUAGE.search(body[:8192])
    usual = _USUAL_ENCODINGS.get(language[1].decode().lower()) if language else None
    text = _strictly(body, usual) if usual else None
    if text is not None:
        return text
    best = from_bytes(body[:_DETECTED_BYTES]).best()
    encodings = [best.encoding] if best is not None else []
    for encoding in (*encodings, *labels, "utf-8"):
        try:
            return body.decode(encoding, errors="replace")
        except (UnicodeError, LookupError):
            continue
    return body.decode("utf-8", errors="replace")
