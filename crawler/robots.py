"""robots.txt by RFC 9309: one copy an origin, kept for a day at most, asked for by one task at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from protego import Protego

from crawler.politeness import Politeness
from crawler.urls import host_key
from storage.model import Outcome

KEPT_FOR = timedelta(hours=24)
RETRY_UNREACHABLE_AFTER = timedelta(minutes=10)
MAX_BYTES = 512 * 1024
"""RFC 9309, 2.5: a crawler reads at least 500 KiB of the file; what stands behind is not read."""
_MAX_ORIGINS = 10_000
_HOST_UNREACHABLE = frozenset({Outcome.NETWORK_ERROR, Outcome.TIMEOUT, Outcome.BLOCKED_ADDRESS})


@dataclass(frozen=True, kw_only=True)
class RobotsAnswer:
    """What asking for a robots.txt brought. `body` has its content codings undone.

    `status` is None where no HTTP answer came, or none that could be read; `outcome` and `reason` then say why, where
    it was the host itself that could not be reached.
    """

    status: int | None = None
    body: bytes = b""
    outcome: Outcome | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class RobotsVerdict:
    """Whether a URL may be fetched, and if not, what becomes of its fetch and why.

    Blocked: `disallowed`, or `robots_unreachable` after an answer that forbids everything. Where the host itself
    could not be reached, its pages share the outcome: `dns`, `refused`, `tls_certificate` and the like.
    """

    allowed: bool
    outcome: Outcome = Outcome.BLOCKED_ROBOTS
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Copy:
    rules: Protego | None
    everything_allowed: bool
    expires_at: datetime
    unread: RobotsVerdict


def read_robots(answer: RobotsAnswer) -> tuple[Protego | None, bool]:
    """Return (rules, everything allowed) by RFC 9309, 2.3.1.

    2xx: its rules. 4xx but 429: no rules, all allowed. 429, 5xx and no answer: nothing allowed.
    """
    status = answer.status
    if status is not None and 200 <= status < 300:
        return Protego.parse(answer.body[:MAX_BYTES].decode("utf-8-sig", "replace")), False
    # A redirect that led nowhere in five hops counts as unavailable (RFC 9309, 2.3.1.2).
    return None, status is not None and 300 <= status < 500 and status != 429


def _verdict_unread(answer: RobotsAnswer) -> RobotsVerdict:
    """Return the verdict on every URL of an origin whose robots.txt could not be read."""
    if answer.outcome in _HOST_UNREACHABLE:
        return RobotsVerdict(allowed=False, outcome=answer.outcome, reason=answer.reason)
    return RobotsVerdict(allowed=False, reason="robots_unreachable")


class RobotsGate:
    """Answers whether a URL may be fetched by `user_agent`; asks for each origin's robots.txt at most once a day."""

    def __init__(
        self,
        ask: Callable[[str], Awaitable[RobotsAnswer]],
        *,
        user_agent: str,
        politeness: Politeness,
        now: Callable[[], datetime],
    ) -> None:
        self._ask = ask
        self._user_agent = user_agent
        self._politeness = politeness
        self._now = now
        self._copies: dict[str, _Copy] = {}
        self._asking: dict[str, asyncio.Task[_Copy]] = {}

    async def check(self, url: str) -> RobotsVerdict:
        """Return the verdict for `url`, fetching its origin's robots.txt when the copy is missing or old."""
        copy = await self._copy(url)
        if copy.everything_allowed:
            return RobotsVerdict(allowed=True)
        if copy.rules is None:
            return copy.unread
        if copy.rules.can_fetch(url, self._user_agent):
            return RobotsVerdict(allowed=True)
        return RobotsVerdict(allowed=False, reason="disallowed")

    async def sitemaps(self, url: str) -> list[str]:
        """Return what the robots.txt of a URL's origin names as sitemaps, as it stands there."""
        copy = await self._copy(url)
        return [] if copy.rules is None else list(copy.rules.sitemaps)

    async def _copy(self, url: str) -> _Copy:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        copy = self._copies.get(origin)
        if copy is None or copy.expires_at <= self._now():
            copy = await self._shared_ask(origin)
        return copy

    async def _shared_ask(self, origin: str) -> _Copy:
        task = self._asking.get(origin)
        if task is None:
            task = asyncio.create_task(self._refresh(origin))
            self._asking[origin] = task
            task.add_done_callback(lambda _: self._asking.pop(origin, None))
        return await asyncio.shield(task)

    async def _refresh(self, origin: str) -> _Copy:
        answer = await self._ask(f"{origin}/robots.txt")
        rules, everything_allowed = read_robots(answer)
        last_good = self._copies.get(origin)
        unreachable = rules is None and not everything_allowed
        if unreachable and last_good is not None and last_good.rules is not None:
            rules = last_good.rules
        if rules is not None:
            delay = rules.crawl_delay(self._user_agent)
            self._politeness.set_crawl_delay(host_key(origin), delay, origin=origin)
        lifetime = RETRY_UNREACHABLE_AFTER if unreachable else KEPT_FOR
        copy = _Copy(
            rules=rules,
            everything_allowed=everything_allowed,
            expires_at=self._now() + lifetime,
            unread=_verdict_unread(answer),
        )
        self._copies[origin] = copy
        if len(self._copies) > _MAX_ORIGINS:
            self._copies.pop(next(iter(self._copies)))
        return copy
