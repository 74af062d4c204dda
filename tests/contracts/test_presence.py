"""The row in which the running service says who it is."""

import os

import pytest

from scheduler.presence import Presence
from scheduler.status import service_row
from storage.errors import ServiceRunning
from storage.service_lock import SERVICE_NAME, hold_service_lock
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


def test_one_that_was_not_heard_of_was_killed_whichever_way_the_clock_was_set_since(store):
    def told(at: float) -> tuple[bool, bool]:
        with store.reading() as transaction:
            found = service_row(transaction, minute(at))
        return found["running"], found["killed"]

    presence = Presence(store, version="1", started_at=minute(0))
    presence.write("running", minute(100))
    running, killed, stopped = (True, False), (False, True), (False, False)
    assert [told(at) for at in (100, 101, 99, 102, 98, -500)] == [running, running, running, killed, killed, killed]
    presence.write_stopped("SIGTERM", minute(101))
    assert [told(at) for at in (101, 105, -500)] == [stopped] * 3


def test_the_holder_of_the_lock_is_named_but_for_one_that_is_named_like_ourselves(store, database_url, monkeypatch):
    """As in containers, where each service is process 1 of a host that may be named like the last one."""

    def refusal() -> str:
        with pytest.raises(ServiceRunning) as told, hold_service_lock(database_url):
            pass
        return str(told.value)

    with hold_service_lock(database_url):
        assert "a service is running on it;" in refusal()
        presence = Presence(store, version="1", started_at=minute(1))
        presence.write("running", minute(2))
        assert "a service is running on it;" in refusal(), "our own name would be a riddle"
        monkeypatch.setattr(os, "getpid", lambda: 1)
        assert f"(process {row(store)['pid']} on {row(store)['host']}, since " in refusal()
        presence.write_stopped("SIGTERM", minute(3))
        assert "a service is running on it;" in refusal(), "what has ended is not the holder"
