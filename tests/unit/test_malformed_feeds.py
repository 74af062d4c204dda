"""Feeds with characters and charsets that there are not: what can be read is read, and nothing raises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discovery.feed_characters import join_surrogates, usable_charset
from crawler.discovery.feeds import read_feed
from crawler.discovery.listing import Listing, NotAFeed

URL = "https://courier.example/feeds/news.rss"

RSS = (
    '<?xml version="1.0" encoding="ENC"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xml:base="https://courier.example/"><channel><title>The Harbour Courier</title><ttl>20</ttl>'
    "<item><title>Night ferry &#8211; TITLE</title><link>https://courier.example/harbour/ferry</link>"
    "<guid isPermaLink='false'>GUID</guid><pubDate>Thu, 05 Mar 2026 21:40:00 +0100</pubDate>"
    "<dc:creator>Desk</dc:creator><description><![CDATA[<p>The first boat left.</p>]]></description></item>"
    "<item><title>Trams</title><link>https://courier.example/politics/trams</link></item></channel></rss>"
)
ATOM = (
    '<?xml version="1.0" encoding="ENC"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://courier.example/">'
    "<title type='html'>Courier</title><entry><title type='html'>Herring &amp;amp; TITLE</title><id>GUID</id>"
    "<link rel='alternate' type='text/html' href='science/herring'/><updated>2026-03-03T08:30:00.25Z</updated></entry>"
    "<entry><title>Eels</title><link href='/science/eels'/><published>2026-03-02T10:00:00+01:00</published></entry>"
    "</feed>"
)
RDF = (
    '<?xml version="1.0" encoding="ENC"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>C</title></channel>'
    "<item rdf:about='GUID'><title>TITLE</title><link>https://courier.example/a</link>"
    "<dc:date>2026-03-02T09:00:00+00:00</dc:date></item></rdf:RDF>"
)
CHARSETS = [
    *("utf-8", "undefined", "idna", "zip", "base64", "utf-7", "unicode_escape", "punycode", "utf-16", "cp037", "rot13"),
    *("mbcs", "", "\ud800", "x" * 200),
]


def feed(shape: str, *, charset: str = "utf-8", title: str = "x", guid: str = "17") -> bytes:
    text = shape.replace("ENC", charset).replace("TITLE", title).replace("GUID", guid)
    return text.encode("utf-8", errors="surrogatepass")


@pytest.mark.parametrize("shape", [RSS, ATOM, RDF])
@pytest.mark.parametrize("place", ["title", "guid"])
@pytest.mark.parametrize("references", ["&#55357;&#56832;", "&#xD83D;&#xDE00;", "&#xd83d;", "&#0056832;", "&#9999999;"])
def test_an_emoji_in_halves_costs_a_feed_nothing(shape, place, references):
    reading = read_feed(feed(shape, **{place: f"fog {references}"}), url=URL, content_type=None)
    assert isinstance(reading, Listing)
    assert reading.problem is None
    assert len(reading.entries) == shape.count("<item") + shape.count("<entry>")
    if place == "title":
        whole = references.count(";") == 2
        assert reading.entries[0].title.endswith("fog 😀" if whole else "fog")


@pytest.mark.parametrize("charset", ["undefined", "idna", "zip", "unicode_escape", "no-such", "base64", "punycode"])
@pytest.mark.parametrize("labelled", ["header", "declaration"])
def test_a_charset_that_is_none_is_guessed(charset, labelled):
    body = feed(RSS, charset=charset if labelled == "declaration" else "iso-8859-1", title="Caf@").replace(
        b"@", b"\xe9"
    )
    header = f"text/xml; charset={charset}" if labelled == "header" else "text/xml"
    reading = read_feed(body, url=URL, content_type=header)
    assert isinstance(reading, Listing)
    assert [entry.title for entry in reading.entries] == ["Night ferry – Café", "Trams"]


@pytest.mark.parametrize("label", ["utf-8", "ISO-8859-1", "windows-1252", "koi8-r", "shift_jis", "gb2312"])
def test_charsets_that_feeds_are_written_in_are_usable(label):
    assert usable_charset(label) == label


def test_references_to_characters_stay_as_they_are():
    body = b"&#65;&#x1F600;&#128512;&#1048576;&#55295;&#57344;&#xD7FF;&#xE000;&amp;#55357;&#55357 &#xD83D"
    assert join_surrogates(body) == body


def test_what_the_parser_gives_up_on_is_malformed():
    # It refuses numbers of thousands of digits, where a feed that is not well-formed has them.
    body = feed(RSS, title=f"&nosuch; &#{'0' * 5000}65;")
    assert read_feed(body, url=URL, content_type=None) == NotAFeed(reason="malformed")


PIECES = (
    *(
        b"<",
        b">",
        b"\x00",
        b"&",
        b"[",
        b"]",
        b'"',
        b"'",
        b"://",
        b"\xed\xa0\x80",
        b":",
        b"\xe9",
        b"&#xD800;",
        b"&#",
        b"!",
    ),
    *(b"<![CDATA[", b"]]>", b"<!DOCTYPE", b"xml:base='http://[::'", b"encoding='idna'", b"%", b"\xff\xfe", b"=", b"/"),
)


@settings(max_examples=400, deadline=None)
@given(
    shape=st.sampled_from([RSS, ATOM, RDF]),
    charset=st.sampled_from(CHARSETS),
    title=st.text(max_size=20),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.sampled_from(PIECES)), max_size=4),
    header=st.sampled_from([None, *(f"application/xml; charset={charset}" for charset in CHARSETS)]),
)
def test_no_edit_of_a_feed_raises(shape, charset, title, edits, header):
    body = bytearray(feed(shape, charset=charset, title=title))
    for place, length, piece in edits:
        at = int(place * len(body))
        body[at : at + length] = piece
    assert isinstance(read_feed(bytes(body), url=URL, content_type=header), Listing | NotAFeed)
