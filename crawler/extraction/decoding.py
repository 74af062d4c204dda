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
_LOOKED_AT = 1024
_NULS = 0.15
"""Share of zero bytes in text of which at least the markup is ASCII, in two bytes a character."""
_TWICE = re.compile("[\xc2-\xf4Ââ][\x80-\xbf\u0152-\u0178\u02c6\u02dc\u2013-\u203a\u20ac\u2122]")
"""What the first two bytes of UTF-8 look like when they are read one by one and encoded again."""
_TWICE_PROVED = 5
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
_LANGUAGE = re.compile(rb"<html[^<>]*?\slang\s*=\s*[\"']?([a-z]{2})", re.IGNORECASE)
_LATIN = "àâäáãåæçéèêëíìîïñóòôöõøœúùûüýÿßðþ"
_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґўџђћљњј"
_GREEK = "αβγδεζηθικλμνξοπρστυφχψωάέήίόύώϊϋς"
_FAMILIES = (
    (("en", "de", "fr", "es", "it", "pt", "nl", "da", "sv", "no", "nb", "fi", "is", "ca"), _LATIN, ("cp1252",)),
    (("pl",), "ąćęłńóśźż", ("cp1250", "iso8859-2")),
    (("cs",), "áčďéěíňóřšťúůýž", ("cp1250", "iso8859-2")),
    (("sk",), "áäčďéíĺľňóôŕšťúýž", ("cp1250", "iso8859-2")),
    (("hu",), "áéíóöőúüű", ("cp1250", "iso8859-2")),
    (("hr", "sl"), "čćđšž", ("cp1250", "iso8859-2")),
    (("ro",), "ăâîşţ", ("cp1250", "iso8859-2")),
    (("ru", "bg", "sr", "mk", "be"), _CYRILLIC, ("cp1251", "koi8-r", "iso8859-5", "cp866")),
    (("uk",), _CYRILLIC, ("cp1251", "koi8-u", "iso8859-5")),
    (("et", "lv", "lt"), "āčēģīķļņšūžąęėįųõäöü", ("cp1257", "iso8859-4")),
    (("el",), _GREEK, ("cp1253", "iso8859-7")),
    (("tr",), "çğıöşüâî", ("cp1254",)),
    (("he",), "אבגדהוזחטיךכלםמןנסעףפץצקרשת", ("cp1255",)),
    (("ar",), "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي", ("cp1256", "iso8859-6")),
)
"""Languages, their small letters outside ASCII, and the encodings of unlabelled pages, the usual one first.

The first encodings are those that the HTML standard takes for unlabelled pages in a language.
"""
_LATIN_LANGUAGES = frozenset(
    code
    for languages, letters, _ in _FAMILIES
    if letters not in (_CYRILLIC, _GREEK) and letters[0] < "\u0370"
    for code in languages
)
_TAGS = re.compile(rb"<(?:script|style)\b[^>]*+(?:>[^<]*+|\Z)|<[^>]*+(?:>|\Z)", re.IGNORECASE)
_ASCII_LETTERS = tuple(bytes([letter]) for letter in (*range(65, 91), *range(97, 123)))
_FOREIGN_BYTES = bytes(range(0x80, 0x100))
_FOREIGN_SHARE = 0.2
_NAMED = {
    "Polish": "pl",
    "Czech": "cs",
    "Slovak": "sk",
    "Hungarian": "hu",
    "Croatian": "hr",
    "Slovene": "sl",
    "Romanian": "ro",
}
"""Languages whose name, as the detector finds it, tells more than the encoding that it finds."""
_CERTAIN = 0.6
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
    shown = _unlabelled(body)
    for label in (*labels, *([shown] if shown else ())):
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
    return _encoded_once(text) if text is not None else _detected(body, labels)


def _unlabelled(body: bytes) -> str | None:
    """Return the encoding of a body that shows by its bytes alone what no label may say: UTF-16, ISO-2022-JP."""
    if body.isascii() and b"\x1b$" in body:
        return "iso2022_jp"
    start = body[:_LOOKED_AT]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if odd > _NULS * len(start) and even * 8 < odd:
        return "utf-16-le"
    return "utf-16-be" if even > _NULS * len(start) and odd * 8 < even else None


def _encoded_once(text: str) -> str:
    """Return text as it was before it was encoded twice, where that is proved: all of it makes sense undone."""
    if len(_TWICE.findall(text)) < _TWICE_PROVED:
        return text
    for single in (_as_latin_1, _as_windows):
        body = single(text)
        undone = _strictly(body, "utf-8") if body is not None else None
        if undone is not None:
            return undone
    return text


def _as_latin_1(text: str) -> bytes | None:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return None


def _as_windows(text: str) -> bytes | None:
    """Return the bytes of Windows-1252 as browsers read it: what it leaves open stands for control characters."""
    try:
        return b"".join(bytes([ord(c)]) if "\x80" <= c <= "\x9f" else c.encode("cp1252") for c in text)
    except UnicodeEncodeError:
        return None


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


def _best_of(body: bytes, letters: str, encodings: tuple[str, ...], *, least: float = 0.0) -> str | None:
    """Return the body in that of `encodings` under which most of what is not ASCII are these small letters.

    None where it is in none of them, or where less than the share `least` are such letters.
    """
    own = frozenset(letters)
    found: tuple[float, str] | None = None
    for encoding in encodings:
        text = _strictly(body, encoding)
        if text is not None:
            foreign = [letter for letter in text if letter > "\x7f"]
            score = sum(letter in own for letter in foreign) / max(1, len(foreign))
            if found is None or score > found[0]:
                found = score, text
    return found[1] if found and found[0] >= least else None


def _name(encoding: str) -> str:
    """Return an encoding's name as the detector writes it."""
    return codecs.lookup(encoding).name.replace("-", "_")


def _is_hardly_ascii(body: bytes) -> bool:
    """Tell whether so few of a page's letters are ASCII that it is in no language of Latin script."""
    text = _TAGS.sub(b" ", body[:_DETECTED_BYTES])
    ascii_letters = sum(map(text.count, _ASCII_LETTERS))
    foreign = len(text) - len(text.translate(None, _FOREIGN_BYTES))
    return foreign > _FOREIGN_SHARE * (foreign + ascii_letters)


def _detected(body: bytes, labels: list[str]) -> str:
    language = _LANGUAGE.search(body[:8192])
    code = language[1].decode().lower() if language else None
    if code in _LATIN_LANGUAGES and _is_hardly_ascii(body):
        code = None  # templates say `lang="en"` of pages in any script
    for languages, letters, usual in _FAMILIES:
        if code in languages and (text := _best_of(body, letters, usual)) is not None:
            return text
    best = from_bytes(body[:_DETECTED_BYTES]).best()
    encodings = [best.encoding] if best is not None else []
    for languages, letters, usual in _FAMILIES:
        # The detector knows the alphabet better than which of its encodings it is.
        if best is not None and (_NAMED.get(best.language) in languages or best.encoding in map(_name, usual)):
            text = _best_of(body, letters, usual, least=_CERTAIN)
            if text is not None:
                return text
    for encoding in (*encodings, *labels, "utf-8"):
        try:
            return body.decode(encoding, errors="replace")
        except (UnicodeError, LookupError):
            continue
    return body.decode("utf-8", errors="replace")
