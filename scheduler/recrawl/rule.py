"""What every rule of recrawling has: a name, limits, and an answer to when an article is looked at again."""

from abc import ABC, abstractmethod
from datetime import datetime, timedelta

from scheduler.recrawl.habits import Habits, Pool
from scheduler.recrawl.watch import Decision, Limits, Watch

LEAST_TRUTH = 0.1
"""Hints of a host that are seldomer true are not heeded: so small a share cannot be told from chance, and where a fetch
is cheap, each of its articles would be fetched as often as its index is made anew."""


class Rule(ABC):
    """Decides when an article is looked at again. Pure: it keeps nothing but what speeds it up.

    Every rule but the interval that an operator fixes is scaled to the budget by the host's `correction`: above 1 it
    looks more seldom.
    """

    name: str

    def __init__(self, limits: Limits, *, scale: float = 1.0) -> None:
        self.limits = limits
        self.scale = scale
        """A further factor on top of the correction, for those who tune a rule by hand."""

    @abstractmethod
    def next_look(self, watch: Watch, habits: Habits, pool: Pool, now: datetime) -> Decision:
        """Return when the article is looked at again, not before `now`, and never later than its watch lasts."""

    def remembered_interval(self, interval: float | None, *, changed: bool) -> float | None:  # noqa: ARG002 - for others
        """Return the interval in seconds to remember after a look, from the one remembered before; None if none is."""
        return None

    def thrift(self, habits: Habits) -> float:
        """Return how much more seldom than by itself the rule should look."""
        return habits.correction * self.scale if habits.rule in (self.name, None) else self.scale

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


def hint_truth(habits: Habits, pool: Pool) -> float:
    """Return the share of a host's hints that prove true, beyond those that are so by chance: Beta-smoothed.

    All hosts together count for two hints, and behind them stands one true and one false.
    """
    everywhere = (pool.true_hints + 1) / (pool.hints + 2)
    return (habits.true_hints + 2 * everywhere) / (habits.hints + 2)
