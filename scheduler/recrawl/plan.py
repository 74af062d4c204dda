"""The rule `plan`: all coming looks of an article are planned, and the first one is kept."""

import math
from collections import OrderedDict
from datetime import datetime, timedelta

from scheduler.recrawl.budget import HIGHEST_PRICE, LOWEST_PRICE, current_basis, price_of_all
from scheduler.recrawl.habits import Basis, Habits, Pool
from scheduler.recrawl.lookahead import Costs, NextLook, Table, age_grid, candidate_ages, next_look, tabulate
from scheduler.recrawl.rule import Rule
from scheduler.recrawl.shape import AgeShape
from scheduler.recrawl.watch import Decision, Limits, Watch

_TABLES = 500
"""So many tables are kept: a host's articles share one."""
_PRICE_STEP = 0.1
"""For the looks after the next, prices are taken to be alike within this share."""


class Plan(Rule):
    """Plans an article's coming looks to catch as many edits as soon as the budget allows: see `lookahead`.

    Related: C. Olston and S. Pandey, "Recrawl scheduling based on information longevity", WWW 2008, for the worth of
    what lasts; and Cho and Garcia-Molina 2003 for the evidence.
    """

    name = "plan"
    lowest_price, highest_price = LOWEST_PRICE, HIGHEST_PRICE

    def __init__(self, limits: Limits, *, scale: float = 1.0) -> None:
        super().__init__(limits, scale=scale)
        self._end = limits.watch_for.total_seconds()
        self._shortest, self._longest = limits.shortest.total_seconds(), limits.longest.total_seconds()
        self._half_life = limits.half_life_in_use.total_seconds()
        self._grid = age_grid(self._end, shortest=self._shortest, longest=self._longest)
        self._tables: OrderedDict[tuple[object, ...], Table] = OrderedDict()
        self._priced: tuple[Pool, float] | None = None

    def next_look(self, watch: Watch, habits: Habits, pool: Pool, now: datetime) -> Decision:
        if watch.last_look_at is None:
            return Decision(at=now, reason=self.name, detail={"age_seconds": watch.age(now)})
        basis = current_basis(habits, pool, now=now)
        shape = AgeShape(basis.rates)
        price = self.price(habits, pool)
        age, looked = watch.age(now), watch.age(min(watch.last_look_at, now))
        table = self._table(basis, shape, price)
        alpha, beta = basis.alpha + watch.evidence.alpha, basis.beta + watch.evidence.beta
        detail = {"age_seconds": age, "price": price, "edited_share": _edited_share(basis, shape, age)}
        truth = self.due_by_hint(watch, habits, pool, now)
        if truth is not None and watch.hinted_at is not None:
            late = max(0.0, (now - watch.hinted_at).total_seconds())
            worth = truth * 0.5 ** (late / self._half_life)
            if worth >= price:
                at = self.hinted_look(watch, habits, now)
                return Decision(at=at, reason="hint", detail={**detail, "truth": truth, "gain": worth})
        best = self._best(alpha, beta, shape, table, looked=looked, age=age, price=price)
        if best is None:
            return Decision(at=None, reason=self.name, detail=detail)
        expected = alpha / beta * (shape.cumulative(best.age) - shape.cumulative(looked))
        at = max(watch.born_at + timedelta(seconds=best.age), now)
        return Decision(at=at, reason=self.name, detail={**detail, "gain": best.gain, "expected_edits": expected})

    def price_of_all(self, pool: Pool) -> float:
        """Return the price of a fetch, in edits that are seen at once, at a host without restraint."""
        if self._priced is None or self._priced[0] != pool:
            self._priced = (pool, super().price_of_all(pool))
        return self._priced[1]

    def first_price(self, pool: Pool) -> float:
        return price_of_all(pool, self.limits)

    def expected_looks(self, watch: Watch, habits: Habits, pool: Pool) -> float:
        basis = habits.basis
        if watch.last_look_at is None or basis is None:
            return 0.0
        shape = AgeShape(basis.rates)
        looked = watch.age(watch.last_look_at)
        here = shape.cumulative(looked)
        rate = (basis.alpha + watch.evidence.alpha) / (basis.beta + watch.evidence.beta)
        return self._table(basis, shape, self.price(habits, pool)).expected_looks(looked, here, rate)

    def _best(
        self,
        alpha: float,
        beta: float,
        shape: AgeShape,
        table: Table,
        *,
        looked: float,
        age: float,
        price: float,
    ) -> NextLook | None:
        ages = candidate_ages(looked=looked, now=age, end=self._end, shortest=self._shortest, longest=self._longest)
        return next_look(
            alpha,
            beta,
            shape.cumulative,
            table,
            looked=looked,
            ages=ages,
            costs=self._costs(price),
        )

    def _costs(self, price: float) -> Costs:
        return Costs(price=price, half_life=self._half_life, shortest=self._shortest, longest=self._longest)

    def _table(self, basis: Basis, shape: AgeShape, price: float) -> Table:
        """Return the values of looks at the host's articles, at about this price."""
        step = round(math.log(price) / _PRICE_STEP)
        key = (basis.alpha, basis.beta, basis.rates, step)
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = tabulate(
                basis.alpha,
                basis.beta,
                shape.cumulative,
                self._grid,
                self._costs(math.exp(step * _PRICE_STEP)),
            )
            if len(self._tables) > _TABLES:
                self._tables.popitem(last=False)
        else:
            self._tables.move_to_end(key)
        return table


def _edited_share(basis: Basis, shape: AgeShape, age: float) -> float:
    """Return the share of the host's articles that are edited by an age."""
    return -math.expm1(-basis.alpha * math.log1p(shape.cumulative(age) / basis.beta))
