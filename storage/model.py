"""The domain: frozen values and closed lists, in the words of the newsroom and of web archives.

Every instant in these values is aware and in UTC. Only the standard library is imported here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Headers = Sequence[tuple[str, str]]
"""Header fields in the order they came, repeated names kept."""


class FetchKind(StrEnum):
    """What a fetch was for."""

    PAGE = "page"
    FEED = "feed"
    SITEMAP = "sitemap"
    SECTION = "section"
    ROBOTS = "robots"


class FeedKind(StrEnum):
    """What a polled index of links is written in."""

    RSS = "rss"
    ATOM = "atom"
    JSON = "json"
    SITEMAP = "sitemap"
    NEWS_SITEMAP = "news_sitemap"
    SECTION = "section"
    UNKNOWN = "unknown"
    """Configured, and not fetched yet."""


class RecrawlRule(StrEnum):
    """The rules by which articles are looked at again (`scheduler.recrawl`), as a configuration names them."""

    PLAN = "plan"
    GEOMETRIC = "geometric"
    FIXED = "fixed"


class NextReason(StrEnum):
    """Why a page is due when it is, or why it is not watched any more; the list is closed."""

    NEW = "new"
    """It was never fetched."""
    REQUESTED = "requested"
    """An operator asked for it."""
    SECOND_LOOK = "second_look"
    """A reading waits until a second look shows the same."""
    SUSPECT = "suspect"
    """It gave a text that may be another's, which further looks confirm or refute."""
    MISSING = "missing"
    """Its article was not there; a later look confirms that."""
    GONE = "gone"
    """Its article is gone, and may return."""
    RETRY = "retry"
    """The last attempt told nothing of it."""
    NOT_ARTICLE = "not_article"
    """It was no article, and may be one by now."""
    HINT = "hint"
    """A feed or a sitemap says that it was changed."""
    PLAN = RecrawlRule.PLAN.value
    GEOMETRIC = RecrawlRule.GEOMETRIC.value
    FIXED = RecrawlRule.FIXED.value
    """The rule of that name says so."""
    STILL_CHANGES = "still_changes"
    """The time for which it is watched is over, but it was changed not long ago."""
    FINISHED = "finished"
    """Not watched any more: no further look is worth a fetch, unless its publisher says that it was changed, or fetches
    become cheaper."""
    RELEASED = "released"
    """Not watched any more: it is older than articles are watched, or an operator said so."""


BY_RULE = frozenset(
    {
        NextReason.HINT,
        NextReason.PLAN,
        NextReason.GEOMETRIC,
        NextReason.FIXED,
    }
)
"""Reasons of a look that the rule of recrawling chose; looks for any other reason are not of its making."""


class PollReason(StrEnum):
    """Why a feed is due when it is; the list is closed."""

    NEW = "new"
    """It was never polled."""
    REQUESTED = "requested"
    """An operator asked for it."""
    START = "start"
    """Nothing is learnt of it yet: the interval that its kind begins with."""
    SHARE = "share"
    """The interval learnt from the share of its entries that was new."""
    INTERVAL = "interval"
    """The `poll` of its source, a duration."""
    CRON = "cron"
    """The `poll` of its source or of the service, a cron expression."""
    TTL = "ttl"
    """It asks to be left alone until then (`ttl`, `sy:updatePeriod`), or is finished."""
    MAX_AGE = "max_age"
    """Its answer holds until then (`Cache-Control`, `Expires`)."""
    SKIP_HOURS = "skip_hours"
    SKIP_DAYS = "skip_days"
    """The hours or days are over in which it asks not to be polled."""
    RETRY = "retry"
    """After failures in a row, later each time."""
    RETRY_AFTER = "retry_after"
    """Its host asked to be left alone until then (`Retry-After`, 429, 503)."""
    FALLBACK = "fallback"
    """Its own rule failed."""


class Access(StrEnum):
    """Who may read the article's full text, as the page says."""

    FREE = "free"
    METERED = "metered"
    PAYWALLED = "paywalled"
    UNKNOWN = "unknown"


class ArticleStatus(StrEnum):
    """Whether an article is watched."""

    LIVE = "live"
    GONE = "gone"
    PAUSED = "paused"


class EventKind(StrEnum):
    """What the change feed tells; readers ignore kinds they do not know."""

    CREATED = "created"
    UPDATED = "updated"
    REVERTED = "reverted"
    GONE = "gone"
    RESTORED = "restored"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"
    REREAD = "reread"
    PURGED = "purged"


class ChangedField(StrEnum):
    """A field whose change makes a version. The order here is the order in a change's name."""

    HEADLINE = "headline"
    STANDFIRST = "standfirst"
    BODY = "body"
    AUTHORS = "authors"
    DATE = "date"


@dataclass(frozen=True, kw_only=True)
class StatedTime:
    """A time as a page states it.

    `instant` is aware, in UTC, and None where neither the page nor the source's configuration gives a zone.
    `local` is ISO 8601 as the page shows it: `2022-11-18`, `2022-11-18T15:26:00`, with `+05:30` or `Z` only where
    the page gives one. `zone_known` says whether the page itself gave the zone. `raw` is the string that was read,
    `found_in` where: `json_ld`, `microdata`, `meta`, `time_element`, `text` or `url`.
    """

    instant: datetime | None = None
    local: str
    zone_known: bool = False
    raw: str
    found_in: str


EXPLICIT_MARKUP = frozenset({"json_ld", "microdata", "meta", "time_element"})
"""Values of `StatedTime.found_in` that are markup written for machines."""


@dataclass(frozen=True, kw_only=True)
class ExtractedArticle:
    """What one capture says when it is read: the fields of schema.org/NewsArticle and of newsrooms.

    Text is NFC without control characters. `body` holds paragraphs separated by an empty line. `authors` and `tags`
    are in the page's order without repeats. `language` is an ISO 639-1 code. URLs are absolute. `extractor` is the id
    of the extractor that read it: only readings of one extractor are ever compared.
    """

    headline: str
    body: str
    extractor: str
    standfirst: str | None = None
    byline: str | None = None
    authors: tuple[str, ...] = ()
    dateline: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None
    canonical_url: str | None = None
    published: StatedTime | None = None
    modified: StatedTime | None = None
    image_url: str | None = None
    image_caption: str | None = None
    site_name: str | None = None
    access: Access = Access.UNKNOWN


@dataclass(frozen=True, kw_only=True)
class Source:
    """One publisher, with its feeds and its policy, as configured.

    `slug` names it everywhere. `timezone` is an IANA name that makes unzoned times instants. `delay_seconds` is the
    least time between two requests to its hosts, `poll` a duration or a cron expression, `recrawl` a duration or the
    name of a rule; each None where the defaults hold.
    """

    slug: str
    name: str | None = None
    homepage: str | None = None
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    timezone: str | None = None
    delay_seconds: float | None = None
    poll: str | None = None
    recrawl: str | None = None


@dataclass(frozen=True, kw_only=True)
class HttpExchange:
    """One request and its response as they crossed the wire, ready to be archived.

    `record_id` is a fresh `urn:uuid:…` that becomes the WARC record id and makes every recording of this exchange
    idempotent. `body` is content-coded as sent, with any transfer coding removed. Times are those of the request's
    start and of the response's last byte.
    """

    record_id: str
    url: str
    method: str
    request_headers: Headers
    status: int
    reason_phrase: str
    http_version: str
    response_headers: Headers
    body: bytes
    ip_address: str | None
    started_at: datetime
    finished_at: datetime

    def header(self, name: str) -> str | None:
        """Return the first response header of that name, in any case, or None."""
        wanted = name.lower()
        return next((value for key, value in self.response_headers if key.lower() == wanted), None)


@dataclass(frozen=True, kw_only=True)
class Capture:
    """A response that was kept: where its record stands in a WARC file, and the digest of its decoded body.

    `warc_file` is the final file name without folder; while it is still written the file is called
    `warc_file + ".open"`. `offset` and `length` are those of the record's gzip member, in bytes. `body_digest` is
    `sha256:` and the hex digest of the body after content decoding.
    """

    record_id: str
    url: str
    captured_at: datetime
    warc_file: str
    offset: int
    length: int
    body_digest: str


@dataclass(frozen=True, kw_only=True)
class Version:
    """An immutable state of an article, numbered 1…n."""

    version_id: int
    article_id: int
    number: int
    change: str
    captured_at: datetime
    last_seen_at: datetime
    content_digest: str
    article: ExtractedArticle
    capture_id: int
    warc_file: str
    warc_offset: int
    reverts_to: int | None = None


@dataclass(frozen=True, kw_only=True)
class Article:
    """The journalistic identity behind one or more pages, with its current content."""

    article_id: int
    source_slug: str
    url: str
    status: ArticleStatus
    first_seen_at: datetime
    last_checked_at: datetime
    version_count: int
    version_id: int
    content: ExtractedArticle
    opt_outs: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Event:
    """A row of the change feed; `seq` only grows."""

    seq: int
    kind: str
    article_id: int
    version_id: int | None
    occurred_at: datetime
