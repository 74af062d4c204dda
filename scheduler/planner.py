"""Applies the policy: gives every page that has no next time one. Idempotent, in slices."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.intervals import parse_duration
from crawler.runner import SourceBook
from scheduler.policy import NextLook, next_look
from storage.model import NextReason
from storage.records import PageHistory, PagePlan
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
                histories = transaction.page_plans.unplanned(SLICE)
                transaction.page_plans.put([self._plan(history, now) for history in histories])
            planned += len(histories)
            if len(histories) < SLICE:
                return planned

    def _plan(self, history: PageHistory, now: datetime) -> PagePlan:
        interval = self._interval(history.source_id)

        def by_rule() -> NextLook:
            looked_at = history.last_fetch_at or now
            age = max(timedelta(0), looked_at - history.born_at)
            wait = interval or min(max(age / 2, timedelta(minutes=10)), timedelta(days=7))
            return NextLook(looked_at + wait, NextReason.PLAN if interval is None else NextReason.FIXED)

        look = next_look(
            history,
            watch_for=self._settings.watch_for,
            by_rule=by_rule,
            is_hint_worth_it=lambda: True,
            now=now,
            recrawl=interval,
        )
        return PagePlan(page_id=history.page_id, at=look.at, reason=look.reason)

    def _interval(self, source_id: int) -> timedelta | None:
        """Return the fixed interval at which a source's articles are looked at again, None where the age decides."""
        recrawl = self._sources.source(source_id).source.recrawl
        return None if recrawl is None else parse_duration(recrawl)
