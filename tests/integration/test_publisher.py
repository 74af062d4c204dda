"""The made-up publisher: it is what it says it is, and the links of its lists are sorted as they should be."""

import gzip
import re
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.discovery.index_page import read_index_page
from crawler.discovery.page_links import SortedLinks, sort_links
from crawler.discovery.url_shapes import UrlShapes
from storage.store import Store
from tests.integration.commands import run
from tests.publisher import Publisher
from tests.publisher_stock import SECTIONS, Style

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
styles = pytest.mark.parametrize("style", list(Style))


def get(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        body: bytes = answer.read()
    return gzip.decompress(body) if url.endswith(".gz") else body


def links_in(body: bytes, publisher: Publisher) -> set[str]:
    found = re.findall(r'(?:<loc>|<link>|<link href="|<a href=")([^<"]+)', body.decode())
    return {url if url.startswith("http") else publisher.url(url) for url in found} & publisher.article_urls


def sorted_links(publisher: Publisher, path: str, shapes: UrlShapes) -> SortedLinks:
    url = publisher.url(path)
    page = read_index_page(get(url), url=url, content_type="text/html; charset=utf-8")
    return sort_links(page, url=url, shapes=shapes, publisher_domains=frozenset())


def walked(publisher: Publisher, section: str, shapes: UrlShapes) -> set[str]:
    """Return the articles of a section, page after page."""
    found: set[str] = set()
    path: str | None = publisher.stock.section_path(section)
    while path:
        links = sorted_links(publisher, path, shapes)
        found |= {article.url for article in links.articles}
        path = next((page.url.removeprefix(publisher.origin) for page in links.next_pages), None)
    return found


@styles
def test_its_lists_hold_what_it_says_they_hold(style: Style) -> None:
    with Publisher(articles=200, style=style, now=NOW) as publisher:
        index = get(publisher.url("/sitemap_index.xml")).decode()
        children = re.findall("<loc>([^<]+)", index)
        in_sitemap = set[str]().union(*(links_in(get(child), publisher) for child in children))
        feeds = [f"/feeds/{section.replace('/', '-')}.xml" for section in SECTIONS]
        in_feeds = set[str]().union(*(links_in(get(publisher.url(feed)), publisher) for feed in feeds))
        shapes = UrlShapes.learn(in_feeds)
        in_sections = set[str]().union(*(walked(publisher, section, shapes) for section in SECTIONS))
        assert in_sitemap == publisher.article_urls_in("sitemap")
        assert in_feeds == publisher.article_urls_in("feeds")
        assert in_sections == publisher.article_urls_in("sections")
        assert in_sitemap | in_feeds | in_sections == publisher.article_urls
        assert links_in(get(publisher.url("/sitemap-news.xml")), publisher) < in_sitemap
        assert len(links_in(get(publisher.url("/feeds/all.atom")), publisher)) == 50


@styles
def test_some_articles_stand_in_one_kind_of_list_only(style: Style) -> None:
    with Publisher(articles=5_000, style=style, now=NOW) as publisher:
        only = {place: len(publisher.only_in(place)) for place in ("sitemap", "sections", "feeds")}
        assert len(publisher.article_urls) == 5_000
    assert all(count >= 20 for count in only.values()), only


@styles
def test_it_is_the_same_for_the_same_seed(style: Style) -> None:
    with Publisher(articles=30, style=style, now=NOW) as one, Publisher(articles=30, style=style, now=NOW) as other:
        paths = [piece.path for piece in one.stock.articles]
        assert paths == [piece.path for piece in other.stock.articles]
        pages = [get(one.url(path)).replace(one.origin.encode(), b"") for path in paths]
        assert pages == [get(other.url(path)).replace(other.origin.encode(), b"") for path in paths]
        assert len(set(pages)) == len(pages)
    assert Publisher(articles=30, seed=2, style=style, now=NOW).stock.articles[0].path != paths[0]


@styles
def test_every_request_is_logged_and_its_kind_is_known(style: Style) -> None:
    with Publisher(articles=30, style=style, now=NOW) as publisher:
        stock = publisher.stock
        for piece in (stock.articles[0], stock.galleries[0], stock.videos[0], stock.paid[0]):
            get(publisher.url(piece.path))
        for path in (
            "/",
            stock.section_path("sport"),
            "/tag/ferry/",
            "/about/",
            "/archive/2031/02/03/",
            "/search?q=x",
            "/robots.txt",
        ):
            get(publisher.url(path))
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(publisher.url("/no-such-page"))
        kinds = "article gallery video paid front section tag house calendar search robots other"
        assert publisher.requests_by_kind() == Counter(kinds.split())
        assert all(request.started <= request.ended for request in publisher.requests)
        assert [request.target for request in publisher.requests if publisher.forbids(request.path)] == ["/search?q=x"]


@styles
def test_its_front_page_is_sorted_with_a_reason_for_everything(style: Style) -> None:
    with Publisher(articles=200, style=style, now=NOW) as publisher:
        shapes = UrlShapes.learn(publisher.article_urls_in("feeds"))
        links = sorted_links(publisher, "/", shapes)
        assert {publisher.kind_of(found.url) for found in links.sections} == {"section"}
        tops = {publisher.url(publisher.stock.section_path(section)) for section in SECTIONS if "/" not in section}
        assert tops <= {found.url for found in links.sections}
        left_out = {"paid": 12, "elsewhere": 2, "not_a_page": 1, "search": 1, "facets": 1, "tag": 2, "calendar": 1}
        assert left_out.items() <= links.left_out.items()
        # Where nothing in their addresses tells galleries or videos from articles, their pages must.
        unmarked = {Style.DATED: set[str](), Style.NUMBERED: {"video"}, Style.PLAIN: {"gallery", "video"}}[style]
        assert {publisher.kind_of(article.url) for article in links.articles} == {"article"} | unmarked


def test_what_was_read_as_no_article_teaches_the_rest() -> None:
    with Publisher(articles=200, style=Style.NUMBERED, now=NOW) as publisher:
        videos = [publisher.url(piece.path) for piece in publisher.stock.videos]
        shapes = UrlShapes.learn(publisher.article_urls_in("feeds"), videos[1:])
        links = sorted_links(publisher, "/", shapes)
        assert {publisher.kind_of(article.url) for article in links.articles} == {"article"}


@styles
def test_a_crawl_of_its_home_page_finds_all_of_its_articles_and_nothing_else(style: Style, folder: Path) -> None:
    with Publisher(articles=60, style=style) as publisher:
        said = run(folder, "crawl", publisher.url("/"), "--json")
        assert said.returncode == 0, said.stderr.decode()
        with Store.open(f"sqlite:///{folder / 'morgue.db'}") as store, store.reading() as transaction:
            stored = {article.url for article in transaction.versions.articles(limit=1_000)}
        assert {publisher.kind_of(url) for url in stored} == {"article"}
        assert {url for url in stored if publisher.kind_of(url) == "article"} == publisher.article_urls
        asked = publisher.requests_by_kind()
        assert not [request.target for request in publisher.requests if publisher.forbids(request.path)]
        assert asked.keys().isdisjoint({"calendar", "search", "paid", "house", "tag", "author"}), asked
        assert asked["article"] == len(publisher.article_urls)
