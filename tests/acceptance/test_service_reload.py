"""A running service takes up a changed configuration, and keeps to the old one where the new one is broken."""

import fcntl
import json
import signal
import subprocess

import pytest

from storage.store import Store
from tests.invented_stories import publish
from tests.morgue_command import command, environment
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
            assert [event["slugs"] for event in service.events("sources_gone")] == [["herald"]]
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


def test_another_address_of_the_database_moves_nothing_until_a_restart(database_url, newsroom, tmp_path):
    def reload(code: int) -> str:
        done = subprocess.run(
            command(tmp_path, "sources", "reload", *(["--json"] if code == 0 else [])),
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    publish(newsroom, 1)
    configure(tmp_path, database_url, newsroom)
    service = RunningService(tmp_path)
    try:
        service.wait_for("version_recorded")
        other = tmp_path / "other.db"
        with Newsroom() as herald:
            publish(herald, 2)
            more = SECOND.format(feed=herald.url("/feed.rss"))
            configure(tmp_path, f"sqlite:///{other}", newsroom, more=more)
            service.send(signal.SIGHUP)
            assert service.wait_for("needs_restart")["keys"] == ["[database] url"]
            assert service.wait_for("reloaded")["added"] == 1
            wait_until(lambda: len(headlines(database_url)) == 2, "the new source was fetched into the old database")
        assert not other.exists()

        assert "does not exist" in reload(1)
        assert not other.exists()
        Store.open(f"sqlite:///{other}", create=True).close()
        said = json.loads(reload(0))
        assert (said["service"], said["sources"]) == ("none", 2)
        assert f"No service runs on {other};" in said["says"]
        assert len(service.events("reloaded")) == 1
        assert service.stop() == 0
    finally:
        service.kill()


def test_a_reload_that_is_asked_for_while_it_starts_is_heeded_after_the_start(database_url, newsroom, tmp_path):
    configure(tmp_path, database_url, newsroom)
    with Newsroom() as herald, (tmp_path / "morgue.db.upgrade-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as long as somebody upgrades the database
        service = RunningService(tmp_path)
        try:
            wait_until((tmp_path / "morgue.db.service-lock").exists, "it waited for the upgrade")
            configure(tmp_path, database_url, newsroom, more=SECOND.format(feed=herald.url("/feed.rss")))
            service.send(signal.SIGHUP)
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert service.wait_for("reloaded")["added"] == 1
            assert service.stop() == 0
            assert "Traceback" not in service.log()
        finally:
            service.kill()
