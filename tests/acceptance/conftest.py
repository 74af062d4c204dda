"""A newsroom and a supervisor for each test."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.newsroom import Newsroom


@pytest.fixture
def newsroom() -> Iterator[Newsroom]:
    """A local publisher."""
    with Newsroom() as newsroom:
        yield newsroom


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Listen at the socket `notify` in the test's folder, as a service manager does; a function gives what has come."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        messages: list[str] = []

        def received() -> str:
            while True:
                try:
                    messages.append(listener.recv(4096).decode())
                except BlockingIOError:
                    return "\n".join(messages)

        yield received
