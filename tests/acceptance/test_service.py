"""`morgue run` on the newsroom: every change is found, SIGTERM loses nothing, a restart goes on with what is owed.

`MORGUE_TEST_SERVICE_SECONDS` sets how long the newsroom keeps publishing; the default guards the promise day by day.
"""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from crawler.urls import url_key
from storage.store import Store
from tests.acceptance.checks import check_archive
from tests.invented_stories import publish
from tests.newsroom import Newsroom
from tests.running_service import RunningService, configure, wait_until

BUSY_SECONDS = float(os.environ.get("MORGUE_TEST_SERVICE_SECONDS", "12"))


@pytest.fixture
def folder(database_url, tmp_path) -> Path:
    return tmp_path


@pytest.fixture
def start(database_url, tmp_path, newsroom):
    """Start services that end with the test."""
    services = []

    def start(service: str = "") -> RunningService:
        configure(tmp_path, database_url, newsroom, service)
        services.append(RunningService(tmp_path))
        return services[-1]

    yield start
    for service in services:
        service.kill()


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
    service.wait_for("version_recorded", 8)
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
    check_archive(folder)
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
    service = start()
    assert service.wait() == 1
    assert "Traceback" not in service.log()
    assert [line for line in service.log().splitlines() if line.startswith("morgue: ")]


def test_a_stop_waits_no_longer_than_the_grace_period(newsroom, start, folder):
    url = publish(newsroom, 1)
    newsroom.respond(url.removeprefix(newsroom.origin), delay=30)
    service = start("grace_seconds = 1")
    wait_until(lambda: bool(newsroom.requests_for(newsroom.url("/feed.rss"))), "the feed was polled")
    time.sleep(2)  # the page is asked for, and hangs
    began = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began < 15
    assert "Traceback" not in service.log()


def test_a_second_signal_ends_it_at_once(newsroom, start, folder):
    url = publish(newsroom, 1)
    newsroom.respond(url.removeprefix(newsroom.origin), delay=30)
    service = start()
    wait_until(lambda: bool(newsroom.requests_for(newsroom.url("/feed.rss"))), "the feed was polled")
    time.sleep(2)
    service.send(signal.SIGTERM)
    service.wait_for("stopping")
    time.sleep(0.2)
    assert service.stop() == -signal.SIGTERM
