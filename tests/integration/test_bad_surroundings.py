"""Commands in bad surroundings: one line that names the thing and the way out, nothing lost and nothing made up."""

import json
import os
import resource
import secrets
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.integration.bad_answers import PARAGRAPHS, page
from tests.integration.bad_server import BadServer, answer
from tests.integration.commands import DEAD, MORGUE, check_one_line, check_whole, environment, numbers, run, wait_until
from tests.newsroom import Newsroom
from tests.postgres import Postgres

# The database

OPENING = [["list"], ["crawl", DEAD], ["run"], ["status"], ["verify"], ["db", "check"], ["db", "stats"]]
"""Every way in which commands open the database."""


@pytest.mark.parametrize("words", OPENING)
def test_a_file_that_is_no_database(folder, words):
    (folder / "morgue.db").write_bytes(b"hello\n" * 1000)
    check_one_line(run(folder, *words), 1, "morgue.db: file is not a database; name the file of a morgue database")
    assert (folder / "morgue.db").read_bytes() == b"hello\n" * 1000


@pytest.mark.parametrize("content", [b"\0" * 4096, b"SQLite format 3\0" + b"\1" * 5000])
def test_a_damaged_file_is_left_as_it_is(folder, content):
    (folder / "morgue.db").write_bytes(content)
    check_one_line(run(folder, "crawl", DEAD), 1, "morgue.db: ")
    assert (folder / "morgue.db").read_bytes() == content


@pytest.mark.parametrize("words", [*(words for words in OPENING if words != ["db", "check"]), ["db", "upgrade"]])
def test_a_database_that_is_too_new(folder, words):
    with closing(sqlite3.connect(folder / "morgue.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    check_one_line(run(folder, *words), 1, "morgue.db: was written by a newer morgue (revision 9999); install")


def test_a_check_of_a_database_that_is_too_new_names_the_way_out(folder):
    with closing(sqlite3.connect(folder / "morgue.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    result = run(folder, "db", "check")
    assert result.returncode == 1
    assert "newer morgue" in result.stdout.decode()


@pytest.mark.parametrize("words", [words for words in OPENING if words[0] not in ("crawl", "run")])
def test_a_database_that_is_gone(folder, words):
    (folder / "morgue.db").unlink()
    check_one_line(run(folder, *words), 1, "morgue.db: does not exist; `morgue init`")
    assert not (folder / "morgue.db").exists()


@pytest.mark.parametrize("words", [["list"], ["crawl", DEAD], ["db", "upgrade"]])
def test_a_database_whose_folder_is_gone(folder, words):
    settings = {"MORGUE_DATABASE__URL": "sqlite:///nosuch/morgue.db"}
    check_one_line(run(folder, *words, settings=settings), 1, "nosuch/morgue.db: ")


@pytest.mark.parametrize("words", [["crawl", DEAD], ["run"]])
def test_a_database_that_is_read_only(folder, words):
    settings = {"MORGUE_DATABASE__URL": f"sqlite:///file:{folder}/morgue.db?mode=ro&uri=true"}
    assert run(folder, "list", settings=settings).returncode == 0
    check_one_line(run(folder, *words, settings=settings), 1, "morgue.db: ", "readonly", "writable")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("postgresql://morgue:secret@127.0.0.1:1/morgue", ["refused", "check that the database server is running"]),
        ("postgresql://morgue:secret@nosuch.invalid/morgue", ["nosuch.invalid"]),
    ],
)
def test_postgresql_that_does_not_answer(folder, url, parts):
    for words in (["list"], ["crawl", DEAD], ["db", "check"]):
        result = run(folder, *words, settings={"MORGUE_DATABASE__URL": url})
        check_one_line(result, 1, "morgue:***@", *parts)
        assert b"secret" not in result.stderr


def test_postgresql_that_refuses_a_password(folder, postgres_of_its_own):
    with psycopg.connect(postgres_of_its_own.url, autocommit=True) as connection:
        connection.execute("ALTER ROLE morgue PASSWORD 'right'")
    postgres_of_its_own.stop()
    postgres_of_its_own.ask_for_passwords()
    postgres_of_its_own.start()
    url = postgres_of_its_own.url.replace("morgue@", "morgue:wr%2Fong%40secret@")
    for words in (["-v", "list"], ["run"]):
        result = run(folder, *words, settings={"MORGUE_DATABASE__URL": url})
        check_one_line(result, 1, "morgue:***@", "password authentication failed", "check the user and password")
        assert b"secret" not in result.stderr
    unquoted = postgres_of_its_own.url.replace("morgue@", "morgue:wrong@secret@")
    result = run(folder, "list", settings={"MORGUE_DATABASE__URL": unquoted})
    check_one_line(result, 2, "has a password with @ in it", "%40")
    assert b"secret" not in result.stderr


def test_a_postgresql_database_that_does_not_exist(folder, postgres: Postgres):
    url = postgres.create()
    postgres.drop(url)
    check_one_line(run(folder, "list", settings={"MORGUE_DATABASE__URL": url}), 1, "does not exist", "create it")


def postgres_says(url: str, statement: str) -> None:
    """Run a statement outside of the database at `url`, on the same server."""
    with psycopg.connect(f"{url.rpartition('/')[0]}/postgres", autocommit=True) as connection:
        connection.execute(statement)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the database's write lock, as another program may."""
    with closing(sqlite3.connect(folder / "morgue.db", isolation_level=None, check_same_thread=False)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield


def when_asked(server: BadServer, path: str, act: Callable[[], object]) -> None:
    """Do something in the middle of a crawl: when that page is asked for, before it is sent."""
    script = server.scripts[path]
    assert isinstance(script, bytes)

    def answer_after(connection) -> None:
        act()
        connection.sendall(script)

    server.scripts[path] = answer_after


def test_a_database_that_is_locked_from_the_start(folder, server):
    with locked(folder):
        result = run(folder, "crawl", server.url("/feed"))
        assert run(folder, "list").returncode == 0
    check_one_line(result, 1, "morgue.db: database is locked; another program holds it; try again")
    assert server.asked == []


def check_finished_later(folder: Path, server: BadServer) -> None:
    """Check that another crawl brings what a broken one left owed, and that everything is whole."""
    result = run(folder, "crawl", server.url("/feed"))
    assert (result.returncode, result.stderr) == (0, b"")
    assert numbers(folder)["articles"] == numbers(folder)["versions"] == 3
    check_whole(folder)


def test_a_database_that_is_locked_in_the_middle(folder, server):
    script = server.scripts["/two"]
    holding = locked(folder)
    when_asked(server, "/two", holding.__enter__)
    result = run(folder, "crawl", server.url("/feed"))
    holding.__exit__(None, None, None)
    check_one_line(result, 1, "morgue.db: database is locked")
    assert numbers(folder)["versions"] < 3
    server.scripts["/two"] = script
    check_finished_later(folder, server)


def test_a_database_that_is_removed_in_the_middle(folder, server):
    when_asked(server, "/two", (folder / "morgue.db").unlink)
    check_one_line(run(folder, "crawl", server.url("/feed")), 1, "morgue.db: was removed or replaced")


def test_a_database_on_a_full_disk(folder, server):
    # The journal may grow to two thirds of what the file has, which is less than the crawl writes.
    result = run(folder, "crawl", server.url("/feed"), file_bytes=(folder / "morgue.db").stat().st_size * 2 // 3)
    check_one_line(result, 1, "morgue.db: ")
    check_finished_later(folder, server)


def test_pages_are_read_where_nothing_can_be_written(folder):
    body = page(lang="").encode()
    result = run(folder, "extract", "-", "--url", "http://a.example/lamp", input=body, file_bytes=0)
    assert (result.returncode, result.stderr) == (0, b"")
    assert json.loads(result.stdout)["language"] == "en"


def test_postgresql_that_goes_away_in_the_middle(folder, server, postgres: Postgres, postgres_template):
    url = postgres.create(template=postgres_template)
    settings = {"MORGUE_DATABASE__URL": url}
    name = url.rpartition("/")[2]
    script = server.scripts["/two"]

    def go_away() -> None:
        postgres_says(url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        postgres_says(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    when_asked(server, "/two", go_away)
    result = run(folder, "crawl", server.url("/feed"), settings=settings)
    check_one_line(result, 1, "postgresql://", "check that the database server is running")
    postgres_says(url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    server.scripts["/two"] = script
    result = run(folder, "crawl", server.url("/feed"), settings=settings)
    assert (result.returncode, result.stderr) == (0, b"")
    rows = json.loads(run(folder, "list", "--json", settings=settings).stdout)
    assert [row["version_count"] for row in rows] == [1, 1, 1]
    assert run(folder, "verify", settings=settings).returncode == 0
    postgres.drop(url)


# The archive


@pytest.mark.parametrize(
    ("place", "parts"),
    [
        ("/proc/archive", ["/proc/archive: the archive cannot be used"]),
        ("morgue.db", ["morgue.db: the archive cannot be used", "name a folder as [archive] directory"]),
        ("morgue.db/archive", ["the archive cannot be used: Not a directory", "name a folder"]),
    ],
)
def test_an_archive_that_cannot_be_written(folder, server, place, parts):
    settings = {"MORGUE_ARCHIVE__DIRECTORY": place, "MORGUE_SERVICE__HTTP": "off"}
    for words in (["crawl", server.url("/feed")], ["run"]):
        check_one_line(run(folder, *words, settings=settings), 1, *parts)
    assert server.asked == []
    assert numbers(folder)["fetches"] == 0


def test_an_archive_on_a_full_disk(folder, server):
    """The disk is full for the second page: a limit on the size of files, set once the first page is recorded."""
    noise = "".join(f"<!-- {secrets.token_hex(2000)} -->" for _ in range(800)).encode()
    good = server.scripts["/two"]
    server.scripts["/two"] = answer(page().encode() + noise)
    process = subprocess.Popen(
        [MORGUE, "crawl", server.url("/feed")],
        cwd=folder,
        env=environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )

    def fill() -> None:
        with closing(sqlite3.connect(folder / "morgue.db")) as database:
            wait_until(lambda: database.execute("SELECT count(*) FROM versions").fetchone()[0] == 1, process)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    when_asked(server, "/two", fill)
    output, errors = process.communicate()
    result = subprocess.CompletedProcess(process.args, process.returncode, output, errors)
    check_one_line(result, 1, "archive: the archive cannot be used: File too large", "raise the limit")
    rows = json.loads(run(folder, "list", "--json").stdout)
    assert server.url("/one") in [row["url"] for row in rows]
    assert server.url("/two") not in [row["url"] for row in rows]
    check_whole(folder)
    server.scripts["/two"] = good
    check_finished_later(folder, server)


# Signals


@pytest.fixture
def slow_newsroom() -> Iterator[Newsroom]:
    """A newsroom with twelve stories, of which each takes a while to come."""
    with Newsroom() as newsroom:
        for number in range(12):
            url = newsroom.publish(f"lamp-{number}", headline=f"Lamp {number} lit again", body=PARAGRAPHS)
            path = url.removeprefix(newsroom.origin)
            newsroom.respond(path, body=page((f"Lamp {number}.", *PARAGRAPHS)), delay=0.15)
        yield newsroom


def pages_asked(newsroom: Newsroom) -> list[str]:
    return [request.path for request in newsroom.requests if "lamp" in request.path]


@pytest.mark.parametrize("named", ["the feed", "each page"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_crawl_that_is_interrupted_keeps_what_it_fetched(folder, slow_newsroom, number, named):
    pages = [slow_newsroom.url(f"/news/lamp-{number}") for number in range(12)]
    words = [MORGUE, "crawl", *([slow_newsroom.url("/feed.rss")] if named == "the feed" else pages)]
    process = subprocess.Popen(
        words, cwd=folder, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    wait_until(lambda: len(pages_asked(slow_newsroom)) >= 3, process)
    # As a terminal does it: to the whole group, the workers included.
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    output, errors = process.communicate()
    assert (process.returncode, errors) == (130, b"")
    assert b"Stopped before the end; what was fetched is kept" in output
    asked = pages_asked(slow_newsroom)
    assert 3 <= len(asked) < 12
    assert numbers(folder)["articles"] == len(asked)
    result = run(folder, "crawl", slow_newsroom.url("/feed.rss"))
    assert (result.returncode, result.stderr) == (0, b"")
    assert sorted(pages_asked(slow_newsroom)) == sorted(set(pages_asked(slow_newsroom)))
    assert numbers(folder)["articles"] == numbers(folder)["versions"] == 12
    check_whole(folder)


def test_a_second_interrupt_ends_at_once(folder, slow_newsroom):
    slow_newsroom.respond("/news/lamp-5", body=page(), delay=50)
    words = [MORGUE, "crawl", slow_newsroom.url("/news/lamp-5")]
    process = subprocess.Popen(words, cwd=folder, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: any("robots" in request.path for request in slow_newsroom.requests), process)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    errors = process.communicate()[1]
    assert time.monotonic() - began < 20
    assert (process.returncode, errors) == (130, b"morgue: interrupted; what was fetched before is kept\n")
    check_whole(folder)
