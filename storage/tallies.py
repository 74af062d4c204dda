"""What each day brought each source, counted from facts and kept: it outlives the fetches that it was counted from.

A day is one of UTC. It is counted anew until a day after its end and never touched again, so that thinning out old
fetches changes nothing. Counting reads only what the day's fetches lead to, by an index.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Label, Text, and_, case, cast, delete, func, select

from storage.model import FetchKind
from storage.outcomes import LOOKS, MAKES_VERSION, POLLED_WELL, Outcome
from storage.statements import insert_or, slices
from storage.tables import fetches, pages, source_days, versions

HOURS = 24
TEXT_BOUNDS = (250, 500, 1000, 2000, 4000, 8000)
"""Lengths of texts are counted by their place between these, in characters."""
FIELDS = ("headline", "standfirst", "authors", "published_at", "section", "image_url")
"""What the first version of an article is counted for having."""
NEWS_FOR = timedelta(days=3)
"""An article counts as news if it was published so long before it was read at most, and else as back catalogue."""
FOUND_FOR = timedelta(days=1)
"""The same for one without a date, by when its page was found."""

_INDEXES = frozenset({FetchKind.FEED.value, FetchKind.SITEMAP.value, FetchKind.SECTION.value})
_HEALTHY = frozenset(outcome.value for outcome in POLLED_WELL)
_REASONS_KEPT = 20
_LISTS = ("hours", "text_lengths", "poll_hours", "entry_hours")


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What one day (UTC) brought a source.

    `pages` counts fetches of pages by outcome, and `reasons` those that told nothing of an article by outcome and
    reason; `polls` counts polls of feeds, sitemaps and sections by outcome, `entries` the addresses that became known.
    `articles` is how many were read for the first time, `news` how many of them were published lately, and `hours` at
    which hours of the day these came. `fields` says how many of the articles had what, `unzoned` how many had a time of
    publication without a zone, so that it is no instant; `text_sum` is the length of their texts, `text_lengths` counts
    these by the bounds of `TEXT_BOUNDS`. `poll_hours` counts the polls that brought a list, or that it has not changed,
    by the hour of the day, `entry_hours` the addresses that became known.
    """

    day: date
    pages: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    polls: Mapping[str, int] = field(default_factory=dict)
    entries: int = 0
    articles: int = 0
    news: int = 0
    hours: tuple[int, ...] = (0,) * HOURS
    fields: Mapping[str, int] = field(default_factory=dict)
    unzoned: int = 0
    text_sum: int = 0
    text_lengths: tuple[int, ...] = (0,) * (len(TEXT_BOUNDS) + 1)
    access: Mapping[str, int] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    poll_hours: tuple[int, ...] = (0,) * HOURS
    entry_hours: tuple[int, ...] = (0,) * HOURS
    last_article_at: datetime | None = None
    last_poll_at: datetime | None = None

    @property
    def healthy_polls(self) -> int:
        """How many polls brought a list, or that it has not changed."""
        return sum(count for outcome, count in self.polls.items() if outcome in _HEALTHY)

    @property
    def failed_polls(self) -> int:
        """How many polls brought nothing; a redirect is followed and is none."""
        return sum(self.polls.values()) - self.healthy_polls - self.polls.get(Outcome.REDIRECTED.value, 0)

    @property
    def versions(self) -> int:
        """How many versions were written that day."""
        return sum(self.pages.get(one.value, 0) for one in MAKES_VERSION)

    def as_json(self) -> dict[str, Any]:
        """Return the counts as they are kept: what is nothing is left out."""
        values = {name: getattr(self, name) for name in _KEPT}
        for name in _LISTS:
            values[name] = list(values[name]) if any(values[name]) else []
        for name in ("last_article_at", "last_poll_at"):
            values[name] = values[name] and values[name].isoformat()
        return {name: value for name, value in values.items() if value}

    @classmethod
    def from_json(cls, day: str, values: Mapping[str, Any]) -> "Tally":
        """Return the counts as they were kept; those of a later program are passed over."""
        known = {name: value for name, value in values.items() if name in _KEPT}
        for name in _LISTS:
            if name in known:
                known[name] = tuple(known[name])
        for name in ("last_article_at", "last_poll_at"):
            if name in known:
                known[name] = datetime.fromisoformat(known[name])
        return cls(day=date.fromisoformat(day), **known)


_KEPT = tuple(name for name in Tally.__dataclass_fields__ if name != "day")


class Tallies:
    """Counts days, keeps the counts, and reads them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count(self, day: date) -> dict[int, Tally]:
        """Count a day from facts, by source; a source of which nothing was fetched or found has no tally."""
        start = datetime.combine(day, time.min, tzinfo=UTC)
        end = start + timedelta(days=1)
        counts: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        self._count_fetches(counts, start, end)
        self._count_poll_hours(counts, start, end)
        self._count_articles(counts, start, end)
        self._count_entries(counts, start, end)
        return {source_id: Tally(day=day, **values) for source_id, values in counts.items()}

    def _count_fetches(self, counts: dict[int, dict[str, Any]], start: datetime, end: datetime) -> None:
        columns = (fetches.c.source_id, fetches.c.kind, fetches.c.outcome, fetches.c.reason)
        query = (
            select(*columns, func.count(), func.max(fetches.c.finished_at))
            .where(fetches.c.finished_at >= start, fetches.c.finished_at < end)
            .where(fetches.c.source_id.is_not(None), fetches.c.kind != FetchKind.ROBOTS.value)
            .group_by(*columns)
        )
        for source_id, kind, outcome, reason, count, last_at in self._connection.execute(query):
            values = counts[source_id]
            if kind in _INDEXES:
                _add(values, "polls", outcome, count)
                if outcome in _HEALTHY:
                    _latest(values, "last_poll_at", last_at)
                continue
            _add(values, "pages", outcome, count)
            if reason is not None and outcome not in LOOKS:
                _add(values.setdefault("reasons", {}), outcome, reason, count)
        for values in counts.values():
            for outcome, reasons in values.get("reasons", {}).items():
                values["reasons"][outcome] = dict(Counter(reasons).most_common(_REASONS_KEPT))

    def _count_poll_hours(self, counts: dict[int, dict[str, Any]], start: datetime, end: datetime) -> None:
        at = fetches.c.finished_at
        hour = _hour_of(at, start)
        polls = (
            select(fetches.c.source_id, hour)
            .where(at >= start, at < end, fetches.c.source_id.is_not(None))
            .where(fetches.c.kind.in_(sorted(_INDEXES)), fetches.c.outcome.in_(sorted(_HEALTHY)))
            .subquery()
        )
        query = select(polls.c.source_id, polls.c.hour, func.count()).group_by(polls.c.source_id, polls.c.hour)
        for source_id, of_hour, count in self._connection.execute(query):
            _count_at(counts[source_id], "poll_hours", HOURS, of_hour, count)

    def _count_articles(self, counts: dict[int, dict[str, Any]], start: datetime, end: datetime) -> None:
        v = versions.c
        has = [
            v.headline != "",
            v.standfirst.is_not(None),
            # Both databases give an empty list alike.
            func.length(cast(v.authors, Text)) > len("[]"),
            v.published_at.is_not(None),
            v.section.is_not(None),
            v.image_url.is_not(None),
        ]
        is_news = case(
            (v.published_at.is_not(None), v.published_at >= start - NEWS_FOR),
            else_=pages.c.first_seen_at >= start - FOUND_FOR,
        )
        query = (
            select(
                fetches.c.source_id,
                fetches.c.finished_at,
                *(case((condition, 1), else_=0) for condition in has),
                case((is_news, 1), else_=0),
                case((and_(v.published_local.is_not(None), v.published_at.is_(None)), 1), else_=0),
                func.length(v.body),
                v.access,
                v.language,
            )
            .join(versions, v.id == fetches.c.version_id)
            .outerjoin(pages, pages.c.id == fetches.c.page_id)
            .where(fetches.c.finished_at >= start, fetches.c.finished_at < end)
            .where(fetches.c.outcome == Outcome.CREATED.value, fetches.c.source_id.is_not(None))
        )
        for source_id, at, *rest in self._connection.execute(query):
            _add_article(counts[source_id], at, rest)

    def _count_entries(self, counts: dict[int, dict[str, Any]], start: datetime, end: datetime) -> None:
        at = pages.c.first_seen_at
        found = select(pages.c.source_id, _hour_of(at, start)).where(at >= start, at < end).subquery()
        query = select(found.c.source_id, found.c.hour, func.count()).group_by(found.c.source_id, found.c.hour)
        for source_id, of_hour, count in self._connection.execute(query):
            values = counts[source_id]
            values["entries"] = values.get("entries", 0) + count
            _count_at(values, "entry_hours", HOURS, of_hour, count)

    def keep(self, day: date, counted: Mapping[int, Tally], now: datetime) -> int:
        """Make these the counts of a day, and return how many rows had to be written for it."""
        query = select(source_days.c.source_id, source_days.c.tallies).where(source_days.c.day == day.isoformat())
        before = {row.source_id: row.tallies for row in self._connection.execute(query)}
        after = {source_id: tally.as_json() for source_id, tally in counted.items()}
        vanished = [source_id for source_id in before if source_id not in after]
        for part in slices(vanished):
            of_day = and_(source_days.c.day == day.isoformat(), source_days.c.source_id.in_(part))
            self._connection.execute(delete(source_days).where(of_day))
        rows = [
            {"source_id": source_id, "day": day.isoformat(), "tallies": values, "updated_at": now}
            for source_id, values in after.items()
            if before.get(source_id) != values
        ]
        if rows:
            statement = insert_or(self._connection, source_days)
            changed = {name: statement.excluded[name] for name in ("tallies", "updated_at")}
            statement = statement.on_conflict_do_update(index_elements=["source_id", "day"], set_=changed)
            self._connection.execute(statement, rows)
        return len(rows) + len(vanished)

    def first_day(self) -> date | None:
        """Return the day of the oldest fetch that there is, None where there is none."""
        oldest = self._connection.scalar(select(func.min(fetches.c.finished_at)))
        return None if oldest is None else oldest.astimezone(UTC).date()

    def since(self, day: date, source_ids: Collection[int] | None = None) -> dict[int, list[Tally]]:
        """Return the counts of a day and all later ones by source, of some sources if they are given, oldest first."""
        query = select(source_days.c.source_id, source_days.c.day, source_days.c.tallies)
        query = query.where(source_days.c.day >= day.isoformat())
        if source_ids is not None:
            query = query.where(source_days.c.source_id.in_(sorted(source_ids)))
        found: dict[int, list[Tally]] = {}
        for row in self._connection.execute(query.order_by(source_days.c.source_id, source_days.c.day)):
            found.setdefault(row.source_id, []).append(Tally.from_json(row.day, row.tallies))
        return found

    def last_article_at(self, since: date) -> dict[int, datetime]:
        """Return when the last new article of each source was read, where that was on that day or later."""
        return {
            source_id: tallies[-1]
            for source_id, days in self.since(since).items()
            if (tallies := [tally.last_article_at for tally in days if tally.last_article_at is not None])
        }


def _hour_of(at: Column[datetime], start: datetime) -> Label[int]:
    """Return at which hour of the day that begins then an instant of that day is."""
    return case(*((at < start + timedelta(hours=number + 1), number) for number in range(HOURS))).label("hour")


def _add(values: dict[str, Any], name: str, key: str, count: int) -> None:
    counts = values.setdefault(name, {})
    counts[key] = counts.get(key, 0) + count


def _latest(values: dict[str, Any], name: str, instant: datetime) -> None:
    values[name] = max(values.get(name, instant), instant)


def _add_article(values: dict[str, Any], at: datetime, row: list[Any]) -> None:
    """Count an article; `row` is what the query has of it."""
    *has, is_news, unzoned, length, access, language = row
    values["articles"] = values.get("articles", 0) + 1
    values["news"] = values.get("news", 0) + is_news
    values["unzoned"] = values.get("unzoned", 0) + unzoned
    values["text_sum"] = values.get("text_sum", 0) + length
    _latest(values, "last_article_at", at)
    for name, there in zip(FIELDS, has, strict=True):
        if there:
            _add(values, "fields", name, 1)
    _add(values, "access", access, 1)
    if language is not None:
        _add(values, "languages", language, 1)
    _count_at(values, "hours", HOURS, at.hour, is_news)
    _count_at(values, "text_lengths", len(TEXT_BOUNDS) + 1, text_place(length), 1)


def _count_at(values: dict[str, Any], name: str, size: int, place: int, count: int) -> None:
    counts = list(values.get(name, (0,) * size))
    counts[place] += count
    values[name] = tuple(counts)


def text_place(length: int) -> int:
    """Return between which of `TEXT_BOUNDS` a length is: 0 for one below the first."""
    return sum(length >= bound for bound in TEXT_BOUNDS)
