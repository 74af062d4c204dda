"""Databases that store text in another way: what cannot hold every page is refused before anything is fetched."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import make_url

from tests.integration.bad_answers import page
from tests.integration.bad_server import answer
from tests.integration.commands import DEAD, check_one_line, run
from tests.postgres import Postgres

PARAGRAPHS = tuple(f"港の灯台は日曜日の夕方に再び点灯された — “{number}” ‘là’ ☂ 🗼。" * 4 for number in range(5))


def say(url: str, *statements: str) -> None:
    """Run statements as whoever made the database, each by itself."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def database_in(postgres: Postgres) -> Iterator[Callable[[str], str]]:
    """Makes an empty database in an encoding and returns its URL."""
    made: list[str] = []

    def make(encoding: str) -> str:
        name = postgres.create()
        postgres.drop(name)
        admin = make_url(name).set(database="postgres").render_as_string(hide_password=False)
        locale = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        say(admin, f'CREATE DATABASE "{make_url(name).database}" {locale}')
        made.append(name)
        return name

    yield make
    for url in made:
        postgres.drop(url)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "EUC_JP"])
def test_a_database_in_another_encoding_is_refused(tmp_path, database_in, encoding):
    settings = {"MORGUE_DATABASE__URL": database_in(encoding), "MORGUE_SERVICE__HTTP": "off"}
    for words in (["db", "upgrade"], ["list"], ["run"], ["crawl", DEAD])[: 4 if encoding == "LATIN1" else 1]:
        result = run(tmp_path, *words, settings=settings)
        check_one_line(result, 1, f"stores text in {encoding} and not in UTF-8", "createdb --encoding=UTF8")


def crawl_and_show(folder, server, settings: dict[str, str]) -> list[str]:
    server.scripts["/page"] = answer(page(PARAGRAPHS, lang="ja").encode())
    crawled = run(folder, "crawl", server.url("/page"), settings=settings)
    assert crawled.returncode == 0, crawled.stderr
    shown = run(folder, "show", server.url("/page"), "--json", settings=settings)
    return json.loads(shown.stdout)["body"].split("\n\n")


def test_what_a_client_is_used_to_counts_for_nothing(tmp_path, server, database_in):
    url = database_in("UTF8")
    say(url, f"ALTER DATABASE \"{make_url(url).database}\" SET client_encoding TO 'SQL_ASCII'")
    settings = {"MORGUE_DATABASE__URL": f"{url}?client_encoding=latin1", "PGCLIENTENCODING": "EUC_JP"}
    assert run(tmp_path, "db", "upgrade", settings=settings).returncode == 0
    assert crawl_and_show(tmp_path, server, settings) == list(PARAGRAPHS)


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_a_sqlite_database_in_another_encoding_holds_the_same(tmp_path, server, encoding):
    with closing(sqlite3.connect(tmp_path / "morgue.db")) as database:
        database.execute(f"PRAGMA encoding = '{encoding}'")
        database.execute("CREATE TABLE t (x)")
        database.execute("DROP TABLE t")
        database.execute("VACUUM")
    assert crawl_and_show(tmp_path, server, {}) == list(PARAGRAPHS)
    with closing(sqlite3.connect(tmp_path / "morgue.db")) as database:
        assert database.execute("PRAGMA encoding").fetchone() == (encoding,)
    assert run(tmp_path, "db", "check").returncode == 0


def test_what_a_role_may_not_do_is_said_in_one_line(tmp_path, database_in):
    """As on PostgreSQL 15 and later, where nobody but the owner may make tables in a database."""
    url = database_in("UTF8")
    role = f"poor_{make_url(url).database}"
    say(url, f"CREATE ROLE {role} LOGIN", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    poor = make_url(url).set(username=role).render_as_string(hide_password=False)
    try:
        result = run(tmp_path, "db", "upgrade", settings={"MORGUE_DATABASE__URL": poor})
        check_one_line(result, 1, "permission denied for schema public", "grant it to the user of [database] url")
        assert run(tmp_path, "db", "upgrade", settings={"MORGUE_DATABASE__URL": url}).returncode == 0
        for words in (["list"], ["db", "check"]):
            result = run(tmp_path, *words, settings={"MORGUE_DATABASE__URL": poor})
            check_one_line(result, 1, "permission denied for table", "grant it")
    finally:
        say(url, f"DROP ROLE {role}")


def test_a_database_that_takes_no_writes_is_said_in_one_line(tmp_path, database_in):
    """As a standby server."""
    url = database_in("UTF8")
    settings = {"MORGUE_DATABASE__URL": url, "MORGUE_SERVICE__HTTP": "off"}
    assert run(tmp_path, "db", "upgrade", settings=settings).returncode == 0
    say(url, f'ALTER DATABASE "{make_url(url).database}" SET default_transaction_read_only TO on')
    assert run(tmp_path, "list", settings=settings).returncode == 0
    result = run(tmp_path, "run", settings=settings)
    check_one_line(result, 1, "read-only transaction", "name the server that takes writes")
