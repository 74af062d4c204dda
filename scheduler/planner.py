"""Applies the policy: gives every page that has no next time one. Idempotent, in slices."""

from collections.abc import Callable
from datetime import datetime, timedelta

from crawler.intervals import parse_duration
from crawler.runner import SourceBook
from scheduler.policy import next_fetch_at
from storage.store import Store

SLICE = 500
"""Rows planned in one transaction."""
RecrawlInterval = Callable[[int], timedelta | None]
"""Gives the fixed interval at which a source's articles are looked at again, or None where the age decides."""


def plan_pages(store: Store, *, recrawl: RecrawlInterval, now: datetime) -> int:
    """Plan all pages that have no next fetch, and return how many. `recrawl` gives a source's interval by its id."""
    planned = 0
    while True:
        with store.writing() as transaction:
            histories = transaction.pages.unplanned(SLICE)
            plans = {
                history.page_id: next_fetch_at(history, now=now, recrawl=recrawl(history.source_id))
                for history in histories
            }
            transaction.pages.plan(plans)
        planned += len(histories)
        if len(histories) < SLICE:
            return planned


def recrawl_interval(sources: SourceBook) -> RecrawlInterval:
    """Return the fixed interval of recrawls of a source, by its id."""

    def interval(source_id: int) -> timedelta | None:
        recrawl = sources.source(source_id).source.recrawl
        return None if recrawl is None else parse_duration(recrawl)

    return interval
