"""Crawling in tests: the same code as the commands run, in this process, on a database and an archive of the test's."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from crawler import reactor
from crawler.catalogue import sources
from crawler.crawl_account import CrawlReport, CrawlRequest
from crawler.crawl_session import run_crawl
from crawler.settings import CrawlSettings, SourceSettings
from storage.clock import utc_now
from storage.model import Article, Event, PollReason, Version
from storage.records import FeedPlan, FeedState, Fetch
from storage.settings import ArchiveSettings
from storage.store import Store

USER_AGENT = "morgue-tests/1 (+mailto:tests@example.org)"


def due_now(feeds: Iterable[FeedState]) -> list[FeedPlan]:
    """Return plans by which feeds are due at once."""
    return [FeedPlan(feed_id=feed.feed_id, next_poll_at=utc_now(), reason=PollReason.REQUESTED) for feed in feeds]


@dataclass
class Morgue:
    """A morgue for one test."""

    store: Store
    folder: Path
    crawl_settings: CrawlSettings = field(
        default_factory=lambda: CrawlSettings(
            user_agent=USER_AGENT, allow_private_addresses=True, delay_seconds=0, processes=1, timeout_seconds=10
        )
    )
    archive: ArchiveSettings | None = None

    def __post_init__(self) -> None:
        self.archive = self.archive or ArchiveSettings(directory=self.folder / "archive")

    def add_source(self, **settings) -> None:
        """Configure one source."""
        with self.store.writing() as transaction:
            transaction.sources.sync(sources([SourceSettings(**settings)]), utc_now())

    def crawl(self, *targets: str, recrawl: bool = False, limit: int | None = None, watch: bool = False) -> CrawlReport:
        """Crawl once."""
        return reactor.run(
            run_crawl(
                self.store,
                CrawlRequest(targets=targets, recrawl=recrawl, limit=limit, watch=watch),
                crawl=self.crawl_settings,
                archive=self.archive,
                software="morgue/test",
                progress=lambda report: None,
            )
        )

    def articles(self) -> list[Article]:
        """Return all articles."""
        with self.store.reading() as transaction:
            return transaction.versions.articles(limit=100_000)

    def article(self, url: str) -> Article:
        """Return the article at a URL."""
        from crawler.urls import url_key

        with self.store.reading() as transaction:
            article = transaction.versions.for_url_key(url_key(url))
        assert article is not None, f"no article at {url}"
        return article

    def history(self, url: str) -> list[Version]:
        """Return every version of the article at a URL."""
        with self.store.reading() as transaction:
            return transaction.versions.history(self.article(url).article_id)

    def events(self) -> list[Event]:
        """Return the change feed."""
        with self.store.reading() as transaction:
            return transaction.events.since(0, 100_000)

    def fetches(self) -> list[Fetch]:
        """Return every attempt, the first one first."""
        with self.store.reading() as transaction:
            return list(reversed(transaction.fetches.recent(100_000)))
