"""The clock that all processes of one database share."""

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, bindparam, delete, select, text

from storage.clock import steady_seconds, utc_now
from storage.statements import insert_unless_there
from storage.tables import boots

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STARTED_AT = select(boots.c.started_at).where(boots.c.boot_id == bindparam("boot"))
_SERVER_TIME = text("SELECT clock_timestamp()")


def database_now(connection: Connection, *, writes: bool) -> datetime:
    """Return the present instant on the database's clock, in UTC.

    On PostgreSQL it is the server's clock, as it stands now and not when the transaction began. On SQLite, whose
    processes are on one machine, it is the clock that nobody sets: what the wall clock said when a process first asked
    since the machine was started, and the time that has passed. Setting the wall clock then moves nothing. That first
    process must ask in a transaction that `writes`; who only reads before it finds nothing that was written by it.
    """
    if connection.dialect.name == "postgresql":
        now: datetime = connection.scalar(_SERVER_TIME)
        return now
    boot = _boot_id()
    if boot is None:
        return utc_now()
    started_at = connection.scalar(_STARTED_AT, {"boot": boot})
    if started_at is None:
        started_at = utc_now() - timedelta(seconds=steady_seconds())
        if writes:
            _keep(connection, boot, started_at)
    return started_at + timedelta(seconds=steady_seconds())


def _keep(connection: Connection, boot: str, started_at: datetime) -> None:
    connection.execute(delete(boots))
    connection.execute(insert_unless_there(connection, boots, "boot_id"), {"boot_id": boot, "started_at": started_at})


@cache
def _boot_id() -> str | None:
    """Return what names the time since the machine was started, or None where the system does not say."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip() or None
    except OSError:
        return None
