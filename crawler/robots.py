"""robots.txt by RFC 9309: one copy an origin, shared by all processes, kept for a day at most."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from crawler.politeness import FetchingStopped
from crawler.robots_rules import RobotsRules, read_rules
from crawler.urls import host_key
from crawler.worker_pool import WorkFailed, Works, owner_of
from storage.outcomes import Outcome, Trait, with_trait
from storage.robots_files import RobotsFile, RobotsState

log = structlog.get_logger()

KEPT_FOR = timedelta(hours=24)
"""RFC 9309, 2.4: a copy should not be used for longer, unless there is no newer one to be had."""
KEPT_AT_LEAST = timedelta(hours=1)
"""A shorter `max-age`, as many servers give it for everything they have, would ask for the file again and again."""
RETRY_UNREACHABLE_AFTER = timedelta(minutes=10)
CLOCKS_DIFFER_BY = timedelta(minutes=1)
"""A copy from later than so much ahead was made before a clock was set back; nobody knows how old it is."""
_MAX_ORIGINS = 5_000
_MAX_CHARACTERS = 16 << 20
_CHARACTERS_A_LINE = 300
"""Copies are kept in memory up to so many, and with so much text together; others are read from the database again. A
rule takes more memory than its text has characters."""
_LONG = 200_000
"""The same for a copy that is matched away from the event loop."""
UNREADABLE = "robots_unreadable"
"""Why pages are not asked for whose robots.txt holds up or ends whatever reads it: it may forbid anything."""
_HOST_UNREACHABLE = with_trait(Trait.UNREACHABLE)
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class RobotsAnswer:
    """What asking for a robots.txt brought. `text` is what it says, in one form (`crawler.robots_rules.condensed`).

    `status` is None where no HTTP answer came, or none that could be read; `outcome` and `reason` then say why, where
    it was the host itself that could not be reached. `rules` are those of the text for us.
    """

    status: int | None = None
    text: str = ""
    rules: RobotsRules | None = None
    cache_control: str | None = None
    outcome: Outcome | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class RobotsVerdict:
    """Whether a URL may be fetched, and if not, what becomes of its fetch and why.

    Blocked: `disallowed`, or `robots_unreachable` after an answer that forbids everything. Where the host itself
    could not be reached, its pages share the outcome: `dns`, `refused`, `tls_certificate` and the like; where it is to
    be left alone, `rate_limited`. `opt_outs` are uses that the site reserves (`ai-train=no`).
    """

    allowed: bool
    outcome: Outcome = Outcome.BLOCKED_ROBOTS
    reason: str | None = None
    opt_outs: tuple[str, ...] = ()


class AsksForRobots(Protocol):
    """Fetches a robots.txt and keeps the copy."""

    async def __call__(
        self, origin: str, last: RobotsFile | None, *, delay_seconds: float | None, finishing: bool
    ) -> RobotsFile | RobotsVerdict:
        """Return the copy that is to be used from now on; a verdict where the origin must not be asked now."""


def read_answer(answer: RobotsAnswer, *, origin: str, last: RobotsFile | None, now: datetime) -> RobotsFile:
    """Return the copy that an answer makes, by RFC 9309, 2.3.1.

    2xx: its rules. 4xx but 429: no rules, all is allowed; likewise after redirects that led nowhere (2.3.1.2). 429, 5xx
    and no answer: unreachable, so that nothing is allowed, however long that lasts, unless there is a `last` good copy.
    """
    status, host = answer.status, host_key(origin)
    if status is not None and 200 <= status < 300:
        return RobotsFile(
            origin=origin,
            host=host,
            state=RobotsState.RULES,
            rules=answer.text,
            fetched_at=now,
            expires_at=now + _lifetime(answer.cache_control),
        )
    if status is not None and 300 <= status < 500 and status != 429:
        return RobotsFile(
            origin=origin, host=host, state=RobotsState.ALLOWED, fetched_at=now, expires_at=now + KEPT_FOR
        )
    unreachable = answer.outcome in _HOST_UNREACHABLE
    return RobotsFile(
        origin=origin,
        host=host,
        state=RobotsState.UNREACHABLE,
        rules=_last_good(last),
        fetched_at=now,
        expires_at=now + RETRY_UNREACHABLE_AFTER,
        outcome=answer.outcome if unreachable else None,
        reason=answer.reason if unreachable or answer.reason == UNREADABLE else "robots_unreachable",
    )


def _last_good(last: RobotsFile | None) -> str | None:
    """Return the rules of the last good copy; none at all where that allowed everything."""
    if last is None:
        return None
    return "" if last.state is RobotsState.ALLOWED else last.rules


def _lifetime(cache_control: str | None) -> timedelta:
    """Return for how long a copy is good: as `max-age` says, between an hour and a day."""
    found = _MAX_AGE.search(cache_control or "")
    return KEPT_FOR if found is None else min(max(timedelta(seconds=int(found[1])), KEPT_AT_LEAST), KEPT_FOR)


@dataclass(frozen=True, kw_only=True)
class _Copy:
    file: RobotsFile
    rules: RobotsRules | None

    @property
    def characters(self) -> int:
        """What it counts for among those that are kept."""
        text = self.file.rules or ""
        return len(text) + _CHARACTERS_A_LINE * text.count("\n")

    def verdict(self, url: str) -> RobotsVerdict:
        if self.rules is not None:
            opt_outs = self.rules.opt_outs(url)
            if self.rules.allow(url):
                return RobotsVerdict(allowed=True, opt_outs=opt_outs)
            return RobotsVerdict(allowed=False, reason="disallowed", opt_outs=opt_outs)
        if self.file.state is RobotsState.ALLOWED:
            return RobotsVerdict(allowed=True)
        if self.file.state is RobotsState.RULES:
            # Another process could read it, or an earlier one of ours.
            return RobotsVerdict(allowed=False, reason=UNREADABLE)
        outcome = self.file.outcome or Outcome.BLOCKED_ROBOTS
        return RobotsVerdict(allowed=False, outcome=outcome, reason=self.file.reason)


class RobotsGate:
    """Answers whether a URL may be fetched by the crawler whose product token is `token`.

    `stored` reads the copy that some process kept; `ask` fetches a new one, within `ask_seconds` of a source's
    delay, or is given up: many may wait for one copy. `note_crawl_delay` is told what each copy asks for, as (host,
    seconds, origin). `workers` read what a copy says.
    """

    def __init__(
        self,
        ask: AsksForRobots,
        *,
        stored: Callable[[str], Awaitable[RobotsFile | None]],
        token: str,
        note_crawl_delay: Callable[[str, float | None, str], None],
        now: Callable[[], datetime],
        ask_seconds: Callable[[float | None], float],
        workers: Works,
    ) -> None:
        self._ask = ask
        self._ask_seconds = ask_seconds
        self._workers = workers
        self._stored = stored
        self._token = token
        self._note_crawl_delay = note_crawl_delay
        self._now = now
        self._copies: dict[str, _Copy] = {}
        self._characters = 0
        self._asking: dict[str, asyncio.Task[_Copy | RobotsVerdict]] = {}

    async def check(self, url: str, *, delay_seconds: float | None = None, finishing: bool = False) -> RobotsVerdict:
        """Return the verdict for `url`, fetching its origin's robots.txt where no copy is fresh."""
        copy = await self._copy(url, delay_seconds=delay_seconds, finishing=finishing)
        if isinstance(copy, RobotsVerdict):
            return copy
        if copy.characters > _LONG:
            # Thousands of patterns, each matched with the address; the loop has others to see to.
            return await asyncio.to_thread(copy.verdict, url)
        return copy.verdict(url)

    async def sitemaps(self, url: str) -> list[str]:
        """Return the sitemaps that the robots.txt of the URL's origin names; none where it cannot be had."""
        copy = await self._copy(url, delay_seconds=None, finishing=False)
        return list(copy.rules.sitemaps) if isinstance(copy, _Copy) and copy.rules is not None else []

    def keep(self, file: RobotsFile, rules: RobotsRules | None) -> None:
        """Go by a copy that was just fetched, before the turn in which that was done ends. `rules` are its text's."""
        self._keep(file, rules)

    def is_fresh(self, file: RobotsFile) -> bool:
        """Whether a copy of another process need not be fetched again.

        Where that process could not reach the host at all, this one tries for itself: it may have been the network.
        """
        return self._is_current(file) and file.outcome is None

    def _is_current(self, file: RobotsFile) -> bool:
        now = self._now()
        return file.fetched_at - CLOCKS_DIFFER_BY <= now < file.expires_at

    async def _copy(self, url: str, *, delay_seconds: float | None, finishing: bool) -> "_Copy | RobotsVerdict":
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        while True:
            copy = self._copies.get(origin)
            if copy is not None and self._is_current(copy.file):
                # In the order of their use, so that those that are forgotten are seldom wanted.
                self._copies[origin] = self._copies.pop(origin)
                return copy
            task = self._asking.get(origin)
            ours = task is None
            if task is None:
                task = asyncio.create_task(self._renew(origin, delay_seconds=delay_seconds, finishing=finishing))
                self._asking[origin] = task
                task.add_done_callback(lambda _: self._asking.pop(origin, None))
            try:
                return await asyncio.shield(task)
            except FetchingStopped:
                if ours or not finishing:
                    raise
                # It was asked for by somebody who had begun nothing yet; who finishes what was begun asks anew.

    async def _renew(self, origin: str, *, delay_seconds: float | None, finishing: bool) -> "_Copy | RobotsVerdict":
        try:
            async with asyncio.timeout(self._ask_seconds(delay_seconds)) as limit:
                return await self._asked(origin, delay_seconds=delay_seconds, finishing=finishing)
        except TimeoutError:
            if not limit.expired():
                raise
            return RobotsVerdict(allowed=False, outcome=Outcome.TIMEOUT, reason="deadline")

    async def _asked(self, origin: str, *, delay_seconds: float | None, finishing: bool) -> "_Copy | RobotsVerdict":
        last = await self._stored(origin)
        if last is not None and self.is_fresh(last):
            return await self._kept(last)
        file = await self._ask(origin, last, delay_seconds=delay_seconds, finishing=finishing)
        return file if isinstance(file, RobotsVerdict) else await self._kept(file)

    async def _kept(self, file: RobotsFile) -> "_Copy":
        """Go by a copy whose rules may still have to be read."""
        if (kept := self._copies.get(file.origin)) is not None and kept.file is file:
            return kept
        return self._keep(file, await self.rules_of(file))

    async def rules_of(self, file: RobotsFile) -> RobotsRules | None:
        """Return what the text of a copy says to us; None where it has none, or one that cannot be read."""
        if not file.rules:
            return None if file.rules is None else read_rules("", token=self._token, origin=file.origin)
        try:
            work = partial(read_rules, file.rules, token=self._token, origin=file.origin)
            return await self._workers.run(work, owner=owner_of(file.origin))
        except WorkFailed as failed:
            log.warning("robots_unreadable", origin=file.origin, reason=failed.reason, problem=failed.problem)
            return None

    def _keep(self, file: RobotsFile, rules: RobotsRules | None) -> "_Copy":
        origin = file.origin
        # What the copy says to us: that of another process may have been made for another name.
        self._note_crawl_delay(file.host, None if rules is None else rules.crawl_delay, origin)
        self._drop(origin)
        copy = self._copies[origin] = _Copy(file=file, rules=rules)
        self._characters += copy.characters
        while len(self._copies) > 1 and (len(self._copies) > _MAX_ORIGINS or self._characters > _MAX_CHARACTERS):
            oldest = next(iter(self._copies))
            # Its Crawl-delay is noted again when the copy is read again, before anything of it is asked for.
            self._note_crawl_delay(self._copies[oldest].file.host, None, oldest)
            self._drop(oldest)
        return copy

    def _drop(self, origin: str) -> None:
        dropped = self._copies.pop(origin, None)
        if dropped is not None:
            self._characters -= dropped.characters
