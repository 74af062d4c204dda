"""When a feed is polled again, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.feed_polling import (
    LONGEST_POLL,
    MOST_JITTER,
    SHORTEST_POLL,
    after_skipped,
    is_skipped,
    jitter_of,
    learnt_interval,
    next_fixed_poll,
    next_poll,
    start_interval,
)
from storage.model import FeedKind, PollReason
from storage.outcomes import Outcome
from storage.records import FeedPlan, FeedState

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
"""A Monday."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DEFAULT = 15 * MINUTE
FEED = FeedState(feed_id=0, source_id=1, url="http://p.example/rss", kind=FeedKind.RSS, last_polled_at=NOW)
"""Polled just now; its id gives it no jitter."""


def polled(*, interval=HOUR, gap=None, new=0, known=20, **more):
    """Return a feed whose last poll, `gap` after the one before, found so many entries."""
    return replace(
        FEED,
        **{
            "poll_seconds": None if interval is None else interval.total_seconds(),
            "learnt_until": NOW - (gap or interval or DEFAULT),
            "unlearnt_new": new,
            "last_new": new,
            "last_known": known,
            "last_success_at": NOW,
            "last_outcome": Outcome.LISTED,
        }
        | more,
    )


def apply(feed: FeedState, plan: FeedPlan) -> FeedState:
    """Return a feed as it is once it is planned."""
    learnt = {}
    if plan.learnt_until is not None:
        left = feed.unlearnt_new - plan.learnt_new
        learnt = {"poll_seconds": plan.poll_seconds, "learnt_until": plan.learnt_until, "unlearnt_new": left}
    return replace(feed, next_poll_at=plan.next_poll_at, next_poll_reason=plan.reason, **learnt)


def plan(feed: FeedState, *, default: timedelta = DEFAULT, now: datetime = NOW) -> FeedPlan:
    return next_poll(feed, default=default, now=now)


# Where it begins


@pytest.mark.parametrize(
    ("kind", "found_by", "minutes"),
    [
        (FeedKind.RSS, "configured", 15),
        (FeedKind.UNKNOWN, "configured", 15),
        (FeedKind.NEWS_SITEMAP, "robots", 15),
        (FeedKind.SITEMAP, "robots", 360),
        (FeedKind.SECTION, "configured", 60),
        (FeedKind.SECTION, "section", 360),
    ],
)
def test_a_feed_begins_with_the_interval_of_its_kind(kind, found_by, minutes):
    feed = replace(polled(interval=None), kind=kind, found_by=found_by, learnt_until=None)
    assert start_interval(feed, default=DEFAULT) == minutes * MINUTE
    planned = plan(feed)
    assert (planned.next_poll_at - NOW, planned.reason) == (minutes * MINUTE, PollReason.START)


def test_a_feed_that_was_never_polled_is_due_at_once():
    planned = plan(replace(FEED, last_polled_at=None, skip_hours=(12,), ttl_seconds=3600))
    assert (planned.next_poll_at, planned.reason) == (NOW, PollReason.NEW)


def test_the_first_list_tells_nothing_of_its_pace_and_the_second_does():
    first = polled(interval=None, new=30, known=0, learnt_until=None)
    planned = plan(first)
    assert (planned.reason, planned.poll_seconds) == (PollReason.START, None)
    known = apply(first, planned)
    assert (known.learnt_until, known.unlearnt_new) == (NOW, 0)
    later = NOW + DEFAULT
    second = replace(known, last_polled_at=later, last_success_at=later, unlearnt_new=0, last_new=0, last_known=30)
    planned = plan(second, now=later)
    assert (planned.reason, planned.next_poll_at - later) == (PollReason.SHARE, 1.25 * DEFAULT)


def test_who_polls_seldom_polls_everything_as_seldom():
    for kind in FeedKind:
        planned = plan(polled(new=20, known=0, kind=kind, ttl_seconds=3600), default=2 * DAY)
        assert (planned.next_poll_at - NOW, planned.reason) == (2 * DAY, PollReason.INTERVAL)
    planned = plan(polled(skip_hours=(12, 13)), default=2 * DAY)
    assert (planned.next_poll_at - NOW, planned.reason) == (2 * DAY + 2 * HOUR, PollReason.SKIP_HOURS)


# What is learnt


@pytest.mark.parametrize(
    ("interval", "gap", "new", "known", "expected"),
    [
        # At a regular poll: nothing new, what is wanted, more, much more.
        (HOUR, HOUR, 0, 20, 1.25 * HOUR),
        (HOUR, HOUR, 1, 19, HOUR),
        (HOUR, HOUR, 2, 18, 5 / 6 * HOUR),
        (HOUR, HOUR, 10, 10, 5 / 14 * HOUR),
        # Everything new: entries may have been missed.
        (HOUR, HOUR, 20, 0, 5 / 24 * HOUR),
        (HOUR, HOUR, 1, 0, 0.1 * 5 / 1.4 * HOUR),
        (HOUR, DAY, 20, 0, HOUR / 2),
        # A short list is emptied sooner.
        (HOUR, HOUR, 1, 3, 4 * 5 / 26 * HOUR),
        # Asked again at once, by somebody else: that tells next to nothing.
        (HOUR, MINUTE, 0, 20, (1 + 1 / 240) * HOUR),
        # After a day without a service the rate counts, not the number.
        (HOUR, DAY, 5, 15, 28 / 9 * HOUR),
        # An empty list.
        (HOUR, HOUR, 0, 0, 1.25 * HOUR),
        # The bounds.
        (10 * MINUTE, 10 * MINUTE, 15, 5, SHORTEST_POLL),
        (DAY, DAY, 0, 20, DAY),
        (DAY, 30 * DAY, 0, 20, DAY),
    ],
)
def test_the_interval_follows_the_share_that_is_new(interval, gap, new, known, expected):
    learnt = learnt_interval(polled(interval=interval, gap=gap, new=new, known=known), default=DEFAULT)
    assert learnt.total_seconds() == pytest.approx(expected.total_seconds())


@pytest.mark.parametrize(
    ("kind", "found_by", "shortest"),
    [
        (FeedKind.RSS, "link", 10 * MINUTE),
        (FeedKind.NEWS_SITEMAP, "robots", 10 * MINUTE),
        (FeedKind.SITEMAP, "robots", HOUR),
        (FeedKind.SECTION, "configured", 30 * MINUTE),
        (FeedKind.SECTION, "section", HOUR),
    ],
)
def test_no_kind_is_polled_more_often_than_suits_it(kind, found_by, shortest):
    feed = polled(interval=shortest, new=500, known=500, kind=kind, found_by=found_by)
    assert learnt_interval(feed, default=DEFAULT) == shortest
    assert learnt_interval(replace(feed, poll_seconds=1e9), default=MINUTE) <= LONGEST_POLL
    assert learnt_interval(feed, default=MINUTE) == (MINUTE if shortest == SHORTEST_POLL else shortest)


def test_a_sitemap_keeps_what_it_lists_so_that_all_new_is_nothing_missed():
    busy = polled(interval=6 * HOUR, gap=6 * HOUR, new=1, known=0, kind=FeedKind.SITEMAP)
    assert learnt_interval(busy, default=DEFAULT) == 6 * HOUR


def test_many_new_pages_in_the_sitemaps_of_an_index_make_it_a_busy_one():
    index = polled(interval=6 * HOUR, gap=6 * HOUR, new=50, known=0, kind=FeedKind.SITEMAP)
    assert learnt_interval(index, default=DEFAULT) == HOUR


def test_nothing_is_learnt_from_a_failure_nor_twice_from_one_poll():
    feed = polled(new=10, known=10)
    learnt = apply(feed, plan(feed))
    assert learnt.poll_seconds < HOUR.total_seconds()
    again = plan(learnt)
    assert (again.learnt_until, again.next_poll_at) == (None, learnt.next_poll_at)
    failed = replace(learnt, last_polled_at=NOW + HOUR, consecutive_failures=1, last_outcome=Outcome.TIMEOUT)
    planned = plan(failed, now=NOW + HOUR)
    assert (planned.learnt_until, planned.poll_seconds) == (None, learnt.poll_seconds)
    assert planned.reason is PollReason.RETRY


def test_news_that_is_recorded_after_the_plan_counts_at_the_next_poll():
    """The sitemaps of an index are read while the index may be planned already."""
    index = apply(
        polled(kind=FeedKind.SITEMAP, interval=6 * HOUR),
        FeedPlan(feed_id=0, next_poll_at=NOW, reason=PollReason.SHARE, poll_seconds=6 * 3600.0, learnt_until=NOW),
    )
    index = replace(index, unlearnt_new=50, last_new=50, last_polled_at=NOW + HOUR, consecutive_failures=1)
    planned = plan(index, now=NOW + HOUR)
    assert (planned.learnt_until, planned.learnt_new) == (None, 0), "a failure takes none of it"
    index = replace(index, last_success_at=NOW + 6 * HOUR, last_polled_at=NOW + 6 * HOUR, consecutive_failures=0)
    planned = plan(index, now=NOW + 6 * HOUR)
    assert (planned.learnt_new, planned.poll_seconds) == (50, 3600.0)


def days_of(feed: FeedState, *, per_day: float, days: int) -> list[timedelta]:
    """Return the waits between polls of a feed of 30 entries that gets so many new ones a day, at even distances."""
    at, seen, waits, begun = NOW, 0, [], NOW
    while at < begun + days * DAY:
        written = int((at - begun) / DAY * per_day)
        new, seen = written - seen, written
        shown = min(new, 30)
        feed = replace(feed, last_polled_at=at, last_success_at=at, unlearnt_new=shown, last_new=shown)
        feed = replace(feed, last_known=30 - shown)
        planned = plan(feed, now=at)
        feed = apply(feed, planned)
        waits.append(planned.next_poll_at - at)
        at = planned.next_poll_at
    return waits


@pytest.mark.parametrize(
    ("per_day", "least", "most"),
    [
        (0, 21 * HOUR, 24 * HOUR),
        (4, 4 * HOUR, 8 * HOUR),
        (24, 45 * MINUTE, 80 * MINUTE),
        (100, 10 * MINUTE, 20 * MINUTE),
        (2000, 10 * MINUTE, 11 * MINUTE),
    ],
)
def test_the_interval_settles_where_a_poll_finds_about_one_new_entry(per_day, least, most):
    waits = days_of(replace(FEED, learnt_until=None), per_day=per_day, days=30)
    settled = waits[-5:]
    assert least <= min(settled) <= max(settled) <= most


def test_a_feed_that_wakes_up_is_followed_within_hours():
    quiet = polled(interval=DAY, gap=DAY, new=30, known=0)
    waits = days_of(replace(quiet, learnt_until=None, last_success_at=None), per_day=480, days=2)
    assert waits[-1] <= 11 * MINUTE
    assert sum(waits[:5], timedelta(0)) < 2 * DAY


# What its publisher asks for


@pytest.mark.parametrize(
    ("asks", "wait", "reason"),
    [
        ({"ttl_seconds": 60}, DEFAULT, PollReason.START),
        ({"ttl_seconds": 7200}, 2 * HOUR, PollReason.TTL),
        ({"ttl_seconds": 31 * 86_400}, DAY, PollReason.TTL),
        ({"max_age_seconds": 1800}, 30 * MINUTE, PollReason.MAX_AGE),
        ({"max_age_seconds": 86_400 * 3}, DAY, PollReason.MAX_AGE),
        ({"max_age_seconds": 1800, "ttl_seconds": 3600}, HOUR, PollReason.TTL),
        ({"skip_hours": (12,)}, HOUR, PollReason.SKIP_HOURS),
        ({"skip_hours": (12, 13, 14, 16)}, 3 * HOUR, PollReason.SKIP_HOURS),
        ({"skip_hours": tuple(range(12, 24))}, 12 * HOUR, PollReason.SKIP_HOURS),
        ({"skip_days": (0,)}, 12 * HOUR, PollReason.SKIP_DAYS),
        ({"skip_days": (0, 1)}, 36 * HOUR, PollReason.SKIP_DAYS),
        ({"skip_days": (0,), "skip_hours": (0, 1)}, 14 * HOUR, PollReason.SKIP_DAYS),
        ({"skip_days": (0, 1, 2, 3, 4, 5)}, 6 * DAY + 12 * HOUR - DAY, PollReason.SKIP_DAYS),
        # Nonsense: it would never be polled.
        ({"skip_hours": tuple(range(24))}, DEFAULT, PollReason.START),
        ({"skip_days": tuple(range(7))}, DEFAULT, PollReason.START),
        ({"skip_days": tuple(range(7)), "skip_hours": (12,)}, HOUR, PollReason.SKIP_HOURS),
        # What is skipped is looked at behind the rest.
        ({"ttl_seconds": 3600, "skip_hours": (13,)}, 2 * HOUR, PollReason.SKIP_HOURS),
    ],
)
def test_a_feed_is_not_polled_sooner_than_it_asks_for(asks, wait, reason):
    planned = plan(replace(FEED, **asks))
    assert (planned.next_poll_at - NOW, planned.reason) == (wait, reason)


def test_hours_and_days_to_skip_are_those_of_greenwich_in_whatever_zone_the_time_is_written():
    tokyo = datetime.fromisoformat("2026-05-04T23:30:00+09:00")  # 14:30 in Greenwich
    assert after_skipped(replace(FEED, skip_hours=(14,)), tokyo) == (
        datetime.fromisoformat("2026-05-05T00:00:00+09:00"),
        PollReason.SKIP_HOURS,
    )
    assert after_skipped(replace(FEED, skip_hours=(23,)), tokyo) == (tokyo, None)


@pytest.mark.parametrize("reason", PollReason)
def test_an_overdue_feed_is_not_polled_in_an_hour_it_skips_unless_somebody_else_said_when(reason):
    feed = replace(FEED, skip_hours=(12,), next_poll_at=NOW - HOUR, next_poll_reason=reason)
    by_others = {
        PollReason.NEW,
        PollReason.REQUESTED,
        PollReason.INTERVAL,
        PollReason.CRON,
        PollReason.RETRY,
        PollReason.RETRY_AFTER,
        PollReason.FALLBACK,
    }
    assert is_skipped(feed, now=NOW) is (reason not in by_others)
    assert not is_skipped(feed, now=NOW + HOUR)


def test_a_feed_that_was_due_while_nobody_was_there_is_due_now_or_when_it_may_be():
    long_ago = replace(polled(), last_polled_at=NOW - 3 * DAY, last_success_at=NOW - 3 * DAY)
    assert plan(long_ago).next_poll_at < NOW
    planned = plan(replace(long_ago, skip_hours=(12, 13)))
    assert (planned.next_poll_at, planned.reason) == (NOW + 2 * HOUR, PollReason.SKIP_HOURS)


def test_a_clock_that_was_set_back_makes_no_feed_wait_for_it():
    ahead = replace(FEED, last_polled_at=NOW + 300 * DAY, last_success_at=NOW + 300 * DAY, learnt_until=NOW)
    assert plan(ahead).next_poll_at <= NOW + DAY
    behind = polled(learnt_until=NOW + DAY)
    assert plan(behind).next_poll_at == NOW + HOUR, "what lies ahead is not learnt from"
    assert next_fixed_poll(ahead, interval=HOUR, now=NOW).next_poll_at == NOW + HOUR


# Failures, and what the operator said


@pytest.mark.parametrize(
    ("failures", "interval", "wait"),
    [
        (0, timedelta(minutes=15), timedelta(minutes=15)),
        (3, timedelta(minutes=15), timedelta(hours=1)),
        (1000, timedelta(minutes=15), timedelta(hours=24)),
        (5, timedelta(days=3), timedelta(days=3)),
    ],
)
def test_a_feed_of_a_fixed_interval_is_polled_less_often_while_it_fails(failures, interval, wait):
    feed = replace(FEED, consecutive_failures=failures, ttl_seconds=86_400, skip_hours=(12, 13))
    planned = next_fixed_poll(feed, interval=interval, now=NOW)
    assert planned.next_poll_at == NOW + wait
    assert planned.reason is (PollReason.RETRY if failures else PollReason.INTERVAL)


@pytest.mark.parametrize(
    ("failures", "more", "wait", "reason"),
    [
        (1, {}, 30 * MINUTE, PollReason.RETRY),
        (3, {}, HOUR, PollReason.RETRY),
        (1, {"ttl_seconds": 7200}, 2 * HOUR, PollReason.TTL),
        (9, {"ttl_seconds": 3600}, 2.5 * HOUR, PollReason.RETRY),
        (1, {"skip_hours": (12, 13)}, 2 * HOUR, PollReason.SKIP_HOURS),
        (1, {"poll_seconds": 7200.0}, 4 * HOUR, PollReason.RETRY),
    ],
)
def test_a_feed_that_fails_is_asked_later_each_time_and_never_sooner_than_it_asks_for(failures, more, wait, reason):
    planned = plan(replace(FEED, consecutive_failures=failures, **more))
    assert (planned.next_poll_at - NOW, planned.reason) == (wait, reason)


def test_a_feed_that_is_gone_is_asked_once_a_day_in_the_end_and_never_dropped():
    gone = replace(FEED, consecutive_failures=5000, last_outcome=Outcome.MISSING)
    assert 0.9 * DAY <= plan(gone).next_poll_at - NOW <= DAY


# Apart from each other


def test_feeds_that_were_polled_together_drift_apart():
    waits = sorted(plan(replace(polled(), feed_id=number)).next_poll_at for number in range(1, 1001))
    assert len(set(waits)) == 1000
    assert NOW + 1.25 * HOUR <= waits[0] < waits[-1] <= NOW + 1.25 * HOUR * (1 + MOST_JITTER)
    assert max(later - sooner for sooner, later in pairwise(waits)) < 3 * (waits[-1] - waits[0]) / 1000
    daily = {plan(replace(polled(interval=DAY, gap=DAY), feed_id=number)).next_poll_at for number in range(1, 1001)}
    assert len(daily) == 1000
    woken = {plan(replace(FEED, feed_id=number, skip_hours=(12,))).next_poll_at for number in range(1, 1001)}
    assert len(woken) == 1000


_seconds = st.none() | st.integers(0, 40 * 86_400)


@given(
    feed_id=st.integers(1, 2**40),
    kind=st.sampled_from(FeedKind),
    poll_seconds=st.none() | st.floats(1, 1e7),
    gap=st.integers(-1000, 10**7),
    new=st.integers(0, 10**6),
    known=st.integers(0, 10**6),
    failures=st.integers(0, 10**6),
    ttl=_seconds,
    max_age=_seconds,
    hours=st.sets(st.integers(0, 23)),
    days=st.sets(st.integers(0, 6)),
    default=st.integers(1, 86_400),
    late=st.integers(0, 10**6),
)
def test_no_wish_is_overridden_and_nothing_waits_longer_than_a_day(
    feed_id, kind, poll_seconds, gap, new, known, failures, ttl, max_age, hours, days, default, late
):
    feed = FeedState(
        feed_id=feed_id,
        source_id=1,
        url="http://p.example/",
        kind=kind,
        poll_seconds=poll_seconds,
        learnt_until=NOW - timedelta(seconds=gap),
        last_success_at=NOW,
        last_polled_at=NOW,
        unlearnt_new=new,
        last_new=new,
        last_known=known,
        consecutive_failures=failures,
        ttl_seconds=ttl,
        max_age_seconds=max_age,
        skip_hours=tuple(sorted(hours)),
        skip_days=tuple(sorted(days)),
    )
    now = NOW + timedelta(seconds=late)
    planned = plan(feed, default=timedelta(seconds=default), now=now)
    at = planned.next_poll_at
    assert at >= NOW + min(timedelta(seconds=max(ttl or 0, max_age or 0)), DAY)
    assert at > NOW
    skips = (hours if len(hours) < 24 else set()), (days if len(days) < 7 else set())
    moved = planned.reason in (PollReason.SKIP_HOURS, PollReason.SKIP_DAYS)
    if moved:
        assert at >= now
        assert at.hour not in skips[0]
        assert at.weekday() not in skips[1]
    else:
        assert at <= NOW + DAY
        overdue = max(at, now)
        assert overdue.hour not in skips[0]
        assert overdue.weekday() not in skips[1]
    if planned.learnt_until is not None and planned.poll_seconds is not None:
        assert min(default, SHORTEST_POLL.total_seconds()) <= planned.poll_seconds <= DAY.total_seconds()
    assert plan(apply(feed, planned), default=timedelta(seconds=default), now=now).next_poll_at == at


@given(st.integers(0, 2**63))
def test_the_jitter_is_less_than_a_tenth_and_the_same_each_time(feed_id):
    assert 0 <= jitter_of(feed_id) < MOST_JITTER
    assert jitter_of(feed_id) == jitter_of(feed_id)
