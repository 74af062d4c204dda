"""The database or the disk is away for a while: the service waits, and then goes on with nothing lost."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import warnings
from pathlib import Path
from typing import Any

import pytest

from scheduler.presence import Presence
from storage.clock import utc_now
from storage.service_lock import SERVICE_NAME, hold_service_lock
from storage.store import Store
from tests.invented_stories import publish
from tests.newsroom import Newsroom
from tests.running_service import RunningService, configure, headlines, wait_until


@contextlib.contextmanager
def running(folder: Path, database: str, newsroom: Newsroom, *, log_folder: Path | None = None):
    configure(folder, database, newsroom)
    service = RunningService(folder, log_folder=log_folder)
    try:
        yield service
    finally:
        service.kill()


def test_a_database_server_that_restarts_is_waited_for(postgres_of_its_own, newsroom, tmp_path):
    server = postgres_of_its_own
    Store.open(server.url, create=True).close()
    publish(newsroom, 1)
    with running(tmp_path, server.url, newsroom) as service:
        service.wait_for("version_recorded")
        server.stop()
        service.wait_for("database_unavailable")
        publish(newsroom, 2)
        server.start()
        service.wait_for("database_available")
        wait_until(lambda: len(headlines(server.url)) == 2, "it went on")
        assert presence(server.url)["pid"] == service.process.pid
        assert presence(server.url)["state"] == "running"
        # Its lock is its own again.
        second = RunningService(tmp_path)
        assert second.wait() == 1
        assert f"process {service.process.pid} on " in service.log()
        assert service.stop() == 0
    assert "Traceback" not in service.log()


def presence(database: str) -> dict[str, Any]:
    """Return what the running service says of itself."""
    with Store.open(database) as store, store.reading() as transaction:
        found = transaction.service_state.get(SERVICE_NAME)
    assert found is not None and isinstance(found[0], dict)
    return found[0]


def test_a_successor_that_came_while_the_database_was_away_keeps_the_lock_and_its_name(
    postgres_of_its_own, newsroom, tmp_path
):
    server = postgres_of_its_own
    Store.open(server.url, create=True).close()
    publish(newsroom, 1)
    with running(tmp_path, server.url, newsroom) as service:
        service.wait_for("version_recorded")
        # It notices nothing until the other one is there.
        service.send(signal.SIGSTOP)
        server.stop()
        server.start()
        with hold_service_lock(server.url), Store.open(server.url) as store:
            Presence(store, version="successor", started_at=utc_now()).write("running", utc_now())
            service.send(signal.SIGCONT)
            assert service.wait() == 1
            assert f"a service is running on it (process {os.getpid()} on " in service.log()
            assert presence(server.url)["version"] == "successor"
    assert (service.end()["reason"], service.end()["exit_code"]) == ("broken", 1)
    assert "Traceback" not in service.log()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_database_that_is_locked_is_waited_for(database_url, newsroom, tmp_path):
    publish(newsroom, 1)
    with running(tmp_path, f"{database_url}?timeout=0.5", newsroom) as service:
        service.wait_for("version_recorded")
        with sqlite3.connect(tmp_path / "morgue.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            publish(newsroom, 2)
            service.wait_for("database_unavailable")
            other.execute("ROLLBACK")
        service.wait_for("database_available")
        wait_until(lambda: len(headlines(database_url)) == 2, "it went on")
        assert RunningService(tmp_path).wait() == 1
        assert f"a service is running on it (process {service.process.pid} on " in service.log()
        assert service.stop() == 0
        assert "Traceback" not in service.log()


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(mount, check=False).returncode != 0:
        warnings.warn("NOT TESTED ON A FULL DISK: it takes root to make a small one", stacklevel=1)
        pytest.skip("NOT TESTED ON A FULL DISK: it takes root to make a small one")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_waited_for(newsroom, small_disk):
    database = f"sqlite:///{small_disk / 'morgue.db'}"
    publish(newsroom, 1)
    with running(small_disk, database, newsroom, log_folder=small_disk.parent) as service:
        service.wait_for("version_recorded")
        ballast = small_disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(b"\0" * 4096):
                pass
        publish(newsroom, 2)
        wait_until(
            lambda: bool(service.events("archive_unavailable") or service.events("database_unavailable")),
            "it said what is wrong",
        )
        assert service.process.poll() is None
        ballast.unlink()
        wait_until(lambda: len(headlines(database)) == 2, "it went on")
        assert service.stop() == 0
        assert "Traceback" not in service.log()
