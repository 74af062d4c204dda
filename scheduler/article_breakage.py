"""What a source's new articles lack all at once: a field, most of their text, the zone of their times. Pure.

Evidence is gathered as long as it takes: by the last dozen articles, or by more, up to those of a month.
"""

from collections.abc import Iterator, Sequence

from scheduler.shares import HALF, Share, has_jumped, percent, prevails, total
from scheduler.source_warnings import (
    LEAST_BASELINE,
    MONTH,
    SourceWarning,
    Standing,
    WarningKind,
    before_it_was,
    split,
    standing_one,
    usual_share,
    what_goes_on,
    when,
)
from storage.tallies import FIELDS, TEXT_BOUNDS, Tally

SIZES = (12, 18, 25, 35, 50)
"""By so many of the last articles a source is judged, one after the other."""
LEAST_ARTICLES = SIZES[0]
LEAST_FILLED = 0.3
"""A field that fewer articles have was never a habit."""
WELL_AGAIN = 0.75
"""A field or a length that is back at so much of what was usual is well; beyond a half less, nothing is warned of."""
_NAMES = {"published_at": "a time of publication", "image_url": "a picture", "authors": "authors"}


def article_warnings(days: Sequence[Tally], standing: Sequence[Standing]) -> Iterator[SourceWarning]:
    """Return what seems to be wrong with the new articles."""
    windows = list(_windows(days))
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
    found = _zone(days) if stands is None else what_goes_on(stands, last, _unzoned, _about_zone)
    if found is not None:
        yield found


def _windows(days: Sequence[Tally]) -> Iterator[tuple[Sequence[Tally], Sequence[Tally]]]:
    """Return the last days that hold some articles, more and more of them, each with the weeks before."""
    known = 0
    for size in SIZES:
        last, before = split(days, _articles, size, longest=MONTH)
        if _count(last) < size or _count(before) < LEAST_BASELINE:
            return
        if len(last) > known:
            known = len(last)
            yield last, before


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


def _field(name: str, windows: Sequence[tuple[Sequence[Tally], Sequence[Tally]]]) -> SourceWarning | None:
    for last, before in windows:
        lack = [_lacks(day, name) for day in before]
        filled = 1 - total(lack).share
        if filled < LEAST_FILLED or total([_has(day, name) for day in last]).share > filled / 2:
            # The latest articles have it again, or it was never a habit.
            return None
        if has_jumped(total([_lacks(day, name) for day in last]), lack):
            return _about_field(name, last, filled)
    return None


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


def _text(windows: Sequence[tuple[Sequence[Tally], Sequence[Tally]]]) -> SourceWarning | None:
    for last, before in windows:
        usual, short = _mean(before), _median_place(before)
        if not short or _mean(last) > usual / 2:
            return None
        shorter = total([_shorter(day, short) for day in last])
        if shorter.share >= HALF and has_jumped(shorter, [_shorter(day, short) for day in before]):
            return _about_text(last, usual)
    return None


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


def _zone(days: Sequence[Tally]) -> SourceWarning | None:
    last, before = split(days, _articles, LEAST_ARTICLES, longest=MONTH)
    usual = [_unzoned(day) for day in before]
    if not prevails(total([_unzoned(day) for day in last]), usual, least=LEAST_ARTICLES):
        return None
    return _about_zone(last, total(usual))


def _about_zone(last: Sequence[Tally], before: Share | float) -> SourceWarning:
    now = total([_unzoned(day) for day in last])
    return SourceWarning(
        kind=WarningKind.ZONE_MISSING,
        sentence=f"{now.percent} of the {now.of} new articles {when(last)} give their time without a zone, so that "
        f"published_at is empty{before_it_was(before)}; a `timezone` for the source would help.",
        usual=usual_share(before),
    )
