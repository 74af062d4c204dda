"""Puts the crawler together: engine, politeness, recorder, extraction pool, archive. One-off crawls and the service
both fetch through what this module builds."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from scrapy.crawler import AsyncCrawlerRunner

from crawler.download import Downloader
from crawler.exploring import Explorer
from crawler.extraction import extractor_id
from crawler.fetching import Fetched, Fetcher, FetchRequest
from crawler.index_reading import IndexReader
from crawler.ingest import PageIngest
from crawler.known_addresses import LearntShapes
from crawler.new_pages import NewPages
from crawler.page_reading import PageReader
from crawler.places import open_files_allowed, patient_places
from crawler.politeness import Politeness
from crawler.polling import FeedPoller, PollResult
from crawler.recorder import Recorder
from crawler.rereading import ReadingSettings
from crawler.scrapy_settings import scrapy_settings
from crawler.settings import CrawlSettings, robots_token
from crawler.slots import HostSlots
from crawler.spiders.engine import EngineSpider
from crawler.trails import Reached
from crawler.watching import UNWATCHED, Watcher
from crawler.worker_pool import WorkerPool
from storage.archive import Archive
from storage.clock import utc_now
from storage.model import Capture, FetchKind
from storage.records import Fetch, PageState, StoredSource
from storage.robots_files import RobotsFile
from storage.settings import ArchiveSettings
from storage.store import Store, Transaction

log = structlog.get_logger()

Result = TypeVar("Result")

ENGINE_CLOSE_SECONDS = 2.0
DEADLINE_BEHIND_SECONDS = 10.0
"""So much later than the time limit of a request it is given up, whatever library hangs."""


class SourceBook:
    """The sources of the database, held in memory for what each page needs to know of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sources: dict[int, StoredSource] = {}

    def source(self, source_id: int) -> StoredSource:
        """Return a source by its id; one that is not known yet is read from the database."""
        if source_id not in self._sources:
            self.reload()
        return self._sources[source_id]

    def reload(self) -> None:
        """Read all sources again."""
        with self._store.reading() as transaction:
            self._sources = {stored.source_id: stored for stored in transaction.sources.all()}

    def reading_settings(self, source_id: int) -> ReadingSettings:
        """Return how pages of a source are read."""
        timezone = self.source(source_id).source.timezone
        return ReadingSettings(timezone=timezone, extractor=extractor_id(timezone=timezone))

    def delay_seconds(self, source_id: int) -> float | None:
        """Return the source's own delay between requests, or None."""
        return self.source(source_id).source.delay_seconds


class RobotsKeeper:
    """The copies of robots.txt in the database, and the rows of the attempts to get them."""

    def __init__(self, store: Store, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder

    async def stored(self, origin: str) -> RobotsFile | None:
        """Return the copy of an origin, fresh or not."""
        return await asyncio.to_thread(_read, self._store, lambda tx: tx.robots_files.get(origin))

    async def record(self, fetch: Fetch, copy: RobotsFile | None) -> None:
        """Record an attempt, and keep the copy that came of it, if one did."""

        def write(tx: Transaction) -> None:
            tx.fetches.record(fetch)
            if copy is not None:
                tx.robots_files.keep(copy)

        await self._recorder.write(write)


@dataclass(frozen=True, kw_only=True)
class Crawling:
    """Everything that fetching pages needs, ready to be used."""

    store: Store
    settings: CrawlSettings
    sources: SourceBook
    politeness: Politeness
    fetcher: Fetcher
    ingest: PageIngest
    poller: FeedPoller
    recorder: Recorder
    archive: Archive
    pool: WorkerPool
    reader: PageReader

    async def read(self, query: Callable[[Transaction], Result]) -> Result:
        """Run a query in a reading transaction, away from the event loop."""
        return await asyncio.to_thread(_read, self.store, query)

    def explorer(
        self,
        *,
        on_begun: Callable[[PollResult], None],
        on_result: Callable[[PollResult], None],
        on_reached: Callable[[Reached], None],
        enough: Callable[[], bool],
        follow_found: bool,
    ) -> Explorer:
        """Return an explorer of indexes for one crawl, or for one poll of the service (`crawler.exploring`)."""
        return Explorer(
            poller=self.poller,
            fetcher=self.fetcher,
            recorder=self.recorder,
            source=self.sources.source,
            read=self.read,
            on_begun=on_begun,
            on_result=on_result,
            on_reached=on_reached,
            enough=enough,
            follow_found=follow_found,
        )


def _read(store: Store, query: Callable[[Transaction], Result]) -> Result:
    with store.reading() as transaction:
        return query(transaction)


class StoredCaptures:
    """Which captures belong together, asked of the database away from the event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of_version(self, version_id: int) -> Sequence[Capture]:
        """Return the captures that a version was read from, one for each part; none when there is no such version."""
        return await asyncio.to_thread(_read, self._store, lambda tx: tx.captures.of_version(version_id))

    async def parts_of_article(self, article_id: int) -> int:
        """Return in how many further parts the current version of an article was read; 0 where there is none."""
        return await asyncio.to_thread(_read, self._store, lambda tx: tx.captures.parts_of_article(article_id))


@contextlib.asynccontextmanager
async def open_engine(settings: CrawlSettings) -> AsyncIterator[Downloader]:
    """Keep a Scrapy engine open on the running loop."""
    runner = AsyncCrawlerRunner(scrapy_settings(settings))
    crawler = runner.create_crawler(EngineSpider)
    ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    end = asyncio.Event()
    running = runner.crawl(crawler, ready=ready, end=end)
    await asyncio.wait({ready, running}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if running.done():
            await running
        yield Downloader(
            (await ready).download_async, deadline_seconds=settings.timeout_seconds + DEADLINE_BEHIND_SECONDS
        )
    finally:
        end.set()
        # The engine waits for downloads that nobody waits for any more; the process need not.
        done, _ = await asyncio.wait({running}, timeout=ENGINE_CLOSE_SECONDS)
        if done:
            await running


@contextlib.asynccontextmanager
async def open_crawling(
    store: Store, *, crawl: CrawlSettings, archive: ArchiveSettings, software: str, watcher: Watcher = UNWATCHED
) -> AsyncIterator[Crawling]:
    """Open the archive, the recorder, the pool and the engine; on leaving, finish what was begun and close them.

    `watcher` is told what happens. Raises `ArchiveUnavailable` when the archive folder cannot be written.
    """
    warc = Archive(archive.directory, max_file_bytes=archive.max_file_bytes, software=software)
    for recovered in await asyncio.to_thread(warc.recover):
        if recovered.left is not None:
            log.warning("archive_left_open", file=recovered.name, problem=recovered.left)
        else:
            log.info("archive_recovered", file=recovered.name, kept=recovered.kept_bytes, cut=recovered.cut_bytes)
    sources = SourceBook(store)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(warc.close)
        recorder = stack.enter_context(Recorder(store, warc, watcher=watcher))
        pool = await stack.enter_async_context(
            WorkerPool(processes=crawl.processes, timeout_seconds=crawl.extract_timeout_seconds, watcher=watcher)
        )
        downloader = await stack.enter_async_context(open_engine(crawl))
        slots = stack.enter_context(HostSlots(store))
        politeness = await stack.enter_async_context(_politeness(slots, crawl))
        fetcher = _fetcher(store, recorder, downloader, politeness, crawl, workers=pool)
        reader = PageReader(pool, watcher=watcher)
        yield Crawling(
            store=store,
            settings=crawl,
            sources=sources,
            politeness=politeness,
            fetcher=fetcher,
            ingest=PageIngest(
                reader=reader,
                recorder=recorder,
                archive=warc,
                captures=StoredCaptures(store),
                fetch_part=_part_fetching(fetcher, sources),
                reading_settings=sources.reading_settings,
                max_bytes=crawl.max_bytes,
                keep_all=archive.keep == "all",
                robots_token=robots_token(crawl.user_agent),
                respect_noarchive=crawl.respect_noarchive,
            ),
            poller=_poller(store, recorder, fetcher, crawl, pool),
            recorder=recorder,
            archive=warc,
            pool=pool,
            reader=reader,
        )


def _politeness(slots: HostSlots, crawl: CrawlSettings) -> Politeness:
    return Politeness(
        slots,
        default_delay_seconds=crawl.delay_seconds,
        requests_per_day=crawl.requests_per_host_per_day,
        at_once=crawl.concurrency,
        patient_at_once=patient_places(crawl.concurrency, open_files=open_files_allowed()),
    )


def _fetcher(
    store: Store,
    recorder: Recorder,
    downloader: Downloader,
    politeness: Politeness,
    crawl: CrawlSettings,
    *,
    workers: WorkerPool,
) -> Fetcher:
    return Fetcher(
        downloader,
        politeness=politeness,
        robots_files=RobotsKeeper(store, recorder),
        robots_token=robots_token(crawl.user_agent),
        max_redirects=crawl.max_redirects,
        now=utc_now,
        attempt_seconds=attempt_seconds(crawl),
        workers=workers,
    )


def attempt_seconds(crawl: CrawlSettings) -> float:
    """Return after how long an attempt is given up that goes on beyond every limit of its own, in seconds."""
    return 2 * crawl.timeout_seconds + 30.0


def _part_fetching(fetcher: Fetcher, sources: SourceBook) -> Callable[[PageState, str], Awaitable[Fetched]]:
    """Return what fetches a further part of a page."""

    async def fetch_part(page: PageState, url: str) -> Fetched:
        delay_seconds = sources.delay_seconds(page.source_id)
        return await fetcher.fetch(
            FetchRequest(url=url, kind=FetchKind.PAGE, source_id=page.source_id, delay_seconds=delay_seconds, part=True)
        )

    return fetch_part


def _poller(
    store: Store, recorder: Recorder, fetcher: Fetcher, crawl: CrawlSettings, workers: WorkerPool
) -> FeedPoller:
    return FeedPoller(
        fetcher=fetcher,
        recorder=recorder,
        shapes=LearntShapes(store),
        max_bytes=crawl.max_bytes,
        default_delay_seconds=crawl.delay_seconds,
        reader=IndexReader(workers, max_bytes=crawl.max_bytes, robots_token=robots_token(crawl.user_agent)),
        new_pages=NewPages(a_day=crawl.new_pages_per_source_per_day),
    )
