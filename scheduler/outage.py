"""A time in which the database or the archive cannot be used, or the machine is short of processes, files or memory:
nothing is fetched, and it is tried until it can be again.

Nothing is lost by waiting: what was fetched and could not be recorded is still owed, for only recording a fetch clears
the page's plan.
"""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog

from crawler.worker_pool import shortage_of
from storage.clock import steady_seconds, utc_now
from storage.errors import ArchiveUnavailable, DatabaseGone, DatabaseUnavailable, MorgueError, ShortOfResources
from storage.service_lock import ServiceLock
from storage.warc_files import prepare_folder, unavailable

log = structlog.get_logger()

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 30.0
REMIND_SECONDS = 60.0
QUIET_SECONDS = 60.0
"""What comes back sooner is the same outage to the back-off: a disk that is nearly full lets a little through."""
PROBE_BYTES = 1 << 20
"""Room for a page or two must be there before pages are fetched again."""


def is_outage(problem: MorgueError) -> bool:
    """Whether waiting may help; a database that was replaced under us, or that another service has, stays so."""
    waited_for = DatabaseUnavailable | ArchiveUnavailable | ShortOfResources
    return isinstance(problem, waited_for) and not isinstance(problem, DatabaseGone)


class Outage:
    """Whether there is an outage, and its end. `problem` is None while all is well.

    `probe` raises what is still wrong; it may block and is called in a thread. `on_change` is told of each begin, with
    its problem, and of each end, with None; `on_end_of_hope` of a problem for which waiting is in vain.
    """

    def __init__(
        self,
        probe: Callable[[], None],
        *,
        on_change: Callable[[MorgueError | None], None],
        on_end_of_hope: Callable[[MorgueError], None],
        clock: Callable[[], float] = steady_seconds,
    ) -> None:
        self._probe = probe
        self._on_change = on_change
        self._on_end_of_hope = on_end_of_hope
        self._clock = clock
        self._waiting: asyncio.Task[None] | None = None
        self._delay = FIRST_RETRY_SECONDS
        self._ended_at = float("-inf")
        self.problem: MorgueError | None = None
        self.since: datetime | None = None

    def begin(self, problem: MorgueError) -> None:
        """Note that something cannot be used. Told again while that lasts, nothing changes."""
        if self.problem is not None:
            return
        self.problem, self.since = problem, utc_now()
        if self._clock() - self._ended_at > QUIET_SECONDS:
            self._delay = FIRST_RETRY_SECONDS
        _tell_of(problem, for_seconds=0.0)
        self._on_change(problem)
        self._waiting = asyncio.create_task(self._wait(began=self._clock()))

    async def close(self) -> None:
        """Try no more."""
        if self._waiting is not None:
            self._waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._waiting

    async def _wait(self, *, began: float) -> None:
        told = began
        while True:
            await asyncio.sleep(self._delay)
            self._delay = min(self._delay * 2, LONGEST_RETRY_SECONDS)
            try:
                await self._try()
            except MorgueError as problem:
                if not is_outage(problem):
                    self._on_end_of_hope(problem)
                    return
                self.problem = problem
                if self._clock() - told >= REMIND_SECONDS:
                    told = self._clock()
                    _tell_of(problem, for_seconds=told - began)
                continue
            self._end(began)
            return

    async def _try(self) -> None:
        """Raise what is still wrong."""
        try:
            await asyncio.to_thread(self._probe)
        except (OSError, RuntimeError, MemoryError) as problem:
            shortage = shortage_of(problem)
            if shortage is None:
                raise
            raise shortage from problem

    def _end(self, began: float) -> None:
        problem, self.problem, self.since = self.problem, None, None
        self._ended_at = self._clock()
        seconds = round(self._ended_at - began, 1)
        if isinstance(problem, ArchiveUnavailable):
            log.info("archive_available", after_seconds=seconds)
        elif isinstance(problem, ShortOfResources):
            log.info("resources_available", after_seconds=seconds)
        else:
            log.info("database_available", after_seconds=seconds)
        self._on_change(None)


def _tell_of(problem: MorgueError, *, for_seconds: float) -> None:
    if isinstance(problem, ArchiveUnavailable):
        log.error("archive_unavailable", problem=str(problem), for_seconds=round(for_seconds))
    elif isinstance(problem, ShortOfResources):
        log.error("resources_short", problem=str(problem), for_seconds=round(for_seconds))
    else:
        log.error("database_unavailable", problem=str(problem), for_seconds=round(for_seconds))


def probe_all(
    lock: ServiceLock, write: Callable[[], None], archive: Path, check_folder: Callable[[], None] = lambda: None
) -> None:
    """See that the lock is ours, that the database takes a row and the archive a file of some size.

    `check_folder` raises where the archive's folder is another one than it was; it must not be made anew then.

    Raises `DatabaseUnavailable`, `ArchiveUnavailable`, or `ServiceRunning` when another service has begun meanwhile.
    """
    lock.regain()
    write()
    check_folder()
    probe_archive(archive)


def probe_archive(folder: Path) -> None:
    """Write a file of some size durably into the archive's folder, and remove it. Raises `ArchiveUnavailable`."""
    prepare_folder(folder)
    path = folder / f".probe-{secrets.token_hex(4)}"
    try:
        with path.open("xb", buffering=0) as file:
            # A disk that is nearly full takes a part, and says so the next time only.
            left = PROBE_BYTES
            while left:
                left -= file.write(b"\0" * left)
            os.fsync(file.fileno())
    except OSError as problem:
        raise unavailable(folder, problem) from problem
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
