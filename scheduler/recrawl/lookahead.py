"""The plan of an article's coming looks: a dynamic programme over ages.

The value of having looked at age l is V(l) = max(0, max over t > l of gain(l, t) − μ + V(t)), where gain(l, t) is the
expected value at t of the newest edit in (l, t]: 1 when it is seen at once, halved every half-life of delay; and μ is
the price of a fetch. An edit that is overwritten before the look is lost, so only the newest one counts.

Further looks are planned over a grid of ages; the next one is sought more finely, since it alone is kept.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Nodes = Sequence[tuple[float, float]]
"""Rates k of which the article's may be one, with their weights."""
Cumulative = Callable[[float], float]
"""S of an age in seconds."""

GRID_GROWTH = 0.25
"""The grid's steps are a quarter of the age: rates of edits fall about as slowly."""
NEXT_GROWTH = 1.2
"""Candidates for the next wait grow by a fifth."""


def age_grid(end: float, *, shortest: float, longest: float) -> tuple[float, ...]:
    """Return the ages, in seconds, at which looks are planned: about fifty for 60 days, the last one `end`."""
    ages = [shortest]
    while (step := min(max(ages[-1] * GRID_GROWTH, shortest), longest / 2)) + ages[-1] < end:
        ages.append(ages[-1] + step)
    ages.append(max(end, shortest))
    return tuple(ages)


@dataclass(frozen=True)
class Table:
    """The values V of having looked at each age of a grid, and which age of it comes next (None: no further look)."""

    ages: tuple[float, ...]
    values: tuple[float, ...]
    following: tuple[int | None, ...]

    def value(self, age: float) -> float:
        """Return V at any age, between those of the grid in proportion."""
        place = bisect_left(self.ages, age)
        if place >= len(self.ages):
            return 0.0
        if place == 0:
            return self.values[0]
        low, high = self.ages[place - 1], self.ages[place]
        part = (age - low) / (high - low)
        return self.values[place - 1] * (1 - part) + self.values[place] * part

    def path(self, age: float) -> list[float]:
        """Return the ages of all looks that follow one at this age, should none of them tell anything new."""
        place: int | None = min(bisect_left(self.ages, age), len(self.ages) - 1)
        path = []
        while place is not None and (place := self.following[place]) is not None:
            path.append(self.ages[place])
        return path


def tabulate(
    nodes: Nodes, cumulative: Cumulative, grid: tuple[float, ...], *, price: float, half_life: float, longest: float
) -> Table:
    """Return V on the grid. Ages, `half_life` and `longest`, the longest wait, are in seconds."""
    count = len(grid)
    sums = [cumulative(age) for age in grid]
    steps = [0.0]
    kept = [1.0]
    roots = [1.0]
    for place in range(1, count):
        steps.append(sums[place] - sums[place - 1])
        kept.append(0.5 ** ((grid[place] - grid[place - 1]) / half_life))
        roots.append(math.sqrt(kept[-1]))
    per_node = []
    for k, weight in nodes:
        # Per step: what stays of an earlier edit's value, and what a new edit is worth.
        chances = [-math.expm1(-k * step) for step in steps]
        stays = [(1 - chance) * keep for chance, keep in zip(chances, kept, strict=True)]
        news = [weight * chance * root for chance, root in zip(chances, roots, strict=True)]
        per_node.append((stays, news))
    values = [0.0] * count
    following: list[int | None] = [None] * count
    for place in range(count - 2, -1, -1):
        last = place + 1
        while last < count and grid[last] - grid[place] <= longest:
            last += 1
        totals = _gains(per_node, place + 1, max(last, place + 2))
        best, choice = 0.0, None
        for later, gain in enumerate(totals, start=place + 1):
            worth = gain - price + values[later]
            if worth > best:
                best, choice = worth, later
        values[place], following[place] = best, choice
    return Table(grid, tuple(values), tuple(following))


def _gains(per_node: Sequence[tuple[list[float], list[float]]], begin: int, end: int) -> list[float]:
    """Return the gain of looking at each of the steps `begin` to `end`, after a look just before them."""
    totals = [0.0] * (end - begin)
    for stays, news in per_node:
        gain = 0.0
        place = 0
        for stay, new in zip(stays[begin:end], news[begin:end], strict=True):
            gain = gain * stay + new
            totals[place] += gain
            place += 1
    return totals


@dataclass(frozen=True)
class NextLook:
    """The age in seconds of the next look, what it is expected to gain, and how many edits are expected until then."""

    age: float
    gain: float
    worth: float


def next_look(
    nodes: Nodes,
    cumulative: Cumulative,
    table: Table,
    *,
    looked: float,
    ages: Sequence[float],
    price: float,
    half_life: float,
) -> NextLook | None:
    """Return the best of the `ages` (rising) for the look that follows one at age `looked`, or None if none is worth it.

    All ages are in seconds.
    """
    best: NextLook | None = None
    gains = [0.0] * len(nodes)
    before, before_sum = looked, cumulative(looked)
    for age in ages:
        here = cumulative(age)
        kept = 0.5 ** (max(0.0, age - before) / half_life)
        root = math.sqrt(kept)
        covered = max(0.0, here - before_sum)
        total = 0.0
        for place, (k, weight) in enumerate(nodes):
            none = math.exp(-k * covered)
            gains[place] = gains[place] * none * kept + weight * (1 - none) * root
            total += gains[place]
        worth = total - price + table.value(age)
        if worth > (best.worth if best else 0.0):
            best = NextLook(age, total, worth)
        before, before_sum = age, here
    return best


def candidate_ages(*, looked: float, now: float, end: float, shortest: float, longest: float) -> list[float]:
    """Return the ages that may follow a look at age `looked`, none before the age `now`, none behind `end`.

    If all have passed, it is `now`.
    """
    wait, ages = shortest, []
    while wait < longest and looked + wait < end:
        if looked + wait >= now:
            ages.append(looked + wait)
        wait *= NEXT_GROWTH
    latest = min(looked + longest, end)
    if latest >= max(now, looked + shortest):
        ages.append(latest)
    if now > looked + shortest and now <= end:
        ages.insert(0, now)
    return ages
