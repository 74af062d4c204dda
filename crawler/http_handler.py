"""Scrapy's download handler for http and https, on libcurl: one request, one answer as it was sent, every wait bounded.

Scrapy's own handlers bound a response's body and its time in all. A server can still keep them busy with headers that
never end, hold a connection with one byte a minute, or break off a body that has no announced length and have it taken
for the whole; and they lose what a capture wants to keep: the reason phrase, the order and the case of header fields.
libcurl has read what the web's servers send for decades, hands over each header line as it came, and lets us make every
socket. `pycurl.AsyncCurlMulti` drives it on the event loop; nothing here stands on a private part of it, of Scrapy
or of Twisted.

What is not kept as it was sent: a header field that was folded over several lines comes as one, trailers behind a
chunked body are left out, and interim answers (1xx) too.
"""

import asyncio
import contextlib
import errno
import ipaddress
import os
import select
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

import certifi
import pycurl
from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes

from crawler import dns
from crawler.address_guard import AddressInfo, AddressRefused, guarded_socket
from crawler.body_memory import ComingBody, ComingBytes
from crawler.dns import NameNotFound
from crawler.places import open_files_allowed
from crawler.worker_pool import shortage_of
from storage.errors import ShortOfResources

IDLE_SECONDS = "MORGUE_IDLE_SECONDS"
CONNECT_SECONDS = "MORGUE_CONNECT_SECONDS"
ALLOW_PRIVATE_ADDRESSES = "MORGUE_ALLOW_PRIVATE_ADDRESSES"
"""Names under which `crawler.scrapy_settings` hands over what Scrapy has no setting for."""

AS_SENT = "answer_as_sent"
"""Key of a request's `meta` under which its `AnswerAsSent` stands once it was answered."""
GIVEN_UP = "given_up"
"""Key of a request's `meta` for a future: once that is done nobody waits for the answer, and the request is ended.
Scrapy's engine does not hand on that who asked was cancelled."""

MAX_HEADER_BYTES = 128 * 1024
MAX_HEADER_LINES = 1_000
"""Bytes and lines of all header fields of one answer, interim answers included. Browsers take 256 KiB and more; what
real servers send stays below 32."""
KEPT_CONNECTIONS = 256
KEPT_CONNECTION_SECONDS = 15
"""How many connections are kept for the next request to their host, and for how long each is used again. No more are
kept than a quarter of the files that this process may have open."""
DECIDED_IDLE_SECONDS = 5.0
"""So long the rest of an answer is waited for whose head alone decides: a redirect, a refusal, an error."""
READ_STATUSES = frozenset({200, 203})
"""Answers whose body is what was asked for; of any other the head decides, and a body that is cut changes nothing."""
BUFFER_BYTES = 128 * 1024
_STRAY_READS = 100


@dataclass(frozen=True, kw_only=True)
class AnswerAsSent:
    """What of an answer Scrapy's `Response` does not keep.

    Header fields are in their order and in the case in which they came, their bytes read as Latin-1 (RFC 9110, 5.5).
    `ended_orderly` is False where an answer without a length ended otherwise than by its connection being closed.
    """

    reason_phrase: str
    fields: tuple[tuple[str, str], ...]
    ended_orderly: bool = True


class HttpHandler(BaseDownloadHandler):
    """Makes requests: no retry, no redirect, no cookies, no proxy, no decoding of content.

    Connections are kept for the next request to the same host. Where the server closed a kept one just when a request
    was sent on it, libcurl sends it once more on a new connection, as RFC 9112, 9.3.1 has it; no other is repeated.
    """

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        settings = crawler.settings
        self._timeout_seconds = settings.getfloat("DOWNLOAD_TIMEOUT")
        self._max_bytes = settings.getint("DOWNLOAD_MAXSIZE")
        self._connect_seconds = settings.getfloat(CONNECT_SECONDS)
        self._idle_seconds = settings.getfloat(IDLE_SECONDS)
        self._allow_private = settings.getbool(ALLOW_PRIVATE_ADDRESSES)
        self._resolver = dns.make_resolver()
        self._transfers = pycurl.AsyncCurlMulti()
        self._transfers.setopt(pycurl.M_MAXCONNECTS, min(KEPT_CONNECTIONS, open_files_allowed() // 4))
        self._kept = KeptConnections()
        self._authorities = certificate_authorities()
        self._coming = ComingBytes()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the handler as Scrapy's components are made."""
        return cls(crawler)

    async def download_request(self, request: Request) -> Response:
        """Make one request.

        Raises those exceptions of `scrapy.exceptions` that a handler may raise, each with our code (`reason_of`), and
        `ShortOfResources`. `download_timeout` and `download_maxsize` in the request's `meta` go before the settings.
        """
        seconds = float(request.meta.get("download_timeout", self._timeout_seconds))
        limit = int(request.meta.get("download_maxsize", self._max_bytes))
        begun = time.monotonic()
        guard = guarded_socket(allow_private=self._allow_private)
        transfer = _Transfer(request, guard=guard, max_bytes=limit, body=ComingBody(self._coming))
        with contextlib.closing(transfer):
            try:
                async with asyncio.timeout(seconds):
                    transfer.addresses = await self._look_up(request)
                    await self._perform(transfer)
            except TimeoutError:
                if not transfer.head_decides:
                    raise with_reason(
                        DownloadTimeoutError(f"took longer than {seconds} s"), "no_response_in_time"
                    ) from None
            request.meta["download_latency"] = time.monotonic() - begun
            request.meta[AS_SENT] = transfer.as_sent()
            return transfer.response()

    async def _look_up(self, request: Request) -> list[str]:
        """Return the addresses of the host; none where it is an address itself."""
        host = urlsplit(request.url).hostname or ""
        if not host or _is_address(host):
            return []
        try:
            return await self._resolver.addresses(host)
        except NameNotFound as problem:
            raise with_reason(CannotResolveHostError(str(problem)), "dns") from problem

    async def _perform(self, transfer: "_Transfer") -> None:
        """Run a transfer to its end. Raises what `download_request` raises."""
        loop = asyncio.get_running_loop()
        try:
            transfer.prepare(connect_seconds=self._connect_seconds, authorities=self._authorities)
            transfer.begin(self._kept)
            done = self._transfers.add_handle(transfer.curl)
        except pycurl.error as problem:
            self._kept.end(transfer.origin)
            raise with_reason(DownloadFailedError(f"libcurl refuses the request: {problem}"), "failed") from problem

        soon = min(self._idle_seconds, DECIDED_IDLE_SECONDS)

        def check_idle() -> None:
            quiet = transfer.quiet_seconds()
            longest = soon if transfer.head_decides else self._idle_seconds
            if done.done():
                return
            if quiet < longest:
                transfer.idle_check = loop.call_later(min(longest - quiet, soon), check_idle)
            elif transfer.head_decides:
                done.set_result(None)
            else:
                done.set_exception(with_reason(DownloadTimeoutError("nothing came for too long"), "idle"))

        def give_up(_nobody_waits: object) -> None:
            if not done.done():
                done.set_exception(with_reason(DownloadCancelledError("nobody waits for it any more"), "given_up"))

        transfer.idle_check = loop.call_later(soon, check_idle)
        given_up = transfer.given_up
        if given_up is not None:
            given_up.add_done_callback(give_up)
        try:
            await done
            transfer.check_head()
        except pycurl.error as problem:
            raised = transfer.explain(*problem.args[:2])
            if raised is not None:
                raise raised from problem
        finally:
            transfer.idle_check.cancel()
            self._kept.end(transfer.origin)
            with contextlib.suppress(RuntimeError):  # where it came to its end by itself it is removed already
                self._transfers.remove_handle(transfer.curl)

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self._transfers.aclose()
        await self._resolver.close()


class KeptConnections:
    """The sockets of connections that may be used again, and whether something came on one that nobody asked for.

    A server that sends more than it announced, or a second answer, would have that taken for the answer to the next
    request, and each further one be off by one: libcurl looks for such bytes only after a second of idling.
    """

    def __init__(self) -> None:
        self._sockets: dict[str, dict[int, int]] = {}
        self._active: Counter[str] = Counter()

    def begin(self, origin: str) -> bool:
        """Note that a request begins, and return whether it must not go over a connection that was kept."""
        self._active[origin] += 1
        if self._active[origin] > 1:
            return False  # what can be read may be the answer to another one
        spoken_to = [_was_spoken_to(number) for number in self._alive(origin)]
        return any(spoken_to)

    def end(self, origin: str) -> None:
        """Note that a request has ended."""
        self._active -= Counter([origin])

    def opened(self, origin: str, number: int, _purpose: int) -> int:
        """Note the socket of a new connection, as libcurl has it."""
        if len(self._sockets) > 2 * KEPT_CONNECTIONS:
            for known in list(self._sockets):
                self._alive(known)
        with contextlib.suppress(OSError):
            self._sockets.setdefault(origin, {})[number] = os.fstat(number).st_ino
        return int(pycurl.SOCKOPT_OK)

    def _alive(self, origin: str) -> list[int]:
        """Return the sockets of an origin that are still the ones that were noted."""
        known = self._sockets.pop(origin, {})
        alive = {number: inode for number, inode in known.items() if _inode(number) == inode}
        if alive:
            self._sockets[origin] = alive
        return list(alive)


def _inode(number: int) -> int | None:
    try:
        return os.fstat(number).st_ino
    except OSError:
        return None


def _was_spoken_to(number: int) -> bool:
    """Whether something came on a socket, or it was closed; what came is thrown away, and the connection ended.

    libcurl finds it closed then, should it try to use it again.
    """
    waiting = select.poll()
    waiting.register(number, select.POLLIN)
    if not waiting.poll(0):
        return False
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(number)) as same:
        for _ in range(_STRAY_READS):
            if not same.recv(BUFFER_BYTES, socket.MSG_DONTWAIT):
                break
        same.shutdown(socket.SHUT_RDWR)
    return True


class _Transfer:
    """One request on its way: what libcurl is told, and what it hands over."""

    def __init__(
        self, request: Request, *, guard: Callable[[AddressInfo], socket.socket], max_bytes: int, body: ComingBody
    ) -> None:
        self.curl = pycurl.Curl()
        self.addresses: list[str] = []
        self.given_up: asyncio.Future[None] | None = request.meta.get(GIVEN_UP)
        self.idle_check: asyncio.TimerHandle
        self._request = request
        self._guard = guard
        self._max_bytes = max_bytes
        self._body = body
        self._status_line = b""
        self._lines: list[bytes] = []
        self._header_bytes = self._header_lines = 0
        self._head_ended = False
        self._begun_at = 0.0
        self._last_byte_at: float | None = None
        self._too_large: str | None = None
        self._refused = self._opened = False
        self._shortage: ShortOfResources | None = None
        self._ended_orderly = True

    def prepare(self, *, connect_seconds: float, authorities: str) -> None:
        """Tell libcurl what to do."""
        set_option, parts = self.curl.setopt, urlsplit(self._request.url)
        set_option(pycurl.URL, self._request.url)
        set_option(pycurl.PATH_AS_IS, 1)
        set_option(pycurl.CUSTOMREQUEST, self._request.method)
        if self._request.method == "HEAD":
            set_option(pycurl.NOBODY, 1)
        if self._request.body:
            set_option(pycurl.COPYPOSTFIELDS, self._request.body)
        set_option(pycurl.HTTPHEADER, list(_header_lines(self._request.headers)))
        set_option(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        set_option(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        set_option(pycurl.HTTP_CONTENT_DECODING, 0)
        set_option(pycurl.PROXY, "")  # none, whatever the environment says
        set_option(pycurl.NOSIGNAL, 1)
        set_option(pycurl.CAINFO, authorities)
        set_option(pycurl.CONNECTTIMEOUT_MS, int(connect_seconds * 1000))
        set_option(pycurl.MAXAGE_CONN, KEPT_CONNECTION_SECONDS)
        set_option(pycurl.BUFFERSIZE, BUFFER_BYTES)
        if self._max_bytes:
            set_option(pycurl.MAXFILESIZE_LARGE, self._max_bytes)
        if self.addresses:
            port = parts.port or (443 if parts.scheme == "https" else 80)
            known = ",".join(f"[{address}]" if ":" in address else address for address in self.addresses)
            set_option(pycurl.RESOLVE, [f"+{parts.hostname}:{port}:{known}"])
        set_option(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        set_option(pycurl.HEADERFUNCTION, self._take_header_line)
        set_option(pycurl.WRITEFUNCTION, self._take_body)
        self._begun_at = time.monotonic()

    @property
    def origin(self) -> str:
        """Scheme, host and port of the request: what a connection may be used again for."""
        parts = urlsplit(self._request.url)
        return f"{parts.scheme}://{parts.netloc}"

    def begin(self, kept: "KeptConnections") -> None:
        """Make a new connection where something came on a kept one that nobody asked for."""
        if kept.begin(self.origin):
            self.curl.setopt(pycurl.FRESH_CONNECT, 1)
        self.curl.setopt(pycurl.SOCKOPTFUNCTION, partial(kept.opened, self.origin))

    @property
    def head_decides(self) -> bool:
        """Whether the head of an answer is there, and says all that is to be known of it."""
        status = self._status_line.split(b" ", 2)[1:2]
        return self._head_ended and bool(status) and status[0].isdigit() and int(status[0]) not in READ_STATUSES

    def quiet_seconds(self) -> float:
        """Return for how long the server has said nothing. Connecting has a limit of its own and does not count."""
        now = time.monotonic()
        if self._last_byte_at is not None:
            return now - self._last_byte_at
        connected_after = self.curl.getinfo(pycurl.PRETRANSFER_TIME)  # in seconds; 0 until it is so far
        return now - (self._begun_at + connected_after) if connected_after else 0.0

    def check_head(self) -> None:
        """Refuse an answer that ended within its head, which libcurl takes for one without a body."""
        if not self._head_ended:
            raise with_reason(DownloadFailedError("the connection was closed within the headers"), "closed")

    def as_sent(self) -> AnswerAsSent:
        """Return the head of the answer as it came."""
        reason = self._status_line.split(b" ", 2)[2:]
        return AnswerAsSent(
            reason_phrase=reason[0].decode("latin-1") if reason else "",
            fields=tuple(_field(line) for line in self._lines),
            ended_orderly=self._ended_orderly,
        )

    def response(self) -> Response:
        """Return the answer as Scrapy has it. Raises `ShortOfResources`."""
        fields = [_field(line) for line in self._lines]
        headers = Headers([(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields])
        try:
            body = self._body.content()
        except OSError as problem:
            raise _no_room(problem) from problem
        kind = responsetypes.from_args(headers=headers, url=self._request.url, body=body)
        address = self.curl.getinfo(pycurl.PRIMARY_IP)
        return kind(
            url=self._request.url,
            status=self.curl.getinfo(pycurl.RESPONSE_CODE),
            headers=headers,
            body=body,
            request=self._request,
            ip_address=ipaddress.ip_address(address) if address else None,
            protocol=self._status_line.split(b" ", 1)[0].decode("latin-1") or "HTTP/1.1",
        )

    def explain(self, code: int, message: str) -> Exception | None:
        """Return in Scrapy's terms what libcurl's error was; None where the answer is to be taken all the same.

        Raises `ShortOfResources` where this process could not open a connection, which is no fault of the host.
        """
        if self._shortage is not None:
            raise self._shortage
        kind, reason = self._kind_and_reason(code, message)
        if self.head_decides and self._too_large != "headers":
            self._ended_orderly = False
            return None
        if reason == "reset" and self._head_ended:
            if not any(name.lower() in _DELIMITERS for name, _ in map(_field, self._lines)):
                self._ended_orderly = False
                return None
            kind, reason = ResponseDataLossError, "short_body"
        return with_reason(kind(f"{message} ({code})"), reason)

    def _kind_and_reason(self, code: int, message: str) -> tuple[type[Exception], str]:
        if self._too_large is not None:
            return DownloadCancelledError, self._too_large
        if code == pycurl.E_COULDNT_CONNECT:
            if self._refused and not self._opened:
                return CannotResolveHostError, "internal_address"
            return _CONNECT_ERRORS.get(self.curl.getinfo(pycurl.OS_ERRNO), (DownloadFailedError, "unreachable"))
        if code == pycurl.E_RECV_ERROR and "chunk" in message:
            return DownloadFailedError, "malformed_response"
        if code == pycurl.E_RECV_ERROR and "alert" in message:
            return DownloadFailedError, "tls"  # sent after the handshake, as where a client's certificate is wanted
        return _ERRORS.get(code, (DownloadFailedError, "failed"))

    def close(self) -> None:
        """Forget the transfer; it is no longer run."""
        self.curl.close()
        self._body.close()

    # What libcurl calls. An exception would be printed and lost, so none is raised.

    def _open_socket(self, _purpose: int, address: Any) -> socket.socket | int:
        family, kind, protocol, where = address
        try:
            made = self._guard((family, kind, protocol, "", where))
        except AddressRefused:
            self._refused = True
            return int(pycurl.SOCKET_BAD)
        except OSError as problem:
            self._shortage = shortage_of(problem)
            return int(pycurl.SOCKET_BAD)
        try:
            os.close(os.dup(made.fileno()))
        except OSError as problem:
            self._shortage = shortage_of(problem)
            made.close()
            return int(pycurl.SOCKET_BAD)
        self._opened, self._shortage = True, None
        # What libcurl gets is a duplicate, made when this returns.
        asyncio.get_running_loop().call_soon(made.close)
        return made

    def _take_header_line(self, line: bytes) -> int | None:
        self._last_byte_at = time.monotonic()
        self._header_bytes += len(line)
        self._header_lines += 1
        if self._header_bytes > MAX_HEADER_BYTES or self._header_lines > MAX_HEADER_LINES:
            self._too_large = "headers"
            return -1
        line = line.rstrip(b"\r\n")
        if line.startswith(b"HTTP/") and (not self._status_line or self._head_ended) and not self._body:
            # The first line, or that of the answer behind an interim one.
            self._status_line, self._lines, self._head_ended = line, [], False
        elif not line:
            self._head_ended = True
        elif not self._head_ended:  # else it is a trailer
            self._lines.append(line)
        return None

    def _take_body(self, part: bytes) -> int | None:
        self._last_byte_at = time.monotonic()
        if self._max_bytes and len(self._body) + len(part) > self._max_bytes:
            self._too_large = "body"
            return -1
        try:
            self._body.append(part)
        except OSError as problem:
            self._shortage = shortage_of(problem) or _no_room(problem)
            return -1
        return None


_DELIMITERS = frozenset({"content-length", "transfer-encoding"})
"""Header fields that say where a body ends."""

_CONNECT_ERRORS: dict[int, tuple[type[Exception], str]] = {
    errno.ECONNREFUSED: (DownloadConnectionRefusedError, "refused"),
    errno.ETIMEDOUT: (DownloadTimeoutError, "connect"),
    errno.ECONNRESET: (DownloadFailedError, "reset"),
}

_TOO_LARGE = 100
"""CURLE_TOO_LARGE, which pycurl has no name for: a header line is longer than libcurl takes."""

_ERRORS: dict[int, tuple[type[Exception], str]] = {
    pycurl.E_OPERATION_TIMEDOUT: (DownloadTimeoutError, "connect"),  # the only limit in time that libcurl is told
    pycurl.E_COULDNT_RESOLVE_HOST: (CannotResolveHostError, "dns"),
    pycurl.E_PEER_FAILED_VERIFICATION: (DownloadFailedError, "tls_certificate"),
    pycurl.E_SSL_CONNECT_ERROR: (DownloadFailedError, "tls"),
    pycurl.E_SSL_CIPHER: (DownloadFailedError, "tls"),
    pycurl.E_GOT_NOTHING: (DownloadFailedError, "closed"),
    pycurl.E_SEND_ERROR: (DownloadFailedError, "reset"),
    pycurl.E_RECV_ERROR: (DownloadFailedError, "reset"),
    pycurl.E_PARTIAL_FILE: (ResponseDataLossError, "short_body"),
    pycurl.E_FILESIZE_EXCEEDED: (DownloadCancelledError, "body"),
    _TOO_LARGE: (DownloadCancelledError, "headers"),
    pycurl.E_FTP_WEIRD_SERVER_REPLY: (DownloadFailedError, "malformed_response"),  # of any protocol, by now
    pycurl.E_UNSUPPORTED_PROTOCOL: (DownloadFailedError, "malformed_response"),
    pycurl.E_BAD_CONTENT_ENCODING: (DownloadFailedError, "malformed_response"),  # a transfer coding that is none
    pycurl.E_URL_MALFORMAT: (UnsupportedURLSchemeError, "scheme"),
}
"""Scrapy's exception and our reason code by libcurl's error."""


def reason_of(problem: BaseException) -> str | None:
    """Return the reason code that the handler gave an exception; None for one that it did not raise."""
    return getattr(problem, "reason", None)


def with_reason(problem: Exception, reason: str) -> Exception:
    """Return the exception with a reason code."""
    problem.reason = reason  # type: ignore[attr-defined]  # Scrapy's exceptions have no place for it
    return problem


def certificate_authorities() -> str:
    """Return the file of the authorities that are believed: this machine's, or where it has none, certifi's."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile or certifi.where()


def _no_room(problem: OSError) -> ShortOfResources:
    return ShortOfResources(
        "the folder for temporary files", f"takes no body of an answer ({problem})", "make room on its disk"
    )


def _header_lines(headers: Headers) -> Iterator[bytes]:
    for name, values in headers.items():
        for value in values:
            yield name + b": " + value


def _field(line: bytes) -> tuple[str, str]:
    name, _, value = line.partition(b":")
    return name.decode("latin-1"), value.strip(b" \t").decode("latin-1")


def _is_address(host: str) -> bool:
    """Whether a host is an address in any spelling that libcurl, as browsers do, reads as one."""
    if ":" in host:
        return True
    try:
        socket.inet_aton(host)
    except (OSError, UnicodeError):
        return False
    return True
