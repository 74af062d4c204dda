"""The ticker: calls the service's jobs at their intervals. The only importer of APScheduler.

APScheduler remembers nothing across restarts here, and need not: what is owed stands in the database.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from storage.clock import steady_seconds, utc_now

log = structlog.get_logger()

Job = Callable[[], Awaitable[object]]

CLOCK_SECONDS = timedelta(seconds=5)
"""How often it is looked whether the wall clock was set back."""
SET_BACK_SECONDS = 60.0
"""A clock that is set back by less was put right, as time servers do."""


class Ticker:
    """Runs each job at its interval, one run of it at a time; a tick missed while it runs is dropped."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._running: set[asyncio.Future[object]] = set()
        self._intervals: dict[str, timedelta] = {}
        self._heed_clock: asyncio.TimerHandle | None = None
        self._clock_ahead: float | None = None

    def every(self, seconds: float, job: Job, *, name: str, first_at: datetime) -> None:
        """Call `job` at `first_at` and every so many seconds after."""

        async def run() -> None:
            # Stopping the scheduler cancels what it runs; a job is to end by itself.
            running = asyncio.ensure_future(job())
            self._running.add(running)
            running.add_done_callback(self._running.discard)
            try:
                await asyncio.shield(running)
            except Exception:
                # The boundary of a job: it failed this time, and has its next time.
                log.exception("job_failed", job=name)

        self._intervals[name] = timedelta(seconds=seconds)
        self._scheduler.add_job(run, "interval", seconds=seconds, id=name, name=name, next_run_time=first_at)

    def start(self) -> None:
        """Start ticking on the running loop."""
        self._scheduler.start()
        self._look_at_clock()

    def stop(self) -> None:
        """Tick no more; a job that runs is not interrupted."""
        if self._heed_clock is not None:
            self._heed_clock.cancel()
        self._scheduler.shutdown(wait=False)

    def _look_at_clock(self) -> None:
        """Bring jobs forward whose times are far ahead: the scheduler goes by the wall clock, which may be set back."""
        now = utc_now()
        ahead = now.timestamp() - steady_seconds()
        if self._clock_ahead is not None and self._clock_ahead - ahead > SET_BACK_SECONDS:
            log.warning("clock_set_back", seconds=round(self._clock_ahead - ahead))
        self._clock_ahead = ahead
        for job in self._scheduler.get_jobs():
            if job.next_run_time > now + self._intervals[job.id] + CLOCK_SECONDS:
                job.modify(next_run_time=now)
        self._heed_clock = asyncio.get_running_loop().call_later(CLOCK_SECONDS.total_seconds(), self._look_at_clock)


def next_cron_time(expression: str, *, timezone: str | None, after: datetime) -> datetime:
    """Return the first instant after `after` that a cron expression of five fields names, in a zone (default UTC).

    A time that a change of the zone's clocks leaves out comes by the clock as it was before (02:30 at 03:30); one that
    comes twice is named twice. Raises `ValueError` for an expression that names no instant.
    """
    zone = ZoneInfo(timezone or "UTC")
    # By the times that clocks show, as if no clock ever changed: at a change the library passes over the time that
    # follows it by a day, such as the midnight after.
    trigger = CronTrigger.from_crontab(expression, timezone=UTC)
    begin = _shown(after, zone) - _change_of_clocks(after, zone)
    found: datetime | None = None
    while True:
        fire_time = trigger.get_next_fire_time(None, begin.replace(tzinfo=UTC))
        if fire_time is None:
            break
        shown = fire_time.replace(tzinfo=None)
        # Around a change, a clock may show a later time first.
        if found is not None and shown > _shown(found, zone) + _change_of_clocks(found, zone):
            break
        found = min((one for one in (found, *_instants(shown, zone)) if one is not None and one > after), default=None)
        begin = shown + timedelta(minutes=1)
    if found is None:
        raise ValueError(f"{expression!r} never comes")
    return found.astimezone(after.tzinfo)


def _shown(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _instants(shown: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return when clocks show a time: twice where they were set back (PEP 495), and later where they never do."""
    first, second = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return [first, second] if second > first else [first]


def _change_of_clocks(instant: datetime, zone: ZoneInfo) -> timedelta:
    """Return by how much clocks are set forth or back within a day of an instant."""
    around = (instant + timedelta(days=days) for days in (-1, 0, 1))
    offsets = [at.astimezone(zone).utcoffset() or timedelta(0) for at in around]
    return max(offsets) - min(offsets)
