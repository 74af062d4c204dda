"""Politeness through the database, on both kinds: processes that share a host, one that hangs, one that is held."""

import asyncio
import contextlib
import time
from collections import Counter
from itertools import pairwise

import pytest

from crawler import lease, slots
from crawler.politeness import Politeness
from crawler.slots import HostSlots
from crawler.urls import host_key
from scheduler.status import status_row
from storage import host_turns
from storage.clock import steady_seconds
from storage.errors import DatabaseUnavailable
from storage.host_turns import HOST_ASKED_TO_WAIT
from storage.model import FetchKind
from storage.outcomes import Outcome
from storage.store import Store
from tests.integration.crawls import Morgue
from tests.newsroom_stories import STORIES

HOST = "a.example"


@contextlib.asynccontextmanager
async def process(url, *, delay_seconds=0.0, **options):
    """What one process has: a connection to the database, a thread that asks for turns, and its own reckoning."""
    with Store.open(url) as store, HostSlots(store) as turns:
        async with Politeness(turns, default_delay_seconds=delay_seconds, **options) as politeness:
            yield politeness


@pytest.fixture
def short_leases(monkeypatch):
    """Leases of a second, so that a test sees several."""
    monkeypatch.setattr(host_turns, "LEASE", host_turns.LEASE / 10)
    monkeypatch.setattr(lease, "LAST_START_SECONDS", 0.3)
    monkeypatch.setattr(slots, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(slots, "PROLONGED_BEFORE_SECONDS", 0.6)


class Log:
    """Who asked when, by the clock that all share."""

    def __init__(self):
        self.spans = []

    async def ask(self, politeness, name, *, seconds=0.005):
        async with politeness.slot(HOST) as turn:
            begun = steady_seconds()
            await asyncio.sleep(seconds)
            turn.answered(200, retry_after_header=None)
            self.spans.append((begun, steady_seconds(), name))

    @property
    def smallest_gap(self):
        return min(later[0] - earlier[1] for earlier, later in pairwise(sorted(self.spans)))

    @property
    def names(self):
        return [name for _, _, name in sorted(self.spans)]


def test_two_processes_load_a_host_no_more_than_one(database_url, short_leases):
    log = Log()
    requests, delay = 12, 0.1

    async def ask_all():
        async with process(database_url, delay_seconds=delay) as one, process(database_url, delay_seconds=delay) as two:
            asked = [log.ask(politeness, name) for politeness, name in ((one, 1), (two, 2)) for _ in range(requests)]
            await asyncio.gather(*asked)

    asyncio.run(ask_all())
    assert Counter(log.names) == {1: requests, 2: requests}
    assert log.smallest_gap >= delay


def test_who_waits_is_served_next_and_not_only_when_the_other_has_nothing_more_to_ask(database_url, short_leases):
    log = Log()

    async def ask_all():
        async with (
            process(database_url, delay_seconds=0.05) as busy,
            process(database_url, delay_seconds=0.05) as other,
        ):
            many = [asyncio.create_task(log.ask(busy, "busy")) for _ in range(40)]
            while not log.spans:
                await asyncio.sleep(0.01)
            await log.ask(other, "other")
            assert not all(task.done() for task in many)
            await asyncio.gather(*many)

    asyncio.run(ask_all())
    # Within a slice of the other's and not at its end.
    assert log.names.index("other") < 30


def test_a_slow_answer_lets_nobody_else_in(database_url, short_leases):
    log = Log()

    async def ask_all():
        async with process(database_url) as slow, process(database_url) as other:
            asking = asyncio.create_task(log.ask(slow, "slow", seconds=2.5))
            await asyncio.sleep(0.1)
            await log.ask(other, "other")
            await asking

    asyncio.run(ask_all())
    assert log.names == ["slow", "other"]
    assert log.smallest_gap >= 0


def test_even_while_the_process_is_busy_with_something_else(database_url, short_leases):
    async def hang():
        async with process(database_url) as busy, process(database_url) as other:
            async with busy.slot(HOST):
                time.sleep(2.0)  # the event loop is blocked on purpose
                waiting = asyncio.create_task(other.slot(HOST).__aenter__())
                await asyncio.sleep(0.1)
                assert not waiting.done()
            await waiting

    asyncio.run(hang())


def test_one_that_was_suspended_begins_nothing_by_a_lease_that_is_another_s_now(database_url, short_leases):
    begun = []

    async def wake_up():
        async with process(database_url) as sleeper, process(database_url) as other:
            async with sleeper.slot(HOST):
                pass
            # The lease is kept for a moment, in case there is more to ask; meanwhile the process stands still.
            time.sleep(1.2)  # the event loop is blocked on purpose
            async with other.slot(HOST):
                asking = asyncio.create_task(sleeper.slot(HOST).__aenter__())
                await asyncio.sleep(0.3)
                begun.append(asking.done())
            await asking

    asyncio.run(wake_up())
    assert begun == [False]


def test_the_turn_of_one_that_is_gone_is_free_when_its_lease_and_its_pause_are_over(database_url, short_leases):
    async def be_gone():
        async with process(database_url) as waits:
            with Store.open(database_url) as store, HostSlots(store) as turns:
                take = host_turns.Take(host=HOST, owner="gone", pause_seconds=0.7)
                asked_at = steady_seconds()
                await turns.ask(take)
            async with waits.slot(HOST):
                return steady_seconds() - asked_at

    assert 1.7 <= asyncio.run(be_gone()) < 5


def test_a_database_that_is_gone_ends_the_waiting(database_url, backend, tmp_path):
    if backend != "sqlite":
        pytest.skip("the file of a SQLite database can be taken away")

    async def lose():
        async with process(database_url) as politeness:
            (tmp_path / "morgue.db").rename(tmp_path / "elsewhere.db")
            with pytest.raises(DatabaseUnavailable):
                async with politeness.slot(HOST):
                    pass

    asyncio.run(lose())


def test_a_lease_that_cannot_be_prolonged_keeps_nobody_from_being_answered(database_url, short_leases, monkeypatch):
    def fail(*_):
        raise ValueError("unexpected")

    async def ask_on():
        async with process(database_url) as politeness:
            monkeypatch.setattr(lease.Lease, "heartbeat", fail)
            async with politeness.slot(HOST):
                await asyncio.sleep(1.5)
            async with politeness.slot("b.example") as turn:
                return turn.hold

    assert asyncio.run(ask_on()) is None


@pytest.mark.parametrize("asked_before", [True, False])
def test_when_the_thread_that_asks_for_turns_breaks_nobody_waits_for_it(database_url, monkeypatch, asked_before):
    def fail(*_):
        raise ValueError("unexpected")

    async def ask_in_vain():
        async with process(database_url) as politeness:
            monkeypatch.setattr(HostSlots, "_next_batch", fail)
            if not asked_before:
                await asyncio.sleep(2 * slots.BEAT_SECONDS)
            for _ in range(3):
                with contextlib.suppress(ValueError):
                    async with politeness.slot(HOST):
                        pass
            with pytest.raises(ValueError, match="unexpected"):
                async with politeness.slot("b.example"):
                    pass
        return True

    assert asyncio.run(ask_in_vain())


def test_a_crawl_that_begins_while_a_host_is_held_says_so_and_asks_nothing(morgue: Morgue, newsroom):
    urls = [newsroom.publish_story(story) for story in STORIES[:2]]
    newsroom.respond(urls[0].removeprefix(newsroom.origin), status=429, headers={"Retry-After": "600"})
    morgue.crawl(urls[0])
    newsroom.clear_log()
    report = morgue.crawl(urls[1])
    assert newsroom.requests == ()
    assert list(report.held) == [host_key(urls[1])]
    assert [(named.outcome, named.reason) for named in report.named] == [(Outcome.RATE_LIMITED, HOST_ASKED_TO_WAIT)]


def test_the_budget_of_a_day_counts_robots_and_all_crawls_of_the_day(morgue: Morgue, newsroom):
    urls = [newsroom.publish_story(story) for story in STORIES[:4]]
    morgue.crawl_settings = morgue.crawl_settings.model_copy(update={"requests_per_host_per_day": 3})
    morgue.crawl(urls[0])
    report = morgue.crawl(*urls[1:])
    assert len(newsroom.requests) == 3
    assert {fetch.reason for fetch in morgue.fetches() if fetch.outcome is Outcome.RATE_LIMITED} == {"budget_spent"}
    assert list(report.held) == [host_key(urls[0])]


def test_robots_txt_is_asked_for_once_by_all_crawls_of_a_day(morgue: Morgue, newsroom):
    urls = [newsroom.publish_story(story) for story in STORIES[:3]]
    for url in urls:
        morgue.crawl(url)
    assert len(newsroom.requests_for("/robots.txt")) == 1
    assert len([fetch for fetch in morgue.fetches() if fetch.kind is FetchKind.ROBOTS]) == 1


def test_a_host_whose_requests_of_the_day_are_spent_is_left_alone_and_said_to_be(morgue: Morgue, newsroom):
    urls = [newsroom.publish_story(story) for story in STORIES[:4]]
    morgue.crawl_settings = morgue.crawl_settings.model_copy(update={"requests_per_host_per_day": 3})
    report = morgue.crawl(*urls)
    assert len(newsroom.requests) == 3, "robots.txt and two pages"
    spent = [(result.outcome, result.reason) for result in report.named if result.reason]
    assert spent == [(Outcome.RATE_LIMITED, "budget_spent")] * 2
    assert [hold.reason for hold in report.held.values()] == ["budget_spent"]
    before = len(newsroom.requests)
    morgue.crawl(urls[3])
    assert len(newsroom.requests) == before
    with morgue.store.reading() as transaction:
        row = status_row(transaction, None, url_key=str, requests_per_day=3)
    assert [(held["host"], held["reason"]) for held in row["held_hosts"]] == [(host_key(urls[0]), "budget_spent")]
