"""When a feed is polled again."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.feed_polling import next_poll_at, poll_interval
from storage.model import FeedKind
from storage.records import FeedState

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("failures", "interval", "wait"),
    [
        (0, timedelta(minutes=15), timedelta(minutes=15)),
        (3, timedelta(minutes=15), timedelta(hours=1)),
        (1000, timedelta(minutes=15), timedelta(hours=24)),
        (5, timedelta(days=3), timedelta(days=3)),
    ],
)
def test_a_feed_is_polled_at_its_interval_and_less_often_while_it_fails(failures, interval, wait):
    feed = FeedState(
        feed_id=1, source_id=1, url="http://x/", kind=FeedKind.RSS, last_polled_at=NOW, consecutive_failures=failures
    )
    assert next_poll_at(feed, interval=interval, now=NOW) == NOW + wait


@pytest.mark.parametrize(
    ("kind", "found_by", "ttl_seconds", "hours"),
    [
        (FeedKind.RSS, "configured", None, 0.25),
        (FeedKind.NEWS_SITEMAP, "robots", None, 0.25),
        (FeedKind.RSS, "configured", 60, 0.25),
        (FeedKind.RSS, "configured", 7200, 2),
        (FeedKind.RSS, "configured", 31 * 86_400, 24),
        (FeedKind.SITEMAP, "robots", None, 6),
        (FeedKind.SECTION, "configured", None, 1),
        (FeedKind.SECTION, "section", None, 6),
    ],
)
def test_indexes_are_polled_by_their_kinds_and_by_their_own_wish(kind, found_by, ttl_seconds, hours):
    feed = FeedState(
        feed_id=1, source_id=1, url="http://p.example/", kind=kind, found_by=found_by, ttl_seconds=ttl_seconds
    )
    assert poll_interval(feed, default=timedelta(minutes=15)) == timedelta(hours=hours)


def test_who_polls_seldom_polls_everything_as_seldom():
    feed = FeedState(feed_id=1, source_id=1, url="http://p.example/", kind=FeedKind.SITEMAP)
    assert poll_interval(feed, default=timedelta(days=2)) == timedelta(days=2)
