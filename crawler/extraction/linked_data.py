"""Reads schema.org out of a page: JSON-LD as sites really write it, and microdata. Pure.

A page may hold many nodes: itself, its publisher, breadcrumbs, other stories. The *article node* is the one that
describes the story that the page shows.
"""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jstyleson
from lxml.html import HtmlElement

from crawler.extraction.text import one_line

Node = dict[str, Any]

ARTICLE_TYPES = frozenset(
    {
        "article",
        "newsarticle",
        "reportagenewsarticle",
        "analysisnewsarticle",
        "backgroundnewsarticle",
        "opinionnewsarticle",
        "reviewnewsarticle",
        "askpublicnewsarticle",
        "advertisercontentarticle",
        "satiricalarticle",
        "blogposting",
        "liveblogposting",
        "report",
        "scholarlyarticle",
        "techarticle",
        "review",
        "recipe",
    }
)
_OTHER_STORIES = frozenset(
    {
        "itemListElement",
        "hasPart",
        "isPartOf",
        "mentions",
        "citation",
        "comment",
        "review",
        "relatedLink",
        "liveBlogUpdate",
    }
)
"""Properties whose nodes describe other things than the page."""
_MAX_DEPTH = 12
_MAX_NODES = 2000
_CDATA = re.compile(
    r"^\s*(?:<!--|/\*\s*<!\[CDATA\[\s*\*/|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|/\*\s*\]\]>\s*\*/|//\s*\]\]>|\]\]>)\s*+(?:;\s*+)?$"
)


@dataclass(frozen=True, kw_only=True)
class LinkedData:
    """The nodes of a page's JSON-LD, outer ones first, and the types of all of them in lower case."""

    nodes: tuple[Node, ...] = ()
    types: frozenset[str] = frozenset()
    by_id: dict[str, Node]

    def articles(self) -> list[Node]:
        """Return the nodes that describe an article, outer ones first."""
        return [node for node in self.nodes if types_of(node) & ARTICLE_TYPES]

    def of_type(self, name: str) -> list[Node]:
        """Return the nodes of one type, given in lower case."""
        return [node for node in self.nodes if name in types_of(node)]

    def resolve(self, value: Any) -> Any:
        """Return the node that a bare reference (`{"@id": …}`) names, or the value itself."""
        if isinstance(value, dict) and set(value) <= {"@id", "@type"}:
            return self.by_id.get(str(value.get("@id")), value)
        return value


def read_json_ld(tree: HtmlElement) -> LinkedData:
    """Return the JSON-LD of a page; blocks that cannot be read are passed over."""
    nodes: list[Node] = []
    by_id: dict[str, Node] = {}
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "").lower():
            for node in _walk(_loads(script.text or "")):
                if len(nodes) >= _MAX_NODES:
                    break
                nodes.append(node)
                identifier = node.get("@id")
                if isinstance(identifier, str) and len(node) > len(by_id.get(identifier, ())):
                    by_id[identifier] = node
    return LinkedData(nodes=tuple(nodes), types=frozenset().union(*(types_of(node) for node in nodes)), by_id=by_id)


def types_of(node: Node) -> frozenset[str]:
    """Return the types of a node in lower case, without the vocabulary's address."""
    value = node.get("@type")
    names = value if isinstance(value, list) else [value]
    return frozenset(re.split(r"[/#:]", name)[-1].strip().lower() for name in names if isinstance(name, str))


def text_of(value: Any) -> str:
    """Return a property as plain text: the first of a list, the `@value` or name of a node, a string, a number."""
    for _ in range(4):
        if isinstance(value, list) and value:
            value = value[0]
        elif isinstance(value, dict):
            value = next((value[key] for key in ("@value", "name", "url", "@id") if value.get(key)), None)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return one_line(html.unescape(html.unescape(str(value))))


def as_list(value: Any) -> list[Any]:
    """Return a property as the list that JSON-LD takes it for."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _loads(raw: str) -> Any:
    """Return what a block says. Sites leave comments, trailing commas, raw line ends and entities in it."""
    text = _CDATA.sub("", raw.strip()).strip().rstrip(";")
    for mend in (str, jstyleson.dispose, _without_trailing_commas, html.unescape):
        try:
            return json.loads(mend(text), strict=False)
        except (ValueError, RecursionError, IndexError):
            continue
    return None


def _without_trailing_commas(text: str) -> str:
    return re.sub(r",\s*(?=[}\]])", "", text)


def _walk(value: Any) -> Iterator[Node]:
    """Yield the nodes of a block level by level, so that the page's own come before those inside them."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, list):
                inner.extend(item)
            elif isinstance(item, dict):
                if item.get("@type"):
                    yield item
                inner.extend(part for key, part in item.items() if key not in _OTHER_STORIES)
        level = [item for item in inner if isinstance(item, dict | list)]
        if not level:
            return


@dataclass(frozen=True, kw_only=True)
class Microdata:
    """The properties of the page's article in microdata: elements by property name, in document order."""

    properties: dict[str, list[HtmlElement]]

    def values(self, name: str) -> list[str]:
        """Return the values of a property as text."""
        return [value for value in map(_value, self.properties.get(name, ())) if value]


def read_microdata(tree: HtmlElement) -> Microdata:
    """Return the properties of the first article in a page's microdata; of the loose ones where no item is typed."""
    items = [
        item
        for item in tree.iterfind(".//*[@itemtype]")
        if item.get("itemtype", "").rstrip("/").rpartition("/")[2].lower() in ARTICLE_TYPES
    ]
    root = items[0] if items else tree
    found: dict[str, list[HtmlElement]] = {}
    for element in root.iterfind(".//*[@itemprop]"):
        owner = next((up for up in element.iterancestors() if up.get("itemscope") is not None), None)
        if items and owner is not root:
            continue
        for name in element.get("itemprop", "").split():
            found.setdefault(name, []).append(element)
    return Microdata(properties=found)


def _value(element: HtmlElement) -> str:
    for attribute in ("content", "datetime"):
        if element.get(attribute):
            return one_line(element.get(attribute))
    if element.get("itemscope") is not None:
        name = element.find(".//*[@itemprop='name']")
        if name is not None:
            return _value(name)
    return one_line(element.text_content())
