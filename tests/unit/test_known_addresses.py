"""How often a publisher's addresses are learnt from."""

import asyncio

import pytest

from crawler import known_addresses
from crawler.known_addresses import LearntShapes


@pytest.fixture
def shapes(monkeypatch):
    """Shapes learnt from `known` addresses at a time that the test sets, and how often that was."""
    learnt = LearntShapes(store=None)
    learnt.known, learnt.times, learnt.now = 1000, 0, 1000.0

    def learn(_source_id):
        learnt.times += 1
        return object(), learnt.known

    monkeypatch.setattr(learnt, "_learn", learn)

    def times_after(seconds, *, new=0):
        learnt.now += seconds
        learnt.note_new(1, new)

        async def ask():
            loop = asyncio.get_running_loop()
            with monkeypatch.context() as patch:
                patch.setattr(loop, "time", lambda: learnt.now)
                first = await learnt.of(1)
                assert await learnt.of(1) is first
            return learnt.times

        return asyncio.run(ask())

    learnt.times_after = times_after
    return learnt


def test_what_is_new_is_learnt_from_once_it_is_enough_and_not_at_every_sitemap(shapes):
    assert shapes.times_after(0) == 1
    assert shapes.times_after(1, new=10_000) == 1, "it was learnt a second ago"
    assert shapes.times_after(known_addresses.AGAIN_SECONDS) == 2
    assert shapes.times_after(known_addresses.AGAIN_SECONDS, new=249) == 2, "that is less than a quarter more"
    assert shapes.times_after(0, new=1) == 3
    assert shapes.times_after(known_addresses.AGAIN_SECONDS) == 3, "nothing is new"
    assert shapes.times_after(known_addresses.KEPT_SECONDS) == 4


def test_where_little_is_known_what_is_new_is_learnt_from_at_once(shapes):
    shapes.known = 0
    assert shapes.times_after(0) == 1
    assert shapes.times_after(0) == 1
    shapes.known = 20
    assert shapes.times_after(0, new=20) == 2
    assert shapes.times_after(0, new=4) == 2
    assert shapes.times_after(0, new=1) == 3
