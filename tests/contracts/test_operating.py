"""What an operator says by hand holds, whatever is recorded, planned or configured beside it."""

from dataclasses import replace

import pytest

from storage.configuring import sync_sources
from storage.model import NextReason, PollReason, Source
from storage.operating import OPERATOR, Halted
from storage.outcomes import Outcome
from storage.records import CrawlScope, FeedPoll
from storage.service_lock import hold_service_lock
from storage.serving import is_service_running
from tests.contracts.news import CORRECTED, FERRY, NOON, entry, minute, page_fetch, watch

EVERYTHING = CrawlScope(everything=True)
PAPER = Source(slug="paper", feeds=("http://paper.example/feed.rss",))


@pytest.fixture
def paper(store):
    """A configured source with one feed."""
    with store.writing() as transaction:
        transaction.sources.sync([PAPER], NOON)
        return transaction.sources.by_slug("paper")


@pytest.fixture
def page(store, paper):
    """A page of it, with an article, due ten minutes after noon."""
    watcher = watch(store, "ferry", source="paper")
    watcher.see(FERRY, at=1)
    set_due(store, watcher, 10)
    return watcher


def set_due(store, watcher, at):
    with store.writing() as transaction:
        transaction.operating._set_page(watcher.page.page_id, next_fetch_at=None if at is None else minute(at))


def due(store, at, scope=EVERYTHING, **more):
    """Return the pages that are to be fetched so many minutes after noon."""
    with store.reading() as transaction:
        return [page.url_key for page in transaction.pages.to_fetch(scope, now=minute(at), limit=100, **more)]


def unplanned(store):
    with store.reading() as transaction:
        return [history.page_id for history in transaction.page_plans.unplanned(10)]


def standing(store, watcher):
    with store.reading() as transaction:
        return transaction.operating.find_page(watcher.page.url_key).page


def operate(store, what, *arguments, **named):
    with store.writing() as transaction:
        return getattr(transaction.operating, what)(*arguments, **named)


def feed_of(store, paper):
    with store.reading() as transaction:
        return transaction.feeds.by_url(PAPER.feeds[0])


def polled(store, feed, *, began, ended):
    with store.writing() as transaction:
        transaction.feeds.record_poll(
            FeedPoll(feed_id=feed.feed_id, outcome=Outcome.LISTED, began_at=minute(began), polled_at=minute(ended))
        )


# Pages


def test_a_paused_page_is_fetched_by_nobody_who_does_not_name_it(store, paper, page):
    operate(store, "pause_page", page.page.page_id)
    assert page.article().status == "paused"
    of_source = CrawlScope(source_ids=frozenset({paper.source_id}))
    named = CrawlScope(page_ids=frozenset({page.page.page_id}))
    assert due(store, 60) == due(store, 60, of_source) == due(store, 60, of_source, recrawl_since=minute(60)) == []
    assert due(store, 60, named) == [page.page.url_key]

    operate(store, "resume_page", page.page.page_id)
    assert page.article().status == "live"
    assert unplanned(store) == [page.page.page_id]


def test_a_fetch_in_flight_does_not_take_a_pause_back(store, page):
    look = page.look(CORRECTED, at=5)
    operate(store, "pause_page", page.page.page_id)
    assert page.record(look).outcome is Outcome.UPDATED
    assert standing(store, page).paused
    assert unplanned(store) == due(store, 60) == []


def test_what_was_asked_for_comes_before_what_is_due_longest(store, paper, page):
    other = watch(store, "quay", source="paper")
    other.see(replace(FERRY, headline="Another story"), at=1)
    set_due(store, other, 2)
    assert due(store, 30) == [other.page.url_key, page.page.url_key]
    operate(store, "request_fetch", page.page.page_id, minute(20))
    assert due(store, 19.5) == [other.page.url_key]
    assert due(store, 30) == [page.page.url_key, other.page.url_key]
    with store.reading() as transaction:
        asked = transaction.pages.requested(now=minute(30), limit=10)
        assert [one.page_id for one in asked] == [page.page.page_id]
        assert not transaction.pages.requested(now=minute(30), exclude_hosts=[asked[0].host], limit=10)
        assert not transaction.pages.requested(now=minute(19), limit=10)
    page.see(FERRY, at=25)
    assert standing(store, page).requested_at is None
    assert due(store, 30) == [other.page.url_key]
    assert unplanned(store) == [page.page.page_id]


@pytest.mark.parametrize("outcome", [None, Outcome.TIMEOUT, Outcome.MISSING, Outcome.NOT_ARTICLE])
def test_a_fetch_in_flight_does_not_answer_what_was_asked_for_after_it_began(store, page, outcome):
    operate(store, "request_fetch", page.page.page_id, minute(20))
    in_flight = page_fetch("in-flight", at=21, outcome=outcome, page_id=page.page.page_id)
    in_flight = replace(in_flight, started_at=minute(19))
    look = page.look(FERRY, at=21)
    page.record(replace(look, fetch=in_flight, article=FERRY if outcome is None else None, capture=None))
    assert unplanned(store) == []
    assert due(store, 22) == [page.page.url_key]
    if outcome is None:
        page.see(FERRY, at=23)
    else:
        page.get(outcome, at=23)
    assert due(store, 24) == []
    assert unplanned(store) == [page.page.page_id]


def test_asking_for_an_alias_means_its_primary_page(store, page):
    amp = watch(store, "amp/ferry", source="paper")
    amp.record(replace(amp.look(FERRY, at=2), primary=entry("ferry"), primary_reason="amp"))
    found = standing(store, amp)
    assert (found.page_id, found.named_url) == (page.page.page_id, amp.page.url)
    assert standing(store, page).named_url is None


def test_a_released_page_stays_released_when_it_is_fetched_until_it_is_watched_anew(store, page):
    operate(store, "release_page", page.page.page_id)
    assert page.article().status == "live"
    page.see(CORRECTED, at=30)
    assert unplanned(store) == due(store, 60) == []
    assert standing(store, page).released_by == OPERATOR

    operate(store, "watch_page", page.page.page_id, minute(40))
    assert unplanned(store) == [page.page.page_id]
    with store.reading() as transaction:
        [history] = transaction.page_plans.unplanned(1)
    assert history.watched_from == minute(40)


def test_a_page_that_was_released_for_its_age_is_watched_anew(store, page):
    operate(store, "_set_page", page.page.page_id, watch_ended=True, next_fetch_at=None)
    assert unplanned(store) == []
    operate(store, "watch_page", page.page.page_id, minute(40))
    assert unplanned(store) == [page.page.page_id]


def test_a_new_page_is_put_in_line(store, paper):
    operate(store, "take_in", paper.source_id, entry("new"), minute(3))
    assert due(store, 3) == ["paper.example/new"]
    with store.reading() as transaction:
        [state] = transaction.pages.to_fetch(EVERYTHING, now=minute(3), limit=1)
        assert (
            transaction.page_plans.histories([state.page_id])[state.page_id].next_fetch_reason is NextReason.REQUESTED
        )


def test_an_article_that_moves_to_another_address_stays_paused(store, page):
    amp = watch(store, "amp/ferry", source="paper")
    amp.record(replace(amp.look(FERRY, at=2), primary=entry("ferry"), primary_reason="amp"))
    operate(store, "pause_page", page.page.page_id)
    assert page.get(Outcome.MISSING, at=10).outcome is Outcome.MISSING
    assert page.get(Outcome.MISSING, at=100).outcome is Outcome.GONE
    assert due(store, 1000) == [], "nobody looks for it elsewhere meanwhile"
    amp.see(FERRY, at=200)
    found = standing(store, page)
    assert (found.page_id, found.paused) == (amp.page.page_id, True)
    assert amp.article().status == "paused"


# What is in hand when it is paused


def test_what_waits_in_hand_is_owed_only_while_nothing_was_paused(store, paper, page):
    state = page.state()

    def owed(**who):
        with store.reading() as transaction:
            return transaction.operating.is_owed(state, **who)

    assert owed(by_service=True) and owed(by_service=False)
    operate(store, "pause_source", paper.source_id, minute(5))
    assert not owed(by_service=True) and owed(by_service=False)
    operate(store, "resume_source", paper.source_id, minute(6), in_configuration=True)
    operate(store, "pause_page", page.page.page_id)
    assert not owed(by_service=True) and not owed(by_service=False) and owed(by_service=False, named=True)
    operate(store, "resume_page", page.page.page_id)
    assert owed(by_service=True)
    page.see(FERRY, at=7)
    assert not owed(by_service=True)


def test_the_service_learns_what_is_halted(store, paper):
    feed = feed_of(store, paper)
    operate(store, "pause_feed", feed.feed_id, minute(1))
    with store.writing() as transaction:
        adhoc = transaction.sources.for_domain("adhoc.example", NOON)
        assert transaction.operating.halted() == Halted(
            source_ids=frozenset({adhoc.source_id}), feed_ids=frozenset({feed.feed_id})
        )
        transaction.operating.watch_source(adhoc.source_id, minute(1), watched=True)
        transaction.operating.pause_source(paper.source_id, minute(1))
        assert transaction.operating.halted().source_ids == {paper.source_id}


# Sources and feeds beside the configuration


def test_a_source_paused_by_hand_stays_so_through_syncs_and_a_return_to_the_file(store, paper, page):
    operate(store, "pause_source", paper.source_id, minute(1))
    for configured in ([PAPER], [replace(PAPER, name="The Paper")], [], [PAPER]):
        sync_sources(store, configured, minute(2))
        with store.reading() as transaction:
            stored = transaction.sources.by_slug("paper")
            assert (stored.paused, stored.paused_by) == (True, OPERATOR)
            assert transaction.sources.differing(configured) == []
            assert transaction.feeds.due(minute(60), 10) == []
    assert due(store, 60) == []
    assert page.article().status == "paused"

    operate(store, "resume_source", paper.source_id, minute(60), in_configuration=True)
    assert due(store, 60) == [page.page.url_key], "what came due meanwhile is due"
    with store.reading() as transaction:
        assert [feed.url for feed in transaction.feeds.due(minute(60), 10)] == list(PAPER.feeds)


def test_a_source_resumed_while_it_is_gone_from_the_file_comes_back_with_it(store, paper):
    operate(store, "pause_source", paper.source_id, minute(1))
    sync_sources(store, [], minute(2))
    operate(store, "resume_source", paper.source_id, minute(3), in_configuration=False)
    with store.reading() as transaction:
        assert (transaction.sources.by_slug("paper").paused, transaction.sources.by_slug("paper").paused_by) == (
            True,
            None,
        )
    sync_sources(store, [PAPER], minute(4))
    with store.reading() as transaction:
        assert not transaction.sources.by_slug("paper").paused


def test_a_configured_feed_paused_by_hand_stays_so_and_a_sync_has_nothing_to_do(store, paper):
    feed = feed_of(store, paper)
    operate(store, "pause_feed", feed.feed_id, minute(1))
    for configured in ([PAPER], [replace(PAPER, name="The Paper")], [replace(PAPER, feeds=())], [PAPER]):
        sync_sources(store, configured, minute(2))
        with store.reading() as transaction:
            assert transaction.sources.differing(configured) == []
            assert transaction.feeds.due(minute(60), 10) == []
            assert transaction.feeds.for_sources({paper.source_id}) == []
    with store.writing() as transaction:
        assert transaction.feeds.ensure(paper.source_id, feed.url, minute(3), watched=True).paused
    operate(store, "resume_feed", feed.feed_id, minute(4), in_configuration=True)
    with store.reading() as transaction:
        assert [one.url for one in transaction.feeds.due(minute(60), 10)] == [feed.url]


def test_a_poll_in_flight_does_not_answer_what_was_asked_for_after_it_began(store, paper):
    feed = feed_of(store, paper)
    polled(store, feed, began=0, ended=1)
    with store.reading() as transaction:
        assert transaction.feeds.due(minute(30), 10) == []
    operate(store, "request_polls", paper.source_id, minute(10))
    polled(store, feed, began=9, ended=11)
    with store.reading() as transaction:
        [still] = transaction.feeds.due(minute(12), 10)
        assert still.next_poll_reason == PollReason.REQUESTED
        assert transaction.feeds.unplanned() == []
    polled(store, feed, began=12, ended=13)
    with store.reading() as transaction:
        assert transaction.feeds.due(minute(30), 10) == []
        assert [one.feed_id for one in transaction.feeds.unplanned()] == [feed.feed_id]


def test_a_feed_that_is_named_by_hand_is_polled_beside_those_of_the_configuration(store, paper):
    with store.writing() as transaction:
        found = transaction.feeds.ensure(paper.source_id, "http://paper.example/more.rss", NOON, found_by="link")
        transaction.sources.sync([PAPER], NOON)
        assert transaction.feeds.by_url(found.url).paused
        transaction.operating.watch_feed(found.feed_id, NOON)
        assert transaction.sources.differing([PAPER]) == []
        transaction.sources.sync([replace(PAPER, name="The Paper")], NOON)
        assert not transaction.feeds.by_url(found.url).paused


# The service


def test_it_is_known_whether_a_service_runs_without_disturbing_it(database_url, store):
    assert not is_service_running(database_url)
    with hold_service_lock(database_url) as lock:
        assert is_service_running(database_url)
        lock.check()
    assert not is_service_running(database_url)
    with hold_service_lock(database_url):
        pass


def test_values_are_kept_by_name(store):
    with store.writing() as transaction:
        state = transaction.service_state
        assert state.get("reload") is None
        state.put("reload", {"id": "ä", "n": [1, 2.5, None]}, NOON)
        state.put("other", False, NOON)
        state.put("reload", {"id": "b"}, minute(1))
    with store.writing() as transaction:
        assert transaction.service_state.get("reload") == ({"id": "b"}, minute(1))
        assert transaction.service_state.get("other") == (False, NOON)
        transaction.service_state.remove("reload")
        assert transaction.service_state.get("reload") is None
