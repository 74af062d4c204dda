"""What the service plans by: what looks told of each article and host, feeds' own wishes, pauses, and daily tallies.

Columns are only added and tables only made, so a program of the second schema that still runs is not disturbed: every
new column may be left out of an INSERT.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import TypeEngine

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _key() -> TypeEngine[Any]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant() -> TypeEngine[Any]:
    return sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def _json() -> TypeEngine[Any]:
    return sa.Text().with_variant(JSONB(none_as_null=True), "postgresql")


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# What the new tables refer to, as far as a reference needs it.
sa.Table("sources", metadata, sa.Column("id", _key(), primary_key=True))

NEW_TABLES = (
    sa.Table(
        "host_habits",
        metadata,
        sa.Column("host", sa.Text(), primary_key=True),
        sa.Column("habits", _json(), nullable=False),
        sa.Column("updated_at", _instant(), nullable=False),
    ),
    sa.Table(
        "source_days",
        metadata,
        sa.Column("source_id", _key(), sa.ForeignKey("sources.id"), primary_key=True, autoincrement=False),
        sa.Column("day", sa.Text(), primary_key=True),
        sa.Column("tallies", _json(), nullable=False),
        sa.Column("updated_at", _instant(), nullable=False),
    ),
    sa.Table(
        "service_state",
        metadata,
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("value", _json(), nullable=False),
        sa.Column("updated_at", _instant(), nullable=False),
    ),
)

NEW_COLUMNS = {
    "sources": (sa.Column("paused_by", sa.Text()),),
    "feeds": (
        sa.Column("poll_seconds", sa.Float()),
        sa.Column("max_age_seconds", sa.Integer()),
        sa.Column("skip_hours", _json()),
        sa.Column("skip_days", _json()),
        sa.Column("last_new", sa.Integer()),
        sa.Column("last_known", sa.Integer()),
        sa.Column("last_success_at", _instant()),
        sa.Column("next_poll_reason", sa.Text()),
        sa.Column("paused_by", sa.Text()),
        sa.Column("requested_at", _instant()),
        sa.Column("learnt_until", _instant()),
        sa.Column("unlearnt_new", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("moved_to", sa.Text()),
        sa.Column("moved_polls", sa.Integer(), nullable=False, server_default=sa.text("0")),
    ),
    "pages": (
        sa.Column("last_look_at", _instant()),
        sa.Column("rate_alpha", sa.Float(), nullable=False, server_default=sa.text("0")),
        sa.Column("rate_beta", sa.Float(), nullable=False, server_default=sa.text("0")),
        sa.Column("learnt_until", _instant()),
        sa.Column("learnt_changes", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("interval_seconds", sa.Float()),
        sa.Column("hinted_at", _instant()),
        sa.Column("next_fetch_reason", sa.Text()),
        sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("watched_from", _instant()),
        sa.Column("released_by", sa.Text()),
        sa.Column("requested_at", _instant()),
    ),
}

_CONTENT = """
    {0}.headline, {0}.standfirst, {0}.byline, {0}.authors, {0}.dateline, {0}.section, {0}.tags, {0}.body, {0}.language,
    {0}.canonical_url, {0}.published_at, {0}.published_local, {0}.published_zone_known, {0}.published_raw,
    {0}.published_found_in, {0}.modified_at, {0}.modified_local, {0}.modified_zone_known, {0}.modified_raw,
    {0}.modified_found_in, {0}.image_url, {0}.image_caption, {0}.site_name, {0}.access"""

ARTICLES_V1 = f"""
    SELECT a.id AS article_id, s.slug AS source, p.url AS url, {_CONTENT.format("a")},
        a.first_seen_at, a.last_checked_at, a.version_count, v.id AS version_id,
        CASE WHEN a.status = 'live' AND (s.paused OR p.paused) THEN 'paused' ELSE a.status END AS status,
        a.syndication_group_id, a.opt_outs
    FROM articles a
    JOIN pages p ON p.id = a.primary_page_id
    JOIN sources s ON s.id = p.source_id
    JOIN versions v ON v.article_id = a.id AND v.number = a.current_number"""  # noqa: S608 - our own names
"""The view with articles of paused pages shown as paused too."""


def upgrade() -> None:
    """Make the new tables, add the new columns, and let views and the planner's indexes hold what is asked of them."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for table in NEW_TABLES:
        op.execute(CreateTable(table))
    for name, columns in NEW_COLUMNS.items():
        for column in columns:
            op.add_column(name, column)
    # Looks that counted were not told from other fetches before; where the last fetch was one, it is known.
    op.execute(
        "UPDATE pages SET last_look_at = last_fetch_at, learnt_until = last_fetch_at, learnt_changes = changes "
        "WHERE last_outcome IN "
        "('created', 'updated', 'reverted', 'cosmetic', 'unchanged', 'not_modified', 'not_article', 'gone')"
    )
    op.execute(
        "UPDATE feeds SET last_success_at = last_polled_at, learnt_until = last_polled_at "
        "WHERE last_outcome IN ('listed', 'unchanged', 'not_modified')"
    )
    unplanned = sa.text("next_fetch_at IS NULL AND alias_of IS NULL AND NOT watch_ended AND NOT paused")
    op.drop_index("ix_pages_unplanned", "pages")
    op.create_index("ix_pages_unplanned", "pages", ["id"], sqlite_where=unplanned, postgresql_where=unplanned)
    planned = sa.text("next_fetch_reason = 'plan'")
    op.create_index("ix_pages_by_plan", "pages", ["host", "id"], sqlite_where=planned, postgresql_where=planned)
    finished = sa.text("next_fetch_reason = 'finished'")
    op.create_index("ix_pages_finished", "pages", ["host", "id"], sqlite_where=finished, postgresql_where=finished)
    requested = sa.text("requested_at IS NOT NULL")
    op.create_index(
        "ix_pages_requested",
        "pages",
        ["next_fetch_at", "id"],
        sqlite_where=requested,
        postgresql_where=requested,
    )
    # PostgreSQL replaces a view in place, so that the rights that somebody was granted on it stay.
    if not on_postgresql:
        op.execute(sa.text("DROP VIEW articles_v1"))
    op.execute(sa.text(f"CREATE {'OR REPLACE ' if on_postgresql else ''}VIEW articles_v1 AS {ARTICLES_V1}"))
    op.create_index("ix_articles_totals", "articles", ["primary_page_id", "version_count"])
    op.create_index("ix_pages_first_seen_at_source_id", "pages", ["first_seen_at", "source_id"])
