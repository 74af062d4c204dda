"""The one place where our code reads clocks: the wall's, and one that nobody sets."""

import time
from datetime import UTC, datetime

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", None)


def utc_now() -> datetime:
    """Return the present instant, aware, in UTC, with microseconds."""
    return datetime.now(UTC)


def steady_seconds() -> float:
    """Return seconds of a clock that only goes forward, whatever is done to the wall clock.

    Where the system has such a clock it is the same one for all processes of a machine, and it also counts while the
    machine sleeps: what was promised for ten seconds is over when a laptop is opened again.
    """
    return time.monotonic() if _SINCE_BOOT is None else time.clock_gettime(_SINCE_BOOT)


def monotonic_microseconds() -> int:
    """Return CLOCK_MONOTONIC in microseconds, the clock by which a service manager orders what it is told."""
    return time.monotonic_ns() // 1000
