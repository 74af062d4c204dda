"""Statements that are made once and used often. Building one takes longer than running it."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Item = TypeVar("Item")

ROWS_A_STATEMENT = 500
"""How many rows one statement names, well below SQLite's 32,766 and PostgreSQL's 65,535 parameters."""


def insert_or(connection: Connection, table: Table) -> Any:
    """Return the connected database's own `INSERT`, which has `on_conflict_do_nothing` and `…_do_update`."""
    return insert_for(connection.dialect.name, table)


def insert_unless_there(connection: Connection, table: Table, *key: str) -> Any:
    """Return an `INSERT` that leaves a row with the same `key` as it is."""
    return _insert_unless_there(connection.dialect.name, table, key)


def insert_for(dialect: str, table: Table) -> Any:
    """Return a database's own `INSERT`, by the name of its dialect; for a statement that is made once."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@cache
def _insert_unless_there(dialect: str, table: Table, key: tuple[str, ...]) -> Any:
    return insert_for(dialect, table).on_conflict_do_nothing(index_elements=key)


def slices(items: Sequence[Item], size: int = ROWS_A_STATEMENT) -> Iterator[Sequence[Item]]:
    """Yield `items` in slices of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
