"""Turns at hosts for tests that need no database: the same decisions, kept in memory."""

import asyncio
from datetime import UTC, datetime, timedelta

from crawler.slots import Answered
from storage.clock import steady_seconds
from storage.host_turns import HostState, Waiter, decide, hold_of, live
from storage.records import Fetch
from storage.robots_files import RobotsFile

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class SlotsInMemory:
    """Serves one event loop. Several processes are several `Politeness` on one of these."""

    def __init__(self) -> None:
        self.states: dict[str, HostState] = {}
        self.lines: dict[str, dict[str, Waiter]] = {}
        self.requests = []
        self._began = steady_seconds()

    def now(self) -> datetime:
        """Return the database's time: the steady clock, as on SQLite."""
        return NOON + timedelta(seconds=steady_seconds() - self._began)

    def ask(self, request):
        """Serve a request."""
        self.requests.append(request)
        asked_at, now = steady_seconds(), self.now()
        line = self.lines.setdefault(request.host, {})
        state = self.states.get(request.host) or HostState(host=request.host)
        decision = decide(state, request, waiters=live(line.values(), now), now=now, steady=asked_at)
        self.states[request.host] = decision.state
        waiter = line.pop(request.owner, Waiter(owner=request.owner, since=now, seen_at=now))
        if decision.in_line:
            line[request.owner] = Waiter(owner=request.owner, since=waiter.since, seen_at=now)
        return _done(Answered(answer=decision.answer, asked_at=asked_at, answered_at=steady_seconds()))

    def keep_alive(self, host, owner, lease):
        """Nothing: tests with turns in memory are over before a lease is."""

    def let_go(self, host):
        """Nothing either."""

    def held(self, *, budget):
        """Return the hosts that nobody may ask."""
        holds = [hold_of(state, budget=budget, now=self.now()) for state in self.states.values()]
        return _done([hold for hold in holds if hold is not None])


def _done(result):
    future = asyncio.get_running_loop().create_future()
    future.set_result(result)
    return future


class RobotsInMemory:
    """Copies of robots.txt, and the rows of the attempts to get them."""

    def __init__(self) -> None:
        self.copies: dict[str, RobotsFile] = {}
        self.rows: list[Fetch] = []

    async def stored(self, origin):
        """Return a copy."""
        return self.copies.get(origin)

    async def record(self, fetch, copy):
        """Keep both."""
        self.rows.append(fetch)
        if copy is not None:
            self.copies[copy.origin] = copy
