"""Goes through the XML of a sitemap without building a tree of it, so that 50 MiB cost little memory. Pure.

libxml2 recovers from most errors; what would make it lose text is mended before (`crawler.discovery.xml_mending`).
"""

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from crawler.discovery.feed_bounds import Document
from crawler.discovery.xml_mending import mended_xml

MAX_LOCATED = 250_000
"""Addresses of one sitemap that the newest are chosen among; five times what the protocol allows."""

MAX_ELEMENTS = 3_000_000
"""Elements of one sitemap that are gone through: 50,000 pages with twenty pictures or languages have a third of it."""

_PIECE = 1 << 16
_WRAPPER = "morgue"
# What is read, by the elements that it may stand in. Others have elements of these names too, as `video:title`.
_PAGES = frozenset({"url", "sitemap", "urlset", "sitemapindex", _WRAPPER})
_READ_IN = {
    "loc": _PAGES,
    "lastmod": frozenset({"url", "sitemap"}),
    "publication_date": frozenset({"news", "url"}),
    "title": frozenset({"news"}),
}
_LOC = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?loc[\s>]", re.IGNORECASE)
_HARMLESS = frozenset({"ERR_TAG_NOT_FINISHED", "ERR_DOCUMENT_END"})


@dataclass(slots=True)
class Located:
    """An address that a sitemap gives, with what stands beside it, as it stands there."""

    loc: str = ""
    is_index: bool = False
    is_news: bool = False
    lastmod: str | None = None
    published: str | None = None
    title: str | None = None


@dataclass(frozen=True, kw_only=True)
class Markup:
    """The addresses in a sitemap, how many more there were, and `too_large`, `malformed`, `truncated` or None."""

    located: list[Located]
    left_out: int
    problem: str | None


def read_markup(document: Document) -> Markup:
    """Return the addresses in a sitemap's XML, whatever namespaces, prefixes and case its elements have."""
    body = _without_half_a_tag(mended_xml(document))
    reader = _Reader()
    parser: Any = etree.XMLParser(  # type: ignore[call-overload]  # the stubs ask for callbacks that lxml does not need
        target=reader, recover=True, resolve_entities=False, no_network=True
    )
    # In an element of our own, what stands beside the root is read too.
    parser.feed(f"<{_WRAPPER}>".encode())
    at = 0
    while at < len(body) and not reader.is_full:
        parser.feed(body[at : at + _PIECE])
        at += _PIECE
    # That element is left open: to end it would end what the document has left open, half an address too.
    parser.close()
    left_out = reader.left_out + len(_LOC.findall(body, at))
    return Markup(located=reader.located, left_out=left_out, problem=_problem(reader, parser))


def _without_half_a_tag(body: bytes) -> bytes:
    """Return the document without a tag that is cut at its end, which would pass for one that is malformed."""
    last = body.rfind(b"<")
    return body[:last] if last >= 0 and b">" not in body[last:] else body


def _problem(reader: "_Reader", parser: Any) -> str | None:
    if reader.is_full:
        return "too_large"
    errors = {error.type_name for error in parser.feed_error_log if error.domain_name == "PARSER"} - _HARMLESS
    return "malformed" if errors else "truncated" if reader.is_open else None


class _Reader:
    """Takes in what the parser goes through."""

    def __init__(self) -> None:
        self.located: list[Located] = []
        self.left_out = 0
        self._elements = 0
        self._stack: list[str] = []
        self._names: dict[str, str] = {}
        self._open: Located | None = None
        self._text: list[str] | None = None
        self._reading = ""

    @property
    def is_full(self) -> bool:
        """Whether the bounds are reached."""
        return len(self.located) >= MAX_LOCATED or self._elements >= MAX_ELEMENTS

    @property
    def is_open(self) -> bool:
        """Whether an element of the document has not ended."""
        return len(self._stack) > 1

    def start(self, tag: str, attributes: object) -> None:  # noqa: ARG002 - the parser calls it so
        name = self._names.get(tag) or self._name(tag)
        parent = self._stack[-1] if self._stack else ""
        self._stack.append(name)
        self._elements += 1
        if name in ("url", "sitemap") and parent in _PAGES:
            self._finish()
            self._open = Located(is_index=name == "sitemap")
        elif name == "news" and self._open:
            self._open.is_news = True
        elif parent in _READ_IN.get(name, ()):
            self._text, self._reading = [], name

    def data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def end(self, tag: str) -> None:
        name = self._stack.pop() if self._stack else ""
        if self._text is not None and name == self._reading:
            self._take(name, "".join(self._text))
            self._text = None
        elif name in ("url", "sitemap") and self._names.get(tag) == name:
            self._finish()

    def close(self) -> None:
        self._finish()

    def _take(self, name: str, text: str) -> None:
        if name == "loc" and (self._open is None or self._open.loc):
            # An address beside the element that it should stand in, or a second one in it.
            is_index = self._open.is_index if self._open else "sitemapindex" in self._stack
            self._finish()
            self._open = Located(is_index=is_index)
        if self._open is None:
            return
        if name == "loc":
            self._open.loc = text
        elif name == "lastmod":
            self._open.lastmod = text
        elif name == "title":
            self._open.title = text
        else:
            self._open.published = text
            self._open.is_news = True

    def _finish(self) -> None:
        if self._open is not None:
            if len(self.located) < MAX_LOCATED:
                self.located.append(self._open)
            else:
                self.left_out += 1
        self._open = None

    def _name(self, tag: str) -> str:
        """Return an element's name without namespace and prefix, in lower case. Those of pictures and videos keep a
        mark, as they stand beside the page's own where somebody forgot the element around them."""
        namespace, _, name = tag.rpartition("}")
        local = name.rpartition(":")[2].lower()
        if "sitemap-image" in namespace or "sitemap-video" in namespace:
            local = f"media:{local}"
        if len(self._names) < 10_000:
            self._names[tag] = local
        return local
