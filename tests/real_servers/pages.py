"""The site that every server serves: the same stories, one for each way of sending them, small and large.

The address of a page says how it is sent: `/chunked/5mb.html` is a story in 5 MB of HTML, without a length.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random

from tests import publisher_prose

SIZES = {"2 KB": 2_100, "64 KB": 65_536, "5 MB": 5_000_000}
"""Bytes of a page before any coding. Of fewer than 2,049 Go tells the length, whatever it is told."""

MODIFIED = datetime(2026, 11, 4, 8, 49, 37, tzinfo=UTC).timestamp()

MANY = 25
"""Pages that are asked for one after the other, for as many as there are on one connection."""


@dataclass(frozen=True)
class Framing:
    """A way of sending a page. `sizes` are those of the pages that are sent so."""

    name: str
    does: str
    sizes: tuple[str, ...] = ("2 KB", "5 MB")

    @property
    def folder(self) -> str:
        """The first segment of the addresses of its pages."""
        return self.name.replace(" ", "-").replace("/", "").lower()


SMALL, MEDIUM = ("2 KB",), ("64 KB",)

LENGTH = Framing("length", "with Content-Length")
CHUNKED = Framing("chunked", "chunked, on a connection that stays open")
GZIP = Framing("gzip", "chunked and compressed by gzip while it is sent")
BROTLI = Framing("br", "compressed by brotli while it is sent")
ZSTD = Framing("zstd", "compressed by zstd while it is sent, to those who take it")
CLOSE = Framing("close", "HTTP/1.1 without a length, ended by the end of the connection")
HTTP_1_0 = Framing("HTTP/1.0", "HTTP/1.0 without a length, ended by the end of the connection")
SLOW = Framing("slow", "chunked, in pieces with pauses between them", MEDIUM)
TRAILERS = Framing("trailers", "chunked, with header fields behind the body", SMALL)
HINTS = Framing("hints", "after interim answers (100, 102, 103)", SMALL)
FIELDS = Framing("fields", "with repeated header fields in odd letters and a reason phrase of its own", SMALL)
STALE = Framing("stale", "from a connection that the server closes when it is asked again", SMALL)
ETAG = Framing("etag", "with an ETag, and a 304 for those who have it", SMALL)
DATED = Framing("dated", "with a Last-Modified alone, and a 304 for those who have it", SMALL)
COUNTED = Framing("counted", "with an ETag, and a 304 that tells the length of what it does not send", SMALL)
MOVED = Framing("moved", "301 from http to https", SMALL)

FRAMINGS = (
    LENGTH, CHUNKED, GZIP, BROTLI, ZSTD, CLOSE, HTTP_1_0, SLOW, TRAILERS, HINTS, FIELDS, STALE, ETAG, DATED, COUNTED,
    MOVED,
)  # fmt: skip


def page_path(framing: Framing, size: str) -> str:
    """Return the path of a page."""
    return f"/{framing.folder}/{size.replace(' ', '').lower()}.html"


def many_paths() -> list[str]:
    """Return the paths of the pages that are asked for on one connection."""
    return [f"/many/{number:02}.html" for number in range(MANY)]


def story(name: str, *, size: int) -> bytes:
    """Return an article's page of so many bytes, another for each name: a story, and a comment below it."""
    random = Random(name)
    headline = publisher_prose.headline(random)
    body = publisher_prose.paragraphs(random, least=2, most=2)
    while len("".join(body)) < 500:
        body.append(publisher_prose.sentence(random))
    text = "\n".join(f"<p>{paragraph}</p>" for paragraph in body)
    head = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{headline}</title></head>\n'
        f"<body><article><h1>{headline}</h1>\n{text}\n</article>\n"
    ).encode()
    end = b"</body></html>\n"
    missing = size - len(head) - len(end)
    if missing < 0:
        raise ValueError(f"the story of {name} alone takes {len(head) + len(end)} bytes, more than {size}")
    return head + _padding(missing) + end


def _padding(size: int) -> bytes:
    """Return so many bytes of a comment, which compress about as well as those of a page do.

    No script, because a date is looked for in all of it, which takes two seconds of 5 MB.
    """
    opening, closing = b"<!-- ", b" -->\n"
    room = size - len(opening) - len(closing)
    return b" " * size if room < 0 else opening + _data()[:room] + closing


@cache
def _data() -> bytes:
    random = Random("data")
    words = [f"{random.getrandbits(32):08x}" for _ in range(512)]
    return " ".join(random.choices(words, k=max(SIZES.values()) // 9 + 1)).encode()


def write_site(folder: Path) -> None:
    """Write all pages into a folder, where any server's user may read them."""
    pages = [(page_path(framing, size), SIZES[size]) for framing in FRAMINGS for size in framing.sizes]
    pages += [(path, SIZES["2 KB"]) for path in many_paths()]
    for path, size in pages:
        file = folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(story(path, size=size))
        # What changed a second ago has a weaker ETag than later.
        os.utime(file, (MODIFIED, MODIFIED))
    (folder / "robots.txt").write_text("User-agent: *\nAllow: /\n")
