"""What a page's looks taught since the last plan, and when its rule wants the next one. Pure.

The planner sees pages between plans, not looks: where two looks came between two plans, they teach as one that covers
the time of both.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduler.policy import NextLook, next_look
from scheduler.recrawl import Evidence, Habits, Pool, Rule, Watch, hint_truth, learn, lose, pay
from scheduler.recrawl.rule import LIKELY
from storage.model import BY_RULE, NextReason
from storage.outcomes import ARTICLE_SEEN, LOOKS, Outcome
from storage.plan_records import Learnt, PageHistory

CLOCK_LEEWAY = timedelta(hours=1)
"""What was seen so much later than now was seen by a clock that was ahead."""
NO_LONGER_NEW = timedelta(days=1)
"""An article that is handed to the service within a day is watched from its birth on, as others are."""


def last_counted_look(history: PageHistory) -> datetime | None:
    """Return when the last look was that told what state the page is in.

    A program of the schema before, which may still run beside this one, does not note it apart from other fetches.
    """
    return history.last_fetch_at if history.last_outcome in LOOKS else history.last_look_at


def pending_hint(history: PageHistory) -> datetime | None:
    """Return the hint that no look has answered yet, or None."""
    looked_at = last_counted_look(history)
    if history.hinted_at is None or (looked_at is not None and history.hinted_at <= looked_at):
        return None
    return history.hinted_at


def is_watched_anew(history: PageHistory) -> bool:
    """Whether an operator had an article watched that was out for long, so that it is watched as if it came out then.

    It is planned and learnt of at that age alike. What it was like before says nothing of it, nor it of its host.
    """
    return history.watched_from is not None and history.watched_from - history.born_at > NO_LONGER_NEW


def learn_looks(
    history: PageHistory, *, habits: Habits, pool: Pool, rule: Rule, now: datetime
) -> tuple[PageHistory, Habits]:
    """Return the history with what its looks since the last plan taught in it, and the habits of its host.

    Only articles teach. A fetch that the rule asked for is paid when it ends, whatever it came to; the attempts and
    second looks that follow from it are not paid again. While a reading waits for a second look, it is not known
    whether the look before it found something new: both are learnt of together. A look that claims to be older than
    what is learnt, or later than `now`, comes of a wrong clock; it teaches nothing, and learning goes on from there.
    Nor does a look that found no article there: it was not to be seen whether that was edited. It is looked at no more
    by its rule once it is gone, and its host's account is cleared of that.
    """
    looked_at, until = last_counted_look(history), history.learnt_until
    if not history.has_article:
        return history, habits
    pays = _is_to_be_paid(history) and not is_watched_anew(history)
    if looked_at is None or looked_at == until or history.has_candidate:
        at = min(history.last_fetch_at or now, now)
        return history, pay(habits, at, pool, rule) if pays else habits
    evidence, before = evidence_of(history), _watch_before(history)
    changed, was_gone = history.changes > history.learnt_changes, _was_gone(history)
    in_order = (until is None or looked_at > until) and looked_at <= now + CLOCK_LEEWAY
    if in_order and is_watched_anew(history):
        if not _shows_no_article(history) and until is not None and until >= before.born_at:
            evidence, _ = learn(before, looked_at, changed, habits, pool, rule, planned=False)
    elif in_order and not _shows_no_article(history):
        evidence, habits = learn(before, looked_at, changed, habits, pool, rule, planned=pays, was_gone=was_gone)
    elif in_order and until is not None:
        gone = history.last_outcome is Outcome.GONE
        habits = lose(before, looked_at, gone, habits, pool, rule, planned=pays, was_gone=was_gone)
    elif pays:
        habits = pay(habits, min(looked_at, now), pool, rule)
    learnt = replace(
        history,
        learnt_until=looked_at,
        learnt_changes=history.changes,
        rate_alpha=evidence.alpha,
        rate_beta=evidence.beta,
        interval_seconds=evidence.interval_seconds,
        hinted_at=pending_hint(history),
    )
    return learnt, habits


def _watch_before(history: PageHistory) -> Watch:
    """Return an article as its rule was shown it before the look that is learnt of."""
    changed = history.changes > history.learnt_changes
    return Watch(
        born_at=_begins_at(history),
        last_look_at=history.learnt_until,
        # The page has the time of the last change, and not of the one before.
        last_changed_at=None if changed else history.last_changed_at,
        looks=max(history.looks - 1, 0),
        changes=history.learnt_changes,
        evidence=evidence_of(history),
        hinted_at=history.hinted_at,
    )


def evidence_of(history: PageHistory) -> Evidence:
    """Return what the looks at an article taught; nothing where it is watched anew and was not looked at since."""
    until = history.learnt_until
    if is_watched_anew(history) and (until is None or until < _begins_at(history)):
        return Evidence()
    return Evidence(alpha=history.rate_alpha, beta=history.rate_beta, interval_seconds=history.interval_seconds)


def _begins_at(history: PageHistory) -> datetime:
    """Return from when an article's age is counted."""
    return history.watched_from if history.watched_from and is_watched_anew(history) else history.born_at


def _is_to_be_paid(history: PageHistory) -> bool:
    """Whether a fetch has ended that a rule asked for.

    A rule asks only after a look that was learnt of; the plan that follows its fetch has another reason until then.
    """
    return history.next_fetch_reason in BY_RULE and history.last_fetch_at != history.learnt_until


def _was_gone(history: PageHistory) -> bool:
    """Whether an article was taken for gone before its last look. Of one that somebody asked for it is not known; a
    host is not to be credited again and again for one that is and stays gone."""
    reason = history.next_fetch_reason
    return reason is NextReason.GONE or (reason is NextReason.REQUESTED and history.last_outcome is Outcome.GONE)


def _shows_no_article(history: PageHistory) -> bool:
    return history.last_outcome in LOOKS and history.last_outcome not in ARTICLE_SEEN


def learnt_of(before: PageHistory, after: PageHistory) -> Learnt | None:
    """Return what is to be kept of what was learnt; None where that is nothing."""
    if after == before or after.learnt_until is None:
        return None
    return Learnt(
        until=after.learnt_until,
        changes=after.learnt_changes,
        rate_alpha=after.rate_alpha,
        rate_beta=after.rate_beta,
        interval_seconds=after.interval_seconds,
        hinted_at=after.hinted_at,
    )


@dataclass(frozen=True, kw_only=True)
class Deliberation:
    """What the next look at a page is decided by, besides its history. `interval` is set where the rule is a fixed one
    that somebody chose."""

    rule: Rule
    habits: Habits
    pool: Pool
    watch_for: timedelta
    interval: timedelta | None = None

    def next_look(self, history: PageHistory, now: datetime) -> NextLook:
        """Return when a page is due next and why; what its looks taught is in its history already."""
        return next_look(
            history,
            watch_for=self.watch_for,
            by_rule=lambda: self._by_rule(history, now),
            is_hint_worth_it=lambda: self._is_hint_worth_it(history, now),
            now=now,
            recrawl=self.interval,
            attempts=self.rule.limits.refetches_per_article,
        )

    def _by_rule(self, history: PageHistory, now: datetime) -> NextLook:
        watch = watch_of(history)
        if history.last_fetch_at is not None and history.last_outcome not in ARTICLE_SEEN:
            watch = self.rule.after_failures(
                watch, min(history.last_fetch_at, now), self.habits, history.consecutive_failures
            )
            # No hint is followed twice.
            watch = replace(watch, hinted_at=None)
        decision = self.rule.next_look(watch, self.habits, self.pool, now)
        if decision.at is None:
            return NextLook(None, NextReason.FINISHED)
        return NextLook(decision.at, NextReason(decision.reason))

    def _is_hint_worth_it(self, history: PageHistory, now: datetime) -> bool:
        if pending_hint(history) is None:
            return False
        if self.interval is not None:
            return hint_truth(self.habits, self.pool) >= LIKELY
        return self.rule.next_look(watch_of(history), self.habits, self.pool, now).reason == NextReason.HINT


def watch_of(history: PageHistory) -> Watch:
    """Return an article as its rule is shown it. One that is watched anew is planned as if it had come out then."""
    return Watch(
        born_at=_begins_at(history),
        last_look_at=last_counted_look(history),
        last_changed_at=history.last_changed_at,
        looks=history.looks,
        changes=history.changes,
        evidence=evidence_of(history),
        hinted_at=pending_hint(history),
    )
