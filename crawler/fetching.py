"""One request of ours from its first hop to its last: robots.txt, spacing, redirects, each hop a fact of its own."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from crawler.download import Attempt
from crawler.page_hops import page_hop
from crawler.politeness import Politeness
from crawler.robots import RobotsAnswer, RobotsGate
from crawler.urls import clean_url, host_key
from storage.content_coding import BadContentCoding, decode_body
from storage.model import FetchKind, HttpExchange, Outcome
from storage.records import Fetch

REDIRECTS = frozenset({301, 302, 303, 307, 308})
ROBOTS_REDIRECTS = 5
"""RFC 9309, 2.3.1.2: a crawler follows at least five redirects to a robots.txt."""
ROBOTS_DECODED_BYTES = 8 * 1024 * 1024
"""A robots.txt that is longer after decoding is not read at all; what is read of it is far less."""
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
)


class AttemptsPages(Protocol):
    """Makes one HTTP attempt."""

    async def attempt(self, url: str, headers: dict[str, str], *, max_bytes: int | None = None) -> Attempt:
        """Request `url` once; never raises for what the network does.

        `max_bytes` bounds the body as sent, in place of the setting for all.
        """


@dataclass(frozen=True, kw_only=True)
class FetchRequest:
    """What to fetch and for whom. With validators the first hop is conditional.

    `max_bytes` bounds the body as sent where it is another bound than the configured one.
    """

    url: str
    kind: FetchKind
    source_id: int | None = None
    delay_seconds: float | None = None
    etag: str | None = None
    last_modified: str | None = None
    max_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One attempt, with its outcome where fetching alone decides it; None for a 200 that is still to be read."""

    attempt: Attempt
    outcome: Outcome | None
    reason: str | None = None
    location: str | None = None


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
            bytes_received=len(exchange.body) if exchange else 0,
            location=hop.location,
            headers=_headers_that_matter(exchange) if exchange else {},
        )


def _headers_that_matter(exchange: HttpExchange) -> dict[str, str]:
    found = ((name, exchange.header(name)) for name in _HEADERS_THAT_MATTER)
    return {name: value for name, value in found if value is not None}


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


RecordRobots = Callable[[Fetch], Awaitable[None]]


class Fetcher:
    """Fetches politely. Every attempt is in the `Fetched` that it returns, or was handed to `record_robots`."""

    def __init__(
        self,
        downloader: AttemptsPages,
        *,
        politeness: Politeness,
        record_robots: RecordRobots,
        robots_token: str,
        max_redirects: int,
        now: Callable[[], datetime],
    ) -> None:
        self._downloader = downloader
        self._politeness = politeness
        self._record_robots = record_robots
        self._max_redirects = max_redirects
        self._now = now
        self._robots = RobotsGate(self._ask_robots, user_agent=robots_token, politeness=politeness, now=now)

    async def fetch(self, request: FetchRequest) -> Fetched:
        """Fetch `request.url`, following redirects up to the limit. Never raises for what the network does.

        Raises `FetchingStopped` when no further request may be started; a chain that was begun is finished.
        """
        chain_id = str(uuid.uuid4())
        hops: list[Hop] = []
        seen: set[str] = set()
        url, headers = request.url, _conditional_headers(request)
        while True:
            seen.add(url)
            hop = await self._hop(url, headers, request, finishing=bool(hops))
            if hop.outcome is Outcome.REDIRECTED and hop.location is not None:
                refusal = self._redirect_refused(hop.location, seen, len(hops))
                if refusal is None:
                    hops.append(hop)
                    url, headers = hop.location, {}
                    continue
                hop = Hop(attempt=hop.attempt, outcome=Outcome.HTTP_ERROR, reason=refusal, location=hop.location)
            hops.append(hop)
            return Fetched(request=request, chain_id=chain_id, hops=tuple(hops))

    async def sitemaps(self, url: str) -> list[str]:
        """Return the sitemaps that the robots.txt of a URL's origin names, as they stand there.

        Raises `FetchingStopped` when it would have to be asked for and no further request may be started.
        """
        return await self._robots.sitemaps(url)

    def _redirect_refused(self, location: str, seen: set[str], hops: int) -> str | None:
        if location in seen:
            return "redirect_loop"
        return "too_many_redirects" if hops >= self._max_redirects else None

    async def _hop(self, url: str, headers: dict[str, str], request: FetchRequest, *, finishing: bool) -> Hop:
        # A host that asked to be left alone is not asked for its robots.txt either.
        if self._is_held(url):
            return self._held_hop(url)
        verdict = await self._robots.check(url)
        if not verdict.allowed:
            return Hop(attempt=self._unsent(url), outcome=verdict.outcome, reason=verdict.reason)
        attempt = await self._spaced_attempt(
            url, headers, request.delay_seconds, finishing=finishing, max_bytes=request.max_bytes
        )
        return self._held_hop(url) if attempt is None else read_hop(attempt, conditional=bool(headers), is_page=True)

    def _is_held(self, url: str) -> bool:
        return self._politeness.held_until(host_key(url), now=self._now()) is not None

    def _held_hop(self, url: str) -> Hop:
        return Hop(attempt=self._unsent(url), outcome=Outcome.RATE_LIMITED, reason="host_asked_to_wait")

    def _unsent(self, url: str) -> Attempt:
        now = self._now()
        return Attempt(record_id=f"urn:uuid:{uuid.uuid4()}", url=url, started_at=now, finished_at=now)

    async def _spaced_attempt(
        self,
        url: str,
        headers: dict[str, str],
        delay_seconds: float | None,
        *,
        finishing: bool,
        max_bytes: int | None = None,
    ) -> Attempt | None:
        """Make one attempt when the host's turn comes; None when the host asked to be left alone meanwhile."""
        host = host_key(url)
        async with self._politeness.slot(host, delay_seconds=delay_seconds, finishing=finishing) as turn:
            if self._is_held(url):
                turn.unused = True
                return None
            attempt = await self._downloader.attempt(url, headers, max_bytes=max_bytes)
            turn.response_seconds = (attempt.finished_at - attempt.started_at).total_seconds()
            if attempt.exchange is not None:
                # Before the next in line gets its turn, so that it sees the hold.
                self._politeness.note_answer(
                    host,
                    status=attempt.exchange.status,
                    retry_after_header=attempt.exchange.header("retry-after"),
                    now=attempt.finished_at,
                )
        return attempt

    async def _ask_robots(self, url: str) -> RobotsAnswer:
        """Fetch a robots.txt with its redirects; each hop leaves a row. Robots rules do not apply to it."""
        chain_id = str(uuid.uuid4())
        request = FetchRequest(url=url, kind=FetchKind.ROBOTS)
        hops: list[Hop] = []
        while True:
            attempt = await self._spaced_attempt(url, {}, None, finishing=bool(hops))
            if attempt is None:
                return RobotsAnswer(status=None, outcome=Outcome.RATE_LIMITED, reason="host_asked_to_wait")
            hop = read_hop(attempt, conditional=False)
            if hop.outcome is None:
                hop = Hop(attempt=hop.attempt, outcome=Outcome.LISTED)
            hops.append(hop)
            fetched = Fetched(request=request, chain_id=chain_id, hops=tuple(hops))
            await self._record_robots(fetched.fetch(-1))
            if hop.outcome is Outcome.REDIRECTED and hop.location is not None and len(hops) <= ROBOTS_REDIRECTS:
                url = hop.location
                continue
            return _robots_answer(hop, redirected=len(hops) > 1)


def _robots_answer(hop: Hop, *, redirected: bool) -> RobotsAnswer:
    exchange = hop.attempt.exchange
    if exchange is None:
        # A failure at another host says nothing about the one that was asked.
        return RobotsAnswer(status=None) if redirected else RobotsAnswer(outcome=hop.outcome, reason=hop.reason)
    try:
        body = decode_body(exchange.body, exchange.header("content-encoding"), max_bytes=ROBOTS_DECODED_BYTES)
    except BadContentCoding:
        # Rules that cannot be read may forbid anything.
        return RobotsAnswer(status=None if 200 <= exchange.status < 300 else exchange.status)
    return RobotsAnswer(status=exchange.status, body=body)


def _conditional_headers(request: FetchRequest) -> dict[str, str]:
    headers = {}
    if request.etag:
        headers["If-None-Match"] = request.etag
    if request.last_modified:
        headers["If-Modified-Since"] = request.last_modified
    return headers


def read_hop(attempt: Attempt, *, conditional: bool, is_page: bool = False) -> Hop:
    """Return the hop that an attempt makes: its redirect's target, or what its status or failure decides.

    `is_page` says that the answer is for readers, so that one that only leads on is a redirect too.
    """
    exchange = attempt.exchange
    if exchange is None:
        return Hop(attempt=attempt, outcome=attempt.outcome, reason=attempt.reason)
    if exchange.status in REDIRECTS:
        return _redirect(attempt, exchange)
    outcome, reason = outcome_of_status(exchange.status, conditional=conditional)
    if outcome is None and is_page and (hop := page_hop(exchange)) is not None:
        return _led_to(attempt, hop.target, reason=hop.reason)
    return Hop(attempt=attempt, outcome=outcome, reason=reason)


def _redirect(attempt: Attempt, exchange: HttpExchange) -> Hop:
    location = exchange.header("location")
    if not location:
        return Hop(attempt=attempt, outcome=Outcome.HTTP_ERROR, reason="redirect_without_location")
    return _led_to(attempt, _as_text(location), reason=None)


def _led_to(attempt: Attempt, target: str, *, reason: str | None) -> Hop:
    try:
        target = urljoin(attempt.url, target)
        if urlsplit(target).scheme not in ("http", "https"):
            return Hop(attempt=attempt, outcome=Outcome.HTTP_ERROR, reason="redirect_scheme", location=target[:2000])
        # Tracking parameters may be what a redirect is about, so they stay: the address is only made well-formed.
        target = clean_url(target, keep_query=True)
    except ValueError:  # InvalidUrl is one, and brackets that are no IPv6 address another
        return Hop(attempt=attempt, outcome=Outcome.HTTP_ERROR, reason="redirect_malformed", location=target[:2000])
    return Hop(attempt=attempt, outcome=Outcome.REDIRECTED, reason=reason, location=target)


def _as_text(location: str) -> str:
    # Servers send UTF-8 in Location, which HTTP reads as Latin-1.
    try:
        return location.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return location
