"""No command lets other people's text command a terminal, whether it writes into one, into a pipe or into a log."""

import json
import os
import pty
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.escaping import printable
from tests.integration.bad_answers import FEED_TYPE, feed, page
from tests.integration.bad_server import answer, bad_server
from tests.integration.commands import MORGUE, environment, run

TITLE = "\x1b]0;owned\x07"
LINK = "\x1b]8;;http://evil.example/\x1b\\"
HOSTILE = f"{TITLE}{LINK}\x9b31m\x08\u202eevil\u2066\u2028\u200bforged\r"
OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\x1b\[[0-9]*[AK]|\r")
"""What rich itself sends: colours, the cursor hidden and shown, a line deleted for a progress bar."""

SHOWING = [
    ["list"],
    ["show", "1"],
    ["show", "1", "--version", "1"],
    ["history", "1"],
    ["diff", "1"],
    ["status"],
    ["status", "SOURCE"],
    ["status", "PAGE"],
    ["verify"],
    ["sources", "check", "SOURCE", "--explain"],
    ["crawl", "FEED", "--recrawl"],
]
"""Every command that shows something of what was crawled."""

LOOKING_AFTER_SOURCES = [
    ["sources", "export"],
    ["sources", "add", "HOME", "--print"],
    ["sources", "import", "list.opml", "--print"],
]
"""The commands about sources that print what others wrote, and know no `--json`."""

CONTENT = "headline standfirst byline dateline section body canonical_url image_url image_caption site_name"
POISONED = {
    "articles": CONTENT,
    "versions": CONTENT,
    "fetches": "reason location",
    "pages": "feed_title",
    "feeds": "title",
    "sources": "slug name",
    "captures": "warc_file",
}
"""Columns into which earlier versions, or other programs, might have let such text pass."""


def in_terminal(folder: Path, *words: str) -> str:
    """Run a command whose output and errors go to a terminal, and return what arrived there."""
    ours, theirs = pty.openpty()
    settings = environment({}) | {"TERM": "xterm-256color", "COLUMNS": "200"}
    with subprocess.Popen(
        [MORGUE, *words], cwd=folder, env=settings, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux's way to say that the other side was closed
                break
            if not piece:
                break
            said += piece
    os.close(ours)
    assert process.returncode in (0, 1), said
    return said.decode()


@dataclass(frozen=True, kw_only=True)
class Crawled:
    """A folder in which hostile pages were crawled, and the commands that show them, for programs too or not."""

    folder: Path
    commands: list[list[str]]
    others: list[list[str]]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Crawled]:
    """A folder with an article of two versions, all of whose texts are hostile, and with the server's other tricks."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "morgue.db").write_bytes(sqlite_template.read_bytes())
    odd = HOSTILE.replace("\x1b", "&#x1b;").replace("\x07", "&#7;")
    (folder / "list.opml").write_text(
        f"<opml version='2.0'><body><outline text='{odd}' xmlUrl='http://a.example/rss'/><outline text='{odd}'/>"
        f"<outline text='{odd}' xmlUrl='file:///{odd}'/></body></opml>",
        encoding="utf-8",
    )
    feed_of_it = feed("/one", "/redirect", "/type").replace("<title>t<", f"<title>{odd}<").encode()
    with bad_server() as server:
        server.scripts |= {
            "/": answer(
                f'<html><head><title>{odd}</title><link rel="alternate" type="{FEED_TYPE}" href="/feed"></head>'
                f'<body><h1>{odd}</h1><a href="/one">{odd}</a></body></html>'.encode()
            ),
            "/feed": answer(feed_of_it, content_type=FEED_TYPE),
            "/redirect": answer(b"", f"Location: http://{TITLE}.example/", status="302 Found"),
            "/type": answer(b"\x1b]0;owned\x07", content_type=f"application/{TITLE}"),
        }
        for number in range(2):
            text = page(
                (f"This is look {number}: {HOSTILE}.", *(f"{n} ways {HOSTILE} to light a lamp." for n in range(9)))
            )
            server.scripts["/one"] = answer(text.replace("Lamp lit", f"{odd} lamp {number} lit").encode())
            assert run(folder, "crawl", server.url("/feed"), "--recrawl").returncode == 0
        poison(folder / "morgue.db")
        slug = json.loads(run(folder, "status", "--json").stdout)["sources"][0]["slug"]
        names = {"SOURCE": slug, "PAGE": server.url("/one"), "FEED": server.url("/feed"), "HOME": server.url("/")}

        def named(table: list[list[str]]) -> list[list[str]]:
            return [[names.get(word, word) for word in words] for words in table]

        yield Crawled(folder=folder, commands=named(SHOWING), others=named(LOOKING_AFTER_SOURCES))


def poison(file: Path) -> None:
    """Put hostile text into a database behind the back of what keeps it out."""
    lists = json.dumps([HOSTILE])
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        for table, columns in POISONED.items():
            for column in columns.split():
                database.execute(f"UPDATE {table} SET {column} = coalesce({column}, '') || ?", (HOSTILE,))
        for table in ("articles", "versions"):
            database.execute(f"UPDATE {table} SET authors = ?, tags = ?", (lists, lists))
        database.execute("UPDATE sources SET watched = 1")
        database.execute("UPDATE feeds SET paused = 0, configured = 1")


def test_commands_in_a_terminal(crawled):
    for words in [*crawled.commands, *crawled.others, ["--verbose", *crawled.commands[-1]]]:
        said = in_terminal(crawled.folder, *words)
        assert said, words
        rest = OURS.sub("", said)
        assert printable(rest) == rest, words


def test_commands_in_a_pipe(crawled):
    for words in [*crawled.commands, *crawled.others, ["--verbose", *crawled.commands[-1]]]:
        result = run(crawled.folder, *words)
        for said in (result.stdout.decode(), result.stderr.decode()):
            assert printable(said) == said, words
    assert "\\x1b]0;owned\\x07" in run(crawled.folder, "list").stdout.decode()
    for words, name in zip(crawled.others, ("&#x202e;evil", "31mevil forged", "31mevil forged"), strict=True):
        assert name in run(crawled.folder, *words).stdout.decode()


def test_commands_for_programs(crawled):
    for words in crawled.commands:
        said = run(crawled.folder, *words, "--json").stdout.decode()
        assert printable(said) == said, words
        assert json.loads(said) is not None
    (row,) = json.loads(run(crawled.folder, "list", "--json").stdout)
    assert row["headline"].endswith(HOSTILE)


def test_a_headline_of_several_lines_takes_one_row(crawled):
    with closing(sqlite3.connect(crawled.folder / "morgue.db", isolation_level=None)) as database:
        for table in ("articles", "versions"):
            database.execute(f"UPDATE {table} SET headline = 'Lamp' || char(10) || '2  9  forged row'")
    assert len(run(crawled.folder, "list").stdout.decode().splitlines()) == 2
    assert len(run(crawled.folder, "history", "1").stdout.decode().splitlines()) == 3


@pytest.mark.parametrize(
    "words",
    [
        ["show", f"http://a.example/{TITLE}"],
        ["show", HOSTILE],
        ["status", HOSTILE],
        ["crawl", HOSTILE],
        ["crawl", f"http://\u202eexample.org/{LINK}"],
        ["list", "--source", HOSTILE],
        ["list", f"--{HOSTILE}"],
        [HOSTILE],
        ["extract", f"{HOSTILE}.html", "--url", "http://a.example/"],
        ["--config", HOSTILE, "list"],
    ],
)
def test_errors_name_what_was_asked_for_in_visible_characters(folder, words):
    result = run(folder, *words)
    said = result.stderr.decode()
    assert result.returncode in (1, 2)
    assert said.count("\n") == 1
    assert printable(said) == said
