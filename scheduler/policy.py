"""When to look again. Pure: facts and the present instant in, an instant out.

The rule is a simple one by age: news is edited most in its first hours, so an article is looked at again after half of
its age, no sooner than ten minutes and no later than a week.
"""

from datetime import datetime, timedelta

from storage.disappearance import CONFIRMED_AFTER
from storage.model import ARTICLE_SEEN, Outcome
from storage.records import PageHistory

SHORTEST = timedelta(minutes=10)
LONGEST = timedelta(days=7)
SHARE_OF_AGE = 0.5

SECOND_LOOK = timedelta(minutes=10)
"""A reading that waits for confirmation is looked at again this soon."""
SUSPECT_LOOKS = (timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
"""So soon after each look at a suspect text the next one comes: a story that was rewritten is confirmed in minutes."""
GONE_AGAIN = timedelta(days=7)
"""An article that is gone may return."""
FIRST_RETRY = timedelta(minutes=10)
LONGEST_RETRY = timedelta(days=1)
NOT_ARTICLE_AGAIN = timedelta(days=7)


def interval_by_age(age: timedelta) -> timedelta:
    """Return how long after a look the next one is worth it, for an article of this age."""
    return min(max(age * SHARE_OF_AGE, SHORTEST), LONGEST)


def retry_interval(failures: int) -> timedelta:
    """Return how long to wait after `failures` (1, 2, …) failures in a row: doubling from ten minutes up to a day."""
    doublings = min(max(failures, 1) - 1, 20)
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)


def next_fetch_at(history: PageHistory, *, now: datetime, recrawl: timedelta | None = None) -> datetime:
    """Return when the page is due next. `now` is the present instant, aware.

    With `recrawl`, the fixed interval that a source may set, an article is due that long after each look, whatever its
    age. A page that was never fetched is due at once.
    """
    if history.last_fetch_at is None or history.last_outcome is None:
        return now
    since = history.last_fetch_at
    if history.has_candidate:
        return since + min(SECOND_LOOK, recrawl or SECOND_LOOK)
    if history.last_outcome in ARTICLE_SEEN:
        if recrawl is not None:
            return since + recrawl
        # A date on the page may be wrong; what we saw ourselves is the least age it can have.
        born = min(history.first_seen_at, history.published_at or history.first_seen_at)
        return since + interval_by_age(since - born)
    if history.last_outcome is Outcome.NOT_ARTICLE:
        return since + NOT_ARTICLE_AGAIN
    if history.last_outcome is Outcome.GONE:
        return since + GONE_AGAIN
    return since + _next_attempt(history, recrawl)


def _next_attempt(history: PageHistory, recrawl: timedelta | None) -> timedelta:
    """Return how long to wait after a look that showed no state of the article."""
    retry = retry_interval(history.consecutive_failures)
    if history.last_outcome is Outcome.MISSING and history.has_article:
        # No sooner, for a second look before that would confirm nothing.
        return max(CONFIRMED_AFTER, retry)
    if history.last_outcome is Outcome.SUSPECT and history.suspect_looks:
        # Not by the looks that showed this text: a page may give another one each time.
        times = max(history.consecutive_failures, 1)
        wait = SUSPECT_LOOKS[times - 1] if times <= len(SUSPECT_LOOKS) else max(SUSPECT_LOOKS[-1], retry)
        return min(wait, recrawl or wait)
    return retry
