"""The lock of the service on PostgreSQL, when the connection that holds it is lost."""

import psycopg
import pytest

from storage.errors import DatabaseUnavailable, ServiceRunning
from storage.service_lock import SERVICE_LOCK, hold_service_lock

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
"""On SQLite the system keeps the lock for as long as the process lives."""

HOLDERS = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND ((classid::bigint << 32) | objid::bigint) = %s
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def holders(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [pid for (pid,) in connection.execute(HOLDERS, [SERVICE_LOCK])]


def end(url: str, pid: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_lost_lock_is_noticed_and_taken_again(database_url):
    with hold_service_lock(database_url) as lock:
        lock.check()
        (first,) = holders(database_url)
        lock.regain()
        assert holders(database_url) == [first], "what is held is not taken again"
        end(database_url, first)
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                lock.check()
        lock.regain()
        lock.check()
        (second,) = holders(database_url)
        assert second != first
        with pytest.raises(ServiceRunning), hold_service_lock(database_url):
            pass
    assert holders(database_url) == []


def test_a_service_that_came_meanwhile_keeps_it(database_url):
    with hold_service_lock(database_url) as lock:
        end(database_url, holders(database_url)[0])
        with hold_service_lock(database_url) as other:
            with pytest.raises(ServiceRunning):
                lock.regain()
            other.check()


def test_a_session_of_ours_that_the_server_still_believes_in_is_ended(database_url):
    with hold_service_lock(database_url) as lock:
        (lost,) = holders(database_url)
        # As after a network that was away: we have given the connection up, and the server does not know.
        forgotten, lock._connection = lock._connection, None
        lock.regain()
        assert holders(database_url) != [lost]
        assert len(holders(database_url)) == 1
        forgotten.invalidate()
        forgotten.close()
