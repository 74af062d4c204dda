"""How all sources stand, in one query a quantity: with hundreds of sources, a query a source would take seconds."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, func, or_, select

from storage.statements import slices
from storage.tables import articles, feed_entries, feeds, fetches, pages, sources

_NO_BACKLOG = or_(pages.c.last_fetch_at.is_not(None), pages.c.next_fetch_at <= pages.c.first_seen_at)
_BACKLOG = and_(pages.c.last_fetch_at.is_(None), pages.c.next_fetch_at > pages.c.first_seen_at)
# Written as the indexes have them, so that these are used.


@dataclass(kw_only=True)
class SourceStanding:
    """What a source has, and what of it is due.

    `pages` are addresses that stand for themselves. `next_due_at` is when the first page is due, or was; `last_poll_at`
    when a feed was last read well, `next_poll_at` when the first one is due.
    """

    feeds: int = 0
    failing_feeds: int = 0
    pages: int = 0
    articles: int = 0
    versions: int = 0
    due: int = 0
    next_due_at: datetime | None = None
    last_fetch_at: datetime | None = None
    last_poll_at: datetime | None = None
    next_poll_at: datetime | None = None


class Overview:
    """Counts by source."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def standings(self, *, now: datetime, source_id: int | None = None) -> dict[int, SourceStanding]:
        """Return how every source stands, or the one that is given."""
        of_source = sources.c.id == source_id if source_id is not None else sources.c.id.is_not(None)
        found = {id_: SourceStanding() for id_ in self._connection.scalars(select(sources.c.id).where(of_source))}
        self._count_feeds(found, source_id)
        self._count_pages(found, now, source_id)
        self._count_articles(found, source_id)
        return found

    def _count_feeds(self, found: dict[int, SourceStanding], source_id: int | None) -> None:
        query = (
            select(
                feeds.c.source_id,
                func.count(),
                func.count().filter(feeds.c.consecutive_failures > 0),
                func.max(feeds.c.last_success_at),
                func.min(feeds.c.next_poll_at),
            )
            .where(~feeds.c.paused, feeds.c.parent_id.is_(None))
            .group_by(feeds.c.source_id)
        )
        if source_id is not None:
            query = query.where(feeds.c.source_id == source_id)
        for id_, count, failing, last_at, next_at in self._connection.execute(query):
            standing = found[id_]
            standing.feeds, standing.failing_feeds = count, failing
            standing.last_poll_at, standing.next_poll_at = last_at, next_at

    def _count_pages(self, found: dict[int, SourceStanding], now: datetime, source_id: int | None) -> None:
        """Count by indexes alone: of all addresses, less the aliases, of which there are few."""

        def of_source(query: Select[Any]) -> Select[Any]:
            return query if source_id is None else query.where(pages.c.source_id == source_id)

        by_source = select(pages.c.source_id, func.count(), func.max(pages.c.last_fetch_at)).group_by(pages.c.source_id)
        for id_, count, last_at in self._connection.execute(of_source(by_source)):
            found[id_].pages, found[id_].last_fetch_at = count, last_at
        # Not by the source as it stands, or SQLite would go through all pages by it.
        by_sum = pages.c.source_id + 0
        aliases = select(by_sum, func.count()).where(pages.c.alias_of.is_not(None))
        for id_, count in self._connection.execute(of_source(aliases.group_by(by_sum))):
            found[id_].pages -= count
        for condition in (_NO_BACKLOG, _BACKLOG):
            due = func.count().filter(pages.c.next_fetch_at <= now)
            planned = select(pages.c.source_id, due, func.min(pages.c.next_fetch_at))
            planned = planned.where(condition, pages.c.next_fetch_at.is_not(None)).group_by(pages.c.source_id)
            for id_, count, first_at in self._connection.execute(of_source(planned)):
                standing = found[id_]
                standing.due += count
                standing.next_due_at = min(standing.next_due_at or first_at, first_at)

    def _count_articles(self, found: dict[int, SourceStanding], source_id: int | None) -> None:
        # For all sources SQLite is made to go through an index of the articles, and not to look up each one's row.
        page_id = articles.c.primary_page_id + 0 if source_id is None else articles.c.primary_page_id
        query = (
            select(pages.c.source_id, func.count(), func.sum(articles.c.version_count))
            .join(articles, page_id == pages.c.id)
            .group_by(pages.c.source_id)
        )
        if source_id is not None:
            query = query.where(pages.c.source_id == source_id)
        for id_, count, version_count in self._connection.execute(query):
            found[id_].articles, found[id_].versions = count, int(version_count)

    def outcomes(self, since: datetime, source_id: int | None = None) -> dict[int | None, Counter[str]]:
        """Return how many attempts since then came to what, by source; under None those that are no source's."""
        columns = (fetches.c.source_id, fetches.c.outcome)
        query = select(*columns, func.count()).where(fetches.c.finished_at >= since)
        if source_id is not None:
            query = query.where(fetches.c.source_id == source_id)
        found: dict[int | None, Counter[str]] = {}
        for id_, outcome, count in self._connection.execute(query.group_by(*columns)):
            found.setdefault(id_, Counter())[outcome] = count
        return found

    def sources_seen(self, source_ids: Collection[int]) -> dict[int, datetime]:
        """Return when sources became known."""
        query = select(sources.c.id, sources.c.first_seen_at).where(sources.c.id.in_(sorted(source_ids)))
        return {row.id: row.first_seen_at for row in self._connection.execute(query)}

    def feeds_seen(self, feed_ids: Collection[int]) -> dict[int, datetime]:
        """Return when feeds became known."""
        query = select(feeds.c.id, feeds.c.first_seen_at)
        return {
            row.id: row.first_seen_at
            for part in slices(sorted(feed_ids))
            for row in self._connection.execute(query.where(feeds.c.id.in_(part)))
        }

    def feeds_with_entries(self, feed_ids: Collection[int]) -> set[int]:
        """Return which of some feeds ever listed anything."""
        listed = exists().where(feed_entries.c.feed_id == feeds.c.id)
        return {
            feed_id
            for part in slices(sorted(feed_ids))
            for feed_id in self._connection.scalars(select(feeds.c.id).where(feeds.c.id.in_(part), listed))
        }
