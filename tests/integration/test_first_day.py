"""A newcomer's first day: what commands say where something was left out, and that it is said rightly and once."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from tests.integration.bad_answers import page
from tests.integration.bad_server import answer
from tests.integration.commands import DEAD, MORGUE, check_one_line, environment, run

GUARDED = {"MORGUE_CRAWL__ALLOW_PRIVATE_ADDRESSES": "false"}


def without_contact(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command with the user agent that nobody has set."""
    settings = environment({})
    del settings["MORGUE_CRAWL__USER_AGENT"]
    return subprocess.run([MORGUE, *words], cwd=folder, env=settings, capture_output=True, check=False)


def in_terminal(folder: Path, *words: str, columns: int = 80) -> str:
    """Return what a command shows in a terminal of that width, without its colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    settings = environment({}) | {"TERM": "xterm"}
    settings.pop("COLUMNS", None)
    with subprocess.Popen(
        [MORGUE, *words], cwd=folder, env=settings, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:  # Linux's way to say that the other side was closed
            pass
    os.close(ours)
    assert process.returncode == 0, said
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.decode()).replace("\r", "")


# What was left out


def test_crawling_without_a_contact_is_said_once_with_the_key(folder, server):
    crawled = without_contact(folder, "crawl", server.url("/one"), server.url("/two"), "--json")
    assert json.loads(crawled.stdout)["fetched"] == 2
    said = crawled.stderr.decode()
    assert said.count("no contact is set") == 1
    assert "user_agent under [crawl]" in said
    assert said.count("\n") == 1
    assert run(folder, "crawl", server.url("/one")).stderr == b""
    assert b"contact" not in without_contact(folder, "list").stderr


def test_a_service_without_a_source_or_a_contact_says_so(folder):
    settings = environment({"MORGUE_SERVICE__HTTP": "off"})
    del settings["MORGUE_CRAWL__USER_AGENT"]
    events = []
    with subprocess.Popen([MORGUE, "run"], cwd=folder, env=settings, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            events.append(json.loads(line))
            if events[-1]["event"] == "started":
                process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    (contact,) = (event for event in events if event["event"] == "contact_not_set")
    assert "user_agent under [crawl]" in contact["remedy"]
    (nothing,) = (event for event in events if event["event"] == "nothing_to_watch")
    assert nothing["problem"] == "there is no source yet"
    assert "`morgue sources add URL`" in nothing["remedy"]


def test_a_refused_internal_address_names_the_key_that_allows_it(folder, server):
    crawled = run(folder, "crawl", server.url("/one"), settings=GUARDED)
    assert "allow_private_addresses = true" in crawled.stdout.decode()
    assert "allow_private_addresses" in run(folder, "status", server.url("/one")).stdout.decode()
    check_one_line(run(folder, "sources", "add", server.url("/"), settings=GUARDED), 1, "allow_private_addresses")
    (folder / "morgue.toml").write_text(f'[[source]]\nslug = "own"\nfeeds = ["{server.url("/feed")}"]\n')
    for words in (["crawl"], ["sources", "check"]):
        assert "allow_private_addresses" in run(folder, *words, settings=GUARDED).stdout.decode()
    assert server.asked == []


# What is counted


def test_only_pages_that_were_fetched_are_said_to_be(folder, server):
    server.scripts["/gone"] = answer(page().encode(), status="404 Not Found")
    one = run(folder, "crawl", server.url("/one")).stdout.decode()
    assert "1 page fetched: 1 created\n" in one
    assert run(folder, "verify").stdout.decode().startswith("1 file with ")
    dead = run(folder, "crawl", DEAD)
    assert "0 pages fetched; 1 not fetched: 1 network_error\n" in dead.stdout.decode()
    assert json.loads(run(folder, "crawl", DEAD, "--json").stdout)["fetched"] == 0
    both = run(folder, "crawl", server.url("/two"), server.url("/gone"), DEAD).stdout.decode()
    assert "2 pages fetched: 1 created, 1 missing; 1 not fetched: 1 network_error\n" in both


@pytest.mark.parametrize("words", [["nosuch"], ["--nosuch"], ["--config"], ["crawl", "--limit"], ["db", "nosuch"]])
def test_errors_say_the_name_of_the_program_once(folder, words):
    result = run(folder, *words)
    check_one_line(result, 2, "--help`")
    assert result.stderr.decode().count("morgue: ") == 1
    if words[0] == "crawl":
        assert "`morgue crawl --help`" in result.stderr.decode()


# Addresses stay whole


def test_addresses_are_not_broken_in_a_terminal_or_a_pipe(folder, server):
    path = "/" + "-".join(["a-story-with-a-long-name"] * 5)
    image = server.url("/pictures" + path)
    for number in range(2):
        head = f'<meta property="og:image" content="{image}-{number}.jpg">'
        text = page((f"Look {number} at {image}?look={number}, the page.", "More of a story, " * 30), head=head)
        server.scripts[path] = answer(text.encode())
        assert run(folder, "crawl", server.url(path), "--recrawl").returncode == 0
    for show in (lambda *words: run(folder, *words).stdout.decode(), lambda *words: in_terminal(folder, *words)):
        shown, differs, status = show("show", "1"), show("diff", "1"), show("status", server.url(path))
        assert server.url(path) in shown
        assert f"{image}?look=1" in shown
        assert server.url(path) in differs
        assert f"[-{image}?look=0-]" in differs
        assert server.url(path) in status
    # Between words it is wrapped all the same.
    prose = [line for line in in_terminal(folder, "show", "1").splitlines() if "More of" in line]
    assert len(prose) > 1
    assert max(map(len, prose)) <= 80


# init


def test_init_says_what_it_made(tmp_path):
    def init(*words: str) -> str:
        result = run(tmp_path, *words)
        assert result.returncode == 0, result.stderr
        return result.stdout.decode().splitlines()[0]

    assert init("init", "--no-database").startswith("Wrote morgue.toml. `morgue crawl` or `morgue run` makes")
    assert [path.name for path in tmp_path.iterdir()] == ["morgue.toml"]
    assert init("init", "--force") == "Wrote morgue.toml and made the database morgue.db?timeout=0.3."
    assert init("init", "--force") == "Wrote morgue.toml. The database morgue.db?timeout=0.3 was there already."
    check_one_line(run(tmp_path, "init"), 2, "morgue.toml: is there already", "--force")
    failed = run(tmp_path, "init", "--force", settings={"MORGUE_DATABASE__URL": "sqlite:///nosuch/morgue.db"})
    check_one_line(failed, 1, "nosuch/morgue.db: its folder nosuch does not exist")
    assert failed.stdout.decode() == "Wrote morgue.toml, and made no database.\n"


def test_init_writes_where_it_is_told(tmp_path):
    settings = environment({})
    del settings["MORGUE_DATABASE__URL"]
    (tmp_path / "etc").mkdir()
    (tmp_path / 'var "lib"').mkdir()
    words = ["--config", "etc/morgue.toml", "init", "--data", 'var "lib"']
    subprocess.run([MORGUE, *words], cwd=tmp_path, env=settings, check=True)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"morgue.toml", "morgue.db"}
    assert (tmp_path / 'var "lib"' / "morgue.db").is_file()
    listed = subprocess.run(
        [MORGUE, "--config", tmp_path / "etc" / "morgue.toml", "db", "check"],
        cwd="/",
        env=settings,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "healthy" in listed.stdout


# Sources that go out and come back


def test_sources_that_are_exported_and_imported_keep_their_names(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    blocks = [
        ("courier", "The Courier", ["https://www.courier.example/a.rss", "https://www.courier.example/b.rss"]),
        ("courier-sport", "The Courier", ["https://www.courier.example/sport.rss"]),
        ("gazette", "Gazette", ["https://feeds.example.net/gazette"]),
    ]
    for folder in (first, second):
        folder.mkdir()
    (first / "morgue.toml").write_text(
        "".join(
            f"[[source]]\nslug = {json.dumps(slug)}\nname = {json.dumps(name)}\nfeeds = {json.dumps(feeds)}\n"
            for slug, name, feeds in blocks
        )
    )
    assert run(first, "sources", "export", "../feeds.opml").stdout.decode() == "Wrote 4 feeds to ../feeds.opml.\n"
    assert run(second, "sources", "import", "../feeds.opml").returncode == 0
    assert run(second, "sources", "export", "../again.opml").returncode == 0

    def outlines(name: str) -> list[str]:
        return [line for line in (tmp_path / name).read_text().splitlines() if "<outline" in line]

    assert outlines("again.opml") == outlines("feeds.opml")
    assert [slug for slug, _, _ in blocks] == re.findall(r'^slug = "(.+)"', (second / "morgue.toml").read_text(), re.M)


# Completion


def test_a_shell_completes_commands(folder):
    settings = {"_MORGUE_COMPLETE": "complete_bash", "COMP_WORDS": "morgue so", "COMP_CWORD": "1"}
    assert run(folder, settings=settings).stdout.decode().split() == ["sources"]
