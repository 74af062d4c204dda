"""When a feed asks to be left alone: `ttl`, `skipHours` and `skipDays` of RSS, `sy:updatePeriod`. Pure.

Whatever a feed writes that means nothing is passed over, each value by itself.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from crawler.discovery.listing import MAX_TTL_SECONDS

# Periods of RSS 1.0's syndication module (web.resource.org/rss/1.0/modules/syndication), in seconds.
_PERIODS = {"hourly": 3_600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MOST_OPENINGS = 20
"""Tags that are looked behind for a list: a feed has one of each kind, so that a hostile one costs no time."""
_MOST_BYTES = 8_000
"""The longest list that is read; one of 24 hours, well indented, has a quarter of that."""

# CDATA and comments are taken whole, so that nothing inside them is taken for a tag.
_OPENING = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<(?:[A-Za-z_][\w.-]*:)?skip(?P<kind>hours|days)(?:\s[^<>]*)?>",
    re.DOTALL | re.IGNORECASE,
)
_CLOSING = {
    kind: re.compile(rb"</(?:[A-Za-z_][\w.-]*:)?skip" + kind + rb"\s*>", re.IGNORECASE) for kind in (b"hours", b"days")
}
_VALUE = {
    kind: re.compile(
        rb"<(?:[A-Za-z_][\w.-]*:)?" + name + rb"(?:\s[^<>]*)?>\s*(?:<!\[CDATA\[)?([^<>\]]{0,40})", re.IGNORECASE
    )
    for kind, name in ((b"hours", b"hour"), (b"days", b"day"))
}
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)


def wished_seconds(feed: Mapping[str, Any]) -> int | None:
    """Return how long a feed, as feedparser reads it, asks to be left alone after a poll; a month at most.

    That is the longer of its `ttl`, in minutes (RSS 2.0), and of what its `sy:updatePeriod` and `sy:updateFrequency`
    come to.
    """
    wishes = [seconds for seconds in (_ttl(feed), _update_period(feed)) if seconds]
    return min(max(wishes), MAX_TTL_SECONDS) if wishes else None


def _ttl(feed: Mapping[str, Any]) -> int:
    return (_number(feed.get("ttl", "")) or 0) * 60


def _update_period(feed: Mapping[str, Any]) -> int:
    """Return the seconds between two updates, 0 where the feed does not say: `hourly` and 2 are half an hour."""
    period = _PERIODS.get(str(feed.get("sy_updateperiod", "")).strip().lower())
    if period is None:
        return 0
    # A frequency that means nothing leaves the period, which is what one of 1 says.
    return period // (_number(feed.get("sy_updatefrequency", "")) or 1)


def _number(value: object) -> int | None:
    text = str(value).strip()
    return int(text[:9]) if text.isascii() and text.isdigit() else None


def skipped_hours(body: bytes) -> tuple[int, ...]:
    """Return the hours, 0 to 23 in UTC, in which an RSS feed asks not to be polled, in order.

    24 is midnight, as in RSS 0.91, where hours count from 1.
    """
    found = {_number(text) for text in _values(body, b"hours")}
    return tuple(sorted({hour % 24 for hour in found if hour is not None and hour <= 24}))


def skipped_days(body: bytes) -> tuple[int, ...]:
    """Return the days, 0 for Monday to 6, in UTC, on which an RSS feed asks not to be polled, in order."""
    found = {text.lower() for text in _values(body, b"days")}
    return tuple(number for number, name in enumerate(_DAYS) if name in found)


def _values(body: bytes, kind: bytes) -> Iterator[str]:
    """Give what stands in the first list of a kind that is closed. `body` is a feed's XML, as ASCII or UTF-8."""
    openings = (found for found in _OPENING.finditer(body) if (found["kind"] or b"").lower() == kind)
    for opening in islice(openings, _MOST_OPENINGS):
        closing = _CLOSING[kind].search(body, opening.end(), opening.end() + _MOST_BYTES)
        if closing is not None:
            inside = _COMMENT.sub(b"", body[opening.end() : closing.start()])
            for value in _VALUE[kind].finditer(inside):
                yield value[1].decode("ascii", errors="replace").strip()
            return
