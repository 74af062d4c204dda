"""Addresses that may be those of sections or of articles: one request settles which, and serves for both."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol, TypeVar

from crawler.discovery.listing import FoundBy
from crawler.discovery.url_shapes import UrlShapes
from crawler.discovery.url_words import LinkKind
from crawler.extraction.pool import ReadTask
from crawler.fetching import Fetched
from crawler.index_reading import body_of, is_home, publisher_domains
from crawler.polling import FeedPoller
from crawler.recorder import Recorder
from crawler.rereading import ReadsPages
from crawler.urls import feed_entry, registrable_domain, url_key
from storage.clock import utc_now
from storage.model import ExtractedArticle, FeedKind, FetchKind, Outcome
from storage.records import FeedState, PageState, Recorded, StoredSource
from storage.store import Transaction

KEPT_ANSWERS = 64
KEPT_BYTES = 500_000
"""A longer body is not kept."""
KEPT_FOR = timedelta(minutes=10)
LOOK_AGAIN_SECONDS = 0.1
_DATED_BY = frozenset({"json_ld", "meta"})
"""Markup that dates the page itself. The `time` elements of a short section's teasers can look like its own."""

_READ = frozenset({Outcome.NOT_ARTICLE, Outcome.CREATED})
_ANY_PUBLISHER = UrlShapes()

Result = TypeVar("Result")


class ReadsFacts(Protocol):
    """Reads the database away from the event loop."""

    async def __call__(self, query: Callable[[Transaction], Result], /) -> Result:
        """Return what a query gives."""


class Asked:
    """What is being asked for as a section and may be a page; and what was asked for as a page and may be a section.

    The latter's last few answers are kept for some minutes. Addresses are given by their keys (`crawler.urls.url_key`).
    For one event loop.
    """

    def __init__(self) -> None:
        self._asking: dict[str, asyncio.Event] = {}
        self._answers: OrderedDict[str, Fetched] = OrderedDict()

    @asynccontextmanager
    async def as_section(self, key: str) -> AsyncIterator[None]:
        """Have whoever would ask for that address wait until this was left."""
        await self.settled(key)
        left = self._asking[key] = asyncio.Event()
        try:
            yield
        finally:
            del self._asking[key]
            left.set()

    async def settled(self, key: str) -> None:
        """Wait until nobody asks for an address as a section."""
        while (asking := self._asking.get(key)) is not None:
            await asking.wait()

    def note_page(self, page: PageState, fetched: Fetched, recorded: Recorded) -> None:
        """Keep the first answer of a page that may be a section too."""
        exchange = fetched.last.attempt.exchange
        if page.last_fetch_at is not None or recorded.outcome not in _READ or exchange is None:
            return
        if len(exchange.body) > KEPT_BYTES or _ANY_PUBLISHER.judge(page.url).kind is LinkKind.ARTICLE:
            return
        self._answers[page.url_key] = fetched
        if len(self._answers) > KEPT_ANSWERS:
            self._answers.popitem(last=False)

    def answer(self, key: str) -> Fetched | None:
        """Hand out what a page that may be a section answered just now, once."""
        fetched = self._answers.pop(key, None)
        is_new = fetched is not None and utc_now() - fetched.last.attempt.finished_at < KEPT_FOR
        return fetched if is_new else None


@dataclass(frozen=True, kw_only=True)
class TakesPages:
    """Whoever fetches pages meanwhile: whether one is in hand there, by its id; whether one more may be taken in, which
    is to follow then; and what takes it in."""

    is_in_hand: Callable[[int], bool]
    may_take: Callable[[], bool]
    take_in: Callable[[PageState, Fetched], Awaitable[None]]


class DoubtfulAddresses:
    """Asks for sections that links were taken to lead to, and takes in the articles among them."""

    def __init__(
        self,
        *,
        poller: FeedPoller,
        reader: ReadsPages,
        recorder: Recorder,
        read: ReadsFacts,
        asked: Asked,
        pages: TakesPages,
        max_bytes: int,
    ) -> None:
        self._poller = poller
        self._reader = reader
        self._recorder = recorder
        self._read = read
        self._asked = asked
        self._pages = pages
        self._max_bytes = max_bytes
        self.new = 0
        """How many articles were taken in whose pages were not known."""

    async def is_article(self, url: str, source: StoredSource) -> bool:
        """Whether an article that was read already stands at an address, so that it need not be asked for."""
        article = await self._read(lambda tx: tx.versions.for_url_key(url_key(url)))
        return article is not None and _is_dated(article.content) and await self._is_doubtful(url, source)

    async def ask(self, feed: FeedState, source: StoredSource) -> Fetched | None:
        """Fetch a section that was found and never read; None if it is an article, which was then taken in.

        Raises `FetchingStopped`.
        """
        key = url_key(feed.url)
        while True:
            async with self._asked.as_section(key):
                page = await self._read(lambda tx: tx.pages.by_key(key))
                if page is None or not self._pages.is_in_hand(page.page_id):
                    return await self._settle(feed, source, page)
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _settle(self, feed: FeedState, source: StoredSource, page: PageState | None) -> Fetched | None:
        if page is not None and page.last_fetch_at is not None:
            if not await self.is_article(feed.url, source):
                return self._asked.answer(page.url_key) or await self._poller.ask(feed, source.source)
            await self._set_aside(feed)
            return None
        fetched = await self._poller.ask(feed, source.source)
        is_article = await self._shows_article(fetched, feed, source, is_listed=page is not None)
        if (page is None and not is_article) or not await self._may_take(page):
            return fetched
        page = page or await self._make_page(feed, source)
        await self._pages.take_in(page, replace(fetched, request=replace(fetched.request, kind=FetchKind.PAGE)))
        if not is_article:
            return fetched
        await self._set_aside(feed)
        return None

    async def _is_doubtful(self, url: str, source: StoredSource) -> bool:
        return not is_home(url, source.source) and await self._poller.may_be_article(url, source.source_id)

    async def _make_page(self, feed: FeedState, source: StoredSource) -> PageState:
        self.new += 1
        entry = feed_entry(feed.url)
        return await self._recorder.write(lambda tx: tx.pages.ensure(source.source_id, entry, utc_now(), due=False))

    async def _may_take(self, page: PageState | None) -> bool:
        """Whether an answer may be taken in as that of a page, which nobody must have paused."""
        if page is not None and not await self._read(lambda tx: tx.operating.is_owed(page, by_service=False)):
            return False
        return self._pages.may_take()

    async def _set_aside(self, feed: FeedState) -> None:
        await self._recorder.write(lambda tx: tx.feeds.is_article(feed.feed_id))

    async def _shows_article(self, fetched: Fetched, feed: FeedState, source: StoredSource, *, is_listed: bool) -> bool:
        """Whether an answer is an article beyond doubt; what is one and may be a section too is taken for both.

        What no index calls an article is one only if its markup does: house pages stand in menus too.
        """
        if not await self._is_doubtful(feed.url, source) or is_home(fetched.final_url, source.source):
            return False
        if registrable_domain(fetched.final_url) not in publisher_domains(feed, source.source):
            return False
        article = await self._read_article(fetched, source)
        if article is None or not _is_dated(article):
            return False
        return is_listed or (bool(article.authors) and not source.source.include)

    async def _read_article(self, fetched: Fetched, source: StoredSource) -> ExtractedArticle | None:
        exchange = fetched.last.attempt.exchange
        body = body_of(fetched, max_bytes=self._max_bytes)
        if body.outcome is not None or exchange is None:
            return None
        task = ReadTask(
            body=body.content,
            content_type=body.content_type,
            url=fetched.final_url,
            timezone=source.source.timezone,
            captured_at=exchange.finished_at,
        )
        return (await self._reader.read(task)).article


def was_only_found(feed: FeedState) -> bool:
    """Whether a link was taken to lead to this section, and nobody has read it yet, or an article stood there."""
    unread = feed.found_by == FoundBy.SECTION and feed.kind is FeedKind.SECTION and feed.last_success_at is None
    return unread or stands_for_article(feed)


def stands_for_article(feed: FeedState) -> bool:
    """Whether an article stood at the address of this section, and nobody has named it as an index since."""
    return feed.found_by == FoundBy.ARTICLE and feed.paused


def _is_dated(article: ExtractedArticle) -> bool:
    return article.published is not None and article.published.found_in in _DATED_BY
