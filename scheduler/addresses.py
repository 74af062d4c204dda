"""What came of the addresses that a source's feeds led to while it was silent. Pure.

On a holiday feeds may lead somewhere too: to puzzles and videos, as on any day, and to old articles. So addresses tell
of a breakage only where they are about as many as the news that was due, beyond those that usually are none, by the
same hours of the days before, and beyond old articles that were read well. A back catalogue that is found at once tells
nothing: an hour counts for no more than the fullest hour of a usual day, and one such hour is not enough.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from storage.tallies import HOURS, Tally

_USUAL = 0.9
"""More addresses than on so many of the days before are unusual: what comes once a week is not."""
_SHARE = 0.5
"""Where articles fail, at least so much of the news that was due must be found as addresses."""


def new_addresses(days: Sequence[Tally], since: datetime) -> int:
    """Return how many addresses became known in the hours after that of an instant.

    Of a day that was counted without its hours, all of them are taken, and none of the day of the instant.
    """
    found = 0
    for day in days:
        if day.day > since.date():
            found += day.entries
        elif day.day == since.date():
            found += sum(day.entry_hours[since.hour + 1 :])
    return found


def old_articles(days: Sequence[Tally], since: datetime) -> int:
    """Return how many articles that are no news were read after the hour of an instant.

    Of a day on which any were, all are taken.
    """
    begin = since.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    read = (day for day in days if day.last_article_at is not None and day.last_article_at >= begin)
    return sum(day.articles - day.news for day in read)


def lead_nowhere(
    days: Sequence[Tally], since: datetime, now: datetime, *, due: float, fullest: float, least: float
) -> bool:
    """Whether so many addresses became known since the hour of the last news that articles should have come of them.

    `due` is the news that was to be expected since, `fullest` that of the fullest hour of a usual day, and `least` how
    many of which nothing comes are no chance.
    """
    if new_addresses(days, since) < least:
        return False
    begin, end = _place(since) + 1, _place(now) + 1
    surplus = _surplus(days, most=fullest)
    found = _between(surplus, begin, end) - _usually(surplus, begin, end) - old_articles(days, since)
    return found >= _SHARE * due + max(fullest, least)


def _place(instant: datetime) -> int:
    instant = instant.astimezone(UTC)
    return instant.toordinal() * HOURS + instant.hour


def _surplus(days: Sequence[Tally], *, most: float) -> dict[int, float]:
    """Return how many more addresses than news each hour brought, counted from the beginning of the calendar."""
    surplus = {}
    for day in days:
        first = day.day.toordinal() * HOURS
        for hour, (found, news) in enumerate(zip(_found(day), day.hours, strict=True)):
            surplus[first + hour] = min(found, most) - min(news, most)
    return surplus


def _found(day: Tally) -> Sequence[float]:
    """Return the addresses of each hour; those of a day that was counted without its hours are spread as its news."""
    if any(day.entry_hours) or not day.entries:
        return day.entry_hours
    if not day.news:
        return (day.entries / HOURS,) * HOURS
    return [day.entries * count / day.news for count in day.hours]


def _between(surplus: dict[int, float], begin: int, end: int) -> float:
    return sum(surplus.get(place, 0) for place in range(begin, end))


def _usually(surplus: dict[int, float], begin: int, end: int) -> float:
    """Return how many of the addresses of these hours of the day are usually no news, at the most."""
    first = min(surplus)
    nearest = max(math.ceil((end - begin) / HOURS), 1)
    shifts = range(nearest * HOURS, begin - first + 1, HOURS)
    before = sorted(_between(surplus, begin - shift, end - shift) for shift in shifts)
    return max(before[int(_USUAL * (len(before) - 1))], 0) if before else 0
