"""Kill a crawl, and the service, at random moments, again and again: nothing may be lost, doubled, forgotten or torn.

`MORGUE_TEST_KILLS` sets how many kills each database gets; a few suffice to keep the promise guarded day by day.
"""

import os
import random
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

from storage.host_turns import LEASE
from storage.model import EventKind
from storage.store import Store
from storage.warc_members import scan_members
from tests.acceptance.checks import Consumer, check_archive, check_plans
from tests.invented_stories import paragraphs, publish
from tests.morgue_command import command, environment
from tests.newsroom import Newsroom
from tests.newsroom_indexes import IndexedNewsroom
from tests.running_service import crawler_configuration

KILLS = int(os.environ.get("MORGUE_TEST_KILLS", "6"))
STORIES = 40
EDITED = 15
LIFE_SECONDS = (0.3, 3.5)
SERVICE_KILLS = int(os.environ.get("MORGUE_TEST_KILLS", "3"))
SERVICE_STORIES = 15
SERVICE_LIFE_SECONDS = (1.0, 6.0)
"""From before it is ready to amid its work."""
PATIENCE_SECONDS = 120

SOURCE = """\
[service]
http = "off"
[[source]]
slug = "courier"
feeds = ["{feed}"]
poll = "1s"
recrawl = "1s"
"""


def morgue(folder: Path, *words: str, output: int | IO[str] = subprocess.PIPE) -> subprocess.Popen:
    """Start a morgue command."""
    return subprocess.Popen(
        command(folder, *words),
        env=environment(),
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(folder: Path, *words: str) -> str:
    """Run a command to its end, which must be a good one."""
    process = morgue(folder, *words)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return output


def kill_after(folder: Path, seconds: float, *words: str) -> bool:
    """Start a command and kill it; whether it was still running then."""
    process = morgue(folder, *words)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    return False


def test_kills_lose_nothing(database_url, tmp_path):
    chance = random.Random(20260301)
    (tmp_path / "morgue.toml").write_text(crawler_configuration(database_url, processes=2))
    finish(tmp_path, "db", "upgrade")
    consumer = Consumer(database_url)
    consumer.start()
    with Newsroom() as newsroom:
        newsroom.validators = False  # every look reads the page and is judged by its text
        urls = [publish(newsroom, number) for number in range(STORIES)]
        feed = newsroom.url("/feed.rss")
        for half in range(2):
            killed = 0
            while killed < KILLS // 2:
                urls.append(publish(newsroom, len(urls)))
                killed += kill_after(tmp_path, chance.uniform(*LIFE_SECONDS), "crawl", "--recrawl", feed)
            finish(tmp_path, "crawl", "--recrawl", feed)
            if half == 0:
                for number in range(EDITED):
                    body = paragraphs(number)
                    body[1] = f"In the end neither side got street {number}: the hall is to be pulled down by summer."
                    newsroom.correct(urls[number], body=body)
    consumer.ended.set()
    consumer.join(30)
    assert consumer.problem is None
    check_everything(tmp_path, database_url, consumer, stories=len(urls))


def check_records(folder: Path) -> None:
    """Check that every record is whole, and is what the database says."""
    check_archive(folder)
    for path in (folder / "archive").glob("*.warc.gz*"):
        with path.open("rb") as file:
            assert all(member.complete for member in scan_members(file, size=path.stat().st_size)), path


def check_everything(folder: Path, database: str, consumer: Consumer, *, stories: int) -> None:
    """Check the archive, the versions and what the consumer saw."""
    check_records(folder)
    with Store.open(database) as store, store.reading() as transaction:
        articles = transaction.versions.articles(limit=10_000)
        histories = {article.article_id: transaction.versions.history(article.article_id) for article in articles}
        events = transaction.events.since(0, 100_000)
    assert len(articles) == stories
    counts = sorted(len(history) for history in histories.values())
    assert counts == [1] * (stories - EDITED) + [2] * EDITED
    for history in histories.values():
        assert [version.number for version in history] == list(range(1, len(history) + 1))
        assert len({version.content_digest for version in history}) == len(history)
    assert consumer.seen == [event.seq for event in events]
    by_version = [event.version_id for event in events if event.kind in (EventKind.CREATED, EventKind.UPDATED)]
    assert sorted(by_version) == sorted(version.version_id for history in histories.values() for version in history)


class EditingDesk(threading.Thread):
    """Publishes and edits the whole time; no story ever shows again what it showed before. `urls` are its stories."""

    def __init__(self, newsroom: IndexedNewsroom) -> None:
        super().__init__(daemon=True)
        self._newsroom = newsroom
        self._chance = random.Random(5)
        self.urls = [publish(newsroom, number) for number in range(SERVICE_STORIES)]
        self.problem: Exception | None = None
        self.ended = threading.Event()

    def run(self) -> None:
        try:
            number = len(self.urls)
            while not self.ended.wait(self._chance.uniform(0.05, 0.5)):
                number += 1
                if self._chance.random() < 0.05:
                    self.urls.append(publish(self._newsroom, number))
                    continue
                url = self._chance.choice(self.urls)
                headline = self._newsroom.story(url).headline.split(":")[0]
                self._newsroom.retitle(url, f"{headline}: hearing {number}")
        except Exception as problem:  # noqa: BLE001 - the thread's boundary: the test looks at it
            self.problem = problem


def test_a_service_that_is_killed_again_and_again_goes_on(database_url, tmp_path):
    chance = random.Random(20260302)
    consumer = Consumer(database_url)
    with IndexedNewsroom() as newsroom:
        source = SOURCE.format(feed=newsroom.url("/feed.rss"))
        (tmp_path / "morgue.toml").write_text(crawler_configuration(database_url, processes=2) + source)
        consumer.start()
        desk = EditingDesk(newsroom)
        desk.start()
        killed, pauses = 0, []
        while killed < SERVICE_KILLS:
            killed += kill_after(tmp_path, chance.uniform(*SERVICE_LIFE_SECONDS), "run")
            pauses.append(time.perf_counter())
        desk.ended.set()
        desk.join()
        log = tmp_path / "service.log"
        with log.open("w") as output:
            service = morgue(tmp_path, "run", output=output)
        wait_until_known(database_url, newsroom, desk.urls, service)
        asked_again = next(r.started for r in newsroom.requests if r.started > pauses[-1]) - pauses[-1]
        service.terminate()
        assert service.wait(PATIENCE_SECONDS) == 0, log.read_text()
    consumer.ended.set()
    consumer.join(30)
    assert (consumer.problem, desk.problem) == (None, None)
    print(f"{killed} kills, {len(desk.urls)} stories; the host was asked {asked_again:.1f} s after the last one")
    assert asked_again < LEASE.total_seconds() + 30, "the killed process kept its turn"
    check_service(tmp_path, database_url, consumer, newsroom)


def wait_until_known(database: str, newsroom: IndexedNewsroom, urls: list[str], service: subprocess.Popen) -> None:
    """Wait until the database has what stands, and the plan of every page."""
    ends = time.monotonic() + PATIENCE_SECONDS
    with Store.open(database) as store:
        while True:
            with store.reading() as transaction:
                known = {a.url: a.content.headline for a in transaction.versions.articles(limit=10_000)}
            if known == {url: newsroom.story(url).headline for url in urls}:
                return
            assert service.poll() is None, "the service ended"
            assert time.monotonic() < ends, "what stands was not found"
            time.sleep(0.2)


def check_service(folder: Path, database: str, consumer: Consumer, newsroom: IndexedNewsroom) -> None:
    """Check the archive, the versions, the change feed, and that no page or feed is without a plan."""
    check_records(folder)
    with Store.open(database) as store, store.reading() as transaction:
        articles = transaction.versions.articles(limit=10_000)
        histories = {article.url: transaction.versions.history(article.article_id) for article in articles}
        events = transaction.events.since(0, 1_000_000)
    assert consumer.seen == [event.seq for event in events]
    by_version = [event.version_id for event in events if event.kind in (EventKind.CREATED, EventKind.UPDATED)]
    assert sorted(by_version) == sorted(version.version_id for history in histories.values() for version in history)
    assert set(histories) == {newsroom.url(path) for path in newsroom.journal}
    for path, states in newsroom.journal.items():
        history = histories[newsroom.url(path)]
        assert [version.number for version in history] == list(range(1, len(history) + 1))
        headlines = [version.article.headline for version in history]
        published = [state.headline for state in states]
        assert len(set(headlines)) == len(headlines), "a version was doubled"
        assert [headline for headline in published if headline in headlines] == headlines, (
            "never shown, or out of order"
        )
    check_plans(database)
