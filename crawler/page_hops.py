"""Pages that only lead on: a meta refresh, a Refresh header, a frameset, one frame that fills the page. Pure.

To a reader such a page is a redirect, and so it is to us. Scripts are not run, so what only a script leads to is not
found. A page that carries a text of its own is never a stepping stone, whatever it says about refreshing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from crawler.extraction.decoding import decode_html
from crawler.extraction.text import weight
from crawler.urls import InvalidUrl, joined_url, registrable_domain, url_key
from storage.content_coding import BadContentCoding, decode_body, is_coded
from storage.model import HttpExchange

STEPPING_STONE_BYTES = 64 * 1024
"""A page that only leads on is small; a larger one, after decoding, is not looked into."""
_CODED_BYTES = 12 * 1024
"""What such a page has at most while it is compressed; markup shrinks to a fifth and less."""
LONGEST_DELAY_SECONDS = 10.0
"""A page that is shown longer before it refreshes is there to be read."""
LONGEST_REFRESH = 2048
"""Characters of a header or element; no longer one is an address that we would ask for."""
OWN_TEXT = 500
"""Characters outside links that make a page more than `You are being redirected`."""
_ARTICLE_TEXT = 80
"""The same on a page whose markup calls it an article; one without any text may be a stepping stone to that article."""
_UNSCRIPTED_TEXT = 200
"""Characters beside a refresh for those without scripts that make it a part of a page."""
_FRAME_TEXT = 80
"""Characters beside a frame that make it a part of a page, such as the film of a brief."""
_FRAME_BYTES = 16 * 1024
"""A page that is nothing but one inner frame is smaller still; this spares most pages the parsing."""
# What stands in these runs once in a hostile page of 64 KB costs no more than its length: nothing is tried twice.
_MARKS = re.compile(rb"http-equiv\s*+=\s*+[\"']?+\s*+refresh|<frameset", re.IGNORECASE)
_WIDE_MARKS = re.compile(rb"r\0?e\0?f\0?r\0?e\0?s\0?h|f\0?r\0?a\0?m\0?e", re.IGNORECASE)
_INDEX = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:rss|feed|rdf|urlset|sitemapindex)\b", re.IGNORECASE)
_REFRESH = re.compile(
    r"\s*+(?P<seconds>\d++|(?=\.))[\d.]*+(?=[\s;,])\s*+[;,]?+\s*+(?:url\s*+=\s*+)?+(?P<address>.+)",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED = re.compile(r"^([\"'])(.*?)(?:\1.*)?$", re.DOTALL)
_PAGE_TYPES = frozenset({"", "text/html", "application/xhtml+xml"})
_UNSEEN = frozenset({"script", "style", "template", "title", "noscript"})
"""Not `head`: the parser puts there what it does not know of a page that leaves out its `body`, `article` for one."""
_QUOTING = frozenset({"template", "textarea", "xmp", "title", "iframe", "noframes", "noembed", "svg"})
"""What stands in these is no element of the page, however it is parsed."""
_ARTICLE_DATA = re.compile(r"[\"']@type[\"']\s*+:[\s\[\"']{0,9}+\w{0,40}(?:Article|Posting)\b")
_LENGTH = re.compile(r"(\d{1,5})(?:\.\d*+)?\s*+(%?)")
_FILLS = re.compile(r"100\s*(?:%|vw|vh)|inset\s*:\s*0", re.IGNORECASE)
_SMALL_OR_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class PageHop:
    """Where a page leads. `target` is absolute and still to be checked like any Location; `reason` is
    `meta_refresh`, `refresh_header` or `frame`."""

    target: str
    reason: str


def may_lead_on(exchange: HttpExchange) -> bool:
    """Whether a response may be a page that only leads on, as far as is plain without parsing it.

    Of a body that has more than one content coding, or that one cannot be undone here, nothing is plain.
    """
    media_type = (exchange.header("content-type") or "").partition(";")[0].strip().lower()
    coding = exchange.header("content-encoding")
    coded = is_coded(coding)
    if media_type not in _PAGE_TYPES or len(exchange.body) > (_CODED_BYTES if coded else STEPPING_STONE_BYTES):
        return False
    if coded:
        if "," in (coding or ""):
            return True
        try:
            body = decode_body(exchange.body, coding, max_bytes=STEPPING_STONE_BYTES)
        except BadContentCoding:
            return False
    else:
        body = exchange.body
    return exchange.header("refresh") is not None or _may_lead_on(body)


def page_hop(exchange: HttpExchange) -> PageHop | None:
    """Return where a 200 leads that only leads on; None for a page to be read, and for one that refreshes itself."""
    if not may_lead_on(exchange):
        return None
    header = exchange.header("refresh")
    coding = exchange.header("content-encoding")
    try:
        body = decode_body(exchange.body, coding, max_bytes=STEPPING_STONE_BYTES)
    except BadContentCoding:
        return None
    if _INDEX.match(body) or (header is None and not _may_lead_on(body)):
        return None
    tree = _parsed(decode_html(body, content_type=exchange.header("content-type")))
    if tree is None:
        found = None if header is None else _refresh(header, exchange.url, "refresh_header")
    else:
        found = _hop_in(tree, header, exchange.url)
    return None if found is None or _leads_to_itself(found.target, exchange.url) else found


def _may_lead_on(body: bytes) -> bool:
    if b"\0" in body[:512]:
        return _WIDE_MARKS.search(body) is not None
    framed = len(body) <= _FRAME_BYTES and b"<iframe" in body.lower()
    return framed or _MARKS.search(body) is not None


def refresh_target(content: str) -> tuple[float, str] | None:
    """Return delay in seconds and address of a refresh as HTML reads it; None where it names no other address.

    By the HTML standard, `shared declarative refresh steps`: `5; url='/next'`, `0,/next` and `0 url=/next` all count.
    """
    match = _REFRESH.match(content) if len(content) <= LONGEST_REFRESH else None
    if match is None:
        return None
    address = match["address"].strip()
    if quoted := _QUOTED.match(address):
        address = quoted[2].strip()
    seconds = float(int(match["seconds"] or 0)) if len(match["seconds"]) < 10 else LONGEST_DELAY_SECONDS + 1
    return (seconds, address) if address else None


def _parsed(html: str) -> HtmlElement | None:
    text = html.replace("\0", "").strip()
    if not text:
        return None
    try:
        # As bytes, because a text with an XML declaration is refused.
        return document_fromstring(text.encode("utf-8", "replace"), parser=HTMLParser(encoding="utf-8"))
    except (etree.ParserError, ValueError):
        return None


def _hop_in(tree: HtmlElement, header: str | None, url: str) -> PageHop | None:
    base = _base_of(tree, url)
    text, linked = _shown_text(tree)
    in_data = _is_article_in_data(tree)
    if text > OWN_TEXT or (text > _ARTICLE_TEXT and (in_data or _is_article_in_markup(tree))):
        return None
    if header is not None and (found := _refresh(header, url, "refresh_header")):
        return found
    for content in _refreshes(tree, alone=text <= _UNSCRIPTED_TEXT):
        if found := _refresh(content, base, "meta_refresh"):
            return found
    if in_data:
        # What is called an article is this page; a frame beside it is a film or a map.
        return None
    address = _main_frame(tree)
    if address is None and text + linked <= _FRAME_TEXT:
        address = _only_frame(tree)
    if address is None:
        return None
    target = _joined(base, address)
    return PageHop(target=target, reason="frame") if target and _same_publisher(target, url) else None


def _is_article_in_data(tree: HtmlElement) -> bool:
    return any(_ARTICLE_DATA.search(script.text or "") for script in tree.iter("script"))


def _is_article_in_markup(tree: HtmlElement) -> bool:
    if next(tree.iter("article"), None) is not None:
        return True
    types = ((meta.get("content") or "").lower() for meta in tree.iter("meta") if meta.get("property") == "og:type")
    return "article" in types


def _refresh(content: str, base: str, reason: str) -> PageHop | None:
    named = refresh_target(content)
    if named is None or named[0] > LONGEST_DELAY_SECONDS:
        return None
    target = _joined(base, named[1])
    return None if target is None else PageHop(target=target, reason=reason)


def _refreshes(tree: HtmlElement, *, alone: bool) -> Iterator[str]:
    """Yield what the page says about refreshing.

    What it says to those without scripts counts if it is `alone` on the page, and tells them what scripts do for the
    others; a page that sends them to a notice is a shell for scripts.
    """
    scripts = " ".join(script.text or script.get("src") or "" for script in tree.iter("script"))
    for element in tree.iter("meta"):
        if (element.get("http-equiv") or "").strip().lower() != "refresh":
            continue
        content = element.get("content") or ""
        around = {above.tag for above in element.iterancestors()}
        if around & _QUOTING:
            continue
        if "noscript" in around:
            named = refresh_target(content)
            same = named is not None and (not scripts.strip() or named[1] in scripts.replace("\\/", "/"))
            if not (alone and same):
                continue
        yield content


def _shown_text(tree: HtmlElement) -> tuple[int, int]:
    """Return how many letters a page shows outside links, those of a `noframes` included, and in links."""
    counts = {False: 0, True: 0}
    # A stack rather than a recursion: markup may be nested ten thousand deep.
    waiting = [(tree, False)]
    while waiting:
        element, linked = waiting.pop()
        if isinstance(element.tag, str) and element.tag not in _UNSEEN:
            inside = linked or element.tag == "a"
            counts[inside] += _letters(element.text)
            waiting.extend((child, inside) for child in element)
        if element is not tree:
            counts[linked] += _letters(element.tail)
    return counts[False], counts[True]


def _letters(text: str | None) -> int:
    """Return the length of a text without spaces; a character of Chinese, Japanese or Korean says as much as three."""
    if not text:
        return 0
    shown = "".join(text.split())
    return 2 * weight(shown) - len(shown)


def _main_frame(tree: HtmlElement) -> str | None:
    """Return the address of the largest frame of a frameset, the first of those that are as large."""
    frameset = next(tree.iter("frameset"), None)
    if frameset is None:
        return None
    sizes = [(size, address) for size, address in _frames(frameset, 1.0) if address]
    if not sizes:
        return None
    largest = max(size for size, _ in sizes)
    return next(address for size, address in sizes if size == largest)


def _frames(frameset: HtmlElement, size: float, depth: int = 0) -> Iterator[tuple[float, str]]:
    inner = [child for child in frameset if child.tag in ("frame", "frameset")]
    columns, rows = _shares(frameset.get("cols")), _shares(frameset.get("rows"))
    cells = [row * column for row in rows for column in columns]
    for place, child in enumerate(inner[:20]):
        share = size * (cells[place] if place < len(cells) else 0.0)
        if child.tag == "frame":
            yield share, (child.get("src") or "").strip()
        elif depth < 5:
            yield from _frames(child, share, depth + 1)


def _shares(lengths: str | None) -> list[float]:
    """Return the share of each row or column: `20%,*` makes 0.2 and 0.8; pixels are taken as of a thousand."""
    if not lengths:
        return [1.0]
    fixed: list[float | None] = []
    for length in lengths.split(",")[:20]:
        number = _LENGTH.fullmatch(length.strip())
        fixed.append(None if number is None else int(number[1]) / (100 if number[2] else 1000))
    free = max(0.0, 1.0 - sum(share for share in fixed if share is not None))
    stars = max(1, sum(share is None for share in fixed))
    return [free / stars if share is None else min(share, 1.0) for share in fixed]


def _only_frame(tree: HtmlElement) -> str | None:
    """Return the address of the one inner frame that a page has and that fills it."""
    frames = [frame for frame in tree.iter("iframe") if _is_shown(frame)]
    if len(frames) != 1:
        return None
    frame = frames[0]
    styles = " ".join(style.text or "" for style in tree.iter("style"))
    said = " ".join(frame.get(name) or "" for name in ("style", "width", "height"))
    fills = _FILLS.search(said) or ("iframe" in styles and _FILLS.search(styles))
    return (frame.get("src") or "").strip() or None if fills else None


def _is_shown(frame: HtmlElement) -> bool:
    if any(above.tag == "noscript" for above in frame.iterancestors()):
        return False
    tiny = any((frame.get(name) or "").strip() in ("0", "1", "0px", "1px") for name in ("width", "height"))
    return not tiny and frame.get("hidden") is None and not _SMALL_OR_HIDDEN.search(frame.get("style") or "")


def _base_of(tree: HtmlElement, url: str) -> str:
    for element in tree.iter("base"):
        if element.get("href"):
            return _joined(url, element.get("href", "")) or url
    return url


def _joined(base: str, address: str) -> str | None:
    try:
        joined = joined_url(base, address.strip())
        urlsplit(joined)
    except ValueError:
        return None
    return joined


def _same_publisher(one: str, other: str) -> bool:
    try:
        return registrable_domain(one) == registrable_domain(other)
    except InvalidUrl:
        return False


def _leads_to_itself(target: str, url: str) -> bool:
    try:
        return url_key(target) == url_key(url)
    except InvalidUrl:
        return False
