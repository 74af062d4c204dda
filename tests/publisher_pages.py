"""The HTML of the made-up publisher: front page, sections, stories, and all that is no story. Pure."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from html import escape
from random import Random
from urllib.parse import urlencode

from tests.publisher_prose import caption, paragraphs, sentence
from tests.publisher_stock import SECTIONS, TAGS, Kind, Piece, Stock, Style, slug

NAME = "Saltmere Tidings"
PAGE_LENGTH = 20
STATIC = ("about", "imprint", "privacy", "newsletter", "contact", "advertise", "jobs")


class Pages:
    """Writes the publisher's pages."""

    def __init__(self, stock: Stock, origin: str) -> None:
        self._stock = stock
        self._origin = origin
        self._newest = [piece for piece in stock.articles if piece.in_sections][:60]

    def front(self) -> str:
        """Return the home page."""
        stories = "\n".join(self._teaser(piece) for piece in self._newest)
        more = "".join(self._teaser(piece) for piece in (*self._stock.galleries[:4], *self._stock.videos[:4]))
        paid = "".join(
            f'<div class="box"><a rel="sponsored" href="{piece.path}">{escape(piece.headline)}</a></div>'
            for piece in self._stock.paid
        )
        elsewhere = "".join(
            f'<li><a href="{url}">{text}</a></li>'
            for url, text in (
                (
                    "https://weather.example.net/forecasts/saltmere-and-the-islands",
                    "The forecast for the islands today",
                ),
                ("https://www.example.org/reports/2024/the-state-of-the-seas", "The state of the seas, a report"),
            )
        )
        edition = '<p><a href="/documents/edition-118.pdf">Today’s edition as a PDF, all forty pages of it</a></p>'
        head = '<link rel="alternate" type="application/atom+xml" title="Everything" href="/feeds/all.atom">'
        content = f"<h1>{NAME}</h1>{stories}<h2>To see</h2>{more}<aside>{paid}{elsewhere}{edition}</aside>"
        return self._page(NAME, content, head=head)

    def section(self, section: str, number: int) -> str | None:
        """Return a page of a section's list, or None where there is none."""
        title = section.rpartition("/")[2].title()
        feed = f"/feeds/{section.replace('/', '-')}.xml"
        head = f'<link rel="alternate" type="application/rss+xml" title="{title}" href="{feed}">'
        inner = "".join(
            f'<li><a href="{self._stock.section_path(child)}">{child.rpartition("/")[2].title()}</a></li>'
            for child in SECTIONS
            if child.startswith(f"{section}/")
        )
        above = f'<ul class="subsections">{inner}</ul>' if inner else ""
        return self._list(
            title, self._stock.section_path(section), self._stock.of_section(section), number, head=head, above=above
        )

    def tag(self, tag: str, number: int) -> str | None:
        """Return a page of all that has a tag."""
        found = [piece for piece in self._stock.articles if tag in piece.tags and piece.in_sections]
        return self._list(tag.title(), f"/tag/{tag}/", found[:40], number) if tag in TAGS else None

    def author(self, who: str, number: int) -> str | None:
        """Return a page of all that somebody wrote, by the slug of the name."""
        found = [piece for piece in self._stock.articles if slug(piece.author) == who and piece.in_sections]
        return self._list(found[0].author, f"/author/{who}/", found[:40], number) if found else None

    def piece(self, piece: Piece) -> str:
        """Return the page of an article, a gallery, a video or a paid piece."""
        random = Random(f"text {piece.number}")
        if piece.kind is Kind.GALLERY:
            return self._gallery(piece, random)
        if piece.kind is Kind.VIDEO:
            return self._video(piece, random)
        body = "\n".join(f"<p>{escape(text)}</p>" for text in paragraphs(random))
        tags = " ".join(f'<a rel="tag" href="/tag/{tag}/">{tag}</a>' for tag in piece.tags)
        content = f"""<article><h1>{escape(piece.headline)}</h1><p class="standfirst">{escape(sentence(random))}</p>
<p class="byline">By <a href="/author/{slug(piece.author)}/">{escape(piece.author)}</a>,
<time datetime="{piece.published_at.isoformat()}">{piece.published_at:%d %B %Y, %H:%M}</time></p>
<div class="text">{body}</div><p class="tags">{tags}</p></article>
<aside><h2>More from {escape(piece.section)}</h2>{self._related(piece)}</aside>"""
        return self._page(piece.headline, content, head=self._head_of(piece))

    def overview(self, kind: Kind) -> str:
        """Return the newest galleries or videos."""
        found = self._stock.galleries if kind is Kind.GALLERY else self._stock.videos
        stories = "".join(self._teaser(piece) for piece in found[:PAGE_LENGTH])
        return self._page(kind.title(), f"<h1>{kind.title()}</h1>{stories}")

    def static(self, name: str) -> str:
        """Return a page about the house."""
        text = paragraphs(Random(f"static {name}"), least=3, most=4)
        body = "".join(f"<p>{escape(line)}</p>" for line in text) if name in ("about", "imprint") else "<form></form>"
        return self._page(name.title(), f"<h1>{name.title()}</h1>{body}")

    def calendar(self, day: date) -> str:
        """Return what was published on a day, with the days around it: a calendar never ends."""
        found = [piece for piece in self._stock.articles if piece.published_at.date() == day and piece.in_sections]
        stories = "".join(f'<li><a href="{piece.path}">{escape(piece.headline)}</a></li>' for piece in found)
        around = "".join(
            f'<a href="{calendar_path(day + timedelta(days=days))}">{day + timedelta(days=days):%d %B %Y}</a> '
            for days in (-365, -31, -7, -1, 1, 7, 31, 365)
        )
        return self._page(f"{day:%d %B %Y}", f"<h1>{day:%d %B %Y}</h1><ul>{stories}</ul><p>{around}</p>")

    def search(self, asked: dict[str, str]) -> str:
        """Return results with their facets, each of which leads to further ones."""
        random = Random(repr(sorted(asked.items())))
        found = random.sample(list(self._stock.articles), min(10, len(self._stock.articles)))
        facets = "".join(
            f'<a href="/search?{escape(urlencode({**asked, name: value}))}">{value}</a> '
            for name, value in (
                *(("sort", way) for way in ("newest", "oldest", "relevance")),
                *(("section", section) for section in SECTIONS[:8]),
                ("page", str(int(asked.get("page", "1") if asked.get("page", "1").isdigit() else "1") + 1)),
            )
        )
        stories = "".join(f'<li><a href="{piece.path}">{escape(piece.headline)}</a></li>' for piece in found)
        return self._page("Search", f"<h1>Search</h1><form></form><p>{facets}</p><ul>{stories}</ul>")

    def login(self) -> str:
        """Return the form to log in."""
        return self._page("Log in", '<h1>Log in</h1><form method="post"><input name="user"></form>')

    def missing(self) -> str:
        """Return what stands where nothing is."""
        return self._page("Page not found", "<h1>Page not found</h1><p>There is nothing here.</p>")

    def _list(
        self, title: str, path: str, found: Sequence[Piece], number: int, *, head: str = "", above: str = ""
    ) -> str | None:
        last = max(1, -(-len(found) // PAGE_LENGTH))
        if not 1 <= number <= last:
            return None
        stories = "\n".join(self._teaser(piece) for piece in found[(number - 1) * PAGE_LENGTH : number * PAGE_LENGTH])
        pages = self._pagination(path, number, last)
        return self._page(title, f"<h1>{escape(title)}</h1>{above}{stories}{pages}", head=head)

    def _pagination(self, path: str, number: int, last: int) -> str:
        """Return the links to other pages: by words and `rel` in one style, by numbers alone in the other."""
        if last == 1:
            return ""
        if self._stock.style is not Style.NUMBERED:
            older = f'<a rel="next" href="{path}page/{number + 1}/">Older stories</a>' if number < last else ""
            newer = f'<a rel="prev" href="{path}page/{number - 1}/">Newer stories</a>' if number > 1 else ""
            return f'<div class="more">{newer} {older}</div>'
        shown = sorted({1, 2, number - 1, number, number + 1, last - 1, last} & set(range(1, last + 1)))
        links = " ".join(f'<a href="{path}?page={n}">{n}</a>' if n != number else f"<b>{n}</b>" for n in shown)
        return f'<div class="pagination">{links}</div>'

    def _teaser(self, piece: Piece) -> str:
        """Return a card in the style of the house: a heading and a date in one, plain links in the other."""
        text = escape(sentence(Random(f"text {piece.number}")))
        if self._stock.style is Style.DATED:
            return (
                f'<article class="card"><a href="{piece.path}"><img src="/images/{piece.number}.jpg" alt=""></a>'
                f'<h3><a href="{piece.path}">{escape(piece.headline)}</a></h3><p>{text}</p>'
                f'<time datetime="{piece.published_at.isoformat()}">{piece.published_at:%d %b}</time> '
                f'<a href="{self._stock.section_path(piece.section)}">{piece.section}</a></article>'
            )
        return (
            f'<div class="item"><a href="{piece.path}"><strong>{escape(piece.headline)}</strong></a><p>{text}</p></div>'
        )

    def _related(self, piece: Piece) -> str:
        random = Random(f"related {piece.number}")
        pool = self._newest or [piece]
        chosen: Iterable[Piece] = random.sample(pool, min(4, len(pool)))
        return "".join(f'<p><a href="{other.path}">{escape(other.headline)}</a></p>' for other in chosen)

    def _gallery(self, piece: Piece, random: Random) -> str:
        pictures = "".join(
            f'<figure><img src="/images/{piece.number}-{n}.jpg" alt="">'
            f"<figcaption>{escape(caption(random))}</figcaption></figure>"
            for n in range(12)
        )
        data = {"@context": "https://schema.org", "@type": "ImageGallery", "name": piece.headline}
        return self._page(piece.headline, f"<h1>{escape(piece.headline)}</h1>{pictures}", head=_json_ld(data))

    def _video(self, piece: Piece, random: Random) -> str:
        data = {"@context": "https://schema.org", "@type": "VideoObject", "name": piece.headline}
        player = f'<video src="/films/{piece.number}.mp4" controls></video>'
        content = f"<h1>{escape(piece.headline)}</h1>{player}<p>{random.randint(1, 9)} min</p>"
        return self._page(
            piece.headline, content, head=_json_ld(data) + '<meta property="og:type" content="video.other">'
        )

    def _head_of(self, piece: Piece) -> str:
        canonical = f'<link rel="canonical" href="{self._origin}{piece.path}">'
        if piece.plain or piece.kind is Kind.PAID:
            return canonical
        data = {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": piece.headline,
            "datePublished": piece.published_at.isoformat(),
            "author": {"@type": "Person", "name": piece.author},
        }
        return canonical + '<meta property="og:type" content="article">' + _json_ld(data)

    def _page(self, title: str, content: str, *, head: str = "") -> str:
        sections = "".join(
            f'<li><a href="{self._stock.section_path(section)}">{section.title()}</a></li>'
            for section in SECTIONS
            if "/" not in section
        )
        house = "".join(f'<a href="/{name}/">{name.title()}</a> ' for name in STATIC)
        today = self._stock.now.date()
        return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)} | {NAME}</title>{head}</head><body>
<header><a href="/">{NAME}</a> <a href="/login?next=/">Log in</a>
<a href="/search?q=">Search</a> <a href="/search?q=ferry&amp;sort=newest&amp;section=harbour">Ferries</a></header>
<nav><ul>{sections}<li><a href="/pictures/">Pictures</a></li><li><a href="/video/">Video</a></li></ul></nav>
<main>{content}</main>
<footer>{house}<a href="{calendar_path(today)}">Archive by day</a>
<a href="/tag/{TAGS[0]}/">Ferry</a> <a href="/tag/{TAGS[3]}/">Storm</a></footer></body></html>"""


def calendar_path(day: date) -> str:
    """Return where the calendar shows a day."""
    return f"/archive/{day:%Y/%m/%d}/"


def _json_ld(data: dict[str, object]) -> str:
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'
