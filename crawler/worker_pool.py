"""Reads what others wrote in processes of its own, each piece of work with a deadline and within a bound of memory.

Whatever a page, a feed or a robots.txt does to its reader, it costs itself and nothing else: the event loop and the
thread that writes only handle what came of it. A process has its own pipe and is ended at once when its time is up,
so that nobody waits for the end of another's work.

Work of one owner (a publisher, mostly) never keeps that of others waiting for long: work that takes long is begun anew
in one of two processes that are there for nothing else, and what needed that lately begins there: the same sitemap, or
all of an owner that has much of that kind.
"""

import asyncio
import contextlib
import ctypes
import errno
import multiprocessing
import pickle
import resource
import signal
import struct
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from enum import StrEnum
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar, cast

import structlog

from crawler.urls import InvalidUrl, registrable_domain
from crawler.watching import UNWATCHED, Watcher
from storage.errors import ExtractionUnavailable, ShortOfResources
from storage.hidden import failure_message

log = structlog.get_logger()

Result = TypeVar("Result")

LONG_SECONDS = 1.0
"""While work of an owner has taken so long, no more of that owner is begun than leaves processes to others."""
SLOW_FOR_SECONDS = 3600.0
"""So long work that took too long begins apart, unless that is done quickly again."""
MOST_SLOW_PIECES = 4
"""With so many different pieces of work that took too long all of an owner's begins apart: each is tried once where it
keeps others waiting."""
APART = 2
"""Processes for what takes long; of one owner never more than half, as long as that is at work."""
MOST_SLOW_OWNERS = 1_000
START_SECONDS = 120.0
"""So long may a process take to start; it must load nothing, because it is forked from one that has loaded all."""
MAX_MEMORY_BYTES = 3 << 30
"""Address space of a process. A page of 10 MB of markup takes about a third of it."""
_PATIENCE = 5
"""How often work is given to another process because one could not be started, or was ended by somebody else."""
_PATIENCE_SECONDS = 0.2
_TO_BE_NOTICED_SECONDS = 2.0
"""So long may it take until a process that ended is known to have."""
_ENDED_FROM_OUTSIDE = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_UNKNOWN_END = 255
"""The exit code where the fork server has ended too, which no work can do to it."""
_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.ENOBUFS})
_PR_SET_PDEATHSIG = 1
_SECONDS = struct.Struct("d")
ORPHANED_SECONDS = 10.0
"""So much computing beyond its deadline work may do before the system ends it, where the process that would is gone."""
_PRELOADED = (
    "crawler.worker_pool",
    "crawler.extraction.reader",
    "crawler.extraction.decoding",
    "crawler.index_reading",
    "crawler.page_hops",
    "crawler.page_reading",
    "crawler.robots_reading",
)


class Kind(StrEnum):
    """What work is for. What is short must not wait behind pages, which take longer."""

    PAGE = "page"
    SHORT = "short"


FIRST_SHARE = {Kind.PAGE: 0.25, Kind.SHORT: 0.1}
"""The part of its time that work has beside that of others, before it begins anew where it holds up nobody."""


class WorkFailed(Exception):
    """Work came to no result, and what it was given is the cause.

    `reason` is `timeout`, `crash` (its process ended), `memory`, or the name of the exception that it raised.
    """

    def __init__(self, reason: str, problem: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.problem = problem


class PoolStopped(Exception):
    """The pool was told to stop before this work was done. Nothing is known about what it was given."""


class Works(Protocol):
    """Does work elsewhere."""

    async def run(
        self, function: Callable[..., Result], *args: object, owner: str, kind: Kind = Kind.SHORT, about: str = ""
    ) -> Result:
        """Return `function(*args)`; both, and the result, must be picklable. Raises `WorkFailed`.

        `about` names what comes again and takes as long then, such as the URL of a sitemap.
        """


def owner_of(url: str) -> str:
    """Return on whose account work for a URL goes: its registrable domain, or the host where there is none."""
    try:
        return registrable_domain(url)
    except InvalidUrl:
        return ""


def is_shortage(problem: BaseException) -> bool:
    """Whether something failed because this machine, or what it allows us, is short of files, processes or memory."""
    if isinstance(problem, OSError):
        return problem.errno in _SHORTAGES
    return isinstance(problem, MemoryError) or "can't start new thread" in str(problem)


def shortage_of(problem: BaseException) -> ShortOfResources | None:
    """Return what an exception says of this machine, or None where it speaks of something else."""
    if not is_shortage(problem):
        return None
    return ShortOfResources(
        "this machine",
        f"is short of something ({type(problem).__name__}: {problem})",
        "check memory and the limits on processes, threads and open files",
    )


# In the worker


@dataclass(frozen=True)
class _Failed:
    """What a process answers where work raised an exception. `ours` says that the machine was the cause."""

    reason: str
    problem: str
    ours: bool


def prepare_worker(max_memory_bytes: int | None) -> None:
    """Set up a worker: Ctrl-C is the parent's, nobody outlives the parent, and what is ended is ended at once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A handler would only run once a regular expression or a parser has come to its end.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        # The parent is the fork server, which ends with its last worker, and with the process that started it.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if max_memory_bytes is not None:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (max_memory_bytes, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _serve(connection: Connection, max_memory_bytes: int | None) -> None:
    """Do what is asked over a pipe until it closes. What is begun is said, so that its end speaks of the work."""
    prepare_worker(max_memory_bytes)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            asked = connection.recv_bytes()
            _bound_computing(_SECONDS.unpack_from(asked)[0])
            asked = asked[_SECONDS.size :]
            connection.send_bytes(b"begun")
            connection.send_bytes(_answer(asked))


def _bound_computing(seconds: float) -> None:
    """End this process some time after its work was to be done, should nobody be left who does that."""
    bound = int(time.process_time() + seconds + ORPHANED_SECONDS) + 1
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (bound, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _answer(asked: bytes) -> bytes:
    try:
        function, args = pickle.loads(asked)  # noqa: S301 - written by our own parent
        return pickle.dumps(function(*args), pickle.HIGHEST_PROTOCOL)
    except MemoryError as problem:
        return pickle.dumps(_Failed("memory", failure_message(problem), ours=False))
    except Exception as problem:  # noqa: BLE001 - the boundary of a job: whatever an input does to its reader
        # What takes long by its own word is no other than what is found to.
        reason = "timeout" if isinstance(problem, TimeoutError) else type(problem).__name__
        ours = isinstance(problem, OSError) and is_shortage(problem)
        return pickle.dumps(_Failed(reason, failure_message(problem), ours=ours))


# In the parent


class _Ended(Exception):
    """A process ended. `begun` says that it was at work."""

    def __init__(self, *, begun: bool, exit_code: int | None) -> None:
        super().__init__(exit_code)
        self.begun = begun
        self.exit_code = exit_code


class _OutOfTime(Exception):
    """Work was not done in its time, and its process was ended."""


class _Process:
    """One worker process, started when there is work for it and started anew after `max_tasks`."""

    def __init__(self, context: ForkServerContext, *, max_tasks: int, max_memory_bytes: int | None) -> None:
        self._context = context
        self._max_tasks = max_tasks
        self._max_memory_bytes = max_memory_bytes
        self._process: ForkServerProcess | None = None
        self._connection: Connection | None = None
        self._tasks = 0

    def perform(self, asked: bytes, *, seconds: float) -> Any:
        """Return what the process answers. Raises `_Ended`, `_OutOfTime`, and `OSError` where it cannot be started."""
        if self._tasks >= self._max_tasks:
            self.end()
        connection = self._connection or self._start()
        self._tasks += 1
        begun = in_time = False
        try:
            connection.send_bytes(_SECONDS.pack(seconds) + asked)
            if connection.poll(START_SECONDS):
                connection.recv_bytes()
                begun = True
                in_time = connection.poll(seconds)
            answer = pickle.loads(connection.recv_bytes()) if in_time else None  # noqa: S301 - written by our child
        except (EOFError, OSError) as problem:
            raise _Ended(begun=begun, exit_code=self.end(wait_seconds=_TO_BE_NOTICED_SECONDS)) from problem
        if not begun:
            raise _Ended(begun=False, exit_code=self.end())
        if not in_time:
            self.end()
            raise _OutOfTime
        if isinstance(answer, _Failed) and answer.reason == "memory":
            self.end()
        return answer

    def _start(self) -> Connection:
        ours, theirs = self._context.Pipe()
        try:
            process = self._context.Process(target=_serve, args=(theirs, self._max_memory_bytes), daemon=True)
            process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._process, self._connection, self._tasks = process, ours, 0
        return ours

    def end(self, *, wait_seconds: float = 0.0) -> int | None:
        """End the process at once. Returns its exit code where it ended by itself, if need be within `wait_seconds`;
        a negative one is the signal that ended it. None where it had to be ended, or there was none.
        """
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is None:
            return None
        process.join(wait_seconds)
        exit_code = process.exitcode
        if exit_code is None:
            process.kill()
            process.join(_TO_BE_NOTICED_SECONDS)
        with contextlib.suppress(ValueError):
            process.close()
        return exit_code

    def kill(self) -> None:
        """End the process from another thread than the one that waits for its answer, which learns of it."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ValueError, OSError, AttributeError):
                process.kill()


@dataclass(kw_only=True, eq=False)
class _Job:
    asked: bytes
    owner: str
    seconds: float
    begun_at: float = 0.0
    done: Future[Any] = field(default_factory=Future)


class FairQueue:
    """Work that waits, taken by owners in turn. Use from any thread.

    Of `places` that take from it one owner may have all as long as its work is quick. While some of it has taken long,
    the owner has half of them at most, so that one is always open to others where there are two.
    """

    def __init__(self, places: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: OrderedDict[str, deque[_Job]] = OrderedDict()
        self._at_work: dict[str, list[_Job]] = {}
        self._closed = False

    def put(self, job: _Job) -> None:
        """Let work wait. Raises `PoolStopped` after the end."""
        with self._changed:
            if self._closed:
                raise PoolStopped
            self._waiting.setdefault(job.owner, deque()).append(job)
            self._changed.notify()

    def take(self) -> _Job | None:
        """Return the next work, waiting for some; None after the end."""
        with self._changed:
            while not self._closed:
                if (job := self._next()) is not None:
                    return job
                self._changed.wait()
            return None

    def _next(self) -> _Job | None:
        now = self._clock()
        for owner in self._waiting:
            if not self._may_begin(owner, now):
                continue
            jobs = self._waiting[owner]
            job = jobs.popleft()
            self._waiting.move_to_end(owner)
            if not jobs:
                del self._waiting[owner]
            job.begun_at = now
            self._at_work.setdefault(owner, []).append(job)
            return job
        return None

    def _may_begin(self, owner: str, now: float) -> bool:
        at_work = self._at_work.get(owner, ())
        if not any(now - job.begun_at > LONG_SECONDS for job in at_work):
            return True
        return len(at_work) < max(1, self._places // 2)

    def finished(self, job: _Job) -> None:
        """Note that work came to an end, whatever became of it."""
        with self._changed:
            at_work = self._at_work[job.owner]
            at_work.remove(job)
            if not at_work:
                del self._at_work[job.owner]
            self._changed.notify_all()

    def close(self) -> list[_Job]:
        """Give out no more work, and return what still waited."""
        with self._changed:
            self._closed = True
            left = [job for jobs in self._waiting.values() for job in jobs]
            self._waiting.clear()
            self._changed.notify_all()
            return left


class _Lane:
    """A few processes that take from one queue, each looked after by a thread."""

    def __init__(self, name: str, processes: list[_Process]) -> None:
        self._name = name
        self._processes = processes
        self._queue = FairQueue(len(processes))
        self._threads: list[threading.Thread] = []

    def submit(self, job: _Job) -> None:
        """Let work wait for its turn. Raises `PoolStopped`, and `RuntimeError` where no thread can be started."""
        for number in range(len(self._threads), len(self._processes)):
            thread = threading.Thread(
                target=self._run, args=(self._processes[number],), name=f"{self._name}-{number}", daemon=True
            )
            thread.start()
            self._threads.append(thread)
        self._queue.put(job)

    def _run(self, process: _Process) -> None:
        while (job := self._queue.take()) is not None:
            try:
                if job.done.set_running_or_notify_cancel():
                    _finish(job, process)
            finally:
                self._queue.finished(job)
        process.end()

    def close(self) -> None:
        """End all processes at once; what waited is told that the pool stopped."""
        for job in self._queue.close():
            if job.done.set_running_or_notify_cancel():
                job.done.set_exception(PoolStopped())
        for process in self._processes:
            process.kill()

    def join(self) -> None:
        """Wait for the threads to end, but not for ever: they end with this process at the latest."""
        until = time.monotonic() + _TO_BE_NOTICED_SECONDS
        for thread in self._threads:
            # One that was about to start a process when all were ended has one of its own to be ended.
            while thread.is_alive() and time.monotonic() < until:
                for process in self._processes:
                    process.kill()
                thread.join(0.1)


def _finish(job: _Job, process: _Process) -> None:
    try:
        answer = process.perform(job.asked, seconds=job.seconds)
    except BaseException as problem:  # noqa: BLE001 - the thread's boundary: the cause goes to who waits
        with contextlib.suppress(InvalidStateError):
            job.done.set_exception(problem)
    else:
        with contextlib.suppress(InvalidStateError):
            job.done.set_result(answer)


class WorkerPool:
    """Does work in processes. Use it as an async context.

    `processes` read pages; one more does what is short, and two what took too long elsewhere. `timeout_seconds` is the
    deadline of one piece of work, counted from when a process takes it up. A process is replaced after `max_tasks`, for
    libxml2 gives little memory back, and may use `max_memory_bytes` of address space.
    """

    def __init__(
        self,
        *,
        processes: int,
        timeout_seconds: float = 20.0,
        max_tasks: int = 500,
        max_memory_bytes: int | None = MAX_MEMORY_BYTES,
        watcher: Watcher = UNWATCHED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # The parent has threads, so plain fork is out; the fork server loads the extractor once for all workers.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(_PRELOADED))

        def started_when_needed() -> _Process:
            return _Process(context, max_tasks=max_tasks, max_memory_bytes=max_memory_bytes)

        self._new_process = started_when_needed
        self._lanes = {
            Kind.PAGE: _Lane("reads-pages", [started_when_needed() for _ in range(processes)]),
            Kind.SHORT: _Lane("reads-indexes", [started_when_needed()]),
        }
        self._apart = _Lane("reads-slowly", [started_when_needed() for _ in range(APART)])
        self._timeout_seconds = timeout_seconds
        self._watcher = watcher
        self._clock = clock
        self._slow: OrderedDict[tuple[Kind, str], dict[str, float]] = OrderedDict()
        self._stopping = False

    async def __aenter__(self) -> Self:
        # Loading the extractor takes a second or two, in which there is other work.
        with contextlib.suppress(OSError, RuntimeError):
            nothing = pickle.dumps((abs, (0,)), pickle.HIGHEST_PROTOCOL)
            self._lanes[Kind.SHORT].submit(_Job(asked=nothing, owner="", seconds=START_SECONDS))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def announce_stop(self) -> None:
        """Say that the process is about to stop: a worker that ends from now on says nothing about its work.

        What takes long is given up at once; all else may still be finished.
        """
        self._stopping = True
        self._apart.close()

    async def close(self) -> None:
        """Stop the workers at once; work still waiting raises `PoolStopped`."""
        self.announce_stop()
        lanes = [*self._lanes.values(), self._apart]
        for lane in lanes:
            lane.close()
        await asyncio.gather(*(asyncio.to_thread(lane.join) for lane in lanes))

    async def run(
        self, function: Callable[..., Result], *args: object, owner: str, kind: Kind = Kind.SHORT, about: str = ""
    ) -> Result:
        """Return `function(*args)`, done in a process; all of it must be picklable. `owner` is on whose account.

        `about` names what comes again and takes as long then, such as the URL of a sitemap.

        Raises `WorkFailed` where the input is the cause that there is no result: it took too long, or ended its
        process twice, or raised an exception. Raises `PoolStopped` if the pool was told to stop meanwhile, and
        `ExtractionUnavailable` if no process can be started, which says nothing about the input.
        """
        asked = pickle.dumps((function, args), pickle.HIGHEST_PROTOCOL)
        first_seconds = self._timeout_seconds * FIRST_SHARE[kind]
        if not self._is_slow(kind, owner, about):
            begun = self._clock()
            try:
                result, _ = await self._attempt(self._lanes[kind], asked, owner, first_seconds)
                return cast("Result", result)
            except WorkFailed as failed:
                if failed.reason not in ("timeout", "crash"):
                    raise
                # The process may have been the cause, or a busy machine: once more, where it holds up nobody.
                self._note_slow(kind, owner, about)
                if self._stopping:
                    raise PoolStopped(owner) from failed
                log.info("work_begun_apart", owner=owner, reason=failed.reason, seconds=round(self._clock() - begun, 1))
        result, seconds = await self._attempt(self._apart, asked, owner, self._timeout_seconds)
        if seconds < first_seconds:
            self._slow.get((kind, owner), {}).pop(about, None)
        return cast("Result", result)

    async def _attempt(self, lane: _Lane, asked: bytes, owner: str, seconds: float) -> tuple[Any, float]:
        """Do work in a lane, and return the result and how many seconds it took once it was begun.

        What ends a process without being the cause, or keeps one from starting, is tried again.
        """
        for attempt in range(_PATIENCE):
            if attempt:
                await asyncio.sleep(_PATIENCE_SECONDS * attempt)
            job = _Job(asked=asked, owner=owner, seconds=seconds)
            try:
                lane.submit(job)
                answer = await asyncio.wrap_future(job.done)
            except _OutOfTime:
                raise WorkFailed("timeout") from None
            except _Ended as ended:
                if self._stopping:
                    raise PoolStopped(owner) from ended
                code = ended.exit_code
                if ended.begun and code != _UNKNOWN_END and abs(code or 0) not in _ENDED_FROM_OUTSIDE:
                    raise WorkFailed("crash") from ended
                cause: BaseException = ended
            except (OSError, RuntimeError, MemoryError) as problem:
                # Pickled and unpickled is what is ours; what else fails here is the machinery.
                cause = problem
            else:
                if not isinstance(answer, _Failed):
                    return answer, self._clock() - job.begun_at
                if not answer.ours:
                    raise WorkFailed(answer.reason, answer.problem)
                cause = OSError(answer.problem)
            if self._stopping:
                raise PoolStopped(owner) from cause
            self._watcher.pool_restarted()
            log.debug("worker_ended", problem=repr(cause))
        raise _unavailable(cause) from cause

    def _is_slow(self, kind: Kind, owner: str, about: str) -> bool:
        pieces, now = self._slow.get((kind, owner), {}), self._clock()
        for piece in [piece for piece, since in pieces.items() if now - since > SLOW_FOR_SECONDS]:
            del pieces[piece]
        return about in pieces or len(pieces) >= MOST_SLOW_PIECES

    def _note_slow(self, kind: Kind, owner: str, about: str) -> None:
        pieces = self._slow.pop((kind, owner), {})
        pieces[about] = self._clock()
        self._slow[kind, owner] = pieces
        while len(self._slow) > MOST_SLOW_OWNERS:
            self._slow.popitem(last=False)

    def probe(self) -> None:
        """See that a process can be started and works; blocks. Raises `ExtractionUnavailable`."""
        process = self._new_process()
        try:
            process.perform(pickle.dumps((abs, (1,))), seconds=START_SECONDS)
        except (_Ended, _OutOfTime, OSError, RuntimeError, MemoryError) as problem:
            raise _unavailable(problem) from problem
        finally:
            process.end()


def _unavailable(cause: BaseException) -> ExtractionUnavailable:
    why = f" ({cause})" if isinstance(cause, OSError) and str(cause) else ""
    return ExtractionUnavailable(
        "reading pages",
        f"its worker processes cannot be started, or end at once{why}",
        "check memory and the limits on processes and open files, and that `morgue extract` works",
    )
