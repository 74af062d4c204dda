"""What a page's looks taught since the last plan, and when its rule wants the next one. Pure.

The planner sees pages between plans, not looks: where two looks came between two plans, they teach as one that covers
the time of both.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduler.policy import NextLook, next_look
from scheduler.recrawl import Evidence, Habits, Pool, Rule, Watch, hint_truth, learn
from storage.model import BY_RULE, LOOKS, NextReason
from storage.records import Learnt, PageHistory

LIKELY = 0.5
"""Where articles are looked at at a fixed interval, one that is watched no more comes back on a hint that is true so
often."""


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


def learn_looks(history: PageHistory, *, habits: Habits, pool: Pool, rule: Rule) -> tuple[PageHistory, Habits]:
    """Return the history with what its looks since the last plan taught in it, and the habits of its host.

    Only articles teach. While a reading waits for a second look, it is not known whether the look before it found
    something new: both are learnt of together. A look that claims to be older than what is learnt comes of a clock
    that was set back; it teaches nothing, and learning goes on from there.
    """
    looked_at, until = last_counted_look(history), history.learnt_until
    if not history.has_article or looked_at is None or looked_at == until or history.has_candidate:
        return history, habits
    evidence = Evidence(alpha=history.rate_alpha, beta=history.rate_beta, interval_seconds=history.interval_seconds)
    if until is None or looked_at > until:
        before = Watch(
            born_at=history.born_at,
            last_look_at=until,
            last_changed_at=history.last_changed_at,
            looks=max(history.looks - 1, 0),
            changes=history.learnt_changes,
            evidence=evidence,
            hinted_at=history.hinted_at,
        )
        changed = history.changes > history.learnt_changes
        planned = history.next_fetch_reason in BY_RULE
        evidence, habits = learn(before, looked_at, changed, habits, pool, rule, planned=planned)
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
        )

    def _by_rule(self, history: PageHistory, now: datetime) -> NextLook:
        decision = self.rule.next_look(watch_of(history), self.habits, self.pool, now)
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
        born_at=max(history.born_at, history.watched_from or history.born_at),
        last_look_at=last_counted_look(history),
        last_changed_at=history.last_changed_at,
        looks=history.looks,
        changes=history.changes,
        evidence=Evidence(alpha=history.rate_alpha, beta=history.rate_beta, interval_seconds=history.interval_seconds),
        hinted_at=pending_hint(history),
    )
