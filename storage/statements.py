"""The one statement that SQLAlchemy writes per database: an insert that minds what is there already."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Item = TypeVar("Item")

ROWS_A_STATEMENT = 500
"""How many rows one statement names, well below SQLite's 32,766 and PostgreSQL's 65,535 parameters."""


def insert_or(connection: Connection, table: Table) -> Any:
    """Return the connected database's own `INSERT`, which has `on_conflict_do_nothing` and `…_do_update`."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def slices(items: Sequence[Item], size: int = ROWS_A_STATEMENT) -> Iterator[Sequence[Item]]:
    """Yield `items` in slices of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
