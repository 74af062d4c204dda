"""What goes wrong again and again is told in full once, then in sums: a job that fails every two seconds would write a
gigabyte a day. Of one fault there are a few lines at once, then one a minute, and at last one an hour."""

import re
import threading
from collections.abc import Callable, Hashable, MutableMapping
from dataclasses import dataclass
from typing import Any

import structlog

from scheduler.log_failures import exception_of, place_of
from storage.clock import steady_seconds
from storage.hidden import failure_message

TOLD_AT_ONCE = 3
"""So many are told as they come: what happens now and then is no repetition that anybody needs to be spared."""
FIRST_INTERVAL_SECONDS = 60.0
LONGEST_INTERVAL_SECONDS = 3600.0
FORGOTTEN_AFTER_SECONDS = 6 * 3600.0
"""What has not happened for so long is told in full when it comes again."""
MOST_KINDS = 1_000

_TROUBLE = frozenset({"warning", "error", "critical"})
_COUNTED_ELSEWHERE = frozenset({"log_lines_lost"})
_NUMBER = re.compile(r"\d+")

Event = MutableMapping[str, Any]


@dataclass
class _Kind:
    """What is known of one fault: how often it was told, and what happened since."""

    told_at: float
    told: int = 1
    interval: float = FIRST_INTERVAL_SECONDS
    untold: int = 0
    untold_since: str = ""
    last: Event | None = None


class Repeats:
    """Decides of each event whether it is told. Use from any thread, and from signal handlers.

    `clock` gives monotonic seconds. It stands in structlog's chain behind those that give level and timestamp, and
    before what renders `exc_info`.
    """

    def __init__(self, *, clock: Callable[[], float] = steady_seconds) -> None:
        self._clock = clock
        # A signal handler may come in the middle of this, in the same thread.
        self._lock = threading.RLock()
        self._kinds: dict[Hashable, _Kind] = {}

    def __call__(self, _: Any, __: str, event: Event) -> Event:
        """Return the event as it is to be told; raises `structlog.DropEvent` for one that is only counted."""
        problem = exception_of(event.get("exc_info"))
        kind = _kind(event, problem)
        if kind is None:
            return event
        with self._lock:
            told = self._take(kind, event, problem, self._clock())
        if told is None:
            raise structlog.DropEvent
        return told

    def _take(self, kind: Hashable, event: Event, problem: BaseException | None, now: float) -> Event | None:
        known = self._kinds.pop(kind, None)
        is_slow = known is not None and not known.untold and now - known.told_at >= known.interval
        if known is None or now - known.told_at > FORGOTTEN_AFTER_SECONDS or (is_slow and problem is None):
            known = self._keep(kind, _Kind(told_at=now))
            return event
        self._keep(kind, known)
        if not known.untold:
            known.untold_since = str(event.get("timestamp", ""))
        known.untold += 1
        known.last = event if problem is None else _without_traceback(event, problem)
        if known.told < TOLD_AT_ONCE and known.untold == 1:
            known.told, known.untold, known.told_at = known.told + 1, 0, now
            return known.last
        return self._sum(known, now) if now - known.told_at >= known.interval else None

    def _keep(self, key: Hashable, kind: _Kind) -> _Kind:
        """Keep a kind as the one that came last; of too many the one that did not come for longest is forgotten."""
        self._kinds[key] = kind
        if len(self._kinds) > MOST_KINDS:
            del self._kinds[next(iter(self._kinds))]
        return kind

    def _sum(self, kind: _Kind, now: float) -> Event:
        told = {**(kind.last or {}), "repeated": kind.untold, "repeated_since": kind.untold_since}
        kind.untold, kind.told_at = 0, now
        kind.interval = min(kind.interval * 2, LONGEST_INTERVAL_SECONDS)
        return told

    def due(self) -> list[Event]:
        """Return the sums that are to be told by now, of what happened before and has not come again since."""
        with self._lock:
            now = self._clock()
            waiting = [one for one in self._kinds.values() if one.untold and now - one.told_at >= one.interval]
            return [self._sum(one, now) for one in waiting]

    def rest(self) -> list[Event]:
        """Return the sums of all that was not told, at the end."""
        with self._lock:
            now = self._clock()
            return [self._sum(one, now) for one in self._kinds.values() if one.untold]


def _kind(event: Event, problem: BaseException | None) -> Hashable | None:
    """Return what makes an event one of a kind; None for what tells of no trouble, and always stands for itself.

    A failure is of a kind with those that one line of code raised; which page it met is no difference. Otherwise all
    that the event says counts, but for measures.
    """
    if problem is not None:
        return event.get("event"), place_of(problem)
    if event.get("level") not in _TROUBLE and "problem" not in event:
        return None
    if event.get("event") in _COUNTED_ELSEWHERE:
        return None
    return tuple(sorted((name, said) for name, value in event.items() if (said := _said(name, value)) is not None))


def _said(name: str, value: object) -> str | None:
    if name == "timestamp" or (isinstance(value, int | float) and not isinstance(value, bool) and name[-3:] != "_id"):
        return None
    return _NUMBER.sub("#", str(value)) if name in ("problem", "sentence") else str(value)


def _without_traceback(event: Event, problem: BaseException) -> Event:
    told = {name: value for name, value in event.items() if name != "exc_info"}
    return {**told, "problem": f"{failure_message(problem)} ({place_of(problem)})"}
