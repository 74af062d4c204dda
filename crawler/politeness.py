"""When a host may be asked: one request at a time, whoever asks, and a pause from the end of a response to the next.

All processes of a database share the turns (`storage.host_turns`). How long a pause and a hold are is decided in
`crawler.pacing`, what a lease allows in `crawler.lease`; here it is waited for.
"""

import asyncio
import contextlib
import math
import random
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

import structlog

from crawler.lease import Lease
from crawler.pacing import (
    FORBIDDEN,
    REFUSALS,
    forbidden_seconds,
    hold_seconds,
    pause_seconds,
    refusals_after,
    silence_seconds,
)
from crawler.places import Pace, Place, Places, pace_of
from crawler.slots import Answered, KeepsSlots
from storage.clock import steady_seconds, utc_now
from storage.errors import MorgueError
from storage.host_turns import HOST_ASKED_TO_WAIT, HOST_REFUSES, Granted, Held, Leave, NotYet, SlotRequest, Take

log = structlog.get_logger()

LINGER_SECONDS = 0.25
"""How long a lease is kept at least after a response, in case there is more to ask."""
HOLDS_READ_SECONDS = 3.0
"""How often it is looked what other processes were told, while somebody wants to know."""
REQUESTS_AT_ONCE = 16
PATIENT_AT_ONCE = 512
HOST_SILENT = "host_silent"
"""Why a host is left alone that let several requests in a row run into their time limits."""
SILENT_HOSTS = 10_000
"""So many silent hosts are remembered; of more, those that were asked longest ago are forgotten."""
SILENT_LATELY_SECONDS = 900.0
"""So long after it might have been asked again a host is told that let its last request run into a time limit."""
STUCK_SECONDS = 15.0
"""A host whose request takes longer than this is told to those who ask what is stuck."""
RECORDED_WITHIN_SECONDS = 10.0
"""So long after a page was asked for its host is kept from other processes until it is recorded what came."""
RECORDED_LOOK_SECONDS = 0.05
"""How often it is looked whether it is."""
FINISHED_WITHIN_SECONDS = 5.0
"""How long after a stop what only finishes a chain may still begin."""


class FetchingStopped(Exception):
    """No further request may be started. Nothing was sent, and what was to be fetched is still owed."""


class FetchingHalted(FetchingStopped):
    """No request of this source may be started for now; others go on."""


class NoLongerOwed(FetchingHalted):
    """What was to be fetched was fetched by another process, or taken back, while it waited for its turn."""


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Until when a host is left alone, and why: a wait it asked for, refusals, silence, or the end of a budget."""

    until: datetime
    reason: str


@dataclass
class Turn:
    """One request's turn at a host.

    With a `hold` there is no turn, and nothing may be sent. `contended` says that another process asked the host while
    we waited for it. Whoever makes the request says how long the host took to
    answer, in seconds, and what it answered; or that it ran into a time limit, or that nothing was sent after all.
    """

    hold: Hold | None = None
    contended: bool = False
    response_seconds: float | None = None
    unused: bool = False
    silent: bool = False
    status: int | None = None
    retry_after_header: str | None = None
    is_page: bool = False

    def answered(self, status: int, *, retry_after_header: str | None) -> None:
        """Say what the host answered: 429 and 503 hold it, and so do pages in a row that it refuses (`is_page`)."""
        self.status, self.retry_after_header = status, retry_after_header


@dataclass(frozen=True, kw_only=True)
class StuckHost:
    """A host that has not ended an answer for long, or lately never did in time.

    `seconds` is for how long a request to it has been in flight, None where none is; `silences` how many in a row ran
    into a time limit.
    """

    host: str
    seconds: float | None
    silences: int


@dataclass
class _Silence:
    times: int = 0
    until: datetime | None = None
    ended_at: float = 0.0


@dataclass
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0
    lease: Lease | None = None
    idle: asyncio.TimerHandle | None = None
    asked_at: float | None = None
    parts_wanted: int = 0
    unrecorded: dict[str, float] = field(default_factory=dict)


class Politeness:
    """The turns of one process at all hosts, for everything that it fetches; used as `async with`.

    `host` is `crawler.urls.host_key`. `default_delay_seconds` holds where a request brings no delay of its source's.
    `requests_per_day` is how often a host may be asked in a UTC day, by all processes, 0 for any number; `at_once` how
    many requests of this process may be in flight to hosts that answer quickly, `patient_at_once` how many to others
    (`crawler.places`).
    """

    def __init__(
        self,
        slots: KeepsSlots,
        *,
        default_delay_seconds: float,
        requests_per_day: int = 0,
        at_once: int = REQUESTS_AT_ONCE,
        patient_at_once: int = PATIENT_AT_ONCE,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = steady_seconds,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._slots = slots
        self._default_delay = default_delay_seconds
        self._budget = requests_per_day
        self._places = Places(common=at_once, patient=patient_at_once)
        self._jitter = jitter
        self._clock = clock
        self._now = now
        self._owner = str(uuid.uuid4())
        self._hosts: dict[str, _Host] = {}
        self._crawl_delays: dict[str, dict[str, float]] = {}
        self._holds: dict[str, Hold] = {}
        self._silences: OrderedDict[str, _Silence] = OrderedDict()
        self._holds_wanted = False
        self._stopped = asyncio.Event()
        self._ends_at = math.inf
        self._told: set[asyncio.Future[Answered]] = set()
        self._holds_reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._read_holds()
        self._holds_reader = asyncio.create_task(self._keep_reading_holds())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._holds_reader is not None:
            self._holds_reader.cancel()
            await asyncio.gather(self._holds_reader, return_exceptions=True)
        for name, host in self._hosts.items():
            if host.idle is not None:
                host.idle.cancel()
            if host.lease is not None:
                if host.lease.in_flight:  # it was given up, and what the host does with it we shall not know
                    host.lease.ended_at = self._clock()
                self._give_up(name, host, host.lease, self._pause(name, host.lease))
        await asyncio.gather(*self._told, return_exceptions=True)

    def stop(self) -> None:
        """Start no further request: whoever waits for a turn, or asks for one, gets `FetchingStopped`.

        Only what finishes a chain that was begun still has its turn, if that comes within a few seconds.
        """
        self._ends_at = min(self._ends_at, self._clock() + FINISHED_WITHIN_SECONDS)
        self._stopped.set()

    @asynccontextmanager
    async def slot(
        self, name: str, *, delay_seconds: float | None = None, finishing: bool = False, part: bool = False
    ) -> AsyncIterator[Turn]:
        """Wait until the host may be asked, hold it for one request, and space the next one from its end.

        Where the host is to be left alone, the turn that is given has a `hold`. What is a `part` of a page that is in
        hand does not wait until that is recorded. Raises `FetchingStopped` after `stop`, but for a request that only
        finishes a chain that was begun and need not wait long, and `DatabaseUnavailable`.
        """
        delay = self._default_delay if delay_seconds is None else delay_seconds
        host = self._hosts.setdefault(name, _Host())
        host.wanted += 1
        host.parts_wanted += part or finishing
        try:
            async with host.lock:
                got = await self._start(name, host, delay, finishing=finishing)
                if isinstance(got, Hold):
                    yield Turn(hold=got)
                    return
                lease, place = got
                turn, started = Turn(contended=lease.contended), self._clock()
                host.asked_at = started
                try:
                    yield turn
                finally:
                    host.asked_at = None
                    place.release()
                    await self._end(name, host, lease, turn, started=started)
        finally:
            host.wanted -= 1
            host.parts_wanted -= part or finishing
            self._rest(name, host)

    def keep_until_recorded(self, name: str, request: str) -> None:
        """Keep a host from other processes, for some seconds at most, until `recorded` is called for this request.

        Called in its turn. Who gets the next turn looks up what is still owed, and must find what this one brings.
        """
        self._hosts.setdefault(name, _Host()).unrecorded[request] = self._clock() + RECORDED_WITHIN_SECONDS

    def recorded(self, name: str, request: str) -> None:
        """Say that what a request brought is recorded, or never will be."""
        if (host := self._hosts.get(name)) is not None:
            host.unrecorded.pop(request, None)

    def _awaits_record(self, host: _Host, lease: Lease) -> bool:
        """Whether a lease that is over is kept a while; never where what is to be recorded needs the host for that."""
        if lease.lost or host.parts_wanted:
            return False
        now = self._clock()
        host.unrecorded = {request: until for request, until in host.unrecorded.items() if until > now}
        return bool(host.unrecorded)

    async def _start(self, name: str, host: _Host, delay: float, *, finishing: bool) -> tuple[Lease, Place] | Hold:
        """Wait until a request may begin, and begin it: then a place is taken, and the lease says so."""
        while True:
            self._check_going_on(finishing=finishing)
            hold = self.hold(name, now=self._now())
            if hold is not None:
                return hold
            lease = host.lease
            if lease is None:
                got = await self._take(name, delay, finishing=finishing)
                if isinstance(got, Hold):
                    return got
                lease = host.lease = got
            pause = self._pause(name, lease, delay)
            begins_at = max(lease.next_at(pause), self._clock())
            if not lease.may_start(begins_at):
                if self._awaits_record(host, lease):
                    await self._sleep(RECORDED_LOOK_SECONDS, finishing=finishing)
                else:
                    self._give_up(name, host, lease, pause)
            elif pause > lease.announced:
                await self._announce(name, lease, pause)
            elif begins_at > self._clock():
                await self._sleep(begins_at - self._clock(), finishing=finishing)
            elif (place := await self._begin(name, lease, delay, finishing=finishing)) is not None:
                return lease, place

    async def _begin(self, name: str, lease: Lease, delay: float, *, finishing: bool) -> Place | None:
        """Take a place among the requests in flight, for which there may be a wait; and then the lease must still hold.

        No instant lies between this last look at the clock and the request.
        """
        place = await self._places.take(self._pace(name, lease))
        now = self._clock()
        if self._is_over(now, finishing=finishing) or not lease.may_start(now):
            place.release()
            return None
        lease.begin(delay)
        self._slots.keep_alive(name, self._owner, lease)
        return place

    def _pace(self, name: str, lease: Lease) -> Pace:
        return Pace.SLOW if name in self._silences else pace_of(lease.response_seconds)

    async def _take(self, name: str, delay: float, *, finishing: bool) -> Lease | Hold:
        """Stand in line for the host until there is a lease, or a hold."""
        contended = False
        try:
            while True:
                self._check_going_on(finishing=finishing)
                pause = pause_seconds(delay=delay, crawl_delay=self._crawl_delay(name), response_seconds=None)
                request = Take(host=name, owner=self._owner, pause_seconds=pause, budget=self._budget)
                answered = await self._slots.ask(request)
                match answered.answer:
                    case Granted() as granted:
                        return Lease.of(
                            granted,
                            asked_at=answered.asked_at,
                            answered_at=answered.answered_at,
                            contended=contended,
                        )
                    case Held() as held:
                        return self._note(held)
                    case NotYet(retry_in_seconds=seconds):
                        contended = True
                        await self._sleep(seconds, finishing=finishing)
        except (asyncio.CancelledError, FetchingStopped):
            # Nobody else shall wait for one who went, nor for a lease that was given meanwhile.
            self._tell(Leave(host=name, owner=self._owner))
            raise

    async def _end(self, name: str, host: _Host, lease: Lease, turn: Turn, *, started: float) -> None:
        """Take in what a request brought; a hold is known to all before anybody has the next turn."""
        now = self._clock()
        if turn.unused:
            lease.withdraw()
            if not self._awaits_record(host, lease):
                self._slots.let_go(name)
            return
        lease.end(now, now - started if turn.response_seconds is None else turn.response_seconds)
        self._note_silence(name, turn)
        pause = self._pause(name, lease)
        lease.refusals = refusals_after(lease.refusals, turn.status, is_page=turn.is_page)
        seconds, reason = self._hold_after(turn, lease.refusals)
        if seconds > 0:
            held = self._give_up(name, host, lease, pause, hold_until=now + seconds, hold_reason=reason)
            await asyncio.shield(held)
            self._note(Held(host=name, seconds=seconds, reason=reason))
            return
        if self._awaits_record(host, lease):
            over = False  # and it goes on to be prolonged
        else:
            over = lease.lost or now >= lease.slice_until
            self._slots.let_go(name)
        if over:
            self._give_up(name, host, lease, pause)
        elif lease.falls_short(pause, now):
            await self._announce(name, lease, pause)

    def _note_silence(self, name: str, turn: Turn) -> None:
        """Leave a host alone for longer and longer that lets one request after the other run into its time limit.

        This process alone does so, and forgets it with its end: who names such a host has it asked.
        """
        if not turn.silent:
            self._silences.pop(name, None)
            return
        silence = self._silences.pop(name, None) or _Silence()
        silence.times += 1
        seconds = silence_seconds(silence.times)
        silence.ended_at, silence.until = self._clock(), self._now() + timedelta(seconds=seconds) if seconds else None
        self._silences[name] = silence
        if len(self._silences) > SILENT_HOSTS:
            self._silences.popitem(last=False)

    def _hold_after(self, turn: Turn, refusals: int) -> tuple[float, str]:
        """Return for how long the host is to be left alone after an answer, 0 for not at all, and why."""
        if turn.status in REFUSALS:
            at = self._now()
            seconds = hold_seconds(turn.retry_after_header, refusals=refusals, at=at, jitter=self._jitter())
            return seconds, HOST_ASKED_TO_WAIT
        if turn.status in FORBIDDEN and turn.is_page:
            return forbidden_seconds(refusals, jitter=self._jitter()), HOST_REFUSES
        return 0.0, ""

    def _rest(self, name: str, host: _Host) -> None:
        """Give a lease up when nothing was asked for a while; meanwhile nobody may ask anyway."""
        if host.wanted:
            return
        if host.lease is None:
            self._hosts.pop(name, None)
            return
        now = self._clock()
        pause = self._pause(name, host.lease)
        wait = min(max(host.lease.next_at(pause) - now, LINGER_SECONDS), host.lease.slice_until - now)
        if host.idle is not None:
            host.idle.cancel()
        host.idle = asyncio.get_running_loop().call_later(max(wait, 0.0), self._leave_idle, name, host)

    def _leave_idle(self, name: str, host: _Host) -> None:
        if host.wanted or host.lease is None:
            return
        if self._awaits_record(host, host.lease):
            host.idle = asyncio.get_running_loop().call_later(RECORDED_LOOK_SECONDS, self._leave_idle, name, host)
            return
        self._give_up(name, host, host.lease, self._pause(name, host.lease))
        self._hosts.pop(name, None)

    # What the database is told

    def _give_up(
        self,
        name: str,
        host: _Host,
        lease: Lease,
        pause: float,
        *,
        hold_until: float | None = None,
        hold_reason: str | None = None,
    ) -> "asyncio.Future[Answered]":
        host.lease = None
        self._slots.let_go(name)
        report = lease.report(name, self._owner, release=True, pause=pause, hold_until=hold_until)
        return self._tell(replace(report, hold_reason=hold_reason))

    async def _announce(self, name: str, lease: Lease, pause: float) -> None:
        """Say that the lease is still in use, and what pause will be kept after it."""
        report = lease.report(name, self._owner, release=False, pause=pause)
        answered = await asyncio.shield(self._tell(report))
        lease.take_in(answered.answer, asked_at=answered.asked_at)
        lease.announced = max(lease.announced, report.pause_seconds)

    def _tell(self, request: SlotRequest) -> "asyncio.Future[Answered]":
        """Ask for something whose answer need not be awaited; should it fail, so will what is asked next."""
        told = self._slots.ask(request)
        self._told.add(told)
        told.add_done_callback(self._was_told)
        return told

    def _was_told(self, told: "asyncio.Future[Answered]") -> None:
        self._told.discard(told)
        problem = None if told.cancelled() else told.exception()
        if problem is not None:
            log.debug("slot_not_told", problem=str(problem))

    async def _keep_reading_holds(self) -> None:
        """Look now and then what other processes were told, while somebody wants to know."""
        while True:
            await asyncio.sleep(HOLDS_READ_SECONDS)
            if not self._holds_wanted:
                continue
            self._holds_wanted = False
            try:
                await self._read_holds()
            except MorgueError as problem:
                # Whoever asks for a turn next is told by the database itself.
                log.debug("holds_not_read", problem=str(problem))

    # Waiting

    def _is_over(self, at: float, *, finishing: bool) -> bool:
        """Whether no request may begin at an instant any more."""
        return self._stopped.is_set() and (not finishing or at > self._ends_at)

    def _check_going_on(self, *, finishing: bool, wait: float = 0.0) -> None:
        if self._is_over(self._clock() + wait, finishing=finishing):
            raise FetchingStopped

    async def _sleep(self, seconds: float, *, finishing: bool) -> None:
        """Wait, but not longer than until a stop, after which only a short wait is worth it."""
        self._check_going_on(finishing=finishing, wait=seconds)
        if self._stopped.is_set():
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()

    # Pauses and holds

    def set_crawl_delay(self, name: str, seconds: float | None, origin: str) -> None:
        """Note the Crawl-delay of one origin's robots.txt; of all origins of a host the longest holds."""
        delays = self._crawl_delays.setdefault(name, {})
        delays.pop(origin, None)
        if seconds:
            delays[origin] = seconds
        if not delays:
            del self._crawl_delays[name]

    def _crawl_delay(self, name: str) -> float:
        return max(self._crawl_delays.get(name, {}).values(), default=0.0)

    def _pause(self, name: str, lease: Lease, delay: float = 0.0) -> float:
        return lease.pause(crawl_delay=self._crawl_delay(name), delay=delay)

    def _note(self, held: Held) -> Hold:
        hold = Hold(until=self._now() + timedelta(seconds=held.seconds), reason=held.reason)
        self._holds[held.host] = hold
        return hold

    async def _read_holds(self) -> None:
        held = await self._slots.held(budget=self._budget)
        self._holds = {}
        for one in held:
            self._note(one)

    def hold(self, name: str, *, now: datetime) -> Hold | None:
        """Return why and until when the host is to be left alone, or None."""
        hold = self._holds.get(name)
        if hold is not None and hold.until > now:
            return hold
        silence = self._silences.get(name)
        if silence is None or silence.until is None or silence.until <= now:
            return None
        return Hold(until=silence.until, reason=HOST_SILENT)

    def held_until(self, name: str, *, now: datetime) -> datetime | None:
        """Return until when the host is to be left alone, or None."""
        self._holds_wanted = True
        hold = self.hold(name, now=now)
        return None if hold is None else hold.until

    def held_hosts(self, *, now: datetime) -> dict[str, datetime]:
        """Return the hosts that are to be left alone now, each with the instant until when."""
        self._holds_wanted = True
        silent = {name: one.until for name, one in self._silences.items() if one.until is not None and one.until > now}
        return silent | {name: hold.until for name, hold in self._holds.items() if hold.until > now}

    def stuck(self) -> Sequence[StuckHost]:
        """Return the hosts that have not ended an answer for long, or lately not in time, the longest first.

        May be asked from another thread.
        """
        at, found = self._clock(), dict[str, StuckHost]()
        for name, silence in self._silences.copy().items():
            if at - silence.ended_at < silence_seconds(silence.times) + SILENT_LATELY_SECONDS:
                found[name] = StuckHost(host=name, seconds=None, silences=silence.times)
        for name, host in self._hosts.copy().items():
            asked_at = host.asked_at
            if asked_at is not None and (name in found or at - asked_at > STUCK_SECONDS):
                silences = found[name].silences if name in found else 0
                found[name] = StuckHost(host=name, seconds=at - asked_at, silences=silences)
        return sorted(found.values(), key=lambda one: (-(one.seconds or 0.0), -one.silences, one.host))
