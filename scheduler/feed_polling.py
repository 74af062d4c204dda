"""When to poll a feed again. Pure: facts and the present instant in, an instant and its reason out.

The interval is learnt from the share of a feed's entries that a poll finds new. The goal is one new entry a poll, or a
tenth of a short list, so that about nine tenths of what a poll reads is known already: then a poll costs little beside
the fetches of the article that it finds, and hardly ever do more entries come between two polls than the list holds.

The rule is the mean rate of new entries, where all that was learnt before counts as `MEMORY` intervals of evidence:
with `goal` new entries wanted, `interval` the one in use, and `new` entries found in the time `gap` since the poll that
was learnt from last,

    interval' = goal * (MEMORY * interval + gap) / (MEMORY * goal + new)

It is the posterior mean of a Poisson rate under a Gamma prior that forgets (van Wanrooij and Pras, "Scheduling Feed
Retrieval", ICC 2007, show what a reader gains by following each feed's own rate). At a regular poll with nothing new it
lengthens the interval by a quarter, so that a feed which falls silent is asked once a day after about four days; with
what was expected it keeps it; with ten times that it shortens it to a third. Rules that multiply by a constant, as
Apache Nutch's `AdaptiveFetchSchedule` and many readers do, do not look at the gap, and so take a list that was asked a
minute ago for a quiet feed, and a night without a service for a busy one; L. M. Orchard met this fault in "Dynamic feed
polling times" (2003).

Where all entries were new, some may have come and gone unseen, and the rate is only known to be higher: the interval is
halved at least, as in the additive-increase, multiplicative-decrease rules of other readers. Sitemaps keep what they
list, so this holds for the other kinds alone.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from storage.model import FeedKind, PollReason
from storage.records import FeedPlan, FeedState

LONGEST_POLL = timedelta(hours=24)
SHORTEST_POLL = timedelta(minutes=10)
SITEMAP_POLL = timedelta(hours=6)
SECTION_POLL = timedelta(hours=1)
FOUND_SECTION_POLL = timedelta(hours=6)
"""A section that a home page or another section led to."""
SHORTEST_SITEMAP_POLL = timedelta(hours=1)
"""A sitemap may have 50 MB, and mostly a feed or a news sitemap tells of the same articles sooner."""
SHORTEST_SECTION_POLL = timedelta(minutes=30)
"""A section is fetched as a whole each time, for what its links are is sorted anew as more becomes known."""
SHORTEST_FOUND_SECTION_POLL = timedelta(hours=1)

MEMORY = 4.0
GOAL = 1.0
GOAL_SHARE = 0.1
MOST_JITTER = 0.1
_HEEDS_SKIPPING = frozenset(
    {
        PollReason.START,
        PollReason.SHARE,
        PollReason.TTL,
        PollReason.MAX_AGE,
        PollReason.SKIP_HOURS,
        PollReason.SKIP_DAYS,
    }
)
_GOLDEN = 2_654_435_761
_DAYS_AHEAD = 8


@dataclass(frozen=True, kw_only=True)
class _Pace:
    """The interval that a kind of feed begins with, and the bounds between which it is learnt."""

    start: timedelta
    shortest: timedelta


@dataclass(frozen=True, kw_only=True)
class Wait:
    """How long to wait after a poll, and why."""

    wait: timedelta
    reason: PollReason


def next_poll(feed: FeedState, *, default: timedelta, now: datetime) -> FeedPlan:
    """Return when a feed is due of whose source nobody said how often it is to be polled, and what was learnt for that.

    `default` is where feeds and news sitemaps begin; other sitemaps and sections begin later. With one of more than a
    day, which no feed would be left alone for, it is the interval of all. Never is a feed due sooner than it asks for
    (`ttl`, how long its answer holds, hours and days to skip), nor later than a day after its last poll, unless it
    asks for that by the hours and days to skip.
    """
    if feed.last_polled_at is None:
        return FeedPlan(feed_id=feed.feed_id, next_poll_at=now, reason=PollReason.NEW)
    if default > LONGEST_POLL:
        return _not_while_skipped(feed, next_fixed_poll(feed, interval=default, now=now), now)
    pace = _pace(feed, default)
    interval = learnt_interval(feed, default=default)
    wait = max(_backed_off(feed, interval or pace.start, known=interval is not None), asked_for(feed), key=_length)
    plan = FeedPlan(
        feed_id=feed.feed_id,
        next_poll_at=_last_poll(feed, now) + _spread(feed, wait),
        reason=wait.reason,
        poll_seconds=None if interval is None else interval.total_seconds(),
        learnt_until=feed.last_success_at if _has_news(feed) else None,
        learnt_new=feed.unlearnt_new if _has_news(feed) else 0,
    )
    return _not_while_skipped(feed, plan, now)


def _not_while_skipped(feed: FeedState, plan: FeedPlan, now: datetime) -> FeedPlan:
    """Return a plan that keeps to the hours and days to skip; where it is overdue, they are those of now."""
    allowed, skipped = after_skipped(feed, max(plan.next_poll_at, now))
    return plan if skipped is None else replace(plan, next_poll_at=allowed, reason=skipped)


def next_fixed_poll(
    feed: FeedState, *, interval: timedelta, now: datetime, reason: PollReason = PollReason.INTERVAL
) -> FeedPlan:
    """Return when a feed that is polled every `interval` is due next; later after failures in a row, at most a day.

    What the feed asks for does not count: whoever says how often knows better.
    """
    if feed.last_polled_at is None:
        return FeedPlan(feed_id=feed.feed_id, next_poll_at=now, reason=PollReason.NEW)
    wait = min(interval * (1 + feed.consecutive_failures), max(LONGEST_POLL, interval))
    why = PollReason.RETRY if feed.consecutive_failures and reason is PollReason.INTERVAL else reason
    return FeedPlan(feed_id=feed.feed_id, next_poll_at=_last_poll(feed, now) + wait, reason=why)


def start_interval(feed: FeedState, *, default: timedelta) -> timedelta:
    """Return how often a feed is polled of which nothing is learnt yet."""
    return _pace(feed, default).start


def _pace(feed: FeedState, default: timedelta) -> _Pace:
    start, shortest = default, SHORTEST_POLL
    if feed.kind is FeedKind.SITEMAP:
        start, shortest = SITEMAP_POLL, SHORTEST_SITEMAP_POLL
    elif feed.kind is FeedKind.SECTION and feed.found_by == "section":
        start, shortest = FOUND_SECTION_POLL, SHORTEST_FOUND_SECTION_POLL
    elif feed.kind is FeedKind.SECTION:
        start, shortest = SECTION_POLL, SHORTEST_SECTION_POLL
    start = max(start, default)
    # Whoever begins sooner than these bounds wants that.
    return _Pace(start=start, shortest=min(shortest, start))


def learnt_interval(feed: FeedState, *, default: timedelta) -> timedelta | None:
    """Return the interval learnt from all healthy polls, by the rule of this module; None while nothing is learnt.

    The first list that is read tells nothing of its pace, for nobody knows since when its entries stand there.
    """
    pace = _pace(feed, default)
    known = None if feed.poll_seconds is None else timedelta(seconds=feed.poll_seconds)
    if feed.learnt_until is not None and feed.last_success_at is not None and _has_news(feed):
        known = _learn(feed, known or pace.start, feed.last_success_at - feed.learnt_until)
    return None if known is None else min(max(known, pace.shortest), LONGEST_POLL)


def _has_news(feed: FeedState) -> bool:
    """Whether there was a healthy poll that nothing was learnt from yet."""
    return feed.last_success_at is not None and (feed.learnt_until is None or feed.last_success_at > feed.learnt_until)


def _learn(feed: FeedState, interval: timedelta, gap: timedelta) -> timedelta:
    goal = _goal(feed)
    seconds = MEMORY * interval.total_seconds() + gap.total_seconds()
    learnt = timedelta(seconds=goal * seconds / (MEMORY * goal + max(feed.unlearnt_new, 0)))
    return min(learnt, interval / 2) if _may_have_missed(feed) else learnt


def _goal(feed: FeedState) -> float:
    """Return how many new entries a poll is wanted to find. Of a list that was empty, or only led on, one."""
    entries = (feed.last_new or 0) + (feed.last_known or 0)
    return min(GOAL, GOAL_SHARE * entries) if entries and feed.kind is not FeedKind.SITEMAP else GOAL


def _may_have_missed(feed: FeedState) -> bool:
    return bool(feed.last_new) and not feed.last_known and feed.kind is not FeedKind.SITEMAP


def _backed_off(feed: FeedState, interval: timedelta, *, known: bool) -> Wait:
    if feed.consecutive_failures:
        return Wait(wait=min(interval * (1 + feed.consecutive_failures), LONGEST_POLL), reason=PollReason.RETRY)
    return Wait(wait=interval, reason=PollReason.SHARE if known else PollReason.START)


def asked_for(feed: FeedState) -> Wait:
    """Return how long a feed asks to be left alone after a poll, at most a day."""
    ttl = Wait(wait=timedelta(seconds=feed.ttl_seconds or 0), reason=PollReason.TTL)
    max_age = Wait(wait=timedelta(seconds=feed.max_age_seconds or 0), reason=PollReason.MAX_AGE)
    longest = max(ttl, max_age, key=_length)
    return Wait(wait=min(longest.wait, LONGEST_POLL), reason=longest.reason)


def _length(wait: Wait) -> timedelta:
    return wait.wait


def _spread(feed: FeedState, wait: Wait) -> timedelta:
    """Return a wait with up to a tenth more, by the feed, so that feeds that were polled together drift apart.

    Of waits of about a day, which must not get longer, some get shorter; none shorter than the feed asks for.
    """
    jitter = jitter_of(feed.feed_id)
    spread = min(wait.wait * (1 + jitter), LONGEST_POLL * (1 - MOST_JITTER + jitter))
    return max(spread, asked_for(feed).wait)


def jitter_of(feed_id: int) -> float:
    """Return a share from 0 up to a tenth that is always the same for a feed, and far apart for those of near ids.

    Multiples of the golden ratio, as in Knuth's multiplicative hashing.
    """
    return MOST_JITTER * (feed_id * _GOLDEN % 2**32) / 2**32


def after_skipped(feed: FeedState, at: datetime) -> tuple[datetime, PollReason | None]:
    """Return the first instant from `at` on at which a feed does not ask to be skipped, and which wish moved it there.

    Its hours and days are those of Greenwich (RSS 2.0, `skipHours`, `skipDays`). A feed that would skip all hours or
    all days says nothing that can be followed.
    """
    hours = frozenset(feed.skip_hours) if len(set(feed.skip_hours)) < 24 else frozenset[int]()
    days = frozenset(feed.skip_days) if len(set(feed.skip_days)) < 7 else frozenset[int]()
    utc = at.astimezone(UTC)
    if utc.hour not in hours and utc.weekday() not in days:
        return at, None
    reason = PollReason.SKIP_DAYS if utc.weekday() in days else PollReason.SKIP_HOURS
    hour = utc.replace(minute=0, second=0, microsecond=0)
    for _ in range(_DAYS_AHEAD * 24):
        hour += timedelta(hours=1)
        if hour.hour not in hours and hour.weekday() not in days:
            break
    # Within the first hour, and not all feeds of a publisher at its first instant.
    return (hour + timedelta(hours=1) * jitter_of(feed.feed_id)).astimezone(at.tzinfo), reason


def is_skipped(feed: FeedState, *, now: datetime) -> bool:
    """Whether a feed that is due asks not to be polled now, as it may be where it is overdue.

    That does not count for one that is due because somebody else said so.
    """
    return feed.next_poll_reason in _HEEDS_SKIPPING and after_skipped(feed, now)[1] is not None


def _last_poll(feed: FeedState, now: datetime) -> datetime:
    """Return when a feed was polled last; now where the clock was set back since."""
    return min(feed.last_polled_at or now, now)
