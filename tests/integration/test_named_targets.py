"""Every URL that is named has an account in the end, and one that fails costs the others nothing."""

import asyncio
import re
from collections.abc import Iterator

import pytest

from crawler import crawl
from crawler.index_reading import IndexReader
from crawler.ingest import PageIngest
from storage.outcomes import Outcome
from tests.newsroom import Newsroom
from tests.newsroom_stories import STORIES

# What is fetched and read does not depend on the kind of database; the contracts hold both to what is recorded.
pytestmark = pytest.mark.parametrize("backend", ["sqlite"])


@pytest.fixture
def others() -> Iterator[list[Newsroom]]:
    """Three publishers at other hosts."""
    with Newsroom("127.0.0.2") as second, Newsroom("127.0.0.3") as third, Newsroom("127.0.0.4") as fourth:
        yield [second, third, fourth]


def accounts(report) -> dict[str, tuple[Outcome | None, str | None]]:
    return {result.url: (result.outcome, result.reason) for result in report.named}


def test_a_limit_counts_unknown_pages_that_are_named(morgue, newsroom):
    urls = [newsroom.publish_story(story) for story in STORIES[:3]]
    report = morgue.crawl(*urls, limit=1)
    assert report.fetched == 1
    assert accounts(report) == {urls[0]: (Outcome.CREATED, None)} | dict.fromkeys(urls[1:], (None, "limit"))
    assert report.failed_targets == []
    assert sum(len(newsroom.requests_for(url)) for url in urls) == 1


def test_a_limit_counts_known_and_unknown_pages_alike(morgue, newsroom):
    urls = [newsroom.publish_story(story) for story in STORIES[:4]]
    morgue.crawl(*urls[:2])
    report = morgue.crawl(*urls, limit=3)
    assert report.fetched == 3
    assert sorted(accounts(report)) == sorted(urls)
    assert list(accounts(report).values()).count((None, "limit")) == 1
    assert report.failed_targets == []


def test_a_limit_counts_pages_at_several_hosts(morgue, others):
    urls = [newsroom.publish_story(STORIES[0]) for newsroom in others]
    report = morgue.crawl(*urls, limit=2)
    assert report.fetched == 2
    assert list(accounts(report).values()).count((None, "limit")) == 1


def test_feeds_are_no_pages_of_a_limit(morgue, others):
    for newsroom in others:
        newsroom.publish_story(STORIES[0])
    report = morgue.crawl(*(newsroom.url("/feed.rss") for newsroom in others), limit=1)
    assert [poll.outcome for poll in report.feeds] == [Outcome.LISTED] * 3
    assert report.fetched == 1
    assert (report.named, report.failed_targets) == ([], [])


def test_a_known_page_of_a_host_that_asked_to_wait_is_a_failed_target(morgue, newsroom):
    first, second = (newsroom.publish_story(story) for story in STORIES[:2])
    morgue.crawl(second)
    newsroom.respond(re.sub(r"^http://[^/]*", "", first), status=429, headers={"Retry-After": "600"})
    report = morgue.crawl(first, second)
    assert accounts(report)[second] == (None, "host_asked_to_wait")
    assert report.failed_targets == [first, second]
    assert len(newsroom.requests_for(second)) == 1


def test_several_names_of_one_page_each_have_an_account_and_cost_one_request(morgue, newsroom):
    url = newsroom.publish_story(STORIES[0])
    names = (url, f"{url}?", f"{url}?a=1&b=2", f"{url}?b=2&a=1")
    for _ in range(2):
        before = len(newsroom.requests_for(url))
        report = morgue.crawl(*names)
        assert sorted(accounts(report)) == sorted((names[0], *names[2:]))
        assert report.failed_targets == []
        assert len(newsroom.requests_for(url)) - before <= 2


def test_a_page_that_a_redirect_led_to_was_looked_at(morgue, newsroom):
    url = newsroom.publish_story(STORIES[0])
    newsroom.redirect("/old", url)
    morgue.crawl(url)
    report = morgue.crawl(newsroom.url("/old"), url)
    assert sorted(accounts(report)) == sorted([newsroom.url("/old"), url])
    assert report.failed_targets == []


def test_a_feed_that_breaks_us_costs_the_other_feeds_nothing(morgue, newsroom, others, monkeypatch):
    feeds = [place.url("/feed.rss") for place in (newsroom, others[0])]
    for place in (newsroom, others[0]):
        place.publish_story(STORIES[0])

    async def read(reader, feed, source, fetched, *, shapes):
        if feed.url == feeds[0]:
            raise UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "surrogates not allowed")
        return await whole(reader, feed, source, fetched, shapes=shapes)

    whole = IndexReader.read
    morgue.add_source(slug="courier", feeds=feeds)
    monkeypatch.setattr(IndexReader, "read", read)
    report = morgue.crawl("courier")
    assert {poll.feed.url: poll.outcome for poll in report.feeds} == {feeds[0]: None, feeds[1]: Outcome.LISTED}
    assert report.failed_targets == [feeds[0]]
    assert report.outcomes == {"created": 1}
    assert morgue.crawl(feeds[0]).failed_targets == [feeds[0]]


def test_a_target_that_breaks_us_costs_the_other_targets_nothing(morgue, newsroom, monkeypatch):
    urls = [newsroom.publish_story(story) for story in STORIES[:2]]
    broken = iter([True])

    async def look(reader, fetched):
        if next(broken, False):
            raise RuntimeError("a defect of ours")
        return await whole(reader, fetched)

    whole = IndexReader.look
    monkeypatch.setattr(IndexReader, "look", look)
    report = morgue.crawl(*urls, limit=1)
    assert accounts(report) == {urls[0]: (None, "internal_error"), urls[1]: (Outcome.CREATED, None)}
    assert report.failed_targets == [urls[0]]


def test_a_feed_with_an_emoji_in_halves_is_crawled(morgue, newsroom):
    url = newsroom.publish_story(STORIES[0])
    body = (
        '<rss version="2.0"><channel><title>&#55357;&#56832;</title><item><title>Fog &#55357;&#56832;</title>'
        f"<link>{url}</link></item></channel></rss>"
    )
    newsroom.respond("/emoji.rss", body=body, headers={"Content-Type": "application/rss+xml"})
    report = morgue.crawl(newsroom.url("/emoji.rss"))
    assert (report.outcomes, report.failed_targets) == ({"created": 1}, [])


def test_a_named_page_that_takes_long_to_be_read_is_not_asked_for_again_meanwhile(morgue, newsroom, monkeypatch):
    url = newsroom.publish_story(STORIES[0])
    morgue.add_source(slug="courier", homepage=newsroom.url("/"), feeds=[newsroom.url("/feed.rss")])
    ingest = PageIngest.ingest

    async def slow_ingest(*arguments, **more):
        await asyncio.sleep(3)
        return await ingest(*arguments, **more)

    monkeypatch.setattr(crawl, "BEGIN_SECONDS", 0.1)
    monkeypatch.setattr(PageIngest, "ingest", slow_ingest)
    morgue.crawl("courier", url)
    assert len(newsroom.requests_for(url)) == 1
