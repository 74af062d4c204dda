"""Reading feeds: what they say is read rightly, what they lack is not made up, and nothing they do takes us down."""

import gzip
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.discovery import feed_bounds
from crawler.discovery.feeds import read_feed
from crawler.discovery.listing import Listing, NotAFeed
from storage.model import FeedKind

URL = "https://courier.example/feeds/news.rss"


def rss(items: str, *, channel: str = "<title>The Harbour Courier</title>") -> bytes:
    head = f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0" {NAMESPACES}>'
    return f"{head}<channel>{channel}{items}</channel></rss>".encode()


NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"'
)


def atom(entries: str, attributes: str = "") -> bytes:
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {attributes}><title>Courier</title>{entries}</feed>'.encode()


def read(body: bytes, content_type: str | None = None) -> Listing:
    reading = read_feed(body, url=URL, content_type=content_type)
    assert isinstance(reading, Listing)
    return reading


def links(body: bytes) -> list[str]:
    return [entry.url for entry in read(body).entries]


def only(body: bytes, content_type: str | None = None):
    (entry,) = read(body, content_type).entries
    return entry


def test_an_rss_feed():
    reading = read(
        rss(
            "<item><title>Night ferry returns</title><link>https://courier.example/harbour/ferry?utm_source=rss</link>"
            "<guid isPermaLink='false'>17</guid><pubDate>Thu, 05 Mar 2026 21:40:00 +0100</pubDate>"
            "<description><![CDATA[<p>The first boat <a href='/x'>left</a>.</p>]]></description>"
            "<content:encoded>&lt;p&gt;Long text&lt;/p&gt;</content:encoded>"
            "<atom:updated>2026-03-05T21:00:00Z</atom:updated><media:group><media:title>A picture</media:title>"
            "<media:content url='https://courier.example/p.jpg'/></media:group></item>"
            "<item><title>Trams</title><link>https://courier.example/politics/trams</link></item>",
            channel="<title>The <![CDATA[Harbour]]> Courier</title><ttl>20</ttl><link>https://courier.example/</link>",
        )
    )
    assert reading.kind is FeedKind.RSS
    assert reading.title == "The Harbour Courier"
    assert reading.ttl_seconds == 1200
    assert reading.problem is None
    ferry, trams = reading.entries
    assert ferry.url == "https://courier.example/harbour/ferry"
    assert ferry.url_key == "courier.example/harbour/ferry"
    assert ferry.host == "courier.example"
    assert ferry.title == "Night ferry returns"
    assert ferry.published_at == datetime(2026, 3, 5, 20, 40, tzinfo=UTC)
    assert ferry.published_raw == "Thu, 05 Mar 2026 21:40:00 +0100"
    assert ferry.updated_at == datetime(2026, 3, 5, 21, 0, tzinfo=UTC)
    assert (trams.title, trams.published_at, trams.published_raw, trams.updated_at) == ("Trams", None, None, None)


def test_an_atom_feed():
    reading = read(
        atom(
            "<entry><title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>Herring are <em>back</em></div>"
            "</title><link rel='self' href='https://courier.example/api/9'/>"
            "<link rel='enclosure' href='https://courier.example/9.mp3'/>"
            "<link rel='alternate' type='application/json' href='https://courier.example/9.json'/>"
            "<link rel='alternate' type='text/html' href='https://courier.example/science/herring'/>"
            "<id>tag:courier.example,2026:9</id>"
            "<published>2026-03-02T10:00:00+01:00</published><updated>2026-03-03T08:30:00.25Z</updated>"
            "<source><title>Wire</title><link href='https://wire.example/'/></source>"
            "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><title>No</title><a href='/n'>n</a></div>"
            "</content></entry>"
        )
    )
    assert (reading.kind, reading.title, reading.problem) == (FeedKind.ATOM, "Courier", None)
    (entry,) = reading.entries
    assert entry.url == "https://courier.example/science/herring"
    assert entry.title == "Herring are back"
    assert entry.published_at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert entry.updated_at == datetime(2026, 3, 3, 8, 30, tzinfo=UTC)


def test_what_a_feed_says_of_itself_and_what_is_left_out():
    listing = read(
        rss(
            item(1) + item(2) + item(1) + "<item><title>None</title></item><item><link>mailto:a@b</link></item>",
            channel="<title>C</title><link>/news/?utm_source=rss</link><atom:link rel='self' href='/rss'/>"
            "<atom:link rel='next' href='?page=2'/>",
        )
    )
    assert listing.home_url == "https://courier.example/news/"
    assert listing.next_url == "https://courier.example/feeds/news.rss?page=2"
    assert listing.left_out == {"repeated": 1, "no_url": 2}
    assert (listing.indexes, listing.paid) == ((), frozenset())


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ("<link rel='next' href='https://courier.example/feeds/news.rss?page=2'/>", "?page=2"),
        ("<link rel='next' href='https://courier.example/feeds/news.rss'/>", None),
        ("<link rel='next' href='http://[broken/'/>", None),
        ("<link rel='next-archive' href='?page=2'/><link rel='prev-archive' href='?page=0'/>", None),
        ("", None),
    ],
)
def test_the_further_page_of_an_atom_feed(links, expected):
    listing = read(atom(links + "<entry><link href='/a'/><link rel='next' href='/b'/></entry>"))
    assert listing.next_url == (URL + expected if expected else None)


@pytest.mark.parametrize(("hours", "known"), [(-1, True), (20, True), (30, False), (24 * 400, False)])
def test_dates_in_the_future_are_no_instants(hours, known):
    now = datetime(2026, 3, 5, 12, tzinfo=UTC)
    raw = (now + timedelta(hours=hours)).isoformat()
    body = atom(f"<entry><link href='/a'/><published>{raw}</published><updated>{raw}</updated></entry>")
    listing = read_feed(body, url=URL, content_type=None, now=now)
    assert isinstance(listing, Listing)
    (entry,) = listing.entries
    assert entry.published_raw == raw
    assert (entry.published_at is not None, entry.updated_at is not None) == (known, known)


def test_categories_are_parsed_only_where_they_say_that_somebody_paid():
    ordinary = "<category>Harbour</category>" * 30
    body = rss(item(1, f"{ordinary}<category>Advertorial</category>") + item(2, ordinary))
    bounded = feed_bounds.bound(feed_bounds.read_document(body, content_type=None))
    assert bounded.body.count(b"<category>") == 1
    assert read(body).paid == {"courier.example/1"}


def test_rss_1_puts_its_entries_beside_the_channel():
    body = (
        b'<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        b'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x">'
        b"<title>Courier</title></channel><item rdf:about='https://courier.example/a'><title>A</title>"
        b"<link>https://courier.example/a</link><dc:date>2026-03-02T09:00:00+00:00</dc:date></item></rdf:RDF>"
    )
    entry = only(body)
    assert entry.url == "https://courier.example/a"
    assert entry.published_at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("body", [rss(""), atom(""), b"<rss><channel/></rss>", b"<rss></rss>", b"<feed/>"])
def test_a_feed_without_entries_is_a_feed(body):
    reading = read(body)
    assert list(reading.entries) == []
    assert reading.problem is None


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("<link>/harbour/ferry</link>", ["https://courier.example/harbour/ferry"]),
        ("<link>ferry.html</link>", ["https://courier.example/feeds/ferry.html"]),
        ("<link>//news.example/a</link>", ["https://news.example/a"]),
        ("<link>\n  https://courier.example/a\n</link>", ["https://courier.example/a"]),
        ("<link>https://courier.example/?a=1&amp;b=2</link>", ["https://courier.example/?a=1&b=2"]),
        ("<guid>https://courier.example/g</guid>", ["https://courier.example/g"]),
        ("<guid isPermaLink='true'>https://courier.example/g</guid>", ["https://courier.example/g"]),
        ("<guid>12345</guid>", []),
        ("<guid isPermaLink='true'>12345</guid>", []),
        ("<guid>https://courier.example/g</guid><link>https://courier.example/l</link>", ["https://courier.example/l"]),
        ("<enclosure url='https://courier.example/a.mp3' type='audio/mpeg'/>", []),
        ("<atom:link rel='enclosure' href='https://courier.example/a.mp3'/>", []),
        ("<atom:link rel='self' href='https://courier.example/s'/>", ["https://courier.example/s"]),
        (
            "<link>https://feeds.example/~r/c/1</link><feedburner:origLink>https://courier.example/o</feedburner:origLink>",
            ["https://courier.example/o"],
        ),
        ("<link>mailto:desk@courier.example</link>", []),
        ("<link>javascript:void(0)</link>", []),
        ("<link>http://[broken/</link><guid>https://courier.example/g</guid>", ["https://courier.example/g"]),
        ("<link></link>", []),
        ("<description>https://courier.example/no</description>", []),
    ],
)  # fmt: skip
def test_which_link_is_the_page(item, expected):
    assert links(rss(f"<item><title>A</title>{item}</item>")) == expected


def test_links_are_relative_to_xml_base():
    body = atom(
        "<entry><link href='a/b'/></entry><entry><link href='/c'/></entry>", "xml:base='https://news.example/x/'"
    )
    assert links(body) == ["https://news.example/x/a/b", "https://news.example/c"]
    body = atom("<entry xml:base='z/'><link href='d'/></entry>")
    assert links(body) == ["https://courier.example/feeds/z/d"]


def test_each_page_comes_once_in_the_order_of_the_feed():
    body = rss(
        "".join(
            f"<item><title>{number}</title><link>{link}</link></item>"
            for number, link in enumerate(
                ("https://courier.example/b", "https://courier.example/a", "http://www.courier.example/b?utm_medium=x")
            )
        )
    )
    assert [(entry.url, entry.title) for entry in read(body).entries] == [
        ("https://courier.example/b", "0"),
        ("https://courier.example/a", "1"),
    ]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Two &amp; three", "Two & three"),
        ("Two &amp;amp; three", "Two & three"),
        ("<![CDATA[Two & three]]>", "Two & three"),
        ("&lt;b&gt;Breaking&lt;/b&gt;: fog", "Breaking: fog"),
        ("<![CDATA[A <em>very</em> long<br/>night]]>", "A very long night"),
        ("Prices &lt; 5 &gt; 3", "Prices < 5 > 3"),
        ("  spaced \n out ", "spaced out"),
        ("It&#8217;s &#x201C;quoted&#x201D;", "It’s “quoted”"),
        ("Zo&#235; &#128674;", "Zoë 🚢"),
        ("", None),
        ("<![CDATA[<img src='x.gif'>]]>", None),
    ],
)
def test_titles_are_text(title, expected):
    assert only(rss(f"<item><title>{title}</title><link>https://courier.example/a</link></item>")).title == expected


@pytest.mark.parametrize(
    ("raw", "instant"),
    [
        ("Thu, 05 Mar 2026 21:40:00 GMT", "2026-03-05T21:40:00"),
        ("Thu, 5 Mar 26 21:40 +0530", "2026-03-05T16:10:00"),
        ("Thu, 05 Mar 2026 21:40:00 EST", "2026-03-06T02:40:00"),
        ("Thu, 05 Mar 2026 21:40:00 -0800 (PST)", "2026-03-06T05:40:00"),
        ("2026-03-05T21:40:00Z", "2026-03-05T21:40:00"),
        ("2026-03-05T21:40:00.123456+01:00", "2026-03-05T20:40:00"),
        ("Thu,5 Mar 2026 4:35:5 GMT+9", "2026-03-04T19:35:05"),
        ("Thu, 05 Mar 2026 21:40:00 GMT-3:30", "2026-03-06T01:10:00"),
        # Without a zone, with one whose meaning is in doubt, or without a time: nobody knows the instant.
        ("Thu, 05 Mar 2026 21:40:00", None),
        ("2026-03-05T21:40:00", None),
        ("2026-03-05", None),
        ("Thu, 05 Mar 2026 21:40:00 IST", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00Z", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("Thu, 45 Mar 2026 21:40:00 GMT+9", None),
        ("99999999999999999999", None),
    ],
)
def test_dates_are_instants_only_where_the_zone_is_known(raw, instant):
    entry = only(rss(f"<item><link>https://courier.example/a</link><pubDate>{raw}</pubDate></item>"))
    assert entry.published_raw == raw
    assert entry.published_at == (datetime.fromisoformat(instant).replace(tzinfo=UTC) if instant else None)


@pytest.mark.parametrize(
    ("ttl", "seconds"), [("60", 3600), (" 5 ", 300), ("0", None), ("-5", None), ("soon", None), ("9" * 40, 31 * 86_400)]
)
def test_how_long_a_feed_asks_to_be_left_alone(ttl, seconds):
    assert read(rss("", channel=f"<ttl>{ttl}</ttl>")).ttl_seconds == seconds


@pytest.mark.parametrize(
    ("encode", "declared", "content_type"),
    [
        ("utf-8", "utf-8", None),
        ("utf-8", "iso-8859-1", None),
        ("utf-8", "utf-8", "text/xml; charset=iso-8859-1"),
        ("utf-8-sig", "utf-8", "text/xml"),
        ("iso-8859-1", "iso-8859-1", "text/xml"),
        ("iso-8859-1", "utf-8", "application/rss+xml; charset=ISO-8859-1"),
        ("utf-16", "utf-16", None),
    ],
)
def test_encodings(encode, declared, content_type):
    text = rss("<item><title>Café Müller</title><link>https://courier.example/a</link></item>").decode()
    body = text.replace('encoding="utf-8"', f'encoding="{declared}"').encode(encode)
    reading = read(body, content_type)
    assert reading.entries[0].title == "Café Müller"
    assert reading.problem is None


ITEMS = "".join(f"<item><title>T{n}</title><link>https://courier.example/{n}</link></item>" for n in range(3))


@pytest.mark.parametrize(
    "body",
    [
        rss(ITEMS)[:-40],
        rss(ITEMS + "<item><title>cut"),
        rss(ITEMS.replace("T1", "T1 & more <unclosed>")),
        rss(ITEMS.replace("T1", "T\x01")),
        rss(ITEMS.replace("T1", "T1 &nbsp; &eacute; &unknown;")),
        b"\n\n" + rss(ITEMS).replace(b"https://courier.example/1", b"https://courier.example/1?a=1&b=2&copy=3"),
        rss(ITEMS).replace(b"T1", b"T\xff\xfe1"),
        rss(ITEMS.replace("<item>", "<item foo=bar>", 1)),
    ],
)
def test_what_is_not_well_formed_is_read_as_far_as_it_goes(body):
    reading = read(body)
    assert {"https://courier.example/0", "https://courier.example/2"} <= {entry.url for entry in reading.entries} or (
        body == rss(ITEMS)[:-40] and len(reading.entries) >= 2
    )
    assert reading.problem in ("malformed", None)


def test_an_unescaped_ampersand_in_a_link_stays_in_it():
    reading = read(rss("<item><link>https://courier.example/?a=1&b=2</link></item>"))
    assert [entry.url for entry in reading.entries] == ["https://courier.example/?a=1&b=2"]
    assert reading.problem == "malformed"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<!DOCTYPE html><html><body><rss></rss></body></html>", "html"),
        (b"<!doctype HTML>\n<title>Not found</title>", "html"),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'><head/></html>", "html"),
        (b'{"error": "no such feed"}', "json"),
        (b'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"/>', "sitemap"),
        (b"<sitemapindex/>", "sitemap"),
        (b"<opml version='2.0'/>", "xml"),
        (b"%PDF-1.7", "not_xml"),
        (b"\x1f\x8b\x08\x00", "malformed"),
        (b"/etc/passwd", "not_xml"),
        (b"<!-- <rss> --><opml/>", "xml"),
    ],
)
def test_what_is_no_feed_is_told_apart(body, reason):
    assert read_feed(body, url=URL, content_type="application/rss+xml") == NotAFeed(reason=reason)


@pytest.mark.parametrize(
    "body", [rss(ITEMS), b'{"version": "https://jsonfeed.org/version/1", "items": [{"url": "/0"}]}']
)
def test_a_feed_that_is_packed_by_itself(body):
    assert len(read(gzip.compress(body)).entries) == len(read(body).entries)
    cut = read_feed(gzip.compress(rss(ITEMS))[:-20], url=URL, content_type="application/gzip")
    assert isinstance(cut, Listing)
    assert cut.problem == "truncated"


def test_entities_of_a_document_type_do_no_harm():
    bomb = '<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + level)} "{f"&{chr(97 + level)};" * 10}">' for level in range(12)
    )
    body = f"{bomb}]><rss><channel><title>&m;</title>{ITEMS}</channel></rss>".encode()
    assert len(read(body).title or "") <= 1000
    theft = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    entry = only(
        f"{theft}<rss><channel><item><title>&x;</title><link>https://e.example/</link></item></channel></rss>".encode()
    )
    assert "root" not in (entry.title or "")


def item(number: int, description: str = "") -> str:
    return f"<item><title>T{number}</title><link>https://courier.example/{number}</link>{description}</item>"


def test_what_is_needed_for_no_link_is_left_out_before_parsing():
    body = rss(item(1, "<description>long &lt;b&gt; text</description>") + item(2))
    bounded = feed_bounds.bound(feed_bounds.read_document(body, content_type=None))
    assert b"description" not in bounded.body
    assert bounded.body == rss(item(1) + item(2)).partition(b"?>")[2]
    assert not bounded.was_cut


def test_an_entry_that_is_cut_is_lost_as_a_whole(monkeypatch):
    monkeypatch.setattr(feed_bounds, "MAX_ENTRIES", 2)
    reading = read(rss("".join(map(item, range(5)))))
    assert [entry.title for entry in reading.entries] == ["T0", "T1"]
    assert reading.problem == "too_many_entries"
    assert reading.left_out == {"too_many": 3}


def test_ten_thousand_entries_are_read_and_no_more():
    reading = read(rss("".join(item(n, "<description>text</description>") for n in range(10_200))))
    assert len(reading.entries) == 10_000
    assert reading.problem == "too_many_entries"
    assert reading.entries[-1].title == "T9999"
    assert reading.left_out == {"too_many": 200}


@pytest.mark.parametrize(
    "inside",
    [
        "<item " + " ".join(f'a{n}="1"' for n in range(50_000)) + ">",
        ("<title " + " ".join(f'a{n}="1"' for n in range(1000)) + ">x</title>") * 200,
        "<a>" * 200_000,
        "<" * 500_000,
        "<b " * 200_000,
        "<![CDATA[" * 200_000,
        "<!--" * 500_000,
        "<item><description>" + "<b>x" * 300_000,
    ],
)
def test_hostile_feeds_end(inside):
    """Several of these, handed to feedparser as they are, take minutes to hours."""
    bounded = feed_bounds.bound(feed_bounds.read_document(rss(inside), content_type=None)).body
    outside_text = re.sub(rb"<!\[CDATA\[.*?\]\]>", b"", bounded, flags=re.DOTALL)
    assert outside_text.count(b"<") <= feed_bounds.MAX_TAGS + 2
    assert max(map(len, re.findall(rb"<\w[^<>]*>", outside_text))) <= feed_bounds.MAX_TAG_BYTES
    assert read(rss(inside)).problem is not None


@given(st.binary(max_size=300))
def test_no_bytes_break_it(junk):
    for body in (junk, rss(ITEMS).replace(b"T1", junk), b"<rss>" + junk, b"<feed>" + junk):
        reading = read_feed(body, url=URL, content_type=None)
        assert isinstance(reading, Listing | NotAFeed)


@given(st.data())
def test_a_feed_cut_anywhere_loses_no_entry_that_ended_before(data):
    body = rss(ITEMS)
    cut = data.draw(st.integers(min_value=body.index(b"<channel>"), max_value=len(body)))
    reading = read(body[:cut])
    assert len(reading.entries) >= body[:cut].count(b"</item>")


@pytest.mark.parametrize(
    ("inside", "links_to"),
    [
        ("<enclosure url='x'><link>/a</link>", "/a"),
        ("<description><![CDATA[<p>]]></description><link><![CDATA[/a]]></link>", "/a"),
        ("<foo title='a > b'>x</foo><link>/a</link>", "/a"),
        ("<!-- <link>/b</link> --><?php <link>/c</link> ?><link>/a</link>", "/a"),
        ("<source><link>/b</link></source><link>/a</link>", "/a"),
        ("<media:group><media:title>B</media:title></media:group><link>/a</link>", "/a"),
        ("<p>text < <link>/a</link>", "/a"),
        ("<!-- never ended <link>/a</link>", "/a"),
        ("<image><link>/b</link></image><atom:link href='/a' title=\"it's\"/>", "/a"),
    ],
)
def test_what_is_left_out_of_an_entry_hides_nothing(inside, links_to):
    assert links(rss(f"<item>{inside}</item>")) == [f"https://courier.example{links_to}"]


def test_the_channel_has_its_own_title_and_link_and_not_those_of_its_picture():
    picture = "<image><title>Logo</title><link>https://logo.example/</link></image>"
    reading = read(rss(ITEMS, channel=f"{picture}<title>Courier</title><link>https://courier.example/</link>{picture}"))
    assert (reading.title, reading.home_url) == ("Courier", "https://courier.example/")
    assert len(reading.entries) == 3


def test_entities_that_stand_for_a_character_or_a_word_are_known():
    body = (
        b'<?xml version="1.0"?>\n<!DOCTYPE rss [\n<!ENTITY nbsp "&#160;">\n<!ENTITY paper \'Courier\'>\n'
        b'<!ENTITY twice "&paper;&paper;">]>\n<rss version="2.0"><channel><title>The&nbsp;&paper;</title>'
        b"<item><title>&paper; &twice;</title><link>https://courier.example/a</link></item></channel></rss>"
    )
    reading = read(body)
    assert reading.title == "The Courier"
    assert (reading.entries[0].title or "").startswith("Courier ")


def test_a_monstrous_title_is_none_and_its_entry_stays():
    entry = only(rss(f"<item><title>{'a' * 100_000}</title><link>https://courier.example/a</link></item>"))
    assert (entry.url, entry.title) == ("https://courier.example/a", None)
