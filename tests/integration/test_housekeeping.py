"""Housekeeping on a real database and archive, beside a recorder."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from crawler.recorder import Recorder
from scheduler import counting
from scheduler.counting import count_days
from scheduler.housekeeping import SOURCES_AT_ONCE, Housekeeping
from scheduler.settings import ServiceSettings
from scheduler.source_warnings import WarningKind
from scheduler.standing_warnings import StandingWarning, keep_warnings, read_warnings
from storage.archive import Archive
from storage.clock import utc_now
from storage.errors import DatabaseUnavailable
from storage.model import FetchKind
from storage.outcomes import Outcome
from storage.settings import ArchiveSettings
from storage.store import Store
from storage.tallies import Tally
from tests.contracts.news import page_fetch
from tests.integration.archive_exchanges import exchange
from tests.unit.source_days import steady_days

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


@dataclass
class House:
    """A store, an archive and their housekeeping, run at given instants."""

    store: Store
    archive: Archive
    archive_settings: ArchiveSettings
    service: ServiceSettings

    def run(self, *instants: datetime) -> Housekeeping:
        """Run it at these instants, one after the other."""

        async def run() -> Housekeeping:
            with Recorder(self.store, self.archive) as recorder:
                keeper = Housekeeping(
                    store=self.store,
                    recorder=recorder,
                    archive=self.archive,
                    service=self.service,
                    archive_settings=self.archive_settings,
                )
                for now in instants:
                    await keeper.run(now)
                return keeper

        return asyncio.run(run())


@pytest.fixture
def house(store: Store, tmp_path) -> House:
    """A house with one source that is watched."""
    settings = ArchiveSettings(directory=tmp_path / "archive")
    archive = Archive(settings.directory, max_file_bytes=10**9, software="morgue/test")
    archive.recover()
    with store.writing() as transaction:
        transaction.sources.for_domain("paper.example", NOW - timedelta(days=80), watched=True)
    return House(store=store, archive=archive, archive_settings=settings, service=ServiceSettings())


def record(store: Store, *ages: timedelta, outcome: Outcome = Outcome.BLOCKED_STATUS, kind=FetchKind.PAGE) -> None:
    """Record attempts of the source so long ago."""
    with store.writing() as transaction:
        source_id = transaction.sources.for_domain("paper.example", NOW).source_id
        for age in ages:
            fetch = page_fetch(f"{kind}-{age}", at=0, outcome=outcome, kind=kind)
            transaction.fetches.record(replace(fetch, source_id=source_id, finished_at=NOW - age))


def days(store: Store) -> list[Tally]:
    """Return the tallies of the source."""
    with store.reading() as transaction:
        return [tally for tallies in transaction.tallies.since(date.min).values() for tally in tallies]


def count_all(store: Store, now: datetime) -> None:
    """Count until no day waits, however slow the database: each time as many are counted as a second allows."""
    for _ in range(1000):
        if not count_days(store, now):
            return
    pytest.fail("days are left that are not counted")


def test_days_that_were_missed_are_counted_once_and_settled_days_never_again(house, monkeypatch):
    record(house.store, *(timedelta(days=number) for number in (0, 1, 2, 3, 5)))
    monkeypatch.setattr(counting, "COUNT_SECONDS", 0.0)
    assert count_days(house.store, NOW)
    assert days(house.store) == []
    monkeypatch.undo()
    count_all(house.store, NOW)
    assert [tally.day.day for tally in days(house.store)] == [25, 27, 28, 1, 2]
    # What is recorded for a settled day, and what is thinned out of it, changes it no more.
    record(house.store, timedelta(days=2, minutes=1), timedelta(minutes=1))
    count_all(house.store, NOW)
    assert [sum(tally.pages.values()) for tally in days(house.store)] == [1, 1, 1, 1, 2]


def test_yesterday_is_counted_until_it_has_been_over_for_a_day(house):
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    record(house.store, NOW - midnight + timedelta(minutes=5))
    # A machine that slept through the night records in the morning what it fetched before.
    for hours, late in ((0.1, 6), (9, 7), (23.9, 8), (24, 9), (24.1, 10)):
        count_all(house.store, midnight + timedelta(hours=hours))
        record(house.store, NOW - midnight + timedelta(minutes=late))
    assert sum(days(house.store)[0].pages.values()) == 4


def test_after_a_clock_that_was_ahead_no_day_is_left_out(house):
    count_all(house.store, NOW + timedelta(days=30))
    for number in (0, 21, 22):
        at = NOW + timedelta(days=number)
        record(house.store, NOW - at + timedelta(minutes=1))
        if number != 21:  # then no service ran, and nothing was counted
            count_all(house.store, at)
    assert [sum(tally.pages.values()) for tally in days(house.store)] == [1, 1, 1]


def test_attempts_are_thinned_out_only_once_their_days_are_counted(house, rows):
    house.service = ServiceSettings(keep_fetches="7d")
    # Years ago, so that it is past by the database's clock wherever this runs.
    then = NOW - (ago := timedelta(days=3 * 364))
    ages = (timedelta(days=number, minutes=minute) for number in (1, 6, 8, 9) for minute in range(40))
    record(house.store, *(ago + age for age in ages))
    house.run(*(then + timedelta(hours=number) for number in range(12)))
    assert rows("SELECT count(*) FROM fetches") == [(80,)]
    assert [sum(tally.pages.values()) for tally in days(house.store)] == [40, 40, 40, 40]
    house.service = ServiceSettings(keep_fetches="forever")
    house.run(NOW)
    assert rows("SELECT count(*) FROM fetches") == [(80,)]


def test_a_wall_clock_that_is_far_ahead_costs_no_attempts(house, rows):
    house.service = ServiceSettings(keep_fetches="7d")
    now = utc_now()
    record(house.store, NOW - now + timedelta(hours=1), NOW - now + timedelta(days=9))
    house.run(*(now + timedelta(days=400, hours=number) for number in range(3)))
    assert rows("SELECT count(*) FROM fetches") == [(1,)]
    house.run(now, now + timedelta(hours=2))
    assert [sum(tally.pages.values()) for tally in days(house.store)] == [1, 1]


def test_warnings_are_raised_and_end(house):
    record(house.store, *(timedelta(minutes=number) for number in range(30)))
    house.run(NOW)
    with house.store.reading() as transaction:
        (warning,) = read_warnings(transaction)
    assert (warning.source, warning.kind, warning.since) == ("paper.example", WarningKind.PAGES_REFUSED, NOW)
    house.run(NOW + timedelta(minutes=10))
    with house.store.reading() as transaction:
        assert read_warnings(transaction)[0].since == NOW
    with house.store.writing() as transaction:
        transaction.sources.for_domain("paper.example", NOW)
        transaction._connection.exec_driver_sql("UPDATE sources SET watched = false")
    house.run(NOW + timedelta(minutes=20))
    with house.store.reading() as transaction:
        assert read_warnings(transaction) == []


def test_sources_take_turns_at_being_judged(house):
    with house.store.writing() as transaction:
        for number in range(SOURCES_AT_ONCE + 5):
            transaction.sources.for_domain(f"paper{number}.example", NOW, watched=True)
    with house.store.reading() as transaction:
        keeper = house.run()
        first = keeper._next_sources(transaction)
        second = keeper._next_sources(transaction)
        third = keeper._next_sources(transaction)
    assert len(first) == SOURCES_AT_ONCE and len(second) == 6
    assert not {one.source_id for one in first} & {one.source_id for one in second}
    assert third == first


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_warc_file_that_is_open_for_long_is_closed(house, backend, tmp_path):
    house.archive.append(exchange(), body_digest="sha256:00")
    house.archive.sync()
    house.run(NOW)
    assert [path.suffix for path in house.archive_settings.directory.iterdir()] == [".open"]
    house.archive_settings = house.archive_settings.model_copy(update={"max_file_seconds": 0.0})
    house.run(NOW)
    assert [path.suffix for path in house.archive_settings.directory.iterdir()] == [".gz"]


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_step_that_fails_costs_the_others_nothing(house, backend, monkeypatch):
    record(house.store, timedelta(minutes=1))
    monkeypatch.setattr(Store, "analyse", lambda _: 1 / 0)
    monkeypatch.setattr(Store, "tend_log", lambda _: 1 / 0)
    house.run(NOW)
    assert len(days(house.store)) == 1
    with house.store.reading() as transaction:
        state, _ = transaction.service_state.get("housekeeping")
    assert set(state["due"]) == {"forget", "analyse"}


@pytest.mark.parametrize("backend", ["sqlite"])
def test_daily_steps_are_daily_also_over_restarts(house, backend, monkeypatch):
    called = []
    monkeypatch.setattr(Store, "analyse", lambda _: called.append(1))
    house.run(NOW)
    house.run(NOW + timedelta(hours=23))
    assert len(called) == 1
    house.run(NOW + timedelta(hours=25))
    assert len(called) == 2
    # A clock that was set back puts nothing off for longer than a day.
    house.run(NOW - timedelta(days=30))
    assert len(called) == 3


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_database_that_is_away_is_not_hidden(house, backend, monkeypatch):
    def away(_: Store) -> None:
        raise DatabaseUnavailable("morgue.db", "is away")

    monkeypatch.setattr(Store, "tend_log", away)
    with pytest.raises(DatabaseUnavailable):
        house.run(NOW)


def test_a_silence_is_found_by_the_days_that_are_kept(house):
    now = datetime(2026, 2, 20, 12, 30, tzinfo=UTC)
    with house.store.writing() as transaction:
        source_id = transaction.sources.for_domain("paper.example", now).source_id
        transaction._connection.exec_driver_sql("UPDATE sources SET first_seen_at = '2026-01-01 00:00:00.000000+00:00'")
        for day in steady_days(40, a_day=30):
            transaction.tallies.keep(day.day, {source_id: day}, now)
        transaction.service_state.put("housekeeping", {"settled": "2026-02-19"}, now)
    polled = [NOW - now + timedelta(hours=number, minutes=5) for number in range(6 * 24)]
    record(house.store, *polled, outcome=Outcome.LISTED, kind=FetchKind.FEED)
    with house.store.writing() as transaction:
        for number in range(6):
            day = (now - timedelta(days=number)).date()
            transaction.tallies.keep(day, transaction.tallies.count(day), now)
    house.run(now)
    with house.store.reading() as transaction:
        (warning,) = read_warnings(transaction)
    assert warning.kind is WarningKind.FEED_STALE
    assert warning.sentence.startswith("No news for 7 days")


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_source_that_cannot_be_judged_costs_the_others_nothing(house, backend):
    record(house.store, *(timedelta(minutes=number) for number in range(30)))
    with house.store.writing() as transaction:
        odd = transaction.sources.for_domain("odd.example", NOW - timedelta(days=80), watched=True)
        stands = StandingWarning(
            source=odd.source.slug, kind=WarningKind.FEED_STALE, subject=None, sentence="As it was.", since=NOW
        )
        keep_warnings(transaction, [stands], NOW)
        broken = [replace(day, text_lengths=(day.articles,)) for day in steady_days(40, a_day=30)]
        for day in broken:
            transaction.tallies.keep(day.day, {odd.source_id: replace(day, hours=(1,))}, NOW)
        transaction.service_state.put("housekeeping", {"settled": "2026-03-01"}, NOW)
    house.run(NOW)
    with house.store.reading() as transaction:
        found = {(one.source, one.kind) for one in read_warnings(transaction)}
    assert found == {("odd.example", WarningKind.FEED_STALE), ("paper.example", WarningKind.PAGES_REFUSED)}


def test_warnings_of_a_later_program_are_passed_over(store):
    with store.writing() as transaction:
        keep_warnings(transaction, [], utc_now())
        row = {"source": None, "kind": "of_the_future", "subject": None, "sentence": "?", "since": NOW.isoformat()}
        transaction.service_state.put("warnings", [row], NOW)
        assert read_warnings(transaction) == []
