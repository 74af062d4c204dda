"""What looks teach: of an article, of its host, and of all hosts together."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.recrawl import Evidence, Habits, Limits, Pool, Watch, learn, needs_replan, pooled, rule_of
from scheduler.recrawl.account import Account
from scheduler.recrawl.budget import basis_of
from scheduler.recrawl.evidence import observe
from scheduler.recrawl.nodes import gamma_nodes
from scheduler.recrawl.shape import BINS, EDGES, PRIOR_SHAPE, learnt_shape

BORN = datetime(2026, 3, 1, 9, tzinfo=UTC)
RULE = rule_of("plan", limits=Limits(refetches_per_article=6))
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def watched(last_look: timedelta | None, **more: object) -> Watch:
    return Watch(born_at=BORN, last_look_at=None if last_look is None else BORN + last_look, **more)


def test_a_quiet_look_adds_exposure_alone_and_a_change_the_edits_that_it_may_hide():
    assert observe(2.0, 1.0, covered=0.5, changed=False) == (0.0, 0.5)
    assert observe(2.0, 1.0, covered=0.5, changed=True) == (pytest.approx(1 / (1 - 1.5**-2)), 0.5)
    # A rate that is known: the formula of Cho and Garcia-Molina.
    assert observe(1e7, 1e7, covered=1.0, changed=True)[0] == pytest.approx(1 / (1 - math.exp(-1)), rel=1e-5)
    assert observe(0.5, 1.0, covered=1e-8, changed=True)[0] == pytest.approx(1.0)
    assert observe(0.5, 1.0, covered=0.0, changed=True) == (1.0, 0.0)
    assert observe(0.5, 1.0, covered=-3.0, changed=False) == (0.0, 0.0)


def test_the_shape_counts_an_age_beyond_a_day_and_a_month_whole():
    # A difference of dates whose days are dropped would make all of these alike.
    day, month = PRIOR_SHAPE.cumulative(86_400), PRIOR_SHAPE.cumulative(30 * 86_400)
    assert PRIOR_SHAPE.cumulative(3600) < day < PRIOR_SHAPE.cumulative(25 * 3600) < month < 1.0
    assert PRIOR_SHAPE.cumulative(60 * 86_400) == pytest.approx(1.0)
    assert PRIOR_SHAPE.cumulative(90 * 86_400) > 1.0
    # What others measured: 81 % of the first week's changes come within a day.
    assert day / PRIOR_SHAPE.cumulative(7 * 86_400) == pytest.approx(0.81, abs=0.01)


@given(begin=st.floats(0, 8e6), more=st.floats(1, 8e6))
def test_an_interval_is_split_over_all_bins_that_it_touches(begin: float, more: float):
    parts = PRIOR_SHAPE.split(begin, begin + more)
    assert sum(seconds for _, seconds in parts) == pytest.approx(more, rel=1e-6)
    covered = sum(PRIOR_SHAPE.rates[place] * seconds for place, seconds in parts)
    assert covered == pytest.approx(PRIOR_SHAPE.cumulative(begin + more) - PRIOR_SHAPE.cumulative(begin), abs=1e-9)


@given(share=st.floats(0, 1.2))
def test_an_age_is_found_by_its_share(share: float):
    assert PRIOR_SHAPE.cumulative(PRIOR_SHAPE.age_at(share)) == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("alpha", [0.05, 0.3, 1.0, 6.0, 40.0])
def test_few_rates_stand_for_all_of_a_gamma_distribution(alpha: float):
    beta = alpha / 0.5
    nodes = gamma_nodes(alpha, beta)
    assert sum(k * weight for k, weight in nodes) == pytest.approx(0.5)
    for covered in (0.05, 0.5, 3.0):
        exact = 1 - (beta / (beta + covered)) ** alpha
        assert sum(weight * -math.expm1(-k * covered) for k, weight in nodes) == pytest.approx(exact, rel=0.03)


def test_a_shape_is_learnt_where_edits_are_seen():
    late = [0.0] * BINS
    late[-2] = 200.0
    shape = learnt_shape(late, [1e6] * BINS, PRIOR_SHAPE, 4.0)
    assert shape.cumulative(EDGES[-2]) < PRIOR_SHAPE.cumulative(EDGES[-2]) - 0.2


def test_the_first_look_counts_an_article_and_teaches_nothing_else():
    evidence, habits = learn(watched(None), BORN + HOUR, False, Habits(), Pool(), RULE)
    assert evidence == Evidence()
    assert habits.looks == 0
    assert habits.account("plan").articles == 1
    assert habits.account("plan").refetches == pytest.approx(6, rel=0.2), "those that are to come"


def test_a_host_whose_articles_are_edited_often_is_known_by_it():
    busy, quiet = Habits(), Habits()
    for number in range(60):
        watch = watched(timedelta(minutes=20), looks=1)
        at = BORN + timedelta(hours=6, minutes=number)
        _, busy = learn(watch, at, number % 2 == 0, busy, Pool(), RULE)
        _, quiet = learn(watch, at, False, quiet, Pool(), RULE)
    mean = [habits.basis.alpha / habits.basis.beta for habits in (busy, quiet) if habits.basis]
    assert mean[0] > 0.6 > 0.1 > mean[1]


def test_a_new_host_begins_with_what_all_hosts_have_in_common():
    habits = Habits()
    for number in range(80):
        _, habits = learn(watched(HOUR, looks=1), BORN + DAY + HOUR * number, number % 2 == 0, habits, Pool(), RULE)
    _, alone = learn(watched(None), BORN + HOUR, False, Habits(), Pool(), RULE)
    _, among = learn(watched(None), BORN + HOUR, False, Habits(), pooled([habits, Habits()]), RULE)
    assert alone.basis and among.basis
    assert among.basis.alpha / among.basis.beta > 1.5 * alone.basis.alpha / alone.basis.beta


def test_a_look_before_the_last_one_covers_nothing():
    watch = watched(timedelta(days=3), looks=4, evidence=Evidence(alpha=1.0, beta=0.5))
    for back in (HOUR, DAY, timedelta(days=40)):
        evidence, habits = learn(watch, BORN + timedelta(days=3) - back, False, Habits(), Pool(), RULE)
        assert (evidence.alpha, evidence.beta) == (1.0, 0.5)
        assert habits.looks == 0
        changed, _ = learn(watch, BORN + timedelta(days=3) - back, True, Habits(), Pool(), RULE)
        assert changed.alpha == pytest.approx(2.0)


def test_a_clock_set_back_makes_nothing_forgotten_and_one_that_leaps_not_everything():
    habits = Habits(learnt_at=BORN, looks=100.0, accounts={"plan": Account(articles=10.0)})
    assert habits.faded(BORN - DAY) == habits
    season = habits.faded(BORN + timedelta(days=120))
    assert 50 <= season.looks < 65
    assert habits.faded(BORN + timedelta(days=4000)).looks > 50


def test_habits_survive_json_and_rubbish_in_it():
    habits = Habits()
    for number in range(5):
        _, habits = learn(watched(HOUR, looks=1), BORN + DAY + HOUR * number, number == 2, habits, Pool(), RULE)
    habits = habits.replanned()
    kept = json.loads(json.dumps(habits.to_json()))
    assert Habits.from_json(kept) == habits
    assert Habits.from_json(None) == Habits.from_json({"of": "tomorrow"}) == Habits()
    for name in kept:
        for rubbish in (None, "x", -1e400, [], {"a": 1}, [1.0], True, float("nan"), 10**400, 1e300, 1e-300):
            assert learn(watched(HOUR), BORN + DAY, True, Habits.from_json({**kept, name: rubbish}), Pool(), RULE)
    for name, value in {"alpha": 1e300, "beta": 1e-300, "rates": [1e300] * BINS}.items():
        assert Habits.from_json({**kept, "basis": {**kept["basis"], name: value}}).basis is None


def test_a_price_that_moved_by_a_tenth_calls_for_new_plans():
    _, habits = learn(watched(None), BORN + HOUR, False, Habits(), Pool(), RULE)
    assert needs_replan(habits)
    planned = habits.replanned()
    assert not needs_replan(planned)
    price = planned.prices["plan"]
    for times, moved in {1.09: False, 1.11: True, 0.89: True}.items():
        assert needs_replan(replace(planned, prices={"plan": price * times})) is moved


def test_a_price_that_moved_is_noticed_though_the_hosts_articles_follow_two_rules():
    _, habits = learn(watched(None), BORN + HOUR, False, Habits(), Pool(), RULE)
    _, habits = learn(watched(None), BORN + HOUR, False, habits, Pool(), rule_of("geometric", limits=RULE.limits))
    planned = habits.replanned()
    cheap, dear = (replace(RULE.limits, refetches_per_article=refetches) for refetches in (30, 1))
    for limits in (cheap, dear):
        _, moved = learn(watched(None), BORN + DAY, False, planned, Pool(), rule_of("plan", limits=limits))
        assert not needs_replan(moved.replanned())
        _, moved = learn(watched(None), BORN + DAY, False, moved, Pool(), rule_of("geometric", limits=RULE.limits))
        assert needs_replan(moved)


def spending(refetches: float, *, articles: float = 1000.0, price: float = 0.01) -> Habits:
    """Return the habits of a host that spent so many refetches an article, at a price."""
    account = Account(articles=articles, refetches=refetches * articles, logs_of_price=articles * math.log(price))
    return Habits(learnt_at=BORN, accounts={"plan": account})


def test_one_price_for_all_rises_until_all_hosts_together_spend_what_is_asked():
    def price(*hosts: Habits) -> float:
        return RULE.price(Habits(), pooled(hosts))

    assert price(spending(6)) == pytest.approx(0.01)
    assert price(spending(7)) > 0.012 > 0.01 > 0.008 > price(spending(5))
    assert price(spending(9), spending(3)) == pytest.approx(0.01), "one host may spend what another saves"
    assert price(spending(9), spending(3, articles=50.0)) > 0.02
    assert price(spending(60, articles=3.0)) < price(spending(60)), "three articles say little"


def test_an_account_of_another_budget_gives_the_price_of_this_one():
    pool = pooled([spending(6)])
    dear, cheap = (rule_of("plan", limits=Limits(refetches_per_article=n)).price(Habits(), pool) for n in (3, 12))
    assert cheap < 0.005 < 0.02 < dear


def test_a_host_that_takes_far_more_or_less_than_is_asked_has_a_price_of_its_own():
    restraints = [RULE.restraint(spending(refetches)) for refetches in (0, 0.9, 1.1, 6, 17, 19, 60)]
    assert restraints[2:5] == [1.0, 1.0, 1.0]
    assert restraints[0] < restraints[1] < 1.0 < restraints[5] < restraints[6]
    dear = spending(60)
    assert RULE.price(dear, Pool()) == pytest.approx(RULE.price(Habits(), Pool()) * restraints[6])
    assert RULE.restraint(spending(200, articles=1.0)) > 2, "one article that costs so much is enough"
    assert RULE.restraint(spending(0, articles=1.0)) > 0.9, "one that costs nothing is not"


@pytest.mark.parametrize("name", ["plan", "geometric", "fixed"])
@pytest.mark.parametrize("refetches", [-3.0, 0.0, 1e-9, 5.0, 1e9])
@pytest.mark.parametrize("articles", [0.0, 1e-9, 3.0, 1e6])
def test_every_account_gives_a_price_within_bounds(name: str, articles: float, refetches: float):
    """Looks at what was known before an account was kept, or under another rule, come without articles."""
    rule = rule_of(name, limits=RULE.limits)
    for logs in (0.0, -1e7, 1e7):
        account = Account(articles=articles, refetches=refetches, logs_of_price=logs, logs_of_restraint=logs)
        host = Habits(learnt_at=BORN, accounts={name: account})
        assert rule.lowest_price <= rule.price_of_all(pooled([host])) <= rule.highest_price
        assert rule.lowest_price / 1000 <= rule.price(host, pooled([host])) <= rule.highest_price * 1000


def test_each_rule_of_a_host_keeps_its_own_account():
    other, fixed = rule_of("geometric", limits=RULE.limits), rule_of("fixed", interval=HOUR, limits=RULE.limits)
    _, habits = learn(watched(None), BORN + HOUR, False, Habits(), Pool(), RULE)
    known = habits.account("plan")
    for rule in (other, fixed):
        _, habits = learn(watched(None), BORN + HOUR, False, habits, Pool(), rule)
    assert habits.account("plan") == known
    assert set(habits.accounts) == {"plan", "geometric"}
    assert Habits.from_json(json.loads(json.dumps(habits.to_json()))) == habits


@pytest.mark.parametrize("name", ["plan", "geometric"])
def test_an_article_that_is_found_late_counts_for_what_is_left_of_its_looks(name: str):
    rule = rule_of(name, limits=RULE.limits)
    shares, costs = [], []
    for age in (HOUR, DAY, 10 * DAY, 59 * DAY + 20 * HOUR, 100 * DAY):
        _, habits = learn(watched(None), BORN + age, False, Habits(), Pool(), rule)
        account = habits.account(name)
        shares.append(account.articles)
        costs.append(account.refetches)
    assert shares[0] == 1.0
    assert shares == sorted(shares, reverse=True)
    assert (shares[-1], costs[-1]) == (0.0, 0.0)
    for share, cost in zip(shares, costs, strict=True):
        assert cost == pytest.approx(share * costs[0], rel=0.01)


def test_a_host_is_held_back_though_all_its_articles_are_found_late():
    habits, now = Habits(), BORN
    for number in range(40):
        now = BORN + number * DAY
        born_at = now - 1.5 * DAY
        watch, at = Watch(born_at=born_at, last_look_at=None), now
        for look in range(60):  # pages that are never twice the same
            evidence, habits = learn(watch, at, look > 0, habits, Pool(), RULE)
            changed_at = at if look else None
            watch = replace(watch, last_look_at=at, last_changed_at=changed_at, looks=look + 1, evidence=evidence)
            at += timedelta(minutes=20)
    assert habits.account("plan").articles < 30
    assert RULE.restraint(habits) > 5


@pytest.mark.parametrize("name", ["plan", "geometric", "fixed"])
def test_no_rule_looks_as_often_at_a_host_that_is_held_back(name: str):
    rule, now = rule_of(name, limits=RULE.limits), BORN + 3 * HOUR
    spent = Habits(accounts={name: Account(articles=100.0, refetches=9000.0)})
    changing = Evidence(alpha=3.0, interval_seconds=3600.0)  # changed at each look so far
    watch = watched(3 * HOUR, looks=4, changes=3, last_changed_at=now, evidence=changing)
    free, held_back = (rule.next_look(watch, habits, Pool(), now).at for habits in (Habits(), spent))
    assert rule.restraint(spent) > 5
    assert free is not None
    assert held_back is None or held_back - now >= 2 * (free - now)


@pytest.mark.parametrize("name", ["plan", "geometric", "fixed"])
def test_hints_are_followed_at_once_and_more_seldom_where_a_host_is_held_back(name: str):
    rule, now = rule_of(name, limits=RULE.limits), BORN + 2 * HOUR
    true = Habits(hints=50.0, true_hints=49.0)
    watch = watched(2 * HOUR - timedelta(minutes=1), looks=2, hinted_at=now - timedelta(seconds=30))
    decision = rule.next_look(watch, true, Pool(), now)
    assert (decision.at, decision.reason) == (now, "hint")
    spent = Account(articles=100.0, refetches=6000.0)
    held_back = replace(true, accounts={name: spent})
    assert rule.restraint(held_back) > 3
    later = rule.next_look(watch, held_back, Pool(), now)
    assert later.at is None or later.at > now + timedelta(minutes=14)


@pytest.mark.parametrize("changes", [(), (1, 2, 5)])
@pytest.mark.parametrize("name", ["plan", "geometric"])
def test_over_its_life_an_article_costs_its_looks_whatever_was_expected(
    name: str, changes: tuple[int, ...], monkeypatch
):
    """Where nothing fades, and what plans are made by stays as it is."""
    monkeypatch.setattr("scheduler.recrawl.habits.SPENDING_DAYS", 1e9)
    rule, looks, now = rule_of(name, limits=RULE.limits), 0, BORN + timedelta(minutes=6)
    basis = basis_of(Habits(), Pool(), now=now + 60 * DAY)
    usual = {name: Account(articles=1e4, refetches=6e4)}
    habits, watch = Habits(looks=1e6, basis=replace(basis, looks=1e6), accounts=usual), watched(None)
    while True:
        changed = looks in changes
        evidence, habits = learn(watch, now, changed, habits, Pool(), rule)
        watch = replace(
            watch,
            last_look_at=now,
            last_changed_at=now if changed else watch.last_changed_at,
            looks=watch.looks + 1,
            changes=watch.changes + changed,
            evidence=evidence,
        )
        at = rule.next_look(watch, habits, Pool(), now).at
        if at is None:
            break
        looks, now = looks + 1, at
    left = rule.expected_looks(watch, habits, Pool())
    assert looks > 3
    assert habits.account(name).refetches - 6e4 - left == pytest.approx(looks, rel=0.05)


def test_a_look_that_nobody_planned_teaches_and_costs_nothing():
    evidence, habits = learn(watched(HOUR, looks=1), BORN + DAY, True, Habits(), Pool(), RULE, planned=False)
    _, paid = learn(watched(HOUR, looks=1), BORN + DAY, True, Habits(), Pool(), RULE)
    assert evidence.alpha > 0
    assert paid.account("plan").refetches - habits.account("plan").refetches == pytest.approx(1)


def test_what_is_fetched_at_an_interval_that_is_set_is_not_reckoned_against_the_budget():
    rule = rule_of("fixed", interval=HOUR, limits=RULE.limits)
    _, habits = learn(watched(None), BORN + HOUR, False, Habits(), Pool(), rule)
    _, habits = learn(watched(HOUR, looks=1), BORN + DAY, False, habits, Pool(), rule)
    assert not habits.accounts
