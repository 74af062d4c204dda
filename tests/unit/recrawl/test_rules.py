"""When each rule looks again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from scheduler.recrawl import RULES, Habits, Limits, Pool, Rule, Watch, learn, rule_of

BORN = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LIMITS = Limits(refetches_per_article=6)


def looks_of(rule: Rule, *, changes: tuple[int, ...] = (), most: int = 60) -> list[timedelta]:
    """Return the ages at which a rule looks at an article; the looks whose numbers are in `changes` show a change."""
    habits, pool = Habits(), Pool()
    now = BORN + timedelta(minutes=20)
    watch = Watch(born_at=BORN, last_look_at=None)
    ages: list[timedelta] = []
    for number in range(most):
        changed = number in changes
        evidence, habits = learn(watch, now, changed, habits, pool, rule)
        ages.append(now - BORN)
        watch = Watch(
            born_at=BORN,
            last_look_at=now,
            last_changed_at=now if changed else watch.last_changed_at,
            looks=number + 1,
            changes=watch.changes + changed,
            evidence=evidence,
        )
        decision = rule.next_look(watch, habits, pool, now)
        if decision.at is None:
            break
        assert decision.at >= now
        now = decision.at
    return ages


@pytest.mark.parametrize("name", RULES)
def test_every_rule_looks_within_the_watch_and_ends(name: str):
    ages = looks_of(rule_of(name, limits=LIMITS))
    assert 2 <= len(ages) < 40
    assert ages[-1] <= LIMITS.watch_for
    assert all(later - earlier >= LIMITS.shortest for earlier, later in pairwise(ages))


@pytest.mark.parametrize("name", RULES)
def test_an_article_never_looked_at_is_due_at_once(name: str):
    decision = rule_of(name, limits=LIMITS).next_look(
        Watch(born_at=BORN, last_look_at=None), Habits(), Pool(), BORN + HOUR
    )
    assert decision.at == BORN + HOUR


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("back", [HOUR, DAY, timedelta(days=40)])
def test_a_clock_set_back_delays_no_look_by_more_than_its_wait(name: str, back: timedelta):
    rule = rule_of(name, limits=LIMITS)
    seen = BORN + 2 * HOUR
    watch = Watch(born_at=BORN, last_look_at=seen, looks=2)
    usual = rule.next_look(watch, Habits(), Pool(), seen)
    decision = rule.next_look(watch, Habits(), Pool(), seen - back)
    assert usual.at is not None and decision.at is not None
    assert seen - back <= decision.at <= max(usual.at, seen - back + (usual.at - seen) * 2)


@pytest.mark.parametrize("name", RULES)
def test_what_was_due_long_ago_is_due_now_and_no_sooner(name: str):
    rule = rule_of(name, limits=LIMITS)
    watch = Watch(born_at=BORN, last_look_at=BORN + HOUR, looks=1)
    now = BORN + timedelta(days=30, hours=2)
    decision = rule.next_look(watch, Habits(), Pool(), now)
    assert decision.at is None or now <= decision.at <= BORN + LIMITS.watch_for


@pytest.mark.parametrize("name", RULES)
def test_an_article_older_than_its_watch_is_released(name: str):
    rule = rule_of(name, limits=LIMITS)
    watch = Watch(born_at=BORN, last_look_at=BORN + timedelta(days=59), looks=3)
    assert rule.next_look(watch, Habits(), Pool(), BORN + timedelta(days=61)).at is None


@pytest.mark.parametrize("name", ["plan", "geometric"])
def test_an_article_that_changes_is_looked_at_more(name: str):
    rule = rule_of(name, limits=LIMITS)
    assert len(looks_of(rule, changes=(1, 2, 3))) > len(looks_of(rule))


def test_an_interval_that_is_set_is_kept_to_as_it_stands():
    ages = looks_of(rule_of("fixed", interval=timedelta(days=20), limits=LIMITS))
    assert [age - ages[0] for age in ages] == [timedelta(0), timedelta(days=20), timedelta(days=40)]


def test_geometric_waits_grow_by_a_factor_and_go_back_by_it_after_a_change():
    rule = rule_of("geometric", limits=LIMITS)
    ages = looks_of(rule, changes=(3,), most=6)
    waits = [later - earlier for earlier, later in pairwise(ages)]
    factor = waits[1] / waits[0]
    assert factor == pytest.approx(1440 ** (1 / 6), rel=1e-3)
    assert waits[2] / waits[1] == pytest.approx(factor, rel=1e-3)
    assert waits[3] / waits[2] == pytest.approx(1 / factor, rel=1e-3)


def test_a_plan_spends_the_budget_it_is_given():
    counts = [len(looks_of(rule_of("plan", limits=Limits(refetches_per_article=n)))) for n in (2, 6, 16)]
    assert counts[0] < counts[1] < counts[2]


def test_a_hint_makes_due_where_hints_were_true_and_costs_nothing_where_they_never_are():
    rule = rule_of("plan", limits=LIMITS)
    now = BORN + timedelta(days=5)
    watch = Watch(born_at=BORN, last_look_at=BORN + timedelta(days=4), looks=5, hinted_at=now - HOUR)
    honest = replace(Habits(), hints=20.0, true_hints=18.0)
    lying = replace(Habits(), hints=2000.0, true_hints=0.0)
    assert rule.next_look(watch, honest, Pool(), now).reason == "hint"
    assert rule.next_look(watch, honest, Pool(), now).at == now
    usual = rule.next_look(replace(watch, hinted_at=None), lying, Pool(), now)
    assert rule.next_look(watch, lying, Pool(), now) == usual


def test_a_decision_of_the_plan_tells_what_it_stands_on():
    rule = rule_of("plan", limits=LIMITS)
    watch = Watch(born_at=BORN, last_look_at=BORN + timedelta(days=2), looks=3)
    detail = rule.next_look(watch, Habits(), Pool(), BORN + timedelta(days=2)).detail
    assert detail["age_seconds"] == 2 * 86_400
    assert 0.1 < detail["edited_share"] < 0.25
    assert detail["price"] > 0


def test_how_late_an_edit_is_worth_half_follows_the_budget_unless_it_is_set():
    assert Limits(refetches_per_article=6).half_life_in_use == 30 * DAY
    assert Limits(refetches_per_article=12).half_life_in_use == 15 * DAY
    assert Limits(refetches_per_article=12, half_life=DAY).half_life_in_use == DAY
    assert Limits(refetches_per_article=0).half_life_in_use > 60 * DAY


def test_an_article_that_is_edited_all_the_time_is_looked_at_many_times_within_a_step_of_the_plan():
    """The plan's steps are a third of the age; a look every two hours would miss most of what a live page shows."""
    rule = rule_of("plan", limits=Limits(refetches_per_article=12))
    ages = looks_of(rule, changes=tuple(range(1, 400)), most=40)
    early = [age for age in ages if age < timedelta(hours=12)]
    assert len(early) > 30
