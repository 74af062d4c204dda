"""What ends or holds up its reader gets an outcome of its own, and nothing is taken from it."""

import asyncio
import gzip
from dataclasses import replace

from crawler.discovery.url_shapes import UrlShapes
from crawler.download import Attempt
from crawler.fetching import LONGEST_HEADER, Fetched, FetchRequest, Hop
from crawler.index_reading import IndexReader
from crawler.page_reading import PageReader, forms_of, read_page, task_of
from storage import fingerprint
from storage.model import FeedKind, FetchKind, HttpExchange, Source
from storage.outcomes import Outcome
from storage.records import FeedState
from storage.remembering import Remembered
from tests.slots_in_memory import RobotsInMemory
from tests.unit.extraction.pages import page
from tests.unit.test_fetching import NOW, ScriptedSite, fetch, fetcher_of
from tests.works_here import WorksHere

URL = "https://courier.example/city/bridge-to-close"
FEED = FeedState(feed_id=1, source_id=1, url="https://courier.example/feed", kind=FeedKind.RSS)
RSS = (
    b"<rss version='2.0'><channel><title>All</title><item><link>https://courier.example/a</link></item></channel></rss>"
)


def exchange_of(body: bytes, *headers: tuple[str, str], url: str = URL) -> HttpExchange:
    return HttpExchange(
        record_id="urn:uuid:1",
        url=url,
        method="GET",
        request_headers=(),
        status=200,
        reason_phrase="OK",
        http_version="HTTP/1.1",
        response_headers=(("Content-Type", "text/html; charset=utf-8"), *headers),
        body=body,
        ip_address=None,
        started_at=NOW,
        finished_at=NOW,
    )


def task(body: bytes, *headers: tuple[str, str]):
    return task_of(exchange_of(body, *headers), url=URL, timezone=None, robots_token="morgue", max_bytes=1 << 20)


def fetched(body: bytes) -> Fetched:
    attempt = Attempt(
        record_id="urn:uuid:1", url=FEED.url, started_at=NOW, finished_at=NOW, exchange=exchange_of(body, url=FEED.url)
    )
    request = FetchRequest(url=FEED.url, kind=FetchKind.FEED)
    return Fetched(request=request, chain_id="c", hops=(Hop(attempt=attempt, outcome=None),))


def test_a_page_is_decoded_digested_and_read_at_once():
    read = asyncio.run(PageReader(WorksHere()).read(task(gzip.compress(page().encode()), ("Content-Encoding", "gzip"))))
    assert read.reading.article.headline == "Bridge to close"
    assert read.digest.startswith("sha256:")
    assert set(read.forms) >= {read.reading.article.headline, read.reading.article.body}


def test_a_body_that_is_known_is_not_read_again():
    whole = task(page().encode())
    digest = read_page(whole).digest
    again = read_page(replace(whole, unless_digest=digest))
    assert (again.digest, again.reading) == (digest, None)


def test_a_page_that_ends_its_reader_says_so():
    read = asyncio.run(PageReader(WorksHere("crash")).read(task(page().encode())))
    assert (read.reading.outcome, read.reading.reason) == (Outcome.EXTRACT_FAILED, "crash")
    assert read.digest is None


def test_an_index_that_ends_its_reader_says_so():
    async def read(works: WorksHere):
        reader = IndexReader(works, max_bytes=1 << 20, robots_token="morgue")
        answer = fetched(RSS)
        return (
            await reader.read(FEED, Source(slug="courier"), answer, shapes=UrlShapes()),
            await reader.look(answer),
            await reader.feed(answer),
        )

    listed, look, feed = asyncio.run(read(WorksHere()))
    assert (listed.outcome, len(listed.entries)) == (Outcome.LISTED, 1)
    assert look.outcome is None
    assert feed.feed.title == "All"
    for failed in asyncio.run(read(WorksHere("timeout"))):
        assert (failed.outcome, failed.reason) == (Outcome.EXTRACT_FAILED, "timeout")


def test_a_robots_txt_that_ends_its_reader_forbids_all():
    answers = {
        "http://a.example/robots.txt": (200, {}, b"User-agent: *\nAllow: /"),
        "http://a.example/1": (200, {}, b"x"),
    }
    site, robots = ScriptedSite(answers), RobotsInMemory()

    async def once():
        async with fetcher_of(site, robots=robots, workers=WorksHere("memory")) as fetcher:
            return await fetcher.fetch(FetchRequest(url="http://a.example/1", kind=FetchKind.PAGE))

    last = asyncio.run(once()).last
    assert (last.outcome, last.reason) == (Outcome.BLOCKED_ROBOTS, "robots_unreadable")
    assert [(row.outcome, row.reason) for row in robots.rows] == [(Outcome.EXTRACT_FAILED, "memory")]
    assert [url for url, _ in site.asked] == ["http://a.example/robots.txt"]


def test_what_is_kept_of_an_answer_is_bounded():
    answers = {
        "http://a.example/1": (301, {"Location": "/2", "Server": "s" * 100_000}, b"moved" * 1000),
        "http://a.example/2": (200, {}, b"here"),
    }
    fetched, _, _ = fetch(answers, "http://a.example/1")
    first = fetched.fetch(0)
    assert first.bytes_received == 5_000
    assert fetched.hops[0].attempt.exchange.body == b""
    assert len(first.headers["server"]) == LONGEST_HEADER


def test_normal_forms_are_made_once_and_can_be_handed_over(monkeypatch):
    made: list[str] = []

    def make(text: str) -> str:
        made.append(text)
        return text.casefold()

    normalise = Remembered(make, most_characters=100)
    assert [normalise("Two Goats") for _ in range(3)] == ["two goats"] * 3
    normalise.keep("One Goat", "one goat")
    assert normalise("One Goat") == "one goat"
    assert made == ["Two Goats"]
    for number in range(100):
        normalise(f"Goat {number}")
    assert normalise.characters <= 100

    monkeypatch.setattr(fingerprint, "normalise", Remembered(make))
    article = read_page(task(page().encode())).reading.article
    made.clear()
    fingerprint.remember(forms_of(article))
    handed_over = len(made)
    fingerprint.content_digest(article)
    assert len(made) == handed_over
