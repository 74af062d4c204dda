"""What a server sends beside its answers is nobody's answer, and of an error the head counts, however its body ends."""

import asyncio

import pytest

from crawler.reactor import run
from crawler.runner import open_engine
from crawler.settings import CrawlSettings
from storage.outcomes import Outcome

SETTINGS = CrawlSettings(
    user_agent="morgue-tests/1 (+mailto:tests@example.org)",
    allow_private_addresses=True,
    timeout_seconds=8,
    idle_timeout_seconds=3,
)


def whole(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


STRAY = {
    "/answer": whole(b"nobody asked"),
    "/408": whole(b"", b"408 Request Timeout"),
    "/line": b"\r\n",
    "/long": whole(b"x" * 300_000),
}
"""What comes a moment after the answer."""


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
            if path in CUT:
                writer.write(CUT[path])
                if path.endswith("-hangs"):
                    await asyncio.sleep(60)
                break
            writer.write(whole(path.encode()))
            if path in STRAY:
                await writer.drain()
                await asyncio.sleep(0.05)
                writer.write(STRAY[path])
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


CUT = {
    "/redirect": b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 100\r\n\r\nto ",
    "/redirect-hangs": b"HTTP/1.1 301 Moved\r\nLocation: /there\r\nConnection: keep-alive\r\n\r\n",
    "/missing": b"HTTP/1.1 404 Not Found\r\nContent-Length: 500\r\n\r\nnot here",
    "/limited": b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nContent-Length: 100\r\n\r\nwait",
    "/limited-hangs": b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nContent-Length: 100\r\n\r\nwait",
    "/broken": b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "/huge": b"HTTP/1.1 404 Not Found\r\nContent-Length: 99999999999\r\n\r\n",
}
"""Answers whose body never comes whole."""


def answers(*paths: str, pause: float = 0.0, host: str = "127.0.0.1"):
    """Ask for paths one after the other, and return what came: status and body, or outcome and reason."""

    async def ask():
        server = await asyncio.start_server(serve, host, 0)
        port = server.sockets[0].getsockname()[1]
        found = []
        async with open_engine(SETTINGS) as downloader:
            for path in paths:
                attempt = await downloader.attempt(f"http://{host}:{port}{path}", {})
                exchange = attempt.exchange
                found.append((exchange.status, exchange.body) if exchange else (attempt.outcome, attempt.reason))
                await asyncio.sleep(pause)
        server.close()
        return found

    return run(ask())


@pytest.mark.parametrize("stray", STRAY)
@pytest.mark.parametrize("pause", [0.2, 0.7])
def test_what_comes_behind_an_answer_is_not_the_next_one(stray, pause):
    paths = ["/before", stray, "/one", "/two", "/three"]
    assert answers(*paths, pause=pause) == [(200, path.encode()) for path in paths]


@pytest.mark.parametrize("path", CUT)
def test_a_head_that_decides_stands_whatever_becomes_of_the_body(path):
    (cut, after) = answers(path, "/after")
    status = int(CUT[path].split(b" ")[1])
    assert cut[0] == status
    assert after == (200, b"/after")


def test_a_page_that_is_cut_is_no_page():
    CUT["/page"] = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<p>The ferry"
    assert answers("/page") == [(Outcome.NETWORK_ERROR, "short_body")]
    del CUT["/page"]


def test_what_nobody_waits_for_any_more_is_ended_at_once():
    async def run_it():
        came, left = asyncio.Event(), asyncio.Event()

        async def hold(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            came.set()
            await reader.read()  # until the client is gone
            left.set()
            writer.close()

        server = await asyncio.start_server(hold, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        endless = SETTINGS.model_copy(update={"timeout_seconds": 600, "idle_timeout_seconds": 600})
        async with open_engine(endless) as downloader:
            asked = asyncio.create_task(downloader.attempt(url, {}))
            await asyncio.wait_for(came.wait(), 30)
            asked.cancel()
            await asyncio.wait_for(left.wait(), 30)
            assert (await asyncio.gather(asked, return_exceptions=True))[0].__class__ is asyncio.CancelledError
        server.close()

    run(run_it())
