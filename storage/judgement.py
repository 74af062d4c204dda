"""What a reading of a page means for its article. Pure: told what is known, it says what is to be recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from storage.changes import Change, decide
from storage.model import ChangedField, ExtractedArticle
from storage.outcomes import Outcome
from storage.records import Candidate
from storage.suspicion import Doubt, continues, is_confirmed

SETTLED_LOOKS = 3
"""A page that alternates between two states has settled on one when it shows it so often in a row."""
MOST_WAITS = 3
"""After so many readings in a row that each waited for a second look in vain, the next one is not waited for."""
SAME_TEXT_ELSEWHERE = "same_text_elsewhere"
"""The reason of a suspect text that other pages of the publisher gave too."""
OTHER_ARTICLE = "another_article"
"""The reason of a suspect text that names the address of another article as its own."""
WRONG_CLOCK = timedelta(days=1)
"""No look arrives so late: what claims to have been seen longer after a look that is now told was wrongly dated."""
CLOCK_LEEWAY = timedelta(minutes=1)
"""The clocks of the machines that share a database may differ by so much."""


@dataclass(frozen=True, kw_only=True)
class KnownState:
    """A version as it reads under the extractor in use.

    `reverts_to_number` is the number of the version whose state it brought back, None when it was new.
    """

    version_id: int
    number: int
    reading: ExtractedArticle
    reverts_to_number: int | None = None


@dataclass(frozen=True, kw_only=True)
class Flapping:
    """An alternation: since when, the number of the version whose state was seen last, and how often in a row."""

    since: datetime
    number: int
    looks: int


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """A text that is not taken for the article's yet.

    `continues` says that the candidate showed it already; `elsewhere` that it is the text of other pages of the
    publisher, so that no look can show it to be this one's.
    """

    continues: bool
    elsewhere: bool


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is to be recorded of a look.

    With `change` a version is written; `reverts_to` is the earlier version that it equals, and `from_candidate` says
    that it is the candidate, dated by its first capture. `refresh` says that the article's row takes the new reading
    though there is no version. `candidate` says that the reading waits for a second look, `rotates` that it would but
    for too many others before it; in both cases no version was seen. `seen` is the version whose state stood there
    otherwise: the current one, or while the page is flapping the earlier one. `flapping` is the alternation from now
    on. With `suspicion`, and where the outcome is `PAYWALLED`, nothing was learnt of the article's state.
    """

    outcome: Outcome
    reason: str | None = None
    change: str | None = None
    reverts_to: int | None = None
    from_candidate: bool = False
    refresh: bool = False
    candidate: bool = False
    rotates: bool = False
    seen: KnownState
    flapping: Flapping | None = None
    suspicion: Suspicion | None = None


def came_late(looked_at: datetime, checked_at: datetime | None, *, now: datetime) -> bool:
    """Say whether a look was taken before one that is recorded already; `now` is when it is to be recorded.

    A record more than `WRONG_CLOCK` later than the look, or one that lies in the future, was made by a clock that was
    ahead and has been set back since. It is not believed, or else every look until then would count as late and the
    article would be silent all the while. A look that lies in the future itself was dated by that clock too.
    """
    if checked_at is None or looked_at <= now + CLOCK_LEEWAY < checked_at:
        return False
    return timedelta(0) < checked_at - looked_at <= WRONG_CLOCK


def last_look(looked_at: datetime, checked_at: datetime | None, *, now: datetime) -> datetime:
    """Return the later of a look and the one recorded last, as far as that one is believed."""
    return checked_at if checked_at is not None and came_late(looked_at, checked_at, now=now) else looked_at


def judge(
    new: ExtractedArticle,
    *,
    change: Change,
    settled: Mapping[ChangedField, ExtractedArticle],
    now: datetime,
    current: KnownState,
    shown: ExtractedArticle,
    earlier: KnownState | None = None,
    candidate: Candidate | None = None,
    waited: int = 0,
    flapping: Flapping | None = None,
    doubt: Doubt | None = None,
    elsewhere: bool = False,
    candidate_elsewhere: bool = False,
    named: bool = False,
    names_other: bool = False,
    behind_paywall: bool = False,
    live_blog: bool = False,
) -> Verdict:
    """Say what a reading means.

    `change` is what `decide` says of the current version and it. `current` is the current version and `earlier` the
    newest version before it that `new` equals, if any. `settled` gives for tentative fields the version before the
    current one that named them last. `shown` is the article as it was seen last: it has moved on from the current
    version where something else changed than what makes versions, and what changed then is not to be told again.
    `waited` is how many readings in a row have waited for a second look. `elsewhere` and `candidate_elsewhere` say that
    other pages of the publisher gave the text of `new`, and that of the candidate; `named` that the page still names
    itself this article, `names_other` that it names itself another one that we hold.

    An edit may come with fields that are empty on one side. The version holds what was read, but it names such a field
    only when the candidate showed the same already, or the state is a known one. As long as no version has named it,
    its return to what the version that did name it last says is no edit either: it was a fault of one look, or we
    cannot tell.
    """
    change = _without_returns(change, new, settled)
    if change.same_text:
        return _same_text(new, change=change, current=current, shown=shown, flapping=flapping)
    if behind_paywall:
        return Verdict(outcome=Outcome.PAYWALLED, reason="fuller_text_held", seen=current)
    if doubt is not None and (earlier is None or elsewhere):
        shown_before = continues(new, candidate, old=current.reading, live_blog=live_blog)
        return _doubted(
            new,
            doubt=doubt,
            elsewhere=elsewhere or (shown_before and candidate_elsewhere),
            named=named,
            names_other=names_other,
            now=now,
            current=current,
            candidate=candidate if shown_before else None,
        )
    if candidate is not None and candidate.kind.suspect:
        candidate = None  # what a doubted text lacked tells nothing of this one
    return _other_text(
        new,
        change=change,
        now=now,
        current=current,
        earlier=earlier,
        candidate=candidate,
        waited=waited,
        flapping=flapping,
    )


def _same_text(
    new: ExtractedArticle, *, change: Change, current: KnownState, shown: ExtractedArticle, flapping: Flapping | None
) -> Verdict:
    """Judge a reading of the current version; what makes no version may have changed since it was shown last."""
    moved_on = shown.extractor == new.extractor
    cosmetic = new != shown and (moved_on or change.cosmetic)
    return Verdict(
        outcome=Outcome.COSMETIC if cosmetic else Outcome.UNCHANGED,
        refresh=new != shown,
        seen=current,
        flapping=_still_flapping(flapping, current),
    )


def _other_text(
    new: ExtractedArticle,
    *,
    change: Change,
    now: datetime,
    current: KnownState,
    earlier: KnownState | None,
    candidate: Candidate | None,
    waited: int,
    flapping: Flapping | None,
) -> Verdict:
    """Judge a reading that is not the current version, and that is not doubted to be the article's."""
    confirmed = candidate is not None and same_state(candidate.article, new)
    if change.fields:
        fields = change.confirmed().fields if earlier is not None else _seen_twice(change, new, candidate).fields
    else:
        fields = change.tentative if confirmed or flapping is not None else ()
    if fields and earlier is not None and _alternates(current, earlier):
        return _alternation(fields, now=now, earlier=earlier, flapping=flapping)
    if not change.fields and not confirmed:
        rotates = waited >= MOST_WAITS
        return Verdict(
            outcome=Outcome.COSMETIC,
            reason="rotating" if rotates else "awaits_second_look",
            candidate=not rotates,
            rotates=rotates,
            seen=current,
            flapping=flapping,
        )
    return Verdict(
        outcome=Outcome.UPDATED if earlier is None else Outcome.REVERTED,
        change="+".join(fields),
        reverts_to=None if earlier is None else earlier.version_id,
        from_candidate=not change.fields,
        seen=current,
    )


def _doubted(
    new: ExtractedArticle,
    *,
    doubt: Doubt,
    elsewhere: bool,
    named: bool,
    names_other: bool,
    now: datetime,
    current: KnownState,
    candidate: Candidate | None,
) -> Verdict:
    """Judge a text that may not be the article's; `candidate` is the reading that showed it first, if one did."""
    if candidate is not None and is_confirmed(
        doubt,
        looks=candidate.looks + 1,
        first_seen_at=candidate.captured_at,
        now=now,
        named=named,
        others=elsewhere or names_other,
    ):
        change = _seen_twice(decide(current.reading, candidate.article), new, candidate)
        return Verdict(outcome=Outcome.UPDATED, change=change.name, from_candidate=True, seen=current)
    other_language = doubt is Doubt.OTHER_LANGUAGE
    known_as = OTHER_ARTICLE if names_other else SAME_TEXT_ELSEWHERE if elsewhere else None
    return Verdict(
        outcome=Outcome.WRONG_LANGUAGE if other_language else Outcome.SUSPECT,
        reason=known_as or doubt.value,
        suspicion=Suspicion(continues=candidate is not None, elsewhere=known_as is not None),
        seen=current,
    )


def same_state(one: ExtractedArticle, other: ExtractedArticle) -> bool:
    """Say whether two readings show the same state; readings of two extractors cannot be told to."""
    return one.extractor == other.extractor and decide(one, other).same_text


def _without_returns(change: Change, new: ExtractedArticle, settled: Mapping[ChangedField, ExtractedArticle]) -> Change:
    """Return the change without tentative fields that are again as the version says that named them last."""
    returned = {
        field for field in change.tentative if field in settled and field not in _differing(settled[field], new)
    }
    if not returned:
        return change
    tentative = tuple(field for field in change.tentative if field not in returned)
    return replace(change, tentative=tentative, cosmetic=True)


def _seen_twice(change: Change, new: ExtractedArticle, candidate: Candidate | None) -> Change:
    """Return the change with those tentative fields counted that the candidate showed the same."""
    if candidate is None or candidate.article.extractor != new.extractor:
        return change
    differing = _differing(candidate.article, new)
    return replace(change, tentative=tuple(field for field in change.tentative if field not in differing)).confirmed()


def _differing(one: ExtractedArticle, other: ExtractedArticle) -> frozenset[ChangedField]:
    return frozenset(decide(one, other).confirmed().fields)


def _alternates(current: KnownState, earlier: KnownState) -> bool:
    """Say whether, after A, B and A again, this is B once more."""
    return earlier.number == current.number - 1 and current.reverts_to_number == current.number - 2


def _still_flapping(flapping: Flapping | None, current: KnownState) -> Flapping | None:
    """Return the alternation after a look at the current state; None once the page has settled on it."""
    if flapping is None:
        return None
    looks = flapping.looks + 1 if flapping.number == current.number else 1
    return None if looks >= SETTLED_LOOKS else Flapping(since=flapping.since, number=current.number, looks=looks)


def _alternation(
    fields: tuple[ChangedField, ...], *, now: datetime, earlier: KnownState, flapping: Flapping | None
) -> Verdict:
    """Judge a look at the other state of an alternation: no version until the page has settled on it."""
    looks = flapping.looks + 1 if flapping is not None and flapping.number == earlier.number else 1
    if looks >= SETTLED_LOOKS:
        return Verdict(outcome=Outcome.REVERTED, change="+".join(fields), reverts_to=earlier.version_id, seen=earlier)
    since = now if flapping is None else flapping.since
    return Verdict(
        outcome=Outcome.REVERTED,
        reason="flapping",
        seen=earlier,
        flapping=Flapping(since=since, number=earlier.number, looks=looks),
    )
