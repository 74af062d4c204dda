"""The one thread of a process that asks the database for turns: many hosts' requests in one short transaction."""

import asyncio
import contextlib
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import structlog

from crawler.lease import Lease
from storage.clock import steady_seconds
from storage.errors import DatabaseBusy, MorgueError
from storage.host_turns import LEASE, Held, SlotAnswer, SlotRequest
from storage.store import Store

log = structlog.get_logger()

MAX_BATCH = 64
GATHER_SECONDS = 0.005
"""How long requests are gathered before they are served."""
BEAT_SECONDS = 1.0
PROLONGED_BEFORE_SECONDS = LEASE.total_seconds() / 2
"""A lease whose request is in flight is prolonged when it lasts no longer than this."""
MAX_COLLISIONS = 20
"""How often a batch that collided with another process is tried again."""

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An answer, with the steady clock's readings from before it was decided and from after it was committed."""

    answer: SlotAnswer
    asked_at: float
    answered_at: float


class KeepsSlots(Protocol):
    """Where the turns are kept."""

    def ask(self, request: SlotRequest) -> "asyncio.Future[Answered]":
        """Ask for something; requests are served in their order, also those whose answers nobody awaits."""

    def held(self, *, budget: int) -> "asyncio.Future[list[Held]]":
        """Ask which hosts nobody may ask now, where `budget` is the requests a day, 0 for any number."""

    def keep_alive(self, host: str, owner: str, lease: Lease) -> None:
        """Prolong a lease for as long as its request is in flight, whatever else the process is busy with."""

    def let_go(self, host: str) -> None:
        """Prolong the lease on a host no longer."""


@dataclass
class _Job:
    done: "asyncio.Future[Any]"
    request: SlotRequest | None
    budget: int = 0


class HostSlots:
    """The turns in the database; a context manager that ends when all that was asked is done."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = steady_seconds) -> None:
        self._store = store
        self._clock = clock
        self._jobs: queue.Queue[_Job | None] = queue.Queue()
        self._in_flight: dict[str, tuple[str, Lease]] = {}
        self._ended = False
        self._broken: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="slots", daemon=True)

    def __enter__(self) -> "HostSlots":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._jobs.put(None)
        self._thread.join()

    def ask(self, request: SlotRequest) -> "asyncio.Future[Answered]":
        """Ask for something; the answer may be a `MorgueError` when the database refuses."""
        return self._submit(request, budget=0)

    def held(self, *, budget: int) -> "asyncio.Future[list[Held]]":
        """Ask which hosts nobody may ask now."""
        return self._submit(None, budget=budget)

    def keep_alive(self, host: str, owner: str, lease: Lease) -> None:
        """Prolong a lease for as long as its request is in flight; the thread does so however busy the loop is."""
        self._in_flight[host] = owner, lease

    def let_go(self, host: str) -> None:
        """Prolong the lease on a host no longer."""
        self._in_flight.pop(host, None)

    def _submit(self, request: SlotRequest | None, *, budget: int) -> "asyncio.Future[Any]":
        job = _Job(done=asyncio.get_running_loop().create_future(), request=request, budget=budget)
        if self._broken is not None:
            job.done.set_exception(self._broken)
        elif self._ended:
            job.done.cancel()  # who still asks was left behind by those who waited for it
        else:
            self._jobs.put(job)
            if self._broken is not None:
                self._refuse(self._broken)  # it broke between the question and the answer
        return job.done

    def _run(self) -> None:
        try:
            self._serve()
        except Exception as problem:
            # The thread's boundary. Nobody would answer any more, and nobody shall wait for that.
            log.exception("slots_broke")
            self._broken = problem
            self._refuse(problem)

    def _refuse(self, problem: Exception) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                if (job := self._jobs.get_nowait()) is not None:
                    _deliver([(job.done, None, problem)])

    def _serve(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._next_batch()
            self._prolong()
            asking = [job for job in batch if job.request is not None]
            if asking:
                self._finish(asking, partial(self._act, [job.request for job in asking if job.request is not None]))
            for job in batch:
                if job.request is None:
                    self._finish([job], partial(self._held, job.budget))

    def _next_batch(self) -> tuple[list[_Job], bool]:
        """Return what is waiting, and whether the end was announced."""
        batch: list[_Job] = []
        try:
            job = self._jobs.get(timeout=BEAT_SECONDS)
        except queue.Empty:
            return [], False
        # Many hosts are asked at about the same time; together they cost little more than one.
        time.sleep(GATHER_SECONDS)
        while job is not None:
            batch.append(job)
            if len(batch) == MAX_BATCH:
                return batch, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _prolong(self) -> None:
        """Prolong the leases that are in use and soon over."""
        try:
            soon = self._clock() + PROLONGED_BEFORE_SECONDS
            in_use = [(host, owner, lease) for host, (owner, lease) in self._in_flight.copy().items()]
            due = [(lease, lease.heartbeat(host, owner)) for host, owner, lease in in_use if lease.valid_until < soon]
            if not due:
                return
            answers = _retried(partial(self._act, [report for _, report in due]))
            for (lease, _), answered in zip(due, answers, strict=True):
                lease.take_in(answered.answer, asked_at=answered.asked_at)
        except MorgueError as problem:
            # Whoever asks for a turn next is told by the database itself.
            log.debug("leases_not_prolonged", problem=str(problem))
        except Exception:
            # The thread's boundary: those who ask are still to be answered. The leases run out, as each of them knows.
            log.exception("leases_not_prolonged")

    def _finish(self, jobs: Sequence[_Job], work: Callable[[], Sequence[Any]]) -> None:
        """Bring jobs to their ends, each by its result or by the exception that ended the work."""
        try:
            results = _retried(work)
        except Exception as problem:  # noqa: BLE001 - the thread's boundary: the cause goes to those who wait
            _deliver([(job.done, None, problem) for job in jobs])
        else:
            _deliver([(job.done, result, None) for job, result in zip(jobs, results, strict=True)])

    def _act(self, requests: Sequence[SlotRequest]) -> list[Answered]:
        with self._store.writing(lasting=False) as transaction:
            asked_at = self._clock()
            answers = transaction.hosts.act(requests, steady=asked_at)
        answered_at = self._clock()
        return [Answered(answer=answer, asked_at=asked_at, answered_at=answered_at) for answer in answers]

    def _held(self, budget: int) -> list[list[Held]]:
        with self._store.reading() as transaction:
            return [transaction.hosts.held(budget=budget)]


def _retried(work: Callable[[], Result]) -> Result:
    """Work, and again after each collision with another process, of which nothing was written."""
    for collisions in range(1, MAX_COLLISIONS + 1):
        try:
            return work()
        except DatabaseBusy as problem:
            if collisions == MAX_COLLISIONS:
                raise
            log.debug("slots_collided", problem=str(problem))
            time.sleep(random.uniform(0.005, 0.02) * collisions)
    raise AssertionError("the last collision is raised")


def _deliver(results: Sequence[tuple["asyncio.Future[Any]", Any, Exception | None]]) -> None:
    def settle() -> None:
        for done, result, problem in results:
            if done.done():  # whoever asked was cancelled
                continue
            if problem is None:
                done.set_result(result)
            else:
                done.set_exception(problem)

    with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits
        results[0][0].get_loop().call_soon_threadsafe(settle)
