"""Histories of pages as the planner is given them, as short to write as the tests need them."""

from datetime import UTC, datetime, timedelta

from storage.outcomes import Outcome
from storage.plan_records import PageHistory

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOST = "paper.example"


def history(**changes) -> PageHistory:
    """Return the history of an article that was found two hours ago and seen for the first time now."""
    facts = {
        "page_id": 1,
        "source_id": 1,
        "host": HOST,
        "first_seen_at": NOW - timedelta(hours=2),
        "published_at": None,
        "last_fetch_at": NOW,
        "last_outcome": Outcome.UNCHANGED,
        "consecutive_failures": 0,
        "looks": 1,
        "changes": 0,
        "last_changed_at": None,
        "has_candidate": False,
        "has_article": True,
        "last_look_at": changes.get("last_fetch_at", NOW),
    }
    return PageHistory(**(facts | changes))
