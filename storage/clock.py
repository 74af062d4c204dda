"""The one place where our code reads the wall clock."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present instant, aware, in UTC, with microseconds."""
    return datetime.now(UTC)
