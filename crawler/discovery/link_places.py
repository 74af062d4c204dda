"""Where on a page its links stand: in a menu, under a headline, in a card with a date. Pure."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from lxml.html import HtmlElement

_NAVIGATION_TAGS = frozenset({"nav", "footer", "menu"})
_NAVIGATION_ROLES = frozenset({"navigation", "banner", "contentinfo", "menu", "menubar", "search"})
_NAVIGATION_NAMES = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|mainnav|subnav|topnav|menu|submenu|mainmenu|breadcrumbs?|footer|masthead"
    r"|topbar|pager|pagination|paging|skip-?links?|social-?links?|share-?links?)(?:$|[\s_-])",
    re.IGNORECASE,
)
_NEVER_NAVIGATION = frozenset({"html", "body", "main", "article", "a"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4"})
_SOUGHT = _HEADINGS | {"a", "time"}
_CONTENT = frozenset({"article", "main", "section"})
_CARD_DEPTH = 5
"""How many elements up from a link or a time the card may be that holds both."""
_CARD_LINKS = 4
"""Different addresses in one card: the page's own, its section's, its author's, its comments'."""
_MAX_DEPTH = 400


@dataclass(frozen=True, slots=True)
class LinkPlace:
    """Where one anchor stands. See `crawler.discovery.index_page.PageLink`."""

    in_navigation: bool
    is_heading: bool
    dated: bool


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What the elements around one say of it."""

    in_navigation: bool = False
    in_heading: bool = False
    in_card: bool = False
    in_content: bool = False


def places_of_links(tree: HtmlElement, *, most: int) -> Iterator[tuple[HtmlElement, LinkPlace]]:
    """Yield each anchor with an address, in the page's order and up to `most`, and where it stands.

    Takes time linear in the page.
    """
    seen = _walk(tree, most)
    addresses: dict[HtmlElement, set[str]] = {}
    for anchor, _ in seen.anchors:
        for area in _areas(anchor):
            held = addresses.setdefault(area, set())
            if len(held) <= _CARD_LINKS:
                held.add(anchor.get("href") or "")
    times = Counter(area for time in seen.times for area in _areas(time))
    headings = Counter(area for heading in seen.headings for area in _areas(heading))
    with_time, with_heading = _holders(tree, "time"), _holders(tree, *_HEADINGS)
    for anchor, where in seen.anchors:
        is_dated = anchor in with_time or any(
            times[area] == 1 and headings[area] <= 1 and len(addresses[area]) <= _CARD_LINKS for area in _areas(anchor)
        )
        yield (
            anchor,
            LinkPlace(
                in_navigation=where.in_navigation,
                is_heading=anchor in with_heading or where.in_heading or (where.in_card and not where.in_navigation),
                dated=is_dated,
            ),
        )


def _holders(tree: HtmlElement, *tags: str) -> set[HtmlElement]:
    """Return the elements that hold one of these, found once for all: links may stand in links, hundreds deep."""
    holders: set[HtmlElement] = set()
    for element in tree.iter(*tags):
        for holder in element.iterancestors():
            if holder in holders:
                break
            holders.add(holder)
    return holders


def _areas(element: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements around one that may be its card."""
    return islice(element.iterancestors(), _CARD_DEPTH)


@dataclass(kw_only=True)
class _Seen:
    """What stands on a page, in its order."""

    anchors: list[tuple[HtmlElement, _Surroundings]] = field(default_factory=list)
    times: list[HtmlElement] = field(default_factory=list)
    headings: list[HtmlElement] = field(default_factory=list)


def _walk(tree: HtmlElement, most: int) -> _Seen:
    """Go through the page once, until so many anchors are found."""
    seen = _Seen()
    with_content = _holders(tree, "article", "main", "h1")
    waiting: list[tuple[HtmlElement, _Surroundings, int]] = [(tree, _Surroundings(), 0)]
    while waiting and len(seen.anchors) < most:
        element, where, depth = waiting.pop()
        if not isinstance(element.tag, str):
            continue
        if not len(element) and element.tag not in _SOUGHT and not element.get("itemprop"):
            continue
        inside = _inside(element, where, holds_content=element in with_content)
        if element.tag == "a" and element.get("href"):
            seen.anchors.append((element, inside))
        elif element.tag in _HEADINGS:
            seen.headings.append(element)
        elif element.tag == "time" or element.get("itemprop") == "datePublished":
            seen.times.append(element)
        if depth < _MAX_DEPTH:
            waiting.extend((child, inside, depth + 1) for child in reversed(element))
    return seen


def _inside(element: HtmlElement, where: _Surroundings, *, holds_content: bool) -> _Surroundings:
    tag = element.tag
    return _Surroundings(
        in_navigation=where.in_navigation or _is_navigation(element, where, holds_content),
        in_heading=where.in_heading or tag in _HEADINGS,
        in_card=where.in_card or tag == "article" or _is_teaser_item(element),
        in_content=where.in_content or tag in _CONTENT,
    )


def _is_teaser_item(element: HtmlElement) -> bool:
    """Tell whether an element is one teaser by schema.org's word for it."""
    kind = (element.get("itemtype") or "").rpartition("/")[2].lower()
    return kind.endswith(("article", "posting"))


def _is_navigation(element: HtmlElement, where: _Surroundings, holds_content: bool) -> bool:
    tag = element.tag
    if tag in _NAVIGATION_TAGS or (element.get("role") or "").lower() in _NAVIGATION_ROLES:
        return not where.in_card
    if tag == "header":
        return not where.in_content
    if tag in _NEVER_NAVIGATION or where.in_card:
        return False
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    if names == " " or not _NAVIGATION_NAMES.search(names):
        return False
    # A wrapper of the whole page may be named for the menu that it holds, as `page-with-menu`.
    return not holds_content
