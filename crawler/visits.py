"""Finds out what a named URL is: an article, a feed, a sitemap, a section or a home page."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from crawler.catalogue import domains_of
from crawler.discovery.targets import TargetKind
from crawler.fetching import Fetched, FetchRequest
from crawler.index_reading import SITEMAP_BYTES, fetch_kind, is_home
from crawler.page_reading import task_of
from crawler.runner import Crawling
from crawler.urls import registrable_domain
from storage.clock import utc_now
from storage.model import FeedKind, FetchKind, Source
from storage.outcomes import Outcome
from storage.records import FeedState, StoredSource

INDEX_REASONS = frozenset({"home_page", "section", "tag", "author", "index", "live_index"})
"""Why a page is no article (`crawler.extraction.verdict`) when it is an index of articles."""

ReadsIndex = Callable[[FeedState, Fetched], Awaitable[None]]


class Visits:
    """Visits URLs of which nothing is known. `watched` is whether the service looks after what they are."""

    def __init__(self, crawling: Crawling, *, watched: bool) -> None:
        self._crawling = crawling
        self._watched = watched

    async def source_of(self, url: str) -> StoredSource:
        """Return the configured source with this URL's domain, or the one that stands for the domain itself."""
        known = await self.known_source_of(url)
        if known is not None and known.configured:
            return known
        domain = registrable_domain(url)
        return await self._crawling.recorder.write(
            lambda tx: tx.sources.for_domain(domain, utc_now(), watched=self._watched)
        )

    async def known_source_of(self, url: str) -> StoredSource | None:
        """Return the source of a URL as `source_of` does, but None where it would be made."""
        domain = registrable_domain(url)
        of_domain = None
        for stored in await self._crawling.read(lambda tx: tx.sources.all()):
            if stored.configured and not stored.paused and domain in domains_of(stored.source):
                return stored
            if stored.source.slug == domain:
                of_domain = stored
        return of_domain

    async def fetch(
        self, url: str, source: StoredSource | None, *, still_owed: Callable[[], Awaitable[bool]] | None = None
    ) -> tuple[Fetched, FeedKind | None]:
        """Fetch a URL, and return the answer and what kind of index it is, None for a page.

        Raises `FetchingStopped`, and with `still_owed` `NoLongerOwed` (`crawler.fetching.Fetcher.fetch`).
        """
        may_be_long = _named_like_sitemap(url)
        request = FetchRequest(
            url=url,
            kind=FetchKind.SITEMAP if may_be_long else FetchKind.PAGE,
            source_id=source.source_id if source else None,
            delay_seconds=source.source.delay_seconds if source else None,
            max_bytes=max(SITEMAP_BYTES, self._crawling.settings.max_bytes) if may_be_long else None,
        )
        fetched = await self._crawling.fetcher.fetch(request, still_owed=still_owed)
        kind = await self.kind_of(fetched, source.source if source else Source(slug=registrable_domain(url)))
        return as_index(fetched, kind) if kind else replace(
            fetched, request=replace(request, kind=FetchKind.PAGE)
        ), kind

    async def index_at(self, url: str, kind: FeedKind, source: StoredSource) -> FeedState:
        """Return the index that a URL proved to be."""
        return await self._crawling.recorder.write(
            lambda tx: tx.feeds.ensure(source.source_id, url, utc_now(), kind, watched=self._watched, found_by="named")
        )

    async def kind_of(self, fetched: Fetched, source: Source) -> FeedKind | None:
        """Return what kind of index an answer is, None for a page."""
        match (await self._crawling.poller.reader.look(fetched)).kind:
            case TargetKind.FEED:
                return FeedKind.UNKNOWN
            case TargetKind.SITEMAP:
                return FeedKind.SITEMAP
            case TargetKind.PAGE if await self._is_index(fetched, source):
                return FeedKind.SECTION
        return None

    async def _is_index(self, fetched: Fetched, source: Source) -> bool:
        """Whether a page is a home page or a section, by its address, or else by its markup and text."""
        exchange = fetched.last.attempt.exchange
        if exchange is None:
            return False
        task = task_of(
            exchange,
            url=fetched.final_url,
            timezone=source.timezone,
            robots_token="",
            max_bytes=self._crawling.settings.max_bytes,
        )
        reading = (await self._crawling.reader.read(task)).reading
        if reading is None:
            return False
        if reading.outcome is Outcome.NOT_ARTICLE:
            return reading.reason in INDEX_REASONS or is_home(fetched.final_url, source)
        return reading.article is not None and is_home(fetched.final_url, source)


def as_index(fetched: Fetched, kind: FeedKind) -> Fetched:
    """Return an answer as one to a request for an index of that kind."""
    return replace(fetched, request=replace(fetched.request, kind=fetch_kind(kind)))


def _named_like_sitemap(url: str) -> bool:
    path = url.partition("?")[0].lower()
    return "sitemap" in path or path.endswith((".xml", ".xml.gz"))
