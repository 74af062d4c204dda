"""When to look again. Pure: facts and the present instant in, an instant out.

Looks that something waits for come first: a page that was never fetched, a reading to be confirmed, an article that may
be gone. An article that is older than it is watched is released. When any other is looked at again, a rule of
`scheduler.recrawl` says; what is no article, and what did not work, is tried again more and more seldom.
"""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from storage.disappearance import CONFIRMED_AFTER
from storage.model import NextReason
from storage.outcomes import ARTICLE_SEEN, LOOKS, Outcome, Trait, with_trait
from storage.plan_records import PageHistory

SECOND_LOOK = timedelta(minutes=10)
"""A reading that waits for confirmation is looked at again this soon."""
SUSPECT_LOOKS = (timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
"""So soon after each look at a suspect text the next one comes: a story that was rewritten is confirmed in minutes."""
GONE_AGAIN = timedelta(days=7)
"""An article that is gone may return."""
FIRST_RETRY = timedelta(minutes=10)
LONGEST_RETRY = timedelta(days=1)
NOT_ARTICLE_AGAIN = timedelta(days=7)
"""An article whose address shows something else is looked at again so much later."""
LEAST_GROWTH = 2.0
"""By which factor the waits for what was never an article grow at least, however many looks may be spent on it."""
QUICK_RETRIES = 2
"""So often in a row a failure that mostly passes is tried again soon; another one, such as a wall, once."""
WALL_AGAIN = timedelta(hours=1)
MOST_CONFIRMING = 6
"""After so many looks in a row that gave suspect texts none can be waited for; they come by its rule from then on."""
_PASSING = with_trait(Trait.PASSES)
MOST_FAILURES_OF_OLD = 6
"""So often in a row a look at an article is tried that is older than it is watched, while something waits for it."""
LAST_LOOK_IS_OWED = timedelta(days=1)
"""A look that was planned for the end of a watch, and failed, is tried again for so long."""
STILL_CHANGES_SHARE = 0.25
"""An article is watched on while its last change is younger than this share of the time for which it is watched: 15 of
60 days."""
STILL_CHANGES_AGAIN = (timedelta(days=1), timedelta(days=7))
"""Then it is looked at again after half of the time since it changed, within these bounds."""
STILL_CHANGES_GROWTH = 0.25
"""And by this share later for each change that was seen of it, up to this share of the time for which its watch has
been over."""


class NextLook(NamedTuple):
    """When a page is due next, None for one that is not watched any more, and why."""

    at: datetime | None
    reason: NextReason


def retry_interval(failures: int) -> timedelta:
    """Return how long to wait after `failures` (1, 2, …) failures in a row: doubling from ten minutes up to a day."""
    doublings = min(max(failures, 1) - 1, 20)
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)


def growth_of_waits(attempts: float, *, watch_for: timedelta) -> float:
    """Return the factor by which waits must grow, from ten minutes on, for `attempts` looks to last for a watch."""
    return max(math.pow(watch_for / FIRST_RETRY, 1 / max(attempts, 1.0)), LEAST_GROWTH)


def wait_for_article(tries: int, age: timedelta, growth: float) -> timedelta:
    """Return how long to wait for an article at an address that gave none in so many `tries`.

    `age` is the time from when it was found, or handed over, to the last try. An address that is tried for the first
    time when it is old waits as one that was tried before, and one that is tried anew begins anew.
    """
    # Kept below the largest duration there is.
    by_tries = FIRST_RETRY * min(growth ** min(max(tries, 1) - 1, 64), 1e6)
    return min(by_tries, max(age * (growth - 1), FIRST_RETRY))


def watched_until(history: PageHistory, *, watch_for: timedelta) -> datetime:
    """Return when the time ends for which a page is watched: so long after it came out, or since an operator had it
    watched anew. One that no look told anything of is tried for so long since it was found, however old it is."""
    begins_at = history.born_at if history.looks else history.first_seen_at
    return max(begins_at, history.watched_from or begins_at) + watch_for


def is_finished(history: PageHistory) -> bool:
    """Whether an article is not watched any more because no further look at it was worth a fetch."""
    return history.watch_ended and history.next_fetch_reason is NextReason.FINISHED


def next_look(
    history: PageHistory,
    *,
    watch_for: timedelta,
    by_rule: Callable[[], NextLook],
    is_hint_worth_it: Callable[[], bool],
    now: datetime,
    recrawl: timedelta | None = None,
    attempts: float = 6.0,
) -> NextLook:
    """Return when the page is due next. `now` is the present instant, aware.

    `by_rule` says when an article is looked at again, `is_hint_worth_it` whether the hint that waits is worth a fetch,
    for an article that is not watched any more. `recrawl` is the fixed interval that a source may set: nothing that
    waits for confirmation waits longer. `attempts` is how often an article is looked at again on average: what cannot
    be had is asked for no more often.
    """
    if history.last_fetch_at is None or history.last_outcome is None:
        return NextLook(now, NextReason.NEW)
    # A look that claims to come from the future was dated by a clock that was ahead.
    since = min(history.last_fetch_at, now)
    end = watched_until(history, watch_for=watch_for)
    over = end <= now
    if is_finished(history):
        return _look_at_finished(over, by_rule)
    waiting = _confirming_look(history, recrawl)
    if waiting is not None and not (over and history.consecutive_failures >= MOST_FAILURES_OF_OLD):
        return NextLook(since + waiting[0], waiting[1])
    if over:
        return _look_after_watch(history, since, watch_for, is_hint_worth_it, end=end)
    if history.last_outcome in ARTICLE_SEEN:
        look = by_rule()
        if look.at is None and end - now <= STILL_CHANGES_AGAIN[1]:
            return _look_while_it_changes(history, since, watch_for, end=end) or look
        return look
    # No more often than articles are looked at.
    seldom = watch_for / max(attempts, 1.0)
    if history.last_outcome is Outcome.GONE:
        return NextLook(since + max(GONE_AGAIN, seldom), NextReason.GONE)
    if not history.has_article:
        growth = growth_of_waits(attempts, watch_for=watch_for)
        return _look_for_article(history, since, growth, end=end)
    if history.last_outcome is Outcome.NOT_ARTICLE:
        return NextLook(since + max(NOT_ARTICLE_AGAIN, seldom), NextReason.NOT_ARTICLE)
    return _look_at_unreadable(history, since, by_rule)


def _look_for_article(history: PageHistory, since: datetime, growth: float, *, end: datetime) -> NextLook:
    """Return when an address is tried again that never gave an article."""
    found_at = min(history.watched_from or history.first_seen_at, since)
    at = since + wait_for_article(history.looks + history.consecutive_failures, since - found_at, growth)
    if at >= end - FIRST_RETRY:
        return NextLook(None, NextReason.RELEASED)
    never = history.last_outcome is Outcome.NOT_ARTICLE
    return NextLook(at, NextReason.NOT_ARTICLE if never else NextReason.RETRY)


def _look_at_unreadable(history: PageHistory, since: datetime, by_rule: Callable[[], NextLook]) -> NextLook:
    """Return when an article is looked at again that could not be had: soon at first, then as one that is unchanged."""
    ruled = by_rule()
    passing = history.last_outcome in _PASSING
    if history.consecutive_failures > (QUICK_RETRIES if passing else 1):
        return ruled if ruled.at is None else NextLook(ruled.at, NextReason.RETRY)
    soon = since + (retry_interval(history.consecutive_failures) if passing else WALL_AGAIN)
    return NextLook(soon if ruled.at is None else min(soon, ruled.at), NextReason.RETRY)


def _look_at_finished(over: bool, by_rule: Callable[[], NextLook]) -> NextLook:
    """Return whether an article comes back that was finished: by its rule's word alone, as a fetch is cheaper by now,
    and while it is watched."""
    return NextLook(None, NextReason.RELEASED) if over else by_rule()


def _confirming_look(history: PageHistory, recrawl: timedelta | None) -> tuple[timedelta, NextReason] | None:
    """Return how soon after the last fetch a look is wanted that confirms what that one showed; None for none."""
    retry = retry_interval(history.consecutive_failures)
    if history.has_candidate and history.last_outcome in ARTICLE_SEEN:
        return min(SECOND_LOOK, recrawl or SECOND_LOOK), NextReason.SECOND_LOOK
    if history.last_outcome is Outcome.MISSING and history.has_article:
        # No sooner, for a second look before that would confirm nothing.
        return max(CONFIRMED_AFTER, retry), NextReason.MISSING
    if history.last_outcome is Outcome.SUSPECT and history.suspect_looks and _may_be_confirmed(history):
        # Not by the looks that showed this text: a page may give another one each time.
        times = max(history.consecutive_failures, 1)
        wait = SUSPECT_LOOKS[times - 1] if times <= len(SUSPECT_LOOKS) else max(SUSPECT_LOOKS[-1], retry)
        return min(wait, recrawl or wait), NextReason.SUSPECT
    return None


def _may_be_confirmed(history: PageHistory) -> bool:
    return history.consecutive_failures <= MOST_CONFIRMING


def _look_after_watch(
    history: PageHistory,
    since: datetime,
    watch_for: timedelta,
    is_hint_worth_it: Callable[[], bool],
    *,
    end: datetime,
) -> NextLook:
    """Return whether an article is looked at again though the time for which it is watched is over, since `end`."""
    hinted = history.hinted_at is not None and is_hint_worth_it()
    if history.last_outcome not in ARTICLE_SEEN:
        is_last_look = bool(history.looks) and history.last_outcome not in LOOKS and since - end < LAST_LOOK_IS_OWED
        if (hinted or is_last_look) and 0 < history.consecutive_failures < MOST_FAILURES_OF_OLD:
            return NextLook(since + retry_interval(history.consecutive_failures), NextReason.RETRY)
        return NextLook(None, NextReason.RELEASED)
    if hinted:
        return NextLook(since, NextReason.HINT)
    return _look_while_it_changes(history, since, watch_for, end=end) or NextLook(None, NextReason.RELEASED)


def _look_while_it_changes(
    history: PageHistory, since: datetime, watch_for: timedelta, *, end: datetime
) -> NextLook | None:
    """Return when an article at the `end` of its watch is looked at again because it changed lately; None if not.

    One that was seen to change is as good as new, however long ago it came out; but the more often it has changed the
    more seldom: a page that is never twice the same would be fetched daily for ever.
    """
    if history.last_changed_at is None:
        return None
    quiet = since - min(history.last_changed_at, since)
    if quiet >= watch_for * STILL_CHANGES_SHARE:
        return None
    shortest, longest = STILL_CHANGES_AGAIN
    # Beyond forty changes it is longer than anything is watched.
    by_changes = shortest * (1 + STILL_CHANGES_GROWTH) ** (min(max(history.changes, 1), 40) - 1)
    by_age = (since - end) * STILL_CHANGES_GROWTH
    wait = max(min(max(quiet / 2, shortest), longest), min(by_changes, by_age))
    return NextLook(since + wait, NextReason.STILL_CHANGES)
