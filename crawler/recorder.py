"""The one thread that writes: captures first, durably, and then the facts about them, in batches.

The order is what keeps the promise that no row names a capture that is not there: WARC records, flush, fsync, and only
then the transaction. A look whose verdict turns out to need a capture that was not written is recorded again with it.
"""

import asyncio
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import structlog

from crawler.watching import UNWATCHED, Watcher
from storage.errors import DatabaseBusy, DatabaseUnavailable
from storage.model import Capture, HttpExchange
from storage.outcomes import MAKES_VERSION
from storage.records import Fetch, PageLook, Recorded
from storage.store import Store, Transaction

log = structlog.get_logger()

MAX_BATCH = 64
HOLD_SECONDS = 0.1
"""A transaction is closed when it has lasted this long, well below the 200 ms that others may be kept waiting."""
PAUSE_SECONDS = 0.005
"""Between two transactions while more is waiting."""
MAX_COLLISIONS = 20
"""How often a group that collided with another process is tried again."""

Result = TypeVar("Result")


class KeepsCaptures(Protocol):
    """The part of the archive that recording needs."""

    def append(self, exchange: HttpExchange, *, body_digest: str) -> Capture:
        """Write the exchange's records; they last only after `sync`."""

    def sync(self) -> None:
        """Make everything appended durable."""


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A look to be recorded, with the exchange to keep should its verdict ask for it.

    `keep` says that the capture is to be kept whatever the verdict. `body_digest` is that of the decoded body. `parts`
    are the exchanges and body digests of the further parts of an article, kept when and because the first one is.
    """

    look: PageLook
    exchange: HttpExchange | None = None
    body_digest: str | None = None
    keep: bool = False
    parts: Sequence[tuple[HttpExchange, str]] = ()


@dataclass
class _Job:
    """One piece of work of the thread: a sighting, or a function to run in a transaction."""

    done: Future[Any]
    wanted: bool = True
    sighting: Sighting | None = None
    write: Callable[[Transaction], Any] | None = None
    capture: Capture | None = field(default=None)
    part_captures: Sequence[Capture] = ()


class Pending:
    """How much waits to be written, and since when nothing of it was; asked from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._count = 0
        self._since = clock()

    def add(self) -> None:
        """Count one more."""
        with self._lock:
            if not self._count:
                self._since = self._clock()
            self._count += 1

    def end(self, _: object = None) -> None:
        """Count one that came to its end."""
        with self._lock:
            self._count -= 1
            self._since = self._clock()

    @property
    def count(self) -> int:
        """How many wait."""
        return self._count

    def stalled_seconds(self) -> float:
        """For how long some have waited while none came to its end; 0 where none waits."""
        with self._lock:
            return self._clock() - self._since if self._count else 0.0


class Recorder:
    """Records sightings and other facts in the order they come; a context manager that ends when all is written.

    `pending` tells what waits.
    """

    def __init__(self, store: Store, archive: KeepsCaptures, *, watcher: Watcher = UNWATCHED) -> None:
        self._store = store
        self._archive = archive
        self._watcher = watcher
        self.pending = Pending()
        self._jobs: queue.Queue[_Job | None] = queue.Queue()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def __enter__(self) -> "Recorder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._jobs.put(None)
        self._thread.join()

    async def record(self, sighting: Sighting) -> Recorded:
        """Record a sighting; returns when it is committed.

        Raises `ArchiveUnavailable` when its capture could not be kept (nothing is recorded then) and
        `DatabaseUnavailable` when the database refuses.
        """
        recorded: Recorded = await self._submit(_Job(done=Future(), sighting=sighting))
        return recorded

    async def write(self, write: Callable[[Transaction], Result]) -> Result:
        """Run `write` in a transaction of the writing thread; returns its result when it is committed.

        `write` must be quick: it shares its transaction with others.
        """
        result: Result = await self._submit(_Job(done=Future(), write=write))
        return result

    async def record_attempts(self, fetches: Sequence[Fetch]) -> None:
        """Record attempts that say nothing about any page; each must have its outcome."""

        def record(transaction: Transaction) -> None:
            for fetch in fetches:
                transaction.fetches.record(fetch)

        await self.write(record)

    @property
    def is_broken(self) -> bool:
        """Whether the thread that writes has ended, though nobody told it to."""
        return not self._closing and not self._thread.is_alive()

    async def _submit(self, job: _Job) -> Any:
        self.pending.add()
        job.done.add_done_callback(self.pending.end)
        self._jobs.put(job)
        return await asyncio.wrap_future(job.done)

    def _run(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._next_batch()
            # A waiter that was cancelled meanwhile wants no answer; its fact is recorded all the same.
            for job in batch:
                job.wanted = job.done.set_running_or_notify_cancel()
            for group in _groups(batch):
                self._process(group)

    def _next_batch(self) -> tuple[list[_Job], bool]:
        """Return what is waiting, at least one job unless the end was announced, and whether it was."""
        first = self._jobs.get()
        if first is None:
            return [], True
        batch = [first]
        while len(batch) < MAX_BATCH:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return batch, True
            batch.append(job)
        return batch, False

    def _process(self, group: Sequence[_Job]) -> None:
        """Bring every job of the group to an end, each by its result or its exception."""
        waiting = list(group)
        collisions = 0
        while waiting:
            try:
                self._keep_captures(waiting)
                waiting = self._record(waiting)
            except DatabaseBusy as problem:
                # Another process wanted the same rows in another order. Nothing of the group was written; recording
                # is idempotent, so it is simply done again, after a pause that differs from the other's.
                collisions += 1
                if collisions > MAX_COLLISIONS:
                    _fail(waiting, problem)
                    return
                time.sleep(random.uniform(0.01, 0.05) * collisions)
            except Exception as problem:  # noqa: BLE001 - the thread's boundary: the cause goes to those who wait
                _fail(waiting, problem)
                return
            else:
                if waiting:
                    # SQLite has no queue of writers: without a pause, the other process would hardly ever get its turn.
                    time.sleep(PAUSE_SECONDS)

    def _keep_captures(self, jobs: Sequence[_Job]) -> None:
        appended: list[tuple[_Job, list[Capture]]] = []
        for job in jobs:
            sighting = job.sighting
            if sighting is None or not sighting.keep or job.capture is not None:
                continue
            if sighting.exchange is None or sighting.body_digest is None:
                continue
            exchanges = [(sighting.exchange, sighting.body_digest), *sighting.parts]
            appended.append((job, [self._archive.append(kept, body_digest=digest) for kept, digest in exchanges]))
        if appended:
            self._archive.sync()
        # Only after the sync may a row name them.
        for job, captures in appended:
            job.capture, *job.part_captures = captures

    def _record(self, jobs: Sequence[_Job]) -> list[_Job]:
        """Record as many jobs as fit in one transaction, and return those that are still to be done.

        Raises what ends the whole transaction; then nothing of it was written.
        """
        results: list[tuple[_Job, Any]] = []
        failures: list[tuple[_Job, Exception]] = []
        again: list[_Job] = []
        new: list[Fetch] = []
        started = time.monotonic()
        position = 0
        with self._store.writing() as transaction:
            # All pages at once and in one order, so that two processes seldom wait for each other crosswise.
            transaction.pages.lock([job.sighting.look.page_id for job in jobs if job.sighting is not None])
            for job in jobs:
                position += 1
                try:
                    with transaction.savepoint():
                        result = _apply(job, transaction)
                except DatabaseUnavailable:
                    raise
                except Exception as problem:
                    # One bad row must not cost its batch-mates; whoever waits for it is told.
                    log.exception("recording_failed", url=job.sighting.look.fetch.url if job.sighting else None)
                    failures.append((job, problem))
                    transaction.fetches.take_new()  # they were rolled back
                else:
                    new += transaction.fetches.take_new()
                    if isinstance(result, Recorded) and result.needs_capture:
                        again.append(job)
                    else:
                        results.append((job, result))
                if time.monotonic() - started > HOLD_SECONDS:
                    break
        for job, result in results:
            if job.wanted:
                job.done.set_result(result)
        for job, failure in failures:
            _fail([job], failure)
        self._watcher.committed(time.monotonic() - started)
        self._tell(new, results)
        return again + list(jobs[position:])

    def _tell(self, new: Sequence[Fetch], results: Sequence[tuple[_Job, Any]]) -> None:
        """Tell the watcher what was committed. What had been recorded before is not told again."""
        for fetch in new:
            self._watcher.fetch_recorded(fetch)
        told = {fetch.record_id for fetch in new}
        for job, result in results:
            look = None if job.sighting is None else job.sighting.look
            if look is not None and look.fetch.record_id in told and result.outcome in MAKES_VERSION:
                self._watcher.version_recorded(look.fetch.source_id, result)


def _groups(batch: Sequence[_Job]) -> Iterator[list[_Job]]:
    """Part a batch into transactions: looks together, any other write on its own, for it may lock rows of its own."""
    looks: list[_Job] = []
    for job in batch:
        if job.sighting is not None:
            looks.append(job)
        else:
            yield [job]
    if looks:
        yield looks


def _fail(jobs: Sequence[_Job], problem: Exception) -> None:
    for job in jobs:
        if job.wanted and not job.done.done():
            job.done.set_exception(problem)


def _apply(job: _Job, transaction: Transaction) -> Any:
    if job.write is not None:
        return job.write(transaction)
    sighting = job.sighting
    if sighting is None:
        raise ValueError("a job of the recorder needs a sighting or a function")
    look = replace(sighting.look, capture=job.capture, part_captures=job.part_captures)
    recorded = transaction.versions.record_look(look)
    if recorded.needs_capture:
        if sighting.exchange is None or job.capture is not None:
            raise RuntimeError("a look that has no capture to give, or gave it, was asked for it")
        job.sighting = replace(sighting, keep=True)
    return recorded
