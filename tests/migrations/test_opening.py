"""What opening a database does: makes it, upgrades it, or says in one line why it cannot be used."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

from storage import migrate, revision
from storage.engine import create_engine, parse_url
from storage.errors import ConfigurationError, DatabaseNeedsUpgrade, DatabaseTooNew, DatabaseUnavailable, MorgueError
from storage.model import Source
from storage.store import Store
from tests.at_once import at_once
from tests.contracts.news import CORRECTED, FERRY, NOON, watch

PAPER = Source(slug="paper", feeds=("http://paper.example/feed",))

NEXT_REVISION = '''"""A revision of the future that rebuilds a table others refer to."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade():
    for view in ("articles_v1", "headline_changes_v1", "fetches_v1"):
        op.execute(f"DROP VIEW {view}")
    with op.batch_alter_table("sources", recreate="always" if op.get_bind().dialect.name == "sqlite" else "never") as t:
        t.add_column(sa.Column("motto", sa.Text()))
'''


@pytest.fixture
def future(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function after which the program is one revision further on."""

    def begin() -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(migrate.migrations_folder(), folder)
        (folder / "versions" / "0005_motto.py").write_text(NEXT_REVISION)
        monkeypatch.setattr(migrate, "migrations_folder", lambda: folder)
        for module in (migrate, revision):
            monkeypatch.setattr(module, "NEWEST_REVISION", "0005")

    return begin


def one_line(problem: MorgueError) -> str:
    text = str(problem)
    assert "\n" not in text
    return text


def test_a_database_is_made_with_its_schema_when_that_is_asked_for(empty_database_url):
    with pytest.raises(DatabaseUnavailable, match="morgue init"):
        Store.open(empty_database_url)
    with Store.open(empty_database_url, create=True) as store, store.reading() as transaction:
        assert transaction.sources.all() == []
    with Store.open(empty_database_url) as store, store.writing() as transaction:
        transaction.sources.sync([PAPER], NOON)
    report = migrate.check(empty_database_url)
    assert report.healthy
    assert report.revision == report.newest_revision == revision.NEWEST_REVISION


def test_a_database_that_does_not_exist_is_not_made_by_asking_for_it(tmp_path):
    file = tmp_path / "morgue.db"
    with pytest.raises(DatabaseUnavailable, match="does not exist"):
        Store.open(f"sqlite:///{file}")
    with pytest.raises(DatabaseUnavailable, match="does not exist"):
        migrate.check(f"sqlite:///{file}")
    assert not file.exists()


def test_many_processes_may_make_the_same_database_at_once(empty_database_url):
    at_once(*[lambda: Store.open(empty_database_url, create=True).close()] * 4)
    assert migrate.check(empty_database_url).healthy


def test_an_older_sqlite_database_is_upgraded_after_a_copy(tmp_path, future):
    file = tmp_path / "morgue.db"
    url = f"sqlite:///{file}"
    with Store.open(url, create=True) as store, store.writing() as transaction:
        transaction.sources.sync([PAPER], NOON)
    future()
    with Store.open(url) as store, store.reading() as transaction:
        assert [stored.source for stored in transaction.sources.all()] == [PAPER]
        assert [feed.url for feed in transaction.feeds.due(NOON, 10)] == list(PAPER.feeds)
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0005",)]
    with sqlite3.connect(tmp_path / "morgue.db.revision-0004") as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0004",)]
        assert copy.execute("SELECT slug FROM sources").fetchall() == [("paper",)]


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(tmp_path, future, monkeypatch):
    url = f"sqlite:///{tmp_path / 'morgue.db'}"
    Store.open(url, create=True).close()
    future()
    file = migrate.migrations_folder() / "versions" / "0005_motto.py"
    file.write_text(NEXT_REVISION + "    raise RuntimeError('half way')\n")
    with pytest.raises(RuntimeError, match="half way"):
        Store.open(url)
    monkeypatch.undo()
    assert migrate.check(url).healthy


def test_an_older_postgresql_database_waits_for_an_upgrade_to_be_asked_for(postgres, postgres_template, future):
    url = postgres.create(template=postgres_template)
    future()
    with pytest.raises(DatabaseNeedsUpgrade, match="morgue db upgrade"):
        Store.open(url)
    assert [problem for problem in migrate.check(url).problems if "0004" in problem]
    assert migrate.upgrade(url) == "0005"
    Store.open(url).close()
    postgres.drop(url)


def test_a_database_from_a_newer_program_is_left_alone(database_url):
    engine = create_engine(database_url)
    with engine.execution_options(morgue_writes=True).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    for use in (Store.open, migrate.upgrade):
        with pytest.raises(DatabaseTooNew, match="9999"):
            use(database_url)


def test_the_database_of_another_program_is_left_alone(empty_database_url):
    engine = create_engine(empty_database_url)
    with engine.execution_options(morgue_writes=True).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE accounts (name text)")
    engine.dispose()
    for use in (lambda url: Store.open(url, create=True), migrate.upgrade):
        with pytest.raises(DatabaseUnavailable, match="another program"):
            use(empty_database_url)


def test_a_file_that_is_no_database_is_named(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("Buy ink and string. " * 200)
    with pytest.raises(DatabaseUnavailable) as caught:
        Store.open(f"sqlite:///{file}", create=True)
    assert str(file) in one_line(caught.value)
    assert "not a database" in one_line(caught.value)
    assert file.read_text().startswith("Buy ink")


def test_a_missing_folder_is_named_and_a_folder_is_no_file(tmp_path):
    with pytest.raises(DatabaseUnavailable) as caught:
        Store.open(f"sqlite:///{tmp_path / 'nowhere' / 'morgue.db'}", create=True)
    assert str(tmp_path / "nowhere") in one_line(caught.value)
    with pytest.raises(DatabaseUnavailable, match="is a folder"):
        Store.open(f"sqlite:///{tmp_path}", create=True)


def test_a_database_held_by_another_program_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("storage.engine.BUSY_TIMEOUT_SECONDS", 0.05)
    file = tmp_path / "morgue.db"
    Store.open(f"sqlite:///{file}", create=True).close()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with Store.open(f"sqlite:///{file}") as store:
        with pytest.raises(DatabaseUnavailable) as caught, store.writing():
            pass
        assert "locked" in one_line(caught.value)
        other.execute("ROLLBACK")
        with store.writing() as transaction:
            transaction.sources.sync([PAPER], NOON)
    other.close()


def test_a_read_only_database_can_be_read_and_says_that_it_cannot_be_written(tmp_path):
    file = tmp_path / "morgue.db"
    with Store.open(f"sqlite:///{file}", create=True) as store, store.writing() as transaction:
        transaction.sources.sync([PAPER], NOON)
    with Store.open(f"sqlite:///file:{file}?mode=ro&uri=true") as store:
        with store.reading() as transaction:
            assert [stored.source for stored in transaction.sources.all()] == [PAPER]
        with pytest.raises(DatabaseUnavailable) as caught, store.writing() as transaction:
            transaction.sources.sync([], NOON)
    assert "readonly" in one_line(caught.value)


def test_a_full_disk_is_a_failure_that_says_so_and_costs_only_what_was_not_recorded(tmp_path):
    with Store.open(f"sqlite:///{tmp_path / 'morgue.db'}", create=True) as store:
        page = watch(store)
        page.see(FERRY)
        with pytest.raises(DatabaseUnavailable) as caught, store.writing() as transaction:
            transaction._connection.exec_driver_sql("PRAGMA max_page_count = 1")
            with transaction.savepoint():
                transaction.versions.record_look(page.look(replace(FERRY, body="The sea. " * 100_000)))
        assert "full" in one_line(caught.value)
        with store.writing() as transaction:
            transaction._connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        assert len(page.versions()) == 1
        assert page.see(CORRECTED).version_number == 2


def test_a_file_that_was_removed_while_it_was_open_is_missed(tmp_path):
    file = tmp_path / "morgue.db"
    with Store.open(f"sqlite:///{file}", create=True) as store:
        file.unlink()
        with pytest.raises(DatabaseUnavailable, match="removed or replaced"), store.writing():
            pass
        shutil.copy(__file__, file)
        with pytest.raises(DatabaseUnavailable, match="removed or replaced"), store.writing():
            pass


def test_a_file_that_is_removed_while_it_is_read_is_missed_too(tmp_path):
    file = tmp_path / "morgue.db"
    with Store.open(f"sqlite:///{file}", create=True) as store:
        with pytest.raises(DatabaseUnavailable, match="removed or replaced"), store.reading() as transaction:
            file.unlink()
            transaction._connection.exec_driver_sql("SELECT * FROM nosuch")
        with pytest.raises(DatabaseUnavailable, match="removed or replaced"), store.reading():
            pass
        assert not file.exists()


def test_the_alembic_command_serves_developers(empty_database_url, monkeypatch):
    monkeypatch.setenv("MORGUE_DATABASE__URL", empty_database_url)
    config = Config(Path(__file__).parents[2] / "alembic.ini")
    command.upgrade(config, "head")
    command.check(config)
    Store.open(empty_database_url).close()


def test_a_damaged_database_is_found_by_the_check(tmp_path):
    file = tmp_path / "morgue.db"
    with Store.open(f"sqlite:///{file}", create=True) as store, store.writing() as transaction:
        transaction.sources.sync([PAPER], NOON)
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE feeds SET source_id = 999")
    report = migrate.check(f"sqlite:///{file}")
    assert not report.healthy
    assert any("do not exist" in problem for problem in report.problems)
    assert report.as_row()["problems"] == list(report.problems)
    assert len(report.lines()) == 1 + len(report.problems)


@pytest.mark.parametrize("name", migrate.ORPHANS)
def test_what_must_never_be_is_looked_for_by_an_index(tmp_path, name):
    """Without one, the check of a big archive takes the square of its time."""
    url = f"sqlite:///{tmp_path / 'morgue.db'}"
    Store.open(url, create=True).close()
    with closing(sqlite3.connect(tmp_path / "morgue.db")) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {migrate.ORPHANS[name]}")]
    assert len([step for step in plan if step.startswith("SCAN")]) == 1, plan
    assert not [step for step in plan if "AUTOMATIC" in step], plan


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://clerk:s3cret@127.0.0.1:1/morgue",
        "postgresql://clerk@127.0.0.1:1/morgue?password=s3cret",
        "postgresql:///morgue?host=127.0.0.1&port=1&password=s3cret&sslpassword=s3cret",
        "postgresql://127.0.0.1:1/morgue?passfile=/home/s3cret&user=clerk",
    ],
)
def test_a_server_that_is_not_there_is_named_without_its_password(address):
    for use in (lambda url: Store.open(url, create=True), migrate.check, migrate.upgrade, migrate.stats):
        with pytest.raises(DatabaseUnavailable) as caught:
            use(address)
        assert "127.0.0.1" in one_line(caught.value)
        assert "s3cret" not in one_line(caught.value)


def test_a_database_that_a_server_does_not_have_is_named(postgres, postgres_template):
    url = make_url(postgres_template).set(database="no_such_morgue").render_as_string(hide_password=False)
    with pytest.raises(DatabaseUnavailable) as caught:
        Store.open(url, create=True)
    assert "no_such_morgue" in one_line(caught.value)


def test_a_server_that_goes_away_is_a_failure_that_says_so(postgres, postgres_template):
    url = postgres.create(template=postgres_template)
    with Store.open(url) as store:
        with store.reading() as transaction:
            transaction.sources.all()
        postgres.drop(url)
        with pytest.raises(DatabaseUnavailable) as caught, store.reading() as transaction:
            transaction.sources.all()
    one_line(caught.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("morgue.db", "no database URL"),
        ("mysql://host/x", "not supported"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgres://clerk:s3cret@host:port/x", "no database URL"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_matter_of_configuration(url, says):
    with pytest.raises(ConfigurationError) as caught:
        Store.open(url)
    assert says in one_line(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_is_taken(scheme):
    assert parse_url(f"{scheme}://host/x").drivername == "postgresql+psycopg"


def test_a_missing_driver_is_named_with_what_installs_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"morgue\[postgres\]"):
        Store.open("postgresql://host/x")


def test_what_a_database_holds_is_counted(database_url):
    with Store.open(database_url) as store, store.writing() as transaction:
        transaction.sources.sync([PAPER], NOON)
    counts = migrate.stats(database_url)
    assert (counts["sources"], counts["feeds"], counts["articles"]) == (1, 1, 0)
    assert counts["size_bytes"] > 0


def test_the_tests_own_server_refuses_nobody(postgres):
    url = make_url(postgres.create()).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    postgres.drop(url)


def test_the_newest_revision_is_the_last_migration():
    assert ScriptDirectory(str(migrate.migrations_folder())).get_current_head() == revision.NEWEST_REVISION


def test_a_command_on_a_database_that_is_up_to_date_needs_no_alembic(tmp_path):
    url = f"sqlite:///{tmp_path / 'morgue.db'}"
    Store.open(url, create=True).close()
    program = (
        f"import sys; from storage.store import Store; Store.open({url!r}).close(); print('alembic' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "False"
