"""The change feed. A consumer that remembers the last `seq` it read misses nothing and reads nothing twice."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, text

from storage.model import Event, EventKind
from storage.tables import events

FEED_LOCK = 0x6D6F72677565
"""PostgreSQL's advisory lock of the change feed: `morgue` in ASCII."""
CHANNEL = "morgue_events"
"""What PostgreSQL notifies of, once a transaction that brought events."""


class Events:
    """Reads the change feed, and gathers a transaction's events until its end.

    A sequence is handed out before the commit, so a transaction that commits late would put its events behind those
    that a consumer has read already. Therefore the events of a transaction are inserted as its last step, and on
    PostgreSQL under a lock that lasts until the commit; SQLite has one writer at a time anyway.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pending: list[dict[str, Any]] = []

    def add(self, kind: EventKind, *, article_id: int, version_id: int | None, occurred_at: datetime) -> None:
        """Announce an event; it is written at the end of the transaction."""
        self._pending.append(
            {"kind": kind.value, "article_id": article_id, "version_id": version_id, "occurred_at": occurred_at}
        )

    def mark(self) -> int:
        """Return how many events are waiting, for `forget_since`."""
        return len(self._pending)

    def forget_since(self, mark: int) -> None:
        """Drop the events that were announced after `mark`, because what they tell was rolled back."""
        del self._pending[mark:]

    def flush(self) -> None:
        """Write the waiting events; the commit must follow at once."""
        if not self._pending:
            return
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": FEED_LOCK})
        self._connection.execute(insert(events), self._pending)
        self._pending.clear()
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})

    def since(self, seq: int, limit: int = 1000) -> Sequence[Event]:
        """Return the events after `seq`, oldest first."""
        query = select(events).where(events.c.seq > seq).order_by(events.c.seq).limit(limit)
        return [Event(**row) for row in self._connection.execute(query).mappings()]

    def last_seq(self) -> int:
        """Return the number of the newest event, 0 when there is none."""
        return int(self._connection.scalar(select(func.coalesce(func.max(events.c.seq), 0))) or 0)
