"""What the database knows of an article's states, for the judgement; and the writing of new ones."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, bindparam, case, insert, or_, select, update

from storage.article_fields import article_content, content_values, reading_from_json, reading_json
from storage.fingerprint import content_digest
from storage.judgement import KnownState, same_state
from storage.model import ArticleStatus, ChangedField, ExtractedArticle
from storage.statements import insert_unless_there
from storage.tables import articles, extractions, versions

_BEFORE = versions.alias("before")
_ARTICLE = select(articles).where(articles.c.primary_page_id == bindparam("page_id")).with_for_update()
_CURRENT_VERSION = (
    select(versions, _BEFORE.c.number.label("reverts_to_number"))
    .outerjoin(_BEFORE, _BEFORE.c.id == versions.c.reverts_to)
    .where(versions.c.article_id == bindparam("article"), versions.c.number == bindparam("current"))
)
_READING = select(extractions.c.reading).where(
    extractions.c.version_id == bindparam("version"), extractions.c.extractor == bindparam("reader")
)
# A version is known under an extractor that read it, or under one that read it again later.
_AS_READ = (
    select(versions, extractions.c.reading.label("reread"))
    .outerjoin(
        extractions, and_(extractions.c.version_id == versions.c.id, extractions.c.extractor == bindparam("reader"))
    )
    .where(versions.c.article_id == bindparam("article"))
    .order_by(versions.c.number.desc())
)
_EARLIER = _AS_READ.where(
    versions.c.number < bindparam("current"),
    bindparam("digest")
    == case(
        (versions.c.extractor == bindparam("reader"), versions.c.content_digest),
        else_=extractions.c.content_digest,
    ),
)
_NAMING = _AS_READ.where(
    versions.c.number <= bindparam("current"),
    or_(versions.c.number == 1, ("+" + versions.c.change + "+").like(bindparam("named"))),
).limit(1)
_OF_CAPTURE = (
    select(versions)
    .where(versions.c.article_id == bindparam("article"), versions.c.capture_id == bindparam("capture"))
    .order_by(versions.c.number.desc())
)
_NUMBERED = select(versions).where(
    versions.c.article_id == bindparam("article"), versions.c.number == bindparam("number")
)
_INSERT_ARTICLE = insert(articles).returning(articles.c.id)
_INSERT_VERSION = insert(versions).returning(versions.c.id)
_UPDATE_ARTICLE = update(articles).where(articles.c.id == bindparam("article"))
_SEEN = (
    update(versions)
    .where(versions.c.id == bindparam("version"), versions.c.last_seen_at < bindparam("seen_at"))
    .values(last_seen_at=bindparam("seen_at"))
)


@dataclass(frozen=True, kw_only=True)
class CurrentState:
    """An article with its current version, locked until the transaction ends."""

    article_id: int
    gone: bool
    last_checked_at: datetime
    opt_outs: Sequence[str]
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
        article = self._connection.execute(_ARTICLE, {"page_id": page_id}).mappings().first()
        if article is None:
            return None
        named = {"article": article["id"], "current": article["current_number"]}
        version = self._connection.execute(_CURRENT_VERSION, named).mappings().one()
        return CurrentState(
            article_id=article["id"],
            gone=article["status"] == ArticleStatus.GONE.value,
            last_checked_at=article["last_checked_at"],
            opt_outs=tuple(article["opt_outs"]),
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
        stored = self._connection.scalar(_READING, {"version": current.version_id, "reader": extractor})
        return None if stored is None else reading_from_json(stored)

    def earlier(self, current: CurrentState, reading: ExtractedArticle) -> KnownState | None:
        """Return the newest version before the current one that is the same state as `reading`, or None."""
        named = {
            "article": current.article_id,
            "current": current.number,
            "reader": reading.extractor,
            "digest": content_digest(reading),
        }
        for row in self._connection.execute(_EARLIER, named).mappings():
            state = _known(row, reading.extractor)
            if same_state(state.reading, reading):
                return state
        return None

    def known_state(self, current: CurrentState, reading: ExtractedArticle) -> KnownState | None:
        """Return the newest version that is the same state as `reading`, or None."""
        baseline = self.reading(current, reading.extractor)
        if baseline is not None and same_state(baseline, reading):
            return current.known(baseline)
        return self.earlier(current, reading)

    def settled(
        self, current: CurrentState, fields: Collection[ChangedField], extractor: str
    ) -> dict[ChangedField, ExtractedArticle]:
        """Return, of each field, the version before the current one that named it last, as that extractor reads it.

        The first version names all fields. A field is left out when the current version names it itself, or that
        extractor has not read the version.
        """
        found: dict[ChangedField, ExtractedArticle] = {}
        for field in fields:
            named = {
                "article": current.article_id,
                "current": current.number,
                "reader": extractor,
                "named": f"%+{field}+%",
            }
            row = self._connection.execute(_NAMING, named).mappings().one()
            read = row["extractor"] == extractor or row["reread"] is not None
            if row["number"] != current.number and read:
                found[field] = _known(row, extractor).reading
        return found

    def of_capture(self, current: CurrentState, capture_id: int) -> KnownState | None:
        """Return the newest version of the article that was read from that capture, or None."""
        named = {"article": current.article_id, "capture": capture_id}
        row = self._connection.execute(_OF_CAPTURE, named).mappings().first()
        return None if row is None else _known(row, row["extractor"])

    def numbered(self, current: CurrentState, number: int) -> ExtractedArticle:
        """Return that version of the article."""
        named = {"article": current.article_id, "number": number}
        return article_content(dict(self._connection.execute(_NUMBERED, named).mappings().one()))

    def keep_reading(self, version_id: int, reading: ExtractedArticle, *, kind: str, read_at: datetime) -> None:
        """Keep another extractor's reading of a version, once."""
        values = {
            "version_id": version_id,
            "extractor": reading.extractor,
            "kind": kind,
            "read_at": read_at,
            "content_digest": content_digest(reading),
            "reading": reading_json(reading),
        }
        statement = insert_unless_there(self._connection, extractions, "version_id", "extractor")
        self._connection.execute(statement, values)

    def create(
        self,
        page_id: int,
        reading: ExtractedArticle,
        *,
        captured_at: datetime,
        seen_at: datetime,
        opt_outs: Sequence[str] = (),
    ) -> int:
        """Make the article of a page; its first version is to follow. Returns its id."""
        values = {
            "opt_outs": list(opt_outs),
            "primary_page_id": page_id,
            "status": ArticleStatus.LIVE.value,
            "first_seen_at": captured_at,
            "last_checked_at": seen_at,
            "version_count": 1,
            "current_number": 1,
        }
        return int(self._connection.execute(_INSERT_ARTICLE, values | content_values(reading)).scalar_one())

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
        values = {
            "article_id": article_id,
            "number": number,
            "change": change,
            "reverts_to": reverts_to,
            "capture_id": capture_id,
            "captured_at": captured_at,
            "last_seen_at": max(seen_at, captured_at),
            "content_digest": content_digest(reading),
        }
        return int(self._connection.execute(_INSERT_VERSION, values | content_values(reading)).scalar_one())

    def touch(self, current: CurrentState, *, seen_at: datetime, values: Mapping[str, Any]) -> None:
        """Note a look at the article that did not come late, with what it changes of its row."""
        checked = {"article": current.article_id, "last_checked_at": seen_at}
        self._connection.execute(_UPDATE_ARTICLE, checked | dict(values))

    def set_gone(self, article_id: int, *, gone: bool) -> None:
        """Put up the tombstone of an article, or take it away; its versions stay in any case."""
        status = ArticleStatus.GONE if gone else ArticleStatus.LIVE
        self._connection.execute(_UPDATE_ARTICLE, {"article": article_id, "status": status.value})

    def seen(self, version_id: int, seen_at: datetime) -> None:
        """Note that the state of a version stood there at that instant."""
        self._connection.execute(_SEEN, {"version": version_id, "seen_at": seen_at})


def _known(row: RowMapping, extractor: str) -> KnownState:
    own = row["extractor"] == extractor
    reading = article_content(dict(row)) if own else reading_from_json(row["reread"])
    return KnownState(version_id=row["id"], number=row["number"], reading=reading)
