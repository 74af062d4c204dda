"""Which of the feeds that are due the service polls, where many of them have to wait."""

import asyncio
from datetime import timedelta

import pytest

from crawler.urls import host_key
from scheduler import jobs as jobs_module
from scheduler.jobs import FEEDS_A_HOST, ServiceJobs
from storage.clock import utc_now
from storage.model import Source


class Politeness:
    """Holds the hosts it is told to."""

    def __init__(self, *held):
        self.held = held

    def held_until(self, host, *, now):
        return now + timedelta(hours=24) if host in self.held else None


class Fetcher:
    """Fetches nothing."""

    def halt(self, source_ids):
        assert source_ids == frozenset()


class Recorder:
    """Writes nothing."""

    async def write(self, write):
        raise AssertionError("nothing was polled to its end")


class Crawling:
    """Reads the database; a poll takes until the test ends it."""

    def __init__(self, store, *held):
        self.store = store
        self.politeness = Politeness(*held)
        self.fetcher = Fetcher()
        self.recorder = Recorder()
        self.begun = []
        self.release = asyncio.Event()

    async def read(self, query):
        with self.store.reading() as transaction:
            return query(transaction)

    def explorer(self, **_):
        return self

    async def begin(self, feed, *, watched, fetched):
        assert fetched is None
        self.begun.append(feed.url)
        await self.release.wait()

    async def follow(self):
        pass


@pytest.fixture
def backend():
    return "sqlite"


def begun(store, *held, ticks=3):
    async def work():
        crawling = Crawling(store, *held)
        jobs = ServiceJobs(crawling, poll_due=None, pages=None, on_broken=pytest.fail)
        for _ in range(ticks):
            await jobs.poll_due_feeds()
            await asyncio.sleep(0)
        before = list(crawling.begun)
        crawling.release.set()
        while running := jobs._running():
            await asyncio.wait(running)
        assert not jobs._polling_of_host
        return before

    return asyncio.run(work())


def configure(store, *, sections):
    many = Source(slug="many", sections=tuple(f"http://many.example/{number}/" for number in range(sections)))
    one = Source(slug="one", feeds=("http://one.example/rss",))
    with store.writing() as transaction:
        transaction.sources.sync([many], utc_now() - timedelta(minutes=20))
        transaction.sources.sync([many, one], utc_now() - timedelta(minutes=10))


def test_the_feeds_of_a_host_that_is_left_alone_stop_no_other(store):
    configure(store, sections=450)
    assert begun(store, "many.example") == ["http://one.example/rss"]


def test_the_feeds_of_one_host_take_no_more_than_their_places(store):
    configure(store, sections=450)
    polled = begun(store)
    assert polled.count("http://one.example/rss") == 1
    assert len(polled) == len(set(polled)) == FEEDS_A_HOST + 1


def test_no_more_hosts_are_polled_at_a_time_than_there_are_places(store, monkeypatch):
    monkeypatch.setattr(jobs_module, "HOSTS_AT_ONCE", 5)
    sources = [Source(slug=f"s{number}", feeds=(f"http://s{number}.example/rss",)) for number in range(20)]
    with store.writing() as transaction:
        transaction.sources.sync(sources, utc_now() - timedelta(minutes=20))
    polled = begun(store)
    assert len({host_key(url) for url in polled}) == len(polled) == 5
