"""The service: one process that ticks, fetches, reads, writes, and stops without losing anything."""

import asyncio
import signal
from datetime import timedelta

import structlog

from crawler.runner import Crawling, open_crawling
from scheduler.feed_planner import poll_rule
from scheduler.jobs import ServiceJobs
from scheduler.local import Ticker
from scheduler.planner import PagePlanner
from scheduler.settings import Settings
from storage.clock import utc_now
from storage.errors import MorgueError
from storage.service_lock import ServiceLock
from storage.store import Store

log = structlog.get_logger()

TICK_SECONDS = 1.0
PLAN_SECONDS = 2.0
LOCK_SECONDS = 5.0
"""How often it is checked that no other service may have begun; it also keeps an idle connection in use."""
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Service:
    """Runs until told to stop. `run` returns the exit code: 0 after a clean stop, 1 when it broke."""

    def __init__(self, settings: Settings, store: Store, *, lock: ServiceLock, software: str) -> None:
        self._settings = settings
        self._store = store
        self._lock = lock
        self._software = software
        self._stop = asyncio.Event()
        self._broken: MorgueError | None = None

    def _on_signal(self, name: str) -> None:
        log.info("stopping", signal=name, grace_seconds=self._settings.service.grace_seconds)
        self._stop.set()
        # The same signal, or the other, once more ends the process at once; nothing recorded is lost by that.
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)

    def _on_broken(self, problem: MorgueError) -> None:
        if self._broken is None:
            log.error("cannot_record", problem=str(problem))
        self._broken = self._broken or problem
        self._stop.set()

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT.

        Raises `ArchiveUnavailable` or `DatabaseUnavailable` when what is fetched can no longer be kept.
        """
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, self._on_signal, signal.Signals(number).name)
        async with open_crawling(
            self._store, crawl=self._settings.crawl, archive=self._settings.archive, software=self._software
        ) as crawling:
            jobs = ServiceJobs(
                crawling,
                poll_due=poll_rule(crawling.sources, self._settings.service.poll),
                pages=PagePlanner(self._store, crawling.sources),
                on_broken=self._on_broken,
            )
            await jobs.plan()
            ticker = self._ticker(jobs)
            log.info("started", **_counts(crawling))
            try:
                await self._stop.wait()
            finally:
                ticker.stop()
                await self._drain(jobs, crawling)
        if self._broken is not None:
            raise self._broken

    def _ticker(self, jobs: ServiceJobs) -> Ticker:
        ticker, now = Ticker(), utc_now()
        ticker.every(TICK_SECONDS, jobs.poll_due_feeds, name="poll_due_feeds", first_at=now)
        ticker.every(TICK_SECONDS, jobs.fetch_due_pages, name="fetch_due_pages", first_at=now)
        ticker.every(PLAN_SECONDS, jobs.plan, name="plan", first_at=now + timedelta(seconds=PLAN_SECONDS))
        ticker.every(LOCK_SECONDS, self._check_lock, name="check_lock", first_at=now + timedelta(seconds=LOCK_SECONDS))
        ticker.start()
        return ticker

    async def _check_lock(self) -> None:
        try:
            await asyncio.to_thread(self._lock.check)
        except MorgueError as problem:
            self._on_broken(problem)

    async def _drain(self, jobs: ServiceJobs, crawling: Crawling) -> None:
        """Finish what is in flight, within the grace period; what is not finished by then is simply still owed."""
        crawling.pool.announce_stop()
        try:
            async with asyncio.timeout(self._settings.service.grace_seconds):
                await jobs.drain()
        except TimeoutError:
            await jobs.abandon()
        log.info("stopped", **{str(outcome): count for outcome, count in jobs.outcomes.items()})


def _counts(crawling: Crawling) -> dict[str, int]:
    return {"hosts_at_once": crawling.settings.concurrency, "extraction_processes": crawling.settings.processes}
