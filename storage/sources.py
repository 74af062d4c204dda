"""Sources in the database: the configured ones, and those made for a domain that someone named."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select, update

from storage.feeds import read_anew
from storage.model import FeedKind, PollReason, Source
from storage.records import SourceNumbers, StoredSource
from storage.rows import source_values, stored_source
from storage.statements import insert_or, slices
from storage.tables import articles, feeds, pages, sources

CONFIGURED = "configured"
FOUND_FROM_HOME = ("link", "common_place", "robots", "section")
"""How an index was found that nobody named (`crawler.discovery.listing.FoundBy`)."""

_FOUND = and_(feeds.c.found_by.in_(FOUND_FROM_HOME), ~feeds.c.configured)


def _names_its_own(source: Source) -> bool:
    """Whether the configuration names what a source is watched by, so that nothing is to be found from its home."""
    return bool(source.feeds or source.sitemaps or source.sections) or source.homepage is None


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

        A source or feed gone from it is paused, one that came back is no longer; but what somebody paused stays so,
        until somebody says otherwise (`storage.operating`). A new feed is due at once. A feed
        that two sources name belongs to the first. One that was read for a source made for a domain is read anew, so
        that all that it leads to goes over to the configured one.
        """
        self.configure(self.differing(configured), now)
        self.pause_all_but(configured)

    def differing(self, configured: Sequence[Source]) -> list[tuple[Source, dict[str, FeedKind]]]:
        """Return the configured sources that are not yet what the configuration says, with the indexes of each."""
        stored = {one.source.slug: one for one in self.all()}
        polled, held, found = self._polled_indexes()
        taken: set[str] = set()
        differing = []
        for source in configured:
            indexes = {url: kind for url, kind in indexes_of(source).items() if url not in taken}
            taken.update(indexes)
            now = stored.get(source.slug)
            same = now is not None and StoredSource(
                source_id=now.source_id,
                source=source,
                configured=True,
                watched=True,
                paused=now.paused_by is not None,
                paused_by=now.paused_by,
            )
            known = {} if now is None else polled.get(now.source_id, {})
            if now is not None:
                known |= {url: kind for url, kind in held.get(now.source_id, {}).items() if url in indexes}
            is_section = FeedKind.SECTION.value
            as_wanted = known.keys() == indexes.keys() and all(
                kind is not FeedKind.SECTION or known[url] == is_section for url, kind in indexes.items()
            )
            if now != same or not as_wanted or (_names_its_own(source) and now is not None and now.source_id in found):
                differing.append((source, indexes))
        return differing

    def _polled_indexes(self) -> tuple[dict[int, dict[str, str]], dict[int, dict[str, str]], set[int]]:
        """Return the configured indexes of each source that are polled, with their kinds, those that somebody paused,
        and the sources for which others are polled that were found from a home page."""
        columns = (feeds.c.source_id, feeds.c.url, feeds.c.kind, feeds.c.configured, feeds.c.paused_by)
        polled: dict[int, dict[str, str]] = {}
        held: dict[int, dict[str, str]] = {}
        found: set[int] = set()
        wanted = or_(and_(feeds.c.configured, feeds.c.parent_id.is_(None)), _FOUND)
        unless_gone = or_(~feeds.c.paused, feeds.c.paused_by.is_not(None))
        for row in self._connection.execute(select(*columns).where(wanted, unless_gone)):
            if row.configured:
                of_source = polled if row.paused_by is None else held
                of_source.setdefault(row.source_id, {})[row.url] = row.kind
            elif row.paused_by is None:
                found.add(row.source_id)
        return polled, held, found

    def configure(self, differing: Sequence[tuple[Source, Mapping[str, FeedKind]]], now: datetime) -> None:
        """Make sources what the configuration says of them, each with the indexes that it is watched by."""
        for part in slices(differing):
            self._take_over([url for _, indexes in part for url in indexes], now)
            before = self._by_slugs([source.slug for source, _ in part])
            for source, indexes in part:
                self._configure(source, before.get(source.slug), indexes, now)

    def _configure(
        self, source: Source, before: StoredSource | None, indexes: Mapping[str, FeedKind], now: datetime
    ) -> None:
        source_id = self._upsert(source, now)
        if before is not None:
            if (before.source.include, before.source.exclude) != (source.include, source.exclude):
                # What the feeds list has to be sifted anew, also when they have not changed.
                self._forget_feeds_validators(source_id)
            self._pause_gone(source_id, indexes)
        self._sync_feeds(source_id, indexes, now)
        if before is not None and _names_its_own(source):
            self._pause_found(source_id)

    def is_any_gone(self, configured: Sequence[Source]) -> bool:
        """Whether `pause_all_but` would pause a source."""
        slugs = {source.slug for source in configured}
        return any(one.configured and not one.paused and one.source.slug not in slugs for one in self.all())

    def pause_all_but(self, configured: Sequence[Source]) -> None:
        """Pause the sources that are gone from the configuration."""
        gone = and_(sources.c.configured, sources.c.slug.not_in([source.slug for source in configured]))
        self._connection.execute(update(sources).where(gone).values(paused=True))

    def _take_over(self, urls: Collection[str], now: datetime) -> None:
        """Have feeds of sources that nobody configured read anew."""
        ad_hoc = select(sources.c.id).where(~sources.c.configured)
        theirs = and_(feeds.c.url.in_(list(urls)), feeds.c.source_id.in_(ad_hoc))
        anew = read_anew(now) | {"next_poll_at": now, "parent_id": None}
        self._connection.execute(update(feeds).where(theirs).values(anew))

    def ensure_configured(self, source: Source, now: datetime) -> int:
        """Make a source of the configuration if it is not there, and return its id."""
        return self._upsert(source, now)

    def _upsert(self, source: Source, now: datetime) -> int:
        values = source_values(source) | {"configured": True, "watched": True}
        statement = insert_or(self._connection, sources).values(**values, paused=False, first_seen_at=now)
        back = values | {"paused": sources.c.paused_by.is_not(None)}
        statement = statement.on_conflict_do_update(index_elements=["slug"], set_=back).returning(sources.c.id)
        return int(self._connection.execute(statement).scalar_one())

    def _forget_feeds_validators(self, source_id: int) -> None:
        of_source = feeds.c.source_id == source_id
        self._connection.execute(update(feeds).where(of_source).values(etag=None, last_modified=None, body_digest=None))

    def _pause_gone(self, source_id: int, indexes: Mapping[str, FeedKind]) -> None:
        mine = and_(feeds.c.source_id == source_id, feeds.c.configured)
        self._connection.execute(update(feeds).where(mine, feeds.c.url.not_in(list(indexes))).values(paused=True))

    def _sync_feeds(self, source_id: int, indexes: Mapping[str, FeedKind], now: datetime) -> None:
        values = {"source_id": source_id, "configured": True}
        new = {
            "paused": False,
            "next_poll_at": now,
            "next_poll_reason": PollReason.NEW.value,
            "consecutive_failures": 0,
            "first_seen_at": now,
            "found_by": CONFIGURED,
        }
        for is_section in (False, True):
            # Any other kind is what reading it showed.
            back: dict[str, Any] = values | {"parent_id": None, "paused": feeds.c.paused_by.is_not(None)}
            if is_section:
                back["kind"] = FeedKind.SECTION.value
            rows = [
                {"url": url, "kind": kind.value} | values | new
                for url, kind in indexes.items()
                if (kind is FeedKind.SECTION) is is_section
            ]
            if rows:
                statement = insert_or(self._connection, feeds)
                self._connection.execute(statement.on_conflict_do_update(index_elements=["url"], set_=back), rows)

    def _pause_found(self, source_id: int) -> None:
        """Pause what was found from the home page, because the configuration names what it wants by now."""
        self._connection.execute(update(feeds).where(feeds.c.source_id == source_id, _FOUND).values(paused=True))

    def by_slug(self, slug: str) -> StoredSource | None:
        """Return the source of that name, or None."""
        row = self._connection.execute(select(sources).where(sources.c.slug == slug)).mappings().first()
        return None if row is None else stored_source(row)

    def _by_slugs(self, slugs: Collection[str]) -> dict[str, StoredSource]:
        rows = self._connection.execute(select(sources).where(sources.c.slug.in_(list(slugs)))).mappings()
        return {found.source.slug: found for found in map(stored_source, rows)}

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
