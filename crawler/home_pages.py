"""What a publisher's front page leads to besides its links: the feeds that it announces, the sitemaps that its
robots.txt names, and where it says nothing, the places where publishers commonly have them."""

from collections.abc import Sequence
from urllib.parse import urljoin

from crawler.discovery.index_page import IndexPage
from crawler.discovery.listing import FoundBy, FoundIndex
from crawler.discovery.targets import COMMON_FEED_PLACES, COMMON_SITEMAP_PLACES, TargetKind
from crawler.fetching import Fetcher, FetchRequest
from crawler.index_reading import SITEMAPS, fetch_kind
from crawler.polling import FeedPoller
from crawler.urls import InvalidUrl, clean_url, joined_url
from storage.model import FeedKind
from storage.outcomes import Outcome, Trait, with_trait
from storage.records import FeedState, StoredSource

_HOST_IS_NO_HELP = with_trait(Trait.UNREACHABLE) | with_trait(Trait.REFUSAL)
"""After one of these it is no use, or not polite, to try a further place at the host."""


class HomePages:
    """Finds the indexes of home pages.

    Where nothing is announced, `known` are those that were found at common places before, and `probes` says whether
    these places are tried. `source` may be None for a publisher that is none yet.
    """

    def __init__(self, *, poller: FeedPoller, fetcher: Fetcher) -> None:
        self._poller = poller
        self._fetcher = fetcher

    async def feeds(
        self,
        page: IndexPage,
        source: StoredSource | None,
        *,
        url: str,
        known: Sequence[FeedState] = (),
        probes: bool = True,
    ) -> Sequence[FoundIndex]:
        """Return the feeds of the home page at `url`. Raises `FetchingStopped`."""
        if page.feeds:
            return page.feeds
        before = [_found_before(feed) for feed in known if feed.kind not in SITEMAPS]
        if before or not probes:
            return before
        return await self._probe(source, url, COMMON_FEED_PLACES, FeedKind.UNKNOWN, TargetKind.FEED)

    async def sitemaps(
        self, source: StoredSource | None, *, url: str, known: Sequence[FeedState] = (), probes: bool = True
    ) -> Sequence[FoundIndex]:
        """Return the sitemaps of the publisher whose home page is at `url`. Raises `FetchingStopped`."""
        lines = await self._fetcher.sitemaps(url)
        named = dict.fromkeys(sitemap for line in lines if (sitemap := _clean_joined(url, line)) is not None)
        if named:
            return [FoundIndex(url=one, kind=FeedKind.SITEMAP, found_by=FoundBy.ROBOTS) for one in named]
        before = [_found_before(feed) for feed in known if feed.kind in SITEMAPS]
        if before or not probes:
            return before
        return await self._probe(source, url, COMMON_SITEMAP_PLACES, FeedKind.SITEMAP, TargetKind.SITEMAP)

    async def _probe(
        self, source: StoredSource | None, url: str, places: Sequence[str], kind: FeedKind, wanted: TargetKind
    ) -> Sequence[FoundIndex]:
        """Ask for common places until one holds what is wanted; each attempt leaves its row."""
        for place in places:
            request = FetchRequest(
                url=urljoin(url, place),
                kind=fetch_kind(kind),
                source_id=source.source_id if source else None,
                delay_seconds=source.source.delay_seconds if source else None,
            )
            fetched = await self._fetcher.fetch(request)
            look = await self._poller.reader.look(fetched)
            outcome, reason = look.outcome, look.reason
            if outcome is None:
                is_wanted = look.kind is wanted
                outcome = Outcome.LISTED if is_wanted else Outcome.WRONG_TYPE
                reason = "common_place" if is_wanted else str(look.kind)
            await self._poller.record_fetches(fetched, outcome=outcome, reason=reason)
            if outcome is Outcome.LISTED:
                return [FoundIndex(url=fetched.final_url, kind=kind, found_by=FoundBy.COMMON_PLACE)]
            if outcome in _HOST_IS_NO_HELP:
                break
        return ()


def _found_before(feed: FeedState) -> FoundIndex:
    return FoundIndex(url=feed.url, kind=feed.kind, found_by=FoundBy.COMMON_PLACE)


def _clean_joined(url: str, link: str) -> str | None:
    try:
        return clean_url(joined_url(url, link))
    except InvalidUrl:
        return None
