"""What is owed is counted as the service would fetch it, and the newest articles are found from what is new."""

from datetime import datetime

import pytest

from storage.model import Source
from storage.store import Store
from storage.workload import RECENT_EVENTS, Owed
from tests.contracts.news import CORRECTED, FERRY, NOON, entry, minute, put_off, watch

FEEDS = ("http://paper.example/feed", "http://paper.example/more")


def due_pages(store: Store, now: datetime, **more) -> Owed:
    with store.reading() as transaction:
        return transaction.workload.due_pages(now, **more)


@pytest.fixture
def watched(store):
    """Three pages that were looked at: due after 10, 20 and 30 minutes."""
    watchers = [watch(store, name) for name in "abc"]
    for watcher in watchers:
        watcher.see(FERRY)
    with store.writing() as transaction:
        put_off(transaction, {one.page.page_id: minute(10 * (1 + i)) for i, one in enumerate(watchers)})
    return watchers


def test_pages_that_are_due_are_counted_with_the_longest_due(store, watched):
    assert due_pages(store, minute(9)) == Owed(count=0, oldest_at=None)
    assert due_pages(store, minute(10)) == Owed(count=1, oldest_at=minute(10))
    assert due_pages(store, minute(60)) == Owed(count=3, oldest_at=minute(10))


def test_hosts_that_are_held_are_due_and_late_by_no_fault_of_ours(store, watched):
    assert due_pages(store, minute(60), held_hosts=["paper.example"]) == Owed(count=3, oldest_at=None)
    assert due_pages(store, minute(60), held_hosts=["else.example"]).oldest_at == minute(10)


def test_pages_of_sources_that_nobody_watches_are_not_due(store, watched):
    with store.writing() as transaction:
        transaction.sources.sync([Source(slug="paper.example")], NOON)
        transaction.sources.sync([], NOON)
    assert due_pages(store, minute(60)) == Owed(count=0, oldest_at=None)


def test_a_back_catalogue_is_not_counted(store):
    with store.writing() as transaction:
        put_off(transaction, {watch_page(transaction): minute(10)})
    assert due_pages(store, minute(60)) == Owed(count=0, oldest_at=None)


def watch_page(transaction) -> int:
    source = transaction.sources.for_domain("paper.example", NOON, watched=True)
    return transaction.pages.ensure(source.source_id, entry("old"), NOON, due=False).page_id


def test_what_was_fetched_waits_for_the_planner(store):
    watcher = watch(store)
    with store.reading() as transaction:
        assert transaction.workload.unplanned_pages() == 0
    watcher.see(FERRY)
    with store.reading() as transaction:
        assert transaction.workload.unplanned_pages() == 1
    with store.writing() as transaction:
        put_off(transaction, {watcher.page.page_id: minute(10)})
    with store.reading() as transaction:
        assert transaction.workload.unplanned_pages() == 0


def test_feeds_that_are_due_are_counted(store):
    with store.writing() as transaction:
        transaction.sources.sync([Source(slug="paper", feeds=FEEDS)], NOON)
    with store.reading() as transaction:
        assert transaction.workload.due_feeds(minute(-1)) == Owed(count=0, oldest_at=None)
        assert transaction.workload.due_feeds(minute(5)) == Owed(count=2, oldest_at=NOON)
        assert transaction.workload.last_polls() == {}
    with store.writing() as transaction:
        transaction.sources.sync([Source(slug="paper", feeds=FEEDS[:1])], NOON)
    with store.reading() as transaction:
        assert transaction.workload.due_feeds(minute(5)).count == 1


def test_the_newest_article_of_each_source_is_found_by_what_is_new(store):
    first, other = watch(store, "a"), watch(store, "b", source="other.example")
    first.see(FERRY, at=1)
    with store.reading() as transaction:
        seq = transaction.events.last_seq()
    first.see(CORRECTED, at=5)  # no new article
    other.see(CORRECTED, at=7)
    ids = {first.page.source_id, other.page.source_id}
    with store.reading() as transaction:
        workload = transaction.workload
        assert workload.new_articles(since_seq=seq) == {other.page.source_id: minute(7)}
        everything = {first.page.source_id: minute(1), other.page.source_id: minute(7)}
        assert workload.last_articles(ids, last_seq=transaction.events.last_seq()) == everything
        # Long ago by its events, it is looked for among the source's articles.
        assert workload.last_articles(ids | {12345}, last_seq=seq + RECENT_EVENTS + 100) == everything
