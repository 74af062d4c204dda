"""When an article that is missing from its address is gone. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MANY_GONE = "many_gone"
"""The reason of an article that stays missing because too many others of its host seem gone at once."""
CONFIRMED_AFTER = timedelta(hours=1)
"""A second look so long after the first confirms that an article is gone."""
SAME_HOUR = timedelta(hours=1)
MANY_SHARE = 0.2
MANY_PAGES = 5
"""More than this share of a host's pages, and so many at least, do not go at once: the host is in trouble."""
ALL_PAGES = 2
"""Nor do all that were fetched, if they are so many at least: nothing shows then that the host answers as it should."""
MOST_MISSING = 1000
"""So many at once are trouble whatever the others are; no more are counted."""
HELD_BACK_FOR = timedelta(days=7)
"""What is missing for so long is gone, however many others are."""


@dataclass(frozen=True, kw_only=True)
class HostCensus:
    """Of the pages of a host with a live article: how many were fetched since an instant, and how many of those seem
    gone since then; both as far as it matters."""

    fetched: int
    missing: int

    @property
    def in_trouble(self) -> bool:
        """Whether so many seem gone at once that it is more likely the host's fault than the newsroom's will."""
        if self.missing >= MOST_MISSING:
            return True
        if self.missing >= MANY_PAGES:
            return self.missing > self.fetched * MANY_SHARE
        return self.missing >= ALL_PAGES and self.missing == self.fetched


def may_be_gone(*, missing_since: datetime | None, now: datetime, at_once: bool) -> bool:
    """Say whether a look that finds an article's address empty confirms an earlier one.

    `missing_since` is when it was found empty first, None when this is the first time. `at_once` says that somebody
    asked for this look, so that it counts however soon it comes.
    """
    return missing_since is not None and (at_once or now - missing_since >= CONFIRMED_AFTER)


def is_held_back(census: HostCensus, *, missing_since: datetime, now: datetime) -> bool:
    """Say whether an article that may be gone is left as missing for now."""
    return census.in_trouble and now - missing_since < HELD_BACK_FOR
