"""The HTTP/1.1 server under the newsroom: a thread a connection, answers as scripted down to the last byte."""

import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import urlsplit

DRIP_BYTES = 1024
BODILESS = frozenset({204, 304})
# How often the listening thread looks whether it is to stop.
POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What to send, and how badly. See `Newsroom.respond`."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delay_seconds: float = 0
    drip_seconds: float = 0
    truncate: int | None = None
    close: bool = False
    reset: bool = False


@dataclass(frozen=True, kw_only=True)
class LoggedRequest:
    """A request that was answered. Times are seconds of `time.perf_counter`, which no test can turn back.

    `ended` is taken just before the last bytes are sent, so that whoever has the whole answer finds it in the log.
    `headers` have lower-case names; of a repeated one, the last. `client` is the address and port of the connection.
    """

    method: str
    target: str
    path: str
    headers: Mapping[str, str] = field(hash=False)
    status: int
    started: float
    ended: float
    client: tuple[str, int]


class NewsroomServer(ThreadingHTTPServer):
    """Serves until `stop`, which ends every connection, also those that are idle or slow, and waits for their threads.

    `failures` are errors of our own making; clients that hang up are none.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self,
        address: tuple[str, int],
        *,
        answer: Callable[[str, Mapping[str, str]], Answer],
        log: Callable[[LoggedRequest], None],
    ) -> None:
        self.answer = answer
        self.log = log
        self.failures: list[Exception] = []
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        super().__init__(address, _Connection)
        self._listener = threading.Thread(
            target=self.serve_forever, args=(POLL_SECONDS,), name=f"newsroom {self.server_port}", daemon=True
        )

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which can take seconds where there is no resolver."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = cast("tuple[str, int]", self.server_address)

    def start(self) -> None:
        """Begin to answer."""
        self._listener.start()

    def stop(self) -> None:
        """Stop listening, end every connection, and wait until all is closed."""
        self.stopping.set()
        self.shutdown()
        self._listener.join()
        self.server_close()
        with self._lock:
            connections = dict(self._connections)
        for connection in connections:
            with suppress(OSError):  # the client was quicker
                connection.shutdown(socket.SHUT_RDWR)
        for thread in connections.values():
            thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread of its own, and remember both."""
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name=f"newsroom {client_address}",
            daemon=True,
        )
        with self._lock:
            self._connections[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        """Close a connection; called in its thread when it has ended."""
        onoff, _ = struct.unpack("ii", request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
        if onoff:
            self.close_request(request)  # a FIN before the RST would make the reset look like an end
        else:
            super().shutdown_request(request)
        with self._lock:
            self._connections.pop(request, None)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: `_Connection` has kept what is of interest."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "HarbourCourier/1"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    server: NewsroomServer
    started = 0.0

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError) as problem:
            # A ValueError is a write to a file that was closed by a reset.
            if not isinstance(problem, ConnectionError | TimeoutError) and not self.server.stopping.is_set():
                self.server.failures.append(problem)
            self.close_connection = True
        except Exception as problem:  # noqa: BLE001 - the end of a thread; raised again when the newsroom closes
            self.server.failures.append(problem)

    def parse_request(self) -> bool:
        self.started = time.perf_counter()
        return super().parse_request()

    def do_GET(self) -> None:
        asked = {name.title(): value for name, value in self.headers.items()}
        length = int(asked.get("Content-Length", "0") or "0")
        self.rfile.read(length)
        answer = self.server.answer(self.path, asked)
        if answer.delay_seconds and self.server.stopping.wait(answer.delay_seconds):
            self.close_connection = True
            return
        self._send(answer)

    do_HEAD = do_GET  # noqa: N815 - the name that the standard library looks for
    do_POST = do_GET  # noqa: N815 - likewise

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on standard error; the newsroom has its own log."""

    def _send(self, answer: Answer) -> None:
        if answer.reset and answer.truncate is None:
            self._record(answer.status)
            self._reset()
            return
        self._send_head(answer)
        body = b"" if self.command == "HEAD" or answer.status in BODILESS else answer.body[: answer.truncate]
        if answer.drip_seconds:
            body = self._drip(body, answer.drip_seconds)
        self.wfile.write(body)
        self._record(answer.status)
        self.wfile.flush()
        if answer.truncate is not None or answer.close:
            self.close_connection = True
        if answer.reset:
            self._reset()

    def _drip(self, body: bytes, seconds: float) -> bytes:
        """Send a body slowly, and return what is left for the end: its last piece, or nothing when we are closing."""
        while len(body) > DRIP_BYTES:
            self.wfile.write(body[:DRIP_BYTES])
            self.wfile.flush()
            body = body[DRIP_BYTES:]
            if self.server.stopping.wait(seconds):
                self.close_connection = True
                return b""
        return body

    def _send_head(self, answer: Answer) -> None:
        given = {name.lower() for name, _ in answer.headers}
        self.send_response(answer.status, _reason(answer.status))
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status not in BODILESS:
            if "content-type" not in given:
                self.send_header("Content-Type", "text/html; charset=utf-8")
            if not given & {"content-length", "transfer-encoding"} and not answer.close:
                self.send_header("Content-Length", str(len(answer.body)))
        if answer.close:
            self.send_header("Connection", "close")
        self.end_headers()

    def _record(self, status: int) -> None:
        self.server.log(
            LoggedRequest(
                method=self.command,
                target=self.path,
                path=urlsplit(self.path).path,
                headers={name.lower(): value for name, value in self.headers.items()},
                status=status,
                started=self.started,
                ended=time.perf_counter(),
                client=self.client_address,
            )
        )

    def _reset(self) -> None:
        """Make closing the connection send RST instead of FIN: no lingering, by SO_LINGER with zero seconds."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Odd"
