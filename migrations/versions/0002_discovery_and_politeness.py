"""Indexes that lead to further ones, hosts and robots.txt shared by processes, opt-outs, articles in parts, suspects.

Columns are only added and tables only made, so a program of the first schema that still runs is not disturbed: every
new column may be left out of an INSERT.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _key() -> TypeEngine[Any]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant() -> TypeEngine[Any]:
    return sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def _json() -> TypeEngine[Any]:
    return sa.Text().with_variant(JSONB(none_as_null=True), "postgresql")


def _empty_list() -> sa.TextClause:
    return sa.text("'[]'")


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# What the new tables refer to, as far as a reference needs it.
sa.Table("captures", metadata, sa.Column("id", _key(), primary_key=True))
sa.Table("pages", metadata, sa.Column("id", _key(), primary_key=True))

NEW_TABLES = (
    sa.Table(
        "hosts",
        metadata,
        sa.Column("host", sa.Text(), primary_key=True),
        sa.Column("epoch", _key(), nullable=False),
        sa.Column("reserved_by", sa.Text()),
        sa.Column("reserved_until", _instant()),
        sa.Column("next_request_at", _instant()),
        sa.Column("pause_seconds", sa.Float(), nullable=False),
        sa.Column("response_seconds", sa.Float()),
        sa.Column("held_until", _instant()),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("budget_day", sa.Text()),
        sa.Column("requests_today", sa.Integer(), nullable=False),
        sa.Column("requests_unreported", sa.Integer(), nullable=False),
    ),
    sa.Table(
        "host_waiters",
        metadata,
        sa.Column("host", sa.Text(), primary_key=True),
        sa.Column("owner", sa.Text(), primary_key=True),
        sa.Column("since", _instant(), nullable=False),
        sa.Column("seen_at", _instant(), nullable=False),
    ),
    sa.Table(
        "boots",
        metadata,
        sa.Column("boot_id", sa.Text(), primary_key=True),
        sa.Column("started_at", _instant(), nullable=False),
    ),
    sa.Table(
        "robots_files",
        metadata,
        sa.Column("origin", sa.Text(), primary_key=True),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text()),
        sa.Column("fetched_at", _instant(), nullable=False),
        sa.Column("expires_at", _instant(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Index(None, "host"),
    ),
    sa.Table(
        "page_texts",
        metadata,
        sa.Column("page_id", _key(), sa.ForeignKey("pages.id"), primary_key=True, autoincrement=False),
        sa.Column("text_digest", sa.Text(), primary_key=True),
        sa.Column("headline_digest", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("first_seen_at", _instant(), nullable=False),
        sa.Column("of_version", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Index(None, "host", "text_digest"),
    ),
    sa.Table(
        "capture_parts",
        metadata,
        sa.Column("capture_id", _key(), sa.ForeignKey("captures.id"), primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("part_capture_id", _key(), sa.ForeignKey("captures.id"), nullable=False),
        sa.Index(None, "part_capture_id"),
    ),
)

NEW_COLUMNS = {
    "feeds": (
        sa.Column("found_by", sa.Text()),
        sa.Column("changed_at", _instant()),
        sa.Column("ttl_seconds", sa.Integer()),
        sa.Column("depth", sa.Integer()),
        sa.Column("goes_on_at", sa.Text()),
        sa.Column("probed_at", _instant()),
    ),
    "fetches": (sa.Column("opt_outs", _json(), nullable=False, server_default=_empty_list()),),
    "articles": (sa.Column("opt_outs", _json(), nullable=False, server_default=_empty_list()),),
    "pages": (
        sa.Column("canonical_refused", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("candidate_kind", sa.Text()),
        sa.Column("held_reading", _json()),
    ),
}

_CONTENT = """
    {0}.headline, {0}.standfirst, {0}.byline, {0}.authors, {0}.dateline, {0}.section, {0}.tags, {0}.body, {0}.language,
    {0}.canonical_url, {0}.published_at, {0}.published_local, {0}.published_zone_known, {0}.published_raw,
    {0}.published_found_in, {0}.modified_at, {0}.modified_local, {0}.modified_zone_known, {0}.modified_raw,
    {0}.modified_found_in, {0}.image_url, {0}.image_caption, {0}.site_name, {0}.access"""

WIDER_VIEWS = {
    "articles_v1": f"""
        SELECT a.id AS article_id, s.slug AS source, p.url AS url, {_CONTENT.format("a")},
            a.first_seen_at, a.last_checked_at, a.version_count, v.id AS version_id,
            CASE WHEN a.status = 'live' AND s.paused THEN 'paused' ELSE a.status END AS status,
            a.syndication_group_id, a.opt_outs
        FROM articles a
        JOIN pages p ON p.id = a.primary_page_id
        JOIN sources s ON s.id = p.source_id
        JOIN versions v ON v.article_id = a.id AND v.number = a.current_number""",  # noqa: S608 - our own names
    "fetches_v1": """
        SELECT f.id AS fetch_id, f.record_id, f.chain_id, f.hop, f.kind, s.slug AS source, f.url,
            f.started_at, f.finished_at, f.outcome, f.reason, f.status, f.bytes_received, f.location,
            f.article_id, f.version_id, c.warc_file, c.warc_offset, f.headers, f.opt_outs
        FROM fetches f
        LEFT JOIN sources s ON s.id = f.source_id
        LEFT JOIN captures c ON c.id = f.capture_id""",
}
"""Views with columns added at their end."""


def upgrade() -> None:
    """Make the new tables, add the new columns, and widen the views."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for table in NEW_TABLES:
        op.execute(CreateTable(table))
        for index in sorted(table.indexes, key=lambda index: index.name or ""):
            op.execute(CreateIndex(index))
    for name, columns in NEW_COLUMNS.items():
        for column in columns:
            op.add_column(name, column)
    # Alembic would add the reference in a statement of its own, which SQLite does not have.
    key = "BIGINT" if on_postgresql else "INTEGER"
    op.execute(f"ALTER TABLE feeds ADD COLUMN parent_id {key} CONSTRAINT fk_feeds_parent_id REFERENCES feeds (id)")
    op.create_index("ix_feeds_parent_id", "feeds", ["parent_id"])
    op.create_index("ix_pages_host_last_fetch_at", "pages", ["host", "last_fetch_at"])
    due = sa.text("last_fetch_at IS NOT NULL OR next_fetch_at <= first_seen_at")
    backlog = sa.text("last_fetch_at IS NULL AND next_fetch_at > first_seen_at")
    for name, indexed, where in (
        ("ix_pages_due", ["next_fetch_at", "id", "host", "source_id"], due),
        ("ix_pages_backlog", ["next_fetch_at", "id", "host", "source_id"], backlog),
        ("ix_pages_backlog_of_source", ["source_id", "next_fetch_at", "id", "host"], backlog),
    ):
        op.create_index(name, "pages", indexed, sqlite_where=where, postgresql_where=where)
    op.drop_index("ix_pages_next_fetch_at", "pages")
    missing = sa.text("missing_since IS NOT NULL")
    op.create_index(
        "ix_pages_missing", "pages", ["host", "missing_since"], sqlite_where=missing, postgresql_where=missing
    )
    suspect = sa.text("candidate_kind = 'suspect'")
    op.create_index("ix_pages_suspect", "pages", ["id"], sqlite_where=suspect, postgresql_where=suspect)
    waiting = sa.text("held_reading IS NOT NULL")
    op.create_index("ix_pages_waiting", "pages", ["alias_of"], sqlite_where=waiting, postgresql_where=waiting)
    for name, query in WIDER_VIEWS.items():
        # PostgreSQL replaces a view in place, so that the rights that somebody was granted on it stay.
        if not on_postgresql:
            op.execute(sa.text(f"DROP VIEW {name}"))
        op.execute(sa.text(f"CREATE {'OR REPLACE ' if on_postgresql else ''}VIEW {name} AS {query}"))
