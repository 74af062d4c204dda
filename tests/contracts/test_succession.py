"""A source that was given another slug goes on being watched under it, with all its pages."""

from dataclasses import replace

import pytest

from storage.configuring import sync_sources
from storage.model import Source
from storage.records import FeedEntry
from storage.succession import WentOver
from tests.contracts.news import NOON, minute

OLD = Source(slug="old", feeds=("https://www.paper.example/feed.rss", "http://127.0.0.1/feed"))
NEW = replace(OLD, slug="new")
HOSTS = ("paper.example", "127.0.0.1:80", "listed.example", "other.example")


@pytest.fixture
def old(store):
    """A source with a page at each host, of which its feed lists one, and a source beside it."""
    sync_sources(store, [OLD, Source(slug="beside", feeds=("https://beside.example/feed",))], NOON)
    entries = [FeedEntry(url=f"https://{host}/a", url_key=f"{host}/a", host=host) for host in HOSTS]
    with store.writing() as transaction:
        source = transaction.sources.by_slug("old")
        feed = transaction.feeds.by_url(OLD.feeds[0])
        transaction.feeds.record_entries(feed.feed_id, source.source_id, entries[2:3], NOON)
        for entry in (*entries[:2], entries[3]):
            transaction.pages.ensure(source.source_id, entry, NOON, due=False)


def owners(store) -> dict[str, str]:
    with store.reading() as transaction:
        slugs = {one.source_id: one.source.slug for one in transaction.sources.all()}
        return {host: slugs[transaction.pages.by_key(f"{host}/a").source_id] for host in HOSTS}


@pytest.mark.usefixtures("old")
def test_the_pages_of_a_source_follow_its_feed_to_the_one_that_names_it_now(store):
    beside = Source(slug="beside", feeds=("https://beside.example/feed",))
    assert sync_sources(store, [NEW, beside], minute(1)) == [WentOver(slug="old", heir="new", pages=3)]
    assert owners(store) == dict.fromkeys(HOSTS[:3], "new") | {"other.example": "old"}
    assert sync_sources(store, [NEW, beside], minute(2)) == []
    assert sync_sources(store, [OLD, beside], minute(3)) == [WentOver(slug="new", heir="old", pages=3)]


@pytest.mark.usefixtures("old")
def test_what_was_stopped_in_between_is_gone_on_with(store):
    with store.writing() as transaction:
        (succession,) = transaction.successions.find([NEW])
        heir_id = transaction.sources.ensure_configured(NEW, NOON)
        transaction.successions.hand_over_pages(succession.source_id, heir_id, ["listed.example"])
    assert sync_sources(store, [NEW], minute(1)) == [WentOver(slug="old", heir="new", pages=2)]
    assert owners(store)["listed.example"] == "new"


@pytest.mark.usefixtures("old")
def test_a_source_that_stays_or_was_paused_by_hand_keeps_its_pages(store):
    assert sync_sources(store, [OLD, NEW], minute(1)) == []
    with store.writing() as transaction:
        transaction.operating.pause_source(transaction.sources.by_slug("old").source_id, minute(2))
    assert sync_sources(store, [NEW], minute(3)) == []
    assert set(owners(store).values()) == {"old"}
