"""What is told to whoever watches a crawler at work: events as they happen, for counters, histograms and the log.

The crawler knows nothing of metrics; it calls these few methods, from its loop and from the thread that writes.
"""

from typing import Protocol

import structlog

from storage.disappearance import MANY_GONE
from storage.outcomes import MAKES_VERSION
from storage.records import Fetch, PageState, Recorded

log = structlog.get_logger()


class Watcher(Protocol):
    """Is told of events. Every method must return at once, may be called from any thread, and never raises."""

    def fetch_recorded(self, fetch: Fetch) -> None:
        """One attempt was committed, with its final outcome; each attempt is told once."""

    def version_recorded(self, source_id: int | None, recorded: Recorded) -> None:
        """A version was committed: `recorded` has its number and what changed."""

    def committed(self, seconds: float) -> None:
        """The writing thread committed a transaction that it had open for so long."""

    def page_read(self, seconds: float, failure: str | None) -> None:
        """The extraction pool read a page or failed to: `timeout`, `crash`, or `error` where the extractor raised."""

    def pool_restarted(self) -> None:
        """A worker process did not start, or ended while idle, and its work was given to another."""


class _Unwatched:
    """Nobody watches."""

    def fetch_recorded(self, fetch: Fetch) -> None:
        """Tell nobody."""

    def version_recorded(self, source_id: int | None, recorded: Recorded) -> None:
        """Tell nobody."""

    def committed(self, seconds: float) -> None:
        """Tell nobody."""

    def page_read(self, seconds: float, failure: str | None) -> None:
        """Tell nobody."""

    def pool_restarted(self) -> None:
        """Tell nobody."""


UNWATCHED: Watcher = _Unwatched()
"""For crawls that nobody watches."""


def say_what_came(page: PageState, recorded: Recorded) -> None:
    """Log what a look came to: what makes a version for everybody, the rest for who looks closely."""
    if recorded.outcome in MAKES_VERSION:
        log.info(
            "version_recorded",
            page_id=page.page_id,
            article_id=recorded.article_id,
            number=recorded.version_number,
            change=recorded.change,
            outcome=recorded.outcome,
            url=page.url,
        )
    else:
        log.debug("page_fetched", page_id=page.page_id, url=page.url, outcome=recorded.outcome, reason=recorded.reason)
    if recorded.reason == MANY_GONE:
        log.warning("many_pages_gone_at_once", host=page.host, url=page.url)
