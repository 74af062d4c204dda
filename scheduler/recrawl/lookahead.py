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
class Table:
    """For each level of edits seen and each age of a grid: the value of having looked then, how many looks are expected
    to follow, and which age of the grid comes next (None: no further look)."""

    alpha: float
    beta: float
    ages: tuple[float, ...]
    sums: tuple[float, ...]
    levels: tuple[float, ...]
    values: Sequence[Sequence[float]]
    looks: Sequence[Sequence[float]]
    following: Sequence[Sequence[int | None]]

    def value(self, age: float, here: float, rate: float) -> float:
        """Return V at any age, where S is `here`, for an article whose k is expected to be `rate`.

        Between what is tabulated V is taken in proportion to S, for it falls as the edits to come do. In proportion to
        age it would seem higher between two ages of the grid than at them, and a look there worth its price.
        """
        place = bisect_left(self.ages, age)
        if place >= len(self.ages):
            return 0.0
        if place == 0:
            return self._at(0, rate)
        low, high = self.sums[place - 1], self.sums[place]
        part = (here - low) / (high - low) if high > low else 1.0
        return self._at(place - 1, rate) * (1 - part) + self._at(place, rate) * part

    def _at(self, place: int, rate: float) -> float:
        # The level at which this rate would be expected at this age.
        return between(self.levels, self.values, place, rate * (self.beta + self.sums[place]) - self.alpha)

    def path(self, age: float) -> list[float]:
        """Return the ages of all looks that follow one at this age, should none of them show an edit."""
        place: int | None = min(bisect_left(self.ages, age), len(self.ages) - 1)
        path = []
        while place is not None and (place := self.following[0][place]) is not None:
            path.append(self.ages[place])
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


def tabulate(
    alpha: float,
    beta: float,
    cumulative: Cumulative,
    grid: tuple[float, ...],
    *,
    price: float,
    half_life: float,
    longest: float,
    levels: tuple[float, ...] = LEVELS,
) -> Table:
    """Return the table of articles with prior Gamma(alpha, beta). Ages, half-life and longest wait are in seconds."""
    count = len(grid)
    sums = tuple(cumulative(age) for age in grid)
    kept = [1.0, *(0.5 ** ((grid[place] - grid[place - 1]) / half_life) for place in range(1, count))]
    roots = [math.sqrt(value) for value in kept]
    values = [[0.0] * count for _ in levels]
    looks = [[0.0] * count for _ in levels]
    following: list[list[int | None]] = [[None] * count for _ in levels]
    for place in range(count - 2, -1, -1):
        for row, level in enumerate(levels):
            own_alpha, own_beta = alpha + level, beta + sums[place]
            nodes = gamma_nodes(own_alpha, own_beta)
            gains = [0.0] * len(nodes)
            best, choice, chance, then, declines, last = 0.0, None, 0.0, 0.0, 0, -math.inf
            for later in range(place + 1, count):
                if grid[later] - grid[place] > longest and later > place + 1:
                    break
                step, keep, root = sums[later] - sums[later - 1], kept[later], roots[later]
                total = 0.0
                for number, (k, weight) in enumerate(nodes):
                    none = math.exp(-k * step)
                    gain = gains[number] * none * keep + weight * (1 - none) * root
                    gains[number] = gain
                    total += gain
                covered = sums[later] - sums[place]
                quiet = 1 - chance_of_some(own_alpha, own_beta, covered)
                after = level + edits_of_change(own_alpha, own_beta, covered)
                worth = total - price + quiet * values[row][later] + (1 - quiet) * between(levels, values, later, after)
                if worth > best:
                    best, choice, chance, then = worth, later, quiet, after
                declines = declines + 1 if worth < last else 0
                if declines >= _DECLINES and choice is not None:
                    break
                last = worth
            if choice is not None:
                values[row][place], following[row][place] = best, choice
                looks[row][place] = (
                    1 + chance * looks[row][choice] + (1 - chance) * between(levels, looks, choice, then)
                )
    return Table(alpha, beta, grid, sums, levels, values, looks, following)


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
    price: float,
    half_life: float,
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
        kept = 0.5 ** (max(0.0, age - before) / half_life)
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
        worth = total - price + later
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
