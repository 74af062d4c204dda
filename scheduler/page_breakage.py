"""What the fetches of a source's pages come to: refusals, walls, errors, and versions at every look. Pure."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

from scheduler.shares import HALF, NEARLY_ALL, Share, has_doubled, total
from scheduler.source_warnings import (
    MONTH,
    SourceWarning,
    Standing,
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
from storage.outcomes import Family, Outcome, of_family
from storage.tallies import Tally

LEAST_PAGES = 20
"""So many fetches are judged together: those of today, or of as many days before as it takes."""
FEW_PAGES = 5
"""So many are enough at a small source if they all fail alike, and if they lie `FEW_PAGES_FOR` apart."""
FEW_PAGES_FOR = timedelta(days=2)

FAMILIES = {
    WarningKind.ROBOTS_FORBIDS: Family.FORBIDDEN,
    WarningKind.PAGES_REFUSED: Family.REFUSED,
    WarningKind.PAGES_WALLED: Family.WALLED,
    WarningKind.PAGES_UNREAD: Family.UNREAD,
    WarningKind.PAGES_UNREACHABLE: Family.UNREACHABLE,
    WarningKind.ALL_SUSPECT: Family.SUSPECT,
}
OUTCOMES_OF = {kind: of_family(family) for kind, family in FAMILIES.items()}
"""Which outcomes of pages are counted together, for what they have in common for an operator."""

_NEVER_USUAL = frozenset(Outcome) - {Outcome.NOT_ARTICLE}
"""Outcomes of which nearly all is wrong even where it has always been so; some sources list much that is no article."""
_SHUT_OUT = frozenset({WarningKind.ROBOTS_FORBIDS, WarningKind.PAGES_REFUSED, WarningKind.PAGES_WALLED})
"""What a few pages in a row do not come to by chance; a few old pages may well be missing."""
_NEW_VERSION = (Outcome.UPDATED, Outcome.REVERTED)
_LOOKED_AGAIN = (*_NEW_VERSION, Outcome.COSMETIC, Outcome.UNCHANGED, Outcome.NOT_MODIFIED)


def fetched(days: Sequence[Tally], outcomes: frozenset[Outcome] = frozenset()) -> Share:
    """Return how many fetches of pages came to some outcomes; a redirect is not counted, for its end is."""
    return total([_outcomes(day, outcomes) for day in days])


def page_warnings(days: Sequence[Tally], standing: Sequence[Standing], *, today: date) -> Iterator[SourceWarning]:
    """Return what seems to be wrong with what fetches come to; `today` is the day that is not over."""
    for kind, outcomes in OUTCOMES_OF.items():
        stands = standing_one(standing, kind)
        found = _pages(kind, outcomes, days, today) if stands is None else _still_pages(outcomes, days, stands)
        if found is not None:
            yield found
    stands = standing_one(standing, WarningKind.VERSIONS_EXPLODING)
    if stands is None:
        versions = what_began(days, _updated, _about_versions, least=LEAST_PAGES, today=today)
    else:
        versions = _still_versions(days, stands)
    if versions is not None:
        yield versions


def _outcomes(day: Tally, outcomes: frozenset[Outcome]) -> Share:
    of = sum(day.pages.values()) - day.pages.get(Outcome.REDIRECTED.value, 0)
    return Share(count=sum(day.pages.get(outcome.value, 0) for outcome in outcomes), of=of)


def _pages(kind: WarningKind, outcomes: frozenset[Outcome], days: Sequence[Tally], today: date) -> SourceWarning | None:
    for view in views(days, _page_count, today=today):
        last, before = split(view.days, _page_count, LEAST_PAGES)
        now, usual = [_outcomes(day, outcomes) for day in last], [_outcomes(day, outcomes) for day in before]
        longer = [_outcomes(day, outcomes) for day in view.longer_before(last, before)]
        if total(now).of < LEAST_PAGES:
            return _few_pages(kind, outcomes, days)
        if not has_doubled(total(now), usual, longer) and fetched(last, outcomes & _NEVER_USUAL).share < NEARLY_ALL:
            return None
        if view.bears_out(now, longer):
            return _about_pages(kind, outcomes, last, total(usual))
    return None


def _few_pages(kind: WarningKind, outcomes: frozenset[Outcome], days: Sequence[Tally]) -> SourceWarning | None:
    """Warn of a small source of which all the last pages are shut away, as they were not before."""
    last, before = split(days, lambda day: _page_count(day) - _outcomes(day, outcomes).count, 1, longest=MONTH)
    if fetched(last, outcomes).count < fetched(last).of:
        before, last = (*before, last[0]), last[1:]
    held = [day for day in last if _page_count(day)]
    if kind not in _SHUT_OUT or fetched(held).of < FEW_PAGES or held[-1].day - held[0].day < FEW_PAGES_FOR:
        return None
    usual = fetched(before, outcomes)
    return None if usual.share >= HALF else _about_pages(kind, outcomes, held, usual)


def _page_count(day: Tally) -> int:
    return _outcomes(day, frozenset()).of


def _latest(days: Sequence[Tally], size: Callable[[Tally], int]) -> Sequence[Tally]:
    """Return the days that tell whether a warning goes on: few pages must do where there are not many; else none."""
    for least, longest in ((LEAST_PAGES, timedelta(days=7)), (FEW_PAGES, MONTH)):
        last, _ = split(days, size, least, longest=longest)
        if sum(size(day) for day in last) >= least:
            return last
    return ()


def _still_pages(outcomes: frozenset[Outcome], days: Sequence[Tally], stands: Standing) -> SourceWarning | None:
    kind, subject = stands.warning.kind, stands.warning.subject
    return what_goes_on(
        stands,
        _latest(days, _page_count),
        lambda day: _outcomes(day, outcomes),
        lambda last, usual: _about_pages(kind, outcomes, last, usual, subject),
    )


def _about_pages(
    kind: WarningKind,
    outcomes: frozenset[Outcome],
    last: Sequence[Tally],
    before: Share | float,
    subject: str | None = None,
) -> SourceWarning:
    """Say what pages came to, with the most frequent outcome and reason."""
    now = fetched(last, outcomes)
    outcome = max(outcomes, key=lambda one: sum(day.pages.get(one.value, 0) for day in last)).value
    reasons: dict[str, int] = {}
    for day in last:
        for reason, count in day.reasons.get(outcome, {}).items():
            reasons[reason] = reasons.get(reason, 0) + count
    why = f" ({max(reasons, key=lambda reason: reasons[reason])})" if reasons else ""
    what = "and others like it" if len(outcomes) > 1 else ""
    named = " ".join(part for part in (f"{outcome}{why}", what) if part)
    return SourceWarning(
        kind=kind,
        subject=subject or outcome,
        sentence=f"{now.percent} of the {now.of} pages fetched {when(last)} came to {named}{before_it_was(before)}.",
        usual=usual_share(before),
    )


def _updated(day: Tally) -> Share:
    again = [day.pages.get(outcome.value, 0) for outcome in _LOOKED_AGAIN]
    return Share(count=sum(again[: len(_NEW_VERSION)]), of=sum(again))


def _still_versions(days: Sequence[Tally], stands: Standing) -> SourceWarning | None:
    return what_goes_on(stands, _latest(days, lambda day: _updated(day).of), _updated, _about_versions)


def _about_versions(last: Sequence[Tally], before: Share | float) -> SourceWarning:
    now = total([_updated(day) for day in last])
    return SourceWarning(
        kind=WarningKind.VERSIONS_EXPLODING,
        sentence=f"{now.percent} of the {now.of} articles looked at again {when(last)} had changed"
        f"{before_it_was(before)}: something that is no text of the article may have got into it.",
        usual=usual_share(before),
    )
