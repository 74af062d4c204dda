"""Lists of feeds as feed readers exchange them: OPML 1.0 and 2.0 (opml.org/spec2.opml), read and written. Pure."""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from lxml import etree

from crawler.discovery.feed_bounds import read_document
from crawler.discovery.gathering import clean_or_none
from crawler.discovery.listing import MAX_TITLE_LENGTH
from crawler.discovery.xml_mending import mended_xml
from storage.escaping import xml_text

MAX_OUTLINES = 20_000
MAX_DEPTH = 32
"""Nested outlines beyond which nothing is read; people's folders are three deep."""

NAMESPACE = "urn:morgue:opml"
"""Of the attribute that a list of ours has beside those of OPML: the name of a feed's source."""
_SLUG = f"{{{NAMESPACE}}}slug"

# What XML 1.0 allows in no document, however it is escaped.
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class InvalidOpml(ValueError):
    """A body that is no list of feeds in OPML; the message says why."""


@dataclass(frozen=True, kw_only=True)
class OpmlSource:
    """One outline of a list of feeds.

    `xml_url` and `html_url` are clean URLs. `slug` is the name of the feed's source, which only lists of ours have.
    `category` is the path of folders that it stands in, the outermost first.
    `skipped` is None, or why it leads to no feed: `no_url`, `bad_url`, `repeated`, `too_many`; then `xml_url` is None.
    """

    title: str | None
    xml_url: str | None
    html_url: str | None = None
    category: tuple[str, ...] = ()
    skipped: str | None = None
    slug: str | None = None


def read_opml(body: bytes) -> Sequence[OpmlSource]:
    """Return the feeds that a list names, in its order, among them those that cannot be used, with the reason.

    A list that is not well-formed gives what could be read. Raises `InvalidOpml`.
    """
    document = read_document(body, content_type=None)
    if document.root_name != "opml":
        raise InvalidOpml("it is empty" if not document.body else "its root is no opml element")
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(mended_xml(document), parser)
    except etree.XMLSyntaxError as problem:
        raise InvalidOpml("it is not XML") from problem
    if root is None:
        raise InvalidOpml("it is not XML")
    return tuple(_sources(root))


def _sources(root: Any) -> Iterator[OpmlSource]:
    seen: set[str] = set()
    for number, (attributes, category) in enumerate(_outlines(root, ())):
        if number >= MAX_OUTLINES:
            yield OpmlSource(title=None, xml_url=None, skipped="too_many")
            return
        link = _link(attributes, "xmlurl")
        xml_url = clean_or_none(link)
        skipped = "no_url" if not link else "bad_url" if xml_url is None else "repeated" if xml_url in seen else None
        seen.add(xml_url or "")
        title = _title(attributes)
        yield OpmlSource(
            title=title if title != link else None,
            xml_url=None if skipped else xml_url,
            html_url=clean_or_none(_link(attributes, "htmlurl")),
            category=category or _named_category(attributes),
            skipped=skipped,
            slug=attributes.get(_SLUG),
        )


def _outlines(element: Any, category: tuple[str, ...]) -> Iterator[tuple[Mapping[str, str], tuple[str, ...]]]:
    """Give the attributes of each outline that is no folder, with the folders that it stands in."""
    for child in element:
        name = _local(child.tag)
        attributes = {key if key == _SLUG else _local(key): str(value) for key, value in child.attrib.items()}
        if name in ("body", "opml"):
            yield from _outlines(child, category)
        elif name == "outline":
            has_feed = "xmlurl" in attributes or attributes.get("type", "").lower() in ("rss", "atom", "feed")
            if has_feed or not len(child):
                yield attributes, category
            if len(child) and len(category) < MAX_DEPTH:
                folder = _title(attributes)
                yield from _outlines(child, (*category, folder) if folder and not has_feed else category)


def _local(name: object) -> str:
    return str(name).rpartition("}")[2].rpartition(":")[2].lower()


def _link(attributes: Mapping[str, str], name: str) -> str:
    # Many programs escape what they escaped already.
    return attributes.get(name, "").strip().replace("&amp;", "&")


def _title(attributes: Mapping[str, str]) -> str | None:
    text = html.unescape(attributes.get("title", "").strip() or attributes.get("text", ""))
    return " ".join(_NO_XML.sub("", text).split())[:MAX_TITLE_LENGTH] or None


def _named_category(attributes: Mapping[str, str]) -> tuple[str, ...]:
    """Return the first of the categories that an outline names itself, as `/News/Local,/Harbour` (OPML 2.0)."""
    first = attributes.get("category", "").partition(",")[0]
    return tuple(part.strip() for part in first.split("/") if part.strip())[:MAX_DEPTH]


def write_opml(sources: Sequence[OpmlSource], *, title: str, now: datetime) -> bytes:
    """Return a list of feeds in OPML 2.0, in folders by category. What is skipped is left out.

    `now` is aware. Characters that could command a terminal or hide are character references. Feeds of one folder stand
    together, in the order in which the folders first come.
    """
    root = etree.Element("opml", version="2.0", nsmap={"morgue": NAMESPACE})
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = _xml_text(title)
    etree.SubElement(head, "dateCreated").text = format_datetime(now.astimezone(UTC), usegmt=True)
    body = etree.SubElement(root, "body")
    folders: dict[tuple[str, ...], Any] = {(): body}
    for source in sources:
        if source.xml_url is None or source.skipped:
            continue
        name = _xml_text(source.title or source.xml_url)
        feed = {"type": "rss", "text": name, "title": name, "xmlUrl": _xml_text(source.xml_url)}
        if source.html_url:
            feed["htmlUrl"] = _xml_text(source.html_url)
        if source.slug:
            feed[_SLUG] = _xml_text(source.slug)
        etree.SubElement(_folder(source.category, folders), "outline", feed)
    # A list is shown by terminals and editors too.
    return xml_text(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True).decode()).encode()


def _folder(category: tuple[str, ...], folders: dict[tuple[str, ...], Any]) -> Any:
    if category not in folders:
        above = _folder(category[:-1], folders)
        folders[category] = etree.SubElement(above, "outline", {"text": _xml_text(category[-1])})
    return folders[category]


def _xml_text(text: str) -> str:
    return _NO_XML.sub("", text)
