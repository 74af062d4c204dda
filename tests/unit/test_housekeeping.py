"""What housekeeping decides: days that are open, slices, disks, and which warnings stand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from scheduler.counting import open_days
from scheduler.housekeeping import SLICE_ROWS, next_slice, shortage
from scheduler.source_warnings import SourceWarning, WarningKind
from scheduler.standing_warnings import StandingWarning, differing, renewed

NOW = datetime(2026, 3, 10, 0, 30, tzinfo=UTC)
TODAY, YESTERDAY, BEFORE = date(2026, 3, 10), date(2026, 3, 9), date(2026, 3, 8)


@pytest.mark.parametrize(
    ("settled", "first", "expected"),
    [
        (BEFORE, None, [YESTERDAY, TODAY]),
        (date(2026, 3, 6), None, [date(2026, 3, 7), BEFORE, YESTERDAY, TODAY]),
        (None, None, [TODAY]),
        (None, date(2026, 3, 7), [date(2026, 3, 7), BEFORE, YESTERDAY, TODAY]),
        # The clock was ahead once.
        (YESTERDAY, None, [BEFORE, YESTERDAY, TODAY]),
        (date(2027, 1, 1), None, [BEFORE, YESTERDAY, TODAY]),
        (None, date(2027, 1, 1), [TODAY]),
    ],
)
def test_days_are_open_until_they_are_settled(settled, first, expected):
    assert open_days(settled, first, NOW) == expected


def test_slices_grow_and_shrink_towards_their_time():
    assert next_slice(100, 0.04) == 100
    assert next_slice(100, 0.001) == 200
    assert next_slice(100, 0.4) == SLICE_ROWS[0]
    assert next_slice(2000, 0.001) == SLICE_ROWS[1]
    assert next_slice(1000, 0.08) == 500


@pytest.mark.parametrize(
    ("total", "free", "expected"),
    [(100, 0.9, True), (100, 4, True), (100, 6, False), (4000, 50, False), (400, 19, True), (2, 1.5, False)],
)
def test_a_disk_is_short_of_room_by_share_and_size(total, free, expected):
    assert shortage(total_bytes=int(total * 2**30), free_bytes=int(free * 2**30)) is expected


def standing(source: str | None, kind: WarningKind, subject: str | None = None, hours: float = 1) -> StandingWarning:
    """Return a warning that was raised so many hours ago."""
    return StandingWarning(
        source=source, kind=kind, subject=subject, sentence="As it was.", since=NOW - timedelta(hours=hours)
    )


def test_warnings_stand_until_their_source_is_judged_well():
    before = [
        standing("courier", WarningKind.FEED_FAILING, "http://a.example/feed"),
        standing("courier", WarningKind.PAGES_REFUSED, "blocked_status"),
        standing("gazette", WarningKind.NO_ARTICLES),
        standing(None, WarningKind.DISK_LOW, "archive"),
    ]
    found = {
        "courier": [
            SourceWarning(kind=WarningKind.PAGES_REFUSED, subject="blocked_status", sentence="As it is."),
            SourceWarning(kind=WarningKind.TEXT_SHORT, sentence="New."),
        ],
        None: [],
    }
    after = renewed(before, found, now=NOW)
    assert [(one.source, one.kind, one.sentence) for one in after] == [
        ("courier", WarningKind.PAGES_REFUSED, "As it is."),
        ("courier", WarningKind.TEXT_SHORT, "New."),
        ("gazette", WarningKind.NO_ARTICLES, "As it was."),
    ]
    assert [one.since for one in after] == [NOW - timedelta(hours=1), NOW, NOW - timedelta(hours=1)]
    raised, ended = differing(before, after)
    assert [one.kind for one in raised] == [WarningKind.TEXT_SHORT]
    assert [one.kind for one in ended] == [WarningKind.FEED_FAILING, WarningKind.DISK_LOW]


def test_a_silence_of_which_more_is_known_has_not_ended():
    before, after = [standing("gazette", WarningKind.FEED_STALE)], [standing("gazette", WarningKind.NO_ARTICLES)]
    assert differing(before, after) == (after, [])
    assert differing(after, []) == ([], after)
