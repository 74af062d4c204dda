"""What a made-up publisher has published: articles, galleries and videos in its sections, and where each is listed."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random

from tests.publisher_prose import headline, name

ARTICLES_A_DAY = 12
FEED_LENGTH = 20

SECTIONS = (
    "politics", "politics/council", "politics/elections", "business", "business/shipping", "business/work", "sport",
    "sport/cycling", "sport/football", "sport/rowing", "culture", "culture/music", "culture/theatre", "culture/books",
    "harbour", "islands", "science", "science/sea", "health", "education", "housing", "transport", "food", "travel",
    "opinion",
)  # fmt: skip
TAGS = (
    "ferry", "tram", "budget", "storm", "herring", "lighthouse", "regatta", "winter", "schools", "rents", "flood",
    "railway", "market", "choir", "wind-power", "fisheries", "elections", "heritage", "cycling-paths", "hospital",
)  # fmt: skip


class Style(StrEnum):
    """How the publisher's addresses are made."""

    DATED = "dated"
    """`/sport/cycling/2024/05/03/slug/`, further pages at `/sport/cycling/page/2/`."""
    NUMBERED = "numbered"
    """`/sport/cycling/slug-1234567.html`, further pages at `/sport/cycling/?page=2`."""
    PLAIN = "plain"
    """`/slug/` for articles, galleries and videos alike; sections and their further pages below `/category/`."""


class Kind(StrEnum):
    """What a piece is."""

    ARTICLE = "article"
    GALLERY = "gallery"
    VIDEO = "video"
    PAID = "paid"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One thing that was published. `number` also seeds its text.

    `in_sitemap`, `in_sections` and `in_feeds` tell where it is listed. `plain` pieces say nothing of themselves in
    markup for machines.
    """

    kind: Kind
    number: int
    path: str
    headline: str
    author: str
    section: str
    tags: tuple[str, ...]
    published_at: datetime
    plain: bool = False
    in_sitemap: bool = True
    in_sections: bool = True
    in_feeds: bool = False


@dataclass(frozen=True, kw_only=True)
class Stock:
    """Everything that was published, newest first."""

    style: Style
    now: datetime
    articles: Sequence[Piece]
    galleries: Sequence[Piece]
    videos: Sequence[Piece]
    paid: Sequence[Piece]

    def section_path(self, section: str) -> str:
        """Return where a section's list is."""
        return f"/category/{section}/" if self.style is Style.PLAIN else f"/{section}/"

    @property
    def authors(self) -> list[str]:
        """Return who wrote the articles, by name."""
        return sorted({piece.author for piece in self.articles})

    def of_section(self, section: str) -> list[Piece]:
        """Return the articles that a section's lists show; a section shows those of its own sections too."""
        return [
            piece
            for piece in self.articles
            if piece.in_sections and (piece.section == section or piece.section.startswith(f"{section}/"))
        ]


def stock(*, articles: int, seed: int, style: Style, now: datetime) -> Stock:
    """Make what a publisher has published until `now`; the same for the same values."""
    random = Random(f"{seed} {style}")
    writers = sorted({name(random) for _ in range(40)})
    used: set[str] = set()

    def piece(kind: Kind, number: int, age: timedelta) -> Piece:
        published_at = (now - age).astimezone(UTC).replace(microsecond=0)
        section = random.choice(SECTIONS)
        title = headline(random)
        while slug(title) in used:
            title = headline(random)
        used.add(slug(title))
        return Piece(
            kind=kind,
            number=number,
            path=_path(kind, style, section, title, number, published_at),
            headline=title,
            author=random.choice(writers),
            section=section,
            tags=tuple(random.sample(TAGS, random.randint(1, 3))),
            published_at=published_at,
            plain=random.random() < 0.15,
        )

    step = timedelta(days=1) / ARTICLES_A_DAY
    written = [piece(Kind.ARTICLE, n, step * (n + random.random())) for n in range(articles)]
    others = max(3, articles // 25)
    days = max(2, articles // ARTICLES_A_DAY)
    return Stock(
        style=style,
        now=now,
        articles=_listed(written, random),
        galleries=[piece(Kind.GALLERY, 100_000 + n, timedelta(days=days * n / others)) for n in range(others)],
        videos=[
            piece(Kind.VIDEO, 200_000 + n, timedelta(days=days * n / others)) for n in range(max(3, others * 3 // 4))
        ],
        paid=[piece(Kind.PAID, 300_000 + n, timedelta(days=n)) for n in range(12)],
    )


def slug(title: str) -> str:
    """Return a headline as it stands in an address."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _path(kind: Kind, style: Style, section: str, title: str, number: int, published_at: datetime) -> str:
    if style is Style.PLAIN and kind is not Kind.PAID:
        return f"/{slug(title)}/"
    where = {Kind.ARTICLE: section, Kind.GALLERY: "pictures", Kind.VIDEO: "video", Kind.PAID: "partner"}[kind]
    if style is not Style.NUMBERED:
        return f"/{where}/{published_at:%Y/%m/%d}/{slug(title)}/"
    # A word for videos that no list of usual words holds, below the section that it is about.
    where = {Kind.VIDEO: "moving", Kind.GALLERY: "fotos"}.get(kind, where)
    return f"/{where}/{slug(title)}-{4_000_000 + number * 17 + 3}.html"


def _listed(written: Sequence[Piece], random: Random) -> list[Piece]:
    """Decide where each article is listed: two in three in the sitemap, most in the sections, the newest in feeds.

    Some of the newest stand in nothing but a feed; what is old and in no sitemap stands in its section.
    """
    in_section: dict[str, int] = {}
    found = []
    for article in written:
        place = in_section.setdefault(article.section, 0)
        in_section[article.section] += 1
        recent = place < FEED_LENGTH
        in_sitemap, in_sections = random.random() < 0.6, random.random() < 0.85
        in_feeds = recent and (random.random() < 0.7 or not (in_sitemap or in_sections))
        if not (in_sitemap or in_sections or in_feeds):
            in_sections = True
        found.append(
            Piece(**{**vars(article), "in_sitemap": in_sitemap, "in_sections": in_sections, "in_feeds": in_feeds})
        )
    return found
