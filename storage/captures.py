"""Captures: where in the archive each response that was kept stands."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, bindparam, func, select

from storage.model import Capture
from storage.part_digests import digest_of_parts
from storage.records import StoredCapture
from storage.rows import stored_capture
from storage.statements import insert_unless_there
from storage.tables import articles, capture_parts, captures, versions

PAGE = 1000
_BY_ID = select(captures).where(captures.c.id == bindparam("capture"))
_ID_OF_RECORD = select(captures.c.id).where(captures.c.record_id == bindparam("record"))
_PARTS = (
    select(captures)
    .join(capture_parts, capture_parts.c.part_capture_id == captures.c.id)
    .where(capture_parts.c.capture_id == bindparam("capture"))
    .order_by(capture_parts.c.position)
)
_PARTS_OF_ARTICLE = (
    select(func.count())
    .select_from(capture_parts)
    .join(versions, versions.c.capture_id == capture_parts.c.capture_id)
    .join(articles, articles.c.id == versions.c.article_id)
    .where(articles.c.id == bindparam("article"), versions.c.number == articles.c.current_number)
)
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

    def keep_parts(self, capture_id: int, parts: Sequence[Capture]) -> dict[str, int]:
        """Record where the captures of an article's further parts stand, in order; returns their ids by record."""
        ids = {part.record_id: self.keep(part) for part in parts}
        statement = insert_unless_there(self._connection, capture_parts, "capture_id", "position")
        for position, part_id in enumerate(ids.values(), start=2):
            values = {"capture_id": capture_id, "position": position, "part_capture_id": part_id}
            self._connection.execute(statement, values)
        return ids

    def parts_of(self, capture_id: int) -> list[Capture]:
        """Return the captures of the further parts of the article that a capture shows the first part of, in order."""
        return [
            stored_capture(row).capture for row in self._connection.execute(_PARTS, {"capture": capture_id}).mappings()
        ]

    def parts_of_article(self, article_id: int) -> int:
        """Return in how many further parts the current version of an article was read; 0 where there is none."""
        return int(self._connection.execute(_PARTS_OF_ARTICLE, {"article": article_id}).scalar_one())

    def digest_of(self, capture_id: int) -> str:
        """Return the digest of what a capture shows, with all further parts. Raises LookupError for no capture."""
        stored = self.by_id(capture_id)
        if stored is None:
            raise LookupError(f"there is no capture {capture_id}")
        return digest_of_parts([capture.body_digest for capture in (stored.capture, *self.parts_of(capture_id))])

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

    def of_version(self, version_id: int) -> list[Capture]:
        """Return the captures that a version was read from, one for each part; none when there is no such version."""
        capture_id = self._connection.scalar(_ID_OF_VERSION, {"version": version_id})
        first = None if capture_id is None else self.by_id(capture_id)
        return [] if first is None else [first.capture, *self.parts_of(first.capture_id)]

    def id_of_version(self, version_id: int) -> int:
        """Return the id of the capture that a version was read from."""
        return int(self._connection.execute(_ID_OF_VERSION, {"version": version_id}).scalar_one())
