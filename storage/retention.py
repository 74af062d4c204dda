"""Rows that have had their time: deleted in slices, so that nobody waits for it.

Only what nothing else refers to, and what is of no use any more:

- old attempts (`fetches`), of which nothing is derived: pages, articles, versions and captures that they led to, and
  the counts of their days, stay as they are;
- copies of robots.txt that ran out long ago: nobody asked that origin since, and who asks it again fetches a new one;
- places in line of processes that were killed: they stand there no more after five seconds.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from storage.database_clock import database_now
from storage.tables import fetches, host_waiters, robots_files

ROBOTS_KEPT = timedelta(days=90)
"""So long after it ran out a copy of robots.txt may still be the last good one of an origin that does not answer."""
WAITERS_KEPT = timedelta(days=1)


class Retention:
    """Deletes what has had its time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def now(self) -> datetime:
        """Return the present instant on the database's clock, which a wall clock that is set does not move."""
        return database_now(self._connection, writes=True)

    def thin_fetches(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` of the attempts that ended before an instant, the oldest first; return how many."""
        oldest = select(fetches.c.id).where(fetches.c.finished_at < before).order_by(fetches.c.finished_at).limit(limit)
        return self._connection.execute(delete(fetches).where(fetches.c.id.in_(oldest))).rowcount

    def forget_robots(self, now: datetime, limit: int) -> int:
        """Delete at most `limit` copies of robots.txt that ran out long ago; return how many."""
        old = select(robots_files.c.origin).where(robots_files.c.expires_at < now - ROBOTS_KEPT).limit(limit)
        return self._connection.execute(delete(robots_files).where(robots_files.c.origin.in_(old))).rowcount

    def forget_waiters(self) -> int:
        """Delete the places in line of processes that were not heard of for a day; return how many.

        Instants in lines are those of the database's clock.
        """
        long_ago = self.now() - WAITERS_KEPT
        return self._connection.execute(delete(host_waiters).where(host_waiters.c.seen_at < long_ago)).rowcount
