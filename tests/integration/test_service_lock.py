"""Only one service runs on a database, by `morgue run` as real processes; crawls are not held up by it."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.integration.commands import DEAD, MORGUE, check_one_line, environment, run


@pytest.fixture
def settings(database_url: str) -> dict[str, str]:
    return {"MORGUE_DATABASE__URL": database_url}


@pytest.fixture
def service(tmp_path: Path, settings: dict[str, str]) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """A function that starts a service and returns when it runs."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        log = tmp_path / f"service-{len(started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [MORGUE, "run"], cwd=tmp_path, env=environment(settings), stdout=output, stderr=output
            )
        started.append(process)
        while b'"started"' not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            time.sleep(0.02)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_second_service_says_that_there_is_one_and_ends(service, tmp_path, settings):
    first = service()
    check_one_line(run(tmp_path, "run", settings=settings), 1, "a service is running on it", "stop it")
    assert first.poll() is None
    first.send_signal(signal.SIGTERM)
    assert first.wait() == 0
    second = service()
    second.send_signal(signal.SIGTERM)
    assert second.wait() == 0


def test_a_service_that_was_killed_holds_nothing(service, tmp_path, settings):
    first = service()
    first.kill()
    first.wait()
    assert service().poll() is None


def test_a_crawl_runs_beside_a_service(service, tmp_path, settings):
    running = service()
    result = run(tmp_path, "crawl", DEAD, settings=settings)
    assert b"network_error" in result.stdout
    assert b"service" not in result.stderr
    assert run(tmp_path, "db", "check", settings=settings).returncode == 0
    assert run(tmp_path, "db", "upgrade", settings=settings).returncode == 0
    assert running.poll() is None


@pytest.mark.parametrize("backend", ["sqlite"])
def test_one_database_has_one_service_whatever_it_is_called(service, tmp_path):
    service()
    (tmp_path / "link.db").symlink_to("morgue.db")
    for name in ("link.db", "morgue.db?timeout=1", f"file:{tmp_path}/morgue.db?uri=true"):
        result = run(tmp_path, "run", settings={"MORGUE_DATABASE__URL": f"sqlite:///{name}"})
        check_one_line(result, 1, "a service is running on it")


def test_a_service_whose_lock_was_lost_ends(service, backend, database_url, tmp_path, monkeypatch):
    """Another one may have begun meanwhile."""
    running = service()
    if backend == "sqlite":
        (tmp_path / "morgue.db.service-lock").unlink()
    else:
        end_locks(database_url)
    assert running.wait() == 1
    assert b"Traceback" not in (tmp_path / "service-0.log").read_bytes()


def end_locks(url: str) -> None:
    """End the connections that hold an advisory lock, as a server does that is started anew."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        query = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'"
        assert connection.execute(
            f"{query} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchone() == (1,)
