"""A log that nobody reads, or that cannot be written, stops neither the service nor its end."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from tests.invented_stories import publish
from tests.morgue_command import MORGUE, command, environment
from tests.newsroom import Newsroom
from tests.running_service import configure, headlines, wait_until

GRACE_SECONDS = 6


@pytest.fixture
def backend() -> str:
    """The kind of database does not matter."""
    return "sqlite"


class Watched:
    """`morgue run` with a log of any kind; what cannot be read of it is asked of `/healthz`."""

    def __init__(self, folder: Path, database: str, newsroom: Newsroom, log: int | IO[Any]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._database = database
        configure(folder, database, newsroom, f"grace_seconds = {GRACE_SECONDS}", http=f"127.0.0.1:{self._port}")
        words = [MORGUE, "--verbose", *command(folder, "run")[1:]]
        self.process = subprocess.Popen(
            words, env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )

    def is_well(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(self._url(), timeout=2) as answer:
            return json.load(answer)["status"] == "ok"
        return False

    def _url(self) -> str:
        return f"http://127.0.0.1:{self._port}/healthz"

    def wait_for_stories(self, count: int) -> None:
        wait_until(lambda: len(headlines(self._database)) == count, f"there were {count} stories")

    def stop(self) -> int:
        self.process.terminate()
        began = time.monotonic()
        code = self.process.wait(60)
        assert time.monotonic() - began < GRACE_SECONDS + 10
        return code


@contextlib.contextmanager
def watched(folder: Path, database: str, newsroom: Newsroom, log: int | IO[Any]) -> Iterator[Watched]:
    service = Watched(folder, database, newsroom, log)
    try:
        yield service
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(service.process.pid, signal.SIGKILL)
        service.process.wait(60)
        if service.process.stdout is not None:
            service.process.stdout.close()


def test_a_log_whose_reader_has_left(database_url, newsroom, tmp_path):
    publish(newsroom, 1)
    reading, writing = os.pipe()
    with watched(tmp_path, database_url, newsroom, writing) as service:
        os.close(writing)
        service.wait_for_stories(1)
        os.close(reading)
        publish(newsroom, 2)
        service.wait_for_stories(2)
        wait_until(service.is_well, "it was well")
        assert service.stop() == 0


def test_a_log_that_nobody_reads(database_url, newsroom, tmp_path):
    """The pipe is full from the first line on."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"\n" * 4096)
    os.set_blocking(writing, True)
    publish(newsroom, 1)
    try:
        with watched(tmp_path, database_url, newsroom, writing) as service:
            service.wait_for_stories(1)
            publish(newsroom, 2)
            service.wait_for_stories(2)
            wait_until(service.is_well, "it was well")
            assert service.stop() == 0
    finally:
        os.close(reading)
        os.close(writing)


def test_a_log_on_a_full_disk(database_url, newsroom, tmp_path):
    publish(newsroom, 1)
    with Path("/dev/full").open("w") as full, watched(tmp_path, database_url, newsroom, full) as service:
        service.wait_for_stories(1)
        wait_until(service.is_well, "it was well")
        assert service.stop() == 0


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_standard_streams_that_are_closed(database_url, newsroom, tmp_path, closed):
    """No file of ours gets the number of one of them: what is written there would land in it."""
    publish(newsroom, 1)
    configure(tmp_path, database_url, newsroom)
    script = f'exec "$0" "$@" {closed}'
    process = subprocess.Popen(["/bin/sh", "-c", script, *command(tmp_path, "run")], env=environment())
    try:
        wait_until(lambda: len(headlines(database_url)) == 1, "the story was fetched")
        for descriptor in (0, 1, 2):
            place = Path(f"/proc/{process.pid}/fd/{descriptor}").readlink()
            assert not place.is_relative_to(tmp_path)
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait(60)


STUCK = """
import sys, threading
from scheduler.stop_signals import StopSignals
from scheduler.log_output import configure_logging
configure_logging(level=0)
signals = StopSignals()
signals.begin_deadline(seconds=0.1, exit_code=3)
threading.Event().wait(60)
"""


def test_the_deadline_of_a_stop_holds_though_the_last_line_cannot_be_written():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"\n" * 4096)
    os.set_blocking(writing, True)
    try:
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-c", STUCK], stderr=writing, check=False, timeout=60)
        assert done.returncode == 3
        assert time.monotonic() - began < 30
    finally:
        os.close(reading)
        os.close(writing)
