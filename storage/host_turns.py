"""Whose turn it is at a host, among all processes that work on one database: decided here, pure.

A process takes a *lease* on a host, for a slice of time in which it alone asks there. It prolongs the lease while a
request is in flight, and gives it up with the instant before which nobody may ask again. A process that has to wait
stands in line and is served in its turn. One that is killed loses its lease when it runs out; then the pause that it
had announced is kept before anybody asks again.

All instants are the database's. What is asked for and answered is in seconds, so that no process needs to have the
same clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

LEASE = timedelta(seconds=10)
"""How long a lease lasts when nothing is heard of its holder."""
GRANTED_AHEAD = timedelta(seconds=2)
"""How long before the host may be asked a lease is given at most: a longer pause need not keep others out."""
IN_LINE_FOR = timedelta(seconds=5)
"""Who stood in line and was not heard of for so long stands there no more."""
ASK_AGAIN = timedelta(seconds=0.25)
"""When to ask again for a lease that another has."""
MAX_HOLD = timedelta(hours=24)
QUICKEST = timedelta(seconds=0.1)
"""A lease is for as many requests as begin within it when they begin no closer than this, or than their pause."""

HOST_ASKED_TO_WAIT = "host_asked_to_wait"
HOST_REFUSES = "host_refuses"
"""It refused one page after the other (401, 403, 451)."""
BUDGET_SPENT = "budget_spent"


@dataclass(frozen=True, kw_only=True)
class HostState:
    """What all processes know of a host.

    `epoch` counts the leases that were given. `next_request_at` is when the host may be asked again, `pause_seconds`
    what was kept free for it after a response. `held_until` is until when the host is left alone, `hold_reason` why,
    None where it asked for that, and `refusals` how many answers in a row did or refused a page. `requests_unreported`
    may have been made by the lease that was given last: so many it was given for, less those that its holder reported.
    """

    host: str
    epoch: int = 0
    reserved_by: str | None = None
    reserved_until: datetime | None = None
    next_request_at: datetime | None = None
    pause_seconds: float = 0.0
    response_seconds: float | None = None
    held_until: datetime | None = None
    hold_reason: str | None = None
    refusals: int = 0
    budget_day: str | None = None
    requests_today: int = 0
    requests_unreported: int = 0


@dataclass(frozen=True, kw_only=True)
class Waiter:
    """A process in line for a host."""

    owner: str
    since: datetime
    seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class Take:
    """Asks for a lease. `pause_seconds` is the pause that will be kept; `budget` the requests a day, 0 for any."""

    host: str
    owner: str
    pause_seconds: float
    budget: int = 0


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a holder has to say of its lease, which goes on for another while or, with `release`, ends.

    `next_at` is when the host may be asked again and `hold_until` until when it must be left alone, both on the
    holder's steady clock; `hold_reason` is why, None where the host asked for that; `requests` how many were made since
    the last report.
    """

    host: str
    owner: str
    epoch: int
    release: bool
    pause_seconds: float
    next_at: float | None = None
    response_seconds: float | None = None
    requests: int = 0
    refusals: int = 0
    hold_until: float | None = None
    hold_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Leave:
    """Ends whatever `owner` has at a host: its place in line, and a lease that it never used."""

    host: str
    owner: str


SlotRequest = Take | Report | Leave


@dataclass(frozen=True, kw_only=True)
class Granted:
    """A lease for so many seconds. The host may be asked in `start_in_seconds`, `requests_left` times at most."""

    epoch: int
    lease_seconds: float
    start_in_seconds: float
    pause_seconds: float
    response_seconds: float | None
    refusals: int
    requests_left: int


@dataclass(frozen=True, kw_only=True)
class NotYet:
    """Another has the turn; ask again in so many seconds."""

    retry_in_seconds: float


@dataclass(frozen=True, kw_only=True)
class Held:
    """The host must be left alone for so many seconds: `host_asked_to_wait`, `host_refuses` or `budget_spent`."""

    host: str
    seconds: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A report was taken; the lease lasts so many seconds more, 0 where it is given up or was lost."""

    lease_seconds: float


SlotAnswer = Granted | NotYet | Held | Kept


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What becomes of the host, what is answered, and whether who asked stands in line from now on."""

    state: HostState
    answer: SlotAnswer
    in_line: bool = False


def decide(
    state: HostState, request: SlotRequest, *, waiters: Sequence[Waiter], now: datetime, steady: float
) -> Decision:
    """Return what a request comes to. `steady` is the asking process's steady clock, read just before `now`."""
    state = _plausible(state, now)
    match request:
        case Take():
            return _take(state, request, waiters, now)
        case Report():
            return _report(state, request, now, steady)
        case Leave():
            released = _free(state) if _is_holder(state, request) else state
            return Decision(state=released, answer=Kept(lease_seconds=0.0))


def hold_of(state: HostState, *, budget: int, now: datetime) -> Held | None:
    """Return why and for how long nobody may ask a host, or None."""
    if state.held_until is not None and state.held_until > now:
        reason = state.hold_reason or HOST_ASKED_TO_WAIT
        return Held(host=state.host, seconds=(state.held_until - now).total_seconds(), reason=reason)
    left = _requests_left(state, budget, now)
    if left is None or left > 0:
        return None
    return Held(host=state.host, seconds=(_next_day(now) - now).total_seconds(), reason=BUDGET_SPENT)


def live(waiters: Iterable[Waiter], now: datetime) -> list[Waiter]:
    """Return those who still stand in line, the first first."""
    # One that was seen in the future was seen before the clock was set back.
    standing = [waiter for waiter in waiters if abs(now - waiter.seen_at) <= IN_LINE_FOR]
    return sorted(standing, key=lambda waiter: (waiter.since, waiter.owner))


def _plausible(state: HostState, now: datetime) -> HostState:
    """Return a state without instants that lie further ahead than they can: they are older than a clock set back."""

    def at_most(instant: datetime | None, ahead: timedelta) -> datetime | None:
        return None if instant is None else min(instant, now + ahead)

    return replace(
        state,
        reserved_until=at_most(state.reserved_until, LEASE),
        next_request_at=at_most(state.next_request_at, timedelta(seconds=state.pause_seconds)),
        held_until=at_most(state.held_until, MAX_HOLD),
    )


def _take(state: HostState, request: Take, waiters: Sequence[Waiter], now: datetime) -> Decision:
    if not _is_taken(state, request, now):
        # Of a lease that ended without a word, all that it was for may have been asked.
        state = _counted(state, state.requests_unreported, now)
    held = hold_of(state, budget=request.budget, now=now)
    if held is not None:
        return Decision(state=state, answer=held)
    if _is_taken(state, request, now) or _others_first(request, live(waiters, now)):
        return _in_line(state, ASK_AGAIN)
    start_at = max(_may_be_asked_at(state, request), now)
    if start_at - now > GRANTED_AHEAD:
        return _in_line(state, min(start_at - now - GRANTED_AHEAD, IN_LINE_FOR / 2))
    pause = max(request.pause_seconds, state.pause_seconds)
    granted = Granted(
        epoch=state.epoch + 1,
        lease_seconds=LEASE.total_seconds(),
        start_in_seconds=(start_at - now).total_seconds(),
        pause_seconds=pause,
        response_seconds=state.response_seconds,
        refusals=state.refusals,
        requests_left=_requests_granted(state, request, now),
    )
    reserved = replace(
        state,
        epoch=granted.epoch,
        reserved_by=request.owner,
        reserved_until=now + LEASE,
        next_request_at=start_at,
        pause_seconds=pause,
        requests_unreported=granted.requests_left,
    )
    return Decision(state=reserved, answer=granted)


def _in_line(state: HostState, wait: timedelta) -> Decision:
    return Decision(state=state, answer=NotYet(retry_in_seconds=wait.total_seconds()), in_line=True)


def _is_taken(state: HostState, request: Take, now: datetime) -> bool:
    if state.reserved_by is None or state.reserved_by == request.owner or state.reserved_until is None:
        return False
    return state.reserved_until > now


def _others_first(request: Take, waiters: Sequence[Waiter]) -> bool:
    return bool(waiters) and waiters[0].owner != request.owner


def _may_be_asked_at(state: HostState, request: Take) -> datetime:
    """Return when a host may be asked again: after the pause of whoever asked last, also if nothing more came of it.

    Where who asks now keeps a longer pause, that one counts from the end of the last response.
    """
    instants = [datetime.min.replace(tzinfo=UTC)]
    if state.next_request_at is not None:
        longer = timedelta(seconds=max(request.pause_seconds - state.pause_seconds, 0.0))
        instants.append(state.next_request_at + longer)
    if state.reserved_by is not None and state.reserved_until is not None:
        instants.append(state.reserved_until + timedelta(seconds=state.pause_seconds))
    return max(instants)


def _report(state: HostState, report: Report, now: datetime, steady: float) -> Decision:
    """Take in what a holder learnt; facts count also if the lease was lost meanwhile, which then stays as it is.

    But for what whoever has it now knows better: the refusals in a row. The requests of a lost lease are counted.
    """
    is_valid = _is_holder(state, report) and state.epoch == report.epoch
    held_until = _later(state.held_until, _instant(report.hold_until, now, steady))
    told = replace(
        _counted(state, report.requests, now) if is_valid else state,
        response_seconds=report.response_seconds if report.response_seconds is not None else state.response_seconds,
        refusals=report.refusals if is_valid else state.refusals,
        held_until=held_until,
        hold_reason=state.hold_reason if held_until == state.held_until else report.hold_reason,
        pause_seconds=max(report.pause_seconds, state.pause_seconds),
        next_request_at=_later(state.next_request_at, _instant(report.next_at, now, steady)),
    )
    if not is_valid:
        return Decision(state=told, answer=Kept(lease_seconds=0.0))
    if report.release:
        free = replace(_free(told), pause_seconds=report.pause_seconds)
        return Decision(state=free, answer=Kept(lease_seconds=0.0))
    return Decision(state=replace(told, reserved_until=now + LEASE), answer=Kept(lease_seconds=LEASE.total_seconds()))


def _free(state: HostState) -> HostState:
    return replace(state, reserved_by=None, reserved_until=None, requests_unreported=0)


def _is_holder(state: HostState, request: SlotRequest) -> bool:
    return state.reserved_by == request.owner


def _instant(at: float | None, now: datetime, steady: float) -> datetime | None:
    return None if at is None or at <= steady else now + timedelta(seconds=at - steady)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return max(one, other)


def _requests_left(state: HostState, budget: int, now: datetime) -> int | None:
    """Return how often the host may still be asked today, None for as often as one likes."""
    if budget <= 0:
        return None
    return max(budget - state.requests_today, 0) if state.budget_day == _day(now).isoformat() else budget


def _requests_granted(state: HostState, request: Take, now: datetime) -> int:
    """Return how many requests a lease is for."""
    most = 1 + LEASE // max(timedelta(seconds=request.pause_seconds), QUICKEST)
    left = _requests_left(state, request.budget, now)
    return most if left is None else min(left, most)


def _counted(state: HostState, requests: int, now: datetime) -> HostState:
    """Return a state with requests of the last lease counted, none of them twice."""
    requests = min(requests, state.requests_unreported)
    if not requests:
        return state
    today = _day(now).isoformat()
    return replace(
        state,
        budget_day=today,
        requests_today=requests + (state.requests_today if state.budget_day == today else 0),
        requests_unreported=state.requests_unreported - requests,
    )


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _next_day(now: datetime) -> datetime:
    return datetime.combine(_day(now) + timedelta(days=1), time.min, tzinfo=UTC)
