"""The price of a fetch, so that articles are looked at again as often as the operator asks, on average over all hosts.

One price for all catches more edits than one for each host: where articles are never edited, looks are saved for where
they are. The model gives a first price, the one at which an article of which nothing is known is planned for as many
looks as are asked. What is really spent then corrects it, slowly: see `account`.
"""

import math
from bisect import bisect_left
from datetime import datetime, timedelta

from scheduler.recrawl.account import ELASTICITY
from scheduler.recrawl.habits import Basis, Habits, Pool
from scheduler.recrawl.lookahead import Costs, age_grid, tabulate
from scheduler.recrawl.prior import learnt_prior
from scheduler.recrawl.shape import PRIOR_SHAPE, AgeShape, learnt_shape
from scheduler.recrawl.watch import Limits

LOWEST_PRICE, HIGHEST_PRICE = 2e-4, 2.0
"""Of the price of all hosts. A look that shows an edit less than once in five thousand times is not worth a publisher's
trouble, even where the budget has room for it."""
DEFAULT_PRICE = 0.01
_PRICE_STEPS = 6
_USUAL_FIRST_LOOK = 900.0
"""Articles are first looked at about a quarter of an hour old."""
_BASIS_AGE = timedelta(days=20)
_BASIS_GROWTH = 1.8
REPLAN_SHARE = 0.10
"""A host's pages are planned anew when its price moved by this."""
HOST_SHAPE_WEIGHT = 4.0
"""So many edits in a bin of age make a host's own rate there count as much as that of all hosts."""
POOL_SHAPE_WEIGHT = 8.0


def basis_of(habits: Habits, pool: Pool, *, now: datetime) -> Basis:
    """Return what a host's articles are planned by, made anew from its sums and the pool's."""
    alpha, beta = learnt_prior(habits.prior_sums, pool.prior_sums, pool.looks)
    shape = learnt_shape(habits.events, habits.exposure, _shape_of_all(pool), HOST_SHAPE_WEIGHT)
    return Basis(alpha=alpha, beta=beta, rates=shape.rates, looks=habits.looks, made_at=now)


def current_basis(habits: Habits, pool: Pool, *, now: datetime) -> Basis:
    """Return the basis in use, or a new one where there is none or one that is old."""
    basis = habits.basis
    if basis is None:
        return basis_of(habits, pool, now=now)
    grown = not basis.looks / _BASIS_GROWTH <= habits.looks <= basis.looks * _BASIS_GROWTH + 3
    old = now - basis.made_at >= _BASIS_AGE and habits.looks != basis.looks
    return basis_of(habits, pool, now=now) if grown or old else basis


def _shape_of_all(pool: Pool) -> AgeShape:
    return learnt_shape(pool.events, pool.exposure, PRIOR_SHAPE, POOL_SHAPE_WEIGHT)


def price_of_all(pool: Pool, limits: Limits) -> float:
    """Return the price that the model gives for articles of a host of which nothing is known."""
    alpha, beta = learnt_prior(Pool().prior_sums, pool.prior_sums, pool.looks)
    return model_price(alpha, beta, _shape_of_all(pool), limits)


def model_price(alpha: float, beta: float, shape: AgeShape, limits: Limits) -> float:
    """Return the price at which a new article is expected to be looked at as often as the limits ask, within 4 %."""
    shortest, longest = limits.shortest.total_seconds(), limits.longest.total_seconds()
    half_life = limits.half_life_in_use.total_seconds()
    grid = age_grid(limits.watch_for.total_seconds(), shortest=shortest, longest=longest)
    first = bisect_left(grid, _USUAL_FIRST_LOOK)

    def spending(price: float) -> float:
        costs = Costs(price=price, half_life=half_life, shortest=shortest, longest=longest)
        table = tabulate(alpha, beta, shape.cumulative, grid, costs)
        return max(table.looks[0][first], 0.05)

    wanted = math.log(max(limits.refetches_per_article, 0.05))
    at = math.log(DEFAULT_PRICE)
    elasticity, earlier = ELASTICITY, None
    for _ in range(_PRICE_STEPS):
        excess = math.log(spending(math.exp(at))) - wanted
        if abs(excess) < 0.04:
            break
        if earlier is not None and excess != earlier[1]:
            elasticity = min(max((at - earlier[0]) / (earlier[1] - excess), 0.5), 4.0)
        earlier = (at, excess)
        at = min(max(at + elasticity * excess, math.log(LOWEST_PRICE)), math.log(HIGHEST_PRICE))
    return math.exp(at)


def needs_replan(habits: Habits) -> bool:
    """Return whether a price of the host is a tenth away from the one at which its pages were last planned.

    After planning them anew, store `habits.replanned()`.
    """
    planned = habits.planned_prices
    return any(
        rule not in planned or abs(price / planned[rule] - 1) >= REPLAN_SHARE for rule, price in habits.prices.items()
    )
