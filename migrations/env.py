"""How a migration runs: in the connection and the transaction that `storage.migrate` gives it.

Called by the `alembic` command while developing, there is none; then the database of `MORGUE_DATABASE__URL` is used.
"""

import os

from alembic import context
from sqlalchemy import Connection, text

from storage.engine import WRITES, create_engine
from storage.tables import metadata

LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "10min"


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    if connection.dialect.name == "postgresql":
        # A migration that waits for a lock makes everyone behind it wait as well: give up early, and be run again.
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'"))
    context.run_migrations()


def _migrate_from_command_line() -> None:
    engine = create_engine(os.environ.get("MORGUE_DATABASE__URL", "sqlite:///morgue.db"))
    try:
        with engine.execution_options(**{WRITES: True}).begin() as connection:
            _migrate(connection)
    finally:
        engine.dispose()


given = context.config.attributes.get("connection")
if given is None:
    _migrate_from_command_line()
else:
    _migrate(given)
