"""What every rule of recrawling has: a name, limits, and an answer to when an article is looked at again."""

from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import datetime, timedelta

from scheduler.recrawl.account import Account
from scheduler.recrawl.habits import Habits, Pool
from scheduler.recrawl.shape import AgeShape
from scheduler.recrawl.watch import Decision, Limits, Watch

LEAST_TRUTH = 0.1
"""Hints of a host that are seldomer true are not heeded: so small a share cannot be told from chance, and where a fetch
is cheap, each of its articles would be fetched as often as its index is made anew."""
LIKELY = 0.5
"""A rule that weighs no looks against each other follows a hint that is true so often."""
MOST_SHARE, LEAST_SHARE = 3.0, 1 / 6
"""A host takes so many times what is asked for an article at most: one whose pages are never twice the same would
otherwise take what is meant for all. And at least so many times that: one that was quiet for long would otherwise never
be found to have become lively."""
LARGEST_RESTRAINT = 1000.0
_MOST_FAILURES = 60
"""After more in a row a remembered interval grows no more: it is longer than any watch."""
_MOST_LOOKS = 300
"""More are not counted ahead, if they are more than twice the budget."""


class Rule(ABC):
    """Decides when an article is looked at again. Pure: it keeps nothing but what speeds it up.

    Every rule but the interval that an operator fixes is scaled to the budget by its price, which is learnt of all
    hosts that follow it.
    """

    name: str
    keeps_budget = True
    """Whether what it spends is held to the budget."""
    lowest_price, highest_price = 1 / 30, 30.0

    def __init__(self, limits: Limits, *, scale: float = 1.0) -> None:
        self.limits = limits
        self.scale = scale
        """A further factor of the price, for those who tune a rule by hand."""

    @abstractmethod
    def next_look(self, watch: Watch, habits: Habits, pool: Pool, now: datetime) -> Decision:
        """Return when the article is looked at again, not before `now`, and never later than its watch lasts."""

    def remembered_interval(self, interval: float | None, *, changed: bool) -> float | None:  # noqa: ARG002 - for others
        """Return the interval in seconds to remember after a look, from the one remembered before; None if none is."""
        return None

    def price(self, habits: Habits, pool: Pool) -> float:
        """Return how dear a look at a host's articles is: the dearer, the more seldom the rule looks.

        It moves so that all hosts together spend the budget. In which unit it is, is the rule's own affair: 1 is what a
        simple rule makes of the budget by itself.
        """
        return self.price_of_all(pool) * self.restraint(habits) * self.scale

    def restraint(self, habits: Habits) -> float:
        """Return by how much a host's price differs from that of all, as its articles cost far more or less."""
        budget = self.limits.refetches_per_article
        return habits.account(self.name).restraint(
            least=budget * LEAST_SHARE, most=budget * MOST_SHARE, bound=LARGEST_RESTRAINT
        )

    def price_of_all(self, pool: Pool) -> float:
        """Return the price at a host without restraint."""
        account = pool.accounts.get(self.name, Account())
        price = account.price(self.limits.refetches_per_article, lambda: self.first_price(pool))
        return min(max(price, self.lowest_price), self.highest_price)

    def first_price(self, pool: Pool) -> float:  # noqa: ARG002 - for others
        """Return the price before anything is spent."""
        return 1.0

    def expected_looks(self, watch: Watch, habits: Habits, pool: Pool) -> float:
        """Return how many looks are to be expected after the last one: here, if none of them shows an edit."""
        if watch.last_look_at is None or not self.keeps_budget:
            return 0.0
        most = max(_MOST_LOOKS, 2 * self.limits.refetches_per_article)
        one, looks = replace(watch, hinted_at=None), 0
        while looks < most:
            assert one.last_look_at is not None  # noqa: S101 - each look in turn is the last
            at = self.next_look(one, habits, pool, one.last_look_at).at
            if at is None:
                break
            looks, one = looks + 1, self._after_quiet_look(one, at, habits)
        return float(looks)

    def after_failures(self, watch: Watch, at: datetime, habits: Habits, failures: int) -> Watch:
        """Return an article that could not be had in so many attempts in a row, the last of them at an instant, as if
        each had shown nothing new: then it costs what one costs that is never edited."""
        watch = self._after_quiet_look(watch, at, habits)
        interval = watch.evidence.interval_seconds
        for _ in range(min(failures, _MOST_FAILURES) - 1):
            interval = self.remembered_interval(interval, changed=False)
        evidence = replace(watch.evidence, interval_seconds=interval)
        return replace(watch, evidence=evidence, looks=watch.looks + max(failures - 1, 0))

    def _after_quiet_look(self, watch: Watch, at: datetime, habits: Habits) -> Watch:
        """Return an article after a look that shows nothing new."""
        evidence = watch.evidence
        if habits.basis is not None and watch.last_look_at is not None:
            shape = AgeShape(habits.basis.rates)
            covered = shape.cumulative(watch.age(at)) - shape.cumulative(watch.age(watch.last_look_at))
            evidence = replace(evidence, beta=evidence.beta + max(0.0, covered))
        interval = self.remembered_interval(evidence.interval_seconds, changed=False)
        evidence = replace(evidence, interval_seconds=interval)
        return replace(watch, last_look_at=at, looks=watch.looks + 1, evidence=evidence)

    def after(self, watch: Watch, wait: float, now: datetime, *, bounded: bool = True) -> Decision:
        """Return the decision to look `wait` seconds after the last look, if that is within the watch."""
        age = watch.age(now)
        if watch.last_look_at is None:
            return Decision(at=now, reason=self.name, detail={"age_seconds": age})
        if bounded:
            wait = self.limits.bounded(wait)
        # A last look that lies ahead is of a clock that was set back.
        at = max(min(watch.last_look_at, now) + timedelta(seconds=wait), now)
        detail = {"age_seconds": age, "wait_seconds": wait}
        within = watch.age(at) <= self.limits.watch_for.total_seconds()
        return Decision(at=at if within else None, reason=self.name, detail=detail)

    def due_by_hint(self, watch: Watch, habits: Habits, pool: Pool, now: datetime) -> float | None:
        """Return the chance that a hint which the article has is true; None where it has none that is to be heeded."""
        if watch.hinted_at is None or watch.hinted_at > now:
            return None
        truth = hint_truth(habits, pool)
        return truth if truth >= LEAST_TRUTH else None

    def sooner_by_hint(self, decision: Decision, watch: Watch, habits: Habits, pool: Pool, now: datetime) -> Decision:
        """Return the decision, or a sooner one where the article has a hint that is probably true."""
        truth = self.due_by_hint(watch, habits, pool, now)
        if truth is None or truth < LIKELY:
            return decision
        at = self.hinted_look(watch, habits, now)
        if decision.at is not None and decision.at <= at:
            return decision
        return Decision(at=at, reason="hint", detail={"age_seconds": watch.age(now), "truth": truth})

    def hinted_look(self, watch: Watch, habits: Habits, now: datetime) -> datetime:
        """Return when a hint is followed: at once, but where its host is held back only so long after the last look as
        any look waits at least, times the restraint; for hints may come as often as an index is made."""
        restraint = self.restraint(habits)
        if watch.last_look_at is None or restraint <= 1:
            return now
        return max(now, min(watch.last_look_at, now) + min(self.limits.shortest * restraint, self.limits.longest))


def hint_truth(habits: Habits, pool: Pool) -> float:
    """Return the share of a host's hints that prove true, beyond those that are so by chance: Beta-smoothed.

    All hosts together count for two hints, and behind them stands one true and one false.
    """
    everywhere = (pool.true_hints + 1) / (pool.hints + 2)
    return (habits.true_hints + 2 * everywhere) / (habits.hints + 2)
