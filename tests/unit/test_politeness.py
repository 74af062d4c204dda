"""When a host may be asked again."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from crawler.politeness import FetchingStopped, Politeness, back_off, retry_after

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


def test_a_host_that_refuses_is_held_and_released_when_its_time_is_over():
    politeness = Politeness(default_delay_seconds=0, jitter=lambda: 0.0)
    politeness.note_answer("a", status=429, retry_after_header="60", now=NOW)
    politeness.note_answer("b", status=503, retry_after_header=None, now=NOW)
    politeness.note_answer("c", status=200, retry_after_header="60", now=NOW)
    assert politeness.held_hosts(now=NOW) == {"a": NOW + timedelta(seconds=60), "b": NOW + timedelta(seconds=60)}
    assert politeness.held_hosts(now=NOW + timedelta(seconds=61)) == {}


def test_one_request_a_host_at_a_time_and_a_pause_from_the_end_of_a_response():
    politeness = Politeness(default_delay_seconds=0.05)
    spans = []

    async def ask(host):
        async with politeness.slot(host):
            start = asyncio.get_running_loop().time()
            await asyncio.sleep(0.01)
            spans.append((host, start, asyncio.get_running_loop().time()))

    async def ask_all():
        await asyncio.gather(*(ask(host) for host in ("a", "b") for _ in range(4)))

    asyncio.run(ask_all())
    for host in ("a", "b"):
        of_host = sorted((start, end) for name, start, end in spans if name == host)
        gaps = [later[0] - earlier[1] for earlier, later in pairwise(of_host)]
        assert len(gaps) == 3
        assert min(gaps) >= 0.05


def test_a_slow_host_is_left_alone_for_twice_its_response_time():
    politeness = Politeness(default_delay_seconds=0.001)

    async def ask():
        starts, ends = [], []
        for _ in range(2):
            async with politeness.slot("a") as turn:
                starts.append(asyncio.get_running_loop().time())
                turn.response_seconds = 0.05
                ends.append(asyncio.get_running_loop().time())
        return starts[1] - ends[0]

    assert asyncio.run(ask()) >= 0.1


def test_a_hold_is_never_shortened_by_a_later_answer():
    politeness = Politeness(default_delay_seconds=0, jitter=lambda: 0.0)
    politeness.note_answer("a", status=429, retry_after_header="3600", now=NOW)
    politeness.note_answer("a", status=503, retry_after_header=None, now=NOW)
    assert politeness.held_until("a", now=NOW) == NOW + timedelta(hours=1)


def test_of_all_origins_of_a_host_the_longest_crawl_delay_holds():
    politeness = Politeness(default_delay_seconds=0)
    politeness.set_crawl_delay("x.example", 0.2, origin="http://x.example")
    politeness.set_crawl_delay("x.example", None, origin="https://www.x.example")

    async def ask():
        times = []
        for _ in range(2):
            async with politeness.slot("x.example"):
                times.append(asyncio.get_running_loop().time())
        return times[1] - times[0]

    assert asyncio.run(ask()) >= 0.2


def test_after_a_stop_nobody_waits_for_a_turn_but_a_chain_is_finished():
    politeness = Politeness(default_delay_seconds=3600)

    async def ask():
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
        async with politeness.slot("a", finishing=True):
            return True

    assert asyncio.run(ask())
