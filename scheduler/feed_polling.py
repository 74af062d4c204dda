"""When to poll a feed again. Pure: facts and the present instant in, an instant out."""

from datetime import datetime, timedelta

from storage.model import FeedKind
from storage.records import FeedState

LONGEST_POLL = timedelta(hours=24)
SITEMAP_POLL = timedelta(hours=6)
SECTION_POLL = timedelta(hours=1)
FOUND_SECTION_POLL = timedelta(hours=6)
"""A section that a home page or another section led to."""
_SHORTEST_BY_KIND = {FeedKind.SITEMAP: SITEMAP_POLL, FeedKind.SECTION: SECTION_POLL}


def poll_interval(feed: FeedState, *, default: timedelta) -> timedelta:
    """Return how often a feed is polled of whose source nobody said how often.

    `default` holds for feeds and news sitemaps, longer where the feed itself asks to be left alone for longer (`ttl`, a
    day at most). Other sitemaps and sections change less, or matter less because feeds tell of the same articles.
    """
    shortest = _SHORTEST_BY_KIND.get(feed.kind, timedelta(0))
    if feed.kind is FeedKind.SECTION and feed.found_by == "section":
        shortest = FOUND_SECTION_POLL
    asked = timedelta(seconds=feed.ttl_seconds or 0)
    return max(default, shortest, min(asked, LONGEST_POLL))


def next_poll_at(feed: FeedState, *, interval: timedelta, now: datetime) -> datetime:
    """Return when a feed that is polled every `interval` is due next; later after failures in a row, at most a day."""
    if feed.last_polled_at is None:
        return now
    wait = min(interval * (1 + feed.consecutive_failures), max(LONGEST_POLL, interval))
    return feed.last_polled_at + wait
