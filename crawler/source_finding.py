"""Finds out, from one URL, what to configure of a publisher: its home page, name, feeds and sitemaps."""

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import urljoin

from crawler.discovery.feeds import read_feed
from crawler.discovery.index_page import read_index_page
from crawler.discovery.listing import Listing
from crawler.fetching import Fetched
from crawler.home_pages import HomePages
from crawler.index_reading import body_of
from crawler.runner import Crawling
from crawler.visits import Visits
from storage.model import FeedKind, Outcome
from storage.records import StoredSource

_BETWEEN = re.compile(r"\s+[|–—·:-]\s+")
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
        self._visits = Visits(crawling, watched=False)
        self._max_bytes = crawling.settings.max_bytes
        self._home = HomePages(poller=crawling.poller, fetcher=crawling.fetcher, max_bytes=self._max_bytes)

    async def find(self, url: str) -> FoundSource:
        """Return what stands at `url` and what it leads to. An article leads to the home page of its host.

        Raises `FetchingStopped`, `DatabaseUnavailable`.
        """
        source = await self._visits.known_source_of(url)
        fetched, kind = await self._fetch(url, source)
        body = body_of(fetched, max_bytes=self._max_bytes)
        if body.outcome is not None:
            return FoundSource(url=url, outcome=body.outcome, reason=body.reason)
        if kind is FeedKind.SITEMAP:
            return FoundSource(url=url, sitemaps=(url,))
        if kind is FeedKind.UNKNOWN:
            reading = read_feed(body.content, url=fetched.final_url, content_type=body.content_type)
            if not isinstance(reading, Listing):
                return FoundSource(url=url, outcome=Outcome.WRONG_TYPE, reason=reading.reason)
            return FoundSource(url=url, feeds=(url,), name=reading.title, homepage=reading.home_url)
        return await self._at_home(url, source, fetched)

    async def _at_home(self, url: str, source: StoredSource | None, fetched: Fetched) -> FoundSource:
        home = urljoin(fetched.final_url, "/")
        if fetched.final_url != home:
            fetched, _ = await self._fetch(home, source)
        body = body_of(fetched, max_bytes=self._max_bytes)
        if body.outcome is not None:
            return FoundSource(url=home, outcome=body.outcome, reason=body.reason)
        at = fetched.final_url
        page = await asyncio.to_thread(read_index_page, body.content, url=at, content_type=body.content_type)
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
        body = body_of(fetched, max_bytes=self._max_bytes)
        outcome, reason = body.outcome or Outcome.LISTED, body.reason or "source_sought"
        await self._crawling.poller.record_fetches(fetched, outcome=outcome, reason=reason)
        return fetched, kind
