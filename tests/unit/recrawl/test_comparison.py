"""The plan against the simple rules, in one small world of known edits."""

from itertools import pairwise

import pytest

from scheduler.recrawl import Limits
from tests.benchmarks.recrawl import SIMPLE, TINY, case_of, run
from tests.benchmarks.recrawl_rules import COMPARED, rule_of
from tests.benchmarks.recrawl_trial import measure
from tests.benchmarks.recrawl_worlds import WATCH, WORLDS, Article
from tests.unit.recrawl.test_rules import LIMITS, looks_of


def test_the_plan_catches_at_least_as_much_as_any_simple_rule_at_the_same_budget():
    """The index learns like the plan, and is near enough that only a larger world tells them apart."""
    case = case_of(WORLDS[0], TINY, 2)
    plan = run("plan", case, 4.0)
    assert plan.refetches < 4.4
    for name in SIMPLE:
        assert plan.caught >= run(name, case, 4.0).caught


def test_a_version_that_is_replaced_before_a_look_is_lost_and_one_that_none_follows_is_censored():
    article = Article(host=0, born=0.0, seen=60.0, parts=(), edits=(100.0, 200.0, 4000.0, 9000.0))
    measured = measure([article], [[60.0, 3600.0, 7600.0, 7700.0]])
    assert measured.refetches == 3
    assert measured.caught == 0.5
    assert abs(measured.wasted - 1 / 3) < 1e-9
    delays = [3500.0, 3400.0, 3600.0, WATCH - 9000.0]
    assert abs(measured.mean_delay - sum(delays) / 4 / 3600) < 1e-9


@pytest.mark.parametrize("name", COMPARED)
def test_what_the_plan_is_compared_to_looks_within_the_watch_and_more_where_more_changes(name):
    ages = looks_of(rule_of(name, limits=LIMITS))
    assert 2 <= len(ages) < 40
    assert ages[-1] <= LIMITS.watch_for
    assert all(later - earlier >= LIMITS.shortest for earlier, later in pairwise(ages))
    assert len(looks_of(rule_of(name, limits=LIMITS), changes=(1, 2, 3))) > len(ages)


def test_the_rules_of_other_crawlers_are_theirs():
    storm, nutch = (rule_of(name, limits=Limits()) for name in ("stormcrawler", "nutch"))
    assert storm.remembered_interval(86_400.0, changed=False) == 129_600.0
    assert storm.remembered_interval(86_400.0, changed=True) == 45_000.0
    assert nutch.remembered_interval(86_400.0, changed=False) == pytest.approx(120_960.0)
    assert nutch.remembered_interval(86_400.0, changed=True) == pytest.approx(69_120.0)
