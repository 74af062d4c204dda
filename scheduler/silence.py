"""Whether a source has been silent for too long, by its own habits. Pure.

Two tests, either of which is enough:

- *Its longest gaps.* Beyond a quarter of the longest gap of the last weeks, gaps between hours with news are taken as
  exponential, which is the most irregular that a steady source is. Then the next one exceeds c times the longest of n
  with probability n!·Γ(1+c)/Γ(n+1+c), and c is chosen so that this happens less often than `FALSE_ALARMS` a year. Gaps
  that are all alike, as those of a weekly paper, need only be missed twice. It needs no rate, knows nights and weekends
  as gaps, and holds for a paper a week as for a hundred articles a day.
- *Its hours.* What the silent hours should have brought, divided by how much more than by chance the numbers vary, must
  exceed what a Poisson process misses less often than `FALSE_ALARMS` a year. It is reckoned by the same kind of day
  (weekday, Saturday or Sunday), of which as many of the fullest do not count as holidays may come in a row. A busy
  source that never pauses is reckoned by the quietest of these kinds for each hour and its neighbours (for the clocks
  may have changed).

At such a busy source it matters whether its feeds lead anywhere. Where they led to so many new addresses that articles
should have come of them, no holiday explains that none did, and hours tell (`scheduler.addresses`). Where they are well
and list nothing new, or little, only its length tells a feed that died from a holiday, when even a paper of hundreds of
articles a day may rest: `QUIET_HOURS` in a row are let pass before the tests count. So a feed that died is told of
after two days.

Only hours in which the source's feeds were read well, or that lie between two such readings no further apart than they
usually are, count as watched: others are neither gap nor silence. So what a service that was off missed is no silence.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import median

from scheduler.addresses import lead_nowhere
from storage.tallies import HOURS, Tally

WEEKS = 8
"""So far back habits are learnt from."""
FALSE_ALARMS = 0.2
"""How often a year each of the tests may give a false alarm of a source that goes on as it was."""
LEAST_DAYS = 10
"""Of a source that has been watched for less nothing is usual yet."""
LEAST_GAPS = 3
HOLIDAYS = 4
"""So many days in a row may bring nothing without anything being wrong, at a source that pauses now and then."""
FEWER_HOLIDAYS = 2
"""The same of one that had no day with less than `_PAUSE` of what is usual."""
BUSY = 40
"""A source with so much news a day, and no such day, is let rest for `QUIET_HOURS` and no longer."""
QUIET_HOURS = 36
"""So long such a source may list nothing new: a holiday in any time zone, with the afternoon before it."""
MISSED_TWICE = 2.25
"""So many times a gap that is always the same length: the next news was missed, and that after it."""
_YEAR = 365.0
_BLOCK = 6
_ALIKE = 0.3
_PAUSE = 0.25
_USUAL_DISTANCE = 0.95
"""So many of the distances between hours with a reading are usual."""
_LEAST_MISSED = math.log(_YEAR / FALSE_ALARMS)
"""Where so many articles were to be expected, by chance none comes on less than that many days a year."""
_Day = tuple[date, tuple[int | None, ...]]
"""A day, and its news by the hour; None for hours that were not watched."""
_Hour = tuple[date, int, int]
"""A day, an hour of it that was watched, and the news of that hour."""


@dataclass(frozen=True, kw_only=True)
class Silence:
    """A silence that is no chance: since when, of how many hours, and how much news a day was usual."""

    since: datetime
    hours: float
    news_a_day: float


@dataclass(frozen=True, kw_only=True)
class _Pauses:
    """What is let pass: so many holidays in a row or, at a source without any, so many hours."""

    holidays: int
    hours: int

    @property
    def longest(self) -> int:
        return self.holidays * HOURS or self.hours


def silence(
    days: Sequence[Tally], *, first_day: date, now: datetime, interval: timedelta | None = None, told: bool = False
) -> Silence | None:
    """Return the silence of a source if it is longer than usual.

    `days` are its tallies, oldest first. What came on `first_day`, on which it was seen first, is no habit. `interval`
    is how often its feeds are polled at present. `told` says that feeds which lead to nothing have been warned of
    since: then it is no holiday, however few addresses follow.
    """
    oldest = max(first_day + timedelta(days=1), now.date() - timedelta(weeks=WEEKS))
    known = [day for day in days if oldest <= day.day <= now.date()]
    if any(day.day == now.date() and day.hours[now.hour] for day in known):
        return None  # something came in the hour that is not over yet
    watched = _watched(known, now, interval)
    if len(watched) < LEAST_DAYS:
        return None
    timeline = [(day, hour, count) for day, counts in watched for hour, count in enumerate(counts) if count is not None]
    active = [place for place, (_, _, count) in enumerate(timeline) if count]
    if not active:
        return None
    silent = timeline[active[-1] + 1 :]
    gaps = [later - earlier for earlier, later in pairwise(active)]
    day, hour, _ = timeline[active[-1]]
    since = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    # The silence itself is no habit.
    learnt = [one for one in watched if one[0] < now.date() and one[0] <= day]
    # Nor is what it left of the day on which it began.
    pauses = _pauses([one for one in learnt if one[0] < day])
    if pauses.hours and (told or _lead_nowhere(known, since, now, silent, learnt)):
        pauses = _Pauses(holidays=0, hours=0)
    if not (_exceeds_gaps(len(silent), gaps, len(learnt), pauses) or _exceeds_hours(silent, learnt, pauses)):
        return None
    hours = (now - since) / timedelta(hours=1) - 1
    return Silence(since=since, hours=hours, news_a_day=_news_a_day(learnt))


def _lead_nowhere(
    days: Sequence[Tally], since: datetime, now: datetime, silent: Sequence[_Hour], learnt: Sequence[_Day]
) -> bool:
    """Whether feeds led to so many addresses in silent hours that no holiday explains that none became news."""
    usual = _usual_hours(learnt)
    due = 0.0 if usual is None else _of_any_kind(silent, usual, 0)
    fullest = median(max(count or 0 for count in counts) for _, counts in learnt)
    return lead_nowhere(days, since, now, due=due, fullest=fullest, least=_LEAST_MISSED)


def _news(counts: Sequence[int | None]) -> int:
    return sum(count for count in counts if count is not None)


def _news_a_day(days: Sequence[_Day]) -> float:
    return sum(_news(counts) for _, counts in days) / len(days)


def _watched(days: Sequence[Tally], now: datetime, interval: timedelta | None) -> list[_Day]:
    """Return the days of which some hours were watched, with the news of these that are over."""
    here = now.date().toordinal() * HOURS + now.hour
    polled = [hour for day in days for hour in _polled_hours(day) if hour < here]
    distances = sorted(later - earlier for earlier, later in pairwise(polled))
    usual = distances[int(_USUAL_DISTANCE * (len(distances) - 1))] if distances else 1
    if interval is not None:
        usual = max(usual, math.ceil(1.5 * interval / timedelta(hours=1)))
    seen = set(polled)
    for earlier, later in pairwise(polled):
        if 1 < later - earlier <= usual + 1:
            seen.update(range(earlier + 1, later))
    watched = []
    for day in days:
        first = day.day.toordinal() * HOURS
        counts = tuple(
            count if first + hour < here and (count or first + hour in seen) else None
            for hour, count in enumerate(day.hours)
        )
        if any(count is not None for count in counts):
            watched.append((day.day, counts))
    return watched


def _polled_hours(day: Tally) -> list[int]:
    """Return in which hours feeds were read well, counted from the beginning of the calendar.

    Days that were counted without it are taken for watched until the last reading, if most went well.
    """
    first = day.day.toordinal() * HOURS
    if any(day.poll_hours):
        return [first + hour for hour, count in enumerate(day.poll_hours) if count]
    if not day.healthy_polls or day.healthy_polls < day.failed_polls:
        return []
    last = HOURS - 1 if day.last_poll_at is None or day.last_poll_at.date() > day.day else day.last_poll_at.hour
    return [first + hour for hour in range(last + 1)]


def _pauses(days: Sequence[_Day]) -> _Pauses:
    """Return what is let pass, by the days before the silence began."""
    usual = _news_a_day(days) if days else 0.0
    whole = [_news(counts) for _, counts in days if None not in counts]
    if min(whole, default=0) < _PAUSE * usual:
        return _Pauses(holidays=HOLIDAYS, hours=0)
    if usual < BUSY:
        return _Pauses(holidays=FEWER_HOLIDAYS, hours=0)
    return _Pauses(holidays=0, hours=QUIET_HOURS)


def _exceeds_gaps(quiet: int, gaps: Sequence[int], days: int, pauses: _Pauses) -> bool:
    longest = max(gaps, default=0)
    # A holiday may lengthen a night.
    if quiet <= longest + pauses.longest:
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


def _exceeds_hours(silent: Sequence[_Hour], learnt: Sequence[_Day], pauses: _Pauses) -> bool:
    usual = _usual_hours(learnt)
    if usual is None:
        return False
    # A holiday may be quieter than any usual day.
    if pauses.holidays:
        expected = _of_its_kind(silent, usual, pauses.holidays)
    else:
        expected = _of_any_kind(silent, usual, pauses.hours)
    news = _news_a_day(learnt)
    # Cheap tests first: this is asked of every source again and again.
    if expected < _LEAST_MISSED:
        return False
    variation = max(_variation(learnt, usual, _BLOCK), _variation(learnt, usual, HOURS))
    return expected / variation >= math.log(_YEAR * max(news / variation, 1.0) / FALSE_ALARMS)


def _of_its_kind(silent: Sequence[_Hour], usual: Sequence[Sequence[float]], holidays: int) -> float:
    """Return what silent hours should have brought by their kind of day, but for the fullest days of a number."""
    by_day: dict[date, float] = {}
    for day, hour, _ in silent:
        by_day[day] = by_day.get(day, 0.0) + usual[_kind_of_day(day)][hour]
    return sum(sorted(by_day.values())[:-holidays])


def _of_any_kind(silent: Sequence[_Hour], usual: Sequence[Sequence[float]], let_pass: int) -> float:
    """Return what silent hours should have brought on the quietest kind of day, but for those that are let pass: the
    fullest of so many in a row."""
    quietest = _with_neighbours([min(kind[hour] for kind in usual) for hour in range(HOURS)])
    at = [(day.toordinal() * HOURS + hour, quietest[hour]) for day, hour, _ in silent]
    fullest = passed = 0.0
    begin = 0
    for place, news in at:
        passed += news
        while begin < len(at) and at[begin][0] <= place - let_pass:
            passed -= at[begin][1]
            begin += 1
        fullest = max(fullest, passed)
    return sum(news for _, news in at) - fullest


def _with_neighbours(hours: Sequence[float]) -> list[float]:
    """Return for each hour the least of it, the one before and the one after."""
    return [min(hours[hour - 1], hours[hour], hours[(hour + 1) % HOURS]) for hour in range(HOURS)]


def _usual_hours(learnt: Sequence[_Day]) -> list[list[float]] | None:
    """Return the mean news of each hour of weekdays, Saturdays and Sundays; None where there are too few of a kind."""
    usual = []
    for kind in range(3):
        of_kind = [counts for day, counts in learnt if _kind_of_day(day) == kind]
        if len(of_kind) < 2:
            return None
        by_hour = ([count for count in hour if count is not None] for hour in zip(*of_kind, strict=True))
        usual.append([sum(hour) / len(hour) if hour else 0.0 for hour in by_hour])
    return usual


def _variation(learnt: Sequence[_Day], usual: Sequence[Sequence[float]], block: int) -> float:
    """Return how much more than by chance the news of so many hours varies (index of dispersion, 1 at least)."""
    squares, blocks = 0.0, 0
    for day, counts in learnt:
        means = usual[_kind_of_day(day)]
        for start in range(0, HOURS, block):
            hours = [hour for hour in range(start, start + block) if counts[hour] is not None]
            expected = sum(means[hour] for hour in hours)
            if expected > 0:
                squares += (_news([counts[hour] for hour in hours]) - expected) ** 2 / expected
                blocks += 1
    return max(squares / max(blocks - 3 * HOURS // block, 1), 1.0)
