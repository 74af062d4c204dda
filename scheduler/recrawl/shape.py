"""How the rate of edits falls with age: s(age), constant within twenty bins of age, and its integral S(age).

s is normalised so that S(60 d) = 1. An article's rate k is then the number of edits expected in its first 60 days.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from scheduler.recrawl.watch import DAY

FIRST_EDGE = 600.0
WHOLE = 60 * DAY
_GROWTH = (WHOLE / FIRST_EDGE) ** (1 / 18)
EDGES: tuple[float, ...] = (0.0, *(FIRST_EDGE * _GROWTH**step for step in range(18)), WHOLE)
"""Where the bins begin, in seconds of age; the last reaches on for ever."""
BINS = len(EDGES)

_KNOWN = ((0.0, 0.0), (600.0, 0.05), (3600.0, 0.24), (4 * 3600.0, 0.45), (10 * 3600.0, 0.63), (DAY, 0.77))
_KNOWN_LATER = ((3 * DAY, 0.87), (7 * DAY, 0.95), (WHOLE, 1.0), (2 * WHOLE, 1.03))


def _prior_rates() -> tuple[float, ...]:
    """Return the rates before anything is learnt.

    From what others measured: 81 % of the changes that were found after 24 h and 7 d came within 24 h (GDELT), and a
    correction of a headline that has an effect comes within 10 h. What comes later than a week is our own guess.
    """
    known = _KNOWN + _KNOWN_LATER

    def cumulative(age: float) -> float:
        for (begin, low), (end, high) in pairwise(known):
            if age <= end:
                return low + (high - low) * (age - begin) / (end - begin)
        return known[-1][1]

    ends = (*EDGES[1:], 2 * WHOLE)
    return tuple((cumulative(end) - cumulative(begin)) / (end - begin) for begin, end in zip(EDGES, ends, strict=True))


PRIOR_RATES = _prior_rates()


@dataclass(frozen=True)
class AgeShape:
    """s as a rate for each bin, per second, normalised."""

    rates: tuple[float, ...]

    @staticmethod
    def of(rates: Sequence[float]) -> "AgeShape":
        """Return the shape that is proportional to `rates`."""
        whole = sum(rate * (end - begin) for rate, (begin, end) in zip(rates, pairwise(EDGES), strict=False))
        return AgeShape(tuple(rate / whole for rate in rates))

    @cached_property
    def _sums(self) -> tuple[float, ...]:
        sums = [0.0]
        for rate, (begin, end) in zip(self.rates, pairwise(EDGES), strict=False):
            sums.append(sums[-1] + rate * (end - begin))
        return tuple(sums)

    def cumulative(self, age: float) -> float:
        """Return S at an age in seconds."""
        if age <= 0:
            return 0.0
        place = bisect_right(EDGES, age) - 1
        return self._sums[place] + self.rates[place] * (age - EDGES[place])

    def age_at(self, cumulative: float) -> float:
        """Return the age in seconds at which S reaches a value."""
        if cumulative <= 0:
            return 0.0
        place = bisect_right(self._sums, cumulative) - 1
        return EDGES[place] + (cumulative - self._sums[place]) / self.rates[place]

    def split(self, begin: float, end: float) -> list[tuple[int, float]]:
        """Return the bins that an interval of ages touches, each with how many seconds of it lie there."""
        parts = []
        for place in range(max(0, bisect_right(EDGES, begin) - 1), BINS):
            upper = EDGES[place + 1] if place + 1 < BINS else float("inf")
            inside = min(end, upper) - max(begin, EDGES[place])
            if inside > 0:
                parts.append((place, inside))
            if end <= upper:
                break
        return parts


PRIOR_SHAPE = AgeShape.of(PRIOR_RATES)


def learnt_shape(events: Sequence[float], exposure: Sequence[float], towards: AgeShape, weight: float) -> AgeShape:
    """Return the shape of these sums, drawn `towards` another as if each of its bins had seen `weight` edits.

    `events` are the edits expected in each bin, `exposure` the seconds watched there, each times the rate k expected.
    """
    rates = [
        (events[place] + weight) / (exposure[place] + weight / max(towards.rates[place], 1e-15))
        for place in range(BINS)
    ]
    return AgeShape.of(rates)
