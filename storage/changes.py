"""What counts as a change between two readings of one article. Pure: the verdict depends on the two values alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from storage.article_fields import ARTICLE_FIELDS
from storage.fingerprint import author_set, normalise
from storage.model import EXPLICIT_MARKUP, ChangedField, ExtractedArticle, StatedTime

_ATTRIBUTE = {field.changes: field.name for field in ARTICLE_FIELDS if field.changes is not None}
_TEXT_FIELDS = tuple(field for field in ChangedField if field is not ChangedField.DATE)
_COSMETIC_FIELDS = tuple(field.name for field in ARTICLE_FIELDS if field.changes is None)


@dataclass(frozen=True, kw_only=True)
class Change:
    """The verdict between two readings of an article.

    `fields` changed, in the order of `ChangedField`. `tentative` fields are empty on exactly one side, which is more
    often a passing fault of the page than an edit: they count once a second look shows the same. `cosmetic` says that
    something differs that makes no version: another field, or the typography of one of these.
    """

    fields: tuple[ChangedField, ...] = ()
    tentative: tuple[ChangedField, ...] = ()
    cosmetic: bool = False

    @property
    def name(self) -> str:
        """The changed fields joined by `+`, such as `headline+body`; empty when none changed."""
        return "+".join(self.fields)

    @property
    def makes_version(self) -> bool:
        """Whether a version is to be written on the strength of this look alone."""
        return bool(self.fields)

    @property
    def same_text(self) -> bool:
        """Whether neither an edit nor anything that may turn out to be one was seen."""
        return not self.fields and not self.tentative

    def confirmed(self) -> "Change":
        """Return the verdict after a second look showed the same: the tentative fields count."""
        both = {*self.fields, *self.tentative}
        return Change(fields=tuple(field for field in ChangedField if field in both), cosmetic=self.cosmetic)


def decide(previous: ExtractedArticle, extracted: ExtractedArticle) -> Change:
    """Say what changed from `previous` to `extracted`.

    Raises ValueError when they were read by different extractors: what differs then may be our own doing, so the
    capture of the earlier one has to be read again first.
    """
    if previous.extractor != extracted.extractor:
        raise ValueError(f"readings of two extractors, {previous.extractor} and {extracted.extractor}, were compared")
    definite: set[ChangedField] = set()
    tentative: set[ChangedField] = set()
    for field in _TEXT_FIELDS:
        if getattr(previous, _ATTRIBUTE[field]) == getattr(extracted, _ATTRIBUTE[field]):
            # Letter by letter the same, as most are that are looked at again.
            continue
        old, new = _said(previous, field), _said(extracted, field)
        if old != new:
            one_sided = field is not ChangedField.BODY and not (old and new)
            (tentative if one_sided else definite).add(field)
    match _compare_published(previous.published, extracted.published):
        case "edited":
            definite.add(ChangedField.DATE)
        case "one_sided":
            tentative.add(ChangedField.DATE)
    return Change(
        fields=tuple(field for field in ChangedField if field in definite),
        tentative=tuple(field for field in ChangedField if field in tentative),
        cosmetic=_differs_otherwise(previous, extracted, counted=definite | tentative),
    )


def _said(article: ExtractedArticle, field: ChangedField) -> str | frozenset[str]:
    """Return what one of the text fields says, in the form that is compared."""
    match field:
        case ChangedField.AUTHORS:
            return author_set(article.authors)
        case ChangedField.HEADLINE:
            return normalise(article.headline)
        case ChangedField.STANDFIRST:
            return normalise(article.standfirst or "")
        case _:
            return normalise(article.body)


def _differs_otherwise(previous: ExtractedArticle, extracted: ExtractedArticle, *, counted: set[ChangedField]) -> bool:
    """Whether anything differs, letter by letter, apart from the fields that are counted as changed already."""
    if any(getattr(previous, name) != getattr(extracted, name) for name in _COSMETIC_FIELDS):
        return True
    uncounted = (name for field, name in _ATTRIBUTE.items() if field not in counted)
    # An absent and an empty standfirst are the same nothing.
    return any((getattr(previous, name) or None) != (getattr(extracted, name) or None) for name in uncounted)


def _compare_published(old: StatedTime | None, new: StatedTime | None) -> Literal["same", "one_sided", "edited"]:
    """Compare two dates of publication, of which only markup written for machines is believed.

    Dates guessed from running text or from the address move when the page around them moves. Markup of two kinds may
    mean two things (`datePublished` and the day of print), so only markup of one kind is compared with itself.
    """
    if old is None or new is None:
        stated = old or new
        return "one_sided" if stated is not None and stated.found_in in EXPLICIT_MARKUP else "same"
    if old.found_in != new.found_in or old.found_in not in EXPLICIT_MARKUP:
        return "same"
    return "same" if _same_moment(old, new) else "edited"


def _same_moment(old: StatedTime, new: StatedTime) -> bool:
    """Whether two stated times agree as far as the less precise of them goes."""
    try:
        shown_old, shown_new = datetime.fromisoformat(old.local), datetime.fromisoformat(new.local)
    except ValueError:  # not ISO 8601: only the very same words are the same time
        return old.local == new.local
    if _is_day(old) or _is_day(new):
        return shown_old.date() == shown_new.date() or _day_holds(old, new) or _day_holds(new, old)
    step = _step(shown_old, shown_new)
    same_instant = _floor(old.instant, step) == _floor(new.instant, step) if old.instant and new.instant else False
    if old.zone_known and new.zone_known:
        return same_instant
    same_on_clock = _floor(shown_old.replace(tzinfo=None), step) == _floor(shown_new.replace(tzinfo=None), step)
    return same_on_clock or same_instant


def _is_day(stated: StatedTime) -> bool:
    """Whether only a day is stated: `2022-11-18` has no time of day."""
    return "T" not in stated.local and " " not in stated.local and ":" not in stated.local


def _day_holds(day: StatedTime, moment: StatedTime) -> bool:
    """Whether `moment`, as an instant, lies within the day that begins with the instant of `day`.

    A page that gave the day in its own zone and now gives the time in UTC may show the day before.
    """
    if not _is_day(day) or _is_day(moment) or day.instant is None or moment.instant is None:
        return False
    return timedelta(0) <= moment.instant - day.instant < timedelta(days=1)


def _step(*shown: datetime) -> timedelta:
    """Return the coarsest precision among times of day: one without seconds is precise to the minute."""
    if any(time.second == 0 and time.microsecond == 0 for time in shown):
        return timedelta(minutes=1)
    if any(time.microsecond == 0 for time in shown):
        return timedelta(seconds=1)
    return timedelta(microseconds=1)


def _floor(moment: datetime, step: timedelta) -> datetime:
    """Return `moment` without what is finer than `step`, which is a minute, a second or a microsecond."""
    if step >= timedelta(minutes=1):
        return moment.replace(second=0, microsecond=0)
    return moment.replace(microsecond=0) if step >= timedelta(seconds=1) else moment
