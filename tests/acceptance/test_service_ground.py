"""The files that the service stands on are taken away under it: it notices soon, says which, and loses nothing."""

import json
import socket
import sqlite3
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.checks import check_archive
from tests.invented_stories import publish
from tests.running_service import RunningService, configure, headlines, wait_until


@pytest.fixture
def backend() -> str:
    """Files lie under SQLite alone."""
    return "sqlite"


@pytest.fixture
def service(database_url, tmp_path, newsroom):
    publish(newsroom, 1)
    configure(tmp_path, database_url, newsroom)
    running = RunningService(tmp_path)
    running.wait_for("version_recorded")
    yield running
    running.kill()


@pytest.mark.parametrize("taken", ["-wal", "-shm", ""])
def test_a_file_of_the_database_that_is_removed(service, tmp_path, taken):
    path = tmp_path / f"morgue.db{taken}"
    # Kept under another name, as by somebody who moves a database with `mv`.
    path.rename(tmp_path / "taken")
    began = time.monotonic()
    assert service.wait() == 1
    assert time.monotonic() - began < 30
    ((end,), (cause,)) = service.events("stopped"), service.events("cannot_go_on")
    assert (end["exit_code"], end["reason"]) == (1, "broken")
    assert f"{path}: was removed or replaced" in cause["problem"]
    assert f"morgue: {path}: was removed or replaced while it was open; start again" in service.log()
    if taken:
        # All that stood in the log alone was copied when the database was closed.
        with closing(sqlite3.connect(tmp_path / "morgue.db")) as database:
            assert database.execute("SELECT count(*) FROM versions").fetchone() == (1,)
        check_archive(tmp_path)


def test_a_new_database_stands_in_its_file_at_once(tmp_path, newsroom):
    """Whoever copies or keeps that file alone has all of it but the last minutes."""
    configure(tmp_path, f"sqlite:///{tmp_path / 'new.db'}", newsroom)
    service = RunningService(tmp_path)
    try:
        service.wait_for("started")
        service.kill()
    finally:
        service.kill()
    for ending in ("-wal", "-shm"):
        (tmp_path / f"new.db{ending}").unlink(missing_ok=True)
    with closing(sqlite3.connect(tmp_path / "new.db")) as database:
        assert database.execute("SELECT count(*) FROM versions").fetchone() == (0,)


def test_an_archive_that_is_renamed_is_waited_for(service, tmp_path: Path, newsroom, database_url):
    archive = tmp_path / "archive"
    archive.rename(tmp_path / "elsewhere")
    cause = service.wait_for("archive_unavailable")["problem"]
    assert str(archive) in cause
    assert "put the folder back" in cause
    publish(newsroom, 2)
    time.sleep(3)
    assert not archive.exists()
    assert len(headlines(database_url)) == 1
    (tmp_path / "elsewhere").rename(archive)
    service.wait_for("archive_available")
    wait_until(lambda: len(headlines(database_url)) == 2, "it went on")
    assert service.stop() == 0
    check_archive(tmp_path)


def test_health_is_told_while_the_database_is_still_being_opened(database_url, tmp_path, newsroom):
    """As with thousands of new sources, or a database that is being upgraded; here another program holds it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configure(tmp_path, database_url, newsroom, http=f"127.0.0.1:{port}")
    with closing(sqlite3.connect(tmp_path / "morgue.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        running = RunningService(tmp_path)
        try:
            running.wait_for("http_listening")
            assert health(port) == (503, "starting")
            assert running.events("started") == []
            other.execute("ROLLBACK")
            running.wait_for("started")
            wait_until(lambda: health(port) == (200, "ok"), "it was well")
            assert running.stop() == 0
        finally:
            running.kill()


def health(port: int) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            return answer.status, json.load(answer)["status"]
    except urllib.error.HTTPError as problem:
        return problem.code, json.load(problem)["status"]
