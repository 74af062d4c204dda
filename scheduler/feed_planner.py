"""Gives every feed that has no next poll one, by the rule of its source. Idempotent."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from crawler.intervals import is_cron, parse_duration
from crawler.runner import SourceBook
from scheduler.feed_polling import next_poll_at, poll_interval
from scheduler.local import next_cron_time
from storage.errors import MorgueError
from storage.records import FeedState
from storage.store import Store

log = structlog.get_logger()

FALLBACK_POLL = timedelta(minutes=15)
"""How often a feed is polled whose own rule fails: the interval of a configuration that sets none."""

PollDue = Callable[[FeedState, datetime], datetime]
"""Says when a feed is due next, given the present instant."""


def every(interval: timedelta) -> PollDue:
    """Return the rule of a fixed interval."""
    return lambda feed, now: next_poll_at(feed, interval=interval, now=now)


def poll_rule(sources: SourceBook, default_poll: str) -> Callable[[int], PollDue]:
    """Return, for a source's id, the rule that says when its feeds are due: its own `poll`, or the default's, which
    differs by the kind of feed."""

    def rule(source_id: int) -> PollDue:
        source = sources.source(source_id).source
        poll = source.poll or default_poll
        if is_cron(poll):
            return lambda feed, now: (
                next_cron_time(poll, timezone=source.timezone, after=feed.last_polled_at or now)
                if feed.last_polled_at
                else now
            )
        interval = parse_duration(poll)
        if source.poll is not None:
            return every(interval)
        return lambda feed, now: next_poll_at(feed, interval=poll_interval(feed, default=interval), now=now)

    return rule


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
