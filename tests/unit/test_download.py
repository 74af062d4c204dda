"""One attempt: what another handler raises is explained too, and nothing outlasts the deadline."""

import asyncio

import pytest
from scrapy.exceptions import DownloadTimeoutError, IgnoreRequest, ResponseDataLossError
from scrapy.http import Response

from crawler.download import Downloader
from storage.errors import ShortOfResources
from storage.outcomes import Outcome

URL = "http://127.0.0.1:8080/"


def attempt(engine, *, deadline_seconds=60.0, url=URL):
    return asyncio.run(Downloader(engine, deadline_seconds=deadline_seconds).attempt(url, {}))


def raising(problem: Exception):
    async def engine(request):
        raise problem

    return engine


async def never(request):
    await asyncio.Event().wait()


def test_a_library_that_never_returns_is_given_up_at_the_deadline():
    ended = attempt(never, deadline_seconds=0.01)
    assert (ended.outcome, ended.reason) == (Outcome.TIMEOUT, "deadline")


@pytest.mark.parametrize(
    ("problem", "outcome", "reason"),
    [
        (DownloadTimeoutError("slow"), Outcome.TIMEOUT, "no_response_in_time"),
        (ResponseDataLossError("cut"), Outcome.NETWORK_ERROR, "short_body"),
        (IgnoreRequest("a middleware's"), Outcome.NETWORK_ERROR, "failed"),
        (ConnectionResetError("a handler's"), Outcome.NETWORK_ERROR, "failed"),
    ],
)
def test_what_a_handler_that_is_not_ours_raises_is_explained_by_its_class(problem, outcome, reason):
    ended = attempt(raising(problem))
    assert (ended.outcome, ended.reason, ended.exchange) == (outcome, reason, None)


def test_our_own_shortage_is_no_outcome_of_a_page():
    with pytest.raises(ShortOfResources):
        attempt(raising(ShortOfResources("opening a connection", "too many open files")))


def test_an_answer_of_a_handler_that_is_not_ours_is_taken_with_what_it_tells():
    async def engine(request):
        return Response(request.url, headers={"Content-Length": "2"}, body=b"ok", protocol="HTTP/1.1")

    exchange = attempt(engine).exchange
    assert exchange is not None
    assert (exchange.status, exchange.body, exchange.reason_phrase) == (200, b"ok", "")
    assert exchange.response_headers == (("Content-Length", "2"),)


def test_a_port_of_another_protocol_is_not_asked():
    ended = attempt(never, url="http://127.0.0.1:25/")
    assert (ended.outcome, ended.reason) == (Outcome.BLOCKED_ADDRESS, "port")
