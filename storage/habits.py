"""How the articles of each host are edited, as the planner learnt it; what the values mean is its own affair."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from storage.statements import insert_or, insert_unless_there, slices
from storage.tables import host_habits

Habits = Mapping[str, Any]
"""A JSON object."""


class HostHabits:
    """Keeps one JSON object for each host."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> dict[str, Habits]:
        """Return what is known of every host."""
        return {row.host: row.habits for row in self._connection.execute(select(host_habits))}

    def of(self, hosts: Collection[str]) -> dict[str, Habits]:
        """Return what is known of these hosts; a host of which nothing is known is left out."""
        found: dict[str, Habits] = {}
        for part in slices(sorted(hosts)):
            query = select(host_habits).where(host_habits.c.host.in_(part))
            found |= {row.host: row.habits for row in self._connection.execute(query)}
        return found

    def lock(self, hosts: Collection[str], now: datetime) -> dict[str, Habits]:
        """Return what is known of these hosts, an empty object for nothing, locked until the transaction ends.

        Two processes that learn of one host, as the service and a crawl that ends, do so one after the other. SQLite
        has one writer at a time anyway.
        """
        if self._connection.dialect.name != "postgresql":
            return {host: {} for host in hosts} | self.of(hosts)
        rows = [{"host": host, "habits": {}, "updated_at": now} for host in sorted(hosts)]
        found: dict[str, Habits] = {}
        for part in slices(rows):
            self._connection.execute(insert_unless_there(self._connection, host_habits, "host"), part)
            named = host_habits.c.host.in_([row["host"] for row in part])
            query = select(host_habits).where(named).order_by(host_habits.c.host).with_for_update()
            found |= {row.host: row.habits for row in self._connection.execute(query)}
        return found

    def put(self, habits: Mapping[str, Habits], now: datetime) -> None:
        """Keep what is known of these hosts from now on."""
        rows = [{"host": host, "habits": dict(known), "updated_at": now} for host, known in sorted(habits.items())]
        if not rows:
            return
        statement = insert_or(self._connection, host_habits)
        newest = {name: statement.excluded[name] for name in ("habits", "updated_at")}
        self._connection.execute(statement.on_conflict_do_update(index_elements=["host"], set_=newest), rows)
