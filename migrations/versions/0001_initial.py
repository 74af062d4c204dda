"""The first schema: sources, feeds, pages, fetches, captures, articles, versions, the change feed, and the views.

The tables are written out here and not imported, because this file must go on making the same schema when the
project's own tables have moved on.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _key() -> TypeEngine[Any]:
    """Return the type of a key: SQLite numbers rows by itself only when it is exactly INTEGER."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant() -> TypeEngine[Any]:
    """Return timestamptz, and for SQLite the text `YYYY-MM-DD HH:MM:SS.ffffff+00:00`."""
    return sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def _json() -> TypeEngine[Any]:
    """Return jsonb, and for SQLite JSON text."""
    return sa.Text().with_variant(JSONB(none_as_null=True), "postgresql")


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> sa.Column[Any]:
    return sa.Column("id", _key(), primary_key=True)


def _reference(name: str, target: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _key(), sa.ForeignKey(f"{target}.id"), nullable=nullable)


def _stated_time(name: str) -> list[sa.Column[Any]]:
    return [
        sa.Column(f"{name}_at", _instant()),
        sa.Column(f"{name}_local", sa.Text()),
        sa.Column(f"{name}_zone_known", sa.Boolean()),
        sa.Column(f"{name}_raw", sa.Text()),
        sa.Column(f"{name}_found_in", sa.Text()),
    ]


def _content() -> list[sa.Column[Any]]:
    return [
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("standfirst", sa.Text()),
        sa.Column("byline", sa.Text()),
        sa.Column("authors", _json(), nullable=False),
        sa.Column("dateline", sa.Text()),
        sa.Column("section", sa.Text()),
        sa.Column("tags", _json(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("canonical_url", sa.Text()),
        *_stated_time("published"),
        *_stated_time("modified"),
        sa.Column("image_url", sa.Text()),
        sa.Column("image_caption", sa.Text()),
        sa.Column("site_name", sa.Text()),
        sa.Column("access", sa.Text(), nullable=False),
        sa.Column("extractor", sa.Text(), nullable=False),
    ]


sa.Table(
    "sources",
    metadata,
    _id(),
    sa.Column("slug", sa.Text(), nullable=False, unique=True),
    sa.Column("name", sa.Text()),
    sa.Column("homepage", sa.Text()),
    sa.Column("feeds", _json(), nullable=False),
    sa.Column("sitemaps", _json(), nullable=False),
    sa.Column("sections", _json(), nullable=False),
    sa.Column("include", _json(), nullable=False),
    sa.Column("exclude", _json(), nullable=False),
    sa.Column("timezone", sa.Text()),
    sa.Column("delay_seconds", sa.Float()),
    sa.Column("poll", sa.Text()),
    sa.Column("recrawl", sa.Text()),
    sa.Column("configured", sa.Boolean(), nullable=False),
    sa.Column("watched", sa.Boolean(), nullable=False),
    sa.Column("paused", sa.Boolean(), nullable=False),
    sa.Column("first_seen_at", _instant(), nullable=False),
    sqlite_autoincrement=True,
)

sa.Table(
    "feeds",
    metadata,
    _id(),
    _reference("source_id", "sources"),
    sa.Column("url", sa.Text(), nullable=False, unique=True),
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("title", sa.Text()),
    sa.Column("etag", sa.Text()),
    sa.Column("last_modified", sa.Text()),
    sa.Column("body_digest", sa.Text()),
    sa.Column("last_polled_at", _instant()),
    sa.Column("next_poll_at", _instant()),
    sa.Column("last_outcome", sa.Text()),
    sa.Column("consecutive_failures", sa.Integer(), nullable=False),
    sa.Column("configured", sa.Boolean(), nullable=False),
    sa.Column("paused", sa.Boolean(), nullable=False),
    sa.Column("first_seen_at", _instant(), nullable=False),
    sa.Index(None, "source_id"),
    sa.Index(None, "next_poll_at"),
    sqlite_autoincrement=True,
)

sa.Table(
    "captures",
    metadata,
    _id(),
    sa.Column("record_id", sa.Text(), nullable=False, unique=True),
    sa.Column("url", sa.Text(), nullable=False),
    sa.Column("captured_at", _instant(), nullable=False),
    sa.Column("warc_file", sa.Text(), nullable=False),
    sa.Column("warc_offset", _key(), nullable=False),
    sa.Column("warc_length", _key(), nullable=False),
    sa.Column("body_digest", sa.Text(), nullable=False),
    sqlite_autoincrement=True,
)

sa.Table(
    "pages",
    metadata,
    _id(),
    _reference("source_id", "sources"),
    sa.Column("url", sa.Text(), nullable=False),
    sa.Column("url_key", sa.Text(), nullable=False, unique=True),
    sa.Column("host", sa.Text(), nullable=False),
    _reference("alias_of", "pages", nullable=True),
    sa.Column("first_seen_at", _instant(), nullable=False),
    sa.Column("feed_title", sa.Text()),
    sa.Column("feed_published_at", _instant()),
    # What was seen last, and what the next request may be conditional on.
    sa.Column("last_fetch_at", _instant()),
    sa.Column("last_outcome", sa.Text()),
    sa.Column("consecutive_failures", sa.Integer(), nullable=False),
    sa.Column("etag", sa.Text()),
    sa.Column("last_modified", sa.Text()),
    sa.Column("body_digest", sa.Text()),
    _reference("seen_capture_id", "captures", nullable=True),
    sa.Column("seen_extractor", sa.Text()),
    # The plan, and what it is made from; nothing of it is derived from `fetches`, which may be thinned out.
    sa.Column("next_fetch_at", _instant()),
    sa.Column("watch_ended", sa.Boolean(), nullable=False),
    sa.Column("looks", sa.Integer(), nullable=False),
    sa.Column("changes", sa.Integer(), nullable=False),
    sa.Column("last_changed_at", _instant()),
    sa.Column("missing_since", _instant()),
    sa.Column("missing_looks", sa.Integer(), nullable=False),
    # A reading that waits for another look.
    sa.Column("candidate", _json()),
    _reference("candidate_capture_id", "captures", nullable=True),
    sa.Column("candidate_captured_at", _instant()),
    sa.Column("candidate_looks", sa.Integer(), nullable=False),
    # An alternation between two states: since when, which version's state was seen last, and how often in a row.
    sa.Column("flapping_since", _instant()),
    sa.Column("flapping_number", sa.Integer()),
    sa.Column("flapping_looks", sa.Integer(), nullable=False),
    sa.Index("ix_pages_next_fetch_at", "next_fetch_at"),
    sa.Index("ix_pages_source_id_last_fetch_at", "source_id", "last_fetch_at"),
    # Partial, or else SQLite would use it to find the pages that are no aliases: nearly all.
    sa.Index(
        "ix_pages_alias_of",
        "alias_of",
        sqlite_where=sa.text("alias_of IS NOT NULL"),
        postgresql_where=sa.text("alias_of IS NOT NULL"),
    ),
    sa.Index(
        "ix_pages_unplanned",
        "id",
        sqlite_where=sa.text("next_fetch_at IS NULL AND alias_of IS NULL AND NOT watch_ended"),
        postgresql_where=sa.text("next_fetch_at IS NULL AND alias_of IS NULL AND NOT watch_ended"),
    ),
    sqlite_autoincrement=True,
)

sa.Table(
    "feed_entries",
    metadata,
    sa.Column("feed_id", _key(), sa.ForeignKey("feeds.id"), primary_key=True, autoincrement=False),
    sa.Column("page_id", _key(), sa.ForeignKey("pages.id"), primary_key=True, autoincrement=False),
    sa.Column("first_listed_at", _instant(), nullable=False),
    sa.Column("last_listed_at", _instant(), nullable=False),
    sa.Column("title", sa.Text()),
    sa.Column("published_at", _instant()),
    sa.Column("published_raw", sa.Text()),
    sa.Column("updated_at", _instant()),
    sa.Index(None, "page_id"),
)

sa.Table(
    "articles",
    metadata,
    _id(),
    sa.Column("primary_page_id", _key(), sa.ForeignKey("pages.id"), nullable=False, unique=True),
    sa.Column("status", sa.Text(), nullable=False),
    sa.Column("first_seen_at", _instant(), nullable=False),
    sa.Column("last_checked_at", _instant(), nullable=False),
    sa.Column("version_count", sa.Integer(), nullable=False),
    sa.Column("current_number", sa.Integer(), nullable=False),
    sa.Column("syndication_group_id", _key()),
    sa.Column("merged_into", _key(), sa.ForeignKey("articles.id")),
    *_content(),
    sa.Index(None, "published_at"),
    sa.Index(None, "last_checked_at"),
    sqlite_autoincrement=True,
)

sa.Table(
    "versions",
    metadata,
    _id(),
    _reference("article_id", "articles"),
    sa.Column("number", sa.Integer(), nullable=False),
    sa.Column("change", sa.Text(), nullable=False),
    _reference("reverts_to", "versions", nullable=True),
    _reference("capture_id", "captures"),
    sa.Column("captured_at", _instant(), nullable=False),
    sa.Column("last_seen_at", _instant(), nullable=False),
    sa.Column("content_digest", sa.Text(), nullable=False),
    *_content(),
    sa.UniqueConstraint("article_id", "number"),
    sa.Index(None, "article_id", "content_digest"),
    sa.Index(None, "capture_id"),
    sqlite_autoincrement=True,
)

sa.Table(
    "extractions",
    metadata,
    _id(),
    _reference("version_id", "versions"),
    sa.Column("extractor", sa.Text(), nullable=False),
    # `reread`: the version's own capture by another extractor; `baseline`: a later capture, where that one failed.
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("read_at", _instant(), nullable=False),
    sa.Column("content_digest", sa.Text(), nullable=False),
    sa.Column("reading", _json(), nullable=False),
    sa.UniqueConstraint("version_id", "extractor"),
    sqlite_autoincrement=True,
)

sa.Table(
    "fetches",
    metadata,
    _id(),
    sa.Column("record_id", sa.Text(), nullable=False, unique=True),
    sa.Column("chain_id", sa.Text(), nullable=False),
    sa.Column("hop", sa.Integer(), nullable=False),
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("url", sa.Text(), nullable=False),
    _reference("source_id", "sources", nullable=True),
    _reference("page_id", "pages", nullable=True),
    _reference("feed_id", "feeds", nullable=True),
    sa.Column("started_at", _instant(), nullable=False),
    sa.Column("finished_at", _instant(), nullable=False),
    sa.Column("outcome", sa.Text(), nullable=False),
    sa.Column("reason", sa.Text()),
    sa.Column("status", sa.Integer()),
    sa.Column("bytes_received", _key(), nullable=False),
    sa.Column("location", sa.Text()),
    sa.Column("headers", _json(), nullable=False),
    _reference("capture_id", "captures", nullable=True),
    _reference("article_id", "articles", nullable=True),
    _reference("version_id", "versions", nullable=True),
    sa.Index(None, "page_id"),
    sa.Index(None, "finished_at"),
    sqlite_autoincrement=True,
)

sa.Table(
    "events",
    metadata,
    sa.Column("seq", _key(), primary_key=True),
    sa.Column("kind", sa.Text(), nullable=False),
    _reference("article_id", "articles"),
    _reference("version_id", "versions", nullable=True),
    sa.Column("occurred_at", _instant(), nullable=False),
    sa.Index(None, "article_id"),
    sa.Index(None, "version_id"),
    sqlite_autoincrement=True,
)


_CONTENT = """
    {0}.headline, {0}.standfirst, {0}.byline, {0}.authors, {0}.dateline, {0}.section, {0}.tags, {0}.body, {0}.language,
    {0}.canonical_url, {0}.published_at, {0}.published_local, {0}.published_zone_known, {0}.published_raw,
    {0}.published_found_in, {0}.modified_at, {0}.modified_local, {0}.modified_zone_known, {0}.modified_raw,
    {0}.modified_found_in, {0}.image_url, {0}.image_caption, {0}.site_name, {0}.access"""

VIEWS = {
    # Only names written above stand in these f-strings.
    "articles_v1": f"""
        SELECT a.id AS article_id, s.slug AS source, p.url AS url, {_CONTENT.format("a")},
            a.first_seen_at, a.last_checked_at, a.version_count, v.id AS version_id,
            CASE WHEN a.status = 'live' AND s.paused THEN 'paused' ELSE a.status END AS status,
            a.syndication_group_id
        FROM articles a
        JOIN pages p ON p.id = a.primary_page_id
        JOIN sources s ON s.id = p.source_id
        JOIN versions v ON v.article_id = a.id AND v.number = a.current_number""",  # noqa: S608 - our own names
    "article_versions_v1": f"""
        SELECT v.article_id, v.number AS version, {_CONTENT.format("v")},
            v.id AS version_id, v.change, v.reverts_to, v.captured_at, v.last_seen_at, v.content_digest, v.extractor,
            c.warc_file, c.warc_offset
        FROM versions v
        JOIN captures c ON c.id = v.capture_id""",  # noqa: S608 - our own names
    "article_events_v1": """
        SELECT seq, kind, article_id, version_id, occurred_at FROM events""",
    "headline_changes_v1": """
        SELECT v.article_id, s.slug AS source, p.url AS url, v.id AS version_id, v.number AS version,
            before.headline AS headline_before, v.headline AS headline_after, v.captured_at AS changed_at
        FROM versions v
        JOIN versions before ON before.article_id = v.article_id AND before.number = v.number - 1
        JOIN articles a ON a.id = v.article_id
        JOIN pages p ON p.id = a.primary_page_id
        JOIN sources s ON s.id = p.source_id
        WHERE '+' || v.change || '+' LIKE '%+headline+%'""",
    "fetches_v1": """
        SELECT f.id AS fetch_id, f.record_id, f.chain_id, f.hop, f.kind, s.slug AS source, f.url,
            f.started_at, f.finished_at, f.outcome, f.reason, f.status, f.bytes_received, f.location,
            f.article_id, f.version_id, c.warc_file, c.warc_offset
        FROM fetches f
        LEFT JOIN sources s ON s.id = f.source_id
        LEFT JOIN captures c ON c.id = f.capture_id""",
}


def upgrade() -> None:
    """Create every table, index and view."""
    for table in metadata.sorted_tables:
        op.execute(CreateTable(table))
        for index in sorted(table.indexes, key=lambda index: index.name or ""):
            op.execute(CreateIndex(index))
    for name, query in VIEWS.items():
        op.execute(sa.text(f"CREATE VIEW {name} AS {query}"))
