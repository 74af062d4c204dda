"""What an address led to, told by the beginning of its body."""

import gzip

import pytest

from crawler.discovery.targets import (
    COMMON_FEED_PLACES,
    COMMON_SITEMAP_PLACES,
    TargetKind,
    kind_of_body,
    leads_to_page,
)

URL = "https://courier.example/x"
RSS = b"<?xml version='1.0'?><rss version='2.0'><channel/></rss>"
HTML = b"<!DOCTYPE html><html><head><title>Ferry</title></head><body><p>rss urlset</p></body></html>"
XHTML = (
    b"<?xml version='1.0' encoding='utf-8'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' "
    b"'http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd'>\n<html xmlns='http://www.w3.org/1999/xhtml'><body/></html>"
)
URLSET = b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>https://courier.example/</loc></url>"
LIST = b"https://courier.example/1\nhttps://courier.example/2\n"
JSON_FEED = b'{"version": "https://jsonfeed.org/version/1.1", "items": []}'
TYPES = [None, "", "text/html; charset=utf-8", "application/xml", "text/plain", "application/octet-stream", "nonsense"]


@pytest.mark.parametrize("content_type", [*TYPES, "application/json"])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (RSS, TargetKind.FEED),
        (b"\xef\xbb\xbf\n<!-- a note -->" + RSS[21:], TargetKind.FEED),
        (RSS.decode().encode("utf-16"), TargetKind.FEED),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'>" + b"<entry>" * 50_000, TargetKind.FEED),
        (b"<atom:feed xmlns:atom='http://www.w3.org/2005/Atom'/>", TargetKind.FEED),
        (b"<rdf:RDF xmlns='http://purl.org/rss/1.0/'/>", TargetKind.FEED),
        (JSON_FEED, TargetKind.FEED),
        (JSON_FEED.decode().encode("utf-16"), TargetKind.FEED),
        (gzip.compress(RSS), TargetKind.FEED),
        (URLSET, TargetKind.SITEMAP),
        (b"<sitemapindex/>", TargetKind.SITEMAP),
        (b"<s:UrlSet xmlns:s='x'/>", TargetKind.SITEMAP),
        (gzip.compress(URLSET + b"<url/>" * 500_000), TargetKind.SITEMAP),
        (gzip.compress(URLSET)[:-9], TargetKind.SITEMAP),
        (HTML, TargetKind.PAGE),
        (b"\n\n<html>", TargetKind.PAGE),
        (b"<!doctype HTML>", TargetKind.PAGE),
        (XHTML, TargetKind.PAGE),
        (b"<div id='app'></div>", TargetKind.PAGE),
        (b"<!-- <rss> --><head><meta charset='utf-8'>", TargetKind.PAGE),
        (HTML.decode().encode("utf-16"), TargetKind.PAGE),
        (b'{"error": 404}', TargetKind.OTHER),
        (b"[1, 2]", TargetKind.OTHER),
        (b"%PDF-1.7 <html>", TargetKind.OTHER),
        (b"\x89PNG\r\n\x1a\n", TargetKind.OTHER),
        (b"\xff\xd8\xff\xe0", TargetKind.OTHER),
        (b"PK\x03\x04", TargetKind.OTHER),
    ],
)
def test_what_the_body_says_holds_whatever_the_label_says(body, kind, content_type):
    assert kind_of_body(body, content_type, url=URL) is kind


@pytest.mark.parametrize(
    ("body", "content_type", "kind"),
    [
        (LIST, "text/plain", TargetKind.SITEMAP),
        (LIST, None, TargetKind.SITEMAP),
        (gzip.compress(LIST), "application/gzip", TargetKind.SITEMAP),
        (LIST, "text/html", TargetKind.PAGE),
        (b"Ferry runs again", "text/plain", TargetKind.OTHER),
        (b"Ferry runs again", "text/html", TargetKind.PAGE),
        (b"Ferry runs again", None, TargetKind.PAGE),
        (b"", "text/html", TargetKind.PAGE),
        (b"", "application/xml", TargetKind.OTHER),
        (b"<opml/>", "application/xml", TargetKind.OTHER),
        (b"{{ banner }}\n<!DOCTYPE html><html>", "text/html", TargetKind.PAGE),
        (b'{"html": "<html lang=en>"}', "application/json", TargetKind.OTHER),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", TargetKind.OTHER),
        (b"<story/>", "text/html", TargetKind.PAGE),
        (RSS, "image/png", TargetKind.OTHER),
        (HTML, "application/pdf", TargetKind.OTHER),
    ],
)
def test_the_label_decides_where_the_body_does_not(body, content_type, kind):
    assert kind_of_body(body, content_type, url=URL) is kind


def test_a_list_by_its_name_is_a_sitemap():
    assert kind_of_body(LIST, "text/html", url="https://courier.example/sitemap.txt") is TargetKind.SITEMAP


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://courier.example/harbour/ferry", True),
        ("https://courier.example/ferry.html", True),
        ("https://courier.example/story.php?file=a.pdf", True),
        ("https://courier.example/v1.2/", True),
        ("https://courier.example/meet-node.js", True),
        ("https://courier.example/timetable.PDF", False),
        ("https://courier.example/timetable.pdf?download=1", False),
        ("https://courier.example/p.jpg", False),
        ("https://courier.example/episode.mp3", False),
        ("https://courier.example/", True),
        ("https://courier.example", True),
    ],
)
def test_which_addresses_lead_to_pages(url, expected):
    assert leads_to_page(url) is expected


def test_the_common_places_are_few_and_paths():
    assert 0 < len(COMMON_FEED_PLACES) <= 10
    assert 0 < len(COMMON_SITEMAP_PLACES) <= 4
    assert all(place.startswith("/") for place in (*COMMON_FEED_PLACES, *COMMON_SITEMAP_PLACES))
