"""`morgue` as a command of its own, run as somebody at a terminal would."""

import resource
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from storage import migrate
from storage.archive import Archive
from storage.store import Store
from storage.verify import verify
from tests import morgue_command
from tests.morgue_command import MORGUE

DEAD = "http://127.0.0.1:2/page"
SETTINGS = {
    "MORGUE_CRAWL__USER_AGENT": "morgue-tests/1 (+mailto:tests@example.org)",
    "MORGUE_CRAWL__ALLOW_PRIVATE_ADDRESSES": "true",
    "MORGUE_CRAWL__DELAY_SECONDS": "0",
    "MORGUE_CRAWL__PROCESSES": "1",
    "MORGUE_DATABASE__URL": "sqlite:///morgue.db?timeout=0.3",
}


def environment(settings: dict[str, str]) -> dict[str, str]:
    """Return this process's environment with the tests' settings, and these, in place of any others."""
    return morgue_command.environment(SETTINGS | settings)


def run(
    folder: Path,
    *words: str,
    settings: dict[str, str] | None = None,
    input: bytes = b"",
    file_bytes: int | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run `morgue`; `file_bytes` is what the system lets it write into one file, as a full disk would."""

    def limit() -> None:
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    return subprocess.run(
        [MORGUE, *words],
        cwd=folder,
        env=environment(settings or {}),
        input=input,
        capture_output=True,
        preexec_fn=limit,
        check=False,
    )


def check_one_line(result: subprocess.CompletedProcess[bytes], code: int, *parts: str) -> None:
    """Check that a command said in one line with these parts, beside its log, what is wrong, and its exit code."""
    lines = result.stderr.decode().splitlines(keepends=True)
    said = "".join(line for line in lines if not line.startswith("{"))
    assert said.startswith("morgue: "), said
    assert said.count("\n") == 1, said
    assert result.returncode == code
    for part in parts:
        assert part in said
    assert b"Traceback" not in result.stdout


def numbers(folder: Path) -> dict[str, int]:
    """Return how much the database holds."""
    return migrate.stats(_database(folder))


def check_whole(folder: Path) -> None:
    """Check that database and archive are consistent, as `morgue db check` and `morgue verify` do."""
    assert migrate.check(_database(folder)).healthy
    archive = Archive(folder / "archive", max_file_bytes=1 << 30, software="morgue/test")
    with Store.open(_database(folder)) as store, store.reading() as transaction:
        assert verify(archive, transaction.captures.all()).damage == []


def _database(folder: Path) -> str:
    return f"sqlite:///{folder / 'morgue.db'}"


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
