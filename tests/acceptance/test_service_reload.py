"""A running service takes up a changed configuration, and keeps to the old one where the new one is broken."""

import signal
import socket

import pytest

from tests.invented_stories import publish
from tests.newsroom import Newsroom
from tests.running_service import RunningService, configure, headlines, wait_until

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
"""What differs by database is held to both elsewhere."""

SECOND = """\
[[source]]
slug = "herald"
feeds = ["{feed}"]
poll = "1s"
"""


@pytest.fixture
def supervisor(tmp_path):
    """A datagram socket where a service manager would listen; returns a function that gives what has come."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        messages: list[str] = []

        def received() -> str:
            while True:
                try:
                    messages.append(listener.recv(4096).decode())
                except BlockingIOError:
                    return "\n".join(messages)

        yield received


def test_a_changed_configuration_comes_into_force(database_url, newsroom, tmp_path, supervisor, rows):
    with Newsroom() as herald:
        publish(newsroom, 1)
        publish(herald, 2)
        configure(tmp_path, database_url, newsroom)
        supervised = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
        service = RunningService(tmp_path, supervised)
        try:
            service.wait_for("version_recorded")
            assert "READY=1" in supervisor()

            configure(tmp_path, database_url, newsroom, more=SECOND.format(feed=herald.url("/feed.rss")))
            service.send(signal.SIGHUP)
            assert service.wait_for("reloaded")["added"] == 1
            wait_until(lambda: len(headlines(database_url)) == 2, "the new source was fetched")
            wait_until(lambda: supervisor().count("READY=1") == 2, "the supervisor was told")
            assert "RELOADING=1\nMONOTONIC_USEC=" in supervisor()

            (tmp_path / "morgue.toml").write_text("[service]\npol = '1s'\n")
            service.send(signal.SIGHUP)
            assert "pol is unknown" in service.wait_for("reload_failed")["problem"]
            assert rows("SELECT count(*) FROM sources WHERE paused") == [(0,)]

            configure(tmp_path, database_url, newsroom, 'poll = "1h"', processes=2)
            service.send(signal.SIGHUP)
            assert service.wait_for("reloaded", 2)["removed"] == 1
            assert service.wait_for("needs_restart")["keys"] == ["[crawl] processes"]
            assert rows("SELECT slug FROM sources WHERE paused") == [("herald",)]

            wait_until(lambda: "WATCHDOG=1" in supervisor(), "it gave its sign of life")
            assert service.stop() == 0
            assert "STOPPING=1" in supervisor()
            assert rows("SELECT json_extract(value, '$.state') FROM service_state WHERE name = 'service'") == [
                ("stopped",)
            ]
        finally:
            service.kill()
