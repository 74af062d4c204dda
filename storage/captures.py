"""Captures: where in the archive each response that was kept stands."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from storage.model import Capture
from storage.records import StoredCapture
from storage.rows import stored_capture
from storage.statements import insert_or
from storage.tables import captures, versions

PAGE = 1000


class Captures:
    """Records and finds the places of captures."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, capture: Capture) -> int:
        """Record where a capture stands in the archive, once, and return its id."""
        values = {
            "record_id": capture.record_id,
            "url": capture.url,
            "captured_at": capture.captured_at,
            "warc_file": capture.warc_file,
            "warc_offset": capture.offset,
            "warc_length": capture.length,
            "body_digest": capture.body_digest,
        }
        statement = insert_or(self._connection, captures).values(**values)
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["record_id"]))
        return int(
            self._connection.execute(
                select(captures.c.id).where(captures.c.record_id == capture.record_id)
            ).scalar_one()
        )

    def by_id(self, capture_id: int) -> StoredCapture | None:
        """Return a capture, or None."""
        row = self._connection.execute(select(captures).where(captures.c.id == capture_id)).mappings().first()
        return None if row is None else stored_capture(row)

    def after(self, after_id: int = 0, limit: int = PAGE) -> Sequence[StoredCapture]:
        """Return captures in the order of their ids, those after `after_id`."""
        query = select(captures).where(captures.c.id > after_id).order_by(captures.c.id).limit(limit)
        return [stored_capture(row) for row in self._connection.execute(query).mappings()]

    def all(self) -> Iterator[StoredCapture]:
        """Yield every capture, a page of them in memory at a time; the transaction must stay open meanwhile."""
        last_id = 0
        while found := self.after(last_id):
            yield from found
            last_id = found[-1].capture_id

    def of_version(self, version_id: int) -> Capture | None:
        """Return the capture that a version was read from, or None when there is no such version."""
        query = (
            select(captures).join(versions, versions.c.capture_id == captures.c.id).where(versions.c.id == version_id)
        )
        row = self._connection.execute(query).mappings().first()
        return None if row is None else stored_capture(row).capture

    def id_of_version(self, version_id: int) -> int:
        """Return the id of the capture that a version was read from."""
        return int(
            self._connection.execute(select(versions.c.capture_id).where(versions.c.id == version_id)).scalar_one()
        )
