"""Hours that nobody watched are no silence: a service that was off, feeds of which hardly a poll goes well."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.breakage import SourceFacts, warnings
from scheduler.source_warnings import WarningKind
from storage.tallies import HOURS, Tally
from tests.unit.source_days import BEGIN, DAYTIME, day_of, steady_days

DAYS = steady_days(52, a_day=500, shape=DAYTIME, weekend=0.3, seed=3)
"""They end on a Wednesday."""
LAST = DAYS[-1].day


def polled(day: Tally, hours: range) -> Tally:
    """Return the day with polls in these hours only, and no news in others."""
    counts = tuple(count if hour in hours else 0 for hour, count in enumerate(day.hours))
    polls = tuple(int(hour in hours) for hour in range(HOURS))
    return replace(day_of(day.day, hours=counts), poll_hours=polls)


def kinds(days: list[Tally], hour: int, minute: int = 1) -> list[WarningKind]:
    """Return what is warned of at an instant of the day after the last one."""
    now = datetime.combine(LAST, datetime.min.time(), UTC) + timedelta(days=1, hours=hour, minutes=minute)
    begun = datetime(BEGIN.year, BEGIN.month, BEGIN.day, tzinfo=UTC)
    return [one.kind for one in warnings(days, facts=SourceFacts(first_seen_at=begun), now=now)]


def today(polls: range, news: range = range(0)) -> Tally:
    """Return the day after the last one, with polls that find addresses and news in some hours."""
    hours = tuple(20 * (hour in news) for hour in range(HOURS))
    counts = tuple(int(hour in polls) for hour in range(HOURS))
    found = tuple(20 * (hour in polls) for hour in range(HOURS))
    return replace(day_of(LAST + timedelta(days=1), hours=hours, entries=found), poll_hours=counts)


@pytest.mark.parametrize("hour", [10, 11])
def test_what_a_service_missed_that_was_off_for_a_day_is_no_silence(hour):
    days = [*DAYS[:-1], polled(DAYS[-1], range(10))]
    assert kinds(days, hour) == []
    assert kinds([*days, today(range(10, hour + 1))], hour) == []


def test_news_of_the_hour_that_is_not_over_end_a_silence():
    assert kinds([*DAYS, today(range(20))], 20, 5) == [WarningKind.NO_ARTICLES]
    assert kinds([*DAYS, today(range(21), range(20, 21))], 20, 5) == []


def test_hours_off_on_the_same_day_are_no_silence():
    for hour in (10, 12, 14, 18):
        assert kinds([*DAYS, today(range(6), range(6))], hour) == []


def test_a_feed_of_which_hardly_a_poll_goes_well_is_not_watched():
    days = [*DAYS[:-1], polled(DAYS[-1], range(23, 24)), replace(today(range(1)), polls={"listed": 1, "timeout": 95})]
    days[-2] = replace(days[-2], hours=(0,) * HOURS)
    for hour in (1, 6, 12, 20):
        assert kinds(days, hour) == []
