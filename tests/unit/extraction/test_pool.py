"""No page stops the pool: neither one that hangs, nor one that ends its worker, nor one that fails."""

import asyncio
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

import crawler.extraction.pool as pool_module
from crawler.extraction.pool import ExtractionPool, PoolStopped, ReadTask, read_task
from crawler.extraction.reading import Reading
from storage.errors import ExtractionUnavailable
from storage.model import Outcome
from tests.unit.extraction.pages import STORY, page


def a_task(body: str, timezone: str | None = None) -> ReadTask:
    return ReadTask(
        body=body.encode(),
        content_type="text/html; charset=utf-8",
        url="https://courier.example/city/bridge-to-close",
        timezone=timezone,
        captured_at=datetime(2023, 6, 1, tzinfo=UTC),
    )


def misbehave(task: ReadTask) -> Reading:
    """Do what the page says; read it where it says nothing."""
    order, _, argument = task.body.decode().partition(" ")
    if order == "hang":
        time.sleep(600)
    elif order == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    elif order == "pid":
        return Reading(outcome=Outcome.NOT_ARTICLE, reason=str(os.getpid()))
    elif order == "fail":
        raise ZeroDivisionError
    elif order == "crash-once":
        if not Path(argument).exists():
            Path(argument).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Reading(outcome=Outcome.NOT_ARTICLE, reason="survived")
    elif order == "terminated":
        Path(argument).touch()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(600)
    return read_task(task)


async def readings(*bodies: str, timeout_seconds: float = 30.0) -> list[Reading]:
    async with ExtractionPool(processes=2, reader=misbehave, timeout_seconds=timeout_seconds) as pool:
        return await asyncio.gather(*(pool.read(a_task(body)) for body in bodies))


def test_pages_are_decoded_and_read_in_workers():
    (reading,) = asyncio.run(readings(page()))
    assert reading.article.headline == "Bridge to close"
    assert reading.article.body == "\n\n".join(STORY)


def test_a_page_that_crashes_or_fails_costs_only_itself():
    crashed, failed, good = asyncio.run(readings("crash", "fail", page()))
    assert (crashed.outcome, crashed.reason) == (Outcome.EXTRACT_FAILED, "crash")
    assert (failed.outcome, failed.reason) == (Outcome.EXTRACT_FAILED, "ZeroDivisionError")
    assert good.article is not None


def test_a_page_that_hangs_is_given_up():
    hung, good = asyncio.run(readings("hang", page(), timeout_seconds=2.0))
    assert (hung.outcome, hung.reason) == (Outcome.EXTRACT_FAILED, "timeout")
    assert good.article is not None


def test_a_page_is_tried_once_more_in_a_fresh_worker(tmp_path):
    (reading,) = asyncio.run(readings(f"crash-once {tmp_path / 'seen'}"))
    assert reading.reason == "survived"


def test_workers_ended_while_stopping_say_nothing_about_their_pages(tmp_path):
    async def stop_under_load() -> None:
        async with ExtractionPool(processes=1, reader=misbehave) as pool:
            pool.announce_stop()
            await pool.read(a_task(f"terminated {tmp_path / 'seen'}"))

    with pytest.raises(PoolStopped):
        asyncio.run(stop_under_load())
    assert (tmp_path / "seen").exists()


def test_the_pool_goes_on_when_idle_workers_are_killed():
    async def kill_and_read() -> list[Reading]:
        async with ExtractionPool(processes=2, reader=misbehave) as pool:
            pid = int((await pool.read(a_task("pid"))).reason)
            os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.5)
            return await asyncio.gather(*(pool.read(a_task(page())) for _ in range(4)))

    assert all(reading.article for reading in asyncio.run(kill_and_read()))


def fail_to_start(max_memory_bytes: int | None) -> None:
    """Stand in for what prepares a worker, on a machine that lets none live."""
    raise OSError("no more processes")


def test_workers_that_cannot_start_are_not_the_pages_fault(monkeypatch):
    monkeypatch.setattr(pool_module, "_prepare_worker", fail_to_start)
    with pytest.raises(ExtractionUnavailable, match="cannot be started"):
        asyncio.run(readings(page(), page(), page()))


def test_closing_ends_pages_that_are_being_read():
    async def close_under_load() -> None:
        pool = ExtractionPool(processes=1, reader=misbehave)
        reading = asyncio.create_task(pool.read(a_task("hang")))
        await asyncio.sleep(1)
        await pool.close()
        await reading

    with pytest.raises(PoolStopped):
        asyncio.run(close_under_load())
