"""What the running service says of itself in the database, for `morgue status` and for a second service."""

import os
import socket
from datetime import datetime

from storage.service_lock import SERVICE_NAME
from storage.store import Store


class Presence:
    """One row: who runs, since when, and when it was last heard of. Instants are aware."""

    def __init__(self, store: Store, *, version: str, started_at: datetime) -> None:
        self._store = store
        self._begun = False
        self._value = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "version": version,
            "started_at": started_at.isoformat(),
        }

    def write(self, state: str, now: datetime) -> None:
        """Say that the service is there, and what it is doing: `starting`, `running` or `draining`.

        Durably, so that a disk that is full refuses it. Raises `DatabaseUnavailable`.
        """
        self._put({**self._value, "state": state, "heartbeat_at": now.isoformat()}, now)

    def write_stopped(self, reason: str, now: datetime) -> None:
        """Say that it has ended, and why. Raises `DatabaseUnavailable`."""
        at = now.isoformat()
        self._put({**self._value, "state": "stopped", "heartbeat_at": at, "stopped_at": at, "reason": reason}, now)

    def _put(self, value: dict[str, object], now: datetime) -> None:
        with self._store.writing() as transaction:
            found = transaction.service_state.get(SERVICE_NAME)
            if found is not None and self._begun and not self._is_own(found[0]):
                return  # a successor's, which began when our lock was lost
            transaction.service_state.put(SERVICE_NAME, value, now)
        self._begun = True

    def _is_own(self, value: object) -> bool:
        return isinstance(value, dict) and all(value.get(name) == own for name, own in self._value.items())
