"""`morgue run` on the newsroom: every change is found, SIGTERM loses nothing, a restart goes on with what is owed.

`MORGUE_TEST_SERVICE_SECONDS` sets how long the newsroom keeps publishing; the default guards the promise day by day.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from crawler.urls import url_key
from storage.store import Store
from tests.acceptance.test_kills import publish
from tests.newsroom import Newsroom

BUSY_SECONDS = float(os.environ.get("MORGUE_TEST_SERVICE_SECONDS", "12"))
PATIENCE_SECONDS = 60

CONFIGURATION = """\
[database]
url = "{database}"
[archive]
directory = "archive"
[crawl]
user_agent = "morgue-tests/1 (+mailto:tests@example.org)"
allow_private_addresses = true
delay_seconds = 0
processes = 1
[[source]]
slug = "courier"
feeds = ["{feed}"]
poll = "1s"
recrawl = "1s"
"""


class RunningService:
    """`morgue run` as a process."""

    def __init__(self, folder: Path) -> None:
        program = Path(sys.executable).with_name("morgue")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MORGUE_")}
        self._log = (folder / "service.log").open("a")
        self.process = subprocess.Popen(
            [program, "--config", folder / "morgue.toml", "run"],
            env=environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        code = self.process.wait(PATIENCE_SECONDS)
        self._log.close()
        return code

    def kill(self) -> None:
        """End it, whatever became of the test."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.wait()


@pytest.fixture
def folder(database_url, tmp_path) -> Path:
    return tmp_path


@pytest.fixture
def newsroom():
    with Newsroom() as newsroom:
        yield newsroom


@pytest.fixture
def start(database_url, tmp_path, newsroom):
    """Start services that end with the test."""
    services = []
    (tmp_path / "morgue.toml").write_text(CONFIGURATION.format(database=database_url, feed=newsroom.url("/feed.rss")))

    def start() -> RunningService:
        services.append(RunningService(tmp_path))
        return services[-1]

    yield start
    for service in services:
        service.kill()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.1)


def state(database: str) -> dict[str, tuple[str, str]]:
    """Return headline and body of each article by its URL key."""
    with Store.open(database) as store, store.reading() as transaction:
        articles = transaction.versions.articles(limit=10_000)
    return {url_key(a.url): (a.content.headline, a.content.body) for a in articles}


def published(newsroom: Newsroom, urls: list[str]) -> dict[str, tuple[str, str]]:
    """Return what the newsroom shows, in the same form."""
    stories = {url: newsroom.story(url) for url in urls}
    return {url_key(url): (story.headline, "\n\n".join(story.body)) for url, story in stories.items()}


def test_every_change_is_found_and_a_stop_under_load_loses_nothing(database_url, newsroom, start, folder):
    chance = random.Random(4)
    urls = [publish(newsroom, number) for number in range(8)]
    service = start()
    wait_until(lambda: (folder / "service.log").read_text().count("version_recorded") >= 8, "the stories were fetched")
    ends = time.monotonic() + BUSY_SECONDS
    edits: dict[str, int] = dict.fromkeys(urls, 0)
    while time.monotonic() < ends:
        action = chance.choice(["publish", "correct", "cut", "retitle"])
        url = chance.choice(urls)
        if action == "publish":
            urls.append(publish(newsroom, len(urls)))
            edits[urls[-1]] = 0
        elif action == "retitle":
            edits[url] += 1
            newsroom.retitle(url, f"District settles its landing, take {edits[url]}")
        elif action == "correct":
            edits[url] += 1
            body = newsroom.story(url).body
            newsroom.correct(
                url, body=[*body[:1], f"{body[1].split('; in vote')[0]}; in vote {edits[url]}.", *body[2:]]
            )
        elif len(newsroom.story(url).body) > 2:
            newsroom.cut(url, paragraphs=1)
        time.sleep(chance.uniform(0.05, 0.4))
    wait_until(lambda: state(database_url) == published(newsroom, urls), "every change was in the database")

    newsroom.respond("/feed.rss", status=503, headers={"Retry-After": "1"}, times=1)
    assert service.stop() == 0
    check(folder, database_url)

    # While nobody looked, the newsroom went on; a restart finds what fell due.
    newsroom.retitle(urls[0], "What happened while nobody looked")
    urls.append(publish(newsroom, len(urls)))
    service = start()
    wait_until(lambda: state(database_url) == published(newsroom, urls), "the restart had caught up")
    assert service.stop() == 0
    check(folder, database_url)


def check(folder: Path, database: str) -> None:
    """The archive is whole, and every version has its event."""
    program = Path(sys.executable).with_name("morgue")
    verified = subprocess.run(
        [program, "--config", folder / "morgue.toml", "verify"], capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert not list((folder / "archive").glob("*.open")), "a clean stop closes its files"
    with Store.open(database) as store, store.reading() as transaction:
        versions = [
            version.version_id
            for article in transaction.versions.articles(limit=10_000)
            for version in transaction.versions.history(article.article_id)
        ]
        events = [event.version_id for event in transaction.events.since(0, 100_000)]
    assert sorted(versions) == sorted(events)
    assert "Traceback" not in (folder / "service.log").read_text()


def test_it_ends_with_one_line_when_the_archive_cannot_be_written(newsroom, start, folder):
    (folder / "archive").write_text("a file where the folder should be")
    publish(newsroom, 1)
    assert start().wait() == 1
    log = (folder / "service.log").read_text()
    assert "Traceback" not in log
    assert [line for line in log.splitlines() if line.startswith("morgue: ")]


def test_a_stop_waits_no_longer_than_the_grace_period(newsroom, start, folder):
    url = publish(newsroom, 1)
    configuration = folder / "morgue.toml"
    configuration.write_text(configuration.read_text() + "[service]\ngrace_seconds = 1\n")
    newsroom.respond(url.removeprefix(newsroom.origin), delay=30)
    service = start()
    wait_until(lambda: bool(newsroom.requests_for(newsroom.url("/feed.rss"))), "the feed was polled")
    time.sleep(2)  # the page is asked for, and hangs
    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began < 15
    assert "Traceback" not in (folder / "service.log").read_text()


def test_a_second_signal_ends_it_at_once(newsroom, start, folder):
    url = publish(newsroom, 1)
    newsroom.respond(url.removeprefix(newsroom.origin), delay=30)
    service = start()
    wait_until(lambda: bool(newsroom.requests_for(newsroom.url("/feed.rss"))), "the feed was polled")
    time.sleep(2)
    service.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "stopping" in (folder / "service.log").read_text(), "it began to stop")
    time.sleep(0.2)
    assert service.stop() == -signal.SIGTERM
