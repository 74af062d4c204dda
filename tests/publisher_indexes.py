"""The feeds and sitemaps of the made-up publisher. Pure."""

from collections.abc import Iterable
from datetime import timedelta
from email.utils import format_datetime
from gzip import compress
from html import escape

from tests.publisher_pages import NAME, STATIC
from tests.publisher_stock import FEED_LENGTH, SECTIONS, TAGS, Piece, Stock, slug

ATOM_LENGTH = 50
NEWS_AGE = timedelta(days=2)
_SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"


class Indexes:
    """Writes the publisher's machine-readable lists."""

    def __init__(self, stock: Stock, origin: str) -> None:
        self._stock = stock
        self._origin = origin
        months = sorted({f"{piece.published_at:%Y-%m}" for piece in stock.articles}, reverse=True)
        self._children = {f"/sitemaps/articles-{month}.xml.gz": month for month in months}

    def at(self, path: str) -> bytes | None:
        """Return the list at a path, or None."""
        if path in self._children:
            return compress(self._month(self._children[path]).encode(), mtime=0)
        written = {
            "/sitemap_index.xml": self._index,
            "/sitemap-news.xml": self._news,
            "/sitemaps/galleries.xml.gz": lambda: _urlset(self._pieces(self._stock.galleries)),
            "/sitemaps/videos.xml.gz": lambda: _urlset(self._pieces(self._stock.videos)),
            "/sitemaps/pages.xml.gz": self._other_pages,
            "/feeds/all.atom": self._atom,
        }
        if path in written:
            text = written[path]().encode()
            return compress(text, mtime=0) if path.endswith(".gz") else text
        for section in SECTIONS:
            if path == f"/feeds/{section.replace('/', '-')}.xml":
                return self._rss(section).encode()
        return None

    def _index(self) -> str:
        children = (*self._children, "/sitemaps/galleries.xml.gz", "/sitemaps/videos.xml.gz", "/sitemaps/pages.xml.gz")
        rows = "".join(f"<sitemap><loc>{self._origin}{child}</loc></sitemap>" for child in children)
        return f'<?xml version="1.0" encoding="UTF-8"?><sitemapindex xmlns="{_SITEMAPS}">{rows}</sitemapindex>'

    def _month(self, month: str) -> str:
        found = [piece for piece in self._stock.articles if piece.in_sitemap and f"{piece.published_at:%Y-%m}" == month]
        return _urlset(self._pieces(found))

    def _pieces(self, pieces: Iterable[Piece]) -> Iterable[str]:
        for piece in pieces:
            yield f"<loc>{self._origin}{piece.path}</loc><lastmod>{piece.published_at.isoformat()}</lastmod>"

    def _other_pages(self) -> str:
        authors = (f"author/{slug(who)}" for who in self._stock.authors)
        sections = (self._stock.section_path(section).strip("/") for section in SECTIONS)
        paths = (*sections, *(f"tag/{tag}" for tag in TAGS), *authors, *STATIC)
        return _urlset(f"<loc>{self._origin}/{path}/</loc>" for path in paths)

    def _news(self) -> str:
        rows = (
            f"<loc>{self._origin}{piece.path}</loc><news:news><news:publication><news:name>{NAME}</news:name>"
            f"<news:language>en</news:language></news:publication>"
            f"<news:publication_date>{piece.published_at.isoformat()}</news:publication_date>"
            f"<news:title>{escape(piece.headline)}</news:title></news:news>"
            for piece in self._stock.articles
            if piece.in_sitemap and self._stock.now - piece.published_at < NEWS_AGE
        )
        return _urlset(rows, more=' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"')

    def _rss(self, section: str) -> str:
        """Return the feed of a section: a part of its newest articles."""
        newest = [piece for piece in self._stock.articles if piece.section == section and piece.in_feeds]
        items = "".join(
            f"<item><title>{escape(piece.headline)}</title><link>{self._origin}{piece.path}</link>"
            f"<pubDate>{format_datetime(piece.published_at)}</pubDate></item>"
            for piece in newest[:FEED_LENGTH]
        )
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{NAME}: {section}</title>'
            f"<link>{self._origin}{self._stock.section_path(section)}</link><description>{section}</description>{items}</channel></rss>"
        )

    def _atom(self) -> str:
        entries = "".join(
            f"<entry><title>{escape(piece.headline)}</title><id>{self._origin}{piece.path}</id>"
            f'<link href="{self._origin}{piece.path}"/><updated>{piece.published_at.isoformat()}</updated></entry>'
            for piece in [piece for piece in self._stock.articles if piece.in_feeds][:ATOM_LENGTH]
        )
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>{NAME}</title>'
            f"<id>{self._origin}/feeds/all.atom</id><updated>{self._stock.now.isoformat()}</updated>{entries}</feed>"
        )


def _urlset(rows: Iterable[str], *, more: str = "") -> str:
    urls = "".join(f"<url>{row}</url>" for row in rows)
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="{_SITEMAPS}"{more}>{urls}</urlset>'
