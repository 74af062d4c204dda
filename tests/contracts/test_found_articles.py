"""Indexes that only a link was taken to lead to, and where an article stands."""

import pytest

from storage.model import FeedKind
from tests.contracts.news import NOON, minute

URL = "http://paper.example/news/ferry"


@pytest.fixture
def found(store):
    with store.writing() as transaction:
        source = transaction.sources.for_domain("paper.example", NOON, watched=True)
        return transaction.feeds.ensure(source.source_id, URL, NOON, FeedKind.SECTION, found_by="section", depth=1)


def again(transaction, feed, found_by):
    return transaction.feeds.ensure(feed.source_id, URL, minute(9), FeedKind.SECTION, found_by=found_by)


def test_it_is_no_index_any_more_and_takes_the_place_of_none(store, found):
    with store.writing() as transaction:
        assert transaction.feeds.due(NOON, 10) == [found]
        transaction.feeds.is_article(found.feed_id)
    with store.reading() as transaction:
        assert transaction.feeds.due(minute(10), 10) == []
        assert transaction.feeds.found(found.source_id, "section") == []
        assert transaction.feeds.for_sources({found.source_id}) == []
        assert transaction.operating.find_feed([URL]) is None


def test_a_link_makes_no_index_of_it_again_but_a_name_does(store, found):
    with store.writing() as transaction:
        transaction.feeds.is_article(found.feed_id)
        assert again(transaction, found, "section").paused
        assert not again(transaction, found, "named").paused
        assert transaction.operating.find_feed([URL]).feed.feed_id == found.feed_id
