"""How many new pages an index may bring: a list that names other addresses at each poll must not fill the database."""

from collections import Counter
from datetime import date, datetime

from storage.model import FeedKind
from storage.records import FeedState

A_POLL = 2_000
"""New pages of one poll; the rest is read at the next one. The longest feeds of newspapers list some hundreds."""
SHARE_OF_INDEX = 4
"""One index brings a quarter of its source's new pages of a day at most: there must be room for the news of others."""
CATALOGUE = 25
"""Sitemaps may list a whole back catalogue, which stands behind all that is due: so many times as much."""
TOO_MANY_NEW = "too_many_new"
"""Why a link is left out for now."""


class NewPages:
    """Counts the new pages of each index and source in a day of UTC, as far as this process found them.

    `a_day` is how many a source may bring, 0 for any number.
    """

    def __init__(self, *, a_day: int) -> None:
        self._a_day = a_day
        self._day: date | None = None
        self._of_source: Counter[int] = Counter()
        self._of_index: Counter[int] = Counter()

    def room(self, feed: FeedState, kind: FeedKind | None, *, now: datetime) -> int | None:
        """Return how many new pages a poll of an index may bring now; None for any number."""
        if not self._a_day:
            return None
        self._begin(now)
        times = CATALOGUE if kind is FeedKind.SITEMAP else 1
        of_index = max(1, self._a_day // SHARE_OF_INDEX) * times - self._of_index[feed.feed_id]
        of_source = self._a_day * times - self._of_source[feed.source_id]
        return max(0, min(A_POLL * times, of_index, of_source))

    def note(self, feed: FeedState, new: int, *, now: datetime) -> None:
        """Count what a poll brought."""
        self._begin(now)
        self._of_index[feed.feed_id] += new
        self._of_source[feed.source_id] += new

    def _begin(self, now: datetime) -> None:
        if now.date() != self._day:
            self._day = now.date()
            self._of_source.clear()
            self._of_index.clear()
