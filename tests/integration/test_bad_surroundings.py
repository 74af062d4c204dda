"""Commands in bad surroundings: one line that names the thing and the way out, nothing lost and nothing made up."""

import json
import os
import resource
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.integration.bad_server import BadServer, answer, bad_server
from tests.integration.test_bad_pages import FEED_TYPE, PARAGRAPHS, feed, page
from tests.newsroom import Newsroom
from tests.postgres import Postgres

MORGUE = Path(sys.executable).with_name("morgue")
DEAD = "http://127.0.0.1:1/page"
SETTINGS = {
    "MORGUE_CRAWL__USER_AGENT": "morgue-tests/1 (+mailto:tests@example.org)",
    "MORGUE_CRAWL__ALLOW_PRIVATE_ADDRESSES": "true",
    "MORGUE_CRAWL__DELAY_SECONDS": "0",
    "MORGUE_CRAWL__PROCESSES": "1",
    "MORGUE_DATABASE__URL": "sqlite:///morgue.db?timeout=0.3",
}


def environment(settings: dict[str, str]) -> dict[str, str]:
    """Return this process's environment with the tests' settings, and these, in place of any others."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("MORGUE_")}
    return own | SETTINGS | settings


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
    """Check that a command said what is wrong in one line with these parts, and ended with that code."""
    said = result.stderr.decode()
    assert said.startswith("morgue: "), said
    assert said.count("\n") == 1, said
    assert result.returncode == code
    for part in parts:
        assert part in said
    assert b"Traceback" not in result.stdout


def numbers(folder: Path) -> dict[str, int]:
    """Return how much the database holds."""
    return json.loads(run(folder, "db", "stats", "--json").stdout)


def check_whole(folder: Path) -> None:
    """Check that database and archive are consistent."""
    for words in (("verify",), ("db", "check")):
        result = run(folder, *words)
        assert (result.returncode, result.stderr) == (0, b""), result


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path) -> Path:
    """A folder with an empty database."""
    (tmp_path / "morgue.db").write_bytes(sqlite_template.read_bytes())
    return tmp_path


@pytest.fixture
def server() -> Iterator[BadServer]:
    """A server with a feed of three articles."""
    with bad_server() as server:
        paths = ["/one", "/two", "/three"]
        server.scripts["/feed"] = answer(feed(*paths).encode(), content_type=FEED_TYPE)
        for path in paths:
            server.scripts[path] = answer(page((f"This is the page at {path}, no other.", *PARAGRAPHS)).encode())
        yield server


# Words and files


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (("crawl",), 2, ["crawl: there is no source yet", "name a URL"]),
        (("crawl", "ftp://x"), 2, ["ftp://x: it is no http or https URL"]),
        (("crawl", "nosuchsource"), 1, ["nosuchsource: is neither a URL nor the slug of a source", "known sources"]),
        (("crawl", "http://["), 2, ["http://[: it is not well-formed"]),
        (("crawl", "http://a\x1b[31mb/"), 2, ["control characters", "http://a\\x1b[31mb/"]),
        (("crawl", ""), 1, ["'': is neither a URL"]),
        (("crawl", DEAD, "--limit", "0"), 2, ["crawl: Invalid value for '--limit'", "see `morgue crawl --help`"]),
        (("show", "999"), 1, ["999: no article answers to that", "`morgue list`"]),
        (("show", "9" * 40), 1, ["no article answers to that"]),
        (("show", DEAD), 1, [f"{DEAD}: no article answers to that"]),
        (("history", "999"), 1, ["no article answers to that"]),
        (("diff", "999"), 1, ["no article answers to that"]),
        (("list", "--source", "nosuch"), 1, ["nosuch: there is no such source", "`morgue status`"]),
        (("list", "--limit", "9" * 30), 2, ["list: Invalid value for '--limit'"]),
        (("list", "--nosuch"), 2, ["list: No such option: --nosuch", "see `morgue list --help`"]),
        (("nosuch",), 2, ["No such command 'nosuch'", "see `morgue --help`"]),
        (("status", "nosuch"), 1, ["nosuch: is neither a source nor a page"]),
        (("--config", "nosuch.toml", "list"), 2, ["nosuch.toml: is not there", "`morgue init`"]),
        (("extract", "nosuch.html", "--url", DEAD), 2, ["nosuch.html: cannot be read (No such file"]),
        (("extract", ".", "--url", DEAD), 2, [".: cannot be read (Is a directory)"]),
        (("extract", "morgue.db", "--url", DEAD), 2, ["morgue.db: is no HTML page"]),
        (("extract", "-", "--url", "nowhere"), 2, ["nowhere: it is no http or https URL"]),
        (("extract", "-"), 2, ["--url: is needed"]),
        (("extract", "-", "--url", DEAD, "--timezone", "Mars/Base"), 2, ["Mars/Base: is no time zone"]),
        (("extract", "--batch", "nosuch.jsonl"), 2, ["nosuch.jsonl: cannot be read"]),
        (("extract", "--batch", ".", "--url", DEAD), 2, ["--batch: takes no FILE and no --url"]),
    ],
)
def test_words_that_cannot_be_served(folder, words, code, parts):
    check_one_line(run(folder, *words), code, *parts)


def test_nothing_to_extract_is_an_outcome(folder):
    result = run(folder, "extract", "-", "--url", DEAD)
    row = json.loads(result.stdout)
    assert (result.returncode, row["outcome"], row["reason"], result.stderr) == (1, "not_article", "empty", b"")


def test_bad_rows_of_a_manifest_cost_the_good_ones_nothing(folder):
    (folder / "good.html").write_text(page(), encoding="utf-8")
    (folder / "noise.gz").write_bytes(b"no gzip")
    rows = [
        b"garbage",
        b"\xff\xfe",
        b"[1]",
        b'{"id": 1}',
        json.dumps({"id": "missing", "url": DEAD, "html_path": "nosuch.html"}).encode(),
        json.dumps({"id": "noise", "url": DEAD, "html_path": "noise.gz"}).encode(),
        json.dumps({"id": "folder", "url": DEAD, "html_path": "."}).encode(),
        json.dumps({"id": "zone", "url": DEAD, "html_path": "good.html", "timezone": "Mars"}).encode(),
        json.dumps({"id": "good", "url": DEAD, "html_path": "good.html"}).encode(),
    ]
    (folder / "rows.jsonl").write_bytes(b"\n".join(rows))
    result = run(folder, "extract", "--batch", "rows.jsonl")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["id"] for row in answers] == [None, None, None, 1, "missing", "noise", "folder", "zone", "good"]
    assert all("error" in row for row in answers[:-1])
    assert answers[-1]["body"] == "\n\n".join(PARAGRAPHS)
    assert (result.returncode, result.stderr) == (1, b"")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[crawl]\nbogus = 1", "[crawl] bogus is unknown"),
        ('[crawl]\nconcurrency = "many"', "[crawl] concurrency must be a whole number"),
        ("[crawl", "is no TOML"),
        ("[[source]]\nslug = 'A B'", "[[source]] A B slug must be"),
    ],
)
def test_a_bad_configuration(folder, text, part):
    (folder / "morgue.toml").write_text(text, encoding="utf-8")
    for words in (["list"], ["crawl", DEAD], ["run"], ["verify"]):
        check_one_line(run(folder, *words), 2, "morgue.toml: ", part)


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("MORGUE_BOGUS", "1", "MORGUE_BOGUS is unknown"),
        ("MORGUE_CRAWL__DELAY_SECONDS", "soon", "MORGUE_CRAWL__DELAY_SECONDS must be a number"),
        ("MORGUE_DATABASE__URL", "mysql://x/x", "mysql is not supported; use sqlite:/// or postgresql://"),
        ("MORGUE_DATABASE__URL", "hello", "is no database URL"),
    ],
)
def test_a_bad_variable(folder, name, value, part):
    check_one_line(run(folder, "list", settings={name: value}), 2, part)


# Output


@pytest.fixture
def article(folder: Path, server: BadServer) -> str:
    """A page with odd characters, crawled; returns its URL."""
    odd = "\x1b]0;owned\x07Lamp \u202elit\u202c again\x9b31m, “Østerholm”"
    feed_of_it = feed("/one").replace("<title>t<", f"<title>{odd}<".replace("\x1b", "&#x1b;"))
    server.scripts["/feed"] = answer(feed_of_it.encode(), content_type=FEED_TYPE)
    server.scripts["/one"] = answer(
        page().replace("<h1>Lamp lit again", f"<h1>{odd}").replace("<title>Lamp lit again", f"<title>{odd}").encode(),
        "ETag: \x1b[31m",
    )
    assert run(folder, "crawl", server.url("/feed")).returncode == 0
    assert run(folder, "crawl", server.url("/\x7f/nosuch")).returncode == 2
    return server.url("/one")


SHOWING = [["list"], ["show", "1"], ["history", "1"], ["status"], ["status", "127.0.0.1"]]


def test_what_pages_say_never_commands_a_terminal(folder, article):
    for words in SHOWING:
        for more in ([], ["--json"]):
            output = run(folder, *words, *more).stdout.decode()
            controls = {char for char in output if (char < " " and char not in "\n\t") or "\x7f" <= char < "\xa0"}
            assert not controls, (words, output)
    assert "Østerholm" in run(folder, "list").stdout.decode()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_terminals_that_lack_the_characters(folder, article, encoding):
    settings = {"PYTHONIOENCODING": encoding, "LC_ALL": "C", "PYTHONUTF8": "0"}
    for words in (["list"], ["show", "1"], ["history", "1"], ["crawl", article], ["status", "--json"]):
        result = run(folder, *words, settings=settings)
        assert (result.returncode, result.stderr) == (0, b""), words
        assert result.stdout.decode(encoding)
    (row,) = json.loads(run(folder, "list", "--json", settings=settings).stdout.decode(encoding))
    assert "“Østerholm”" in row["headline"]


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["show", "1"], ["db", "stats"], ["--help"]])
def test_a_reader_that_leaves_early(folder, article, words):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        process = subprocess.Popen(
            [MORGUE, *words], cwd=folder, env=environment({}), stdout=pipe, stderr=subprocess.PIPE
        )
    assert (process.communicate()[1], process.returncode) == (b"", 0)


def test_an_output_that_is_full(folder, article):
    with Path("/dev/full").open("wb") as full:
        process = subprocess.Popen(
            [MORGUE, "list"], cwd=folder, env=environment({}), stdout=full, stderr=subprocess.PIPE
        )
    said = process.communicate()[1].decode()
    assert process.returncode == 1
    assert said.startswith("morgue: ")
    assert said.count("\n") == 1
    assert "No space left on device" in said


def test_one_version_has_no_difference(folder, article):
    check_one_line(run(folder, "diff", "1"), 2, "1: has one version only")
    check_one_line(run(folder, "diff", "1", "1", "2"), 1, "version 2 of article 1: does not exist; there are 1")
    check_one_line(run(folder, "show", "1", "--version", "7"), 1, "version 7 of article 1: does not exist")


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


@pytest.mark.parametrize("words", OPENING)
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
    settings = {"MORGUE_ARCHIVE__DIRECTORY": place}
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
    assert process.returncode == 130
    assert b"Traceback" not in errors
    check_whole(folder)
