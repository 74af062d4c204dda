"""Breakage that lasts: its warning stands until it is over, at sources of every size."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.breakage import SourceFacts, warnings
from scheduler.source_warnings import SourceWarning, Standing, WarningKind
from scheduler.standing_warnings import LOOK_BACK
from storage.tallies import Tally, text_place
from tests.unit.source_days import BEGIN, steady_days

BROKEN, MENDED = 91, 135
"""The days on which something breaks, and on which it is well again."""


def without_authors(day: Tally) -> Tally:
    """Return the day with a field missing."""
    return replace(day, fields=day.fields | {"authors": 0})


def halved(day: Tally) -> Tally:
    """Return the day with two fifths of each text."""
    lengths = [0] * len(day.text_lengths)
    lengths[text_place(1200)] = day.articles
    return replace(day, text_sum=1200 * day.articles, text_lengths=tuple(lengths))


def refused(day: Tally) -> Tally:
    """Return the day with all its pages refused."""
    return replace(day, pages={"blocked_status": max(day.articles, 1)})


def walled(day: Tally) -> Tally:
    """Return the day with a wall before all its pages."""
    return replace(day, pages={"consent_wall": max(day.articles, 1)})


def played(days: list[Tally], kind: WarningKind) -> list[tuple[int, bool]]:
    """Judge at the end of each day; return on which days a kind of warning was raised (True) or ended (False)."""
    standing: list[Standing] = []
    changes = []
    begun = datetime(BEGIN.year, BEGIN.month, BEGIN.day, tzinfo=UTC)
    for number in range(80, len(days)):
        now = begun + timedelta(days=number, hours=23, minutes=50)
        facts = SourceFacts(first_seen_at=begun - timedelta(days=90), standing=standing)
        found = warnings(days[max(0, number - LOOK_BACK.days) : number + 1], facts=facts, now=now)
        since = {(one.warning.kind, one.warning.subject): one.since for one in standing}
        was = any(one.warning.kind is kind for one in standing)
        standing = [Standing(warning=one, since=since.get((one.kind, one.subject), now)) for one in found]
        if (stands := any(one.warning.kind is kind for one in standing)) != was:
            changes.append((number, stands))
    return changes


@pytest.mark.parametrize(
    ("a_day", "break_day", "kind", "within"),
    [
        (40, without_authors, WarningKind.FIELD_MISSING, 1),
        (5, without_authors, WarningKind.FIELD_MISSING, 7),
        (1, without_authors, WarningKind.FIELD_MISSING, 31),
        (40, halved, WarningKind.TEXT_SHORT, 2),
        (5, halved, WarningKind.TEXT_SHORT, 8),
        (1, halved, WarningKind.TEXT_SHORT, 31),
        (40, refused, WarningKind.PAGES_REFUSED, 1),
        (0.6, refused, WarningKind.PAGES_REFUSED, 7),
        (0.6, walled, WarningKind.PAGES_WALLED, 7),
    ],
)
def test_a_breakage_is_warned_of_once_until_it_is_over(a_day, break_day, kind, within):
    days = steady_days(163, a_day=a_day, filled=0.7, seed=3)
    days[BROKEN:MENDED] = [break_day(day) for day in days[BROKEN:MENDED]]
    changes = played(days, kind)
    assert [raised for _, raised in changes] == [True, False]
    assert BROKEN <= changes[0][0] < BROKEN + within
    assert MENDED <= changes[1][0] < MENDED + 25


def test_a_warning_stands_where_there_is_too_little_to_judge_by():
    days = steady_days(40, a_day=0.1, seed=3)
    now = datetime.combine(days[-1].day, datetime.min.time(), UTC) + timedelta(hours=20)
    standing = [
        Standing(warning=SourceWarning(kind=kind, sentence="As it was.", usual=usual), since=now - timedelta(days=9))
        for kind, usual in (
            (WarningKind.PAGES_UNREAD, 0.1),
            (WarningKind.VERSIONS_EXPLODING, 0.2),
            (WarningKind.TEXT_SHORT, 3000.0),
            (WarningKind.ZONE_MISSING, 0.0),
        )
    ]
    days = [replace(day, pages={}, articles=0) for day in days]
    facts = SourceFacts(first_seen_at=now - timedelta(days=80), standing=standing)
    assert warnings(days, facts=facts, now=now) == [one.warning for one in standing]


def test_tallies_that_cannot_be_are_taken_for_the_nearest_that_can():
    days = [replace(day, fields={"authors": 9 * day.articles}) for day in steady_days(40, a_day=20)]
    now = datetime.combine(days[-1].day, datetime.min.time(), UTC) + timedelta(hours=20)
    assert warnings(days, facts=SourceFacts(first_seen_at=now - timedelta(days=80)), now=now) == []
