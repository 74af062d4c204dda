"""Applies the policy: gives every page and feed that has no next time one. Idempotent, in slices."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from scheduler.policy import next_fetch_at, next_poll_at
from storage.errors import MorgueError
from storage.records import FeedState
from storage.store import Store

log = structlog.get_logger()

SLICE = 500
"""Rows planned in one transaction."""
FALLBACK_POLL = timedelta(minutes=15)
"""How often a feed is polled whose own rule fails: the interval of a configuration that sets none."""

PollDue = Callable[[FeedState, datetime], datetime]
"""Says when a feed is due next, given the present instant."""


RecrawlInterval = Callable[[int], timedelta | None]
"""Gives the fixed interval at which a source's articles are looked at again, or None where the age decides."""


def every(interval: timedelta) -> PollDue:
    """Return the rule of a fixed interval."""
    return lambda feed, now: next_poll_at(feed, interval=interval, now=now)


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


def plan_feeds(store: Store, *, due: Callable[[int], PollDue], now: datetime) -> int:
    """Plan all feeds that have no next poll, and return how many. `due` gives the rule of a source by its id."""
    with store.writing() as transaction:
        feeds = transaction.feeds.unplanned()
        transaction.feeds.plan({feed.feed_id: _next_poll(feed, due, now) for feed in feeds})
    return len(feeds)


def _next_poll(feed: FeedState, due: Callable[[int], PollDue], now: datetime) -> datetime:
    try:
        return due(feed.source_id)(feed, now)
    except MorgueError:
        raise
    except Exception as problem:  # noqa: BLE001 - the boundary of one feed: its rule must not cost the others their plan
        log.warning(
            "poll_rule_failed", feed_id=feed.feed_id, url=feed.url, problem=str(problem), instead=str(FALLBACK_POLL)
        )
        return next_poll_at(feed, interval=FALLBACK_POLL, now=now)
