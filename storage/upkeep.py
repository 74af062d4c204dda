"""What a database is tended with, beside its contents: statistics for its planner, and SQLite's write-ahead log.

All of it is outside of any transaction of ours, may be left out, and may be done at any time and any number of times.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from storage.engine import explained, failures_explained, sqlite_file
from storage.tables import metadata

LARGE_LOG_BYTES = 64 * 1024 * 1024
"""A write-ahead log that is larger is copied into the database and cut. SQLite itself begins to copy at 4 MB."""
STALE_SHARE = 0.2
"""So much of a PostgreSQL table has to have changed since it was analysed last; its own autovacuum does so at 0.1."""
ANALYSED_ROWS = 1000
"""So many rows of each index SQLite looks at (`PRAGMA analysis_limit`), which takes milliseconds."""
WITHOUT_STATISTICS = frozenset({"pages"})
"""Tables that SQLite plans best for without statistics. It keeps one number an index: how many rows a value has on
average, which is one for instants; but of the pages of a big back catalogue the last fetch is null for all alike. By
its statistics it passes over the index that was made for them, and a crawl's next pages take 100 ms instead of 15
(measured with 35,000 of them). `PRAGMA optimize` would make these statistics too, so it is not used.
"""
LOCK_PATIENCE_MS = 2000

_STALE = text(
    "SELECT relname FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = ANY(:ours) AND "
    "((last_analyze IS NULL AND last_autoanalyze IS NULL AND n_live_tup > 0) "
    "OR n_mod_since_analyze > :share * (n_live_tup + 1000))"
)


@dataclass(frozen=True, kw_only=True)
class LogState:
    """SQLite's write-ahead log: its size, and whether a reader that goes on keeps it from being copied as a whole."""

    size_bytes: int
    held_back: bool


def analyse(engine: Engine) -> list[str]:
    """Bring the statistics that queries are planned by up to date; returns the tables that were looked at.

    On SQLite a thousand rows of each index are read at most, and some tables left out. On PostgreSQL only those tables
    are analysed that never were, or of which a fifth has changed: the server does the same by itself as a rule.

    Raises `DatabaseUnavailable`.
    """
    if engine.dialect.name == "sqlite":
        return _analyse_sqlite(engine)
    with (
        failures_explained(engine.url),
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        ours = {"ours": list(metadata.tables), "share": STALE_SHARE}
        stale = sorted(connection.scalars(_STALE, ours))
        for name in stale:
            connection.execute(text(f'ANALYZE "{name}"'))
        return stale


def _analyse_sqlite(engine: Engine) -> list[str]:
    names = sorted(metadata.tables.keys() - WITHOUT_STATISTICS)
    with _plain(engine, patience_ms=LOCK_PATIENCE_MS) as driver:
        driver.execute(f"PRAGMA analysis_limit = {ANALYSED_ROWS}")
        for name in names:
            driver.execute(f'ANALYZE "{name}"')
    return names


def tend_log(engine: Engine, *, large_bytes: int = LARGE_LOG_BYTES) -> LogState | None:
    """Copy SQLite's write-ahead log into the database, without waiting for anybody; None for another database.

    What can be copied without disturbing readers and writers is copied, so that the file alone holds all but the last
    minutes; only if that was all and the log is large, it is cut. Raises `DatabaseUnavailable`.
    """
    file = sqlite_file(engine.url)
    if file is None:
        return None
    size = _size(file)
    with _plain(engine, patience_ms=0) as driver:
        _, frames, copied = driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if frames == copied and size >= large_bytes:
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if size < large_bytes:
        return LogState(size_bytes=size, held_back=False)
    return LogState(size_bytes=_size(file), held_back=copied < frames)


def _size(file: Path) -> int:
    try:
        return file.with_name(f"{file.name}-wal").stat().st_size
    except FileNotFoundError:
        return 0


@contextlib.contextmanager
def _plain(engine: Engine, *, patience_ms: int) -> Iterator[sqlite3.Connection]:
    """Lend a connection to SQLite outside of transactions, which waits so long for locks. Raises as above."""
    with failures_explained(engine.url):
        pooled = engine.raw_connection()
    try:
        driver: Any = pooled.driver_connection
        (usual,) = driver.execute("PRAGMA busy_timeout").fetchone()
        driver.execute("PRAGMA query_only = OFF")
        driver.execute(f"PRAGMA busy_timeout = {patience_ms}")
        try:
            yield driver
        finally:
            driver.execute(f"PRAGMA busy_timeout = {usual}")
    except sqlite3.Error as problem:
        raise explained(engine.url, DBAPIError(None, None, problem)) from problem
    finally:
        pooled.close()
