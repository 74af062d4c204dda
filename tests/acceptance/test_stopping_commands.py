"""Commands that fetch are told to stop: whatever hangs, they end within seconds and keep what they have."""

import contextlib
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance import hanging_morgue
from tests.integration.bad_server import answer, bad_server, silence
from tests.invented_stories import publish
from tests.morgue_command import MORGUE, command, environment
from tests.running_service import configure, crawler_configuration, headlines, wait_until

SOON_SECONDS = 30
"""A crawl gives up what is in flight after five seconds, and is ended after fifteen; machines are slow."""


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture
def begin(database_url, tmp_path):
    begun = []

    def begin(*words, program=(MORGUE,)):
        if not (tmp_path / "morgue.toml").exists():
            patient = "timeout_seconds = 3600\nidle_timeout_seconds = 3600\n"
            (tmp_path / "morgue.toml").write_text(crawler_configuration(database_url) + patient)
        begun.append(
            subprocess.Popen(
                [*program, *command(tmp_path, *words)[1:]],
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return begun[-1]

    yield begin
    for process in begun:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def end(process, number):
    """Send a signal, and return the exit code, what was said, and how long that took."""
    began = time.monotonic()
    process.send_signal(number)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output + errors, time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_crawl_ends_though_a_server_never_does_and_keeps_what_it_has(database_url, newsroom, begin, number):
    url = publish(newsroom, 1)
    with bad_server() as server:
        server.scripts["/robots.txt"] = silence
        process = begin("crawl", url, server.url("/1"))
        wait_until(lambda: len(headlines(database_url)) == 1, "the good one's article is there")
        code, said, seconds = end(process, number)
    assert code == 130
    assert seconds < SOON_SECONDS
    assert "1 page" in said
    assert "Traceback" not in said
    assert len(headlines(database_url)) == 1


def test_a_crawl_ends_though_a_library_never_does(database_url, newsroom, begin):
    url = publish(newsroom, 1)
    program = (sys.executable, Path(hanging_morgue.__file__))
    process = begin("crawl", url, newsroom.url("/never-ends"), program=program)
    wait_until(lambda: len(headlines(database_url)) == 1, "the good one's article is there")
    code, said, seconds = end(process, signal.SIGTERM)
    assert code == 130, said
    assert seconds < SOON_SECONDS
    assert "Traceback" not in said


def test_a_crawl_ends_though_another_program_holds_the_database(database_url, newsroom, begin, tmp_path):
    urls = [publish(newsroom, number) for number in range(12)]
    process = begin("crawl", *urls)
    wait_until(lambda: headlines(database_url), "something is there")
    with sqlite3.connect(tmp_path / "morgue.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(0.5)
        code, said, seconds = end(process, signal.SIGTERM)
        other.execute("ROLLBACK")
    assert code in (1, 130), said
    assert seconds < SOON_SECONDS
    assert "Traceback" not in said
    assert headlines(database_url)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("words", [("sources", "check"), ("sources", "add")])
def test_looking_at_sources_ends_though_a_server_never_does(database_url, newsroom, begin, tmp_path, number, words):
    configure(tmp_path, database_url, newsroom)
    with bad_server() as server:
        server.scripts["/robots.txt"] = silence
        server.scripts["/feed"] = answer(b"")
        configuration = (tmp_path / "morgue.toml").read_text()
        (tmp_path / "morgue.toml").write_text(
            f'{configuration}\n[[source]]\nslug = "mute"\nfeeds = ["{server.url("/feed")}"]\n'
        )
        process = begin(*words, *([server.url("/")] if words[1] == "add" else []))
        wait_until(lambda: server.asked, "the server was asked")
        code, said, seconds = end(process, number)
    assert code == 130, said
    assert seconds < SOON_SECONDS
    assert "interrupted" in said
    assert "Traceback" not in said
