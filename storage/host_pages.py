"""What the other pages of a host show: whether a text is one page's own, and whether the host is in trouble.

A host here is the key of `pages.host`: the registrable domain, so that all addresses of a publisher count.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    select,
)

from storage.disappearance import SAME_HOUR, HostCensus
from storage.fingerprint import text_digest
from storage.model import ArticleStatus, ExtractedArticle
from storage.statements import insert_unless_there
from storage.suspicion import is_dated
from storage.tables import articles, page_texts, pages

_MINE = page_texts.alias("mine")
_THEIRS = page_texts.alias("theirs")
_MISSING = case((pages.c.missing_since >= bindparam("since", type_=pages.c.missing_since.type), 1), else_=0)
_CENSUS = (
    select(func.count().label("fetched"), func.coalesce(func.sum(_MISSING), 0).label("missing"))
    .select_from(pages.join(articles, articles.c.primary_page_id == pages.c.id))
    .where(
        pages.c.host == bindparam("host"),
        pages.c.last_fetch_at >= bindparam("since", type_=pages.c.last_fetch_at.type),
        articles.c.status == ArticleStatus.LIVE.value,
    )
)


def _twin() -> ColumnElement[bool]:
    """Tell whether the other page has given another text of this page's as well: then it is the same article's."""
    return exists().where(
        _MINE.c.page_id == bindparam("page"),
        _MINE.c.text_digest != bindparam("text"),
        _THEIRS.c.page_id == page_texts.c.page_id,
        _THEIRS.c.text_digest == _MINE.c.text_digest,
    )


def _others() -> Select[Any]:
    """Return the query of other pages that gave a text, as many as matter.

    A text that its markup dates, under the same headline, is one article at several addresses and no wall.
    """
    copy = and_(bindparam("dated"), page_texts.c.headline_digest == bindparam("headline"))
    found = (
        select(literal(1))
        .select_from(page_texts.join(pages, pages.c.id == page_texts.c.page_id))
        .where(
            page_texts.c.host == bindparam("host"),
            page_texts.c.text_digest == bindparam("text"),
            func.coalesce(pages.c.alias_of, pages.c.id) != bindparam("page"),
            ~copy,
            ~_twin(),
        )
        .limit(bindparam("most"))
    )
    return select(func.count()).select_from(found.subquery())


_OTHERS = _others()


class HostPages:
    """Keeps which texts pages gave, and looks at a page among the others of its host."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep_text(self, page: RowMapping, reading: ExtractedArticle, seen_at: datetime) -> None:
        """Note that a page gave the text of a version, or a suspect one; once."""
        values = {
            "page_id": page["id"],
            "text_digest": text_digest(reading.body),
            "headline_digest": text_digest(reading.headline),
            "host": page["host"],
            "first_seen_at": seen_at,
        }
        self._connection.execute(insert_unless_there(self._connection, page_texts, "page_id", "text_digest"), values)

    def others_with(self, page: RowMapping, reading: ExtractedArticle, *, most: int) -> int:
        """Return how many other pages of the host gave the same text as another article's, counted up to `most`."""
        named = {
            "page": page["id"],
            "host": page["host"],
            "text": text_digest(reading.body),
            "headline": text_digest(reading.headline),
            "dated": is_dated(reading),
            "most": most,
        }
        return int(self._connection.execute(_OTHERS, named).scalar_one())

    def census(self, host: str, *, missing_since: datetime) -> HostCensus:
        """Count the host's pages with a live article that were fetched in the hour before an instant, or since."""
        named = {"host": host, "since": missing_since - SAME_HOUR}
        row = self._connection.execute(_CENSUS, named).mappings().one()
        return HostCensus(fetched=int(row["fetched"]), missing=int(row["missing"]))
