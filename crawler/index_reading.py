"""From a poll's answer to what it lists: which links are wanted, which lead to further indexes, which are left out.

Pure: an answer and what is known of the publisher's addresses in, a value out. All of it is done in worker processes
(`IndexReader`), because whoever writes a feed, a sitemap or a section decides how long its reader takes.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog

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
from crawler.page_bodies import digest_of
from crawler.urls import clean_url, registrable_domain
from crawler.worker_pool import WorkFailed, Works, owner_of
from storage.content_coding import BadContentCoding, decode_body
from storage.model import FeedKind, FetchKind, Headers, Source
from storage.outcomes import Outcome
from storage.records import FeedEntry, FeedState

if TYPE_CHECKING:
    from crawler.fetching import Fetched

log = structlog.get_logger()

Result = TypeVar("Result")

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
class Answer:
    """An answer to be read: what the last hop of a request brought, its body as it was sent.

    `outcome` and `reason` are there where fetching alone decided.
    """

    url: str
    kind: FetchKind
    finished_at: datetime
    outcome: Outcome | None = None
    reason: str | None = None
    body: bytes = b""
    content_encoding: str | None = None
    content_type: str | None = None
    headers: Headers = ()


@dataclass(frozen=True, kw_only=True)
class Body:
    """The decoded body of a good answer, or the outcome that came instead."""

    content: bytes = b""
    content_type: str | None = None
    headers: Headers = ()
    outcome: Outcome | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Look:
    """What an answer is, or the outcome that came instead. `page` is what an index of links says, `feed` what a feed
    says, where that was asked for."""

    kind: TargetKind | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    page: IndexPage | None = None
    feed: Listing | NotAFeed | None = None


def fetch_kind(kind: FeedKind) -> FetchKind:
    """Return what a fetch of an index of this kind is for."""
    if kind in SITEMAPS:
        return FetchKind.SITEMAP
    return FetchKind.SECTION if kind is FeedKind.SECTION else FetchKind.FEED


def answer_of(fetched: "Fetched") -> Answer:
    """Return the answer that a request came to."""
    hop = fetched.last
    exchange = hop.attempt.exchange
    answer = Answer(
        url=fetched.final_url,
        kind=fetched.request.kind,
        finished_at=hop.attempt.finished_at,
        outcome=hop.outcome,
        reason=hop.reason,
    )
    if exchange is None or hop.outcome is not None:
        return replace(answer, outcome=hop.outcome or Outcome.NETWORK_ERROR)
    return replace(
        answer,
        body=exchange.body,
        content_encoding=exchange.header("content-encoding"),
        content_type=exchange.header("content-type"),
        headers=exchange.response_headers,
    )


class IndexReader:
    """Reads answers in worker processes. Says `EXTRACT_FAILED` of what ends or holds up its reader, with `timeout`,
    `crash`, `memory` or an exception's name.

    `max_bytes` bounds a decoded body (a sitemap's may be longer). `robots_token` is the name by which we obey robots'
    rules. All raise `PoolStopped` and `ExtractionUnavailable`, which say nothing about the answer.
    """

    def __init__(self, workers: Works, *, max_bytes: int, robots_token: str) -> None:
        self._workers = workers
        self._max_bytes = max_bytes
        self._robots_token = robots_token

    async def read(self, feed: FeedState, source: Source, fetched: "Fetched", *, shapes: UrlShapes) -> IndexRead:
        """Return what an answer to a poll of `feed` lists, by what is known of its source's addresses."""
        answer = answer_of(fetched)
        if answer.outcome is not None:
            return IndexRead(outcome=answer.outcome, reason=answer.reason)
        work = partial(
            read_index,
            feed,
            source,
            answer,
            shapes=shapes,
            max_bytes=self._max_bytes,
            robots_token=self._robots_token,
        )
        read = await self._run(work, url=answer.url)
        return IndexRead(outcome=Outcome.EXTRACT_FAILED, reason=read) if isinstance(read, str) else read

    async def look(self, fetched: "Fetched") -> Look:
        """Return what an answer is."""
        return await self._look(look_at, fetched)

    async def page(self, fetched: "Fetched") -> Look:
        """Return what an answer is, and where that is a page, what it says as an index of links."""
        return await self._look(look_at_page, fetched)

    async def feed(self, fetched: "Fetched") -> Look:
        """Return what an answer is, and what it says as a feed."""
        return await self._look(look_at_feed, fetched)

    async def _look(self, look: Callable[[Answer, int], Look], fetched: "Fetched") -> Look:
        answer = answer_of(fetched)
        if answer.outcome is not None:
            return Look(outcome=answer.outcome, reason=answer.reason)
        seen = await self._run(look, answer, self._max_bytes, url=answer.url)
        return Look(outcome=Outcome.EXTRACT_FAILED, reason=seen) if isinstance(seen, str) else seen

    async def _run(self, function: Callable[..., Result], *args: object, url: str) -> Result | str:
        """Return what a worker makes of an answer, or the reason why none could."""
        try:
            return await self._workers.run(function, *args, owner=owner_of(url), about=url)
        except WorkFailed as failed:
            log.warning("extract_failed", url=url, reason=failed.reason, problem=failed.problem)
            return failed.reason


def look_at(answer: Answer, max_bytes: int) -> Look:
    """Return what an answer is."""
    return _look_at(answer, body_of(answer, max_bytes=max_bytes))


def look_at_page(answer: Answer, max_bytes: int) -> Look:
    """Return what an answer is, and where that is a page, what it says as an index of links."""
    body = body_of(answer, max_bytes=max_bytes)
    look = _look_at(answer, body)
    if look.kind is not TargetKind.PAGE:
        return look
    return replace(look, page=read_index_page(body.content, url=answer.url, content_type=body.content_type))


def look_at_feed(answer: Answer, max_bytes: int) -> Look:
    """Return what an answer is, and what it says as a feed."""
    body = body_of(answer, max_bytes=max_bytes)
    look = _look_at(answer, body)
    if look.outcome is not None:
        return look
    return replace(look, feed=read_feed(body.content, url=answer.url, content_type=body.content_type))


def _look_at(answer: Answer, body: Body) -> Look:
    if body.outcome is not None:
        return Look(outcome=body.outcome, reason=body.reason)
    return Look(kind=kind_of_body(body.content, body.content_type, url=answer.url))


def body_of(answer: Answer, *, max_bytes: int) -> Body:
    """Return the decoded body of an answer, at most `max_bytes` long (a sitemap's may be longer)."""
    if answer.outcome is not None:
        return Body(outcome=answer.outcome, reason=answer.reason)
    if answer.kind is FetchKind.SITEMAP:
        max_bytes = max(max_bytes, SITEMAP_BYTES)
    try:
        content = decode_body(answer.body, answer.content_encoding, max_bytes=max_bytes)
    except BadContentCoding as problem:
        if problem.reason == "too_large":
            return Body(outcome=Outcome.TOO_LARGE, reason="decoded_body")
        return Body(outcome=Outcome.NETWORK_ERROR, reason=problem.reason)
    return Body(content=content, content_type=answer.content_type, headers=answer.headers)


def read_index(
    feed: FeedState, source: Source, answer: Answer, *, shapes: UrlShapes, max_bytes: int, robots_token: str
) -> IndexRead:
    """Return what an answer to a poll of `feed` lists. `robots_token` is the name by which we obey robots' rules.

    A section is read anew even where its bytes are the same, because more may be known by now of what its links are.
    """
    body = body_of(answer, max_bytes=max_bytes)
    if body.outcome is not None:
        return IndexRead(outcome=body.outcome, reason=body.reason)
    digest = digest_of(body.content)
    if digest == feed.body_digest and feed.kind is not FeedKind.SECTION:
        return IndexRead(outcome=Outcome.UNCHANGED, reason="same_bytes", digest=digest)
    url = answer.url
    found = kind_of_body(body.content, body.content_type, url=url)
    if feed.kind is FeedKind.SECTION and found is TargetKind.PAGE:
        page = read_index_page(body.content, url=url, content_type=body.content_type)
        if page.nofollow or permissions_of(body.headers, {}, robots_token=robots_token).nofollow:
            read = _not_followed(page)
        else:
            read = _section(page, feed, source, url=url, shapes=shapes)
    else:
        listing = _listing(body, found, url=url, now=answer.finished_at)
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
