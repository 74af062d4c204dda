"""What an operator says by hand: pause, resume, fetch now, watch, unwatch. All of it takes effect on a running service,
wherever that runs, because it looks here for what is owed.

A statement says all that it needs, so it holds whatever else is recorded of the same rows before or after it. A fetch
that is in flight takes nothing back: recording it neither unpauses a page nor answers what was asked for after it began
(`storage.crawl_state`, `storage.feed_polls`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, case, func, or_, select, update

from storage.feeds import Feeds
from storage.model import FeedKind, NextReason, PollReason
from storage.pages import Pages
from storage.records import FeedEntry, FeedState, PageState, StoredSource
from storage.rows import feed_state
from storage.service_state import ServiceState
from storage.sources import Sources
from storage.tables import feeds, pages, sources

OPERATOR = "operator"
"""Who paused or released something, where that was no configuration and no plan."""
FOUND_BY_NAME = "named"
"""How an index was found that somebody named (`crawler.discovery.listing.FoundBy`)."""
CHANGED = "operated"
"""Under this name `service_state` says when sources or feeds were last paused or resumed."""


@dataclass(frozen=True, kw_only=True)
class PageStanding:
    """How a page stands with the operator and with the plan. `named_url` is the alias by which it was named, if one."""

    page_id: int
    url: str
    host: str
    named_url: str | None
    paused: bool
    watch_ended: bool
    released_by: str | None
    requested_at: datetime | None
    next_fetch_at: datetime | None
    last_fetch_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a word on the command line names: a source, or one of its feeds, or one of its pages.

    `pages` and `feeds` are how many of a source there are besides aliases and what is polled with another index.
    """

    source: StoredSource
    feed: FeedState | None = None
    page: PageStanding | None = None
    pages: int = 0
    feeds: int = 0


@dataclass(frozen=True, kw_only=True)
class Halted:
    """The sources and feeds that the service is not to ask for anything now."""

    source_ids: frozenset[int] = frozenset()
    feed_ids: frozenset[int] = frozenset()


class Operating:
    """Finds what an operator names, and does what is said of it."""

    def __init__(
        self, connection: Connection, *, sources: Sources, feeds: Feeds, pages: Pages, state: ServiceState
    ) -> None:
        self._connection = connection
        self._sources = sources
        self._feeds = feeds
        self._pages = pages
        self._state = state

    # What is named

    def find_source(self, slug: str) -> Target | None:
        """Return the source of that name, or None."""
        stored = self._sources.by_slug(slug)
        if stored is None:
            return None
        mine = and_(pages.c.source_id == stored.source_id, pages.c.alias_of.is_(None))
        polled = and_(feeds.c.source_id == stored.source_id, ~feeds.c.paused, feeds.c.parent_id.is_(None))
        return Target(
            source=stored,
            pages=int(self._connection.scalar(select(func.count()).select_from(pages).where(mine)) or 0),
            feeds=int(self._connection.scalar(select(func.count()).select_from(feeds).where(polled)) or 0),
        )

    def find_feed(self, urls: Sequence[str]) -> Target | None:
        """Return the feed at the first of these spellings of an address that is one, or None."""
        for url in urls:
            feed = self._feeds.by_url(url)
            if feed is not None:
                return Target(source=self._source(feed.source_id), feed=feed)
        return None

    def find_page(self, url_key: str) -> Target | None:
        """Return the page of a URL key, or the one that stands for it; None where there is none."""
        named = self._page(pages.c.url_key == url_key)
        if named is None:
            return None
        row = named if named["alias_of"] is None else self._page(pages.c.id == named["alias_of"])
        if row is None:
            raise LookupError(f"the primary page of {url_key} is not there")
        return Target(source=self._source(row["source_id"]), page=_standing(row, named))

    def root_of(self, feed: FeedState) -> FeedState:
        """Return the index that polls a feed: itself, or what leads to it."""
        seen: set[int] = set()
        while feed.parent_id is not None and feed.feed_id not in seen:
            seen.add(feed.feed_id)
            query = select(feeds).where(feeds.c.id == feed.parent_id)
            feed = feed_state(self._connection.execute(query).mappings().one())
        return feed

    def _page(self, condition: Any) -> RowMapping | None:
        return self._connection.execute(select(pages).where(condition)).mappings().first()

    def _source(self, source_id: int) -> StoredSource:
        stored = self._sources.by_id(source_id)
        if stored is None:
            raise LookupError(f"there is no source {source_id}")
        return stored

    # What the service asks

    def halted(self) -> Halted:
        """Return what the service is not to ask for anything: paused sources, those not its own, and paused feeds."""
        of_sources = select(sources.c.id).where(or_(sources.c.paused, ~sources.c.watched))
        of_feeds = select(feeds.c.id).where(feeds.c.paused_by.is_not(None))
        return Halted(
            source_ids=frozenset(self._connection.scalars(of_sources)),
            feed_ids=frozenset(self._connection.scalars(of_feeds)),
        )

    def is_owed(self, page: PageState, *, by_service: bool, named: bool = False) -> bool:
        """Whether a page that was taken from the database is still to be fetched, by the service or by a crawl.

        It is not when it was fetched meanwhile, or paused, unless it was `named`; nor by the service when its source
        was paused or is no longer the service's.
        """
        query = select(pages.c.last_fetch_at, pages.c.paused, sources.c.paused.label("halted"), sources.c.watched)
        query = query.join(sources, sources.c.id == pages.c.source_id).where(pages.c.id == page.page_id)
        row = self._connection.execute(query).first()
        if row is None or row.last_fetch_at != page.last_fetch_at or (row.paused and not named):
            return False
        return not by_service or (row.watched and not row.halted)

    # Sources

    def pause_source(self, source_id: int, now: datetime) -> None:
        """Have the service leave a source alone until somebody resumes it, whatever the configuration says."""
        self._set_source(source_id, now, paused=True, paused_by=OPERATOR)

    def resume_source(self, source_id: int, now: datetime, *, in_configuration: bool) -> None:
        """Take a pause back; a source that the configuration no longer names stays paused for that reason."""
        self._set_source(source_id, now, paused=not in_configuration, paused_by=None)

    def watch_source(self, source_id: int, now: datetime, *, watched: bool) -> None:
        """Make a source that was made for a domain the service's, or no longer."""
        self._set_source(source_id, now, watched=watched)

    def _set_source(self, source_id: int, now: datetime, **values: object) -> None:
        self._connection.execute(update(sources).where(sources.c.id == source_id).values(values))
        self._state.put(CHANGED, True, now)

    def request_polls(self, source_id: int, now: datetime) -> None:
        """Have all feeds of a source polled as soon as their hosts may be asked."""
        self._request_polls(and_(feeds.c.source_id == source_id, ~feeds.c.paused, feeds.c.parent_id.is_(None)), now)

    # Feeds

    def pause_feed(self, feed_id: int, now: datetime) -> None:
        """Have a feed polled no more until somebody resumes it, whatever the configuration says."""
        self._set_feed(feed_id, now, paused=True, paused_by=OPERATOR, requested_at=None)

    def resume_feed(self, feed_id: int, now: datetime, *, in_configuration: bool) -> None:
        """Take a pause back; what came due meanwhile is due. What the configuration no longer names stays paused."""
        self._set_feed(feed_id, now, paused=not in_configuration, paused_by=None)

    def watch_feed(self, feed_id: int, now: datetime) -> None:
        """Have a feed polled from now on, because somebody named it, whatever else its source is watched by."""
        named = case((feeds.c.configured, feeds.c.found_by), else_=FOUND_BY_NAME)
        self._set_feed(feed_id, now, paused=False, paused_by=None, found_by=named)

    def request_poll(self, feed_id: int, now: datetime) -> None:
        """Have a feed polled as soon as its host may be asked."""
        self._request_polls(feeds.c.id == feed_id, now)

    def watch_index(self, source_id: int, url: str, kind: FeedKind, now: datetime) -> FeedState:
        """Hand the index at an address to the service, of which nothing was known, and return it."""
        return self._feeds.ensure(source_id, url, now, kind, watched=True, found_by=FOUND_BY_NAME)

    def _set_feed(self, feed_id: int, now: datetime, **values: object) -> None:
        self._connection.execute(update(feeds).where(feeds.c.id == feed_id).values(values))
        self._state.put(CHANGED, True, now)

    def _request_polls(self, which: Any, now: datetime) -> None:
        values = {"next_poll_at": now, "requested_at": now, "next_poll_reason": PollReason.REQUESTED.value}
        self._connection.execute(update(feeds).where(which).values(values))

    # Pages

    def lock_pages(self, page_ids: Collection[int]) -> None:
        """Lock pages that are going to be written, in the order in which all do."""
        self._pages.lock(page_ids)

    def pause_page(self, page_id: int) -> None:
        """Have a page fetched by nobody who does not name it."""
        self._set_page(page_id, paused=True, next_fetch_at=None, requested_at=None)

    def resume_page(self, page_id: int) -> None:
        """Take a pause back; the page is planned anew."""
        self._set_page(page_id, paused=False, next_fetch_at=None)

    def request_fetch(self, page_id: int, now: datetime) -> None:
        """Have a page fetched as soon as its host may be asked, before all else that is due there."""
        reason = NextReason.REQUESTED.value
        self._set_page(page_id, next_fetch_at=now, requested_at=now, next_fetch_reason=reason)

    def watch_page(self, page_id: int, now: datetime) -> None:
        """Watch a page as if it were new; one that was released is planned anew."""
        planned_anew = case((pages.c.watch_ended, None), else_=pages.c.next_fetch_at)
        self._set_page(page_id, watched_from=now, watch_ended=False, released_by=None, next_fetch_at=planned_anew)

    def take_in(self, source_id: int, entry: FeedEntry, now: datetime) -> int:
        """Make a page of which nothing was known and have it fetched at once; returns its id."""
        page = self._pages.ensure(source_id, entry, now, due=True)
        self.watch_page(page.page_id, now)
        self.request_fetch(page.page_id, now)
        return page.page_id

    def is_index(self, page: PageState, kind: FeedKind, now: datetime) -> FeedState:
        """Make of a page that was taken in, and proved to be an index, a feed that the service polls; returns that."""
        self.release_page(page.page_id)
        return self.watch_index(page.source_id, page.url, kind, now)

    def release_page(self, page_id: int) -> None:
        """Watch a page no more, whoever fetches it or says that it changed, until somebody wants it watched."""
        self._set_page(
            page_id,
            watch_ended=True,
            released_by=OPERATOR,
            watched_from=None,
            next_fetch_at=None,
            requested_at=None,
            next_fetch_reason=NextReason.RELEASED.value,
        )

    def _set_page(self, page_id: int, **values: object) -> None:
        self._connection.execute(update(pages).where(pages.c.id == page_id).values(values))


def _standing(row: RowMapping, named: RowMapping) -> PageStanding:
    same = ("url", "host", "paused", "watch_ended", "released_by", "requested_at", "next_fetch_at", "last_fetch_at")
    alias_url = None if named["id"] == row["id"] else named["url"]
    return PageStanding(page_id=row["id"], named_url=alias_url, **{name: row[name] for name in same})
