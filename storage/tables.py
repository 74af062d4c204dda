"""The tables, as the newest migration leaves them. Consumers read the views (`storage.views`), never these.

No foreign key cascades: facts are never deleted because something else was. Keys point in one direction only, so an
article's current version is found by its number, and a page's article by the article's primary page.
"""

from storage.article_tables import articles, capture_parts, captures, events, extractions, fetches, page_texts, versions
from storage.shared_tables import boots, host_habits, host_waiters, hosts, robots_files, service_state
from storage.table_columns import metadata
from storage.watched_tables import feed_entries, feeds, pages, source_days, sources

__all__ = [
    "articles",
    "boots",
    "capture_parts",
    "captures",
    "events",
    "extractions",
    "feed_entries",
    "feeds",
    "fetches",
    "host_habits",
    "host_waiters",
    "hosts",
    "metadata",
    "page_texts",
    "pages",
    "robots_files",
    "service_state",
    "source_days",
    "sources",
    "versions",
]
