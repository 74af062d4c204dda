"""CPU time of a request: Scrapy's own download handler beside ours, in one run and by turns.

`python -m tests.benchmarks.handlers [--requests 2000] [--size 96000] [--handler NAME=PATH …]`: a small server in a
process of its own answers with pages of a size, in chunks, on connections that stay open. Each handler makes so many
requests through Scrapy's engine, 16 at once; the rounds take turns, and of each the median is printed.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import time
from multiprocessing.connection import Connection
from typing import Any

from crawler import reactor

ROUNDS = 5
AT_ONCE = 16
HANDLERS = {
    "Scrapy's own": "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler",
    "ours": "crawler.http_handler.HttpHandler",
}


def serve(size: int, ready: Connection) -> None:
    """Answer every request with a page of `size` bytes in chunks of 16 KiB."""
    piece = b"x" * 16_384
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(part), part)
        for start in range(0, size, len(piece))
        for part in [piece[: min(len(piece), size - start)]]
    )
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


async def cpu_milliseconds(handler: str, url: str, requests: int) -> float:
    """Return the CPU time of this process a request, in milliseconds."""
    from scrapy import Request
    from scrapy.crawler import AsyncCrawlerRunner

    from crawler.scrapy_settings import scrapy_settings
    from crawler.settings import CrawlSettings
    from crawler.spiders.engine import EngineSpider

    settings = scrapy_settings(CrawlSettings(allow_private_addresses=True))
    settings["DOWNLOAD_HANDLERS_BASE"] = {"http": handler}
    ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    end = asyncio.Event()
    running = AsyncCrawlerRunner(settings).crawl(EngineSpider, ready=ready, end=end)
    engine = await ready
    left = iter(range(requests))

    async def work() -> None:
        for number in left:
            response = await engine.download_async(Request(f"{url}/{number}", dont_filter=True))
            if response.status != 200:
                raise RuntimeError(f"{url}/{number} was answered with {response.status}")

    begun = time.process_time()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    spent = time.process_time() - begun
    end.set()
    await running
    return spent / requests * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.handlers", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--size", type=int, default=96_000)
    parser.add_argument("--handler", action="append", default=[], metavar="NAME=PATH", help="a further handler")
    arguments = parser.parse_args()
    handlers = HANDLERS | dict(one.split("=", 1) for one in arguments.handler)
    theirs, ours = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(arguments.size, ours), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{theirs.recv()}"
    spent: dict[str, list[float]] = {name: [] for name in handlers}
    for number in range(ROUNDS + 1):
        for name, path in handlers.items():
            took = reactor.run(cpu_milliseconds(path, url, arguments.requests))
            if number:  # the first round warms up
                spent[name].append(took)
    base = statistics.median(next(iter(spent.values())))
    print(f"{arguments.requests} requests of {arguments.size} bytes a round, {ROUNDS} rounds; CPU ms a request")
    for name, took in spent.items():
        middle = statistics.median(took)
        print(f"  {name:<16} {middle:6.2f}  ({min(took):.2f} to {max(took):.2f}), {middle / base:.2f} of the first")
    server.terminate()
    server.join()


if __name__ == "__main__":
    main()
