"""Inputs that cost whoever reads them far more than whoever sends them. Each is a publisher with its own address.

They are served beside a good publisher (`tests.hostile.beside`), to which they must not matter.
"""

import gzip
import itertools
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tests.integration.bad_server import Script, answer, then_silence

Answers = Callable[[str, str], Script | None]
"""Returns what is sent for a path at an address (`http://host:port`), None for 404."""

PROSE = (
    "The ferry that left the old quay at six came back at nine, with the same eleven passengers and one goat more.",
    "Nobody at the harbour office could say who had paid for the goat, nor who was to feed it until this is settled.",
    "A clerk found a by-law of 1911 under which livestock travels free on Sundays, and the council will vote on it.",
    "Until then the goat stays in the ticket hall, where the queues have grown longer and, it is said, friendlier.",
)


@dataclass(frozen=True, kw_only=True)
class HostileInput:
    """A publisher that sends something hostile, polled by `index` (a path), which is of the kind `lists`.

    `hosts` are so many of its kind, each at an address of its own.
    """

    name: str
    does: str
    answers: Answers
    index: str = "/feed"
    lists: str = "feeds"
    hosts: int = 1


def story(number: int, more: str = "", head: str = "", title: str = "") -> bytes:
    """Return a page that reads as an article of its own."""
    title = title or f"Goat number {number} stays in the ticket hall"
    words = "".join(
        f"<p>{text} This was report {number} from the quay, after {number - 1} others.</p>" for text in PROSE
    )
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'>{head}<title>{title}</title></head>"
        f"<body><article><h1>{title}</h1>{words}{more}</article></body></html>"
    ).encode("utf-8", "surrogatepass")


def feed(links: list[str]) -> bytes:
    """Return a feed of these links."""
    items = "".join(f"<item><title>Report</title><link>{link}</link></item>" for link in links)
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>Reports</title>{items}</channel></rss>".encode()


def a_feed(at: str, count: int = 5) -> bytes:
    """Return the answer that lists `count` pages of this publisher."""
    return _rss(feed([f"{at}/2024/06/report-{number}-from-the-quay" for number in range(1, count + 1)]))


def _rss(body: bytes, *headers: str) -> bytes:
    return answer(body, *headers, content_type="application/rss+xml")


def _number(path: str) -> int:
    digits = "".join(filter(str.isdigit, path.rpartition("/")[2]))
    return int(digits or 1)


def _pages(name: str, does: str, page: Callable[[int], bytes], *headers: str) -> HostileInput:
    """Return a publisher whose feed lists five pages of a kind, `headers` being those of the pages."""

    def answers(path: str, at: str) -> bytes | None:
        if path == "/feed":
            return a_feed(at)
        if path.startswith("/2024/"):
            return answer(page(_number(path)), *headers, content_type="text/html; charset=utf-8")
        return None

    return HostileInput(name=name, does=does, answers=answers)


def _index(name: str, does: str, body: Callable[[str], bytes], *, lists: str = "feeds", **more: str) -> HostileInput:
    """Return a publisher whose index is hostile; what it lists are good stories."""
    content_type = more.get("content_type", "application/rss+xml" if lists == "feeds" else "text/html")

    def answers(path: str, at: str) -> bytes | None:
        if path == "/feed":
            return answer(body(at), content_type=content_type)
        return None if path == "/robots.txt" else answer(story(_number(path)), content_type="text/html; charset=utf-8")

    return HostileInput(name=name, does=does, answers=answers, lists=lists)


def _robots(name: str, does: str, body: bytes) -> HostileInput:
    def answers(path: str, at: str) -> bytes | None:
        if path == "/robots.txt":
            return answer(body, content_type="text/plain")
        return a_feed(at) if path == "/feed" else answer(story(_number(path)), content_type="text/html; charset=utf-8")

    return HostileInput(name=name, does=does, answers=answers)


@cache
def _gzipped_often(body: bytes, times: int) -> bytes:
    for _ in range(times):
        body = gzip.compress(body, 0, mtime=0)
    return body


def _members(count: int) -> bytes:
    """Return a gzip body of very many members, each of them nearly empty."""
    return gzip.compress(b" ", mtime=0) * count + gzip.compress(story(1), mtime=0)


def _nested(count: int) -> bytes:
    return story(1, "<div>" * count + "deep" + "</div>" * count)


_NEW = itertools.count(1)


def _always_new(at: str, count: int, place: str) -> list[str]:
    start = next(_NEW) * count
    return [f"{at}/2024/{place}/report-{start + number}-from-the-quay" for number in range(count)]


def _labels(path: str) -> bytes:
    """Return a page whose coding is called another long name each time."""
    label = "".join(random.choices("abcdefghij", k=6_000))
    return answer(story(_number(path)), content_type=f"text/html; charset={label}")


def _labelled(path: str, at: str) -> bytes | None:
    if path == "/feed":
        return _rss(feed(_always_new(at, 40, "06")))
    return _labels(path) if path.startswith("/2024/") else None


def _headers(path: str, at: str) -> bytes | None:
    more = [f"X-Filler-{number}: {'f' * 900}" for number in range(60)]
    if path == "/feed":
        return _rss(feed(_always_new(at, 20, "06")), *more)
    return answer(story(_number(path)), *more, content_type="text/html") if path.startswith("/2024/") else None


def _sitemap(at: str) -> bytes:
    urls = "".join(f"<url><loc>{link}</loc></url>" for link in _always_new(at, 40_000, "07"))
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'.encode()


def _hosts(at: str) -> bytes:
    return feed([f"{at}/2024/06/report-1-from-the-quay", *(f"http://{'a' * 300_000}{n}.example/x" for n in range(3))])


def _many_links(at: str) -> bytes:
    links = "".join(f"<a href='{at}/2024/06/report-{n}-from-the-quay'>Report {n}</a>" for n in range(60_000))
    return f"<!doctype html><html><body><main>{links}</main></body></html>".encode()


@cache
def _large(number: int, *, announced: int | None = None) -> bytes:
    """Return the answer of a page of 9 MB; what is announced as its length may be more."""
    whole = answer(story(number, "<!--" + "x" * 9_000_000 + "-->"), content_type="text/html; charset=utf-8")
    head, _, body = whole.partition(b"\r\n\r\n")
    length = b"Content-Length: %d" % len(body)
    return head.replace(length, b"Content-Length: %d" % (announced or len(body))) + b"\r\n\r\n" + body


def _bodies(name: str, does: str, page: Callable[[], Script]) -> HostileInput:
    """Return eighty publishers, each of which lists three pages of a kind."""

    def answers(path: str, _at: str) -> Script | None:
        if path == "/feed":
            return _rss(feed([f"/2024/06/report-{number}-from-the-quay" for number in range(1, 4)]))
        return page() if path.startswith("/2024/") else None

    return HostileInput(name=name, does=does, answers=answers, hosts=80)


_AGENTS = "".join(f"User-agent: robot{number}\n" for number in range(12_000))
_RULES = "".join(f"Disallow: /p{number}\n" for number in range(12_000))
_STARS = "User-agent: *\n" + "".join(f"Disallow: /{'*a' * 40}*{number}$\n" for number in range(2_000))
_BOMB = zlib.compress(b" " * (200 << 20), 9)
_IMAGES = gzip.compress(story(1, "<img src='/x.png'>" * 150_000), mtime=0)
_GZIP = "Content-Encoding: gzip"

INPUTS = [
    _robots(
        "robots, a long word",
        "reserves a use whose name has 450,000 letters",
        b"User-agent: *\nContent-Usage: " + b"u" * 450_000,
    ),
    _robots("robots, agents times rules", "has 12,000 names above 12,000 rules", (_AGENTS + _RULES).encode()),
    _robots("robots, stars", "forbids 2,000 patterns of forty stars each", _STARS.encode()),
    _robots("robots, one line", "is one line of 8 MB", b"Disallow: /" + b"x" * (8 << 20)),
    _index("feed, an open tag", "sends a name of 400,000 letters", lambda _: feed([])[:-20] + b"<" + b"n" * 400_000),
    _index("feed, open tags", "sends 100,000 tags that no bracket ends", lambda _: feed([])[:-20] + b"<a " * 100_000),
    _index(
        "feed, empty lines",
        "has 65,000 line ends behind its declaration",
        lambda at: b"<?xml version='1.0'?>" + b"\n" * 65_000 + feed([f"{at}/2024/06/report-1"])[21:],
    ),
    _index("feed, colons", "begins with 100,000 prefixes", lambda _: b"<" + b"a:" * 100_000),
    _index("feed, entities", "refers to 200,000 characters", lambda _: feed(["http://a.example/" + "&#97;" * 200_000])),
    _index("feed, long hosts", "links to hosts of 300,000 letters", _hosts),
    _index(
        "feed, always new", "lists 10,000 other addresses at each poll", lambda at: feed(_always_new(at, 10_000, "06"))
    ),
    _index(
        "sitemap, always new",
        "lists 40,000 other addresses at each poll",
        _sitemap,
        lists="sitemaps",
        content_type="application/xml",
    ),
    _index("section, many links", "links to 60,000 pages", _many_links, lists="sections"),
    _index(
        "section, open tags",
        "sends 400,000 opening brackets",
        lambda _: b"<html><body>" + b"<a<" * 200_000,
        lists="sections",
    ),
    _pages(
        "page, invisible",
        "has blanks and invisible characters by turns",
        lambda n: story(n, "<p>" + " \ufe0f" * 100_000),
    ),
    _pages("page, marks", "has 160,000 marks in the wrong order", lambda n: story(n, "<p>a" + "\u0301\u0323" * 80_000)),
    _pages("page, elements", "has 150,000 images in 20 KB of gzip", lambda _: _IMAGES, _GZIP),
    _pages("page, depth", "nests 40,000 elements", lambda _: _nested(40_000)),
    _pages("page, a long headline", "has a headline of 600 KB", lambda n: story(n, title="Goat " * 120_000)),
    _pages(
        "page, data",
        "has 60,000 lists in lists of JSON",
        lambda n: story(n, head="<script type='application/ld+json'>" + "[" * 60_000 + "]" * 60_000 + "</script>"),
    ),
    _pages(
        "codings, layers",
        "is gzipped 2,000 times",
        lambda n: _gzipped_often(story(n), 2_000),
        "Content-Encoding: " + ", ".join(["gzip"] * 2_000),
    ),
    _pages("codings, members", "is gzip of 100,000 members", lambda _: _members(100_000), _GZIP),
    _pages("codings, a bomb", "unpacks to 200 MB", lambda _: _BOMB, "Content-Encoding: deflate"),
    _bodies("bodies, large", "are eighty hosts with pages of 9 MB", lambda: _large(1)),
    _bodies(
        "bodies, never whole",
        "are eighty hosts that send 9 MB of ten, and no more",
        lambda: then_silence(_large(1, announced=10_000_000)),
    ),
    HostileInput(name="labels", does="calls its coding another long name each time", answers=_labelled),
    HostileInput(name="headers", does="sends 60 KB of headers", answers=_headers),
]
