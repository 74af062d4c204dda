"""An upgrade keeps what was there: whole copies that nothing replaces, one upgrade at a time, none under a service."""

import resource
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from storage import migrate
from storage.errors import DatabaseNeedsUpgrade, DatabaseUnavailable, ServiceRunning
from storage.service_lock import hold_service_lock
from storage.store import Store
from tests.at_once import at_once
from tests.contracts.news import NOON
from tests.migrations.test_opening import NEXT_REVISION, PAPER, future  # noqa: F401 - a fixture

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])


def copies(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("morgue.db.revision*"))


def revision(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]


@on_sqlite
def test_processes_that_upgrade_at_once_leave_one_copy_of_what_was_before(database_url, tmp_path, future):  # noqa: F811
    Store.open(database_url).close()
    future()
    at_once(*[lambda: Store.open(database_url).close()] * 4)
    assert copies(tmp_path) == ["morgue.db.revision-0004"]
    assert revision(tmp_path / "morgue.db.revision-0004") == "0004"
    assert revision(tmp_path / "morgue.db") == "0005"


@on_sqlite
def test_whoever_waited_for_an_upgrade_copies_nothing(database_url, tmp_path, future, monkeypatch):  # noqa: F811
    """It saw the old revision, and the database is upgraded when its turn comes."""
    future()
    seen = migrate._check_known
    turns = iter([True])

    def upgraded_meanwhile(url, found) -> None:
        seen(url, found)
        if next(turns, False):
            Store.open(database_url).close()

    monkeypatch.setattr(migrate, "_check_known", upgraded_meanwhile)
    Store.open(database_url).close()
    assert copies(tmp_path) == ["morgue.db.revision-0004"]
    assert revision(tmp_path / "morgue.db.revision-0004") == "0004"


@on_sqlite
def test_a_copy_that_is_there_is_never_replaced(database_url, tmp_path, future):  # noqa: F811
    (tmp_path / "morgue.db.revision-0004").write_text("the only copy of something else")
    future()
    Store.open(database_url).close()
    assert (tmp_path / "morgue.db.revision-0004").read_text() == "the only copy of something else"
    assert copies(tmp_path) == ["morgue.db.revision-0004", "morgue.db.revision-0004.2"]
    assert revision(tmp_path / "morgue.db.revision-0004.2") == "0004"


@on_sqlite
def test_an_upgrade_that_fails_again_and_again_leaves_one_copy(database_url, tmp_path, future, monkeypatch):  # noqa: F811
    future()
    (migrate.migrations_folder() / "versions" / "0005_motto.py").write_text(
        NEXT_REVISION + "    raise RuntimeError('half way')\n"
    )
    for _ in range(3):
        with pytest.raises(RuntimeError, match="half way"):
            Store.open(database_url)
    assert copies(tmp_path) == ["morgue.db.revision-0004"]
    monkeypatch.undo()
    with Store.open(database_url) as store, store.writing() as transaction:
        transaction.sources.sync([PAPER], NOON)


@on_sqlite
def test_a_copy_may_be_read_by_whom_the_database_may(database_url, tmp_path, future):  # noqa: F811
    (tmp_path / "morgue.db").chmod(0o640)
    future()
    Store.open(database_url).close()
    assert (tmp_path / "morgue.db.revision-0004").stat().st_mode & 0o777 == 0o640


@on_sqlite
def test_a_copy_that_does_not_fit_on_the_disk_stops_the_upgrade(database_url, tmp_path, future):  # noqa: F811
    future()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(DatabaseUnavailable, match="copy before its upgrade cannot be made"):
            Store.open(database_url)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert copies(tmp_path) == []
    assert revision(tmp_path / "morgue.db") == "0004"
    Store.open(database_url).close()
    assert copies(tmp_path) == ["morgue.db.revision-0004"]


def test_nothing_is_upgraded_while_a_service_runs(database_url, backend, tmp_path, future):  # noqa: F811
    with hold_service_lock(database_url):
        future()
        for use in (Store.open, migrate.upgrade):
            with pytest.raises(DatabaseNeedsUpgrade, match="service is running" if use is migrate.upgrade else "0004"):
                use(database_url)
        assert copies(tmp_path) == []
        assert migrate.check(database_url).revision == "0004"
    migrate.upgrade(database_url)
    assert migrate.check(database_url).healthy


@on_sqlite
def test_the_service_itself_upgrades_as_it_starts(database_url, tmp_path, future):  # noqa: F811
    future()
    with hold_service_lock(database_url):
        Store.open(database_url, as_service=True).close()
    assert revision(tmp_path / "morgue.db") == "0005"
    assert copies(tmp_path) == ["morgue.db.revision-0004"]


def test_a_new_database_is_made_while_a_service_starts(empty_database_url):
    with hold_service_lock(empty_database_url):
        Store.open(empty_database_url, create=True).close()
    assert migrate.check(empty_database_url).healthy


def test_a_service_waits_for_an_upgrade_and_finds_its_lock_free(database_url, future, monkeypatch):  # noqa: F811
    """The upgrade asks whether there is a service; that question must not look like one."""
    future()
    reached, going_on = threading.Event(), threading.Event()
    command = migrate.command.upgrade

    def slowly(*words) -> None:
        reached.set()
        going_on.wait()
        command(*words)

    monkeypatch.setattr(migrate.command, "upgrade", slowly)
    ends: list[object] = []

    def serve() -> None:
        try:
            with hold_service_lock(database_url) as lock:
                lock.check()
                ends.append(migrate.check(database_url).revision)
        except ServiceRunning as problem:
            ends.append(problem)

    upgrading = threading.Thread(target=migrate.upgrade, args=(database_url,))
    upgrading.start()
    reached.wait()
    serving = threading.Thread(target=serve)
    serving.start()
    serving.join(0.3)
    assert ends == []
    going_on.set()
    upgrading.join()
    serving.join()
    assert ends == ["0005"]
