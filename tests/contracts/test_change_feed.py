"""A consumer that remembers the last `seq` it read misses no event and reads none twice, whoever writes meanwhile."""

import random
import threading
import time
from functools import partial

import psycopg
import pytest
from sqlalchemy import make_url

from storage.errors import DatabaseUnavailable
from storage.events import CHANNEL
from storage.model import EventKind
from storage.outcomes import Outcome
from storage.store import Store
from tests.at_once import at_once
from tests.contracts.news import CORRECTED, FERRY, NOON, watch

WRITERS = 6
TRANSACTIONS = 25


def test_events_are_read_in_order_from_where_one_left_off(store):
    page = watch(store)
    page.see(FERRY)
    page.see(CORRECTED)
    with store.reading() as transaction:
        first, second = transaction.events.since(0)
        assert transaction.events.since(first.seq) == [second]
        assert transaction.events.since(0, limit=1) == [first]
        assert transaction.events.last_seq() == second.seq > first.seq > 0
    assert [first.kind, second.kind] == ["created", "updated"]
    assert second.version_id == page.versions()[1].version_id
    assert second.occurred_at == page.versions()[1].captured_at


def test_an_empty_feed_ends_at_zero(store):
    with store.reading() as transaction:
        assert (transaction.events.last_seq(), transaction.events.since(0)) == (0, [])


def test_what_is_rolled_back_leaves_no_event(store):
    page = watch(store)
    looks = [page.look(FERRY), page.look(CORRECTED)]
    with pytest.raises(RuntimeError), store.writing() as transaction:
        transaction.versions.record_look(looks[0])
        raise RuntimeError
    assert page.events() == []
    with store.writing() as transaction:
        transaction.versions.record_look(looks[0])
        with pytest.raises(RuntimeError), transaction.savepoint():
            transaction.versions.record_look(looks[1])
            raise RuntimeError
    assert page.events() == ["created"]
    assert len(page.versions()) == 1


def test_one_bad_row_never_costs_its_batch_mates(store):
    page = watch(store)
    with store.writing() as transaction:
        with transaction.savepoint():
            transaction.versions.record_look(page.look(FERRY))
        with pytest.raises(LookupError), transaction.savepoint():
            bad = page.look(FERRY)
            transaction.versions.record_look(type(bad)(**(vars(bad) | {"page_id": 999})))
        with transaction.savepoint():
            transaction.versions.record_look(page.look(CORRECTED))
    assert page.events() == ["created", "updated"]


def test_a_reading_transaction_cannot_write(store):
    with pytest.raises(DatabaseUnavailable), store.reading() as transaction:
        transaction.sources.for_domain("paper.example", NOON)


def test_the_database_tells_of_events_once_a_transaction(postgres, postgres_template):
    url = postgres.create(template=postgres_template)
    try:
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as listener, Store.open(url) as store:
            listener.execute(f"LISTEN {CHANNEL}")
            pages = [watch(store, name) for name in "ab"]
            looks = [page.look(state) for page in pages for state in (FERRY, CORRECTED)]
            with store.writing() as transaction:
                for look in looks:
                    transaction.versions.record_look(look)
            with store.writing() as transaction:
                transaction.versions.record_look(pages[0].look(FERRY))
            # The second transaction made an event as well, so a third notice could only be one too many.
            assert [note.channel for note in listener.notifies(timeout=5, stop_after=2)] == [CHANNEL, CHANNEL]
            assert list(listener.notifies(timeout=0)) == []
    finally:
        postgres.drop(url)


def test_a_consumer_misses_nothing_while_many_write(store, database_url):
    page = watch(store)
    page.see(FERRY)
    article_id = page.article().article_id
    done = threading.Event()

    def write(number: int) -> None:
        random_source = random.Random(number)
        with Store.open(database_url) as own:
            for _ in range(TRANSACTIONS):
                with own.writing() as transaction:
                    for _ in range(random_source.randint(1, 3)):
                        transaction.events.add(
                            EventKind.UPDATED, article_id=article_id, version_id=None, occurred_at=NOON
                        )
                    # Some transactions last longer between what they write and their commit than others.
                    time.sleep(random_source.random() / 200)

    read: list[int] = []

    def consume() -> None:
        with Store.open(database_url) as own:
            last, ended = 0, False
            while True:
                ended = done.is_set()
                with own.reading() as transaction:
                    events = transaction.events.since(last, limit=7)
                read.extend(event.seq for event in events)
                last = read[-1] if read else 0
                if ended and not events:
                    return

    consumer = threading.Thread(target=consume)
    consumer.start()
    try:
        at_once(*(partial(write, number) for number in range(WRITERS)))
    finally:
        done.set()
        consumer.join()
    with store.reading() as transaction:
        stored = [event.seq for event in transaction.events.since(0, limit=100_000)]
    assert len(stored) > WRITERS * TRANSACTIONS
    assert read == stored


def test_two_looks_at_one_page_at_once_make_each_state_once(store, database_url):
    page = watch(store)
    states = [FERRY, CORRECTED] * 5
    looks = [page.look(state) for state in states]
    answers: list[list] = [[], []]

    def record(own: Store, answered: list) -> None:
        for look in looks:
            with own.writing() as transaction, transaction.savepoint():
                answered.append(transaction.versions.record_look(look))

    with Store.open(database_url) as other:
        at_once(partial(record, store, answers[0]), partial(record, other, answers[1]))
    assert answers[0] == answers[1]
    assert [version.number for version in page.versions()] == [1, 2, 3]
    assert page.events() == ["created", "updated", "reverted"]
    with store.reading() as transaction:
        outcomes = transaction.fetches.counts_by_outcome(NOON)
    assert outcomes[Outcome.CREATED] == 1
    assert sum(outcomes.values()) == len(looks)


def test_two_batches_that_cross_do_not_cost_a_look(store, database_url):
    pages = [watch(store, f"story-{number}") for number in range(8)]
    orders = [pages, pages[::-1]]
    looks = [[page.look(FERRY, at=1 + which / 10) for page in order] for which, order in enumerate(orders)]

    def record(own: Store, batch: list) -> None:
        with own.writing() as transaction:
            transaction.pages.lock([look.page_id for look in batch])
            for look in batch:
                transaction.versions.record_look(look)
                time.sleep(0.005)

    with Store.open(database_url) as other:
        at_once(partial(record, store, looks[0]), partial(record, other, looks[1]))
    assert [len(page.versions()) for page in pages] == [1] * len(pages)
    with store.reading() as transaction:
        assert len(transaction.fetches.recent(100)) == 2 * len(pages)
