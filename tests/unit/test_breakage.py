"""Silent breakage, judged from days: what must be warned of, what must not, and how often chance alone does it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.breakage import FeedFacts, SourceFacts, warnings
from scheduler.shares import Share, has_jumped
from scheduler.silence import gap_factor
from scheduler.source_warnings import SourceWarning, Standing, WarningKind
from storage.model import FeedKind
from storage.outcomes import Outcome
from storage.tallies import FIELDS, Tally
from tests.unit.source_days import BEGIN, DAYTIME, FLAT, cut, day_of, judged, steady_days
from tests.unit.test_reference_pages import chapter, code, table

WEEKDAYS = frozenset(range(5))
THURSDAYS = frozenset({3})


def kinds(found: list[SourceWarning]) -> list[WarningKind]:
    """Return the codes of warnings."""
    return [warning.kind for warning in found]


def silent_days(after: list[Tally], count: int, **values) -> list[Tally]:
    """Return days that follow some, on which the feeds answer and nothing new comes."""
    begin = after[-1].day + timedelta(days=1)
    return [day_of(begin + timedelta(days=number), pages={"unchanged": 9}, **values) for number in range(count)]


# Silence

HABITS = {
    "a hundred a day, at all hours": {"a_day": 100},
    "a hundred a day, with nights and weekends": {"a_day": 100, "shape": DAYTIME, "weekend": 0.4},
    "twenty a day": {"a_day": 20, "shape": DAYTIME, "weekend": 0.4},
    "weekdays only": {"a_day": 15, "shape": DAYTIME, "weekdays": WEEKDAYS},
    "one a day": {"a_day": 1},
    "three a week": {"a_day": 3 / 7},
    "a weekly paper": {"a_day": 12, "shape": DAYTIME, "weekdays": THURSDAYS},
}


@pytest.mark.parametrize(
    ("habit", "not_before", "not_after"),
    [
        # It may be a holiday.
        ("a hundred a day, at all hours", timedelta(hours=36), timedelta(hours=42)),
        ("a hundred a day, with nights and weekends", timedelta(hours=40), timedelta(hours=54)),
        ("twenty a day", timedelta(hours=16), timedelta(days=3)),
        ("weekdays only", timedelta(days=3), timedelta(days=8)),
        ("one a day", timedelta(days=5), timedelta(days=15)),
        ("three a week", timedelta(days=10), timedelta(days=40)),
        # It has to miss two Thursdays.
        ("a weekly paper", timedelta(days=14), timedelta(days=16)),
    ],
)
def test_a_silence_is_warned_of_when_it_is_longer_than_usual(habit, not_before, not_after):
    days = steady_days(60, seed=5, **HABITS[habit])  # the last one is a Thursday
    days[-1] = cut(days[-1], 12)
    stopped_at = datetime(2026, 3, 5, 12, tzinfo=UTC)
    following = days + silent_days(days, 45)
    for hours in range(1, 45 * 24):
        now = stopped_at + timedelta(hours=hours)
        known = [day for day in following if day.day <= now.date()][-60:]
        found = judged(known, hour=now.hour)
        if found:
            assert kinds(found) == [WarningKind.FEED_STALE]
            break
    assert not_before <= timedelta(hours=hours) <= not_after


def test_a_silence_says_whether_the_feeds_lead_to_anything():
    days = steady_days(40, a_day=50)
    quiet = judged(days + silent_days(days, 2))
    assert kinds(quiet) == [WarningKind.FEED_STALE]
    refused = judged(days + silent_days(days, 2, entries=50))
    assert kinds(refused) == [WarningKind.NO_ARTICLES]
    assert "led to 100 new addresses since, none of which became an article" in refused[0].sentence
    assert "50 a day are usual" in refused[0].sentence


@pytest.mark.parametrize("polls", [0, 96])
def test_no_silence_is_warned_of_while_feeds_are_not_read(polls):
    days = steady_days(40, a_day=50)
    silent = [replace(day, polls={"http_error": polls}, last_poll_at=None) for day in silent_days(days, 9)]
    assert judged(days + silent) == []


def test_a_service_that_was_off_is_no_silence():
    days = steady_days(40, a_day=50)
    off = [day_of(days[-1].day + timedelta(days=number), polls=0, pages={}) for number in range(1, 20)]
    on = day_of(off[-1].day + timedelta(days=1), until=1)
    assert judged([*days, *off, on], hour=1) == []


@pytest.mark.parametrize("holiday", [30, 33, 46])
def test_a_holiday_is_no_silence(holiday):
    days = steady_days(60, a_day=40, shape=DAYTIME, weekend=0.3, seed=2)
    calm = steady_days(60, a_day=12, shape=DAYTIME, seed=3)
    days[holiday] = calm[holiday]
    for hour in range(24):
        assert judged([*days[:holiday], cut(days[holiday], hour)], hour=hour) == []


def test_two_holidays_of_a_paper_of_weekdays_are_no_silence():
    days = steady_days(54, a_day=15, shape=DAYTIME, weekdays=WEEKDAYS, seed=4)  # ends on a Friday
    begin = days[-1].day
    days[-1] = day_of(begin)
    monday = begin + timedelta(days=3)
    for hour in range(24):
        weekend = [day_of(begin + timedelta(days=number)) for number in (1, 2)]
        assert judged([*days, *weekend, day_of(monday, until=hour or 1)], hour=hour) == []


def test_a_change_of_the_clocks_is_no_silence():
    days = steady_days(57, a_day=150, shape=DAYTIME, seed=6)
    later = DAYTIME[-1:] + DAYTIME[:-1]
    moved = steady_days(58, a_day=150, shape=later, seed=7)[-1]
    for hour in range(24):
        assert judged([*days, cut(moved, hour)], hour=hour) == []


def test_a_new_source_is_not_judged_by_two_days():
    assert judged([*steady_days(2, a_day=80), day_of(BEGIN + timedelta(days=2))]) == []


def test_a_source_that_never_brought_an_article_is_warned_of():
    days = [day_of(BEGIN + timedelta(days=number), entries=15, pages={"not_article": 15}) for number in range(2)]
    assert WarningKind.NO_ARTICLES in kinds(judged(days))
    assert judged(days[:1]) == []


def test_a_silence_that_was_warned_of_goes_on_when_what_was_usual_is_forgotten():
    days = [day_of(BEGIN + timedelta(days=number), pages={}) for number in range(60)]
    now = datetime(2026, 3, 5, 12, tzinfo=UTC)
    first_seen = datetime(2025, 3, 5, tzinfo=UTC)
    assert warnings(days, facts=SourceFacts(first_seen_at=first_seen), now=now) == []
    silent = SourceWarning(kind=WarningKind.FEED_STALE, sentence="As it was.")
    standing = [Standing(warning=silent, since=datetime(2026, 1, 3, tzinfo=UTC))]
    facts = SourceFacts(first_seen_at=first_seen, standing=standing)
    assert kinds(warnings(days, facts=facts, now=now)) == [WarningKind.FEED_STALE]
    days[-1] = day_of(days[-1].day, hours=(1,) * 24)
    assert warnings(days, facts=facts, now=now) == []


def test_the_longest_gap_must_be_exceeded_the_more_the_less_is_known():
    factors = [gap_factor(gaps, 6.0) for gaps in (3, 8, 50, 1000)]
    assert factors == sorted(factors, reverse=True)
    assert 1.3 < factors[-1] < 1.7 and 3 < factors[1] < 4


# Feeds


def feed(**values) -> FeedFacts:
    """Return a feed that is well, but for what is given."""
    usual = {
        "url": "http://paper.example/feed",
        "kind": FeedKind.RSS,
        "first_seen_at": datetime(2026, 1, 5, tzinfo=UTC),
        "last_outcome": Outcome.LISTED,
        "consecutive_failures": 0,
        "last_success_at": datetime(2026, 2, 13, 9, tzinfo=UTC),
        "last_listed": 20,
        "listed_before": True,
    }
    return FeedFacts(**(usual | values))


FAILING = {"last_outcome": Outcome.HTTP_ERROR, "consecutive_failures": 3}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({}, None),
        (FAILING, WarningKind.FEED_FAILING),
        (FAILING | {"last_success_at": None}, WarningKind.FEED_FAILING),
        (FAILING | {"consecutive_failures": 2}, None),
        (FAILING | {"last_success_at": datetime(2026, 2, 13, 23, 51, tzinfo=UTC)}, None),
        ({"last_listed": 0}, WarningKind.FEED_EMPTY),
        ({"last_listed": 0, "listed_before": False}, None),
        ({"last_listed": 0, "kind": FeedKind.NEWS_SITEMAP}, None),
        ({"last_listed": None}, None),
    ],
)
def test_feeds_that_fail_for_a_day_or_list_nothing_are_warned_of(values, kind):
    days = steady_days(41, a_day=30)
    found = judged(days, feeds=[feed(**values)])
    assert kinds(found) == ([] if kind is None else [kind])
    assert all(warning.subject == "http://paper.example/feed" for warning in found)


# Pages


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        ("blocked_status", WarningKind.PAGES_REFUSED),
        ("rate_limited", WarningKind.PAGES_REFUSED),
        ("bot_check", WarningKind.PAGES_REFUSED),
        ("consent_wall", WarningKind.PAGES_WALLED),
        ("paywalled", WarningKind.PAGES_WALLED),
        ("soft_404", WarningKind.PAGES_UNREAD),
        ("extract_failed", WarningKind.PAGES_UNREAD),
        ("not_article", WarningKind.PAGES_UNREAD),
        ("wrong_language", WarningKind.PAGES_UNREAD),
        ("network_error", WarningKind.PAGES_UNREACHABLE),
        ("blocked_robots", WarningKind.ROBOTS_FORBIDS),
        ("suspect", WarningKind.ALL_SUSPECT),
    ],
)
def test_an_outcome_that_most_pages_come_to_all_at_once_is_warned_of(outcome, kind):
    days = steady_days(40, a_day=30)
    today = replace(days[-1], pages={outcome: 60, "unchanged": 30}, reasons={outcome: {"some_reason": 60}})
    found = judged([*days[:-1], today])
    assert kinds(found) == [kind]
    assert found[0].subject == outcome
    assert found[0].sentence.startswith(f"67 % of the 90 pages fetched on 2026-02-13 came to {outcome} (some_reason)")
    assert "before it was" in found[0].sentence


def test_a_source_that_mostly_lists_no_articles_is_used_to_it():
    days = [replace(day, pages={"not_article": 80, "created": 5}) for day in steady_days(40, a_day=5)]
    assert judged(days) == []


def test_a_source_that_was_walled_from_the_first_day_is_warned_of():
    days = [day_of(BEGIN + timedelta(days=number), pages={"blocked_status": 30}, entries=5) for number in range(2)]
    assert WarningKind.PAGES_REFUSED in kinds(judged(days))


def test_a_few_bad_fetches_of_a_small_source_are_no_breakage():
    days = steady_days(40, a_day=0.5)
    days[-1] = replace(days[-1], pages={"blocked_status": 4})
    assert judged(days) == []


def test_versions_at_every_look_are_warned_of():
    days = steady_days(40, a_day=30)
    days[-1] = replace(days[-1], pages={"created": 30, "updated": 50, "unchanged": 10})
    found = judged(days)
    assert kinds(found) == [WarningKind.VERSIONS_EXPLODING]
    assert "83 % of the 60 articles looked at again" in found[0].sentence


# Articles


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_that_vanishes_is_warned_of_by_its_name(field):
    days = steady_days(40, a_day=30, filled=0.9)
    days[-1] = replace(days[-1], fields=days[-1].fields | {field: 2})
    found = judged(days)
    assert [(warning.kind, warning.subject) for warning in found] == [(WarningKind.FIELD_MISSING, field)]
    assert found[0].sentence.startswith("6 % of the 31 new articles on 2026-02-13 have ")
    assert re.search(r"; before it was (89|90|91) %\.$", found[0].sentence)


@pytest.mark.parametrize(("filled", "left"), [(0.9, 20), (0.2, 0)])
def test_a_field_that_is_rarer_today_or_was_always_rare_is_not(filled, left):
    days = steady_days(40, a_day=30, filled=filled)
    days[-1] = replace(days[-1], fields=dict.fromkeys(FIELDS, left))
    assert judged(days) == []


def test_a_field_that_some_days_lack_anyway_may_be_lacking():
    days = steady_days(42, a_day=20)
    # Every Sunday's articles come from an agency, without authors.
    days = [replace(day, fields=day.fields | {"authors": 0}) if day.day.weekday() == 6 else day for day in days]
    assert days[-1].day.weekday() == 6
    assert judged(days) == []


def test_texts_that_shrink_to_their_first_paragraph_are_warned_of():
    days = steady_days(40, a_day=30)
    news = days[-1].news
    days[-1] = replace(days[-1], text_sum=300 * news, text_lengths=(0, news, 0, 0, 0, 0, 0))
    found = judged(days)
    assert kinds(found) == [WarningKind.TEXT_SHORT]
    assert "have 300 characters on average" in found[0].sentence


def test_times_without_a_zone_are_warned_of():
    days = steady_days(3, a_day=30)
    days[-1] = replace(days[-1], unzoned=days[-1].articles)
    assert kinds(judged(days)) == [WarningKind.ZONE_MISSING]


def test_a_share_jumps_only_beyond_chance():
    before = [Share(count=1, of=50)] * 20
    assert has_jumped(Share(count=10, of=20), before)
    assert not has_jumped(Share(count=2, of=20), before)
    assert not has_jumped(Share(count=3, of=3), before)
    assert not has_jumped(Share(count=0, of=20), before)
    # The same number of cases, but some days are always full of them.
    uneven = [*[Share(count=0, of=50)] * 18, *[Share(count=40, of=50)] * 2]
    assert not has_jumped(Share(count=10, of=20), uneven)


# Chance


@pytest.mark.parametrize(
    "values",
    [
        *HABITS.values(),
        {"a_day": 20, "shape": DAYTIME, "weekend": 0.4, "burst": 4},
        {"a_day": 30, "shape": FLAT, "filled": 0.4},
    ],
)
def test_a_source_at_which_nothing_changes_gives_less_than_a_false_alarm_a_year(values):
    """Looked at once a day for a year; the bound of all tests together is 0.5 a year."""
    days = steady_days(365 + 30, seed=11, **values)
    raised = 0
    standing: list[WarningKind] = []
    for number in range(30, len(days)):
        hour = 7 * number % 24
        found = kinds(judged([*days[max(0, number - 60) : number], cut(days[number], hour)], hour=hour))
        raised += sum(kind not in standing for kind in found)
        standing = found
    assert raised <= 1


def test_every_warning_is_documented():
    rows = {code(row[0]) for row in table(chapter("operating", "Warnings"))}
    assert rows == set(WarningKind)
