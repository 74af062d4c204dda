"""Thinning out: what has had its time goes, and nothing else changes."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import insert

from storage.database_clock import database_now
from storage.engine import create_engine
from storage.outcomes import Outcome
from storage.robots_files import RobotsFile, RobotsState
from storage.store import Store
from storage.tables import fetches, host_waiters
from storage.upkeep import tend_log
from storage.views import VIEW_COLUMNS
from tests.contracts.news import CORRECTED, FERRY, NOON, Watcher, entry

OTHER_VIEWS = [view for view in VIEW_COLUMNS if view != "fetches_v1"]


@pytest.fixture
def watcher(store: Store) -> Watcher:
    """Somebody who has seen an article change."""
    with store.writing() as transaction:
        source = transaction.sources.for_domain("paper.example", NOON, watched=True)
        page = transaction.pages.ensure(source.source_id, entry("ferry"), NOON, due=True)
    watcher = Watcher(store=store, page=page)
    watcher.see(FERRY, at=1)
    watcher.see(CORRECTED, at=2)
    return watcher


def fill(store: Store, watcher: Watcher, count: int) -> None:
    """Record many attempts at the page, a second apart, that end with the present."""
    first = {"url": watcher.page.url, "page_id": watcher.page.page_id, "source_id": watcher.page.source_id}
    same = first | {"kind": "page", "hop": 0, "outcome": "unchanged", "bytes_received": 0, "headers": {}}
    with store.writing() as transaction:
        for start in range(0, count, 10_000):
            rows = [
                same
                | {"record_id": f"urn:uuid:{number}", "chain_id": f"{number}"}
                | dict.fromkeys(("started_at", "finished_at"), NOON - timedelta(seconds=number))
                for number in range(start, min(start + 10_000, count))
            ]
            transaction._connection.execute(insert(fetches), rows)


def test_old_attempts_go_and_no_other_view_changes(store, watcher, backend, rows):
    count = 50_000 if backend == "sqlite" else 8_000
    fill(store, watcher, count)
    views = {view: rows(f"SELECT * FROM {view} ORDER BY 1, 2") for view in OTHER_VIEWS}
    captures = rows("SELECT * FROM captures ORDER BY id")
    before, deleted = NOON - timedelta(seconds=1000), 0
    while True:
        with store.writing() as transaction:
            found = transaction.retention.thin_fetches(before, 5000)
        deleted += found
        if found < 5000:
            break
    assert deleted == count - 1001
    left = rows("SELECT finished_at FROM fetches ORDER BY finished_at")
    assert len(left) == 1001 + 2
    assert {view: rows(f"SELECT * FROM {view} ORDER BY 1, 2") for view in OTHER_VIEWS} == views
    assert rows("SELECT * FROM captures ORDER BY id") == captures
    # The article goes on as if nothing had been.
    assert watcher.see(CORRECTED, at=3).outcome is Outcome.UNCHANGED


def test_the_oldest_attempts_go_first_and_no_more_than_asked_for(store, watcher, rows):
    fill(store, watcher, 100)
    with store.writing() as transaction:
        assert transaction.retention.thin_fetches(NOON - timedelta(seconds=50), 30) == 30
    kept = {
        int(name.rpartition(":")[2])
        for (name,) in rows("SELECT record_id FROM fetches WHERE chain_id <> ''")
        if name.rpartition(":")[2].isdigit()
    }
    assert kept == set(range(70))
    with store.writing() as transaction:
        assert transaction.retention.thin_fetches(NOON - timedelta(seconds=50), 30) == 19


def test_copies_of_robots_that_ran_out_long_ago_go(store):
    def copy(host: str, age: timedelta) -> RobotsFile:
        return RobotsFile(
            origin=f"https://{host}",
            host=host,
            state=RobotsState.ALLOWED,
            fetched_at=NOON - age - timedelta(days=1),
            expires_at=NOON - age,
        )

    with store.writing() as transaction:
        transaction.robots_files.keep(copy("old.example", timedelta(days=91)))
        transaction.robots_files.keep(copy("late.example", timedelta(days=89)))
        assert transaction.retention.forget_robots(NOON, 10) == 1
        assert transaction.robots_files.get("https://old.example") is None
        assert transaction.robots_files.get("https://late.example") is not None


def test_places_in_line_of_processes_that_are_gone_go(store, rows):
    with store.writing() as transaction:
        now = database_now(transaction._connection, writes=True)
        waiting = [
            {"host": "a.example", "owner": "gone", "since": NOON, "seen_at": now - timedelta(days=2)},
            {"host": "a.example", "owner": "here", "since": NOON, "seen_at": now},
        ]
        transaction._connection.execute(insert(host_waiters), waiting)
        assert transaction.retention.forget_waiters() == 1
    assert rows("SELECT owner FROM host_waiters") == [("here",)]


def test_statistics_are_made_once_and_change_no_query_of_pages(store, watcher, backend, rows):
    fill(store, watcher, 2000)
    store.analyse()
    if backend == "sqlite":
        analysed = {name for (name,) in rows("SELECT tbl FROM sqlite_stat1")}
        assert "fetches" in analysed and "pages" not in analysed
    else:
        assert store.analyse() == []
        assert rows("SELECT count(*) FROM pg_stat_user_tables WHERE last_analyze IS NOT NULL AND relname = 'fetches'")


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_large_write_ahead_log_is_cut_unless_a_reader_needs_it(store, watcher, backend):
    with store.reading() as transaction:
        transaction.sources.all()  # from here on, the reader sees the database as it was
        fill(store, watcher, 5000)
        held = tend_log(store._engine, large_bytes=1)
        assert held is not None and held.held_back and held.size_bytes > 1_000_000
    freed = tend_log(store._engine, large_bytes=1)
    assert freed is not None and not freed.held_back and freed.size_bytes == 0


@pytest.mark.parametrize("backend", ["sqlite"])
def test_tending_the_log_waits_for_no_writer(store, watcher, database_url):
    fill(store, watcher, 100)
    other, begun, done = create_engine(database_url), threading.Event(), threading.Event()

    def write() -> None:
        with Store(other).writing() as transaction:
            transaction.sources.for_domain("other.example", NOON)
            begun.set()
            done.wait()

    thread = threading.Thread(target=write)
    thread.start()
    begun.wait()
    try:
        # Returns at all, though the writer ends only afterwards; it would wait for half a minute.
        assert tend_log(store._engine, large_bytes=1) is not None
    finally:
        done.set()
        thread.join()
        other.dispose()
