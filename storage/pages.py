"""Pages: the watched URLs, and which of them are to be fetched."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    update,
)

from storage.model import ArticleStatus, FeedKind
from storage.outcomes import ARTICLE_SEEN, Outcome
from storage.records import Backlog, CandidateKind, CrawlScope, FeedEntry, KnownAddresses, KnownPage, PageState
from storage.rows import page_state
from storage.statements import insert_unless_there
from storage.suspicion import CONFIRMING_LOOKS
from storage.tables import articles, feed_entries, feeds, page_texts, pages, sources

_OF_ARTICLES = [kind.value for kind in (FeedKind.RSS, FeedKind.ATOM, FeedKind.JSON, FeedKind.NEWS_SITEMAP)]
"""Indexes of which nearly every entry is an article."""


_READ = [outcome.value for outcome in sorted(ARTICLE_SEEN | {Outcome.REDIRECTED})]
"""Outcomes after which a page's address is as good as any other."""

_BACKLOG = (pages.c.last_fetch_at.is_(None), pages.c.next_fetch_at > pages.c.first_seen_at)
"""Pages of a back catalogue: never fetched, and planned from the first for later than they were found."""
_NO_BACKLOG = or_(pages.c.last_fetch_at.is_not(None), pages.c.next_fetch_at <= pages.c.first_seen_at)
# Both are written as the indexes have them, or these would not be used.


def state_query() -> Select[Any]:
    """Return the query of pages with the article that each belongs to: its own, or its primary page's."""
    return select(pages, articles.c.id.label("article_id")).outerjoin(
        articles, articles.c.primary_page_id == func.coalesce(pages.c.alias_of, pages.c.id)
    )


_TOMBSTONES = articles.alias("tombstones")
_PRIMARY = pages.alias("primary_pages")
_PRIMARY_IS_GONE = (
    exists()
    .where(
        _TOMBSTONES.c.primary_page_id == pages.c.alias_of,
        _TOMBSTONES.c.status == ArticleStatus.GONE.value,
        _PRIMARY.c.id == pages.c.alias_of,
        ~_PRIMARY.c.paused,
    )
    .correlate(pages)
)


def _ways(scope: CrawlScope, *, by_time: bool = False, heirs: bool = False) -> list[ColumnElement[bool]]:
    """Return by which conditions a scope holds pages besides the named ones, each of which an index may serve.

    `by_time` is for a query that goes through the pages by when they are due; SQLite would go through all of a source.
    With `heirs` the aliases of articles that are gone are held too, those of the named pages as well.
    """
    ways: list[ColumnElement[bool]] = []
    if scope.everything:
        # Put the other way round, SQLite would go through all pages by source instead of through those that are due.
        ways.append(pages.c.source_id.not_in(select(sources.c.id).where(or_(sources.c.paused, ~sources.c.watched))))
    if scope.source_ids:
        source_id = pages.c.source_id + 0 if by_time else pages.c.source_id
        ways.append(source_id.in_(sorted(scope.source_ids)))
    if scope.feed_ids:
        # What a feed lists may be an alias; then its primary page is fetched.
        listed = pages.alias("listed")
        query = (
            select(func.coalesce(listed.c.alias_of, listed.c.id))
            .join(feed_entries, feed_entries.c.page_id == listed.c.id)
            .where(feed_entries.c.feed_id.in_(sorted(scope.feed_ids)))
        )
        ways.append(pages.c.id.in_(query))
        if heirs:
            ways.append(pages.c.alias_of.in_(query))
    if heirs and scope.page_ids:
        ways.append(pages.c.alias_of.in_(sorted(scope.page_ids)))
    no_alias = pages.c.alias_of.is_(None)
    held = or_(no_alias, _PRIMARY_IS_GONE) if heirs else no_alias
    return [and_(held, ~pages.c.paused, way) for way in ways]


# Found by themselves first: they are few, and the pages of a scope may be many.
_SUSPECTS = pages.alias("suspects")
_SUSPECT_LOOKED_AT_AGAIN = pages.c.id.in_(
    select(_SUSPECTS.c.id).where(
        # Spelt out, or SQLite would not know that its index holds these pages.
        _SUSPECTS.c.candidate_kind == literal_column(f"'{CandidateKind.SUSPECT}'"),
        _SUSPECTS.c.last_outcome == Outcome.SUSPECT.value,
        # They count suspects too, so that a page that gives another text at every look is not asked for ever.
        _SUSPECTS.c.consecutive_failures < CONFIRMING_LOOKS,
    )
)


def _requested(now: datetime) -> list[ColumnElement[bool]]:
    """Return by which conditions the service is asked for pages by hand, as `_ways` does."""
    asked = (pages.c.requested_at.is_not(None), pages.c.next_fetch_at <= now)
    return [and_(way, *asked) for way in _ways(CrawlScope(everything=True), by_time=True)]


class Pages:
    """Knows the pages and their crawl state."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ensure(self, source_id: int, entry: FeedEntry, now: datetime, due: bool) -> PageState:
        """Return the page of a link, made for that source if it is new, and then due at once if `due` says so."""
        self._insert(source_id, [entry], now, due_at=now if due else None)
        self._adopt(source_id, [entry.url_key])
        page = self.by_key(entry.url_key)
        if page is None:
            raise LookupError(f"the page {entry.url_key} vanished while it was made")
        return page

    def ensure_listed(
        self,
        source_id: int,
        entries: Sequence[FeedEntry],
        now: datetime,
        *,
        due_at: datetime | None = None,
        spacing: timedelta = timedelta(0),
        most_new: int | None = None,
    ) -> tuple[dict[str, int], int]:
        """Make the pages of a slice of a feed, new ones due at `due_at` (`now` without it) and then `spacing` apart.

        Returns the page ids by URL key, without those of new pages beyond `most_new`, and how many pages are new.
        """
        keys = [entry.url_key for entry in entries]
        known = self._ids(keys)
        missing = [entry for entry in entries if entry.url_key not in known][:most_new]
        self._insert(source_id, missing, now, due_at=due_at or now, spacing=spacing)
        self.lock(known.values())
        self._adopt(source_id, list(known))
        self._renew_addresses([entry for entry in entries if entry.url_key in known])
        self._note_listing([entry for entry in entries if entry.url_key in known], known)
        return known | self._ids([entry.url_key for entry in missing]), len(missing)

    def _renew_addresses(self, entries: Sequence[FeedEntry]) -> None:
        """Ask for pages that gave no article at their addresses as they are listed now: a token may have run out."""
        of_entries = {entry.url_key: entry.url for entry in entries}
        query = select(pages.c.id, pages.c.url_key, pages.c.url).where(
            pages.c.url_key.in_(list(of_entries)),
            or_(pages.c.last_outcome.is_(None), pages.c.last_outcome.not_in(_READ)),
        )
        rows = [
            {"page": row.id, "address": of_entries[row.url_key]}
            for row in self._connection.execute(query)
            if row.url != of_entries[row.url_key]
        ]
        if rows:
            address = bindparam("address", type_=pages.c.url.type)
            self._connection.execute(update(pages).where(pages.c.id == bindparam("page")).values(url=address), rows)

    def backlog(self, source_id: int, *, now: datetime, limit: int) -> Backlog:
        """Return how much of a source waits for its first fetch, counted up to `limit`."""
        of_source = and_(pages.c.source_id == source_id, pages.c.last_fetch_at.is_(None))
        due = select(pages.c.id).where(_NO_BACKLOG, pages.c.next_fetch_at <= now, of_source).limit(limit)
        last = select(pages.c.next_fetch_at).where(pages.c.source_id == source_id, *_BACKLOG)
        return Backlog(
            due=len(self._connection.scalars(due).all()),
            until=self._connection.scalar(last.order_by(pages.c.next_fetch_at.desc()).limit(1)),
        )

    def hasten(self, page_ids: Collection[int]) -> None:
        """Take pages out of a back catalogue, because they proved to be news: due since they were found."""
        catalogued = and_(pages.c.id.in_(list(page_ids)), *_BACKLOG)
        self._connection.execute(update(pages).where(catalogued).values(next_fetch_at=pages.c.first_seen_at))

    def _ids(self, keys: Sequence[str]) -> dict[str, int]:
        rows = self._connection.execute(select(pages.c.url_key, pages.c.id).where(pages.c.url_key.in_(keys)))
        return {row.url_key: row.id for row in rows}

    def _insert(
        self,
        source_id: int,
        entries: Sequence[FeedEntry],
        now: datetime,
        *,
        due_at: datetime | None,
        spacing: timedelta = timedelta(0),
    ) -> None:
        rows: list[dict[str, Any]] = [
            {
                "source_id": source_id,
                "url": entry.url,
                "url_key": entry.url_key,
                "host": entry.host,
                "first_seen_at": now,
                "next_fetch_at": None if due_at is None else due_at + spacing * position,
                "feed_title": entry.title,
                "feed_published_at": entry.published_at,
                "consecutive_failures": 0,
                "watch_ended": False,
                "looks": 0,
                "changes": 0,
                "missing_looks": 0,
                "candidate_looks": 0,
                "flapping_looks": 0,
            }
            for position, entry in enumerate(entries)
        ]
        if not rows:
            return
        if self._connection.dialect.name == "postgresql":
            # Two processes that make the same pages in different orders end each other. The ids are given first, so
            # that those of one listing are in its order all the same.
            sequence = func.pg_get_serial_sequence("pages", "id")
            numbers = select(func.nextval(sequence)).select_from(func.generate_series(1, len(rows)).alias())
            for row, number in zip(rows, sorted(self._connection.scalars(numbers)), strict=True):
                row["id"] = number
            rows.sort(key=lambda row: row["url_key"])
        self._connection.execute(insert_unless_there(self._connection, pages, "url_key"), rows)

    def _adopt(self, source_id: int, keys: Sequence[str]) -> None:
        """Give pages of a source that was made for a domain to the configured source that lists them now."""
        adopting = select(sources.c.id).where(sources.c.id == source_id, sources.c.configured)
        ad_hoc = select(sources.c.id).where(~sources.c.configured)
        adopted = and_(pages.c.url_key.in_(keys), pages.c.source_id.in_(ad_hoc), adopting.exists())
        if keys:
            self._connection.execute(update(pages).where(adopted).values(source_id=source_id))

    def _note_listing(self, entries: Sequence[FeedEntry], ids: Mapping[str, int]) -> None:
        """Keep the feed's title and date where a known page has another or none."""
        rows = [
            {"page": ids[entry.url_key], "title": entry.title, "published": entry.published_at}
            for entry in entries
            if entry.title is not None or entry.published_at is not None
        ]
        if not rows:
            return
        title = func.coalesce(bindparam("title", type_=pages.c.feed_title.type), pages.c.feed_title)
        published = func.coalesce(
            bindparam("published", type_=pages.c.feed_published_at.type), pages.c.feed_published_at
        )
        statement = update(pages).where(pages.c.id == bindparam("page"))
        self._connection.execute(statement.values(feed_title=title, feed_published_at=published), rows)

    def lock(self, page_ids: Collection[int]) -> None:
        """Lock pages for the rest of the transaction, for one that is going to write several of them.

        Two transactions that lock the same pages in different orders end each other; this locks by id. SQLite has one
        writer at a time and needs nothing.
        """
        if self._connection.dialect.name == "postgresql" and page_ids:
            query = select(pages.c.id).where(pages.c.id.in_(list(page_ids))).order_by(pages.c.id).with_for_update()
            self._connection.execute(query).all()

    def by_key(self, url_key: str) -> PageState | None:
        """Return the page of that URL key, or None."""
        return self._one(state_query().where(pages.c.url_key == url_key))

    def by_id(self, page_id: int) -> PageState | None:
        """Return the page of that id, or None."""
        return self._one(state_query().where(pages.c.id == page_id))

    def _one(self, query: Select[Any]) -> PageState | None:
        row = self._connection.execute(query).mappings().first()
        return None if row is None else page_state(row)

    def known_addresses(self, source_id: int, limit: int) -> KnownAddresses:
        """Return at most `limit` addresses each of a source's articles and of its pages that proved to be none.

        What its feeds and news sitemaps list counts as articles until it was fetched; the newest come first.
        """
        mine = pages.c.source_id == source_id
        listed = (
            select(pages.c.url)
            .join(feed_entries, feed_entries.c.page_id == pages.c.id)
            .join(feeds, and_(feeds.c.id == feed_entries.c.feed_id, feeds.c.kind.in_(_OF_ARTICLES)))
            .where(mine, pages.c.last_fetch_at.is_(None))
            .order_by(pages.c.id.desc())
            .limit(limit)
        )
        read = select(pages.c.url).where(
            mine, or_(pages.c.alias_of.is_not(None), exists().where(articles.c.primary_page_id == pages.c.id))
        )
        others = select(pages.c.url).where(mine, pages.c.last_outcome == Outcome.NOT_ARTICLE.value)

        def newest(query: Select[Any]) -> list[str]:
            return list(self._connection.scalars(query.order_by(pages.c.id.desc()).limit(limit)))

        known = [*newest(read), *self._connection.scalars(listed)]
        return KnownAddresses(articles=list(dict.fromkeys(known))[:limit], others=newest(others))

    def known_stories(self, source_id: int, limit: int) -> list[KnownPage]:
        """Return at most `limit` pages of a source with the articles that they show, the newest first."""
        primary_id = func.coalesce(pages.c.alias_of, pages.c.id)
        text = (
            select(func.min(page_texts.c.text_digest))
            .where(page_texts.c.page_id == primary_id, page_texts.c.of_version)
            .scalar_subquery()
        )
        has_article = exists().where(articles.c.primary_page_id == primary_id)
        query = (
            select(
                pages.c.url,
                pages.c.url_key,
                pages.c.feed_title.label("title"),
                pages.c.feed_published_at.label("published_at"),
                pages.c.alias_of.is_not(None).label("is_alias"),
                primary_id.label("primary_id"),
                text.label("text_digest"),
            )
            .where(pages.c.source_id == source_id, has_article)
            .order_by(pages.c.id.desc())
            .limit(limit)
        )
        return [
            KnownPage(
                url=row.url,
                url_key=row.url_key,
                title=row.title,
                published_at=row.published_at,
                is_alias=bool(row.is_alias),
                article=str(row.primary_id),
                story=row.text_digest or str(row.primary_id),
            )
            for row in self._connection.execute(query)
        ]

    def to_fetch(
        self,
        scope: CrawlScope,
        *,
        now: datetime,
        recrawl_since: datetime | None = None,
        named_since: datetime | None = None,
        exclude_hosts: Collection[str] = (),
        exclude_pages: Collection[int] = (),
        limit: int,
    ) -> list[PageState]:
        """Return at most `limit` pages that are to be fetched: the named, the due by age, the back catalogue, others.

        Named pages are to be fetched unless they were since `named_since` (`now` without it), other pages of the scope
        when they are due or, but for the scope of everything, were never fetched, and with `recrawl_since` also when
        they were not fetched since then. A page that gave a suspect text is then looked at again until that is
        confirmed or refuted, or it was tried often enough. Aliases are fetched only when they are named, and when they
        are due and the article of their primary page is gone. Paused pages are fetched only when they are named; what
        somebody asked the service for comes first.
        `exclude_hosts` are busy hosts, `exclude_pages` pages being fetched.
        """
        excluded = and_(pages.c.host.not_in(list(exclude_hosts)), pages.c.id.not_in(list(exclude_pages)))
        found: dict[int, PageState] = {}
        for condition, order in self._wanted(scope, now=now, recrawl_since=recrawl_since, named_since=named_since):
            if len(found) >= limit:
                break
            query = state_query().where(condition, excluded).order_by(order, pages.c.id).limit(limit)
            for row in self._connection.execute(query).mappings():
                if len(found) < limit:
                    found.setdefault(row["id"], page_state(row))
        return list(found.values())

    def requested(self, *, now: datetime, exclude_hosts: Collection[str] = (), limit: int) -> list[PageState]:
        """Return at most `limit` pages that somebody asked the service for, those that were asked for first first."""
        query = state_query().where(or_(*_requested(now)), pages.c.host.not_in(list(exclude_hosts)))
        query = query.order_by(pages.c.next_fetch_at, pages.c.id).limit(limit)
        return [page_state(row) for row in self._connection.execute(query).mappings()]

    def count_to_fetch(
        self,
        scope: CrawlScope,
        *,
        now: datetime,
        recrawl_since: datetime | None = None,
        named_since: datetime | None = None,
    ) -> int:
        """Return how many pages `to_fetch` would give in all."""
        wanted = self._wanted(scope, now=now, recrawl_since=recrawl_since, named_since=named_since)
        if not wanted:
            return 0
        query = select(func.count()).select_from(pages).where(or_(*(condition for condition, _ in wanted)))
        return int(self._connection.scalar(query) or 0)

    def _wanted(
        self, scope: CrawlScope, *, now: datetime, recrawl_since: datetime | None, named_since: datetime | None
    ) -> list[tuple[ColumnElement[bool], ColumnElement[Any]]]:
        """Return the kinds of pages to be fetched, each a condition and an order that an index serves."""

        def not_since(instant: datetime) -> ColumnElement[bool]:
            return or_(pages.c.last_fetch_at.is_(None), pages.c.last_fetch_at < instant)

        wanted: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = []
        if scope.page_ids:
            # One that named another page, in vain, is to be fetched once more for its own sake.
            released = and_(pages.c.canonical_refused, pages.c.next_fetch_at <= now)
            named = and_(pages.c.id.in_(sorted(scope.page_ids)), or_(not_since(named_since or now), released))
            wanted.append((named, pages.c.id))
        if scope.everything:
            wanted += [(way, pages.c.next_fetch_at) for way in _requested(now)]
        due = (_NO_BACKLOG, pages.c.next_fetch_at <= now)
        wanted += [(and_(way, *due), pages.c.next_fetch_at) for way in _ways(scope, by_time=True, heirs=True)]
        # A back catalogue stands behind all that is due. A crawl wants it now, where the service comes to it later.
        backlog = (*_BACKLOG, pages.c.next_fetch_at <= now) if scope.everything else _BACKLOG
        ways = _ways(scope, by_time=len(scope.source_ids) > 1)
        wanted += [(and_(way, *backlog), pages.c.next_fetch_at) for way in ways]
        if recrawl_since is not None:
            ways = _ways(scope)
            wanted += [(and_(way, not_since(recrawl_since)), pages.c.last_fetch_at) for way in ways]
            of_scope = or_(false(), *ways, pages.c.id.in_(sorted(scope.page_ids)))
            wanted.append((and_(of_scope, _SUSPECT_LOOKED_AT_AGAIN), pages.c.id))
        return wanted
