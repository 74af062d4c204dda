"""The loop over pages: what one page's failure costs, and what ends the loop."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import structlog

from crawler import page_loop
from crawler.host_fairness import HostFairness
from crawler.page_loop import PageLoop
from crawler.politeness import NoLongerOwed
from crawler.worker_pool import PoolStopped
from storage.errors import ArchiveUnavailable
from storage.records import PageState


def a_page(page_id: int) -> PageState:
    url = f"https://courier.example/{page_id}"
    return PageState(
        page_id=page_id,
        source_id=1,
        url=url,
        url_key=url.removeprefix("https://"),
        host="courier.example",
        first_seen_at=datetime(2024, 5, 1, tzinfo=UTC),
    )


def work(pages: int, problem: Exception, *, at: int) -> tuple[list[int], list[str], list[int]]:
    """Run a loop over that many pages of one host whose recording fails once; return what was recorded, the levels of
    what was logged, and which pages were fetched."""
    recorded: list[int] = []
    fetched: list[int] = []

    async def next_pages(*, exclude_hosts, exclude_pages, limit):
        owed = set(range(pages)) - set(recorded) - set(exclude_pages)
        return [a_page(page_id) for page_id in sorted(owed)[:limit]]

    async def fetch(page):
        fetched.append(page.page_id)

    async def ingest(page, _):
        if page.page_id == at:
            raise problem
        recorded.append(page.page_id)

    loop = PageLoop(next_pages=next_pages, fetch=fetch, ingest=ingest, held_hosts=set, ingests_at_once=1)
    with structlog.testing.capture_logs() as logs:
        asyncio.run(loop.run())
    return recorded, [entry["log_level"] for entry in logs], fetched


def test_a_page_that_cannot_be_recorded_costs_the_others_nothing():
    recorded, levels, fetched = work(5, ZeroDivisionError(), at=2)
    assert sorted(recorded) == [0, 1, 3, 4]
    assert levels == ["error"]
    assert sorted(fetched) == [0, 1, 2, 3, 4]


def test_a_page_whose_reading_was_stopped_is_left_owed_without_an_error():
    recorded, levels, fetched = work(5, PoolStopped("a page"), at=2)
    assert sorted(recorded) == [0, 1, 3, 4]
    assert levels == ["info"]
    assert fetched.count(2) == 1


def test_an_archive_that_refuses_ends_the_loop():
    with pytest.raises(ArchiveUnavailable, match="is full"):
        work(100, ArchiveUnavailable("archive", "is full"), at=2)


class Owed:
    """Pages that are owed, and how often somebody asked for them."""

    def __init__(self, hosts: dict[str, int]) -> None:
        names = [host for host, count in hosts.items() for _ in range(count)]
        self.pages = {number: replace(a_page(number), host=host) for number, host in enumerate(names)}
        self.done: list[int] = []
        self.questions = 0

    async def next_pages(self, *, exclude_hosts, exclude_pages, limit):
        self.questions += 1
        await asyncio.sleep(0)
        done = set(self.done)
        left = [p for n, p in self.pages.items() if n not in done]
        return [p for p in left if p.host not in exclude_hosts and p.page_id not in exclude_pages][:limit]

    async def ingest(self, page, _):
        await asyncio.sleep(0)
        self.done.append(page.page_id)

    def loop(self, fetch, **options) -> PageLoop:
        options = {"held_hosts": set, "ingests_at_once": 2} | options
        return PageLoop(next_pages=self.next_pages, fetch=fetch, ingest=self.ingest, **options)


async def at_once(page):
    await asyncio.sleep(0)


def test_a_host_with_many_pages_is_asked_about_a_few_times_and_finished():
    owed = Owed({"a": 500})
    asyncio.run(owed.loop(at_once).run())
    assert sorted(owed.done) == list(range(500))
    assert owed.questions <= 500 / 5


def test_hosts_that_hang_keep_nobody_else_waiting():
    owed = Owed({f"slow{n}": 1 for n in range(12)} | {f"good{n}": 3 for n in range(12)})
    order = []

    async def run():
        released = asyncio.Event()

        async def fetch(page):
            if page.host.startswith("slow"):
                await released.wait()
            order.append(page.host)
            if len(order) == 36:
                released.set()

        await owed.loop(fetch).run()

    asyncio.run(run())
    assert all(host.startswith("good") for host in order[:36])
    assert len(owed.done) == 48


def test_a_limit_is_the_number_of_pages_fetched():
    owed = Owed({"a": 50, "b": 50})
    asyncio.run(owed.loop(at_once, limit=7).run())
    assert len(owed.done) == 7


def test_a_page_whose_fetching_breaks_is_fetched_once():
    owed = Owed({"a": 3})
    fetched = []

    async def fetch(page):
        fetched.append(page.page_id)
        if page.page_id == 1:
            raise ZeroDivisionError

    with structlog.testing.capture_logs():
        asyncio.run(owed.loop(fetch).run())
    assert sorted(fetched) == [0, 1, 2]
    assert sorted(owed.done) == [0, 2]


def test_a_host_that_is_held_is_left_owed():
    owed = Owed({"a": 5, "b": 5})
    asyncio.run(owed.loop(at_once, held_hosts=lambda: {"a"}).run())
    assert sorted(owed.done) == [5, 6, 7, 8, 9]


def test_a_page_that_somebody_else_fetched_meanwhile_is_passed_over():
    owed = Owed({"a": 4})
    fetched = []

    async def fetch(page):
        if page.page_id % 2:
            # The other process has yet to record it, so it stands in the database as it did.
            passed_over.append(page.page_id)
            raise NoLongerOwed
        fetched.append(page.page_id)

    passed_over = []
    asyncio.run(owed.loop(fetch, limit=4).run())
    assert sorted(fetched) == sorted(owed.done) == [0, 2]
    assert sorted(passed_over) == [1, 3]


def test_a_host_that_lets_a_page_wait_for_long_has_one_page_here_and_takes_no_place(monkeypatch):
    monkeypatch.setattr(page_loop, "LONG_SECONDS", 0.05)
    owed = Owed({f"silent{n}": 40 for n in range(600)} | {f"good{n}": 2 for n in range(50)})
    by_turns = sorted(owed.pages.values(), key=lambda page: (page.host.startswith("good"), page.page_id % 40))
    owed.pages = {number: replace(page, page_id=number) for number, page in enumerate(by_turns)}
    good = []

    async def run():
        async def fetch(page):
            if page.host.startswith("silent"):
                await asyncio.Event().wait()
            good.append(page.host)
            if len(good) == 100:
                assert loop.in_hand <= page_loop.WINDOW + 600
                loop.abandon()

        loop = owed.loop(fetch)
        await loop.run()

    asyncio.run(run())
    assert len(good) == 100


def test_a_loop_waits_for_more_while_more_is_coming():
    owed = Owed({"a": 1})
    coming = [True]

    async def run():
        loop = owed.loop(at_once, more_coming=lambda: coming[0])
        running = asyncio.create_task(loop.run())
        while not owed.done:
            await asyncio.sleep(0)
        assert not running.done()
        owed.pages[1] = replace(owed.pages[0], page_id=1)
        loop.ask_soon()
        while 1 not in owed.done:
            await asyncio.sleep(0)
        coming[0] = False
        loop.ask_soon()
        await running

    asyncio.run(run())
    assert owed.done == [0, 1]


@pytest.mark.parametrize("in_turn", [True, False], ids=["by turns", "one host after the other"])
def test_slow_hosts_with_much_to_do_keep_nobody_else_waiting(in_turn):
    slow = {f"slow{n}": 60 for n in range(40)}
    owed = Owed(slow | {f"quick{n}": 1 for n in range(100)})
    if in_turn:
        last = owed.pages[40 * 60 - 1].page_id
        owed.pages = {n: replace(page, host=f"slow{n % 40}") if n <= last else page for n, page in owed.pages.items()}
    fetched = []

    async def run():
        async def fetch(page):
            # A slow host answers once while all others have their turns.
            for _ in range(60 if page.host.startswith("slow") else 1):
                await asyncio.sleep(0)
            fetched.append(page.host)
            if sum(host.startswith("quick") for host in fetched) == 100:
                loop.stop()

        loop = owed.loop(fetch)
        await loop.run()

    asyncio.run(run())
    slow_fetched = [host for host in fetched if host.startswith("slow")]
    assert len(slow_fetched) < 40 * 20


@pytest.mark.parametrize("quick", [1, 5])
def test_more_slow_hosts_than_there_are_places_do_not_keep_a_quick_one_waiting(quick):
    """Each has more pages that are due for longer than it could fetch meanwhile."""
    owed = Owed({f"slow{n}": 40 for n in range(400)} | {"quick": quick})
    by_turns = sorted(owed.pages.values(), key=lambda page: (page.host == "quick", page.page_id % 40))
    owed.pages = {number: replace(page, page_id=number) for number, page in enumerate(by_turns)}
    fetched = []

    async def run():
        async def fetch(page):
            await asyncio.sleep(0 if page.host == "quick" else 0.02)
            fetched.append(page.host)
            if fetched.count("quick") == quick or len(fetched) == 400 * 20:
                loop.stop()

        loop = owed.loop(fetch, ingests_at_once=200)
        await loop.run()

    asyncio.run(run())
    assert fetched.count("quick") == quick
    assert len(fetched) < (1 + quick) * 400 + 320


def test_who_was_charged_most_waits_until_no_other_wants_the_place():
    fairness = HostFairness()
    for host, seconds in (("slow", 30.0), ("slower", 90.0), ("quick", 0.5)):
        fairness.charge(host, seconds)
    assert fairness.waiting() == {"slow", "slower", "quick"}
    fairness.admit(1)
    assert fairness.waiting() == {"slow", "slower"}
    fairness.charge("quick", 0.5)
    fairness.charge("new", 10.0)
    fairness.admit(2)
    assert fairness.waiting() == {"slow", "slower"}, "a newcomer has no credit, and no debt"
    fairness.admit(9)
    assert fairness.waiting() == set()
    fairness.charge("slow", 1.0)
    fairness.forget()
    assert fairness.waiting() == set()


def test_a_page_that_somebody_asked_for_is_the_next_of_its_host():
    owed = Owed({"a": 100, "b": 3})
    wanted: list[int] = []

    async def requested(*, exclude_hosts, limit):
        return [owed.pages[number] for number in wanted if number not in owed.done and "a" not in exclude_hosts]

    async def run():
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def fetch(page):
            if page.host == "a" and not go_on.is_set():
                begun.set()
                await go_on.wait()

        loop = owed.loop(fetch, requested_pages=requested, ingests_at_once=1)
        running = asyncio.create_task(loop.run())
        await begun.wait()
        wanted.extend([90, 7])  # one that is in memory already, and one that there was no place for
        loop._ask_for_requested_at = 0.0
        loop.ask_soon()
        while loop.in_hand < 22:
            await asyncio.sleep(0)
        go_on.set()
        await running

    asyncio.run(run())
    assert [number for number in owed.done if number < 100][:4] == [0, 90, 7, 1]
    assert sorted(owed.done) == list(range(103))
