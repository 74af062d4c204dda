"""The tables, as the newest migration leaves them. Consumers read the views (`storage.views`), never these.

No foreign key cascades: facts are never deleted because something else was. Keys point in one direction only, so an
article's current version is found by its number, and a page's article by the article's primary page.
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    false,
    text,
)

from storage.column_types import Id, JsonValue, StorableText, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[Any]:
    return Column("id", Id, primary_key=True)


def _reference(name: str, target: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Id, ForeignKey(f"{target}.id"), nullable=nullable)


def _stated_time(name: str) -> list[Column[Any]]:
    return [
        Column(f"{name}_at", UtcDateTime),
        Column(f"{name}_local", StorableText),
        Column(f"{name}_zone_known", Boolean),
        Column(f"{name}_raw", StorableText),
        Column(f"{name}_found_in", StorableText),
    ]


def _content() -> list[Column[Any]]:
    """Return the columns of `ExtractedArticle`, which articles and versions have alike."""
    return [
        Column("headline", StorableText, nullable=False),
        Column("standfirst", StorableText),
        Column("byline", StorableText),
        Column("authors", JsonValue, nullable=False),
        Column("dateline", StorableText),
        Column("section", StorableText),
        Column("tags", JsonValue, nullable=False),
        Column("body", StorableText, nullable=False),
        Column("language", StorableText),
        Column("canonical_url", StorableText),
        *_stated_time("published"),
        *_stated_time("modified"),
        Column("image_url", StorableText),
        Column("image_caption", StorableText),
        Column("site_name", StorableText),
        Column("access", StorableText, nullable=False),
        Column("extractor", StorableText, nullable=False),
    ]


_BACKLOG = text("last_fetch_at IS NULL AND next_fetch_at > first_seen_at")
_DUE = text("last_fetch_at IS NOT NULL OR next_fetch_at <= first_seen_at")
_UNPLANNED = text("next_fetch_at IS NULL AND alias_of IS NULL AND NOT watch_ended AND NOT paused")

sources = Table(
    "sources",
    metadata,
    _id(),
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
    _id(),
    _reference("source_id", "sources"),
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
    _reference("parent_id", "feeds", nullable=True),
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
    # By an operator: who paused it, as in `sources`; when a poll was asked for that has not begun since.
    Column("paused_by", StorableText),
    Column("requested_at", UtcDateTime),
    Index(None, "source_id"),
    Index(None, "next_poll_at"),
    Index(None, "parent_id"),
    sqlite_autoincrement=True,
)

captures = Table(
    "captures",
    metadata,
    _id(),
    Column("record_id", StorableText, nullable=False, unique=True),
    Column("url", StorableText, nullable=False),
    Column("captured_at", UtcDateTime, nullable=False),
    Column("warc_file", StorableText, nullable=False),
    Column("warc_offset", Id, nullable=False),
    Column("warc_length", Id, nullable=False),
    Column("body_digest", StorableText, nullable=False),
    sqlite_autoincrement=True,
)

pages = Table(
    "pages",
    metadata,
    _id(),
    _reference("source_id", "sources"),
    Column("url", StorableText, nullable=False),
    Column("url_key", StorableText, nullable=False, unique=True),
    Column("host", StorableText, nullable=False),
    _reference("alias_of", "pages", nullable=True),
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
    _reference("seen_capture_id", "captures", nullable=True),
    Column("seen_extractor", StorableText),
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
    _reference("candidate_capture_id", "captures", nullable=True),
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
    Index(None, "page_id"),
)

articles = Table(
    "articles",
    metadata,
    _id(),
    Column("primary_page_id", Id, ForeignKey("pages.id"), nullable=False, unique=True),
    Column("status", StorableText, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_checked_at", UtcDateTime, nullable=False),
    Column("version_count", Integer, nullable=False),
    Column("current_number", Integer, nullable=False),
    Column("syndication_group_id", Id),
    Column("merged_into", Id, ForeignKey("articles.id")),
    *_content(),
    Column("opt_outs", JsonValue, nullable=False, server_default=text("'[]'")),
    Index(None, "published_at"),
    Index(None, "last_checked_at"),
    # By which articles and versions are counted: rows of articles are long.
    Index("ix_articles_totals", "primary_page_id", "version_count"),
    sqlite_autoincrement=True,
)

versions = Table(
    "versions",
    metadata,
    _id(),
    _reference("article_id", "articles"),
    Column("number", Integer, nullable=False),
    Column("change", StorableText, nullable=False),
    _reference("reverts_to", "versions", nullable=True),
    _reference("capture_id", "captures"),
    Column("captured_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("content_digest", StorableText, nullable=False),
    *_content(),
    UniqueConstraint("article_id", "number"),
    Index(None, "article_id", "content_digest"),
    Index(None, "capture_id"),
    sqlite_autoincrement=True,
)

extractions = Table(
    "extractions",
    metadata,
    _id(),
    _reference("version_id", "versions"),
    Column("extractor", StorableText, nullable=False),
    # `reread`: the version's own capture by another extractor; `baseline`: a later capture, where that one failed.
    Column("kind", StorableText, nullable=False),
    Column("read_at", UtcDateTime, nullable=False),
    Column("content_digest", StorableText, nullable=False),
    Column("reading", JsonValue, nullable=False),
    UniqueConstraint("version_id", "extractor"),
    sqlite_autoincrement=True,
)

fetches = Table(
    "fetches",
    metadata,
    _id(),
    Column("record_id", StorableText, nullable=False, unique=True),
    Column("chain_id", StorableText, nullable=False),
    Column("hop", Integer, nullable=False),
    Column("kind", StorableText, nullable=False),
    Column("url", StorableText, nullable=False),
    _reference("source_id", "sources", nullable=True),
    _reference("page_id", "pages", nullable=True),
    _reference("feed_id", "feeds", nullable=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Column("outcome", StorableText, nullable=False),
    Column("reason", StorableText),
    Column("status", Integer),
    Column("bytes_received", Id, nullable=False),
    Column("location", StorableText),
    Column("headers", JsonValue, nullable=False),
    Column("opt_outs", JsonValue, nullable=False, server_default=text("'[]'")),
    _reference("capture_id", "captures", nullable=True),
    _reference("article_id", "articles", nullable=True),
    _reference("version_id", "versions", nullable=True),
    Index(None, "page_id"),
    Index(None, "finished_at"),
    sqlite_autoincrement=True,
)

events = Table(
    "events",
    metadata,
    Column("seq", Id, primary_key=True),
    Column("kind", StorableText, nullable=False),
    _reference("article_id", "articles"),
    _reference("version_id", "versions", nullable=True),
    Column("occurred_at", UtcDateTime, nullable=False),
    Index(None, "article_id"),
    Index(None, "version_id"),
    sqlite_autoincrement=True,
)

# Which texts a page has given, versions and suspects alike: the same one under many addresses is no article's.
page_texts = Table(
    "page_texts",
    metadata,
    Column("page_id", Id, ForeignKey("pages.id"), primary_key=True, autoincrement=False),
    Column("text_digest", StorableText, primary_key=True),
    Column("headline_digest", StorableText, nullable=False),
    Column("host", StorableText, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("of_version", Boolean, nullable=False, server_default=false()),
    Index(None, "host", "text_digest"),
)

# An article that is read from several pages: the captures of its further parts, in order, by that of its first.
capture_parts = Table(
    "capture_parts",
    metadata,
    Column("capture_id", Id, ForeignKey("captures.id"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("part_capture_id", Id, ForeignKey("captures.id"), nullable=False),
    Index(None, "part_capture_id"),
)

# Whose turn it is at a host: shared by all processes, on the database's clock.
hosts = Table(
    "hosts",
    metadata,
    Column("host", StorableText, primary_key=True),
    Column("epoch", Id, nullable=False),
    Column("reserved_by", StorableText),
    Column("reserved_until", UtcDateTime),
    Column("next_request_at", UtcDateTime),
    Column("pause_seconds", Float, nullable=False),
    Column("response_seconds", Float),
    Column("held_until", UtcDateTime),
    Column("refusals", Integer, nullable=False),
    Column("budget_day", StorableText),
    Column("requests_today", Integer, nullable=False),
    Column("requests_unreported", Integer, nullable=False),
)

host_waiters = Table(
    "host_waiters",
    metadata,
    Column("host", StorableText, primary_key=True),
    Column("owner", StorableText, primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

# What SQLite's processes tell the time by: when the machine was started, as the first of them reckoned it.
boots = Table(
    "boots",
    metadata,
    Column("boot_id", StorableText, primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
)

robots_files = Table(
    "robots_files",
    metadata,
    Column("origin", StorableText, primary_key=True),
    Column("host", StorableText, nullable=False),
    Column("state", StorableText, nullable=False),
    Column("rules", StorableText),
    Column("fetched_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("outcome", StorableText),
    Column("reason", StorableText),
    Index(None, "host"),
)

# How a host's articles are edited, as `scheduler` learnt it from the looks; all of it can be learnt anew.
host_habits = Table(
    "host_habits",
    metadata,
    Column("host", StorableText, primary_key=True),
    Column("habits", JsonValue, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
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

# What the service notes for itself and for commands beside it, by name.
service_state = Table(
    "service_state",
    metadata,
    Column("name", StorableText, primary_key=True),
    Column("value", JsonValue, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
