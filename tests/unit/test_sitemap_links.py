"""What of a sitemap is worth a request."""

from crawler.discovery.listing import Listing
from crawler.discovery.sitemap_links import sort_sitemap
from crawler.discovery.url_shapes import UrlShapes
from crawler.urls import feed_entry
from storage.model import FeedKind

ARTICLES = [f"https://c.example/harbour/2026/11/{day:02}/the-ferry-returns-on-day-{day}" for day in range(1, 21)]
SHAPES = UrlShapes.learn(ARTICLES, ["https://c.example/tag/harbour"])
DOMAINS = frozenset({"c.example"})


def sort(*urls: str, kind: FeedKind = FeedKind.SITEMAP, **patterns):
    listing = Listing(kind=kind, entries=[feed_entry(url) for url in urls])
    chosen = sort_sitemap(
        listing, url="https://c.example/sitemap.xml", shapes=SHAPES, publisher_domains=DOMAINS, **patterns
    )
    return [entry.url for entry in chosen.wanted], dict(chosen.left_out)


def test_articles_and_what_cannot_be_told_are_wanted():
    story = "https://c.example/sport/2026/11/24/a-story-that-nobody-knows-yet"
    assert sort(story) == ([story], {})
    for path in ("story/77", "old-pier-open"):
        assert sort(f"https://c.example/{path}") == ([f"https://c.example/{path}"], {})


def test_what_is_plainly_no_article_is_left_out_and_counted_by_kind():
    wanted, left_out = sort(
        "https://c.example/tag/harbour",
        "https://c.example/author/marta-lindqvist",
        "https://c.example/harbour/",
        "https://c.example/",
        "https://elsewhere.example/2026/11/24/a-story-of-somebody-else",
        "https://c.example/files/2026/11/24/the-report-of-the-harbour-board.pdf",
    )
    assert wanted == []
    assert left_out == {"tag": 1, "author": 1, "section": 1, "home_page": 1, "elsewhere": 1, "not_a_page": 1}


def test_a_news_sitemap_is_believed():
    odd = "https://c.example/video/short"
    assert sort(odd, kind=FeedKind.NEWS_SITEMAP) == ([odd], {})
    assert sort(odd)[0] == []


def test_patterns_decide_alone():
    odd, story = "https://c.example/video/short", ARTICLES[0]
    assert sort(odd, story, include=["/video/*"]) == ([odd], {"excluded": 1})
    assert sort(odd, story, exclude=["/harbour/*"]) == ([], {"excluded": 1, "video": 1})
    assert sort("https://other.example/a", include=["https://other.example/*"])[0] == ["https://other.example/a"]
