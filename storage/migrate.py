"""Opening a database, bringing it to this version's schema, and looking it over.

A new SQLite file is made and an older one upgraded without asking, after a copy. A PostgreSQL database is shared with
others who may still run the older program, so only an empty one is filled, and an upgrade has to be asked for.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, func, inspect, select, text

from storage.engine import WRITES, create_engine, describe, failures_explained, sqlite_file
from storage.errors import DatabaseNeedsUpgrade, DatabaseTooNew, DatabaseUnavailable
from storage.revision import NEWEST_REVISION
from storage.safety_copy import keep_copy
from storage.service_lock import UPGRADE_LOCK, hold_upgrade_lock, is_served
from storage.tables import metadata
from storage.wording import counted

_INSTALLED = Path(__file__).parent / "_migrations"
_IN_CHECKOUT = Path(__file__).parent.parent / "migrations"

ORPHANS = {
    "articles without their current version": """
        SELECT count(*) FROM articles a WHERE NOT EXISTS
        (SELECT 1 FROM versions v WHERE v.article_id = a.id AND v.number = a.current_number)""",
    "articles whose versions are not numbered 1 to n": """
        SELECT count(*) FROM articles a WHERE a.version_count <>
        (SELECT count(*) FROM versions v WHERE v.article_id = a.id AND v.number BETWEEN 1 AND a.version_count)""",
    "versions without an event": """
        SELECT count(*) FROM versions v WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.version_id = v.id)""",
    "aliases of aliases": """
        SELECT count(*) FROM pages p JOIN pages q ON q.id = p.alias_of WHERE q.alias_of IS NOT NULL""",
}
"""What must never be, each with the query that counts it."""


def migrations_folder() -> Path:
    """Return where the revisions are: inside the installed package, or beside it in a checkout."""
    return _INSTALLED if _INSTALLED.is_dir() else _IN_CHECKOUT


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _is_known(revision: str) -> bool:
    try:
        return ScriptDirectory.from_config(_config()).get_revision(revision) is not None
    except CommandError:
        return False


def _check_known(url: URL, revision: str | None) -> None:
    if revision is not None and not _is_known(revision):
        raise DatabaseTooNew(
            describe(url), f"was written by a newer morgue (revision {revision})", "install that version or a later one"
        )


def make_ready(engine: Engine, *, create: bool, upgrade: bool = False, as_service: bool = False) -> None:
    """Check that the database can be used by this version, and make or upgrade it by the rules above.

    `upgrade` says that an upgrade was asked for, `as_service` that the caller holds the service's lock.

    Raises `DatabaseUnavailable`, `DatabaseTooNew` or `DatabaseNeedsUpgrade`.
    """
    url = engine.url
    file = sqlite_file(url)
    if file is not None:
        _check_file(file, create=create)
    with failures_explained(url):
        with engine.connect() as connection:
            revision = _revision(connection)
            others = revision is None and bool(inspect(connection).get_table_names())
        _check_known(url, revision)
        if others:
            raise DatabaseUnavailable(describe(url), "is the database of another program", "name another database")
        if revision == NEWEST_REVISION:
            return
        if revision is None and not create:
            raise DatabaseUnavailable(
                describe(url), "holds no morgue database yet", "`morgue init` or `morgue crawl URL` makes one"
            )
        if revision is not None and file is None and not upgrade:
            raise DatabaseNeedsUpgrade(
                describe(url), f"is at revision {revision}, not {NEWEST_REVISION}", "run `morgue db upgrade`"
            )
        if file is None:
            _upgrade_postgresql(engine, as_service=as_service)
        elif revision is None:
            _upgrade_sqlite(engine, file, as_service=as_service)
        else:
            with hold_upgrade_lock(file):
                _upgrade_sqlite(engine, file, as_service=as_service)


def _check_file(file: Path, *, create: bool) -> None:
    """Say what is wrong before SQLite makes an empty file of a mistyped name."""
    if file.is_dir():
        raise DatabaseUnavailable(str(file), "is a folder", "name a file")
    if not file.exists() and not create:
        raise DatabaseUnavailable(str(file), "does not exist", "`morgue init` or `morgue crawl URL` makes it")
    if not file.parent.is_dir():
        raise DatabaseUnavailable(str(file), f"its folder {file.parent} does not exist", "make the folder")


def _upgrade_postgresql(engine: Engine, *, as_service: bool) -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
        _run_migrations(connection, as_service=as_service)


def _upgrade_sqlite(engine: Engine, file: Path, *, as_service: bool) -> None:
    with engine.execution_options(**{WRITES: True}).connect() as connection:
        # A table that is rebuilt would lose what refers to it. SQLite heeds this between transactions only.
        driver = connection.connection.driver_connection
        if driver is None:
            raise LookupError("the connection was closed")
        driver.execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                _run_migrations(connection, as_service=as_service, copied=file)
                broken = connection.execute(text("PRAGMA foreign_key_check")).first()
                if broken is not None:
                    raise DatabaseUnavailable(
                        describe(engine.url), f"the upgrade would leave dangling rows in {broken[0]}", "report this"
                    )
        finally:
            driver.execute("PRAGMA foreign_keys = ON")
        # Else all of it stands in the write-ahead log, and who copies or keeps the file alone has nothing.
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _run_migrations(connection: Connection, *, as_service: bool, copied: Path | None = None) -> None:
    """Run what is missing, in a transaction that keeps others from writing; before that, copy the file `copied`."""
    # Another process may have been first while we waited for the lock; then there is nothing left to do.
    revision = _revision(connection)
    if revision == NEWEST_REVISION:
        return
    url = connection.engine.url
    _check_known(url, revision)
    if revision is not None:
        if not as_service and is_served(connection):
            raise DatabaseNeedsUpgrade(
                describe(url),
                f"is at revision {revision}, not {NEWEST_REVISION}, and a service is running on it",
                "stop the service first",
            )
        if copied is not None:
            keep_copy(copied, name=f"{copied.name}.revision-{revision}")
    command.upgrade(_config(connection), "head")


def holds_database(url: str) -> bool:
    """Whether there is a database of ours at `url`, of whatever revision. Nothing is made.

    Raises `DatabaseUnavailable` when it cannot be read.
    """
    engine = create_engine(url)
    file = sqlite_file(engine.url)
    try:
        if file is not None and not file.exists():
            return False
        with failures_explained(engine.url), engine.connect() as connection:
            return _revision(connection) is not None
    finally:
        engine.dispose()


def upgrade(url: str) -> str:
    """Bring a database to this version's schema, making it if there is none, and return the revision.

    Raises `DatabaseUnavailable` or `DatabaseTooNew`.
    """
    engine = create_engine(url)
    try:
        make_ready(engine, create=True, upgrade=True)
    finally:
        engine.dispose()
    return NEWEST_REVISION


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """What looking a database over found. `problems` are sentences; none means that it is healthy."""

    database: str
    revision: str | None
    newest_revision: str
    problems: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def lines(self) -> list[str]:
        """Return the report for people."""
        count = len(self.problems)
        state = "healthy" if self.healthy else "1 problem" if count == 1 else f"{count} problems"
        return [f"{self.database}: revision {self.revision}, {state}", *self.problems]

    def as_row(self) -> dict[str, Any]:
        """Return the report for programs."""
        return asdict(self) | {"healthy": self.healthy, "problems": list(self.problems)}


def check(url: str) -> CheckReport:
    """Look a database over: its revision, SQLite's own checks, and what must never be.

    Raises `DatabaseUnavailable` when it does not answer.
    """
    engine = create_engine(url)
    try:
        file = sqlite_file(engine.url)
        if file is not None:
            _check_file(file, create=False)
        with failures_explained(engine.url), engine.connect() as connection:
            revision = _revision(connection)
            problems = _problems(connection, revision)
    finally:
        engine.dispose()
    return CheckReport(
        database=describe(engine.url),
        revision=revision,
        newest_revision=NEWEST_REVISION,
        problems=tuple(problems),
    )


def _problems(connection: Connection, revision: str | None) -> list[str]:
    problems = []
    if connection.dialect.name == "sqlite":
        found = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check(20)"))]
        problems += [f"damaged: {line}" for line in found if line != "ok"]
        dangling = connection.execute(text("PRAGMA foreign_key_check")).all()
        problems += [f"{counted(len(dangling), 'reference')} to rows that do not exist"] if dangling else []
    if revision != NEWEST_REVISION:
        newer = revision is not None and not _is_known(revision)
        remedy = "it was written by a newer morgue; install that one" if newer else "run `morgue db upgrade`"
        problems.append(f"the schema is at revision {revision}, not {NEWEST_REVISION}; {remedy}")
        return problems
    for name, query in ORPHANS.items():
        count = connection.scalar(text(query))
        if count:
            problems.append(f"{count} {name}")
    return problems


def stats(url: str) -> dict[str, int]:
    """Return how many rows each table has, and the database's size in bytes.

    Raises what `Store.open` raises.
    """
    engine = create_engine(url)
    try:
        make_ready(engine, create=False)
        with failures_explained(engine.url), engine.connect() as connection:
            counts = {
                table.name: int(connection.scalar(select(func.count()).select_from(table)) or 0)
                for table in sorted(metadata.tables.values(), key=lambda table: table.name)
            }
            return counts | {"size_bytes": _size_bytes(connection)}
    finally:
        engine.dispose()


def _size_bytes(connection: Connection) -> int:
    if connection.dialect.name == "sqlite":
        query = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    else:
        query = "SELECT pg_database_size(current_database())"
    return int(connection.scalar(text(query)) or 0)
