"""Crawls of articles that are taken down, and brought back."""

from datetime import timedelta

import pytest
import time_machine

from storage.clock import utc_now
from storage.model import ArticleStatus
from storage.outcomes import Outcome
from tests.newsroom_stories import STORIES


def outcomes(report):
    return dict(report.outcomes)


def kinds(morgue):
    return [event.kind for event in morgue.events()]


def test_an_article_that_is_withdrawn_is_gone_and_one_that_returns_is_restored(morgue, newsroom):
    url = newsroom.publish_story(STORIES[0])
    morgue.crawl(url)
    newsroom.withdraw(url)
    assert outcomes(morgue.crawl(url, recrawl=True)) == {"missing": 1}
    assert morgue.article(url).status is ArticleStatus.LIVE
    assert outcomes(morgue.crawl(url, recrawl=True)) == {"gone": 1}
    assert morgue.article(url).status is ArticleStatus.GONE
    assert len(morgue.history(url)) == 1
    newsroom.restore(url)
    report = morgue.crawl(url)
    assert outcomes(report) == {"unchanged": 1}
    assert [result.reason for result in report.named] == ["restored"]
    assert kinds(morgue) == ["created", "gone", "restored"]
    assert morgue.article(url).status is ArticleStatus.LIVE


def test_without_recrawl_an_hour_must_pass(morgue, newsroom):
    url = newsroom.publish_story(STORIES[0])
    morgue.crawl(url)
    newsroom.withdraw(url)
    assert [outcomes(morgue.crawl(url)) for _ in range(3)] == [{"missing": 1}] * 3
    with time_machine.travel(utc_now() + timedelta(hours=1), tick=True):
        assert outcomes(morgue.crawl(url)) == {"gone": 1}


@pytest.mark.parametrize("status", [404, 410])
def test_410_is_as_404(morgue, newsroom, status):
    url = newsroom.publish_story(STORIES[0])
    morgue.crawl(url)
    newsroom.respond(url.removeprefix(newsroom.origin), status=status)
    for expected in ("missing", "gone", "gone"):
        assert outcomes(morgue.crawl(url, recrawl=True)) == {expected: 1}
    assert kinds(morgue) == ["created", "gone"]


def test_a_site_that_answers_404_to_everything_is_not_gone(morgue, newsroom):
    urls = [newsroom.publish_story(story) for story in STORIES[:6]]
    morgue.crawl(newsroom.url("/feed.rss"))
    for url in urls:
        newsroom.respond(url.removeprefix(newsroom.origin), status=404)
    for _ in range(3):
        assert outcomes(morgue.crawl(newsroom.url("/feed.rss"), recrawl=True)) == {"missing": 6}
    assert {fetch.reason for fetch in morgue.fetches()[-6:]} == {"many_gone"}
    for url in urls:
        newsroom.forget(url.removeprefix(newsroom.origin))
    assert Outcome.MISSING not in morgue.crawl(newsroom.url("/feed.rss"), recrawl=True).outcomes
    assert kinds(morgue) == ["created"] * 6
