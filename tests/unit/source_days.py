"""Days of invented sources, by their rates and habits, as the tests of breakage need them."""

import math
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from scheduler.breakage import SourceFacts, warnings
from scheduler.source_warnings import SourceWarning
from storage.tallies import FIELDS, HOURS, TEXT_BOUNDS, Tally, text_place

BEGIN = date(2026, 1, 5)
"""A Monday."""
FLAT = (1.0,) * HOURS
DAYTIME = (0.0,) * 5 + (0.5, 1.0) + (1.5,) * 12 + (1.0, 0.5) + (0.1,) * 3
"""When a paper with a night publishes, by the hour."""


def poisson(chance: random.Random, mean: float) -> int:
    """Return a number of a Poisson distribution."""
    if mean > 30:
        return max(round(chance.gauss(mean, math.sqrt(mean))), 0)
    limit, product, number = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        number += 1
    return number


def day_of(
    day: date,
    *,
    hours: tuple[int, ...] = (0,) * HOURS,
    fields: dict[str, int] | None = None,
    lengths: list[int] | None = None,
    pages: dict[str, int] | None = None,
    entries: int | tuple[int, ...] | None = None,
    polls: int = 96,
    unzoned: int = 0,
    until: int = HOURS,
) -> Tally:
    """Return a day with that news; `until` is the hour at which it is looked at.

    `entries` are the addresses that became known, by the hour or in all; without it, those of the news.
    """
    hours = tuple(count if hour < until else 0 for hour, count in enumerate(hours))
    news = sum(hours)
    lengths = [3000] * news if lengths is None else lengths[:news]
    places = Counter(text_place(length) for length in lengths)
    last = max((hour for hour, count in enumerate(hours) if count), default=None)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Tally(
        day=day,
        pages={"created": news, "unchanged": 2 * news} if pages is None else pages,
        polls={"not_modified": polls} if polls else {},
        entries=entries if isinstance(entries, int) else sum(entries or hours),
        entry_hours=(0,) * HOURS if isinstance(entries, int) else entries or hours,
        articles=news,
        news=news,
        hours=hours,
        fields=dict.fromkeys(FIELDS, news) if fields is None else fields,
        unzoned=unzoned,
        text_sum=sum(lengths),
        text_lengths=tuple(places[place] for place in range(len(TEXT_BOUNDS) + 1)),
        last_article_at=None if last is None else start + timedelta(hours=last, minutes=30),
        last_poll_at=start + timedelta(hours=until - 1, minutes=45) if polls else None,
    )


def steady_days(
    count: int,
    *,
    a_day: float,
    shape: tuple[float, ...] = FLAT,
    weekend: float = 1.0,
    burst: int = 1,
    weekdays: frozenset[int] = frozenset(range(7)),
    seed: int = 1,
    filled: float = 1.0,
    begin: date = BEGIN,
) -> list[Tally]:
    """Return days of a source whose habits never change.

    `a_day` articles come on average, by `shape` over the hours, `weekend` times as many on Saturdays and Sundays, only
    on `weekdays`, in `burst`s; each has each field with probability `filled`.
    """
    chance = random.Random(seed)
    days = []
    for number in range(count):
        day = begin + timedelta(days=number)
        factor = (weekend if day.weekday() >= 5 else 1.0) * (day.weekday() in weekdays)
        hours = tuple(burst * poisson(chance, a_day * factor * one / sum(shape) / burst) for one in shape)
        news = sum(hours)
        fields = {name: sum(chance.random() < filled for _ in range(news)) for name in FIELDS}
        lengths = [round(chance.lognormvariate(8, 0.7)) for _ in range(news)]
        refetches = Counter(chance.choices(("unchanged", "updated", "cosmetic"), weights=(8, 2, 1), k=2 * news))
        failures = sum(chance.random() < 0.05 for _ in range(3 * news))
        pages = {"created": news, **refetches, "http_error": failures, "redirected": news}
        days.append(day_of(day, hours=hours, fields=fields, lengths=lengths, pages=pages))
    return days


def judged(days: list[Tally], *, hour: int = HOURS - 1, feeds=(), first_seen: date = BEGIN) -> list[SourceWarning]:
    """Return the warnings at an hour of the last day, of a source that was seen first on the first day."""
    last = days[-1]
    start = datetime(last.day.year, last.day.month, last.day.day, tzinfo=UTC)
    begun = datetime(first_seen.year, first_seen.month, first_seen.day, tzinfo=UTC)
    facts = SourceFacts(first_seen_at=begun, feeds=feeds)
    return warnings(days, facts=facts, now=start + timedelta(hours=hour, minutes=50))


def cut(day: Tally, hour: int) -> Tally:
    """Return a day as it was known at that hour: its news, in proportion its other counts."""
    kept = tuple(count if at < hour else 0 for at, count in enumerate(day.hours))
    news, share = sum(kept), sum(kept) / max(day.news, 1)
    return replace(
        day,
        hours=kept,
        news=news,
        articles=news,
        entries=sum(day.entry_hours[:hour]),
        entry_hours=tuple(count if at < hour else 0 for at, count in enumerate(day.entry_hours)),
        pages={outcome: round(count * share) for outcome, count in day.pages.items()},
        fields={name: round(count * share) for name, count in day.fields.items()},
        text_sum=round(day.text_sum * share),
        text_lengths=tuple(round(count * share) for count in day.text_lengths),
    )
