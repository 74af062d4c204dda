"""What a page's head and its visible parts say about it, as lookups that the fields share. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from crawler.extraction.linked_data import LinkedData, Microdata, Node, read_json_ld, read_microdata, text_of, types_of
from crawler.extraction.text import folded, one_line

_LISTED = 3
"""So many articles in one page's markup may be a list of other pages."""
_LONGEST_ADDRESS = 2_000
_WEB = re.compile(r"^https?://[^\s/]+\S*$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Markup:
    """Everything that a page says about itself outside its story's text.

    `meta` maps lower-case names (`name`, `property`, `itemprop`, `http-equiv`) to contents in document order. `node` is
    the JSON-LD of the page's own article, empty if there is none.
    """

    tree: HtmlElement
    url: str
    meta: dict[str, list[str]]
    linked_data: LinkedData
    node: Node
    microdata: Microdata

    def first_meta(self, *names: str) -> str:
        """Return the first non-empty content of these names, in this order of preference, or ""."""
        return next((value for name in names for value in self.meta.get(name, ()) if value), "")

    def all_meta(self, *names: str) -> list[str]:
        """Return all contents of these names."""
        return [value for name in names for value in self.meta.get(name, ())]

    def absolute(self, address: str | None) -> str | None:
        """Return an address of this page made absolute, or None if it is none of the web."""
        address = (address or "").strip()
        if not address or len(address) > _LONGEST_ADDRESS:
            return None
        try:
            joined = urljoin(self.url, address)
            urlsplit(joined)
        except ValueError:
            return None
        return joined if _WEB.match(joined) and len(joined) < _LONGEST_ADDRESS else None


def read_markup(tree: HtmlElement, url: str) -> Markup:
    """Collect what the fields are read from."""
    linked_data = read_json_ld(tree)
    return Markup(
        tree=tree,
        url=url,
        meta=_meta(tree),
        linked_data=linked_data,
        node=_own_article(linked_data.articles(), tree, url),
        microdata=read_microdata(tree),
    )


def _meta(tree: HtmlElement) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for element in tree.iter("meta"):
        content = one_line(element.get("content"))
        if not content:
            continue
        for attribute in ("property", "name", "itemprop", "http-equiv"):
            for name in (element.get(attribute) or "").lower().split():
                found.setdefault(name, []).append(content)
    return found


def _own_article(articles: list[Node], tree: HtmlElement, url: str) -> Node:
    """Return the node of the story that the page shows: the one with its address or its headline, else the first.

    None of many that have other addresses and other headlines: then the page lists them.
    """
    if len(articles) < 2:
        return articles[0] if articles else {}
    path = urlsplit(url).path.rstrip("/")
    heads = {folded(head.text_content()) for head in tree.iter("h1")}

    def titled(node: Node) -> bool:
        return bool(heads & {folded(text_of(node.get("headline"))), folded(text_of(node.get("name")))} - {""})

    def score(node: Node) -> int:
        addresses = (node.get("url"), node.get("mainEntityOfPage"), node.get("@id"))
        named = any(path and path in (_address(address) or "") for address in addresses)
        kind = types_of(node)
        return 4 * named + 2 * titled(node) + bool(node.get("headline")) - ("review" in kind or "recipe" in kind)

    if len(articles) >= _LISTED and not any(titled(node) or _is_at(node, path) for node in articles):
        return {}
    return max(articles, key=score)


def _is_at(node: Node, path: str) -> bool:
    """Tell whether a node has no address, or one that ends in this path."""
    addresses = [address for name in ("url", "mainEntityOfPage") if (address := _address(node.get(name)))]
    ends = (address.partition("#")[0].partition("?")[0].rstrip("/") for address in addresses)
    return not addresses or any(path and end.endswith(path) for end in ends)


def _address(value: object) -> str | None:
    if isinstance(value, dict):
        value = value.get("@id") or value.get("url")
    return value if isinstance(value, str) else None


def distinct(values: Iterable[str]) -> list[str]:
    """Return the non-empty values without repeats (case aside), in their order."""
    seen: dict[str, str] = {}
    for value in values:
        if value:
            seen.setdefault(folded(value), value)
    return list(seen.values())
