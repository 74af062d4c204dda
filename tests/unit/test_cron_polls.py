"""Feeds that are polled at the times of a cron expression, also in the nights in which clocks change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler.feed_planner import at_times
from storage.model import FeedKind, PollReason
from storage.records import FeedState

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FEED = "http://paper.example/feed.rss"


def times(expression, zone, after, count):
    """Return the local times at which a feed is polled that is polled within seconds of being due."""
    due = at_times(expression, timezone=zone)
    feed = FeedState(feed_id=1, source_id=1, url=FEED, kind=FeedKind.RSS, last_polled_at=after)
    found = []
    for _ in range(count):
        planned = due(feed, feed.last_polled_at)
        assert planned.reason is PollReason.CRON
        found.append(f"{planned.next_poll_at:%d %H:%M}")
        feed = replace(feed, last_polled_at=planned.next_poll_at + timedelta(seconds=3))
    return found


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        ("30 6 * * *", None, "2026-03-28T12:00", ["29 06:30", "30 06:30"]),
        ("30 6 * * *", "Europe/Berlin", "2026-03-28T12:00", ["29 04:30", "30 04:30"]),
        # In the night of the change 02:30 does not come: an hour later by the clock, and not a day.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", ["29 01:30", "30 00:30"]),
        ("0 * * * *", "Europe/Berlin", "2026-03-28T23:30", ["29 00:00", "29 01:00", "29 02:00"]),
        # The midnight after it does come.
        ("0 0 * * *", "Europe/Berlin", "2026-03-28T12:00", ["28 23:00", "29 22:00", "30 22:00"]),
        # Where midnight itself is left out, too.
        ("0 0 * * *", "America/Santiago", "2026-09-05T12:00", ["06 04:00", "07 03:00"]),
        # In the other night it comes twice.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", ["25 00:30", "25 01:30", "26 01:30"]),
        ("0 * * * *", "Europe/Berlin", "2026-10-24T23:30", ["25 00:00", "25 01:00", "25 02:00"]),
        ("15 1 * * *", "America/New_York", "2026-11-01T00:00", ["01 05:15", "01 06:15", "02 06:15"]),
        ("0 9 * * mon-fri", "Europe/London", "2026-05-08T12:00", ["11 08:00", "12 08:00"]),
    ],
)
def test_a_cron_time_is_one_of_its_zone(expression, zone, after, expected):
    begin = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert times(expression, zone, begin, len(expected)) == expected


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        ("Europe/Berlin", "2026-03-29"),
        ("Europe/Berlin", "2026-10-25"),
        ("Australia/Lord_Howe", "2026-04-05"),  # by half an hour
        ("Antarctica/Troll", "2026-10-25"),  # by two hours
        ("America/Santiago", "2026-04-04"),  # at midnight
        ("America/St_Johns", "2006-10-29"),  # a minute after it
    ],
)
@pytest.mark.parametrize(
    ("expression", "minutes", "hours"),
    [
        ("0 0 * * *", {0}, {0}),
        ("59 23 * * *", {59}, {23}),
        ("15 1-3 * * *", {15}, {1, 2, 3}),
        ("*/20 * * * *", {0, 20, 40}, set(range(24))),
    ],
)
def test_no_time_that_clocks_show_is_passed_over(expression, minutes, hours, zone, night):
    begin = datetime.fromisoformat(night).replace(tzinfo=UTC) - timedelta(days=1)
    every_minute = (begin + timedelta(minutes=number) for number in range(1, 3 * 24 * 60))
    clocks = ((at, at.astimezone(ZoneInfo(zone))) for at in every_minute)
    shown = [f"{at:%d %H:%M}" for at, clock in clocks if clock.minute in minutes and clock.hour in hours]
    polled = times(expression, zone, begin, len(shown))
    # Besides, those that no clock shows come later by as much as clocks are set forth.
    assert [at for at in shown if at <= polled[-1] and at not in polled] == []
    assert polled == sorted(set(polled))


def test_what_a_service_missed_is_made_up_for_once():
    due = at_times("0 * * * *", timezone=None)
    feed = FeedState(feed_id=1, source_id=1, url=FEED, kind=FeedKind.RSS, last_polled_at=NOON - timedelta(days=3))
    assert due(feed, NOON).next_poll_at <= NOON
    assert due(replace(feed, last_polled_at=NOON), NOON).next_poll_at == NOON + timedelta(hours=1)
    assert due(replace(feed, last_polled_at=NOON + timedelta(days=9)), NOON).next_poll_at == NOON + timedelta(hours=1)
