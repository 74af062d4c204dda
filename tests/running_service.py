"""`morgue run` as a process of the tests, with its log and what it takes to stop and to watch it."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from storage.store import Store
from tests.morgue_command import MORGUE, command, environment
from tests.newsroom import Newsroom

PATIENCE_SECONDS = 60

CRAWLER = """\
[database]
url = "{database}"
[archive]
directory = "archive"
[crawl]
user_agent = "morgue-tests/1 (+mailto:tests@example.org)"
allow_private_addresses = true
delay_seconds = {delay_seconds}
processes = {processes}
"""
SERVICE = """\
[service]
http = "{http}"
{service}
[[source]]
slug = "courier"
feeds = ["{feed}"]
poll = "1s"
recrawl = "{recrawl}"
"""


class RunningService:
    """`morgue run` in a folder with a morgue.toml, as a process that leads its own group."""

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        *,
        log_folder: Path | None = None,
        program: Sequence[str | Path] = (MORGUE,),
    ) -> None:
        self.log_file = (log_folder or folder) / "service.log"
        with self.log_file.open("a") as log:
            self._log_begins_at = log.tell()
            self.process = subprocess.Popen(
                [*program, *command(folder, "run")[1:]],
                env=environment(settings),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self) -> str:
        """Return what was logged by all services of the folder."""
        return self.log_file.read_text()

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the events of a name that were logged by all services of the folder."""
        return _events(self.log(), name)

    def end(self) -> dict[str, Any]:
        """Return the event `stopped`, which must have been logged once since this service was started."""
        own = self.log_file.read_bytes()[self._log_begins_at :].decode()
        (end,) = _events(own, "stopped")
        return end

    def wait_for(self, name: str, times: int = 1) -> dict[str, Any]:
        """Wait until an event was logged so often, and return the last of them."""
        wait_until(lambda: len(self.events(name)) >= times or self.process.poll() is not None, f"{name} was logged")
        assert len(self.events(name)) >= times, self.log()
        return self.events(name)[times - 1]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """End it and what it started, whatever became of the test."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.wait()


def _events(log: str, name: str) -> list[dict[str, Any]]:
    lines = [line for line in log.splitlines() if line.startswith("{")]
    return [event for event in map(json.loads, lines) if event["event"] == name]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)


def headlines(database: str) -> list[str]:
    """Return the headlines of all articles, sorted."""
    with Store.open(database) as store, store.reading() as transaction:
        return sorted(article.content.headline or "" for article in transaction.versions.articles(limit=1_000))


def crawler_configuration(database: str, *, delay_seconds: float = 0, processes: int = 1) -> str:
    """Return a configuration without sources, for publishers on this machine; its last section is `[crawl]`."""
    return CRAWLER.format(database=database, delay_seconds=delay_seconds, processes=processes)


def configure(
    folder: Path,
    database: str,
    newsroom: Newsroom,
    service: str = "",
    more: str = "",
    *,
    http: str = "off",
    recrawl: str = "1s",
    processes: int = 1,
) -> None:
    """Write a morgue.toml for the newsroom's feed; `service` and `more` are added to `[service]` and at the end."""
    crawler = crawler_configuration(database, processes=processes)
    watched = SERVICE.format(http=http, service=service, feed=newsroom.url("/feed.rss"), recrawl=recrawl)
    (folder / "morgue.toml").write_text(crawler + watched + more)
