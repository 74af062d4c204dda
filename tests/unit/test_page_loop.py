"""The loop over pages: what one page's failure costs, and what ends the loop."""

import asyncio
from datetime import UTC, datetime

import pytest
import structlog

from crawler.extraction.pool import PoolStopped
from crawler.page_loop import PageLoop
from storage.errors import ArchiveUnavailable
from storage.records import PageState


def a_page(page_id: int) -> PageState:
    url = f"https://courier.example/{page_id}"
    return PageState(
        page_id=page_id,
        source_id=1,
        url=url,
        url_key=url.removeprefix("https://"),
        host="courier.example",
        first_seen_at=datetime(2024, 5, 1, tzinfo=UTC),
    )


def work(pages: int, problem: Exception, *, at: int) -> tuple[list[int], list[str], list[int]]:
    """Run a loop over that many pages of one host whose recording fails once; return what was recorded, the levels of
    what was logged, and which pages were fetched."""
    recorded: list[int] = []
    fetched: list[int] = []

    async def next_pages(*, exclude_hosts, exclude_pages, limit):
        owed = set(range(pages)) - set(recorded) - set(exclude_pages)
        return [a_page(page_id) for page_id in sorted(owed)[:limit]]

    async def fetch(page):
        fetched.append(page.page_id)

    async def ingest(page, _):
        if page.page_id == at:
            raise problem
        recorded.append(page.page_id)

    loop = PageLoop(next_pages=next_pages, fetch=fetch, ingest=ingest, held_hosts=set, ingests_at_once=1)
    with structlog.testing.capture_logs() as logs:
        asyncio.run(loop.run())
    return recorded, [entry["log_level"] for entry in logs], fetched


def test_a_page_that_cannot_be_recorded_costs_the_others_nothing():
    recorded, levels, fetched = work(5, ZeroDivisionError(), at=2)
    assert sorted(recorded) == [0, 1, 3, 4]
    assert levels == ["error"]
    assert sorted(fetched) == [0, 1, 2, 3, 4]


def test_a_page_whose_reading_was_stopped_is_left_owed_without_an_error():
    recorded, levels, fetched = work(5, PoolStopped("a page"), at=2)
    assert sorted(recorded) == [0, 1, 3, 4]
    assert levels == ["info"]
    assert fetched.count(2) == 1


def test_an_archive_that_refuses_ends_the_loop():
    with pytest.raises(ArchiveUnavailable, match="is full"):
        work(100, ArchiveUnavailable("archive", "is full"), at=2)
