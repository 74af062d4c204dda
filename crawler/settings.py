"""What the crawler can be told: `[crawl]` and `[[source]]`. Read from file and environment in `scheduler.settings`."""

import os
import re
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from crawler.intervals import cron_expression, is_cron, parse_duration
from crawler.urls import InvalidUrl, clean_url
from storage.model import RecrawlRule

MEBIBYTE = 1024 * 1024
MOST_PROCESSES = 4
"""Extraction processes by default, at most: beyond it the writing side is the bound."""

_COMPATIBLE = re.compile(r"[(;]\s*compatible\s*;\s*([^\s/;()]+)", re.IGNORECASE)
_PRODUCT = re.compile(r"\s*([^\s/;()]+)")
_PRINTABLE = re.compile(r"[\x20-\x7e]+")


@cache
def software() -> str:
    """Return our name and version, as they stand in the user agent."""
    try:
        return f"morgue/{version('morgue')}"
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "morgue"


def default_user_agent() -> str:
    """Return an honest user agent: it says what we are, and that nobody has given a contact yet."""
    return f"{software()} (+contact not set; see [crawl] user_agent)"


def default_processes() -> int:
    """Return how many processes read pages: as many as this process may use cores, at most four."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_PROCESSES, allowed)


def robots_token(user_agent: str) -> str:
    """Return the name by which robots.txt is obeyed (RFC 9309, 2.2.1, "product token"); empty where there is none.

    In the form that browsers and robots use, `Mozilla/5.0 (compatible; ExampleBot/1.0; +https://…)`, it is the name
    after `compatible`; else it is the first product, as in `example-archive/1 (+https://…)`.
    """
    name = _COMPATIBLE.search(user_agent) or _PRODUCT.match(user_agent)
    return name[1] if name else ""


def _user_agent(text: str) -> str:
    if not _PRINTABLE.fullmatch(text):
        raise ValueError("must be one line of ASCII")
    if not any(sign in text for sign in ("@", "://", "(+")):
        raise ValueError("must name a contact, as in: example-archive/1 (+https://example.org/crawler)")
    if robots_token(text).lower() in ("", "mozilla"):
        raise ValueError(
            "must name the crawler, as in: Mozilla/5.0 (compatible; ExampleBot/1.0; +https://example.org/bot)"
        )
    return text


def _web_url(text: str) -> str:
    try:
        clean = clean_url(text)
    except InvalidUrl as problem:
        raise ValueError(f"is no http or https URL: {problem}") from problem
    if "@" in text.split("://", 1)[1].split("/", 1)[0]:
        raise ValueError("must not carry a user name or password")
    return clean


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise ValueError(f"is no IANA time zone: {name!r}; write one such as Europe/Berlin") from problem
    return name


def interval_or_cron(text: str) -> str:
    """Check `poll`: a duration of at least a second, or a cron expression; returns it in its normal form.

    Raises `ValueError`.
    """
    if is_cron(text):
        return cron_expression(text)
    try:
        duration = parse_duration(text)
    except ValueError as problem:
        raise ValueError("is neither a duration, as 15m or 6h, nor a cron expression of five fields") from problem
    if duration.total_seconds() < 1:
        raise ValueError("must be a second at least")
    return text.strip().lower()


def _duration(text: str) -> str:
    if parse_duration(text).total_seconds() < 1:
        raise ValueError("must be a second at least")
    return text.strip().lower()


_FORMER_RULES = frozenset({"index", "nutch", "stormcrawler"})
"""What a configuration of the first releases may name."""


def rule_or_interval(text: str) -> str:
    """Check `recrawl`: the name of a rule, or a duration of at least a second; returns it in its normal form.

    Raises `ValueError`.
    """
    name = text.strip().lower()
    if name in set(RecrawlRule):
        return name
    if name in _FORMER_RULES:
        raise ValueError(f"is `{name}`, which is no longer a rule: put `plan`, which catches more with as many fetches")
    try:
        return _duration(text)
    except ValueError as problem:
        rules = ", ".join(RecrawlRule)
        raise ValueError(f"is neither a rule ({rules}) nor a duration of a second at least, as 6h or 30d") from problem


def _pattern(text: str) -> str:
    if not text.startswith(("/", "http://", "https://", "*")):
        raise ValueError("must begin with /, * or http, as in /news/* or https://*.example.com/*")
    return text


WebUrl = Annotated[str, AfterValidator(_web_url)]
Poll = Annotated[str, AfterValidator(interval_or_cron)]
Recrawl = Annotated[str, AfterValidator(rule_or_interval)]
Seconds = Annotated[float, Field(allow_inf_nan=False)]


class CrawlSettings(BaseModel):
    """`[crawl]`: how pages are fetched and read.

    `user_agent` must carry a contact. `delay_seconds` is the pause between two requests to one host where a source
    sets none. `max_bytes` bounds a body after decoding. `timeout_seconds` is for a whole response,
    `idle_timeout_seconds` for a pause in which nothing of it comes.
    `refetches_per_article` is how often an article may be looked at again in its watched life, on average.
    `concurrency` is how many requests may be in flight, each to another host; `requests_per_host_per_day` how often a
    host may be asked in a UTC day by all processes together, 0 for any number: the default is about a quarter of what
    one request a second comes to, enough for a publisher's day and a bound on what a mistake can do.
    `new_pages_per_source_per_day` bounds what a source's indexes may bring (`crawler.new_pages`), 0 for any number.
    `processes` read pages, each page for
    `extract_timeout_seconds` at most. Internal addresses are refused unless `allow_private_addresses`. That a page says
    `noarchive` is recorded; with `respect_noarchive` nothing is kept of such a page.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_agent: Annotated[str, AfterValidator(_user_agent)] = Field(default_factory=default_user_agent)
    allow_private_addresses: bool = False
    delay_seconds: Seconds = Field(default=1.0, ge=0, le=86_400)
    max_bytes: int = Field(default=10 * MEBIBYTE, ge=1024, le=1024 * MEBIBYTE)
    timeout_seconds: Seconds = Field(default=60.0, gt=0, le=3600)
    idle_timeout_seconds: Seconds = Field(default=20.0, gt=0, le=3600)
    concurrency: int = Field(default=16, ge=1, le=1000)
    requests_per_host_per_day: int = Field(default=20_000, ge=0, le=1_000_000_000)
    new_pages_per_source_per_day: int = Field(default=20_000, ge=0, le=1_000_000_000)
    refetches_per_article: Seconds = Field(default=6.0, ge=0, le=1000)
    processes: int = Field(default_factory=default_processes, ge=1, le=256)
    extract_timeout_seconds: Seconds = Field(default=20.0, gt=0, le=3600)
    max_redirects: int = Field(default=10, ge=0, le=50)
    respect_noarchive: bool = False

    @property
    def names_contact(self) -> bool:
        """Whether somebody has set a user agent, and with it whom publishers can write to."""
        return self.user_agent != default_user_agent()


class SourceSettings(BaseModel):
    """`[[source]]`: one publisher, as the configuration names it.

    `slug` is its name everywhere. `include` and `exclude` are patterns of URLs (`crawler.urls.in_scope`). `timezone` is
    an IANA name for times that pages give without a zone. `poll` is a duration or a cron expression in that zone.
    `recrawl` is the rule by which its articles are looked at again, or a fixed interval.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")
    name: str | None = Field(default=None, min_length=1, max_length=200)
    homepage: WebUrl | None = None
    feeds: tuple[WebUrl, ...] = ()
    sitemaps: tuple[WebUrl, ...] = ()
    sections: tuple[WebUrl, ...] = ()
    include: tuple[Annotated[str, AfterValidator(_pattern)], ...] = ()
    exclude: tuple[Annotated[str, AfterValidator(_pattern)], ...] = ()
    timezone: Annotated[str, AfterValidator(_time_zone)] | None = None
    delay_seconds: Seconds | None = Field(default=None, ge=0, le=86_400)
    poll: Poll | None = None
    recrawl: Recrawl | None = None
