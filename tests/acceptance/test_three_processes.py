"""Three crawls of the same publishers at once, one of them killed and started again: no publisher may notice.

The publishers' own logs are the judge. All limits are measured from the end of a response to the next request, in
seconds of one clock. `CLOCK_TOLERANCE` is for the publisher's own reckoning: it notes the end of an answer just before
it sends the last bytes, and the beginning of a request when it has read its first line.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from storage.host_turns import LEASE
from storage.store import Store
from tests.invented_stories import publish
from tests.morgue_command import command, environment
from tests.newsroom import Newsroom
from tests.newsroom_server import Answer, LoggedRequest
from tests.running_service import crawler_configuration

CLOCK_TOLERANCE = 0.005
DELAY = 0.3
CRAWL_DELAY = 0.7
ANSWER_SECONDS = 0.35
RETRY_AFTER = 3
STORIES = 7
LIFE_SECONDS = 3.0


class SlowNewsroom(Newsroom):
    """A publisher that takes its time for every answer."""

    def _answer(self, target: str, headers: Mapping[str, str]) -> Answer:
        return replace(super()._answer(target, headers), delay_seconds=ANSWER_SECONDS)


class Publishers:
    """Four publishers, each with a limit of its own, and what they may not be asked."""

    def __init__(self) -> None:
        self.plain = Newsroom("127.0.0.11")
        self.patient = Newsroom("127.0.0.12")
        self.busy = Newsroom("127.0.0.13")
        self.slow = SlowNewsroom("127.0.0.14")
        self.patient.robots = f"User-agent: *\nDisallow: /secret/\nCrawl-delay: {CRAWL_DELAY}\n"
        self.articles: set[str] = set()
        self.refused: list[str] = []
        self.limits = {
            self.plain: DELAY,
            self.patient: CRAWL_DELAY,
            self.busy: DELAY,
            # Never less than twice the time that it takes to answer.
            self.slow: 2 * ANSWER_SECONDS,
        }

    def __enter__(self) -> "Publishers":
        for number, newsroom in enumerate(self.limits):
            newsroom.start()
            for story in range(STORIES):
                self.articles.add(publish(newsroom, 100 * number + story))
        for story in range(2):
            publish(self.patient, 900 + story, section="Secret")
        self.refused = [self.busy.url(f"/news/story-{200 + story}") for story in (2, 5)]
        for url in self.refused:
            self.busy.respond(urlsplit(url).path, status=429, headers={"Retry-After": str(RETRY_AFTER)}, times=1)
        return self

    def __exit__(self, *_: object) -> None:
        for newsroom in self.limits:
            newsroom.close()

    @property
    def feeds(self) -> list[str]:
        return [newsroom.url("/feed.rss") for newsroom in self.limits]

    def requests_of(self, user_agent: str) -> int:
        """Return how often a crawl asked."""
        return sum(
            request.headers.get("user-agent") == user_agent for newsroom in self.limits for request in newsroom.requests
        )


class Crawls:
    """Crawls as processes of their own, which say in their user agents which they are."""

    def __init__(self, folder: Path, publishers: Publishers) -> None:
        self._folder = folder
        self._publishers = publishers

    def start(self, name: str, *targets: str) -> subprocess.Popen:
        """Start a crawl, of all feeds if nothing is named."""
        return subprocess.Popen(
            command(self._folder, "crawl", *(targets or self._publishers.feeds)),
            env=environment({"MORGUE_CRAWL__USER_AGENT": user_agent(name)}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def kill_in_the_middle(self, name: str) -> None:
        """Start a crawl, and kill it when it has asked and is about to ask again."""
        crawl = self.start(name)
        while self._publishers.requests_of(user_agent(name)) < 3:
            assert crawl.poll() is None, crawl.communicate()[0]
            time.sleep(0.01)
        time.sleep(LIFE_SECONDS)
        assert crawl.poll() is None, crawl.communicate()[0]
        os.killpg(crawl.pid, signal.SIGKILL)
        crawl.communicate()


def user_agent(name: str) -> str:
    """Return how a crawl names itself."""
    return f"morgue-tests-{name}/1 (+mailto:tests@example.org)"


def finish(crawl: subprocess.Popen) -> str:
    """Wait for a crawl to end by itself."""
    output, _ = crawl.communicate()
    assert crawl.returncode in (0, 1), output  # 1 where a publisher asked to wait, so that something is left owed
    return output


def test_three_crawls_are_as_polite_as_one(database_url, tmp_path):
    (tmp_path / "morgue.toml").write_text(crawler_configuration(database_url, delay_seconds=DELAY))
    with Publishers() as publishers:
        crawls = Crawls(tmp_path, publishers)
        survivors = [crawls.start("first"), crawls.start("second")]
        crawls.kill_in_the_middle("killed")
        survivors.append(crawls.start("again"))
        outputs = [finish(crawl) for crawl in survivors]
        while True:
            # What was refused is still owed.
            left = publishers.articles - set(stored_articles(database_url))
            if not left:
                break
            finish(crawls.start("last", *left))
        for newsroom, limit in publishers.limits.items():
            check_spacing(newsroom, limit)
        check_retry_after(publishers.busy)
        asked = {request.path for request in publishers.patient.requests}
        assert not [path for path in asked if path.startswith("/secret/")]
        assert "/robots.txt" in asked
        for name in ("first", "second", "again"):
            assert publishers.requests_of(user_agent(name)) > 0, outputs
        assert stored_articles(database_url) == dict.fromkeys(publishers.articles, 1)


def gaps(requests: tuple[LoggedRequest, ...]) -> list[tuple[float, str]]:
    """Return the times between the end of a response and the next request, each with what was asked then."""
    in_order = sorted(requests, key=lambda request: request.started)
    return [
        (later.started - max(earlier.ended for earlier in in_order[: position + 1]), f"{later.headers} {later.target}")
        for position, (_, later) in enumerate(pairwise(in_order))
    ]


def check_spacing(newsroom: Newsroom, limit: float) -> None:
    """Check that no two requests overlapped or were closer than the limit, and that a killed one's turn was taken."""
    found = sorted(gaps(newsroom.requests))
    print(f"{newsroom.origin}: limit {limit}, {len(found) + 1} requests, smallest gaps", [gap for gap, _ in found[:3]])
    assert found[0][0] >= limit - CLOCK_TOLERANCE, f"limit {limit} at {newsroom.origin}: {found[:3]}"


def check_retry_after(newsroom: Newsroom) -> None:
    """Check that nothing was asked while the publisher wanted to be left alone."""
    refusals = [request for request in newsroom.requests if request.status == 429]
    assert len(refusals) >= 2
    for refusal in refusals:
        later = [request.started - refusal.ended for request in newsroom.requests if request.started > refusal.ended]
        print("after a 429:", min(later, default=None))
        assert min(later, default=RETRY_AFTER) >= RETRY_AFTER - CLOCK_TOLERANCE


def stored_articles(database: str) -> dict[str, int]:
    """Return how many versions there are of each article, by its URL."""
    with Store.open(database) as store, store.reading() as transaction:
        articles = transaction.versions.articles(limit=1000)
    assert len({article.url for article in articles}) == len(articles)
    return {article.url: article.version_count for article in articles}


def test_a_killed_crawls_turn_is_taken_by_the_one_that_waits(database_url, tmp_path):
    (tmp_path / "morgue.toml").write_text(crawler_configuration(database_url, delay_seconds=DELAY))
    with Publishers() as publishers:
        crawls = Crawls(tmp_path, publishers)
        killed = crawls.start("killed")
        while publishers.requests_of(user_agent("killed")) < 3:
            time.sleep(0.01)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.communicate()
        killed_at = time.perf_counter()
        finish(crawls.start("waiting"))
        for newsroom, limit in publishers.limits.items():
            check_spacing(newsroom, limit)
            later = [request.started - killed_at for request in newsroom.requests if request.started > killed_at]
            assert min(later) < LEASE.total_seconds() + limit + 3
