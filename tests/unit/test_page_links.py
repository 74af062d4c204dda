"""Which links of a section or home page are followed, as what, and why the others are not."""

from collections.abc import Sequence

import pytest

from crawler.discovery.index_page import read_index_page
from crawler.discovery.link_traps import trap_of
from crawler.discovery.listing import FoundBy
from crawler.discovery.page_links import MAX_EXPLAINED, SortedLinks, sort_links
from crawler.discovery.url_shapes import UrlShapes
from storage.model import FeedKind

HOST = "https://www.tidings.example"
URL = HOST + "/politics/"
NOTHING = UrlShapes.learn([])


def sort(
    body: str,
    *,
    head: str = "",
    url: str = URL,
    shapes: UrlShapes = NOTHING,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    domains: frozenset[str] = frozenset(),
) -> SortedLinks:
    html = f"<html><head>{head}</head><body>{body}</body></html>".encode()
    page = read_index_page(html, url=url, content_type="text/html; charset=utf-8")
    return sort_links(page, url=url, shapes=shapes, publisher_domains=domains, include=include, exclude=exclude)


def anchor(path: str, text: str = "Some words") -> str:
    return f"<p><a href='{path}'>{text}</a></p>"


def verdict(links: SortedLinks, path: str) -> tuple[str, str]:
    return next((verdict, reason) for url, verdict, reason in links.explained if url == HOST + path)


class TestArticles:
    def test_the_shape_of_its_address_is_enough(self) -> None:
        links = sort(anchor("/politics/2024/05/03/night-ferry-returns-after-eleven-years", "Read"))
        (article,) = links.articles
        assert article.url_key == "tidings.example/politics/2024/05/03/night-ferry-returns-after-eleven-years"
        assert article.title is None

    def test_a_number_that_is_no_page_makes_no_further_page_of_an_article(self) -> None:
        assert len(sort(anchor("/story.php?id=41234&from=7", "The ferry is back")).articles) == 1

    def test_a_headline_in_a_card_settles_doubt_and_becomes_the_title(self) -> None:
        card = "<article><h3><a href='/ferry-returns-today'>Night ferry returns at last</a></h3></article>"
        links = sort(card + anchor("/mayor-speaks-now", "Mayor"))
        assert [article.title for article in links.articles] == ["Night ferry returns at last"]
        assert verdict(links, "/mayor-speaks-now") == ("left_out", "undecided")

    def test_a_time_beside_it_settles_doubt(self) -> None:
        dated = "<div><a href='/ferry-returns-today'>Ferry returns today</a> <time>3 May</time></div>"
        assert len(sort(dated).articles) == 1
        assert len(sort(anchor("/ferry-returns-today", "Ferry returns today")).articles) == 0

    def test_videos_with_headlines_are_videos_unless_its_own_feed_says_otherwise(self) -> None:
        path = "/video/the-ferry-that-came-back-551"
        card = f"<article><h3><a href='{path}'>The ferry that came back after all</a></h3><time>x</time></article>"
        assert verdict(sort(card), path) == ("left_out", "video")
        shapes = UrlShapes.learn(f"{HOST}/video/the-ferry-that-came-back-{n}" for n in range(300, 308))
        assert verdict(sort(card, shapes=shapes), path) == ("article", "shape_of_its_articles")

    def test_a_menu_of_its_latest_stories_is_followed_by_shape_only(self) -> None:
        shapes = UrlShapes.learn(f"{HOST}/politics/ferry-returns-41{n}" for n in range(100, 120))
        menu = "<nav><a href='/politics/mayor-speaks-41999'>Mayor speaks</a><a href='/mayor-speaks'>Mayor</a></nav>"
        links = sort(menu, shapes=shapes)
        assert [article.url for article in links.articles] == [HOST + "/politics/mayor-speaks-41999"]


class TestSections:
    def test_menus_lead_to_sections(self) -> None:
        links = sort("<nav><a href='/sport/'>Sport</a><a href='/local-news-of-the-day'>Local</a></nav>")
        assert [(found.url, found.kind, found.found_by, found.title) for found in links.sections] == [
            (HOST + "/sport/", FeedKind.SECTION, FoundBy.SECTION, "Sport"),
            (HOST + "/local-news-of-the-day", FeedKind.SECTION, FoundBy.SECTION, "Local"),
        ]

    def test_what_its_articles_stand_below_is_a_section_even_under_a_headline(self) -> None:
        shapes = UrlShapes.learn(f"{HOST}/the-long-read/2024/05/0{n}/ferry-{n}-returns" for n in range(1, 6))
        card = "<article><h2><a href='/the-long-read/'>The long read: all of our best stories</a></h2></article>"
        assert verdict(sort(card, shapes=shapes), "/the-long-read/") == ("section", "above_its_articles")

    def test_other_hosts_of_the_publisher_are_explored_only_where_articles_are_known(self) -> None:
        menu = "<nav><a href='https://blogs.tidings.example/harbour/'>Blogs</a></nav>"
        assert sort(menu).left_out == {"other_host": 1}
        shapes = UrlShapes.learn(["https://blogs.tidings.example/sea/2024/05/03/the-ferry-is-back"])
        assert [found.url for found in sort(menu, shapes=shapes).sections] == ["https://blogs.tidings.example/harbour/"]

    def test_the_most_promising_come_first(self) -> None:
        shapes = UrlShapes.learn(f"{HOST}/islands/2024/05/0{n}/ferry-{n}-returns" for n in range(1, 6))
        body = anchor("/weather", "Weather") + "<nav><a href='/sport/'>Sport</a></nav>" + anchor("/islands/", "Islands")
        assert [found.title for found in sort(body, shapes=shapes).sections] == ["Islands", "Sport", "Weather"]

    def test_the_next_page_is_not_a_section_and_others_are_reached_through_it(self) -> None:
        links = sort(anchor("?page=2", "2") + anchor("?page=3", "3") + anchor("/sport/?page=2", "2"))
        assert [(found.url, found.found_by) for found in links.next_pages] == [(URL + "?page=2", FoundBy.PAGINATION)]
        assert links.sections == []
        assert links.left_out == {"pagination": 2}


class TestLeftOut:
    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("/politics/", "itself"),
            ("https://other.example/night-ferry-returns-after-eleven-years", "elsewhere"),
            ("/reports/the-state-of-the-seas-in-2024.pdf", "not_a_page"),
            ("/podcast-episode-4123456.mp3?dl=1", "not_a_page"),
            ("/tag/ferry", "tag"),
            ("/author/agnes-thorvald", "author"),
            ("/pictures/2024/05/03/the-ferry-in-pictures-at-last", "gallery"),
            ("/search?q=ferry", "search"),
            ("/privacy-policy", "other_page"),
            ("/archive/2024/05/03/", "calendar"),
            ("/2024/05/", "calendar"),
            ("/2024/may/", "calendar"),
            ("/news/2024-05-03", "calendar"),
            ("/events?month=5&year=2031", "calendar"),
            ("/boats?sort=price", "facets"),
            ("/boats?colour=red&size=4&type=row", "facets"),
            ("/boats?a=1&b=2&c=3&d=4&e=5", "facets"),
            ("/?edition-picker", "facets"),
            ("/story/the-ferry-is-back;jsessionid=0A1B2C", "session_id"),
            ("/story?PHPSESSID=0a1b2c&id=12345", "session_id"),
            ("/a/b/a/b/the-ferry-is-back-again", "repeating_path"),
            ("/img/img/img/the-ferry-is-back-again", "repeating_path"),
            ("/a/b/c/d/e/f/g/h/i/j/the-ferry-is-back-again", "too_deep"),
            ("/the-ferry-is-back-again?share=mail", "action"),
        ],
    )
    def test_each_with_its_reason(self, path: str, reason: str) -> None:
        links = sort(anchor(path, "The ferry is back after eleven long years"))
        assert (links.articles, links.sections, dict(links.left_out)) == ([], [], {reason: 1})

    def test_a_calendar_is_not_followed_page_by_page_and_facets_only_where_they_were_named(self) -> None:
        later = sort(anchor("/archive/2024/06/", "Next"), head="<link rel=next href='/archive/2024/06/'>")
        assert (later.next_pages, dict(later.left_out)) == ([], {"calendar": 1})
        more = "?sort=new&amp;page=2"
        assert sort("", head=f"<link rel=next href='{more}'>").left_out == {"facets": 1}
        named = sort("", head=f"<link rel=next href='{more}'>", url=URL + "?sort=new")
        assert [found.url for found in named.next_pages] == [URL + "?sort=new&page=2"]

    def test_the_first_page_of_the_list_is_the_list_itself(self) -> None:
        links = sort(anchor("?page=1", "1") + anchor("?page=3", "3"), url=URL + "?page=2")
        assert (links.sections, dict(links.left_out)) == ([], {"pagination": 1})

    def test_one_anchor_that_is_marked_as_paid_is_enough(self) -> None:
        path = "/the-best-boats-you-can-buy-now"
        assert sort(f"<a rel=sponsored href='{path}'>Boats</a><a href='{path}'>x</a>").left_out == {"paid": 1}

    def test_paid_and_nofollow_links(self) -> None:
        body = "<a rel='nofollow sponsored' href='/the-best-boats-you-can-buy-now'>Boats</a>"
        body += "<a rel=nofollow href='/politics/2024/05/03/the-ferry-is-back-again'>Ferry</a>"
        assert sort(body).left_out == {"paid": 1, "nofollow": 1}

    def test_a_page_that_asks_robots_not_to_follow_is_obeyed(self) -> None:
        body = anchor("/politics/2024/05/03/the-ferry-is-back-again") + anchor("?page=2", "Next")
        links = sort(body, head="<meta name=robots content='index,nofollow'>")
        assert (links.articles, links.next_pages, dict(links.left_out)) == ([], [], {"nofollow": 2})

    def test_feeds_are_no_sections(self) -> None:
        assert sort("<nav><a href='/rss'>RSS</a><a href='/feeds/all.rss'>All</a></nav>").left_out == {"feed": 2}

    def test_an_article_of_a_day_is_no_calendar(self) -> None:
        shapes = UrlShapes.learn(f"{HOST}/night-ferry-returns-after-years/2024/05/{n}/" for n in range(10, 20))
        path = "/the-mayor-speaks-to-the-town/2024/06/03/"
        assert verdict(sort(anchor(path), shapes=shapes), path)[0] == "article"

    def test_all_of_one_page_whatever_the_case(self) -> None:
        for url in ("/politics/night-ferry-returns-41234.html", "/2024/05/03/slug", "/x?id=4", "/blog/blog/the-story"):
            assert trap_of(HOST + url) is None


class TestScope:
    LONG = "/politics/2024/05/03/night-ferry-returns-after-eleven-years"

    def test_other_domains_of_the_publisher_are_its_own(self) -> None:
        body = anchor(f"https://blog.tidings.example{self.LONG}") + anchor(f"https://tidings-sport.example{self.LONG}")
        assert [len(sort(body).articles), len(sort(body, domains=frozenset({"tidings-sport.example"})).articles)] == [
            1,
            2,
        ]

    def test_include_makes_an_article_of_anything_and_of_nothing_else(self) -> None:
        body = (
            anchor("/video/x", "X")
            + anchor(self.LONG)
            + "<nav><a href='/sport/'>Sport</a></nav>"
            + anchor("/politics/")
        )
        links = sort(body, include=["/video/*", "/politics/"])
        assert [article.url for article in links.articles] == [HOST + "/video/x"]
        assert [found.url for found in links.sections] == [HOST + "/sport/"]
        assert dict(links.left_out) == {"excluded": 1, "itself": 1}
        assert verdict(links, "/video/x") == ("article", "included")

    def test_a_pattern_of_a_path_says_nothing_of_other_publishers(self) -> None:
        body = anchor("https://other.example/video/x", "X")
        assert sort(body, include=["/video/*"]).left_out == {"elsewhere": 1}
        assert len(sort(body, include=["https://other.example/video/*"]).articles) == 1

    def test_exclude_goes_before_include_and_holds_for_sections_and_next_pages(self) -> None:
        body = anchor(self.LONG) + "<nav><a href='/sport/'>Sport</a></nav>" + anchor("?page=2", "Next")
        links = sort(body, include=["*ferry*"], exclude=["/politics/*", "/sport/*"])
        assert (links.articles, links.sections, links.next_pages) == ([], [], [])
        assert links.left_out == {"excluded": 3}


def test_explanations_are_bounded_and_counts_are_not() -> None:
    links = sort("".join(anchor(f"/tag/t{n}") for n in range(2 * MAX_EXPLAINED)))
    assert len(links.explained) == MAX_EXPLAINED
    assert links.left_out == {"tag": 2 * MAX_EXPLAINED}
