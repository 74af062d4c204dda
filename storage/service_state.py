"""What the service and the commands beside it tell each other: small JSON values by name, each with its time.

Nothing here is a fact about news: all of it may be lost without losing more than a request or a notice.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from storage.statements import insert_or
from storage.tables import service_state


class ServiceState:
    """Keeps one JSON value for each name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> tuple[Any, datetime] | None:
        """Return the value of a name and when it was put there, or None where there is none."""
        query = select(service_state.c.value, service_state.c.updated_at).where(service_state.c.name == name)
        row = self._connection.execute(query).first()
        return None if row is None else (row.value, row.updated_at)

    def put(self, name: str, value: Any, now: datetime) -> None:
        """Set the value of a name: anything that JSON can write but null, which stands for no value."""
        values = {"value": value, "updated_at": now}
        statement = insert_or(self._connection, service_state).values(name=name, **values)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))

    def remove(self, name: str) -> None:
        """Forget a name."""
        self._connection.execute(delete(service_state).where(service_state.c.name == name))
