"""Connections: what both databases need to be told, and their failures in our words."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, ExceptionContext, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
    SQLAlchemyError,
)

from storage.errors import ConfigurationError, DatabaseBusy, DatabaseUnavailable, MorgueError
from storage.hidden import keep_secret, without_secrets
from storage.settings import hide_password, is_secret

BUSY_TIMEOUT_SECONDS = 30.0
CONNECT_TIMEOUT_SECONDS = 10
LIFE_SIGNS = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
"""By these a server that is gone without a word is noticed within a minute, where the system would wait for hours."""
WRITES = "morgue_writes"
"""The execution option that makes a SQLite transaction take the write lock with its first statement."""
PASSES = "morgue_passes"
"""The execution option of a transaction that the processes must agree on, but that may be lost with the power."""

_END = "morgue_end"
"""Where a connection remembers what ended its transaction."""

_POSTGRES_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
_SQLITE_SCHEMES = ("sqlite", "sqlite+pysqlite")
_COLLISIONS = frozenset({"40P01", "40001", "SQLITE_BUSY_SNAPSHOT"})
"""Deadlock and failed serialisation of PostgreSQL, by SQLSTATE; SQLite's, where something was read before writing.

SQLite's plain "database is locked" is none of them: it has been waited for already.
"""
_FORBIDDEN = "42501"
"""PostgreSQL's SQLSTATE where the role may not do something."""
_NOT_WRITABLE = ("make the file and its folder writable", "check that the folder exists and is writable")
_REMEDIES = (
    ("database is locked", "another program holds it; try again when that has finished"),
    ("readonly", _NOT_WRITABLE[0]),
    ("not a database", "name the file of a morgue database"),
    ("disk is full", "free some space"),
    ("disk I/O error", "check the disk and its free space"),
    ("unable to open", _NOT_WRITABLE[1]),
    ("permission denied", "grant it to the user of [database] url, or make that user the owner"),
    ("read-only transaction", "name the server that takes writes, or make the database writable"),
    ("no such table", "run `morgue db check`"),
    ("password authentication failed", "check the user and password of [database] url"),
    ("does not exist", "create it, or correct [database] url"),
)


def parse_url(text: str) -> URL:
    """Return the SQLAlchemy URL of `[database] url`, with the driver that we use filled in.

    Raises ConfigurationError for what is no URL, for another database, and for SQLite in memory.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        raise ConfigurationError(
            "[database] url", "is no database URL", "write sqlite:///morgue.db or postgresql://user@host/name"
        ) from None
    _keep_password_secret(url)
    if "@" in (url.host or ""):
        # What stands behind the first @ would be taken for the host, and told as one.
        raise ConfigurationError("[database] url", "has a password with @ in it", "write %40 for the @")
    if url.drivername in _POSTGRES_SCHEMES:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in _SQLITE_SCHEMES:
        raise ConfigurationError(
            "[database] url", f"{url.drivername} is not supported", "use sqlite:/// or postgresql://"
        )
    if url.database in (None, "", ":memory:"):
        raise ConfigurationError("[database] url", "names no file", "write sqlite:///morgue.db")
    return url


def describe(url: URL) -> str:
    """Return how messages name the database: a file's path, or the address without its password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return hide_password(url.render_as_string(hide_password=True)).replace("+psycopg", "", 1)


def _keep_password_secret(url: URL) -> None:
    """See that no message shows the password, wherever in the URL it stands."""
    values = [value for key in url.query if is_secret(key) for value in url.normalized_query[key]]
    keep_secret(*values, str(url.password or ""))


def sqlite_file(url: URL) -> Path | None:
    """Return the file of a SQLite database, None for another database."""
    if url.get_backend_name() != "sqlite" or url.database is None:
        return None
    name = url.database
    return Path(name.removeprefix("file:").partition("?")[0]) if name.startswith("file:") else Path(name)


def create_engine(url: str | URL) -> Engine:
    """Return an engine for `url`; nothing is connected yet.

    Raises ConfigurationError when the URL or the driver is not usable.
    """
    address = parse_url(url) if isinstance(url, str) else url
    # Whatever the role, the address or the environment say: what is read from pages is Unicode.
    arguments: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "client_encoding": "utf8"}
    arguments |= {name: value for name, value in LIFE_SIGNS.items() if name not in address.query}
    if address.get_backend_name() == "sqlite":
        arguments = {"check_same_thread": False}
        if "timeout" not in address.query:  # `sqlite:///morgue.db?timeout=5` says how long to wait for other writers
            arguments["timeout"] = BUSY_TIMEOUT_SECONDS
    try:
        engine = sqlalchemy.create_engine(
            address,
            connect_args=arguments,
            pool_pre_ping=address.get_backend_name() == "postgresql",
            # Else messages quote whole articles.
            hide_parameters=True,
        )
    except (ImportError, NoSuchModuleError) as problem:
        raise ConfigurationError(
            "[database] url", "PostgreSQL needs a driver", "install it: pip install 'morgue[postgres]'"
        ) from problem
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _connect_as_reader)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "before_cursor_execute", _refuse_without_transaction)
        event.listen(engine, "handle_error", _note_end)
    else:
        event.listen(engine, "connect", partial(_refuse_other_encodings, address), insert=True)
    return engine


def _refuse_other_encodings(url: URL, connection: Any, _record: object) -> None:
    """Raise `DatabaseUnavailable` for a database that cannot hold every character, or (SQL_ASCII) knows of none."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        connection.close()
        raise DatabaseUnavailable(
            describe(url),
            f"stores text in {encoding} and not in UTF-8, so that some pages could not be kept",
            "make one in UTF-8: createdb --encoding=UTF8 --template=template0 NAME",
        )


def hold_open(engine: Engine) -> sqlite3.Connection | None:
    """Return a connection to a SQLite database that is never used; to be closed last.

    With it the files of the write-ahead log stay the same ones, whatever becomes of the connections that are used: the
    last one that closes removes them. None where it is only read. Raises `DatabaseUnavailable`.
    """
    with failures_explained(engine.url):
        pooled = engine.raw_connection()
        pooled.detach()
        driver: Any = pooled.dbapi_connection
        if isinstance(driver, _ReadingConnection):
            driver.close()
            return None
        try:
            driver.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.Error as problem:
            driver.close()
            raise explained(engine.url, DBAPIError(None, None, problem)) from problem
    return cast("sqlite3.Connection", driver)


class _ReadingConnection(sqlite3.Connection):
    """A connection to a database that this user may only read."""


def _connect_as_reader(_dialect: object, _record: object, names: list[Any], options: dict[str, Any]) -> Any:
    """Open a database for reading where that is all that may be done with it; None leaves it to SQLAlchemy.

    In WAL mode SQLite wants to make files beside the database even to read it. Where it may not, and there is no
    write-ahead log, nobody writes, and the file can be read as it is (sqlite.org, "WAL", "Read-Only Databases").
    """
    name = str(names[0])
    if name.startswith("file:"):  # whoever writes that has said how it is to be opened
        return None
    file = Path(name)
    if not file.is_file() or what_is_not_writable(file) is None:
        return None
    log = _beside(file, "-wal")
    alone = not log.exists() or (os.access(log, os.R_OK) and log.stat().st_size == 0)
    mode = "mode=ro&immutable=1" if alone else "mode=ro"
    options = {key: value for key, value in options.items() if key != "uri"}
    return sqlite3.connect(
        f"file:{quote(str(file.absolute()))}?{mode}", uri=True, factory=_ReadingConnection, **options
    )


def what_is_not_writable(file: Path) -> Path | None:
    """Return what keeps this user from writing a SQLite database: its file, one beside it, or the folder.

    Once the files beside it are there, the folder need not be writable. None where nothing does.
    """
    beside = [_beside(file, "-wal"), _beside(file, "-shm")]
    for path in (file, *(one for one in beside if one.exists())):
        if not os.access(path, os.W_OK):
            return path
    if all(one.exists() for one in beside) or os.access(file.absolute().parent, os.W_OK):
        return None
    return file.absolute().parent


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(f"{file.name}{ending}")


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transaction handling makes DDL non-transactional and begins too late; ours is in `_begin_sqlite`.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = FULL")
        if not isinstance(connection, _ReadingConnection):
            _keep_journal_ahead(cursor)
    finally:
        cursor.close()


def _keep_journal_ahead(cursor: sqlite3.Cursor) -> None:
    """Put the database in WAL mode. When several processes do so at once SQLite refuses some without waiting."""
    deadline = time.monotonic() + cursor.execute("PRAGMA busy_timeout").fetchone()[0] / 1000
    while cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    connection.info.pop(_END, None)
    if connection.get_execution_options().get(WRITES):
        connection.exec_driver_sql("PRAGMA query_only = OFF")
        # A committed fact must survive a loss of power, not only of the process.
        passes = connection.get_execution_options().get(PASSES)
        connection.exec_driver_sql(f"PRAGMA synchronous = {'NORMAL' if passes else 'FULL'}")
        # A transaction that reads first and writes later fails at once when another wrote in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")


def is_ended(connection: Connection) -> bool:
    """Whether the database ended the transaction of a connection by itself, so that nothing may follow in it.

    SQLite does so when the disk is full or fails, or memory runs out, in the middle of a statement; what came after
    would be written and kept one statement at a time, beside what was rolled back. PostgreSQL does when it goes away.
    """
    if connection.invalidated or connection.closed:
        return True
    if connection.dialect.name != "sqlite" or not connection.in_transaction():
        return False
    driver = connection.connection.driver_connection
    return driver is None or not driver.in_transaction


def end_of(connection: Connection) -> DatabaseUnavailable:
    """Return the failure with which the database ended the transaction of a connection."""
    url = connection.engine.url
    cause = None if connection.invalidated or connection.closed else connection.info.get(_END)
    if cause is not None:
        return explained(url, cause)
    return DatabaseUnavailable(describe(url), "ended the transaction; nothing of it was written", "try again")


def _refuse_without_transaction(connection: Connection, *_: object) -> None:
    if is_ended(connection):
        raise end_of(connection)


def _note_end(context: ExceptionContext) -> None:
    # What follows is "no such savepoint" and the like, which hides the cause.
    connection, cause = context.connection, context.sqlalchemy_exception
    if connection is not None and cause is not None and not connection.invalidated and is_ended(connection):
        connection.info.setdefault(_END, cause)


@contextmanager
def failures_explained(url: URL) -> Iterator[None]:
    """Turn the driver's failures into `DatabaseUnavailable` with one line that never holds the password."""
    try:
        yield
    except (MorgueError, IntegrityError, DataError):  # the latter two are about one row, not about the database
        raise
    except DBAPIError as problem:
        if isinstance(problem, ProgrammingError) and not (problem.connection_invalidated or _is_forbidden(problem)):
            raise
        raise explained(url, problem) from problem


def _is_forbidden(problem: DBAPIError) -> bool:
    return getattr(problem.orig, "sqlstate", None) == _FORBIDDEN


def explained(url: URL, problem: SQLAlchemyError) -> DatabaseUnavailable:
    """Return our exception for a failure of the driver: `DatabaseBusy` for one that may be tried again at once."""
    cause = str(getattr(problem, "orig", None) or problem).strip()
    line = without_secrets(" ".join(cause.splitlines()[0].split())) if cause else type(problem).__name__
    remedy = next((text for sign, text in _REMEDIES if sign in cause), "check that the database server is running")
    file = sqlite_file(url)
    if file is not None:
        blocked = what_is_not_writable(file) if remedy in _NOT_WRITABLE and file.exists() else None
        if blocked is not None:
            remedy = f"make {blocked} writable for this user"
        elif remedy.startswith("check that the database server"):
            remedy = "run `morgue db check`"
    orig = getattr(problem, "orig", None)
    code = getattr(orig, "sqlstate", None) or getattr(orig, "sqlite_errorname", None)
    if code in _COLLISIONS:
        return DatabaseBusy(describe(url), line, "try again")
    return DatabaseUnavailable(describe(url), line, remedy)
