"""Crawls of pages whose text is another all at once: rewritten stories, walls over a site, paywalls, live blogs."""

import json
from html import escape

import pytest

from storage.outcomes import Outcome
from tests.newsroom_stories import STORIES

FERRY, LIBRARY, KELP = STORIES[:3]
NOTICE = [
    "We are putting our pages in order. Everything that you have come to like here will be back before long, they say.",
    "Our readers' desk is glad to answer questions by telephone between nine in the morning and four in the afternoon.",
    "Thank you for bearing with all of us; nothing of what you saved is lost, and your subscription is not affected.",
]


def document(headline, paragraphs, *, canonical=None, linked_data=None) -> str:
    """Return a page of the site that shows these paragraphs."""
    head = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    if linked_data:
        data = {"@context": "https://schema.org", "headline": headline, **linked_data}
        head += f'<script type="application/ld+json">{json.dumps(data)}</script>'
    body = "".join(f"<p>{escape(text)}</p>" for text in paragraphs)
    return (
        f'<html lang="en"><head><title>{headline}</title>{head}</head>'
        f"<body><article><h1>{headline}</h1>{body}</article></body></html>"
    )


def path_of(newsroom, url):
    return url.removeprefix(newsroom.origin)


def outcomes(report):
    return dict(report.outcomes)


def test_a_story_that_is_written_anew_is_a_version_within_one_recrawl(morgue, newsroom):
    url = newsroom.publish_story(FERRY)
    morgue.crawl(url)
    newsroom.correct(url, body=LIBRARY.body)
    report = morgue.crawl(url, recrawl=True)
    assert outcomes(report) == {"suspect": 2, "updated": 1}
    assert report.failed_targets == []
    first, second = morgue.history(url)
    assert (second.change, second.article.body) == ("body", "\n\n".join(LIBRARY.body))
    # It is dated by the capture that showed it first, which is the one that is kept.
    suspect = next(fetch for fetch in morgue.fetches() if fetch.outcome is Outcome.SUSPECT)
    assert suspect.started_at <= second.captured_at <= suspect.finished_at
    assert second.capture_id > first.capture_id
    assert outcomes(morgue.crawl(url, recrawl=True)) == {"unchanged": 1}


def test_without_recrawl_each_crawl_is_one_look(morgue, newsroom):
    url = newsroom.publish_story(FERRY)
    morgue.crawl(url)
    newsroom.correct(url, body=FERRY.body[:2])
    for expected in ("suspect", "suspect", "updated", "unchanged"):
        report = morgue.crawl(url)
        assert outcomes(report) == {expected: 1}
    assert morgue.history(url)[1].article.body == "\n\n".join(FERRY.body[:2])


def test_a_limit_counts_looks_again_too(morgue, newsroom):
    url = newsroom.publish_story(FERRY)
    morgue.crawl(url)
    newsroom.correct(url, body=LIBRARY.body)
    report = morgue.crawl(url, recrawl=True, limit=2)
    assert outcomes(report) == {"suspect": 2}
    assert [result.outcome for result in report.named] == [Outcome.SUSPECT]


def test_a_notice_over_the_whole_site_enters_no_history_and_no_page_is_asked_twice(morgue, newsroom):
    urls = [newsroom.publish_story(story) for story in STORIES[:4]]
    morgue.crawl(newsroom.url("/feed.rss"))
    before = [morgue.article(url).content for url in urls]
    for url in urls:
        newsroom.respond(path_of(newsroom, url), body=document("Back soon", NOTICE))
    for _ in range(4):
        report = morgue.crawl(newsroom.url("/feed.rss"), recrawl=True)
        assert set(report.outcomes) == {"suspect"}
    assert [morgue.article(url).content for url in urls] == before
    # Only the page that showed it first, when no other had yet, was asked again at once.
    assert report.outcomes["suspect"] <= 4
    for url in urls:
        newsroom.forget(path_of(newsroom, url))
    assert set(morgue.crawl(newsroom.url("/feed.rss"), recrawl=True).outcomes) <= {"unchanged", "not_modified"}
    assert [event.kind for event in morgue.events()] == ["created"] * 4


def test_a_new_page_that_shows_the_notice_of_two_others_is_no_article_until_it_shows_its_own(morgue, newsroom):
    urls = [newsroom.publish_story(story) for story in STORIES[:3]]
    for url in urls:
        newsroom.respond(path_of(newsroom, url), body=document("Back soon", NOTICE))
    report = morgue.crawl(newsroom.url("/feed.rss"))
    assert outcomes(report) == {"created": 2, "suspect": 1}
    refused = next(fetch for fetch in morgue.fetches() if fetch.outcome is Outcome.SUSPECT)
    assert refused.reason == "same_text_elsewhere"
    newsroom.forget(path_of(newsroom, refused.url))
    morgue.crawl(refused.url)
    assert [version.change for version in morgue.history(refused.url)] == ["created"]


@pytest.mark.parametrize("accessible", ["False", False])
def test_a_paywall_over_an_article_that_was_read_in_full_changes_nothing(morgue, newsroom, accessible):
    url = newsroom.publish_story(FERRY)
    morgue.crawl(url)
    teaser = document(
        FERRY.headline,
        [FERRY.body[0], "Subscribe to read the whole story, and support our work."],
        canonical=url,
        linked_data={
            "@type": "NewsArticle",
            "isAccessibleForFree": accessible,
            "datePublished": "2026-03-01T08:00:00Z",
        },
    )
    newsroom.respond(path_of(newsroom, url), body=teaser)
    for _ in range(3):
        assert outcomes(morgue.crawl(url, recrawl=True)) == {"paywalled": 1}
    assert len(morgue.history(url)) == 1
    newsroom.forget(path_of(newsroom, url))
    assert outcomes(morgue.crawl(url)) == {"unchanged": 1}


def test_a_live_blog_whose_entries_are_all_new_is_updated_at_once(morgue, newsroom):
    path = "/news/election-night"
    live = {"@type": "LiveBlogPosting", "datePublished": "2026-03-01T08:00:00Z"}
    newsroom.respond(path, body=document("Election night", FERRY.body, linked_data=live))
    morgue.crawl(newsroom.url(path))
    newsroom.respond(path, body=document("Election night", KELP.body, linked_data=live))
    assert outcomes(morgue.crawl(newsroom.url(path))) == {"updated": 1}
