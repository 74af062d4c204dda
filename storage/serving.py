"""Whether a service works on a database, asked without disturbing one that is just starting."""

from sqlalchemy import Connection, text

from storage.engine import create_engine, failures_explained, sqlite_file
from storage.service_lock import SERVICE_LOCK, hold_upgrade_lock, is_served

# An advisory lock of one number is listed as the two halves of it (PostgreSQL, "System Views", pg_locks).
_HOLDERS = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid::bigint = :high AND objid::bigint = :low"
)


def is_service_running(url: str) -> bool:
    """Whether a service holds its lock on the database. Raises `DatabaseUnavailable`."""
    engine = create_engine(url)
    try:
        with failures_explained(engine.url), engine.connect() as connection:
            return _is_running(connection)
    finally:
        engine.dispose()


def _is_running(connection: Connection) -> bool:
    file = sqlite_file(connection.engine.url)
    if file is None:
        halves = {"high": SERVICE_LOCK >> 32, "low": SERVICE_LOCK & 0xFFFFFFFF}
        return bool(connection.scalar(_HOLDERS, halves))
    # A service takes its lock while it holds this one, so that it never finds it taken by us.
    with hold_upgrade_lock(file):
        return is_served(connection)
