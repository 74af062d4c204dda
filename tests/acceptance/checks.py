"""What must hold whatever happened: the change feed is seen whole, the archive is whole, and nothing is forgotten."""

import subprocess
import threading
import time
from pathlib import Path

from storage.engine import create_engine
from storage.store import Store
from tests.morgue_command import command, environment

_FORGOTTEN = """\
SELECT url FROM pages WHERE next_fetch_at IS NULL AND alias_of IS NULL AND NOT watch_ended AND NOT paused
UNION ALL SELECT url FROM feeds WHERE next_poll_at IS NULL AND NOT paused
"""


class Consumer(threading.Thread):
    """Polls the change feed the whole time, remembering only the last `seq` it saw."""

    def __init__(self, database: str) -> None:
        super().__init__(daemon=True)
        self._database = database
        self.seen: list[int] = []
        self.problem: Exception | None = None
        self.ended = threading.Event()

    def run(self) -> None:
        try:
            with Store.open(self._database) as store:
                while not self.ended.is_set():
                    self.poll(store)
                    time.sleep(0.02)
                self.poll(store)
        except Exception as problem:  # noqa: BLE001 - the thread's boundary: the test looks at it
            self.problem = problem

    def poll(self, store: Store) -> None:
        """Take what is new."""
        with store.reading() as transaction:
            new = transaction.events.since(self.seen[-1] if self.seen else 0, 10_000)
        self.seen.extend(event.seq for event in new)


def check_archive(folder: Path) -> None:
    """Check that the archive of a folder is whole, and is what the database says."""
    done = subprocess.run(command(folder, "verify"), env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "damaged" not in done.stdout


def check_plans(database: str) -> None:
    """Check that no page or feed is left without a plan, so that nobody would ever touch it again."""
    assert first_column(database, _FORGOTTEN) == []


def first_column(database: str, query: str) -> list[str]:
    """Return the first column of what a query gives."""
    engine = create_engine(database)
    with engine.connect() as connection:
        found = [str(row[0]) for row in connection.exec_driver_sql(query)]
    engine.dispose()
    return found
