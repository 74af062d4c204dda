"""Gives every feed that has no next poll one, by the rule of its source. Idempotent."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from crawler.intervals import is_cron, parse_duration
from crawler.runner import SourceBook
from crawler.urls import host_key
from scheduler.feed_polling import next_fixed_poll, next_poll
from scheduler.local import next_cron_time
from storage.errors import MorgueError
from storage.model import PollReason
from storage.records import FeedPlan, FeedState
from storage.store import Store

log = structlog.get_logger()

FALLBACK_POLL = timedelta(minutes=15)
"""How often a feed is polled whose own rule fails: the interval of a configuration that sets none."""

SLICE = 500
"""Feeds planned in one transaction."""

PollDue = Callable[[FeedState, datetime], FeedPlan]
"""Says when a feed is due next and why, given the present instant."""


def every(interval: timedelta) -> PollDue:
    """Return the rule of a fixed interval."""
    return lambda feed, now: next_fixed_poll(feed, interval=interval, now=now)


def at_times(expression: str, *, timezone: str | None) -> PollDue:
    """Return the rule of a cron expression in a zone, UTC by default.

    A feed is due at the first time after its last poll; what a service missed while it was off is made up for once.
    Where clocks go forward, a time that is left out comes an hour later by them; where they go back, one that comes
    twice counts twice.
    """

    def due(feed: FeedState, now: datetime) -> FeedPlan:
        if feed.last_polled_at is None:
            return FeedPlan(feed_id=feed.feed_id, next_poll_at=now, reason=PollReason.NEW)
        at = next_cron_time(expression, timezone=timezone, after=min(feed.last_polled_at, now))
        return FeedPlan(feed_id=feed.feed_id, next_poll_at=at, reason=PollReason.CRON)

    return due


def poll_rule(sources: SourceBook, default_poll: str) -> Callable[[int], PollDue]:
    """Return, for a source's id, the rule that says when its feeds are due: its own `poll`, or else what is learnt of
    each feed, beginning with the default. A default that is a cron expression holds for all."""

    def rule(source_id: int) -> PollDue:
        source = sources.source(source_id).source
        poll = source.poll or default_poll
        if is_cron(poll):
            return at_times(poll, timezone=source.timezone)
        interval = parse_duration(poll)
        if source.poll is not None:
            return every(interval)
        return lambda feed, now: next_poll(feed, default=interval, now=now)

    return rule


def plan_feeds(store: Store, *, due: Callable[[int], PollDue], now: datetime, anew: bool = False) -> int:
    """Plan all feeds that have no next poll, and return how many. `due` gives the rule of a source by its id.

    What a clock wrote that was ahead for a while counts as written now, or else feeds would be left alone until then.

    With `anew` those that are planned are planned again, as after a change of the rules; where nothing changed, that
    changes nothing. Whatever its rule, no feed is due while its host is left alone (`Retry-After`, 429, 503).
    """
    planned, behind = 0, 0
    while True:
        with store.writing() as transaction:
            if not behind:
                transaction.feeds.forget_wrong_clock(now)
            feeds = transaction.feeds.to_plan(SLICE, behind=behind, anew=anew, now=now)
            if not feeds:
                return planned
            held = {one.host: now + timedelta(seconds=one.seconds) for one in transaction.hosts.held(budget=0)}
            plans = [_not_while_held(feed, _plan(feed, due, now), held) for feed in feeds]
            changed = [plan for feed, plan in zip(feeds, plans, strict=True) if _changes(feed, plan)]
            transaction.feeds.plan(changed)
        planned += len(changed)
        if len(feeds) < SLICE:
            return planned
        behind = feeds[-1].feed_id


def _changes(feed: FeedState, plan: FeedPlan) -> bool:
    is_other = (feed.next_poll_at, feed.next_poll_reason) != (plan.next_poll_at, plan.reason)
    return is_other or plan.learnt_until is not None


def _not_while_held(feed: FeedState, plan: FeedPlan, held: Mapping[str, datetime]) -> FeedPlan:
    until = held.get(host_key(feed.polled_url))
    if until is None or until <= plan.next_poll_at:
        return plan
    return replace(plan, next_poll_at=until, reason=PollReason.RETRY_AFTER)


def _plan(feed: FeedState, due: Callable[[int], PollDue], now: datetime) -> FeedPlan:
    try:
        return due(feed.source_id)(feed, now)
    except MorgueError:
        raise
    except Exception as problem:  # noqa: BLE001 - the boundary of one feed: its rule must not cost the others their plan
        log.warning(
            "poll_rule_failed", feed_id=feed.feed_id, url=feed.url, problem=str(problem), instead=str(FALLBACK_POLL)
        )
        return next_fixed_poll(feed, interval=FALLBACK_POLL, now=now, reason=PollReason.FALLBACK)
