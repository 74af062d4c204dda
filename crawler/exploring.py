"""Follows indexes of links to further indexes: a home page to its feeds, sitemaps and sections, a sitemap index to its
sitemaps, a section to its next pages and the sections below. Every way ends at a bound, and what was cut is said.
"""

import asyncio
import heapq
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from enum import IntEnum
from functools import partial

import structlog

from crawler.discovery.index_page import read_index_page
from crawler.discovery.listing import FoundIndex
from crawler.discovery.targets import TargetKind, kind_of_body
from crawler.fetching import Fetched, Fetcher
from crawler.home_pages import HomePages
from crawler.index_reading import SITEMAPS, body_of, is_home
from crawler.politeness import FetchingStopped
from crawler.polling import INTERNAL_ERROR, FeedPoller, PollResult
from crawler.recorder import Recorder
from crawler.urls import url_key
from storage.clock import utc_now
from storage.errors import MorgueError
from storage.model import FeedKind
from storage.records import FeedState, StoredSource

log = structlog.get_logger()

QUIET_PAGES = 3
"""A list is not followed further behind so many of its pages in a row that brought nothing new."""
UNDATED_AGAIN = timedelta(hours=24)
"""A sitemap whose index does not say when it changed is asked again after so long."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How far one crawl goes for one source.

    `sections` and `sitemaps` are how many of each it reads, the latter `sitemap_depth` indexes deep, the former
    `section_depth` links from where it began; `pages` how many pages one section or paged feed goes on for; `links`
    how many entries are listed in all.
    """

    sections: int = 300
    section_depth: int = 3
    pages: int = 50
    sitemaps: int = 500
    sitemap_depth: int = 3
    links: int = 500_000


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A bound that was reached: which of `Bounds`, its number, and the first address that was not asked for."""

    bound: str
    number: int
    url: str


class _Order(IntEnum):
    """What is followed first: what is cheap and tells most about a publisher's addresses."""

    FEED = 0
    SITEMAP = 1
    HOME = 2
    SECTION = 3
    PAGE = 4


@dataclass(frozen=True, kw_only=True)
class _Way:
    """By which way an index was come to: for which source, how many links deep, and whether the service is to look
    after what is found on it."""

    source: StoredSource
    watched: bool
    depth: int = 0

    @property
    def deeper(self) -> "_Way":
        return replace(self, depth=self.depth + 1)


@dataclass(kw_only=True)
class _Trail:
    """How far one source was followed in this crawl."""

    steps: list[tuple[_Order, int, FeedState, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    reached: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class _Walk:
    """A list that goes on over several pages; `total` is what all of them came to."""

    feed: FeedState
    way: _Way
    total: PollResult
    seen: set[str]
    quiet: int = 0

    def goes_on_at(self, page: PollResult) -> str | None:
        """Return where the list goes on behind a page, None where it ends or is not worth it."""
        if page.next_url is None or page.next_url in self.seen or not page.healthy or not (page.new or page.known):
            return None
        self.quiet = 0 if page.new else self.quiet + 1
        # What was walked to its end before is known behind its first page that brings nothing new.
        patience = QUIET_PAGES if self.feed.last_polled_at is None else 1
        return page.next_url if self.quiet < patience else None

    def add(self, page: PollResult) -> None:
        """Take a further page's links in."""
        self.total = replace(
            self.total,
            new=self.total.new + page.new,
            known=self.total.known + page.known,
            left_out=Counter(self.total.left_out) + Counter(page.left_out),
            pages=self.total.pages + 1,
            urls=self.total.urls | page.urls,
        )


class Explorer:
    """Explores the indexes of sources.

    `on_begun` is told of each index when its first page was read, `on_result` when it was read as far as it is, and
    `on_reached` of each bound that was reached; `enough` says when no further index is wanted.

    `follow_found` says whether indexes that are found are read at once; else they are only made known, and the service
    polls them when they are due.
    """

    def __init__(
        self,
        *,
        poller: FeedPoller,
        fetcher: Fetcher,
        recorder: Recorder,
        source: Callable[[int], StoredSource],
        children: Callable[[int], Awaitable[Sequence[FeedState]]],
        on_begun: Callable[[PollResult], None],
        on_result: Callable[[PollResult], None],
        on_reached: Callable[[Reached], None],
        enough: Callable[[], bool],
        follow_found: bool,
        max_bytes: int,
        bounds: Bounds | None = None,
    ) -> None:
        self._poller = poller
        self._home = HomePages(poller=poller, fetcher=fetcher, max_bytes=max_bytes)
        self._recorder = recorder
        self._source = source
        self._children = children
        self._on_begun = on_begun
        self._on_result = on_result
        self._on_reached = on_reached
        self._enough = enough
        self._follow_found = follow_found
        self._max_bytes = max_bytes
        self._bounds = bounds or Bounds()
        self._trails: dict[int, _Trail] = {}
        self._visited: set[int] = set()
        self._known_sections: set[str] = set()
        self._open: dict[int, _Walk] = {}
        self._number = itertools.count()
        self.new = 0
        """How many pages were found that were not known."""

    async def begin(self, feed: FeedState, *, watched: bool, fetched: Fetched | None = None) -> None:
        """Read an index, from `fetched` where it was fetched already, and remember where it leads for `follow`.

        `watched` is whether the service looks after what is found there. Raises `FetchingStopped` when no further
        request may be started, `DatabaseUnavailable`.
        """
        await self._begin(feed, _Way(source=self._source(feed.source_id), watched=watched), fetched)

    async def _begin(self, feed: FeedState, way: _Way, fetched: Fetched | None = None) -> None:
        if feed.feed_id in self._visited:
            return
        self._visited.add(feed.feed_id)
        self._known_sections.add(url_key(feed.url))
        fetched = fetched or await self._poller.ask(feed, way.source.source)
        if feed.kind is FeedKind.SECTION and is_home(feed.url, way.source.source):
            await self._begin_home(feed, way, fetched)
        else:
            await self._take(feed, way, fetched)

    async def follow(self) -> None:
        """Follow what was found, sources side by side, until nothing is left, a bound is reached, or it is enough.

        Raises `DatabaseUnavailable`; ends quietly when no further request may be started.
        """
        done: set[int] = set()
        try:
            while waiting := self._trails.keys() - done:
                ways = [self._follow(source_id) for source_id in waiting]
                for result in await asyncio.gather(*ways, return_exceptions=True):
                    if isinstance(result, BaseException) and not isinstance(result, FetchingStopped):
                        raise result
                done |= waiting
        finally:
            # What was left in the middle is not recorded as polled: the next crawl reads it from its beginning.
            for walk in self._open.values():
                self._say(walk.total)
            self._open.clear()

    async def _follow(self, source_id: int) -> None:
        trail = self._trails[source_id]
        while trail.steps and not self._enough():
            _, _, feed, step = heapq.heappop(trail.steps)
            try:
                await step()
            except (MorgueError, FetchingStopped):
                raise
            except Exception:
                # The boundary of one index: its failure must not cost the others.
                log.exception("index_not_read", feed_id=feed.feed_id, url=feed.url)
                self._open.pop(feed.feed_id, None)
                self._say(PollResult(feed=feed, outcome=None, reason=INTERNAL_ERROR))

    def _trail(self, source: StoredSource) -> _Trail:
        return self._trails.setdefault(source.source_id, _Trail())

    def _later(self, source: StoredSource, order: _Order, feed: FeedState, step: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._trail(source).steps, (order, next(self._number), feed, step))

    def _say_reached(self, source: StoredSource, bound: str, url: str) -> None:
        reached = self._trail(source).reached
        if bound not in reached:
            reached.add(bound)
            self._on_reached(Reached(bound=bound, number=getattr(self._bounds, bound), url=url))

    # Indexes

    async def _take(self, feed: FeedState, way: _Way, fetched: Fetched) -> None:
        result = await self._poller.take(feed, way.source.source, fetched)
        self.new += result.new
        self._on_begun(result)
        if (result.kind or feed.kind) in SITEMAPS:
            await self._poller.record(result)
            self._say(result)
            await self._note_sitemaps(feed, way, result)
            return
        await self._note_found(way, result.indexes)
        walk = _Walk(feed=feed, way=way, total=result, seen={feed.url, fetched.final_url})
        self._open[feed.feed_id] = walk
        await self._walk_on(walk, result)

    def _say(self, result: PollResult) -> None:
        # Whoever keeps an account of the crawl does not need every link for it.
        self._on_result(replace(result, urls=frozenset(), indexes=()))

    async def _walk_on(self, walk: _Walk, page: PollResult) -> None:
        """Go on to a list's next page later, or end it here."""
        url = walk.goes_on_at(page)
        if url is not None and walk.total.pages >= self._bounds.pages:
            self._say_reached(walk.way.source, "pages", url)
            url = None
        if url is None:
            await self._poller.record(walk.total)
            del self._open[walk.feed.feed_id]
            self._say(walk.total)
            return
        walk.seen.add(url)
        next_url, source = url, walk.way.source

        async def step() -> None:
            fetched = await self._poller.ask(walk.feed, source.source, url=next_url)
            further = await self._poller.take(walk.feed, source.source, fetched)
            self.new += further.new
            self._on_begun(further)
            # A server that does not know the parameter shows the first page again and again.
            repeated = bool(further.urls) and further.urls <= walk.total.urls
            walk.add(further)
            await self._note_found(walk.way, further.indexes)
            await self._walk_on(walk, replace(further, next_url=None) if repeated else further)

        self._later(source, _Order.PAGE, walk.feed, step)

    async def _note_sitemaps(self, feed: FeedState, way: _Way, result: PollResult) -> None:
        """Make the sitemaps of an index known, and read later those that are new or may have changed."""
        if not result.healthy:
            return
        now, source = utc_now(), way.source
        for found in result.indexes:
            await self._ensure(way, found, parent_id=feed.feed_id)
        counts = self._trail(source).counts
        counts["links"] += result.new + result.known
        for child in await self._children(feed.feed_id):
            if child.feed_id in self._visited or not _is_stale(child, now=now):
                continue
            bound = self._bound_before(way, counts)
            if bound is not None:
                self._say_reached(source, bound, child.url)
                return
            counts["sitemaps"] += 1
            self._later(source, _Order.SITEMAP, child, partial(self._begin, child, way.deeper))

    def _bound_before(self, way: _Way, counts: Counter[str]) -> str | None:
        """Return the bound that forbids another sitemap, None where none does."""
        if way.depth + 1 >= self._bounds.sitemap_depth:
            return "sitemap_depth"
        return next((bound for bound in ("links", "sitemaps") if counts[bound] >= getattr(self._bounds, bound)), None)

    async def _ensure(self, way: _Way, found: FoundIndex, *, parent_id: int | None = None) -> FeedState:
        return await self._recorder.write(
            lambda tx: tx.feeds.ensure(
                way.source.source_id,
                found.url,
                utc_now(),
                found.kind,
                watched=way.watched,
                found_by=found.found_by.value,
                parent_id=parent_id,
                changed_at=found.changed_at,
            )
        )

    async def _note_found(self, way: _Way, found: Sequence[FoundIndex]) -> None:
        """Make the feeds and sections that a section leads to known and, where that is wanted, read them later."""
        counts = self._trail(way.source).counts
        for index in found:
            if index.kind is not FeedKind.SECTION:
                await self._note_index(way, index, _Order.FEED)
                continue
            if url_key(index.url) in self._known_sections or is_home(index.url, way.source.source):
                # Whoever names a section does not ask for all that its way home leads to.
                continue
            if way.depth >= self._bounds.section_depth:
                self._say_reached(way.source, "section_depth", index.url)
                return
            if counts["sections"] >= self._bounds.sections:
                self._say_reached(way.source, "sections", index.url)
                return
            self._known_sections.add(url_key(index.url))
            counts["sections"] += 1
            section = await self._ensure(way, index)
            if self._follow_found and section.feed_id not in self._visited:
                self._later(way.source, _Order.SECTION, section, partial(self._begin, section, way.deeper))

    # Home pages

    async def _begin_home(self, feed: FeedState, way: _Way, fetched: Fetched) -> None:
        """Find the feeds and sitemaps of a home page. Its links are sorted after these were read, which teach what the
        publisher's addresses look like."""
        body = body_of(fetched, max_bytes=self._max_bytes)
        is_page = body.outcome is None and (
            kind_of_body(body.content, body.content_type, url=fetched.final_url) is TargetKind.PAGE
        )
        if not is_page:
            await self._take(feed, way, fetched)
            return
        page = await asyncio.to_thread(
            read_index_page, body.content, url=fetched.final_url, content_type=body.content_type
        )
        first_time = feed.last_polled_at is None
        for found in await self._home.feeds(page, way.source, url=fetched.final_url, first_time=first_time):
            await self._note_index(way, found, _Order.FEED)
        for found in await self._home.sitemaps(way.source, url=fetched.final_url, first_time=first_time):
            await self._note_index(way, found, _Order.SITEMAP)
        sort_links = partial(self._take, feed, way, fetched)
        if self._follow_found:
            self._later(way.source, _Order.HOME, feed, sort_links)
        else:
            await sort_links()

    async def _note_index(self, way: _Way, found: FoundIndex, order: _Order) -> None:
        index = await self._ensure(way, found)
        if self._follow_found and index.feed_id not in self._visited:
            self._later(way.source, order, index, partial(self._begin, index, way))


def _is_stale(sitemap: FeedState, *, now: datetime) -> bool:
    """Whether a sitemap of an index is to be read: new, changed since, or undated and not read for a day."""
    if sitemap.last_polled_at is None or sitemap.consecutive_failures:
        return True
    if sitemap.changed_at is not None:
        # A day without a time may mean any time of it.
        day_only = sitemap.changed_at.time() == time(0)
        return sitemap.changed_at + timedelta(days=day_only) > sitemap.last_polled_at
    return now - sitemap.last_polled_at >= UNDATED_AGAIN
