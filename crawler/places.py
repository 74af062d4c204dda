"""How many requests of a process may be in flight, so that hosts which say nothing keep no others waiting.

A bound on requests in flight is there for the sake of processor, memory and network, of which a connection that waits
for a silent host takes next to nothing. So there are two kinds of places. The few *common* ones are for hosts that
answered quickly when they were asked last. The many *patient* ones are for all others: hosts that were never asked,
those that were slow or silent lately, and those that were quick and have now said nothing for a while; these give their
common place back as soon as there is a patient one. Hosts known to be slow never have the last quarter of the patient
places, so that there is always one for a host that was never asked. Nor do requests to such hosts begin all at once:
making hundreds of connections in one moment would keep us busy, and make quick hosts look slow.
"""

import asyncio
import contextlib
import resource
from collections import deque
from enum import StrEnum

QUICK_SECONDS = 2.0
"""Who usually takes longer to answer is slow, and a request that takes longer needs no common place any more."""
BEGINNING_SECONDS = 0.1
BEGINNING_A_PLACE = 2
"""For each common place so many requests with a patient one may be in their first moments."""
PATIENT_A_PLACE = 32
"""So many patient places there are for each common one."""


class Pace(StrEnum):
    """How a host is known to answer."""

    QUICK = "quick"
    UNKNOWN = "unknown"
    SLOW = "slow"


def pace_of(response_seconds: float | None) -> Pace:
    """Return how a host with this smoothed response time answers; None where it never did."""
    if response_seconds is None:
        return Pace.UNKNOWN
    return Pace.QUICK if response_seconds <= QUICK_SECONDS else Pace.SLOW


def patient_places(common: int, *, open_files: int) -> int:
    """Return how many patient places go with the common ones where a process may have so many files open."""
    return max(min(PATIENT_A_PLACE * common, open_files // 2 - common), common)


def open_files_allowed() -> int:
    """Return how many files this process may have open, after asking for as many as it may ask for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return 4096 if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


class Place:
    """One request's place; `release` gives it back, whichever it is by then."""

    def __init__(self, places: "Places", *, patient: bool) -> None:
        self._places = places
        self.patient = patient
        self.beginning = patient
        later = asyncio.get_running_loop().call_later
        if patient:
            self._timer = later(BEGINNING_SECONDS, places.begun, self)
        else:
            self._timer = later(QUICK_SECONDS, places.overdue, self)

    def release(self) -> None:
        """Give it back."""
        self._timer.cancel()
        self._places.give_back(self)


class Places:
    """The places of a process. Who waits for one is served in turn, those of each kind by themselves."""

    def __init__(self, *, common: int, patient: int) -> None:
        self._room = {False: common, True: patient}
        self._kept = patient // 4
        self._may_begin = BEGINNING_A_PLACE * common
        self._lines: dict[Pace, deque[asyncio.Future[Place]]] = {pace: deque() for pace in Pace}
        self._overdue: dict[Place, None] = {}

    async def take(self, pace: Pace) -> Place:
        """Wait for a place for a request to a host that answers so."""
        line = self._lines[pace]
        if not line and self._is_room_for(pace):
            return self._occupy(pace)
        waiting: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        line.append(waiting)
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                waiting.result().release()  # it came in the same moment
            else:
                # Where others that were cancelled with it made room, it was left out of the line already.
                with contextlib.suppress(ValueError):
                    line.remove(waiting)
            raise

    def give_back(self, place: Place) -> None:
        """Take a place back, and let others have it."""
        self._overdue.pop(place, None)
        self._room[place.patient] += 1
        self._may_begin += place.beginning
        self._serve()

    def begun(self, place: Place) -> None:
        """Take in that a request with a patient place is past its first moments: others may begin."""
        place.beginning = False
        self._may_begin += 1
        self._serve()

    def overdue(self, place: Place) -> None:
        """Take in that a request with a common place has not been answered: it is to have a patient one."""
        self._overdue[place] = None
        self._serve()

    def _is_room_for(self, pace: Pace) -> bool:
        match pace:
            case Pace.QUICK:
                return self._room[False] > 0
            case Pace.UNKNOWN:
                return self._may_begin > 0 and self._room[True] > 0
            case Pace.SLOW:
                return self._may_begin > 0 and self._room[True] > self._kept

    def _occupy(self, pace: Pace) -> Place:
        patient = pace is not Pace.QUICK
        self._room[patient] -= 1
        self._may_begin -= patient
        return Place(self, patient=patient)

    def _serve(self) -> None:
        while self._overdue and self._room[True] > 0:
            place = next(iter(self._overdue))
            del self._overdue[place]
            place.patient = True
            self._room[True] -= 1
            self._room[False] += 1
        for pace, line in self._lines.items():
            while line and self._is_room_for(pace):
                waiting = line.popleft()
                if not waiting.done():
                    waiting.set_result(self._occupy(pace))
