"""Whether a source has been silent for too long, by its own habits. Pure.

Two tests, either of which is enough:

- *Its longest gaps.* Beyond a quarter of the longest gap of the last weeks, gaps between hours with news are taken as
  exponential, which is the most irregular that a steady source is. Then the next one exceeds c times the longest of n
  with probability n!·Γ(1+c)/Γ(n+1+c), and c is chosen so that this happens less often than `FALSE_ALARMS` a year. Gaps
  that are all alike, as those of a weekly paper, need only be missed twice. It needs no rate, knows nights and weekends
  as gaps, and holds for a paper a week as for a hundred articles a day.
- *Its hours.* What the silent hours should have brought, divided by how much more than by chance the numbers vary, must
  exceed what a Poisson process misses less often than `FALSE_ALARMS` a year. It is reckoned in two ways that know
  holidays: by the quietest of weekdays, Saturdays and Sundays for each hour and its neighbours (for the clocks may have
  changed), and by the same kind of day, of which then the two fullest days do not count.

Days on which the source's feeds were not read well do not count, neither as gaps nor as silence.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from storage.tallies import HOURS, Tally

WEEKS = 8
"""So far back habits are learnt from."""
FALSE_ALARMS = 0.2
"""How often a year each of the tests may give a false alarm of a source that goes on as it was."""
LEAST_DAYS = 10
"""Of a source that has been watched for less nothing is usual yet."""
LEAST_GAPS = 3
HOLIDAYS = 2
"""So many days in a row bring nothing without anything being wrong."""
MISSED_TWICE = 2.25
"""So many times a gap that is always the same length: the next news was missed, and that after it."""
_YEAR = 365.0
_BLOCK = 6
_ALIKE = 0.3


@dataclass(frozen=True, kw_only=True)
class Silence:
    """A silence that is no chance: since when, of how many watched hours, and how much news a day was usual."""

    since: datetime
    hours: float
    news_a_day: float


def silence(days: Sequence[Tally], *, first_day: date, now: datetime) -> Silence | None:
    """Return the silence of a source if it is longer than usual.

    `days` are its tallies, oldest first. What came on `first_day`, on which it was seen first, is no habit.
    """
    oldest = max(first_day + timedelta(days=1), now.date() - timedelta(weeks=WEEKS))
    watched = [(day.day, _hours(day, now)) for day in days if oldest <= day.day <= now.date() and day.healthy_polls]
    if len(watched) < LEAST_DAYS:
        return None
    timeline = [(day, hour, count) for day, counts in watched for hour, count in enumerate(counts)]
    active = [place for place, (_, _, count) in enumerate(timeline) if count]
    if not active:
        return None
    quiet = len(timeline) - 1 - active[-1]
    gaps = [later - earlier for earlier, later in pairwise(active)]
    day, hour, _ = timeline[active[-1]]
    # The silence itself is no habit.
    learnt = [one for one in watched if one[0] < now.date() and one[0] <= day]
    if not (_exceeds_gaps(quiet, gaps, len(learnt)) or _exceeds_hours(timeline[active[-1] + 1 :], learnt)):
        return None
    since = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    news = sum(sum(counts) for _, counts in learnt) / len(learnt)
    return Silence(since=since, hours=float(quiet), news_a_day=news)


def _hours(day: Tally, now: datetime) -> tuple[int, ...]:
    """Return the news of a day by its hours that are over."""
    counts = day.hours or (0,) * HOURS
    return counts[: now.hour] if day.day == now.date() else counts


def _exceeds_gaps(quiet: int, gaps: Sequence[int], days: int) -> bool:
    longest = max(gaps, default=0)
    if quiet <= longest:
        return False
    edge = longest / 4
    long_gaps = [gap for gap in gaps if gap >= edge]
    if len(long_gaps) < LEAST_GAPS:
        return False
    mean = sum(long_gaps) / len(long_gaps)
    alike = len(long_gaps) > LEAST_GAPS and all(abs(gap - mean) <= _ALIKE * mean for gap in long_gaps)
    by_chance = edge + gap_factor(len(long_gaps), _YEAR / days) * (longest - edge)
    return quiet > (min(by_chance, MISSED_TWICE * longest) if alike else by_chance)


def gap_factor(gaps: int, per_year: float) -> float:
    """Return how many times the longest of so many gaps the next one must be, to be so less than `FALSE_ALARMS` a year.

    `per_year` is how often in a year that many gaps come.
    """
    allowed = math.log(FALSE_ALARMS / (gaps * per_year))
    low, high = 1.0, 50.0
    for _ in range(30):
        middle = (low + high) / 2
        chance = math.lgamma(gaps + 1) + math.lgamma(1 + middle) - math.lgamma(gaps + 1 + middle)
        low, high = (low, middle) if chance <= allowed else (middle, high)
    return high


def _kind_of_day(day: date) -> int:
    """Return 0 for a weekday, 1 for a Saturday, 2 for a Sunday."""
    return max(day.weekday() - 4, 0)


def _exceeds_hours(silent: Sequence[tuple[date, int, int]], learnt: Sequence[tuple[date, tuple[int, ...]]]) -> bool:
    usual = _usual_hours(learnt)
    if usual is None:
        return False
    quietest = _with_neighbours([min(kind[hour] for kind in usual) for hour in range(HOURS)])
    of_any_kind = sum(quietest[hour] for _, hour, _ in silent)
    by_day: dict[date, float] = {}
    for day, hour, _ in silent:
        by_day[day] = by_day.get(day, 0.0) + usual[_kind_of_day(day)][hour]
    of_its_kind = sum(sorted(by_day.values())[:-HOLIDAYS])
    expected = max(of_any_kind, of_its_kind)
    news = sum(sum(counts) for _, counts in learnt) / len(learnt)
    # Cheap tests first: this is asked of every source again and again.
    if expected < math.log(_YEAR / FALSE_ALARMS):
        return False
    variation = _variation(learnt, usual)
    return expected / variation >= math.log(_YEAR * max(news / variation, 1.0) / FALSE_ALARMS)


def _with_neighbours(hours: Sequence[float]) -> list[float]:
    """Return for each hour the least of it, the one before and the one after."""
    return [min(hours[hour - 1], hours[hour], hours[(hour + 1) % HOURS]) for hour in range(HOURS)]


def _usual_hours(learnt: Sequence[tuple[date, tuple[int, ...]]]) -> list[list[float]] | None:
    """Return the mean news of each hour of weekdays, Saturdays and Sundays; None where there are too few of a kind."""
    usual = []
    for kind in range(3):
        of_kind = [counts for day, counts in learnt if _kind_of_day(day) == kind]
        if len(of_kind) < 2:
            return None
        usual.append([sum(hour) / len(of_kind) for hour in zip(*of_kind, strict=True)])
    return usual


def _variation(learnt: Sequence[tuple[date, tuple[int, ...]]], usual: Sequence[Sequence[float]]) -> float:
    """Return how much more than by chance the news of a quarter of a day varies (index of dispersion, 1 at least)."""
    squares, blocks = 0.0, 0
    for day, counts in learnt:
        means = usual[_kind_of_day(day)]
        for start in range(0, HOURS, _BLOCK):
            expected = sum(means[start : start + _BLOCK])
            if expected > 0:
                squares += (sum(counts[start : start + _BLOCK]) - expected) ** 2 / expected
                blocks += 1
    return max(squares / max(blocks - 3 * HOURS // _BLOCK, 1), 1.0)
