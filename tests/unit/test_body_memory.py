"""Few large bodies are in memory at once; the others wait on disk, and nothing of them is lost."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from crawler import body_memory
from crawler.body_memory import LARGE_BYTES, BodyOnDisk, ComingBody, ComingBytes, RoomForLarge

MEGABYTE = 1 << 20


class Owner:
    """Something that has a body."""


def test_what_comes_is_whole_in_memory_and_beyond_it():
    coming = ComingBytes(1_000)
    small, large = ComingBody(coming), ComingBody(coming)
    for number in range(100):
        small.append(b"s" * 5)
        large.append(b"%03d," % number * 10)
    assert small.content() == b"s" * 500
    assert large.content() == b"".join(b"%03d," % number * 10 for number in range(100))
    assert len(large) == 4_000
    assert coming.left == 500  # the large one is on disk
    small.close()
    large.close()
    assert coming.left == 1_000


def test_more_of_many_bodies_than_may_be_in_memory_goes_to_disk():
    coming = ComingBytes(MEGABYTE)
    bodies = [ComingBody(coming) for _ in range(40)]
    for _ in range(10):
        for body in bodies:
            body.append(b"x" * 100_000)
            assert coming.left >= 0
    assert {len(body.content()) for body in bodies} == {1_000_000}
    for body in bodies:
        body.close()
    assert coming.left == MEGABYTE


def test_no_files_are_left_open():
    before = _open_files()
    for _ in range(20):
        body = ComingBody(ComingBytes(0))
        body.append(b"x")
        body.close()
        with contextlib.closing(BodyOnDisk(b"y")) as on_disk:
            assert on_disk.content() == b"y"
    assert _open_files() == before


def _open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_small_bodies_never_wait():
    async def run():
        room = RoomForLarge(MEGABYTE)
        await room.wait(MEGABYTE)
        room.keep(owner := Owner(), MEGABYTE)
        assert room.is_there(LARGE_BYTES)
        await asyncio.wait_for(room.wait(LARGE_BYTES), 5)
        assert not room.is_there(LARGE_BYTES + 1)
        del owner

    asyncio.run(run())


def test_few_are_let_in_at_once_and_each_in_its_turn():
    async def run():
        room, inside, most, order = RoomForLarge(3 * MEGABYTE), 0, 0, []

        async def read(number):
            nonlocal inside, most
            await room.wait(MEGABYTE)
            owner = Owner()
            room.keep(owner, MEGABYTE)
            inside += 1
            most = max(most, inside)
            order.append(number)
            await asyncio.sleep(0)
            inside -= 1
            await asyncio.to_thread(_drop, [owner])
            del owner

        await asyncio.gather(*(read(number) for number in range(30)))
        await asyncio.sleep(0.01)
        assert most == 3
        assert order == sorted(order)
        assert room.is_there(3 * MEGABYTE)

    asyncio.run(run())


def _drop(owners):
    owners.clear()


def test_one_that_is_larger_than_all_room_is_let_in_alone():
    async def run():
        room = RoomForLarge(MEGABYTE)
        await asyncio.wait_for(room.wait(5 * MEGABYTE), 5)
        owner = Owner()
        room.keep(owner, 5 * MEGABYTE)
        assert not room.is_there(MEGABYTE)
        waiting = asyncio.create_task(room.wait(MEGABYTE))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        del owner
        await asyncio.wait_for(waiting, 5)

    asyncio.run(run())


def test_who_is_cancelled_takes_no_room():
    async def run():
        room = RoomForLarge(MEGABYTE)
        await room.wait(MEGABYTE)
        owner = Owner()
        room.keep(owner, MEGABYTE)
        waiting = [asyncio.create_task(room.wait(MEGABYTE)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        del owner
        await asyncio.sleep(0)  # the second was told, and is cancelled before it knows
        waiting[1].cancel()
        await asyncio.wait_for(waiting[2], 5)
        room.keep(last := Owner(), MEGABYTE)
        assert not room.is_there(MEGABYTE)
        del last
        await asyncio.sleep(0.01)
        assert room.is_there(MEGABYTE)

    asyncio.run(run())


def test_nobody_waits_for_ever():
    async def run():
        room = RoomForLarge(MEGABYTE, longest_wait_seconds=0.01)
        owners = [Owner(), Owner()]
        for owner in owners:
            await asyncio.wait_for(room.wait(MEGABYTE), 5)
            room.keep(owner, MEGABYTE)
        assert not room.is_there(MEGABYTE)
        owners.clear()
        del owner
        await asyncio.sleep(0.01)
        assert room.is_there(MEGABYTE)

    asyncio.run(run())


def test_a_full_disk_is_said_as_such(monkeypatch):
    monkeypatch.setattr(body_memory, "_FOLDER", "/proc/self/no-such-folder")
    with pytest.raises(OSError, match="No such file"):
        ComingBody(ComingBytes(0)).append(b"x")
    with pytest.raises(OSError, match="No such file"):
        BodyOnDisk(b"x")
