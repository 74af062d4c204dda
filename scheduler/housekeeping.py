"""What the service does beside fetching, to last for months: it counts days, judges sources, and clears up.

Each step has a time of its own, does a bounded amount of work, and may be done at any time and any number of times; one
that fails costs the others nothing. The times of those that are due daily are kept in the database.
"""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from crawler.recorder import Recorder
from scheduler.counting import STATE, count_days, housekeeping_state, midnight
from scheduler.settings import ServiceSettings
from scheduler.source_warnings import SourceWarning, WarningKind
from scheduler.standing_warnings import differing, judged_sources, keep_warnings, read_warnings, renewed
from storage.archive import Archive
from storage.clock import steady_seconds
from storage.errors import DatabaseBusy, MorgueError
from storage.records import StoredSource
from storage.settings import ArchiveSettings
from storage.store import Store, Transaction

log = structlog.get_logger()

OFTEN = timedelta(minutes=1)
COUNTS = timedelta(minutes=5)
HOURLY = timedelta(hours=1)
DAILY = timedelta(days=1)
SOURCES_AT_ONCE = 100
THIN_SECONDS = 2.0
"""So long attempts are deleted in one go, the pauses between the slices included."""
SLICE_SECONDS = 0.04
"""So long a slice should take, while nobody else can write to SQLite."""
SLICE_ROWS = (50, 2000)
LEAST_FREE_BYTES = 1 << 30
LEAST_FREE_SHARE = 0.05
ENOUGH_FREE_BYTES = 20 << 30
"""A twentieth of a big disk may be much: with so much left nobody is warned."""
LOG_TOO_LARGE_BYTES = 256 << 20
"""A write-ahead log beyond this that cannot be copied means that somebody has been reading for long."""


@dataclass(frozen=True, kw_only=True)
class _Step:
    """`work` returns whether more is to be done at once; `lasting` says that its time outlives the process."""

    name: str
    every: timedelta
    work: Callable[[datetime], Awaitable[bool]]
    lasting: bool = False


class Housekeeping:
    """Does what is due each time it is run; one run at a time."""

    def __init__(
        self,
        *,
        store: Store,
        recorder: Recorder,
        archive: Archive,
        service: ServiceSettings,
        archive_settings: ArchiveSettings,
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._archive = archive
        self.configure(service=service, archive_settings=archive_settings)
        self._stopping = False
        self._due: dict[str, datetime] = {}
        self._slice_rows = SLICE_ROWS[0]
        self._judged_until = 0
        self._of_service: dict[tuple[WarningKind, str | None], str] = {}
        self._steps = (
            _Step(name="count_days", every=COUNTS, work=self._count_days),
            _Step(name="look_at_disks", every=COUNTS, work=self._look_at_disks),
            _Step(name="tend_log", every=OFTEN, work=self._tend_log),
            _Step(name="judge_sources", every=OFTEN, work=self._judge_sources),
            _Step(name="rotate_archive", every=OFTEN, work=self._rotate_archive),
            _Step(name="thin_fetches", every=HOURLY, work=self._thin_fetches),
            _Step(name="forget", every=DAILY, work=self._forget, lasting=True),
            _Step(name="analyse", every=DAILY, work=self._analyse, lasting=True),
        )

    def configure(self, *, service: ServiceSettings, archive_settings: ArchiveSettings) -> None:
        """Take up settings, at the beginning and when they are read again."""
        self._service = service
        self._archive_settings = archive_settings

    def stop(self) -> None:
        """Begin nothing more: a run ends within about a second."""
        self._stopping = True

    async def run(self, now: datetime) -> None:
        """Do what is due. A step that fails is logged and tried again at its next time.

        Raises `DatabaseUnavailable` and `ArchiveUnavailable`, with which nothing else would succeed either.
        """
        for step in self._steps:
            if self._stopping:
                return
            if await self._is_due(step, now):
                await self._do(step, now)

    async def _is_due(self, step: _Step, now: datetime) -> bool:
        if step.name not in self._due and step.lasting:
            due = (await asyncio.to_thread(self._read_state)).get("due", {}).get(step.name)
            self._due[step.name] = now if due is None else datetime.fromisoformat(due)
        due_at = self._due.get(step.name, now)
        # One that lies further ahead than it can was set before the clock was set back.
        return due_at <= now or due_at > now + step.every

    async def _do(self, step: _Step, now: datetime) -> None:
        more = False
        try:
            more = await step.work(now)
        except DatabaseBusy as problem:
            log.info("database_busy", job=step.name, problem=str(problem))
        except MorgueError:
            raise
        except Exception:
            # The boundary of one step: whatever it met must not keep the others from being done.
            log.exception("housekeeping_failed", step=step.name)
        self._due[step.name] = now if more else now + step.every
        if step.lasting:
            await asyncio.to_thread(self._keep_due, step.name, now)

    def _read_state(self) -> dict[str, Any]:
        with self._store.reading() as transaction:
            return housekeeping_state(transaction)

    def _keep_due(self, name: str, now: datetime) -> None:
        with self._store.writing(lasting=False) as transaction:
            state = housekeeping_state(transaction)
            due = state.get("due", {}) | {name: self._due[name].isoformat()}
            transaction.service_state.put(STATE, state | {"due": due}, now)

    # Days and sources

    async def _count_days(self, now: datetime) -> bool:
        return await asyncio.to_thread(count_days, self._store, now)

    async def _judge_sources(self, now: datetime) -> bool:
        await asyncio.to_thread(self._judge_slice, now)
        return False

    def _judge_slice(self, now: datetime) -> None:
        with self._store.reading() as transaction:
            before = read_warnings(transaction)
            sources = self._next_sources(transaction)
            found = judged_sources(transaction, sources, before, now=now)
        found[None] = [
            SourceWarning(kind=kind, subject=subject, sentence=sentence)
            for (kind, subject), sentence in self._of_service.items()
        ]
        after = renewed(before, found, now=now)
        if after != before:
            with self._store.writing(lasting=False) as transaction:
                keep_warnings(transaction, after, now)
        raised, ended = differing(before, after)
        for warning in raised:
            log.warning(
                "warning_raised",
                source=warning.source,
                kind=warning.kind.value,
                subject=warning.subject,
                sentence=warning.sentence,
            )
        for warning in ended:
            log.info("warning_ended", source=warning.source, kind=warning.kind.value, subject=warning.subject)

    def _next_sources(self, transaction: Transaction) -> list[StoredSource]:
        """Return the sources that are judged next: a hundred, so that many sources take turns."""
        every = sorted(transaction.sources.all(), key=lambda stored: stored.source_id)
        later = [stored for stored in every if stored.source_id > self._judged_until]
        chosen = later[:SOURCES_AT_ONCE]
        self._judged_until = chosen[-1].source_id if len(later) > SOURCES_AT_ONCE else 0
        return chosen

    # Clearing up

    async def _thin_fetches(self, now: datetime) -> bool:
        return await asyncio.to_thread(self._thin, now)

    def _thin(self, now: datetime) -> bool:
        """Delete attempts that have had their time, and return whether there are more."""
        kept_for, settled = self._service.fetches_kept_for, self._read_state().get("settled")
        if kept_for is None or settled is None:
            return False
        with self._store.writing(lasting=False) as transaction:
            # A wall clock that was set far ahead is set right some day, and what was deleted by it stays away.
            now = min(now, transaction.retention.now())
        # Never those of a day that is still counted.
        before = min(now - kept_for, midnight(date.fromisoformat(settled) + timedelta(days=1)))
        until, deleted = steady_seconds() + THIN_SECONDS, 0
        while not self._stopping and steady_seconds() < until:
            rows = self._slice_rows
            with self._store.writing() as transaction:
                began = steady_seconds()
                found = transaction.retention.thin_fetches(before, rows)
            took = steady_seconds() - began
            deleted += found
            if found < rows:
                break
            self._slice_rows = next_slice(rows, took)
            # Others write as long as this did.
            time.sleep(max(took, SLICE_SECONDS / 2))
        if deleted:
            log.info("fetches_thinned", deleted=deleted, before=before.isoformat())
        return bool(deleted) and found == rows

    async def _forget(self, now: datetime) -> bool:
        def forget() -> bool:
            with self._store.writing() as transaction:
                transaction.retention.forget_waiters()
                return transaction.retention.forget_robots(now, SLICE_ROWS[0]) == SLICE_ROWS[0]

        return await asyncio.to_thread(forget)

    async def _analyse(self, _: datetime) -> bool:
        await asyncio.to_thread(self._store.analyse)
        return False

    async def _tend_log(self, _: datetime) -> bool:
        state = await asyncio.to_thread(self._store.tend_log)
        held_back = state is not None and state.held_back and state.size_bytes > LOG_TOO_LARGE_BYTES
        size = f"{state.size_bytes / 1e9:.1f} GB" if state is not None else ""
        self._warn(
            WarningKind.WAL_HELD_BACK,
            None,
            f"The write-ahead log of the database has grown to {size}, because a program has been reading from one "
            "point of time for long; it shrinks when that ends."
            if held_back
            else None,
        )
        return False

    async def _rotate_archive(self, _: datetime) -> bool:
        age = self._archive_settings.max_file_seconds

        def close(__: Transaction) -> bool:
            # Run by the thread that appends, between two batches.
            return self._archive.close_if_older(age)

        if await self._recorder.write(close):
            log.info("archive_rotated")
        return False

    async def _look_at_disks(self, _: datetime) -> bool:
        file = self._store.file
        folders = {"archive": self._archive.directory} | ({} if file is None else {"database": file.parent})
        for name, folder in folders.items():
            self._warn(WarningKind.DISK_LOW, name, await asyncio.to_thread(partial(_shortage, name, folder)))
        return False

    def _warn(self, kind: WarningKind, subject: str | None, sentence: str | None) -> None:
        """Raise a warning of the service, or end it (None)."""
        if sentence is None:
            self._of_service.pop((kind, subject), None)
        else:
            self._of_service[kind, subject] = sentence


def next_slice(rows: int, took_seconds: float) -> int:
    """Return how many rows the next slice should have, after one of `rows` took so long."""
    least, most = SLICE_ROWS
    wanted = rows * SLICE_SECONDS / max(took_seconds, SLICE_SECONDS / 4)
    return round(min(max(wanted, least), most, rows * 2))


def shortage(*, total_bytes: int, free_bytes: int) -> bool:
    """Whether a disk has too little room left."""
    if free_bytes < LEAST_FREE_BYTES:
        return True
    return free_bytes < total_bytes * LEAST_FREE_SHARE and free_bytes < ENOUGH_FREE_BYTES


def _shortage(name: str, folder: Path) -> str | None:
    """Return a sentence about a folder's disk that has too little room left; None where there is nothing to say."""
    try:
        usage = shutil.disk_usage(folder)
    except FileNotFoundError:
        return None
    if not shortage(total_bytes=usage.total, free_bytes=usage.free):
        return None
    share = usage.free / usage.total * 100
    return f"The disk of the {name} ({folder}) has {usage.free / 1e9:.1f} GB left, {share:.0f} % of it."
