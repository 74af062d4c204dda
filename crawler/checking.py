"""Tries a source and says what a crawl would get from it, and why. Stores no page: only that it was asked for."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from crawler.discovery.listing import FoundIndex
from crawler.fetching import Fetched, FetchRequest
from crawler.home_pages import HomePages
from crawler.index_reading import SITEMAPS, IndexRead, is_home
from crawler.page_reading import task_of
from crawler.report import WAYS_OUT
from crawler.runner import Crawling
from storage.model import FeedKind, FetchKind, StatedTime
from storage.outcomes import POLLED_WELL, Outcome
from storage.records import FeedEntry, FeedState, StoredSource
from storage.sources import indexes_of

INDEXES = 12
"""Indexes of a source that are tried; what is beyond is only counted."""
SAMPLES = 3
"""Articles that are read to see what the extractor makes of them."""
_LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class IndexCheck:
    """What one index would give. `explained` holds (url, verdict, reason) of its first links."""

    url: str
    kind: FeedKind
    found_by: str
    outcome: Outcome
    reason: str | None = None
    articles: int = 0
    indexes: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    explained: Sequence[tuple[str, str, str]] = ()

    @property
    def healthy(self) -> bool:
        """Whether it answered as an index."""
        return self.outcome in POLLED_WELL


@dataclass(frozen=True, kw_only=True)
class SampleCheck:
    """What reading one of the listed pages gives; without a headline, `outcome` and `reason` say why."""

    url: str
    outcome: Outcome
    reason: str | None = None
    headline: str | None = None
    words: int = 0
    published: StatedTime | None = None


@dataclass(frozen=True, kw_only=True)
class SourceCheck:
    """What a source would give. `problems` are codes with a sentence each; empty where all is well. `not_tried` counts
    the indexes beyond the first twelve."""

    slug: str
    indexes: Sequence[IndexCheck]
    samples: Sequence[SampleCheck]
    problems: Mapping[str, str]
    not_tried: int = 0


def problems_of(indexes: Sequence[IndexCheck], samples: Sequence[SampleCheck]) -> dict[str, str]:
    """Return what is wrong with a source, or deserves a setting, by what was seen of it. Pure."""
    problems: dict[str, str] = {}
    if not indexes:
        problems["nothing_configured"] = "it names no feed, sitemap, section or homepage"
    for check in indexes:
        if not check.healthy:
            why = f" ({check.reason})" if check.reason else ""
            hint = f"; {WAYS_OUT[check.reason]}" if check.reason in WAYS_OUT else ""
            problems.setdefault("index_failed", f"{check.url}: {check.outcome}{why}{hint}")
    if indexes and not any(check.articles or check.indexes for check in indexes):
        problems["no_articles_listed"] = "nothing that it names leads to an article"
    readable = [sample for sample in samples if sample.headline is not None]
    if samples and not readable:
        worst = Counter(f"{sample.outcome}, {sample.reason}" for sample in samples).most_common(1)[0][0]
        problems["no_sample_is_an_article"] = f"none of the pages that were tried reads as an article ({worst})"
    if any(sample.published is not None and sample.published.instant is None for sample in readable):
        problems["no_time_zone"] = "its pages give times without a zone, which have no instant until `timezone` is set"
    return problems


class SourceChecker:
    """Checks sources, politely: at most twelve indexes, each once, and three pages."""

    def __init__(self, crawling: Crawling) -> None:
        self._crawling = crawling
        self._home = HomePages(poller=crawling.poller, fetcher=crawling.fetcher)

    async def check(self, stored: StoredSource) -> SourceCheck:
        """Return what a source would give. Raises `FetchingStopped`, `DatabaseUnavailable`."""
        indexes: list[IndexCheck] = []
        listed: dict[str, FeedEntry] = {}
        wanted = [(url, kind, "configured") for url, kind in indexes_of(stored.source).items()]
        asked: set[str] = set()
        while wanted and len(asked) < INDEXES:
            url, kind, found_by = wanted.pop(0)
            if url in asked:
                continue
            asked.add(url)
            check, entries, found = await self._index(stored, url, kind, found_by)
            indexes.append(check)
            listed |= {entry.url_key: entry for entry in entries if entry.url_key not in listed}
            wanted += [(index.url, index.kind, index.found_by.value) for index in found]
        samples = [await self._sample(stored, entry) for entry in _newest(listed.values())[:SAMPLES]]
        return SourceCheck(
            slug=stored.source.slug,
            indexes=indexes,
            samples=samples,
            problems=problems_of(indexes, samples),
            not_tried=len({url for url, _, _ in wanted} - asked),
        )

    async def _index(
        self, stored: StoredSource, url: str, kind: FeedKind, found_by: str
    ) -> tuple[IndexCheck, Sequence[FeedEntry], Sequence[FoundIndex]]:
        feed = FeedState(feed_id=0, source_id=stored.source_id, url=url, kind=kind)
        fetched = await self._crawling.poller.ask(feed, stored.source)
        read = await self._crawling.poller.read(feed, stored.source, fetched)
        await self._crawling.poller.record_fetches(fetched, outcome=read.outcome, reason=read.reason)
        found: Sequence[FoundIndex] = ()
        if kind is FeedKind.SECTION and is_home(url, stored.source) and read.outcome in POLLED_WELL:
            found = await self._found_at_home(stored, fetched)
        elif (read.kind or kind) in SITEMAPS:
            # One sitemap shows what the others are like.
            found = read.indexes[:1]
        return _index_check(url, kind, found_by, read), read.entries, found

    async def _found_at_home(self, stored: StoredSource, fetched: Fetched) -> list[FoundIndex]:
        url = fetched.final_url
        page = (await self._crawling.poller.reader.page(fetched)).page
        if page is None:
            return []
        feeds = await self._home.feeds(page, stored, url=url)
        return [*feeds, *await self._home.sitemaps(stored, url=url)]

    async def _sample(self, stored: StoredSource, entry: FeedEntry) -> SampleCheck:
        fetched = await self._crawling.fetcher.fetch(
            FetchRequest(
                url=entry.url,
                kind=FetchKind.PAGE,
                source_id=stored.source_id,
                delay_seconds=stored.source.delay_seconds,
            )
        )
        sample = await self._read_sample(stored, entry.url, fetched)
        await self._crawling.poller.record_fetches(fetched, outcome=sample.outcome, reason=sample.reason)
        return sample

    async def _read_sample(self, stored: StoredSource, url: str, fetched: Fetched) -> SampleCheck:
        exchange = fetched.last.attempt.exchange
        if fetched.last.outcome is not None or exchange is None:
            outcome = fetched.last.outcome or Outcome.NETWORK_ERROR
            return SampleCheck(url=url, outcome=outcome, reason=fetched.last.reason)
        read = await self._crawling.reader.read(
            task_of(
                exchange,
                url=fetched.final_url,
                timezone=stored.source.timezone,
                robots_token="",
                max_bytes=self._crawling.settings.max_bytes,
            )
        )
        reading = read.reading
        if reading is None:
            return SampleCheck(url=url, outcome=read.outcome or Outcome.EXTRACT_FAILED, reason=read.reason)
        if reading.article is None:
            return SampleCheck(url=url, outcome=reading.outcome or Outcome.EXTRACT_FAILED, reason=reading.reason)
        return SampleCheck(
            url=url,
            outcome=Outcome.LISTED,
            reason="sample",
            headline=reading.article.headline,
            words=len(reading.article.body.split()),
            published=reading.article.published,
        )


def _index_check(url: str, kind: FeedKind, found_by: str, read: IndexRead) -> IndexCheck:
    return IndexCheck(
        url=url,
        kind=read.kind or kind,
        found_by=found_by,
        outcome=read.outcome,
        reason=read.reason,
        articles=len(read.entries),
        indexes=len(read.indexes),
        left_out=dict(read.left_out),
        explained=read.explained or [(entry.url, "article", "listed") for entry in read.entries],
    )


def _newest(entries: Iterable[FeedEntry]) -> list[FeedEntry]:
    """Return entries with the newest first, those without a date behind in their order."""
    return sorted(entries, key=lambda entry: entry.published_at or entry.updated_at or _LONG_AGO, reverse=True)
