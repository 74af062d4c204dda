"""The plan of an article's coming looks: a dynamic programme over ages, and over what the looks will have shown.

The value of having looked at age l is V(l) = max(0, max over t > l of gain(l, t) − μ + V(t)), where gain(l, t) is the
expected value at t of the newest edit in (l, t]: 1 when it is seen at once, halved every half-life of delay; and μ is
the price of a fetch. An edit that is overwritten before the look is lost, so only the newest one counts.

V(t) is the mean over what the look at t may show: after a change the article is known to be livelier and more looks
follow, after none fewer. A plan that does not foresee this looks too late at new articles, and finds the busy ones when
most of their edits are over. What looks taught so far has two numbers, α and β. β is S of the age, whenever the looks
were, so a table over ages and a few levels of α serves all articles of a host.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scheduler.recrawl.evidence import chance_of_some, edits_of_change, observe
from scheduler.recrawl.nodes import gamma_nodes

Cumulative = Callable[[float], float]
"""S of an age in seconds."""

GRID_GROWTH = 0.35
"""The grid's steps are this share of the age: rates of edits fall about as slowly."""
NEXT_GROWTH = 1.2
"""The next look alone is kept, so it is sought more finely: candidates for the next wait grow by a fifth."""
LEVELS = (0.0, 1.0, 2.0, 4.0, 9.0, 25.0)
"""Edits seen so far for which values are tabulated; between them they are taken in proportion."""
SEVERAL = (2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64)
"""So many looks are considered on the way from one age of the grid to the next."""
_DECLINES = 5
"""So many candidates in a row that are worth less than the ones before end the search for a better one."""


def age_grid(end: float, *, shortest: float, longest: float) -> tuple[float, ...]:
    """Return the ages, in seconds, at which looks are planned: about forty for 60 days, the last one `end`."""
    ages = [0.0, shortest]
    while (step := min(max(ages[-1] * GRID_GROWTH, shortest), longest / 2)) + ages[-1] < end:
        ages.append(ages[-1] + step)
    ages.append(max(end, 2 * shortest))
    return tuple(ages)


@dataclass(frozen=True)
class Step:
    """The looks that come next: so many, evenly spread, the last of them at a place of the grid.

    Where the grid is coarser than a lively article asks for, there is more than one.
    """

    place: int
    looks: int


@dataclass(frozen=True)
class Table:
    """For each level of edits seen and each age of a grid: the value of having looked then, how many looks are expected
    to follow, and what comes next (None: no further look)."""

    alpha: float
    beta: float
    ages: tuple[float, ...]
    sums: tuple[float, ...]
    levels: tuple[float, ...]
    values: Sequence[Sequence[float]]
    looks: Sequence[Sequence[float]]
    following: Sequence[Sequence[Step | None]]

    def value(self, age: float, here: float, rate: float) -> float:
        """Return V at any age, where S is `here`, for an article whose k is expected to be `rate`.

        Between what is tabulated V is taken in proportion to S, for it falls as the edits to come do. In proportion to
        age it would seem higher between two ages of the grid than at them, and a look there worth its price.
        """
        return self._between(self.values, age, here, rate)

    def expected_looks(self, age: float, here: float, rate: float) -> float:
        """Return how many looks are expected to follow one at any age, where S is `here`, as for `value`."""
        return self._between(self.looks, age, here, rate)

    def _between(self, rows: Sequence[Sequence[float]], age: float, here: float, rate: float) -> float:
        place = bisect_left(self.ages, age)
        if place >= len(self.ages):
            return 0.0
        if place == 0:
            return self._at(rows, 0, rate)
        low, high = self.sums[place - 1], self.sums[place]
        part = (here - low) / (high - low) if high > low else 1.0
        return self._at(rows, place - 1, rate) * (1 - part) + self._at(rows, place, rate) * part

    def _at(self, rows: Sequence[Sequence[float]], place: int, rate: float) -> float:
        # The level at which this rate would be expected at this age.
        return between(self.levels, rows, place, rate * (self.beta + self.sums[place]) - self.alpha)

    def path(self, age: float) -> list[float]:
        """Return the ages of all looks that follow one at this age, should none of them show an edit."""
        place = min(bisect_left(self.ages, age), len(self.ages) - 1)
        path: list[float] = []
        while (step := self.following[0][place]) is not None:
            begin, end = self.ages[place], self.ages[step.place]
            path += [begin + (end - begin) * (number + 1) / step.looks for number in range(step.looks)]
            place = step.place
        return path


def between(levels: Sequence[float], rows: Sequence[Sequence[float]], place: int, level: float) -> float:
    """Return what the rows hold at a place, at any level between theirs."""
    if level <= levels[0]:
        return rows[0][place]
    above = bisect_right(levels, level)
    if above >= len(levels):
        return rows[-1][place]
    part = (level - levels[above - 1]) / (levels[above] - levels[above - 1])
    return rows[above - 1][place] * (1 - part) + rows[above][place] * part


@dataclass(frozen=True, kw_only=True)
class Costs:
    """The price of a look, the half-life of an edit's worth, and the bounds of a wait; times in seconds."""

    price: float
    half_life: float
    shortest: float
    longest: float


def tabulate(
    alpha: float,
    beta: float,
    cumulative: Cumulative,
    grid: tuple[float, ...],
    costs: Costs,
    *,
    levels: tuple[float, ...] = LEVELS,
) -> Table:
    """Return the table of articles with prior Gamma(alpha, beta), over a grid of ages in seconds."""
    count = len(grid)
    table = _Tabulation(
        alpha=alpha,
        beta=beta,
        ages=grid,
        sums=tuple(cumulative(age) for age in grid),
        kept=(1.0, *(0.5 ** ((after - before) / costs.half_life) for before, after in pairwise(grid))),
        levels=levels,
        costs=costs,
        values=[[0.0] * count for _ in levels],
        looks=[[0.0] * count for _ in levels],
        following=[[None] * count for _ in levels],
    )
    for place in range(count - 2, -1, -1):
        for row in range(len(levels)):
            table.fill(row, place)
    return Table(alpha, beta, grid, table.sums, levels, table.values, table.looks, table.following)


@dataclass(frozen=True, kw_only=True)
class _Tabulation:
    """A table while it is filled, from the last age to the first. `kept` is the share of an edit's worth that is left
    after each step of the grid."""

    alpha: float
    beta: float
    ages: tuple[float, ...]
    sums: tuple[float, ...]
    kept: tuple[float, ...]
    levels: tuple[float, ...]
    costs: Costs
    values: list[list[float]]
    looks: list[list[float]]
    following: list[list[Step | None]]

    def fill(self, row: int, place: int) -> None:
        """Fill in one level at one age, from what is known of later ages."""
        alpha, beta = self.alpha + self.levels[row], self.beta + self.sums[place]
        nodes = gamma_nodes(alpha, beta)
        gains = [0.0] * len(nodes)
        best, declines, last = 0.0, 0, -math.inf
        for later in range(place + 1, len(self.ages)):
            if self.ages[later] - self.ages[place] > self.costs.longest and later > place + 1:
                break
            step, keep = self.sums[later] - self.sums[later - 1], self.kept[later]
            root = math.sqrt(keep)
            gain = 0.0
            for number, (k, weight) in enumerate(nodes):
                none = math.exp(-k * step)
                gains[number] = gains[number] * none * keep + weight * (1 - none) * root
                gain += gains[number]
            covered = self.sums[later] - self.sums[place]
            quiet = 1 - chance_of_some(alpha, beta, covered)
            level = self.levels[row] + edits_of_change(alpha, beta, covered)
            after = quiet * self.values[row][later] + (1 - quiet) * between(self.levels, self.values, later, level)
            looks, net = (1, gain - self.costs.price) if later > place + 1 else self._several(nodes, place, gain)
            worth = net + after
            if worth > best:
                best = worth
                self.values[row][place], self.following[row][place] = worth, Step(later, looks)
                more = quiet * self.looks[row][later] + (1 - quiet) * between(self.levels, self.looks, later, level)
                self.looks[row][place] = looks + more
            declines = declines + 1 if worth < last else 0
            if declines >= _DECLINES and best > 0.0:
                break
            last = worth

    def _several(self, nodes: Sequence[tuple[float, float]], place: int, gain: float) -> tuple[int, float]:
        """Return how many looks at the way to the next age of the grid are best, one at least, and what they are worth
        less their price. `gain` is that of one."""
        step, keep, price = self.sums[place + 1] - self.sums[place], self.kept[place + 1], self.costs.price
        best = (1, gain - price)
        most = (self.ages[place + 1] - self.ages[place]) / (self.costs.shortest * 0.99)
        for looks in SEVERAL:
            if looks > most:
                break
            seen = sum(weight * -math.expm1(-k * step / looks) for k, weight in nodes)
            worth = looks * (seen * keep ** (0.5 / looks) - price)
            if worth <= best[1]:
                break
            best = (looks, worth)
        return best


@dataclass(frozen=True)
class NextLook:
    """The age in seconds of the next look, what it is expected to gain, and what it is worth with all that follow."""

    age: float
    gain: float
    worth: float


def next_look(
    alpha: float,
    beta: float,
    cumulative: Cumulative,
    table: Table,
    *,
    looked: float,
    ages: Sequence[float],
    costs: Costs,
) -> NextLook | None:
    """Return the best of the `ages` (rising) for the look that follows one at age `looked`; None if none is worth it.

    `alpha` and `beta` are the article's own posterior. All ages are in seconds.
    """
    nodes = gamma_nodes(alpha, beta)
    best: NextLook | None = None
    declines, last = 0, -math.inf
    gains = [0.0] * len(nodes)
    before, first_sum = looked, cumulative(looked)
    before_sum = first_sum
    for age in ages:
        here = cumulative(age)
        kept = 0.5 ** (max(0.0, age - before) / costs.half_life)
        root = math.sqrt(kept)
        step = max(0.0, here - before_sum)
        total = 0.0
        for place, (k, weight) in enumerate(nodes):
            none = math.exp(-k * step)
            gains[place] = gains[place] * none * kept + weight * (1 - none) * root
            total += gains[place]
        covered = max(0.0, here - first_sum)
        quiet = 1 - chance_of_some(alpha, beta, covered)
        more, _ = observe(alpha, beta, covered=covered, changed=True)
        livelier = (alpha + more) / (beta + covered)
        later = quiet * table.value(age, here, alpha / (beta + covered))
        later += (1 - quiet) * table.value(age, here, livelier)
        worth = total - costs.price + later
        if worth > (best.worth if best else 0.0):
            best = NextLook(age, total, worth)
        declines = declines + 1 if worth < last else 0
        if declines >= _DECLINES and best is not None:
            break
        last = worth
        before, before_sum = age, here
    return best


def candidate_ages(*, looked: float, now: float, end: float, shortest: float, longest: float) -> list[float]:
    """Return the ages that may follow a look at age `looked`, none before the age `now`, none behind `end`.

    Where the first of them have passed, `now` stands for them.
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
