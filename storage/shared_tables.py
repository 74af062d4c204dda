"""The tables by which processes go together: whose turn it is at a host, what is known of it, what they note."""

from sqlalchemy import Column, Float, Index, Integer, Table

from storage.column_types import Id, JsonValue, StorableText, UtcDateTime
from storage.table_columns import metadata

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
    # Why it is held: null where it asked for that itself.
    Column("hold_reason", StorableText),
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

# What the service notes for itself and for commands beside it, by name.
service_state = Table(
    "service_state",
    metadata,
    Column("name", StorableText, primary_key=True),
    Column("value", JsonValue, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
