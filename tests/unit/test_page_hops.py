"""Which pages only lead on, and where."""

from datetime import UTC, datetime
from gzip import compress

import pytest

from crawler.page_hops import STEPPING_STONE_BYTES, page_hop, refresh_target
from storage.model import HttpExchange

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
URL = "http://paper.example/news/old"
PROSE = "<p>" + "The council met on Tuesday and decided nothing at all. " * 12 + "</p>"


def exchange(body: str | bytes, *, headers=(), content_type="text/html; charset=utf-8", url=URL) -> HttpExchange:
    return HttpExchange(
        record_id="urn:uuid:1",
        url=url,
        method="GET",
        request_headers=(),
        status=200,
        reason_phrase="",
        http_version="HTTP/1.1",
        response_headers=(("Content-Type", content_type), *headers),
        body=body.encode() if isinstance(body, str) else body,
        ip_address=None,
        started_at=NOW,
        finished_at=NOW,
    )


def led(body, **more):
    hop = page_hop(exchange(body, **more))
    return None if hop is None else (hop.target, hop.reason)


def meta(content: str) -> str:
    return f'<html><head><meta http-equiv="refresh" content="{content}"></head><body>Moved.</body></html>'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("0; url=/new", (0, "/new")),
        ("5;URL=/new", (5, "/new")),
        ("5 ; url = '/new'", (5, "/new")),
        ("0;'/new' and more", (0, "/new")),
        ('0; url="/new', (0, '"/new')),
        ("0,/new", (0, "/new")),
        ("0 /new", (0, "/new")),
        ("3.7; url=/new", (3, "/new")),
        (".5; url=/new", (0, "/new")),
        ("99999999999999; url=/new", (11, "/new")),
        ("300", None),
        ("300;", None),
        ("5; url=", None),
        ("url=/new", None),
        ("", None),
    ],
)
def test_a_refresh_is_read_as_html_reads_it(content, expected):
    found = refresh_target(content)
    # A quotation mark that is never closed is dropped by the standard as well.
    assert found == (expected if expected is None else (expected[0], expected[1].lstrip('"')))


@pytest.mark.parametrize(
    "page",
    [
        meta("0; url=/new"),
        meta("0; URL=new").replace('content="0; URL=new"', "CONTENT='0; URL=../new'"),
        meta("0; url=http://paper.example/new"),
        meta("3;url=&#47;new"),
        "<META HTTP-EQUIV=Refresh CONTENT=0;URL=/new>",
        "<html><head><noscript><meta http-equiv=refresh content='0; url=/new'></noscript></head><body></body></html>",
        "<noscript><meta http-equiv=refresh content='0; url=http://paper.example/new'></noscript>"
        '<script>location.replace("http:\\/\\/paper.example\\/new")</script>',
        "<html><head><base href='http://paper.example/'><meta http-equiv='refresh' content='0;url=new'></head></html>",
        "<html><body><a href='/new'>" + "Go on to the new page. " * 60 + "</a>"
        "<meta http-equiv='refresh' content='0;url=/new'></body></html>",
    ],
)
def test_a_meta_refresh_leads_on(page):
    assert led(page) == ("http://paper.example/new", "meta_refresh")


def test_a_refresh_is_found_in_whatever_the_page_is_written():
    page = meta("0; url=/new")
    assert led(compress(page.encode()), headers=(("Content-Encoding", "gzip"),)) is not None
    assert led(page.encode("utf-16"), content_type="text/html; charset=utf-16") is not None
    assert led('<?xml version="1.0" encoding="utf-8"?>' + page, content_type="application/xhtml+xml") is not None


def test_a_refresh_header_leads_on_also_from_an_empty_body():
    assert led("", headers=(("Refresh", "0; url=/new"),)) == ("http://paper.example/new", "refresh_header")
    assert led("<p>Wait.</p>", headers=(("Refresh", "2;/new"),)) == ("http://paper.example/new", "refresh_header")
    assert led(PROSE, headers=(("Refresh", "0; url=/new"),)) is None
    assert led("{}", headers=(("Refresh", "0; url=/new"),), content_type="application/json") is None


@pytest.mark.parametrize(
    "page",
    [
        meta("300; url=/new"),
        meta("60"),
        meta("0; url=/news/old"),
        meta("0; url=http://www.paper.example/news/old#top"),
        meta("0; url=/new").replace("Moved.", PROSE),
        "<noscript><meta http-equiv=refresh content='0; url=/plain'></noscript><p>" + "A few words of news. " * 15,
        "<noscript><meta http-equiv=refresh content='0; url=/no-scripts'></noscript><script src='/app.js'></script>",
        "<script>location = '/new'</script><p>Moved.</p>",
        "<!-- <meta http-equiv='refresh' content='0; url=/new'> --><p>Moved.</p>",
        "<rss><channel><item><description>&lt;meta http-equiv=refresh&gt; <meta http-equiv='refresh' "
        "content='0;url=/new'/></description></item></channel></rss>",
        meta("0; url=/new") + " " * STEPPING_STONE_BYTES,
        meta("0; url=http://[bad"),
    ],
)
def test_what_is_there_to_be_read_leads_nowhere(page):
    assert led(page) is None


def test_the_largest_frame_is_the_page():
    page = (
        '<html><frameset rows="80,*"><frame src="/banner">'
        '<frameset cols="20%,80%"><frame src="/menu"><frame src="story.html"></frameset></frameset>'
        "<noframes>Your browser shows no frames.</noframes></html>"
    )
    assert led(page) == ("http://paper.example/news/story.html", "frame")
    assert led('<frameset cols="*,*"><frame src="/first"><frame src="/second"></frameset>') == (
        "http://paper.example/first",
        "frame",
    )


def test_a_frame_of_another_publisher_is_not_followed():
    assert led('<frameset cols="*"><frame src="http://parking.example.net/"></frameset>') is None
    assert led('<iframe src="http://other.example.net/" width="100%" height="100%"></iframe>') is None


def test_frames_with_a_text_beside_them_are_parts_of_a_page():
    assert led(f'<frameset cols="*"><frame src="/x"></frameset><noframes>{PROSE}</noframes>') is None
    assert led(f'<iframe src="/x" width="100%" height="100%"></iframe>{PROSE}') is None
    assert led('<a href="/">' + "Home " * 60 + '</a><iframe src="/x" style="width:100%"></iframe>') is None


def test_one_frame_that_fills_the_page_is_the_page():
    for frame in (
        '<iframe src="/x" width="100%" height="100%"></iframe>',
        '<iframe src="/x" style="position:fixed; inset:0"></iframe>',
        "<style>iframe { width: 100vw; height: 100vh }</style><iframe src='/x'></iframe>",
        '<noscript><iframe src="/tag" height="0"></iframe></noscript><iframe src="/x" width="100%"></iframe>',
    ):
        assert led(f"<html><body>{frame}</body></html>") == ("http://paper.example/x", "frame")
    assert led('<iframe src="/x" width="300" height="200"></iframe>') is None
    assert led('<iframe src="/x" width="0" height="0"></iframe>') is None
    assert led('<iframe src="/x" width="100%"></iframe><iframe src="/y" width="100%"></iframe>') is None


BRIEF = "<p>A fire broke out in Harbour Street early on Tuesday; nobody was hurt, the police said on Wednesday.</p>"
DATA = '<script type="application/ld+json">{"@context": "https://schema.org", "@type": ["NewsArticle"]}</script>'
FILM = '<iframe src="//video.paper.example/e/1" width="100%" height="400"></iframe>'
GUARDED = (
    "<p>八日未明、港通りの倉庫で火災があり、二時間後に消し止められた。けが人はなかったと警察が九日に発表した。</p>"
)


@pytest.mark.parametrize(
    "page",
    [
        f"<h1>Fire</h1>{BRIEF}{FILM}",
        f"{DATA}<article><h1>Fire</h1>{BRIEF}</article>{FILM}",
        f"{DATA}{FILM}",
        f"{DATA}<frameset cols='*'><frame src='/x'></frameset>",
        f"<meta http-equiv=refresh content='10;url=/news'><article><h1>Fire</h1>{BRIEF * 4}</article>",
        f"{DATA}<meta http-equiv=refresh content='10;url=/news'><h1>Fire</h1>{BRIEF}",
        f"<meta property='og:type' content='article'><meta http-equiv=refresh content='10;url=/news'>{BRIEF}",
        f"<meta http-equiv=refresh content='9;url=/top'><h1>火災</h1>{GUARDED * 4}",
        f"<meta http-equiv=refresh content='9;url=/top'><article><h1>火災</h1>{GUARDED}</article>",
        *(
            f"<body>{BRIEF}<{quoting}><meta http-equiv=refresh content='0;url=/x'></{quoting}></body>"
            for quoting in ("template", "textarea", "xmp", "noframes", "title", "svg")
        ),
    ],
)
def test_a_brief_is_no_stepping_stone(page):
    assert led(f"<html>{page}</html>") is None


def test_a_page_without_text_leads_on_though_it_calls_itself_an_article():
    head = "<meta property='og:type' content='article'>" + DATA
    page = f"{head}<meta http-equiv=refresh content='0;url=/new'><p>You are being redirected.</p>"
    assert led(page) == ("http://paper.example/new", "meta_refresh")
    assert led(
        "<meta http-equiv=refresh content='0;url=/new'><p>页面跳转中，请稍候。如果没有自动跳转，请点击这里。</p>"
    )


def test_markup_nested_ten_thousand_deep_is_measured():
    assert led("<meta http-equiv=refresh content='0;url=/new'>" + "<div>" * 5000) is not None


@pytest.mark.parametrize(
    "content", ["1" * 10**7, "0;url=/" + "a" * 3000, "0" + " " * 10**7, "0" + "." * 10**7, "0;" + "url" * 10**6]
)
def test_a_refresh_that_is_longer_than_any_address_is_not_read(content):
    # Read again from each of its characters, the first of these would keep every other page waiting for a year.
    assert refresh_target(content) is None
    assert led("<p>Wait.</p>", headers=(("Refresh", content),)) is None


def test_white_space_and_numbers_without_end_in_markup_lead_nowhere():
    assert led("<p http-equiv=" + " " * 60_000 + "x>") is None
    assert led("<meta http-equiv=refresh><frameset cols='5" + " " * 60_000 + "x'></frameset>") is None
