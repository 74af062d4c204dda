"""Indexes at random: whatever the bytes are nothing raises, and of documents whose content is known all of it is read.

Deterministic, so that a failure is one for everybody.
"""

import gzip
import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from html import escape
from urllib.parse import urlsplit, urlunsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discovery.feed_links import sort_entries
from crawler.discovery.feeds import read_feed
from crawler.discovery.listing import Listing, NotAFeed
from crawler.discovery.opml import InvalidOpml, OpmlSource, read_opml, write_opml
from crawler.discovery.sitemaps import read_sitemap
from crawler.discovery.targets import TargetKind, kind_of_body
from crawler.urls import InvalidUrl, clean_url, feed_entry, host_key, url_key

URL = "https://courier.example/news/index.xml"
NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)

several = settings(derandomize=True, max_examples=150, deadline=None)
many = settings(derandomize=True, max_examples=300, deadline=None)


@dataclass(frozen=True)
class Entry:
    """What an index is made to say of one page."""

    url: str
    title: str
    published: datetime
    updated: datetime


def rss(entries: Sequence[Entry]) -> str:
    items = "".join(
        f"<item><title>{escape(escape(entry.title, quote=False))}</title><link>{escape(entry.url)}</link>"
        f"<guid isPermaLink='false'>{number}</guid><pubDate>{format_datetime(entry.published)}</pubDate>"
        f"<description>&lt;a href='https://no.example/'&gt;no&lt;/a&gt;</description>"
        f"<a:updated>{entry.updated.isoformat()}</a:updated><category>News</category></item>"
        for number, entry in enumerate(entries)
    )
    return f"<rss version='2.0' xmlns:a='http://www.w3.org/2005/Atom'><channel><title>C</title>{items}</channel></rss>"


def atom(entries: Sequence[Entry]) -> str:
    found = "".join(
        f"<entry><id>urn:x:{number}</id><title>{escape(entry.title)}</title><link href='{escape(entry.url)}'/>"
        f"<link rel='enclosure' href='https://no.example/a.mp3'/><published>{entry.published.isoformat()}</published>"
        f"<updated>{entry.updated.isoformat()}</updated><content><![CDATA[<link href='/no'/>]]></content></entry>"
        for number, entry in enumerate(entries)
    )
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>C</title>{found}</feed>"


def json_feed(entries: Sequence[Entry]) -> str:
    items = [
        {
            "id": number,
            "url": entry.url,
            "title": entry.title,
            "date_published": entry.published.isoformat(),
            "date_modified": entry.updated.isoformat(),
            "content_text": "https://no.example/",
        }
        for number, entry in enumerate(entries)
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}, ensure_ascii=False)


def news_sitemap(entries: Sequence[Entry]) -> str:
    found = "".join(
        f"<url><loc>{escape(entry.url)}</loc><lastmod>{entry.updated.isoformat()}</lastmod><n:news>"
        f"<n:publication_date>{entry.published.isoformat()}</n:publication_date><n:title>{escape(entry.title)}</n:title>"
        "</n:news><i:image><i:loc>https://no.example/p.jpg</i:loc><i:title>no</i:title></i:image></url>"
        for entry in entries
    )
    return (
        "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' "
        "xmlns:n='http://www.google.com/schemas/sitemap-news/0.9' "
        f"xmlns:i='http://www.google.com/schemas/sitemap-image/1.1'>{found}</urlset>"
    )


def sitemap_index(entries: Sequence[Entry]) -> str:
    found = "".join(
        f"<sitemap><loc>{escape(entry.url)}</loc><lastmod>{entry.updated.isoformat()}</lastmod></sitemap>"
        for entry in entries
    )
    return f"<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{found}</sitemapindex>"


def text_sitemap(entries: Sequence[Entry]) -> str:
    return "".join(f"{entry.url}\n" for entry in entries)


def opml(entries: Sequence[Entry]) -> str:
    sources = [OpmlSource(title=entry.title, xml_url=entry.url) for entry in entries]
    return write_opml(sources, title="C", now=NOW).decode()


WRITERS: Sequence[Callable[[Sequence[Entry]], str]] = (
    *(rss, atom, json_feed, news_sitemap, sitemap_index, text_sitemap, opml),
)

ZONES = st.integers(-48, 56).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
TIMES = st.builds(lambda hours, zone: (NOW - timedelta(hours=hours)).astimezone(zone), st.integers(0, 250_000), ZONES)


def is_plain(title: str) -> bool:
    """Whether a title stands as it is read: no needless blanks, and no UTF-8 taken for Latin-1, which is mended."""
    try:
        mended = title.encode("iso-8859-1").decode("utf-8")
    except UnicodeError:
        mended = title
    return " ".join(title.split()) == title == mended


# Neither markup nor references: what titles make of those is told by the tests of each format.
TITLES = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="<&\u200b"), min_size=1, max_size=20
).filter(is_plain)
# What looks like a reference in an address is taken for the mistake that it nearly always is.
SLUGS = st.text("abcdefghijklmnop-äя&=?;'\"/%", min_size=1, max_size=12).filter(
    lambda slug: re.search(r"&\w+;", slug) is None
)
HOSTS = st.sampled_from(["courier.example", "www.courier.example", "quay.example:8080", "münchen.example"])


def entry_at(number: int, host: str, slug: str, title: str, published: datetime, updated: datetime) -> Entry:
    # Numbered, so that no two are one page, and as a page's address is once it is clean.
    return Entry(clean_url(f"https://{host}/{number}/{slug}"), title, published, updated)


ENTRIES = st.lists(st.tuples(HOSTS, SLUGS, TITLES, TIMES, TIMES), max_size=6).map(
    lambda rows: [entry_at(number, *row) for number, row in enumerate(rows)]
)


def assert_readable(body: bytes, content_type: str | None) -> None:
    """Read a body as everything; only what readers promise to raise may be raised."""
    for read in (read_feed, read_sitemap):
        listing = read(body, url=URL, content_type=content_type, now=NOW)
        assert isinstance(listing, Listing | NotAFeed)
        if isinstance(listing, Listing):
            assert_sound(listing)
    with suppress(InvalidOpml):
        assert all(source.xml_url is None or clean_url(source.xml_url) for source in read_opml(body))
    assert isinstance(kind_of_body(body, content_type, url=URL), TargetKind)


def assert_sound(listing: Listing) -> None:
    keys = [entry.url_key for entry in listing.entries]
    assert len(keys) == len(set(keys))
    assert listing.paid <= set(keys)
    assert all(count > 0 for count in listing.left_out.values())
    for entry in listing.entries:
        assert clean_url(entry.url) == entry.url
        assert all(instant is None or instant.tzinfo is UTC for instant in (entry.published_at, entry.updated_at))
        texts = (entry.url, entry.title or "", entry.published_raw or "")
        assert not any(ord(character) < 32 or 0xD800 <= ord(character) < 0xE000 for character in "".join(texts))
    for url in (listing.next_url, listing.home_url, *(index.url for index in listing.indexes)):
        assert url is None or clean_url(url) == url
    sorted_entries = sort_entries(listing, url=URL, publisher_domains=frozenset({"courier.example"}))
    assert len(sorted_entries.wanted) + sum(sorted_entries.left_out.values()) == len(listing.entries)


LABELS = st.sampled_from(
    [None, "text/html", "application/xml; charset=utf-16", "text/plain; charset=idna", "image/png"]
)


@several
@given(st.binary(max_size=400), LABELS)
def test_no_bytes_break_a_reader(junk, content_type):
    assert_readable(junk, content_type)


BEGINNINGS = [
    *(b"<rss><channel>", b"<feed>", b"<urlset>", b"<sitemapindex><sitemap>", b"<opml><body>", b"\x1f\x8b\x08\x00"),
    *(b'{"version":"https://jsonfeed.org/version/1","items":[', b"https://courier.example/\n", b"\xff\xfe<\x00"),
    *(b"<!DOCTYPE rss [", b"<?xml version='1.0' encoding='", b"<urlset><url><loc>", b"<rss><channel><item><link>"),
]


@many
@given(st.sampled_from(BEGINNINGS), st.binary(max_size=200), LABELS)
def test_no_bytes_behind_a_right_beginning_break_a_reader(beginning, junk, content_type):
    assert_readable(beginning + junk, content_type)
    assert_readable(gzip.compress(beginning + junk)[: 20 + len(junk)], content_type)


ENCODINGS = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1251", "shift_jis", "utf-7"]
PIECES = [
    *(b"<", b">", b"&", b"]]>", b"<![CDATA[", b"<!--", b"&#xD800;", b"&#0;", b"&#", b"\x00", b"\xff", b"\xed\xa0\x80"),
    *(b"'", b'"', b"/", b"://", b"[", b"{", b"}", b",", b"\\ud800", b"\\", b"</url>", b"</item>", b"<loc>", b"<url>"),
    *(b"<link rel='next' href='", b" xml:base='http://[::'", b"<!DOCTYPE x [<!ENTITY a '&b;'>]>", b"<?xml?>", b"\n"),
    *(b"xmlns:a='", b"<a:b:c/>", b"99999-99-99T99:99:99Z", b"9" * 30, b"null", b"1e999", b"NaN", b"<category>ad"),
]
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 6), st.one_of(st.sampled_from(PIECES), st.binary(max_size=3))), max_size=5
)


@many
@given(st.sampled_from(WRITERS), ENTRIES, st.sampled_from(ENCODINGS), EDITS, st.floats(0, 1), st.booleans(), LABELS)
def test_no_edit_of_an_index_breaks_a_reader(write, entries, encoding, edits, cut, packed, content_type):
    body = bytearray(write(entries).encode(encoding, errors="replace"))
    for place, length, piece in edits:
        at = int(place * len(body))
        body[at : at + length] = piece
    if cut > 0.5:
        del body[int((cut - 0.5) * 2 * len(body)) :]
    if packed:
        body = bytearray(gzip.compress(body))
        del body[int(len(body) * min(1, cut * 1.5)) :]
    assert_readable(bytes(body), content_type)


@several
@given(st.sampled_from(WRITERS), ENTRIES, st.data())
def test_doubled_parts_break_no_reader(write, entries, data):
    text = write(entries)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    assert_readable((text[:end] + text[start:end] * data.draw(st.integers(1, 40)) + text[end:]).encode(), None)


def told(listing: Listing | NotAFeed, *, dates: bool) -> list[tuple[object, ...]]:
    assert isinstance(listing, Listing)
    assert (listing.problem, listing.left_out) == (None, {})
    if not dates:
        return [(entry.url,) for entry in listing.entries]
    return [(entry.url, entry.title, entry.published_at, entry.updated_at) for entry in listing.entries]


def expected(entries: Sequence[Entry], *, dates: bool) -> list[tuple[object, ...]]:
    return [(entry.url, entry.title, entry.published, entry.updated) if dates else (entry.url,) for entry in entries]


@several
@given(ENTRIES, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_feeds_give_exactly_what_was_put_into_them(entries, encoding):
    for write in (rss, atom, json_feed):
        body = write(entries).encode(encoding)
        assert told(read_feed(body, url=URL, content_type=None), dates=True) == expected(entries, dates=True)
        assert kind_of_body(body, "text/html", url=URL) is TargetKind.FEED


@several
@given(ENTRIES, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.booleans())
def test_sitemaps_give_exactly_what_was_put_into_them(entries, encoding, packed):
    def read(write: Callable[[Sequence[Entry]], str]) -> Listing | NotAFeed:
        body = write(entries).encode(encoding)
        body = gzip.compress(body) if packed else body
        assert kind_of_body(body, "text/plain", url=URL) is (
            TargetKind.SITEMAP if entries else kind_of_body(body, None, url=URL)
        )
        return read_sitemap(body, url=URL, content_type=None)

    assert told(read(news_sitemap), dates=True) == expected(entries, dates=True)
    index = read(sitemap_index)
    assert isinstance(index, Listing)
    assert [(child.url, child.changed_at) for child in index.indexes] == [
        (entry.url, entry.updated) for entry in entries
    ]
    if entries:
        assert told(read(text_sitemap), dates=False) == expected(entries, dates=False)


@several
@given(ENTRIES, st.floats(0, 1))
def test_a_sitemap_cut_anywhere_gives_whole_addresses_only(entries, cut):
    body = news_sitemap(entries).encode()
    cut_at = body.index(b">") + 1 + int(cut * (len(body) - body.index(b">") - 1))
    listing = read_sitemap(body[:cut_at], url=URL, content_type=None)
    assert isinstance(listing, Listing)
    found = [entry.url for entry in listing.entries]
    assert found == [entry.url for entry in entries[: len(found)]]
    assert len(found) >= body[:cut_at].count(b"</url>")
    assert listing.problem == (None if cut_at == len(body) else "truncated")


# Addresses.

ADDRESSES = st.one_of(
    st.text(max_size=60),
    st.text("htps:/.@?#&=%[]\\ acé\u200b\x00\t-_+;,1", max_size=40),
    st.tuples(st.sampled_from(["http://", "https://", "HTTPS:/\\", "//", " http://"]), st.text(max_size=40)).map(
        "".join
    ),
    st.tuples(st.just("https://courier.example"), st.text("/.%2eEfFaA&=?#+ ;|'\"<>{}^`~é\ud800utm_", max_size=40)).map(
        "".join
    ),
)


@settings(derandomize=True, max_examples=800, deadline=None)
@given(ADDRESSES)
def test_an_address_is_clean_after_one_cleaning_or_none(url):
    try:
        clean = clean_url(url)
    except InvalidUrl:
        for derive in (url_key, host_key, feed_entry):
            with suppress(InvalidUrl):
                derive(url)
        return
    assert clean_url(clean) == clean
    assert url_key(clean) == url_key(url)
    assert host_key(clean) == host_key(url)
    assert url_key(f"https://{url_key(url)}") == url_key(url)
    entry = feed_entry(url)
    assert (entry.url, entry.url_key, entry.host) == (clean, url_key(url), host_key(url))
    assert clean.isascii()
    assert clean.isprintable()


PATHS = st.lists(st.text("abcXYZ019-_~.éя+,;@!$'()*", max_size=6), max_size=4).map(lambda parts: "/" + "/".join(parts))
PARAMETERS = st.lists(
    st.tuples(st.text("abcxyz_", min_size=1, max_size=4), st.text("abc019é+/", max_size=5)).map("=".join),
    max_size=4,
    unique=True,
)
TRACKING = st.lists(
    st.sampled_from(["utm_source=x", "UTM_Medium=rss", "fbclid=1", "gclid=2", "mc_cid=3", "at_campaign=64"]), max_size=2
)


def with_escapes(text: str, which: Sequence[bool]) -> str:
    """Escape unreserved characters that need no escape, some in lower case."""
    chosen = (which[number % len(which)] if which else False for number in range(len(text)))
    return "".join(
        f"%{ord(character):02x}" if escaped and character.isascii() and character.isalnum() else character
        for character, escaped in zip(text, chosen, strict=True)
    )


@many
@given(PATHS, PARAMETERS, TRACKING, st.lists(st.booleans(), max_size=5), st.text("abc", max_size=3), st.randoms())
def test_one_page_has_one_key_however_it_is_written(path, parameters, tracking, escapes, fragment, random):
    plain = urlunsplit(("https", "courier.example", path, "&".join(parameters), ""))
    shuffled = [*parameters, *tracking]
    random.shuffle(shuffled)
    scheme, default_port = random.choice([("http", ":80"), ("https", ":443"), ("HTTP", ""), ("https", "")])
    host = random.choice(
        ["courier.example", "www.courier.example", "WWW.Courier.Example.", "reader:pw@courier.example"]
    )
    other = urlunsplit((scheme, host + default_port, with_escapes(path, escapes), "&".join(shuffled), fragment))
    assert url_key(other) == url_key(plain)


@several
@given(PATHS, PATHS)
def test_two_paths_are_two_pages(one, other):
    def normal(path: str) -> str:
        return urlsplit(clean_url(f"https://courier.example{path}")).path

    same = url_key(f"https://courier.example{one}") == url_key(f"https://courier.example{other}")
    assert same == (normal(one) == normal(other))


@pytest.mark.parametrize("write", WRITERS)
def test_the_random_indexes_are_what_they_should_be(write):
    """An index that no reader takes would make the tests above prove nothing."""
    entry = Entry("https://courier.example/a", "Ferry", NOW - timedelta(days=2), NOW - timedelta(days=1))
    body = write([entry]).encode()
    if write is opml:
        assert [source.xml_url for source in read_opml(body)] == [entry.url]
    else:
        listing = read_sitemap(body, url=URL, content_type=None)
        assert isinstance(listing, Listing)
        assert [found.url for found in (*listing.entries, *listing.indexes)] == [entry.url]
