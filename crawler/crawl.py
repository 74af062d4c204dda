"""The one-off crawl: these targets now, what is new or due, and an account of what became of each."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import TypeVar

import structlog

from crawler.catalogue import domains_of
from crawler.crawl_account import CrawlReport, CrawlRequest
from crawler.fetch_limit import FetchLimit
from crawler.fetching import Fetched, FetchRequest
from crawler.named import LIMIT, STOPPED, NamedTargets
from crawler.page_loop import PageLoop
from crawler.politeness import FetchingStopped, Hold, NoLongerOwed
from crawler.polling import INTERNAL_ERROR, PollResult
from crawler.runner import Crawling
from crawler.urls import InvalidUrl, clean_url, feed_entry, host_key, registrable_domain, url_key
from crawler.visits import Visits
from storage.clock import utc_now
from storage.errors import MorgueError, NotFound, UsageError
from storage.model import FetchKind
from storage.records import CrawlScope, FeedState, PageState, Recorded, StoredSource
from storage.store import Transaction

log = structlog.get_logger()

FEEDS_AT_ONCE = 1_000
"""Indexes, each of another host, that are asked for side by side; most of them may be of hosts that say nothing."""
BEGIN_SECONDS = 3.0
"""So long the named URLs and indexes are waited for; then what is known by then is fetched beside them."""

Item = TypeVar("Item")


class Crawl:
    """One crawl. `progress` is called whenever the report has grown."""

    def __init__(
        self,
        crawling: Crawling,
        request: CrawlRequest,
        *,
        progress: Callable[[CrawlReport], None],
    ) -> None:
        self._crawling = crawling
        self._request = request
        self._progress = progress
        self._started_at = utc_now()
        self._loop: PageLoop | None = None
        self._source_ids: set[int] = set()
        self._feed_ids: set[int] = set()
        self._page_ids: set[int] = set()
        self._visiting: set[str] = set()
        self.report = CrawlReport()
        self._named = NamedTargets((), self.report.named)
        self._limit = FetchLimit(request.limit)
        self._visits = Visits(crawling, watched=request.watch)
        self._explorer = crawling.explorer(
            on_begun=self._note_begun,
            on_result=self._note_poll,
            on_reached=self.report.reached.append,
            enough=self._is_enough,
            follow_found=True,
        )
        self._named_feeds: dict[int, list[str]] = {}
        self._owed = 0
        self._exploring = False
        self._fetching_ended = False
        self._beginning: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._begins_sources: Counter[int] = Counter()
        self._begins_domains: Counter[str] = Counter()

    def stop(self) -> None:
        """Start no further request; what is in flight is finished and recorded."""
        self.report.stopped = True
        self._crawling.politeness.stop()
        if self._loop is not None:
            self._loop.stop()

    def give_up(self) -> None:
        """Wait no longer for what is in flight, which is then still owed."""
        if self._loop is not None:
            self._loop.abandon()
        for task in (self._beginning, self._following):
            if task is not None:
                task.cancel()

    async def run(self) -> CrawlReport:
        """Crawl to the end.

        Raises `UsageError` or `NotFound` for a target that is neither a URL nor a source, `ArchiveUnavailable` and
        `DatabaseUnavailable` when what was fetched can no longer be kept.
        """
        urls, sources = await self._sort_targets()
        self._named = NamedTargets(urls, self.report.named)
        self._source_ids = {stored.source_id for stored in sources}
        feeds = await self._crawling.read(lambda tx: tx.feeds.for_sources(self._source_ids)) if sources else []
        self._beginning = beginning = asyncio.create_task(self._begin_all(feeds, urls))
        # Hosts that say nothing must not keep the pages of others waiting. With a limit, all must be known before.
        await asyncio.wait({beginning}, timeout=BEGIN_SECONDS if self._request.limit is None else None)
        try:
            if not self.report.stopped and not _has_failed(beginning):
                await self._explore_and_fetch(beginning)
        finally:
            await _end_of(beginning)
        self._explorer.close()
        self.report.held = self._holds()
        await self._close_account()
        return self.report

    def _holds(self) -> dict[str, Hold]:
        politeness, now = self._crawling.politeness, utc_now()
        holds = {host: politeness.hold(host, now=now) for host in politeness.held_hosts(now=now)}
        return {host: hold for host, hold in holds.items() if hold is not None}

    async def _host_by_host(
        self,
        items: Sequence[Item],
        act: Callable[[Item], Awaitable[None]],
        *,
        host: Callable[[Item], str],
        at_once: int,
    ) -> None:
        """Act on items, those of one host one after the other, so that none has begun to wait when we are stopped."""
        places = asyncio.Semaphore(max(at_once, 1))

        async def act_on(queue: Sequence[Item]) -> None:
            for item in queue:
                async with places:
                    if self.report.stopped:
                        return
                    try:
                        await act(item)
                    except FetchingStopped:
                        return

        queues: dict[str, list[Item]] = {}
        for item in items:
            queues.setdefault(host(item), []).append(item)
        await finish_all(act_on(queue) for queue in queues.values())

    # Targets

    async def _sort_targets(self) -> tuple[list[str], list[StoredSource]]:
        known = {stored.source.slug: stored for stored in await self._crawling.read(lambda tx: tx.sources.all())}
        if not self._request.targets:
            sources = [stored for stored in known.values() if stored.watched and not stored.paused]
            if not sources:
                raise UsageError(
                    "crawl", "there is no source yet", "name a URL, or add a [[source]] to the configuration"
                )
            return [], sources
        urls, sources = [], []
        for target in dict.fromkeys(self._request.targets):
            source = known.get(target)
            # A source that stands for a domain, which nobody watches, is no name that anybody gave.
            if source is not None and (source.configured or source.watched):
                sources.append(source)
            else:
                urls.append(_target_url(target, known))
        return list(dict.fromkeys(urls)), sources

    async def _visit(self, url: str) -> None:
        try:
            await self._look_into(url)
        except (MorgueError, FetchingStopped):
            raise
        except Exception:
            # The boundary of one target: its failure must not cost the others.
            log.exception("target_broke", url=url)
            self._named.broke(url)
        finally:
            self._begins_domains[registrable_domain(url)] -= 1

    async def _look_into(self, url: str) -> None:
        """Find out what a named URL is, poll it if it is a feed, and take it in as a page if it is not."""
        feed = await self._crawling.read(lambda tx: tx.feeds.by_url(url))
        if self._request.watch:
            await self._watch(url, feed)
        if feed is not None:
            self._note_named(feed, url)
            await self._begin(feed, watched=self._request.watch)
            return
        key = url_key(url)
        # From before it is looked whether the page loop has it already, so that one of both leaves it to the other.
        self._visiting.add(key)
        try:
            await self._look_at_page(url)
        finally:
            self._visiting.discard(key)

    async def _look_at_page(self, url: str) -> None:
        page = await self._page_at(url)
        if page is not None and self._named.was_looked_at(page.page_id):
            self._named.stands_for(page.page_id, url)
        elif page is not None and (page.article_id is not None or self._is_in_hand(page)):
            self._leave_to_loop(page, url)
        elif await self._limit.take():
            was_page, by_others = False, None
            try:
                was_page = not self.report.stopped and await self._visit_unknown(url)
            except NoLongerOwed:
                by_others = await self._page_at(url)
            finally:
                self._limit.settle(was_page=was_page)
            if by_others is not None:
                self._leave_to_loop(by_others, url)

    def _leave_to_loop(self, page: PageState, url: str) -> None:
        """Have the page loop fetch what is named, unless it has been fetched since."""
        self._named.stands_for(page.page_id, url)
        self._page_ids.add(page.page_id)
        if self._loop is not None:
            self._loop.ask_soon()

    def _is_in_hand(self, page: PageState) -> bool:
        return self._loop is not None and self._loop.has_in_hand(page.page_id)

    async def _page_at(self, url: str) -> PageState | None:
        key = url_key(url)
        return await self._crawling.read(lambda tx: tx.pages.by_key(key))

    async def _watch(self, url: str, feed: FeedState | None) -> None:
        """Hand a named URL to the service: its source, and the feed if it is known as one."""
        await self._visits.source_of(url)
        if feed is not None:
            await self._crawling.recorder.write(
                lambda tx: tx.feeds.ensure(feed.source_id, feed.url, utc_now(), watched=True)
            )

    async def _visit_unknown(self, url: str) -> bool:
        """Fetch what nothing is known of and take it in; returns whether it is a page.

        Raises `NoLongerOwed` when another process has fetched it since.
        """
        asked_at = utc_now()

        async def still_owed() -> bool:
            page = await self._page_at(url)
            return page is None or page.last_fetch_at is None or page.last_fetch_at < asked_at

        source = await self._visits.source_of(url)
        fetched, kind = await self._visits.fetch(url, source, still_owed=still_owed)
        if kind is not None:
            self._crawling.fetcher.recorded(fetched)
            feed = await self._visits.index_at(url, kind, source)
            self._note_named(feed, url)
            await self._begin(feed, watched=self._request.watch, fetched=fetched)
            return False
        page = await self._crawling.recorder.write(
            lambda tx: tx.pages.ensure(source.source_id, feed_entry(url), self._started_at, due=False)
        )
        self._named.stands_for(page.page_id, url)
        self.report.to_fetch += 1
        await self._take_in(page, fetched)
        return True

    # Indexes

    async def _begin_all(self, feeds: Sequence[FeedState], urls: Sequence[str]) -> None:
        """Read the indexes that are configured, and find out what the named URLs are."""
        self._begins_domains.update(registrable_domain(url) for url in urls)
        await self._poll_all(feeds)
        await self._host_by_host(urls, self._visit, host=host_key, at_once=len(urls))

    def _has_begun(self, source_id: int) -> bool:
        """Whether all of a source was begun: what its feeds list tells how the links of its other pages are sorted."""
        source = self._crawling.sources.source(source_id).source
        domains = {source.slug, *domains_of(source)}
        return not self._begins_sources[source_id] and not any(self._begins_domains[domain] for domain in domains)

    async def _poll_all(self, feeds: Sequence[FeedState]) -> None:
        """Read the indexes that are configured or were named; those that were only found are followed later."""
        roots = [feed for feed in feeds if feed.depth is None]
        self.report.roots.update(feed.feed_id for feed in roots)
        self._begins_sources.update(feed.source_id for feed in roots)

        async def begin(feed: FeedState) -> None:
            try:
                await self._begin(feed)
            finally:
                self._begins_sources[feed.source_id] -= 1

        await self._host_by_host(roots, begin, host=lambda feed: host_key(feed.url), at_once=FEEDS_AT_ONCE)
        for feed in feeds:
            if feed.depth is not None:
                self._explorer.later(feed, watched=True)

    def _note_named(self, feed: FeedState, url: str) -> None:
        self.report.roots.add(feed.feed_id)
        self._named_feeds.setdefault(feed.feed_id, []).append(url)

    async def _begin(self, feed: FeedState, *, watched: bool = True, fetched: Fetched | None = None) -> None:
        try:
            await self._explorer.begin(feed, watched=watched, fetched=fetched)
        except (MorgueError, FetchingStopped):
            raise
        except Exception:
            # The boundary of one index: its failure must not cost the others.
            log.exception("feed_not_polled", feed_id=feed.feed_id, url=feed.url)
            self._note_poll(PollResult(feed=feed, outcome=None, reason=INTERNAL_ERROR))

    def _note_begun(self, result: PollResult) -> None:
        self._feed_ids.add(result.feed.feed_id)
        self._news_of(result)

    def _note_poll(self, result: PollResult) -> None:
        self.report.feeds.append(result)
        for url in self._named_feeds.pop(result.feed.feed_id, ()):
            self._named.is_feed(url)
        self._news_of(result)

    def _news_of(self, result: PollResult) -> None:
        if self._exploring and self._request.limit is None:
            self.report.to_fetch = max(self.report.to_fetch, self._owed + self._explorer.new)
        if self._loop is not None and result.new:
            self._loop.ask_soon()
        self._progress(self.report)

    def _is_enough(self) -> bool:
        """Whether no further index is wanted, because the pages that are known already are as many as may be fetched"""
        if self.report.stopped or self._fetching_ended:
            return True
        return self._limit.left is not None and self._owed + self._explorer.new >= self._limit.left

    async def _explore_and_fetch(self, beginning: "asyncio.Future[None]") -> None:
        """Follow where the indexes lead, and meanwhile fetch the pages that are known."""
        self._exploring = True
        self._following = exploring = asyncio.create_task(self._explore(beginning))
        try:
            await self._fetch_pages()
        finally:
            self._fetching_ended = True
            await _end_of(exploring)

    async def _explore(self, beginning: "asyncio.Future[None]") -> None:
        try:
            await self._explorer.follow(beginning=beginning, ready=self._has_begun)
        finally:
            self._exploring = False
            if self._loop is not None:
                self._loop.ask_soon()

    # Pages

    async def _fetch_pages(self) -> None:
        recrawl_since = self._started_at if self._request.recrawl else None

        def count(tx: Transaction) -> int:
            return tx.pages.count_to_fetch(
                self._scope(), now=utc_now(), named_since=self._started_at, recrawl_since=recrawl_since
            )

        new_before = self._explorer.new
        owed, limit = await self._crawling.read(count), self._limit.left
        self.report.to_fetch += owed if limit is None else min(owed, limit)
        self._owed = self.report.to_fetch - new_before
        self._progress(self.report)

        async def next_pages(
            *, exclude_hosts: Collection[str], exclude_pages: Collection[int], limit: int
        ) -> Sequence[PageState]:
            return await self._crawling.read(
                lambda tx: tx.pages.to_fetch(
                    self._scope(),
                    now=utc_now(),
                    named_since=self._started_at,
                    recrawl_since=recrawl_since,
                    exclude_hosts=exclude_hosts,
                    exclude_pages=exclude_pages,
                    limit=limit,
                )
            )

        async def fetch(page: PageState) -> Fetched:
            # What is fetched by its name and not yet recorded would seem to be owed still.
            if page.url_key in self._visiting:
                raise NoLongerOwed
            return await fetch_page(self._crawling, page, named=page.page_id in self._page_ids)

        self._loop = PageLoop(
            next_pages=next_pages,
            fetch=fetch,
            ingest=self._take_in,
            held_hosts=lambda: self._crawling.politeness.held_hosts(now=utc_now()),
            ingests_at_once=self._crawling.settings.processes * 4,
            limit=limit,
            more_coming=lambda: self._exploring,
        )
        await self._loop.run()

    def _scope(self) -> CrawlScope:
        return CrawlScope(
            source_ids=frozenset(self._source_ids),
            feed_ids=frozenset(self._feed_ids),
            page_ids=frozenset(self._page_ids),
        )

    async def _take_in(self, page: PageState, fetched: Fetched) -> None:
        try:
            recorded = await self._crawling.ingest.ingest(page, fetched, at_once=self._request.recrawl)
        finally:
            self._crawling.fetcher.recorded(fetched)
        self._note_page(page, recorded)

    def _note_page(self, page: PageState, recorded: Recorded) -> None:
        self.report.outcomes[recorded.outcome] += 1
        if recorded.reason is not None:
            self.report.reasons[recorded.reason] += 1
        for released in recorded.released_page_ids:
            self._named.stands_alone(released)
        if recorded.primary_page_id is None:
            self._named.looked_at(page.page_id, recorded.outcome, recorded.reason)
        else:
            if self._named.is_named(page.page_id):
                self._page_ids |= {page.page_id, recorded.primary_page_id}
            self._named.leads_to(page.page_id, recorded.primary_page_id)
        if self._loop is not None and (recorded.released_page_ids or recorded.primary_page_id is not None):
            self._loop.ask_soon()
        self._progress(self.report)

    async def _close_account(self) -> None:
        """Say what became of the named URLs whose pages were not fetched by their names."""
        for url in self._named.open:
            page = await self._page_at(url)
            # The redirect of another page may have led to it.
            if page is None or self._named.was_looked_at(page.page_id):
                continue
            if page.last_outcome and page.last_fetch_at and page.last_fetch_at >= self._started_at:
                self._named.stands_for(page.page_id, url)
                self._named.looked_at(page.page_id, page.last_outcome, None)
        self._named.close(self._why_not)

    def _why_not(self, url: str) -> str:
        if self.report.stopped:
            return STOPPED
        if (hold := self.report.held.get(host_key(url))) is not None:
            return hold.reason
        spent = self._request.limit is not None and self.report.fetched >= self._request.limit
        return LIMIT if spent else INTERNAL_ERROR


def _has_failed(task: "asyncio.Future[None]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


async def _end_of(task: "asyncio.Task[None]") -> None:
    """Wait for the end of a task, also of one that was given up, and raise what it raised."""
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not task.cancelled():
        task.result()


async def finish_all(tasks: Iterable[Awaitable[None]]) -> None:
    """Run these side by side to their ends, and only then raise what the first that failed raised."""
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def fetch_page(crawling: Crawling, page: PageState, *, by_service: bool = False, named: bool = False) -> Fetched:
    """Fetch a page, conditionally where its validators still speak for what we hold.

    Raises `NoLongerOwed` when another process has fetched it since it was taken from the database, or somebody paused
    it, which `named` pages are fetched in spite of.
    """

    async def still_owed() -> bool:
        return await crawling.read(lambda tx: tx.operating.is_owed(page, by_service=by_service, named=named))

    settings = crawling.sources.reading_settings(page.source_id)
    # A page that was no article to another extractor may be one to this.
    speaks = page.seen_capture_id is not None or page.seen_extractor == settings.extractor
    speaks = speaks and page.is_conditional
    return await crawling.fetcher.fetch(
        FetchRequest(
            url=page.asked_url,
            kind=FetchKind.PAGE,
            source_id=page.source_id,
            delay_seconds=crawling.sources.delay_seconds(page.source_id),
            etag=page.etag if speaks else None,
            last_modified=page.last_modified if speaks else None,
            validators_of=page.landed_url,
        ),
        still_owed=still_owed,
    )


def _target_url(target: str, known: Collection[str]) -> str:
    if "://" not in target and "." not in target.partition("/")[0]:
        names = ", ".join(sorted(known)) or "none yet"
        raise NotFound(target, "is neither a URL nor the slug of a source", f"known sources: {names}")
    try:
        return clean_url(target if "://" in target else f"https://{target}")
    except InvalidUrl as problem:
        raise UsageError(target, str(problem), "name an http or https URL") from problem
