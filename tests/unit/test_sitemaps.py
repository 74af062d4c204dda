"""Reading sitemaps: every page that one names, with its dates, and nothing that only looks like one."""

import gzip
from datetime import UTC, datetime

import pytest

from crawler.discovery import sitemap_markup, sitemaps
from crawler.discovery.listing import FoundBy, Listing, NotAFeed
from crawler.discovery.sitemaps import read_sitemap
from crawler.discovery.unpacking import unpack
from storage.model import FeedKind

URL = "https://courier.example/sitemap.xml"
NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
NAMESPACES = (
    'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml" '
    'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" '
    'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1" '
    'xmlns:video="http://www.google.com/schemas/sitemap-video/1.1"'
)


def urlset(urls: str, namespaces: str = NAMESPACES) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {namespaces}>{urls}</urlset>'.encode()


def page(number: int, inside: str = "") -> str:
    return f"<url><loc>https://courier.example/{number}</loc>{inside}</url>"


def read(body: bytes, content_type: str | None = None) -> Listing:
    listing = read_sitemap(body, url=URL, content_type=content_type, now=NOW)
    assert isinstance(listing, Listing)
    return listing


def links(body: bytes) -> list[str]:
    return [entry.url.removeprefix("https://courier.example") for entry in read(body).entries]


def test_a_sitemap():
    listing = read(
        urlset(
            "<url><loc>https://courier.example/harbour/ferry</loc><lastmod>2026-03-05T21:40:00+01:00</lastmod>"
            "<changefreq>daily</changefreq><priority>0.8</priority></url>"
            "<url><loc>https://courier.example/politics/trams</loc></url>"
        )
    )
    assert (listing.kind, listing.problem, listing.left_out, listing.indexes) == (FeedKind.SITEMAP, None, {}, ())
    ferry, trams = listing.entries
    assert (ferry.url, ferry.url_key, ferry.host) == (
        "https://courier.example/harbour/ferry",
        "courier.example/harbour/ferry",
        "courier.example",
    )
    assert ferry.updated_at == datetime(2026, 3, 5, 20, 40, tzinfo=UTC)
    assert (ferry.title, ferry.published_at, ferry.published_raw) == (None, None, None)
    assert (trams.url, trams.updated_at) == ("https://courier.example/politics/trams", None)


def test_a_news_sitemap_gives_titles_and_dates():
    listing = read(
        urlset(
            "<url><loc>https://courier.example/ferry</loc><news:news><news:publication><news:name>The Courier"
            "</news:name><news:language>en</news:language></news:publication>"
            "<news:publication_date>2026-03-05T21:40:00+01:00</news:publication_date>"
            "<news:title>Night ferry &amp; tram\n return</news:title></news:news>"
            "<image:image><image:loc>https://courier.example/p.jpg</image:loc><image:title>A ferry</image:title>"
            "</image:image></url>"
            "<url><loc>https://courier.example/trams</loc><news:news>"
            "<news:publication_date>2026-03-04</news:publication_date><news:title>Trams</news:title></news:news></url>"
        )
    )
    assert listing.kind is FeedKind.NEWS_SITEMAP
    ferry, trams = listing.entries
    assert (ferry.title, ferry.published_at) == ("Night ferry & tram return", datetime(2026, 3, 5, 20, 40, tzinfo=UTC))
    # The instant of a day is not known, and is not made up.
    assert (trams.published_raw, trams.published_at) == ("2026-03-04", None)


def test_news_that_are_paid_for_are_marked():
    news = "<news:news><news:title>{}: Sleep better</news:title></news:news>"
    listing = read(urlset(page(1, news.format("Anzeige")) + page(2, news.format("Health"))))
    assert listing.paid == {"courier.example/1"}


def test_a_sitemap_index_names_other_sitemaps():
    body = (
        f"<sitemapindex {NAMESPACES}>"
        "<sitemap><loc>https://courier.example/s1.xml.gz</loc><lastmod>2026-03-05T10:00:00Z</lastmod></sitemap>"
        "<sitemap><loc><![CDATA[https://courier.example/s2.xml?a=1&b=2]]></loc><lastmod>2026-03-04</lastmod></sitemap>"
        "<sitemap><loc>https://courier.example/s1.xml.gz</loc></sitemap>"
        "<sitemap><loc>http://www.courier.example/sitemap.xml</loc></sitemap>"
        "<sitemap><loc></loc></sitemap>"
        "</sitemapindex>"
    ).encode()
    listing = read(body)
    assert [(index.url, index.changed_at) for index in listing.indexes] == [
        ("https://courier.example/s1.xml.gz", datetime(2026, 3, 5, 10, tzinfo=UTC)),
        ("https://courier.example/s2.xml?a=1&b=2", datetime(2026, 3, 4, tzinfo=UTC)),
    ]
    assert {(index.kind, index.found_by) for index in listing.indexes} == {(FeedKind.SITEMAP, FoundBy.SITEMAP_INDEX)}
    # One named twice, and itself; and one without an address.
    assert listing.left_out == {"repeated": 2, "no_url": 1}
    assert listing.entries == ()


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<loc>\n  https://courier.example/a\n</loc>", ["/a"]),
        ("<loc><![CDATA[ https://courier.example/a?x=1&y=2 ]]></loc>", ["/a?x=1&y=2"]),
        ("<loc><![CDATA[https://courier.example/a?x=1&amp;y=2]]></loc>", ["/a?x=1&y=2"]),
        ("<loc>https://courier.example/a?x=1&amp;y=2&#38;z=3</loc>", ["/a?x=1&y=2&z=3"]),
        ("<loc>https://courier.example/a?x=1&y=2&copy=3</loc>", ["/a?x=1&y=2&copy=3"]),
        ("<loc>https://courier.example/caf&eacute;</loc>", ["/caf%C3%A9"]),
        ("<loc>https://courier.example/a&LT;b&unknown;</loc>", ["/a%3Cb&unknown;"]),
        ("<loc>/harbour/ferry</loc>", ["/harbour/ferry"]),
        ("<loc>ferry.html</loc>", ["/ferry.html"]),
        ("<loc>mailto:desk@courier.example</loc>", []),
        ("<loc>http://[broken/</loc>", []),
        ("<loc>//[broken/</loc>", []),
        ("<loc/>", []),
        ("", []),
        ("<loc>https://courier.example/a<!-- not b --></loc>", ["/a"]),
        ("<loc>https://courier.example/a</loc><xhtml:link rel='alternate' hreflang='de' href='/de/a'/>", ["/a"]),
        ("<image:image><image:loc>https://courier.example/p.jpg</image:loc></image:image>", []),
        ("<image:loc>https://courier.example/p.jpg</image:loc><loc>https://courier.example/a</loc>", ["/a"]),
        (
            "<video:video><video:player_loc>https://courier.example/v</video:player_loc><video:title>V</video:title>"
            "<video:publication_date>2026-01-01</video:publication_date></video:video><loc>/a</loc>",
            ["/a"],
        ),
        ("<loc>https://courier.example/a</loc><loc>https://courier.example/b</loc>", ["/a", "/b"]),
    ],
)  # fmt: skip
def test_which_address_is_the_page(inside, expected):
    listing = read(urlset(f"<url>{inside}</url>"))
    assert [entry.url.removeprefix("https://courier.example") for entry in listing.entries] == expected
    assert [(entry.title, entry.published_raw) for entry in listing.entries] == [(None, None)] * len(expected)


ONE_PAGE = "<url><loc>https://courier.example/1</loc><lastmod>2026-03-05T10:00:00Z</lastmod></url>"
PREFIXED = ONE_PAGE.replace("<", "<s:").replace("<s:/", "</s:")


@pytest.mark.parametrize(
    "body",
    [
        f"<urlset>{ONE_PAGE}</urlset>",
        f"<urlset xmlns='http://www.google.com/schemas/sitemap/0.84'>{ONE_PAGE}</urlset>",
        f"<urlset xmlns='http://courier.example/'>{ONE_PAGE}</urlset>",
        f"<s:urlset xmlns:s='http://www.sitemaps.org/schemas/sitemap/0.9'>{PREFIXED}</s:urlset>",
        f"<s:urlset>{PREFIXED}</s:urlset>",
        f"<URLSET>{ONE_PAGE.replace('url>', 'URL>').replace('loc>', 'Loc>').replace('lastmod', 'LastMod')}</URLSET>",
        ONE_PAGE,
        f"\ufeff\n<?xml version='1.0'?><!-- a note --><?xml-stylesheet href='s.xsl'?><urlset>{ONE_PAGE}</urlset>",
        f"<!DOCTYPE urlset [<!ENTITY x 'y'>]><urlset>{ONE_PAGE}</urlset>",
        f"<urlset>{ONE_PAGE}</urlset>\n<!-- made in 0.3 s -->\n",
    ],
)  # fmt: skip
def test_namespaces_prefixes_and_case_do_not_matter(body):
    listing = read(body.encode())
    assert [(entry.url, entry.updated_at) for entry in listing.entries] == [
        ("https://courier.example/1", datetime(2026, 3, 5, 10, tzinfo=UTC))
    ]
    assert listing.problem is None


@pytest.mark.parametrize(
    ("lastmod", "expected"),
    [
        ("2026-03-05T21:40:07.25+01:00", "2026-03-05T20:40:07.250000"),
        ("2026-03-05T21:40Z", "2026-03-05T21:40:00"),
        ("2026-03-05T21:40:00+0530", "2026-03-05T16:10:00"),
        ("2026-03-05T21:40:00-08", "2026-03-06T05:40:00"),
        ("2026-03-05 21:40:00 +01:00", "2026-03-05T20:40:00"),
        ("2026-03-05", "2026-03-05T00:00:00"),
        ("2026-03", "2026-03-01T00:00:00"),
        ("2026", "2026-01-01T00:00:00"),
        ("  2026-03-05\n", "2026-03-05T00:00:00"),
        ("2026-03-05T21:40:00", "2026-03-05T21:40:00"),
        ("Thu, 05 Mar 2026 21:40:00 GMT", "2026-03-05T21:40:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59"),
        # Within a day of now a zone may be wrong; later ones and placeholders are none.
        ("2026-03-07", "2026-03-07T00:00:00"),
        ("2026-03-09", None),
        ("2099-01-01T00:00:00Z", None),
        ("1970-01-01", None),
        ("0001-01-01T00:00:00Z", None),
        ("0000-00-00", None),
        ("2026-02-30", None),
        ("2026-03-05T25:00:00Z", None),
        ("2026-03-05T21:40:00+99:99", None),
        ("yesterday", None),
        ("", None),
        ("9" * 5000, None),
    ],
)
def test_when_a_page_was_changed(lastmod, expected):
    (entry,) = read(urlset(page(1, f"<lastmod>{lastmod}</lastmod>"))).entries
    assert entry.updated_at == (datetime.fromisoformat(expected).replace(tzinfo=UTC) if expected else None)


def test_each_page_comes_once():
    listing = read(urlset(page(2) + page(1) + "<url><loc>http://www.courier.example/2?utm_source=x</loc></url>"))
    assert [entry.url for entry in listing.entries] == ["https://courier.example/2", "https://courier.example/1"]
    assert listing.left_out == {"repeated": 1}


@pytest.mark.parametrize(
    ("body", "expected", "problem"),
    [
        (urlset(page(1) + page(2))[:-20], ["/1"], "truncated"),
        # The address is whole, the entry is not.
        (urlset(page(1) + page(2))[: -len("</url></urlset>")], ["/1", "/2"], "truncated"),
        # Half an address is none.
        (urlset(page(1) + page(2345))[: -len("5</loc></url></urlset>")], ["/1"], "truncated"),
        (urlset(page(1) + "<bogus>" + page(2)), ["/1"], "malformed"),
        (urlset(page(1) + "</bogus>" + page(2)), ["/1", "/2"], "malformed"),
        (urlset(page(1).replace("</loc>", "") + page(2)), ["/1", "/2"], "malformed"),
        (urlset(page(1).replace("</url>", "") + page(2)), ["/1", "/2"], "malformed"),
        (urlset(page(1, "\x01\x0c<x>\x00</x>") + page(2)), ["/1", "/2"], None),
        (urlset(page(1, "<lastmod>&#xD83D;&#1;&#99999999;</lastmod>") + page(2)), ["/1", "/2"], "malformed"),
        (urlset(page(1, "<x>@</x>") + page(2)).replace(b"@", b"\xff\xfe\xe9"), ["/1", "/2"], None),
        (urlset(page(1)) + urlset(page(2)), ["/1", "/2"], "malformed"),
        (urlset(page(1)) + b"<html><a href='/x'>x</a>", ["/1"], "truncated"),
        (urlset("<loc>https://courier.example/1</loc><loc>https://courier.example/2</loc>"), ["/1", "/2"], None),
    ],
)  # fmt: skip
def test_what_is_not_well_formed_is_read_as_far_as_it_goes(body, expected, problem):
    listing = read(body)
    found = [entry.url.removeprefix("https://courier.example") for entry in listing.entries]
    assert set(expected) <= set(found) <= {"/1", "/2"}
    assert listing.problem == problem


@pytest.mark.parametrize(
    ("encode", "declared", "content_type"),
    [
        ("utf-8", "iso-8859-1", None),
        ("utf-16", "utf-16", None),
        ("iso-8859-1", "iso-8859-1", None),
        ("iso-8859-1", "utf-8", "text/xml; charset=ISO-8859-1"),
        ("cp1252", "no-such", "text/xml; charset=undefined"),
    ],
)
def test_encodings(encode, declared, content_type):
    text = urlset("<url><loc>https://courier.example/caf\u00e9</loc></url>").decode().replace("UTF-8", declared)
    assert [entry.url for entry in read(text.encode(encode), content_type).entries] == [
        "https://courier.example/caf%C3%A9"
    ]


def test_entities_of_a_document_type_do_no_harm():
    levels = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
    bomb = f'<!DOCTYPE urlset [<!ENTITY a "aaaaaaaaaa">{levels}]>'
    assert links(f"{bomb}<urlset>{page(1, '<lastmod>&m;</lastmod>')}</urlset>".encode()) == ["/1"]
    theft = '<!DOCTYPE urlset SYSTEM "http://127.0.0.1:9/x.dtd" [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    (entry,) = read(f"{theft}<urlset><url><loc>https://courier.example/&x;</loc></url></urlset>".encode()).entries
    assert entry.url == "https://courier.example/&x;"


class TestPacked:
    def test_by_its_bytes_whatever_it_is_called(self):
        body = urlset(page(1) + page(2))
        assert links(gzip.compress(body)) == ["/1", "/2"]
        assert [entry.url for entry in read(gzip.compress(body), "text/html; charset=utf-8").entries]

    def test_twice(self):
        assert links(gzip.compress(gzip.compress(urlset(page(1))))) == ["/1"]

    def test_in_several_members_and_with_a_tail(self):
        body = urlset(page(1) + page(2))
        packed = gzip.compress(body[:100]) + gzip.compress(body[100:101]) + gzip.compress(body[101:])
        assert links(packed) == ["/1", "/2"]
        assert read(packed + b"\x00" * 100).problem is None

    def test_cut(self):
        packed = gzip.compress(urlset("".join(map(page, range(2000)))))
        listing = read(packed[: len(packed) // 2])
        assert listing.problem == "truncated"
        assert 100 < len(listing.entries) < 2000
        assert [entry.url for entry in listing.entries] == [
            f"https://courier.example/{n}" for n in range(len(listing.entries))
        ]

    def test_damaged(self):
        packed = bytearray(gzip.compress(urlset("".join(map(page, range(2000))))))
        packed[len(packed) // 2 : len(packed) // 2 + 4] = b"\xff" * 4
        listing = read(bytes(packed))
        assert listing.problem == "malformed"
        assert 100 < len(listing.entries) < 2000

    def test_a_bomb_is_cut(self, monkeypatch):
        monkeypatch.setattr(sitemaps, "MAX_SITEMAP_BYTES", 1_000_000)
        bomb = gzip.compress(b"<urlset>" + page(1).encode() + b" " * 100_000_000)
        assert len(unpack(bomb, max_bytes=1_000_000).body) == 1_000_000
        listing = read(gzip.compress(bomb))
        assert (len(listing.entries), listing.problem) == (1, "too_large")

    def test_members_without_end_are_not_followed(self):
        unpacked = unpack(gzip.compress(b"x") * 12_000, max_bytes=1_000_000)
        assert (unpacked.body, unpacked.problem) == (b"x" * 10_000, "malformed")

    def test_members_that_begin_anywhere_in_the_file(self):
        parts = [bytes([65 + n % 26]) * (n % 7) for n in range(9000)]
        assert unpack(b"".join(map(gzip.compress, parts)), max_bytes=1_000_000).body == b"".join(parts)


class TestBounds:
    def test_beyond_fifty_thousand_the_newest_are_kept_in_their_order(self):
        old = "".join(page(n, "<lastmod>2020-01-01</lastmod>") for n in range(10))
        new = "".join(page(n, "<lastmod>2026-01-01</lastmod>") for n in range(10, 50_000))
        undated = page(60_000)
        listing = read(urlset(old + new + undated + page(70_000, "<lastmod>2026-03-01</lastmod>")))
        assert len(listing.entries) == 50_000
        assert listing.problem == "too_many_entries"
        assert listing.left_out == {"too_many": 2}
        assert [entry.url.rpartition("/")[2] for entry in listing.entries[:9]] == [str(n) for n in range(9)]
        assert listing.entries[9].url == "https://courier.example/10"
        assert listing.entries[-1].url == "https://courier.example/70000"

    def test_news_are_ordered_by_publication(self, monkeypatch):
        monkeypatch.setattr(sitemaps, "MAX_SITEMAP_ENTRIES", 2)
        dated = "<news:news><news:publication_date>2026-03-0{}</news:publication_date></news:news>"
        listing = read(urlset("".join(page(day, dated.format(day)) for day in (1, 5, 2, 4, 3))))
        assert [entry.url for entry in listing.entries] == ["https://courier.example/5", "https://courier.example/4"]

    def test_a_sitemap_of_millions_is_not_gone_through_to_its_end(self, monkeypatch):
        monkeypatch.setattr(sitemap_markup, "MAX_LOCATED", 3000)
        listing = read(urlset("".join(map(page, range(20_000)))))
        assert listing.problem == "too_large"
        assert len(listing.entries) + listing.left_out["too_many"] == pytest.approx(20_000, abs=1)

    def test_elements_without_end(self, monkeypatch):
        monkeypatch.setattr(sitemap_markup, "MAX_ELEMENTS", 5000)
        assert read(urlset(page(1) + "<x/>" * 50_000)).problem == "too_large"

    @pytest.mark.parametrize(
        "junk", ["<a>", "&", "<![CDATA[", "<!--", "<!DOCTYPE x [", "<", "&#xD800;", "<url><loc>/a</url>"]
    )
    def test_hostile_sitemaps_end(self, junk):
        listing = read(urlset(page(1) + junk * 300_000))
        assert [entry.url for entry in listing.entries[:1]] == ["https://courier.example/1"]


class TestOtherForms:
    def test_a_list_of_addresses(self):
        lines = b"https://courier.example/1\r\nhttps://courier.example/2\n\nnothing\n# note\nhttps://e.example/a b"
        body = b"\xef\xbb\xbf" + lines
        listing = read(body, "text/plain")
        assert (listing.kind, listing.problem) == (FeedKind.SITEMAP, None)
        assert [entry.url for entry in listing.entries][:2] == [
            "https://courier.example/1",
            "https://courier.example/2",
        ]

    def test_a_packed_list_that_is_cut_loses_its_last_line(self):
        packed = gzip.compress("\n".join(f"https://courier.example/{n * 7919}" for n in range(5000)).encode())
        listing = read(packed[: len(packed) // 2])
        assert listing.problem == "truncated"
        assert [entry.url for entry in listing.entries] == [
            f"https://courier.example/{n * 7919}" for n in range(len(listing.entries))
        ]

    def test_a_feed_serves_as_a_sitemap(self):
        body = b"<rss><channel><item><link>https://courier.example/1</link></item></channel></rss>"
        assert read(gzip.compress(body)).kind is FeedKind.RSS

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"", "empty"),
            (gzip.compress(b" \n", mtime=0), "empty"),
            (b"<!DOCTYPE html><title>Not found</title>", "html"),
            (b"<opml/>", "xml"),
            (b'{"error": 404}', "json"),
            (b"Not found", "not_xml"),
            (b"one\ntwo\nhttps://courier.example/", "not_xml"),
            (b"%PDF-1.7", "not_xml"),
            (b"\x1f\x8b\x08\x00", "malformed"),
        ],
    )
    def test_what_is_no_sitemap_is_told_apart(self, body, reason):
        assert read_sitemap(body, url=URL, content_type="application/xml") == NotAFeed(reason=reason)
