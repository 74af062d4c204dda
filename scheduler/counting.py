"""Brings the counts of days up to date, by the service every few minutes and by each crawl at its end."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from storage.clock import steady_seconds
from storage.store import Store, Transaction

STATE = "housekeeping"
"""The name under which it is kept up to which day counts are settled, and what else housekeeping remembers."""
SETTLED_AFTER = timedelta(days=1)
"""So long after its end a day is counted for the last time: a machine that sleeps for a night, or a clock that is set
back, has what was fetched before midnight recorded hours after it."""
COUNT_SECONDS = 1.0
"""So long days that were missed are counted in one go."""


def count_days(store: Store, now: datetime) -> bool:
    """Count the days that are not settled yet: the last two, and as many before as a second allows.

    Returns whether more wait. Raises `DatabaseUnavailable`.
    """
    with store.reading() as transaction:
        settled = housekeeping_state(transaction).get("settled")
        first = transaction.tallies.first_day() if settled is None else None
    days = open_days(None if settled is None else date.fromisoformat(settled), first, now)
    until, missed = steady_seconds() + COUNT_SECONDS, days[:-2]
    while missed and steady_seconds() < until:
        _count_day(store, missed.pop(0), now)
    if not missed:
        for day in days[-2:]:
            _count_day(store, day, now)
    return bool(missed)


def _count_day(store: Store, day: date, now: datetime) -> None:
    """Count a day, and settle it once it has been over for long enough; the days before it are settled."""
    with store.reading() as transaction:
        counted = transaction.tallies.count(day)
    over = now >= midnight(day + timedelta(days=1)) + SETTLED_AFTER
    with store.writing() as transaction:
        transaction.tallies.keep(day, counted, now)
        if over:
            transaction.service_state.put(STATE, housekeeping_state(transaction) | {"settled": day.isoformat()}, now)


def open_days(settled: date | None, first: date | None, now: datetime) -> list[date]:
    """Return the days up to today that are still to be counted, `first` being the one of the oldest fetch."""
    today = now.astimezone(UTC).date()
    newest = today - timedelta(days=2)
    if settled is None:
        begin = min(first or today, today)
    else:
        # A clock that was ahead may have settled days that are not over, or yet to come; then `newest` is settled anew.
        begin = newest if settled > newest else settled + timedelta(days=1)
    return [begin + timedelta(days=number) for number in range((today - begin).days + 1)]


def housekeeping_state(transaction: Transaction) -> dict[str, Any]:
    """Return what is remembered from one time to the next."""
    stored = transaction.service_state.get(STATE)
    return {} if stored is None else dict(stored[0])


def midnight(day: date) -> datetime:
    """Return the instant at which a day begins."""
    return datetime.combine(day, time.min, tzinfo=UTC)
