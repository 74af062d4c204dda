"""What a source's new articles lack all at once: a field, most of their text, the zone of their times. Pure.

Evidence is gathered as long as it takes: by the last dozen articles, or by more, up to those of a month.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from scheduler.shares import HALF, Share, has_jumped, percent, total
from scheduler.source_warnings import (
    LEAST_BASELINE,
    MONTH,
    SourceWarning,
    Standing,
    View,
    WarningKind,
    before_it_was,
    split,
    standing_one,
    usual_share,
    views,
    what_began,
    what_goes_on,
    when,
)
from storage.tallies import FIELDS, TEXT_BOUNDS, Tally

SIZES = (12, 18, 25, 35, 50, 75, 110, 160)
"""By so many of the last articles a source is judged, one after the other."""
LEAST_ARTICLES = SIZES[0]
LEAST_FILLED = 0.3
"""A field that fewer articles have was never a habit."""
WELL_AGAIN = 0.75
"""A field or a length that is back at so much of what was usual is well; beyond a half less, nothing is warned of."""
_NAMES = {"published_at": "a time of publication", "image_url": "a picture", "authors": "authors"}


@dataclass(frozen=True, kw_only=True)
class _Window:
    """The last days of a view that hold some articles, and those that they are judged by."""

    last: Sequence[Tally]
    before: Sequence[Tally]
    view: View

    def has_jumped(self, share_of: Callable[[Tally], Share]) -> bool:
        """Whether a share grew beyond chance."""
        last, before = [share_of(day) for day in self.last], [share_of(day) for day in self.before]
        longer = [share_of(day) for day in self.view.longer_before(self.last, self.before)]
        return has_jumped(total(last), before, longer) and self.view.bears_out(last, longer)


def article_warnings(days: Sequence[Tally], standing: Sequence[Standing], *, today: date) -> Iterator[SourceWarning]:
    """Return what seems to be wrong with the new articles; `today` is the day that is not over."""
    windows = [list(_windows(view)) for view in views(days, _articles, today=today)]
    last = _last_articles(days)
    for name in FIELDS:
        stands = standing_one(standing, WarningKind.FIELD_MISSING, name)
        found = _field(name, windows) if stands is None else _still_field(name, last, stands)
        if found is not None:
            yield found
    stands = standing_one(standing, WarningKind.TEXT_SHORT)
    found = _text(windows) if stands is None else _still_text(last, stands)
    if found is not None:
        yield found
    stands = standing_one(standing, WarningKind.ZONE_MISSING)
    if stands is None:
        found = what_began(days, _unzoned, _about_zone, least=LEAST_ARTICLES, today=today, longest=MONTH)
    else:
        found = what_goes_on(stands, last, _unzoned, _about_zone)
    if found is not None:
        yield found


def _windows(view: View) -> Iterator[_Window]:
    """Return the last days that hold some articles, more and more of them, each with the weeks before."""
    known = 0
    for size in SIZES:
        last, before = split(view.days, _articles, size, longest=MONTH)
        if _count(last) < size or _count(before) < LEAST_BASELINE:
            return
        if len(last) > known:
            known = len(last)
            yield _Window(last=last, before=before, view=view)


def _last_articles(days: Sequence[Tally]) -> Sequence[Tally]:
    """Return the days that tell whether a warning goes on; none where too few articles came."""
    last, _ = split(days, _articles, LEAST_ARTICLES, longest=MONTH)
    return last if _count(last) >= LEAST_ARTICLES else ()


def _articles(day: Tally) -> int:
    return day.articles


def _count(days: Sequence[Tally]) -> int:
    return sum(day.articles for day in days)


# Fields


def _has(day: Tally, name: str) -> Share:
    return Share(count=day.fields.get(name, 0), of=day.articles)


def _lacks(day: Tally, name: str) -> Share:
    return Share(count=day.articles - day.fields.get(name, 0), of=day.articles)


def _first(
    windows: Sequence[Sequence[_Window]],
    is_bad: Callable[[_Window], bool],
    about: Callable[[_Window], SourceWarning | None],
) -> SourceWarning | None:
    """Return the first warning that any window gives, as long as the latest articles, and those of it, are bad."""
    latest = next((window for of_view in windows for window in of_view), None)
    for of_view in windows:
        for window in of_view:
            if not is_bad(window):
                if window is latest:
                    return None
                break
            found = about(window)
            if found is not None:
                return found
    return None


def _field(name: str, windows: Sequence[Sequence[_Window]]) -> SourceWarning | None:
    def filled(window: _Window) -> float:
        return total([_has(day, name) for day in window.before]).share

    def is_bad(window: _Window) -> bool:
        # Else the latest articles have it again, or it was never a habit.
        left = total([_has(day, name) for day in window.last]).share
        return filled(window) >= LEAST_FILLED and left <= filled(window) / 2

    def about(window: _Window) -> SourceWarning | None:
        jumped = window.has_jumped(lambda day: _lacks(day, name))
        return _about_field(name, window.last, filled(window)) if jumped else None

    return _first(windows, is_bad, about)


def _still_field(name: str, last: Sequence[Tally], stands: Standing) -> SourceWarning | None:
    usual = stands.warning.usual or 0.0
    if not last:
        return stands.warning
    if total([_has(day, name) for day in last]).share >= WELL_AGAIN * usual:
        return None
    return _about_field(name, last, usual)


def _about_field(name: str, last: Sequence[Tally], usual: float) -> SourceWarning:
    now = total([_has(day, name) for day in last])
    return SourceWarning(
        kind=WarningKind.FIELD_MISSING,
        subject=name,
        sentence=f"{now.percent} of the {now.of} new articles {when(last)} have {_NAMES.get(name, f'a {name}')}; "
        f"before it was {percent(usual)}.",
        usual=usual,
    )


# Texts


def _text(windows: Sequence[Sequence[_Window]]) -> SourceWarning | None:
    def is_bad(window: _Window) -> bool:
        return _median_place(window.before) > 0 and _mean(window.last) <= _mean(window.before) / 2

    def about(window: _Window) -> SourceWarning | None:
        short = _median_place(window.before)
        shorter = total([_shorter(day, short) for day in window.last])
        jumped = shorter.share >= HALF and window.has_jumped(lambda day: _shorter(day, short))
        return _about_text(window.last, _mean(window.before)) if jumped else None

    return _first(windows, is_bad, about)


def _still_text(last: Sequence[Tally], stands: Standing) -> SourceWarning | None:
    usual = stands.warning.usual or 0.0
    if not last:
        return stands.warning
    return None if _mean(last) >= WELL_AGAIN * usual else _about_text(last, usual)


def _mean(days: Sequence[Tally]) -> float:
    return sum(day.text_sum for day in days) / max(_count(days), 1)


def _shorter(day: Tally, place: int) -> Share:
    return Share(count=sum(day.text_lengths[:place]), of=day.articles)


def _median_place(days: Sequence[Tally]) -> int:
    """Return between which bounds the median length of texts is."""
    counts = [sum(place) for place in zip(*(day.text_lengths for day in days), strict=True)]
    half, below = sum(counts) / 2, 0
    for place, count in enumerate(counts):
        below += count
        if below >= half:
            return place
    return len(TEXT_BOUNDS)


def _about_text(last: Sequence[Tally], usual: float) -> SourceWarning:
    return SourceWarning(
        kind=WarningKind.TEXT_SHORT,
        sentence=f"The {_count(last)} new articles {when(last)} have {_mean(last):.0f} characters on average; before "
        f"it was {usual:.0f}.",
        usual=usual,
    )


# Times


def _unzoned(day: Tally) -> Share:
    return Share(count=day.unzoned, of=day.articles)


def _about_zone(last: Sequence[Tally], before: Share | float) -> SourceWarning:
    now = total([_unzoned(day) for day in last])
    return SourceWarning(
        kind=WarningKind.ZONE_MISSING,
        sentence=f"{now.percent} of the {now.of} new articles {when(last)} give their time without a zone, so that "
        f"published_at is empty{before_it_was(before)}; a `timezone` for the source would help.",
        usual=usual_share(before),
    )
