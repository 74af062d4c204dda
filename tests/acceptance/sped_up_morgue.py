"""`morgue` in a world whose days pass quickly: `python -m tests.acceptance.sped_up_morgue --config … run`.

`MORGUE_TEST_CLOCK` is `SPEED@START`: at `START`, in seconds since 1970, all clocks agree, and from then on the wall
clock of all that plans, ages and expires goes `SPEED` times as fast. What spaces requests stays on the machine's own
time: the turns at hosts, what they ask for by Retry-After, time limits, and the ticker that calls the service's jobs.

What this cannot show is what lies between the two: a plan that is put off because a host asked to be left alone, the
budget of requests a day, and times of day of cron expressions.
"""

import os
import sys
import time
from datetime import UTC, datetime, timedelta

from storage import clock

VARIABLE = "MORGUE_TEST_CLOCK"


class FastClock:
    """The wall clock of the sped-up world, the same in every process that is given the same `SPEED@START`."""

    def __init__(self, setting: str) -> None:
        speed, _, start = setting.partition("@")
        self.setting = setting
        self.speed = float(speed)
        self._start = float(start)

    @classmethod
    def beginning_now(cls, speed: float) -> "FastClock":
        """Return a clock that agrees with all others now."""
        return cls(f"{speed}@{time.time()}")

    def now(self) -> datetime:
        """Return the present instant there."""
        return datetime.fromtimestamp(self._start + (time.time() - self._start) * self.speed, UTC)

    def real(self, instant: datetime) -> datetime:
        """Return what the machine's own clock shows at an instant there."""
        return datetime.fromtimestamp(self._start + (instant.timestamp() - self._start) / self.speed, UTC)

    def real_seconds(self, duration: timedelta) -> float:
        """Return how long a duration there takes, in seconds here."""
        return duration.total_seconds() / self.speed


def speed_up(fast: FastClock) -> None:
    """Let everything plan by the fast clock, but for the turns at hosts and the ticker."""
    from crawler import politeness
    from scheduler import local
    from storage import database_clock

    true_now, on_true_time = clock.utc_now, {politeness, database_clock, local}
    clock.utc_now = fast.now
    for module in list(sys.modules.values()):
        if getattr(module, "utc_now", None) is true_now and module not in on_true_time:
            module.utc_now = fast.now
    for name in ("hold", "held_until", "held_hosts"):
        method = getattr(politeness.Politeness, name)
        setattr(politeness.Politeness, name, _asked_at(true_now, method))
    every = local.Ticker.every

    def every_from(self, seconds, job, *, name, first_at):
        every(self, seconds, job, name=name, first_at=fast.real(first_at))

    local.Ticker.every = every_from


def _asked_at(now, method):
    """Return a method that is told another present instant than its callers think."""

    def asked(self, *words, **_):
        return method(self, *words, now=now())

    return asked


if __name__ == "__main__":
    speed_up(FastClock(os.environ[VARIABLE]))
    from scheduler.cli import main

    main()
