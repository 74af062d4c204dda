"""Places for requests: hosts that say nothing keep no others waiting, and everything has a bound."""

import asyncio

import pytest

from crawler import places as module
from crawler.pacing import MAX_SILENCE, silence_seconds
from crawler.places import Pace, Places, open_files_allowed, pace_of, patient_places


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(module, "QUICK_SECONDS", 0.05)


def test_the_pace_of_a_host_is_that_of_its_answers():
    assert pace_of(None) is Pace.UNKNOWN
    assert pace_of(0.3) is Pace.QUICK
    assert pace_of(2.5) is Pace.SLOW


def test_there_are_as_many_patient_places_as_open_files_allow():
    assert patient_places(16, open_files=20_000) == 512
    assert patient_places(16, open_files=1024) == 496
    assert patient_places(1000, open_files=1024) == 1000
    assert open_files_allowed() >= 256


def taken(places, pace, times):
    """Ask for places, and return those that were given at once and the tasks that wait for the others."""
    return [asyncio.ensure_future(places.take(pace)) for _ in range(times)]


async def settled(tasks):
    await asyncio.sleep(0.01)
    return [task.result() for task in tasks if task.done()]


def test_each_kind_of_host_has_places_of_its_own():
    async def take():
        places = Places(common=6, patient=8)
        quick, slow = taken(places, Pace.QUICK, 8), taken(places, Pace.SLOW, 20)
        assert (len(await settled(quick)), len(await settled(slow))) == (6, 6)
        unknown = taken(places, Pace.UNKNOWN, 5)
        assert len(await settled(unknown)) == 2, "slow hosts leave some to those that were never asked"
        quick[0].result().release()
        assert len(await settled(quick)) == 7
        for task in (*quick, *slow, *unknown):
            task.cancel()

    asyncio.run(take())


def test_requests_to_hosts_that_may_say_nothing_do_not_begin_all_at_once(monkeypatch):
    monkeypatch.setattr(module, "BEGINNING_SECONDS", 0.5)

    async def take():
        places = Places(common=2, patient=100)
        tasks = taken(places, Pace.UNKNOWN, 50)
        first = await settled(tasks)
        assert len(first) == 4
        first[0].release()
        assert len(await settled(tasks)) == 5, "one that answers makes place at once"
        await asyncio.sleep(1.0)
        assert len(await settled(tasks)) >= 8
        for task in tasks:
            task.cancel()

    asyncio.run(take())


def test_who_turns_out_to_say_nothing_gives_its_common_place_to_others(impatient):
    async def take():
        places = Places(common=2, patient=3)
        tasks = taken(places, Pace.QUICK, 9)
        assert len(await settled(tasks)) == 2
        await asyncio.sleep(0.2)
        held = [task.result() for task in tasks if task.done()]
        assert len(held) == 2 + 3, "there is a bound on silent ones too"
        held[0].release()
        await asyncio.sleep(0.2)
        assert len([task for task in tasks if task.done()]) == 6
        for task in tasks:
            task.cancel()

    asyncio.run(take())


def test_whatever_happens_while_places_are_waited_for_none_is_lost(impatient):
    async def take():
        places = Places(common=2, patient=4)

        async def one(number):
            place = await places.take(list(Pace)[number % 3])
            try:
                await asyncio.sleep(0.001 * (number % 70))
            finally:
                place.release()

        tasks = [asyncio.ensure_future(one(number)) for number in range(200)]
        for number, task in enumerate(tasks):
            if number % 7 == 0:
                await asyncio.sleep(0.001)
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert len(await settled(taken(places, Pace.QUICK, 2))) == 2
        assert len(await settled(taken(places, Pace.UNKNOWN, 4))) == 4

    asyncio.run(take())


def test_a_place_that_comes_in_the_moment_in_which_nobody_wants_it_any_more_is_not_lost():
    async def take():
        places = Places(common=1, patient=4)
        first = await places.take(Pace.QUICK)
        waiting = asyncio.ensure_future(places.take(Pace.QUICK))
        await asyncio.sleep(0)
        first.release()
        waiting.cancel()
        await asyncio.wait([waiting])
        assert len(await settled(taken(places, Pace.QUICK, 1))) == 1

    asyncio.run(take())


def test_a_silent_host_is_left_alone_for_longer_and_longer():
    assert [silence_seconds(times) for times in (1, 2, 3, 4, 5, 6)] == [0, 0, 60, 240, 960, 3840]
    assert silence_seconds(7) == silence_seconds(10_000) == MAX_SILENCE.total_seconds()


def test_who_is_cancelled_together_with_others_only_ends():
    async def all_at_once():
        places = Places(common=1, patient=1)

        async def hold():
            place = await places.take(Pace.QUICK)
            try:
                await asyncio.sleep(60)
            finally:
                place.release()

        tasks = [asyncio.create_task(hold()) for _ in range(4)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(ended) for ended in asyncio.run(all_at_once())] == [asyncio.CancelledError] * 4
