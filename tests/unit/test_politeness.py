"""When a host may be asked again: how long it is left alone, and whose turn it is within and between processes."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from crawler import politeness
from crawler.lease import LAST_START_SECONDS, Lease
from crawler.pacing import (
    MAX_CRAWL_DELAY_SECONDS,
    back_off,
    hold_seconds,
    pause_seconds,
    retry_after,
    smoothed,
)
from crawler.politeness import HOST_SILENT, FetchingStopped, Politeness
from storage.clock import steady_seconds
from storage.host_turns import BUDGET_SPENT, HOST_ASKED_TO_WAIT, Granted, HostState, Kept, Leave, Report, Take
from tests.slots_in_memory import SlotsInMemory

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", NOW + timedelta(seconds=120)),
        (" 7 ", NOW + timedelta(seconds=7)),
        ("Sun, 01 Mar 2026 12:30:00 GMT", NOW + timedelta(minutes=30)),
        ("99999999999999999999999", NOW + timedelta(hours=24)),
        ("Sun, 01 Mar 2099 12:30:00 GMT", NOW + timedelta(hours=24)),
        ("Sun, 01 Mar 2020 12:30:00 GMT", None),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("²", None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_capped_at_a_day(header, expected):
    assert retry_after(header, now=NOW) == expected


def test_back_off_grows_linearly_to_an_hour():
    waits = [back_off(refusals, jitter=0.0) for refusals in (1, 2, 3, 500)]
    assert waits == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=3), timedelta(hours=1)]
    assert back_off(1, jitter=1.0) == timedelta(seconds=90)


def test_a_hold_is_as_long_as_was_asked_for_or_else_grows():
    assert hold_seconds("3", refusals=5, at=NOW, jitter=1.0) == 3
    assert hold_seconds("Sun, 01 Mar 2026 12:30:00 GMT", refusals=1, at=NOW, jitter=1.0) == 1800
    assert hold_seconds(None, refusals=2, at=NOW, jitter=0.0) == 120
    assert hold_seconds("soon", refusals=2, at=NOW, jitter=0.0) == 120


@pytest.mark.parametrize(
    ("delay", "crawl_delay", "response_seconds", "expected"),
    [
        (1.0, 0.0, None, 1.0),
        (1.0, 0.0, 0.2, 1.0),
        (1.0, 0.0, 0.8, 1.6),
        (1.0, 5.0, 0.8, 5.0),
        (1.0, 900.0, None, MAX_CRAWL_DELAY_SECONDS),
        (60.0, 5.0, None, 60.0),
        # No pause is wanted, but one that the host asks for is kept.
        (0.0, 0.0, 3.0, 0.0),
        (0.0, 2.0, 3.0, 2.0),
    ],
)
def test_the_pause_is_the_largest_of_what_was_configured_asked_for_and_observed(
    delay, crawl_delay, response_seconds, expected
):
    assert pause_seconds(delay=delay, crawl_delay=crawl_delay, response_seconds=response_seconds) == expected


def test_the_response_time_is_smoothed():
    assert smoothed(None, 2.0) == 2.0
    assert smoothed(2.0, 1.0) == pytest.approx(1.7)


def lease(**changes):
    granted = Granted(
        epoch=1,
        lease_seconds=10.0,
        start_in_seconds=1.0,
        pause_seconds=2.0,
        response_seconds=None,
        refusals=0,
        requests_left=100,
    )
    own = Lease.of(granted, asked_at=100.0, answered_at=100.5, contended=False)
    for name, value in changes.items():
        setattr(own, name, value)
    return own


def test_a_lease_is_reckoned_from_before_the_question_and_the_pause_from_after_the_answer():
    own = lease()
    assert own.valid_until == 110.0
    assert own.next_at(2.0) == 101.5
    assert own.may_start(110.0 - LAST_START_SECONDS - 0.001)
    assert not own.may_start(110.0 - LAST_START_SECONDS)


def test_no_request_begins_without_a_lease_or_beyond_the_budget():
    assert not lease(lost=True).may_start(101.5)
    own = lease(requests_left=1)
    own.begin(1.0)
    assert not own.may_start(101.5)
    own.withdraw()
    assert own.may_start(101.5)


def test_the_next_request_waits_for_the_pause_that_is_known_then():
    own = lease()
    own.begin(1.0)
    own.end(103.0, 0.1)
    assert own.next_at(own.pause(crawl_delay=0.0)) == 104.0
    # A Crawl-delay that was read in that very response, and the delay of another source.
    assert own.next_at(own.pause(crawl_delay=5.0)) == 108.0
    assert own.next_at(own.pause(crawl_delay=0.0, delay=7.0)) == 110.0


def test_others_are_told_of_a_pause_that_has_grown_before_they_could_come_too_early():
    own = lease()
    assert not own.falls_short(11.0, 101.0)
    assert own.falls_short(11.1, 101.0)
    assert own.report("a", "me", release=False, pause=20.0).pause_seconds > 20.0
    assert own.report("a", "me", release=True, pause=20.0).pause_seconds == 20.0


def test_requests_are_reported_once_and_a_lost_lease_is_known():
    own = lease()
    own.begin(1.0)
    assert own.report("a", "me", release=False, pause=1.0).requests == 1
    assert own.heartbeat("a", "me").requests == 0
    assert own.report("a", "me", release=True, pause=1.0).requests == 0
    own.take_in(Kept(lease_seconds=10.0), asked_at=105.0)
    assert own.valid_until == 115.0
    own.take_in(Kept(lease_seconds=0.0), asked_at=106.0)
    assert own.lost


async def ask(politeness, host, spans, *, seconds=0.01, **options):
    async with politeness.slot(host, **options) as turn:
        start = steady_seconds()
        await asyncio.sleep(seconds)
        turn.answered(200, retry_after_header=None)
        spans.append((host, start, steady_seconds()))


def gaps(spans, host):
    of_host = sorted((start, end) for name, start, end in spans if name == host)
    return [later[0] - earlier[1] for earlier, later in pairwise(of_host)]


def test_one_request_a_host_at_a_time_and_a_pause_from_the_end_of_a_response():
    spans = []

    async def ask_all():
        async with Politeness(SlotsInMemory(), default_delay_seconds=0.05) as politeness:
            await asyncio.gather(*(ask(politeness, host, spans) for host in ("a", "b") for _ in range(4)))

    asyncio.run(ask_all())
    for host in ("a", "b"):
        assert len(gaps(spans, host)) == 3
        assert min(gaps(spans, host)) >= 0.05


def test_two_processes_ask_one_host_no_closer_and_no_more_than_one():
    spans = []

    async def ask_all():
        slots = SlotsInMemory()
        async with (
            Politeness(slots, default_delay_seconds=0.1) as one,
            Politeness(slots, default_delay_seconds=0.1) as other,
        ):
            await asyncio.gather(*(ask(process, "a", spans) for process in (one, other) for _ in range(4)))

    asyncio.run(ask_all())
    assert len(gaps(spans, "a")) == 7
    assert min(gaps(spans, "a")) >= 0.1


def test_a_slow_host_is_left_alone_for_twice_its_response_time():
    spans = []

    async def ask_twice():
        async with Politeness(SlotsInMemory(), default_delay_seconds=0.001) as politeness:
            for _ in range(2):
                await ask(politeness, "a", spans, seconds=0.05)

    asyncio.run(ask_twice())
    assert gaps(spans, "a")[0] >= 0.1


def test_a_delay_of_its_own_counts_from_the_first_request_on():
    spans = []

    async def ask_twice():
        async with Politeness(SlotsInMemory(), default_delay_seconds=0.001) as politeness:
            await ask(politeness, "a", spans, seconds=0)
            await ask(politeness, "a", spans, seconds=0, delay_seconds=0.2)
            await ask(politeness, "a", spans, seconds=0)

    asyncio.run(ask_twice())
    assert min(gaps(spans, "a")) >= 0.2


def test_of_all_origins_of_a_host_the_longest_crawl_delay_holds():
    spans = []

    async def ask_twice():
        async with Politeness(SlotsInMemory(), default_delay_seconds=0) as politeness:
            politeness.set_crawl_delay("x.example", 0.2, "http://x.example")
            politeness.set_crawl_delay("x.example", None, "https://www.x.example")
            await ask(politeness, "x.example", spans)
            await ask(politeness, "x.example", spans)
            politeness.set_crawl_delay("x.example", None, "http://x.example")
            await ask(politeness, "x.example", spans)

    asyncio.run(ask_twice())
    first, second = gaps(spans, "x.example")
    assert first >= 0.2
    assert second < 0.2


def test_a_host_that_refuses_is_held_for_all_processes_before_anybody_has_the_next_turn():
    slots = SlotsInMemory()

    async def refuse():
        async with (
            Politeness(slots, default_delay_seconds=0, now=lambda: NOW) as one,
            Politeness(slots, default_delay_seconds=0, now=lambda: NOW) as other,
        ):
            async with one.slot("a") as turn:
                waiting = asyncio.create_task(other.slot("a").__aenter__())
                turn.answered(429, retry_after_header="60")
            async with one.slot("b") as turn:
                turn.answered(200, retry_after_header="60")
            seen = await waiting
            async with one.slot("a") as again:
                pass
            async with Politeness(slots, default_delay_seconds=0, now=lambda: NOW) as later:
                return seen, again, one.held_hosts(now=NOW), later.held_hosts(now=NOW)

    seen, again, own, later = asyncio.run(refuse())
    assert seen.hold.reason == again.hold.reason == HOST_ASKED_TO_WAIT
    assert own == {"a": NOW + timedelta(seconds=60)}
    assert list(later) == ["a"]
    assert timedelta(seconds=50) < later["a"] - NOW <= timedelta(seconds=60)


def test_refusals_in_a_row_are_counted_and_an_answer_that_is_none_ends_the_row():
    slots = SlotsInMemory()

    async def answer(*statuses):
        async with Politeness(slots, default_delay_seconds=0, jitter=lambda: 0.0) as politeness:
            for status in statuses:
                async with politeness.slot("a") as turn:
                    turn.answered(status, retry_after_header=None)

    asyncio.run(answer(503))
    assert slots.states["a"].refusals == 1
    slots.states["a"] = slots.states["a"].__class__(host="a", refusals=1)
    asyncio.run(answer(503))
    assert slots.states["a"].refusals == 2
    slots.states["a"] = slots.states["a"].__class__(host="a", refusals=2)
    asyncio.run(answer(404))
    assert slots.states["a"].refusals == 0


def test_what_was_not_sent_after_all_is_neither_counted_nor_followed_by_a_pause():
    slots = SlotsInMemory()

    async def ask_nothing():
        async with Politeness(slots, default_delay_seconds=3600) as politeness:
            async with politeness.slot("a") as turn:
                turn.unused = True
            async with politeness.slot("a"):
                pass

    asyncio.run(ask_nothing())
    assert slots.states["a"].requests_today == 1


def test_when_the_budget_is_spent_the_host_is_left_alone():
    slots = SlotsInMemory()

    async def spend():
        async with Politeness(slots, default_delay_seconds=0, requests_per_day=3) as politeness:
            turns = []
            for _ in range(5):
                async with politeness.slot("a") as turn:
                    turns.append(turn.hold)
            return [hold and hold.reason for hold in turns]

    assert asyncio.run(spend()) == [None, None, None, BUDGET_SPENT, BUDGET_SPENT]
    assert slots.states["a"].requests_today == 3


def test_a_lease_that_is_not_used_is_given_back_soon_and_the_rest_at_the_end():
    slots = SlotsInMemory()

    async def ask_and_leave():
        async with Politeness(slots, default_delay_seconds=0) as politeness:
            async with politeness.slot("a"):
                pass
            assert slots.states["a"].reserved_by
            await asyncio.sleep(0.4)
            assert slots.states["a"].reserved_by is None
            async with politeness.slot("a"):
                pass
            assert slots.states["a"].reserved_by

    asyncio.run(ask_and_leave())
    assert slots.states["a"].reserved_by is None


def test_who_stops_waiting_leaves_the_line_and_the_lease():
    slots = SlotsInMemory()

    async def wait_in_vain():
        async with (
            Politeness(slots, default_delay_seconds=0) as one,
            Politeness(slots, default_delay_seconds=0) as two,
            one.slot("a"),
        ):
            waiting = asyncio.create_task(two.slot("a").__aenter__())
            await asyncio.sleep(0.01)
            assert slots.lines["a"]
            waiting.cancel()
            await asyncio.wait([waiting])
            assert not slots.lines["a"]

    asyncio.run(wait_in_vain())
    assert [type(request) for request in slots.requests] == [Take, Take, Leave, Report]


def test_no_more_requests_are_in_flight_than_there_are_places():
    in_flight, most = 0, 0
    slots = SlotsInMemory()
    for number in range(12):
        host = f"host-{number}"
        slots.states[host] = HostState(host=host, response_seconds=0.1)

    async def one(politeness, host):
        nonlocal in_flight, most
        async with politeness.slot(host):
            in_flight += 1
            most = max(most, in_flight)
            await asyncio.sleep(0.01)
            in_flight -= 1

    async def all_of_them():
        async with Politeness(slots, default_delay_seconds=0, at_once=3) as politeness:
            await asyncio.gather(*(one(politeness, f"host-{number}") for number in range(12)))

    asyncio.run(all_of_them())
    assert most == 3


def test_hosts_that_say_nothing_keep_those_that_answer_waiting_no_longer_than_a_moment():
    """Of hosts that were never asked most never answer; nor do some that did so before."""
    slots, ended = SlotsInMemory(), []
    for number in range(30):
        slots.states[f"known-{number}"] = HostState(host=f"known-{number}", response_seconds=0.1)

    async def one(politeness, host, seconds):
        async with politeness.slot(host) as turn:
            await asyncio.sleep(seconds)
            turn.answered(200, retry_after_header=None)
        ended.append(host)

    async def all_of_them():
        async with Politeness(slots, default_delay_seconds=0, at_once=2, patient_at_once=200) as politeness:
            silent = [asyncio.ensure_future(one(politeness, f"silent-{number}", 3600)) for number in range(150)]
            await asyncio.gather(*(one(politeness, f"new-{number}", 0) for number in range(30)))
            await asyncio.gather(*(one(politeness, f"known-{number}", 0) for number in range(30)))
            for task in silent:
                task.cancel()
            await asyncio.wait(silent)

    begun = steady_seconds()
    asyncio.run(all_of_them())
    assert len(ended) == 60
    assert steady_seconds() - begun < 30


def test_a_host_is_left_alone_after_silence_upon_silence_and_an_answer_ends_that():
    now = [NOW]

    async def once(politeness, *, silent):
        async with politeness.slot("a") as turn:
            if turn.hold is not None:
                return turn.hold
            if silent:
                turn.silent = True
            else:
                turn.answered(200, retry_after_header=None)
        return None

    async def ask_and_ask():
        async with Politeness(SlotsInMemory(), default_delay_seconds=0, now=lambda: now[0]) as politeness:
            for _ in range(3):
                assert await once(politeness, silent=True) is None
            hold = await once(politeness, silent=True)
            assert (hold.reason, hold.until) == (HOST_SILENT, NOW + timedelta(minutes=1))
            assert politeness.held_hosts(now=now[0]) == {"a": hold.until}
            assert [(one.host, one.silences) for one in politeness.stuck()] == [("a", 3)]
            now[0] += timedelta(minutes=2)
            assert politeness.held_hosts(now=now[0]) == {}
            assert await once(politeness, silent=True) is None
            hold = await once(politeness, silent=True)
            assert hold.until == now[0] + timedelta(minutes=4)
            now[0] += timedelta(minutes=5)
            assert await once(politeness, silent=False) is None
            assert politeness.stuck() == []
            assert await once(politeness, silent=True) is None
            assert await once(politeness, silent=True) is None

    asyncio.run(ask_and_ask())


def test_after_a_stop_nobody_waits_for_a_turn_but_a_chain_is_finished():
    async def stop():
        async with Politeness(SlotsInMemory(), default_delay_seconds=3600) as politeness:
            async with politeness.slot("a", delay_seconds=0.01):
                pass
            async with politeness.slot("b"):
                pass
            waiting = asyncio.create_task(politeness.slot("b").__aenter__())
            await asyncio.sleep(0)
            politeness.stop()
            with pytest.raises(FetchingStopped):
                await waiting
            with pytest.raises(FetchingStopped):
                async with politeness.slot("c"):
                    pass
            async with politeness.slot("a", delay_seconds=0.01, finishing=True):
                return True

    assert asyncio.run(stop())


@pytest.mark.parametrize(
    ("recorded_after", "part_after", "expected"),
    [
        (0.6, None, "recorded, other"),
        # What never is recorded keeps the host for a while only.
        (None, None, "other"),
        # What is to be recorded needs a further request to the host itself.
        (0.6, 0.3, "other, part, recorded"),
    ],
)
def test_a_host_goes_to_another_process_when_what_was_asked_for_is_recorded(
    recorded_after, part_after, expected, monkeypatch
):
    monkeypatch.setattr(politeness, "RECORDED_WITHIN_SECONDS", 1.0)
    monkeypatch.setattr(politeness, "LINGER_SECONDS", 0.0)
    monkeypatch.setattr(politeness, "RECORDED_LOOK_SECONDS", 0.01)
    slots, happened = SlotsInMemory(), []

    async def other(at):
        async with at.slot("a"):
            happened.append("other")

    async def part(at):
        at._hosts["a"].lease.slice_until = 0.0
        async with at.slot("a", part=True):
            happened.append("part")

    async def both():
        loop = asyncio.get_running_loop()
        async with (
            Politeness(slots, default_delay_seconds=0) as first,
            Politeness(slots, default_delay_seconds=0) as second,
        ):
            async with first.slot("a"):
                first.keep_until_recorded("a", "one")

            def record():
                happened.append("recorded")
                first.recorded("a", "one")

            if recorded_after is not None:
                loop.call_later(recorded_after, record)
            waiting = asyncio.create_task(other(second))
            if part_after is not None:
                await asyncio.sleep(part_after)
                await part(first)
            await waiting
            await asyncio.sleep((recorded_after or 0) * (part_after is not None))

    asyncio.run(both())
    assert ", ".join(happened) == expected
