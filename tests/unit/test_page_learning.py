"""What looks teach, and how much a publisher's hints are worth."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler.page_learning import Deliberation, learn_looks, learnt_of, pending_hint, watch_of
from scheduler.recrawl import RULES, Habits, Limits, Pool, hint_truth, rule_of
from scheduler.recrawl.habits import SPENDING_DAYS
from scheduler.recrawl.rule import LEAST_TRUTH
from scheduler.recrawl.shape import PRIOR_RATES, AgeShape
from storage.model import NextReason, RecrawlRule
from storage.outcomes import Outcome
from tests.unit.histories import NOW, history

PLAN = rule_of("plan")
HOUR = timedelta(hours=1)
LOOKED = {"learnt_until": NOW - HOUR, "looks": 2, "next_fetch_reason": NextReason.PLAN}


def learn(page, habits=None, rule=PLAN, now=None):
    return learn_looks(page, habits=habits or Habits(), pool=Pool(), rule=rule, now=now or page.last_fetch_at or NOW)


def decide(page, *, rule=PLAN, habits=None, interval=None, now=NOW):
    deliberation = Deliberation(
        rule=rule, habits=habits or Habits(), pool=Pool(), watch_for=timedelta(days=60), interval=interval
    )
    return deliberation.next_look(page, now)


def test_every_rule_that_can_be_configured_exists_and_answers():
    assert set(RULES) == set(RecrawlRule)
    for name in RecrawlRule:
        page, habits = learn(history(**LOOKED), rule=rule_of(name))
        look = decide(page, rule=rule_of(name), habits=habits)
        assert (look.reason, look.at is not None) == (NextReason(name), True)


@pytest.mark.parametrize(
    "facts",
    [
        {"has_article": False, "last_outcome": Outcome.NOT_ARTICLE},
        {"last_look_at": None, "last_outcome": Outcome.TIMEOUT},
        {"learnt_until": NOW},
        {"has_candidate": True},
    ],
)
def test_what_tells_nothing_of_an_article_teaches_nothing(facts):
    page = history(**facts)
    assert learn(page) == (page, Habits())
    assert learnt_of(page, page) is None


def test_a_look_of_a_program_that_does_not_note_it_apart_is_learnt_of():
    old = history(**LOOKED, last_look_at=NOW - HOUR)
    assert learn(old)[0].learnt_until == NOW
    failed = replace(old, last_outcome=Outcome.TIMEOUT)
    assert learn(failed)[0] is failed


def test_only_looks_that_the_rule_wanted_are_paid_from_its_budget():
    _, wanted = learn(history(**LOOKED))
    _, asked_for = learn(history(**LOOKED | {"next_fetch_reason": NextReason.REQUESTED}))
    assert wanted.account("plan").refetches - asked_for.account("plan").refetches == pytest.approx(1)
    assert wanted.looks == asked_for.looks == 1


def later(page, outcome, reason, hours, **facts):
    """Return the page after its next fetch, made for that reason so many hours on."""
    at = NOW + hours * HOUR
    seen = {"last_look_at": at, "looks": page.looks + 1} if outcome is Outcome.UNCHANGED else {}
    after = {"last_fetch_at": at, "last_outcome": outcome, "next_fetch_reason": NextReason(reason)}
    return replace(page, **(after | seen | facts))


@pytest.mark.parametrize(
    ("outcome", "then", "waiting"),
    [
        (Outcome.TIMEOUT, "retry", {}),
        (Outcome.SUSPECT, "suspect", {"suspect_looks": 1}),
        (Outcome.MISSING, "missing", {}),
        (Outcome.UNCHANGED, "second_look", {"has_candidate": True}),
    ],
)
def test_a_fetch_of_the_rule_is_paid_once_whatever_it_came_to(outcome, then, waiting):
    page, before = learn(history(**LOOKED))
    first, habits = learn(later(page, outcome, "plan", 2, **waiting), before)
    assert habits.account("plan").refetches - before.account("plan").refetches == pytest.approx(1, abs=0.01), (
        "when it ended"
    )
    again, habits = learn(later(first, Outcome.TIMEOUT, then, 3), habits)
    settled = {"has_candidate": False, "suspect_looks": 0}
    done, habits = learn(later(again, Outcome.UNCHANGED, "retry", 4, **settled), habits)
    _, at_once = learn(later(page, Outcome.UNCHANGED, "plan", 4), before)
    paid = pytest.approx(at_once.account("plan").refetches, abs=0.02)
    assert habits.account("plan").refetches == paid, "not for what follows from it"
    assert learn(done, habits)[1].accounts == habits.accounts, "nor for being thought of again"


@pytest.mark.parametrize("name", ["plan", "geometric", "fixed"])
@pytest.mark.parametrize("watch_for", [timedelta(hours=3), timedelta(days=60)])
def test_a_new_article_is_entered_with_the_looks_that_are_to_come(name, watch_for):
    rule = rule_of(name, limits=Limits(watch_for=watch_for))
    _, habits = learn(history(first_seen_at=NOW - timedelta(minutes=5)), rule=rule)
    account = habits.account(name)
    assert account.articles == 1
    assert account.refetches > 0
    assert account.refetches < 15


@pytest.mark.parametrize("outcome", [Outcome.GONE, Outcome.NOT_ARTICLE])
def test_a_look_that_found_no_article_says_nothing_of_edits_and_is_paid(outcome):
    page, habits = learn(history(**LOOKED, last_outcome=outcome))
    assert (page.rate_beta, page.learnt_until, habits.looks) == (0, NOW, 0)
    asked_for = history(**LOOKED | {"next_fetch_reason": NextReason.MISSING}, last_outcome=outcome)
    assert spent(habits) - spent(learn(asked_for)[1]) == pytest.approx(1)


def spent(habits):
    return habits.account("plan").refetches


def test_of_an_article_that_is_gone_only_the_looks_are_counted_that_were_made():
    page, habits = learn(history(first_seen_at=NOW - timedelta(minutes=5)))
    assert spent(habits) > 2, "what is expected of a new article"
    page, habits = learn(later(page, Outcome.UNCHANGED, "plan", 1), habits)
    page, habits = learn(later(page, Outcome.MISSING, "plan", 4), habits)
    looked = {"last_look_at": NOW + 5 * HOUR}
    page, habits = learn(later(page, Outcome.GONE, "missing", 5, **looked), habits)
    assert spent(habits) == pytest.approx(2, abs=0.15), "two that the rule asked for"
    looked = {"last_look_at": NOW + 173 * HOUR}
    page, habits = learn(later(page, Outcome.GONE, "gone", 173, **looked), habits)
    assert spent(habits) == pytest.approx(2 * 0.5 ** (7 / SPENDING_DAYS), abs=0.15), "and it is cleared once"
    before = spent(habits)
    asked = later(page, Outcome.GONE, "requested", 174, last_look_at=NOW + 174 * HOUR)
    assert spent(learn(asked, habits)[1]) == pytest.approx(before, abs=0.01), "whoever looks"
    page, habits = learn(later(page, Outcome.UNCHANGED, "gone", 180), habits)
    to_come = PLAN.expected_looks(watch_of(page), habits, Pool())
    assert to_come > 0
    assert spent(habits) - before == pytest.approx(to_come, abs=0.03), "back, it is looked at by its rule again"


@pytest.mark.parametrize("name", ["plan", "geometric", "fixed"])
def test_at_a_budget_of_none_no_article_is_looked_at_again(name):
    rule = rule_of(name, limits=Limits(refetches_per_article=0))
    page, habits = learn(history(first_seen_at=NOW - timedelta(minutes=5)), rule=rule)
    assert decide(page, rule=rule, habits=habits) == (None, NextReason.FINISHED)
    hinted = replace(page, hinted_at=NOW + HOUR)
    assert decide(hinted, rule=rule, habits=habits, now=NOW + 2 * HOUR).at is None
    often = rule_of(name, limits=Limits(refetches_per_article=0), interval=HOUR) if name == "fixed" else None
    assert often is None or decide(page, rule=often, interval=HOUR).at == NOW + HOUR


def test_what_a_clock_saw_that_was_ahead_teaches_nothing():
    page, habits = learn(history(**LOOKED), now=NOW - timedelta(days=365))
    assert (page.learnt_until, page.rate_beta, habits.looks) == (NOW, 0, 0)
    assert habits.learnt_at == NOW - timedelta(days=365), "and is paid now"


def test_a_clock_that_was_ahead_once_does_not_hold_up_what_a_host_spends():
    _, ahead = learn(history(**LOOKED), now=NOW)
    past = NOW - timedelta(days=365)
    righted = ahead.righted(past, HOUR)
    assert righted.learnt_at == righted.basis.made_at == past
    assert ahead.righted(NOW - HOUR, HOUR) is ahead


def test_the_rule_is_shown_the_article_as_it_stood_before_the_look(monkeypatch):
    shown = []
    monkeypatch.setattr("scheduler.page_learning.learn", lambda watch, *_, **__: shown.append(watch) or learnt)
    learnt = (watch_of(history()).evidence, Habits())
    learn(history(**LOOKED, changes=1, last_changed_at=NOW))
    learn(history(**LOOKED | {"learnt_changes": 1}, changes=1, last_changed_at=NOW - 2 * HOUR))
    assert [watch.last_changed_at for watch in shown] == [None, NOW - 2 * HOUR]


def test_an_article_that_is_watched_anew_is_learnt_of_as_it_is_planned_and_not_for_its_host():
    old = {"first_seen_at": NOW - timedelta(days=200), "rate_alpha": 4.0, "rate_beta": 1.0, "looks": 9}
    old |= {"learnt_until": NOW - timedelta(days=141), "next_fetch_reason": NextReason.PLAN}
    page = history(**old, watched_from=NOW - HOUR)
    assert watch_of(page).evidence == watch_of(history()).evidence, "what it was like long ago is not counted"
    page, habits = learn(page)
    assert (page.rate_alpha, page.rate_beta, habits) == (0, 0, Habits()), "the look covers the time before, too"
    page, habits = learn(later(page, Outcome.UNCHANGED, "plan", 5))
    born = {"first_seen_at": NOW - HOUR, "learnt_until": NOW}
    new, _ = learn(later(history(**born), Outcome.UNCHANGED, "plan", 5))
    assert page.rate_beta == new.rate_beta > 0.1
    assert habits == Habits()


def test_an_article_that_is_handed_over_on_its_first_day_is_watched_from_its_birth():
    page = history(first_seen_at=NOW - HOUR, published_at=NOW - 5 * HOUR, watched_from=NOW - HOUR)
    assert watch_of(page).born_at == NOW - 5 * HOUR
    assert 0.5 < learn(replace(page, next_fetch_reason=NextReason.NEW))[1].account("plan").articles < 1


def test_a_look_older_than_what_is_learnt_sets_learning_back_and_teaches_nothing():
    ahead = history(learnt_until=NOW + timedelta(days=400), learnt_changes=1, changes=2, rate_alpha=1.0)
    page, habits = learn(ahead)
    assert (page.learnt_until, page.learnt_changes, page.rate_alpha) == (NOW, 2, 1.0)
    assert habits == Habits()


def test_a_hint_waits_until_a_look_has_answered_it():
    before, after = NOW - timedelta(minutes=5), NOW + timedelta(minutes=5)
    assert pending_hint(history(hinted_at=before)) is None
    assert pending_hint(history(hinted_at=after)) == after
    assert learn(history(**LOOKED, hinted_at=before))[0].hinted_at is None
    assert learn(history(**LOOKED, hinted_at=after))[0].hinted_at == after


def test_a_page_that_is_watched_anew_is_planned_as_if_it_had_come_out_then():
    old = history(first_seen_at=NOW - timedelta(days=700), watched_from=NOW - HOUR)
    assert watch_of(old).born_at == NOW - HOUR
    assert decide(old).at <= NOW + timedelta(days=60)
    assert decide(replace(old, watched_from=None)) == (None, "released")


@pytest.mark.parametrize(("truth", "reason"), [(0.9, "hint"), (0.3, "fixed")])
def test_a_fixed_interval_stands_and_lets_true_hints_bring_back_what_was_released(truth, reason):
    habits = Habits(hints=100.0, true_hints=100 * truth)
    fixed = rule_of("fixed", interval=6 * HOUR)
    hinted = history(hinted_at=NOW + timedelta(seconds=1))
    assert decide(hinted, rule=fixed, interval=6 * HOUR, habits=habits) == (NOW + 6 * HOUR, "fixed")
    old = replace(hinted, first_seen_at=NOW - timedelta(days=61))
    later = NOW + timedelta(minutes=1)
    found = decide(old, rule=fixed, interval=6 * HOUR, habits=habits, now=later).reason
    assert found == ("hint" if reason == "hint" else "released")


def edited_days(rate: float, days: int, chance: random.Random):
    """Give for each of an article's days whether it is edited on it, where edits come at that rate by its age."""
    shape = AgeShape(PRIOR_RATES)
    for day in range(days):
        edits = rate * (shape.cumulative((day + 1) * 86_400) - shape.cumulative(max(day * 86_400, 3600)))
        yield chance.random() < 1 - pow(2.718281828, -edits)


@pytest.mark.parametrize("told_of_edits_only", [False, True])
def test_hints_are_worth_what_they_tell_beyond_chance(told_of_edits_only):
    """An index that is made anew each day is often right of young articles: that is no merit of its."""
    chance, habits = random.Random(7), Habits()
    for _ in range(200):
        rate, born_at = chance.gammavariate(0.4, 3.0), NOW
        page = history(first_seen_at=born_at, looks=1, last_fetch_at=born_at + HOUR, last_look_at=born_at + HOUR)
        page, habits = learn(page, habits)
        for day, edited in enumerate(edited_days(rate, 14, chance), start=1):
            seen_at = born_at + timedelta(days=day)
            hinted = edited or not told_of_edits_only
            looked = replace(
                page,
                last_fetch_at=seen_at,
                last_look_at=seen_at,
                looks=page.looks + 1,
                changes=page.changes + edited,
                last_changed_at=seen_at if edited else page.last_changed_at,
                hinted_at=seen_at - timedelta(minutes=1) if hinted else None,
                next_fetch_reason=NextReason.PLAN,
            )
            page, habits = learn(looked, habits)
    assert habits.looks > 100
    if told_of_edits_only:
        assert hint_truth(habits, Pool()) > 0.8
    else:
        assert hint_truth(habits, Pool()) < LEAST_TRUTH
