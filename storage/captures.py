"""Captures: where in the archive each response that was kept stands."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, bindparam, select

from storage.model import Capture
from storage.records import StoredCapture
from storage.rows import stored_capture
from storage.statements import insert_unless_there
from storage.tables import captures, versions

PAGE = 1000
_BY_ID = select(captures).where(captures.c.id == bindparam("capture"))
_ID_OF_RECORD = select(captures.c.id).where(captures.c.record_id == bindparam("record"))
_ID_OF_VERSION = select(versions.c.capture_id).where(versions.c.id == bindparam("version"))


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
        self._connection.execute(insert_unless_there(self._connection, captures, "record_id"), values)
        return int(self._connection.execute(_ID_OF_RECORD, {"record": capture.record_id}).scalar_one())

    def by_id(self, capture_id: int) -> StoredCapture | None:
        """Return a capture, or None."""
        row = self._connection.execute(_BY_ID, {"capture": capture_id}).mappings().first()
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
        return int(self._connection.execute(_ID_OF_VERSION, {"version": version_id}).scalar_one())
