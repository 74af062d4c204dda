"""Who asks for an address that may be a section's or a page's, and whose answers are kept for the other."""

import asyncio
from dataclasses import replace

import pytest

from crawler.doubtful_addresses import KEPT_ANSWERS, KEPT_BYTES, KEPT_FOR, Asked
from crawler.download import Attempt
from crawler.fetching import Fetched, FetchRequest, Hop
from crawler.urls import feed_entry
from storage.clock import utc_now
from storage.model import FetchKind, HttpExchange, Outcome
from storage.records import PageState, Recorded

URL = "http://paper.example/news/"
RECORDED = Recorded(outcome=Outcome.NOT_ARTICLE)


def page(url: str = URL) -> PageState:
    entry = feed_entry(url)
    return PageState(page_id=1, source_id=1, url=url, url_key=entry.url_key, host=entry.host, first_seen_at=utc_now())


def answered(url: str = URL, *, body: bytes = b"", at=None) -> Fetched:
    now = at or utc_now()
    exchange = HttpExchange(
        record_id="urn:uuid:1",
        url=url,
        method="GET",
        request_headers=(),
        status=200,
        reason_phrase="OK",
        http_version="1.1",
        response_headers=(),
        body=body,
        ip_address=None,
        started_at=now,
        finished_at=now,
    )
    attempt = Attempt(record_id="urn:uuid:1", url=url, started_at=now, finished_at=now, exchange=exchange)
    request = FetchRequest(url=url, kind=FetchKind.PAGE)
    return Fetched(request=request, chain_id="1", hops=(Hop(attempt=attempt, outcome=None),))


def test_whoever_would_fetch_the_page_waits_until_it_was_asked_for_as_a_section():
    async def scene() -> list[str]:
        asked, order = Asked(), []

        async def fetch_page() -> None:
            await asked.settled("a")
            order.append("page")

        async with asked.as_section("a"):
            waiting = asyncio.create_task(fetch_page())
            await asked.settled("b")
            await asyncio.sleep(0.01)
            order.append("section")
        await waiting
        return order

    assert asyncio.run(scene()) == ["section", "page"]


def test_two_do_not_ask_for_one_section_at_once_and_a_failure_ends_the_waiting():
    async def scene() -> None:
        asked = Asked()
        with pytest.raises(ZeroDivisionError):
            async with asked.as_section("a"):
                raise ZeroDivisionError
        async with asyncio.timeout(5), asked.as_section("a"):
            pass

    asyncio.run(scene())


def test_an_answer_is_handed_out_once():
    asked, fetched = Asked(), answered()
    asked.note_page(page(), fetched, RECORDED)
    assert [asked.answer(page().url_key), asked.answer(page().url_key)] == [fetched, None]


@pytest.mark.parametrize(
    ("noted", "fetched", "recorded"),
    [
        (page(), answered(), Recorded(outcome=Outcome.MISSING)),
        (replace(page(), last_fetch_at=utc_now()), answered(), RECORDED),
        (page("http://paper.example/2026/11/24/a-story-of-many-words-in-its-slug"), answered(), RECORDED),
        (page(), answered(body=b"x" * (KEPT_BYTES + 1)), RECORDED),
        (page(), answered(at=utc_now() - KEPT_FOR), RECORDED),
    ],
    ids=["missing", "a later look", "surely an article", "too long", "too old"],
)
def test_what_is_of_no_use_as_a_section_is_not_kept(noted, fetched, recorded):
    asked = Asked()
    asked.note_page(noted, fetched, recorded)
    assert asked.answer(noted.url_key) is None


def test_only_the_last_few_answers_are_kept():
    asked = Asked()
    urls = [f"http://paper.example/section-{chr(97 + n % 26)}{chr(97 + n // 26)}/" for n in range(KEPT_ANSWERS + 1)]
    for url in urls:
        asked.note_page(page(url), answered(url), RECORDED)
    kept = [asked.answer(page(url).url_key) is not None for url in urls]
    assert kept == [False, *[True] * KEPT_ANSWERS]
