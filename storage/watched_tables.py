"""The tables of what is watched: sources, their feeds and pages, and what each of them is planned by."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, false, text

from storage.column_types import Id, JsonValue, StorableText, UtcDateTime
from storage.table_columns import id_column, metadata, reference

_BACKLOG = text("last_fetch_at IS NULL AND next_fetch_at > first_seen_at")
_DUE = text("last_fetch_at IS NOT NULL OR next_fetch_at <= first_seen_at")
_UNPLANNED = text("next_fetch_at IS NULL AND alias_of IS NULL AND NOT watch_ended AND NOT paused")

sources = Table(
    "sources",
    metadata,
    id_column(),
    Column("slug", StorableText, nullable=False, unique=True),
    Column("name", StorableText),
    Column("homepage", StorableText),
    Column("feeds", JsonValue, nullable=False),
    Column("sitemaps", JsonValue, nullable=False),
    Column("sections", JsonValue, nullable=False),
    Column("include", JsonValue, nullable=False),
    Column("exclude", JsonValue, nullable=False),
    Column("timezone", StorableText),
    Column("delay_seconds", Float),
    Column("poll", StorableText),
    Column("recrawl", StorableText),
    Column("configured", Boolean, nullable=False),
    # Whether the service looks after it: a configured source, and one made for an ad-hoc URL if that was asked for.
    Column("watched", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    # Who paused it, where it is paused: `operator`; null for the configuration, which no longer names it.
    Column("paused_by", StorableText),
    sqlite_autoincrement=True,
)

feeds = Table(
    "feeds",
    metadata,
    id_column(),
    reference("source_id", "sources"),
    Column("url", StorableText, nullable=False, unique=True),
    Column("kind", StorableText, nullable=False),
    Column("title", StorableText),
    Column("etag", StorableText),
    Column("last_modified", StorableText),
    Column("body_digest", StorableText),
    Column("last_polled_at", UtcDateTime),
    Column("next_poll_at", UtcDateTime),
    Column("last_outcome", StorableText),
    Column("consecutive_failures", Integer, nullable=False),
    Column("configured", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    # The index that leads here, which then polls it too; how it was found; when that index says that it changed.
    reference("parent_id", "feeds", nullable=True),
    Column("found_by", StorableText),
    Column("changed_at", UtcDateTime),
    Column("ttl_seconds", Integer),
    # How many links deep it was found, null for what was named or configured; where reading it was cut; when the common
    # places of its publisher were tried.
    Column("depth", Integer),
    Column("goes_on_at", StorableText),
    Column("probed_at", UtcDateTime),
    # What its polling is planned by: how often by what it brought, how long its answers hold, the hours (UTC) and days
    # (0 is Monday) it asks to be left alone, what the last list brought; why the next poll is when it is. What was new
    # since `learnt_until` is still to be learnt from; `moved_to` is where so many polls in a row were led for good.
    Column("poll_seconds", Float),
    Column("max_age_seconds", Integer),
    Column("skip_hours", JsonValue),
    Column("skip_days", JsonValue),
    Column("last_new", Integer),
    Column("last_known", Integer),
    Column("last_success_at", UtcDateTime),
    Column("next_poll_reason", StorableText),
    Column("learnt_until", UtcDateTime),
    Column("unlearnt_new", Integer, nullable=False, server_default=text("0")),
    Column("moved_to", StorableText),
    Column("moved_polls", Integer, nullable=False, server_default=text("0")),
    # How many answers in a row were 304, and how often a whole answer after such proved the validators right; -1 where
    # one proved them wrong.
    Column("not_modified_polls", Integer, nullable=False, server_default=text("0")),
    Column("validators_proved", Integer, nullable=False, server_default=text("0")),
    # By an operator: who paused it, as in `sources`; when a poll was asked for that has not begun since.
    Column("paused_by", StorableText),
    Column("requested_at", UtcDateTime),
    Index(None, "source_id"),
    Index(None, "next_poll_at"),
    Index(None, "parent_id"),
    sqlite_autoincrement=True,
)

pages = Table(
    "pages",
    metadata,
    id_column(),
    reference("source_id", "sources"),
    Column("url", StorableText, nullable=False),
    Column("url_key", StorableText, nullable=False, unique=True),
    Column("host", StorableText, nullable=False),
    reference("alias_of", "pages", nullable=True),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("feed_title", StorableText),
    Column("feed_published_at", UtcDateTime),
    # What was seen last, and what the next request may be conditional on.
    Column("last_fetch_at", UtcDateTime),
    Column("last_outcome", StorableText),
    Column("consecutive_failures", Integer, nullable=False),
    Column("etag", StorableText),
    Column("last_modified", StorableText),
    Column("body_digest", StorableText),
    reference("seen_capture_id", "captures", nullable=True),
    Column("seen_extractor", StorableText),
    # Where the last look ended, if not at `url`, so that the validators are that address's; how many looks in a row
    # were led there for good. The others as in `feeds`.
    Column("landed_url", StorableText),
    Column("moved_looks", Integer, nullable=False, server_default=text("0")),
    Column("not_modified_looks", Integer, nullable=False, server_default=text("0")),
    Column("validators_proved", Integer, nullable=False, server_default=text("0")),
    # The plan, and what it is made from; nothing of it is derived from `fetches`, which may be thinned out.
    Column("next_fetch_at", UtcDateTime),
    Column("watch_ended", Boolean, nullable=False),
    Column("looks", Integer, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("last_changed_at", UtcDateTime),
    Column("missing_since", UtcDateTime),
    Column("missing_looks", Integer, nullable=False),
    # A reading that waits for another look, and for what (`storage.records.CandidateKind`).
    Column("candidate", JsonValue),
    Column("candidate_kind", StorableText),
    reference("candidate_capture_id", "captures", nullable=True),
    Column("candidate_captured_at", UtcDateTime),
    Column("candidate_looks", Integer, nullable=False),
    # An alternation between two states: since when, which version's state was seen last, and how often in a row.
    Column("flapping_since", UtcDateTime),
    Column("flapping_number", Integer),
    Column("flapping_looks", Integer, nullable=False),
    # The page names another address as its own, but no article of its was found there.
    Column("canonical_refused", Boolean, nullable=False, server_default=false()),
    # An alias by its own word: what it showed, until that article is found at its primary page, or is not.
    Column("held_reading", JsonValue),
    # The last look that counted. What the looks until `learnt_until`, and the changes among them, told of how often the
    # article is edited: a Gamma distribution's two parameters beyond those of its host, and the interval of the rules
    # that adapt one. The newest time of a change that an index gave and no look has covered. Why it is due when it is.
    Column("last_look_at", UtcDateTime),
    Column("rate_alpha", Float, nullable=False, server_default=text("0")),
    Column("rate_beta", Float, nullable=False, server_default=text("0")),
    Column("learnt_until", UtcDateTime),
    Column("learnt_changes", Integer, nullable=False, server_default=text("0")),
    Column("interval_seconds", Float),
    Column("hinted_at", UtcDateTime),
    Column("next_fetch_reason", StorableText),
    # By an operator. `watched_from`: watched anew from then on, whatever its age. `released_by`: who ended its watch
    # for good, `operator` or null. `requested_at`: when a fetch was asked for that has not begun since.
    Column("paused", Boolean, nullable=False, server_default=false()),
    Column("watched_from", UtcDateTime),
    Column("released_by", StorableText),
    Column("requested_at", UtcDateTime),
    # What `storage.pages` takes first, and what it takes behind all else. They hold what pages are sifted by, or else
    # SQLite would look up every page that is due at a busy host.
    Index("ix_pages_due", "next_fetch_at", "id", "host", "source_id", sqlite_where=_DUE, postgresql_where=_DUE),
    Index(
        "ix_pages_backlog",
        "next_fetch_at",
        "id",
        "host",
        "source_id",
        sqlite_where=_BACKLOG,
        postgresql_where=_BACKLOG,
    ),
    Index(
        "ix_pages_backlog_of_source",
        "source_id",
        "next_fetch_at",
        "id",
        "host",
        sqlite_where=_BACKLOG,
        postgresql_where=_BACKLOG,
    ),
    Index("ix_pages_source_id_last_fetch_at", "source_id", "last_fetch_at"),
    # By which the addresses that a day brought are counted.
    Index("ix_pages_first_seen_at_source_id", "first_seen_at", "source_id"),
    Index("ix_pages_host_last_fetch_at", "host", "last_fetch_at"),
    Index(
        "ix_pages_missing",
        "host",
        "missing_since",
        sqlite_where=text("missing_since IS NOT NULL"),
        postgresql_where=text("missing_since IS NOT NULL"),
    ),
    Index(
        "ix_pages_suspect",
        "id",
        sqlite_where=text("candidate_kind = 'suspect'"),
        postgresql_where=text("candidate_kind = 'suspect'"),
    ),
    Index(
        "ix_pages_waiting",
        "alias_of",
        sqlite_where=text("held_reading IS NOT NULL"),
        postgresql_where=text("held_reading IS NOT NULL"),
    ),
    # Partial, or else SQLite would use it to find the pages that are no aliases: nearly all.
    Index(
        "ix_pages_alias_of",
        "alias_of",
        sqlite_where=text("alias_of IS NOT NULL"),
        postgresql_where=text("alias_of IS NOT NULL"),
    ),
    Index(
        "ix_pages_unplanned",
        "id",
        sqlite_where=_UNPLANNED,
        postgresql_where=_UNPLANNED,
    ),
    # What somebody asked for comes before all else that is due.
    Index(
        "ix_pages_requested",
        "next_fetch_at",
        "id",
        sqlite_where=text("requested_at IS NOT NULL"),
        postgresql_where=text("requested_at IS NOT NULL"),
    ),
    # Those that are planned anew when the price of a fetch has moved.
    Index(
        "ix_pages_by_plan",
        "host",
        "id",
        sqlite_where=text("next_fetch_reason = 'plan'"),
        postgresql_where=text("next_fetch_reason = 'plan'"),
    ),
    # Those that are asked again when it fell: no further look at them was worth it.
    Index(
        "ix_pages_finished",
        "host",
        "id",
        sqlite_where=text("next_fetch_reason = 'finished'"),
        postgresql_where=text("next_fetch_reason = 'finished'"),
    ),
    sqlite_autoincrement=True,
)

feed_entries = Table(
    "feed_entries",
    metadata,
    Column("feed_id", Id, ForeignKey("feeds.id"), primary_key=True, autoincrement=False),
    Column("page_id", Id, ForeignKey("pages.id"), primary_key=True, autoincrement=False),
    Column("first_listed_at", UtcDateTime, nullable=False),
    Column("last_listed_at", UtcDateTime, nullable=False),
    Column("title", StorableText),
    Column("published_at", UtcDateTime),
    Column("published_raw", StorableText),
    Column("updated_at", UtcDateTime),
    # The feed's own id of it (`guid`, `id`), where it gives one to no other entry.
    Column("entry_id", StorableText),
    Index(None, "page_id"),
    Index(
        None,
        "feed_id",
        "entry_id",
        sqlite_where=text("entry_id IS NOT NULL"),
        postgresql_where=text("entry_id IS NOT NULL"),
    ),
)

# What a day (UTC, YYYY-MM-DD) brought a source, counted from facts; outlives the fetches that it was counted from.
source_days = Table(
    "source_days",
    metadata,
    Column("source_id", Id, ForeignKey("sources.id"), primary_key=True, autoincrement=False),
    Column("day", StorableText, primary_key=True),
    Column("tallies", JsonValue, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
