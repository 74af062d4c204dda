"""Reading JSON feeds: what they say is read rightly, and wrong types, cuts and depths take nothing down."""

import json
from datetime import UTC, datetime

import pytest

from crawler.discovery import json_feeds
from crawler.discovery.feeds import read_feed
from crawler.discovery.listing import Listing, NotAFeed
from storage.model import FeedKind

URL = "https://courier.example/feeds/feed.json"
VERSION = "https://jsonfeed.org/version/1.1"


def feed(*items: object, **fields: object) -> bytes:
    return json.dumps({"version": VERSION, "title": "The Harbour Courier", "items": list(items), **fields}).encode()


def read(body: bytes, content_type: str | None = "application/feed+json") -> Listing:
    listing = read_feed(body, url=URL, content_type=content_type, now=datetime(2026, 3, 6, tzinfo=UTC))
    assert isinstance(listing, Listing)
    return listing


def links(*items: object) -> list[str]:
    return [entry.url for entry in read(feed(*items)).entries]


def test_a_json_feed():
    listing = read(
        feed(
            {
                "id": "17",
                "url": "https://courier.example/harbour/ferry?utm_medium=JSONFeed",
                "external_url": "https://port.example/notice",
                "title": "Night ferry\n returns",
                "content_html": "<p>The first boat <a href='/x'>left</a>.</p>",
                "date_published": "2026-03-05T21:40:00+01:00",
                "date_modified": "2026-03-05T21:00:00Z",
                "attachments": [{"url": "https://courier.example/a.mp3", "mime_type": "audio/mpeg"}],
            },
            {"id": "https://courier.example/politics/trams", "content_text": "Trams"},
            home_page_url="/",
            next_url="feed.json?page=2",
        )
    )
    assert (listing.kind, listing.title, listing.problem) == (FeedKind.JSON, "The Harbour Courier", None)
    assert listing.home_url == "https://courier.example/"
    assert listing.next_url == "https://courier.example/feeds/feed.json?page=2"
    assert (listing.left_out, listing.ttl_seconds) == ({}, None)
    ferry, trams = listing.entries
    assert (ferry.url, ferry.title) == ("https://courier.example/harbour/ferry", "Night ferry returns")
    assert ferry.published_at == datetime(2026, 3, 5, 20, 40, tzinfo=UTC)
    assert ferry.published_raw == "2026-03-05T21:40:00+01:00"
    assert ferry.updated_at == datetime(2026, 3, 5, 21, tzinfo=UTC)
    assert (trams.url, trams.title, trams.published_at) == ("https://courier.example/politics/trams", None, None)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"url": "/harbour/ferry"}, ["https://courier.example/harbour/ferry"]),
        ({"external_url": "https://port.example/a"}, ["https://port.example/a"]),
        ({"url": "https://courier.example/a", "external_url": "https://port.example/a"}, ["https://courier.example/a"]),
        ({"url": "", "external_url": "https://port.example/a"}, ["https://port.example/a"]),
        ({"url": "mailto:a@b", "external_url": "https://port.example/a"}, ["https://port.example/a"]),
        ({"url": "http://[broken/", "id": "https://courier.example/i"}, ["https://courier.example/i"]),
        ({"id": 17}, []),
        ({"id": "17"}, []),
        ({"url": 5, "external_url": ["x"], "id": None}, []),
        ({}, []),
        ("https://courier.example/a", []),
        (None, []),
    ],
)
def test_which_link_is_the_page(item, expected):
    listing = read(feed(item))
    assert [entry.url for entry in listing.entries] == expected
    assert listing.left_out == ({} if expected else {"no_url": 1})


@pytest.mark.parametrize(
    ("raw", "instant"),
    [
        ("2026-03-05T21:40:00-08:00", datetime(2026, 3, 6, 5, 40, tzinfo=UTC)),
        ("2026-03-05T21:40:00.5Z", datetime(2026, 3, 5, 21, 40, 0, 500_000, tzinfo=UTC)),
        ("Thu, 05 Mar 2026 21:40:00 GMT", datetime(2026, 3, 5, 21, 40, tzinfo=UTC)),
        ("2026-03-05T21:40:00", None),
        ("2026-03-05", None),
        ("2036-03-05T21:40:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("soon", None),
    ],
)
def test_dates_are_instants_only_where_the_zone_is_known(raw, instant):
    (entry,) = read(feed({"url": "/a", "date_published": raw, "date_modified": raw})).entries
    assert (entry.published_raw, entry.published_at, entry.updated_at) == (raw, instant, instant)


@pytest.mark.parametrize("wrong", [None, 5, 1.5, True, [], {}, [[]], "", "x", {"a": [1]}, "\ud800\x00"])
def test_values_of_the_wrong_type_are_passed_over(wrong):
    names = ("title", "date_published", "date_modified", "tags", "external_url", "authors")
    item = {"url": "https://courier.example/a"} | dict.fromkeys(names, wrong)
    names = ("title", "home_page_url", "next_url", "feed_url", "expired", "authors", "icon")
    listing = read(feed(item, **dict.fromkeys(names, wrong)))
    assert [entry.url for entry in listing.entries] == ["https://courier.example/a"]
    assert isinstance(read(feed(items=wrong)), Listing)


def test_each_page_comes_once():
    listing = read(feed({"url": "/b"}, {"url": "/a"}, {"url": "http://www.courier.example/b?utm_source=x"}))
    assert [entry.url for entry in listing.entries] == ["https://courier.example/b", "https://courier.example/a"]
    assert listing.left_out == {"repeated": 1}


@pytest.mark.parametrize("next_url", [URL, "feed.json", "", "javascript:x", "http://[broken/", URL + "#2"])
def test_a_feed_is_not_its_own_next_page(next_url):
    assert read(feed(next_url=next_url)).next_url is None


def test_a_feed_that_is_over_asks_to_be_left_alone():
    assert read(feed(expired=True)).ttl_seconds == 31 * 86_400
    assert read(feed(expired=False)).ttl_seconds is None


@pytest.mark.parametrize("marked", [{"tags": ["News", "Sponsored"]}, {"title": "Anzeige: Besser schlafen"}])
def test_paid_entries_are_marked(marked):
    listing = read(feed({"url": "/a"} | marked, {"url": "/b", "tags": ["Advertising industry"]}))
    assert listing.paid == {"courier.example/a"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding):
    body = json.dumps({"version": VERSION, "title": "Café", "items": [{"url": "/a"}]}, ensure_ascii=False)
    assert read(body.encode(encoding)).title == "Café"


def test_another_charset_is_read_as_the_header_says():
    body = json.dumps({"version": VERSION, "title": "Café", "items": []}, ensure_ascii=False).encode("iso-8859-1")
    assert read(body, "application/json; charset=ISO-8859-1").title == "Café"
    assert read(body).title == "Caf\ufffd"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (feed({"url": "/a"})[:-1], "malformed"),
        (feed({"url": "/a"})[:60], "malformed"),
        (b"{", "malformed"),
        (b"[" * 200_000, "malformed"),
        (b'{"a":' * 200_000, "malformed"),
        (b"{\"items\": " + b"[" * 100_000 + b"]" * 100_000 + b"}", "malformed"),
        (b'{"items": [' + b"9" * 5000 + b"]}", "malformed"),
        (b"[]", "json"),
        (b'{"error": "no such feed"}', "json"),
        (b'{"version": "2.0", "items": [{"name": "ferry", "url": "/a"}]}', "json"),
        (b"{" + b"[]," * 2_000_000, "too_large"),
    ],
)  # fmt: skip
def test_what_is_no_json_feed_is_told_apart(body, reason):
    assert read_feed(body, url=URL, content_type="application/json") == NotAFeed(reason=reason)


def test_a_feed_that_forgets_its_version_is_one_all_the_same():
    body = json.dumps({"title": "C", "items": [{"url": "/a", "content_html": "<p>x</p>"}]}).encode()
    assert [entry.url for entry in read(body).entries] == ["https://courier.example/a"]


def test_ten_thousand_entries_are_read_and_no_more():
    listing = read(feed(*({"url": f"/{n}"} for n in range(10_010))))
    assert len(listing.entries) == 10_000
    assert (listing.problem, listing.left_out) == ("too_many_entries", {"too_many": 10})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (feed(), True),
        (b'\xef\xbb\xbf\n {"version":"https:\\/\\/jsonfeed.org\\/version\\/1"', True),
        (feed().decode().encode("utf-16"), True),
        (b'{"items": []}', False),
        (b"<rss>https://jsonfeed.org/version/1</rss>", False),
        (b"", False),
    ],
)
def test_a_json_feed_is_told_by_its_beginning(body, expected):
    assert json_feeds.begins_as_json_feed(body) is expected
