"""Finds out, from one URL, what to configure of a publisher: its home page, name, feeds and sitemaps."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin

from crawler.discovery.listing import Listing
from crawler.fetching import Fetched
from crawler.home_pages import HomePages
from crawler.runner import Crawling
from crawler.visits import Visits
from storage.model import FeedKind
from storage.outcomes import Outcome
from storage.records import StoredSource

_BETWEEN = re.compile(r"(?<!\s)\s++[|–—·:-]\s++")
_HOME_WORDS = frozenset(("home", "homepage", "home page", "startseite", "accueil", "inicio", "start", "forside"))


@dataclass(frozen=True, kw_only=True)
class FoundSource:
    """What was found. `outcome` is None where the URL led to something; else it and `reason` say why not."""

    url: str
    homepage: str | None = None
    name: str | None = None
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    outcome: Outcome | None = None
    reason: str | None = None


def name_of(title: str | None) -> str | None:
    """Return a publisher's name from its home page's title: each part once, without what only says that it is home."""
    parts = [part for part in _BETWEEN.split(title or "") if part and part.lower() not in _HOME_WORDS]
    return " – ".join(dict.fromkeys(parts)) or title


class SourceFinder:
    """Finds what a publisher has. Every request leaves its row, but no source is made."""

    def __init__(self, crawling: Crawling) -> None:
        self._crawling = crawling
        self._reader = crawling.poller.reader
        self._visits = Visits(crawling, watched=False)
        self._home = HomePages(poller=crawling.poller, fetcher=crawling.fetcher)

    async def find(self, url: str) -> FoundSource:
        """Return what stands at `url` and what it leads to. An article leads to the home page of its host.

        Raises `FetchingStopped`, `DatabaseUnavailable`.
        """
        source = await self._visits.known_source_of(url)
        fetched, kind = await self._fetch(url, source)
        look = await self._reader.look(fetched)
        if look.outcome is not None:
            return FoundSource(url=url, outcome=look.outcome, reason=look.reason)
        if kind is FeedKind.SITEMAP:
            return FoundSource(url=url, sitemaps=(url,))
        if kind is FeedKind.UNKNOWN:
            look = await self._reader.feed(fetched)
            reading = look.feed
            if not isinstance(reading, Listing):
                outcome, reason = look.outcome, look.reason
                if reading is not None:
                    outcome, reason = Outcome.WRONG_TYPE, reading.reason
                return FoundSource(url=url, outcome=outcome, reason=reason)
            return FoundSource(url=url, feeds=(url,), name=reading.title, homepage=reading.home_url)
        return await self._at_home(url, source, fetched)

    async def _at_home(self, url: str, source: StoredSource | None, fetched: Fetched) -> FoundSource:
        home = urljoin(fetched.final_url, "/")
        if fetched.final_url != home:
            fetched, _ = await self._fetch(home, source)
        look = await self._reader.page(fetched)
        page = look.page
        if page is None:
            return FoundSource(url=home, outcome=look.outcome or Outcome.WRONG_TYPE, reason=look.reason or look.kind)
        at = fetched.final_url
        feeds = await self._home.feeds(page, source, url=at)
        sitemaps = await self._home.sitemaps(source, url=at)
        return FoundSource(
            url=url,
            homepage=at,
            name=name_of(page.title),
            feeds=tuple(dict.fromkeys(feed.url for feed in feeds)),
            sitemaps=tuple(dict.fromkeys(sitemap.url for sitemap in sitemaps)),
        )

    async def _fetch(self, url: str, source: StoredSource | None) -> tuple[Fetched, FeedKind | None]:
        fetched, kind = await self._visits.fetch(url, source)
        look = await self._reader.look(fetched)
        outcome, reason = look.outcome or Outcome.LISTED, look.reason or "source_sought"
        await self._crawling.poller.record_fetches(fetched, outcome=outcome, reason=reason)
        return fetched, kind
