"""Scrapy's HTTP/1.1 client with the limits that it lacks: header size, silence, time to connect, torn endings.

Scrapy bounds a response's body and its time in all. A server can still keep it busy with headers that never end, hold a
connection with one byte a minute, or break off a body that has no announced length and have it taken for the whole.
What is bounded here lies between Scrapy's handler and Twisted's parser, so it has to extend classes that both keep
private; the table in `tests.hostile` shows whether a new release of either still fits.
"""

# Twisted's methods have no types.
# mypy: allow-untyped-calls

from collections.abc import Callable
from functools import partial
from typing import Any

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientProtocol,
    _LenientHTTPClientParser,
    _ScrapyAgent,
)
from scrapy.http import Response
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed, _HTTP11ClientFactory
from twisted.web.http import _DataLoss
from twisted.web.iweb import UNKNOWN_LENGTH

IDLE_SECONDS = "MORGUE_IDLE_SECONDS"
CONNECT_SECONDS = "MORGUE_CONNECT_SECONDS"
"""Names under which `crawler.scrapy_settings` hands the limits over."""

MAX_HEADER_BYTES = 128 * 1024
"""Bytes of all header fields of one answer, interim answers (1xx) included. Browsers take 256 KiB and more; what real
servers send stays below 32."""
MAX_HEADER_LINES = 1_000
LINGER_SECONDS = 5.0
"""How long a server may take to take leave of a connection before it is cut off."""

UNCLEAN = "unclean"
"""Flag of a response without a length whose connection ended otherwise than by an orderly close."""


class HeadersTooLarge(Exception):
    """An answer's header fields are more than is taken."""


class NothingCame(Exception):
    """For a whole interval no byte came while an answer was awaited."""


class _BoundedParser(_LenientHTTPClientParser):
    """Reads one response; counts its header lines over interim responses too."""

    MAX_LENGTH = MAX_HEADER_BYTES
    _header_bytes = 0
    _header_lines = 0

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 - Twisted's interface
        self._header_bytes += len(line) + 1
        self._header_lines += 1
        if self._header_bytes > MAX_HEADER_BYTES or self._header_lines > MAX_HEADER_LINES:
            raise HeadersTooLarge
        super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802, ARG002 - Twisted's interface
        raise HeadersTooLarge

    def connectionLost(self, reason: Any = None) -> None:  # noqa: N802 - Twisted's interface
        """Tell a body that was broken off by us from one that the server ended, where only the end tells its length.

        For an answer that ended before its connection, Twisted passes a bare exception and no `Failure`.
        """
        if isinstance(reason, BaseException):
            reason = Failure(reason)
        if self.bodyDecoder is not None and self.response.length is UNKNOWN_LENGTH and reason is not None:
            if reason.check(NothingCame):
                losses = [reason, Failure(_DataLoss())]
                self.response._bodyDataFinished(Failure(ResponseFailed(losses, self.response)))
                return
            self.response.closed_uncleanly = not reason.check(ConnectionDone)
        super().connectionLost(reason)


class _GuardedProtocol(_LenientHTTP11ClientProtocol):
    """One connection; ends it when nothing comes for too long, and does not wait for servers that never let go."""

    transport: Any

    def __init__(self, quiescent: Callable[[Any], None], *, idle_seconds: float) -> None:
        super().__init__(quiescent)
        self._idle_seconds = idle_seconds
        self._watch: Any = None
        self._leave: Any = None

    def request(self, request: Any) -> Any:
        answered = super().request(request)
        if self._parser is not None:
            # As Scrapy does for its own parser, which the class below extends by counters only.
            self._parser.__class__ = _BoundedParser
            self._watch = self._later(self._idle_seconds, self._nothing_came)
        return answered

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's interface
        if self._watch is not None and self._watch.active():
            self._watch.reset(self._idle_seconds)
        super().dataReceived(data)
        if self._parser is None:
            self._stop_watching()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's interface
        self._stop_watching()
        if self._leave is not None and self._leave.active():
            self._leave.cancel()
        super().connectionLost(reason)

    def _giveUp(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        if reason.check(ConnectionDone):
            self._leave = self._later(LINGER_SECONDS, self.transport.abortConnection)
            super()._giveUp(reason)
            return
        # An orderly end of TLS waits for the other side, and one that goes on sending never gets there.
        self.transport.abortConnection()
        self._disconnectParser(reason)

    def _nothing_came(self) -> None:
        if self._parser is not None:
            self._giveUp(Failure(NothingCame()))

    def _stop_watching(self) -> None:
        if self._watch is not None and self._watch.active():
            self._watch.cancel()

    @staticmethod
    def _later(seconds: float, call: Callable[[], None]) -> Any:
        from twisted.internet import reactor  # noqa: PLC0415 - importing it earlier would install the wrong reactor

        clock: Any = reactor
        return clock.callLater(seconds, call)


class _GuardedFactory(_HTTP11ClientFactory):
    """Makes guarded connections."""

    noisy = False

    def __init__(self, quiescent: Callable[[Any], None], metadata: Any, *, idle_seconds: float) -> None:
        super().__init__(quiescent, metadata)
        self._idle_seconds = idle_seconds

    def buildProtocol(self, addr: Any) -> _GuardedProtocol:  # noqa: N802, ARG002 - Twisted's interface
        return _GuardedProtocol(self._quiescentCallback, idle_seconds=self._idle_seconds)


class _GuardedAgent(_ScrapyAgent):
    """Makes one request; connecting has a limit of its own."""

    def __init__(self, *, connect_seconds: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._connect_seconds = connect_seconds

    def _get_agent(self, request: Request, timeout: float) -> Any:
        return super()._get_agent(request, min(timeout, self._connect_seconds))

    def _cb_bodydone(self, result: Any, url: str) -> Response:
        response = super()._cb_bodydone(result, url)
        if getattr(result["txresponse"], "closed_uncleanly", False):
            response.flags.append(UNCLEAN)
        return response


class GuardedHandler(HTTP11DownloadHandler):
    """Scrapy's download handler for http and https, bounded."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self._connect_seconds = crawler.settings.getfloat(CONNECT_SECONDS)
        pool: Any = self._pool
        pool._factory = partial(_GuardedFactory, idle_seconds=crawler.settings.getfloat(IDLE_SECONDS))

    async def download_request(self, request: Request) -> Response:
        """Make one request. Raises what `crawler.download.explain_problem` explains."""
        agent = _GuardedAgent(
            connect_seconds=self._connect_seconds,
            contextFactory=self._contextFactory,
            bindAddress=self._bind_address,
            pool=self._pool,
            maxsize=self._default_maxsize,
            fail_on_dataloss=True,
            crawler=self._crawler,
        )
        with wrap_twisted_exceptions():
            response: Response = await maybe_deferred_to_future(agent.download_request(request))
        return response
