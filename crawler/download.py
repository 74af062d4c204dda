"""One HTTP attempt through Scrapy: a request out, an exchange or a named problem back."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
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


def explain_problem(problem: Exception) -> tuple[Outcome, str]:
    """Return the outcome and reason code for an exception that Scrapy's download raised."""
    match problem:
        case DownloadTimeoutError():
            return Outcome.TIMEOUT, "no_response_in_time"
        case CannotResolveHostError():
            return Outcome.NETWORK_ERROR, "dns"
        case DownloadConnectionRefusedError():
            return Outcome.NETWORK_ERROR, "refused"
        case DownloadCancelledError():
            return Outcome.TOO_LARGE, "body"
        case ResponseDataLossError():
            return Outcome.NETWORK_ERROR, "short_body"
        case UnsupportedURLSchemeError():
            return Outcome.NETWORK_ERROR, "scheme"
        case _:
            return Outcome.NETWORK_ERROR, _reason_in_text(f"{problem!r} {problem.__cause__!r}")


def _reason_in_text(text: str) -> str:
    # Twisted wraps the cause several layers deep; the class names in its text are what tells them apart.
    for mark, reason in (
        ("certificate", "tls_certificate"),
        ("SSL", "tls"),
        ("TLS", "tls"),
        ("ConnectionLost", "reset"),
        ("ConnectionDone", "closed"),
        ("Connection reset", "reset"),
        ("PotentialDataLoss", "short_body"),
        ("ParseError", "malformed_response"),
        ("IncompleteRead", "short_body"),
        ("NoRouteError", "unreachable"),
        ("unreachable", "unreachable"),
    ):
        if mark.lower() in text.lower():
            return reason
    return "failed"
