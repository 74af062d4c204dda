"""What of a sitemap is news and what is a back catalogue, which must not stand before the news. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from storage.model import FeedKind
from storage.records import Backlog, FeedEntry, FeedState

AT_ONCE = 200
"""So many new pages of a source are due at once by its sitemaps; the rest of what they list is fetched bit by bit."""
NEWS_AGE = timedelta(hours=48)
"""How old news is at most; the same holds for what stands in a news sitemap."""
_LEAST_SPACING = timedelta(milliseconds=1)
"""What is due later than it was found is a back catalogue to the database, so that later it must be."""


def likely_news(
    entries: Sequence[FeedEntry], *, feed: FeedState, kind: FeedKind | None, backlog: Backlog, now: datetime
) -> tuple[list[FeedEntry], list[FeedEntry]]:
    """Return the entries of a sitemap that may be news, and those that are a back catalogue unless they are known.

    Whatever is new in a sitemap that was read before, or in a news sitemap, may be. So may what a publisher's first
    sitemap lists, for where there is no feed nothing else tells of its news. In its further ones only a date tells.
    """
    if feed.last_polled_at is not None or kind is FeedKind.NEWS_SITEMAP or backlog.until is None:
        return list(entries), []
    dated: dict[bool, list[FeedEntry]] = {True: [], False: []}
    for entry in entries:
        dates = [date for date in (entry.published_at, entry.updated_at) if date is not None]
        dated[bool(dates) and max(dates) >= now - NEWS_AGE].append(entry)
    return dated[True], dated[False]


def first_due_at(backlog: Backlog, *, now: datetime, spacing: timedelta) -> datetime:
    """Return when the first further page of a source's back catalogue is due: behind those that wait already."""
    return max(backlog.until or now, now) + spacing


def spacing_of(delay_seconds: float) -> timedelta:
    """Return how far apart the pages of a back catalogue are due, by the pause between two requests to their host."""
    return max(timedelta(seconds=delay_seconds), _LEAST_SPACING)
