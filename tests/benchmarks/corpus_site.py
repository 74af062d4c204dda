"""Serves a corpus of real pages on loopback: each publisher at its own 127.0.x.y, each page at its own path.

A corpus is a folder of sets; a set has `truth.jsonl` with rows `{"id", "url", "html_path"}` and gzipped pages. The
server is a process of its own, so that its work is not counted with the crawler's.
"""

import asyncio
import gzip
import hashlib
import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit
from xml.sax.saxutils import escape

from crawler.urls import clean_url

PORT = 8099
FEED_ADDRESS = "127.0.0.2"


@dataclass(frozen=True)
class CorpusPage:
    """One page: its row in the truth, its bytes, and the loopback URL that it is served at."""

    row: dict
    html: bytes
    url: str


def load_pages(corpora: Path, sets: list[str]) -> list[CorpusPage]:
    """Load the pages of these sets and give each publisher an address of its own."""
    addresses: dict[str, str] = {}
    taken: dict[str, int] = {}
    pages = []
    for name in sets:
        for line in (corpora / name / "truth.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            html = gzip.decompress((corpora / name / row["html_path"]).read_bytes())
            parts = urlsplit(row["url"])
            number = len(addresses) + 3
            address = addresses.setdefault(parts.netloc, f"127.0.{number // 250}.{number % 250 + 1}")
            path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
            # Publishers answer with or without the tracking parameters that some of these addresses carry.
            url = clean_url(urlunsplit(("http", f"{address}:{PORT}", path, parts.query, "")))
            # Two pages may differ in nothing but their tracking parameters; each must have an address of its own.
            taken[url] = taken.get(url, 0) + 1
            if taken[url] > 1:
                url += ("&" if "?" in url else "?") + f"copy={taken[url]}"
            pages.append(CorpusPage(row=row | {"set": name}, html=html, url=url))
    return pages


def feed_of(pages: list[CorpusPage]) -> bytes:
    """Return an RSS feed that lists all the pages."""
    items = "".join(
        f"<item><title>{escape(page.row['id'])}</title><link>{escape(page.url)}</link></item>" for page in pages
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>corpus</title>{items}</channel></rss>'.encode()


class _Site:
    """Answers GET from a table; conditional requests by ETag."""

    def __init__(self, answers: dict[tuple[str, str], tuple[str, bytes]], *, validators: bool) -> None:
        self._answers = answers
        self._validators = validators

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        address = writer.get_extra_info("sockname")[0]
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").split("\r\n")
                target = lines[0].split(" ")[1]
                fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
                writer.write(self._answer(address, target, fields.get("if-none-match")))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, address: str, target: str, if_none_match: str | None) -> bytes:
        found = self._answers.get((address, target))
        if found is None:
            return b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nnot found"
        content_type, body = found
        tag = '"' + hashlib.md5(body, usedforsecurity=False).hexdigest() + '"'
        validator = f"ETag: {tag}\r\n" if self._validators else ""
        if self._validators and if_none_match == tag:
            return f"HTTP/1.1 304 Not Modified\r\n{validator}\r\n".encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{validator}Content-Length: {len(body)}\r\n\r\n"
        return head.encode() + body


def _serve(answers: dict, validators: bool, ready: "multiprocessing.synchronize.Event") -> None:
    async def main() -> None:
        site = _Site(answers, validators=validators)
        for address in {address for address, _ in answers}:
            await asyncio.start_server(site.handle, address, PORT, limit=1 << 20, backlog=256)
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(main())


@contextmanager
def corpus_site(pages: list[CorpusPage], *, validators: bool = True) -> Iterator[str]:
    """Serve the pages and a feed of them; gives the feed's URL."""
    answers = {(FEED_ADDRESS, "/feed.rss"): ("application/rss+xml", feed_of(pages))}
    for page in pages:
        parts = urlsplit(page.url)
        target = urlunsplit(("", "", parts.path, parts.query, ""))
        answers[parts.hostname, target] = ("text/html", page.html)
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    server = context.Process(target=_serve, args=(answers, validators, ready), daemon=True)
    server.start()
    try:
        if not ready.wait(30):
            raise RuntimeError("the site did not start")
        yield f"http://{FEED_ADDRESS}:{PORT}/feed.rss"
    finally:
        server.terminate()
        server.join()
