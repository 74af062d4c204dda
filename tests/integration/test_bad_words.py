"""Words, files and terminals that commands cannot serve: one line that names the thing and the way out."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.integration.bad_answers import FEED_TYPE, PARAGRAPHS, feed, page
from tests.integration.bad_server import BadServer, answer
from tests.integration.commands import DEAD, MORGUE, check_one_line, environment, run

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
    for words in (["list"], ["run"]):
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
