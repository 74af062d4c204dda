"""What the other pages of a host show: whether a text is one page's own, and whether the host is in trouble.

A host here is the key of `pages.host`: the registrable domain, so that all addresses of a publisher count.
"""

import math
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
)

from storage.disappearance import ALL_PAGES, MANY_SHARE, MOST_MISSING, SAME_HOUR, HostCensus
from storage.fingerprint import text_digest
from storage.model import ArticleStatus, ExtractedArticle
from storage.statements import insert_for
from storage.suspicion import is_dated, possible_keys
from storage.tables import articles, page_texts, pages

_MINE = page_texts.alias("mine")
_THEIRS = page_texts.alias("theirs")
_THIRD = page_texts.alias("third")
_THIRD_PAGE = pages.alias("third_page")
_SINCE: BindParameter[datetime] = bindparam("since", type_=pages.c.missing_since.type)
# Asked of each page, so that the search begins at an index of them and ends at the bound.
_LIVE = exists().where(articles.c.primary_page_id == pages.c.id, articles.c.status == ArticleStatus.LIVE.value)
_COUNTED = select(literal(1)).where(pages.c.host == bindparam("host"), _LIVE).limit(bindparam("most"))
_MISSING = select(func.count()).select_from(_COUNTED.where(pages.c.missing_since >= _SINCE).subquery())
_PRESENT = select(func.count()).select_from(
    _COUNTED.where(
        pages.c.last_fetch_at >= _SINCE, or_(pages.c.missing_since.is_(None), pages.c.missing_since < _SINCE)
    ).subquery()
)


def _twin() -> ColumnElement[bool]:
    """Tell whether the other page has had another version's text of this page's as well: it is the same article's then.

    A text that was only suspect tells nothing, nor does one that a third page gave: walls change their wording.
    """
    this: BindParameter[int] = bindparam("page")
    other = func.coalesce(pages.c.alias_of, pages.c.id)
    third = exists().where(
        _THIRD.c.host == bindparam("host"),
        _THIRD.c.text_digest == _MINE.c.text_digest,
        _THIRD_PAGE.c.id == _THIRD.c.page_id,
        func.coalesce(_THIRD_PAGE.c.alias_of, _THIRD_PAGE.c.id).not_in([this, other]),
    )
    return exists().where(
        _MINE.c.page_id == this,
        _MINE.c.of_version,
        _MINE.c.text_digest != bindparam("text"),
        _THEIRS.c.page_id == page_texts.c.page_id,
        _THEIRS.c.of_version,
        _THEIRS.c.text_digest == _MINE.c.text_digest,
        ~third.correlate(_MINE, pages),
    )


def _others() -> Select[Any]:
    """Return the query of other pages that gave a text, as many as matter.

    A text that its markup dates, under the same headline, may be one article at several addresses and no wall.
    """
    copy = and_(bindparam("copies"), page_texts.c.headline_digest == bindparam("headline"))
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
_HAS_TEXT = (
    select(page_texts.c.page_id).where(page_texts.c.page_id == bindparam("page"), page_texts.c.of_version).limit(1)
)
_HAS_THIS_TEXT = _HAS_TEXT.where(page_texts.c.text_digest == bindparam("text"))
_NAMED = (
    select(articles.c.id)
    .select_from(pages.join(articles, articles.c.primary_page_id == func.coalesce(pages.c.alias_of, pages.c.id)))
    .where(
        pages.c.url_key.in_(bindparam("keys", expanding=True)),
        articles.c.primary_page_id != bindparam("page"),
    )
    .limit(1)
)


@cache
def _keep_text(dialect: str) -> Any:
    """Return the statement that notes a text once, and that it was a version's once it is."""
    insert = insert_for(dialect, page_texts)
    return insert.on_conflict_do_update(
        index_elements=["page_id", "text_digest"],
        set_={"of_version": True},
        where=and_(insert.excluded.of_version, ~page_texts.c.of_version),
    )


class HostPages:
    """Keeps which texts pages gave, and looks at a page among the others of its host."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep_text(
        self, page: RowMapping, reading: ExtractedArticle, seen_at: datetime, *, of_version: bool = False
    ) -> None:
        """Note that a page gave the text of a version, or a suspect one; once."""
        values = {
            "page_id": page["id"],
            "text_digest": text_digest(reading.body),
            "headline_digest": text_digest(reading.headline),
            "host": page["host"],
            "first_seen_at": seen_at,
            "of_version": of_version,
        }
        self._connection.execute(_keep_text(self._connection.dialect.name), values)

    def has_text_of(self, page: RowMapping, reading: ExtractedArticle | None = None) -> bool:
        """Say whether that text, or any, is known as one of a version of the page.

        None is where versions were kept before texts were.
        """
        if reading is None:
            return self._connection.execute(_HAS_TEXT, {"page": page["id"]}).first() is not None
        named = {"page": page["id"], "text": text_digest(reading.body)}
        return self._connection.execute(_HAS_THIS_TEXT, named).first() is not None

    def others_with(self, page: RowMapping, reading: ExtractedArticle, *, most: int, copies: bool) -> int:
        """Return how many other pages of the host gave the same text as another article's, counted up to `most`.

        `copies` says that the page may be one of several addresses of an article, as far as it itself tells.
        """
        named = {
            "page": page["id"],
            "host": page["host"],
            "text": text_digest(reading.body),
            "headline": text_digest(reading.headline),
            "copies": copies and is_dated(reading),
            "most": most,
        }
        return int(self._connection.execute(_OTHERS, named).scalar_one())

    def names_other_article(self, page: RowMapping, reading: ExtractedArticle) -> bool:
        """Say whether the page names, as its own address, that of another page which has an article."""
        keys = [] if reading.canonical_url is None else possible_keys(reading.canonical_url)
        return self._connection.execute(_NAMED, {"page": page["id"], "keys": keys}).first() is not None

    def census(self, host: str, *, missing_since: datetime) -> HostCensus:
        """Count the host's pages with a live article that were fetched in the hour before an instant, or since.

        No more are counted than tell whether the host is in trouble: it is asked while nobody else can write.
        """
        named = {"host": host, "since": missing_since - SAME_HOUR}
        missing = int(self._connection.execute(_MISSING, named | {"most": MOST_MISSING}).scalar_one())
        if not ALL_PAGES <= missing < MOST_MISSING:
            return HostCensus(fetched=missing, missing=missing)
        enough = math.ceil(missing / MANY_SHARE)
        present = int(self._connection.execute(_PRESENT, named | {"most": enough}).scalar_one())
        return HostCensus(fetched=missing + present, missing=missing)
