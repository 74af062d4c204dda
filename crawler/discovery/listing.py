"""What an index of links comes to once it is read, whatever it is written in. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from storage.model import FeedKind
from storage.records import FeedEntry

MAX_TITLE_LENGTH = 1_000
MAX_TTL_SECONDS = 31 * 86_400


class FoundBy(StrEnum):
    """How an index came to be known."""

    LINK = "link"
    """`<link rel=alternate>` of a page."""
    COMMON_PLACE = "common_place"
    ROBOTS = "robots"
    SITEMAP_INDEX = "sitemap_index"
    SECTION = "section"
    """A link of a section or a home page."""
    PAGINATION = "pagination"
    NAMED = "named"
    CONFIGURED = "configured"


@dataclass(frozen=True, kw_only=True)
class FoundIndex:
    """Another index of links that was found. `url` is a clean URL.

    `kind` is `UNKNOWN` where only fetching it tells. `changed_at` is the `lastmod` of a sitemap index: a hint, never a
    fact; a day without a time stands for the beginning of that day in UTC.
    """

    url: str
    kind: FeedKind
    found_by: FoundBy
    title: str | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What an index says: its entries, each page once in the order of the index, and the indexes that it names.

    `ttl_seconds` is how long it asks to be left alone, where it does, `skip_hours` (0 to 23) and `skip_days` (0 is
    Monday), both in UTC, when it asks not to be polled. `next_url` is the further page of the same index
    (JSON Feed `next_url`, Atom `rel=next` of RFC 5005), `home_url` the page that the index says it belongs to; both
    are clean URLs. `paid` holds the `url_key` of each entry that is marked as paid for.

    `left_out` counts the links that are not among the entries or indexes, by reason: `no_url` (none, or one that is no
    web address), `repeated` (the same page again, or an index that names itself), `too_many` (beyond the bounds).

    `problem` is None or the gravest of: `too_large` (cut behind the most bytes that are read), `truncated` (its end is
    missing), `malformed` (not well-formed, so entries may be missing), `too_many_entries`.
    """

    kind: FeedKind
    title: str | None = None
    entries: Sequence[FeedEntry] = ()
    indexes: Sequence[FoundIndex] = ()
    ttl_seconds: int | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    problem: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    next_url: str | None = None
    home_url: str | None = None
    paid: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class NotAFeed:
    """Why a body gives no listing.

    `empty`, `html`, `json` of another kind, `sitemap` where a feed was asked for, `xml` of another kind, `not_xml`,
    `too_large` to be parsed, or `malformed` where it is what it should be and beyond reading.
    """

    reason: str
