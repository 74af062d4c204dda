"""The rule `plan`: all coming looks of an article are planned, and the first one is kept."""

import math
from collections import OrderedDict
from datetime import datetime, timedelta

from scheduler.recrawl.budget import current_basis
from scheduler.recrawl.habits import Basis, Habits, Pool
from scheduler.recrawl.lookahead import NextLook, Nodes, Table, age_grid, candidate_ages, next_look, tabulate
from scheduler.recrawl.nodes import gamma_nodes
from scheduler.recrawl.rule import Rule
from scheduler.recrawl.shape import AgeShape
from scheduler.recrawl.watch import Decision, Limits, Watch

_TABLES = 4000
"""So many tables are kept: articles of one host with like evidence share one."""
_EVIDENCE_STEP = 0.04
"""Evidence is taken to be alike within this share, for the looks after the next."""


class Plan(Rule):
    """Plans an article's coming looks to catch as many edits as soon as the budget allows: see `lookahead`.

    Related: C. Olston and S. Pandey, "Recrawl scheduling based on information longevity", WWW 2008, for the worth of what
    lasts; and Cho and Garcia-Molina 2003 for the evidence.
    """

    name = "plan"

    def __init__(self, limits: Limits, *, scale: float = 1.0) -> None:
        super().__init__(limits, scale=scale)
        self._end = limits.watch_for.total_seconds()
        self._shortest, self._longest = limits.shortest.total_seconds(), limits.longest.total_seconds()
        self._half_life = limits.half_life.total_seconds()
        self._grid = age_grid(self._end, shortest=self._shortest, longest=self._longest)
        self._tables: OrderedDict[tuple[object, ...], tuple[Nodes, Table]] = OrderedDict()

    def next_look(self, watch: Watch, habits: Habits, pool: Pool, now: datetime) -> Decision:
        if watch.last_look_at is None:
            return Decision(at=now, reason=self.name, detail={"age_seconds": watch.age(now)})
        basis = current_basis(habits, pool, self.limits, now=now)
        shape = AgeShape(basis.rates)
        price = basis.price * self.thrift(habits)
        age, looked = watch.age(now), watch.age(min(watch.last_look_at, now))
        nodes, table = self._table(basis, shape, watch, price)
        detail = {"age_seconds": age, "price": price, "edited_share": _edited_share(basis, shape, age)}
        truth = self.due_by_hint(watch, habits, pool, now)
        if truth is not None and watch.hinted_at is not None:
            late = max(0.0, (now - watch.hinted_at).total_seconds())
            worth = truth * 0.5 ** (late / self._half_life)
            if worth >= price:
                return Decision(at=now, reason="hint", detail={**detail, "truth": truth, "gain": worth})
        best = self._best(nodes, shape, table, looked=looked, age=age, price=price)
        if best is None:
            return Decision(at=None, reason=self.name, detail=detail)
        k = (basis.alpha + watch.evidence.alpha) / (basis.beta + watch.evidence.beta)
        expected = k * (shape.cumulative(best.age) - shape.cumulative(looked))
        at = max(watch.born_at + timedelta(seconds=best.age), now)
        return Decision(at=at, reason=self.name, detail={**detail, "gain": best.gain, "expected_edits": expected})

    def _best(
        self, nodes: Nodes, shape: AgeShape, table: Table, *, looked: float, age: float, price: float
    ) -> NextLook | None:
        ages = candidate_ages(looked=looked, now=age, end=self._end, shortest=self._shortest, longest=self._longest)
        return next_look(
            nodes, shape.cumulative, table, looked=looked, ages=ages, price=price, half_life=self._half_life
        )

    def _table(self, basis: Basis, shape: AgeShape, watch: Watch, price: float) -> tuple[Nodes, Table]:
        """Return the rates that the article may have and the values of looks, for evidence like the article's."""
        alpha, beta = basis.alpha + watch.evidence.alpha, basis.beta + watch.evidence.beta
        steps = (round(math.log(alpha) / _EVIDENCE_STEP), round(math.log(beta) / _EVIDENCE_STEP))
        key = (basis.rates, round(math.log(price) / _EVIDENCE_STEP), *steps)
        found = self._tables.get(key)
        if found is None:
            nodes = gamma_nodes(math.exp(steps[0] * _EVIDENCE_STEP), math.exp(steps[1] * _EVIDENCE_STEP))
            table = tabulate(
                nodes, shape.cumulative, self._grid, price=price, half_life=self._half_life, longest=self._longest
            )
            found = self._tables[key] = (nodes, table)
            if len(self._tables) > _TABLES:
                self._tables.popitem(last=False)
        return found


def _edited_share(basis: Basis, shape: AgeShape, age: float) -> float:
    """Return the share of the host's articles that are edited by an age."""
    return -math.expm1(-basis.alpha * math.log1p(shape.cumulative(age) / basis.beta))
