"""Says in plain sentences why a page is due when it is. Pure, but for `explain`, which gathers what is to be said."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.page_learning import last_counted_look, pending_hint, watch_of
from scheduler.policy import watched_until
from scheduler.recrawl import Habits, Pool, hint_truth, pooled
from scheduler.recrawl.shape import AgeShape
from scheduler.rule_book import PlanSettings
from storage.errors import NotFound
from storage.model import BY_RULE, NextReason
from storage.plan_records import PageHistory
from storage.store import Transaction

HOUR = timedelta(hours=1)
_UNITS = ((timedelta(days=1), "d"), (HOUR, "h"), (timedelta(minutes=1), "min"))


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What an explanation tells of.

    `primary_url` is that of the page that stands for an alias, `paused_source` the name of a source that is paused,
    `unwatched_source` of one that the service does not look after; `held_until` is until when the host is left alone,
    and `held_for` why. `recrawl` is the rule or interval of the source.
    """

    history: PageHistory
    habits: Habits
    pool: Pool
    recrawl: str
    watch_for: timedelta
    primary_url: str | None = None
    paused_source: str | None = None
    unwatched_source: str | None = None
    held_until: datetime | None = None
    held_for: str | None = None


def explain(
    transaction: Transaction, page_id: int, *, settings: PlanSettings, now: datetime, requests_per_day: int
) -> list[str]:
    """Return a few sentences on why a page is due when it is. Raises `NotFound` for a page that there is not."""
    history = transaction.page_plans.histories([page_id]).get(page_id)
    stored = None if history is None else transaction.sources.by_id(history.source_id)
    if history is None or stored is None:
        raise NotFound(str(page_id), "is no page that was ever seen", "name its URL")
    primary = None if history.alias_of is None else transaction.pages.by_id(history.alias_of)
    held = [one for one in transaction.hosts.held(budget=requests_per_day) if one.host == history.host]
    every = {host: Habits.from_json(habits) for host, habits in transaction.host_habits.all().items()}
    return explain_page(
        Standing(
            history=history,
            habits=every.get(history.host, Habits()),
            pool=pooled(every.values()),
            recrawl=stored.source.recrawl or settings.recrawl,
            watch_for=settings.watch_for,
            primary_url=None if primary is None else primary.url,
            paused_source=stored.source.slug if stored.paused else None,
            unwatched_source=None if stored.watched else stored.source.slug,
            held_until=now + timedelta(seconds=held[0].seconds) if held else None,
            held_for=held[0].reason if held else None,
        ),
        now=now,
    )


def explain_page(standing: Standing, *, now: datetime) -> list[str]:
    """Return the sentences, what matters most first."""
    history = standing.history
    if standing.primary_url is not None:
        return [f"It is another address of {standing.primary_url}, which is fetched in its stead."]
    if history.paused:
        return ["It is paused by an operator, and not fetched before it is resumed."]
    if standing.paused_source is not None:
        return [f"Its source {standing.paused_source} is paused, and not fetched before it is resumed."]
    said = [_why(standing, now)]
    hint = pending_hint(history)
    if hint is not None and history.next_fetch_reason is not NextReason.HINT:
        said.append(_why_not_for_hint(standing, hint) if _weighs_hints(history) else _hint_waits(hint))
    if standing.unwatched_source is not None:
        said.append(f"The service does not look after its source {standing.unwatched_source}; `morgue crawl` does.")
    if standing.held_until is not None:
        said.append(f"Its host {history.host} is left alone until {moment(standing.held_until)} ({standing.held_for}).")
    return said


def _why(standing: Standing, now: datetime) -> str:
    history = standing.history
    if history.watch_ended:
        return _why_not_watched(standing, now)
    if history.next_fetch_at is None:
        return "It has no plan yet; the service makes one within seconds, and `morgue crawl` at its end."
    when = _when(history.next_fetch_at, now)
    reason = history.next_fetch_reason
    if reason is None:
        return f"Its next look is due {when}."
    return _SENTENCES.get(reason, _by_rule)(standing, when)


def _why_not_watched(standing: Standing, now: datetime) -> str:
    history = standing.history
    if history.released_by is not None:
        return f"Released by the {history.released_by}: it is not watched any more; `morgue watch` takes it up again."
    if history.next_fetch_reason is NextReason.FINISHED:
        return (
            f"{_record(history)} No further look is planned in the {spoken(standing.watch_for)} for which it is "
            "watched; a hint that it was updated brings it back, or a larger budget of fetches."
        )
    if not history.has_article and now < watched_until(history, watch_for=standing.watch_for):
        return (
            f"Released: it came to {history.last_outcome} when it was tried last, and was tried as often as an article "
            "is looked at; a hint that it was updated brings it back, and `morgue watch`."
        )
    return (
        f"Released: it is older than the {spoken(standing.watch_for)} for which articles are watched; "
        "a hint that it was updated brings it back."
    )


def _record(history: PageHistory) -> str:
    looks = max(history.looks - 1, 0)
    if not looks:
        return "It was seen once."
    times = {0: "Not edited", 1: "Edited once"}.get(history.changes, f"Edited {history.changes} times")
    return f"{times} in {looks} look{'s' if looks > 1 else ''} after the first."


def _by_rule(standing: Standing, when: str) -> str:
    history, basis = standing.history, standing.habits.basis
    if history.next_fetch_reason is NextReason.PLAN and basis is not None:
        watch = watch_of(history)
        looked_at = last_counted_look(history) or history.first_seen_at
        age, shape = watch.age(looked_at), AgeShape(basis.rates)
        by_age = shape.cumulative(age + HOUR.total_seconds()) - shape.cumulative(age)
        host = basis.alpha / basis.beta * by_age
        own = (basis.alpha + watch.evidence.alpha) / (basis.beta + watch.evidence.beta) * by_age
        return (
            f"{_record(history)} At its age of {spoken(timedelta(seconds=age))}, articles of {history.host} are edited "
            f"about once in {_once_in(host)}, and this one is expected to be about once in {_once_in(own)}: "
            f"the next look is planned {when}."
        )
    rule = f"the rule {history.next_fetch_reason}"
    if history.next_fetch_reason is NextReason.FIXED and standing.recrawl != NextReason.FIXED:
        rule = f"its fixed interval of {standing.recrawl}"
    return f"{_record(history)} By {rule} the next look comes {when}."


def _by_hint(standing: Standing, when: str) -> str:
    hint = standing.history.hinted_at
    said = "that it was updated" if hint is None else f"that it was updated at {moment(hint)}"
    truth = hint_truth(standing.habits, standing.pool)
    return (
        f"A feed or sitemap says {said}; about {truth:.0%} of such hints of {standing.history.host} are taken to be "
        f"true: it is due {when}."
    )


def _weighs_hints(history: PageHistory) -> bool:
    """Whether a hint might have made a page due: what something waits for, or what failed, is due for that."""
    return history.watch_ended or history.next_fetch_reason in BY_RULE | {NextReason.STILL_CHANGES}


def _hint_waits(hint: datetime) -> str:
    return f"A feed or sitemap says that it was updated at {moment(hint)}, which the look that comes will tell."


def _why_not_for_hint(standing: Standing, hint: datetime) -> str:
    truth = hint_truth(standing.habits, standing.pool)
    return (
        f"A feed or sitemap says that it was updated at {moment(hint)}; about {truth:.0%} of such hints of "
        f"{standing.history.host} are taken to be true, so it is not looked at sooner for that."
    )


def _after_failure(standing: Standing, when: str) -> str:
    history = standing.history
    times = {0: "", 1: ""}.get(
        history.consecutive_failures, f" for the {_ordinal(history.consecutive_failures)} time in a row"
    )
    return f"The last attempt came to {history.last_outcome}{times}: tried again {when}."


def _until_watch_ends(standing: Standing, when: str) -> str:
    end = watched_until(standing.history, watch_for=standing.watch_for)
    changed = standing.history.last_changed_at
    since = "" if changed is None else f", but it was last changed at {moment(changed)}"
    watched = f"The {spoken(standing.watch_for)} for which it is watched end at {moment(end)}{since}"
    return f"{watched}: the next look comes {when}."


_SENTENCES: dict[NextReason, Callable[[Standing, str], str]] = {
    NextReason.NEW: lambda _, when: f"It was never fetched, and is due {when}.",
    NextReason.REQUESTED: lambda _, when: f"An operator asked for it: it is due {when}.",
    NextReason.SECOND_LOOK: lambda _, when: (
        f"The last look found something that counts only when it is seen twice: the second look comes {when}."
    ),
    NextReason.SUSPECT: lambda _, when: (
        f"The last look gave a text that may be another's: it is confirmed or refuted {when}."
    ),
    NextReason.MISSING: lambda _, when: f"The article was not there: whether it is gone is confirmed {when}.",
    NextReason.GONE: lambda _, when: f"The article is gone, and may return: it is looked for {when}.",
    NextReason.RETRY: _after_failure,
    NextReason.NOT_ARTICLE: lambda _, when: f"It was no article: whether it is one by now is seen {when}.",
    NextReason.HINT: _by_hint,
    NextReason.STILL_CHANGES: _until_watch_ends,
}


def _ordinal(number: int) -> str:
    if 10 < number % 100 < 14:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _once_in(edits_an_hour: float) -> str:
    return spoken(HOUR / edits_an_hour) if edits_an_hour > 1e-6 else "many years"


def _when(at: datetime, now: datetime) -> str:
    return f"at {moment(at)} (in {spoken(at - now)})" if at > now else f"now, since {moment(at)}"


def moment(at: datetime) -> str:
    """Return an instant in UTC as people read it."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def spoken(duration: timedelta) -> str:
    """Return a duration as people say it: in its largest unit, and with one decimal where that is not small talk."""
    for unit, name in _UNITS:
        if duration >= unit:
            number = duration / unit
            return (
                f"{number:.0f} {name}" if number >= 10 or round(number, 1) == round(number) else f"{number:.1f} {name}"
            )
    return f"{duration.total_seconds():.0f} s"
