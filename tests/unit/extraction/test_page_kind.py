"""Home pages, sections and pages of pictures, films and sound are told from articles by address, markup and shape."""

import json

import pytest

from storage.outcomes import Outcome
from tests.unit.extraction.pages import STORY, page, read

HOST = "https://courier.example"
TEASER = "The council has decided, and the shopkeepers on the quay are not amused."


def cards(count: int, *, teaser: str = "") -> str:
    said = f"<p>{teaser}</p>" if teaser else ""
    return "".join(
        f"<div><h3><a href='/city/story-number-{n}'>The town gets its new thing number {n} at last</a></h3>{said}</div>"
        for n in range(count)
    )


def links(count: int) -> str:
    return (
        "<ul>"
        + "".join(f"<li><a href='/a{n}'>The town gets thing number {n} at last</a></li>" for n in range(count))
        + "</ul>"
    )


def index(body: str, *, head: str = "", title: str = "The Courier") -> str:
    return f"<html lang='en'><head><title>{title}</title>{head}</head><body><h1>{title}</h1>{body}</body></html>"


def ld(**node: object) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@context": "https://schema.org", **node})}</script>'


def kind(html: str, path: str) -> str | None:
    reading = read(html, url=HOST + path)
    assert reading.article is not None or reading.outcome is Outcome.NOT_ARTICLE, reading
    return reading.reason


TOP_STORY = ld(**{"@type": "NewsArticle"}, headline="Bridge", url=HOST + "/city/bridge", datePublished="2023-05-01")
WEBSITE = "<meta property='og:type' content='website'>"
BLOG_POSTS = "".join(
    f"<article><h2><a href='/post-{n}'>Post number {n}</a></h2>{''.join(f'<p>{p}</p>' for p in STORY)}</article>"
    for n in range(6)
)


@pytest.mark.parametrize("path", ["", "/", "/index.html", "/index.php", "/home", "/en/", "/de-ch", "/?utm_source=x"])
@pytest.mark.parametrize(
    "html",
    [
        index(cards(30)),
        index(cards(30, teaser=TEASER)),
        index(cards(30), head=TOP_STORY),
        index(cards(30), head=WEBSITE + "<meta property='article:published_time' content='2023-05-01T10:00:00Z'>"),
        index(links(40)),
        index(BLOG_POSTS),
    ],
)
def test_home_page(html, path):
    assert kind(html, path) == "home_page"


@pytest.mark.parametrize("path", ["/?p=1234", "/?id=77", "/index.php?article=5", "/in-brief", "/city/bridge"])
def test_a_story_is_none_under_such_an_address(path):
    assert kind(page(), path) is None


def test_a_site_that_is_one_page_is_read():
    story = "".join(f"<p>{paragraph}</p>" for paragraph in STORY * 4)
    assert kind(f"<html><body><h1>The bridge</h1>{story}</body></html>", "/") is None


@pytest.mark.parametrize(
    ("path", "head", "reason"),
    [
        ("/city", WEBSITE, "section"),
        ("/sport/football/", "", "section"),
        (
            "/category/city",
            "<meta property='og:type' content='article'>" + ld(**{"@type": "CollectionPage"}),
            "section",
        ),
        ("/tag/bridges", "", "tag"),
        ("/topics/bridges/page/3", "", "tag"),
        ("/author/ida-lund", "", "author"),
        ("/people/ida-lund", ld(**{"@type": "ProfilePage"}), "author"),
        ("/search?q=bridge", "", "search"),
        ("/find", ld(**{"@type": "SearchResultsPage"}), "search"),
        ("/live", "", "live_index"),
        ("/archive/2023/05", "", "section"),
    ],
)
def test_index(path, head, reason):
    assert kind(index(cards(20, teaser=TEASER), head=head, title="City"), path) == reason


def test_a_list_of_articles_in_markup_makes_no_article():
    nodes = [
        {
            "@type": "NewsArticle",
            "headline": f"Thing {n}",
            "url": f"{HOST}/city/story-{n}",
            "datePublished": "2023-05-01",
        }
        for n in range(5)
    ]
    head = f'<script type="application/ld+json">{json.dumps(nodes)}</script>'
    assert kind(index(cards(20), head=head, title="City"), "/city") == "section"


@pytest.mark.parametrize(
    ("path", "head", "body", "reason"),
    [
        ("/city/bridge-film", "<meta property='og:type' content='video.other'>", f"<p>{TEASER}</p>", "video"),
        ("/videos/bridge", "", f"<p>{TEASER}</p>", "video"),
        ("/city/bridge", ld(**{"@type": "VideoObject"}, name="Bridge"), f"<p>{TEASER}</p>", "video"),
        ("/podcasts/harbour-talk", "", f"<p>{TEASER}</p>", "audio"),
        ("/city/talk", ld(**{"@type": "PodcastEpisode"}, name="Talk"), f"<p>{TEASER}</p>", "audio"),
        ("/photos/regatta", "", f"<p>{TEASER}</p>" + "<img src='/a.jpg'>" * 9, "gallery"),
        ("/city/regatta", ld(**{"@type": "ImageGallery"}), f"<p>{TEASER}</p>" + "<img src='/a.jpg'>" * 9, "gallery"),
    ],
)
def test_medium(path, head, body, reason):
    assert kind(index(body, head=head, title="Bridge"), path) == reason


@pytest.mark.parametrize(
    ("html", "path"),
    [
        (page(head=ld(**{"@type": "NewsArticle"}, headline="Bridge to close")), "/videos/bridge"),
        (page(head="<meta property='og:type' content='article'>"), "/photos/regatta"),
        (page(below="".join(f"<p>{p}</p>" for p in STORY)), "/videos/bridge"),
        (page(below=cards(25)), "/city/bridge"),
        ("<html><body><a href='/ad'><h1>Bridge</h1>" + "".join(f"<p>{p}</p>" for p in STORY * 6), "/city/bridge"),
        (page(head=ld(**{"@type": "NewsArticle"}, headline="Bridge"), below=links(200)), "/author/bridge"),
        (page(head=ld(**{"@type": "LiveBlogPosting"}, headline="Bridge to close")), "/live"),
    ],
)
def test_a_story_stays_one_among_cards_films_and_pictures(html, path):
    assert kind(html, path) is None
