"""What a source does that goes on as it was: its mornings, batches and holidays are no breakage, and hide none."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.article_breakage import article_warnings
from scheduler.breakage import SourceFacts, warnings
from scheduler.source_warnings import SourceWarning, Standing, WarningKind
from storage.tallies import FIELDS, HOURS, Tally, text_place
from tests.unit.source_days import BEGIN, DAYTIME, cut, day_of, poisson, steady_days

MEMORY = 60
"""So many days before are known."""
YEAR = 365


def instant(day: int, hour: int) -> datetime:
    """Return the end of an hour of a day."""
    return datetime(BEGIN.year, BEGIN.month, BEGIN.day, tzinfo=UTC) + timedelta(days=day, hours=hour, minutes=50)


def raised(
    days: list[Tally], moments: Iterable[tuple[int, int]], known=cut
) -> Iterator[tuple[datetime, SourceWarning]]:
    """Judge at the ends of these hours of days, and give each warning when it is raised. `known` is what is known of a
    day before an hour begins."""
    standing: list[Standing] = []
    for day, hour in moments:
        now = instant(day, hour)
        seen = [*days[max(0, day - MEMORY) : day], known(days[day], hour + 1)]
        facts = SourceFacts(first_seen_at=instant(-2, 0), standing=standing)
        since = {(one.warning.kind, one.warning.subject): one.since for one in standing}
        found = warnings(seen, facts=facts, now=now)
        yield from ((now, one) for one in found if (one.kind, one.subject) not in since)
        standing = [Standing(warning=one, since=since.get((one.kind, one.subject), now)) for one in found]


# Mornings


def known_by_night(day: Tally, hour: int) -> Tally:
    """Return a day of a source that gives its agency copy, which comes until nine, without authors."""
    part = cut(day, hour)
    return replace(part, fields=part.fields | {"authors": sum(part.hours[9:])})


def known_without_authors(day: Tally, hour: int) -> Tally:
    """Return a day of the same source after its authors have vanished."""
    part = cut(day, hour)
    return replace(part, fields=part.fields | {"authors": 0})


@pytest.mark.parametrize("a_day", [30, 60, 120])
def test_what_comes_in_the_morning_is_not_taken_for_the_day(a_day):
    days = [known_by_night(day, HOURS) for day in steady_days(MEMORY + 45, a_day=a_day, seed=21)]
    moments = [(day, hour) for day in range(MEMORY, len(days)) for hour in (6, 8, 11, 16, 23)]
    assert list(raised(days, moments, known_by_night)) == []


@pytest.mark.parametrize(("a_day", "within"), [(30, timedelta(hours=48)), (60, timedelta(hours=24))])
def test_a_field_that_vanishes_is_told_of_all_the_same(a_day, within):
    days = [known_by_night(day, HOURS) for day in steady_days(MEMORY + 5, a_day=a_day, seed=21)]
    days[MEMORY:] = [known_without_authors(day, HOURS) for day in days[MEMORY:]]
    moments = [(day, hour) for day in range(MEMORY, len(days)) for hour in range(HOURS)]
    at, warning = next(raised(days, moments, known_without_authors))
    assert (warning.kind, warning.subject) == (WarningKind.FIELD_MISSING, "authors")
    assert at - instant(MEMORY, 0) <= within


@pytest.mark.parametrize(("field", "hours"), [("authors", 6), ("section", 6)])
def test_a_field_that_all_articles_had_is_missed_within_hours(field, hours):
    days = steady_days(MEMORY + 3, a_day=60, seed=22)
    moments = [(day, hour) for day in range(MEMORY, len(days)) for hour in range(HOURS)]

    def known(day: Tally, hour: int) -> Tally:
        part = cut(day, hour)
        return replace(part, fields=part.fields | {field: 0}) if day.day >= days[MEMORY].day else part

    at, warning = next(raised(days, moments, known))
    assert (warning.kind, warning.subject) == (WarningKind.FIELD_MISSING, field)
    assert at - instant(MEMORY, 0) <= timedelta(hours=hours)


# Batches


def in_batches(count: int, *, filled: float, seed: int) -> list[Tally]:
    """Return days of a source whose articles come in batches of eight on average, each with a field or without it."""
    chance = random.Random(seed)
    days = []
    for number in range(count):
        hours, fields = [0] * HOURS, dict.fromkeys(FIELDS, 0)
        for hour in range(HOURS):
            for _ in range(poisson(chance, 6 / 8 / HOURS)):
                size = chance.randint(4, 12)
                hours[hour] += size
                for name in FIELDS:
                    fields[name] += size * (chance.random() < filled)
        days.append(day_of(BEGIN + timedelta(days=number), hours=tuple(hours), fields=fields))
    return days


def test_batches_that_lack_a_field_now_and_then_give_less_than_a_false_alarm_a_year():
    years = 2
    days = in_batches(MEMORY + years * YEAR, filled=0.8, seed=5)
    standing: list[Standing] = []
    alarms = 0
    for number in range(MEMORY, len(days)):
        seen, before = days[number - MEMORY : number + 1], [one.warning for one in standing]
        found = list(article_warnings(seen, standing, today=days[number].day + timedelta(days=1)))
        alarms += sum((one.kind, one.subject) not in [(two.kind, two.subject) for two in before] for one in found)
        standing = [Standing(warning=one, since=instant(number, 23)) for one in found]
    assert alarms < years


# Holidays

EASTER, CHRISTMAS = (94, 96), (355, 356)
HOLIDAYS = (10, 50, *EASTER, 120, 143, 154, 226, 276, 304, 318, *CHRISTMAS)
"""Days of a year on which nothing comes."""


@pytest.mark.parametrize(
    ("a_day", "weekend"), [(15, 1.0), (25, 0.7), (8, 0.5), (45, 1.0), (60, 1.0), (100, 0.4), (500, 1.0)]
)
def test_holidays_give_less_than_a_false_alarm_a_year(a_day, weekend):
    days = steady_days(MEMORY + YEAR, a_day=a_day, shape=DAYTIME, weekend=weekend, seed=31)
    silent = [MEMORY + holiday for holiday in HOLIDAYS]
    for number in silent:
        days[number] = day_of(days[number].day)
    mornings = {(number + 1, hour) for number in silent for hour in range(3, 12, 2)}
    moments = sorted(mornings | {(number, hour) for number in silent for hour in (11, 17, 23)})
    assert len(list(raised(days, moments))) < 1


def without_news(days: list[Tally], *, since: int, hours: int, addresses: bool = False) -> list[Tally]:
    """Return the days with nothing new in so many hours since one of `MEMORY`, or with new `addresses` as usual."""
    silent = range(MEMORY * HOURS + since, MEMORY * HOURS + since + hours)
    return [
        day_of(
            day.day,
            hours=(kept := tuple(0 if number * HOURS + at in silent else count for at, count in enumerate(day.hours))),
            entries=day.entry_hours if addresses else kept,
        )
        for number, day in enumerate(days)
    ]


@pytest.mark.parametrize("since", range(0, HOURS, 3))
@pytest.mark.parametrize("weekend", [1.0, 0.4])
@pytest.mark.parametrize("a_day", [45, 100, 500])
def test_a_holiday_in_any_time_zone_is_no_silence_of_a_busy_source(a_day, weekend, since):
    days = steady_days(MEMORY + 4, a_day=a_day, shape=DAYTIME, weekend=weekend, seed=31)
    days = without_news(days, since=since, hours=HOURS)
    moments = [(day, hour) for day in range(MEMORY, len(days)) for hour in range(HOURS)]
    assert list(raised(days, moments)) == []


@pytest.mark.parametrize("a_day", [45, 100, 500])
def test_nor_is_one_that_begins_on_the_afternoon_before(a_day):
    days = steady_days(MEMORY + 4, a_day=a_day, shape=DAYTIME, seed=31)
    days = without_news(days, since=15, hours=9 + HOURS + 5)
    moments = [(day, hour) for day in range(MEMORY, len(days)) for hour in range(HOURS)]
    assert list(raised(days, moments)) == []


@pytest.mark.parametrize(
    ("a_day", "weekend", "since", "within"),
    [
        (15, 1.0, 0, timedelta(days=4)),
        (25, 0.7, 0, timedelta(days=4)),
        # After a day and a half that may be a holiday, about as soon as it is told of where addresses come.
        (45, 1.0, 9, timedelta(hours=50)),
        (60, 1.0, 0, timedelta(hours=48)),
        (60, 1.0, 8, timedelta(hours=50)),
        (100, 0.4, 0, timedelta(hours=48)),
        (100, 0.4, 14, timedelta(hours=50)),
        (500, 1.0, 8, timedelta(hours=48)),
    ],
)
def test_a_feed_that_died_is_told_of_in_days_and_a_busy_one_within_two(a_day, weekend, since, within):
    days = steady_days(MEMORY + 7, a_day=a_day, shape=DAYTIME, weekend=weekend, seed=31)
    days = without_news(days, since=since, hours=7 * HOURS)
    moments = [(MEMORY + hour // HOURS, hour % HOURS) for hour in range(since, 7 * HOURS)]
    at, warning = next(raised(days, moments))
    assert warning.kind is WarningKind.FEED_STALE
    assert at - instant(MEMORY, since) <= within


@pytest.mark.parametrize(
    ("a_day", "weekend", "since", "hours"),
    [(45, 1.0, 0, 12), (45, 1.0, 9, 6), (60, 1.0, 8, 4), (100, 1.0, 14, 3), (100, 0.4, 8, 6), (500, 1.0, 8, 1)],
)
def test_addresses_of_which_no_article_comes_are_told_of_within_hours(a_day, weekend, since, hours):
    days = steady_days(MEMORY + 2, a_day=a_day, shape=DAYTIME, weekend=weekend, seed=31)
    days = without_news(days, since=since, hours=2 * HOURS, addresses=True)
    moments = [(MEMORY + hour // HOURS, hour % HOURS) for hour in range(since, 2 * HOURS)]
    at, warning = next(raised(days, moments))
    assert warning.kind is WarningKind.NO_ARTICLES
    assert at - instant(MEMORY, since) <= timedelta(hours=hours)


@pytest.mark.parametrize("catalogue", [0, 5000])
def test_a_back_catalogue_that_was_found_once_does_not_delay_it(catalogue):
    days = steady_days(MEMORY + 2, a_day=100, shape=DAYTIME, seed=31)
    days = without_news(days, since=8, hours=2 * HOURS, addresses=True)
    days[MEMORY - 20] = replace(days[MEMORY - 20], entries=days[MEMORY - 20].entries + catalogue)
    at, _ = next(raised(days, [(MEMORY, hour) for hour in range(8, HOURS)]))
    assert at - instant(MEMORY, 8) <= timedelta(hours=4)


@pytest.mark.parametrize("entries", [0, 3])
def test_a_few_addresses_that_are_no_articles_make_no_silence_of_a_holiday(entries):
    days = steady_days(MEMORY + 2, a_day=100, shape=DAYTIME, seed=31)
    days = without_news(days, since=0, hours=HOURS)
    days[MEMORY] = replace(days[MEMORY], entries=entries, entry_hours=(0,) * 12 + (entries,) + (0,) * 11)
    assert list(raised(days, [(MEMORY, hour) for hour in range(HOURS)])) == []


def also_found(day: Tally, hours: Iterable[int], *, read: bool = False) -> Tally:
    """Return a day with an address more in each of these hours: of nothing that is news, or of an old article that is
    `read` well."""
    counts = Counter(hours)
    entry_hours = tuple(count + counts[hour] for hour, count in enumerate(day.entry_hours))
    day = replace(day, entries=sum(entry_hours), entry_hours=entry_hours)
    if not read:
        return day
    articles = day.articles + sum(counts.values())
    lengths = tuple(articles if place == text_place(3000) else 0 for place in range(len(day.text_lengths)))
    last_at = datetime.combine(day.day, datetime.min.time(), UTC) + timedelta(hours=max(counts), minutes=40)
    return replace(
        day,
        articles=articles,
        pages={"created": articles, "unchanged": 2 * articles},
        fields=dict.fromkeys(FIELDS, articles),
        text_lengths=lengths,
        text_sum=3000 * articles,
        last_article_at=last_at,
    )


def by_day(chance: random.Random, count: int) -> list[int]:
    """Return so many hours of the day by chance."""
    return [chance.randrange(6, 20) for _ in range(count)]


def on_a_holiday(a_day: float, seed: int = 31) -> list[Tally]:
    """Return the days of a source up to a holiday, of `MEMORY`, and two days after it."""
    return without_news(steady_days(MEMORY + 3, a_day=a_day, shape=DAYTIME, seed=seed), since=0, hours=HOURS)


def every_hour_of(days: list[Tally]) -> list[tuple[int, int]]:
    """Return all moments since `MEMORY`."""
    return [(day, hour) for day in range(MEMORY, len(days)) for hour in range(HOURS)]


@pytest.mark.parametrize("seed", range(31, 35))
@pytest.mark.parametrize("at_once", [None, 6, 12])
@pytest.mark.parametrize("a_day", [45, 100, 500])
def test_old_addresses_that_are_found_on_a_holiday_are_no_silence(a_day, at_once, seed):
    days = on_a_holiday(a_day, seed)
    days[MEMORY] = also_found(days[MEMORY], by_day(random.Random(seed), 10) if at_once is None else [at_once] * 10)
    assert list(raised(days, every_hour_of(days))) == []


@pytest.mark.parametrize("at", [6, 8, 11, 17])
@pytest.mark.parametrize("a_day", [45, 100, 500])
def test_nor_is_a_back_catalogue_that_waits_on_a_holiday(a_day, at):
    days = on_a_holiday(a_day)
    days[MEMORY] = also_found(days[MEMORY], [at] * 5000)
    assert list(raised(days, every_hour_of(days))) == []


@pytest.mark.parametrize("seed", range(31, 35))
@pytest.mark.parametrize(("a_day", "puzzles"), [(45, 8), (45, 15), (45, 60), (100, 15), (500, 8), (500, 15)])
def test_puzzles_of_every_day_make_no_silence_of_a_holiday(a_day, puzzles, seed):
    chance = random.Random(seed)
    days = [also_found(day, by_day(chance, poisson(chance, puzzles))) for day in on_a_holiday(a_day, seed)]
    assert list(raised(days, every_hour_of(days))) == []


@pytest.mark.parametrize("a_day", [45, 100, 500])
def test_puzzles_of_every_morning_make_no_silence_of_a_holiday(a_day):
    days = [also_found(day, [6] * 15) for day in on_a_holiday(a_day)]
    assert list(raised(days, every_hour_of(days))) == []


@pytest.mark.parametrize("counted_by_the_hour", [True, False])
@pytest.mark.parametrize(("a_day", "hours"), [(45, 6), (100, 4), (500, 1)])
def test_puzzles_of_every_day_do_not_hide_that_no_article_comes(a_day, hours, counted_by_the_hour):
    chance = random.Random(31)
    days = steady_days(MEMORY + 2, a_day=a_day, shape=DAYTIME, seed=31)
    days = without_news(days, since=9, hours=2 * HOURS, addresses=True)
    days = [also_found(day, by_day(chance, poisson(chance, 15))) for day in days]
    if not counted_by_the_hour:
        days[:MEMORY] = [replace(day, entry_hours=(0,) * HOURS) for day in days[:MEMORY]]
    at, warning = next(raised(days, every_hour_of(days)))
    assert warning.kind is WarningKind.NO_ARTICLES
    assert at - instant(MEMORY, 9) <= timedelta(hours=hours)


def test_no_articles_are_told_of_once_though_addresses_cease():
    """A breakage does not become a holiday, nor a feed that died, when fewer addresses come than were due."""
    days = steady_days(MEMORY + 2, a_day=100, shape=DAYTIME, seed=31)
    days = without_news(days, since=6, hours=2 * HOURS, addresses=True)
    told_at, _ = next(raised(days, every_hour_of(days)))
    ceased = tuple(count if hour <= told_at.hour else 0 for hour, count in enumerate(days[MEMORY].entry_hours))
    days[MEMORY] = replace(days[MEMORY], entry_hours=ceased, entries=sum(ceased))
    days[MEMORY + 1] = day_of(days[MEMORY + 1].day)
    assert [one.kind for _, one in raised(days, every_hour_of(days))] == [WarningKind.NO_ARTICLES]


def known_with_old(day: Tally, hour: int) -> Tally:
    """Return a day on which nothing but old articles came, as it was known before an hour."""
    if day.articles == day.news:
        return cut(day, hour)
    before = [at for at, count in enumerate(day.entry_hours[:hour]) for _ in range(count)]
    return also_found(day_of(day.day), before, read=True) if before else day_of(day.day)


@pytest.mark.parametrize("a_day", [45, 100, 500])
def test_old_articles_that_are_read_on_a_holiday_are_no_silence(a_day):
    days = on_a_holiday(a_day)
    days[MEMORY] = also_found(days[MEMORY], [7 + number % 8 for number in range(20)], read=True)
    assert list(raised(days, every_hour_of(days), known_with_old)) == []


def test_a_silence_in_which_old_articles_are_read_is_one_of_news():
    days = steady_days(MEMORY + 4, a_day=100, shape=DAYTIME, seed=31)
    days = without_news(days, since=0, hours=4 * HOURS)
    days[MEMORY] = also_found(days[MEMORY], [7 + number % 8 for number in range(20)], read=True)
    _, warning = next(raised(days, every_hour_of(days), known_with_old))
    assert warning.kind is WarningKind.NO_ARTICLES
    assert warning.sentence.startswith("No news for ")
    assert warning.sentence.endswith(" and led to 20 new addresses since, none of which became news.")


def test_the_last_dozen_that_today_leaves_too_long_ago_is_judged_without_today():
    """Where nothing came for a month, and one article today: that one is too few, and those before it are a dozen."""
    known = [2] * 60 + [12] + [0] * 30 + [1]
    days = [
        day_of(BEGIN + timedelta(days=number), hours=(0,) * 9 + (count,) + (0,) * 14)
        for number, count in enumerate(known)
    ]
    days[60] = replace(days[60], fields=days[60].fields | {"authors": 0})
    found = list(article_warnings(days, (), today=days[-1].day))
    assert [(one.kind, one.subject) for one in found] == [(WarningKind.FIELD_MISSING, "authors")]
