"""What polls leave behind to plan the next by, and how feeds are planned from it."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from crawler.catalogue import sources
from crawler.runner import SourceBook
from crawler.settings import SourceSettings
from scheduler.feed_planner import plan_feeds, poll_rule
from storage.host_turns import Granted, Report, Take
from storage.model import FeedKind, PollReason
from storage.outcomes import Outcome
from storage.records import MOVES_TO_BELIEVE, FeedPlan, FeedPoll
from storage.tables import feeds
from tests.contracts.news import NOON, entry, minute

FEED = "http://paper.example/feed.rss"
MOVED = "https://www.paper.example/feed.rss"


def configure(store, **more):
    settings = SourceSettings(slug="paper", feeds=[FEED], **more)
    with store.writing() as transaction:
        transaction.sources.sync(sources([settings]), NOON)


@pytest.fixture
def feed(store):
    configure(store)
    return state(store)


def state(store, url=FEED):
    with store.reading() as transaction:
        return transaction.feeds.by_url(url)


def record(store, feed, outcome=Outcome.LISTED, *, at=5, kind=FeedKind.RSS, **more):
    with store.writing() as transaction:
        poll = FeedPoll(feed_id=feed.feed_id, outcome=outcome, polled_at=minute(at), kind=kind, **more)
        transaction.feeds.record_poll(poll)
    return state(store, feed.url)


def plan(store, *, at=5, default="15m", anew=False):
    planned = plan_feeds(store, due=poll_rule(SourceBook(store), default), now=minute(at), anew=anew)
    found = state(store)
    return planned, found


def counts(feed):
    return feed.last_new, feed.last_known, feed.unlearnt_new


# What is recorded


def test_a_new_feed_says_that_it_is_new(store, feed):
    found = None
    with store.writing() as transaction:
        found = transaction.feeds.ensure(feed.source_id, "http://paper.example/other", NOON)
    assert (found.next_poll_at, found.next_poll_reason) == (NOON, PollReason.NEW)
    assert counts(feed) == (None, None, 0)
    assert (feed.poll_seconds, feed.skip_hours, feed.skip_days, feed.last_success_at) == (None, (), (), None)


def test_a_poll_leaves_how_many_of_its_entries_were_new(store, feed):
    polled = record(store, feed, entries=[entry("ferry"), entry("b")], new=3, known=4)
    assert counts(polled) == (5, 4, 5)
    assert (polled.last_success_at, polled.next_poll_at, polled.next_poll_reason) == (minute(5), None, None)
    assert counts(record(store, feed, at=6, entries=[entry("ferry"), entry("c")])) == (1, 1, 6)


@pytest.mark.parametrize("outcome", [Outcome.NOT_MODIFIED, Outcome.UNCHANGED])
def test_where_nothing_changed_all_is_known(store, feed, outcome):
    record(store, feed, new=5, known=4)
    again = record(store, feed, outcome, at=9, kind=None)
    assert counts(again) == (0, 9, 5)
    assert again.last_success_at == minute(9)


def test_a_failure_leaves_what_is_known_of_a_feed_as_it_was(store, feed):
    asks = {"ttl_seconds": 60, "max_age_seconds": 90, "skip_hours": (1, 23), "skip_days": (5, 6)}
    before = record(store, feed, new=5, known=4, **asks)
    after = record(store, feed, Outcome.HTTP_ERROR, at=9, kind=None, max_age_seconds=5)
    assert counts(after) == (5, 4, 5)
    assert after.last_success_at == minute(5)
    assert {name: getattr(after, name) for name in asks} == asks == {name: getattr(before, name) for name in asks}
    assert after.consecutive_failures == 1


def test_what_a_feed_asks_for_is_what_its_newest_list_says(store, feed):
    record(store, feed, skip_hours=(1, 23), skip_days=(5, 6))
    assert state(store).skip_days == (5, 6)
    record(store, feed, Outcome.NOT_MODIFIED, at=6)
    assert (state(store).skip_hours, state(store).skip_days) == ((1, 23), (5, 6))
    record(store, feed, at=7)
    assert (state(store).skip_hours, state(store).skip_days) == ((), ())


@pytest.mark.parametrize(
    ("outcome", "says", "holds"),
    [
        (Outcome.LISTED, 60, 60),
        (Outcome.LISTED, None, None),
        (Outcome.LISTED, 0, None),
        (Outcome.UNCHANGED, None, None),
        (Outcome.UNCHANGED, 60, 60),
        # A 304 updates the headers that it has, and leaves the others (RFC 9111, 4.3.4).
        (Outcome.NOT_MODIFIED, None, 600),
        (Outcome.NOT_MODIFIED, 0, None),
        (Outcome.NOT_MODIFIED, 60, 60),
    ],
)
def test_how_long_an_answer_holds_is_what_the_newest_one_says(store, feed, outcome, says, holds):
    record(store, feed, max_age_seconds=600)
    assert record(store, feed, outcome, at=6, max_age_seconds=says).max_age_seconds == holds


def test_a_feed_that_moved_for_good_is_asked_there_until_that_fails(store, feed):
    for at in range(1, MOVES_TO_BELIEVE + 1):
        assert feed.polled_url == FEED
        feed = record(store, feed, at=at, moved_to=MOVED)
    assert feed.polled_url == MOVED
    feed = record(store, feed, Outcome.NOT_MODIFIED, at=10, moved_to=MOVED)
    assert feed.polled_url == MOVED
    feed = record(store, feed, Outcome.MISSING, at=11)
    assert feed.polled_url == FEED
    feed = record(store, feed, at=12, moved_to=MOVED)
    assert (feed.polled_url, feed.moved_polls) == (FEED, 1)
    feed = record(store, feed, at=13, moved_to=f"{MOVED}?2")
    assert feed.moved_polls == 1, "it moved elsewhere"
    assert record(store, feed, at=14).moved_to is None


def test_a_poll_that_was_asked_for_while_one_ran_is_still_owed(store, feed):
    record(store, feed)
    with store.writing() as transaction:
        asked = {"next_poll_at": minute(8), "requested_at": minute(8), "next_poll_reason": "requested"}
        transaction.feeds._connection.execute(update(feeds).where(feeds.c.id == feed.feed_id).values(asked))
    ran = record(store, feed, at=9, began_at=minute(7))
    assert (ran.next_poll_at, ran.next_poll_reason) == (minute(8), PollReason.REQUESTED)
    assert plan(store, at=9, anew=True) == (0, ran), "nor does planning anew take it away"
    done = record(store, feed, at=11, began_at=minute(10))
    assert (done.next_poll_at, done.next_poll_reason) == (None, None)


def test_what_is_new_in_the_sitemaps_of_an_index_is_new_in_the_index(store, feed):
    with store.writing() as transaction:
        index, middle, leaf = None, None, None
        index = transaction.feeds.ensure(feed.source_id, "http://paper.example/i", NOON)
        middle = transaction.feeds.ensure(feed.source_id, "http://paper.example/m", NOON, parent_id=index.feed_id)
        leaf = transaction.feeds.ensure(feed.source_id, "http://paper.example/l", NOON, parent_id=middle.feed_id)
    record(store, index, kind=FeedKind.SITEMAP)
    record(store, middle, kind=FeedKind.SITEMAP)
    record(store, leaf, kind=FeedKind.SITEMAP, new=50, known=2)
    assert [counts(state(store, one.url)) for one in (index, middle, leaf)] == [(50, 0, 50), (50, 0, 50), (50, 2, 50)]
    record(store, leaf, Outcome.NOT_MODIFIED, at=6)
    record(store, leaf, Outcome.TIMEOUT, at=7)
    assert counts(state(store, index.url)) == (50, 0, 50)
    assert counts(state(store)) == (None, None, 0)


def test_indexes_that_lead_round_in_a_circle_end_somewhere(store, feed):
    with store.writing() as transaction:
        one = transaction.feeds.ensure(feed.source_id, "http://paper.example/1", NOON)
        two = transaction.feeds.ensure(feed.source_id, "http://paper.example/2", NOON, parent_id=one.feed_id)
        circle = update(feeds).where(feeds.c.id == one.feed_id).values(parent_id=two.feed_id)
        transaction.feeds._connection.execute(circle)
    assert record(store, two, kind=FeedKind.SITEMAP, new=1).last_new > 1


# How it is planned


def test_the_interval_is_learnt_from_what_polls_brought_since_the_last_plan(store, feed):
    record(store, feed, at=0, new=20, known=0)
    _, first = plan(store, at=0)
    assert (first.next_poll_reason, first.learnt_until, first.unlearnt_new) == (PollReason.START, NOON, 0)
    # Two polls, of which the first was not planned.
    record(store, feed, at=15, new=1, known=19)
    record(store, feed, at=30, new=3, known=17)
    planned, second = plan(store, at=30)
    assert (planned, second.unlearnt_new, second.learnt_until) == (1, 0, minute(30))
    assert second.poll_seconds == pytest.approx((4 * 15 + 30) / (4 + 4) * 60)
    assert second.next_poll_reason is PollReason.SHARE
    assert plan(store, at=31) == (0, second)


def test_news_that_comes_between_reading_and_planning_is_not_lost(store, feed):
    record(store, feed, at=5, new=5, known=5)
    plan_of_another = FeedPlan(
        feed_id=feed.feed_id,
        next_poll_at=minute(20),
        reason=PollReason.SHARE,
        poll_seconds=900.0,
        learnt_until=minute(4),
        learnt_new=3,
    )
    for _ in ("the service", "a crawl that plans at the same time"):
        with store.writing() as transaction:
            transaction.feeds.plan([plan_of_another])
    assert state(store).unlearnt_new == 2


def test_planning_anew_changes_nothing_unless_the_rule_did(store, feed):
    record(store, feed, at=0, new=5, known=5)
    _, before = plan(store, at=0)
    assert plan(store, at=3, anew=True) == (0, before)
    assert plan(store, at=3, default="1h") == (0, before), "what is planned stays planned"
    planned, after = plan(store, at=3, default="1h", anew=True)
    assert planned == 1
    assert minute(60) <= after.next_poll_at < minute(66)
    configure(store, poll="2h")
    _, fixed = plan(store, at=3, anew=True)
    assert (fixed.next_poll_at, fixed.next_poll_reason) == (minute(120), PollReason.INTERVAL)


def test_planning_goes_on_behind_its_slice(store, monkeypatch):
    monkeypatch.setattr("scheduler.feed_planner.SLICE", 2)
    urls = [f"http://paper.example/{number}" for number in range(5)]
    with store.writing() as transaction:
        transaction.sources.sync(sources([SourceSettings(slug="paper", feeds=urls)]), NOON)
    for url in urls:
        record(store, state(store, url))
    assert plan(store)[0] == 5
    assert all(state(store, url).next_poll_at is not None for url in urls)


def test_what_the_source_says_wins_over_what_the_feed_asks_for(store):
    configure(store, poll="10m")
    record(store, state(store), ttl_seconds=7200, max_age_seconds=7200, skip_hours=tuple(range(23)), skip_days=(0,))
    _, found = plan(store)
    assert (found.next_poll_at, found.next_poll_reason) == (minute(15), PollReason.INTERVAL)
    configure(store)
    _, found = plan(store, anew=True)
    assert found.next_poll_reason is PollReason.SKIP_DAYS


@pytest.mark.parametrize("poll", [None, "10m", "0 * * * *"])
def test_no_feed_is_due_while_its_host_is_left_alone(store, poll):
    configure(store, **({"poll": poll} if poll else {}))
    record(store, state(store), Outcome.RATE_LIMITED, kind=None)
    with store.writing() as transaction:
        (granted,) = transaction.hosts.act([Take(host="paper.example", owner="a", pause_seconds=1, budget=0)], steady=0)
        assert isinstance(granted, Granted)
        refusal = Report(
            host="paper.example",
            owner="a",
            epoch=granted.epoch,
            release=True,
            pause_seconds=1,
            hold_until=5 * 3600.0,
            refusals=1,
        )
        transaction.hosts.act([refusal], steady=0)
    _, found = plan(store)
    assert found.next_poll_reason is PollReason.RETRY_AFTER
    assert found.next_poll_at - minute(5) == pytest.approx(timedelta(hours=5), abs=timedelta(minutes=5))


def test_a_feed_that_another_source_takes_over_is_learnt_anew(store):
    with store.writing() as transaction:
        source_id = transaction.sources.for_domain("paper.example", NOON).source_id
        found = transaction.feeds.ensure(source_id, FEED, NOON)
    record(store, found, at=0, new=5, moved_to=MOVED)
    plan(store, at=0)
    record(store, found, at=15, new=5)
    configure(store)
    taken = state(store)
    assert (taken.learnt_until, taken.unlearnt_new, taken.moved_polls) == (None, 0, 0)
    assert taken.next_poll_reason is PollReason.NEW


def test_a_cron_expression_of_the_service_holds_in_the_zone_of_each_source(store):
    configure(store, timezone="Asia/Kolkata")
    record(store, state(store), ttl_seconds=86_400)
    _, found = plan(store, default="0 18 * * *")
    assert (found.next_poll_at, found.next_poll_reason) == (NOON + timedelta(minutes=30), PollReason.CRON)


# Clocks


YEAR = 365 * 24 * 60


def polled_while_ahead(store, feed):
    record(store, feed, at=1, new=5, known=15)
    plan(store, at=1)
    record(store, feed, at=YEAR, new=1, known=19)
    plan(store, at=YEAR)


def planned_while_ahead(store, feed):
    record(store, feed, at=1, new=5, known=15)
    plan(store, at=YEAR)
    with store.writing() as transaction:
        transaction.feeds.plan([FeedPlan(feed_id=feed.feed_id, next_poll_at=minute(YEAR), reason=PollReason.SHARE)])


def found_while_ahead(store, feed):
    with store.writing() as transaction:
        transaction.feeds.plan([FeedPlan(feed_id=feed.feed_id, next_poll_at=minute(YEAR), reason=PollReason.NEW)])


def asked_for_while_ahead(store, feed):
    record(store, feed, at=1)
    with store.writing() as transaction:
        transaction.operating.request_poll(feed.feed_id, minute(YEAR))


@pytest.mark.parametrize("put_off", [polled_while_ahead, planned_while_ahead, found_while_ahead, asked_for_while_ahead])
def test_no_feed_waits_for_a_year_because_a_clock_was_ahead_for_a_moment(store, feed, put_off):
    put_off(store, feed)
    right = 10
    first = plan(store, at=right)[1]
    again = plan(store, at=right + 1)[1]
    assert again.next_poll_at == first.next_poll_at <= minute(right + 20)
    polled = record(store, first, at=right + 20, new=1, known=19)
    later = plan(store, at=right + 20)[1]
    assert polled.last_polled_at < later.next_poll_at <= minute(right + 60)
    assert later.learnt_until == minute(right + 20)


def test_a_rule_may_ask_for_a_time_far_ahead(store):
    configure(store, poll="0 0 1 1 *")
    record(store, state(store), at=1)
    assert plan(store, at=2)[0] == 1
    planned, found = plan(store, at=3)
    assert (planned, found.next_poll_reason) == (0, PollReason.CRON)
    assert found.next_poll_at > minute(60 * 24 * 3)
