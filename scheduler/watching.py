"""Brings together what watches the service: its health, its metrics, and the address where both are told."""

import asyncio
import contextlib
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from crawler.politeness import StuckHost
from crawler.recorder import Recorder
from crawler.runner import Crawling
from scheduler.early_answers import EarlyAnswers
from scheduler.failing_hosts import FailingHosts
from scheduler.health import (
    FETCHING_SECONDS,
    LOOP_SECONDS,
    WRITER_SECONDS,
    DatabaseProbe,
    Health,
    Job,
    Problem,
    Stage,
    problem_of,
)
from scheduler.http import METRICS_TYPE, Answer, healthz
from scheduler.metrics import Gauges, Metrics
from scheduler.settings import Settings
from scheduler.standing_warnings import read_warnings
from storage.clock import utc_now
from storage.errors import MorgueError
from storage.records import StoredSource
from storage.store import Store, Transaction

log = structlog.get_logger()

BEAT_SECONDS = 1.0
STUCK_NAMED = 20
"""So many hosts that do not end their answers are named; the others are counted."""
REFRESH_SECONDS = 15.0
"""How often the gauges that need the database are read."""
JOB_BOUNDS = {"poll_due_feeds": 120.0, "check_lock": 120.0, "plan": 7200.0, "housekeeping": 3600.0}
"""How long a run of a job may take, in seconds: a million pages without plans are planned in one. Fetching pages has no
bound, but must bring some to an end."""
_DOING = {
    Stage.STARTING: "starting",
    Stage.RUNNING: "polling feeds and fetching pages as they become due",
    Stage.STOPPING: "stopping: what is in hand is finished, nothing else is begun",
}


class Watching:
    """Health, metrics and their address, from before the crawler is opened until after it is closed.

    As an asynchronous context it listens, asks the database now and then, and beats for the event loop. Raises
    `HttpUnavailable` where an address that was configured cannot be listened on; the default one is done without.
    """

    def __init__(self, settings: Settings, store: Store, *, software: str, early: EarlyAnswers | None = None) -> None:
        """`early` listens already, as it does since before the database was opened."""
        self._settings = settings
        self._store = store
        self.health = Health()
        self.metrics = Metrics(version=software.partition("/")[2] or software, on_fetch=FailingHosts().note)
        self._probe = DatabaseProbe(store.check_writable)
        self._last_seq: int | None = None
        self._last_articles: dict[int, datetime] = {}
        self._asked_about: set[int] = set()
        self._beating: asyncio.Task[None] | None = None
        self._loop_lag = 0.0
        self._doing: Callable[[], str] = lambda: "nothing is fetched yet"
        self._stuck: Callable[[], Sequence[StuckHost]] = tuple
        self._reported: set[str] = set()
        self._early = early or EarlyAnswers(settings)
        self.server = self._early.server

    async def __aenter__(self) -> Self:
        self.health.add(self._probe.check)
        self.metrics.measure("morgue_loop_lag_seconds", self._lag)
        self.metrics.measure("morgue_database_latency_seconds", lambda: self._probe.latency_seconds)
        self.metrics.add_problems(
            lambda: [problem.code for problem in self.health.problems()], lambda: self.status() == "ok"
        )
        self._early.begin()
        self.server = self._early.server
        if self.server is not None:
            self.server.answer_with(
                {"/healthz": self._healthz, "/metrics": self._exposition}, on_refused=self.metrics.http_refused
            )
        self._probe.start()
        # What is fetched first is counted for its source already.
        await self.refresh()
        self.health.beat()
        self._beating = asyncio.create_task(self._beat())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        self._probe.stop()
        await asyncio.to_thread(self._early.end)

    def _lag(self) -> float:
        return max(self._loop_lag, self.health.beat_age() - BEAT_SECONDS)

    async def _beat(self) -> None:
        while True:
            began_at = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)
            self._loop_lag = max(0.0, time.monotonic() - began_at - BEAT_SECONDS)
            if self._loop_lag > LOOP_SECONDS:
                # Nothing could be logged while it hung.
                log.error("loop_was_blocked", seconds=round(self._loop_lag, 1))
            self.health.beat()
            self._report()

    def _report(self) -> None:
        """Log each problem when it begins and when it is over."""
        problems = {problem.code: problem for problem in self.health.problems()}
        for code in problems.keys() - self._reported:
            log.error("problem_begun", code=code, problem=problems[code].sentence)
        for code in self._reported - problems.keys():
            log.info("problem_ended", code=code)
        self._reported = set(problems)

    def configure(self, settings: Settings) -> None:
        """Take settings that were read again; the address stays as it is."""
        self._settings = settings

    def job(self, name: str, job: Job) -> Job:
        """Return a job of the ticker with its running time watched."""
        if name == "fetch_due_pages":
            return job
        bound = JOB_BOUNDS.get(name)
        return self.health.job(name, job) if bound is None else self.health.job(name, job, bound_seconds=bound)

    def watch(self, crawling: Crawling, *, in_hand: Callable[[], int], polls: Callable[[], int] = lambda: 0) -> None:
        """Watch an open crawler; `in_hand` tells how many due pages are being worked on, `polls` how many feeds are."""
        self._doing = lambda: f"pages in hand: {in_hand()}, polls in hand: {polls()}"
        self._stuck = crawling.politeness.stuck
        self.metrics.measure("morgue_hosts_stuck", lambda: float(len(self._stuck())))
        recorder = crawling.recorder
        self.metrics.measure("morgue_recorder_waiting", lambda: float(recorder.pending.count))
        self.metrics.measure("morgue_recorder_stalled_seconds", recorder.pending.stalled_seconds)
        self.health.add(partial(_writer_problem, recorder))
        for code, things, done, busy in (
            ("fetching_stuck", "pages", lambda: self.metrics.pages_fetched, in_hand),
            ("polls_stuck", "polls", lambda: self.metrics.others_fetched, polls),
        ):
            self.health.add(Progress(code, things, done, busy, patience=self._patience).check)

    def _patience(self) -> float:
        """How long pages may be in hand with none coming to its end: a publisher's delay may be long."""
        delays = [self._settings.crawl.delay_seconds, *(one.delay_seconds or 0.0 for one in self._settings.source)]
        return FETCHING_SECONDS + 2 * max(delays) + 2 * self._settings.crawl.timeout_seconds

    # What is told

    def status(self) -> str:
        """`ok`, `unhealthy`, `starting` or `stopping`."""
        if self.health.problems():
            return "unhealthy"
        return "ok" if self.health.stage is Stage.RUNNING else self.health.stage.value

    def doing(self) -> str:
        """What the service is at, in words, also while it is unhealthy."""
        return f"{_DOING[self.health.stage]}; {self._doing()}"

    def _healthz(self) -> Answer:
        problems = [{"code": one.code, "problem": one.sentence} for one in self.health.problems()]
        stuck = self._stuck()
        named = [
            {"host": one.host, "seconds": None if one.seconds is None else round(one.seconds), "silences": one.silences}
            for one in stuck[:STUCK_NAMED]
        ]
        return healthz(
            status=self.status(),
            problems=problems,
            seconds=self.health.seconds(),
            doing=self.doing(),
            stuck={"hosts": len(stuck), "named": named},
        )

    def _exposition(self) -> Answer:
        return Answer(HTTPStatus.OK, METRICS_TYPE, self.metrics.exposition())

    # What is read now and then

    async def refresh(self) -> None:
        """Read what the gauges need of the database and the disks."""
        began_at = time.monotonic()
        try:
            gauges = await asyncio.to_thread(self._read, utc_now())
        except MorgueError as problem:
            log.debug("metrics_not_refreshed", problem=str(problem))
            return
        self.metrics.refreshed(gauges, seconds=time.monotonic() - began_at)

    def _read(self, now: datetime) -> Gauges:
        self._measure_disks()
        with self._store.reading() as transaction:
            sources = transaction.sources.all()
            watched = {one.source_id: one.source.slug for one in sources if one.watched and not one.paused}
            self.metrics.know_sources(watched)
            return self._gauges(transaction, sources, watched, now)

    def _gauges(
        self, tx: Transaction, sources: list[StoredSource], watched: Mapping[int, str], now: datetime
    ) -> Gauges:
        held = tx.hosts.held(budget=self._settings.crawl.requests_per_host_per_day)
        due_pages = tx.workload.due_pages(now, held_hosts=[one.host for one in held])
        due_feeds = tx.workload.due_feeds(now)
        self._look_for_articles(tx, watched)
        warnings = read_warnings(tx)
        return Gauges(
            at=now,
            due_pages=due_pages.count,
            due_feeds=due_feeds.count,
            pages_lag_seconds=_age(due_pages.oldest_at, now),
            feeds_lag_seconds=_age(due_feeds.oldest_at, now),
            unplanned_pages=tx.workload.unplanned_pages(),
            held_hosts=Counter(one.reason for one in held),
            sources={"watched": len(watched), "paused": sum(one.paused for one in sources)},
            last_polls=_by_slug(tx.workload.last_polls(), watched),
            last_articles=_by_slug(self._last_articles, watched),
            source_warnings=frozenset((one.source, one.kind.value) for one in warnings if one.source is not None),
            service_warnings=frozenset(one.kind.value for one in warnings if one.source is None),
        )

    def _look_for_articles(self, tx: Transaction, watched: Mapping[int, str]) -> None:
        """Bring up to date when each source had its newest article, from what is new alone."""
        seq = tx.events.last_seq()
        if self._last_seq is not None:
            self._keep_newest(tx.workload.new_articles(since_seq=self._last_seq))
        if unknown := watched.keys() - self._asked_about:
            self._keep_newest(tx.workload.last_articles(sorted(unknown), last_seq=seq))
            self._asked_about |= unknown
        self._last_seq = seq

    def _keep_newest(self, found: Mapping[int, datetime]) -> None:
        for source_id, at in found.items():
            self._last_articles[source_id] = max(at, self._last_articles.get(source_id, at))

    def _measure_disks(self) -> None:
        places = {"archive": self._settings.archive.directory}
        file = self._store.file
        if file is not None:
            places["database"] = file.absolute().parent
            self.metrics.wal(_size(file.with_name(file.name + "-wal")))
        for volume, folder in places.items():
            with contextlib.suppress(OSError):
                usage = shutil.disk_usage(folder)
                self.metrics.disk(volume, free_bytes=usage.free, size_bytes=usage.total)


class Progress:
    """Tells when work that is in hand stopped coming to an end: the problem `code`, of these `things`.

    `done` counts what came to its end since the start, `in_hand` what is being worked on.
    """

    def __init__(
        self,
        code: str,
        things: str,
        done: Callable[[], int],
        in_hand: Callable[[], int],
        *,
        patience: Callable[[], float],
    ) -> None:
        self._code = code
        self._things = things
        self._done = done
        self._in_hand = in_hand
        self._patience = patience
        self._seen = -1
        self._since = 0.0

    def check(self, now: float) -> Problem | None:
        """Return the problem that something is in hand and nothing has come to its end for too long."""
        done = self._done()
        if done != self._seen or not self._in_hand():
            self._seen, self._since = done, now
            return None
        stuck = now - self._since
        if stuck <= self._patience():
            return None
        sentence = f"{self._things} are in hand, and none has come to an end for {stuck:.0f} seconds"
        return problem_of(self._code, sentence)


def _writer_problem(recorder: Recorder, _: float) -> Problem | None:
    if recorder.is_broken:
        return problem_of("writer_ended", "the thread that writes has ended")
    stalled = recorder.pending.stalled_seconds()
    if stalled <= WRITER_SECONDS:
        return None
    return problem_of(
        "writer_stuck", f"of the facts that wait ({recorder.pending.count}) none was written for {stalled:.0f} seconds"
    )


def _age(at: datetime | None, now: datetime) -> float:
    return 0.0 if at is None else max(0.0, (now - at).total_seconds())


def _by_slug(values: Mapping[int, datetime], slugs: Mapping[int, str]) -> dict[str, datetime]:
    return {slugs[source_id]: at for source_id, at in values.items() if source_id in slugs}


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
