"""Locks between processes: one service a database, one upgrade at a time, and none while a service runs.

On SQLite they are locks of two files beside the database, which the system releases however the holder ends. The files
stay: if one were removed while it is locked, two processes could hold two files of one name. On PostgreSQL they are
advisory locks; the service's belongs to a connection of its own and is released with it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text

from storage.engine import create_engine, describe, failures_explained, sqlite_file
from storage.errors import DatabaseUnavailable, ServiceRunning

UPGRADE_LOCK = 0x6D6F72677566
"""PostgreSQL's advisory lock that keeps two upgrades apart."""
SERVICE_LOCK = 0x6D6F72677573
"""PostgreSQL's advisory lock of the service."""


class ServiceLock(Protocol):
    """The lock of a running service."""

    def check(self) -> None:
        """Raise `DatabaseUnavailable` when the lock was lost, so that another service may have begun."""


@contextmanager
def hold_service_lock(url: str) -> Iterator[ServiceLock]:
    """Hold the lock that a service needs; an upgrade that is going on is waited for.

    Raises `ServiceRunning` when another process holds it, `DatabaseUnavailable` when it cannot be taken, and
    `ConfigurationError` for a URL that cannot be used.
    """
    engine = create_engine(url)
    try:
        file = sqlite_file(engine.url)
        with _server_lock(engine) if file is None else _file_lock(file) as lock:
            yield lock
    finally:
        engine.dispose()


def is_served(connection: Connection) -> bool:
    """Whether a service holds its lock on the database. To be asked while the upgrade lock is held.

    On PostgreSQL no service can take it before the end of the connection's transaction.
    """
    file = sqlite_file(connection.engine.url)
    if file is None:
        return not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": SERVICE_LOCK})
    descriptor = _open(_beside(file, "service-lock"))
    try:
        return not _locked(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def hold_upgrade_lock(file: Path) -> Iterator[None]:
    """Wait for the lock of the upgrades of a SQLite database, and hold it. Raises `DatabaseUnavailable`."""
    descriptor = _open(_beside(file, "upgrade-lock"))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _beside(file: Path, name: str) -> Path:
    """Return the file of a lock, the same one for every name by which the database is reached."""
    real = file.resolve()
    return real.with_name(f"{real.name}.{name}")


def _open(path: Path) -> int:
    try:
        # For reading, which is enough for a lock and allowed to users who share the database.
        return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as problem:
        raise DatabaseUnavailable(
            str(path), f"the lock file cannot be opened: {problem.strerror}", "make the folder, and make it writable"
        ) from problem


def _locked(descriptor: int) -> bool:
    """Take the lock of an open file if nobody has it, and say whether it was taken."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class _FileLock:
    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def check(self) -> None:
        try:
            same = os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            same = False
        if not same:
            raise DatabaseUnavailable(str(self._path), "was removed or replaced while the service ran", "start again")


@contextmanager
def _file_lock(file: Path) -> Iterator[ServiceLock]:
    path = _beside(file, "service-lock")
    descriptor = _open(path)
    try:
        with hold_upgrade_lock(file):
            if not _locked(descriptor):
                raise _running(str(file))
        yield _FileLock(path, descriptor)
    finally:
        os.close(descriptor)


class _ServerLock:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def check(self) -> None:
        # The lock lasts as long as the connection, which is never made anew.
        with failures_explained(self._connection.engine.url):
            self._connection.execute(text("SELECT 1"))


@contextmanager
def _server_lock(engine: Engine) -> Iterator[ServiceLock]:
    with failures_explained(engine.url):
        # Without a transaction of its own, which would keep the server from cleaning up for as long as it lasts.
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        with failures_explained(engine.url):
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": UPGRADE_LOCK})
            taken = connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": SERVICE_LOCK})
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": UPGRADE_LOCK})
        if not taken:
            raise _running(describe(engine.url))
        yield _ServerLock(connection)
    finally:
        # Not given back to the pool, so that the lock ends here whatever state the connection is in.
        connection.invalidate()
        connection.close()


def _running(database: str) -> ServiceRunning:
    return ServiceRunning(database, "a service is running on it", "one is enough; stop it before you start another")
