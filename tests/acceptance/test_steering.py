"""A running service heeds what an operator says by hand: pause, resume, fetch, watch, unwatch, sources reload."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.request import urlopen

import pytest

from scheduler.cli import _run as run_command
from storage.store import Store
from tests.invented_stories import publish
from tests.morgue_command import command, environment
from tests.newsroom import Newsroom
from tests.running_service import RunningService, configure, headlines, wait_until

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
"""What differs by database is held to both by the contracts."""

TICKS = 2.5
"""Seconds within which a service heeds what was said, and a second more."""
QUIET = """\
[[source]]
slug = "herald"
feeds = ["{feed}"]
poll = "1h"
recrawl = "1h"
"""


def morgue(folder: Path, *words: str, code: int = 0) -> str:
    """Run a command on the service's database, in this process, and return what it printed."""
    printed = io.StringIO()
    argv = ["morgue", "--config", str(folder / "morgue.toml"), *words]
    with mock.patch.object(sys, "argv", argv), redirect_stdout(printed), redirect_stderr(printed):
        assert run_command() == code, printed.getvalue()
    return printed.getvalue()


def states(database: str, url: str) -> list[str]:
    with Store.open(database) as store, store.reading() as transaction:
        return [article.status for article in transaction.versions.articles(limit=100) if article.url == url]


def fetch_count(database: str) -> int:
    with Store.open(database) as store, store.reading() as transaction:
        return len(transaction.fetches.recent(100_000))


def is_polled(database: str, url: str) -> bool:
    with Store.open(database) as store, store.reading() as transaction:
        feed = transaction.feeds.by_url(url)
    return feed is not None and feed.last_polled_at is not None


def is_taken(newsroom: Newsroom, path: str) -> bool:
    """Whether a request came for which an answer was laid ready, though that may still be on its way."""
    return not newsroom._scripts.get(path)


@pytest.fixture
def services() -> Iterator[list[RunningService]]:
    started: list[RunningService] = []
    yield started
    for service in started:
        service.kill()


def test_what_is_paused_is_left_alone_and_what_is_in_flight_is_finished(database_url, newsroom, tmp_path, services):
    urls = [publish(newsroom, number) for number in range(3)]
    configure(tmp_path, database_url, newsroom)
    services.append(RunningService(tmp_path))
    wait_until(lambda: len(headlines(database_url)) == 3, "the stories were fetched")

    # A page.
    assert "is paused" in morgue(tmp_path, "pause", urls[0])
    time.sleep(TICKS)
    newsroom.clear_log()
    wait_until(lambda: len(newsroom.requests_for(urls[1])) >= 2, "the others were looked at again")
    assert not newsroom.requests_for(urls[0])
    assert states(database_url, urls[0]) == ["paused"]
    subprocess.run(command(tmp_path, "crawl", urls[0]), env=environment(), capture_output=True, check=True)
    assert len(newsroom.requests_for(urls[0])) == 1
    assert "no longer paused" in morgue(tmp_path, "resume", urls[0].replace("http:", "https:") + "?utm_source=mail")
    wait_until(lambda: len(newsroom.requests_for(urls[0])) >= 2, "it was looked at again")

    # The source, with a page in flight and the others of the host behind it.
    path = urls[2].removeprefix(newsroom.origin)
    newsroom.retitle(urls[2], "Read while the source was paused")
    newsroom.clear_log()
    newsroom.respond(path, delay=3, times=1, status=304)
    wait_until(lambda: is_taken(newsroom, path), "the slow page was asked for")
    assert "process" in morgue(tmp_path, "pause", "courier")
    wait_until(lambda: bool(newsroom.requests_for(urls[2])), "the slow page had answered")
    time.sleep(TICKS)
    newsroom.clear_log()
    recorded = fetch_count(database_url)
    time.sleep(TICKS)
    assert not newsroom.requests
    assert fetch_count(database_url) == recorded
    assert states(database_url, urls[1]) == ["paused"]

    publish(newsroom, 3)
    assert "what came due meanwhile is due now" in morgue(tmp_path, "resume", "courier")
    wait_until(lambda: len(headlines(database_url)) == 4, "the new story was found")
    wait_until(lambda: "Read while the source was paused" in headlines(database_url), "the edit was found")
    assert services[0].stop() == 0


def test_what_is_asked_for_is_fetched_now_and_once_more_if_it_was_in_flight(database_url, newsroom, tmp_path, services):
    url = publish(newsroom, 1)
    publish(newsroom, 2)
    configure(tmp_path, database_url, newsroom)
    configuration = tmp_path / "morgue.toml"
    configuration.write_text(configuration.read_text().replace('"1s"', '"1h"'))
    services.append(RunningService(tmp_path))
    wait_until(lambda: len(headlines(database_url)) == 2, "the stories were fetched")
    newsroom.clear_log()

    newsroom.retitle(url, "Corrected")
    assert "the service fetches it at its next tick" in morgue(tmp_path, "fetch", url)
    wait_until(lambda: "Corrected" in headlines(database_url), "the page was fetched")
    assert [request.path for request in newsroom.requests] == [url.removeprefix(newsroom.origin)]

    path = url.removeprefix(newsroom.origin)
    newsroom.respond(path, delay=3, times=1, status=304)
    said = json.loads(morgue(tmp_path, "fetch", url, "--json"))
    assert said["service"]["running"] and said["targets"][0]["result"] == "requested"
    wait_until(lambda: is_taken(newsroom, path), "it was asked for")
    newsroom.retitle(url, "Corrected once more")
    morgue(tmp_path, "fetch", url)
    wait_until(lambda: "Corrected once more" in headlines(database_url), "it was fetched after what was in flight")

    newsroom.clear_log()
    publish(newsroom, 3)
    morgue(tmp_path, "fetch", "courier")
    wait_until(lambda: len(headlines(database_url)) == 3, "the feed was polled")
    assert services[0].stop() == 0


def test_what_is_handed_over_is_looked_after_whatever_it_is(database_url, newsroom, tmp_path, services):
    configure(tmp_path, database_url, newsroom)
    services.append(RunningService(tmp_path))
    services[0].wait_for("started")
    with Newsroom() as gazette, Newsroom() as courant:
        article, other = publish(gazette, 1), publish(courant, 2)
        publish(courant, 3)
        with urlopen(courant.url("/feed.rss")) as answer:
            courant.respond("/latest", body=answer.read(), headers={"Content-Type": "application/rss+xml"})
        said = morgue(tmp_path, "watch", article, courant.url("/latest"), courant.url("/feed.atom"))
        assert (said.count("finds out what it is"), said.count("looks there for articles")) == (2, 1)
        wait_until(lambda: len(headlines(database_url)) == 3, "the article and those of the feed were fetched")
        wait_until(lambda: is_polled(database_url, courant.url("/latest")), "what proved to be a feed was polled")
        assert "is polled no more" in morgue(tmp_path, "unwatch", courant.url("/latest"))
        assert "is not watched any more" in morgue(tmp_path, "unwatch", article)
        gazette.retitle(article, "Nobody looks any more")
        time.sleep(TICKS)
        gazette.clear_log()
        time.sleep(TICKS)
        assert not gazette.requests
        assert "is watched" in morgue(tmp_path, "watch", article)
        wait_until(lambda: "Nobody looks any more" in headlines(database_url), "it was looked at again")
        assert states(database_url, other) == ["live"]
    assert services[0].stop() == 0


def test_a_changed_file_is_checked_and_then_taken_up_by_the_service(database_url, newsroom, tmp_path, services):
    configure(tmp_path, database_url, newsroom)
    assert f"No service runs on {tmp_path}/morgue.db" in morgue(tmp_path, "sources", "reload")
    services.append(RunningService(tmp_path))
    services[0].wait_for("started")
    with Newsroom() as herald:
        publish(herald, 1)
        good = (tmp_path / "morgue.toml").read_text()
        (tmp_path / "morgue.toml").write_text(good + QUIET.format(feed=herald.url("/feed.rss")).replace("poll", "pole"))
        assert "did you mean poll?" in morgue(tmp_path, "sources", "reload", code=2)
        assert not herald.requests
        (tmp_path / "morgue.toml").write_text(good + QUIET.format(feed=herald.url("/feed.rss")))
        said: dict[str, Any] = json.loads(morgue(tmp_path, "sources", "reload", "--json"))
        assert said["reloaded"]["pid"] == services[0].process.pid
        assert (said["problem"], said["sources"]) == (None, 2)
        wait_until(lambda: len(headlines(database_url)) == 1, "the new source was polled")
    assert services[0].stop() == 0
