"""What a clock that was ahead wrote of pages, which would be left alone until then, or watched for too long."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, literal, or_, select, update

from storage.tables import pages, sources

AHEAD = timedelta(hours=1)
"""What claims to have been seen so much later than now was dated by a clock that was ahead; those of two machines that
share a database hardly differ by more."""
ASKED_AHEAD = timedelta(minutes=1)
"""What somebody asked for so much later than now was asked for by such a clock."""
MOST_REQUESTS = 500
"""So many requests are righted at a time."""
_SEEN = ("first_seen_at", "last_fetch_at", "last_look_at", "last_changed_at", "hinted_at", "watched_from")


class WrongClocks:
    """Finds and rights what lies ahead though it cannot."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sources(self, now: datetime, *, longest: timedelta) -> list[int]:
        """Return the sources of which pages were found or fetched, as they say, long after `now`, or were looked at
        and are due later than `longest` from now, which no plan says."""
        # Each as an index has it.
        fetched = exists().where(pages.c.source_id == sources.c.id, pages.c.last_fetch_at > now + AHEAD)
        found = select(pages.c.source_id).where(pages.c.first_seen_at > now + AHEAD).distinct()
        due = select(pages.c.source_id).where(_far_ahead(now, longest)).distinct()
        query = (select(sources.c.id).where(fetched), found, due)
        return sorted({source_id for part in query for source_id in self._connection.scalars(part)})

    def forget(self, source_id: int, now: datetime, *, longest: timedelta) -> int:
        """Have those pages of a source count as found and fetched now, and take back their plans; return how many.

        Those that were not fetched yet are due now. What an operator asked for or released stays so.
        """
        of_source = pages.c.source_id == source_id
        is_new = and_(pages.c.first_seen_at > now + AHEAD, pages.c.last_fetch_at.is_(None))
        at = literal(now, pages.c.next_fetch_at.type)
        # What is back catalogue stays behind all else.
        behind = case((pages.c.next_fetch_at > pages.c.first_seen_at, now + timedelta(seconds=1)), else_=at)
        found_now = {"first_seen_at": now, "next_fetch_at": behind}
        new = update(pages).where(of_source, is_new, pages.c.next_fetch_at.is_not(None)).values(found_now)
        count = self._connection.execute(new).rowcount
        wrong = or_(*(pages.c[name] > now + AHEAD for name in _SEEN), _far_ahead(now, longest))
        anew: dict[str, Any] = {name: case((pages.c[name] > at, at), else_=pages.c[name]) for name in _SEEN}
        anew |= {"next_fetch_at": pages.c.requested_at, "watch_ended": pages.c.released_by.is_not(None)}
        planned = and_(of_source, pages.c.last_fetch_at.is_not(None), wrong)
        return count + self._connection.execute(update(pages).where(planned).values(anew)).rowcount

    def requested(self, now: datetime) -> list[int]:
        """Return pages of which a fetch was asked for, as they say, after `now`."""
        ahead = and_(pages.c.requested_at.is_not(None), pages.c.next_fetch_at > now + ASKED_AHEAD)
        query = select(pages.c.id).where(ahead, pages.c.requested_at > now + ASKED_AHEAD)
        return list(self._connection.scalars(query.limit(MOST_REQUESTS)))

    def ask_now(self, page_ids: Collection[int], now: datetime) -> None:
        """Have the fetches of these pages be asked for now, so that they are due."""
        asked = and_(pages.c.id.in_(sorted(page_ids)), pages.c.requested_at > now + ASKED_AHEAD)
        asked_now = {"requested_at": now, "next_fetch_at": now}
        self._connection.execute(update(pages).where(asked).values(asked_now))


def _far_ahead(now: datetime, longest: timedelta) -> ColumnElement[bool]:
    return and_(pages.c.last_fetch_at.is_not(None), pages.c.next_fetch_at > now + longest)
