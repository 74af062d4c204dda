"""No reader of foreign bytes takes time that grows faster than what it is given."""

import gzip
import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest

from crawler.discovery.feeds import read_feed
from crawler.discovery.gathering import absolute
from crawler.discovery.index_page import read_index_page
from crawler.discovery.json_feeds import read_json_feed
from crawler.discovery.opml import InvalidOpml, read_opml
from crawler.discovery.sitemaps import read_sitemap
from crawler.discovery.targets import kind_of_body
from crawler.extraction.decoding import decode_html
from crawler.extraction.document import parse, surplus_of
from crawler.extraction.permissions import permissions_of
from crawler.extraction.robots_metas import robots_metas
from crawler.robots_rules import condensed, decode_robots, read_rules
from crawler.urls import InvalidUrl, feed_entry, in_scope
from crawler.whole_body import is_cut
from storage.content_coding import BadContentCoding, decode_body
from storage.difference import word_difference
from storage.fingerprint import normalise
from storage.likeness import Text
from tests.time_growth.measuring import best_of, grows_too_fast, yardstick

LENGTH = 16_000
URL = "https://courier.example/a"
Read = Callable[[str], object]


def _robots(text: str) -> None:
    rules = read_rules(condensed(decode_robots(text.encode())), token="morgue", origin="https://courier.example")
    rules.allow(f"{URL}?{'ab' * 900}")
    rules.opt_outs(URL)


def _opml(text: str) -> None:
    try:
        read_opml(text.encode())
    except InvalidOpml:
        return


def _url(text: str) -> None:
    absolute(text, URL)
    try:
        feed_entry(text)
        feed_entry(f"https://{text}/")
    except InvalidUrl:
        return


def _scope(text: str) -> None:
    pattern = "/" + "*-a" * (len(text) // 100) + "z"
    try:
        in_scope(f"{URL}?{text[:1500]}", include=[], exclude=[pattern])
    except InvalidUrl:
        return


def _sniffed(text: str) -> None:
    kind_of_body(text.encode(), None, url=URL)
    is_cut(text.encode(), orderly=True)
    robots_metas(text.encode())


def _surplus(text: str) -> None:
    tree = parse(f"<body><article><p>{'A sentence of a story. ' * 20}</p>{text}</article></body>")
    if tree is not None:
        surplus_of(tree, url=URL)


def _coded(label: str) -> None:
    try:
        decode_body(gzip.compress(b"page"), label, max_bytes=1_000_000)
    except BadContentCoding:
        return


def _permissions(text: str) -> None:
    permissions_of([("X-Robots-Tag", text), ("Content-Usage", text)], {"robots": [text]}, robots_token="morgue")


def _page(text: str) -> None:
    read_index_page(f"<html><body>{text}".encode(), url=URL, content_type=None)


def _feed(text: str) -> None:
    read_feed(text.encode(), url=URL, content_type=None, now=datetime(2026, 1, 1, tzinfo=UTC))


READERS: dict[str, Read] = {
    "robots": _robots,
    "feed": _feed,
    "item": lambda text: _feed(f"<rss><channel><item><link>/a</link>{text}</item></channel></rss>"),
    "title": lambda text: _feed(f"<rss><channel><item><link>/a</link><title>{text}</title></item></channel></rss>"),
    "sitemap": lambda text: read_sitemap(text.encode(), url=URL, content_type=None),
    "urlset": lambda text: read_sitemap(f"<urlset>{text}".encode(), url=URL, content_type=None),
    "opml": _opml,
    "outlines": lambda text: _opml(f"<opml><body>{text}"),
    "json": lambda text: read_json_feed(text.encode(), url=URL),
    "sniffed": _sniffed,
    "index page": _page,
    "url": _url,
    "scope": _scope,
    "normalised": normalise,
    "decoded": lambda text: decode_html(text.encode("latin-1", "replace"), content_type=None),
    "coded": _coded,
    "permissions": _permissions,
    "surplus": _surplus,
    "likeness": lambda text: Text(text).likeness(Text(text[1:])),
    "difference": lambda text: word_difference(text, text[: len(text) // 2] + "x" + text[len(text) // 2 :]),
}

REPEATED = (
    *(
        "a",
        " ",
        "\n",
        "\t \n",
        "<",
        ">",
        "&",
        "&a",
        '"',
        "'",
        "=",
        ":",
        "/",
        ".",
        ",",
        "-",
        "*",
        "%",
        "%41",
        "0",
        "[",
        "{",
    ),
    *(
        " \ufe0f",
        "\u0301\u0323",
        "\u200b ",
        "\u00e9",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ),
    *("<a", "<a:", "<a ", "<a b=", '<a b="', "<a b='>", "<a/>", "<a>", "</a>", "<a></a>", "<p>", "<div>"),
    *("<b>x</b> ",),
    *("<!--", "<!-- -->", "<![CDATA[", "<![CDATA[]]>", "<?", "<!DOCTYPE a", "<!ENTITY a ", "<?xml", '<a "<a "/'),
    *("<item>", "<item><title>a</title></item>", "<title>", "<link>a", "<link href='a'/>", "<category>a</category>"),
    *("<author>a</author>", "<a xmlns:b='c'/>", "<item xml:base='a/'>", "<tags>a,b</tags>", "&#38;", "&amp;", "&#0;"),
    *("<url><loc>/a</loc></url>", "<loc>", "<outline>", "<outline xmlUrl='/a'/>", '{"a":', "[", '{"items":[', '"a",'),
    *("<a href='/a'>b</a>", "<a href=x><img src=y></a>", "<img src='/x.png'>", "<meta name=robots content=a>", "<h2>"),
    *("<figure><img></figure>", "<div hidden>", "<div class=disclaimer>", "<ul><li>", "<table><tr><td>", "<script>"),
    *("User-agent: *\n", "Disallow: /a*a*\n", "Content-Usage: a", "Sitemap: /a\n", "gzip,", "noindex,", "a: ", "a=n,"),
    *("../", "a.", "a@", "?a=b&", ";", "//", "\\", "word ", "Word. ", "a\n\n", "-- ", "“ ", "1 "),
)
"""What hostile inputs consist of: pieces of markup begun and never ended, runs of what patterns look for."""

BEGINNINGS = (
    "",
    "<?xml version='1.0'?>",
    "<rss><channel>",
    "User-agent: *\nContent-Usage: ",
    "<html><body><a href='//",
)


def _is_slow(read: Read, beginning: str, repeated: str) -> bool:
    texts = {part: beginning + repeated * (LENGTH // part // len(repeated)) for part in (4, 2, 1)}
    acts = {LENGTH // part: partial(read, text) for part, text in texts.items()}
    longest = best_of(1, acts[LENGTH])
    if longest < 20 * yardstick(LENGTH) or longest <= 8 * best_of(1, acts[LENGTH // 4]):
        return False
    return grows_too_fast(acts.__getitem__, length=LENGTH)


@pytest.mark.parametrize("name", READERS)
def test_no_reader_is_made_slow(name):
    read = READERS[name]
    read("warm up")
    slow = [pair for pair in itertools.product(BEGINNINGS[:1], REPEATED) if _is_slow(read, *pair)]
    assert slow == []


@pytest.mark.parametrize("beginning", BEGINNINGS[1:])
def test_no_beginning_makes_a_reader_slow(beginning):
    named = [(name, repeated) for name in ("robots", "feed", "sniffed", "index page") for repeated in REPEATED[:46]]
    slow = [pair for pair in named if _is_slow(READERS[pair[0]], beginning, pair[1])]
    assert slow == []


def test_a_slow_reader_is_told():
    # With the cube of the length, which no busy machine hides.
    def slow(text: str) -> int:
        return sum(sum(map(ord, text[at:])) for at in range(0, len(text), 400) for _ in range(len(text) // 1_000))

    assert _is_slow(slow, "", "a")
    assert not _is_slow(lambda text: [letter.upper() for letter in text], "", "a")
