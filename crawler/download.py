"""One HTTP attempt through Scrapy: a request out, an exchange or a named problem back."""

import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.http import Headers, Response
from twisted.internet.error import ConnectError, TCPTimedOutError
from twisted.internet.error import TimeoutError as ConnectTimeout

from crawler.address_guard import AddressGuard, port_refused
from crawler.http_handler import UNCLEAN, HeadersTooLarge, NothingCame
from crawler.whole_body import is_cut
from storage.clock import utc_now
from storage.content_coding import is_coded
from storage.model import HttpExchange, Outcome

_READ_STATUSES = frozenset({200, 203})

Engine = Callable[[Request], Awaitable[Response]]
"""Scrapy's `ExecutionEngine.download_async`, or what stands in for it."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What one attempt came to: an exchange, or the outcome and reason code of its failure.

    Times are those of the request's start and of the response's last byte, or of the failure.
    """

    record_id: str
    url: str
    started_at: datetime
    finished_at: datetime
    exchange: HttpExchange | None = None
    outcome: Outcome | None = None
    reason: str | None = None


class Downloader:
    """Makes single attempts: no retry, no redirect, no cookies, no decoding of content."""

    def __init__(self, engine: Engine, *, guard: AddressGuard) -> None:
        self._engine = engine
        self._guard = guard

    async def attempt(self, url: str, headers: Mapping[str, str], *, max_bytes: int | None = None) -> Attempt:
        """Request `url` once with these additional headers. Never raises for what the network does.

        `max_bytes` bounds the body as sent, in place of the setting for all.
        """
        record_id = f"urn:uuid:{uuid.uuid4()}"
        started_at = utc_now()
        exchange, outcome, reason = None, None, None
        if port_refused(url):
            outcome, reason = Outcome.BLOCKED_ADDRESS, "port"
        else:
            meta = {} if max_bytes is None else {"download_maxsize": max_bytes}
            # Validators are echoed byte for byte; Scrapy would write text as UTF-8.
            sent = {name: value.encode("latin-1", "replace") for name, value in headers.items()}
            request = Request(url, headers=sent, meta=meta, dont_filter=True)
            try:
                response = await self._engine(request)
            except _DOWNLOAD_PROBLEMS as problem:
                outcome, reason = self._explain(problem, request)
            else:
                if _is_cut(response):
                    outcome, reason = Outcome.NETWORK_ERROR, "short_body"
                else:
                    exchange = _exchange(record_id, request, response, started_at)
        return Attempt(
            record_id=record_id,
            url=url,
            started_at=started_at,
            finished_at=exchange.finished_at if exchange else utc_now(),
            exchange=exchange,
            outcome=outcome,
            reason=reason,
        )

    def _explain(self, problem: Exception, request: Request) -> tuple[Outcome, str]:
        # The guard's refusal reaches us as a name that resolved to nothing.
        if isinstance(problem, CannotResolveHostError) and self._guard.was_refused(request.url):
            return Outcome.BLOCKED_ADDRESS, "internal_address"
        return explain_problem(problem)


def _exchange(record_id: str, request: Request, response: Response, started_at: datetime) -> HttpExchange:
    return HttpExchange(
        record_id=record_id,
        url=request.url,
        method="GET",
        request_headers=_fields(request.headers),
        status=response.status,
        reason_phrase="",
        http_version=response.protocol or "HTTP/1.1",
        response_headers=_fields(response.headers),
        body=response.body,
        ip_address=str(response.ip_address) if response.ip_address else None,
        started_at=started_at,
        finished_at=utc_now(),
    )


def _is_cut(response: Response) -> bool:
    """Whether a body that only the end of the connection delimits is known to be torn; an error's page may be."""
    if "partial" not in response.flags or response.status not in _READ_STATUSES:
        return False
    coding = response.headers.get("Content-Encoding") or b""
    return not is_coded(coding.decode("latin-1")) and is_cut(response.body, orderly=UNCLEAN not in response.flags)


def _fields(headers: Headers) -> Sequence[tuple[str, str]]:
    """Return header fields with repeated names kept. HTTP header bytes are Latin-1 by RFC 9110."""
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, values in headers.items() for value in values
    )


_DOWNLOAD_PROBLEMS = (
    CannotResolveHostError,
    ConnectError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
    OSError,
    ValueError,
)


_LIMITS: tuple[tuple[type[BaseException], Outcome, str], ...] = (
    (HeadersTooLarge, Outcome.TOO_LARGE, "headers"),
    (NothingCame, Outcome.TIMEOUT, "idle"),
    (ConnectTimeout, Outcome.TIMEOUT, "connect"),
    (TCPTimedOutError, Outcome.TIMEOUT, "connect"),
)
"""Limits that end a request, which stand among an exception's causes."""

_PLAIN: tuple[tuple[type[Exception], Outcome, str], ...] = (
    (DownloadTimeoutError, Outcome.TIMEOUT, "no_response_in_time"),
    (CannotResolveHostError, Outcome.NETWORK_ERROR, "dns"),
    (DownloadConnectionRefusedError, Outcome.NETWORK_ERROR, "refused"),
    (ConnectError, Outcome.NETWORK_ERROR, "unreachable"),
    (DownloadCancelledError, Outcome.TOO_LARGE, "body"),
    (UnsupportedURLSchemeError, Outcome.NETWORK_ERROR, "scheme"),
)
"""Exceptions that tell by their class what happened; the first that fits counts."""


def explain_problem(problem: Exception) -> tuple[Outcome, str]:
    """Return the outcome and reason code for an exception that Scrapy's download raised."""
    causes = list(_causes(problem))
    for kind, outcome, code in _LIMITS:
        if any(isinstance(cause, kind) for cause in (problem, *causes)):
            return outcome, code
    for kind, outcome, code in _PLAIN:
        if isinstance(problem, kind):
            return outcome, code
    reasons = [reason for cause in causes if (reason := _reason(cause)) is not None]
    if isinstance(problem, ResponseDataLossError) and "malformed_response" not in reasons:
        return Outcome.NETWORK_ERROR, "short_body"
    return Outcome.NETWORK_ERROR, reasons[0] if reasons else "failed"


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """Yield what lies behind an exception: its cause, and the several failures that Twisted wraps in one."""
    behind = [failure.value for failure in getattr(problem, "reasons", ())]
    for cause in (*behind, problem.__cause__):
        if cause is not None:
            yield cause
            yield from _causes(cause)


_REASONS = {
    "VerificationError": "tls_certificate",
    "ConnectionLost": "reset",
    "ConnectionAborted": "reset",
    "ConnectionResetError": "reset",
    "ConnectionDone": "closed",
    "ParseError": "malformed_response",
    "InvalidHeaderName": "malformed_response",
    "KeyError": "malformed_response",  # a transfer coding that nobody knows
    "ValueError": "malformed_response",
    "_MalformedChunkedDataError": "malformed_response",
}
"""Reason codes by the name of the class, because most of these classes are private to the libraries."""


def _reason(cause: BaseException) -> str | None:
    name = type(cause).__name__
    if type(cause).__module__.startswith("OpenSSL"):
        return "tls_certificate" if "certificate verify failed" in str(cause) else "tls"
    return _REASONS.get(name)
