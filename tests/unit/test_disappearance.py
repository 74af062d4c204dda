"""When a missing article is gone."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.disappearance import HostCensus, is_held_back, may_be_gone

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("minutes", "gone"), [(0, False), (59.9, False), (60, True), (10**6, True)])
def test_two_looks_an_hour_apart_tell_that_an_article_is_gone(minutes, gone):
    assert may_be_gone(missing_since=NOON, now=NOON + timedelta(minutes=minutes), at_once=False) is gone


def test_a_look_that_was_asked_for_is_not_too_early_but_never_the_only_one():
    assert may_be_gone(missing_since=NOON, now=NOON, at_once=True)
    assert not may_be_gone(missing_since=None, now=NOON, at_once=True)


@pytest.mark.parametrize(
    ("missing", "fetched", "held"),
    [
        (1, 1, False),
        (2, 2, True),
        (2, 3, False),
        (4, 4, True),
        (4, 5, False),
        (5, 5, True),
        (5, 24, True),
        (5, 25, False),
        (20, 100, False),
        (21, 100, True),
    ],
)
def test_more_than_a_fifth_of_a_host_does_not_go_at_once(missing, fetched, held):
    census = HostCensus(fetched=fetched, missing=missing)
    assert is_held_back(census, missing_since=NOON, now=NOON + timedelta(hours=1)) is held


def test_what_is_missing_for_a_week_is_gone_whatever_the_others_are():
    census = HostCensus(fetched=100, missing=100)
    assert is_held_back(census, missing_since=NOON, now=NOON + timedelta(days=6, hours=23))
    assert not is_held_back(census, missing_since=NOON, now=NOON + timedelta(days=7))
