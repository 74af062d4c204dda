"""When to look again."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.policy import interval_by_age, next_fetch_at, retry_interval
from storage.model import Outcome
from storage.records import PageHistory

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def history(**changes) -> PageHistory:
    facts = {
        "page_id": 1,
        "source_id": 1,
        "first_seen_at": NOW - timedelta(hours=2),
        "published_at": None,
        "last_fetch_at": NOW,
        "last_outcome": Outcome.UNCHANGED,
        "consecutive_failures": 0,
        "looks": 1,
        "changes": 0,
        "last_changed_at": None,
        "has_candidate": False,
    }
    return PageHistory(**(facts | changes))


@pytest.mark.parametrize(
    ("age", "interval"),
    [
        (timedelta(0), timedelta(minutes=10)),
        (timedelta(minutes=30), timedelta(minutes=15)),
        (timedelta(hours=25), timedelta(hours=12, minutes=30)),
        (timedelta(days=400), timedelta(days=7)),
    ],
)
def test_interval_grows_with_age_between_its_bounds(age, interval):
    assert interval_by_age(age) == interval


def test_an_article_is_looked_at_again_after_half_of_its_age():
    assert next_fetch_at(history(), now=NOW) == NOW + timedelta(hours=1)


def test_a_source_may_fix_the_interval_whatever_the_age():
    assert next_fetch_at(history(), now=NOW, recrawl=timedelta(seconds=2)) == NOW + timedelta(seconds=2)
    failed = history(last_outcome=Outcome.TIMEOUT, consecutive_failures=1)
    assert next_fetch_at(failed, now=NOW, recrawl=timedelta(seconds=2)) == NOW + timedelta(minutes=10)


def test_an_article_published_long_before_we_saw_it_has_the_age_of_its_date():
    old = history(published_at=NOW - timedelta(days=2))
    assert next_fetch_at(old, now=NOW) == NOW + timedelta(days=1)


def test_a_date_in_the_future_of_what_we_saw_does_not_make_an_article_younger():
    odd = history(published_at=NOW + timedelta(days=300))
    assert next_fetch_at(odd, now=NOW) == NOW + timedelta(hours=1)


def test_a_page_that_was_never_fetched_is_due_at_once():
    assert next_fetch_at(history(last_fetch_at=None, last_outcome=None), now=NOW) == NOW


def test_a_reading_that_waits_for_a_second_look_gets_it_soon():
    assert next_fetch_at(history(has_candidate=True), now=NOW) == NOW + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("outcome", "failures", "wait"),
    [
        (Outcome.TIMEOUT, 1, timedelta(minutes=10)),
        (Outcome.TIMEOUT, 3, timedelta(minutes=40)),
        (Outcome.MISSING, 30, timedelta(days=1)),
        (Outcome.BLOCKED_ROBOTS, 2, timedelta(minutes=20)),
        (Outcome.NOT_ARTICLE, 0, timedelta(days=7)),
    ],
)
def test_what_did_not_work_is_tried_again_more_and_more_seldom(outcome, failures, wait):
    failed = history(last_outcome=outcome, consecutive_failures=failures)
    assert next_fetch_at(failed, now=NOW) == NOW + wait


@pytest.mark.parametrize(
    ("looks", "failures", "wait"),
    [
        (1, 1, timedelta(minutes=2)),
        (2, 2, timedelta(minutes=10)),
        (3, 3, timedelta(hours=1)),
        (4, 4, timedelta(minutes=80)),
        (90, 90, timedelta(days=1)),
        # Another text each time.
        (1, 3, timedelta(hours=1)),
    ],
)
def test_a_suspect_text_is_looked_at_again_soon_and_then_more_seldom(looks, failures, wait):
    suspect = history(last_outcome=Outcome.SUSPECT, suspect_looks=looks, consecutive_failures=failures)
    assert next_fetch_at(suspect, now=NOW) == NOW + wait
    assert next_fetch_at(suspect, now=NOW, recrawl=timedelta(seconds=2)) == NOW + timedelta(seconds=2)


def test_a_suspect_text_that_no_look_can_confirm_is_looked_at_as_after_any_failure():
    wall = history(last_outcome=Outcome.SUSPECT, suspect_looks=0, consecutive_failures=1)
    assert next_fetch_at(wall, now=NOW) == NOW + timedelta(minutes=10)


def test_a_wall_after_a_suspect_text_is_tried_again_as_any_wall():
    wall = history(last_outcome=Outcome.CONSENT_WALL, suspect_looks=1, consecutive_failures=2)
    assert next_fetch_at(wall, now=NOW) == NOW + timedelta(minutes=20)


@pytest.mark.parametrize(("failures", "wait"), [(1, 60), (2, 60), (4, 80), (30, 24 * 60)])
def test_a_missing_article_is_looked_at_again_when_that_can_confirm_it(failures, wait):
    missing = history(last_outcome=Outcome.MISSING, has_article=True, consecutive_failures=failures)
    assert next_fetch_at(missing, now=NOW) == NOW + timedelta(minutes=wait)


def test_an_article_that_is_gone_is_looked_at_once_a_week():
    assert next_fetch_at(history(last_outcome=Outcome.GONE, has_article=True), now=NOW) == NOW + timedelta(days=7)


@pytest.mark.parametrize("failures", [0, 1, 1000, 10**9])
def test_any_number_of_failures_gives_an_interval_within_a_day(failures):
    assert timedelta(minutes=10) <= retry_interval(failures) <= timedelta(days=1)
