"""What somebody asks of a crawl, and the account of what became of it."""

from collections import Counter
from dataclasses import dataclass, field

from crawler.named import NamedResult
from crawler.politeness import Hold
from crawler.polling import PollResult
from crawler.trails import Reached


@dataclass(frozen=True, kw_only=True)
class CrawlRequest:
    """What somebody asked for. Targets are URLs or slugs of sources; none means all sources.

    `recrawl` looks again at everything known in that scope; `limit` is the number of pages to fetch at most; `watch`
    hands the named URLs to the service, which looks after them from then on.
    """

    targets: tuple[str, ...] = ()
    recrawl: bool = False
    limit: int | None = None
    watch: bool = False


@dataclass(kw_only=True)
class CrawlReport:
    """An account of a crawl, growing while it runs."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    feeds: list[PollResult] = field(default_factory=list)
    roots: set[int] = field(default_factory=set)
    reached: list[Reached] = field(default_factory=list)
    named: list[NamedResult] = field(default_factory=list)
    held: dict[str, Hold] = field(default_factory=dict)
    to_fetch: int = 0
    stopped: bool = False

    @property
    def fetched(self) -> int:
        """How many pages were fetched."""
        return sum(self.outcomes.values())

    @property
    def failed_targets(self) -> list[str]:
        """The URLs and indexes that were named, or configured, and did not give what they were named for."""
        named = [result.url for result in self.named if result.failed]
        return named + [result.feed.url for result in self._failed if result.feed.feed_id in self.roots]

    @property
    def failed_indexes(self) -> list[str]:
        """The indexes that nobody named, but something led to, and that could not be read."""
        return [result.feed.url for result in self._failed if result.feed.feed_id not in self.roots]

    @property
    def _failed(self) -> list[PollResult]:
        return [result for result in self.feeds if not result.healthy]
