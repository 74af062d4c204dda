"""What is owed, and how long ago sources brought something: numbers for those who watch the service.

All of it is read from indexes and small tables, so that it may be asked for every few seconds at a million pages.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal_column, or_, select

from storage.model import EventKind
from storage.statements import slices
from storage.tables import articles, events, feeds, pages, sources

RECENT_EVENTS = 5000
"""Events among which a source's last article is looked for first."""
MOST_HELD = 10_000
"""So many hosts are left out by name; databases take no statement with any number of values."""

_NOT_WATCHED = select(sources.c.id).where(or_(sources.c.paused, ~sources.c.watched))
# These are written as the partial indexes have them, or they would not be used.
_NO_BACKLOG = or_(pages.c.last_fetch_at.is_not(None), pages.c.next_fetch_at <= pages.c.first_seen_at)
_UNPLANNED = and_(
    pages.c.next_fetch_at.is_(None),
    pages.c.alias_of.is_(None),
    literal_column("NOT pages.watch_ended"),
    literal_column("NOT pages.paused"),
)


@dataclass(frozen=True, kw_only=True)
class Owed:
    """How much is due, and since when the longest has been that nothing keeps back; None where there is none."""

    count: int
    oldest_at: datetime | None


class Workload:
    """Counts what is owed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def due_pages(self, now: datetime, *, held_hosts: Collection[str] = ()) -> Owed:
        """Return how many pages of watched sources are due, and since when the oldest of hosts that are not held.

        Pages of a back catalogue that come due behind all else are not counted.
        """
        # Named the other way round, SQLite would go through all pages by source (`storage.pages`).
        due = and_(_NO_BACKLOG, pages.c.next_fetch_at <= now, pages.c.source_id.not_in(_NOT_WATCHED))
        count = self._connection.scalar(select(func.count()).select_from(pages).where(due))
        oldest = select(pages.c.next_fetch_at).where(due, pages.c.host.not_in(list(held_hosts)[:MOST_HELD]))
        oldest = oldest.order_by(pages.c.next_fetch_at).limit(1)
        return Owed(count=int(count or 0), oldest_at=self._connection.scalar(oldest))

    def due_feeds(self, now: datetime) -> Owed:
        """Return how many feeds of watched sources are due, and since when the oldest of them."""
        due = and_(feeds.c.next_poll_at <= now, ~feeds.c.paused, feeds.c.parent_id.is_(None))
        query = select(func.count(), func.min(feeds.c.next_poll_at)).where(due, feeds.c.source_id.not_in(_NOT_WATCHED))
        count, oldest_at = self._connection.execute(query).one()
        return Owed(count=count, oldest_at=oldest_at)

    def unplanned_pages(self) -> int:
        """Return how many pages wait for the planner."""
        return int(self._connection.scalar(select(func.count()).select_from(pages).where(_UNPLANNED)) or 0)

    def last_polls(self) -> dict[int, datetime]:
        """Return when an index of each source was last polled well, by source ids."""
        query = select(feeds.c.source_id, func.max(feeds.c.last_success_at)).group_by(feeds.c.source_id)
        return _by_source(self._connection.execute(query))

    def new_articles(self, *, since_seq: int) -> dict[int, datetime]:
        """Return when each source's newest article was first seen, of those that events after `since_seq` tell of."""
        query = self._created().where(events.c.seq > since_seq).group_by(pages.c.source_id)
        return _by_source(self._connection.execute(query))

    def last_articles(self, source_ids: Collection[int], *, last_seq: int) -> dict[int, datetime]:
        """Return when each source's newest article was first seen, by source ids; none for one without articles.

        Looks at the newest events first, and only for sources of which they do not tell at all their articles: to be
        asked once, and then `new_articles`.
        """
        found = self.new_articles(since_seq=last_seq - RECENT_EVENTS)
        query = select(pages.c.source_id, func.max(articles.c.first_seen_at)).join_from(
            pages, articles, articles.c.primary_page_id == pages.c.id
        )
        for part in slices(sorted(set(source_ids) - found.keys())):
            of_part = query.where(pages.c.source_id.in_(part)).group_by(pages.c.source_id)
            found |= _by_source(self._connection.execute(of_part))
        return found

    def _created(self) -> Select[tuple[int, datetime]]:
        kind: ColumnElement[bool] = events.c.kind == EventKind.CREATED.value
        return (
            select(pages.c.source_id, func.max(articles.c.first_seen_at))
            .join_from(events, articles, articles.c.id == events.c.article_id)
            .join(pages, pages.c.id == articles.c.primary_page_id)
            .where(kind)
        )


def _by_source(rows: Iterable[Any]) -> dict[int, datetime]:
    return {source_id: at for source_id, at in rows if at is not None}
