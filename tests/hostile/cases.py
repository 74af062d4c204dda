"""The whole table, by group."""

from collections.abc import Mapping, Sequence

from storage.outcomes import Outcome
from tests.hostile.addresses import ADDRESSES
from tests.hostile.bodies import CODINGS, EMPTY, READ_WELL, TORN, TYPES
from tests.hostile.case import Case
from tests.hostile.indexes import FEEDS, ROBOTS, SITEMAPS
from tests.hostile.pages import ASKS, NO_ARTICLES, SECOND_LOOKS, WALLS
from tests.hostile.statuses import REDIRECTS, SIZES, STATUSES, TIMES

GROUPS: Mapping[str, Sequence[Case]] = {
    "Statuses": STATUSES,
    "Redirects": REDIRECTS,
    "Time": TIMES,
    "Size": SIZES,
    "Types": TYPES,
    "Empty pages": EMPTY,
    "Content codings": CODINGS,
    "Torn and malformed answers": TORN,
    "Odd answers that are read well": READ_WELL,
    "Pages that are no article": NO_ARTICLES,
    "Walls": WALLS,
    "What pages ask of archives": ASKS,
    "robots.txt": ROBOTS,
    "Feeds": FEEDS,
    "Sitemaps": SITEMAPS,
    "Addresses": ADDRESSES,
    "Second looks": SECOND_LOOKS,
}
CASES: Sequence[Case] = [case for cases in GROUPS.values() for case in cases]

NEEDS_HISTORY = frozenset({Outcome.REVERTED, Outcome.SUSPECT, Outcome.GONE, Outcome.PAYWALLED, Outcome.WRONG_LANGUAGE})
"""Outcomes that no first or second look can have: they need an article that was seen in several states."""
