"""What a section's or home page's HTML says: its links and their places, its feeds, where it goes on."""

import re

import pytest

from crawler.discovery.index_page import MAX_LINKS, IndexPage, PageLink, read_index_page
from storage.model import FeedKind

URL = "https://www.tidings.example/news/"


def read(body: str, *, head: str = "", url: str = URL) -> IndexPage:
    html = f"<!DOCTYPE html><html lang='en-GB'><head><title>News</title>{head}</head><body>{body}</body></html>"
    return read_index_page(html.encode(), url=url, content_type="text/html; charset=utf-8")


def link(page: IndexPage, path: str) -> PageLink:
    return next(found for found in page.links if found.url == f"https://www.tidings.example{path}")


class TestLinks:
    def test_all_anchors_of_a_page_are_one_link_with_the_best_text(self) -> None:
        page = read(
            "<div><a href='/ferry'><img alt='A ferry in the fog off the pier, seen from the tower'></a>"
            "<h3><a href='/ferry#top'>Night ferry returns</a></h3><a href='/ferry?utm_source=front'>Read more</a></div>"
        )
        (found,) = page.links
        assert found.url == "https://www.tidings.example/ferry"
        assert (found.text, found.words, found.is_heading) == ("Night ferry returns", 3, True)

    def test_a_picture_speaks_for_itself_where_there_is_no_text(self) -> None:
        assert (
            read("<a href='/ferry'><img src='x.jpg' alt='The ferry returns'></a>").links[0].text == "The ferry returns"
        )
        assert read("<a href='/ferry' title='Ferry back'><i></i></a>").links[0].text == "Ferry back"

    def test_places_on_the_page_are_told_apart(self) -> None:
        page = read(
            "<header><a href='/'>Tidings</a></header><nav><a href='/sport'>Sport</a></nav>"
            "<div class='main-menu'><a href='/culture'>Culture</a></div>"
            "<ul class='breadcrumb'><li><a href='/islands'>Islands</a></ul>"
            "<main><article><header><h2><a href='/story-one'>Story one</a></h2></header>"
            "<footer><a href='/story-one/reader-letters'>Letters</a></footer></article>"
            "<section><header><a href='/more'>More</a></header><p>See <a href='/plain'>plain</a></p></section></main>"
            "<footer><a href='/imprint'>Imprint</a></footer>"
        )
        in_navigation = {found.url.rpartition("/")[2] for found in page.links if found.in_navigation}
        assert in_navigation == {"", "sport", "culture", "islands", "imprint"}
        assert link(page, "/story-one").is_heading
        assert not link(page, "/plain").is_heading

    def test_a_page_named_for_its_menu_is_no_menu(self) -> None:
        page = read("<div class='has-menu menu'><h1>News</h1><a href='/story'>A story</a></div>")
        assert not page.links[0].in_navigation

    def test_a_link_in_a_menu_and_in_the_text_is_no_navigation(self) -> None:
        assert not read("<nav><a href='/x'>X</a></nav><p><a href='/x'>X</a></p>").links[0].in_navigation

    def test_a_card_is_dated_by_its_own_time_only(self) -> None:
        page = read(
            "<div><div><h3><a href='/one'>One</a></h3><p><time>3 May</time></p></div>"
            "<div><h3><a href='/two'>Two</a></h3></div></div>"
            "<ul>" + "".join(f"<li><a href='/n{n}'>N</a></li>" for n in range(8)) + "<li><time>today</time></li></ul>"
        )
        assert link(page, "/one").dated
        assert not link(page, "/two").dated
        assert not any(link(page, f"/n{n}").dated for n in range(8))

    def test_base_and_odd_addresses(self) -> None:
        page = read(
            "<a href='story one.html'>1</a><a href='//cdn.example/x'>2</a><a href='\n ../up\t'>3</a>"
            "<a href='?page=9'>4</a><a href='javascript:void(0)'>5</a><a href='mailto:a@b.example'>6</a>"
            "<a href='http://['>7</a><a href='#x'>8</a><a href=''>9</a><a>10</a>",
            head="<base href='/deep/er/'>",
        )
        assert [found.url for found in page.links] == [
            "https://www.tidings.example/deep/er/story%20one.html",
            "https://cdn.example/x",
            "https://www.tidings.example/deep/up",
            "https://www.tidings.example/deep/er/?page=9",
        ]
        assert page.left_out == {"not_http": 3}

    def test_rel_holds_only_what_all_anchors_of_a_page_say(self) -> None:
        page = read("<a rel='nofollow sponsored' href='/a'>A</a><a href='/a'>A</a>")
        assert page.links[0].rel == {"sponsored"}

    def test_marks_of_where_a_link_was_followed_make_no_other_page(self) -> None:
        places = "".join(f"<a href='/s{n}/?at=menu'>S</a><a href='/s{n}/?at=footer'>S</a>" for n in range(5))
        chosen = "".join(f"<a href='/list?topic=t{n}&at=menu'>T</a>" for n in range(5))
        page = read(places + "<a href='/s0/'>S</a>" + chosen)
        assert [found.url.removeprefix("https://www.tidings.example") for found in page.links] == [
            "/s0/",
            *(f"/s{n}/?at=menu" for n in range(1, 5)),
            *(f"/list?topic=t{n}&at=menu" for n in range(5)),
        ]

    def test_numbers_that_choose_a_page_do_not_travel(self) -> None:
        assert len(read("".join(f"<a href='/s{n}/?page={p}'>x</a>" for n in range(6) for p in (2, 3))).links) == 12

    def test_positions_follow_the_page(self) -> None:
        assert [found.position for found in read("<a href=/b>b</a><a href=/a>a</a><a href=/b>b</a>").links] == [0, 1]


class TestBrokenPages:
    @pytest.mark.parametrize(
        "body", [b"", b"   ", b"\0\0\0", b"<", b"<!-- ", b"<?xml version='1.0' encoding='x'?>", b"{}"]
    )
    def test_what_is_no_page_has_no_links(self, body: bytes) -> None:
        page = read_index_page(body, url=URL, content_type=None)
        assert (list(page.links), list(page.feeds), list(page.next_urls)) == ([], [], [])

    def test_malformed_html_is_read_as_browsers_do(self) -> None:
        html = (
            b"<ul><li><h3><a href=/one>One <b>story</a><li><a href='/two'>Two</h3><p><div></span><a href=/three>Three"
        )
        page = read_index_page(html, url=URL, content_type=None)
        assert [found.url.rpartition("/")[2] for found in page.links] == ["one", "two", "three"]

    def test_xhtml_with_a_declaration_and_another_charset(self) -> None:
        html = '<?xml version="1.0" encoding="windows-1251"?><html xmlns="http://www.w3.org/1999/xhtml"><body>'
        html += '<a href="/parom">Паром вернулся</a></body></html>'
        page = read_index_page(html.encode("cp1251"), url=URL, content_type="text/html; charset=windows-1251")
        assert page.links[0].text == "Паром вернулся"

    def test_a_page_of_a_hundred_thousand_links_is_cut_and_says_so(self) -> None:
        page = read("".join(f"<p><a href='/story-{n}'>Story {n}</a></p>" for n in range(100_000)))
        assert len(page.links) == MAX_LINKS
        assert page.left_out == {"too_many": 100_000 - MAX_LINKS}

    def test_very_deep_pages_end(self) -> None:
        page = read("<div>" * 50_000 + "<a href='/deep'>Deep</a>" + "</div>" * 50_000 + "<a href='/after'>After</a>")
        assert len(page.links) <= 2


class TestHead:
    def test_title_language_and_canonical(self) -> None:
        page = read("", head="<link rel=canonical href='/news'><meta name=Robots content='noindex, NOFOLLOW'>")
        assert (page.title, page.language, page.canonical_url) == ("News", "en", "https://www.tidings.example/news")
        assert page.nofollow
        assert read("", head="<meta name=robots content=none>").nofollow
        assert not read("", head="<meta name=somebot content=nofollow>").nofollow

    def test_feeds_of_all_kinds_once(self) -> None:
        page = read(
            "<a href='/feeds/islands.rss'>Islands</a><a type='application/rss+xml' href='/x/subscribe'>RSS</a>",
            head="<link rel='alternate' type='application/rss+xml' title='All &amp; more' href='/feed'>"
            "<link rel=alternate type='application/rss+xml; charset=utf-8' href='https://tidings.example/feed'>"
            "<link rel='alternate home' type='application/atom+xml' href='/atom.xml'>"
            "<link rel=alternate type='application/feed+json' href='/feed.json'>"
            "<link rel=alternate type='text/xml' title='RSS news' href='/news.xml'>"
            "<link rel=alternate type='application/json' href='/wp-json/wp/v2/posts/1'>"
            "<link rel=alternate type='application/json+oembed' href='/oembed?feed=1'>"
            "<link rel=alternate hreflang=de href='/de/'>"
            "<link rel=stylesheet type='application/rss+xml' href='/style'>",
        )
        assert [(feed.url.removeprefix("https://www.tidings.example"), feed.kind) for feed in page.feeds] == [
            ("/feed", FeedKind.RSS),
            ("/atom.xml", FeedKind.ATOM),
            ("/feed.json", FeedKind.JSON),
            ("/news.xml", FeedKind.UNKNOWN),
            ("/feeds/islands.rss", FeedKind.UNKNOWN),
            ("/x/subscribe", FeedKind.RSS),
        ]
        assert page.feeds[0].title == "All & more"

    def test_feeds_of_comments_are_left_out_where_there_are_others(self) -> None:
        comments = "<link rel=alternate type='application/rss+xml' title='Kommentar-Feed' href='/story/feed/'>"
        news = "<link rel=alternate type='application/rss+xml' title='News' href='/feed/'>"
        assert [feed.title for feed in read("", head=comments + news).feeds] == ["News"]
        assert [feed.title for feed in read("", head=comments).feeds] == ["Kommentar-Feed"]


class TestNextPage:
    def next_of(self, body: str, *, url: str = URL, head: str = "") -> list[str]:
        return [found.removeprefix("https://www.tidings.example") for found in read(body, url=url, head=head).next_urls]

    def test_rel_next_goes_before_everything(self) -> None:
        assert self.next_of("<a href='?page=7'>7</a>", head="<link rel=next href='/news/page/2/'>") == ["/news/page/2/"]
        assert self.next_of("<a rel='next' href='?after=abc'>…</a><a href='?page=2'>2</a>") == ["/news/?after=abc"]

    @pytest.mark.parametrize(
        "words",
        [
            *(
                "Next",
                "Older posts »",
                "← Older entries",
                "Nächste Seite",
                "Ältere Beiträge",
                "Suivant",
                "Page suivante",
            ),
            *("Siguiente ›", "Próxima página", "Successiva", "Volgende", "Nästa sida", "Neste", "Næste", "Seuraava"),
            *("Następna strona", "Další", "Következő", "Следующая", "Далее →", "Наступна", "Sonraki", "次へ", "下一页"),
            *("다음", "التالي", "הבא", "अगला", "»", "›"),
        ],
    )
    def test_words_in_many_languages(self, words: str) -> None:
        assert self.next_of(f"<a href='/news/?cursor=xyz'>{words}</a>") == ["/news/?cursor=xyz"]

    def test_signs_with_a_label(self) -> None:
        assert self.next_of("<a href='/news/page/2' aria-label='Next page'><svg></svg></a>") == ["/news/page/2"]

    def test_words_do_not_lead_to_articles_or_away(self) -> None:
        assert self.next_of("<a href='/news/the-ferry-is-back-after-eleven-years'>Next</a>") == []
        assert self.next_of("<a href='/sport/'>More</a><a href='https://other.example/news/?page=2'>Next</a>") == []
        assert self.next_of("<a href='#'>Next</a><a href='/news/'>Next</a>") == []

    @pytest.mark.parametrize(
        ("url", "hrefs", "following"),
        [
            (URL, ["?page=2", "?page=3", "?page=90"], "/news/?page=2"),
            (URL + "?page=3", ["?page=1", "?page=2", "?page=4", "?page=90"], "/news/?page=4"),
            (URL + "page/2/", ["/news/", "/news/page/3/", "/news/page/4/"], "/news/page/3/"),
            (URL + "?sort=new&page=2", ["?sort=new&page=3", "?sort=old&page=3"], "/news/?sort=new&page=3"),
            (URL, ["?start=20", "?start=40"], "/news/?start=20"),
            (URL + "?start=20", ["?start=0", "?start=40", "?start=60"], "/news/?start=40"),
            (URL, ["/news/seite-2", "/news/seite-3"], "/news/seite-2"),
            (URL + "index.html", ["/news/index_2.html", "/news/index_3.html"], "/news/index_2.html"),
            (URL + "2", ["/news/1", "/news/3"], "/news/3"),
        ],
    )
    def test_numbers(self, url: str, hrefs: list[str], following: str) -> None:
        links = "".join(f"<a href='{href}'>{(re.findall('[0-9]+', href) or ['first'])[-1]}</a>" for href in hrefs)
        assert self.next_of(links, url=url) == [following]

    def test_numbers_that_begin_at_nought(self) -> None:
        assert self.next_of("<a href='?page=1'>2</a><a href='?page=2'>3</a>") == ["/news/?page=1"]

    def test_the_last_page_has_no_next(self) -> None:
        links = "<a href='?page=1'>1</a><a href='?page=2'>2</a><a href='?page=3'>3</a>"
        assert self.next_of(links, url=URL + "?page=3") == []
        assert self.next_of("<a href='/news/page/1/'>Next</a>", url=URL + "page/2/") == []

    def test_other_numbers_are_no_pages(self) -> None:
        links = "<a href='/news/2024/05/'>5</a><a href='/sport/?page=2'>2</a><a href='/news/45'>The 45th regatta</a>"
        assert self.next_of(links) == []
        assert self.next_of("<a href='/archive/2024/06/'>06</a>", url="https://www.tidings.example/archive/2024/") == []
