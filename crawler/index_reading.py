"""From a poll's answer to what it lists: which links are wanted, which lead to further indexes, which are left out.

Pure: an answer and what is known of the publisher's addresses in, a value out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from crawler.catalogue import domains_of
from crawler.discovery.feed_links import sort_entries
from crawler.discovery.feeds import read_feed
from crawler.discovery.index_page import IndexPage, read_index_page
from crawler.discovery.listing import FoundBy, FoundIndex, Listing, NotAFeed
from crawler.discovery.page_links import sort_links
from crawler.discovery.sitemap_links import sort_sitemap
from crawler.discovery.sitemaps import read_sitemap
from crawler.discovery.targets import TargetKind, kind_of_body
from crawler.discovery.url_shapes import UrlShapes
from crawler.extraction.permissions import permissions_of
from crawler.fetching import Fetched
from crawler.page_bodies import digest_of
from crawler.urls import clean_url, registrable_domain
from storage.content_coding import BadContentCoding, decode_body
from storage.model import FeedKind, FetchKind, Headers, Outcome, Source
from storage.records import FeedEntry, FeedState

SITEMAP_BYTES = 50 * 1024 * 1024
"""What a sitemap may have after decoding, by its protocol (sitemaps.org)."""
SITEMAPS = frozenset({FeedKind.SITEMAP, FeedKind.NEWS_SITEMAP})
_LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class IndexRead:
    """An answer to a poll, judged.

    `entries` are the pages that are wanted, `indexes` lead to further links, `next_url` is where this index goes on,
    and `left_out` counts the links that are not wanted by reason. `explained` says of some links what they were taken
    for and why: (url, verdict, reason).
    """

    outcome: Outcome
    reason: str | None = None
    kind: FeedKind | None = None
    title: str | None = None
    entries: Sequence[FeedEntry] = ()
    indexes: Sequence[FoundIndex] = ()
    next_url: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    explained: Sequence[tuple[str, str, str]] = ()
    ttl_seconds: int | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    digest: str | None = None


@dataclass(frozen=True, kw_only=True)
class Body:
    """The decoded body of a good answer, or the outcome that came instead."""

    content: bytes = b""
    content_type: str | None = None
    headers: Headers = ()
    outcome: Outcome | None = None
    reason: str | None = None


def fetch_kind(kind: FeedKind) -> FetchKind:
    """Return what a fetch of an index of this kind is for."""
    if kind in SITEMAPS:
        return FetchKind.SITEMAP
    return FetchKind.SECTION if kind is FeedKind.SECTION else FetchKind.FEED


def body_of(fetched: Fetched, *, max_bytes: int) -> Body:
    """Return the decoded body of an answer, at most `max_bytes` long (a sitemap's may be longer)."""
    hop = fetched.last
    exchange = hop.attempt.exchange
    if hop.outcome is not None or exchange is None:
        return Body(outcome=hop.outcome or Outcome.NETWORK_ERROR, reason=hop.reason)
    if fetched.request.kind is FetchKind.SITEMAP:
        max_bytes = max(max_bytes, SITEMAP_BYTES)
    try:
        content = decode_body(exchange.body, exchange.header("content-encoding"), max_bytes=max_bytes)
    except BadContentCoding as problem:
        if problem.reason == "too_large":
            return Body(outcome=Outcome.TOO_LARGE, reason="decoded_body")
        return Body(outcome=Outcome.NETWORK_ERROR, reason=problem.reason)
    return Body(content=content, content_type=exchange.header("content-type"), headers=exchange.response_headers)


def read_index(
    feed: FeedState, source: Source, fetched: Fetched, *, shapes: UrlShapes, max_bytes: int, robots_token: str
) -> IndexRead:
    """Return what an answer to a poll of `feed` lists. `robots_token` is the name by which we obey robots' rules.

    A section is read anew even where its bytes are the same, because more may be known by now of what its links are.
    """
    body = body_of(fetched, max_bytes=max_bytes)
    if body.outcome is not None:
        return IndexRead(outcome=body.outcome, reason=body.reason)
    digest = digest_of(body.content)
    if digest == feed.body_digest and feed.kind is not FeedKind.SECTION:
        return IndexRead(outcome=Outcome.UNCHANGED, reason="same_bytes", digest=digest)
    url = fetched.final_url
    found = kind_of_body(body.content, body.content_type, url=url)
    if feed.kind is FeedKind.SECTION and found is TargetKind.PAGE:
        page = read_index_page(body.content, url=url, content_type=body.content_type)
        if page.nofollow or permissions_of(body.headers, {}, robots_token=robots_token).nofollow:
            read = _not_followed(page)
        else:
            read = _section(page, feed, source, url=url, shapes=shapes)
    else:
        listing = _listing(body, found, url=url, now=fetched.last.attempt.finished_at)
        if isinstance(listing, NotAFeed):
            return IndexRead(outcome=Outcome.WRONG_TYPE, reason=listing.reason, digest=digest)
        read = _of_listing(listing, feed, source, url=url, shapes=shapes)
    return replace(read, digest=digest)


def publisher_domains(feed: FeedState, source: Source) -> frozenset[str]:
    """Return the registrable domains that belong to a publisher: those that it is configured by, and this index's."""
    return domains_of(source) | {registrable_domain(feed.url)}


def is_home(url: str, source: Source) -> bool:
    """Whether an address is the publisher's front page: the root of a host, or the one that is configured."""
    return url.split("://", 1)[-1].partition("/")[2] == "" or (
        source.homepage is not None and clean_url(source.homepage) == url
    )


def _listing(body: Body, found: TargetKind, *, url: str, now: datetime) -> Listing | NotAFeed:
    read = read_sitemap if found is TargetKind.SITEMAP else read_feed
    return read(body.content, url=url, content_type=body.content_type, now=now)


def _of_listing(listing: Listing, feed: FeedState, source: Source, *, url: str, shapes: UrlShapes) -> IndexRead:
    domains = publisher_domains(feed, source)
    if listing.kind in SITEMAPS:
        chosen = sort_sitemap(
            listing,
            url=url,
            shapes=shapes,
            publisher_domains=domains,
            include=source.include,
            exclude=source.exclude,
        )
        entries = sorted(chosen.wanted, key=lambda entry: entry.published_at or entry.updated_at or _LONG_AGO)[::-1]
    else:
        chosen = sort_entries(
            listing, url=url, publisher_domains=domains, include=source.include, exclude=source.exclude
        )
        entries = list(chosen.wanted)
    return IndexRead(
        outcome=Outcome.LISTED,
        reason=listing.problem,
        kind=listing.kind,
        title=listing.title,
        entries=entries,
        indexes=listing.indexes,
        next_url=_at_home(listing.next_url, domains),
        left_out=Counter(listing.left_out) + Counter(chosen.left_out),
        ttl_seconds=listing.ttl_seconds,
        skip_hours=listing.skip_hours,
        skip_days=listing.skip_days,
    )


def _at_home(url: str | None, domains: frozenset[str]) -> str | None:
    """Return where an index goes on, unless that is at another publisher."""
    return url if url is not None and registrable_domain(url) in domains else None


def _not_followed(page: IndexPage) -> IndexRead:
    return IndexRead(
        outcome=Outcome.LISTED,
        reason="nofollow",
        kind=FeedKind.SECTION,
        title=page.title,
        left_out={"nofollow": len(page.links)},
    )


def _section(page: IndexPage, feed: FeedState, source: Source, *, url: str, shapes: UrlShapes) -> IndexRead:
    if registrable_domain(url) not in publisher_domains(feed, source) and not is_home(feed.url, source):
        # Its address leads to another publisher by now, whose links nobody asked for.
        left_out = {"elsewhere": len(page.links)}
        return IndexRead(outcome=Outcome.LISTED, reason="elsewhere", kind=FeedKind.SECTION, left_out=left_out)
    links = sort_links(
        page,
        url=url,
        shapes=shapes,
        publisher_domains=publisher_domains(feed, source),
        include=source.include,
        exclude=source.exclude,
    )
    return IndexRead(
        outcome=Outcome.LISTED,
        kind=FeedKind.SECTION,
        title=page.title,
        # The words of a link are no title that a feed gives its entry.
        entries=[replace(entry, title=None) for entry in links.articles],
        indexes=[*links.sections, *(found for found in page.feeds if found.found_by is FoundBy.LINK)],
        next_url=links.next_pages[0].url if links.next_pages else None,
        left_out=Counter(page.left_out) + Counter(links.left_out),
        explained=links.explained,
    )
