"""Rules of other crawlers, and one from the literature, to which the plan is compared. Nobody can choose them."""

import math
from datetime import datetime

from scheduler.recrawl import Habits, Limits, Pool, Rule
from scheduler.recrawl import rule_of as rule_to_choose
from scheduler.recrawl.budget import current_basis
from scheduler.recrawl.rules import SimpleRule
from scheduler.recrawl.shape import AgeShape
from scheduler.recrawl.watch import DAY, Decision, Watch


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


COMPARED: dict[str, type[Rule]] = {rule.name: rule for rule in (Index, StormCrawler, Nutch)}


def rule_of(name: str, *, limits: Limits) -> Rule:
    """Return the rule of a name, of these or of those that may be chosen."""
    return COMPARED[name](limits) if name in COMPARED else rule_to_choose(name, limits=limits)
