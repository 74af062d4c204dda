"""Two crawls of the same publishers, begun a second apart, share the work: no article is asked for twice."""

import subprocess
import time
from collections import Counter

import pytest

from storage.store import Store
from tests.invented_stories import paragraphs, publish
from tests.morgue_command import command, environment
from tests.newsroom import Newsroom
from tests.running_service import crawler_configuration

PUBLISHERS = 4
STORIES = 15


@pytest.fixture
def newsrooms():
    """Publishers with some long stories, of which it takes a while until they are recorded; and all addresses."""
    opened, urls = [Newsroom(f"127.0.0.{20 + number}") for number in range(PUBLISHERS)], []
    for number, newsroom in enumerate(opened):
        newsroom.start()
        for story in range(STORIES):
            if story % 3:
                urls.append(publish(newsroom, 100 * number + story))
            else:
                body = [f"{number} {story}: {text}" for at in range(30) for text in paragraphs(at)]
                urls.append(newsroom.publish(f"long-{story}", headline=f"All of report {number} {story}", body=body))
    yield opened, urls
    for newsroom in opened:
        newsroom.close()


@pytest.mark.parametrize(("named", "delay_seconds"), [("feeds", 0), ("pages", 0.3)])
def test_two_crawls_begun_a_second_apart_ask_for_no_article_twice(
    database_url, newsrooms, tmp_path, delay_seconds, named
):
    (tmp_path / "morgue.toml").write_text(crawler_configuration(database_url, delay_seconds=delay_seconds))
    opened, urls = newsrooms
    targets = urls if named == "pages" else [newsroom.url("/feed.rss") for newsroom in opened]
    crawls = []
    for _ in range(2):
        crawls.append(
            subprocess.Popen(
                command(tmp_path, "crawl", *targets),
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        time.sleep(1.0)
    said = [crawl.communicate()[0] for crawl in crawls]
    assert [crawl.returncode for crawl in crawls] == [0, 0], said
    asked = Counter(
        request.path for newsroom in opened for request in newsroom.requests if request.path.startswith("/news/")
    )
    assert asked.total() == STORIES * PUBLISHERS, said
    with Store.open(database_url) as store, store.reading() as transaction:
        assert len(transaction.versions.articles(limit=1_000)) == STORIES * PUBLISHERS
