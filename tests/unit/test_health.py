"""Whether the service is well is told by a clock that nobody sets, and by whoever asks."""

import asyncio
import threading
import time

import pytest

from crawler.recorder import Pending
from scheduler import health
from scheduler.health import MENDED_BY_RESTART, PROBLEMS, DatabaseProbe, Health, SignsOfLife, Stage, problem_of
from scheduler.watching import Progress
from storage.errors import DatabaseBusy, DatabaseUnavailable


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def codes(watched: Health, now: float | None = None) -> list[str]:
    return [problem.code for problem in watched.problems(now)]


def test_a_loop_is_well_before_its_first_beat_and_for_ten_seconds_after_each(clock):
    watched = Health(clock=clock)
    assert codes(watched, clock.now + 3600) == []
    watched.beat()
    assert codes(watched, clock.now + 10) == []
    assert codes(watched, clock.now + 10.1) == ["loop_blocked"]
    clock.now += 11
    watched.beat()
    assert codes(watched) == []


def test_a_clock_set_back_makes_nothing_look_stuck(time_machine_or_wall_clock):
    watched = Health()
    watched.beat()
    time_machine_or_wall_clock(-86_400)
    assert codes(watched) == []
    time_machine_or_wall_clock(+86_400)
    assert codes(watched) == []


@pytest.fixture
def time_machine_or_wall_clock():
    """A function that sets the wall clock so many seconds forth or back, and not the steady one."""
    time_machine = pytest.importorskip("time_machine")
    travels = []

    def set_clock(seconds: float) -> None:
        travels.append(time_machine.travel(time.time() + seconds, tick=True))
        travels[-1].start()

    yield set_clock
    for travel in reversed(travels):
        travel.stop()


def test_starting_and_stopping_are_no_problems(clock):
    watched = Health(clock=clock)
    for stage in Stage:
        watched.enter(stage)
        assert codes(watched) == []


def test_what_stops_does_nothing_else_any_more(clock):
    watched = Health(clock=clock)
    watched.enter(Stage.STOPPING)
    watched.enter(Stage.RUNNING)
    assert watched.stage is Stage.STOPPING


def test_a_job_beyond_its_bound_is_a_problem_until_it_ends(clock):
    watched = Health(clock=clock)
    end = asyncio.Event()
    plan = watched.job("plan", end.wait, bound_seconds=60)
    poll = watched.job("poll_due_feeds", end.wait, bound_seconds=600)

    async def run() -> None:
        running = asyncio.gather(plan(), poll())
        await asyncio.sleep(0)
        clock.now += 60
        assert codes(watched) == []
        clock.now += 1
        assert [str(problem) for problem in watched.problems()] == ["the job plan has been running for 61 seconds"]
        end.set()
        await running
        assert codes(watched) == []

    asyncio.run(run())


def test_a_job_that_raises_has_ended(clock):
    watched = Health(clock=clock)

    async def broken() -> None:
        raise LookupError

    job = watched.job("plan", broken)
    with pytest.raises(LookupError):
        asyncio.run(job())
    assert codes(watched, clock.now + 1e6) == []


def test_what_is_noted_lasts_until_it_is_cleared(clock):
    watched = Health(clock=clock)
    watched.note("archive_failed", "archive: no space left")
    watched.note("archive_failed", "archive: read-only")
    assert [str(problem) for problem in watched.problems()] == ["archive: read-only"]
    watched.clear("archive_failed")
    watched.clear("lock_lost")
    assert codes(watched) == []


def test_the_list_of_problems_is_closed():
    with pytest.raises(KeyError):
        problem_of("made_up", "something")
    with pytest.raises(KeyError):
        Health().note("made_up", "something")
    assert all(meaning.endswith(".") for meaning in PROBLEMS.values())


def test_a_watchdog_restarts_for_what_a_restart_may_mend(clock):
    watched = Health(clock=clock)
    watched.note("database_away", "no connection")
    watched.note("disk_full", "no space")
    assert not watched.needs_restart()
    watched.beat()
    assert watched.needs_restart(clock.now + 11)
    assert set(PROBLEMS) >= MENDED_BY_RESTART


def test_one_bad_sample_withholds_no_sign_of_life_and_a_minute_of_them_does():
    signs = SignsOfLife(180.0)
    given = [second for second in range(400) if signs.is_due(float(second), ill=second == 45 or second >= 200)]
    assert given == [0, 45, 90, 135, 180, 225]


def test_a_short_watchdog_is_told_of_what_lasts_half_of_its_time():
    signs = SignsOfLife(24.0)
    assert [second for second in range(60) if signs.is_due(float(second), ill=second >= 20)] == [0, 6, 12, 18, 24, 30]


def test_a_problem_that_two_notice_is_told_once(clock):
    watched = Health(clock=clock)
    watched.note("database_away", "told by the outage")
    watched.add(lambda now: problem_of("database_away", "told by the probe"))
    assert [str(problem) for problem in watched.problems()] == ["told by the outage"]


def test_what_waits_to_be_written_is_stalled_only_while_nothing_is_written(clock):
    pending = Pending(clock)
    clock.now += 500
    assert pending.stalled_seconds() == 0
    pending.add()
    pending.add()
    clock.now += 61
    assert (pending.count, pending.stalled_seconds()) == (2, 61)
    pending.end()
    clock.now += 5
    assert (pending.count, pending.stalled_seconds()) == (1, 5)
    pending.end()
    clock.now += 500
    assert (pending.count, pending.stalled_seconds()) == (0, 0)


def test_pages_in_hand_must_come_to_an_end_now_and_then():
    done, in_hand = [0], [0]
    progress = Progress("fetching_stuck", "pages", lambda: done[0], lambda: in_hand[0], patience=lambda: 900)
    assert progress.check(0) is None
    assert progress.check(10_000) is None  # none was in hand
    in_hand[0] = 3
    assert progress.check(10_800) is None
    found = progress.check(10_901)
    assert found is not None and found.code == "fetching_stuck"
    done[0] += 1
    assert progress.check(10_902) is None
    assert progress.check(11_802) is None


class Database:
    """A database that answers, refuses, or lets wait."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.free = threading.Event()
        self.free.set()
        self.asked = threading.Event()

    def __call__(self) -> None:
        self.asked.set()
        self.free.wait()
        if self.problem is not None:
            raise self.problem


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def probe(database, clock):
    probe = DatabaseProbe(database, every_seconds=0.001, clock=clock)
    yield probe
    database.free.set()
    probe.stop()


def answered(database: Database) -> None:
    """Wait until the database was asked twice: the first of the answers has been taken in then."""
    for _ in range(3):
        database.asked.clear()
        assert database.asked.wait(10)


def test_a_database_that_answers_is_well(probe, database, clock):
    probe.start()
    answered(database)
    clock.now += 1e6
    answered(database)
    assert probe.check(clock.now) is None


def test_a_database_that_lets_wait_is_stuck(probe, database, clock):
    probe.start()
    answered(database)
    database.free.clear()
    assert probe.check(clock.now + 30) is None
    found = probe.check(clock.now + health.DATABASE_SECONDS + 1)
    assert found is not None and (found.code, str(found)) == (
        "database_stuck",
        "the database has not answered for 31 seconds",
    )


def test_a_database_that_refuses_is_away_at_once_and_well_when_it_is_back(probe, database, clock):
    database.problem = DatabaseUnavailable("morgue.db", "disk I/O error")
    probe.start()
    answered(database)
    found = probe.check(clock.now)
    assert found is not None and (found.code, str(found)) == ("database_away", "morgue.db: disk I/O error")
    database.problem = None
    answered(database)
    assert probe.check(clock.now) is None


def test_collisions_are_a_problem_only_when_they_go_on(probe, database, clock):
    database.problem = DatabaseBusy("morgue.db", "deadlock")
    probe.start()
    answered(database)
    assert probe.check(clock.now + 30) is None
    found = probe.check(clock.now + 31)
    assert found is not None and found.code == "database_stuck"


def test_the_probe_survives_what_it_did_not_expect(probe, database, clock):
    database.problem = LookupError("a bug")
    probe.start()
    answered(database)
    database.problem = None
    answered(database)
    assert probe.check(clock.now) is None
