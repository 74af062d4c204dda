"""The ticker: calls the service's jobs at their intervals. The only importer of APScheduler.

APScheduler remembers nothing across restarts here, and need not: what is owed stands in the database.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

Job = Callable[[], Awaitable[object]]


class Ticker:
    """Runs each job at its interval, one run of it at a time; a tick missed while it runs is dropped."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def every(self, seconds: float, job: Job, *, name: str, first_at: datetime) -> None:
        """Call `job` at `first_at` and every so many seconds after."""
        self._scheduler.add_job(job, "interval", seconds=seconds, id=name, name=name, next_run_time=first_at)

    def start(self) -> None:
        """Start ticking on the running loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Tick no more; a job that runs is not interrupted."""
        self._scheduler.shutdown(wait=False)


def next_cron_time(expression: str, *, timezone: str | None, after: datetime) -> datetime:
    """Return the first instant after `after` that a cron expression of five fields names, in a zone (default UTC).

    Raises `ValueError` for an expression that names no instant.
    """
    zone = ZoneInfo(timezone or "UTC")
    trigger = CronTrigger.from_crontab(expression, timezone=zone)
    found = trigger.get_next_fire_time(None, after)
    if found is None:
        raise ValueError(f"{expression!r} never comes")
    result: datetime = found
    return result.astimezone(after.tzinfo)
