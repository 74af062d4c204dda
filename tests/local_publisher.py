"""A publisher on this machine: an address, a server behind it that can go away and come back, and its log."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from tests.newsroom_server import Answer, LoggedRequest, NewsroomServer


class LocalPublisher(ABC):
    """Serves at `http://ADDRESS:PORT` between `start` and `close` or inside a `with` block.

    `address` is any of 127.0.0.0/8, so that several publishers are several hosts. One that is closed and started again
    keeps its port and its log: that is an outage. With a `name` all its addresses have that host, which whoever asks
    must resolve to ADDRESS by itself.
    """

    def __init__(self, address: str, *, port: int = 0, name: str | None = None) -> None:
        self._address = address
        self._name = name
        self._port = port
        self._server: NewsroomServer | None = None
        self._lock = threading.RLock()
        self._log: list[LoggedRequest] = []

    def start(self) -> None:
        """Listen. Raises `RuntimeError` if it does already, `OSError` if the address is taken."""
        if self._server:
            raise RuntimeError("this publisher is open already")
        self._server = NewsroomServer((self._address, self._port), answer=self._answer, log=self._record)
        self._port = self._server.server_port
        self._server.start()

    def close(self) -> None:
        """Stop listening and end every connection. Raises what went wrong inside the publisher itself, if anything."""
        server, self._server = self._server, None
        if server:
            server.stop()
            if server.failures:
                raise server.failures[0]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def origin(self) -> str:
        """Return `http://HOST:PORT`. Raises `RuntimeError` before the first start, when there is no port yet."""
        if not self._port:
            raise RuntimeError("a publisher has no address before it is started")
        return f"http://{self._name or self._address}:{self._port}"

    def url(self, path: str) -> str:
        """Return the absolute URL of a path such as `/feed.rss`."""
        return self.origin + path

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """Return what was asked so far, in the order of the answers' ends."""
        with self._lock:
            return tuple(self._log)

    def clear_log(self) -> None:
        """Forget what was asked so far."""
        with self._lock:
            self._log.clear()

    def _record(self, request: LoggedRequest) -> None:
        with self._lock:
            self._log.append(request)

    @abstractmethod
    def _answer(self, target: str, headers: Mapping[str, str]) -> Answer:
        """Return the answer to a request; called in the thread of its connection."""
