"""Lists of feeds in OPML: read as other programs write them, written so that others can read them."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from crawler.discovery.opml import InvalidOpml, OpmlSource, read_opml, write_opml
from storage.escaping import printable

NOW = datetime(2026, 3, 6, 13, 0, tzinfo=timezone(timedelta(hours=1)))


def opml(outlines: str) -> bytes:
    head = "<head><title>Feeds</title></head>"
    return f'<?xml version="1.0"?><opml version="2.0">{head}<body>{outlines}</body></opml>'.encode()


def only(outlines: str) -> OpmlSource:
    (source,) = read_opml(opml(outlines))
    return source


def test_a_list_in_folders():
    sources = read_opml(
        opml(
            '<outline type="rss" text="The Harbour Courier" title="Courier" xmlUrl="https://courier.example/rss" '
            'htmlUrl="https://courier.example/"/>'
            '<outline text="News"><outline text="Local">'
            '<outline type="atom" text="Quay &amp; Dock" xmlUrl="https://quay.example/atom?a=1&amp;b=2"/></outline>'
            '<outline type="rss" text="Tram Times" xmlUrl="https://trams.example/rss"/></outline>'
        )
    )
    assert sources == (
        OpmlSource(title="Courier", xml_url="https://courier.example/rss", html_url="https://courier.example/"),
        OpmlSource(title="Quay & Dock", xml_url="https://quay.example/atom?a=1&b=2", category=("News", "Local")),
        OpmlSource(title="Tram Times", xml_url="https://trams.example/rss", category=("News",)),
    )


@pytest.mark.parametrize(
    ("outlines", "expected"),
    [
        ("<outline text='A' xmlUrl='ftp://courier.example/rss'/>", "bad_url"),
        ("<outline text='A' xmlUrl='rss.xml'/>", "bad_url"),
        ("<outline text='A' xmlUrl=' '/>", "no_url"),
        ("<outline text='A' type='rss'/>", "no_url"),
        ("<outline text='A' type='link' url='https://courier.example/'/>", "no_url"),
        ("<outline text='A'/>", "no_url"),
    ],
)
def test_what_leads_to_no_feed_is_listed_with_the_reason(outlines, expected):
    assert only(outlines) == OpmlSource(title="A", xml_url=None, skipped=expected)


def test_a_feed_that_comes_twice_is_taken_once():
    twice = "<outline text='A' xmlUrl='https://courier.example/rss'/>" * 2
    assert [source.skipped for source in read_opml(opml(twice))] == [None, "repeated"]


@pytest.mark.parametrize(
    ("outlines", "expected"),
    [
        # Escaped twice, with names that only HTML knows, with bare ampersands, without quotes being closed well.
        (
            "<outline text='Fish &amp;amp; Chips' xmlUrl='https://e.example/?a=1&amp;amp;b=2'/>",
            ("Fish & Chips", "https://e.example/?a=1&b=2"),
        ),
        (
            "<outline text='Caf&eacute; R&D' xmlUrl='https://e.example/?a=1&copy=2'/>",
            ("Café R&D", "https://e.example/?a=1&copy=2"),
        ),
        ("<OUTLINE TEXT='A' XMLURL='HTTPS://e.example'></OUTLINE>", ("A", "https://e.example/")),
        ("<outline text='A\x01\x00' xmlUrl='https://e.example/'>", ("A", "https://e.example/")),
        ("<outline text='&#xD83D;&#xDEA2;' xmlUrl='https://e.example/'/>", ("🚢", "https://e.example/")),
        ("<outline title='' text='A' xmlUrl='https://e.example/'/></body></body>", ("A", "https://e.example/")),
        ("<!-- <outline/> --><?x y?><outline xmlUrl='https://e.example/'/>", (None, "https://e.example/")),
    ],
)
def test_what_other_programs_write_badly_is_read(outlines, expected):
    source = only(outlines)
    assert (source.title, source.xml_url, source.skipped) == (*expected, None)


def test_categories_that_an_outline_names_itself():
    outline = "<outline text='A' xmlUrl='https://e.example/' category='/News/Local,/Harbour'/>"
    assert only(outline).category == ("News", "Local")
    assert only(f"<outline text='F'>{outline}</outline>").category == ("F",)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"opml",
        b"<html><opml/></html>",
        b"<rss/>",
        b'{"opml": 1}',
        b"\x00\xff",
        b"<opml",
    ],
)
def test_what_is_no_list_of_feeds_is_refused(body):
    with pytest.raises(InvalidOpml):
        read_opml(body)


@pytest.mark.parametrize("body", [b"<opml/>", b"<opml><body/></opml>", b"<opml><head>", opml("")])
def test_a_list_without_feeds_is_one(body):
    assert read_opml(body) == ()


def test_entities_of_a_document_type_do_no_harm():
    theft = '<!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "zzz">]>'
    body = f"{theft}<opml><body><outline text='&x;&y;' xmlUrl='https://e.example/'/></body></opml>".encode()
    (source,) = read_opml(body)
    assert source.title == "&x;&y;"


def test_lists_that_are_too_deep_or_too_long_end():
    deep = "<outline text='d'>" * 5000 + "<outline xmlUrl='https://e.example/'/>"
    assert all(source.xml_url is None for source in read_opml(opml(deep)))
    many = read_opml(opml("".join(f"<outline xmlUrl='https://e.example/{n}'/>" for n in range(20_010))))
    assert len(many) == 20_001
    assert many[-1].skipped == "too_many"


def test_what_is_written_is_opml_2():
    sources = [
        OpmlSource(title='Quay & <Dock> "1"', xml_url="https://quay.example/?a=1&b=2", category=("News", "Local")),
        OpmlSource(title=None, xml_url="https://courier.example/rss", html_url="https://courier.example/"),
        OpmlSource(title="Gone", xml_url=None, skipped="bad_url"),
        OpmlSource(title="Trams\x00\ud800", xml_url="https://trams.example/rss", category=("News",)),
    ]
    body = write_opml(sources, title="Morgue \x1b[31m", now=NOW)
    root = etree.fromstring(body)
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    assert root.findtext("head/dateCreated") == "Fri, 06 Mar 2026 12:00:00 GMT"
    assert root.findtext("head/title") == "Morgue [31m"
    feeds = root.xpath("//outline[@xmlUrl]")
    assert [feed.get("text") for feed in feeds] == ['Quay & <Dock> "1"', "Trams", "https://courier.example/rss"]
    assert {feed.get("type") for feed in feeds} == {"rss"}
    assert [outline.get("text") for outline in root.findall("body/outline")] == ["News", "https://courier.example/rss"]


def test_what_could_command_a_terminal_is_written_as_references():
    hostile = "Lamp \x9b31m\u202e\u200b\u2028\U000e0041"
    body = write_opml(
        [OpmlSource(title=hostile, xml_url="https://e.example/rss", category=(hostile,))], title="x", now=NOW
    )
    assert printable(body.decode()) == body.decode()
    feed = etree.fromstring(body).find("body/outline/outline")
    assert feed is not None
    assert feed.get("text") == hostile


WORDS = st.text(max_size=12).map(lambda text: " ".join(text.replace("&", "").split()))
FOLDERS = st.lists(st.text("AbcÄя ", min_size=1).map(lambda text: " ".join(text.split())).filter(bool), max_size=3).map(
    tuple
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(st.tuples(WORDS, st.text("abc/?=&;é %", max_size=9), FOLDERS, st.booleans()), max_size=8))
def test_what_is_written_is_read_again(rows):
    sources = [
        OpmlSource(
            title=title or None, xml_url=link, html_url="https://e.example/" if homepage else None, category=folders
        )
        for number, (title, rest, folders, homepage) in enumerate(rows)
        for link in [read_link(f"https://e.example/{number}/{rest}")]
    ]
    again = read_opml(write_opml(sources, title="x", now=NOW))

    def told(source: OpmlSource) -> tuple[object, ...]:
        return source.xml_url, source.html_url, source.category, source.skipped

    assert sorted(map(told, again)) == sorted(map(told, sources))
    titles = {source.xml_url: source.title for source in again}
    for source in sources:
        if source.title is None or source.title.isprintable():
            assert titles[source.xml_url] == source.title


def read_link(link: str) -> str | None:
    (source,) = read_opml(write_opml([OpmlSource(title=None, xml_url=link)], title="x", now=NOW))
    return source.xml_url
