"""The price of a fetch, so that an article is looked at again as often as the operator asks, on average.

The model gives a first price: the one at which an article of which nothing is known is planned for as many looks as
are asked. What is really spent then corrects it, slowly. Spending is refetches by new articles, both fading at the same
rate, so it needs no list of articles and is right for every age at once while a host publishes steadily.
"""

import math
from dataclasses import replace
from datetime import datetime, timedelta

from scheduler.recrawl.habits import Basis, Habits, Pool
from scheduler.recrawl.lookahead import age_grid, tabulate
from scheduler.recrawl.nodes import gamma_nodes
from scheduler.recrawl.prior import learnt_prior
from scheduler.recrawl.shape import PRIOR_SHAPE, AgeShape, learnt_shape
from scheduler.recrawl.watch import DAY, Limits

LOWEST_PRICE, HIGHEST_PRICE = 2e-4, 2.0
"""A look that shows an edit less than once in five thousand times is not worth a publisher's trouble, even where the
budget has room for it."""
CORRECTION_DAYS = 15.0
"""A host that spends e times too much would pay e times the price after so many days."""
_LARGEST_CORRECTION = 30.0
_ENOUGH_ARTICLES = 8.0
"""Fewer say nothing about spending."""
_BASIS_AGE = timedelta(days=3)
_BASIS_GROWTH = 1.2
REPLAN_SHARE = 0.10
"""A host's pages are planned anew when its price moved by this."""
HOST_SHAPE_WEIGHT = 4.0
"""So many edits in a bin of age make a host's own rate there count as much as that of all hosts."""
POOL_SHAPE_WEIGHT = 8.0


def limits_key(limits: Limits) -> str:
    """Return what of the limits decides a price, as text."""
    return (
        f"{limits.refetches_per_article:g} {limits.watch_for.total_seconds():g} "
        f"{limits.half_life.total_seconds():g} {limits.longest.total_seconds():g}"
    )


def basis_of(habits: Habits, pool: Pool, limits: Limits, *, now: datetime) -> Basis:
    """Return what a host's articles are planned by, made anew from its sums and the pool's."""
    alpha, beta = learnt_prior(habits.prior_sums, pool.prior_sums, pool.looks)
    all_hosts = learnt_shape(pool.events, pool.exposure, PRIOR_SHAPE, POOL_SHAPE_WEIGHT)
    shape = learnt_shape(habits.events, habits.exposure, all_hosts, HOST_SHAPE_WEIGHT)
    begin = habits.basis.price if habits.basis else None
    price = model_price(alpha, beta, shape, limits, begin=begin)
    return Basis(
        alpha=alpha,
        beta=beta,
        rates=shape.rates,
        price=price,
        looks=habits.looks,
        made_at=now,
        limits=limits_key(limits),
    )


def current_basis(habits: Habits, pool: Pool, limits: Limits, *, now: datetime) -> Basis:
    """Return the basis in use, or a new one where there is none, or one that is old or made for other limits."""
    basis = habits.basis
    if basis is None or basis.limits != limits_key(limits):
        return basis_of(habits, pool, limits, now=now)
    grown = not basis.looks / _BASIS_GROWTH <= habits.looks <= basis.looks * _BASIS_GROWTH + 3
    old = now - basis.made_at >= _BASIS_AGE and habits.looks != basis.looks
    return basis_of(habits, pool, limits, now=now) if grown or old else basis


def model_price(alpha: float, beta: float, shape: AgeShape, limits: Limits, *, begin: float | None = None) -> float:
    """Return the price at which a new article is planned for as many looks as the limits ask, should it stay quiet.

    `begin` is where the search begins: an earlier price.
    """
    nodes = gamma_nodes(alpha, beta)
    longest, half_life = limits.longest.total_seconds(), limits.half_life.total_seconds()
    grid = age_grid(limits.watch_for.total_seconds(), shortest=limits.shortest.total_seconds(), longest=longest)

    def is_dear(price: float) -> bool:
        table = tabulate(nodes, shape.cumulative, grid, price=price, half_life=half_life, longest=longest)
        return len(table.path(0.0)) <= limits.refetches_per_article

    low, high = LOWEST_PRICE, HIGHEST_PRICE
    if begin is not None:
        near_low, near_high = max(low, begin / 1.25), min(high, begin * 1.25)
        low, high = (low if is_dear(near_low) else near_low), (near_high if is_dear(near_high) else high)
    while high / low > 1.02:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if is_dear(middle) else (middle, high)
    return math.sqrt(low * high)


def corrected(habits: Habits, limits: Limits, *, days: float) -> Habits:
    """Return the habits with the correction moved by what was spent, `days` after it was moved last."""
    spending = habits.spending
    if spending is None or habits.articles < _ENOUGH_ARTICLES or days <= 0 or limits.refetches_per_article <= 0:
        return habits
    excess = math.log(max(spending, 1e-3) / limits.refetches_per_article)
    move = min(days, CORRECTION_DAYS) / CORRECTION_DAYS * max(-1.0, min(1.0, excess))
    correction = habits.correction * math.exp(move)
    return replace(habits, correction=min(max(correction, 1 / _LARGEST_CORRECTION), _LARGEST_CORRECTION))


def needs_replan(habits: Habits) -> bool:
    """Return whether the host's price is a tenth away from the one at which its pages were last planned.

    After planning them anew, store `habits.replanned()`.
    """
    price, planned = habits.price, habits.planned_price
    if price is None:
        return False
    return planned is None or abs(price / planned - 1) >= REPLAN_SHARE


def article_weight(shape: AgeShape, age: float) -> float:
    """Return how much of an article the account counts where it is first looked at `age` seconds old.

    One that is found late, as of a back catalogue, will need fewer looks than are asked for a whole life.
    """
    if age <= DAY:
        return 1.0
    day = shape.cumulative(DAY)
    return max(0.02, (1.0 - shape.cumulative(age)) / max(1e-6, 1.0 - day))
