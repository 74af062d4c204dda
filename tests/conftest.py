"""What many tests need: a database of each kind, and a store on it. And how tests are named and shared out."""

import compileall
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TypeVar

import pytest
import structlog

from storage.engine import create_engine
from storage.store import Store
from tests.postgres import (
    Postgres,
    PostgresMissing,
    PostgresOfOneTest,
    postgres_of_one_test,
    required,
    running_postgres,
)

CHECKOUT = Path(__file__).parents[1]
WORKERS_A_CORE = 1.5
"""Much of the time a test waits: for the end of a process, for a publisher's turn."""
LONGEST_NAME = 60

Server = TypeVar("Server")


class PostgresSkipped(UserWarning):
    """Says that a part of the tests did not run."""


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile our code once where Python keeps nothing compiled: hundreds of commands are run as processes."""
    if sys.dont_write_bytecode and not hasattr(session.config, "workerinput"):
        for package in ("storage", "crawler", "scheduler", "migrations"):
            compileall.compile_dir(CHECKOUT / package, quiet=2)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes `pytest -n auto` shares the tests among."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(2, round(cores * WORKERS_A_CORE))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a test with long or binary bytes by the parameter and a number.

    What is packed holds the time of packing, and all processes that share the tests must give them the same names.
    """
    if isinstance(val, bytes) and not (len(val) <= LONGEST_NAME and val.isascii() and b"\0" not in val):
        return argname
    return None


@pytest.fixture(autouse=True)
def logs_as_they_are_at_first() -> None:
    """Forget how a command that ran in this process had logs written: it may have left out what a test waits for."""
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server. Without one its tests are skipped with a warning, and fail where nobody reads warnings."""
    yield from _server_or_skip(running_postgres(), needed=required())


@pytest.fixture
def postgres_of_its_own() -> Iterator[PostgresOfOneTest]:
    """A PostgreSQL server that the test may stop and start; not to be had where only an address was given."""
    yield from _server_or_skip(postgres_of_one_test(), needed=required() and not os.environ.get("MORGUE_TEST_POSTGRES"))


def _server_or_skip(server: AbstractContextManager[Server], *, needed: bool) -> Iterator[Server]:
    with ExitStack() as stack:
        try:
            started = stack.enter_context(server)
        except PostgresMissing as missing:
            if needed:
                pytest.fail(f"PostgreSQL is missing: {missing}", pytrace=False)
            warnings.warn(PostgresSkipped(f"NOT TESTED ON POSTGRESQL: {missing}"), stacklevel=1)
            pytest.skip(f"NOT TESTED ON POSTGRESQL: {missing}")
        yield started


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    """A PostgreSQL database with the newest schema, to be copied."""
    url = postgres.create()
    Store.open(url, create=True).close()
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the newest schema, to be copied."""
    file = tmp_path_factory.mktemp("template") / "morgue.db"
    Store.open(f"sqlite:///{file}", create=True).close()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on; a test that uses it runs on both."""
    return str(request.param)


@pytest.fixture
def empty_database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with nothing in it: a SQLite file yet to be made, or an empty PostgreSQL database."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'morgue.db'}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.create()
    yield url
    postgres.drop(url)


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with the newest schema and no rows, one for each kind of database."""
    if backend == "sqlite":
        file = tmp_path / "morgue.db"
        file.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        yield f"sqlite:///{file}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.create(template=request.getfixturevalue("postgres_template"))
    yield url
    postgres.drop(url)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An open store on an empty database of each kind."""
    with Store.open(database_url) as opened:
        yield opened


@pytest.fixture
def rows(database_url: str) -> Iterator[Callable[[str], list[tuple]]]:
    """A function that asks the database as a program of somebody else would, and returns the rows."""
    engine = create_engine(database_url)

    def ask(query: str) -> list[tuple]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    yield ask
    engine.dispose()
