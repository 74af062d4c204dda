"""Addresses that may be those of sections or of articles are asked for once, and that answer settles which."""

import urllib.request
from collections import Counter

import pytest

from crawler import reactor
from crawler.urls import feed_entry
from storage.clock import utc_now
from storage.model import FeedKind, FetchKind, Outcome
from tests.integration.service_jobs import poll_all_due, service_jobs
from tests.integration.test_exploring import XML, page, results, stored, urlset
from tests.newsroom_stories import STORIES

# Which of the two asks does not depend on the kind of database; what is recorded, the contracts hold both to.
pytestmark = pytest.mark.parametrize("backend", ["sqlite"])

BODY = STORIES[0].body
IN_MENU = '<nav><a href="/news/ferry">Ferry</a> <a href="/news/">News</a></nav>'
TEXT = "".join(f"<p>{paragraph}</p>" for paragraph in BODY)
UNDATED = f"<html lang=en><head><title>Ferry</title></head><body><main><h1>The ferry</h1>{TEXT}</main></body></html>"


@pytest.fixture
def ferry(newsroom):
    """A story whose address is as short as a section's, which a menu of the home page leads to."""
    newsroom.robots = None
    for path in ("/feed.rss", "/feed.atom", "/sitemap.xml"):
        newsroom.respond(path, status=404)
    newsroom.respond("/", body=page("/council/2026/11/24/the-council-votes-on-the-crane-again", more=IN_MENU))
    newsroom.respond("/news/", body=page("/news/ferry"))
    return newsroom.publish("ferry", headline="The night ferry sails again after ten years", body=BODY)


def announce(newsroom, url: str) -> None:
    """List a page in a feed that the home page names."""
    head = '<link rel="alternate" type="application/rss+xml" href="/short.rss">'
    newsroom.respond("/", body=page(head=head, more=IN_MENU))
    rss = f"<rss version='2.0'><channel><title>C</title><item><link>{url}</link></item></channel></rss>"
    newsroom.respond("/short.rss", headers={"Content-Type": "application/rss+xml"}, body=rss)


def asked_more_than_once(newsroom) -> dict[str, int]:
    counts = Counter(request.target for request in newsroom.requests)
    return {target: count for target, count in counts.items() if count > 1}


def rows(morgue, url: str) -> list[tuple[FetchKind, Outcome | None, str | None]]:
    return [(fetch.kind, fetch.outcome, fetch.reason) for fetch in morgue.fetches() if fetch.url == url]


def serve(morgue, *, rounds: int) -> None:
    """Poll what is due, fetch what is due and plan, so many times."""

    async def work() -> None:
        async with service_jobs(morgue) as jobs:
            for _ in range(rounds):
                await poll_all_due(jobs)
                await jobs.fetch_due_pages()
                await jobs.plan()

    reactor.run(work())


def test_an_article_that_a_menu_leads_to_first_is_asked_for_once(morgue, newsroom, ferry):
    report = morgue.crawl(newsroom.url("/"))
    assert ferry in stored(morgue)
    assert asked_more_than_once(newsroom) == {}
    assert rows(morgue, ferry) == [(FetchKind.PAGE, Outcome.CREATED, None)]
    (version,) = morgue.history(ferry)
    assert version.warc_file
    assert report.outcomes[Outcome.CREATED] == 1
    assert "/news/ferry" not in results(report)


@pytest.mark.parametrize("delay", [0, 0.3])
def test_an_article_that_a_feed_lists_too_is_asked_for_once(morgue, newsroom, ferry, delay):
    """Also while the one who fetches pages and the one who follows links both wait for their turns."""
    morgue.crawl_settings = morgue.crawl_settings.model_copy(update={"delay_seconds": delay})
    announce(newsroom, ferry)
    morgue.crawl(newsroom.url("/"))
    assert ferry in stored(morgue)
    assert asked_more_than_once(newsroom) == {}


def test_a_section_that_a_sitemap_lists_as_a_page_is_asked_for_once(morgue, newsroom, ferry):
    newsroom.robots = f"Sitemap: {newsroom.url('/map.xml')}\n"
    newsroom.respond("/map.xml", headers=XML, body=urlset(newsroom.url("/news-and-views/")))
    newsroom.respond("/", body=page(more='<nav><a href="/news-and-views/">News</a></nav>'))
    links = [f"/a/2026/11/2{number}/a-story-of-many-words-that-is-number-{number}" for number in range(9)]
    newsroom.respond("/news-and-views/", body=page(ferry, *links))
    morgue.crawl(newsroom.url("/"))
    assert ferry in stored(morgue), "its links are followed"
    assert asked_more_than_once(newsroom) == {}


def test_an_article_is_not_asked_for_again_as_a_section_by_the_next_crawl(morgue, newsroom, ferry):
    morgue.crawl(newsroom.url("/"))
    before = len(newsroom.requests_for("/news/ferry"))
    morgue.crawl(newsroom.url("/"))
    assert len(newsroom.requests_for("/news/ferry")) == before == 1


def test_an_article_that_may_not_be_kept_is_asked_for_once_and_not_kept(morgue, newsroom, ferry):
    with urllib.request.urlopen(ferry) as answer:
        whole = answer.read()
    newsroom.respond("/news/ferry", headers={"X-Robots-Tag": "noarchive"}, body=whole)
    morgue.crawl(newsroom.url("/"))
    assert len(newsroom.requests_for("/news/ferry")) == 2, "the first was this test's"
    assert rows(morgue, ferry) == [(FetchKind.PAGE, Outcome.BLOCKED_ROBOTS, "noarchive")]
    assert morgue.articles() == []
    morgue.crawl(newsroom.url("/"))
    assert {kind for kind, _, _ in rows(morgue, ferry)} == {FetchKind.PAGE}, "it is no section for that"


def test_such_an_article_can_be_named_and_has_an_account(morgue, newsroom, ferry):
    morgue.crawl(newsroom.url("/"))
    report = morgue.crawl(ferry)
    assert [(named.url, named.failed) for named in report.named] == [(ferry, False)]
    assert report.fetched == 1
    with morgue.store.reading() as transaction:
        assert transaction.operating.find_feed([ferry]) is None, "what is said of its address is said of the page"


@pytest.mark.parametrize("limit", [1, 2])
def test_a_limit_counts_the_articles_that_were_asked_for_as_sections(morgue, newsroom, ferry, limit):
    newsroom.respond("/", body=page(*newsroom_stories(newsroom, 3), more=IN_MENU))
    report = morgue.crawl(newsroom.url("/"), limit=limit)
    assert report.fetched == len(stored(morgue)) == limit


def newsroom_stories(newsroom, count: int) -> list[str]:
    return [newsroom.publish_story(story) for story in STORIES[:count]]


def test_the_service_asks_for_such_an_article_once(morgue, newsroom, ferry):
    morgue.add_source(slug="courier", homepage=newsroom.url("/"))
    serve(morgue, rounds=4)
    assert ferry in stored(morgue)
    assert asked_more_than_once(newsroom) == {}
    assert rows(morgue, ferry) == [(FetchKind.PAGE, Outcome.CREATED, None)]
    with morgue.store.reading() as transaction:
        source = transaction.sources.by_slug("courier")
        polled = {feed.url for feed in transaction.feeds.for_sources({source.source_id})}
    assert polled == {newsroom.url("/"), newsroom.url("/news/")}


@pytest.mark.parametrize("more", ["", '<meta property="article:published_time" content="2026-11-20T08:00:00Z">'])
def test_a_house_page_of_a_menu_is_no_article_for_reading_like_one(morgue, newsroom, ferry, more):
    newsroom.respond("/news/ferry", body=UNDATED.replace("<title>", more + "<title>"))
    newsroom.respond("/news/", body=page())
    report = morgue.crawl(newsroom.url("/"))
    assert stored(morgue) == set()
    assert results(report)["/news/ferry"][:2] == (FeedKind.SECTION, Outcome.LISTED)


def test_what_reads_like_an_article_and_may_be_a_section_is_taken_for_both_with_one_request(morgue, newsroom, ferry):
    """A list of teasers without markup can read so; its links are followed all the same."""
    both = newsroom.url("/news/ferry")
    announce(newsroom, both)
    story = newsroom.publish_story(STORIES[1])
    newsroom.respond("/news/ferry", body=UNDATED.replace("</main>", f'</main><h2><a href="{story}">{TEXT}</a></h2>'))
    morgue.crawl(newsroom.url("/"))
    assert stored(morgue) == {both, story}
    assert asked_more_than_once(newsroom) == {}


def test_an_article_that_somebody_paused_is_not_taken_in_because_a_menu_leads_to_it(morgue, newsroom, ferry):
    newsroom.respond("/news/", body=page())
    with morgue.store.writing() as transaction:
        source = transaction.sources.for_domain("127.0.0.1", utc_now(), watched=False)
        paused = transaction.pages.ensure(source.source_id, feed_entry(ferry), utc_now(), due=True)
        transaction.operating.pause_page(paused.page_id)
    morgue.crawl(newsroom.url("/"))
    assert morgue.articles() == []
