"""From a home page, a section, a sitemap or a feed to the articles, within bounds, and what is said of the way."""

import gzip
import itertools
from datetime import UTC, datetime, timedelta

import pytest

from crawler import exploring
from crawler.catalogue import sources
from crawler.settings import SourceSettings
from storage.clock import utc_now
from storage.model import FeedKind, FetchKind
from storage.outcomes import Outcome
from tests.integration.crawls import due_now
from tests.newsroom import Newsroom
from tests.newsroom_stories import STORIES

# How links are followed does not depend on the kind of database; what is recorded of it, the contracts hold both to.
pytestmark = pytest.mark.parametrize("backend", ["sqlite"])

XML = {"Content-Type": "application/xml"}
HEADLINES = (
    "Harbour board votes to keep the old crane where it stands",
    "Two fishermen are found safe after a night on the sandbank",
    "Town library lends tools and reports that none was lost",
)


@pytest.fixture
def stories(newsroom):
    """Published stories, newest first, all with dated addresses below their sections."""
    return [newsroom.publish_story(story) for story in STORIES]


def page(*links: str, head: str = "", title: str = "The Harbour Courier", more: str = "") -> str:
    """Return a section's page: a card for each link, with a headline of many words."""
    cards = "".join(
        f'<article><h2><a href="{link}">{headline}</a></h2><time>24 November 2026</time></article>'
        for link, headline in zip(links, itertools.cycle(HEADLINES), strict=False)
    )
    return f"<!doctype html><html lang=en><head><title>{title}</title>{head}</head><body>{cards}{more}</body></html>"


def urlset(*urls: str, dated: datetime | None = None) -> str:
    lastmod = f"<lastmod>{dated.isoformat()}</lastmod>" if dated else ""
    rows = "".join(f"<url><loc>{url}</loc>{lastmod}</url>" for url in urls)
    return f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>'


def sitemap_index(*urls: str, dated: datetime | None = None) -> str:
    lastmod = f"<lastmod>{dated.isoformat()}</lastmod>" if dated else ""
    rows = "".join(f"<sitemap><loc>{url}</loc>{lastmod}</sitemap>" for url in urls)
    return (
        f'<?xml version="1.0"?><sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</sitemapindex>'
    )


def stored(morgue) -> set[str]:
    return {article.url for article in morgue.articles()}


def asked(newsroom, path: str) -> int:
    return len(newsroom.requests_for(path))


def results(report) -> dict[str, tuple[str | None, Outcome | None, int, int]]:
    """Return of each index, by its path, what it proved to be, its outcome, and its new and known pages."""
    return {
        "/" + result.feed.url.split("/", 3)[3]: (result.kind, result.outcome, result.new, result.known)
        for result in report.feeds
    }


def test_a_home_page_leads_to_feeds_sitemaps_and_sections(morgue, newsroom, stories):
    newsroom.robots = f"User-agent: *\nDisallow: /account/\nSitemap: {newsroom.url('/maps.xml')}\n"
    newsroom.respond("/maps.xml", headers=XML, body=sitemap_index(newsroom.url("/map-1.xml.gz")))
    newsroom.respond("/map-1.xml.gz", body=gzip.compress(urlset(stories[0], stories[1]).encode()))
    newsroom.respond(
        "/",
        body=page(
            stories[2],
            head='<link rel="alternate" type="application/rss+xml" href="/short.rss">',
            more='<nav><a href="/news/">News</a> <a href="/account/">Account</a></nav>',
        ),
    )
    newsroom.respond(
        "/short.rss",
        headers={"Content-Type": "application/rss+xml"},
        body=f"<rss version='2.0'><channel><title>C</title><item><link>{stories[3]}</link></item></channel></rss>",
    )
    newsroom.respond("/news/", body=page(stories[4], more='<a rel="next" href="/news/?page=2">Older</a>'))
    newsroom.respond("/news/?page=2", body=page(stories[5]))
    report = morgue.crawl(newsroom.url("/"))
    assert stored(morgue) == set(stories[:6])
    assert results(report) == {
        "/short.rss": (FeedKind.RSS, Outcome.LISTED, 1, 0),
        "/maps.xml": (FeedKind.SITEMAP, Outcome.LISTED, 0, 0),
        "/map-1.xml.gz": (FeedKind.SITEMAP, Outcome.LISTED, 2, 0),
        "/": (FeedKind.SECTION, Outcome.LISTED, 1, 0),
        "/news/": (FeedKind.SECTION, Outcome.LISTED, 2, 0),
    }
    assert report.failed_targets == []
    assert asked(newsroom, "/account/") == 0
    kinds = {fetch.url.removeprefix(newsroom.origin): fetch.kind for fetch in morgue.fetches()}
    assert kinds["/"] == kinds["/news/?page=2"] == FetchKind.SECTION
    assert kinds["/maps.xml"] == kinds["/map-1.xml.gz"] == FetchKind.SITEMAP
    assert kinds["/short.rss"] == FetchKind.FEED


def test_a_home_page_is_no_article_even_if_it_reads_like_one(morgue, newsroom, stories):
    text = "".join(f"<p>{paragraph}</p>" for paragraph in STORIES[0].body)
    newsroom.respond("/", body=f"<html><head><title>C</title></head><body><h1>News</h1>{text}</body></html>")
    report = morgue.crawl(newsroom.url("/"))
    assert (report.outcomes, morgue.articles()) == ({}, [])
    assert results(report)["/"] == (FeedKind.SECTION, Outcome.LISTED, 0, 0)


def test_common_places_are_tried_where_nothing_is_announced(morgue, newsroom, stories):
    newsroom.robots = None
    newsroom.respond("/", body=page(stories[0]))
    rss = f"<rss version='2.0'><channel><item><link>{stories[1]}</link></item></channel></rss>"
    newsroom.respond("/rss.xml", headers={"Content-Type": "application/rss+xml"}, body=rss)
    newsroom.respond("/sitemap.xml", headers=XML, body=urlset(stories[2]))
    # The newsroom has these of its own.
    for path in ("/feed.rss", "/feed.atom"):
        newsroom.respond(path, status=404)
    morgue.crawl(newsroom.url("/"))
    assert stored(morgue) == set(stories[:3])
    rows = {fetch.url.removeprefix(newsroom.origin): (fetch.outcome, fetch.reason) for fetch in morgue.fetches()}
    assert Outcome.MISSING in {outcome for outcome, _ in rows.values()}
    before = len(newsroom.requests)
    morgue.crawl(newsroom.url("/"))
    again = {request.path for request in newsroom.requests[before:]}
    assert again <= {"/", "/rss.xml", "/sitemap.xml", "/robots.txt"}, "what is not there is not tried again"


def test_sitemaps_that_name_each_other_end(morgue, newsroom, stories):
    a, b, c = (newsroom.url(f"/map-{name}.xml") for name in "abc")
    newsroom.respond("/map-a.xml", headers=XML, body=sitemap_index(a, b))
    newsroom.respond("/map-b.xml", headers=XML, body=sitemap_index(a, c))
    newsroom.respond("/map-c.xml", headers=XML, body=urlset(stories[0]))
    report = morgue.crawl(a)
    assert stored(morgue) == {stories[0]}
    assert [asked(newsroom, f"/map-{name}.xml") for name in "abc"] == [1, 1, 1]
    assert report.reached == []


def test_sitemaps_nested_without_end_end_at_a_bound_that_is_said(morgue, newsroom):
    for number in range(9):
        newsroom.respond(f"/map-{number}.xml", headers=XML, body=sitemap_index(newsroom.url(f"/map-{number + 1}.xml")))
    report = morgue.crawl(newsroom.url("/map-0.xml"))
    assert [(reached.bound, reached.number, reached.url) for reached in report.reached] == [
        ("sitemap_depth", 3, newsroom.url("/map-3.xml"))
    ]
    assert asked(newsroom, "/map-3.xml") == 0


def test_an_index_of_very_many_sitemaps_ends_at_a_bound_that_is_said(morgue, newsroom, monkeypatch):
    bounds = exploring.Bounds(sitemaps=3)
    monkeypatch.setattr(exploring, "Bounds", lambda: bounds)
    children = [f"/map-{number}.xml" for number in range(1, 30)]
    for child in children:
        newsroom.respond(child, headers=XML, body=urlset())
    newsroom.respond("/maps.xml", headers=XML, body=sitemap_index(*map(newsroom.url, children)))
    report = morgue.crawl(newsroom.url("/maps.xml"))
    assert sum(asked(newsroom, child) for child in children) == 3
    assert [(reached.bound, reached.number) for reached in report.reached] == [("sitemaps", 3)]


def test_a_sitemap_is_read_again_only_when_its_index_says_so(morgue, newsroom, stories):
    old, new = newsroom.url("/map-old.xml"), newsroom.url("/map-new.xml")
    long_ago = datetime(2020, 5, 1, tzinfo=UTC)
    newsroom.respond("/map-old.xml", headers=XML, body=urlset(stories[0]))
    newsroom.respond("/map-new.xml", headers=XML, body=urlset(stories[1]))
    newsroom.respond("/maps.xml", headers=XML, body=sitemap_index(old, new, dated=long_ago))
    morgue.crawl(newsroom.url("/maps.xml"))
    morgue.crawl(newsroom.url("/maps.xml"))
    assert [asked(newsroom, path) for path in ("/maps.xml", "/map-old.xml", "/map-new.xml")] == [2, 1, 1]
    later = utc_now() + timedelta(seconds=1)
    index = sitemap_index(old, dated=long_ago).replace("</sitemapindex>", "")
    index += f"<sitemap><loc>{new}</loc><lastmod>{later.isoformat()}</lastmod></sitemap></sitemapindex>"
    newsroom.respond("/maps.xml", headers=XML, body=index)
    newsroom.respond("/map-new.xml", headers=XML, body=urlset(stories[1], stories[2]))
    morgue.crawl(newsroom.url("/maps.xml"))
    assert [asked(newsroom, path) for path in ("/map-old.xml", "/map-new.xml")] == [1, 2]
    assert stored(morgue) == set(stories[:3])


def test_a_list_without_end_ends_at_a_bound_that_is_said(morgue, newsroom):
    for number in range(1, 60):
        links = [f"/news/2026/11/{number:02}/story-number-{number}-of-a-list-without-end-{part}" for part in "ab"]
        newsroom.respond(
            f"/news/?page={number}", body=page(*links, more=f'<a rel="next" href="/news/?page={number + 1}">Next</a>')
        )
    newsroom.respond(
        "/news/",
        body=page(
            "/news/2026/11/01/the-first-of-very-many-stories", more='<a rel="next" href="/news/?page=2">Next</a>'
        ),
    )
    report = morgue.crawl(newsroom.url("/news/"))
    assert asked(newsroom, "/news/") == 50
    (reached,) = report.reached
    assert (reached.bound, reached.number) == ("pages", 50)
    (result,) = report.feeds
    assert (result.pages, result.new) == (50, 99)


def test_a_list_that_repeats_its_first_page_ends(morgue, newsroom, stories):
    """A server that does not know the parameter shows the same page under every number."""
    counter = itertools.count(2)
    newsroom.respond(
        "/news/", body=page(*stories[:2], more=f'<a rel="next" href="/news/?page={next(counter)}">Next</a>')
    )
    for number in range(2, 9):
        newsroom.respond(
            f"/news/?page={number}",
            body=page(*stories[:2], more=f'<a rel="next" href="/news/?page={number + 1}">x</a>'),
        )
    report = morgue.crawl(newsroom.url("/news/"))
    assert asked(newsroom, "/news/") == 2
    assert report.reached == []


def test_a_list_is_followed_only_as_far_as_it_brings_news(morgue, newsroom, stories):
    newsroom.respond("/news/", body=page(stories[0], more='<a rel="next" href="/news/?page=2">Next</a>'))
    newsroom.respond("/news/?page=2", body=page(stories[1], more='<a rel="next" href="/news/?page=3">Next</a>'))
    newsroom.respond("/news/?page=3", body=page(stories[2]))
    morgue.crawl(newsroom.url("/news/"))
    assert asked(newsroom, "/news/") == 3
    morgue.crawl(newsroom.url("/news/"))
    assert asked(newsroom, "/news/") == 4
    newsroom.respond("/news/", body=page(stories[3], stories[0], more='<a rel="next" href="/news/?page=2">Next</a>'))
    morgue.crawl(newsroom.url("/news/"))
    assert asked(newsroom, "/news/") == 6
    assert stored(morgue) == set(stories[:4])


def test_a_limit_ends_the_exploring_too_and_the_next_crawl_begins_anew(morgue, newsroom, stories):
    newsroom.respond("/news/", body=page(stories[0], more='<a rel="next" href="/news/?page=2">Next</a>'))
    newsroom.respond("/news/?page=2", body=page(stories[1]))
    report = morgue.crawl(newsroom.url("/news/"), limit=1)
    assert (report.fetched, asked(newsroom, "/news/")) == (1, 1)
    assert results(report) == {"/news/": (FeedKind.SECTION, Outcome.LISTED, 1, 0)}
    report = morgue.crawl(newsroom.url("/news/"))
    assert results(report) == {"/news/": (FeedKind.SECTION, Outcome.LISTED, 1, 1)}
    assert stored(morgue) == set(stories[:2])


def test_links_of_a_page_that_forbids_it_are_not_followed(morgue, newsroom, stories):
    newsroom.respond("/news/", body=page(stories[0], head='<meta name="robots" content="noindex, nofollow">'))
    report = morgue.crawl(newsroom.url("/news/"))
    assert morgue.articles() == []
    (result,) = report.feeds
    assert (result.outcome, result.reason, dict(result.left_out)) == (Outcome.LISTED, "nofollow", {"nofollow": 1})


def test_links_of_a_page_whose_header_forbids_it_are_not_followed(morgue, newsroom, stories):
    newsroom.respond("/news/", headers={"X-Robots-Tag": "nofollow"}, body=page(stories[0]))
    morgue.crawl(newsroom.url("/news/"))
    assert morgue.articles() == []


def test_a_section_leads_to_those_below_it_alone(morgue, newsroom, stories):
    head = '<link rel="alternate" type="application/rss+xml" href="/feed.rss">'
    more = '<nav><a href="/news/">News</a><a href="/sport/sea/">Sea</a><a href="/sporting-life/">Life</a></nav>'
    newsroom.respond("/sport/", body=page(stories[0], head=head, more=more))
    newsroom.respond("/sport/sea/", body=page(stories[1], more=more))
    report = morgue.crawl(newsroom.url("/sport/"))
    assert stored(morgue) == set(stories[:2])
    assert set(results(report)) == {"/sport/", "/sport/sea/"}
    assert [asked(newsroom, path) for path in ("/news/", "/sporting-life/", "/feed.rss")] == [0, 0, 0]


def test_a_section_does_not_lead_up_to_the_home_page(morgue, newsroom, stories):
    newsroom.respond(
        "/sport/", body=page(stories[0], more='<nav><a href="/">Home</a><a href="/sport/sea/">Sea</a></nav>')
    )
    newsroom.respond("/sport/sea/", body=page(stories[1]))
    morgue.crawl(newsroom.url("/sport/"))
    assert stored(morgue) == set(stories[:2])
    assert asked(newsroom, "/") == 0


def test_calendars_facets_and_other_publishers_are_left_out_and_counted(morgue, newsroom, stories):
    more = "".join(
        f'<a href="{href}">Somewhere else in the list of things to be seen</a>'
        for href in (
            "/archive/2019/05/06/",
            "/news/?sort=oldest&filter=sport",
            "https://other.example/2026/11/24/an-offer-that-nobody-should-miss",
            "/files/annual-report.pdf",
            "/tag/harbour",
        )
    )
    newsroom.respond("/news/", body=page(stories[0], more=more))
    report = morgue.crawl(newsroom.url("/news/"))
    assert stored(morgue) == {stories[0]}
    (result,) = report.feeds
    assert dict(result.left_out) == {"calendar": 1, "facets": 1, "elsewhere": 1, "not_a_page": 1, "tag": 1}
    assert asked(newsroom, "/archive/2019/05/06/") == 0


@pytest.mark.parametrize("kind", ["json", "text", "news", "gzip"])
def test_every_kind_of_index_can_be_named(morgue, newsroom, stories, kind):
    url = stories[0]
    body, content_type = {
        "json": (
            '{"version": "https://jsonfeed.org/version/1.1", "title": "C", '
            f'"items": [{{"id": "1", "url": "{url}"}}]}}',
            "application/feed+json",
        ),
        "text": (f"{url}\n{stories[1]}\n", "text/plain"),
        "news": (
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
            'xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">'
            f"<url><loc>{url}</loc><n:news><n:publication_date>2026-11-24T08:00:00Z</n:publication_date>"
            "<n:title>Ferry</n:title></n:news></url></urlset>",
            "text/xml",
        ),
        "gzip": (gzip.compress(urlset(url).encode()), "application/octet-stream"),
    }[kind]
    newsroom.respond(f"/list.{kind}", headers={"Content-Type": content_type}, body=body)
    report = morgue.crawl(newsroom.url(f"/list.{kind}"))
    assert report.failed_targets == []
    assert url in stored(morgue)
    if kind == "news":
        with morgue.store.reading() as transaction:
            listed = transaction.pages.by_key(url.split("://")[1])
        assert (listed.feed_title, listed.feed_published_at) == ("Ferry", datetime(2026, 11, 24, 8, tzinfo=UTC))


def test_a_paged_feed_is_read_to_its_end(morgue, newsroom, stories):
    def feed(url: str, following: str = "") -> str:
        return (
            '{"version": "https://jsonfeed.org/version/1.1", "title": "C", '
            f'{following}"items": [{{"id": "1", "url": "{url}"}}]}}'
        )

    kind = {"Content-Type": "application/feed+json"}
    newsroom.respond("/feed.json", headers=kind, body=feed(stories[0], '"next_url": "/feed.json?page=2", '))
    newsroom.respond("/feed.json?page=2", headers=kind, body=feed(stories[1]))
    report = morgue.crawl(newsroom.url("/feed.json"))
    assert stored(morgue) == set(stories[:2])
    assert results(report) == {"/feed.json": (FeedKind.JSON, Outcome.LISTED, 2, 0)}


def test_paid_entries_and_entries_that_lead_elsewhere_are_left_out(morgue, newsroom, stories):
    items = "".join(f"<item><link>{url}</link></item>" for url in stories[:4])
    items += f"<item><category>Sponsored</category><link>{stories[4]}</link></item>"
    items += "<item><link>http://shop.example/offer</link></item>"
    newsroom.respond(
        "/mixed.rss", headers=XML, body=f"<rss version='2.0'><channel><title>C</title>{items}</channel></rss>"
    )
    report = morgue.crawl(newsroom.url("/mixed.rss"))
    assert stored(morgue) == set(stories[:4])
    (result,) = report.feeds
    assert dict(result.left_out) == {"paid": 1, "elsewhere": 1}


def test_a_source_with_only_a_home_page_is_explored_by_its_name(morgue, newsroom, stories):
    newsroom.respond("/", body=page(stories[0], more='<nav><a href="/news/">News</a></nav>'))
    newsroom.respond("/news/", body=page(stories[1]))
    newsroom.robots = None
    for path in ("/feed.rss", "/feed.atom"):
        newsroom.respond(path, status=404)
    morgue.add_source(slug="courier", homepage=newsroom.url("/"))
    morgue.crawl("courier")
    assert stored(morgue) == set(stories[:2])
    with morgue.store.reading() as transaction:
        source_id = transaction.sources.by_slug("courier").source_id
        found = {feed.url: feed.found_by for feed in transaction.feeds.for_sources({source_id})}
    assert found == {newsroom.url("/"): "configured", newsroom.url("/news/"): "section"}


def test_what_is_found_from_a_named_page_is_not_the_services_unless_it_is_watched(morgue, newsroom, stories):
    newsroom.respond("/", body=page(stories[0], more='<nav><a href="/news/">News</a></nav>'))
    newsroom.respond("/news/", body=page(stories[1]))

    def due() -> set[str]:
        with morgue.store.writing() as transaction:
            transaction.feeds.plan(due_now(transaction.feeds.unplanned()))
            return {feed.url for feed in transaction.feeds.due(utc_now(), 100)}

    morgue.crawl(newsroom.url("/"))
    assert due() == set()
    morgue.crawl(newsroom.url("/"), watch=True)
    assert {newsroom.url("/"), newsroom.url("/news/")} <= due()


def test_an_index_that_breaks_us_costs_the_others_nothing(morgue, newsroom, stories, monkeypatch):
    newsroom.respond(
        "/", body=page(stories[0], more='<nav><a href="/news/">News</a> <a href="/sport/">Sport</a></nav>')
    )
    newsroom.respond("/news/", body=page(stories[1]))
    newsroom.respond("/sport/", body=page(stories[2]))
    whole = exploring.FeedPoller.take

    async def take(self, feed, source, fetched):
        if feed.url.endswith("/news/"):
            raise ZeroDivisionError
        return await whole(self, feed, source, fetched)

    monkeypatch.setattr(exploring.FeedPoller, "take", take)
    report = morgue.crawl(newsroom.url("/"))
    assert stored(morgue) >= {stories[0], stories[2]}
    broken = next(result for result in report.feeds if result.feed.url.endswith("/news/"))
    assert (broken.outcome, broken.reason) == (None, "internal_error")


def listed_story(part: int, number: int) -> str:
    return f"/news/2026/11/{part:02}/story-number-{number}-on-page-{part}-of-a-long-list"


@pytest.fixture
def long_list(newsroom):
    """A section of twelve pages with three stories each; the addresses are enough, nothing stands there."""
    for part in range(1, 13):
        following = f'<a rel="next" href="/news/?page={part + 1}">Next</a>' if part < 12 else ""
        body = page(*(listed_story(part, number) for number in range(3)), more=following)
        newsroom.respond(f"/news/?page={part}" if part > 1 else "/news/", body=body)
    return newsroom.url("/news/")


def known_pages(morgue) -> int:
    with morgue.store.reading() as transaction:
        return transaction.sources.numbers(1, now=utc_now()).pages


def test_a_list_that_was_cut_is_read_to_its_end_by_a_later_crawl(morgue, newsroom, long_list):
    """What it had read stands in the database by then, and brings nothing new."""
    morgue.crawl(long_list, limit=20)
    cut = known_pages(morgue)
    assert 20 <= cut < 36
    for _ in range(2):
        morgue.crawl(long_list)
    assert known_pages(morgue) == 36


def test_sitemaps_of_an_index_are_known_before_the_index_counts_as_read(morgue, newsroom, stories, monkeypatch):
    children = [f"/map-{number}.xml" for number in range(120)]
    for child in children:
        newsroom.respond(child, headers=XML, body=urlset())
    newsroom.respond("/map-119.xml", headers=XML, body=urlset(stories[0]))
    newsroom.respond("/maps.xml", headers=XML, body=sitemap_index(*map(newsroom.url, children)))
    whole = exploring._ensure_all
    slices = iter(range(99))

    def breaks(part, way, parent_id, transaction):
        if next(slices) == 1:
            raise ZeroDivisionError
        return whole(part, way, parent_id, transaction)

    monkeypatch.setattr(exploring, "_ensure_all", breaks)
    morgue.crawl(newsroom.url("/maps.xml"))
    assert stored(morgue) == set()
    morgue.crawl(newsroom.url("/maps.xml"))
    assert stored(morgue) == {stories[0]}


def test_common_places_are_tried_once_the_home_page_answers(morgue, newsroom, stories):
    newsroom.robots = None
    for path in ("/feed.rss", "/feed.atom"):
        newsroom.respond(path, status=404)
    newsroom.respond("/sitemap.xml", headers=XML, body=urlset(stories[2]))
    newsroom.respond("/", status=500, times=1)
    newsroom.respond("/", body=page(stories[0]))
    morgue.add_source(slug="courier", homepage=newsroom.url("/"))
    morgue.crawl("courier")
    assert stored(morgue) == set()
    morgue.crawl("courier")
    assert stored(morgue) == {stories[0], stories[2]}
    newsroom.respond("/sitemap.xml", headers=XML, body=urlset(stories[2], stories[3]))
    morgue.crawl(newsroom.url("/"))
    assert stories[3] in stored(morgue), "what was found there is read again"


def test_a_dead_link_of_a_menu_fails_no_crawl(morgue, newsroom, stories):
    newsroom.respond("/", body=page(stories[0], more='<nav><a href="/dead/">Dead</a></nav>'))
    newsroom.respond("/dead/", status=404)
    report = morgue.crawl(newsroom.url("/"))
    assert report.failed_targets == []
    assert report.failed_indexes == [newsroom.url("/dead/")]
    assert morgue.crawl(newsroom.url("/dead/")).failed_targets == [newsroom.url("/dead/")]


def test_a_named_home_page_has_an_account_when_a_limit_ends_the_crawl(morgue, newsroom, stories):
    head = '<link rel="alternate" type="application/rss+xml" href="/feed.rss">'
    newsroom.respond("/", body=page(stories[0], head=head))
    report = morgue.crawl(newsroom.url("/"), limit=1)
    assert {result.url: result.reason for result in report.named} == {newsroom.url("/"): "limit"}
    assert report.failed_targets == []


def test_a_domain_that_was_crawled_can_be_named_again(morgue, newsroom, stories):
    url = newsroom.url("/")
    newsroom.respond("/", body=page(stories[0]))
    morgue.crawl(url)
    report = morgue.crawl("127.0.0.1")
    assert [result.url for result in report.named] == ["https://127.0.0.1/"], "it is an address, not a source"


def test_a_section_that_leads_to_another_publisher_brings_none_of_it(morgue, newsroom, stories):
    with Newsroom("127.0.0.2") as other:
        strange = other.publish_story(STORIES[5])
        other.respond("/section/", body=page(strange))
        newsroom.redirect("/news/", other.url("/section/"), status=302)
        report = morgue.crawl(newsroom.url("/news/"))
    assert morgue.articles() == []
    (result,) = report.feeds
    assert (result.reason, dict(result.left_out)) == ("elsewhere", {"elsewhere": 1})


def test_an_index_of_another_source_is_left_to_it(morgue, newsroom, stories):
    newsroom.respond(
        "/b/", body=page(stories[1], head='<link rel="alternate" type="application/rss+xml" href="/a.rss">')
    )
    rss = f"<rss version='2.0'><channel><item><link>{stories[0]}</link></item></channel></rss>"
    newsroom.respond("/a.rss", headers=XML, body=rss)
    with morgue.store.writing() as transaction:
        a = SourceSettings(slug="a", feeds=[newsroom.url("/a.rss")], exclude=["/harbour/*"])
        b = SourceSettings(slug="b", sections=[newsroom.url("/b/")])
        transaction.sources.sync(sources([a, b]), utc_now())
    morgue.crawl("b")
    assert stored(morgue) == {stories[1]}
    assert asked(newsroom, "/a.rss") == 0


def test_more_sitemaps_in_robots_than_may_be_read_end_at_the_bound(morgue, newsroom, stories, monkeypatch):
    bounds = exploring.Bounds(sitemaps=3)
    monkeypatch.setattr(exploring, "Bounds", lambda: bounds)
    newsroom.robots = "".join(f"Sitemap: {newsroom.url(f'/map-{number}.xml')}\n" for number in range(9))
    newsroom.respond("/", body=page(stories[0]))
    report = morgue.crawl(newsroom.url("/"))
    assert sum(asked(newsroom, f"/map-{number}.xml") for number in range(9)) == 3
    assert ("sitemaps", 3) in {(reached.bound, reached.number) for reached in report.reached}


def test_a_feed_that_every_page_announces_is_made_known_once(morgue, newsroom, stories, monkeypatch):
    head = '<link rel="alternate" type="application/rss+xml" href="/feed.rss">'
    nav = "<nav>" + "".join(f'<a href="/section-{number}/">Section</a>' for number in range(4)) + "</nav>"
    newsroom.respond("/", body=page(stories[0], head=head, more=nav))
    for number in range(4):
        newsroom.respond(f"/section-{number}/", body=page(stories[number], head=head, more=nav))
    made_known = []
    whole = exploring._ensure_one

    def ensure_one(found, way, parent_id, transaction):
        made_known.append(found.url)
        return whole(found, way, parent_id, transaction)

    monkeypatch.setattr(exploring, "_ensure_one", ensure_one)
    morgue.crawl(newsroom.url("/"))
    assert made_known.count(newsroom.url("/feed.rss")) == 1
