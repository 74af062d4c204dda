"""The bodies of the service's jobs. Each can be called at any time and any number of times: owed work is in the
database, and a job does what is owed and ends."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from functools import partial

import structlog

from crawler.crawl import fetch_page
from crawler.fetching import Fetched
from crawler.page_loop import PageLoop
from crawler.politeness import FetchingStopped
from crawler.polling import PollResult
from crawler.runner import Crawling
from crawler.urls import host_key
from crawler.visits import Visits, as_index
from crawler.worker_pool import is_shortage, shortage_of
from scheduler.feed_planner import PollDue, plan_feeds
from scheduler.feed_polling import is_skipped
from scheduler.planner import PagePlanner
from scheduler.slow_readings import SlowReadings
from storage.clock import steady_seconds, utc_now
from storage.errors import DatabaseBusy, MorgueError
from storage.operating import CHANGED, Halted
from storage.records import CrawlScope, FeedState, PageState
from storage.store import Transaction

log = structlog.get_logger()

FEEDS_A_READ = 200
HOSTS_AT_ONCE = 1_000
"""Hosts of which a poll is under way or waits for its turn; most of them may say nothing."""
FEEDS_A_HOST = 8
FURTHER_AT_ONCE = 400
"""Polls beside the first of each host: so many of one host, and of all. They take turns there anyway, and a host that
says nothing must not take the places of others."""
POLL_SECONDS = 24 * 3600.0
"""A poll that takes longer, with all the further pages and sitemaps that it leads to, is given up. What it waits for
has limits of its own; this is for what nobody thought of."""
ABANDON_SECONDS = 2.0
SETBACK_SECONDS = 600.0
"""What broke for a reason of ours is left alone this long: nothing was recorded, so it is still due."""
MOST_SETBACKS = 1_000
HEED_AGAIN_SECONDS = 30.0
"""What is paused is read again so often even when nobody says that it changed, as when the configuration pauses it."""
_EVERYTHING = CrawlScope(everything=True)


def _ignore(result: PollResult) -> None:
    """The poller logs what came of each poll."""


def _due_feeds(now: datetime, behind: FeedState | None, tx: Transaction) -> list[FeedState]:
    return tx.feeds.due(now, FEEDS_A_READ, behind=behind)


class _Setbacks:
    """Pages or feeds whose work broke lately, by their ids; of more than a thousand the oldest are forgotten.

    `now` is in seconds of the steady clock.
    """

    def __init__(self) -> None:
        self._until: dict[int, float] = {}

    def add(self, id_: int, *, now: float) -> None:
        self._until.pop(id_, None)
        self._until[id_] = now + SETBACK_SECONDS
        if len(self._until) > MOST_SETBACKS:
            del self._until[next(iter(self._until))]

    def current(self, *, now: float) -> set[int]:
        self._until = {id_: until for id_, until in self._until.items() if until > now}
        return set(self._until)


class ServiceJobs:
    """Polls due feeds, fetches due pages, plans what has no plan.

    `on_broken` is told when the archive or the database refuses. While `is_paused` says so, nothing is begun.
    """

    def __init__(
        self,
        crawling: Crawling,
        *,
        poll_due: Callable[[int], PollDue],
        pages: PagePlanner,
        on_broken: Callable[[MorgueError], None],
        is_paused: Callable[[], bool] = lambda: False,
    ) -> None:
        self._crawling = crawling
        self._poll_due = poll_due
        self._pages = pages
        self._on_broken = on_broken
        self._is_paused = is_paused
        self._planning = asyncio.Lock()
        self._feeds_planned_by: Callable[[int], PollDue] | None = None
        self._polling: dict[int, asyncio.Task[None]] = {}
        self._polling_of_host: Counter[str] = Counter()
        self._halted = Halted()
        self._heeded: tuple[object, datetime] | None = None
        self._heed_again_at = steady_seconds()
        self._broken_feeds = _Setbacks()
        self._broken_pages = _Setbacks()
        self._slow_readings = SlowReadings(read=crawling.read, write=crawling.recorder.write)
        self._loop: PageLoop | None = None
        self._page_job: asyncio.Task[None] | None = None
        self._stopping = False
        self.outcomes: Counter[str] = Counter()
        self.abandoned = False
        """Whether something in flight was given up."""

    def use(self, *, poll_due: Callable[[int], PollDue], pages: PagePlanner) -> None:
        """Plan by other rules from now on."""
        self._poll_due, self._pages = poll_due, pages

    @property
    def _idle(self) -> bool:
        return self._stopping or self._is_paused()

    async def poll_due_feeds(self) -> None:
        """Begin a poll of every feed that is due, is not being polled, and whose host may be asked."""
        if self._idle:
            return
        with self._boundary("poll_due_feeds"):
            await self._heed_operator()
            now = utc_now()
            broken = self._broken_feeds.current(now=steady_seconds())
            last: FeedState | None = None
            while len(self._polling_of_host) < HOSTS_AT_ONCE and not self._idle:
                due = await self._crawling.read(partial(_due_feeds, now, last))
                for feed in due:
                    if feed.feed_id not in broken:
                        self._begin_poll(feed, now=now)
                if len(due) < FEEDS_A_READ:
                    return
                last = due[-1]

    async def _heed_operator(self) -> None:
        """Learn what was paused or resumed since the last tick, so that what waits for its turn is not begun."""
        now = steady_seconds()
        said = await self._crawling.read(lambda tx: tx.service_state.get(CHANGED))
        if said == self._heeded and now < self._heed_again_at:
            return
        self._halted = await self._crawling.read(lambda tx: tx.operating.halted())
        self._crawling.fetcher.halt(self._halted.source_ids)
        self._heeded, self._heed_again_at = said, now + HEED_AGAIN_SECONDS

    def _begin_poll(self, feed: FeedState, *, now: datetime) -> None:
        """Begin the poll of a feed, unless it has begun; where there is no place for it, it is due at the next tick."""
        host = host_key(feed.polled_url)
        taken = self._polling_of_host[host]
        hosts = len(self._polling_of_host)
        is_room = (
            len(self._polling) - hosts < FURTHER_AT_ONCE and taken < FEEDS_A_HOST if taken else hosts < HOSTS_AT_ONCE
        )
        if feed.feed_id in self._polling or not is_room:
            return
        if self._crawling.politeness.held_until(host, now=now) is None and not is_skipped(feed, now=now):
            self._start_poll(feed, host)

    def _start_poll(self, feed: FeedState, host: str, fetched: Fetched | None = None) -> None:
        self._polling_of_host[host] += 1
        self._polling[feed.feed_id] = asyncio.create_task(self._poll(feed, host, fetched))

    async def _poll(self, feed: FeedState, host: str, fetched: Fetched | None) -> None:
        try:
            with self._boundary("poll", feed_id=feed.feed_id, url=feed.url):
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._explore(feed, fetched)
                except (MorgueError, FetchingStopped):
                    raise
                except Exception as problem:
                    if is_shortage(problem):
                        raise
                    self._broken_feeds.add(feed.feed_id, now=steady_seconds())
                    raise
        finally:
            del self._polling[feed.feed_id]
            self._polling_of_host -= Counter([host])

    def _is_halted(self, feed: FeedState) -> bool:
        return feed.source_id in self._halted.source_ids or feed.feed_id in self._halted.feed_ids

    async def _explore(self, feed: FeedState, fetched: Fetched | None) -> None:
        """Poll a feed, with its further pages and the sitemaps below it; what else it leads to is due by itself.

        `fetched` is the answer where it was asked already.
        """
        explorer = self._crawling.explorer(
            on_begun=_ignore,
            on_result=_ignore,
            on_reached=lambda reached: log.info("bound_reached", bound=reached.bound, url=reached.url),
            enough=lambda: self._stopping or self._is_halted(feed),
            follow_found=False,
        )
        await explorer.begin(feed, watched=True, fetched=fetched)
        await explorer.follow()

    async def fetch_due_pages(self) -> None:
        """Fetch every page that is due; ends when none is."""
        if self._idle:
            return
        self._loop = loop = PageLoop(
            next_pages=self._next_pages,
            fetch=lambda page: fetch_page(self._crawling, page, by_service=True),
            ingest=self._ingest,
            held_hosts=lambda: self._crawling.politeness.held_hosts(now=utc_now()),
            ingests_at_once=self._crawling.settings.processes * 4,
            on_failed=lambda page: self._broken_pages.add(page.page_id, now=steady_seconds()),
            requested_pages=self._requested_pages,
        )
        self._page_job = asyncio.current_task()
        try:
            with self._boundary("fetch_due_pages"):
                await loop.run()
        finally:
            self._loop = self._page_job = None

    async def _next_pages(
        self, *, exclude_hosts: Collection[str], exclude_pages: Collection[int], limit: int
    ) -> Sequence[PageState]:
        now = utc_now()
        excluded = {
            *exclude_pages,
            *self._broken_pages.current(now=steady_seconds()),
            *await self._slow_readings.left_alone(),
        }
        return await self._crawling.read(
            lambda tx: tx.pages.to_fetch(
                _EVERYTHING, now=now, exclude_hosts=exclude_hosts, exclude_pages=excluded, limit=limit
            )
        )

    async def _requested_pages(self, *, exclude_hosts: Collection[str], limit: int) -> Sequence[PageState]:
        now = utc_now()
        broken = self._broken_pages.current(now=steady_seconds())
        asked = await self._crawling.read(
            lambda tx: tx.pages.requested(now=now, exclude_hosts=exclude_hosts, limit=limit)
        )
        return [page for page in asked if page.page_id not in broken]

    async def _ingest(self, page: PageState, fetched: Fetched) -> None:
        try:
            await self._take_in(page, fetched)
        finally:
            self._crawling.fetcher.recorded(fetched)

    async def _take_in(self, page: PageState, fetched: Fetched) -> None:
        if page.watched_from is not None and page.last_fetch_at is None and await self._is_index(page, fetched):
            return
        async with self._slow_readings.reading(page.page_id):
            recorded = await self._crawling.ingest.ingest(page, fetched)
        self.outcomes[recorded.outcome] += 1

    async def _is_index(self, page: PageState, fetched: Fetched) -> bool:
        """Whether a URL that somebody handed over is an index; then it is polled as one from now on."""
        visits = Visits(self._crawling, watched=True)
        kind = await visits.kind_of(fetched, self._crawling.sources.source(page.source_id).source)
        if kind is None:
            return False
        feed = await self._crawling.recorder.write(lambda tx: tx.operating.is_index(page, kind, utc_now()))
        if feed.feed_id not in self._polling:
            self._start_poll(feed, page.host, as_index(fetched, kind))
        return True

    async def plan(self) -> None:
        """Give every page and feed without a next time one."""
        store = self._crawling.store
        if self._is_paused():
            return
        async with self._planning:
            now = utc_now()
            with self._boundary("plan"):
                await asyncio.to_thread(self._pages.plan, now)
                rule = self._poll_due
                # By another rule, as after a start, those that are planned are planned again.
                anew = rule is not self._feeds_planned_by
                await asyncio.to_thread(plan_feeds, store, due=rule, now=now, anew=anew)
                self._feeds_planned_by = rule

    @contextlib.contextmanager
    def _boundary(self, job: str, **facts: object) -> Iterator[None]:
        """End a job without ending the service: a broken promise is logged, and what can't be recorded stops it."""
        try:
            yield
        except FetchingStopped:
            log.info("left_owed", job=job, **facts)
        except DatabaseBusy as problem:
            log.info("database_busy", job=job, problem=str(problem), **facts)
        except MorgueError as problem:
            self._on_broken(problem)
        except Exception as problem:
            if (shortage := shortage_of(problem)) is not None:
                self._on_broken(shortage)
            else:
                log.exception("job_failed", job=job, **facts)

    def pages_in_hand(self) -> int:
        """Return how many due pages are being worked on, or wait for their hosts' turns."""
        return 0 if self._loop is None else self._loop.in_hand

    def polls_in_hand(self) -> int:
        """Return how many polls are under way, or wait for their hosts' turns."""
        return len(self._polling)

    def interrupt(self) -> None:
        """Begin no further page for now; what is in flight goes on, and the next tick decides whether there is more."""
        if self._loop is not None:
            self._loop.stop()

    async def drain(self) -> None:
        """Start no further request; return when everything in flight is recorded and planned."""
        self._stopping = True
        self._crawling.politeness.stop()
        if self._loop is not None:
            self._loop.stop()
        while waiting := self._running():
            await asyncio.wait(waiting)
        await self.plan()

    def _running(self) -> list["asyncio.Task[None]"]:
        return [*self._polling.values(), *([self._page_job] if self._page_job else [])]

    async def abandon(self) -> None:
        """Give up what is still in flight; it is owed, and the next start fetches it."""
        self.abandoned = True
        if self._loop is not None:
            self._loop.abandon()
        for task in self._polling.values():
            task.cancel()
        if running := self._running():
            await asyncio.wait(running, timeout=ABANDON_SECONDS)
