"""A made-up publisher on this machine, whole: thousands of articles among sections, feeds, sitemaps and dead ends.

    with Publisher(articles=200) as publisher:
        crawl(publisher.url("/"))
        assert stored == publisher.article_urls

It is the same for the same seed. `publisher_stock` says what there is, `publisher_pages` and `publisher_indexes` write
it. No index lists everything: the sitemap has about six articles in ten, sections and their further pages most, feeds
the newest, and some stand in one of these alone.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cached_property
from urllib.parse import parse_qsl, urlsplit

from storage.clock import utc_now
from tests.local_publisher import LocalPublisher
from tests.newsroom_server import Answer
from tests.publisher_indexes import Indexes
from tests.publisher_pages import STATIC, Pages
from tests.publisher_stock import SECTIONS, Kind, Piece, Style, stock

HTML = "text/html; charset=utf-8"
XML = "application/xml; charset=utf-8"
FORBIDDEN = ("/search", "/archive/2019/", "/login")
ROBOTS = "User-agent: *\n" + "".join(f"Disallow: {path}\n" for path in FORBIDDEN)


class Publisher(LocalPublisher):
    """A publisher with a stock of articles, and of much that is none, written by the seed."""

    def __init__(
        self,
        address: str = "127.0.0.1",
        *,
        port: int = 0,
        articles: int = 5_000,
        seed: int = 1,
        style: Style = Style.DATED,
        now: datetime | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(address, port=port, name=name)
        self.stock = stock(articles=articles, seed=seed, style=style, now=now or utc_now())
        held = (*self.stock.articles, *self.stock.galleries, *self.stock.videos, *self.stock.paid)
        self._sections = {self.stock.section_path(section).strip("/"): section for section in SECTIONS}
        self._pieces: dict[str, Piece] = {piece.path: piece for piece in held}

    @property
    def article_urls(self) -> frozenset[str]:
        """Return the URLs of all articles."""
        return frozenset(self.url(piece.path) for piece in self.stock.articles)

    def article_urls_in(self, place: str) -> frozenset[str]:
        """Return the URLs of the articles that are listed in `sitemap`, `sections` or `feeds`."""
        return frozenset(self.url(piece.path) for piece in self.stock.articles if getattr(piece, f"in_{place}"))

    def only_in(self, place: str) -> frozenset[str]:
        """Return the URLs of the articles that stand in one kind of list and in no other."""
        others = {"sitemap", "sections", "feeds"} - {place}
        return self.article_urls_in(place).difference(*map(self.article_urls_in, others))

    def forbids(self, path: str) -> bool:
        """Whether robots.txt forbids a path."""
        return path.startswith(FORBIDDEN)

    def requests_by_kind(self) -> Counter[str]:
        """Count what was asked for, by kind of page."""
        return Counter(self.kind_of(request.target) for request in self.requests)

    def kind_of(self, url: str) -> str:
        """Say what stands at a URL or path: `article`, `gallery`, `video`, `paid`, `section`, `tag`, `author`,
        `calendar`, `search`, `house`, `feed`, `sitemap`, `robots`, `front` or `other`.
        """
        path = urlsplit(url).path
        if path in self._pieces:
            return str(self._pieces[path].kind)
        first = path.strip("/").partition("/")[0]
        kinds = {"": "front", "feeds": "feed", "robots.txt": "robots", "archive": "calendar", "login": "house"}
        if first in ("tag", "author", "search"):
            return first
        if first in kinds:
            return kinds[first]
        if "sitemap" in first:
            return "sitemap"
        if first in (*STATIC, "documents"):
            return "house"
        return "section" if first in (*SECTIONS, "category", "pictures", "video", "moving", "fotos") else "other"

    @cached_property
    def _pages(self) -> Pages:
        return Pages(self.stock, self.origin)

    @cached_property
    def _indexes(self) -> Indexes:
        return Indexes(self.stock, self.origin)

    def _answer(self, target: str, headers: Mapping[str, str]) -> Answer:
        parts = urlsplit(target)
        asked = dict(parse_qsl(parts.query))
        body = self._machine_body(parts.path)
        if body is not None:
            return Answer(headers=(("Content-Type", body[0]),), body=body[1])
        page = self._page(parts.path, asked)
        if page is None:
            return Answer(status=404, headers=(("Content-Type", HTML),), body=self._pages.missing().encode())
        return Answer(headers=(("Content-Type", HTML),), body=page.encode())

    def _machine_body(self, path: str) -> tuple[str, bytes] | None:
        """Return what is no HTML: robots.txt, sitemaps, feeds, documents."""
        if path == "/robots.txt":
            sitemaps = "".join(f"Sitemap: {self.url(name)}\n" for name in ("/sitemap_index.xml", "/sitemap-news.xml"))
            return "text/plain", (ROBOTS + sitemaps).encode()
        if path.endswith(".pdf"):
            return "application/pdf", b"%PDF-1.4\n%%EOF\n"
        found = self._indexes.at(path)
        if found is None:
            return None
        return ("application/gzip" if path.endswith(".gz") else XML), found

    def _page(self, path: str, asked: Mapping[str, str]) -> str | None:
        if path in self._pieces:
            return self._pages.piece(self._pieces[path])
        steps = [step for step in path.split("/") if step]
        number, steps = _page_number(steps, asked)
        if number is None:
            return None
        lists: dict[str, Callable[[str, int], str | None]] = {"tag": self._pages.tag, "author": self._pages.author}
        if len(steps) == 2 and steps[0] in lists:
            return lists[steps[0]](steps[1], number)
        section = self._sections.get("/".join(steps))
        if section:
            return self._pages.section(section, number)
        return self._furniture(steps, asked)

    def _furniture(self, steps: list[str], asked: Mapping[str, str]) -> str | None:
        """Return what is about the house, and what never ends."""
        if not steps:
            return self._pages.front()
        if steps[0] == "archive" and len(steps) == 4:
            day = _day(steps[1:])
            return self._pages.calendar(day) if day else None
        if steps == ["search"]:
            return self._pages.search(dict(asked))
        if steps == ["login"]:
            return self._pages.login()
        if steps[0] in ("pictures", "video") and len(steps) == 1:
            return self._pages.overview(Kind.GALLERY if steps[0] == "pictures" else Kind.VIDEO)
        return self._pages.static(steps[0]) if len(steps) == 1 and steps[0] in STATIC else None


def _page_number(steps: list[str], asked: Mapping[str, str]) -> tuple[int | None, list[str]]:
    """Return which page of a list is asked for, None for nonsense, and the steps without it."""
    text = asked.get("page", "1")
    if len(steps) > 2 and steps[-2] == "page":
        text, steps = steps[-1], steps[:-2]
    return (int(text) if text.isascii() and text.isdigit() else None), steps


def _day(steps: list[str]) -> date | None:
    try:
        return date(*map(int, steps))
    except (ValueError, TypeError, OverflowError):
        return None
