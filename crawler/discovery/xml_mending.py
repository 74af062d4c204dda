"""Mends XML where libxml2 would lose text of it. Pure.

Bytes of another encoding, control characters, and bare ampersands in addresses are put right. A document type is
dropped, so there are no entities but those of XML and HTML, and nothing is ever loaded or expanded.
"""

import codecs
import html
import html.entities
import re

from crawler.discovery.feed_bounds import Document
from crawler.discovery.feed_characters import declared_charset, join_surrogates

MAX_REFERENCES = 1_000_000
"""Ampersands of one document up to which bare ones are mended: twenty for each page of the largest sitemap."""

_PROLOGUE = 1 << 16
_DECLARATION = re.compile(rb"\A\s*<\?xml[^>]*\?>")
_DOCTYPE = re.compile(rb"<!DOCTYPE[^\[<>]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\r"))
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# References that XML does not know by itself, and text in which an ampersand is one.
_BARE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#\d{1,9}|#[xX][0-9a-fA-F]{1,8});)")
_BARE_OUTSIDE_CDATA = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|" + _BARE.pattern + rb"(?:([A-Za-z]\w{1,31});)?", re.DOTALL
)


def mended_xml(document: Document) -> bytes:
    """Return the document as UTF-8 without declarations, in which every reference is one that XML knows by itself."""
    return _mended(_as_utf_8(document))


def _as_utf_8(document: Document) -> bytes:
    if document.charset == "utf-8":
        return document.body
    charset = document.charset or declared_charset(document.body) or "windows-1252"
    return document.body.decode(codecs.lookup(charset).name, errors="replace").encode("utf-8", errors="replace")


def _mended(body: bytes) -> bytes:
    body = _DECLARATION.sub(b"", body, count=1)
    doctype_at = body[:_PROLOGUE].upper().find(b"<!DOCTYPE")
    if doctype_at >= 0 and (doctype := _DOCTYPE.match(body, doctype_at)):
        body = body[:doctype_at] + body[doctype.end() :]
    if _CONTROL.search(body):
        body = body.translate(None, delete=_CONTROLS)
    if body.count(b"&") > MAX_REFERENCES:
        # None of them is a reference any more.
        return body.replace(b"&", b"")
    if _BARE.search(body):
        body = _BARE_OUTSIDE_CDATA.sub(_escaped, body)
    return join_surrogates(body)


def _escaped(found: re.Match[bytes]) -> bytes:
    """Return a section of CDATA as it is, HTML's name of a character as that character, and `&` as `&amp;`."""
    if found[0].startswith(b"<"):
        return found[0]
    name = (found[1] or b"").decode()
    character = html.entities.html5.get(f"{name};") if name else None
    return html.escape(character).encode() if character else b"&amp;" + found[0][1:]
