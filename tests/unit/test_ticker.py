"""The ticker's jobs come at their times, also when the clock is set back, and outlive one that fails."""

import asyncio
from datetime import timedelta

import pytest
import time_machine
from structlog.testing import capture_logs

from scheduler import local
from scheduler.local import Ticker
from storage.clock import utc_now


def test_a_clock_that_is_set_back_does_not_stop_it(monkeypatch):
    monkeypatch.setattr(local, "CLOCK_SECONDS", timedelta(seconds=0.05))
    ran: list[int] = []

    async def job() -> None:
        ran.append(1)

    async def main() -> None:
        ticker = Ticker()
        ticker.every(0.05, job, name="job", first_at=utc_now())
        ticker.start()
        while len(ran) < 2:
            await asyncio.sleep(0.01)
        with time_machine.travel(utc_now() - timedelta(days=1)):
            seen = len(ran)
            while len(ran) < seen + 2:
                await asyncio.sleep(0.01)
            seen = len(ran)
            while len(ran) < seen + 2:
                await asyncio.sleep(0.01)
        ticker.stop()

    with capture_logs() as logs:
        asyncio.run(main())
    (told,) = [one for one in logs if one["event"] == "clock_set_back"]
    assert told["seconds"] in (86_399, 86_400)


def test_a_job_that_fails_has_its_next_time_and_one_that_runs_ends_by_itself():
    ran: list[str] = []

    async def main() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def failing() -> None:
            ran.append("failed")
            raise ValueError("once more")

        async def long() -> None:
            begun.set()
            await go_on.wait()
            ran.append("ended")

        ticker = Ticker()
        ticker.every(0.02, failing, name="failing", first_at=utc_now())
        ticker.every(0.02, long, name="long", first_at=utc_now())
        ticker.start()
        await begun.wait()
        while ran.count("failed") < 2:
            await asyncio.sleep(0.01)
        ticker.stop()
        go_on.set()
        while "ended" not in ran:
            await asyncio.sleep(0.01)

    asyncio.run(main())
    assert ran.count("failed") >= 2
    assert ran.count("ended") == 1


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_cron_times_are_aware(zone):
    assert local.next_cron_time("0 6 * * *", timezone=zone, after=utc_now()).tzinfo is not None
