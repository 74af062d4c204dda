"""A lease on a host, as the process that has it reckons: by its own steady clock, and never to its own favour."""

from dataclasses import dataclass

from crawler.pacing import pause_seconds, smoothed
from storage.host_turns import Granted, Kept, Report, SlotAnswer

LAST_START_SECONDS = 2.0
"""How long before the end of a lease the last request is begun at the latest, so that it can still be prolonged."""
ROOM_TO_GROW = 1.5
"""How much more than the pause is announced when it has grown, so that it need not be announced again soon."""


@dataclass
class Lease:
    """The turn at a host. Instants are seconds of the steady clock.

    `valid_until` is reckoned from before the database was asked, `starts_at` from after it answered. No request is
    begun after `slice_until`. `announced` is the pause that others keep if nothing more is heard of us,
    `delay` what was configured for the last request. `contended` says that others asked the host while we waited.
    """

    epoch: int
    valid_until: float
    slice_until: float
    starts_at: float
    announced: float
    response_seconds: float | None
    refusals: int
    requests_left: int
    contended: bool = False
    requests: int = 0
    delay: float = 0.0
    ended_at: float | None = None
    in_flight: bool = False
    lost: bool = False

    @classmethod
    def of(cls, granted: Granted, *, asked_at: float, answered_at: float, contended: bool) -> "Lease":
        """Return the lease that was granted between two readings of the steady clock."""
        valid_until = asked_at + granted.lease_seconds
        return cls(
            epoch=granted.epoch,
            valid_until=valid_until,
            slice_until=valid_until - LAST_START_SECONDS,
            starts_at=answered_at + granted.start_in_seconds,
            announced=granted.pause_seconds,
            response_seconds=granted.response_seconds,
            refusals=granted.refusals,
            requests_left=granted.requests_left,
            contended=contended,
        )

    def pause(self, *, crawl_delay: float, delay: float = 0.0) -> float:
        """Return the pause before the next request, or before one with a delay of its own, in seconds."""
        return pause_seconds(
            delay=max(delay, self.delay),
            crawl_delay=crawl_delay,
            response_seconds=self.response_seconds,
        )

    def next_at(self, pause: float) -> float:
        """Return when the next request may begin."""
        return self.starts_at if self.ended_at is None else max(self.starts_at, self.ended_at + pause)

    def may_start(self, at: float) -> bool:
        """Whether a request may be begun at an instant."""
        return not self.lost and at < self.slice_until and self.requests_left > 0

    def begin(self, delay: float) -> None:
        """Note that a request begins, and the delay that is configured for it."""
        self.in_flight = True
        self.delay = delay
        self._count(1)

    def withdraw(self) -> None:
        """Note that it was not sent after all."""
        self.in_flight = False
        self._count(-1)

    def end(self, now: float, response_seconds: float) -> None:
        """Note that a response ended, and how long it took."""
        self.in_flight = False
        self.ended_at = now
        self.response_seconds = smoothed(self.response_seconds, response_seconds)

    def _count(self, requests: int) -> None:
        self.requests += requests
        self.requests_left -= requests

    def falls_short(self, pause: float, now: float) -> bool:
        """Whether others could ask before a pause that begins now is over, if nothing more were heard of us."""
        return now + pause > self.valid_until + self.announced

    def heartbeat(self, host: str, owner: str) -> Report:
        """Return that the lease is still in use, and nothing else; may be asked from another thread."""
        return Report(
            host=host,
            owner=owner,
            epoch=self.epoch,
            release=False,
            pause_seconds=self.announced,
            refusals=self.refusals,
        )

    def take_in(self, answer: SlotAnswer, *, asked_at: float) -> None:
        """Note what a report of a lease that goes on came to."""
        if isinstance(answer, Kept) and answer.lease_seconds > 0:
            self.valid_until = asked_at + answer.lease_seconds
        else:
            self.lost = True

    def report(self, host: str, owner: str, *, release: bool, pause: float, hold_until: float | None = None) -> Report:
        """Return what there is to be said of the lease; requests that were counted in a report are in no later one."""
        counted, self.requests = self.requests, 0
        return Report(
            host=host,
            owner=owner,
            epoch=self.epoch,
            release=release,
            pause_seconds=pause if release or pause <= self.announced else pause * ROOM_TO_GROW,
            next_at=self.next_at(pause) if release else None,
            response_seconds=self.response_seconds,
            requests=counted,
            refusals=self.refusals,
            hold_until=hold_until,
        )
