"""Applies the policy: gives every page that has no next time one. Idempotent, in slices."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.intervals import parse_duration
from crawler.runner import SourceBook
from scheduler.policy import next_fetch_at
from storage.store import Store

SLICE = 500
"""Rows planned in one transaction."""


@dataclass(frozen=True, kw_only=True)
class PlanSettings:
    """How articles are looked at again where their source says nothing else.

    `rule` is the name of a rule, or a duration; `watch_for` how long after its birth an article is watched;
    `half_life` how late an edit may be seen to be worth half; `refetches_per_article` how often an article may be
    fetched again, on average.
    """

    rule: str = "plan"
    watch_for: timedelta = timedelta(days=60)
    half_life: timedelta = timedelta(days=7)
    refetches_per_article: float = 6.0


class PagePlanner:
    """Plans pages, as long as the service runs or once at the end of a crawl."""

    def __init__(self, store: Store, sources: SourceBook, settings: PlanSettings | None = None) -> None:
        self._store = store
        self._sources = sources
        self._settings = settings or PlanSettings()

    def plan(self, now: datetime) -> int:
        """Plan all pages that have no next fetch, and return how many."""
        planned = 0
        while True:
            with self._store.writing() as transaction:
                histories = transaction.pages.unplanned(SLICE)
                plans = {
                    history.page_id: next_fetch_at(history, now=now, recrawl=self._interval(history.source_id))
                    for history in histories
                }
                transaction.pages.plan(plans)
            planned += len(histories)
            if len(histories) < SLICE:
                return planned

    def _interval(self, source_id: int) -> timedelta | None:
        """Return the fixed interval at which a source's articles are looked at again, None where the age decides."""
        recrawl = self._sources.source(source_id).source.recrawl
        return None if recrawl is None else parse_duration(recrawl)
