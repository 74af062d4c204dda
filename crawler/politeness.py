"""When a host may be asked again.

One request a host at a time, and a pause from the end of a response to the next request: the largest of the
configured delay, the host's own Crawl-delay (up to a cap) and twice its smoothed response time. A host that asks us
to wait (Retry-After, 429, 503) is held until then.
"""

import asyncio
import contextlib
import email.utils
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

MAX_CRAWL_DELAY_SECONDS = 30.0
MAX_RETRY_AFTER = timedelta(hours=24)
FIRST_BACK_OFF = timedelta(seconds=60)
MAX_BACK_OFF = timedelta(hours=1)
_SMOOTHING = 0.3


def retry_after(value: str | None, *, now: datetime) -> datetime | None:
    """Return the instant that a Retry-After header names (RFC 9110, 10.2.3), at most 24 h from `now`.

    None where the header is absent, malformed or in the past.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        # A number of many digits means "for long", not an overflow.
        wait = timedelta(seconds=min(int(text[:12]), MAX_RETRY_AFTER.total_seconds()))
        return now + wait if wait else None
    try:
        until = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(until, now + MAX_RETRY_AFTER) if until > now else None


def back_off(refusals: int, *, jitter: float) -> timedelta:
    """Return how long to leave a host alone after `refusals` (1, 2, …) answers of 429 or 503 in a row.

    It grows linearly up to an hour; `jitter` in 0…1 adds up to a half.
    """
    return min(FIRST_BACK_OFF * refusals, MAX_BACK_OFF) * (1 + jitter / 2)


class FetchingStopped(Exception):
    """No further request may be started. Nothing was sent, and what was to be fetched is still owed."""


@dataclass
class Turn:
    """One request's turn at a host.

    Whoever makes the request says how long the host took to answer, in seconds; or that nothing was sent after all.
    """

    response_seconds: float | None = None
    unused: bool = False


@dataclass
class _HostState:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_at: float = 0.0
    response_seconds: float | None = None
    crawl_delays: dict[str, float] = field(default_factory=dict)
    held_until: datetime | None = None
    refusals: int = 0

    def pause_seconds(self, delay: float) -> float:
        """Return the pause from the end of a response to the next request."""
        # Where no pause is wanted at all (a delay of 0), the response time must not bring one in.
        own_pace = 2 * (self.response_seconds or 0.0) if delay > 0 else 0.0
        return max(delay, own_pace, *self.crawl_delays.values(), 0.0)

    def learn(self, response_seconds: float) -> None:
        """Take a response time into the smoothed one, which begins with the first."""
        if self.response_seconds is None:
            self.response_seconds = response_seconds
        else:
            self.response_seconds += _SMOOTHING * (response_seconds - self.response_seconds)


class Politeness:
    """Spacing and holds of all hosts, for everything that one process fetches.

    `host` is `crawler.urls.host_key`. `default_delay_seconds` holds where a request brings no delay of its source's.
    """

    def __init__(
        self,
        *,
        default_delay_seconds: float,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._default_delay = default_delay_seconds
        self._jitter = jitter
        self._hosts: dict[str, _HostState] = {}
        self._stopped = asyncio.Event()

    def _host(self, host: str) -> _HostState:
        return self._hosts.setdefault(host, _HostState())

    def stop(self) -> None:
        """Start no further request: whoever waits for a turn, or asks for one, gets `FetchingStopped`."""
        self._stopped.set()

    @asynccontextmanager
    async def slot(
        self, host: str, *, delay_seconds: float | None = None, finishing: bool = False
    ) -> AsyncIterator[Turn]:
        """Wait until the host may be asked, hold it for one request, and space the next one from its end.

        Raises `FetchingStopped` after `stop`, but for a request that only finishes a chain that was begun.
        """
        state = self._host(host)
        delay = self._default_delay if delay_seconds is None else delay_seconds
        clock = asyncio.get_running_loop().time
        async with state.lock:
            while (wait := state.next_at - clock()) > 0 and (finishing or not self._stopped.is_set()):
                await self._sleep(wait, interruptible=not finishing)
            if self._stopped.is_set() and not finishing:
                raise FetchingStopped
            turn, started = Turn(), clock()
            try:
                yield turn
            finally:
                if not turn.unused:
                    ended = clock()
                    state.learn(ended - started if turn.response_seconds is None else turn.response_seconds)
                    state.next_at = ended + state.pause_seconds(delay)

    async def _sleep(self, seconds: float, *, interruptible: bool) -> None:
        if not interruptible:
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()

    def set_crawl_delay(self, host: str, seconds: float | None, *, origin: str) -> None:
        """Note the Crawl-delay of one origin's robots.txt, up to a cap; of all origins of a host the longest holds."""
        self._host(host).crawl_delays[origin] = min(seconds or 0.0, MAX_CRAWL_DELAY_SECONDS)

    def note_answer(self, host: str, *, status: int, retry_after_header: str | None, now: datetime) -> None:
        """Learn from an answer: 429 and 503 hold the host, anything else ends a row of refusals.

        A hold is never shortened by a later answer.
        """
        state = self._host(host)
        if status not in (429, 503):
            state.refusals = 0
            return
        state.refusals += 1
        until = retry_after(retry_after_header, now=now) or now + back_off(state.refusals, jitter=self._jitter())
        state.held_until = max(until, state.held_until or until)

    def held_until(self, host: str, *, now: datetime) -> datetime | None:
        """Return until when the host asked to be left alone, or None."""
        until = self._hosts[host].held_until if host in self._hosts else None
        return until if until is not None and until > now else None

    def held_hosts(self, *, now: datetime) -> dict[str, datetime]:
        """Return the hosts that are to be left alone now, each with the instant until when."""
        return {
            host: state.held_until
            for host, state in self._hosts.items()
            if state.held_until is not None and state.held_until > now
        }
