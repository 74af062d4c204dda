"""A transaction is written whole or not at all, whatever ends it, and whoever catches the failure on the way."""

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from storage.errors import DatabaseBusy, DatabaseUnavailable, MorgueError
from storage.store import Store
from tests.contracts.news import FERRY, NOON, entry, watch

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])
on_postgresql = pytest.mark.parametrize("backend", ["postgresql"])

LONG = replace(FERRY, body="The sea was calm. " * 4_000)


@on_sqlite
def test_what_sqlite_ended_by_itself_is_not_gone_on_with(store):
    """SQLite ends a transaction when the disk fails; another statement would be kept by itself."""
    first, second = watch(store, "a"), watch(store, "b")
    with pytest.raises(DatabaseUnavailable, match="ended the transaction"), store.writing() as transaction:
        with transaction.savepoint():
            transaction.versions.record_look(first.look(FERRY))
        with pytest.raises(DatabaseUnavailable), transaction.savepoint():
            transaction._connection.connection.driver_connection.execute("ROLLBACK")
            raise OSError("disk failure")
        with pytest.raises(DatabaseUnavailable), transaction.savepoint():
            transaction.versions.record_look(second.look(FERRY))
        with pytest.raises(DatabaseUnavailable):
            transaction.versions.record_look(second.look(FERRY))
    assert (first.versions(), second.versions(), first.events()) == ([], [], [])
    assert first.see(FERRY).version_number == 1


@on_sqlite
def test_a_failure_that_nobody_noticed_is_found_at_the_end(store):
    page = watch(store)
    with pytest.raises(DatabaseUnavailable, match="ended the transaction"), store.writing() as transaction:
        transaction.versions.record_look(page.look(FERRY))
        transaction._connection.connection.driver_connection.execute("ROLLBACK")
    assert (page.versions(), page.events()) == ([], [])


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """Let this process write no file beyond so many bytes, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@on_sqlite
@pytest.mark.parametrize("room", range(50_000, 2_000_000, 130_000))
def test_a_disk_that_fills_up_in_the_middle_costs_the_whole_batch(store, tmp_path, room):
    """What does not fit in memory goes to the disk before the end, and what fails there ends the transaction."""
    pages = [watch(store, f"story-{number}") for number in range(12)]
    recorded = 0
    journal = (tmp_path / "morgue.db-wal").stat().st_size
    with no_file_beyond(journal + room):
        try:
            with store.writing() as transaction:
                transaction._connection.exec_driver_sql("PRAGMA cache_size = 10")
                for page in pages:
                    with suppress(MorgueError), transaction.savepoint():
                        transaction.versions.record_look(page.look(LONG if page is not pages[6] else FERRY))
                        recorded += 1
        except DatabaseUnavailable as problem:
            assert "ended the" not in str(problem)  # it says what happened: the disk
            recorded = 0
    assert sum(len(page.versions()) for page in pages) == len(pages[0].events()) == recorded


@on_postgresql
def test_a_collision_ends_the_whole_transaction_and_may_be_tried_again(store, database_url):
    """Two processes that lock each other's rows: one of them is told, and nothing of its transaction is kept."""
    ours, theirs, extra = (watch(store, name) for name in "abc")
    looks = {page.page.page_id: page.look(FERRY) for page in (ours, theirs, extra)}
    both_hold = threading.Barrier(2)
    ends: dict[str, list[BaseException]] = {"there and back": [], "back and there": []}

    def work(name: str, first: int, second: int) -> None:
        try:
            with Store.open(database_url) as own, own.writing() as transaction:
                with transaction.savepoint():
                    transaction.pages.lock([first])
                    if name == "back and there":
                        transaction.versions.record_look(looks[extra.page.page_id])
                both_hold.wait()
                for page_id in (second, first):
                    # Whoever records in batches catches what one of them meets.
                    try:
                        with transaction.savepoint():
                            transaction.versions.record_look(looks[page_id])
                    except MorgueError as problem:
                        ends[name].append(problem)
        except MorgueError as problem:
            ends[name].append(problem)

    ids = (ours.page.page_id, theirs.page.page_id)
    threads = [
        threading.Thread(target=work, args=("there and back", *ids)),
        threading.Thread(target=work, args=("back and there", *ids[::-1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lost = [name for name, problems in ends.items() if problems]
    assert len(lost) == 1
    # The savepoint that met it, the next one, and the transaction.
    assert [type(problem) for problem in ends[lost[0]]] == [DatabaseBusy] * 3
    assert "deadlock" in str(ends[lost[0]][0])
    assert len(ours.versions()) == len(theirs.versions()) == 1
    assert len(extra.versions()) == (lost != ["back and there"])
    assert ours.events().count("created") == 2 + len(extra.versions())


def test_two_processes_that_find_the_same_new_pages_make_each_of_them_once(store, database_url):
    """And in whatever order each of them lists them, neither ends the other."""
    with store.writing() as transaction:
        sources = [transaction.sources.for_domain(name, NOON) for name in ("paper.example", "other.example")]
    problems: list[BaseException] = []
    found: list[dict[str, int]] = []
    start = threading.Barrier(2)

    def list_pages(own: Store, source_id: int, *, backwards: bool) -> None:
        try:
            for turn in range(10):
                entries = [entry(f"{turn}-{number:03d}") for number in range(300)]
                start.wait()
                with own.writing() as transaction:
                    ids, _ = transaction.pages.ensure_listed(source_id, entries[::-1] if backwards else entries, NOON)
                found.append(ids)
        except MorgueError as problem:
            problems.append(problem)
            start.abort()
        except threading.BrokenBarrierError:
            pass

    with Store.open(database_url) as other:
        threads = [
            threading.Thread(target=list_pages, args=(own, source.source_id), kwargs={"backwards": own is other})
            for own, source in zip((store, other), sources, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert problems == []
    assert [len(ids) for ids in found] == [300] * 20
    assert len({page_id for ids in found for page_id in ids.values()}) == 3000


def test_the_pages_of_a_listing_are_numbered_in_its_order(store):
    entries = [entry(name) for name in ("top", "middle", "a", "z", "below")]
    with store.writing() as transaction:
        source = transaction.sources.for_domain("paper.example", NOON)
        ids, new = transaction.pages.ensure_listed(source.source_id, entries, NOON)
    assert new == 5
    assert sorted(ids, key=ids.__getitem__) == [listed.url_key for listed in entries]
