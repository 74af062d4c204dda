"""Why a page is due when it is, in words."""

from datetime import timedelta

import pytest

from scheduler.explaining import Standing, explain_page, spoken
from scheduler.page_learning import learn_looks
from scheduler.recrawl import Habits, Pool, rule_of
from storage.model import NextReason
from storage.outcomes import Outcome
from tests.unit.histories import HOST, NOW, history

WATCH_FOR = timedelta(days=60)


def said(page, *, habits=None, recrawl="plan", **more) -> str:
    standing = Standing(
        history=page, habits=habits or Habits(), pool=Pool(), recrawl=recrawl, watch_for=WATCH_FOR, **more
    )
    return " ".join(explain_page(standing, now=NOW))


def due(reason, wait=timedelta(hours=4), **facts):
    return history(next_fetch_at=NOW + wait, next_fetch_reason=NextReason(reason), **facts)


def test_a_plan_is_explained_by_what_was_seen_and_what_is_expected():
    page, habits = learn_looks(
        due("plan", learnt_until=NOW - timedelta(hours=1), looks=6, changes=3, first_seen_at=NOW - timedelta(days=2)),
        habits=Habits(),
        pool=Pool(),
        rule=rule_of("plan"),
        now=NOW,
    )
    text = said(page, habits=habits)
    assert text.startswith("Edited 3 times in 5 looks after the first. At its age of 2 d, articles of paper.example ")
    assert "are edited about once in" in text
    assert text.endswith("the next look is planned at 2026-03-01 16:00 UTC (in 4 h).")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (history(last_fetch_at=None, last_outcome=None), "It has no plan yet"),
        (due("new", timedelta(0)), "It was never fetched, and is due now, since 2026-03-01 12:00 UTC."),
        (due("requested", timedelta(0)), "An operator asked for it"),
        (due("second_look"), "counts only when it is seen twice: the second look comes at 2026-03-01 16:00 UTC"),
        (due("suspect"), "may be another's"),
        (due("missing"), "The article was not there"),
        (due("gone"), "The article is gone, and may return"),
        (due("not_article"), "It was no article"),
        (
            due("retry", timedelta(minutes=20), last_outcome=Outcome.BLOCKED_STATUS, consecutive_failures=2),
            "The last attempt came to blocked_status for the 2nd time in a row: tried again at 2026-03-01 12:20 UTC "
            "(in 20 min).",
        ),
        (due("geometric"), "By the rule geometric the next look comes"),
        (due("plan"), "It was seen once. By the rule plan the next look comes"),
        (
            due("still_changes", last_changed_at=NOW, first_seen_at=NOW - timedelta(days=61)),
            "The 60 d for which it is watched end at 2026-02-28 12:00 UTC, but it was last changed at 2026-03-01 12:00",
        ),
        (history(watch_ended=True, next_fetch_reason=NextReason.RELEASED), "older than the 60 d"),
        (
            history(
                watch_ended=True,
                next_fetch_reason=NextReason.RELEASED,
                last_outcome=Outcome.MISSING,
                has_article=False,
                looks=0,
            ),
            "it came to missing when it was tried last",
        ),
        (history(watch_ended=True, next_fetch_reason=NextReason.FINISHED, looks=3), "Not edited in 2 looks after the"),
        (history(watch_ended=True, released_by="operator"), "Released by the operator"),
        (history(next_fetch_at=NOW + WATCH_FOR), "Its next look is due at 2026-04-30 12:00 UTC (in 60 d)."),
        (history(paused=True), "It is paused by an operator"),
    ],
)
def test_every_reason_has_its_sentence(page, words):
    assert words in said(page)


@pytest.mark.parametrize("reason", NextReason)
def test_no_reason_is_without_words(reason):
    assert said(due(reason)).endswith((".", ")."))


def test_a_fixed_interval_is_named():
    assert "By its fixed interval of 6h the next look comes" in said(due("fixed"), recrawl="6h")
    assert "By the rule fixed the next look comes" in said(due("fixed"), recrawl="fixed")


def test_a_hint_is_told_with_what_it_is_worth():
    habits = Habits(hints=98.0, true_hints=79.0)
    hinted = {"hinted_at": NOW + timedelta(minutes=5)}
    text = said(due("hint", timedelta(0), **hinted), habits=habits)
    assert "says that it was updated at 2026-03-01 12:05 UTC; about 80% of such hints of paper.example" in text
    assert "so it is not looked at sooner for that" in said(due("plan", **hinted), habits=Habits(hints=50.0))
    retried = said(due("retry", last_outcome=Outcome.TIMEOUT, consecutive_failures=1, **hinted), habits=habits)
    assert "2026-03-01 12:05 UTC, which the look that comes will tell" in retried
    assert "sooner" not in retried


def test_what_keeps_a_page_from_being_fetched_is_told():
    held = {"held_until": NOW + timedelta(minutes=9), "held_for": "retry_after"}
    assert f"Its host {HOST} is left alone until 2026-03-01 12:09 UTC (retry_after)." in said(due("plan"), **held)
    assert (
        said(history(), paused_source="courier")
        == "Its source courier is paused, and not fetched before it is resumed."
    )
    assert "does not look after its source" in said(due("plan"), unwatched_source="courier.example")
    assert said(history(alias_of=3), primary_url="https://courier.example/a").startswith(
        "It is another address of http"
    )


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(seconds=9), "9 s"),
        (timedelta(minutes=20), "20 min"),
        (timedelta(hours=1.5), "1.5 h"),
        (timedelta(days=1, hours=1), "1 d"),
        (timedelta(days=31), "31 d"),
    ],
)
def test_durations_are_said_in_their_largest_unit(duration, words):
    assert spoken(duration) == words
