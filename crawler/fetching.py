"""One request of ours from its first hop to its last: robots.txt, spacing, redirects, each hop a fact of its own."""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from crawler.body_memory import BodyOnDisk, RoomForLarge
from crawler.download import Attempt
from crawler.page_hops import PageHop, may_lead_on, page_hop
from crawler.politeness import FetchingHalted, FetchingStopped, Hold, NoLongerOwed, Politeness, Turn
from crawler.robots import (
    UNREADABLE,
    RobotsAnswer,
    RobotsGate,
    RobotsVerdict,
    read_answer,
)
from crawler.robots_reading import read_robots
from crawler.urls import clean_url, host_key, joined_url
from crawler.worker_pool import WorkFailed, Works, owner_of
from storage.clock import steady_seconds
from storage.model import FetchKind, HttpExchange
from storage.outcomes import Outcome
from storage.records import Fetch
from storage.robots_files import RobotsFile

log = structlog.get_logger()

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT_REDIRECTS = frozenset({301, 308})
READ_IN_TURN_SECONDS = 1.0
"""So long a turn at a host waits for what its robots.txt says; most take some thousandths."""
ROBOTS_REDIRECTS = 5
"""RFC 9309, 2.3.1.2: a crawler follows at least five redirects to a robots.txt."""
STOPPED = "stopped"
"""Why a redirect was not followed any more: no further request was to be started."""
DEADLINE = "deadline"
"""Why an attempt or a chain was given up that did not end by itself, whatever held it up."""
ATTEMPT_SECONDS = 600.0
"""How long an attempt may take, where nothing else is said; far beyond what its own limits allow."""
CHAIN_SECONDS = 4 * 3600.0
"""The same for a request of ours with all its hops, robots.txt, and the waiting for its hosts' turns behind others."""
IN_LINE = 100
"""So many pauses of its source's own may have to be waited for besides."""
LONGEST_HEADER = 2_000
"""Characters of a header that are kept with a fetch; in the archive it stands whole."""
_HEADERS_THAT_MATTER = (
    "content-type",
    "content-length",
    "content-encoding",
    "content-language",
    "cache-control",
    "date",
    "etag",
    "last-modified",
    "location",
    "retry-after",
    "server",
    "x-robots-tag",
    "tdm-reservation",
    "tdm-policy",
    "content-usage",
    "content-signal",
)


class AttemptsPages(Protocol):
    """Makes one HTTP attempt."""

    async def attempt(self, url: str, headers: dict[str, str], *, max_bytes: int | None = None) -> Attempt:
        """Request `url` once; never raises for what the network does.

        `max_bytes` bounds the body as sent, in place of the setting for all.
        """


@dataclass(frozen=True, kw_only=True)
class FetchRequest:
    """What to fetch and for whom. With validators the hop that asks for `validators_of` is conditional.

    That is the address that they came from, None for `url`; a redirect may lead there.
    `max_bytes` bounds the body as sent where it is another bound than the configured one. A `part` is a further part of
    an article whose first one is in hand.
    """

    url: str
    kind: FetchKind
    source_id: int | None = None
    delay_seconds: float | None = None
    etag: str | None = None
    last_modified: str | None = None
    validators_of: str | None = None
    max_bytes: int | None = None
    part: bool = False


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One attempt, with its outcome where fetching alone decides it; None for a 200 that is still to be read.

    `opt_outs` are the uses of this URL that its robots.txt reserves. `bytes_received` is the length of the body as
    sent, which is not kept of a redirect.
    """

    attempt: Attempt
    outcome: Outcome | None
    reason: str | None = None
    location: str | None = None
    opt_outs: tuple[str, ...] = ()
    bytes_received: int = 0


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """The hops of one request, in order; at least one."""

    request: FetchRequest
    chain_id: str
    hops: tuple[Hop, ...]

    @property
    def last(self) -> Hop:
        """The hop that decides."""
        return self.hops[-1]

    @property
    def final_url(self) -> str:
        """The URL that the last hop asked for."""
        return self.last.attempt.url

    def fetch(self, index: int, *, page_id: int | None = None, feed_id: int | None = None) -> Fetch:
        """Return the row that hop `index` (negative counts from the end) leaves."""
        position = index % len(self.hops)
        hop = self.hops[position]
        exchange = hop.attempt.exchange
        return Fetch(
            record_id=hop.attempt.record_id,
            chain_id=self.chain_id,
            hop=position,
            kind=self.request.kind,
            url=hop.attempt.url,
            source_id=self.request.source_id,
            page_id=page_id,
            feed_id=feed_id,
            started_at=hop.attempt.started_at,
            finished_at=hop.attempt.finished_at,
            outcome=hop.outcome,
            reason=hop.reason,
            status=exchange.status if exchange else None,
            bytes_received=hop.bytes_received or (len(exchange.body) if exchange else 0),
            location=hop.location,
            headers=_headers_that_matter(exchange) if exchange else {},
            opt_outs=hop.opt_outs,
        )


def _headers_that_matter(exchange: HttpExchange) -> dict[str, str]:
    found = ((name, exchange.header(name)) for name in _HEADERS_THAT_MATTER)
    return {name: value[:LONGEST_HEADER] for name, value in found if value is not None}


def outcome_of_status(status: int, *, conditional: bool) -> tuple[Outcome | None, str | None]:
    """Return what a final status alone decides; (None, None) for an answer whose body is to be read."""
    match status:
        case 200 | 203:
            return None, None
        case 304 if conditional:
            return Outcome.NOT_MODIFIED, None
        case 401 | 403 | 451:
            return Outcome.BLOCKED_STATUS, f"status_{status}"
        case 404:
            return Outcome.MISSING, "not_found"
        case 410:
            return Outcome.MISSING, "gone"
        case 429 | 503:
            return Outcome.RATE_LIMITED, f"status_{status}"
        case _:
            return Outcome.HTTP_ERROR, f"status_{status}"


class KeepsRobots(Protocol):
    """Where copies of robots.txt are kept, and the attempts to get them recorded."""

    async def stored(self, origin: str) -> RobotsFile | None:
        """Return the copy of an origin, fresh or not."""

    async def record(self, fetch: Fetch, copy: RobotsFile | None) -> None:
        """Record an attempt, and keep the copy that came of it, if one did."""


class Fetcher:
    """Fetches politely. Every attempt is in the `Fetched` that it returns, or was recorded with `robots_files`.

    Nothing that it waits for is waited for without end. An attempt has limits of its own in what makes it; one that has
    not ended after `attempt_seconds` all the same, because a library hangs, is given up as `timeout`, `deadline`, and
    so is a chain after `chain_seconds`. Its turn and its place are free then.
    `workers` read what hosts say in their robots.txt, and whether a page only leads on.
    """

    def __init__(
        self,
        downloader: AttemptsPages,
        *,
        politeness: Politeness,
        robots_files: KeepsRobots,
        robots_token: str,
        max_redirects: int,
        now: Callable[[], datetime],
        workers: Works,
        attempt_seconds: float = ATTEMPT_SECONDS,
        chain_seconds: float = CHAIN_SECONDS,
    ) -> None:
        self._downloader = downloader
        self._robots_token = robots_token
        self._workers = workers
        self._attempt_seconds = attempt_seconds
        self._chain_seconds = chain_seconds
        self._politeness = politeness
        self._robots_files = robots_files
        self._max_redirects = max_redirects
        self._now = now
        self._halted: frozenset[int] = frozenset()
        self._room = RoomForLarge()
        self._robots = RobotsGate(
            self._ask_robots,
            stored=robots_files.stored,
            token=robots_token,
            note_crawl_delay=politeness.set_crawl_delay,
            now=now,
            ask_seconds=self._longest,
            workers=workers,
        )

    def halt(self, source_ids: frozenset[int]) -> None:
        """Begin no request of these sources from now on, also none that waits for its turn; all others go on."""
        self._halted = source_ids

    async def fetch(self, request: FetchRequest, *, still_owed: Callable[[], Awaitable[bool]] | None = None) -> Fetched:
        """Fetch `request.url`, following redirects up to the limit. Never raises for what the network does.

        `still_owed` is asked when the turn at the host has come, for which there may have been a long wait. Whoever
        gives it calls `recorded` with what is returned, for other processes ask the same.

        Raises `FetchingStopped` when no further request may be started, `FetchingHalted` when none of its source may,
        and `NoLongerOwed` when it need not be fetched any more. A chain that was begun is finished, or where there is
        no time for that, its last hop says that it was not sent: `rate_limited`, `stopped`.
        """
        chain_id = str(uuid.uuid4())
        hops: list[Hop] = []
        seconds = self._longest(request.delay_seconds)
        try:
            async with asyncio.timeout(seconds) as limit:
                await self._follow(request, chain_id, hops, still_owed)
        except TimeoutError:
            if not limit.expired():
                raise
            _say_deadline(request.url, seconds)
            hops.append(Hop(attempt=self._unsent(request.url), outcome=Outcome.TIMEOUT, reason=DEADLINE))
        if not request.part:
            # An article's further parts never wait, for the parts before them have room that others wait for.
            await self._wait_for_room(hops)
        return Fetched(request=request, chain_id=chain_id, hops=tuple(hops))

    async def _wait_for_room(self, hops: list[Hop]) -> None:
        """Let a large body wait on disk while too many others are in memory."""
        hop = hops.pop()
        size, on_disk = len(_body(hop)), None
        with contextlib.ExitStack() as stack:
            if not self._room.is_there(size):
                with contextlib.suppress(OSError):  # then it waits in memory
                    on_disk = stack.enter_context(contextlib.closing(BodyOnDisk(_body(hop))))
                    hop = _with_body(hop, b"")
            await self._room.wait(size)
            if on_disk is not None:
                hop = _with_body(hop, on_disk.content())
        self._room.keep(hop.attempt.exchange, size)
        hops.append(hop)

    def recorded(self, fetched: Fetched) -> None:
        """Say that what was fetched is recorded, or never will be; for some seconds its host was kept for that."""
        self._politeness.recorded(host_key(fetched.request.url), fetched.chain_id)

    def _longest(self, delay_seconds: float | None) -> float:
        """Return after how long a chain is given up: a source may want a day between any two of its requests."""
        return self._chain_seconds + IN_LINE * (delay_seconds or 0.0)

    async def _follow(
        self,
        request: FetchRequest,
        chain_id: str,
        hops: list[Hop],
        still_owed: Callable[[], Awaitable[bool]] | None,
    ) -> None:
        """Add hop after hop until there is no further one."""
        seen: set[str] = set()
        url = request.url
        while True:
            seen.add(url)
            headers = _conditional_headers(request) if url == (request.validators_of or request.url) else {}
            try:
                hop = await self._hop(
                    url, headers, request, chain_id, finishing=bool(hops), still_owed=None if hops else still_owed
                )
            except FetchingStopped:
                if not hops:
                    raise
                hop = Hop(attempt=self._unsent(url), outcome=Outcome.RATE_LIMITED, reason=STOPPED)
            if hop.outcome is Outcome.REDIRECTED and hop.location is not None:
                refusal = self._redirect_refused(hop.location, seen, len(hops))
                if refusal is None:
                    hops.append(hop)
                    url = hop.location
                    continue
                hop = replace(hop, outcome=Outcome.HTTP_ERROR, reason=refusal)
            hops.append(hop)
            return

    async def sitemaps(self, url: str) -> list[str]:
        """Return the sitemaps that the robots.txt of a URL's origin names, as they stand there.

        Raises `FetchingStopped` when it would have to be asked for and no further request may be started.
        """
        return await self._robots.sitemaps(url)

    def _redirect_refused(self, location: str, seen: set[str], hops: int) -> str | None:
        if location in seen:
            return "redirect_loop"
        return "too_many_redirects" if hops >= self._max_redirects else None

    def _check_wanted(self, request: FetchRequest, *, finishing: bool) -> None:
        if not finishing and request.source_id in self._halted:
            raise FetchingHalted

    async def _hop(
        self,
        url: str,
        headers: dict[str, str],
        request: FetchRequest,
        chain_id: str,
        *,
        finishing: bool,
        still_owed: Callable[[], Awaitable[bool]] | None,
    ) -> Hop:
        self._check_wanted(request, finishing=finishing)
        delay = request.delay_seconds
        # A host that asked to be left alone is not asked for its robots.txt either.
        if (hold := self._politeness.hold(host_key(url), now=self._now())) is not None:
            return self._held_hop(url, hold)
        verdict = await self._robots.check(url, delay_seconds=delay, finishing=finishing)
        if not verdict.allowed:
            return self._refused_hop(url, verdict)
        host = host_key(url)
        async with self._politeness.slot(host, delay_seconds=delay, finishing=finishing, part=request.part) as turn:
            if turn.hold is not None:
                return self._held_hop(url, turn.hold)
            # For the turn there may have been a long wait. Until the request is made it counts as unused.
            turn.unused = True
            self._check_wanted(request, finishing=finishing)
            if still_owed is not None and not await still_owed():
                raise NoLongerOwed
            turn.unused = False
            turn.is_page = request.kind is FetchKind.PAGE
            if still_owed is not None:
                self._politeness.keep_until_recorded(host, chain_id)
            attempt = await self._attempt(turn, url, headers, max_bytes=request.max_bytes)
        hop = read_hop(attempt, conditional=bool(headers))
        if hop.outcome is None and (leads := await self._page_hop(attempt.exchange)) is not None:
            hop = _led_to(attempt, leads.target, reason=leads.reason)
        return replace(hop, opt_outs=verdict.opt_outs)

    async def _page_hop(self, exchange: HttpExchange | None) -> PageHop | None:
        """Return where a page leads that only leads on."""
        if exchange is None or not may_lead_on(exchange):
            return None
        try:
            return await self._workers.run(page_hop, exchange, owner=owner_of(exchange.url))
        except WorkFailed:
            # Whoever reads it as a page will say what is wrong with it.
            return None

    def _held_hop(self, url: str, hold: Hold) -> Hop:
        return Hop(attempt=self._unsent(url), outcome=Outcome.RATE_LIMITED, reason=hold.reason)

    def _refused_hop(self, url: str, verdict: RobotsVerdict) -> Hop:
        return Hop(attempt=self._unsent(url), outcome=verdict.outcome, reason=verdict.reason, opt_outs=verdict.opt_outs)

    def _unsent(self, url: str) -> Attempt:
        now = self._now()
        return Attempt(record_id=f"urn:uuid:{uuid.uuid4()}", url=url, started_at=now, finished_at=now)

    async def _attempt(self, turn: Turn, url: str, headers: dict[str, str], *, max_bytes: int | None = None) -> Attempt:
        """Make the attempt that a turn is for, and say in the turn what came of it: the next in line sees a hold."""
        # By a clock that nobody sets: a wall clock that is put right meanwhile would make a host seem slow for long.
        begun = steady_seconds()
        attempt = await self._within_deadline(url, headers, max_bytes=max_bytes)
        turn.response_seconds = steady_seconds() - begun
        turn.silent = attempt.outcome is Outcome.TIMEOUT
        if attempt.exchange is not None:
            turn.answered(attempt.exchange.status, retry_after_header=attempt.exchange.header("retry-after"))
        return attempt

    async def _within_deadline(self, url: str, headers: dict[str, str], *, max_bytes: int | None) -> Attempt:
        """Make an attempt, and give it up where it does not end: it is not waited for then, not even for its leave."""
        started_at = self._now()
        making = asyncio.ensure_future(self._downloader.attempt(url, headers, max_bytes=max_bytes))
        try:
            done, _ = await asyncio.wait({making}, timeout=self._attempt_seconds)
        except asyncio.CancelledError:
            _leave(making)
            raise
        if done:
            return making.result()
        _leave(making)
        _say_deadline(url, self._attempt_seconds)
        return replace(
            self._unsent(url),
            started_at=started_at,
            outcome=Outcome.TIMEOUT,
            reason=DEADLINE,
        )

    async def _ask_robots(
        self, origin: str, last: RobotsFile | None, *, delay_seconds: float | None, finishing: bool
    ) -> RobotsFile | RobotsVerdict:
        """Fetch a robots.txt with its redirects; each hop leaves a row. Robots rules do not apply to it."""
        chain_id = str(uuid.uuid4())
        url = f"{origin}/robots.txt"
        request = FetchRequest(url=url, kind=FetchKind.ROBOTS)
        hops: list[Hop] = []
        while True:
            begun = finishing or bool(hops)
            reading: asyncio.Task[RobotsFile] | None = None
            async with self._politeness.slot(host_key(url), delay_seconds=delay_seconds, finishing=begun) as turn:
                if turn.hold is not None and not hops:
                    return RobotsVerdict(allowed=False, outcome=Outcome.RATE_LIMITED, reason=turn.hold.reason)
                # Whoever had the host before us may have asked for the same.
                if turn.contended and not hops and (kept := await self._kept_meanwhile(origin)) is not None:
                    turn.unused = True
                    return kept
                # Where a host that it leads to is held, it cannot be had for now: not for each page is it asked again.
                hop = (
                    read_hop(await self._attempt(turn, url, {}), conditional=False)
                    if turn.hold is None
                    else self._held_hop(url, turn.hold)
                )
                hops.append(hop)
                follow = hop.location if hop.outcome is Outcome.REDIRECTED and len(hops) <= ROBOTS_REDIRECTS else None
                if follow is None:
                    reading = asyncio.create_task(self._keep_robots(hops, origin, last))
                    # Before the turn ends: a Crawl-delay is meant for the request after this one already. But what
                    # takes long to read must not keep a turn from another host.
                    await asyncio.wait({reading}, timeout=READ_IN_TURN_SECONDS)
            copy = None if reading is None else await reading
            fetched = Fetched(request=request, chain_id=chain_id, hops=tuple(hops))
            row = fetched.fetch(-1)
            await self._robots_files.record(row if row.outcome else replace(row, outcome=Outcome.LISTED), copy)
            if copy is not None:
                return copy
            url = follow or url

    async def _kept_meanwhile(self, origin: str) -> RobotsFile | None:
        kept = await self._robots_files.stored(origin)
        return kept if kept is not None and self._robots.is_fresh(kept) else None

    async def _keep_robots(self, hops: list[Hop], origin: str, last: RobotsFile | None) -> RobotsFile:
        """Read the answer that came last, go by it, and return the copy that it makes."""
        answer, hops[-1] = await self._robots_answer(hops[-1], origin, redirected=len(hops) > 1)
        copy = read_answer(answer, origin=origin, last=last, now=self._now())
        self._robots.keep(copy, answer.rules if answer.rules is not None else await self._robots.rules_of(copy))
        return copy

    async def _robots_answer(self, hop: Hop, origin: str, *, redirected: bool) -> tuple[RobotsAnswer, Hop]:
        """Return what an answer for a robots.txt says, and the hop, which failed where it cannot be read."""
        exchange = hop.attempt.exchange
        if exchange is None:
            # A failure at another host says nothing about the one that was asked.
            return RobotsAnswer() if redirected else RobotsAnswer(outcome=hop.outcome, reason=hop.reason), hop
        if not 200 <= exchange.status < 300:
            return RobotsAnswer(status=exchange.status, cache_control=exchange.header("cache-control")), hop
        coding = exchange.header("content-encoding")
        try:
            work = partial(read_robots, exchange.body, coding, token=self._robots_token, origin=origin)
            read = await self._workers.run(work, owner=owner_of(origin))
        except WorkFailed as failed:
            log.warning("robots_unreadable", origin=origin, reason=failed.reason, problem=failed.problem)
            return RobotsAnswer(reason=UNREADABLE), replace(hop, outcome=Outcome.EXTRACT_FAILED, reason=failed.reason)
        if read is None:
            # Rules that cannot be read may forbid anything.
            return RobotsAnswer(), hop
        return (
            RobotsAnswer(
                status=exchange.status,
                text=read.text,
                rules=read.rules,
                cache_control=exchange.header("cache-control"),
            ),
            hop,
        )


def _say_deadline(url: str, seconds: float) -> None:
    log.error("deadline_passed", url=url, seconds=seconds)


def _leave(making: "asyncio.Future[Attempt]") -> None:
    """Cancel an attempt that nobody waits for any more; how it ends is nobody's business."""
    making.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    making.cancel()


def _conditional_headers(request: FetchRequest) -> dict[str, str]:
    headers = {}
    if request.etag:
        headers["If-None-Match"] = request.etag
    if request.last_modified:
        headers["If-Modified-Since"] = request.last_modified
    return headers


def read_hop(attempt: Attempt, *, conditional: bool) -> Hop:
    """Return the hop that an attempt makes: its redirect's target, or what its status or failure decides."""
    exchange = attempt.exchange
    if exchange is None:
        return Hop(attempt=attempt, outcome=attempt.outcome, reason=attempt.reason)
    if exchange.status in REDIRECTS:
        return _redirect(attempt, exchange)
    outcome, reason = outcome_of_status(exchange.status, conditional=conditional)
    return Hop(attempt=attempt, outcome=outcome, reason=reason)


def _redirect(attempt: Attempt, exchange: HttpExchange) -> Hop:
    location = exchange.header("location")
    if not location:
        return Hop(attempt=attempt, outcome=Outcome.HTTP_ERROR, reason="redirect_without_location")
    return _led_to(attempt, _as_text(location), reason=None)


def _led_to(attempt: Attempt, target: str, *, reason: str | None) -> Hop:
    try:
        target = joined_url(attempt.url, target)
        if urlsplit(target).scheme not in ("http", "https"):
            return Hop(attempt=attempt, outcome=Outcome.HTTP_ERROR, reason="redirect_scheme", location=target[:2000])
        # Tracking parameters may be what a redirect is about, so they stay: the address is only made well-formed.
        target = clean_url(target, keep_query=True)
    except ValueError:  # InvalidUrl is one, and brackets that are no IPv6 address another
        return Hop(attempt=attempt, outcome=Outcome.HTTP_ERROR, reason="redirect_malformed", location=target[:2000])
    exchange = attempt.exchange
    if exchange is None:
        raise ValueError("nothing leads on where no answer came")
    hop = Hop(
        attempt=attempt,
        outcome=Outcome.REDIRECTED,
        reason=reason,
        location=target,
        bytes_received=len(exchange.body),
    )
    # Nobody reads it, and there may be one for each hop.
    return _with_body(hop, b"")


def _body(hop: Hop) -> bytes:
    return hop.attempt.exchange.body if hop.attempt.exchange else b""


def _with_body(hop: Hop, body: bytes) -> Hop:
    exchange = hop.attempt.exchange
    return (
        hop if exchange is None else replace(hop, attempt=replace(hop.attempt, exchange=replace(exchange, body=body)))
    )


def _as_text(location: str) -> str:
    # Servers send UTF-8 in Location, which HTTP reads as Latin-1.
    try:
        return location.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return location
