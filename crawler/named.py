"""Keeps account of the URLs that somebody named: of each it says in the end what became of it, and why."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from crawler.polling import INTERNAL_ERROR
from storage.outcomes import ARTICLE_SEEN, Outcome

LIMIT = "limit"
STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class NamedResult:
    """What became of a URL that was named.

    `outcome` is None where it was not looked at; `reason` then is `limit`, `stopped`, `internal_error`, or why its host
    is left alone: `host_asked_to_wait`, `host_refuses` or `budget_spent`.
    """

    url: str
    outcome: Outcome | None
    reason: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the target did not give what it was named for; whoever sets a limit wants no more than that."""
        if self.outcome is None:
            return self.reason != LIMIT
        return self.outcome not in ARTICLE_SEEN and self.outcome is not Outcome.LISTED


class NamedTargets:
    """The named URLs of one crawl. Their results go into `results` as they come."""

    def __init__(self, urls: Iterable[str], results: list[NamedResult]) -> None:
        self._open = dict.fromkeys(urls)
        self._results = results
        self._urls_of_page: dict[int, list[str]] = {}
        self._looks: dict[int, tuple[Outcome, str | None]] = {}
        self._primaries: dict[int, int] = {}
        self._named_pages: dict[str, int] = {}

    @property
    def open(self) -> list[str]:
        """The URLs that nothing is said about yet."""
        return list(self._open)

    def was_looked_at(self, page_id: int) -> bool:
        """Whether a page was looked at in this crawl, under whatever name."""
        return page_id in self._looks or page_id in self._primaries

    def is_named(self, page_id: int) -> bool:
        """Whether some URL stands for a page."""
        return bool(self._urls_of_page.get(page_id))

    def leads_to(self, page_id: int, primary_id: int) -> None:
        """Note that another page stands for one that was looked at: what its URLs came to is seen there."""
        self._primaries[page_id] = primary_id
        for url in self._urls_of_page.pop(page_id, ()):
            self._named_pages.setdefault(url, page_id)
            self.stands_for(primary_id, url)

    def stands_alone(self, page_id: int) -> None:
        """Note that no other page stands for one after all: it is to be looked at again, by its URLs."""
        if self._primaries.pop(page_id, None) is None:
            return
        own = [url for url, named in self._named_pages.items() if named == page_id]
        for urls in self._urls_of_page.values():
            urls[:] = [url for url in urls if url not in own]
        self._urls_of_page.setdefault(page_id, []).extend(own)

    def stands_for(self, page_id: int, url: str) -> None:
        """Note the page that a URL names; several URLs may name one page."""
        if page_id in self._primaries:
            self._named_pages.setdefault(url, page_id)
            page_id = self._primaries[page_id]
        self._urls_of_page.setdefault(page_id, []).append(url)
        if page_id in self._looks:
            self._end(url, *self._looks[page_id])

    def is_feed(self, url: str) -> None:
        """Note that a URL is a feed, which has an account of its own."""
        self._open.pop(url, None)

    def looked_at(self, page_id: int, outcome: Outcome, reason: str | None) -> None:
        """Note what a page came to; of one that is looked at again in this crawl, the last look counts."""
        self._looks[page_id] = (outcome, reason)
        for url in self._urls_of_page.get(page_id, ()):
            if url not in self._open:
                self._results[:] = [result for result in self._results if result.url != url]
                self._open[url] = None
            self._end(url, outcome, reason)

    def broke(self, url: str) -> None:
        """Note that we failed, not the URL."""
        self._end(url, None, INTERNAL_ERROR)

    def close(self, why: Callable[[str], str]) -> None:
        """Say of every URL that is left why it was not looked at."""
        for url in self.open:
            self._end(url, None, why(url))

    def _end(self, url: str, outcome: Outcome | None, reason: str | None) -> None:
        if url in self._open:
            del self._open[url]
            self._results.append(NamedResult(url=url, outcome=outcome, reason=reason))
