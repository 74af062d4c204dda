"""The service: one process that ticks, fetches, reads, writes, and stops without losing anything."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from crawler.runner import Crawling, open_crawling
from scheduler.early_answers import EarlyAnswers
from scheduler.feed_planner import poll_rule
from scheduler.health import SignsOfLife, Stage
from scheduler.housekeeping import Housekeeping
from scheduler.jobs import ServiceJobs
from scheduler.local import Ticker
from scheduler.memory import give_back_memory, measure, share_arenas
from scheduler.outage import Outage, is_outage, probe_all
from scheduler.planner import PagePlanner
from scheduler.presence import Presence
from scheduler.reloading import Reloading
from scheduler.rule_book import plan_settings
from scheduler.sd_notify import Notifier
from scheduler.settings import Settings
from scheduler.stop_signals import BROKEN, CLEAN, StopSignals
from scheduler.watching import REFRESH_SECONDS, Watching
from storage.archive import Archive
from storage.clock import steady_seconds, utc_now
from storage.errors import ArchiveUnavailable, DatabaseBusy, MorgueError, ServiceRunning, ShortOfResources
from storage.model import Source
from storage.service_lock import ServiceLock
from storage.store import Store
from storage.wording import counted

log = structlog.get_logger()

TICK_SECONDS = 1.0
PLAN_SECONDS = 2.0
LOCK_SECONDS = 5.0
"""How often it is checked that no other service may have begun, and that the archive's folder is still there; it also
keeps an idle connection in use."""
HEARTBEAT_SECONDS = 30.0
HOUSEKEEPING_SECONDS = 60.0
MEMORY_SECONDS = 15.0
MEMORY_TIMES = 2
"""So often in a row the ceiling must be passed: one big page in a worker is no leak."""
DRAIN_SHARE = 0.7
"""The part of the grace period in which what is in flight may finish; the rest is for giving up and closing."""
MEMORY_CEILING = 75
"""The exit code after the memory ceiling: EX_TEMPFAIL of sysexits.h, so that also supervisors start the service again
that do so after failures only."""

OUTAGE_CODES = ("archive_failed", "database_away", "resources_short")
"""What an outage is called by those who watch (`scheduler.health.PROBLEMS`)."""


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
    early: EarlyAnswers | None = None


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
        self._watching = Watching(settings, store, software=surroundings.software, early=surroundings.early)
        self._over_ceiling = 0
        self._jobs: ServiceJobs | None = None
        self._archive: Archive | None = None
        self._probe_workers: Callable[[], None] | None = None
        self._reload_asked = False
        self._outage = Outage(
            self._probe,
            on_change=self._on_outage,
            on_end_of_hope=self._on_broken,
        )

    async def run(self) -> int:
        """Run until SIGTERM or SIGINT, or until the memory ceiling is reached, and return the exit code.

        Raises `DatabaseUnavailable` for a database that was replaced under it, `ServiceRunning` when another service
        took its place while the database was away, and what else makes going on pointless.
        """
        share_arenas()
        loop = asyncio.get_running_loop()
        self._around.signals.take_over(
            on_stop=lambda name: _from_signal(loop, partial(self._begin_stop, name)),
            on_reload=lambda: _from_signal(loop, self._ask_reload),
        )
        async with self._watching:
            feeding = asyncio.create_task(self._feed_watchdog())
            try:
                await self._work()
            finally:
                feeding.cancel()
        return self._end()

    async def _work(self) -> None:
        await self._guarded(partial(self._presence.write, "starting", utc_now()))
        async with open_crawling(
            self._store,
            crawl=self._settings.crawl,
            archive=self._settings.archive,
            software=self._around.software,
            watcher=self._watching.metrics,
        ) as crawling:
            self._probe_workers = crawling.pool.probe
            self._jobs = jobs = ServiceJobs(
                crawling,
                poll_due=poll_rule(crawling.sources, self._settings.service.poll),
                pages=self._page_planner(crawling, self._settings),
                on_broken=self._on_broken,
                is_paused=lambda: self._outage.problem is not None,
            )
            reloading = Reloading(
                self._settings,
                crawling,
                read_settings=self._around.read_settings,
                notifier=self._notifier,
                on_reloaded=partial(self._use, crawling, jobs),
            )
            self._archive = crawling.archive
            self._housekeeping = Housekeeping(
                store=self._store,
                recorder=crawling.recorder,
                archive=crawling.archive,
                service=self._settings.service,
                archive_settings=self._settings.archive,
            )
            try:
                await reloading.begin()
            except MorgueError as problem:
                # Then the configuration is read once too often.
                self._on_broken(problem)
            self._watching.watch(crawling, in_hand=jobs.pages_in_hand, polls=jobs.polls_in_hand)
            ticker = self._ticker(jobs, reloading)
            if not self._stop.is_set():  # as it is by a signal that came while the archive was put in order
                self._watching.health.enter(Stage.RUNNING)
                log.info("started", pid=os.getpid(), **_counts(crawling))
                self._notifier.ready(_watching(self._settings))
            try:
                await self._stop.wait()
            finally:
                self._watching.health.enter(Stage.STOPPING)
                await self._drain(ticker, jobs, crawling)

    def _page_planner(self, crawling: Crawling, settings: Settings) -> PagePlanner:
        return PagePlanner(self._store, crawling.sources, plan_settings(settings))

    def _ticker(self, jobs: ServiceJobs, reloading: Reloading) -> Ticker:
        ticker, now = Ticker(), utc_now()

        def every(seconds: float, name: str, job: Callable[[], Awaitable[object]]) -> None:
            ticker.every(seconds, self._watching.job(name, job), name=name, first_at=now)

        every(PLAN_SECONDS, "plan", jobs.plan)
        every(TICK_SECONDS, "poll_due_feeds", jobs.poll_due_feeds)
        every(TICK_SECONDS, "fetch_due_pages", jobs.fetch_due_pages)
        every(TICK_SECONDS, "heed_reload", partial(self._heed_reload, reloading))
        every(LOCK_SECONDS, "check_lock", self._check_lock)
        every(HEARTBEAT_SECONDS, "heartbeat", self._say_present)
        every(MEMORY_SECONDS, "check_memory", self._check_memory)
        every(HOUSEKEEPING_SECONDS, "housekeeping", self._keep_house)
        every(REFRESH_SECONDS, "refresh_metrics", self._watching.refresh)
        ticker.start()
        return ticker

    # What ends the service

    def _begin_stop(self, reason: str, *, exit_code: int = CLEAN) -> None:
        if self._stop.is_set():
            return
        self._reason, self._exit_code = reason, exit_code
        self._watching.health.enter(Stage.STOPPING)
        grace = self._settings.service.grace_seconds
        log.info("stopping", reason=reason, grace_seconds=grace)
        self._around.signals.begin_deadline(seconds=grace, exit_code=exit_code)
        self._notifier.stopping(within_seconds=grace + HEARTBEAT_SECONDS)
        self._stop.set()

    def _on_broken(self, problem: MorgueError) -> None:
        """Take in what a job could not do: wait for the end of an outage, or end the service."""
        if isinstance(problem, DatabaseBusy):
            return  # another process was first; it is done at the next tick
        if is_outage(problem):
            if not self._stop.is_set():
                self._outage.begin(problem)
            return
        if self._broken is None:
            log.error("cannot_go_on", problem=str(problem))
            self._broken = problem
        self._begin_stop("broken", exit_code=BROKEN)

    def _end(self) -> int:
        outcomes = {} if self._jobs is None else {str(name): count for name, count in self._jobs.outcomes.items()}
        abandoned = self._jobs is not None and self._jobs.abandoned
        log.info("stopped", reason=self._reason, exit_code=self._exit_code, abandoned=abandoned, **outcomes)
        self._around.signals.told_of_end(abandoned=abandoned)
        if self._broken is not None:
            raise self._broken
        return self._exit_code

    async def _drain(self, ticker: Ticker, jobs: ServiceJobs, crawling: Crawling) -> None:
        """Finish what is in flight, within the grace period; what is not finished by then is simply still owed."""
        crawling.pool.announce_stop()
        ticker.stop()
        self._housekeeping.stop()
        await self._outage.close()
        try:
            async with asyncio.timeout(self._settings.service.grace_seconds * DRAIN_SHARE):
                await jobs.drain()
                if not isinstance(self._broken, ServiceRunning):
                    await self._guarded(partial(self._presence.write_stopped, self._reason, utc_now()))
        except TimeoutError:
            await jobs.abandon()

    # What is looked after now and then

    async def _keep_house(self) -> None:
        if self._outage.problem is not None:
            return
        try:
            await self._housekeeping.run(utc_now())
        except MorgueError as problem:
            self._on_broken(problem)

    async def _check_lock(self) -> None:
        if self._outage.problem is None:
            await self._guarded(self._around.lock.check)
            await self._guarded(self._check_archive)

    def _check_archive(self) -> None:
        if self._archive is not None:
            self._archive.check_folder()

    async def _say_present(self) -> None:
        if self._outage.problem is None:
            await self._guarded(self._write_presence)

    def _write_presence(self) -> None:
        self._presence.write("draining" if self._stop.is_set() else "running", utc_now())

    async def _guarded(self, work: Callable[[], None]) -> None:
        """Do something that may block, in a thread; what the database refuses is an outage."""
        try:
            await asyncio.to_thread(work)
        except MorgueError as problem:
            self._on_broken(problem)

    def _probe(self) -> None:
        """See that all can be used again; blocks, and raises what is still wrong."""
        probe_all(
            self._around.lock,
            self._write_presence,
            self._settings.archive.directory,
            check_folder=self._check_archive,
        )
        if self._probe_workers is not None:
            self._probe_workers()

    def _on_outage(self, problem: MorgueError | None) -> None:
        if problem is not None and self._jobs is not None:
            self._jobs.interrupt()
        health = self._watching.health
        if problem is None:
            for code in OUTAGE_CODES:
                health.clear(code)
        else:
            health.note(_outage_code(problem), str(problem))
        self._notifier.status(_watching(self._settings) if problem is None else f"Waiting: {problem}")

    async def _check_memory(self) -> None:
        await asyncio.to_thread(give_back_memory)
        memory = await asyncio.to_thread(measure, os.getpid())
        if memory is None:
            return
        self._watching.metrics.memory(main_bytes=memory.main_bytes, workers_bytes=memory.children_bytes)
        ceiling = self._settings.service.max_memory_bytes
        if ceiling is None:
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
        """Give the service manager its sign of life, but where another process would do better than this one."""
        if self._notifier.watchdog_seconds is None:
            return
        health, signs = self._watching.health, SignsOfLife(self._notifier.watchdog_seconds)
        while True:
            # What runs here shows that the loop moves, after a machine that slept as well.
            health.beat()
            if signs.is_due(steady_seconds(), ill=self._outage.problem is None and health.needs_restart()):
                self._notifier.alive()
            await asyncio.sleep(signs.look_seconds)

    # What the operator wishes

    def _ask_reload(self) -> None:
        self._reload_asked = True

    async def _heed_reload(self, reloading: Reloading) -> None:
        if self._reload_asked:
            self._reload_asked = False
            reloading.ask()
        if self._outage.problem is None:
            try:
                await reloading.heed()
            except MorgueError as problem:
                self._on_broken(problem)

    def _use(self, crawling: Crawling, jobs: ServiceJobs, settings: Settings) -> None:
        """Go by other settings from now on; the archive stays where it is until the next start."""
        archive = settings.archive.model_copy(update={"directory": self._settings.archive.directory})
        self._settings = settings = settings.model_copy(update={"archive": archive})
        self._around.signals.grace_seconds = settings.service.grace_seconds
        self._watching.configure(settings)
        self._housekeeping.configure(service=settings.service, archive_settings=settings.archive)
        jobs.use(
            poll_due=poll_rule(crawling.sources, settings.service.poll),
            pages=self._page_planner(crawling, settings),
        )
        self._notifier.status(_watching(settings))


def _outage_code(problem: MorgueError) -> str:
    if isinstance(problem, ShortOfResources):
        return "resources_short"
    return "archive_failed" if isinstance(problem, ArchiveUnavailable) else "database_away"


def _from_signal(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    """Have the loop do something soon, asked from a signal handler."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(act)


def _watching(settings: Settings) -> str:
    return f"Watching {counted(len(settings.source), 'configured source')}"


def _counts(crawling: Crawling) -> dict[str, int]:
    return {"hosts_at_once": crawling.settings.concurrency, "extraction_processes": crawling.settings.processes}
