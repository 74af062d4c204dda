"""What one look teaches: of its article, and of its host."""

from dataclasses import replace
from datetime import datetime, timedelta

from scheduler.recrawl.budget import current_basis
from scheduler.recrawl.evidence import chance_of_some, observe
from scheduler.recrawl.habits import Basis, Habits, Pool
from scheduler.recrawl.prior import likelihoods
from scheduler.recrawl.rule import Rule
from scheduler.recrawl.shape import AgeShape
from scheduler.recrawl.watch import Evidence, Watch

NEW_UNTIL = timedelta(hours=1)
"""An article that is found by then counts as a whole one."""


def learn(  # noqa: PLR0917 - the look, then what is known, then what decides
    watch: Watch,
    looked_at: datetime,
    changed: bool,
    habits: Habits,
    pool: Pool,
    rule: Rule,
    *,
    planned: bool = True,
    was_gone: bool = False,
) -> tuple[Evidence, Habits]:
    """Return the article's evidence and its host's habits after a look that counts.

    `watch` is as it stood before the look; without an earlier look the article is counted as new and nothing else is
    learnt. `planned` says that the look was one that the rule asked for, and so is paid from the budget; looks that
    confirm a suspect text, or that somebody asked for, teach as much and cost nothing. `was_gone` says that the article
    was taken for gone before, as `lose` was told.
    """
    habits = _current(habits, looked_at, pool, rule)
    basis = habits.basis
    assert basis is not None  # noqa: S101 - the current habits have one
    if watch.last_look_at is None:
        first = replace(watch, last_look_at=looked_at, looks=1)
        return watch.evidence, _with_article(habits, first, looked_at, pool, rule)
    before = 0.0 if was_gone else rule.expected_looks(watch, habits, pool)
    before_look = habits
    if watch.hinted_at is not None and watch.hinted_at <= looked_at:
        habits = _learn_hint(watch, looked_at, changed, habits, basis)
    evidence, habits = _learn_rate(watch, looked_at, changed, habits=habits, basis=basis, rule=rule)
    seen = replace(
        watch,
        last_look_at=looked_at,
        last_changed_at=looked_at if changed else watch.last_changed_at,
        looks=watch.looks + 1,
        changes=watch.changes + changed,
        evidence=evidence,
    )
    after = rule.expected_looks(seen, before_look, pool)
    return evidence, _charged(habits, planned + after - before, rule)


def lose(  # noqa: PLR0917 - the look, then what is known, then what decides
    watch: Watch,
    looked_at: datetime,
    gone: bool,
    habits: Habits,
    pool: Pool,
    rule: Rule,
    *,
    planned: bool = True,
    was_gone: bool = False,
) -> Habits:
    """Return a host's habits after a look that did not find the article any more, which tells nothing of its edits.

    Of one that is taken for `gone` no more looks by the rule are expected; the account is cleared of them. `watch` is
    as it stood before the look.
    """
    habits = _current(habits, looked_at, pool, rule)
    before = 0.0 if was_gone else rule.expected_looks(watch, habits, pool)
    after = 0.0 if gone else rule.expected_looks(replace(watch, last_look_at=looked_at), habits, pool)
    return _charged(habits, planned + after - before, rule)


def pay(habits: Habits, fetched_at: datetime, pool: Pool, rule: Rule) -> Habits:
    """Return the habits after a fetch that the rule asked for and that told nothing, or nothing yet."""
    return _charged(_current(habits, fetched_at, pool, rule), 1.0, rule)


def _with_article(habits: Habits, first: Watch, looked_at: datetime, pool: Pool, rule: Rule) -> Habits:
    """Return the habits of a host that has another article, after the first look at it."""
    if not rule.keeps_budget:
        return habits
    expected = rule.expected_looks(first, habits, pool)
    newer = replace(first, born_at=max(first.born_at, looked_at - NEW_UNTIL))
    of_new = rule.expected_looks(newer, habits, pool) if newer != first else expected
    account = habits.account(rule.name).with_article(
        expected,
        share=min(expected / of_new, 1.0) if of_new > 0 else 1.0,
        price=rule.price_of_all(pool),
        restraint=rule.restraint(habits),
    )
    return habits.with_account(rule.name, account)


def _charged(habits: Habits, refetches: float, rule: Rule) -> Habits:
    if not rule.keeps_budget:
        return habits
    return habits.with_account(rule.name, habits.account(rule.name).charged(refetches))


def _current(habits: Habits, at: datetime, pool: Pool, rule: Rule) -> Habits:
    """Return the habits as they count at an instant by a rule, with what plans are made by."""
    habits = habits.faded(at)
    habits = replace(habits, basis=current_basis(habits, pool, now=at))
    if not rule.keeps_budget:
        return habits
    return replace(habits, prices={**habits.prices, rule.name: rule.price(habits, pool)})


def _learn_hint(watch: Watch, looked_at: datetime, changed: bool, habits: Habits, basis: Basis) -> Habits:
    """Return the habits after the look that answered a hint.

    A hint is credited only with what would not have been found without it: an index that gives every entry the time of
    its own making is right as often as any look finds something new, and tells nothing.
    """
    assert watch.last_look_at is not None  # noqa: S101 - the caller has looked
    shape = AgeShape(basis.rates)
    covered = max(0.0, shape.cumulative(watch.age(looked_at)) - shape.cumulative(watch.age(watch.last_look_at)))
    alpha, beta = basis.alpha + watch.evidence.alpha, basis.beta + watch.evidence.beta
    anyway = chance_of_some(alpha, beta, covered)
    return replace(
        habits,
        hints=habits.hints + 1 - anyway,
        true_hints=min(max(habits.true_hints + changed - anyway, 0.0), habits.hints + 1 - anyway),
    )


def _learn_rate(
    watch: Watch, looked_at: datetime, changed: bool, *, habits: Habits, basis: Basis, rule: Rule
) -> tuple[Evidence, Habits]:
    assert watch.last_look_at is not None  # noqa: S101 - the caller has looked
    old = watch.evidence
    shape = AgeShape(basis.rates)
    begin, end = watch.age(watch.last_look_at), watch.age(looked_at)
    covered = max(0.0, shape.cumulative(end) - shape.cumulative(begin))
    alpha, beta = basis.alpha + old.alpha, basis.beta + old.beta
    more_alpha, more_beta = observe(alpha, beta, covered=covered, changed=changed)
    evidence = Evidence(
        alpha=old.alpha + more_alpha,
        beta=old.beta + more_beta,
        interval_seconds=rule.remembered_interval(old.interval_seconds, changed=changed),
    )
    if covered < 1e-12:
        return evidence, habits
    terms = likelihoods(old.alpha, old.beta, covered=covered, changed=changed)
    k = alpha / beta
    # A look says that there were edits, not when: they are spread as they were expected.
    share = 1 / chance_of_some(alpha, beta, covered) if changed else 0.0
    events, exposure = list(habits.events), list(habits.exposure)
    for place, seconds in shape.split(begin, end):
        events[place] += share * k * shape.rates[place] * seconds
        exposure[place] += k * seconds
    return evidence, replace(
        habits,
        looks=habits.looks + 1,
        prior_sums=tuple(value + term for value, term in zip(habits.prior_sums, terms, strict=True)),
        events=tuple(events),
        exposure=tuple(exposure),
    )
