"""The price of a fetch, so that an article is looked at again as often as the operator asks, on average.

The model gives a first price: the one at which an article of which nothing is known is planned for as many looks as
are asked. What is really spent then corrects it, slowly. Spending is refetches by new articles, both fading at the same
rate, so it needs no list of articles and is right for every age at once while a host publishes steadily.
"""

import math
from bisect import bisect_left
from dataclasses import replace
from datetime import datetime, timedelta

from scheduler.recrawl.habits import Basis, Habits, Pool
from scheduler.recrawl.lookahead import age_grid, tabulate
from scheduler.recrawl.prior import learnt_prior
from scheduler.recrawl.shape import PRIOR_SHAPE, AgeShape, learnt_shape
from scheduler.recrawl.watch import DAY, Limits

LOWEST_PRICE, HIGHEST_PRICE = 2e-4, 2.0
"""A look that shows an edit less than once in five thousand times is not worth a publisher's trouble, even where the
budget has room for it."""
ELASTICITY = 1.6
"""By how many per cent the price must rise to spend one per cent less: two where edits overwrite each other."""
DEFAULT_PRICE = 0.01
_PRICE_STEPS = 6
_USUAL_FIRST_LOOK = 900.0
"""Articles are first looked at about a quarter of an hour old."""
_LARGEST_CORRECTION = 30.0
_ENOUGH_ARTICLES = 8.0
_TRUSTED_ARTICLES = 20.0
"""Fewer articles than the former say nothing about spending; as many as the latter are believed half."""
_BASIS_AGE = timedelta(days=20)
_BASIS_GROWTH = 1.8
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
    """Return the price at which a new article is expected to be looked at as often as the limits ask.

    `begin` is where the search begins: an earlier price. The answer spends what is asked within 4 %;
    the rest is for the correction.
    """
    longest, half_life = limits.longest.total_seconds(), limits.half_life.total_seconds()
    grid = age_grid(limits.watch_for.total_seconds(), shortest=limits.shortest.total_seconds(), longest=longest)
    first = bisect_left(grid, _USUAL_FIRST_LOOK)

    def spending(price: float) -> float:
        table = tabulate(alpha, beta, shape.cumulative, grid, price=price, half_life=half_life, longest=longest)
        return max(table.looks[0][first], 0.05)

    wanted = math.log(max(limits.refetches_per_article, 0.05))
    at = math.log(begin or DEFAULT_PRICE)
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


def corrected(habits: Habits, limits: Limits) -> Habits:
    """Return the habits with the correction that what was spent calls for.

    Spending is compared with the mean of the corrections under which it was spent: without that, a correction would
    grow for as long as the looks of the past are still in the account, and overshoot.
    """
    spending = habits.spending
    if spending is None or habits.articles < _ENOUGH_ARTICLES or limits.refetches_per_article <= 0:
        return habits
    excess = math.log(max(spending, 1e-3) / limits.refetches_per_article)
    trust = habits.articles / (habits.articles + _TRUSTED_ARTICLES)
    mean = habits.logs_of_correction / habits.refetches if habits.refetches > 0 else 0.0
    wanted = mean + trust * max(-1.5, min(1.5, ELASTICITY * excess))
    bound = math.log(_LARGEST_CORRECTION)
    return replace(habits, correction=math.exp(max(-bound, min(bound, wanted))))


def needs_replan(habits: Habits) -> bool:
    """Return whether the host's price is a tenth away from the one at which its pages were last planned.

    After planning them anew, store `habits.replanned()`.
    """
    price, planned = habits.price, habits.planned_price
    if price is None:
        return False
    return planned is None or abs(price / planned - 1) >= REPLAN_SHARE


def article_weight(shape: AgeShape, age: float, limits: Limits) -> float:
    """Return how much of an article the account counts where it is first looked at `age` seconds old.

    One that is found late, as of a back catalogue, will need fewer looks than are asked for a whole life.
    """
    end = limits.watch_for.total_seconds()
    new = min(DAY, end / 2)
    if age <= new:
        return 1.0
    whole = shape.cumulative(end)
    return max(0.02, (whole - shape.cumulative(age)) / max(1e-6, whole - shape.cumulative(new)))
