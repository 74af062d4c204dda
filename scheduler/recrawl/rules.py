"""The simple rules: what crawlers do that know nothing of articles. Kept for those who prefer them, and to compare."""

import math
from abc import abstractmethod
from datetime import datetime, timedelta

from scheduler.recrawl.budget import current_basis
from scheduler.recrawl.habits import Habits, Pool
from scheduler.recrawl.rule import Rule
from scheduler.recrawl.shape import AgeShape
from scheduler.recrawl.watch import DAY, Decision, Limits, Watch


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


class StormCrawler(SimpleRule):
    """Apache StormCrawler's AdaptiveScheduler with its defaults: begins with a day; half as long again when a look
    showed nothing new, up to two weeks; half way down to the shortest, an hour, when it did.
    https://github.com/apache/stormcrawler, AdaptiveScheduler.java. All times are scaled to the budget."""

    name = "stormcrawler"
    BEGIN, SHORTEST, LONGEST = DAY, 3600.0, 14 * DAY
    INCREASE, DECREASE = 0.5, 0.5

    def wait(self, watch: Watch, habits: Habits, pool: Pool, /) -> float:
        return (watch.evidence.interval_seconds or self.BEGIN) * self.price(habits, pool)

    def remembered_interval(self, interval: float | None, *, changed: bool) -> float | None:
        interval = interval or self.BEGIN
        if changed:
            return (1 - self.DECREASE) * interval + self.DECREASE * self.SHORTEST
        return min(interval * (1 + self.INCREASE), self.LONGEST)


class Nutch(SimpleRule):
    """Apache Nutch's AdaptiveFetchSchedule with the defaults of nutch-default.xml: times 1.4 when a look showed nothing
    new, times 0.8 when it did; never shorter than the article has been unchanged, less three tenths of that
    (`sync_delta`). Nutch begins with 30 days, which no news outlives; this begins with one.
    https://github.com/apache/nutch, AdaptiveFetchSchedule.java. All times are scaled to the budget."""

    name = "nutch"
    BEGIN, SHORTEST = DAY, 60.0
    INCREASE, DECREASE, SYNC = 0.4, 0.2, 0.3

    def wait(self, watch: Watch, habits: Habits, pool: Pool, /) -> float:
        interval = watch.evidence.interval_seconds or self.BEGIN
        quiet = 0.0
        if watch.last_look_at is not None and watch.looks > 1:
            quiet = max(0.0, (watch.last_look_at - (watch.last_changed_at or watch.born_at)).total_seconds())
        return max(interval * self.price(habits, pool), quiet) - self.SYNC * quiet

    def remembered_interval(self, interval: float | None, *, changed: bool) -> float | None:
        interval = interval or self.BEGIN
        return max(interval * (1 - self.DECREASE if changed else 1 + self.INCREASE), self.SHORTEST)


class Index(Rule):
    """Fetches where the chance of at least two edits since the last look, 1−e^(−x)(1+x) with x = k·ΔS expected, reaches
    a threshold: the index by which a stationary crawl of many pages is ordered near-optimally. Y. Azar, E. Horvitz,
    E. Lubetzky, Y. Peres and D. Shahaf, "Tractable near-optimal policies for crawling", PNAS 115(32), 2018. The
    threshold is what spends the budget on an article as its host's are. It takes no last look at a quiet article."""

    name = "index"

    def next_look(self, watch: Watch, habits: Habits, pool: Pool, now: datetime) -> Decision:
        if watch.last_look_at is None:
            return self.after(watch, 0.0, now)
        basis = current_basis(habits, pool, now=now)
        shape = AgeShape(basis.rates)
        k = (basis.alpha + watch.evidence.alpha) / (basis.beta + watch.evidence.beta)
        # The index rises with x alone, so its threshold is one of x.
        end = self.limits.watch_for.total_seconds()
        enough = basis.alpha / basis.beta * shape.cumulative(end) / max(self.limits.refetches_per_article, 0.1)
        enough *= self.price(habits, pool)
        looked = watch.age(min(watch.last_look_at, now))
        age = shape.age_at(shape.cumulative(looked) + enough / k)
        threshold = -math.expm1(-enough) - enough * math.exp(-enough)
        decision = self.after(watch, age - looked, now)
        by_index = Decision(
            at=decision.at if age <= end else None,
            reason=self.name,
            detail={**decision.detail, "expected_edits": enough, "threshold": threshold},
        )
        return self.sooner_by_hint(by_index, watch, habits, pool, now)
