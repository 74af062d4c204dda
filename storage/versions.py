"""Articles and their versions, as readers see them; and the door through which looks are recorded."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, or_, select

from storage.captures import Captures
from storage.looks import Looks
from storage.model import Article, ArticleStatus, Capture, Version
from storage.records import PageLook, Recorded
from storage.rows import article, version
from storage.tables import articles, captures, pages, sources, versions


def _articles() -> Select[Any]:
    paused = and_(articles.c.status == ArticleStatus.LIVE.value, or_(sources.c.paused, pages.c.paused))
    status = case((paused, ArticleStatus.PAUSED.value), else_=articles.c.status)
    columns = [column for column in articles.c if column.name != "status"]
    current = and_(versions.c.article_id == articles.c.id, versions.c.number == articles.c.current_number)
    return (
        select(*columns, status.label("status"), pages.c.url, sources.c.slug, versions.c.id.label("version_id"))
        .join(pages, pages.c.id == articles.c.primary_page_id)
        .join(sources, sources.c.id == pages.c.source_id)
        .join(versions, current)
    )


def _versions() -> Select[Any]:
    return select(versions, captures.c.warc_file, captures.c.warc_offset).join(
        captures, captures.c.id == versions.c.capture_id
    )


class Versions:
    """Finds articles and versions, and records looks."""

    def __init__(self, connection: Connection, *, captures: Captures, looks: Looks) -> None:
        self._connection = connection
        self._captures = captures
        self._looks = looks

    def record_look(self, look: PageLook) -> Recorded:
        """Record a fetch of a page with everything that it means; see `storage.looks`."""
        return self._looks.record(look)

    def by_id(self, article_id: int) -> Article | None:
        """Return the article of that id, or None."""
        return self._article(_articles().where(articles.c.id == article_id))

    def for_url_key(self, url_key: str) -> Article | None:
        """Return the article of the page with that URL key, or of the page that it is an alias of; or None."""
        page = select(func.coalesce(pages.c.alias_of, pages.c.id)).where(pages.c.url_key == url_key)
        return self._article(_articles().where(articles.c.primary_page_id == page.scalar_subquery()))

    def _article(self, query: Select[Any]) -> Article | None:
        row = self._connection.execute(query).mappings().first()
        return None if row is None else article(row)

    def articles(
        self,
        *,
        limit: int,
        offset: int = 0,
        source: str | None = None,
        since: datetime | None = None,
        contains: str | None = None,
        changed: bool = False,
    ) -> list[Article]:
        """Return articles, the last one found first.

        Of one source (by slug), first seen or changed since an instant, with a text in headline or body (letter case
        aside), or only those with more than one version.
        """
        query = _articles().order_by(articles.c.id.desc()).limit(limit).offset(offset)
        if source is not None:
            query = query.where(sources.c.slug == source)
        if since is not None:
            query = query.where(versions.c.captured_at >= since)
        if contains is not None:
            in_headline = articles.c.headline.icontains(contains, autoescape=True)
            query = query.where(or_(in_headline, articles.c.body.icontains(contains, autoescape=True)))
        if changed:
            query = query.where(articles.c.version_count > 1)
        return [article(row) for row in self._connection.execute(query).mappings()]

    def history(self, article_id: int) -> list[Version]:
        """Return an article's versions, the first one first."""
        query = _versions().where(versions.c.article_id == article_id).order_by(versions.c.number)
        return [version(row) for row in self._connection.execute(query).mappings()]

    def version(self, article_id: int, number: int) -> Version | None:
        """Return an article's version of that number, or None."""
        query = _versions().where(versions.c.article_id == article_id, versions.c.number == number)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else version(row)

    def capture_of(self, version_id: int) -> Capture | None:
        """Return the capture that a version was read from, the first of several; None when there is no such version."""
        return next(iter(self._captures.of_version(version_id)), None)
