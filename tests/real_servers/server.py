"""A real server as a process of its own: configured in a folder, started at free ports, stopped by its process id."""

import os
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from tests.real_servers.certificates import ADDRESSES, Certificate
from tests.real_servers.pages import Framing

START_SECONDS = 60.0
STOP_SECONDS = 20.0
TRIES = 5
"""Between the choice of a port and its use somebody else may take it."""


class ServerMissing(Exception):
    """A server's program is not on this machine; the text says what would bring it."""


class ServerSkipped(UserWarning):
    """Says that a server was not tried."""


def required() -> bool:
    """Say whether a missing server fails the tests: wherever nobody reads a warning."""
    return (
        os.environ.get("CI", "false").lower() not in ("", "0", "false")
        or os.environ.get("MORGUE_TEST_REQUIRE_SERVERS") == "1"
    )


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What a server stands on: a folder of its own, the site, certificates (`""` for addresses) and the ports."""

    folder: Path
    site: Path
    certificates: dict[str, Certificate]
    plain_port: int
    tls_port: int

    @property
    def log(self) -> Path:
        """Where each request leaves a line: the client's port, the path, and the user agent."""
        return self.folder / "requests.log"

    def origin(self, *, tls: bool, host: str = "127.0.0.1") -> str:
        """Return scheme, host and port."""
        named = f"[{host}]" if ":" in host else host
        return f"https://{named}:{self.tls_port}" if tls else f"http://{named}:{self.plain_port}"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as the server saw it. Two with one client port came on one connection."""

    client_port: int
    path: str
    user_agent: str


class RealServer(ABC):
    """One kind of server. What it cannot be made to do (`framings`, `has_names`) is not asked of it."""

    name: ClassVar[str]
    program: ClassVar[str]
    """The program's name or path."""
    package: ClassVar[str]
    """Where the program comes from, for whoever misses it."""
    framings: ClassVar[tuple[Framing, ...]]
    has_names: ClassVar[bool] = True
    """Whether one TLS port may have a certificate for each of several names."""

    @classmethod
    def find(cls) -> str:
        """Return the program's path. Raises `ServerMissing`."""
        # Servers stand where only an administrator's shell looks.
        found = shutil.which(cls.program, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"]))
        if found is None:
            raise ServerMissing(f"{cls.name}: {cls.program} is not installed ({cls.package})")
        return found

    def read_request(self, line: str) -> Request:
        """Read a line of the log of requests."""
        port, path, agent = line.split(" ", 2)
        return Request(client_port=int(port), path=path, user_agent=agent)

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """Return the program's version. Raises `ServerMissing`."""

    @abstractmethod
    def configure(self, ground: Ground) -> Sequence[Sequence[str | Path]]:
        """Write the configuration, and return the command lines of the processes that serve."""


@dataclass
class Running:
    """A server that runs."""

    server: RealServer
    ground: Ground
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def url(self, path: str, *, tls: bool, host: str = "127.0.0.1") -> str:
        """Return the absolute URL of a path."""
        return self.ground.origin(tls=tls, host=host) + path

    def requests(self) -> list[Request]:
        """Return all requests so far, in their order."""
        lines = self.ground.log.read_text(encoding="utf-8").splitlines() if self.ground.log.exists() else []
        return [self.server.read_request(line) for line in lines]

    def start(self) -> None:
        """Start the processes and wait until both ports take connections. Raises `RuntimeError` where one ends."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MORGUE_")}
        # Where some keep what they learnt, for the next time.
        environment |= {name: str(self.ground.folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
        said = self.ground.folder / "said.log"
        for words in self.server.configure(self.ground):
            with said.open("ab") as output:
                self._processes.append(
                    subprocess.Popen(
                        list(map(str, words)),
                        cwd=self.ground.folder,
                        env=environment,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                    )
                )
        deadline = time.monotonic() + START_SECONDS
        for port in (self.ground.plain_port, self.ground.tls_port):
            while not _takes_connections(port):
                ended = [process for process in self._processes if process.poll() is not None]
                if ended or time.monotonic() > deadline:
                    raise RuntimeError(f"{self.server.name} did not start: {said.read_text(errors='replace')[-4000:]}")
                time.sleep(0.02)

    def stop(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()


@contextmanager
def running(server: RealServer, folder: Path, *, site: Path, certificates: dict[str, Certificate]) -> Iterator[Running]:
    """Run a server in a folder. Raises `ServerMissing`."""
    server.find()
    for number in range(TRIES):
        own = folder / f"try-{number}"
        own.mkdir(parents=True)
        plain_port, tls_port = free_ports(2)
        ground = Ground(folder=own, site=site, certificates=certificates, plain_port=plain_port, tls_port=tls_port)
        started = Running(server, ground)
        try:
            started.start()
        except RuntimeError:
            started.stop()
            if number == TRIES - 1:
                raise
        else:
            break
    try:
        yield started
    finally:
        started.stop()


def has_ipv6() -> bool:
    """Say whether this machine has ::1."""
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


def addresses() -> tuple[str, ...]:
    """Return the addresses to listen at, as far as this machine has them."""
    return ADDRESSES if has_ipv6() else ADDRESSES[:1]


def free_ports(number: int) -> list[int]:
    """Return ports that nobody listens at, neither at 127.0.0.1 nor at ::1."""
    ports: list[int] = []
    with ExitStack() as stack:
        while len(ports) < number:
            first = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = first.getsockname()[1]
            if has_ipv6():
                try:
                    stack.enter_context(socket.create_server(("::1", port), family=socket.AF_INET6))
                except OSError:  # taken there
                    continue
            ports.append(port)
    return ports


def _takes_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True
