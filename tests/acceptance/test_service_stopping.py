"""`morgue run` is told to stop: whatever hangs, it ends in time, says how, and leaves nothing false behind."""

import fcntl
import os
import signal
import sqlite3
import time

import psutil
import pytest

from storage.outcomes import Outcome
from tests.acceptance.checks import check_archive
from tests.invented_stories import publish
from tests.running_service import RunningService, configure, headlines, wait_until

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
"""What differs by database is held to both elsewhere."""


@pytest.fixture
def start(database_url, tmp_path, newsroom):
    services = []

    def start(service: str = "", more: str = "", **environment: str) -> RunningService:
        configure(tmp_path, database_url, newsroom, service, more)
        services.append(RunningService(tmp_path, environment))
        return services[-1]

    yield start
    for service in services:
        service.kill()


def test_a_signal_to_the_whole_group_makes_no_false_outcome(database_url, newsroom, start, tmp_path, rows):
    urls = [publish(newsroom, number) for number in range(12)]
    service = start()
    service.wait_for("version_recorded", 2)
    os.killpg(service.process.pid, signal.SIGTERM)
    assert service.wait() == 0
    assert service.end()["reason"] == "SIGTERM"
    assert "Traceback" not in service.log()
    found = {outcome for (outcome,) in rows("SELECT DISTINCT outcome FROM fetches")}
    assert found <= {"listed", "created", "unchanged", "not_modified", "missing", "cosmetic"}, found
    check_archive(tmp_path)

    service = start()
    wait_until(lambda: len(headlines(database_url)) == len(urls), "the next start fetched what was owed")
    os.killpg(service.process.pid, signal.SIGINT)
    assert service.wait() == 0
    assert Outcome.EXTRACT_FAILED not in {outcome for (outcome,) in rows("SELECT DISTINCT outcome FROM fetches")}


def test_it_ends_in_time_though_another_program_holds_the_database(database_url, newsroom, start, tmp_path):
    publish(newsroom, 1)
    service = start("grace_seconds = 4")
    service.wait_for("version_recorded")
    with sqlite3.connect(tmp_path / "morgue.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        publish(newsroom, 2)
        time.sleep(1.5)  # the new story is fetched, and cannot be recorded
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < 6
        other.execute("ROLLBACK")
    assert service.end()["abandoned"]
    assert "Traceback" not in service.log()
    service = start()
    wait_until(lambda: len(headlines(database_url)) == 2, "the next start fetched what was owed")
    assert service.stop() == 0
    assert (service.end()["reason"], service.end()["exit_code"]) == ("SIGTERM", 0)
    check_archive(tmp_path)


def test_a_stop_while_it_starts_ends_the_start(newsroom, start, tmp_path):
    with (tmp_path / "morgue.db.upgrade-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as long as somebody upgrades the database
        service = start()
        wait_until((tmp_path / "morgue.db.service-lock").exists, "it waited for the upgrade")
        time.sleep(0.3)
        assert service.stop() == 0
    assert service.end()["while_starting"]
    assert "Traceback" not in service.log()


def test_above_the_memory_ceiling_it_ends_for_its_supervisor(database_url, newsroom, start):
    publish(newsroom, 1)
    service = start('max_memory = "64M"')
    assert service.wait() == 75
    assert service.events("memory_ceiling")[0]["ceiling_bytes"] == 64 << 20
    assert service.end()["reason"] == "memory_ceiling"
    assert len(headlines(database_url)) == 1


def test_neither_a_page_that_hangs_its_reader_nor_one_that_never_comes_holds_it_up(newsroom, start, rows):
    url = publish(newsroom, 1)
    service = start("grace_seconds = 4")
    service.wait_for("version_recorded")
    newsroom.respond("/news/story-2", delay=60)
    publish(newsroom, 2)
    wait_until(lambda: len(service.events("feed_polled")) > 1, "the second story was listed")
    stop_workers(service.process.pid)
    newsroom.retitle(url, "A headline that nobody will read now")
    time.sleep(2.5)  # the first waits for its reader, the second for its server
    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began < 6
    assert service.end()["exit_code"] == 0
    assert "Traceback" not in service.log()
    assert rows("SELECT count(*) FROM fetches WHERE outcome = 'extract_failed'") == [(0,)]


def stop_workers(pid: int) -> None:
    """Freeze the processes that read pages, as a page does that keeps its reader busy for ever."""
    for child in [one.pid for one in psutil.Process(pid).children(recursive=True)]:
        os.kill(child, signal.SIGSTOP)
