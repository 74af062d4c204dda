"""How far one source is followed in one crawl: the bounds, the way to an index, what is still to be followed, and the
walk over a list's pages."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from enum import IntEnum

from crawler.polling import PollResult
from storage.model import FetchKind
from storage.records import FeedState, StoredSource

QUIET_PAGES = 3
"""A list is not followed further behind so many of its pages in a row that brought nothing new."""
UNDATED_AGAIN = timedelta(hours=24)
"""A sitemap whose index does not say when it changed is asked again after so long."""
FAILED_AGAIN = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How far one crawl goes for one source.

    `sections` is how many sections are ever found for it, `section_depth` links deep; `feeds` and `sitemaps` how many
    found ones of each are read, the latter `sitemap_depth` indexes deep; `pages` how many pages one section or paged
    feed goes on for in one crawl; `links` how many entries are listed in all.
    """

    sections: int = 300
    feeds: int = 300
    section_depth: int = 3
    pages: int = 50
    sitemaps: int = 500
    sitemap_depth: int = 3
    links: int = 500_000


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A bound that was reached: which of `Bounds`, its number, and the first address that was not asked for."""

    bound: str
    number: int
    url: str


class Order(IntEnum):
    """What is followed first: what is cheap and tells most about a publisher's addresses."""

    FEED = 0
    SITEMAP = 1
    HOME = 2
    SECTION = 3
    PAGE = 4


ORDERS = {FetchKind.SITEMAP: Order.SITEMAP, FetchKind.SECTION: Order.SECTION}


@dataclass(frozen=True, kw_only=True)
class Way:
    """By which way an index was come to: for which source, how many links deep, and whether the service is to look
    after what is found on it.

    `below` is the identity (`crawler.urls.url_key`) of the section that it began at, below which it stays; None where
    it began at a home page, from which everything is found.
    """

    source: StoredSource
    watched: bool
    depth: int = 0
    below: str | None = None

    @property
    def deeper(self) -> "Way":
        return replace(self, depth=self.depth + 1)

    def stays_at(self, key: str) -> bool:
        """Whether a section of this identity is one that the way may lead to."""
        return self.below is None or key.startswith(self.below.partition("?")[0].rstrip("/") + "/")


@dataclass(kw_only=True)
class Trail:
    """How far one source was followed in this crawl."""

    steps: list[tuple[Order, int, FeedState, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    reached: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class Walk:
    """A list that goes on over several pages; `total` is what all of them came to."""

    feed: FeedState
    way: Way
    total: PollResult
    seen: set[str]
    resume_at: str | None
    quiet: int = 0

    def goes_on_at(self, page: PollResult) -> str | None:
        """Return where the list goes on behind a page, None where it ends or is not worth it.

        Where it was cut the last time, it goes on from there, whatever stands before.
        """
        url = self._next_page(page)
        if url is None and page.healthy and self.resume_at is not None:
            url, self.resume_at, self.quiet = self.resume_at, None, 0
        return None if url in self.seen else url

    def _next_page(self, page: PollResult) -> str | None:
        if page.next_url is None or page.next_url in self.seen or not page.healthy or not (page.new or page.known):
            return None
        if page.next_url == self.resume_at:
            self.resume_at = None
        self.quiet = 0 if page.new else self.quiet + 1
        # What was read to its end before is known behind its first page that brings nothing new.
        patience = QUIET_PAGES if self.feed.last_polled_at is None else 1
        return page.next_url if self.quiet < patience else None

    def add(self, page: PollResult) -> None:
        """Take a further page's links in."""
        self.total = replace(
            self.total,
            new=self.total.new + page.new,
            known=self.total.known + page.known,
            left_out=Counter(self.total.left_out) + Counter(page.left_out),
            pages=self.total.pages + 1,
            urls=self.total.urls | page.urls,
        )


def is_stale(sitemap: FeedState, *, now: datetime) -> bool:
    """Whether a sitemap of an index is to be read: new, changed since, or undated and not read for a day.

    One that failed is tried again, later each time.
    """
    if sitemap.last_polled_at is None:
        return True
    if sitemap.consecutive_failures:
        wait = FAILED_AGAIN * (1 << min(sitemap.consecutive_failures - 1, 8))
        return now - sitemap.last_polled_at >= min(wait, UNDATED_AGAIN)
    if sitemap.changed_at is not None:
        # A day without a time may mean any time of it.
        day_only = sitemap.changed_at.time() == time(0)
        return sitemap.changed_at + timedelta(days=day_only) > sitemap.last_polled_at
    return now - sitemap.last_polled_at >= UNDATED_AGAIN
