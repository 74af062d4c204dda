"""Feeds that say how often they want to be polled, against a newsroom, with days that pass in a moment."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import time_machine

from crawler import reactor
from scheduler.feed_polling import MOST_JITTER
from storage.clock import utc_now
from storage.model import FeedKind, PollReason
from storage.outcomes import Outcome
from storage.records import MOVES_TO_BELIEVE, CrawlScope
from tests.integration.service_jobs import poll_all_due, service_jobs
from tests.integration.test_exploring import XML, sitemap_index, urlset

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def poll_due(morgue, *, default="15m") -> None:
    """Poll what is due and plan; fetch no page."""

    async def work() -> None:
        async with service_jobs(morgue, poll=default) as jobs:
            await poll_all_due(jobs)
            await jobs.plan()

    reactor.run(work())


@contextmanager
def later(instant: datetime):
    """Let it be another time, from which the clock goes on."""
    with time_machine.travel(instant, tick=True):
        yield


def feed_of(morgue, url):
    with morgue.store.reading() as transaction:
        return transaction.feeds.by_url(url)


def rss(newsroom, *, numbers=range(10), channel="", path="/own.rss", headers=None):
    items = "".join(
        f"<item><title>Story {number}</title><link>{newsroom.url(f'/2026/story-number-{number}')}</link></item>"
        for number in numbers
    )
    body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>{channel}{items}</channel></rss>'
    newsroom.respond(path, headers=XML | (headers or {}), body=body)
    return newsroom.url(path)


def waits(feed) -> timedelta:
    return feed.next_poll_at - feed.last_polled_at


def polled_once(morgue, url, **source):
    morgue.add_source(slug="courier", feeds=[url], **source)
    poll_due(morgue)
    feed = feed_of(morgue, url)
    assert feed.last_outcome is Outcome.LISTED
    return feed


def test_a_feed_is_polled_more_often_while_it_brings_news_and_less_while_it_does_not(morgue, newsroom):
    url = rss(newsroom)
    feed = polled_once(morgue, url)
    assert (feed.next_poll_reason, feed.last_new, feed.last_known) == (PollReason.START, 10, 0)
    assert 15 * MINUTE <= waits(feed) <= 15 * MINUTE * (1 + MOST_JITTER)
    quiet = []
    for _ in range(3):
        with later(feed.next_poll_at):
            poll_due(morgue)
        feed = feed_of(morgue, url)
        assert (feed.last_outcome, feed.last_new, feed.last_known) == (Outcome.UNCHANGED, 0, 10)
        quiet.append(waits(feed))
    assert 15 * MINUTE < quiet[0] < quiet[1] < quiet[2]
    rss(newsroom, numbers=range(5, 15))
    with later(feed.next_poll_at):
        poll_due(morgue)
    feed = feed_of(morgue, url)
    assert (feed.last_new, feed.last_known, feed.next_poll_reason) == (5, 5, PollReason.SHARE)
    assert waits(feed) < quiet[2]
    assert len(newsroom.requests_for("/own.rss")) == 5


def test_nothing_is_asked_before_it_is_due(morgue, newsroom):
    url = rss(newsroom, channel="<ttl>90</ttl>")
    feed = polled_once(morgue, url)
    assert (feed.next_poll_reason, feed.ttl_seconds) == (PollReason.TTL, 5400)
    assert 90 * MINUTE <= waits(feed) <= 99 * MINUTE
    with later(feed.last_polled_at + 89 * MINUTE):
        poll_due(morgue)
    assert len(newsroom.requests_for("/own.rss")) == 1
    with later(feed.next_poll_at):
        poll_due(morgue)
    assert len(newsroom.requests_for("/own.rss")) == 2


def test_a_304_says_anew_how_long_its_answer_holds(morgue, newsroom):
    url = rss(newsroom, headers={"Cache-Control": "max-age=7200", "ETag": '"1"'})
    feed = polled_once(morgue, url)
    assert (feed.next_poll_reason, feed.max_age_seconds) == (PollReason.MAX_AGE, 7200)
    newsroom.forget("/own.rss")
    expires = format_datetime((feed.next_poll_at + 4 * HOUR).astimezone(UTC), usegmt=True)
    newsroom.respond("/own.rss", status=304, headers={"ETag": '"1"', "Expires": expires})
    with later(feed.next_poll_at):
        poll_due(morgue)
    feed = feed_of(morgue, url)
    assert (feed.last_outcome, feed.next_poll_reason) == (Outcome.NOT_MODIFIED, PollReason.MAX_AGE)
    assert feed.max_age_seconds == pytest.approx(4 * 3600, abs=120)
    newsroom.forget("/own.rss")
    newsroom.respond("/own.rss", status=304, headers={"ETag": '"1"'})
    with later(feed.next_poll_at):
        poll_due(morgue)
    assert feed_of(morgue, url).max_age_seconds == feed.max_age_seconds


def test_hours_to_skip_are_skipped_even_by_a_service_that_comes_too_late(morgue, newsroom):
    morning = utc_now().replace(hour=9, minute=50, second=0, microsecond=0) + timedelta(days=1)
    hours = "".join(f"<hour>{hour}</hour>" for hour in (10, 11, 15))
    url = rss(newsroom, channel=f"<skipHours>{hours}</skipHours>")
    with later(morning):
        feed = polled_once(morgue, url)
    assert feed.skip_hours == (10, 11, 15)
    assert feed.next_poll_reason is PollReason.SKIP_HOURS
    assert feed.next_poll_at - morning.replace(hour=12, minute=0) <= 6 * MINUTE
    with later(morning.replace(hour=15)):
        poll_due(morgue)
        assert len(newsroom.requests_for("/own.rss")) == 1
    feed = feed_of(morgue, url)
    assert feed.next_poll_at.hour == 16
    with later(feed.next_poll_at):
        poll_due(morgue)
    assert len(newsroom.requests_for("/own.rss")) == 2


@pytest.mark.parametrize("poll", [None, "10m", "*/10 * * * *"])
def test_retry_after_is_in_the_plan_and_nothing_spins(morgue, newsroom, poll):
    url = rss(newsroom)
    other = rss(newsroom, path="/other.rss")
    newsroom.respond("/own.rss", status=503, headers={"Retry-After": "18000"})
    source = {"poll": poll} if poll else {}
    morgue.add_source(slug="courier", feeds=[url, other], **source)
    poll_due(morgue)
    feed = feed_of(morgue, url)
    assert (feed.last_outcome, feed.next_poll_reason) == (Outcome.RATE_LIMITED, PollReason.RETRY_AFTER)
    assert waits(feed) == pytest.approx(5 * HOUR, abs=MINUTE)
    asked = len(newsroom.requests)
    for _ in range(5):
        poll_due(morgue)
    assert len(newsroom.requests) == asked
    assert feed_of(morgue, other).next_poll_at >= feed.next_poll_at - MINUTE


def test_what_the_source_says_wins_over_all_that_the_feed_asks_for(morgue, newsroom):
    hours = "".join(f"<hour>{hour}</hour>" for hour in range(23))
    url = rss(
        newsroom, channel=f"<ttl>600</ttl><skipHours>{hours}</skipHours>", headers={"Cache-Control": "max-age=99999"}
    )
    feed = polled_once(morgue, url, poll="5m")
    assert (waits(feed), feed.next_poll_reason) == (5 * MINUTE, PollReason.INTERVAL)


def test_a_feed_that_is_gone_is_kept_and_asked_ever_more_seldom(morgue, newsroom):
    url = rss(newsroom)
    feed = polled_once(morgue, url)
    newsroom.respond("/own.rss", status=410)
    found = []
    for _ in range(4):
        with later(feed.next_poll_at):
            poll_due(morgue)
        feed = feed_of(morgue, url)
        assert (feed.last_outcome, feed.next_poll_reason) == (Outcome.MISSING, PollReason.RETRY)
        found.append(waits(feed))
    assert found == sorted(found)
    assert feed.consecutive_failures == 4
    assert not feed.paused


@pytest.mark.parametrize(("status", "moved"), [(301, True), (308, True), (302, False), (307, False)])
def test_a_feed_that_moved_for_good_is_asked_at_its_new_address(morgue, newsroom, status, moved):
    rss(newsroom, path="/new.rss", headers={"ETag": '"1"'})
    newsroom.redirect("/old.rss", newsroom.url("/new.rss"), status=status)
    url = newsroom.url("/old.rss")
    morgue.add_source(slug="courier", feeds=[url], poll="10m")
    at = utc_now()
    for _ in range(MOVES_TO_BELIEVE + 2):
        with later(at):
            poll_due(morgue)
        at += HOUR
    assert len(newsroom.requests_for("/old.rss")) == (MOVES_TO_BELIEVE if moved else MOVES_TO_BELIEVE + 2)
    last = newsroom.requests_for("/new.rss")[-1]
    assert last.headers.get("if-none-match") == ('"1"' if moved else None)
    feed = feed_of(morgue, url)
    assert (feed.moved_to, feed.url) == (newsroom.url("/new.rss") if moved else None, url)
    newsroom.respond("/new.rss", status=404)
    for _ in range(2):
        with later(at):
            poll_due(morgue)
        at += HOUR
    assert newsroom.requests[-2].path == "/old.rss", "people may have led it elsewhere since"


def test_an_index_of_sitemaps_is_as_busy_as_they_are(morgue, newsroom):
    morgue.add_source(slug="courier", sitemaps=[newsroom.url("/maps.xml")])
    urls = [newsroom.url(f"/2026/11/council-plan-passes-after-debate-{number}") for number in range(60)]

    def publish(count, at):
        index = sitemap_index(newsroom.url("/map.xml"), dated=at)
        newsroom.respond("/maps.xml", headers=XML, body=index)
        newsroom.respond("/map.xml", headers=XML, body=urlset(*urls[:count]))

    begun = utc_now()
    publish(10, begun)
    poll_due(morgue)
    index = feed_of(morgue, newsroom.url("/maps.xml"))
    assert (index.kind, index.last_new, index.next_poll_reason) == (FeedKind.SITEMAP, 10, PollReason.START)
    publish(60, index.next_poll_at - MINUTE)
    with later(index.next_poll_at):
        poll_due(morgue)
    busy = feed_of(morgue, newsroom.url("/maps.xml"))
    assert (busy.last_new, busy.next_poll_reason) == (50, PollReason.SHARE)
    assert waits(busy) < 2 * HOUR < waits(index)
    asked = len(newsroom.requests_for("/map.xml"))
    with later(busy.next_poll_at):
        poll_due(morgue)
    quiet = feed_of(morgue, newsroom.url("/maps.xml"))
    assert (quiet.last_outcome, waits(quiet) > waits(busy)) == (Outcome.UNCHANGED, True)
    assert len(newsroom.requests_for("/map.xml")) == asked, "its index does not say that it changed"


def test_a_list_of_ever_new_addresses_brings_only_so_many_a_day(morgue, newsroom):
    url = rss(newsroom, numbers=range(60), headers={"ETag": '"the same"'})
    morgue.crawl_settings = morgue.crawl_settings.model_copy(update={"new_pages_per_source_per_day": 40})
    morgue.add_source(slug="courier", feeds=[url], poll="1h")

    def pages() -> int:
        with morgue.store.reading() as transaction:
            scope = CrawlScope(feed_ids=frozenset({transaction.feeds.by_url(url).feed_id}))
            return transaction.pages.count_to_fetch(scope, now=utc_now())

    poll_due(morgue)
    assert pages() == 10
    assert feed_of(morgue, url).etag is None, "the rest would be a 304"
    with later(utc_now() + timedelta(days=1)):
        poll_due(morgue)
        assert pages() == 20
