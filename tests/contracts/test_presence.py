"""The row in which the running service says who it is."""

from scheduler.presence import Presence
from storage.service_lock import SERVICE_NAME
from tests.contracts.news import minute


def row(store):
    with store.reading() as transaction:
        return transaction.service_state.get(SERVICE_NAME)[0]


def test_a_service_that_lost_its_lock_leaves_the_row_of_its_successor(store):
    first = Presence(store, version="1", started_at=minute(1))
    first.write("running", minute(2))
    second = Presence(store, version="1", started_at=minute(3))
    second.write("running", minute(4))
    theirs = row(store)
    first.write("running", minute(5))
    first.write_stopped("broken", minute(6))
    assert row(store) == theirs
    second.write_stopped("SIGTERM", minute(7))
    assert row(store)["reason"] == "SIGTERM"
