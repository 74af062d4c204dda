"""Hosts: whose turn it is, and what all processes know of them. What a request comes to is decided in `host_turns`."""

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime

from sqlalchemy import Connection, Select, and_, bindparam, delete, func, or_, select, update

from storage.database_clock import database_now
from storage.host_turns import (
    Granted,
    Held,
    HostState,
    SlotAnswer,
    SlotRequest,
    Take,
    Waiter,
    decide,
    hold_of,
    live,
)
from storage.statements import insert_or, insert_unless_there, slices
from storage.tables import host_waiters, hosts, robots_files

_COLUMNS = [field.name for field in fields(HostState)]
_UPDATE = (
    update(hosts)
    .where(hosts.c.host == bindparam("of_host"))
    .values({name: bindparam(name) for name in _COLUMNS if name != "host"})
)
_LEAVE = delete(host_waiters).where(
    host_waiters.c.host == bindparam("of_host"), host_waiters.c.owner == bindparam("of_owner")
)


class Hosts:
    """The turns of all hosts. Many requests are served at once, and wait for the same rows of other processes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def act(self, requests: Sequence[SlotRequest], *, steady: float) -> list[SlotAnswer]:
        """Serve requests in their order and return what each comes to. `steady` is the asker's steady clock, just read.

        To be called in a transaction that writes nothing else, so that hosts are not waited for in a circle.
        """
        names = sorted({request.host for request in requests})
        before = self._locked(names)
        # After the rows were waited for, not before.
        now = database_now(self._connection, writes=True)
        lines_before = self._lines(names)
        lines = {name: {waiter.owner: waiter for waiter in live(lines_before[name].values(), now)} for name in names}
        delays = self._crawl_delays(sorted({request.host for request in requests if isinstance(request, Take)}), now)
        states, answers = dict(before), list[SlotAnswer]()
        for request in requests:
            line = lines[request.host]
            decision = decide(states[request.host], request, waiters=list(line.values()), now=now, steady=steady)
            states[request.host] = decision.state
            waiter = line.pop(request.owner, Waiter(owner=request.owner, since=now, seen_at=now))
            if decision.in_line:
                line[request.owner] = replace(waiter, seen_at=now)
            answers.append(_with_crawl_delay(decision.answer, delays.get(request.host, 0.0)))
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
        # New rows first and then the locks, all by name: two processes never wait for each other in a circle.
        known = {row.host for part in slices(names) for row in self._connection.execute(_named(part))}
        missing = [asdict(HostState(host=name)) for name in names if name not in known]
        if missing:
            self._connection.execute(insert_unless_there(self._connection, hosts, "host"), missing)
        found = {}
        for part in slices(names):
            query = select(hosts).where(hosts.c.host.in_(part)).order_by(hosts.c.host).with_for_update()
            found.update({row["host"]: HostState(**row) for row in self._connection.execute(query).mappings()})
        return found

    def _lines(self, names: Sequence[str]) -> dict[str, dict[str, Waiter]]:
        lines: dict[str, dict[str, Waiter]] = {name: {} for name in names}
        for part in slices(names):
            for row in self._connection.execute(select(host_waiters).where(host_waiters.c.host.in_(part))):
                lines[row.host][row.owner] = Waiter(owner=row.owner, since=row.since, seen_at=row.seen_at)
        return lines

    def _crawl_delays(self, names: Sequence[str], now: datetime) -> dict[str, float]:
        """Return the longest Crawl-delay that any origin of these hosts asks for, as far as copies are fresh."""
        delays = {}
        for part in slices(names):
            query = (
                select(robots_files.c.host, func.max(robots_files.c.crawl_delay_seconds))
                .where(
                    robots_files.c.host.in_(part),
                    robots_files.c.crawl_delay_seconds.is_not(None),
                    robots_files.c.expires_at > now,
                )
                .group_by(robots_files.c.host)
            )
            delays.update({host: float(delay) for host, delay in self._connection.execute(query)})
        return delays

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
            insert = insert_or(self._connection, host_waiters)
            changed = {"since": insert.excluded.since, "seen_at": insert.excluded.seen_at}
            self._connection.execute(
                insert.on_conflict_do_update(index_elements=["host", "owner"], set_=changed), standing
            )


def _named(part: Sequence[str]) -> Select[tuple[str]]:
    return select(hosts.c.host).where(hosts.c.host.in_(part))


def _with_crawl_delay(answer: SlotAnswer, seconds: float) -> SlotAnswer:
    return replace(answer, crawl_delay_seconds=seconds) if isinstance(answer, Granted) else answer
