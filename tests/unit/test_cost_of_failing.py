"""What cannot be had costs no more than what can: the planner's decisions over a whole watch, with time passed in."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from scheduler.page_learning import Deliberation, learn_looks
from scheduler.recrawl import Habits, Limits, Pool, rule_of
from storage.outcomes import LOOKS, Outcome
from tests.unit.histories import NOW, history

WATCH_FOR = timedelta(days=60)


def fetches(outcome: Outcome, rule: str = "plan", *, after: int = 1, budget: float = 6.0) -> list[datetime]:
    """Return when an article is asked for that comes to `outcome` from its fetch of that number on."""
    limits = Limits(watch_for=WATCH_FOR, refetches_per_article=budget)
    by_rule, habits = rule_of(rule, limits=limits), Habits()
    page, at, asked = history(first_seen_at=NOW, last_fetch_at=NOW, looks=0, last_look_at=None), NOW, []
    while at is not None and len(asked) < 500:
        asked.append(at)
        came_to = Outcome.UNCHANGED if len(asked) <= after else outcome
        is_look = came_to in LOOKS
        page = replace(
            page,
            last_fetch_at=at,
            last_outcome=came_to,
            looks=page.looks + is_look,
            consecutive_failures=0 if is_look else page.consecutive_failures + 1,
            last_look_at=at if is_look else page.last_look_at,
            suspect_looks=1 if came_to is Outcome.SUSPECT else 0,
            has_article=after > 0,
        )
        page, habits = learn_looks(page, habits=habits, pool=Pool(), rule=by_rule, now=at)
        deliberation = Deliberation(rule=by_rule, habits=habits, pool=Pool(), watch_for=WATCH_FOR)
        look = deliberation.next_look(page, at)
        at, page = look.at, replace(page, next_fetch_reason=look.reason)
    return asked


CANNOT_BE_HAD = [
    Outcome.PAYWALLED,
    Outcome.BLOCKED_STATUS,
    Outcome.RATE_LIMITED,
    Outcome.CONSENT_WALL,
    Outcome.LOGIN_WALL,
    Outcome.BOT_CHECK,
    Outcome.SOFT_404,
    Outcome.MAINTENANCE,
    Outcome.SCRIPT_SHELL,
    Outcome.WRONG_LANGUAGE,
    Outcome.BLOCKED_ROBOTS,
    Outcome.TOO_LARGE,
    Outcome.WRONG_TYPE,
    Outcome.TIMEOUT,
    Outcome.NETWORK_ERROR,
    Outcome.HTTP_ERROR,
    Outcome.EXTRACT_FAILED,
]


@pytest.mark.parametrize("outcome", [*CANNOT_BE_HAD, Outcome.NOT_ARTICLE])
@pytest.mark.parametrize("rule", ["plan", "geometric"])
def test_an_article_that_cannot_be_had_any_more_is_asked_for_about_as_often_as_others(outcome, rule):
    usual = fetches(Outcome.UNCHANGED, rule)
    failing = fetches(outcome, rule)
    assert len(failing) <= len(usual) + 3, (len(failing), len(usual))
    assert len(failing) > 2


@pytest.mark.parametrize("outcome", [*CANNOT_BE_HAD, Outcome.MISSING, Outcome.NOT_ARTICLE])
def test_what_never_was_an_article_is_asked_for_as_often_as_articles(outcome):
    assert 3 < len(fetches(outcome, after=0)) <= 7


def test_a_text_that_is_never_the_same_costs_a_few_looks_more():
    assert len(fetches(Outcome.SUSPECT)) <= len(fetches(Outcome.UNCHANGED)) + 7


@pytest.mark.parametrize("outcome", [Outcome.PAYWALLED, Outcome.TIMEOUT])
@pytest.mark.parametrize("budget", [1, 3, 12])
def test_the_budget_bounds_it(outcome, budget):
    assert len(fetches(outcome, budget=budget)) <= 1.4 * len(fetches(Outcome.UNCHANGED, budget=budget)) + 3
