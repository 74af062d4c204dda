"""What is told to whoever watches a crawler at work: events as they happen, for counters and histograms.

The crawler knows nothing of metrics; it calls these few methods, from its loop and from the thread that writes.
"""

from typing import Protocol

from storage.records import Fetch, Recorded


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
        """The extraction pool was broken, and a new one took its place."""


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
