"""What hosts that say nothing cost those that answer: `python -m tests.benchmarks.silent_hosts [--good 100 --bad 400]`.

The good hosts are crawled alone, and then beside bad ones, by `morgue crawl` and by `morgue run`; the times until all
articles of the good ones are there are compared. Every host has an address of its own on loopback. A bad host is

- `silent`: it takes the connection and says nothing;
- `endless`: it begins an answer, sends a byte now and then, and never ends;
- `slow`: it answers everything after ten seconds.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from pathlib import Path

from storage.clock import utc_now
from tests.invented_stories import paragraphs
from tests.morgue_command import command, environment
from tests.real_servers.server import free_ports

ARTICLES = 3
SLOW_SECONDS = 10.0
KINDS = ("silent", "endless", "slow")
CONFIGURATION = """\
[database]
url = "sqlite:///{folder}/morgue.db"
[archive]
directory = "{folder}/archive"
[crawl]
user_agent = "morgue-hosts/1 (+mailto:tests@example.org)"
allow_private_addresses = true
delay_seconds = {delay_seconds}
processes = 2
[service]
http = "127.0.0.1:{http_port}"
grace_seconds = 10
"""
SOURCE = """\
[[source]]
slug = "host-{number}"
feeds = ["http://{host}:{port}/feed.rss"]
recrawl = "30d"
"""


def good_hosts(count: int) -> list[str]:
    """Return the addresses of the hosts that answer."""
    return [f"127.0.1.{number}" for number in range(1, count + 1)]


def bad_hosts(count: int) -> list[str]:
    """Return the addresses of the hosts that do not."""
    return [f"127.0.{2 + number // 250}.{1 + number % 250}" for number in range(count)]


def _answer(host: str, port: int, path: str) -> bytes:
    """Return what a host that answers says."""
    if path == "/feed.rss":
        items = "".join(
            f"<item><title>The ferry landing, part {number}</title><link>http://{host}:{port}/news/{number}</link>"
            f"<pubDate>{format_datetime(utc_now())}</pubDate></item>"
            for number in range(ARTICLES)
        )
        return _page(f'<rss version="2.0"><channel><title>{host}</title>{items}</channel></rss>', "application/rss+xml")
    if path.startswith("/news/"):
        number = int(host.rpartition(".")[2]) * ARTICLES + int(path.rpartition("/")[2])
        headline = f"District {number} settles its ferry landing"
        text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs(number))
        head, body = f"<head><title>{headline}</title></head>", f"<article><h1>{headline}</h1>{text}</article>"
        return _page(f"<html>{head}<body>{body}</body></html>", "text/html")
    return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def _page(text: str, kind: str) -> bytes:
    body = text.encode()
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


class Hosts:
    """Many hosts at one port, served by a thread of their own."""

    def __init__(self, good: Sequence[str], bad: Sequence[str], *, kind: str) -> None:
        self._good = good
        self._bad = bad
        self._kind = kind
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._servers: list[asyncio.Server] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    def __enter__(self) -> "Hosts":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.set_exception_handler(lambda *_: None)  # of clients that left
        self._loop.run_forever()
        for server in self._servers:
            server.close()
        for writer in self._writers:
            writer.transport.abort()
        for task in (tasks := asyncio.all_tasks(self._loop)):
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _listen(self) -> None:
        for hosts, serve in ((self._good, self._serve_well), (self._bad, self._serve_badly)):
            for host in hosts:
                server = await asyncio.start_server(serve, host, self.port, backlog=64)
                self.port = server.sockets[0].getsockname()[1]
                self._servers.append(server)

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncIterator[str]:
        self._writers.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                yield head.split(b" ")[1].decode()
        writer.close()
        self._writers.discard(writer)

    async def _serve_well(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = writer.get_extra_info("sockname")[:2]
        async for path in self._requests(reader, writer):
            writer.write(_answer(host, port, path))

    async def _serve_badly(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = writer.get_extra_info("sockname")[:2]
        async for path in self._requests(reader, writer):
            if self._kind == "slow":
                await asyncio.sleep(SLOW_SECONDS)
                writer.write(_answer(host, port, path))
                continue
            if self._kind == "endless":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
                while not writer.is_closing():
                    writer.write(b"1\r\n<\r\n")
                    await asyncio.sleep(2.0)
            await asyncio.sleep(3600)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run: `seconds` until all articles of the good hosts were there, None where they never were.

    `stuck` is how many hosts `/healthz` told of at most, `stop_seconds` how long the end took after SIGTERM.
    """

    seconds: float | None
    stuck: int
    stop_seconds: float
    exit_code: int


def try_out(words: Sequence[str], *, good: int, bad: int, kind: str, delay_seconds: float, patience: float) -> Trial:
    """Run a command of morgue over these hosts until the good ones are done, and stop it."""
    goods, bads = good_hosts(good), bad_hosts(bad)
    with (
        tempfile.TemporaryDirectory() as folder,
        Path(folder, "log").open("w") as log,
        Hosts(goods, bads, kind=kind) as hosts,
    ):
        [http_port] = free_ports(1)
        text = CONFIGURATION.format(folder=folder, delay_seconds=delay_seconds, http_port=http_port)
        # Good and bad ones by turns, as an operator's list has them.
        mixed = sorted([*goods, *bads], key=_mixed)
        text += "".join(SOURCE.format(number=n, host=host, port=hosts.port) for n, host in enumerate(mixed))
        Path(folder, "morgue.toml").write_text(text)
        began = time.monotonic()
        process = subprocess.Popen(command(Path(folder), *words), env=environment(), stdout=log, stderr=log)
        try:
            seconds, stuck = None, 0
            while time.monotonic() - began < patience and seconds is None and process.poll() is None:
                time.sleep(0.2)
                stuck = max(stuck, _stuck(http_port)) if words[0] == "run" else 0
                if _articles(Path(folder, "morgue.db")) >= good * ARTICLES:
                    seconds = time.monotonic() - began
            if seconds is None and _articles(Path(folder, "morgue.db")) >= good * ARTICLES:
                seconds = time.monotonic() - began  # a crawl that ended by itself
            if process.poll() not in (None, 0):
                raise RuntimeError(f"morgue {words[0]} ended by itself:\n{Path(folder, 'log').read_text()[-2000:]}")
            if bad and kind != "slow" and words[0] == "run" and seconds is not None:
                stuck = max(stuck, _wait_for_stuck(http_port, began + patience))
            stopped = time.monotonic()
            process.send_signal(signal.SIGTERM)
            code = process.wait(120)
            return Trial(seconds=seconds, stuck=stuck, stop_seconds=time.monotonic() - stopped, exit_code=code)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _mixed(host: str) -> int:
    """Return where a host stands in the list: anywhere, but in each run at the same place."""
    _, _, third, fourth = map(int, host.split("."))
    return (third * 256 + fourth) * 2_654_435_761 % 2**32


def _articles(file: Path) -> int:
    with contextlib.suppress(sqlite3.Error):
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)
        with contextlib.closing(connection):
            query = "SELECT count(*) FROM articles_v1 WHERE url LIKE 'http://127.0.1.%'"
            return int(connection.execute(query).fetchone()[0])
    return 0


def _stuck(port: int) -> int:
    url = f"http://127.0.0.1:{port}/healthz"
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
        return int(json.load(answer)["stuck"]["hosts"])
    return 0


def _wait_for_stuck(port: int, until: float) -> int:
    while time.monotonic() < until:
        if found := _stuck(port):
            return found
        time.sleep(0.5)
    return 0


def main() -> None:
    """Run the trials and print their times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--good", type=int, default=100)
    parser.add_argument("--bad", type=int, default=400)
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--delay", type=float, default=1.0, help="seconds between two requests to a host")
    parser.add_argument("--command", choices=("crawl", "run"), action="append")
    asked = parser.parse_args()
    for word in asked.command or ("crawl", "run"):
        alone = None
        for kind in ("alone", *(asked.kind or KINDS)):
            bad = 0 if kind == "alone" else asked.bad
            trial = try_out([word], good=asked.good, bad=bad, kind=kind, delay_seconds=asked.delay, patience=600.0)
            alone = alone or trial.seconds
            times = "never" if trial.seconds is None else f"{trial.seconds:6.1f} s"
            factor = f"{trial.seconds / alone:4.2f}×" if trial.seconds and alone else ""
            print(
                f"{word:6} {asked.good} good beside {bad:4} {kind:8}: {times} {factor:6}"
                f" stuck {trial.stuck:4}, stopped in {trial.stop_seconds:4.1f} s with {trial.exit_code}",
                flush=True,
            )


if __name__ == "__main__":
    main()
