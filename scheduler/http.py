"""A small HTTP server for those who watch the service: `/healthz` and `/metrics`.

It has threads of its own, so that it answers while the event loop hangs, which is when it is needed most. It tells
counts, states and hosts, never an address of a page, but has no password: who may reach it is for the address to
decide, and by default that is this machine alone.
"""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, NamedTuple

import structlog

from storage.errors import MorgueError

log = structlog.get_logger()

REQUESTS_AT_ONCE = 32
"""So many requests are answered side by side. For one more the oldest client is left that has not asked yet; where all
have asked, it waits for a place, and is closed if there is none soon."""
CLIENT_SECONDS = 2.0
"""So long may a client be silent."""
PLACE_SECONDS = 0.5
"""So long a connection waits for a place."""
REQUEST_SECONDS = 5.0
"""So long may a request take in all: a client that sends a byte now and then is left behind."""
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
INDEX = "morgue: /healthz says whether the service is well, /metrics what Prometheus is told.\n"


class HttpUnavailable(MorgueError):
    """The configured address cannot be listened on."""


class Answer(NamedTuple):
    """What a path is answered with."""

    status: HTTPStatus
    content_type: str
    body: bytes


def healthz(
    *,
    status: str,
    problems: list[dict[str, str]],
    seconds: float,
    doing: str = "",
    stuck: Mapping[str, Any] | None = None,
) -> Answer:
    """Return what `/healthz` says: 200 for `ok` alone.

    `doing` tells people what the service is at, `stuck` which hosts do not end their answers.
    """
    body: dict[str, Any] = {"status": status, "uptime_seconds": round(seconds), "problems": problems}
    if stuck is not None:
        body["stuck"] = stuck
    if doing:
        body["doing"] = doing
    code = HTTPStatus.OK if status == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
    return Answer(code, "application/json", json.dumps(body, ensure_ascii=False).encode() + b"\n")


class HttpServer:
    """Answers at one address from `start` to `stop`. `routes` give the answers, each asked in a thread of its own.

    `on_refused` is told of each connection that was closed because too many were open.
    """

    def __init__(
        self,
        address: tuple[str, int],
        routes: dict[str, Callable[[], Answer]],
        *,
        on_refused: Callable[[], None] = lambda: None,
    ) -> None:
        self._address = address
        self._routes = routes
        self._on_refused = on_refused
        self._server: _Server | None = None

    def answer_with(self, routes: dict[str, Callable[[], Answer]], *, on_refused: Callable[[], None]) -> None:
        """Answer in this way from now on."""
        self._routes, self._on_refused = routes, on_refused
        if self._server is not None:
            self._server.answer_with(routes, on_refused)

    @property
    def port(self) -> int:
        """The port that is listened on. Raises `LookupError` before the start."""
        if self._server is None:
            raise LookupError("it has not been started")
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Listen. Raises `HttpUnavailable` where that cannot be done, as when another program has the port."""
        try:
            self._server = _Server(self._address, self._routes, self._on_refused)
        except (OSError, UnicodeError) as problem:
            host, port = self._address
            shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            cause = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
            raise HttpUnavailable(
                "[service] http", f"{shown} cannot be listened on ({cause})", "name another address, or off"
            ) from problem
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="http", daemon=True
        ).start()

    def stop(self) -> None:
        """Listen no more; requests under way are left to end by themselves."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class _Server(ThreadingMixIn, TCPServer):
    """A bounded number of threads, each for one request. The library's own for HTTP asks DNS for names first."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    # Above it the system lets a client knock again after seconds, even where idle ones would be left at once.
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], routes: dict[str, Callable[[], Answer]], on_refused: Callable[[], None]
    ) -> None:
        self.answer_with(routes, on_refused)
        self._places = threading.BoundedSemaphore(REQUESTS_AT_ONCE)
        self._lock = threading.Lock()
        self._silent: dict[socket.socket, None] = {}
        """Those that have not asked yet, the oldest first."""
        host, port = address
        # Without a host, IPv4 is what everybody has; a host that is named is taken as it stands.
        self.address_family = socket.AF_INET
        if host:
            self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        super().__init__((host, port), _Handler)

    def answer_with(self, routes: dict[str, Callable[[], Answer]], on_refused: Callable[[], None]) -> None:
        """Answer in this way from now on."""
        self.routes, self._on_refused = routes, on_refused

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, or hang up where too many are being answered."""
        if not self._take_place():
            self._on_refused()
            self.shutdown_request(request)
            return
        with self._lock:
            self._silent[request] = None
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be started
            self.asked(request)
            self._places.release()
            self.shutdown_request(request)

    def _take_place(self) -> bool:
        if self._places.acquire(blocking=False):
            return True
        with self._lock:
            oldest = next(iter(self._silent), None)
        if oldest is not None:
            self.asked(oldest)
            self._on_refused()
            _hang_up(oldest)
        return self._places.acquire(timeout=PLACE_SECONDS)

    def asked(self, request: socket.socket) -> None:
        """Note that a client has asked, or will not any more: it is not left for another one."""
        with self._lock:
            self._silent.pop(request, None)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a request, in no more than its time in all."""
        watch = threading.Timer(REQUEST_SECONDS, _hang_up, args=[request])
        watch.daemon = True
        watch.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            watch.cancel()
            self.asked(request)
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the library's signature
        """Say nothing of clients that went away; anything else is ours."""
        log.debug("http_request_failed", exc_info=True)


def _hang_up(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = CLIENT_SECONDS
    server_version = "morgue"
    sys_version = ""
    protocol_version = "HTTP/1.0"  # one request a connection

    def do_GET(self) -> None:
        self.server.asked(self.connection)
        answer = self._answer()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_HEAD = do_GET  # noqa: N815 - likewise

    def _answer(self) -> Answer:
        path = self.path.partition("?")[0]
        route = self.server.routes.get(path)
        if route is not None:
            return route()
        if path == "/":
            return Answer(HTTPStatus.OK, "text/plain; charset=utf-8", INDEX.encode())
        return Answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", INDEX.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: a scrape each few seconds is no event."""
