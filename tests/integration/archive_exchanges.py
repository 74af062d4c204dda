"""Exchanges of the tests' own invention, and a writer process that can be killed."""

import gzip
import hashlib
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from storage.archive import Archive
from storage.model import HttpExchange

STARTED = datetime(2026, 3, 2, 15, 26, 41, 123456, tzinfo=UTC)


def page(number=0, size=2_000):
    """HTML that compresses about as well as a real page does."""
    words = [hashlib.sha256(f"{number}/{at}".encode()).hexdigest()[:6] for at in range(size // 7)]
    return f"<html><title>Ferry {number}</title><p>{' '.join(words)}</p></html>".encode()


def exchange(number=0, *, size=2_000, content=None, **fields):
    body = gzip.compress(page(number, size) if content is None else content)
    return HttpExchange(
        **{
            "record_id": uuid4().urn,
            "url": f"https://news.example/ferry-{number}.html?page=1",
            "method": "GET",
            "request_headers": (("User-Agent", "morgue-test"), ("Accept", "text/html")),
            "status": 200,
            "reason_phrase": "OK",
            "http_version": "HTTP/1.1",
            "response_headers": (("Content-Type", "text/html"), ("Content-Encoding", "gzip")),
            "body": body,
            "ip_address": "192.0.2.7",
            "started_at": STARTED,
            "finished_at": STARTED + timedelta(seconds=1),
        }
        | fields
    )


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def new_archive(directory, *, max_file_bytes=1_000_000_000):
    return Archive(Path(directory), max_file_bytes=max_file_bytes, software="morgue/test")


def keep(archive, number=0, **fields):
    """Append one exchange, its digest that of the page it holds."""
    return archive.append(exchange(number, **fields), body_digest=digest(page(number, fields.get("size", 2_000))))


def write_until_killed(directory):
    """Append and sync for ever, and say what was synced. Bodies are of many sizes, files small."""
    archive = new_archive(directory, max_file_bytes=300_000)
    archive.recover()
    number = 0
    while True:
        batch = [keep(archive, number + at, size=500 + 7_000 * ((number + at) % 9)) for at in range(3)]
        archive.sync()
        for capture in batch:
            print(capture.record_id, capture.warc_file, capture.offset, capture.length, capture.body_digest, flush=True)
        number += len(batch)


if __name__ == "__main__":
    write_until_killed(sys.argv[1])
