"""The words of silent breakage: what may be wrong with a source, and which days it is judged by. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from scheduler.shares import Share, has_risen, is_calm, percent, prevails, total
from storage.tallies import Tally

BASELINE = timedelta(days=28)
"""So long before the days that are judged lie those that they are judged by; longer where these hold little."""
LONG_BASELINE = timedelta(days=56)
"""By so long before it is known how much days differ, which shows in few of them."""
LEAST_BASELINE = 30
ENOUGH_BASELINE = 100
"""Up to so many articles or fetches the days before are followed back, so that little is not judged by less."""
WEEK = timedelta(days=7)
MONTH = timedelta(days=31)


class WarningKind(StrEnum):
    """What may be wrong; the list is closed."""

    NO_ARTICLES = "no_articles"
    FEED_STALE = "feed_stale"
    FEED_EMPTY = "feed_empty"
    FEED_FAILING = "feed_failing"
    FIELD_MISSING = "field_missing"
    TEXT_SHORT = "text_short"
    ZONE_MISSING = "zone_missing"
    PAGES_REFUSED = "pages_refused"
    PAGES_WALLED = "pages_walled"
    PAGES_UNREAD = "pages_unread"
    PAGES_UNREACHABLE = "pages_unreachable"
    ROBOTS_FORBIDS = "robots_forbids"
    ALL_SUSPECT = "all_suspect"
    VERSIONS_EXPLODING = "versions_exploding"
    # Of the whole service.
    DISK_LOW = "disk_low"
    WAL_HELD_BACK = "wal_held_back"


SILENT = frozenset({WarningKind.NO_ARTICLES, WarningKind.FEED_STALE})
"""Two views of one thing: nothing new comes."""


@dataclass(frozen=True, kw_only=True)
class SourceWarning:
    """What seems to be wrong with a source: a code, what it is about (a field, an outcome, a feed's address), and a
    sentence with figures.

    `usual` is what was usual before: a share, or a number of characters; None where the warning does not go by one.
    """

    kind: WarningKind
    subject: str | None = None
    sentence: str
    usual: float | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A warning that stands, and when it was raised.

    As long as it does, the source is judged by what was usual then: days that are broken themselves are no measure.
    """

    warning: SourceWarning
    since: datetime


def standing_one(standing: Iterable[Standing], kind: WarningKind, subject: str | None = None) -> Standing | None:
    """Return the warning of a kind that stands and knows what was usual; of one subject, if one is given."""
    return next(
        (
            one
            for one in standing
            if one.warning.kind is kind and one.warning.usual is not None and subject in (None, one.warning.subject)
        ),
        None,
    )


def what_goes_on(
    stands: Standing,
    last: Sequence[Tally],
    share_of: Callable[[Tally], Share],
    about: Callable[[Sequence[Tally], float], SourceWarning],
) -> SourceWarning | None:
    """Return the warning of a share anew, by the last days; as it stands without any; None once the share is calm."""
    if not last:
        return stands.warning
    usual = stands.warning.usual or 0.0
    return None if is_calm(total([share_of(day) for day in last]).share, usual) else about(last, usual)


def split(
    days: Sequence[Tally], size: Callable[[Tally], int], least: int, *, longest: timedelta = WEEK
) -> tuple[Sequence[Tally], Sequence[Tally]]:
    """Return the last days that hold `least` of what `size` counts, `longest` at most, and the weeks before them."""
    start, held = len(days), 0
    while start and held < least and days[-1].day - days[start - 1].day < longest:
        start -= 1
        held += size(days[start])
    last = days[start:]
    if not last:
        return last, ()
    begin, held = start, 0
    while begin and (last[0].day - days[begin - 1].day <= BASELINE or held < ENOUGH_BASELINE):
        begin -= 1
        held += size(days[begin])
    return last, days[begin:start]


@dataclass(frozen=True, kw_only=True)
class View:
    """The days that a source is judged by: all, where the last one is not over (`is_open`), or those that are over."""

    days: Sequence[Tally]
    is_open: bool = False

    def bears_out(self, last: Sequence[Share], before: Sequence[Share]) -> bool:
        """Whether what a share of the last days says does not only come of the hours that are missing of today."""
        return not self.is_open or has_risen(last, before)

    def longer_before(self, last: Sequence[Tally], before: Sequence[Tally]) -> Sequence[Tally]:
        """Return the days before `last` that tell how much days differ: `before`, and more if they hold less."""
        if not last or not before:
            return ()
        begin = min(before[0].day, last[0].day - LONG_BASELINE)
        return [day for day in self.days if begin <= day.day < last[0].day]


def views(days: Sequence[Tally], size: Callable[[Tally], int], *, today: date) -> list[View]:
    """Return the days as they are to be judged: with today, if it holds any of what `size` counts, and without."""
    over = [day for day in days if day.day < today]
    begun = any(size(day) for day in days[len(over) :])
    return [View(days=days, is_open=True), View(days=over)] if begun else [View(days=over)]


def what_began(
    days: Sequence[Tally],
    share_of: Callable[[Tally], Share],
    about: Callable[[Sequence[Tally], Share], SourceWarning],
    *,
    least: int,
    today: date,
    longest: timedelta = WEEK,
) -> SourceWarning | None:
    """Return the warning of a share that came to prevail among the last days, `longest` at most; None if it did not.

    Days are taken until they hold `least` cases.
    """

    def size(day: Tally) -> int:
        return share_of(day).of

    for view in views(days, size, today=today):
        last, before = split(view.days, size, least, longest=longest)
        now, usual = [share_of(day) for day in last], [share_of(day) for day in before]
        longer = [share_of(day) for day in view.longer_before(last, before)]
        if not prevails(total(now), usual, longer, least=least):
            return None
        if view.bears_out(now, longer):
            return about(last, total(usual))
    return None


def when(days: Sequence[Tally]) -> str:
    """Return since when, or on which day."""
    return f"on {days[0].day}" if len(days) == 1 else f"since {days[0].day}"


def before_it_was(before: Share | float) -> str:
    """Return what was usual before, as the end of a sentence; nothing where there was nothing."""
    if isinstance(before, Share):
        return f"; before it was {before.percent}" if before.of else ""
    return f"; before it was {percent(before)}"


def usual_share(before: Share | float) -> float:
    """Return what was usual before: counted now, or known since a warning was raised."""
    return before.share if isinstance(before, Share) else before
