"""A supervisor's watchdog gets its signs of life while the service is well, and none when it is stuck."""

import signal
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance import stuck_morgue
from tests.acceptance.stuck_morgue import ILL, STUCK
from tests.running_service import RunningService, configure, wait_until

WATCHDOG_SECONDS = 0.8


@pytest.fixture
def backend() -> str:
    return "sqlite"


def test_no_sign_of_life_is_given_while_the_loop_is_stuck_or_a_restart_would_help(
    database_url, newsroom, tmp_path, supervisor
):
    def signs() -> int:
        return supervisor().count("WATCHDOG=1")

    configure(tmp_path, database_url, newsroom)
    settings = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": f"{WATCHDOG_SECONDS * 1e6:.0f}"}
    service = RunningService(tmp_path, settings, program=[sys.executable, Path(stuck_morgue.__file__)])
    try:
        service.wait_for("started")
        before, began = signs(), time.monotonic()
        wait_until(lambda: signs() >= before + 8, "it gave its signs of life")
        assert time.monotonic() - began > WATCHDOG_SECONDS, "four are given in the watchdog's time"

        service.send(signal.SIGUSR1)
        wait_until(lambda: STUCK in service.log(), "the loop stood still")
        before = signs()
        time.sleep(2 * WATCHDOG_SECONDS)
        assert signs() == before
        wait_until(lambda: signs() > before, "the loop went on")

        service.send(signal.SIGUSR2)
        wait_until(lambda: ILL in service.log(), "something was wrong")
        time.sleep(3 * WATCHDOG_SECONDS)  # what is wrong for a moment withholds none
        before = signs()
        time.sleep(2 * WATCHDOG_SECONDS)
        assert signs() == before
        assert service.stop() == 0
    finally:
        service.kill()
