"""Hosts: whose turn it is, and what all processes know of them. What a request comes to is decided in `host_turns`."""

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, delete, or_, select, update

from storage.database_clock import database_now
from storage.host_turns import (
    Held,
    HostState,
    Report,
    SlotAnswer,
    SlotRequest,
    Waiter,
    decide,
    hold_of,
    live,
)
from storage.statements import insert_for, insert_unless_there, slices
from storage.tables import host_waiters, hosts

_COLUMNS = [field.name for field in fields(HostState)]
_UPDATE = (
    update(hosts)
    .where(hosts.c.host == bindparam("of_host"))
    .values({name: bindparam(name) for name in _COLUMNS if name != "host"})
)
_LEAVE = delete(host_waiters).where(
    host_waiters.c.host == bindparam("of_host"), host_waiters.c.owner == bindparam("of_owner")
)
_NAMES: BindParameter[str] = bindparam("names", expanding=True)
_KNOWN = select(hosts.c.host).where(hosts.c.host.in_(_NAMES))
_LOCKED = select(hosts).where(hosts.c.host.in_(_NAMES)).order_by(hosts.c.host).with_for_update()
_LINES = select(host_waiters).where(host_waiters.c.host.in_(_NAMES))


class Hosts:
    """The turns of all hosts. Many requests are served at once, and wait for the same rows of other processes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def act(self, requests: Sequence[SlotRequest], *, steady: float) -> list[SlotAnswer]:
        """Serve requests in their order and return what each comes to. `steady` is the asker's steady clock, just read.

        To be called in a transaction that writes nothing else, so that hosts are not waited for in a circle.
        """
        before = self._locked(sorted({request.host for request in requests}))
        # After the rows were waited for, not before.
        now = database_now(self._connection, writes=True)
        asked_for = sorted({request.host for request in requests if not isinstance(request, Report)})
        lines_before = self._lines(asked_for)
        lines = {name: {one.owner: one for one in live(line.values(), now)} for name, line in lines_before.items()}
        states, answers = dict(before), list[SlotAnswer]()
        for request in requests:
            line = lines.get(request.host, {})
            decision = decide(states[request.host], request, waiters=list(line.values()), now=now, steady=steady)
            states[request.host] = decision.state
            waiter = line.pop(request.owner, Waiter(owner=request.owner, since=now, seen_at=now))
            if decision.in_line:
                line[request.owner] = replace(waiter, seen_at=now)
            answers.append(decision.answer)
        self._save([state for name, state in states.items() if state != before[name]])
        self._save_lines(lines_before, lines)
        return answers

    def held(self, *, budget: int) -> list[Held]:
        """Return the hosts that nobody may ask now, where `budget` is the requests a day, 0 for any number."""
        now = database_now(self._connection, writes=False)
        is_spent = and_(hosts.c.budget_day == now.date().isoformat(), hosts.c.requests_today >= budget)
        query = select(hosts).where(or_(hosts.c.held_until > now, is_spent) if budget > 0 else hosts.c.held_until > now)
        states = (HostState(**row) for row in self._connection.execute(query).mappings())
        return [held for state in states if (held := hold_of(state, budget=budget, now=now)) is not None]

    def _locked(self, names: Sequence[str]) -> dict[str, HostState]:
        """Return the states of hosts, which nobody else can change until the end of the transaction."""
        found = {} if self._connection.dialect.name == "postgresql" else self._select_locked(names)
        if len(found) == len(names):
            return found
        # New rows first and then the locks, all by name: two processes never wait for each other in a circle. SQLite,
        # with one writer at a time, knows no such wait, and most hosts are there already.
        known = {row.host for part in slices(names) for row in self._connection.execute(_KNOWN, {"names": part})}
        missing = [asdict(HostState(host=name)) for name in names if name not in known]
        if missing:
            self._connection.execute(insert_unless_there(self._connection, hosts, "host"), missing)
        return self._select_locked(names)

    def _select_locked(self, names: Sequence[str]) -> dict[str, HostState]:
        return {
            row["host"]: HostState(**row)
            for part in slices(names)
            for row in self._connection.execute(_LOCKED, {"names": part}).mappings()
        }

    def _lines(self, names: Sequence[str]) -> dict[str, dict[str, Waiter]]:
        lines: dict[str, dict[str, Waiter]] = {name: {} for name in names}
        for part in slices(names):
            for row in self._connection.execute(_LINES, {"names": part}):
                lines[row.host][row.owner] = Waiter(owner=row.owner, since=row.since, seen_at=row.seen_at)
        return lines

    def _save(self, states: Sequence[HostState]) -> None:
        if states:
            rows = [asdict(state) for state in states]
            self._connection.execute(_UPDATE, [{"of_host": row.pop("host"), **row} for row in rows])

    def _save_lines(self, before: dict[str, dict[str, Waiter]], after: dict[str, dict[str, Waiter]]) -> None:
        left = [
            {"of_host": host, "of_owner": owner}
            for host, line in before.items()
            for owner in sorted(line.keys() - after[host].keys())
        ]
        standing = [
            {"host": host, **asdict(waiter)}
            for host, line in after.items()
            for waiter in line.values()
            if waiter != before[host].get(waiter.owner)
        ]
        if left:
            self._connection.execute(_LEAVE, left)
        if standing:
            self._connection.execute(_stand(self._connection.dialect.name), standing)


@cache
def _stand(dialect: str) -> Any:
    insert = insert_for(dialect, host_waiters)
    changed = {"since": insert.excluded.since, "seen_at": insert.excluded.seen_at}
    return insert.on_conflict_do_update(index_elements=["host", "owner"], set_=changed)
