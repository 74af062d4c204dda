"""When to look again."""

from datetime import timedelta

import pytest

from scheduler.policy import NextLook, next_look, retry_interval
from storage.model import NextReason
from storage.outcomes import Outcome
from tests.unit.histories import NOW, history

WATCH_FOR = timedelta(days=60)
OLD = {"first_seen_at": NOW - timedelta(days=61), "looks": 5}
BY_RULE = NextLook(NOW + timedelta(hours=1), NextReason.PLAN)


def look(page, *, by_rule=BY_RULE, hint=False, recrawl=None, now=NOW, watch_for=WATCH_FOR):
    """Return the wait until the next look, None where there is none, and its reason."""
    found = next_look(
        page, watch_for=watch_for, by_rule=lambda: by_rule, is_hint_worth_it=lambda: hint, now=now, recrawl=recrawl
    )
    return None if found.at is None else found.at - now, found.reason


def test_a_rule_says_when_an_article_is_looked_at_again_whose_state_is_known():
    assert look(history()) == (timedelta(hours=1), "plan")
    assert look(history(), by_rule=NextLook(None, NextReason.FINISHED)) == (None, "finished")


def test_a_page_that_was_never_fetched_is_due_at_once():
    assert look(history(last_fetch_at=None, last_outcome=None, looks=0)) == (timedelta(0), "new")


def test_a_reading_that_waits_for_a_second_look_gets_it_soon():
    assert look(history(has_candidate=True)) == (timedelta(minutes=10), "second_look")
    assert look(history(has_candidate=True), recrawl=timedelta(seconds=2)) == (timedelta(seconds=2), "second_look")


def test_a_host_that_fails_is_not_asked_each_ten_minutes_for_a_second_look():
    failed = history(has_candidate=True, last_outcome=Outcome.TIMEOUT, consecutive_failures=5)
    assert look(failed) == (timedelta(hours=1), "retry")  # as its rule says


@pytest.mark.parametrize(
    ("outcome", "failures", "wait", "reason"),
    [
        (Outcome.TIMEOUT, 1, timedelta(minutes=10), "retry"),
        (Outcome.TIMEOUT, 2, timedelta(minutes=20), "retry"),
        (Outcome.TIMEOUT, 3, timedelta(days=20), "retry"),
        (Outcome.PAYWALLED, 1, timedelta(hours=1), "retry"),
        (Outcome.PAYWALLED, 2, timedelta(days=20), "retry"),
        (Outcome.BLOCKED_STATUS, 9, timedelta(days=20), "retry"),
        (Outcome.SUSPECT, 9, timedelta(days=20), "retry"),
        (Outcome.RATE_LIMITED, 3, timedelta(days=20), "retry"),
        (Outcome.NOT_ARTICLE, 0, WATCH_FOR / 6, "not_article"),
        (Outcome.GONE, 0, WATCH_FOR / 6, "gone"),
    ],
)
def test_an_article_that_cannot_be_had_is_looked_at_as_one_that_is_unchanged(outcome, failures, wait, reason):
    failed = history(last_outcome=outcome, consecutive_failures=failures)
    by_rule = NextLook(NOW + timedelta(days=20), NextReason.PLAN)
    assert look(failed, by_rule=by_rule) == (wait, reason)
    assert look(failed, by_rule=by_rule, recrawl=timedelta(seconds=2)) == (wait, reason)


def test_what_is_gone_is_looked_for_weekly_at_most():
    gone = history(last_outcome=Outcome.GONE)
    often = next_look(
        gone, watch_for=WATCH_FOR, by_rule=lambda: BY_RULE, is_hint_worth_it=lambda: False, now=NOW, attempts=20
    )
    assert often == (NOW + timedelta(days=7), "gone")


def test_no_further_look_is_worth_it_at_an_article_that_cannot_be_had_either():
    ended = NextLook(None, NextReason.FINISHED)
    assert look(history(last_outcome=Outcome.LOGIN_WALL, consecutive_failures=2), by_rule=ended) == (None, "finished")
    first = history(last_outcome=Outcome.LOGIN_WALL, consecutive_failures=1)
    assert look(first, by_rule=ended) == (timedelta(hours=1), "retry")


NEVER = {"has_article": False, "looks": 0, "last_look_at": None}


@pytest.mark.parametrize(
    "outcome", [Outcome.MISSING, Outcome.NOT_ARTICLE, Outcome.CONSENT_WALL, Outcome.EXTRACT_FAILED]
)
def test_an_address_that_gives_no_article_yet_is_tried_within_minutes_and_no_more_often_than_articles(outcome):
    waits = waits_of_one_that_never_gives_an_article(outcome)
    assert waits[0] == timedelta(minutes=10)
    assert sum(waits[:2], timedelta(0)) < timedelta(hours=1)
    assert len(waits) <= 6
    assert waits == sorted(waits)


def waits_of_one_that_never_gives_an_article(outcome, **limits):
    at, times, waits, is_look = NOW, 1, [], outcome is Outcome.NOT_ARTICLE
    while True:
        tried = {"looks": times, "consecutive_failures": 0} if is_look else {"consecutive_failures": times}
        page = history(first_seen_at=NOW, last_fetch_at=at, last_outcome=outcome, **NEVER | tried)
        answer = next_look(
            page, watch_for=WATCH_FOR, by_rule=lambda: BY_RULE, is_hint_worth_it=lambda: False, now=at, **limits
        )
        if answer.at is None:
            return waits
        waits.append(answer.at - at)
        at, times = answer.at, times + 1


@pytest.mark.parametrize(("attempts", "most"), [(0, 2), (0.5, 2), (1, 2), (3, 4), (50, 16)])
def test_as_many_tries_as_looks_are_asked_for(attempts, most):
    waits = waits_of_one_that_never_gives_an_article(Outcome.MISSING, attempts=attempts)
    assert waits[0] == timedelta(minutes=10)
    assert len(waits) <= most


def test_an_address_that_was_found_long_before_it_could_be_tried_is_tried_again_soon():
    late = history(first_seen_at=NOW - timedelta(days=3), last_outcome=Outcome.NOT_ARTICLE, **NEVER | {"looks": 1})
    assert look(late) == (timedelta(minutes=10), "not_article")


def test_an_address_that_is_watched_anew_is_tried_anew():
    tried = NEVER | {"looks": 9}
    anew = history(first_seen_at=NOW - timedelta(days=50), watched_from=NOW, last_outcome=Outcome.NOT_ARTICLE, **tried)
    assert look(anew) == (timedelta(minutes=10), "not_article")


@pytest.mark.parametrize(
    ("looks", "failures", "wait"),
    [
        (1, 1, timedelta(minutes=2)),
        (2, 2, timedelta(minutes=10)),
        (3, 3, timedelta(hours=1)),
        (4, 4, timedelta(minutes=80)),
        (6, 6, timedelta(minutes=320)),
        # Another text each time.
        (1, 3, timedelta(hours=1)),
    ],
)
def test_a_suspect_text_is_looked_at_again_soon_and_then_more_seldom(looks, failures, wait):
    suspect = history(last_outcome=Outcome.SUSPECT, suspect_looks=looks, consecutive_failures=failures)
    assert look(suspect) == (wait, "suspect")
    assert look(suspect, recrawl=timedelta(seconds=2)) == (timedelta(seconds=2), "suspect")


def test_a_suspect_text_that_no_look_can_confirm_is_looked_at_as_after_any_failure():
    wall = history(last_outcome=Outcome.SUSPECT, suspect_looks=0, consecutive_failures=1)
    assert look(wall) == (timedelta(hours=1), "retry")


def test_a_wall_after_a_suspect_text_is_tried_again_as_any_wall():
    wall = history(last_outcome=Outcome.CONSENT_WALL, suspect_looks=1, consecutive_failures=1)
    assert look(wall) == (timedelta(hours=1), "retry")


@pytest.mark.parametrize(("failures", "wait"), [(1, 60), (2, 60), (4, 80), (30, 24 * 60)])
def test_a_missing_article_is_looked_at_again_when_that_can_confirm_it(failures, wait):
    missing = history(last_outcome=Outcome.MISSING, consecutive_failures=failures)
    assert look(missing) == (timedelta(minutes=wait), "missing")


@pytest.mark.parametrize("failures", [0, 1, 1000, 10**9])
def test_any_number_of_failures_gives_an_interval_within_a_day(failures):
    assert timedelta(minutes=10) <= retry_interval(failures) <= timedelta(days=1)


# The end of the watch


@pytest.mark.parametrize("outcome", [Outcome.UNCHANGED, Outcome.GONE, Outcome.NOT_ARTICLE, Outcome.TIMEOUT])
def test_what_is_older_than_it_is_watched_is_released(outcome):
    assert look(history(**OLD, last_outcome=outcome, consecutive_failures=1)) == (None, "released")


@pytest.mark.parametrize(("outcome", "reason"), [(Outcome.TIMEOUT, "retry"), (Outcome.GONE, "released")])
def test_a_last_look_that_failed_is_tried_again_for_a_day(outcome, reason):
    failed = {"last_outcome": outcome, "consecutive_failures": 1}
    at_the_end = history(first_seen_at=NOW - WATCH_FOR, looks=5, **failed)
    assert look(at_the_end)[1] == reason
    assert look(history(first_seen_at=NOW - WATCH_FOR - timedelta(days=1), looks=5, **failed)) == (None, "released")
    assert (
        look(history(first_seen_at=NOW - WATCH_FOR, looks=5, **failed | {"consecutive_failures": 6}))[1] == "released"
    )


@pytest.mark.parametrize(("days", "reason"), [(59, "plan"), (60, "released")])
def test_an_article_is_watched_from_its_birth(days, reason):
    assert look(history(published_at=NOW - timedelta(days=days)))[1] == reason


def test_a_date_in_the_future_of_what_we_saw_does_not_make_an_article_younger():
    assert look(history(**OLD, published_at=NOW + timedelta(days=300)))[1] == "released"


def test_an_operator_may_have_an_old_article_watched_anew():
    assert look(history(**OLD, watched_from=NOW - timedelta(days=1)))[1] == "plan"
    assert look(history(**OLD, watched_from=NOW - WATCH_FOR))[1] == "released"


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"last_outcome": Outcome.MISSING}, "missing"),
        ({"last_outcome": Outcome.SUSPECT, "suspect_looks": 1}, "suspect"),
        ({"has_candidate": True}, "second_look"),
    ],
)
def test_what_an_old_article_showed_is_confirmed_before_it_is_released(state, reason):
    assert look(history(**OLD, **state, consecutive_failures=1))[1] == reason
    assert look(history(**OLD, **state, consecutive_failures=6)) == (None, "released")


def test_an_old_page_that_was_never_read_is_tried_for_as_long_as_a_new_one():
    dated = {"published_at": NOW - timedelta(days=4000), "last_outcome": Outcome.TIMEOUT, "consecutive_failures": 1}
    assert look(history(**dated, looks=0, has_article=False)) == (timedelta(minutes=10), "retry")
    assert look(history(**dated | {"looks": 0}, first_seen_at=NOW - WATCH_FOR, has_article=False)) == (None, "released")


@pytest.mark.parametrize(
    ("quiet", "wait"),
    [
        (timedelta(0), timedelta(days=1)),
        (timedelta(days=4), timedelta(days=2)),
        (timedelta(days=14, hours=23), timedelta(days=7)),
        (timedelta(days=15), None),
    ],
)
def test_an_article_that_still_changes_is_watched_on(quiet, wait):
    old = history(**OLD, changes=9, last_changed_at=NOW - quiet)
    assert look(old) == (wait, "released" if wait is None else "still_changes")
    # So too where its rule sees that no look fits into what is left of the watch.
    nearly = history(first_seen_at=NOW - timedelta(days=56), changes=9, last_changed_at=NOW - quiet)
    ended = NextLook(None, NextReason.FINISHED)
    assert look(nearly, by_rule=ended) == (wait, "finished" if wait is None else "still_changes")
    assert look(history(changes=9, last_changed_at=NOW - quiet), by_rule=ended) == (None, "finished")


@pytest.mark.parametrize("found", [timedelta(hours=1), timedelta(days=900)])
@pytest.mark.parametrize(("changes", "days"), [(1, 1), (2, 1.25), (5, 2.5), (9, 6)])
def test_an_old_article_that_was_edited_just_now_is_looked_at_again_soon(found, changes, days):
    old = {"published_at": NOW - timedelta(days=950), "first_seen_at": NOW - found}
    wait, reason = look(history(**old, looks=changes + 1, changes=changes, last_changed_at=NOW))
    assert reason == "still_changes"
    assert timedelta(days=1) <= wait <= timedelta(days=days)


@pytest.mark.parametrize("age", [timedelta(days=60), timedelta(days=950)])
def test_a_page_that_is_never_twice_the_same_is_not_fetched_daily_for_ever(age):
    first_seen_at, at, looks = NOW - age, NOW, 0
    while at is not None and at < NOW + timedelta(days=730):
        page = history(first_seen_at=first_seen_at, last_fetch_at=at, changes=1 + looks, last_changed_at=at)
        at = next_look(
            page, watch_for=timedelta(days=60), by_rule=lambda: BY_RULE, is_hint_worth_it=lambda: False, now=at
        ).at
        looks += 1
    assert 10 < looks < 40


def test_a_hint_that_is_worth_a_fetch_brings_an_old_article_back():
    hinted = history(**OLD, hinted_at=NOW)
    assert look(hinted, hint=True) == (timedelta(0), "hint")
    assert look(hinted) == (None, "released")
    failed = history(**OLD, hinted_at=NOW, last_outcome=Outcome.TIMEOUT, consecutive_failures=2)
    assert look(failed, hint=True) == (timedelta(minutes=20), "retry")
    given_up = history(**OLD, hinted_at=NOW, last_outcome=Outcome.TIMEOUT, consecutive_failures=6)
    assert look(given_up, hint=True) == (None, "released")


# Clocks


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=1), timedelta(days=400)])
def test_a_fetch_that_claims_to_come_from_the_future_puts_nothing_off(ahead):
    wrong = {"last_fetch_at": NOW + ahead}
    assert look(history(**wrong, last_outcome=Outcome.TIMEOUT, consecutive_failures=1))[0] == timedelta(minutes=10)
    assert look(history(**wrong, last_outcome=Outcome.NOT_ARTICLE))[0] == WATCH_FOR / 6
    changed = history(**OLD, **wrong, changes=1, last_changed_at=NOW + ahead)
    assert look(changed) == (timedelta(days=1), "still_changes")


def test_a_finished_article_comes_back_by_its_rules_word_alone_and_within_its_watch():
    finished = {"watch_ended": True, "next_fetch_reason": NextReason.FINISHED}
    # Changed so lately that one which is watched would be looked at again for that.
    changed = {"last_changed_at": NOW - timedelta(days=1), "looks": 5}
    late = history(first_seen_at=NOW - timedelta(days=55), **changed, **finished)
    assert look(late) == (timedelta(hours=1), "plan")
    assert look(late, by_rule=NextLook(None, NextReason.FINISHED)) == (None, "finished")
    assert look(history(**OLD | changed, **finished)) == (None, "released")
