"""What the database knows of an article's states, for the judgement; and the writing of new ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, case, insert, or_, select, update

from storage.fingerprint import content_digest
from storage.judgement import KnownState, same_state
from storage.model import ArticleStatus, ExtractedArticle
from storage.rows import article_content, content_values, reading_from_json, reading_json
from storage.statements import insert_or
from storage.tables import articles, extractions, versions


@dataclass(frozen=True, kw_only=True)
class CurrentState:
    """An article with its current version, locked until the transaction ends."""

    article_id: int
    last_checked_at: datetime
    shown: ExtractedArticle
    version_id: int
    number: int
    change: str
    capture_id: int
    version: ExtractedArticle
    reverts_to_number: int | None

    def known(self, reading: ExtractedArticle) -> KnownState:
        """Return the current version as `reading` shows it."""
        return KnownState(
            version_id=self.version_id,
            number=self.number,
            reading=reading,
            reverts_to_number=self.reverts_to_number,
        )


class History:
    """Reads and writes the states of one article at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def current(self, page_id: int) -> CurrentState | None:
        """Return the article whose primary page that is, locked on PostgreSQL; None when there is none."""
        query = select(articles).where(articles.c.primary_page_id == page_id).with_for_update()
        article = self._connection.execute(query).mappings().first()
        if article is None:
            return None
        before = versions.alias("before")
        is_current = and_(versions.c.article_id == article["id"], versions.c.number == article["current_number"])
        query = (
            select(versions, before.c.number.label("reverts_to_number"))
            .outerjoin(before, before.c.id == versions.c.reverts_to)
            .where(is_current)
        )
        version = self._connection.execute(query).mappings().one()
        return CurrentState(
            article_id=article["id"],
            last_checked_at=article["last_checked_at"],
            shown=article_content(dict(article)),
            version_id=version["id"],
            number=version["number"],
            change=version["change"],
            capture_id=version["capture_id"],
            version=article_content(dict(version)),
            reverts_to_number=version["reverts_to_number"],
        )

    def reading(self, current: CurrentState, extractor: str) -> ExtractedArticle | None:
        """Return the current version as that extractor reads it; None when it has not read it yet."""
        if current.version.extractor == extractor:
            return current.version
        query = select(extractions.c.reading).where(
            extractions.c.version_id == current.version_id, extractions.c.extractor == extractor
        )
        stored = self._connection.scalar(query)
        return None if stored is None else reading_from_json(stored)

    def earlier(self, current: CurrentState, reading: ExtractedArticle) -> KnownState | None:
        """Return the newest version before the current one that is the same state as `reading`, or None."""
        digest = content_digest(reading)
        own = and_(versions.c.extractor == reading.extractor, versions.c.content_digest == digest)
        reread = and_(versions.c.extractor != reading.extractor, extractions.c.content_digest == digest)
        under = and_(extractions.c.version_id == versions.c.id, extractions.c.extractor == reading.extractor)
        query = (
            select(versions, extractions.c.reading.label("reread"))
            .outerjoin(extractions, under)
            .where(versions.c.article_id == current.article_id, versions.c.number < current.number, or_(own, reread))
            .order_by(versions.c.number.desc())
        )
        for row in self._connection.execute(query).mappings():
            state = _known(row, reading.extractor)
            if same_state(state.reading, reading):
                return state
        return None

    def of_capture(self, current: CurrentState, capture_id: int) -> ExtractedArticle | None:
        """Return the newest version of the article that was read from that capture, or None."""
        query = (
            select(versions)
            .where(versions.c.article_id == current.article_id, versions.c.capture_id == capture_id)
            .order_by(versions.c.number.desc())
        )
        row = self._connection.execute(query).mappings().first()
        return None if row is None else article_content(dict(row))

    def keep_reading(self, version_id: int, reading: ExtractedArticle, *, kind: str, read_at: datetime) -> None:
        """Keep another extractor's reading of a version, once."""
        statement = insert_or(self._connection, extractions).values(
            version_id=version_id,
            extractor=reading.extractor,
            kind=kind,
            read_at=read_at,
            content_digest=content_digest(reading),
            reading=reading_json(reading),
        )
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["version_id", "extractor"]))

    def create(self, page_id: int, reading: ExtractedArticle, *, captured_at: datetime, seen_at: datetime) -> int:
        """Make the article of a page; its first version is to follow. Returns its id."""
        statement = insert(articles).values(
            primary_page_id=page_id,
            status=ArticleStatus.LIVE.value,
            first_seen_at=captured_at,
            last_checked_at=seen_at,
            version_count=1,
            current_number=1,
            **content_values(reading),
        )
        return int(self._connection.execute(statement.returning(articles.c.id)).scalar_one())

    def add_version(
        self,
        article_id: int,
        reading: ExtractedArticle,
        *,
        number: int,
        change: str,
        reverts_to: int | None,
        capture_id: int,
        captured_at: datetime,
        seen_at: datetime,
    ) -> int:
        """Write a version and return its id."""
        statement = insert(versions).values(
            article_id=article_id,
            number=number,
            change=change,
            reverts_to=reverts_to,
            capture_id=capture_id,
            captured_at=captured_at,
            last_seen_at=max(seen_at, captured_at),
            content_digest=content_digest(reading),
            **content_values(reading),
        )
        return int(self._connection.execute(statement.returning(versions.c.id)).scalar_one())

    def touch(self, current: CurrentState, *, seen_at: datetime, values: Mapping[str, Any]) -> None:
        """Note a look at the article, with what it changes of its row."""
        statement = update(articles).where(articles.c.id == current.article_id)
        self._connection.execute(statement.values(last_checked_at=max(seen_at, current.last_checked_at), **values))

    def seen(self, version_id: int, seen_at: datetime) -> None:
        """Note that the state of a version stood there at that instant."""
        later = case((versions.c.last_seen_at < seen_at, seen_at), else_=versions.c.last_seen_at)
        self._connection.execute(update(versions).where(versions.c.id == version_id).values(last_seen_at=later))


def _known(row: RowMapping, extractor: str) -> KnownState:
    own = row["extractor"] == extractor
    reading = article_content(dict(row)) if own else reading_from_json(row["reread"])
    return KnownState(version_id=row["id"], number=row["number"], reading=reading)
