"""Whose turn it is at a host, on both databases: leases, the line, pauses, holds and budgets."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from storage import database_clock, hosts
from storage.clock import steady_seconds
from storage.host_turns import (
    BUDGET_SPENT,
    HOST_ASKED_TO_WAIT,
    IN_LINE_FOR,
    LEASE,
    QUICKEST,
    Granted,
    Held,
    Kept,
    Leave,
    NotYet,
    Report,
    Take,
)
from storage.outcomes import Outcome
from storage.robots_files import RobotsFile, RobotsState

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOST = "a.example"


class Clock:
    """The database's clock in these tests, moved by hand."""

    def __init__(self):
        self.now = NOON

    def pass_seconds(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(hosts, "database_now", lambda connection, writes: clock.now)
    return clock


@pytest.fixture
def ask(store):
    """Asks for one thing in a transaction of its own. The steady clock of whoever asks stands at 100 seconds."""

    def act(*requests):
        with store.writing() as transaction:
            answers = transaction.hosts.act(requests, steady=100.0)
        return answers[0] if len(requests) == 1 else answers

    return act


def take(owner, host=HOST, *, pause=1.0, budget=0):
    return Take(host=host, owner=owner, pause_seconds=pause, budget=budget)


def report(owner, granted, host=HOST, *, release=True, pause=1.0, next_in=None, hold=None, **facts):
    return Report(
        host=host,
        owner=owner,
        epoch=granted.epoch,
        release=release,
        pause_seconds=pause,
        next_at=None if next_in is None else 100.0 + next_in,
        hold_until=None if hold is None else 100.0 + hold,
        **facts,
    )


def test_one_process_has_the_turn_and_the_others_wait(ask, clock):
    first = ask(take("a"))
    assert isinstance(first, Granted)
    assert (first.lease_seconds, first.start_in_seconds) == (LEASE.total_seconds(), 0)
    assert isinstance(ask(take("b")), NotYet)
    ask(report("a", first, next_in=1.0))
    second = ask(take("b"))
    assert isinstance(second, Granted)
    assert second.start_in_seconds == 1.0
    assert second.epoch > first.epoch


def test_who_waits_longest_is_served_next_and_the_holder_stands_behind_them(ask, clock):
    holder = ask(take("a"))
    for owner in ("b", "c"):
        clock.pass_seconds(0.1)
        assert isinstance(ask(take(owner)), NotYet)
    clock.pass_seconds(0.1)
    released, again = ask(report("a", holder), take("a"))
    assert released == Kept(lease_seconds=0)
    assert isinstance(again, NotYet)
    assert isinstance(ask(take("c")), NotYet)
    b = ask(take("b"))
    assert isinstance(b, Granted)
    ask(report("b", b))
    assert isinstance(ask(take("a")), NotYet)
    assert isinstance(ask(take("c")), Granted)


def test_who_leaves_the_line_or_is_not_heard_of_blocks_nobody(ask, clock, rows):
    holder = ask(take("a"))
    ask(take("b"))
    ask(take("c"))
    ask(report("a", holder))
    ask(Leave(host=HOST, owner="b"))
    assert isinstance(ask(take("a")), NotYet)
    clock.pass_seconds(IN_LINE_FOR.total_seconds() + 0.1)
    assert isinstance(ask(take("a")), Granted)
    assert rows("SELECT * FROM host_waiters") == []


def test_a_lease_that_is_not_prolonged_runs_out_and_its_pause_is_kept(ask, clock):
    first = ask(take("a", pause=3.0))
    clock.pass_seconds(LEASE.total_seconds() - 0.1)
    assert isinstance(ask(take("b")), NotYet)
    clock.pass_seconds(1.1)
    second = ask(take("b"))
    assert isinstance(second, Granted)
    # A second of the pause is over.
    assert second.start_in_seconds == 2.0
    # The first comes back: its lease is another's, but what it learnt counts.
    late = ask(report("a", first, release=False, hold=3600, refusals=1, requests=4))
    assert late == Kept(lease_seconds=0)
    kept = ask(report("b", second, release=False, refusals=1))
    assert kept == Kept(lease_seconds=LEASE.total_seconds())
    ask(report("b", second, refusals=1))
    assert ask(take("a")) == Held(host=HOST, seconds=3600, reason=HOST_ASKED_TO_WAIT)


def test_a_lease_that_is_prolonged_lasts(ask, clock):
    first = ask(take("a"))
    for _ in range(5):
        clock.pass_seconds(6)
        assert ask(report("a", first, release=False)) == Kept(lease_seconds=LEASE.total_seconds())
        assert isinstance(ask(take("b")), NotYet)


def test_a_lease_that_was_granted_to_nobody_is_given_back(ask, clock):
    ask(take("a"))
    ask(Leave(host=HOST, owner="a"))
    assert isinstance(ask(take("b")), Granted)


def test_a_long_pause_keeps_the_place_but_not_the_lease(ask, clock):
    ask(report("a", ask(take("a")), pause=30, next_in=30))
    first = ask(take("b"))
    assert isinstance(first, NotYet)
    assert first.retry_in_seconds < IN_LINE_FOR.total_seconds()
    clock.pass_seconds(0.5)
    assert isinstance(ask(take("c")), NotYet)
    for _ in range(14):
        clock.pass_seconds(2)
        assert isinstance(ask(take("c")), NotYet)
        answer = ask(take("b"))
    assert isinstance(answer, Granted)
    assert answer.start_in_seconds == 1.5


def test_a_longer_pause_of_who_asks_next_counts_from_the_last_response(ask, clock):
    ask(report("a", ask(take("a")), pause=1, next_in=1))
    clock.pass_seconds(0.5)
    assert ask(take("b", pause=2.0)).start_in_seconds == 1.5


def test_what_was_learnt_is_there_for_the_next(ask, clock):
    ask(report("a", ask(take("a")), response_seconds=0.7, refusals=2))
    granted = ask(take("b"))
    assert (granted.response_seconds, granted.refusals) == (0.7, 2)


def test_a_held_host_is_held_for_all_until_its_time_is_over(ask, clock, store):
    ask(report("a", ask(take("a")), hold=60, refusals=1))
    with store.reading() as transaction:
        assert transaction.hosts.held(budget=0) == [Held(host=HOST, seconds=60, reason=HOST_ASKED_TO_WAIT)]
    assert isinstance(ask(take("b")), Held)
    clock.pass_seconds(60)
    assert isinstance(ask(take("b")), Granted)
    with store.reading() as transaction:
        assert transaction.hosts.held(budget=0) == []


def test_a_hold_is_never_shortened(ask, clock):
    granted = ask(take("a"))
    ask(report("a", granted, hold=3600, refusals=1), report("a", granted, hold=60, refusals=2))
    assert ask(take("a")) == Held(host=HOST, seconds=3600, reason=HOST_ASKED_TO_WAIT)


def test_the_budget_of_a_day_is_shared_and_new_on_the_next(ask, clock, store):
    first = ask(take("a", budget=5))
    assert first.requests_left == 5
    ask(report("a", first, release=False, requests=2), report("a", first, requests=1))
    second = ask(take("b", budget=5))
    assert second.requests_left == 2
    ask(report("b", second, requests=2))
    assert ask(take("a", budget=5)) == Held(host=HOST, seconds=12 * 3600, reason=BUDGET_SPENT)
    with store.reading() as transaction:
        assert [held.reason for held in transaction.hosts.held(budget=5)] == [BUDGET_SPENT]
        assert transaction.hosts.held(budget=0) == []
    clock.pass_seconds(12 * 3600)
    assert ask(take("a", budget=5)).requests_left == 5


def test_a_lease_is_for_as_many_requests_as_fit_into_it(ask, clock):
    assert ask(take("a", pause=1.0)).requests_left == 1 + LEASE.total_seconds()
    assert ask(take("a", "b.example", pause=0.0)).requests_left == 1 + LEASE / QUICKEST
    assert ask(take("a", "c.example", pause=60.0)).requests_left == 1


def test_what_killed_processes_may_have_asked_counts_for_the_budget(ask, clock):
    for number in range(3):
        assert isinstance(ask(take(f"killed-{number}", pause=3.0, budget=10)), Granted)
        assert isinstance(ask(take("waiting", pause=3.0, budget=10)), NotYet)
        ask(Leave(host=HOST, owner="waiting"))
        clock.pass_seconds(20)
    assert ask(take("a", pause=3.0, budget=10)) == Held(host=HOST, seconds=12 * 3600 - 60, reason=BUDGET_SPENT)


def test_requests_of_a_lease_that_ended_without_a_word_are_counted_once(ask, clock, rows):
    late = ask(take("a", pause=1.0, budget=100))
    ask(report("a", late, release=False, requests=2))
    clock.pass_seconds(60)
    second = ask(take("b", pause=1.0, budget=100))
    ask(report("a", late, requests=4), report("b", second, requests=3))
    assert rows("SELECT requests_today, requests_unreported FROM hosts") == [(late.requests_left + 3, 0)]
    # Those of one that was never used were not made.
    ask(take("a", pause=1.0, budget=100))
    ask(Leave(host=HOST, owner="a"))
    assert rows("SELECT requests_today, requests_unreported FROM hosts") == [(late.requests_left + 3, 0)]


def test_only_who_has_the_turn_says_how_often_the_host_refused(ask, clock, rows):
    late = ask(take("a"))
    clock.pass_seconds(60)
    second = ask(take("b"))
    ask(report("b", second, release=False, refusals=4), report("a", late, release=False, refusals=0))
    assert rows("SELECT refusals FROM hosts") == [(4,)]


def test_who_lost_a_lease_does_not_give_up_the_next_of_its_own(ask, clock):
    """Which a report names by its epoch: the same process may have had two."""
    first = ask(take("a"))
    clock.pass_seconds(60)
    second = ask(take("a"))
    assert ask(report("a", first, release=False)) == Kept(lease_seconds=0)
    assert ask(report("a", first, release=True)) == Kept(lease_seconds=0)
    assert isinstance(ask(take("b")), NotYet)
    assert ask(report("a", second, release=False)) == Kept(lease_seconds=LEASE.total_seconds())


def test_a_clock_that_is_set_back_leaves_no_host_alone_for_long(ask, clock):
    ask(report("a", ask(take("a")), pause=1, next_in=1))
    ask(take("b"))
    clock.pass_seconds(-86_400)
    assert isinstance(ask(take("c")), NotYet)
    clock.pass_seconds(LEASE.total_seconds())
    granted = ask(take("c"))
    assert isinstance(granted, Granted)
    assert granted.start_in_seconds == 1.0


def test_many_hosts_are_served_at_once(ask, clock):
    names = [f"host-{number}.example" for number in range(1200)]
    answers = ask(*(take("a", host) for host in names))
    assert all(isinstance(answer, Granted) for answer in answers)
    answers = ask(*(take("b", host) for host in names))
    assert all(isinstance(answer, NotYet) for answer in answers)


def test_processes_that_ask_at_the_same_time_never_both_have_the_turn(store):
    names = [f"host-{number}.example" for number in range(30)]
    granted, problems = [], []

    def work(owner):
        try:
            for _ in range(15):
                with store.writing() as transaction:
                    requests = [take(owner, host) for host in reversed(names)]
                    answers = transaction.hosts.act(requests, steady=steady_seconds())
                for request, answer in zip(requests, answers, strict=True):
                    if isinstance(answer, Granted):
                        granted.append((request.host, answer.epoch))
        except Exception as problem:  # noqa: BLE001 - the thread's boundary: the test looks at it
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(f"owner-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(set(granted)) == len(granted)
    assert {host for host, _ in granted} == set(names)


def test_setting_the_wall_clock_does_not_move_the_clock_of_a_sqlite_database(store, backend, monkeypatch):
    if backend != "sqlite":
        pytest.skip("PostgreSQL has a clock of its own")

    def now():
        with store.writing() as transaction:
            return database_clock.database_now(transaction._connection, writes=True)

    before = now()
    monkeypatch.setattr(database_clock, "utc_now", lambda: datetime(2036, 1, 1, tzinfo=UTC))
    assert timedelta() <= now() - before < timedelta(hours=1)


def test_a_copy_of_robots_txt_is_kept(store):
    copy = RobotsFile(
        origin="https://www.a.example",
        host=HOST,
        state=RobotsState.RULES,
        rules="User-agent: *\nCrawl-delay: 7",
        fetched_at=NOON,
        expires_at=NOON + timedelta(hours=24),
    )
    unreachable = RobotsFile(
        origin="https://a.example",
        host=HOST,
        state=RobotsState.UNREACHABLE,
        fetched_at=NOON,
        expires_at=NOON + timedelta(minutes=10),
        outcome=Outcome.NETWORK_ERROR,
        reason="refused",
    )
    with store.writing() as transaction:
        for kept in (unreachable, copy, copy):
            transaction.robots_files.keep(kept)
    with store.reading() as transaction:
        assert transaction.robots_files.get("https://www.a.example") == copy
        assert transaction.robots_files.get("https://a.example") == unreachable
        assert transaction.robots_files.get("https://b.example") is None
