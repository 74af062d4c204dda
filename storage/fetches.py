"""Fetches: one row for every attempt."""

from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, func, select

from storage.outcomes import Outcome
from storage.records import Fetch
from storage.rows import fetch_record, fetch_values
from storage.statements import insert_unless_there
from storage.tables import fetches, versions

_RECORDED = (
    select(
        fetches.c.outcome,
        fetches.c.reason,
        fetches.c.article_id,
        fetches.c.version_id,
        versions.c.number,
        versions.c.change,
    )
    .outerjoin(versions, versions.c.id == fetches.c.version_id)
    .where(fetches.c.record_id == bindparam("record"))
)


class Fetches:
    """Records and finds attempts. Nothing else is derived from them, so old ones may be thinned out."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._new: list[Fetch] = []

    def record(
        self,
        fetch: Fetch,
        *,
        capture_id: int | None = None,
        article_id: int | None = None,
        version_id: int | None = None,
    ) -> None:
        """Record an attempt; one whose `record_id` is known already is left as it is.

        Raises ValueError when its outcome is not decided.
        """
        values = fetch_values(fetch) | {"capture_id": capture_id, "article_id": article_id, "version_id": version_id}
        made = self._connection.execute(insert_unless_there(self._connection, fetches, "record_id"), values)
        if made.rowcount:
            self._new.append(fetch)

    def take_new(self) -> list[Fetch]:
        """Return the attempts that this transaction made rows of since it was asked last."""
        new, self._new = self._new, []
        return new

    def recorded(self, record_id: str) -> RowMapping | None:
        """Return what an attempt came to (outcome, reason, article, version), or None when it is not recorded."""
        return self._connection.execute(_RECORDED, {"record": record_id}).mappings().first()

    def recent(self, limit: int, source_id: int | None = None, page_id: int | None = None) -> list[Fetch]:
        """Return the newest attempts, newest first, of a source or a page if one is given."""
        query = select(fetches).order_by(fetches.c.finished_at.desc(), fetches.c.id.desc()).limit(limit)
        if source_id is not None:
            query = query.where(fetches.c.source_id == source_id)
        if page_id is not None:
            query = query.where(fetches.c.page_id == page_id)
        return [fetch_record(row) for row in self._connection.execute(query).mappings()]

    def counts_by_outcome(self, since: datetime, source_id: int | None = None) -> dict[Outcome, int]:
        """Return how many attempts since then came to what, the most frequent first."""
        count = func.count().label("count")
        query = select(fetches.c.outcome, count).where(fetches.c.finished_at >= since)
        if source_id is not None:
            query = query.where(fetches.c.source_id == source_id)
        query = query.group_by(fetches.c.outcome).order_by(count.desc(), fetches.c.outcome)
        return {Outcome(row.outcome): int(row[1]) for row in self._connection.execute(query)}
