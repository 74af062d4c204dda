"""The writing thread: collisions are tried again, a broken database is told to everybody who waits."""

import asyncio
from contextlib import contextmanager, nullcontext

import pytest

from crawler import recorder
from crawler.recorder import Recorder
from storage.errors import DatabaseBusy, DatabaseUnavailable


class Pages:
    def lock(self, page_ids):
        pass


class Fetches:
    def take_new(self):
        return []


class Transaction:
    pages = Pages()
    fetches = Fetches()

    def savepoint(self):
        return nullcontext()


class CollidingStore:
    """A store whose first transactions end in these problems."""

    def __init__(self, problems):
        self.problems = list(problems)
        self.begun = 0

    @contextmanager
    def writing(self):
        self.begun += 1
        yield Transaction()
        if self.problems:
            raise self.problems.pop(0)


def write(store):
    async def run():
        with Recorder(store, archive=None) as writer:
            return await writer.write(lambda transaction: "written")

    return asyncio.run(run())


def busy():
    return DatabaseBusy("morgue", "another process wanted the same rows")


def test_a_collision_is_tried_again():
    store = CollidingStore([busy(), busy()])
    assert write(store) == "written"
    assert store.begun == 3


def test_endless_collisions_end_with_their_cause(monkeypatch):
    monkeypatch.setattr(recorder, "MAX_COLLISIONS", 2)
    store = CollidingStore(busy() for _ in range(9))
    with pytest.raises(DatabaseBusy):
        write(store)
    assert store.begun == 3


def test_a_database_that_is_gone_is_told_at_once():
    store = CollidingStore([DatabaseUnavailable("morgue", "gone")])
    with pytest.raises(DatabaseUnavailable, match="gone"):
        write(store)
    assert store.begun == 1
