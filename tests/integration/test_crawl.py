"""The main job: what is published, corrected, cut and retitled is in the database, and nothing else is."""

from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from storage.archive import Archive
from storage.clock import utc_now
from storage.model import EventKind
from storage.outcomes import Outcome
from storage.verify import verify
from tests.integration.crawls import Morgue, due_now
from tests.newsroom import Newsroom
from tests.newsroom_stories import STORIES


def publish_all(newsroom: Newsroom) -> list[str]:
    return [newsroom.publish_story(story) for story in STORIES]


def check_archive(morgue: Morgue) -> None:
    archive = Archive(morgue.archive.directory, max_file_bytes=10**9, software="test")
    with morgue.store.reading() as transaction:
        report = verify(archive, transaction.captures.all())
    assert report.healthy, report.summary()
    assert report.captures > 0


def test_a_feed_is_archived_and_each_edit_is_a_version(morgue, newsroom):
    urls = publish_all(newsroom)
    report = morgue.crawl(newsroom.url("/feed.rss"))
    assert report.outcomes == {"created": len(STORIES)}
    assert report.failed_targets == []
    for url, story in zip(urls, STORIES, strict=True):
        content = morgue.article(url).content
        assert content.headline == story.headline
        assert content.body == "\n\n".join(story.body)
        assert content.authors == tuple(story.authors)
        assert content.standfirst == story.standfirst

    first, second, third = STORIES[:3]
    newsroom.correct(urls[0], body=[first.body[0], first.correction, *first.body[2:]])
    newsroom.cut(urls[1], paragraphs=1)
    newsroom.retitle(urls[2], third.new_headline)
    report = morgue.crawl(newsroom.url("/feed.rss"), recrawl=True)
    assert report.outcomes == {"updated": 3, "not_modified": len(STORIES) - 3}
    assert [v.change for v in morgue.history(urls[0])] == ["created", "body"]
    assert [v.change for v in morgue.history(urls[1])] == ["created", "body"]
    assert [v.change for v in morgue.history(urls[2])] == ["created", "headline"]
    assert first.correction in morgue.article(urls[0]).content.body
    assert morgue.article(urls[1]).content.body == "\n\n".join(second.body[:-1])
    assert [event.kind for event in morgue.events()] == ["created"] * len(STORIES) + ["updated"] * 3
    check_archive(morgue)


def test_an_atom_feed_is_archived_too(morgue, newsroom):
    publish_all(newsroom)
    assert morgue.crawl(newsroom.url("/feed.atom")).outcomes == {"created": len(STORIES)}


def test_a_second_crawl_asks_only_for_what_is_new_or_due(morgue, newsroom):
    url = newsroom.publish_story(STORIES[0])
    morgue.crawl(newsroom.url("/feed.rss"))
    newsroom.publish_story(STORIES[1])
    report = morgue.crawl(newsroom.url("/feed.rss"))
    assert report.outcomes == {"created": 1}
    assert len(newsroom.requests_for(url)) == 1


def test_a_named_article_is_always_looked_at(morgue, newsroom):
    url = newsroom.publish_story(STORIES[0])
    assert morgue.crawl(url).outcomes == {"created": 1}
    newsroom.retitle(url, "Another headline altogether")
    report = morgue.crawl(url)
    assert report.outcomes == {"updated": 1}
    assert [(result.url, result.outcome) for result in report.named] == [(url, Outcome.UPDATED)]


def test_pages_that_change_around_the_article_make_no_version(morgue, newsroom):
    """Teasers rotate with each fetch and no validators are sent, so the bytes differ and the text does not."""
    newsroom.validators = False
    urls = publish_all(newsroom)
    morgue.crawl(newsroom.url("/feed.rss"))
    report = morgue.crawl(newsroom.url("/feed.rss"), recrawl=True)
    assert set(report.outcomes) <= {"unchanged", "cosmetic"}
    assert report.fetched == len(urls)
    assert all(article.version_count == 1 for article in morgue.articles())


def test_a_state_that_comes_back_is_reverted(morgue, newsroom):
    url = newsroom.publish_story(STORIES[0])
    morgue.crawl(url)
    newsroom.retitle(url, "A headline that did not last")
    morgue.crawl(url)
    newsroom.retitle(url, STORIES[0].headline)
    assert morgue.crawl(url).outcomes == {"reverted": 1}
    history = morgue.history(url)
    assert [version.reverts_to for version in history] == [None, None, history[0].version_id]
    assert [event.kind for event in morgue.events()] == [EventKind.CREATED, EventKind.UPDATED, EventKind.REVERTED]


def test_the_feeds_own_title_and_date_are_kept_beside_the_pages(morgue, newsroom):
    url = newsroom.publish_story(STORIES[0])
    morgue.crawl(newsroom.url("/feed.rss"))
    from crawler.urls import url_key

    with morgue.store.reading() as transaction:
        page = transaction.pages.by_key(url_key(url))
    assert page.feed_title == STORIES[0].headline
    assert page.feed_published_at is not None


def test_redirects_leave_a_row_a_hop_and_one_article(morgue, newsroom):
    url = newsroom.publish_story(STORIES[0])
    newsroom.redirect("/old", newsroom.url("/older"), status=308)
    newsroom.redirect("/older", url)
    assert morgue.crawl(newsroom.url("/old")).outcomes == {"created": 1}
    rows = [fetch for fetch in morgue.fetches() if fetch.kind == "page"]
    assert [(row.hop, row.outcome) for row in rows] == [(0, "redirected"), (1, "redirected"), (2, "created")]
    assert morgue.article(url).url == url
    morgue.crawl(url)
    assert len(morgue.articles()) == 1


def test_what_a_temporary_redirect_shows_is_the_asked_pages(morgue, newsroom):
    url, asked = newsroom.publish_story(STORIES[0]), newsroom.url("/today")
    newsroom.redirect("/today", newsroom.url("/latest"), status=302)
    newsroom.redirect("/latest", url)
    assert morgue.crawl(asked).outcomes == {"created": 1}
    rows = [fetch for fetch in morgue.fetches() if fetch.kind == "page"]
    assert [(row.hop, row.outcome) for row in rows] == [(0, "redirected"), (1, "redirected"), (2, "created")]
    assert [article.url for article in morgue.articles()] == [asked]
    assert morgue.crawl(asked).outcomes == {"not_modified": 1}


def test_an_article_that_moves_stays_one_article(morgue, newsroom):
    old = newsroom.publish_story(STORIES[0])
    more = "The board will meet again in the first week of the new year, and the gallery is open to everybody."
    new = newsroom.publish("moved-with-more", headline=STORIES[0].headline, body=[*STORIES[0].body, more])
    morgue.crawl(old)
    newsroom.redirect(urlsplit(old).path, new)
    assert morgue.crawl(old).outcomes == {"updated": 1}
    assert morgue.crawl(new).outcomes == {"unchanged": 1}
    assert [article.url for article in morgue.articles()] == [old]
    assert len(morgue.history(old)) == 2


def test_a_limit_is_kept(morgue, newsroom):
    publish_all(newsroom)
    assert morgue.crawl(newsroom.url("/feed.rss"), limit=3).fetched == 3
    assert morgue.crawl(newsroom.url("/feed.rss")).fetched == len(STORIES) - 3


def test_sources_of_the_configuration_are_crawled(morgue, newsroom):
    publish_all(newsroom)
    skipped = newsroom.publish("sport-extra", headline="Regatta called off for lack of wind", body=STORIES[0].body)
    morgue.add_source(slug="courier", feeds=[newsroom.url("/feed.rss")], exclude=["*sport-extra*"])
    report = morgue.crawl("courier")
    assert report.outcomes == {"created": len(STORIES)}
    assert newsroom.requests_for(skipped) == ()
    assert {article.source_slug for article in morgue.articles()} == {"courier"}


def test_robots_are_obeyed_and_every_refusal_is_a_row(morgue, newsroom):
    url = newsroom.publish_story(STORIES[0])
    newsroom.robots = "User-agent: *\nDisallow: /"
    report = morgue.crawl(url)
    assert [(result.outcome, result.reason) for result in report.named] == [(Outcome.BLOCKED_ROBOTS, "disallowed")]
    assert newsroom.requests_for(url) == ()
    kinds = [(fetch.kind, fetch.outcome) for fetch in morgue.fetches()]
    assert kinds == [("robots", "listed"), ("page", "blocked_robots")]


def test_one_host_is_asked_one_request_at_a_time_with_a_pause_from_the_end(morgue, newsroom):
    publish_all(newsroom)
    morgue.crawl_settings = morgue.crawl_settings.model_copy(update={"delay_seconds": 0.15})
    morgue.crawl(newsroom.url("/feed.rss"))
    log = sorted(newsroom.requests, key=lambda request: request.started)
    gaps = [later.started - earlier.ended for earlier, later in pairwise(log)]
    assert len(gaps) >= len(STORIES)
    assert min(gaps) >= 0.145


def test_internal_addresses_are_refused_unless_allowed(morgue, newsroom):
    url = newsroom.publish_story(STORIES[0])
    morgue.crawl_settings = morgue.crawl_settings.model_copy(update={"allow_private_addresses": False})
    for spelling in (url, url.replace("127.0.0.1", "localhost"), url.replace("127.0.0.1", "2130706433")):
        report = morgue.crawl(spelling)
        assert [result.outcome for result in report.named] == [Outcome.BLOCKED_ADDRESS], spelling
    robots = [(fetch.outcome, fetch.reason) for fetch in morgue.fetches() if fetch.kind == "robots"]
    assert robots == [(Outcome.BLOCKED_ADDRESS, "internal_address")] * 3
    assert newsroom.requests == ()


@pytest.mark.parametrize("entries", [10_000])
def test_a_feed_of_ten_thousand_entries_is_taken_in_and_can_be_fetched_in_part(morgue, newsroom, entries):
    items = "".join(f"<item><title>t{n}</title><link>{newsroom.url(f'/n/{n}')}</link></item>" for n in range(entries))
    feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>big</title>{items}</channel></rss>'
    newsroom.respond("/big.rss", body=feed, headers={"Content-Type": "application/rss+xml"})
    report = morgue.crawl(newsroom.url("/big.rss"), limit=5)
    # More than any publisher lists at once is taken in poll by poll.
    assert [(poll.new, poll.known) for poll in report.feeds] == [(2_000, 0)]
    assert report.feeds[0].left_out == {"too_many_new": entries - 2_000}
    assert report.outcomes == {"missing": 5}
    assert report.failed_targets == []
    report = morgue.crawl(newsroom.url("/big.rss"), limit=5)
    assert [(poll.new, poll.known) for poll in report.feeds] == [(2_000, 2_000)]


def test_ad_hoc_pages_are_the_services_only_when_it_is_asked_to_watch_them(morgue, newsroom):
    url = newsroom.publish_story(STORIES[0])
    morgue.crawl(newsroom.url("/feed.rss"))

    def watched():
        with morgue.store.reading() as transaction:
            return [stored.watched for stored in transaction.sources.all()]

    assert watched() == [False]
    morgue.crawl(url, watch=True)
    assert watched() == [True]


def test_an_article_of_a_configured_publisher_belongs_to_its_source(morgue, newsroom):
    url = newsroom.publish_story(STORIES[0])
    morgue.add_source(slug="courier", homepage=newsroom.url("/"))
    morgue.crawl(url)
    assert morgue.article(url).source_slug == "courier"


def test_a_feed_named_once_is_not_polled_by_the_service_for_ever(morgue, newsroom):
    newsroom.publish_story(STORIES[0])
    morgue.add_source(slug="courier", homepage=newsroom.url("/"))

    def due():
        with morgue.store.reading() as transaction:
            return [feed.url for feed in transaction.feeds.due(utc_now(), 10) if feed.url.endswith("feed.rss")]

    def plan_now():
        with morgue.store.writing() as transaction:
            transaction.feeds.plan(due_now(transaction.feeds.unplanned()))

    morgue.crawl(newsroom.url("/feed.rss"))
    plan_now()
    assert due() == []
    morgue.crawl(newsroom.url("/feed.rss"), watch=True)
    plan_now()
    assert due() == [newsroom.url("/feed.rss")]
