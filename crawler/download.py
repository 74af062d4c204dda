"""One HTTP attempt through Scrapy: a request out, an exchange or a named problem back."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotSupported,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.http import Headers, Response

from crawler.address_guard import port_refused
from crawler.http_handler import AS_SENT, GIVEN_UP, READ_STATUSES, AnswerAsSent, reason_of
from crawler.whole_body import is_cut
from storage.clock import utc_now
from storage.content_coding import is_coded
from storage.model import HttpExchange
from storage.outcomes import Outcome

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
    """Makes single attempts: no retry, no redirect, no cookies, no decoding of content.

    `deadline_seconds` ends an attempt whatever hangs: it is to be longer than the limits that the handler itself keeps.
    """

    def __init__(self, engine: Engine, *, deadline_seconds: float) -> None:
        self._engine = engine
        self._deadline_seconds = deadline_seconds

    async def attempt(self, url: str, headers: Mapping[str, str], *, max_bytes: int | None = None) -> Attempt:
        """Request `url` once with these additional headers. Never raises for what the network does.

        `max_bytes` bounds the body as sent, in place of the setting for all. Raises `ShortOfResources` where this
        process cannot open a connection.
        """
        record_id = f"urn:uuid:{uuid.uuid4()}"
        started_at = utc_now()
        exchange, outcome, reason = None, None, None
        if port_refused(url):
            outcome, reason = Outcome.BLOCKED_ADDRESS, "port"
        else:
            given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            meta: dict[str, Any] = {GIVEN_UP: given_up}
            if max_bytes is not None:
                meta["download_maxsize"] = max_bytes
            # Validators are echoed byte for byte; Scrapy would write text as UTF-8.
            sent = {name: value.encode("latin-1", "replace") for name, value in headers.items()}
            request = Request(url, headers=sent, meta=meta, dont_filter=True)
            try:
                async with asyncio.timeout(self._deadline_seconds):
                    response = await self._engine(request)
            except _DOWNLOAD_PROBLEMS as problem:
                outcome, reason = explain_problem(problem)
            else:
                as_sent = _as_sent(request, response)
                if _is_cut(response, as_sent):
                    outcome, reason = Outcome.NETWORK_ERROR, "short_body"
                else:
                    exchange = _exchange(record_id, request, response, as_sent, started_at)
            finally:
                given_up.cancel()
        return Attempt(
            record_id=record_id,
            url=url,
            started_at=started_at,
            finished_at=exchange.finished_at if exchange else utc_now(),
            exchange=exchange,
            outcome=outcome,
            reason=reason,
        )


def _as_sent(request: Request, response: Response) -> AnswerAsSent:
    """Return the answer's head as the handler noted it, or what another handler's response still tells of it."""
    noted = request.meta.get(AS_SENT)
    if isinstance(noted, AnswerAsSent):
        return noted
    return AnswerAsSent(reason_phrase="", fields=_fields(response.headers))


def _exchange(
    record_id: str, request: Request, response: Response, as_sent: AnswerAsSent, started_at: datetime
) -> HttpExchange:
    return HttpExchange(
        record_id=record_id,
        url=request.url,
        method="GET",
        request_headers=_fields(request.headers),
        status=response.status,
        reason_phrase=as_sent.reason_phrase,
        http_version=response.protocol or "HTTP/1.1",
        response_headers=as_sent.fields,
        body=response.body,
        ip_address=str(response.ip_address) if response.ip_address else None,
        started_at=started_at,
        finished_at=utc_now(),
    )


def _is_cut(response: Response, as_sent: AnswerAsSent) -> bool:
    """Whether a body that only the end of the connection delimits is known to be torn; an error's page may be."""
    if response.status not in READ_STATUSES or any(name in response.headers for name in _DELIMITERS):
        return False
    coding = response.headers.get("Content-Encoding") or b""
    return not is_coded(coding.decode("latin-1")) and is_cut(response.body, orderly=as_sent.ended_orderly)


_DELIMITERS = ("Content-Length", "Transfer-Encoding")
"""Header fields that say where a body ends."""


def _fields(headers: Headers) -> tuple[tuple[str, str], ...]:
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
    NotSupported,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
    OSError,
    TimeoutError,
    ValueError,
)

_OUTCOMES = {
    "internal_address": Outcome.BLOCKED_ADDRESS,
    "headers": Outcome.TOO_LARGE,
    "body": Outcome.TOO_LARGE,
    "connect": Outcome.TIMEOUT,
    "idle": Outcome.TIMEOUT,
    "no_response_in_time": Outcome.TIMEOUT,
}
"""What a reason code of the handler comes to, where that is no `NETWORK_ERROR`."""

_BY_CLASS: tuple[tuple[type[Exception], Outcome, str], ...] = (
    (TimeoutError, Outcome.TIMEOUT, "deadline"),
    (DownloadTimeoutError, Outcome.TIMEOUT, "no_response_in_time"),
    (CannotResolveHostError, Outcome.NETWORK_ERROR, "dns"),
    (DownloadConnectionRefusedError, Outcome.NETWORK_ERROR, "refused"),
    (DownloadCancelledError, Outcome.TOO_LARGE, "body"),
    (ResponseDataLossError, Outcome.NETWORK_ERROR, "short_body"),
    (UnsupportedURLSchemeError, Outcome.NETWORK_ERROR, "scheme"),
)
"""What an exception tells by its class where it has no reason code: our deadline, and other handlers' exceptions."""


def explain_problem(problem: Exception) -> tuple[Outcome, str]:
    """Return the outcome and reason code for an exception that Scrapy's download raised."""
    reason = reason_of(problem)
    if reason is not None:
        return _OUTCOMES.get(reason, Outcome.NETWORK_ERROR), reason
    for kind, outcome, code in _BY_CLASS:
        if isinstance(problem, kind):
            return outcome, code
    return Outcome.NETWORK_ERROR, "failed"
