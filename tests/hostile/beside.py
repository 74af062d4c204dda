"""Runs the service for a good publisher, with hostile ones beside it, and measures what the good one loses by that.

`python -m tests.hostile --beside [NAME …]` tries each input by itself and prints a table.
"""

import contextlib
import json
import socket
import sqlite3
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hostile.beside_inputs import INPUTS, HostileInput, feed, story
from tests.integration.bad_server import BadServer, Script, answer, bad_server
from tests.running_service import RunningService, crawler_configuration, wait_until

WORKED_SECONDS = 24.0
"""For so long the good publisher goes on publishing."""
EVERY_SECONDS = 2.0
PATIENCE_SECONDS = 60.0
"""So long an article may be waited for before it counts as lost."""
GRACE_SECONDS = 20
MORE_SECONDS = 10.0
"""So much later than without hostile ones an article of the good one may come, at worst."""
HEALTH_SECONDS = 1.0
MAIN_MEGABYTES = 400


@dataclass(kw_only=True)
class Measured:
    """What a run came to: for each article of the good publisher the seconds until it was there, None for a lost one;
    the longest wait for `/healthz`; the most memory of the main process; the seconds from SIGTERM to the end."""

    delays: list[float | None] = field(default_factory=list)
    health_seconds: float = 0.0
    health_lost: int = 0
    problems: set[str] = field(default_factory=set)
    main_megabytes: int = 0
    stop_seconds: float = 0.0
    exit_code: int | None = None
    asked: int = 0

    @property
    def lost(self) -> int:
        """How many articles never came."""
        return sum(delay is None for delay in self.delays)

    @property
    def worst(self) -> float:
        """The longest delay."""
        return max((delay for delay in self.delays[1:] if delay is not None), default=0.0)

    def faults(self, alone: "Measured") -> list[str]:
        """Return what is not as it should be, as against a run without hostile publishers on the same machine."""
        found = []
        if self.lost:
            found.append(f"{self.lost} articles lost")
        if self.worst > alone.worst + MORE_SECONDS:
            found.append(f"an article came after {self.worst:.0f} s, {alone.worst:.0f} s without")
        if self.health_lost or self.health_seconds > max(HEALTH_SECONDS, 3 * alone.health_seconds):
            found.append(f"/healthz took {self.health_seconds:.1f} s, and was lost {self.health_lost} times")
        if self.main_megabytes > MAIN_MEGABYTES:
            found.append(f"the main process took {self.main_megabytes} MB")
        if self.exit_code != 0 or self.stop_seconds > GRACE_SECONDS + 5:
            found.append(f"SIGTERM took {self.stop_seconds:.0f} s, exit code {self.exit_code}")
        if not self.asked:
            found.append("the hostile publisher was never asked")
        return found


class _Handled(dict[str, Script]):
    """Scripts that are made when they are asked for."""

    def __init__(self, hostile: HostileInput, server: BadServer) -> None:
        super().__init__()
        self._hostile = hostile
        self._server = server

    def get(self, path: str, default: Any = None) -> Any:
        made = self._hostile.answers(path, self._server.url(""))
        return default if made is None else made


class _GoodPublisher:
    """A publisher whose stories come one by one."""

    def __init__(self, server: BadServer) -> None:
        self._server = server
        self.published: dict[str, float] = {}
        self._tell()

    def publish(self) -> None:
        """Publish one story more."""
        number = len(self.published) + 1
        path = f"/2024/05/story-{number}-of-the-quay"
        self._server.scripts[path] = answer(story(number), content_type="text/html; charset=utf-8")
        self.published[self._server.url(path)] = time.monotonic()
        self._tell()

    def _tell(self) -> None:
        self._server.scripts["/feed"] = answer(feed(list(self.published)), content_type="application/rss+xml")


class _Observer(threading.Thread):
    """Asks for `/healthz` four times a second, looks at memory, and notes when articles are there."""

    def __init__(self, port: int, pid: int, database: Path, good: _GoodPublisher, measured: Measured) -> None:
        super().__init__(daemon=True)
        self._port, self._pid, self._database = port, pid, database
        self._good, self._measured = good, measured
        self.seen: dict[str, float] = {}
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.25):
            self._ask_health()
            self._measured.main_megabytes = max(self._measured.main_megabytes, _megabytes(self._pid))
            self._look_for_articles()

    def _ask_health(self) -> None:
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/healthz", timeout=10) as answered:
                json.load(answered)
        except urllib.error.HTTPError as problem:
            told = json.load(problem)
            self._measured.problems |= {one["code"] for one in told.get("problems", [])}
        except OSError:
            self._measured.health_lost += 1
        self._measured.health_seconds = max(self._measured.health_seconds, time.monotonic() - begun)

    def _look_for_articles(self) -> None:
        with contextlib.suppress(sqlite3.Error), _reading(self._database) as connection:
            for (url,) in connection.execute("SELECT url FROM articles_v1 WHERE source = 'good'"):
                self.seen.setdefault(url, time.monotonic())


@contextmanager
def _reading(database: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
    try:
        yield connection
    finally:
        connection.close()


def _megabytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) // 1024
    return 0


def run_beside(inputs: Sequence[HostileInput], folder: Path, *, seconds: float = WORKED_SECONDS) -> Measured:
    """Run the service for a good publisher with these beside it, and measure."""
    measured = Measured()
    with ExitStack() as stack:
        own = stack.enter_context(bad_server(hosts=("127.0.0.1",)))
        good = _GoodPublisher(own)
        servers = []
        for place, hostile in enumerate(inputs, start=2):
            hosts = tuple(f"127.0.{place}.{number}" for number in range(1, hostile.hosts + 1))
            server = stack.enter_context(bad_server(hosts=hosts))
            server.scripts = _Handled(hostile, server)
            servers.append(server)
        port = _free_port()
        _configure(folder, port, own, list(zip(inputs, servers, strict=True)))
        service = RunningService(folder)
        stack.callback(service.kill)
        service.wait_for("started")
        wait_until(lambda: "/feed" in own.asked, "the good publisher was asked")
        wait_until(lambda: all(server.asked for server in servers), "the hostile publishers were asked")
        observer = _Observer(port, service.process.pid, folder / "morgue.db", good, measured)
        observer.start()
        # The first one waits for the processes that read to load what they need; it must come, but is not compared.
        good.publish()
        _wait_for_all(good, observer)
        _publish_for(good, seconds)
        _wait_for_all(good, observer)
        observer.ended.set()
        observer.join()
        measured.delays = [
            observer.seen[url] - at if url in observer.seen else None for url, at in good.published.items()
        ]
        measured.asked = sum(len(server.asked) for server in servers) if servers else 1
        begun = time.monotonic()
        measured.exit_code = service.stop()
        measured.stop_seconds = time.monotonic() - begun
    return measured


def _publish_for(good: _GoodPublisher, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        good.publish()
        time.sleep(EVERY_SECONDS)


def _wait_for_all(good: _GoodPublisher, observer: _Observer) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends and good.published.keys() - observer.seen.keys():
        time.sleep(0.25)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _configure(folder: Path, port: int, good: BadServer, hostile: Sequence[tuple[HostileInput, BadServer]]) -> None:
    lines = [
        crawler_configuration(f"sqlite:///{folder}/morgue.db", processes=2),
        "[service]",
        f'http = "127.0.0.1:{port}"',
        f"grace_seconds = {GRACE_SECONDS}",
        *_source("good", "feeds", good.url("/feed")),
    ]
    for place, (one, server) in enumerate(hostile):
        for number in range(1, one.hosts + 1):
            url = server.url(one.index).replace(server.host, server.host.removesuffix("1") + str(number))
            lines += _source(f"hostile-{place}-{number}", one.lists, url)
    (folder / "morgue.toml").write_text("\n".join([*lines, ""]))


def _source(slug: str, lists: str, address: str) -> list[str]:
    return ["[[source]]", f'slug = "{slug}"', f'{lists} = ["{address}"]', 'poll = "2s"']


def report_beside(names: Sequence[str]) -> int:
    """Try each input that is named, or all, and print a table; returns 1 where one cost the good one anything."""
    chosen = [one for one in INPUTS if not names or one.name in names]
    if unknown := set(names) - {one.name for one in INPUTS}:
        print(f"no such input: {', '.join(sorted(unknown))}; there are: {', '.join(one.name for one in INPUTS)}")
        return 2
    alone = _measure([])
    print(_row("input", "articles", "worst s", "healthz s", "main MB", "stop s", ""))
    print(_told("(none)", alone, []))
    failed = 0
    for hostile in chosen:
        measured = _measure([hostile])
        faults = measured.faults(alone)
        failed += bool(faults)
        print(_told(hostile.name, measured, faults), flush=True)
    print(f"{len(chosen) - failed} of {len(chosen)} cost the good publisher nothing")
    return int(failed > 0)


def _measure(inputs: Sequence[HostileInput]) -> Measured:
    with tempfile.TemporaryDirectory(prefix="morgue-beside-") as folder:
        return run_beside(inputs, Path(folder))


def _told(name: str, measured: Measured, faults: Sequence[str]) -> str:
    there = f"{len(measured.delays) - measured.lost}/{len(measured.delays)}"
    seen = (f"{measured.worst:.1f}", f"{measured.health_seconds:.2f}", str(measured.main_megabytes))
    remarks = "; ".join([*faults, *sorted(measured.problems)]) or "ok"
    return _row(name, there, *seen, f"{measured.stop_seconds:.1f}", remarks)


def _row(name: str, *cells: str) -> str:
    return f"{name:28}" + "".join(f"{cell:>11}" for cell in cells[:-1]) + f"  {cells[-1]}"
