"""What is kept in memory for each host, source or page stays bounded, however many a service meets in its months."""

import asyncio
from datetime import UTC, datetime, timedelta

from crawler import known_addresses, robots
from crawler.known_addresses import LearntShapes
from crawler.page_loop import PageLoop
from crawler.robots import RobotsGate
from scheduler.jobs import MOST_SETBACKS, _Setbacks
from storage.records import PageState
from storage.robots_files import RobotsFile, RobotsState
from tests.unit.test_page_loop import a_page
from tests.works_here import WorksHere

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def robots_of(number: int, *, rules: str) -> RobotsFile:
    return RobotsFile(
        origin=f"https://{number}.example",
        host=f"{number}.example",
        state=RobotsState.RULES,
        rules=rules,
        fetched_at=NOW,
        expires_at=NOW + timedelta(days=1),
    )


def robots_gate(note) -> RobotsGate:
    return RobotsGate(
        None,
        stored=None,
        token="morgue",
        note_crawl_delay=note,
        now=lambda: NOW,
        ask_seconds=lambda _: 600.0,
        workers=WorksHere(),
    )


def keep(gate: RobotsGate, file: RobotsFile) -> None:
    gate.keep(file, asyncio.run(gate.rules_of(file)))


def test_copies_of_robots_txt_are_bounded_by_their_text(monkeypatch):
    monkeypatch.setattr(robots, "_MAX_CHARACTERS", 50_000)
    delays: dict[str, float] = {}

    def note(host: str, seconds: float | None, _origin: str) -> None:
        delays.pop(host, None)
        if seconds:
            delays[host] = seconds

    gate = robots_gate(note)
    rules = "User-agent: *\nCrawl-delay: 3\n" + "Disallow: /a\n" * 70
    for number in range(20):
        keep(gate, robots_of(number, rules=rules))
        # What is asked for again and again stays.
        assert asyncio.run(gate.check("https://0.example/b")).allowed
    assert sum(copy.characters for copy in gate._copies.values()) <= 50_000
    assert gate._characters == sum(copy.characters for copy in gate._copies.values())
    assert set(delays) == {copy.file.host for copy in gate._copies.values()}
    assert "0.example" in delays


def test_a_copy_that_is_renewed_is_counted_once():
    gate = robots_gate(lambda *_: None)
    for _ in range(3):
        keep(gate, robots_of(1, rules="User-agent: *\nDisallow: /a\n"))
    assert gate._characters == len("User-agent: *\nDisallow: /a\n") + 2 * robots._CHARACTERS_A_LINE


def test_what_was_learnt_of_sources_is_let_go(monkeypatch):
    monkeypatch.setattr(known_addresses, "_MAX_SOURCES", 5)
    shapes = LearntShapes(store=None)
    monkeypatch.setattr(shapes, "_learn", lambda _source_id: (object(), 10))

    async def learn_many() -> None:
        for source_id in range(20):
            await shapes.of(source_id)

    asyncio.run(learn_many())
    assert list(shapes._learnt) == [15, 16, 17, 18, 19]


def test_setbacks_are_bounded():
    setbacks = _Setbacks()
    for number in range(MOST_SETBACKS + 10):
        setbacks.add(number, now=100.0)
    current = setbacks.current(now=100.0)
    assert len(current) == MOST_SETBACKS
    assert 0 not in current
    assert setbacks.current(now=3700.0) == set()


def test_a_loop_that_never_ends_remembers_no_page_that_failed():
    told: list[int] = []

    async def next_pages(*, exclude_hosts, exclude_pages, limit):
        return [] if told.count(1) == 3 else [a_page(1)][: limit - len(exclude_pages)]

    async def fetch(page: PageState):
        raise ZeroDivisionError

    async def ingest(page, fetched):
        raise AssertionError("nothing was fetched")

    loop = PageLoop(
        next_pages=next_pages,
        fetch=fetch,
        ingest=ingest,
        held_hosts=set,
        ingests_at_once=1,
        on_failed=lambda page: told.append(page.page_id),
    )
    asyncio.run(loop.run())
    assert told == [1, 1, 1]
    assert not loop.failed
