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

from crawler.address_guard import AddressGuard
from storage.clock import utc_now
from storage.model import HttpExchange, Outcome

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

    async def attempt(self, url: str, headers: Mapping[str, str]) -> Attempt:
        """Request `url` once with these additional headers. Never raises for what the network does."""
        record_id = f"urn:uuid:{uuid.uuid4()}"
        request = Request(url, headers=dict(headers), dont_filter=True)
        started_at = utc_now()
        try:
            response = await self._engine(request)
        except _DOWNLOAD_PROBLEMS as problem:
            outcome, reason = self._explain(problem, request)
            return Attempt(
                record_id=record_id,
                url=url,
                started_at=started_at,
                finished_at=utc_now(),
                outcome=outcome,
                reason=reason,
            )
        finished_at = utc_now()
        exchange = HttpExchange(
            record_id=record_id,
            url=url,
            method="GET",
            request_headers=_fields(request.headers),
            status=response.status,
            reason_phrase="",
            http_version=response.protocol or "HTTP/1.1",
            response_headers=_fields(response.headers),
            body=response.body,
            ip_address=str(response.ip_address) if response.ip_address else None,
            started_at=started_at,
            finished_at=finished_at,
        )
        return Attempt(record_id=record_id, url=url, started_at=started_at, finished_at=finished_at, exchange=exchange)

    def _explain(self, problem: Exception, request: Request) -> tuple[Outcome, str]:
        # The guard's refusal reaches us as a name that resolved to nothing.
        if isinstance(problem, CannotResolveHostError) and self._guard.was_refused(request.url):
            return Outcome.BLOCKED_ADDRESS, "internal_address"
        return explain_problem(problem)


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


_PLAIN: tuple[tuple[type[Exception], Outcome, str], ...] = (
    (DownloadTimeoutError, Outcome.TIMEOUT, "no_response_in_time"),
    (TCPTimedOutError, Outcome.TIMEOUT, "no_response_in_time"),
    (CannotResolveHostError, Outcome.NETWORK_ERROR, "dns"),
    (DownloadConnectionRefusedError, Outcome.NETWORK_ERROR, "refused"),
    (ConnectError, Outcome.NETWORK_ERROR, "unreachable"),
    (DownloadCancelledError, Outcome.TOO_LARGE, "body"),
    (UnsupportedURLSchemeError, Outcome.NETWORK_ERROR, "scheme"),
)
"""Exceptions that tell by their class what happened; the first that fits counts."""


def explain_problem(problem: Exception) -> tuple[Outcome, str]:
    """Return the outcome and reason code for an exception that Scrapy's download raised."""
    for kind, outcome, code in _PLAIN:
        if isinstance(problem, kind):
            return outcome, code
    reasons = [reason for cause in _causes(problem) if (reason := _reason(cause)) is not None]
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
    "ValueError": "malformed_response",
    "_MalformedChunkedDataError": "malformed_response",
}
"""Reason codes by the name of the class, because most of these classes are private to the libraries."""


def _reason(cause: BaseException) -> str | None:
    name = type(cause).__name__
    if type(cause).__module__.startswith("OpenSSL"):
        return "tls_certificate" if "certificate verify failed" in str(cause) else "tls"
    return _REASONS.get(name)
