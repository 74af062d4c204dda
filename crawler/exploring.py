"""Follows indexes of links to further indexes: a home page to its feeds, sitemaps and sections, a sitemap index to its
sitemaps, a section to its next pages and the sections below. Every way ends at a bound, and what was cut is said.
"""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import structlog

from crawler.discovery.listing import FoundBy, FoundIndex
from crawler.fetching import Fetched, Fetcher
from crawler.home_pages import HomePages
from crawler.index_reading import SITEMAPS, fetch_kind, is_home
from crawler.politeness import FetchingStopped
from crawler.polling import INTERNAL_ERROR, FeedPoller, PollResult
from crawler.recorder import Recorder
from crawler.trails import ORDERS, Bounds, Order, Reached, Trail, Walk, Way, is_stale
from crawler.urls import url_key
from storage.clock import utc_now
from storage.errors import MorgueError
from storage.model import FeedKind
from storage.records import FeedState, StoredSource
from storage.sources import indexes_of
from storage.store import Transaction

log = structlog.get_logger()

READY_SECONDS = 0.5
"""How often it is looked which sources may be followed by now, while others are still begun."""
CHILDREN_A_TRANSACTION = 50
"""So that SQLite is not held for long."""


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
        read: Callable[[Callable[[Transaction], Sequence[FeedState]]], Awaitable[Sequence[FeedState]]],
        on_begun: Callable[[PollResult], None],
        on_result: Callable[[PollResult], None],
        on_reached: Callable[[Reached], None],
        enough: Callable[[], bool],
        follow_found: bool,
        bounds: Bounds | None = None,
    ) -> None:
        self._poller = poller
        self._home = HomePages(poller=poller, fetcher=fetcher)
        self._recorder = recorder
        self._source = source
        self._read = read
        self._on_begun = on_begun
        self._on_result = on_result
        self._on_reached = on_reached
        self._enough = enough
        self._follow_found = follow_found
        self._bounds = bounds or Bounds()
        self._trails: dict[int, Trail] = {}
        self._visited: set[int] = set()
        self._seen_sections: set[str] = set()
        self._noted: set[tuple[int, str]] = set()
        self._found_sections: dict[int, dict[str, FeedState]] = {}
        self._open: dict[int, Walk] = {}
        self._number = itertools.count()
        self.new = 0
        """How many pages were found that were not known."""

    async def begin(self, feed: FeedState, *, watched: bool, fetched: Fetched | None = None) -> None:
        """Read an index, from `fetched` where it was fetched already, and remember where it leads for `follow`.

        `watched` is whether the service looks after what is found there. Raises `FetchingStopped` when no further
        request may be started, `DatabaseUnavailable`.
        """
        await self._begin(feed, self._way_to(feed, watched=watched), fetched)

    def later(self, feed: FeedState, *, watched: bool) -> None:
        """Read a known index when `follow` comes to it."""
        order = ORDERS.get(fetch_kind(feed.kind), Order.FEED)
        way = self._way_to(feed, watched=watched)
        self._later(way.source, order, feed, partial(self._begin, feed, way))

    def _way_to(self, feed: FeedState, *, watched: bool) -> Way:
        source = self._source(feed.source_id)
        explored = is_home(feed.url, source.source) or set(indexes_of(source.source)) == {source.source.homepage}
        below = url_key(feed.url) if feed.kind is FeedKind.SECTION and not explored else None
        return Way(source=source, watched=watched, depth=feed.depth or 0, below=below)

    async def _begin(self, feed: FeedState, way: Way, fetched: Fetched | None = None) -> None:
        if feed.feed_id in self._visited:
            return
        self._visited.add(feed.feed_id)
        self._seen_sections.add(url_key(feed.url))
        fetched = fetched or await self._poller.ask(feed, way.source.source)
        if feed.kind is FeedKind.SECTION and is_home(feed.url, way.source.source):
            await self._begin_home(feed, way, fetched)
        else:
            await self._take(feed, way, fetched)

    async def follow(
        self,
        *,
        beginning: "asyncio.Future[None] | None" = None,
        ready: Callable[[int], bool] = lambda _: True,
    ) -> None:
        """Follow what was found, sources side by side, until nothing is left, a bound is reached, or it is enough.

        Until `beginning` is done, more may be begun; meanwhile those sources are followed that are `ready`.

        Raises `DatabaseUnavailable`; ends quietly when no further request may be started.
        """
        following: dict[int, asyncio.Task[None]] = {}
        stopped: set[int] = set()
        problem: BaseException | None = None
        try:
            while problem is None:
                begins = beginning is not None and not beginning.done()
                for source_id, trail in self._trails.items():
                    wanted = trail.steps and source_id not in following and source_id not in stopped
                    if wanted and not self._enough() and (ready(source_id) or not begins):
                        following[source_id] = asyncio.create_task(self._follow(source_id))
                waiting: set[asyncio.Future[None]] = {*following.values()}
                if beginning is not None and begins:
                    waiting.add(beginning)
                if not waiting:
                    break
                await asyncio.wait(
                    waiting, timeout=READY_SECONDS if begins else None, return_when=asyncio.FIRST_COMPLETED
                )
                for source_id in [source_id for source_id, task in following.items() if task.done()]:
                    ended = following.pop(source_id).exception()
                    if isinstance(ended, FetchingStopped):
                        stopped.add(source_id)
                    else:
                        problem = problem or ended
        except asyncio.CancelledError:
            for task in following.values():
                task.cancel()
            raise
        finally:
            await asyncio.gather(*following.values(), return_exceptions=True)
            self.close()
        if problem is not None:
            raise problem

    def close(self) -> None:
        """Say what came of the indexes that were left in the middle. They are not recorded as polled: the next crawl
        reads them from their beginning, and goes on where they were cut."""
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

    def _trail(self, source: StoredSource) -> Trail:
        return self._trails.setdefault(source.source_id, Trail())

    def _later(self, source: StoredSource, order: Order, feed: FeedState, step: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._trail(source).steps, (order, next(self._number), feed, step))

    def _say_reached(self, source: StoredSource, bound: str, url: str) -> None:
        reached = self._trail(source).reached
        if bound not in reached:
            reached.add(bound)
            self._on_reached(Reached(bound=bound, number=getattr(self._bounds, bound), url=url))

    # Indexes

    async def _take(self, feed: FeedState, way: Way, fetched: Fetched) -> None:
        result = await self._poller.take(feed, way.source.source, fetched)
        self.new += result.new
        self._on_begun(result)
        self._trail(way.source).counts["links"] += result.new + result.known
        if (result.kind or feed.kind) in SITEMAPS:
            # What it leads to is written before its digest, or else a crash between would hide it for good.
            if await self._know_sitemaps(feed, way, result):
                await self._poller.record(result)
            self._say(result)
            await self._follow_sitemaps(feed, way, result)
            return
        await self._note_found(way, result.indexes)
        walk = Walk(feed=feed, way=way, total=result, seen={feed.url, fetched.final_url}, resume_at=feed.goes_on_at)
        self._open[feed.feed_id] = walk
        await self._walk_on(walk, result)

    def _say(self, result: PollResult) -> None:
        # Whoever keeps an account of the crawl does not need every link for it.
        self._on_result(replace(result, urls=frozenset(), indexes=()))

    async def _walk_on(self, walk: Walk, page: PollResult) -> None:
        """Go on to a list's next page later, or end it here."""
        feed_id, source, url = walk.feed.feed_id, walk.way.source, walk.goes_on_at(page)
        if url != walk.feed.goes_on_at or walk.total.pages > 1:
            await self._recorder.write(lambda tx: tx.feeds.goes_on(feed_id, url))
        bound = None if url is None else self._bound_of_walk(walk)
        if url is not None and bound is not None:
            self._say_reached(source, bound, url)
        if url is None or bound is not None:
            await self._poller.record(walk.total)
            del self._open[feed_id]
            self._say(walk.total)
            return
        walk.seen.add(url)
        next_url = url

        async def step() -> None:
            fetched = await self._poller.ask(walk.feed, source.source, url=next_url)
            further = await self._poller.take(walk.feed, source.source, fetched)
            self.new += further.new
            self._trail(source).counts["links"] += further.new + further.known
            self._on_begun(further)
            # A server that does not know the parameter shows the first page again and again.
            repeated = bool(further.urls) and further.urls <= walk.total.urls
            walk.add(further)
            await self._note_found(walk.way, further.indexes)
            await self._walk_on(walk, replace(further, next_url=None) if repeated else further)

        self._later(source, Order.PAGE, walk.feed, step)

    def _bound_of_walk(self, walk: Walk) -> str | None:
        if walk.total.pages >= self._bounds.pages:
            return "pages"
        return "links" if self._trail(walk.way.source).counts["links"] >= self._bounds.links else None

    async def _know_sitemaps(self, feed: FeedState, way: Way, result: PollResult) -> bool:
        """Make the sitemaps of an index known, slice by slice, and return whether all of them are."""
        for start in range(0, len(result.indexes), CHILDREN_A_TRANSACTION):
            part = result.indexes[start : start + CHILDREN_A_TRANSACTION]
            if self._enough():
                return False
            await self._recorder.write(partial(_ensure_all, part, way, feed.feed_id))
        return True

    async def _follow_sitemaps(self, feed: FeedState, way: Way, result: PollResult) -> None:
        """Read later those sitemaps of an index that are new or may have changed."""
        if not result.healthy:
            return
        now, source = utc_now(), way.source
        for child in await self._read(lambda tx: tx.feeds.children(feed.feed_id)):
            if child.feed_id in self._visited or child.paused_by is not None or not is_stale(child, now=now):
                continue
            bound = "sitemap_depth" if way.depth + 1 >= self._bounds.sitemap_depth else self._bound_of_index(way, child)
            if bound is not None:
                self._say_reached(source, bound, child.url)
                return
            self._later(source, Order.SITEMAP, child, partial(self._begin, child, way.deeper))

    def _bound_of_index(self, way: Way, index: FeedState) -> str | None:
        """Take one of the feeds or sitemaps that may be read, or return the bound that forbids it."""
        counts = self._trail(way.source).counts
        bound = "sitemaps" if index.kind in SITEMAPS else "feeds"
        if counts["links"] >= self._bounds.links:
            return "links"
        if counts[bound] >= getattr(self._bounds, bound):
            return bound
        counts[bound] += 1
        return None

    async def _note_found(self, way: Way, found: Sequence[FoundIndex]) -> None:
        """Make the feeds and sections that a section leads to known and, where that is wanted, read them later."""
        sections = [index for index in found if index.kind is FeedKind.SECTION]
        for index in found:
            # The feeds that a section announces are mostly those of the whole publisher.
            if index.kind is not FeedKind.SECTION and way.below is None:
                await self._note_index(way, index, Order.FEED)
        known = await self._sections_of(way.source) if sections else {}
        for index in sections:
            key = url_key(index.url)
            if key in self._seen_sections or is_home(index.url, way.source.source) or not way.stays_at(key):
                # Whoever names a section does not ask for all that its menus and its way home lead to.
                continue
            section = known.get(key)
            if section is None:
                bound = self._bound_of_section(way, known)
                if bound is not None:
                    self._say_reached(way.source, bound, index.url)
                    continue
                section = known[key] = await self._ensure(way.deeper, index)
            elif section.paused and way.watched:
                await self._ensure(way, index)
            self._seen_sections.add(key)
            if self._follow_found and section.feed_id not in self._visited and section.paused_by is None:
                self._later(way.source, Order.SECTION, section, partial(self._begin, section, way.deeper))

    def _bound_of_section(self, way: Way, known: Mapping[str, FeedState]) -> str | None:
        if way.depth >= self._bounds.section_depth:
            return "section_depth"
        return "sections" if len(known) >= self._bounds.sections else None

    async def _sections_of(self, source: StoredSource) -> dict[str, FeedState]:
        """Return the sections that were ever found for a source, by their URL keys."""
        known = self._found_sections.get(source.source_id)
        if known is None:
            states = await self._read(lambda tx: tx.feeds.found(source.source_id, FoundBy.SECTION))
            known = self._found_sections[source.source_id] = {url_key(state.url): state for state in states}
        return known

    async def _ensure(self, way: Way, found: FoundIndex) -> FeedState:
        return await self._recorder.write(lambda tx: _ensure_one(found, way, None, tx))

    # Home pages

    async def _begin_home(self, feed: FeedState, way: Way, fetched: Fetched) -> None:
        """Find the feeds and sitemaps of a home page. Its links are sorted after these were read, which teach what the
        publisher's addresses look like."""
        page = (await self._poller.reader.page(fetched)).page
        if page is None:
            await self._take(feed, way, fetched)
            return
        known = await self._read(lambda tx: tx.feeds.found(feed.source_id, FoundBy.COMMON_PLACE))
        probes = feed.probed_at is None
        for found in await self._home.feeds(page, way.source, url=fetched.final_url, known=known, probes=probes):
            await self._note_index(way, found, Order.FEED)
        for found in await self._home.sitemaps(way.source, url=fetched.final_url, known=known, probes=probes):
            await self._note_index(way, found, Order.SITEMAP)
        if probes:
            await self._recorder.write(lambda tx: tx.feeds.probed(feed.feed_id, utc_now()))
        sort_links = partial(self._take, feed, way, fetched)
        if self._follow_found:
            self._later(way.source, Order.HOME, feed, sort_links)
        else:
            await sort_links()

    async def _note_index(self, way: Way, found: FoundIndex, order: Order) -> None:
        if (way.source.source_id, found.url) in self._noted:
            # Every page of a publisher announces the same feeds.
            return
        self._noted.add((way.source.source_id, found.url))
        index = await self._ensure(way, found)
        if index.feed_id in self._visited or index.source_id != way.source.source_id or index.paused_by is not None:
            # What another source has is read by that one's rules, and what somebody paused is not read.
            return
        bound = self._bound_of_index(way, index)
        if bound is not None:
            self._say_reached(way.source, bound, index.url)
        elif self._follow_found:
            self._later(way.source, order, index, partial(self._begin, index, way))


def _ensure_one(found: FoundIndex, way: Way, parent_id: int | None, tx: Transaction) -> FeedState:
    return tx.feeds.ensure(
        way.source.source_id,
        found.url,
        utc_now(),
        found.kind,
        watched=way.watched,
        found_by=found.found_by.value,
        parent_id=parent_id,
        changed_at=found.changed_at,
        depth=way.depth,
    )


def _ensure_all(found: Sequence[FoundIndex], way: Way, parent_id: int, tx: Transaction) -> None:
    for index in found:
        _ensure_one(index, way, parent_id, tx)
