"""The service tells its manager how it is, in sd_notify's words."""

import socket

import pytest
from structlog.testing import capture_logs

from scheduler.sd_notify import Notifier, Supervision, supervision


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """A socket where a service manager listens, and the name by which the environment would give it."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@morgue-test-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0", 1) if name[0] == "@" else name)
        yield listener, name


def test_it_says_what_systemd_understands(manager):
    listener, name = manager
    notifier = Notifier(Supervision(address=name))
    notifier.ready("Watching 3 sources\nSTOPPING=1")
    assert listener.recv(4096) == b"READY=1\nSTATUS=Watching 3 sources STOPPING=1"
    notifier.reloading()
    lines = listener.recv(4096).decode().split("\n")
    assert lines[0] == "RELOADING=1"
    assert int(lines[1].removeprefix("MONOTONIC_USEC=")) > 0
    notifier.alive()
    assert listener.recv(4096) == b"WATCHDOG=1"
    notifier.stopping(within_seconds=30.5)
    assert b"STOPPING=1" in (message := listener.recv(4096))
    assert message.endswith(b"EXTEND_TIMEOUT_USEC=30500000")


def test_what_ends_does_not_call_itself_ready_again(manager):
    listener, name = manager
    listener.setblocking(False)
    notifier = Notifier(Supervision(address=name))
    notifier.stopping(within_seconds=30)
    assert b"STOPPING=1" in listener.recv(4096)
    # A start or a reload that is still under way, and an outage that is over.
    notifier.starting(within_seconds=900)
    notifier.ready("Watching 3 sources")
    notifier.reloading()
    notifier.status("Watching 3 sources")
    with pytest.raises(BlockingIOError):
        listener.recv(4096)
    notifier.alive()
    assert listener.recv(4096) == b"WATCHDOG=1"


def test_nobody_is_told_where_nobody_listens(tmp_path):
    with capture_logs() as logs:
        Notifier(Supervision()).ready("well")
    assert logs == []
    notifier = Notifier(Supervision(address=str(tmp_path / "nothing")))
    with capture_logs() as logs:
        notifier.ready("well")
        notifier.alive()
    assert [entry["event"] for entry in logs] == ["notify_failed"]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, Supervision()),
        ({"NOTIFY_SOCKET": ""}, Supervision()),
        ({"NOTIFY_SOCKET": "relative"}, Supervision()),
        ({"NOTIFY_SOCKET": "/run/x"}, Supervision(address="/run/x")),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "3000000"}, Supervision(address="@x", watchdog_seconds=3.0)),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"}, Supervision(address="/x")),
        (
            {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "500000", "WATCHDOG_PID": "7"},
            Supervision(address="/x", watchdog_seconds=0.5),
        ),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"}, Supervision(address="/x")),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "0"}, Supervision(address="/x")),
        ({"WATCHDOG_USEC": "3000000"}, Supervision()),
    ],
)
def test_what_the_manager_asks_for_is_read_from_the_environment(environ, expected):
    assert supervision(environ, pid=7) == expected
