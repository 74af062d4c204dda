"""How long a host is left alone: after a response, and after it asked for that. Pure."""

import email.utils
from datetime import UTC, datetime, timedelta

from storage.host_turns import MAX_HOLD

MAX_CRAWL_DELAY_SECONDS = 30.0
MAX_RETRY_AFTER = MAX_HOLD
FIRST_BACK_OFF = timedelta(seconds=60)
MAX_BACK_OFF = timedelta(hours=1)
SILENCES_BORNE = 2
"""So many requests in a row may run into their time limits before a host is left alone: one page of it may hang."""
FIRST_SILENCE = timedelta(minutes=1)
MAX_SILENCE = timedelta(hours=4)
REFUSALS = frozenset({429, 503})
"""Statuses by which a host asks to be left alone."""
FORBIDDEN = frozenset({401, 403, 451})
"""Statuses by which a host refuses a page; many in a row mean that it refuses us."""
_LEADING_ON = frozenset({301, 302, 303, 307, 308})
"""Statuses that say nothing yet: what they lead to is answered or refused."""
FORBIDDEN_BORNE = 4
"""So many pages in a row may be refused before a host is left alone: some are for subscribers."""
FIRST_FORBIDDEN = timedelta(minutes=1)
MAX_FORBIDDEN = timedelta(hours=6)
_SMOOTHING = 0.3


def pause_seconds(*, delay: float, crawl_delay: float, response_seconds: float | None) -> float:
    """Return the pause from the end of a response to the next request.

    The largest of the delay that was configured, what the host's robots.txt asks for, up to a cap, and twice the
    host's smoothed response time: who answers slowly is not to be hurried.
    """
    # Where no pause is wanted at all (a delay of 0), the response time must not bring one in.
    own_pace = 2 * (response_seconds or 0.0) if delay > 0 else 0.0
    return max(delay, own_pace, min(crawl_delay, MAX_CRAWL_DELAY_SECONDS), 0.0)


def smoothed(before: float | None, response_seconds: float) -> float:
    """Return the smoothed response time after another response; it begins with the first."""
    return response_seconds if before is None else before + _SMOOTHING * (response_seconds - before)


def retry_after(value: str | None, *, now: datetime) -> datetime | None:
    """Return the instant that a Retry-After header names (RFC 9110, 10.2.3), at most 24 h from `now`.

    None where the header is absent, malformed or in the past.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        # A number of many digits means "for long", not an overflow.
        wait = timedelta(seconds=min(int(text[:12]), MAX_RETRY_AFTER.total_seconds()))
        return now + wait if wait else None
    try:
        until = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(until, now + MAX_RETRY_AFTER) if until > now else None


def back_off(refusals: int, *, jitter: float) -> timedelta:
    """Return how long to leave a host alone after `refusals` (1, 2, …) answers of 429 or 503 in a row.

    It grows linearly up to an hour; `jitter` in 0…1 adds up to a half.
    """
    return min(FIRST_BACK_OFF * refusals, MAX_BACK_OFF) * (1 + jitter / 2)


def silence_seconds(silences: int) -> float:
    """Return for how long a host is left alone after `silences` requests in a row that ran into their time limits.

    From the third on a minute, and four times as long after each further one, up to four hours: a host that is down
    costs a connection now and then, and one that comes back is asked the same day.
    """
    if silences <= SILENCES_BORNE:
        return 0.0
    longer = min(silences - SILENCES_BORNE - 1, 10)
    return min(FIRST_SILENCE * (1 << 2 * longer), MAX_SILENCE).total_seconds()


def refusals_after(before: int, status: int | None, *, is_page: bool) -> int:
    """Return how many answers in a row refused, after another one; None is no answer, which changes nothing.

    Nor does a redirect, which may lead to a refusal. A feed or a robots.txt that is answered says little of a host that
    refuses page after page.
    """
    if status is None or status in _LEADING_ON:
        return before
    if status in FORBIDDEN:
        return before + 1 if is_page else before
    if status in REFUSALS:
        return before + 1
    return 0 if is_page or before <= FORBIDDEN_BORNE else before


def forbidden_seconds(refusals: int, *, jitter: float) -> float:
    """Return for how long a host is left alone after it refused a page, the last of `refusals` answers in a row.

    From the fifth on a minute, and twice as long after each further one; `jitter` in 0…1 adds up to a half of that. It
    is six hours at most.
    """
    if refusals <= FORBIDDEN_BORNE:
        return 0.0
    doublings = min(refusals - FORBIDDEN_BORNE - 1, 20)
    return min(FIRST_FORBIDDEN * (1 << doublings) * (1 + jitter / 2), MAX_FORBIDDEN).total_seconds()


def hold_seconds(retry_after_header: str | None, *, refusals: int, at: datetime, jitter: float) -> float:
    """Return for how long a host is left alone after the last of `refusals` answers in a row, which ended at `at`."""
    until = retry_after(retry_after_header, now=at)
    wait = back_off(refusals, jitter=jitter) if until is None else until - at
    return wait.total_seconds()
