"""Too few open files are no page's fault: the service says so, waits, and goes on when there are enough."""

import os
import resource
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.invented_stories import publish
from tests.newsroom import Newsroom
from tests.running_service import RunningService, configure, headlines, wait_until

FILES_LEFT = 3
"""Enough to ask a publisher for a page, and too few to start a process."""


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and those that they did."""
    children: dict[int, list[int]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it ended meanwhile
            continue
        children.setdefault(parent, []).append(int(process.name))
    found, waiting = [], [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return sorted(found)


def outcomes(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        return {outcome for (outcome,) in connection.execute("SELECT DISTINCT outcome FROM fetches")}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
def test_too_few_open_files_are_no_pages_fault(newsroom: Newsroom, tmp_path: Path):
    database = f"sqlite:///{tmp_path}/morgue.db"
    configure(tmp_path, database, newsroom)
    publish(newsroom, 1)
    service = RunningService(tmp_path)
    try:
        service.wait_for("version_recorded")
        pid = service.process.pid
        usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (files + FILES_LEFT, usual[1]))
        # Those that read are ended, so that they have to be started anew; the oldest is what starts them.
        for worker in descendants(pid)[2:]:
            os.kill(worker, signal.SIGKILL)
        publish(newsroom, 2)
        service.wait_for("resources_short")
        begun = service.wait_for("problem_begun")
        assert begun["code"] == "resources_short"
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
        service.wait_for("resources_available")
        wait_until(lambda: len(headlines(database)) == 2, "it went on")
        assert "extract_failed" not in outcomes(tmp_path / "morgue.db")
        assert service.stop() == 0
    finally:
        service.kill()
