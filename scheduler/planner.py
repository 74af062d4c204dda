"""Applies the policy: gives every page that has no next time one, and others another one when what they were planned by
has changed. Idempotent, in slices.

A slice is read, thought over outside of any transaction, and written if nothing of it has changed meanwhile; what has
is left for the next run. So nobody waits for the thinking, and two processes may plan at once.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from crawler.runner import SourceBook
from scheduler.page_learning import CLOCK_LEEWAY, Deliberation, learn_looks, learnt_of
from scheduler.recrawl import Habits, Pool, needs_replan, pooled
from scheduler.recrawl.budget import current_basis
from scheduler.recrawl.habits import Basis
from scheduler.rule_book import PlanSettings, RuleBook
from scheduler.set_clocks import SetClocks
from storage.errors import DatabaseBusy, MorgueError
from storage.habits import Habits as StoredHabits
from storage.model import NextReason
from storage.plan_records import PageHistory, PagePlan
from storage.store import Store, Transaction

log = structlog.get_logger()

SLICE = 200
"""Pages that are planned in one transaction, well within the 200 ms that others may be kept waiting even if each is of
another host."""
PASSES = 3
"""So often what changed while it was thought over is tried again in one run; then it is left for the next one."""
REPLANS_A_RUN = 5
"""Slices of pages that have a plan already, and are planned anew in one run: what was just fetched does not wait."""
POOL_AGE = timedelta(minutes=10)
"""For so long what is known of all hosts together is taken to be as it was."""
FIRST_TRUST = 20
"""A host's hints are taken for true of so many pages at once, or of as many as its hints were checked before: an index
that hints at all its entries costs few fetches until it is known for it."""
TRUSTED_FOR = timedelta(days=1)
"""A page that waits for so long for the look at a hint is no longer one of those."""
AFTER_FAILED_RULE = timedelta(days=1)
"""A page whose rule fails is looked at again so much later."""
RULES_STATE = "recrawl"
"""The name in `service_state` of the rules by which pages are planned, and of how far a planning anew has come."""


@dataclass(frozen=True, kw_only=True)
class _Draft:
    """A plan, the history that it was made from, and the same with what was learnt from it."""

    history: PageHistory
    learnt: PageHistory
    plan: PagePlan
    teaches: bool = False
    """Whether its host's habits count something of it."""


@dataclass
class _Slice:
    """Plans that are to be written. `stored` are their hosts' habits as they were read, `known` as they are now."""

    drafts: list[_Draft] = field(default_factory=list)
    stored: dict[str, StoredHabits] = field(default_factory=dict)
    known: dict[str, Habits] = field(default_factory=dict)
    left: int = 0
    """Pages that were left for another time, as they or their hosts changed meanwhile."""

    @property
    def last(self) -> int:
        """The last page."""
        return self.drafts[-1].history.page_id if self.drafts else 0


class PagePlanner:
    """Plans pages, as long as the service runs or once at the end of a crawl.

    With `replans` pages that have a plan are planned anew when the rules of their sources, or the price of a fetch at
    their hosts, have changed. Make a new planner when the configuration has.
    """

    def __init__(
        self, store: Store, sources: SourceBook, settings: PlanSettings | None = None, *, replans: bool = True
    ) -> None:
        self._store = store
        self._rules = RuleBook(sources, settings or PlanSettings())
        self._replans = replans
        self._pool = Pool()
        self._pooled_at: datetime | None = None
        self._newcomer: Basis | None = None
        self._clocks = SetClocks(store, self._rules.settings.watch_for)
        self._trusted: dict[str, dict[int, datetime]] = {}
        self._moved: dict[str, _PricePass] = {}
        self._rules_pass: _RulesPass | None = None

    def plan(self, now: datetime) -> int:
        """Plan all pages that have no next fetch, and return how many."""
        if self._clocks.right(now) and self._replans:
            self._rules_pass = self._begin_rules_pass(now, everything=True)
        planned = 0
        for _ in range(PASSES):
            done, left = self._plan_unplanned(now)
            planned += done
            if not left:
                break
        if self._replans:
            # What others keep us from writing is done by a later run.
            with suppress(DatabaseBusy):
                self._plan_anew(now)
        return planned

    def _plan_unplanned(self, now: datetime) -> tuple[int, int]:
        """Return how many pages were planned, and how many were left because they changed meanwhile."""
        planned = left = after = 0
        while True:
            part = self._plan_slice(partial(_unplanned, after), now)
            planned, left = planned + len(part.drafts) - part.left, left + part.left
            if len(part.drafts) < SLICE:
                return planned, left
            after = part.last

    def _plan_slice(
        self,
        query: Callable[[Transaction], list[PageHistory]],
        now: datetime,
        *,
        forget_intervals_of: frozenset[int] = frozenset(),
    ) -> _Slice:
        with self._store.reading() as transaction:
            histories = query(transaction)
            stored = transaction.host_habits.of({history.host for history in histories})
        if not histories:
            return _Slice()
        righted = {host: Habits.from_json(habits).righted(now, CLOCK_LEEWAY) for host, habits in stored.items()}
        part = _Slice(stored=stored, known=righted)
        self._know_all_hosts(now)
        for history in histories:
            forgets = history.source_id in forget_intervals_of
            known = replace(history, interval_seconds=None) if forgets else history
            part.drafts.append(self._safe_draft(history, known, part, now))
        self._write(part, now)
        return part

    def _know_all_hosts(self, now: datetime) -> None:
        if self._pooled_at is not None and timedelta(0) <= now - self._pooled_at < POOL_AGE:
            return
        with self._store.reading() as transaction:
            habits = transaction.host_habits.all()
        known = (Habits.from_json(stored).righted(now, CLOCK_LEEWAY) for stored in habits.values())
        # A host that was learnt of long ago counts as little as it would if it were learnt of now.
        self._pool = pooled(host.faded(now) for host in known)
        self._pooled_at = now
        self._newcomer = None

    def _with_basis(self, habits: Habits, now: datetime) -> Habits:
        """Return habits with what plans are made by, made once for all hosts of which nothing is known."""
        if habits.looks or habits.basis is not None:
            return replace(habits, basis=current_basis(habits, self._pool, now=now))
        if self._newcomer is None:
            self._newcomer = current_basis(habits, self._pool, now=now)
        return replace(habits, basis=self._newcomer)

    # One page

    def _safe_draft(self, history: PageHistory, known: PageHistory, part: _Slice, now: datetime) -> _Draft:
        try:
            return self._draft(history, known, part, now)
        except MorgueError:
            raise
        except Exception:
            # The boundary of one page: its rule must not cost the others their plans.
            log.exception("page_rule_failed", page_id=history.page_id, host=history.host)
            plan = PagePlan(page_id=history.page_id, at=now + AFTER_FAILED_RULE, reason=NextReason.RETRY)
            return _Draft(history=history, learnt=history, plan=plan)

    def _draft(self, history: PageHistory, known: PageHistory, part: _Slice, now: datetime) -> _Draft:
        """Learn from the looks at a page, and decide on the next one."""
        host, rule = history.host, self._rules.rule(history.source_id)
        habits = part.known.get(host, Habits())
        learnt, before = known, habits
        if known.has_article:
            habits = before = self._with_basis(habits, now)
            learnt, habits = learn_looks(known, habits=habits, pool=self._pool, rule=rule, now=now)
            part.known[host] = habits
        deliberation = Deliberation(
            rule=rule,
            habits=habits,
            pool=self._pool,
            watch_for=self._rules.settings.watch_for,
            interval=self._rules.interval(history.source_id),
        )
        look = deliberation.next_look(learnt, now)
        if not self._is_trusted(learnt, look.reason, most=max(FIRST_TRUST, habits.hints), now=now):
            # Its index says so again the next time that it is read.
            learnt = replace(learnt, hinted_at=None)
            look = deliberation.next_look(learnt, now)
        plan = PagePlan(page_id=history.page_id, at=look.at, reason=look.reason, learnt=learnt_of(history, learnt))
        return _Draft(history=history, learnt=learnt, plan=plan, teaches=habits is not before)

    def _is_trusted(self, history: PageHistory, reason: NextReason, *, most: float, now: datetime) -> bool:
        """Return whether a page may have that reason: a hint only, while no more than `most` of its host's wait."""
        waiting = self._trusted.setdefault(history.host, {})
        if reason is not NextReason.HINT:
            waiting.pop(history.page_id, None)
            if not waiting:
                del self._trusted[history.host]
            return True
        if len(waiting) >= most:
            # What was paused, or found to be another page, before it was looked at takes no place for ever.
            for page_id in [one for one, since in waiting.items() if not timedelta(0) <= now - since < TRUSTED_FOR]:
                del waiting[page_id]
        if history.page_id not in waiting and len(waiting) >= most:
            return False
        waiting.setdefault(history.page_id, now)
        return True

    # What is written

    def _write(self, part: _Slice, now: datetime) -> None:
        """Write a slice, but for what changed since it was read."""
        known = {host: _accounted(habits) for host, habits in part.known.items()}
        learnt = {host: habits.to_json() for host, habits in known.items()}
        learnt = {host: habits for host, habits in learnt.items() if habits != part.stored.get(host, {})}
        try:
            with self._store.writing() as transaction:
                stored = transaction.host_habits.lock(learnt, now)
                fresh = transaction.page_plans.histories([draft.history.page_id for draft in part.drafts], lock=True)
                kept, left = _unchanged(part, fresh=fresh, stored=stored)
                transaction.page_plans.put([draft.plan for draft in kept])
                hosts = {draft.history.host for draft in kept}
                transaction.host_habits.put({host: learnt[host] for host in learnt.keys() & hosts}, now)
        except DatabaseBusy:
            # Another process wanted the same rows in another order; nothing was written, and all of it is still owed.
            part.left = len(part.drafts)
            return
        part.left = left
        for host in learnt.keys() & hosts:
            if needs_replan(known[host]):
                self._moved.setdefault(host, _PricePass())

    # What is planned anew

    def _plan_anew(self, now: datetime) -> None:
        """Plan a few slices of pages anew whose plans were made by another rule or at another price."""
        if self._rules_pass is None:
            self._rules_pass = self._begin_rules_pass(now)
        for _ in range(REPLANS_A_RUN):
            if self._rules_pass.source_ids:
                self._go_on_by_rules(self._rules_pass, now)
            elif self._moved:
                self._go_on_by_price(next(iter(self._moved)), now)
            else:
                return

    def _begin_rules_pass(self, now: datetime, *, everything: bool = False) -> "_RulesPass":
        """Return which sources' pages were planned by other rules than now, and keep the rules where there are none.

        With `everything` those of all sources are to be planned anew.
        """
        with self._store.reading() as transaction:
            sources = {stored.source.slug: stored for stored in transaction.sources.all()}
            state = transaction.service_state.get(RULES_STATE)
        wanted = self._rules.described(stored.source for stored in sources.values())
        value: dict[str, Any] = state[0] if state is not None and isinstance(state[0], dict) else {}
        before: dict[str, Any] = value.get("rules") or {}
        differing = {slug for slug, rule in wanted.items() if before.get(slug, rule) != rule}
        begun = _RulesPass(
            before=before,
            wanted=wanted,
            source_ids=frozenset(sources[slug].source_id for slug in (sources if everything else differing)),
            other_rule=frozenset(sources[slug].source_id for slug in differing if before[slug][:1] != wanted[slug][:1]),
            after=int(value.get("after", 0)) if value.get("wanted") == wanted else 0,
        )
        if not differing and before != wanted:
            self._keep_rules({"rules": wanted}, now)
        return begun

    def _go_on_by_rules(self, begun: "_RulesPass", now: datetime) -> None:
        born_since = now - self._rules.settings.watch_for
        part = self._plan_slice(
            lambda transaction: transaction.page_plans.of_rules(
                begun.source_ids, SLICE, born_since=born_since, after=begun.after
            ),
            now,
            forget_intervals_of=begun.other_rule,
        )
        if len(part.drafts) < SLICE:
            self._rules_pass = replace(begun, source_ids=frozenset())
            self._keep_rules({"rules": begun.wanted}, now)
            self._clocks.settle(now)
        else:
            self._rules_pass = begun = replace(begun, after=part.last)
            self._keep_rules({"rules": begun.before, "wanted": begun.wanted, "after": begun.after}, now)

    def _keep_rules(self, value: dict[str, Any], now: datetime) -> None:
        with self._store.writing() as transaction:
            transaction.service_state.put(RULES_STATE, value, now)

    def _go_on_by_price(self, host: str, now: datetime) -> None:
        """Plan a slice of a host's pages anew: those that have a plan, then, if a fetch is cheaper than it was, those
        at which no look was worth it."""
        begun = self._moved[host]
        if begun.finished:
            part = self._plan_slice(lambda read: read.page_plans.finished(host, SLICE, after=begun.after), now)
        else:
            part = self._plan_slice(lambda read: read.page_plans.of_price(host, SLICE, now=now, after=begun.after), now)
        if len(part.drafts) == SLICE:
            self._moved[host] = replace(begun, after=part.last)
            return
        with self._store.writing() as transaction:
            habits = Habits.from_json(transaction.host_habits.lock([host], now)[host])
            if not begun.finished and _is_cheaper(habits):
                self._moved[host] = _PricePass(finished=True)
                return
            transaction.host_habits.put({host: habits.replanned().to_json()}, now)
        del self._moved[host]


@dataclass(frozen=True, kw_only=True)
class _PricePass:
    """A planning anew of a host's pages because its price has moved: how far it has come, among those that are
    finished or, before them, those that have a plan."""

    finished: bool = False
    after: int = 0


@dataclass(frozen=True, kw_only=True)
class _RulesPass:
    """A planning anew because rules have changed: from what, to what, and how far it has come. `other_rule` are the
    sources that have another rule, and not only other limits."""

    before: dict[str, Any]
    wanted: dict[str, list[str]]
    source_ids: frozenset[int]
    other_rule: frozenset[int]
    after: int


def _unplanned(after: int, transaction: Transaction) -> list[PageHistory]:
    return transaction.page_plans.unplanned(SLICE, after=after)


def _accounted(habits: Habits) -> Habits:
    """Return the habits of a host; at the first price by a rule nothing was planned at another."""
    return replace(habits, planned_prices={**habits.prices, **habits.planned_prices})


def _is_cheaper(habits: Habits) -> bool:
    """Whether a fetch costs less by some rule than when the host's pages were last planned anew."""
    return any(price < habits.planned_prices.get(rule, price) for rule, price in habits.prices.items())


def _unchanged(
    part: _Slice, *, fresh: Mapping[int, PageHistory], stored: Mapping[str, StoredHabits]
) -> tuple[list[_Draft], int]:
    """Return the drafts that may be written, and how many may not: their pages are not as they were read, or their
    hosts' habits would count a look that is not kept, or not count one that was learnt from elsewhere."""
    stale = {draft.history.page_id for draft in part.drafts if fresh.get(draft.history.page_id) != draft.history}
    hosts = {host for host, habits in stored.items() if habits != part.stored.get(host, {})}
    hosts |= {draft.history.host for draft in part.drafts if draft.history.page_id in stale and draft.teaches}
    kept = [draft for draft in part.drafts if draft.history.page_id not in stale and draft.history.host not in hosts]
    return kept, len(part.drafts) - len(kept)
