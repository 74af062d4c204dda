"""The simple rules: what crawlers do that know nothing of articles. Kept for those who prefer them, and to compare."""

import math
from abc import abstractmethod
from datetime import datetime, timedelta

from scheduler.recrawl.habits import Habits, Pool
from scheduler.recrawl.rule import Rule
from scheduler.recrawl.watch import Decision, Limits, Watch


class SimpleRule(Rule):
    """A rule that waits some time after each look. A hint makes an article due at once if it is probably true."""

    def next_look(self, watch: Watch, habits: Habits, pool: Pool, now: datetime) -> Decision:
        decision = self.after(watch, self.wait(watch, habits, pool), now)
        return self.sooner_by_hint(decision, watch, habits, pool, now)

    @abstractmethod
    def wait(self, watch: Watch, habits: Habits, pool: Pool, /) -> float:
        """Return how many seconds after the last look the next one comes."""


class Never(Rule):
    """Never looks again, whatever is hinted: any other rule at a budget of 0. It goes by that one's name."""

    keeps_budget = False

    def __init__(self, limits: Limits, *, name: str) -> None:
        super().__init__(limits)
        self.name = name

    def next_look(self, watch: Watch, habits: Habits, pool: Pool, now: datetime) -> Decision:  # noqa: ARG002 - for others
        at = now if watch.last_look_at is None else None
        return Decision(at=at, reason=self.name, detail={"age_seconds": watch.age(now)})


class Fixed(SimpleRule):
    """The same interval after each look, whatever it showed: the one that the operator sets, else the watch divided by
    the budget. The uniform policy of J. Cho and H. Garcia-Molina, "Effective page refresh policies for Web crawlers",
    ACM Transactions on Database Systems 28(4), 2003. An interval that is set is kept to as it stands."""

    name = "fixed"

    def __init__(self, limits: Limits, *, interval: timedelta | None = None, scale: float = 1.0) -> None:
        super().__init__(limits, scale=scale)
        self._interval = interval
        self.keeps_budget = interval is None

    def next_look(self, watch: Watch, habits: Habits, pool: Pool, now: datetime) -> Decision:
        if self._interval is None:
            return super().next_look(watch, habits, pool, now)
        return self.after(watch, self._interval.total_seconds(), now, bounded=False)

    def wait(self, _: Watch, habits: Habits, pool: Pool, /) -> float:
        budget = max(self.limits.refetches_per_article, 0.1)
        return self.limits.watch_for.total_seconds() / budget * self.price(habits, pool)


class Geometric(SimpleRule):
    """Waits that grow by a factor: an hour after the first look, then the factor times the last wait when a look showed
    nothing new, and the last wait divided by the factor, not under an hour, when it did. The factor is what spends the
    budget over a watch of quiet looks. The oldest habit of crawlers and of mail servers: exponential back-off."""

    name = "geometric"
    FIRST = 3600.0

    def factor(self, habits: Habits, pool: Pool) -> float:
        """Return by what the wait grows."""
        span = max(self.limits.watch_for.total_seconds() / self.FIRST, 2.0)
        whole = math.exp(math.log(span) / max(self.limits.refetches_per_article, 0.1))
        return 1 + (whole - 1) * self.price(habits, pool)

    def wait(self, watch: Watch, habits: Habits, pool: Pool, /) -> float:
        remembered = watch.evidence.interval_seconds
        # No factor holds back a host whose pages are never twice the same: their wait does not grow.
        first = self.FIRST * max(self.restraint(habits), 1.0)
        if remembered is None:
            return first
        # What is remembered is how many times the wait grew, as an hour's power of two.
        times = math.log2(max(remembered / self.FIRST, 1.0))
        return first * math.exp(min(times * math.log(self.factor(habits, pool)), 50.0))

    def remembered_interval(self, interval: float | None, *, changed: bool) -> float | None:
        remembered = interval or self.FIRST
        return max(remembered / 2, self.FIRST) if changed else min(remembered * 2, self.FIRST * 2**60)
