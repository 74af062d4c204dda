"""Locks between processes: one service a database, one upgrade at a time, and none while a service runs.

On SQLite they are locks of two files beside the database, which the system releases however the holder ends. The files
stay: if one were removed while it is locked, two processes could hold two files of one name. On PostgreSQL they are
advisory locks; the service's belongs to a connection of its own and is released with it.
"""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import SQLAlchemyError

from storage.engine import create_engine, describe, failures_explained, sqlite_file
from storage.errors import DatabaseGone, DatabaseUnavailable, ServiceRunning
from storage.tables import service_state

UPGRADE_LOCK = 0x6D6F72677566
"""PostgreSQL's advisory lock that keeps two upgrades apart."""
SERVICE_LOCK = 0x6D6F72677573
"""PostgreSQL's advisory lock of the service."""
SERVICE_NAME = "service"
"""Under this name the running service says in `service_state` who it is."""


class ServiceLock(Protocol):
    """The lock of a running service."""

    def check(self) -> None:
        """Raise `DatabaseUnavailable` when the lock was lost, so that another service may have begun."""

    def regain(self) -> None:
        """Take a lock that was lost once more; does nothing while it is held.

        Raises `ServiceRunning` when another service has it by now, and `DatabaseUnavailable`.
        """


@contextmanager
def hold_service_lock(url: str) -> Iterator[ServiceLock]:
    """Hold the lock that a service needs; an upgrade that is going on is waited for.

    Raises `ServiceRunning` when another process holds it, `DatabaseUnavailable` when it cannot be taken, and
    `ConfigurationError` for a URL that cannot be used.
    """
    engine = create_engine(url)
    try:
        file = sqlite_file(engine.url)
        with _server_lock(engine) if file is None else _file_lock(engine, file) as lock:
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
    # For reading, which is enough for a lock and allowed to users who share the database. One that is there is not
    # opened as if it were to be made: in a folder like /tmp the system refuses that where it is another user's.
    try:
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as problem:
        remedy = "make it readable for this user" if path.exists() else "make the folder, and make it writable"
        raise DatabaseUnavailable(str(path), f"the lock file cannot be opened: {problem.strerror}", remedy) from problem


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
            raise DatabaseGone(str(self._path), "was removed or replaced while the service ran", "start again")

    def regain(self) -> None:
        # The system takes it from no living process.
        self.check()


@contextmanager
def _file_lock(engine: Engine, file: Path) -> Iterator[ServiceLock]:
    path = _beside(file, "service-lock")
    descriptor = _open(path)
    try:
        with hold_upgrade_lock(file):
            if not _locked(descriptor):
                raise _running(engine)
        yield _FileLock(path, descriptor)
    finally:
        os.close(descriptor)


class _ServerLock:
    """The lock of a service on PostgreSQL, which lasts as long as one connection to it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._session: tuple[int, datetime] | None = None

    def check(self) -> None:
        if self._connection is None:
            raise DatabaseUnavailable(describe(self._engine.url), "the connection to it was lost", "it is tried again")
        try:
            with failures_explained(self._engine.url):
                self._connection.execute(text("SELECT 1"))
        except DatabaseUnavailable:
            # The lock went with the connection, which must not be made anew unnoticed.
            self.release()
            raise

    def take(self) -> bool:
        """Take the lock with a new connection, and say whether it was free."""
        with failures_explained(self._engine.url):
            # Without a transaction of its own, which would keep the server from cleaning up for as long as it lasts.
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        taken = False
        try:
            with failures_explained(self._engine.url):
                connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": UPGRADE_LOCK})
                taken = bool(connection.scalar(_TRY_SERVICE_LOCK))
                if not taken and self._session is not None and _end_session(connection, *self._session):
                    taken = _taken_soon(connection)
                connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": UPGRADE_LOCK})
                session = connection.execute(_OWN_SESSION).one() if taken else None
        finally:
            if not taken:
                connection.invalidate()
                connection.close()
        if session is not None:
            self._connection, self._session = connection, (session.pid, session.backend_start)
        return taken

    def regain(self) -> None:
        if self._connection is not None:
            try:
                self.check()
            except DatabaseUnavailable:
                pass
            else:
                return
        if not self.take():
            raise _running(self._engine)

    def release(self) -> None:
        """End the connection, and the lock with it."""
        if self._connection is not None:
            # Not given back to the pool, so that the lock ends here whatever state the connection is in.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


_TRY_SERVICE_LOCK = text(f"SELECT pg_try_advisory_lock({SERVICE_LOCK})")
_OWN_SESSION = text("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
_END_SESSION = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :pid AND backend_start = :backend_start"
)
_LEFTOVER_TRIES = 20


def _end_session(connection: Connection, pid: int, backend_start: datetime) -> bool:
    """End a session of ours that the server has not noticed the loss of, as after a network that was away."""
    return bool(connection.scalar(_END_SESSION, {"pid": pid, "backend_start": backend_start}))


def _taken_soon(connection: Connection) -> bool:
    for _ in range(_LEFTOVER_TRIES):
        if connection.scalar(_TRY_SERVICE_LOCK):
            return True
        time.sleep(0.05)
    return False


@contextmanager
def _server_lock(engine: Engine) -> Iterator[ServiceLock]:
    lock = _ServerLock(engine)
    try:
        if not lock.take():
            raise _running(engine)
        yield lock
    finally:
        lock.release()


def _running(engine: Engine) -> ServiceRunning:
    return ServiceRunning(
        describe(engine.url),
        f"a service is running on it{_holder(engine)}",
        "one is enough; stop it before you start another",
    )


def _holder(engine: Engine) -> str:
    """Return how the service that holds the lock presents itself, as far as it has said so."""
    try:
        with engine.connect() as connection:
            value = connection.scalar(select(service_state.c.value).where(service_state.c.name == SERVICE_NAME))
    except SQLAlchemyError:  # an older database, or one that is locked
        return ""
    if not isinstance(value, dict) or value.get("stopped_at") is not None:
        return ""
    if (value.get("pid"), value.get("host")) == (os.getpid(), socket.gethostname()):
        return ""  # our own, from before the lock was lost
    return f" (process {value.get('pid')} on {value.get('host')}, since {value.get('started_at')})"
