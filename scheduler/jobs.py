"""The bodies of the service's jobs. Each can be called at any time and any number of times: owed work is in the
database, and a job does what is owed and ends."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import structlog

from crawler.crawl import fetch_page
from crawler.fetching import Fetched
from crawler.page_loop import PageLoop
from crawler.runner import Crawling
from scheduler.planner import PollDue, RecrawlInterval, plan_feeds, plan_pages
from storage.clock import utc_now
from storage.errors import MorgueError
from storage.records import CrawlScope, FeedState, PageState

log = structlog.get_logger()

FEEDS_A_TICK = 200
_EVERYTHING = CrawlScope(everything=True)


class ServiceJobs:
    """Polls due feeds, fetches due pages, plans what has no plan.

    `on_broken` is told when the archive or the database refuses, which no later tick can make good by itself.
    """

    def __init__(
        self,
        crawling: Crawling,
        *,
        poll_due: Callable[[int], PollDue],
        recrawl: RecrawlInterval,
        on_broken: Callable[[MorgueError], None],
    ) -> None:
        self._crawling = crawling
        self._poll_due = poll_due
        self._recrawl = recrawl
        self._on_broken = on_broken
        self._polling: dict[int, asyncio.Task[None]] = {}
        self._loop: PageLoop | None = None
        self._page_job: asyncio.Task[None] | None = None
        self._stopping = False
        self.outcomes: Counter[str] = Counter()

    async def poll_due_feeds(self) -> None:
        """Begin a poll of every feed that is due and not being polled."""
        if self._stopping:
            return
        feeds = await self._crawling.read(lambda tx: tx.feeds.due(utc_now(), FEEDS_A_TICK))
        for feed in feeds:
            if feed.feed_id not in self._polling and not self._stopping:
                task = asyncio.create_task(self._poll(feed))
                self._polling[feed.feed_id] = task

    async def _poll(self, feed: FeedState) -> None:
        try:
            source = self._crawling.sources.source(feed.source_id).source
            await self._crawling.poller.poll(feed, source)
        except MorgueError as problem:
            self._on_broken(problem)
        except Exception:
            # The boundary of one feed: its failure must not cost the others.
            log.exception("feed_not_polled", feed_id=feed.feed_id, url=feed.url)
        finally:
            del self._polling[feed.feed_id]

    async def fetch_due_pages(self) -> None:
        """Fetch every page that is due; ends when none is."""
        if self._stopping:
            return
        self._loop = PageLoop(
            next_pages=self._next_pages,
            fetch=lambda page: fetch_page(self._crawling, page),
            ingest=self._ingest,
            held_hosts=lambda: self._crawling.politeness.held_hosts(now=utc_now()),
            ingests_at_once=self._crawling.settings.processes * 4,
        )
        self._page_job = asyncio.current_task()
        try:
            await self._loop.run()
        except MorgueError as problem:
            self._on_broken(problem)
        finally:
            self._loop = self._page_job = None

    async def _next_pages(
        self, *, exclude_hosts: Collection[str], exclude_pages: Collection[int], limit: int
    ) -> Sequence[PageState]:
        return await self._crawling.read(
            lambda tx: tx.pages.to_fetch(
                _EVERYTHING,
                now=utc_now(),
                exclude_hosts=exclude_hosts,
                exclude_pages=exclude_pages,
                limit=limit,
            )
        )

    async def _ingest(self, page: PageState, fetched: Fetched) -> None:
        recorded = await self._crawling.ingest.ingest(page, fetched)
        self.outcomes[recorded.outcome] += 1

    async def plan(self) -> None:
        """Give every page and feed without a next time one."""
        store, now = self._crawling.store, utc_now()
        try:
            await asyncio.to_thread(plan_pages, store, recrawl=self._recrawl, now=now)
            await asyncio.to_thread(plan_feeds, store, due=self._poll_due, now=now)
        except MorgueError as problem:
            self._on_broken(problem)

    async def drain(self) -> None:
        """Start no further request; return when everything in flight is recorded and planned."""
        self._stopping = True
        if self._loop is not None:
            self._loop.stop()
        while waiting := [*self._polling.values(), *([self._page_job] if self._page_job else [])]:
            await asyncio.wait(waiting)
        await self.plan()
