"""What is remembered of servers: addresses that moved, validators that lie, hosts that refuse, ids of entries.

The rules of recrawling `index`, `stormcrawler` and `nutch` can no longer be chosen; who had one has the plan.
Columns are only added, each of which may be left out of an INSERT, so a program of the third schema that still runs is
not disturbed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0"))


def upgrade() -> None:
    """Add the columns, and the index by which an entry is found by its id."""
    op.add_column("hosts", sa.Column("hold_reason", sa.Text()))
    for column in (_count("not_modified_polls"), _count("validators_proved")):
        op.add_column("feeds", column)
    op.add_column("pages", sa.Column("landed_url", sa.Text()))
    for name in ("moved_looks", "not_modified_looks", "validators_proved"):
        op.add_column("pages", _count(name))
    op.add_column("feed_entries", sa.Column("entry_id", sa.Text()))
    known = sa.text("entry_id IS NOT NULL")
    op.create_index(
        "ix_feed_entries_feed_id_entry_id",
        "feed_entries",
        ["feed_id", "entry_id"],
        sqlite_where=known,
        postgresql_where=known,
    )
    former = "('index', 'stormcrawler', 'nutch')"
    op.execute(f"UPDATE pages SET next_fetch_reason = 'plan' WHERE next_fetch_reason IN {former}")  # noqa: S608
    op.execute(f"UPDATE sources SET recrawl = 'plan' WHERE recrawl IN {former}")  # noqa: S608
