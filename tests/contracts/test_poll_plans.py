"""Planning polls: a feed whose rule fails costs the others nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from crawler.catalogue import sources
from crawler.settings import SourceSettings
from scheduler.feed_planner import FALLBACK_POLL, every, plan_feeds
from scheduler.local import next_cron_time
from storage.errors import DatabaseUnavailable
from storage.outcomes import Outcome
from storage.records import FeedPoll

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def source_ids(store):
    """Two sources with a feed each, which was polled now."""
    settings = [SourceSettings(slug=slug, feeds=[f"https://{slug}.example/feed.rss"]) for slug in ("courier", "herald")]
    with store.writing() as transaction:
        transaction.sources.sync(sources(settings), NOW)
        for feed in transaction.feeds.due(NOW, 10):
            transaction.feeds.record_poll(FeedPoll(feed_id=feed.feed_id, outcome=Outcome.LISTED, polled_at=NOW))
        return {stored.source.slug: stored.source_id for stored in transaction.sources.all()}


def test_a_rule_that_fails_falls_back_to_an_interval_and_leaves_the_others_theirs(store, source_ids):
    def due(source_id):
        if source_id == source_ids["courier"]:
            return lambda feed, now: next_cron_time("0 0 31 2 *", timezone=None, after=now)
        return every(timedelta(hours=2))

    assert plan_feeds(store, due=due, now=NOW) == 2
    with store.reading() as transaction:
        feeds = transaction.feeds.for_sources(source_ids.values())
    assert {feed.source_id: feed.next_poll_at - NOW for feed in feeds} == {
        source_ids["courier"]: FALLBACK_POLL,
        source_ids["herald"]: timedelta(hours=2),
    }


def test_a_database_that_is_gone_is_no_failure_of_a_rule(store, source_ids):
    def due(source_id):
        raise DatabaseUnavailable("db", "is gone")

    with pytest.raises(DatabaseUnavailable):
        plan_feeds(store, due=due, now=NOW)


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=1), timedelta(days=400)])
def test_a_feed_that_a_clock_that_was_ahead_found_or_was_asked_for_is_polled_now(store, source_ids, ahead):
    courier = source_ids["courier"]
    with store.writing() as transaction:
        found = transaction.feeds.ensure(courier, "https://courier.example/found.rss", NOW + ahead)
        (asked,) = [feed for feed in transaction.feeds.for_sources([courier]) if feed.feed_id != found.feed_id]
        transaction.operating.request_poll(asked.feed_id, NOW + ahead)
    plan_feeds(store, due=lambda _: every(timedelta(hours=2)), now=NOW)
    with store.reading() as transaction:
        due = transaction.feeds.due(NOW, 10)
    assert {feed.feed_id for feed in due} == {found.feed_id, asked.feed_id}
