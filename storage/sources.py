"""Sources in the database: the configured ones, and those made for a domain that someone named."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select, update

from storage.feeds import read_anew
from storage.model import FeedKind, Source
from storage.records import SourceNumbers, StoredSource
from storage.rows import source_values, stored_source
from storage.statements import insert_or
from storage.tables import articles, feeds, pages, sources

CONFIGURED = "configured"
FOUND_FROM_HOME = ("link", "common_place", "robots", "section")
"""How an index was found that nobody named (`crawler.discovery.listing.FoundBy`)."""


def indexes_of(source: Source) -> dict[str, FeedKind]:
    """Return the addresses that a source is watched by, in order, and what is known of each before it is fetched.

    The home page stands for all of them where none is named.
    """
    named = dict.fromkeys(source.feeds, FeedKind.UNKNOWN) | dict.fromkeys(source.sitemaps, FeedKind.SITEMAP)
    named |= dict.fromkeys(source.sections, FeedKind.SECTION)
    if not named and source.homepage is not None:
        return {source.homepage: FeedKind.SECTION}
    return named


class Sources:
    """Keeps the sources as the configuration says, and never deletes one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sync(self, configured: Sequence[Source], now: datetime) -> None:
        """Make the configured sources, and their feeds, what the configuration says.

        A source or feed gone from it is paused, one that came back is no longer. A new feed is due at once. A feed
        that two sources name belongs to the first. One that was read for a source made for a domain is read anew, so
        that all that it leads to goes over to the configured one.
        """
        taken: set[str] = set()
        for source in configured:
            wanted = {url: kind for url, kind in indexes_of(source).items() if url not in taken}
            taken.update(wanted)
            self._take_over(wanted, now)
            before = self.by_slug(source.slug)
            source_id = self._upsert(source, now)
            if before is not None and (before.source.include, before.source.exclude) != (
                source.include,
                source.exclude,
            ):
                # What the feeds list has to be sifted anew, also when they have not changed.
                self._forget_feeds_validators(source_id)
            self._sync_feeds(source_id, wanted, now)
            if source.feeds or source.sitemaps or source.sections or source.homepage is None:
                self._pause_found(source_id)
        slugs = [source.slug for source in configured]
        gone = and_(sources.c.configured, sources.c.slug.not_in(slugs))
        self._connection.execute(update(sources).where(gone).values(paused=True))

    def _take_over(self, urls: Collection[str], now: datetime) -> None:
        """Have feeds of sources that nobody configured read anew."""
        ad_hoc = select(sources.c.id).where(~sources.c.configured)
        theirs = and_(feeds.c.url.in_(list(urls)), feeds.c.source_id.in_(ad_hoc))
        self._connection.execute(update(feeds).where(theirs).values(parent_id=None))
        self._connection.execute(update(feeds).where(theirs).values(read_anew(now)))

    def _upsert(self, source: Source, now: datetime) -> int:
        values = source_values(source) | {"configured": True, "watched": True, "paused": False}
        statement = insert_or(self._connection, sources).values(**values, first_seen_at=now)
        statement = statement.on_conflict_do_update(index_elements=["slug"], set_=values).returning(sources.c.id)
        return int(self._connection.execute(statement).scalar_one())

    def _forget_feeds_validators(self, source_id: int) -> None:
        of_source = feeds.c.source_id == source_id
        self._connection.execute(update(feeds).where(of_source).values(etag=None, last_modified=None, body_digest=None))

    def _sync_feeds(self, source_id: int, indexes: Mapping[str, FeedKind], now: datetime) -> None:
        mine = and_(feeds.c.source_id == source_id, feeds.c.configured)
        self._connection.execute(update(feeds).where(mine, feeds.c.url.not_in(list(indexes))).values(paused=True))
        for url, kind in indexes.items():
            statement = insert_or(self._connection, feeds).values(
                source_id=source_id,
                url=url,
                kind=kind.value,
                next_poll_at=now,
                consecutive_failures=0,
                configured=True,
                paused=False,
                first_seen_at=now,
                found_by=CONFIGURED,
            )
            back: dict[str, Any] = {"source_id": source_id, "configured": True, "paused": False, "parent_id": None}
            if kind is FeedKind.SECTION:
                # Any other kind is what reading it showed.
                back["kind"] = kind.value
            self._connection.execute(statement.on_conflict_do_update(index_elements=["url"], set_=back))

    def _pause_found(self, source_id: int) -> None:
        """Pause what was found from the home page, because the configuration names what it wants by now."""
        found = and_(feeds.c.source_id == source_id, feeds.c.found_by.in_(FOUND_FROM_HOME), ~feeds.c.configured)
        self._connection.execute(update(feeds).where(found).values(paused=True))

    def by_slug(self, slug: str) -> StoredSource | None:
        """Return the source of that name, or None."""
        row = self._connection.execute(select(sources).where(sources.c.slug == slug)).mappings().first()
        return None if row is None else stored_source(row)

    def by_id(self, source_id: int) -> StoredSource | None:
        """Return the source of that id, or None."""
        row = self._connection.execute(select(sources).where(sources.c.id == source_id)).mappings().first()
        return None if row is None else stored_source(row)

    def all(self) -> list[StoredSource]:
        """Return every source, paused ones too, by name."""
        rows = self._connection.execute(select(sources).order_by(sources.c.slug)).mappings()
        return [stored_source(row) for row in rows]

    def numbers(self, source_id: int, *, now: datetime) -> SourceNumbers:
        """Return how much a source has, and how much of it is due."""
        mine = and_(pages.c.source_id == source_id, pages.c.alias_of.is_(None))
        due = func.count().filter(pages.c.next_fetch_at <= now)
        query = select(func.count(), due, func.min(pages.c.next_fetch_at), func.max(pages.c.last_fetch_at)).where(mine)
        page_count, due_count, next_due_at, last_fetch_at = self._connection.execute(query).one()
        held = select(func.count(), func.coalesce(func.sum(articles.c.version_count), 0))
        held = held.join_from(articles, pages, pages.c.id == articles.c.primary_page_id)
        article_count, version_count = self._connection.execute(held.where(pages.c.source_id == source_id)).one()
        top = and_(feeds.c.source_id == source_id, ~feeds.c.paused, feeds.c.parent_id.is_(None))
        of_source = select(func.count()).select_from(feeds).where(top)
        return SourceNumbers(
            feeds=int(self._connection.scalar(of_source) or 0),
            pages=page_count,
            articles=article_count,
            versions=int(version_count),
            due=due_count,
            next_due_at=next_due_at,
            last_fetch_at=last_fetch_at,
        )

    def for_domain(self, domain: str, now: datetime, *, watched: bool = False) -> StoredSource:
        """Return the source of a registrable domain, made if need be; one configured under that name is taken.

        With `watched` the service looks after it from now on; without, that stays as it was, which is not at first.
        """
        values = source_values(Source(slug=domain)) | {"configured": False, "watched": False, "paused": False}
        statement = insert_or(self._connection, sources).values(**values, first_seen_at=now)
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["slug"]))
        if watched:
            self._connection.execute(update(sources).where(sources.c.slug == domain).values(watched=True))
        row = self._connection.execute(select(sources).where(sources.c.slug == domain)).mappings().one()
        return stored_source(row)
