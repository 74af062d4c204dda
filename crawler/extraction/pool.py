"""Reads pages in worker processes, each page with a deadline, so that no page can stop a crawl.

trafilatura is not safe in threads, and a page can hang or crash it; a process can be ended. Workers are recycled,
because libxml2 gives little memory back.
"""

import asyncio
import contextlib
import ctypes
import multiprocessing
import resource
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as DeadlinePassed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Self

import structlog
from pebble import ProcessExpired, ProcessPool

from crawler.extraction.identity import extractor_id
from crawler.extraction.reading import Reading
from crawler.watching import UNWATCHED, Watcher
from storage.errors import ExtractionUnavailable
from storage.hidden import failure_message
from storage.model import Headers, Outcome

log = structlog.get_logger()

_ATTEMPTS = 2
"""A page that hangs or crashes its worker is tried once more in a fresh one: the worker may have been the cause."""
_ENDED_FROM_OUTSIDE = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_PATIENCE = 5
"""How often a page is given to another worker because somebody else's signal ended the one that read it."""
_PR_SET_PDEATHSIG = 1
_MAX_MEMORY_BYTES = 4 << 30


class PoolStopped(Exception):
    """The pool was told to stop before this page was read. Nothing is known about the page."""


@dataclass(frozen=True, kw_only=True)
class ReadTask:
    """A page to be read. `body` has its content codings undone; `timezone` is an IANA name or None.

    `headers` are the response's, and `robots_token` our name in robots.txt: by both it is told what the page permits.
    """

    body: bytes
    content_type: str | None
    url: str
    timezone: str | None
    captured_at: datetime
    headers: Headers = ()
    robots_token: str = ""


def worker_pool(
    *, processes: int, max_tasks: int = 500, max_memory_bytes: int | None = _MAX_MEMORY_BYTES
) -> ProcessPool:
    """Return a pool of processes that have the extractor loaded, started with the first task."""
    # The parent has threads, so plain fork is out; the fork server loads the extractor once for all workers.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["crawler.extraction.reader", "crawler.extraction.decoding"])
    return ProcessPool(
        max_workers=processes,
        max_tasks=max_tasks,
        initializer=_prepare_worker,
        initargs=[max_memory_bytes],
        context=context,
    )


class ExtractionPool:
    """A pool of worker processes that read pages. Use it as an async context.

    `timeout_seconds` is the deadline of one page, counted from when a worker takes it up. A worker is replaced after
    `max_tasks` pages, and may use `max_memory_bytes` of address space. `reader` is the function that workers run; it
    must be importable by its name.
    """

    def __init__(
        self,
        *,
        processes: int,
        reader: Callable[[ReadTask], Reading] | None = None,
        timeout_seconds: float = 20.0,
        max_tasks: int = 500,
        max_memory_bytes: int | None = _MAX_MEMORY_BYTES,
        watcher: Watcher = UNWATCHED,
    ) -> None:
        self._reader = reader or read_task
        self._watcher = watcher
        self._timeout_seconds = timeout_seconds
        # A second page for each worker waits in the pipe, so that none is idle while a result is handed back.
        self._places = asyncio.Semaphore(2 * processes)
        self._stopping = False
        self._make_pool = partial(
            worker_pool, processes=processes, max_tasks=max_tasks, max_memory_bytes=max_memory_bytes
        )
        self._pool = self._make_pool()
        self._under_way: set[asyncio.Future[Reading]] = set()
        self._retired: set[asyncio.Future[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def announce_stop(self) -> None:
        """Say that the process is about to stop: a worker that ends from now on says nothing about its page."""
        self._stopping = True

    async def close(self) -> None:
        """Stop the workers at once; pages still waiting raise `PoolStopped`."""
        self.announce_stop()
        self._retire(self._pool)
        await asyncio.gather(*self._retired)
        for reading in self._under_way:
            # pebble forgets some of the pages that a stopped pool still had.
            reading.cancel()

    def _retire(self, pool: ProcessPool) -> None:
        """End a pool's workers, in a thread because that waits for them."""
        pool.stop()  # type: ignore[no-untyped-call]  # pebble types a part of its API
        self._retired.add(asyncio.get_running_loop().run_in_executor(None, pool.join))

    def _replace(self, broken: ProcessPool) -> None:
        """Go on with new workers: pebble gives a pool up when an idle worker is killed."""
        if self._pool is broken:
            self._pool = self._make_pool()
            self._retire(broken)
            self._watcher.pool_restarted()

    async def read(self, task: ReadTask) -> Reading:
        """Return the reading of a page; `EXTRACT_FAILED` with `timeout`, `crash` or the exception's name if it fails.

        Raises `PoolStopped` if the pool was told to stop and the page's worker ended, and `ExtractionUnavailable` if
        no worker can be started, which says nothing about the page.
        """
        async with self._places:
            started = time.monotonic()
            reading = await self._read(task)
        self._watcher.page_read(time.monotonic() - started, _failure_of(reading))
        return reading

    async def _read(self, task: ReadTask) -> Reading:
        reason = "crash"
        failures = interruptions = broken = 0
        while failures < _ATTEMPTS and interruptions < _PATIENCE:
            pool = self._pool
            try:
                return await self._schedule(pool, task)
            except DeadlinePassed:
                reason, failures = "timeout", failures + 1
            except ProcessExpired as problem:
                if self._stopping:
                    raise PoolStopped(task.url) from problem
                reason = "crash"
                if abs(problem.exitcode) in _ENDED_FROM_OUTSIDE:
                    interruptions += 1
                else:
                    failures += 1
            except BrokenProcessPool as problem:
                if self._stopping:
                    raise PoolStopped(task.url) from problem
                broken += 1
                if broken == _PATIENCE:
                    raise ExtractionUnavailable(
                        "reading pages",
                        "its worker processes cannot be started, or end at once",
                        "check memory and the limit on processes, and that `morgue extract` works",
                    ) from problem
                self._replace(pool)
            except asyncio.CancelledError:
                if self._stopping and not _is_being_cancelled():
                    raise PoolStopped(task.url) from None
                raise
            except Exception as problem:  # noqa: BLE001 - the boundary of a job: whatever a page does to the extractor
                reason, failures = type(problem).__name__, _ATTEMPTS
                log.warning("extract_failed", url=task.url, reason=reason, problem=failure_message(problem))
        return Reading(outcome=Outcome.EXTRACT_FAILED, reason=reason)

    async def _schedule(self, pool: ProcessPool, task: ReadTask) -> Reading:
        try:
            future = pool.schedule(self._reader, args=[task], timeout=self._timeout_seconds)
        except RuntimeError as problem:
            raise BrokenProcessPool(str(problem)) from problem
        reading: asyncio.Future[Reading] = asyncio.wrap_future(future)
        self._under_way.add(reading)
        try:
            return await reading
        finally:
            self._under_way.discard(reading)


def _failure_of(reading: Reading) -> str | None:
    """Return why a page could not be read, as watchers are told it: exceptions of extractors are many."""
    if reading.outcome is not Outcome.EXTRACT_FAILED:
        return None
    return reading.reason if reading.reason in ("timeout", "crash") else "error"


def _is_being_cancelled() -> bool:
    """Tell whether the awaiting task itself is cancelled, rather than the future that it waits for."""
    current = asyncio.current_task()
    return current is not None and current.cancelling() > 0


def read_task(task: ReadTask) -> Reading:
    """Decode and read one page, in this process."""
    from crawler.extraction import decode_html, extract  # noqa: PLC0415 - loads trafilatura

    html = decode_html(task.body, content_type=task.content_type)
    return extract(
        html,
        url=task.url,
        timezone=task.timezone,
        captured_at=task.captured_at,
        extractor=extractor_id(timezone=task.timezone),
        headers=task.headers,
        robots_token=task.robots_token,
    )


def _prepare_worker(max_memory_bytes: int | None) -> None:
    """Set up a worker: Ctrl-C is the parent's, and nobody outlives the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        # The parent is the fork server, which ends with the process that started it.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if max_memory_bytes is not None:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (max_memory_bytes, resource.getrlimit(resource.RLIMIT_AS)[1]))
