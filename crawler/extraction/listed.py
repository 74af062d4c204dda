"""Markup of articles that a page only lists: a section names its lead story, or marks up every teaser. Pure."""

from urllib.parse import urlsplit

from lxml.html import HtmlElement

from crawler.extraction.linked_data import ARTICLE_TYPES, text_of
from crawler.extraction.markup import Markup
from crawler.extraction.shape import card_targets
from crawler.extraction.text import folded, one_line

_LIST = 3


def listed_markup(markup: Markup) -> frozenset[str]:
    """Return which kinds of markup (`json_ld`, `microdata`) describe other pages' articles, not this page's."""
    kinds = set()
    if markup.node:
        if _is_of_a_card(markup):
            kinds.add("json_ld")
    elif markup.linked_data.articles():
        kinds.add("json_ld")
    if _marks_up_teasers(markup.tree):
        kinds.add("microdata")
    return frozenset(kinds)


def _is_of_a_card(markup: Markup) -> bool:
    """Tell whether the JSON-LD has the address of a card on the page, and neither the page's address nor its title."""
    address = markup.node.get("url") or markup.node.get("mainEntityOfPage") or markup.node.get("@id")
    path = _path(markup.absolute(text_of(address)))
    if not path or path == _path(markup.url):
        return False
    headline = folded(text_of(markup.node.get("headline")) or text_of(markup.node.get("name")))
    title = markup.tree.find(".//title")
    titles = [*markup.all_meta("og:title"), *(one_line(head.text_content()) for head in markup.tree.iter("h1"))]
    titles.append(one_line(title.text_content()) if title is not None else "")
    if not headline or any(headline in folded(one) or (one and folded(one) in headline) for one in titles):
        return False
    return any(_path(markup.absolute(target)) == path for target in card_targets(markup.tree))


def _path(address: str | None) -> str:
    return urlsplit(address).path.rstrip("/") if address else ""


def _marks_up_teasers(tree: HtmlElement) -> bool:
    """Tell whether three or more articles are marked up, and none of them has a body or the page's heading."""
    items = [item for item in tree.iterfind(".//*[@itemtype]") if _is_article(item)]
    return len(items) >= _LIST and not any(
        item.find(".//h1") is not None or item.find(".//*[@itemprop='articleBody']") is not None for item in items
    )


def _is_article(item: HtmlElement) -> bool:
    return (item.get("itemtype") or "").rstrip("/").rpartition("/")[2].lower() in ARTICLE_TYPES
