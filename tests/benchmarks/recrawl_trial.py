"""Lets a rule of recrawling watch a synthetic world, and measures what it caught. Drives the classes of production."""

import heapq
import statistics
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from scheduler.recrawl import Evidence, Habits, Limits, Pool, Rule, Watch, learn, pooled
from scheduler.recrawl.lookahead import Costs, age_grid, tabulate
from tests.benchmarks.recrawl_worlds import DAY, WATCH, Article

_GUESS_ARTICLES = 10.0
EPOCH = datetime(2026, 1, 5, tzinfo=UTC)


def limits(budget: float) -> Limits:
    """Return production's limits at a budget."""
    return Limits(watch_for=timedelta(seconds=WATCH), refetches_per_article=budget)


@dataclass
class Trial:
    """What a rule did: the ages of its looks at each article, the first one included."""

    looks: list[list[float]]
    habits: dict[int, Habits] = field(default_factory=dict)


@dataclass
class _Watched:
    article: Article
    born_at: datetime
    watch: Watch
    ages: list[float] = field(default_factory=list)


def watch_world(
    rule: Rule,
    articles: Sequence[Article],
    *,
    others: Sequence[Habits] = (),
    learning: bool,
    until: float = float("inf"),
) -> Trial:
    """Return what comes of watching all articles by a rule, each look in the order of time, `until` an instant.

    With `learning` hosts are learnt online, beginning with what is known of `others`, and are pooled once a day;
    without, the rule has only what it remembers of each article.
    """
    watched = []
    due = []
    for number, article in enumerate(articles):
        born_at = EPOCH + timedelta(seconds=article.born)
        watched.append(_Watched(article, born_at, Watch(born_at=born_at, last_look_at=None)))
        due.append((article.born + article.seen, number))
    heapq.heapify(due)
    habits: dict[int, Habits] = {}
    everyone, pooled_at = pooled(others), 0.0
    while due:
        now, number = heapq.heappop(due)
        if now > until:
            break
        if learning and now - pooled_at >= DAY:
            everyone, pooled_at = pooled([*others, *habits.values()]), now
        one = watched[number]
        host = habits.get(one.article.host, Habits())
        host = _look(one, now, host, everyone, rule, learning=learning)
        habits[one.article.host] = host
        decision = rule.next_look(one.watch, host, everyone, EPOCH + timedelta(seconds=now))
        if decision.at is not None:
            heapq.heappush(due, ((decision.at - EPOCH).total_seconds(), number))
    return Trial([one.ages for one in watched], habits)


def _look(one: _Watched, now: float, habits: Habits, pool: Pool, rule: Rule, *, learning: bool) -> Habits:
    at = EPOCH + timedelta(seconds=now)
    age = now - one.article.born
    edits = one.article.edits
    changed = bool(one.ages) and bisect_left(edits, age) > bisect_left(edits, one.ages[-1])
    if learning:
        evidence, habits = learn(one.watch, at, changed, habits, pool, rule)
    elif one.ages:
        evidence = Evidence(
            interval_seconds=rule.remembered_interval(one.watch.evidence.interval_seconds, changed=changed)
        )
    else:
        evidence = Evidence()
    one.watch = replace(
        one.watch,
        last_look_at=at,
        last_changed_at=at if changed else one.watch.last_changed_at,
        looks=one.watch.looks + 1,
        changes=one.watch.changes + changed,
        evidence=evidence,
    )
    one.ages.append(age)
    return habits


def as_known(habits: Habits) -> Habits:
    """Return the habits of a host that is not watched any more: what it spent is but a first guess for others."""
    accounts = {
        rule: account.times(min(1.0, _GUESS_ARTICLES / max(account.articles, 1.0)))
        for rule, account in habits.accounts.items()
    }
    return replace(habits, accounts=accounts)


def watch_as_oracle(articles: Sequence[Article], *, budget: float, price: float) -> Trial:
    """Return what comes of planning each article by its true rate function (not its edits), at a price of a fetch."""
    asked = limits(budget)
    shortest, longest = asked.shortest.total_seconds(), asked.longest.total_seconds()
    looks = []
    for article in articles:
        ages = [article.seen]
        if article.parts:
            grid = age_grid(WATCH, shortest=shortest, longest=longest)
            grid = (article.seen, *(age for age in grid if age > article.seen + 60))
            table = tabulate(
                1e4,
                1e4,
                article.cumulative,
                grid,
                Costs(
                    price=price, half_life=asked.half_life_in_use.total_seconds(), shortest=shortest, longest=longest
                ),
                levels=(0.0,),
            )
            ages += table.path(article.seen)
        looks.append(ages)
    return Trial(looks)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a rule came to, over some articles. Delays are in hours."""

    refetches: float
    unadjusted: float
    """The refetches when asked for the budget as it stands."""
    caught: float
    """Share of the versions after the first that a look showed: one that is replaced before any look is lost."""
    mean_delay: float
    median_delay: float
    p90_delay: float
    strict_delay: float
    wasted: float
    """Share of the refetches that showed nothing new."""


def measure(articles: Sequence[Article], looks: Sequence[Sequence[float]]) -> Measured:
    """Return what was caught and when.

    The delay of a version runs until the first look after it, whether that shows it or what replaced it: so long the
    archive was behind. Where no look follows it is censored at the end of the watch. So every version has a delay
    whatever the rule did, and none looks better for missing one. In `strict_delay`, the mean, a version that no look
    showed counts until the end of the watch even if a later one was seen.
    """
    delays, strict, caught, refetches, useful = [], [], 0, 0, 0
    for article, ages in zip(articles, looks, strict=True):
        refetches += len(ages) - 1
        seen = set()
        for number, age in enumerate(article.edits):
            place = bisect_left(ages, age)
            delays.append((ages[place] if place < len(ages) else WATCH) - age)
            following = article.edits[number + 1] if number + 1 < len(article.edits) else float("inf")
            shown = place < len(ages) and ages[place] <= following
            strict.append(delays[-1] if shown else WATCH - age)
            caught += shown
            if shown:
                seen.add(place)
        useful += len(seen)
    delays.sort()
    return Measured(
        refetches=refetches / len(articles),
        unadjusted=refetches / len(articles),
        caught=caught / len(delays),
        mean_delay=statistics.fmean(delays) / 3600,
        median_delay=delays[len(delays) // 2] / 3600,
        p90_delay=delays[len(delays) * 9 // 10] / 3600,
        strict_delay=statistics.fmean(strict) / 3600,
        wasted=1 - useful / max(1, refetches),
    )


def bracket(
    spend: Callable[[float], float], budget: float, *, low: float, high: float, steps: int = 11
) -> tuple[float, float, float]:
    """Return a thrifty and a lavish knob and the share of articles for the lavish one, so that both spend the budget.

    `spend` falls as the knob grows. The knob is bisected in its logarithm until it spends the budget within 0.4 %.
    """
    lavish, lavish_spent, thrifty, thrifty_spent = low, float("inf"), high, 0.0
    for _ in range(steps):
        middle = (lavish * thrifty) ** 0.5
        value = spend(middle)
        if abs(value / budget - 1) < 0.004:
            return middle, middle, 0.0
        if value > budget:
            lavish, lavish_spent = middle, value
        else:
            thrifty, thrifty_spent = middle, value
    if lavish_spent == float("inf"):
        return thrifty, thrifty, 0.0
    return thrifty, lavish, (budget - thrifty_spent) / (lavish_spent - thrifty_spent)
