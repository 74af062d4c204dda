"""The transaction boundary: a store is opened once, and read and written in transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, delete, false

from storage import upkeep
from storage.captures import Captures
from storage.engine import PASSES, WRITES, create_engine, end_of, failures_explained, hold_open, is_ended, sqlite_file
from storage.errors import DatabaseBusy, DatabaseGone, DatabaseUnavailable
from storage.events import Events
from storage.feeds import Feeds
from storage.fetches import Fetches
from storage.habits import HostHabits
from storage.hosts import Hosts
from storage.looks import Looks
from storage.operating import Operating
from storage.overview import Overview
from storage.page_plans import PagePlans
from storage.pages import Pages
from storage.retention import Retention
from storage.revision import has_newest_revision
from storage.robots_files import RobotsFiles
from storage.service_state import ServiceState
from storage.sources import Sources
from storage.succession import Successions
from storage.tables import events
from storage.tallies import Tallies
from storage.versions import Versions
from storage.workload import Workload
from storage.wrong_clocks import WrongClocks


def _identity(file: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one under the same name; None when there is none."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _files_of(file: Path | None) -> list[Path]:
    """Return the files of a SQLite database; those of its log are there for as long as somebody has it open."""
    if file is None:
        return []
    return [file, *(path for ending in ("-wal", "-shm") if (path := file.with_name(file.name + ending)).exists())]


class Transaction:
    """What can be read and written, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._url = connection.engine.url
        self._end: DatabaseUnavailable | None = None
        self.captures = Captures(connection)
        self.events = Events(connection)
        self.sources = Sources(connection)
        self.pages = Pages(connection)
        self.page_plans = PagePlans(connection)
        self.wrong_clocks = WrongClocks(connection)
        self.host_habits = HostHabits(connection)
        self.feeds = Feeds(connection, self.pages)
        self.fetches = Fetches(connection)
        self.hosts = Hosts(connection)
        self.robots_files = RobotsFiles(connection)
        self.service_state = ServiceState(connection)
        self.operating = Operating(
            connection, sources=self.sources, feeds=self.feeds, pages=self.pages, state=self.service_state
        )
        self.successions = Successions(connection)
        self.workload = Workload(connection)
        self.tallies = Tallies(connection)
        self.overview = Overview(connection)
        self.retention = Retention(connection)
        looks = Looks(connection, pages=self.pages, fetches=self.fetches, captures=self.captures, events=self.events)
        self.versions = Versions(connection, captures=self.captures, looks=looks)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what is written inside, events included, when an exception leaves it; the transaction goes on.

        Raises `DatabaseUnavailable` as the transaction does. A failure that takes the whole transaction with it
        (`DatabaseBusy`, a full disk, a lost connection) ends every later savepoint too, and the transaction itself
        with the same exception, even if whoever opened this savepoint caught it.
        """
        self.check_alive()
        mark = self.events.mark()
        try:
            with failures_explained(self._url), self._connection.begin_nested():
                yield
        except BaseException as problem:
            self.events.forget_since(mark)
            fatal = isinstance(problem, DatabaseBusy) or self._connection.invalidated
            if fatal and isinstance(problem, DatabaseUnavailable):
                self._end = self._end or problem
            self.check_alive()
            raise

    def check_alive(self) -> None:
        """Raise the failure that ended the transaction, if one did: nothing may be written in it any more."""
        if self._end is None and is_ended(self._connection):
            self._end = end_of(self._connection)
        if self._end is not None:
            raise self._end


class Store:
    """An open database. Use from any thread; a transaction belongs to the thread that began it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._file = sqlite_file(engine.url)
        self._anchor = hold_open(engine) if self._file is not None else None
        self._identities = {path: _identity(path) for path in _files_of(self._file)}
        self._for_writing = engine.execution_options(**{WRITES: True})
        self._for_passing = self._for_writing.execution_options(**{PASSES: True})
        self._for_reading = engine
        if engine.dialect.name == "postgresql":
            self._for_reading = engine.execution_options(postgresql_readonly=True)

    @classmethod
    def open(cls, url: str, *, create: bool = False, as_service: bool = False) -> Self:
        """Open the database at `url`, brought to this version's schema where that may be done without asking.

        With `create` a database that does not exist, or is empty, is made. An older SQLite database is upgraded, after
        a copy of it was made, unless a service runs on it; an older PostgreSQL database is not. `as_service` says that
        the caller is that service, which holds `storage.service_lock`.

        Raises `DatabaseUnavailable` when it does not exist or does not answer, `DatabaseTooNew`,
        `DatabaseNeedsUpgrade`, and `ConfigurationError` for a URL that cannot be used.
        """
        engine = create_engine(url)
        try:
            if not has_newest_revision(engine):
                from storage.migrate import make_ready  # noqa: PLC0415 - see storage.revision

                make_ready(engine, create=create, as_service=as_service)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database; None for another database."""
        return self._file

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
        if self._anchor is not None:
            self._anchor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def writing(self, *, lasting: bool = True) -> Iterator[Transaction]:
        """Open a transaction that writes: committed at the end, rolled back when an exception leaves it.

        Without `lasting` it need not be on the disk when it is committed, which is much quicker: all other processes
        see it, and it survives all of them, but maybe not a loss of power. So turns at hosts are written, not facts.

        SQLite has one writer at a time, so others wait meanwhile. Raises `DatabaseUnavailable`, and `DatabaseBusy` when
        the same may be tried again from the beginning; then nothing was written.
        """
        self._check_still_there()
        engine = self._for_writing if lasting else self._for_passing
        with self._failures_explained(), engine.begin() as connection:
            if not lasting and connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
            transaction = Transaction(connection)
            yield transaction
            transaction.check_alive()
            transaction.events.flush()
            transaction.check_alive()

    def check_writable(self) -> None:
        """Raise `DatabaseUnavailable` where nothing can be written, before anything is to be."""
        with self.writing() as transaction:
            # Beginning a transaction is not enough: SQLite lets anybody do that.
            transaction._connection.execute(delete(events).where(false()))

    def analyse(self) -> list[str]:
        """Bring what queries are planned by up to date (`storage.upkeep`). Raises `DatabaseUnavailable`."""
        self._check_still_there()
        return upkeep.analyse(self._engine)

    def tend_log(self) -> upkeep.LogState | None:
        """Cut SQLite's write-ahead log if it is large (`storage.upkeep`). Raises `DatabaseUnavailable`."""
        self._check_still_there()
        return upkeep.tend_log(self._engine)

    def _check_still_there(self) -> None:
        """Raise `DatabaseGone` for a SQLite file that was removed or replaced: what is written would be lost.

        What is in a write-ahead log that was removed is not: it is copied into the database when that is closed.
        """
        for path, identity in self._identities.items():
            if _identity(path) != identity:
                raise DatabaseGone(str(path), "was removed or replaced while it was open", "start again")

    @contextmanager
    def _failures_explained(self) -> Iterator[None]:
        try:
            with failures_explained(self._engine.url):
                yield
        except DatabaseUnavailable:
            # A new connection to a file that was just removed finds an empty one, and tables that are not there.
            self._check_still_there()
            raise

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a transaction that only reads. Raises `DatabaseUnavailable`."""
        self._check_still_there()
        with self._failures_explained(), self._for_reading.begin() as connection:
            yield Transaction(connection)
