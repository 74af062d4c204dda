"""From the HTML of a section or home page to its links, its feeds and its next page. Pure; no scripts are run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from crawler.discovery.link_marks import travelling_names, without_marks
from crawler.discovery.link_places import LinkPlace, places_of_links
from crawler.discovery.listing import FoundBy, FoundIndex
from crawler.discovery.next_page import next_pages
from crawler.extraction.decoding import decode_html
from crawler.urls import InvalidUrl, clean_url, joined_url, url_key
from storage.model import FeedKind

MAX_LINKS = 3_000
"""Different pages that one index may lead to; front pages of large papers have some five hundred."""
MAX_ANCHORS = 10_000
"""Links that are looked at, repeated ones included."""
MAX_FEEDS = 200
MAX_TEXT = 400
_MAX_NODES = 2_000
"""Beginnings and ends of elements in one link that are looked at; one around a whole teaser has some fifty."""

_FEED_KINDS = {
    "application/rss+xml": FeedKind.RSS,
    "application/rdf+xml": FeedKind.RSS,
    "application/x.rss+xml": FeedKind.RSS,
    "text/rss+xml": FeedKind.RSS,
    "application/atom+xml": FeedKind.ATOM,
    "application/feed+json": FeedKind.JSON,
}
_GENERAL_TYPES = frozenset({"text/xml", "application/xml", "application/json"})
"""Types that feeds are announced with, and much else: then the address or the title must speak of a feed."""
_FEED_WORDS = re.compile(r"(?:^|[^a-z])(?:rss|atom|feeds?|rdf)(?:[^a-z]|\d|$)", re.IGNORECASE)
_FEED_ADDRESS = re.compile(
    r"\.(?:rss|rdf|atom)$|/(?:rss|feed|atom)\d?\.(?:xml|json)$|/(?:feed|rss|atom)/?$|/feed/[\w-]+\.xml$", re.IGNORECASE
)
_NO_FEED = re.compile(r"/wp-json/|oembed|manifest\.json", re.IGNORECASE)
_COMMENTS = re.compile(
    r"comment|kommentar|commentaire|comentario|commenti|reacties|komentar|komentář|коммент|комент|yorum|コメント|评论|댓글",
    re.IGNORECASE,
)
_BREAKS = re.compile(r"[\t\r\n]")
_NO_ADDRESS = re.compile(r"^\s*(?:javascript|mailto|tel|sms|data|about|blob|whatsapp|viber|skype|file|ftp):", re.I)
_SPACE = re.compile(r"[\s\u00ad\u200b\u2060\ufeff]+")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class PageLink:
    """One page that an index leads to, however often it does.

    `url` is clean (`crawler.urls.clean_url`), of several the one with the fewest parameters. `text` is the best of its
    anchors': that of a heading before others, longer before shorter. `in_navigation` says that it stands in menus, page
    headers and footers or breadcrumbs only, `is_heading` that it is or holds a heading or stands in a teaser's card,
    `dated` that its card holds a time. `words` counts those of the text. `rel` holds what all of its anchors say of it,
    and `sponsored` where any does. `position` counts from 0.
    """

    url: str
    text: str
    in_navigation: bool
    is_heading: bool
    words: int
    rel: frozenset[str]
    dated: bool
    position: int


@dataclass(frozen=True, kw_only=True)
class IndexPage:
    """What an index says.

    `feeds` are those that it announces, `links` its pages in the order of their first links, `next_urls` where the
    list goes on: usually one, none where it ends. `nofollow` says that its links are not to be followed by robots.
    `left_out` counts links that are not among `links`, by reason: `not_http` (also broken addresses), `too_many`.
    """

    title: str | None
    feeds: Sequence[FoundIndex]
    links: Sequence[PageLink]
    next_urls: Sequence[str]
    canonical_url: str | None
    nofollow: bool
    language: str | None
    left_out: dict[str, int]


def read_index_page(body: bytes, *, url: str, content_type: str | None) -> IndexPage:
    """Read an index of links. `url` is where it was found after redirects; never raises for what is in `body`."""
    tree = _tree(decode_html(body, content_type=content_type))
    if tree is None:
        return IndexPage(
            title=None,
            feeds=(),
            links=(),
            next_urls=(),
            canonical_url=None,
            nofollow=False,
            language=None,
            left_out={},
        )
    base = _base(tree, url)
    anchors, left_out = _anchors(tree, base)
    head_links = [(link, _absolute(link.get("href"), base)) for link in tree.iter("link")]
    return IndexPage(
        title=_title(tree),
        feeds=_feeds(head_links, anchors),
        links=_links_once(anchors, left_out),
        next_urls=next_pages(
            url,
            [(to, _rel(link)) for link, to in head_links if to],
            [(anchor.url, anchor.rel, anchor.label) for anchor in anchors],
        ),
        canonical_url=next((to for link, to in head_links if to and "canonical" in _rel(link)), None),
        nofollow=_is_nofollow(tree),
        language=_language(tree),
        left_out=left_out,
    )


@dataclass(frozen=True, kw_only=True)
class _Anchor:
    """One anchor as it stands. `label` is its text, or what stands for it where it shows only a sign."""

    url: str
    key: str
    text: str
    label: str
    rel: frozenset[str]
    place: LinkPlace
    type: str


def _tree(html: str) -> HtmlElement | None:
    text = _CONTROLS.sub("", html)
    if not text.strip():
        return None
    try:
        # Bytes, because a string with an XML declaration that names an encoding would be refused.
        return document_fromstring(text.encode(), parser=HTMLParser(encoding="utf-8", huge_tree=True))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _base(tree: HtmlElement, url: str) -> str:
    for element in tree.iter("base"):
        if element.get("href"):
            return _absolute(element.get("href"), url) or url
    return url


def _absolute(href: str | None, base: str) -> str | None:
    if not href or _NO_ADDRESS.match(href):
        return None
    try:
        return clean_url(joined_url(base, _BREAKS.sub("", href).strip()))
    except InvalidUrl:
        return None


def _rel(element: HtmlElement) -> frozenset[str]:
    return frozenset((element.get("rel") or "").lower().split())


def _media_type(element: HtmlElement) -> str:
    return (element.get("type") or "").lower().partition(";")[0].strip()


def _one_line(text: str | None) -> str:
    return _SPACE.sub(" ", text or "").strip()[:MAX_TEXT]


def _title(tree: HtmlElement) -> str | None:
    return next((text for title in tree.iter("title") if (text := _one_line(title.text_content()))), None)


def _language(tree: HtmlElement) -> str | None:
    """Return the ISO 639 code of the language that the root states, without script and region."""
    stated = tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or tree.get("xml:lang") or ""
    found = re.match(r"[a-z]{2,3}(?=[-_]|$)", stated.strip().lower())
    return found[0] if found else None


def _is_nofollow(tree: HtmlElement) -> bool:
    for meta in tree.iter("meta"):
        if (meta.get("name") or "").strip().lower() == "robots":
            said = {word.strip() for word in (meta.get("content") or "").lower().split(",")}
            if said & {"nofollow", "none"}:
                return True
    return False


def _anchors(tree: HtmlElement, base: str) -> tuple[list[_Anchor], dict[str, int]]:
    found: list[_Anchor] = []
    left_out: dict[str, int] = {}
    known: dict[str, tuple[str, str] | None] = {}
    beyond = sum(1 for _ in tree.iterfind(".//a[@href]")) - MAX_ANCHORS
    if beyond > 0:
        left_out["too_many"] = beyond
    for element, place in places_of_links(tree, most=MAX_ANCHORS):
        href = element.get("href") or ""
        if not href.strip() or href.lstrip().startswith("#"):
            continue
        if href not in known:
            to = _absolute(href, base)
            known[href] = (to, url_key(to)) if to else None
        target = known[href]
        if target is None:
            left_out["not_http"] = left_out.get("not_http", 0) + 1
            continue
        found.append(_anchor(element, target, place))
    return found, left_out


def _inside(element: HtmlElement) -> tuple[str, list[str]]:
    """Return the beginning of an element's text, and what stands for its pictures; reading ends at a bound."""
    texts: list[str] = []
    images: list[str] = []
    room = 10 * MAX_TEXT
    for event, node in islice(etree.iterwalk(element, events=("start", "end", "comment", "pi")), _MAX_NODES):
        if event == "start" and node.tag == "img":
            images.append((node.get("alt") or "")[:MAX_TEXT])
        said = node.text if event == "start" else node.tail if node is not element else None
        if said:
            texts.append(said[:room])
            room -= len(texts[-1])
        if room <= 0:
            break
    return "".join(texts), images


def _anchor(element: HtmlElement, target: tuple[str, str], place: LinkPlace) -> _Anchor:
    words, images = _inside(element)
    text = _one_line(words)
    label = text or _one_line(element.get("aria-label") or element.get("title"))
    if not text:
        text = next((words for alt in images if (words := _one_line(alt))), label)
    return _Anchor(
        url=target[0],
        key=target[1],
        text=text,
        label=_one_line(element.get("aria-label")) if len(label) < 2 and element.get("aria-label") else label,
        rel=_rel(element),
        place=place,
        type=_media_type(element),
    )


def _links_once(anchors: Sequence[_Anchor], left_out: dict[str, int]) -> list[PageLink]:
    """Make all anchors of a page one link; the picture, the heading and "read more" of a teaser are such."""
    by_key: dict[str, list[_Anchor]] = {}
    travelling = travelling_names({anchor.url for anchor in anchors})
    for anchor in anchors:
        key = without_marks(anchor.key, travelling)
        if key in by_key:
            by_key[key].append(anchor)
        elif len(by_key) < MAX_LINKS:
            by_key[key] = [anchor]
        else:
            left_out["too_many"] = left_out.get("too_many", 0) + 1
    return [_page_link(same, position) for position, same in enumerate(by_key.values())]


def _page_link(same: Sequence[_Anchor], position: int) -> PageLink:
    best = max(same, key=lambda anchor: (anchor.place.is_heading and len(anchor.text.split()) > 1, len(anchor.text)))
    rel = frozenset.intersection(*(anchor.rel for anchor in same))
    if any("sponsored" in anchor.rel for anchor in same):
        rel |= {"sponsored"}
    return PageLink(
        url=min((anchor.url for anchor in same), key=lambda url: len(url.partition("?")[2])),
        text=best.text,
        in_navigation=all(anchor.place.in_navigation for anchor in same),
        is_heading=any(anchor.place.is_heading for anchor in same),
        words=len(best.text.split()),
        rel=rel,
        dated=any(anchor.place.dated for anchor in same),
        position=position,
    )


def _feeds(head_links: Sequence[tuple[HtmlElement, str | None]], anchors: Sequence[_Anchor]) -> list[FoundIndex]:
    """Return the feeds that the page announces, then those that it only links to.

    Feeds of comments are left out where there are others.
    """
    found: dict[str, FoundIndex] = {}
    for link, to in head_links:
        if to and "alternate" in _rel(link):
            _take_feed(found, to, _media_type(link), _one_line(link.get("title")))
    for anchor in anchors:
        typed = anchor.type in _FEED_KINDS
        if typed or _FEED_ADDRESS.search(anchor.url.partition("?")[0]):
            _take_feed(found, anchor.url, anchor.type if typed else "text/xml", anchor.text)
    feeds = list(found.values())
    articles = [feed for feed in feeds if not _COMMENTS.search(f"{feed.url} {feed.title or ''}")]
    return (articles or feeds)[:MAX_FEEDS]


def _take_feed(found: dict[str, FoundIndex], url: str, stated: str, title: str) -> None:
    kind = _FEED_KINDS.get(stated)
    if kind is None:
        if stated not in _GENERAL_TYPES or _NO_FEED.search(url):
            return
        if not (_FEED_WORDS.search(url) or _FEED_WORDS.search(title)):
            return
    try:
        key = url_key(url)
    except InvalidUrl:
        return
    found.setdefault(
        key, FoundIndex(url=url, kind=kind or FeedKind.UNKNOWN, found_by=FoundBy.LINK, title=title or None)
    )
