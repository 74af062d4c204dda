"""Tells a service manager how the service is: the protocol of systemd's sd_notify(3), over a datagram socket.

Without `NOTIFY_SOCKET`, as under any other supervisor or in a terminal, nothing is sent.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from storage.clock import monotonic_microseconds

log = structlog.get_logger()

_MICROSECONDS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Supervision:
    """What the service manager asked for: where it listens, and within how many seconds it wants a sign of life."""

    address: str | None = None
    watchdog_seconds: float | None = None


def supervision(environ: Mapping[str, str], *, pid: int) -> Supervision:
    """Read what systemd put into the environment of its process `pid` (`NOTIFY_SOCKET`, `WATCHDOG_USEC`,
    `WATCHDOG_PID`). What makes no sense is nothing."""
    address = environ.get("NOTIFY_SOCKET") or None
    if address is not None and address[0] not in "/@":
        address = None
    meant = environ.get("WATCHDOG_PID", str(pid)) == str(pid)
    microseconds = environ.get("WATCHDOG_USEC", "")
    watched = address is not None and meant and microseconds.isdecimal() and int(microseconds) > 0
    return Supervision(address=address, watchdog_seconds=int(microseconds) / _MICROSECONDS if watched else None)


class Notifier:
    """Sends notices to a service manager. One that cannot be sent is logged, once: the service goes on without.

    After `stopping` nothing is sent but signs of life: what is still under way then, a start or a reload, would call
    the service ready again.
    """

    def __init__(self, given: Supervision) -> None:
        self.watchdog_seconds = given.watchdog_seconds
        # A name that begins with @ is an abstract one, which has a NUL byte in its place.
        self._address = given.address and ("\0" + given.address[1:] if given.address[0] == "@" else given.address)
        self._failed = False
        self._stopping = False

    def ready(self, status: str) -> None:
        """Say that the service is up, or up again after `reloading`."""
        self._tell("READY=1", f"STATUS={status}")

    def status(self, status: str) -> None:
        """Say in one line what the service is doing."""
        self._tell(f"STATUS={status}")

    def alive(self) -> None:
        """Give the sign of life that the watchdog waits for."""
        self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """Say that the configuration is being read again; `ready` follows (Type=notify-reload)."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={monotonic_microseconds()}", "STATUS=Reading the configuration")

    def stopping(self, *, within_seconds: float) -> None:
        """Say that the service is about to end, and how long that may take."""
        self._stopping = True
        self._send("STOPPING=1", "STATUS=Finishing what is in flight", _extension(within_seconds))

    def starting(self, *, within_seconds: float) -> None:
        """Say that the start goes on, and how long it may still take."""
        self._tell("STATUS=Starting", _extension(within_seconds))

    def _tell(self, *lines: str) -> None:
        if not self._stopping:
            self._send(*lines)

    def _send(self, *lines: str) -> None:
        if self._address is None:
            return
        # One line a value: a status that has a line break would be two.
        message = "\n".join(" ".join(line.split()) for line in lines)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                # The manager is never waited for: one that does not read must not stop the service.
                sender.setblocking(False)
                sender.sendto(message.encode(), self._address)
        except OSError as problem:
            if not self._failed:
                self._failed = True
                log.warning("notify_failed", problem=str(problem))
        else:
            self._failed = False


def _extension(seconds: float) -> str:
    return f"EXTEND_TIMEOUT_USEC={round(seconds * _MICROSECONDS)}"
