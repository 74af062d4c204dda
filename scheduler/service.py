"""The service: one process that ticks, fetches, reads, writes, and stops without losing anything."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from crawler.runner import Crawling, open_crawling
from scheduler.feed_planner import poll_rule
from scheduler.jobs import ServiceJobs
from scheduler.local import Ticker
from scheduler.memory import measure
from scheduler.outage import Outage, is_outage, probe_all
from scheduler.planner import PagePlanner
from scheduler.presence import Presence
from scheduler.reloading import Reloading
from scheduler.rule_book import plan_settings
from scheduler.sd_notify import Notifier
from scheduler.settings import Settings
from scheduler.stop_signals import BROKEN, CLEAN, StopSignals
from storage.clock import utc_now
from storage.errors import MorgueError
from storage.model import Source
from storage.service_lock import ServiceLock
from storage.store import Store

log = structlog.get_logger()

TICK_SECONDS = 1.0
PLAN_SECONDS = 2.0
LOCK_SECONDS = 5.0
"""How often it is checked that no other service may have begun; it also keeps an idle connection in use."""
HEARTBEAT_SECONDS = 30.0
MEMORY_SECONDS = 15.0
MEMORY_TIMES = 2
"""So often in a row the ceiling must be passed: one big page in a worker is no leak."""
DRAIN_SHARE = 0.7
"""The part of the grace period in which what is in flight may finish; the rest is for giving up and closing."""
MEMORY_CEILING = 75
"""The exit code after the memory ceiling: EX_TEMPFAIL of sysexits.h, so that also supervisors start the service again
that do so after failures only."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What `morgue run` gives the service: the lock that it holds, and its ties to whoever started it.

    `read_settings` reads the configuration once more; it raises `ConfigurationError`.
    """

    lock: ServiceLock
    signals: StopSignals
    notifier: Notifier
    read_settings: Callable[[], tuple[Settings, Sequence[Source]]]
    software: str


class Service:
    """Runs until told to stop."""

    def __init__(self, settings: Settings, store: Store, surroundings: Surroundings) -> None:
        self._settings = settings
        self._store = store
        self._around = surroundings
        self._notifier = surroundings.notifier
        self._stop = asyncio.Event()
        self._reason = ""
        self._exit_code = CLEAN
        self._broken: MorgueError | None = None
        self._presence = Presence(store, version=surroundings.software, started_at=utc_now())
        self._over_ceiling = 0
        self._jobs: ServiceJobs | None = None
        self._outage = Outage(
            partial(probe_all, surroundings.lock, self._write_presence, settings.archive.directory),
            on_change=self._on_outage,
            on_end_of_hope=self._on_broken,
        )

    async def run(self) -> int:
        """Run until SIGTERM or SIGINT, or until the memory ceiling is reached, and return the exit code.

        Raises `DatabaseUnavailable` for a database that was replaced under it, `ServiceRunning` when another service
        took its place while the database was away, and what else makes going on pointless.
        """
        loop = asyncio.get_running_loop()
        self._around.signals.take_over(
            on_stop=lambda name: _from_signal(loop, partial(self._begin_stop, name)),
            on_reload=lambda: _from_signal(loop, self._ask_reload),
        )
        async with open_crawling(
            self._store,
            crawl=self._settings.crawl,
            archive=self._settings.archive,
            software=self._around.software,
        ) as crawling:
            self._jobs = jobs = ServiceJobs(
                crawling,
                poll_due=poll_rule(crawling.sources, self._settings.service.poll),
                pages=self._page_planner(crawling, self._settings),
                on_broken=self._on_broken,
                is_paused=lambda: self._outage.problem is not None,
            )
            self._reloading = Reloading(
                self._settings,
                crawling,
                read_settings=self._around.read_settings,
                notifier=self._notifier,
                on_reloaded=partial(self._use, crawling, jobs),
            )
            await self._reloading.begin()
            ticker = self._ticker(jobs)
            log.info("started", pid=os.getpid(), **_counts(crawling))
            self._notifier.ready(_watching(self._settings))
            try:
                await self._stop.wait()
            finally:
                await self._drain(ticker, jobs, crawling)
        return self._end(jobs)

    def _page_planner(self, crawling: Crawling, settings: Settings) -> PagePlanner:
        return PagePlanner(self._store, crawling.sources, plan_settings(settings))

    def _ticker(self, jobs: ServiceJobs) -> Ticker:
        ticker, now = Ticker(), utc_now()
        ticker.every(PLAN_SECONDS, jobs.plan, name="plan", first_at=now)
        ticker.every(TICK_SECONDS, jobs.poll_due_feeds, name="poll_due_feeds", first_at=now)
        ticker.every(TICK_SECONDS, jobs.fetch_due_pages, name="fetch_due_pages", first_at=now)
        ticker.every(TICK_SECONDS, self._heed_operator, name="heed_operator", first_at=now)
        ticker.every(LOCK_SECONDS, self._check_lock, name="check_lock", first_at=now + timedelta(seconds=LOCK_SECONDS))
        ticker.every(HEARTBEAT_SECONDS, self._say_present, name="heartbeat", first_at=now)
        ticker.every(MEMORY_SECONDS, self._check_memory, name="check_memory", first_at=now)
        if self._notifier.watchdog_seconds is not None:
            ticker.every(self._notifier.watchdog_seconds / 2, self._feed_watchdog, name="feed_watchdog", first_at=now)
        ticker.start()
        return ticker

    # What ends the service

    def _begin_stop(self, reason: str, *, exit_code: int = CLEAN) -> None:
        if self._stop.is_set():
            return
        self._reason, self._exit_code = reason, exit_code
        grace = self._settings.service.grace_seconds
        log.info("stopping", reason=reason, grace_seconds=grace)
        self._around.signals.begin_deadline(seconds=grace, exit_code=exit_code)
        self._notifier.stopping(within_seconds=grace + HEARTBEAT_SECONDS)
        self._stop.set()

    def _on_broken(self, problem: MorgueError) -> None:
        """Take in what a job could not do: wait for the end of an outage, or end the service."""
        if is_outage(problem):
            if not self._stop.is_set():
                self._outage.begin(problem)
            return
        if self._broken is None:
            log.error("cannot_go_on", problem=str(problem))
            self._broken = problem
        self._begin_stop("broken", exit_code=BROKEN)

    def _end(self, jobs: ServiceJobs) -> int:
        outcomes = {str(outcome): count for outcome, count in jobs.outcomes.items()}
        log.info("stopped", reason=self._reason, exit_code=self._exit_code, abandoned=jobs.abandoned, **outcomes)
        if self._broken is not None:
            raise self._broken
        return self._exit_code

    async def _drain(self, ticker: Ticker, jobs: ServiceJobs, crawling: Crawling) -> None:
        """Finish what is in flight, within the grace period; what is not finished by then is simply still owed."""
        crawling.pool.announce_stop()
        ticker.stop()
        await self._outage.close()
        try:
            async with asyncio.timeout(self._settings.service.grace_seconds * DRAIN_SHARE):
                await jobs.drain()
                await self._write(partial(self._presence.write_stopped, self._reason, utc_now()))
        except TimeoutError:
            await jobs.abandon()

    # What is looked after now and then

    async def _check_lock(self) -> None:
        if self._outage.problem is None:
            await self._guarded(self._around.lock.check)

    async def _say_present(self) -> None:
        if self._outage.problem is None:
            await self._write(self._write_presence)

    def _write_presence(self) -> None:
        self._presence.write("draining" if self._stop.is_set() else "running", utc_now())

    async def _write(self, write: Callable[[], None]) -> None:
        await self._guarded(write)

    async def _guarded(self, work: Callable[[], None]) -> None:
        """Do something that may block, in a thread; what the database refuses is an outage."""
        try:
            await asyncio.to_thread(work)
        except MorgueError as problem:
            self._on_broken(problem)

    def _on_outage(self, problem: MorgueError | None) -> None:
        if problem is not None and self._jobs is not None:
            self._jobs.interrupt()
        self._notifier.status(_watching(self._settings) if problem is None else f"Waiting: {problem}")

    async def _check_memory(self) -> None:
        memory = await asyncio.to_thread(measure, os.getpid())
        ceiling = self._settings.service.max_memory_bytes
        if memory is None or ceiling is None:
            return
        self._over_ceiling = self._over_ceiling + 1 if memory.total_bytes > ceiling else 0
        if self._over_ceiling >= MEMORY_TIMES:
            log.warning(
                "memory_ceiling",
                main_bytes=memory.main_bytes,
                workers_bytes=memory.children_bytes,
                ceiling_bytes=ceiling,
            )
            self._begin_stop("memory_ceiling", exit_code=MEMORY_CEILING)

    async def _feed_watchdog(self) -> None:
        """Give the sign of life. That this runs says that the loop does; an outage is waited for, not restarted."""
        self._notifier.alive()

    # What the operator wishes

    def _ask_reload(self) -> None:
        self._reloading.ask()

    async def _heed_operator(self) -> None:
        if self._outage.problem is None:
            try:
                await self._reloading.heed()
            except MorgueError as problem:
                self._on_broken(problem)

    def _use(self, crawling: Crawling, jobs: ServiceJobs, settings: Settings) -> None:
        """Go by other settings from now on."""
        self._settings = settings
        self._around.signals.grace_seconds = settings.service.grace_seconds
        jobs.use(
            poll_due=poll_rule(crawling.sources, settings.service.poll),
            pages=self._page_planner(crawling, settings),
        )
        self._notifier.status(_watching(settings))


def _from_signal(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    """Have the loop do something soon, asked from a signal handler."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(act)


def _watching(settings: Settings) -> str:
    return f"Watching {len(settings.source)} configured sources"


def _counts(crawling: Crawling) -> dict[str, int]:
    return {"hosts_at_once": crawling.settings.concurrency, "extraction_processes": crawling.settings.processes}
