"""The tables of what was found: fetches, captures, articles with their versions, and the change feed."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, UniqueConstraint, false, text

from storage.column_types import Id, JsonValue, StorableText, UtcDateTime
from storage.table_columns import content_columns, id_column, metadata, reference

captures = Table(
    "captures",
    metadata,
    id_column(),
    Column("record_id", StorableText, nullable=False, unique=True),
    Column("url", StorableText, nullable=False),
    Column("captured_at", UtcDateTime, nullable=False),
    Column("warc_file", StorableText, nullable=False),
    Column("warc_offset", Id, nullable=False),
    Column("warc_length", Id, nullable=False),
    Column("body_digest", StorableText, nullable=False),
    sqlite_autoincrement=True,
)

articles = Table(
    "articles",
    metadata,
    id_column(),
    Column("primary_page_id", Id, ForeignKey("pages.id"), nullable=False, unique=True),
    Column("status", StorableText, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_checked_at", UtcDateTime, nullable=False),
    Column("version_count", Integer, nullable=False),
    Column("current_number", Integer, nullable=False),
    Column("syndication_group_id", Id),
    Column("merged_into", Id, ForeignKey("articles.id")),
    *content_columns(),
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
    id_column(),
    reference("article_id", "articles"),
    Column("number", Integer, nullable=False),
    Column("change", StorableText, nullable=False),
    reference("reverts_to", "versions", nullable=True),
    reference("capture_id", "captures"),
    Column("captured_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("content_digest", StorableText, nullable=False),
    *content_columns(),
    UniqueConstraint("article_id", "number"),
    Index(None, "article_id", "content_digest"),
    Index(None, "capture_id"),
    sqlite_autoincrement=True,
)

extractions = Table(
    "extractions",
    metadata,
    id_column(),
    reference("version_id", "versions"),
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
    id_column(),
    Column("record_id", StorableText, nullable=False, unique=True),
    Column("chain_id", StorableText, nullable=False),
    Column("hop", Integer, nullable=False),
    Column("kind", StorableText, nullable=False),
    Column("url", StorableText, nullable=False),
    reference("source_id", "sources", nullable=True),
    reference("page_id", "pages", nullable=True),
    reference("feed_id", "feeds", nullable=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Column("outcome", StorableText, nullable=False),
    Column("reason", StorableText),
    Column("status", Integer),
    Column("bytes_received", Id, nullable=False),
    Column("location", StorableText),
    Column("headers", JsonValue, nullable=False),
    Column("opt_outs", JsonValue, nullable=False, server_default=text("'[]'")),
    reference("capture_id", "captures", nullable=True),
    reference("article_id", "articles", nullable=True),
    reference("version_id", "versions", nullable=True),
    Index(None, "page_id"),
    Index(None, "finished_at"),
    sqlite_autoincrement=True,
)

events = Table(
    "events",
    metadata,
    Column("seq", Id, primary_key=True),
    Column("kind", StorableText, nullable=False),
    reference("article_id", "articles"),
    reference("version_id", "versions", nullable=True),
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
