"""Sources as the configuration says, feeds and what they list."""

from dataclasses import replace

import pytest

from storage.configuring import sync_sources
from storage.model import FeedKind, FetchKind, PollReason, Source
from storage.outcomes import Outcome
from storage.records import CrawlScope, EntriesRecorded, FeedPlan, FeedPoll
from storage.store import Store
from tests.contracts.news import FERRY, NOON, entry, minute, page_fetch, put_off, watch

PAPER = Source(
    slug="paper",
    name="The Oxley Paper",
    homepage="http://paper.example/",
    feeds=("http://paper.example/feed.rss", "http://paper.example/sport.rss"),
    exclude=("/sport/*",),
    timezone="Europe/London",
    delay_seconds=2.5,
    poll="15m",
)
FEED = PAPER.feeds[0]


@pytest.fixture
def feed(store):
    with store.writing() as transaction:
        transaction.sources.sync([PAPER], NOON)
    with store.reading() as transaction:
        return transaction.feeds.by_url(FEED)


def poll(feed, outcome=Outcome.LISTED, *, at=5, **more):
    return FeedPoll(feed_id=feed.feed_id, outcome=outcome, polled_at=minute(at), **more)


def plan(feed, at, **more):
    return FeedPlan(feed_id=feed.feed_id, next_poll_at=minute(at), reason=PollReason.SHARE, **more)


def test_a_source_comes_back_as_it_was_configured(store):
    with store.writing() as transaction:
        transaction.sources.sync([PAPER], NOON)
    with store.reading() as transaction:
        stored = transaction.sources.by_slug("paper")
        assert transaction.sources.all() == [stored]
        assert transaction.sources.by_id(stored.source_id) == stored
        assert transaction.sources.by_slug("other") is None
        feeds = transaction.feeds.due(NOON, 10)
    assert (stored.source, stored.configured, stored.paused) == (PAPER, True, False)
    assert [(feed.url, feed.kind, feed.next_poll_at) for feed in feeds] == [
        (url, FeedKind.UNKNOWN, NOON) for url in PAPER.feeds
    ]


def test_a_source_gone_from_the_configuration_is_paused_and_comes_back(store):
    other = Source(slug="other", feeds=("http://other.example/feed",))
    with store.writing() as transaction:
        transaction.sources.sync([PAPER, other], NOON)
        transaction.sources.for_domain("adhoc.example", NOON)
        transaction.sources.sync([other], minute(1))
        assert transaction.sources.by_slug("paper").paused
        assert not transaction.sources.by_slug("adhoc.example").paused
        assert [feed.url for feed in transaction.feeds.due(minute(2), 10)] == ["http://other.example/feed"]
        transaction.sources.sync([replace(PAPER, name="The Paper"), other], minute(3))
        back = transaction.sources.by_slug("paper")
        assert (back.paused, back.source.name) == (False, "The Paper")
        assert len(transaction.feeds.due(minute(4), 10)) == 3


def test_a_feed_gone_from_a_source_is_paused_and_keeps_its_state(store, feed):
    with store.writing() as transaction:
        transaction.feeds.record_poll(poll(feed, kind=FeedKind.RSS, etag='"1"'))
        transaction.sources.sync([replace(PAPER, feeds=PAPER.feeds[1:])], minute(6))
        assert [found.url for found in transaction.feeds.for_sources({feed.source_id})] == [PAPER.feeds[1]]
        assert transaction.feeds.unplanned() == []
        transaction.sources.sync([PAPER], minute(7))
        assert transaction.feeds.by_url(FEED).etag == '"1"'
        assert [found.url for found in transaction.feeds.unplanned()] == [FEED]


def test_a_feed_that_somebody_named_goes_over_to_the_source_that_is_configured_with_it(store):
    with store.writing() as transaction:
        adhoc = transaction.sources.for_domain("paper.example", NOON)
        named = transaction.feeds.ensure(adhoc.source_id, FEED, NOON, FeedKind.RSS)
        assert transaction.feeds.ensure(adhoc.source_id, FEED, minute(1)) == named
        transaction.sources.sync([PAPER], minute(2))
        taken = transaction.feeds.by_url(FEED)
        assert taken.feed_id == named.feed_id
        assert taken.source_id == transaction.sources.by_slug("paper").source_id


def writes(store, monkeypatch, configured):
    """Bring the sources up to date, and return in how many transactions anything was written."""
    begun = []
    writing = Store.writing
    with monkeypatch.context() as patch:
        patch.setattr(Store, "writing", lambda self, **more: begun.append(1) or writing(self, **more))
        sync_sources(store, configured, minute(1))
    return len(begun)


def test_sources_that_are_what_the_configuration_says_are_not_written_again(store, monkeypatch):
    home = Source(slug="home", homepage="http://home.example/", delay_seconds=0.1)
    sections = Source(slug="sections", sections=("http://s.example/a/", FEED), sitemaps=("http://s.example/map",))
    configured = [PAPER, home, sections]
    assert writes(store, monkeypatch, configured) == 1
    assert writes(store, monkeypatch, configured) == 0
    with store.writing() as transaction:
        at_home = transaction.feeds.by_url(home.homepage)
        transaction.feeds.ensure(at_home.source_id, "http://home.example/rss", NOON, found_by="link")
        transaction.sources.for_domain("adhoc.example", NOON)
    assert writes(store, monkeypatch, configured) == 0, "what was found by itself is not the configuration's"
    for other in (
        [PAPER, replace(home, name="Home"), sections],
        [replace(PAPER, feeds=PAPER.feeds[1:]), home, sections],
        [PAPER, replace(home, feeds=("http://home.example/atom",)), sections],
        [PAPER, home],
        [PAPER, home, sections, Source(slug="adhoc.example", feeds=("http://adhoc.example/rss",))],
    ):
        assert writes(store, monkeypatch, other) == 1
        with store.reading() as transaction:
            assert transaction.sources.differing(other) == []
            assert not transaction.sources.is_any_gone(other)
        assert writes(store, monkeypatch, other) == 0
        sync_sources(store, configured, minute(2))
        assert writes(store, monkeypatch, configured) == 0


def test_many_new_sources_are_written_in_slices(store, monkeypatch):
    many = [Source(slug=f"s{number}", feeds=(f"http://s{number}.example/rss",)) for number in range(50)]
    assert writes(store, monkeypatch, many) == 3
    with store.reading() as transaction:
        assert len(transaction.feeds.due(minute(1), 500)) == 50


def crawled_in_passing(transaction, url, *, at, **more):
    """A feed as a crawl of an address leaves it: read to its end, and nobody's to look after."""
    adhoc = transaction.sources.for_domain("paper.example", NOON)
    found = transaction.feeds.ensure(adhoc.source_id, url, NOON, watched=False, **more)
    transaction.feeds.record_poll(poll(found, at=at, etag='"1"', body_digest="sha256:1", entries=[entry("ferry")]))
    transaction.feeds.probed(found.feed_id, NOON)
    return adhoc, found


def unread(feed):
    return (feed.last_polled_at, feed.etag, feed.body_digest, feed.probed_at) == (None, None, None, None)


@pytest.mark.parametrize("slug", ["paper", "paper.example"])
def test_what_was_crawled_in_passing_is_polled_from_the_beginning_once_it_is_configured(store, slug):
    home = "http://paper.example/"
    with store.writing() as transaction:
        _, section = crawled_in_passing(transaction, home, at=1, kind=FeedKind.SECTION)
        transaction.sources.sync([Source(slug=slug, homepage=home)], minute(5))
        (due,) = transaction.feeds.due(minute(5), 10)
        assert due.feed_id == section.feed_id
        assert due.next_poll_at == minute(5)
        assert unread(due)
        transaction.feeds.record_poll(poll(due, at=6, etag='"2"'))
        transaction.sources.sync([Source(slug=slug, homepage=home)], minute(7))
        assert transaction.feeds.by_url(home).etag == '"2"', "it is read anew once"


def test_what_a_configured_source_finds_again_goes_over_to_it_and_is_watched_and_due(store, feed):
    url = "http://paper.example/found.rss"
    with store.writing() as transaction:
        _, found = crawled_in_passing(transaction, url, at=1, found_by="link")
        again = transaction.feeds.ensure(feed.source_id, url, minute(9), found_by="link")
        assert (again.feed_id, again.source_id, again.next_poll_at) == (found.feed_id, feed.source_id, minute(9))
        assert unread(again)
        assert again.feed_id in {one.feed_id for one in transaction.feeds.due(minute(9), 10)}
        transaction.feeds.record_poll(poll(again, at=10, entries=[entry("ferry")]))
        assert transaction.pages.by_key("paper.example/ferry").source_id == feed.source_id
        assert transaction.feeds.ensure(feed.source_id, url, minute(11)).last_polled_at == minute(10)


def test_what_an_index_of_a_configured_source_leads_to_goes_over_with_it_and_is_not_due_by_itself(store, feed):
    with store.writing() as transaction:
        adhoc, index = crawled_in_passing(transaction, "http://paper.example/maps.xml", at=1)
        part = transaction.feeds.ensure(
            adhoc.source_id, "http://paper.example/map.xml", NOON, watched=False, parent_id=index.feed_id
        )
        again = transaction.feeds.ensure(feed.source_id, part.url, minute(9), parent_id=index.feed_id)
        assert (again.source_id, again.next_poll_at) == (feed.source_id, None)


def test_nobody_takes_a_feed_from_a_configured_source(store, feed):
    other = Source(slug="other", homepage="http://other.example/")
    with store.writing() as transaction:
        transaction.sources.sync([PAPER, other], NOON)
        adhoc = transaction.sources.for_domain("elsewhere.example", NOON)
        for source_id in (transaction.sources.by_slug("other").source_id, adhoc.source_id):
            assert transaction.feeds.ensure(source_id, FEED, minute(1)).source_id == feed.source_id


def test_a_configured_source_named_like_a_domain_stands_for_it(store):
    with store.writing() as transaction:
        transaction.sources.sync([replace(PAPER, slug="paper.example")], NOON)
        assert transaction.sources.for_domain("paper.example", NOON).configured


def test_a_poll_brings_pages_that_are_due_and_the_feeds_own_title_and_dates(store, feed):
    listed = entry("ferry", title="Ferry resumes", published_at=minute(-30), published_raw="Mon, 11:30")
    with store.writing() as transaction:
        recorded = transaction.feeds.record_poll(
            poll(feed, kind=FeedKind.ATOM, title="Oxley", etag='"1"', body_digest="sha256:1", entries=[listed, listed])
        )
    assert recorded == EntriesRecorded(new=1, known=0)
    with store.reading() as transaction:
        page = transaction.pages.by_key("paper.example/ferry")
        polled = transaction.feeds.by_url(FEED)
    assert (page.next_fetch_at, page.feed_title, page.feed_published_at) == (minute(5), "Ferry resumes", minute(-30))
    assert page.source_id == feed.source_id
    assert (polled.kind, polled.etag, polled.body_digest) == (FeedKind.ATOM, '"1"', "sha256:1")
    assert (polled.last_polled_at, polled.next_poll_at, polled.last_outcome) == (minute(5), None, Outcome.LISTED)


def test_a_second_listing_keeps_when_it_was_first_listed_and_takes_the_new_title(store, feed, rows):
    with store.writing() as transaction:
        transaction.feeds.record_poll(poll(feed, at=5, entries=[entry("ferry", title="Ferry", published_at=NOON)]))
        again = transaction.feeds.record_poll(poll(feed, at=9, entries=[entry("ferry", title="Boat"), entry("b")]))
    assert again == EntriesRecorded(new=1, known=1)
    with store.reading() as transaction:
        page = transaction.pages.by_key("paper.example/ferry")
    assert (page.feed_title, page.feed_published_at, page.next_fetch_at) == ("Boat", NOON, minute(5))
    assert rows("SELECT count(*) FROM feed_entries WHERE first_listed_at < last_listed_at") == [(1,)]


def test_a_failed_poll_counts_and_makes_the_next_one_unconditional(store, feed):
    with store.writing() as transaction:
        transaction.feeds.record_poll(poll(feed, etag='"1"', last_modified="Mon", body_digest="sha256:1"))
        transaction.feeds.record_poll(poll(feed, Outcome.NOT_MODIFIED, at=6))
        same = transaction.feeds.by_url(FEED)
        assert (same.etag, same.last_modified, same.body_digest) == ('"1"', "Mon", "sha256:1")
        transaction.feeds.record_poll(poll(feed, Outcome.HTTP_ERROR, at=7))
        transaction.feeds.record_poll(poll(feed, Outcome.TIMEOUT, at=8))
        failed = transaction.feeds.by_url(FEED)
        assert (failed.etag, failed.consecutive_failures, failed.last_outcome) == (None, 2, Outcome.TIMEOUT)
        transaction.feeds.record_poll(poll(feed, Outcome.UNCHANGED, at=9))
        assert transaction.feeds.by_url(FEED).consecutive_failures == 0


def test_feeds_are_due_when_they_are_planned_to_be(store, feed):
    with store.writing() as transaction:
        for known in transaction.feeds.due(NOON, 10):
            transaction.feeds.record_poll(poll(known))
        assert transaction.feeds.due(minute(60), 10) == []
        first, second = transaction.feeds.unplanned()
        transaction.feeds.plan([plan(first, 20), plan(second, 10)])
        assert transaction.feeds.unplanned() == []
        assert [found.feed_id for found in transaction.feeds.due(minute(20), 10)] == [second.feed_id, first.feed_id]
        assert [found.feed_id for found in transaction.feeds.due(minute(19), 1)] == [second.feed_id]
        transaction.feeds.plan([plan(first, 10), plan(second, 10)])
        for count in (1, 2):
            (one,) = transaction.feeds.due(minute(20), 1)
            (two,) = transaction.feeds.due(minute(20), 1, behind=one)
            assert {one.feed_id, two.feed_id} == {first.feed_id, second.feed_id}
            assert transaction.feeds.due(minute(20), 1, behind=two) == []
            transaction.feeds.plan([plan(second, 10 + count)])


def test_a_page_of_a_domain_is_adopted_by_the_source_that_lists_it(store, feed):
    watcher = watch(store)
    watcher.see(FERRY)
    with store.writing() as transaction:
        transaction.feeds.record_poll(poll(feed, entries=[entry("ferry")]))
    assert watcher.state().source_id == feed.source_id
    assert watcher.article().source_slug == "paper"
    # And it stays there when somebody names it again.
    assert watch(store).state().source_id == feed.source_id


def test_of_new_pages_no_more_are_made_than_are_wanted(store, feed):
    entries = [entry(f"story-{number}") for number in range(10)]
    with store.writing() as transaction:
        record = transaction.feeds.record_entries
        assert record(feed.feed_id, feed.source_id, entries[:4], minute(5)) == EntriesRecorded(new=4, known=0)
        some = record(feed.feed_id, feed.source_id, entries, minute(6), most_new=5)
        assert some == EntriesRecorded(new=5, known=4, cut=1)
        none = record(feed.feed_id, feed.source_id, entries, minute(7), most_new=0)
        assert none == EntriesRecorded(new=0, known=9, cut=1)
        scope = CrawlScope(feed_ids=frozenset({feed.feed_id}))
        assert transaction.pages.count_to_fetch(scope, now=minute(8)) == 9


def test_a_feed_of_ten_thousand_entries_is_recorded_in_slices(store, feed):
    entries = [entry(f"story-{number}", title=f"Story {number}") for number in range(10_000)]
    new = 0
    for start in range(0, len(entries), 200):
        with store.writing() as transaction:
            recorded = transaction.feeds.record_entries(
                feed.feed_id, feed.source_id, entries[start : start + 200], minute(5)
            )
            new += recorded.new
    assert new == 10_000
    with store.writing() as transaction:
        again = transaction.feeds.record_entries(feed.feed_id, feed.source_id, entries, minute(6))
        assert again == EntriesRecorded(new=0, known=10_000)
        scope = CrawlScope(feed_ids=frozenset({feed.feed_id}))
        assert transaction.pages.count_to_fetch(scope, now=minute(6)) == 10_000
        assert len(transaction.pages.to_fetch(scope, now=minute(6), limit=50)) == 50


def test_a_source_says_how_much_it_has(store, feed):
    with store.writing() as transaction:
        transaction.feeds.record_poll(poll(feed, entries=[entry("ferry"), entry("b"), entry("c")]))
        page = transaction.pages.by_key("paper.example/b")
        put_off(transaction, {page.page_id: minute(90)})
    watcher = watch(store)
    watcher.see(FERRY, at=10)
    with store.reading() as transaction:
        numbers = transaction.sources.numbers(feed.source_id, now=minute(60))
    assert (numbers.feeds, numbers.pages, numbers.articles, numbers.versions, numbers.due) == (2, 3, 1, 1, 1)
    assert (numbers.next_due_at, numbers.last_fetch_at) == (minute(5), minute(10))


def test_feed_and_robots_fetches_leave_rows(store, feed):
    fetches = [
        page_fetch("robots", at=1, kind=FetchKind.ROBOTS, outcome=Outcome.LISTED, source_id=feed.source_id),
        page_fetch(
            "feed",
            at=2,
            kind=FetchKind.FEED,
            outcome=Outcome.HTTP_ERROR,
            source_id=feed.source_id,
            feed_id=feed.feed_id,
            reason="server_error",
            headers={"retry-after": "9"},
        ),
        page_fetch("elsewhere", at=3, kind=FetchKind.FEED, outcome=Outcome.LISTED),
    ]
    with store.writing() as transaction:
        for fetch in (*fetches, *fetches):
            transaction.fetches.record(fetch)
        assert transaction.fetches.recent(10) == fetches[::-1]
        assert transaction.fetches.recent(10, source_id=feed.source_id) == fetches[1::-1]
        assert transaction.fetches.counts_by_outcome(NOON) == {Outcome.LISTED: 2, Outcome.HTTP_ERROR: 1}
        assert transaction.fetches.counts_by_outcome(minute(2), feed.source_id) == {Outcome.HTTP_ERROR: 1}
        with pytest.raises(ValueError, match="no outcome"):
            transaction.fetches.record(page_fetch("undecided", at=4))


def test_a_source_whose_choice_of_pages_changes_reads_its_feeds_anew(store):
    source = Source(slug="paper", feeds=("http://paper.example/feed",), include=("/news/*",))
    with store.writing() as transaction:
        transaction.sources.sync([source], NOON)
        feed = transaction.feeds.by_url("http://paper.example/feed")
        poll = FeedPoll(
            feed_id=feed.feed_id, outcome=Outcome.LISTED, polled_at=NOON, etag='"x"', last_modified="y", body_digest="z"
        )
        transaction.feeds.record_poll(poll)
        transaction.sources.sync([source], NOON)
        assert transaction.feeds.by_url(feed.url).etag == '"x"'
        transaction.sources.sync([replace(source, include=())], NOON)
        again = transaction.feeds.by_url(feed.url)
    assert (again.etag, again.last_modified, again.body_digest) == (None, None, None)


def test_a_homepage_stands_for_what_is_not_named(store):
    home = Source(slug="home", homepage="http://home.example/")
    with store.writing() as transaction:
        transaction.sources.sync([home], NOON)
        (found,) = transaction.feeds.due(NOON, 10)
        assert (found.url, found.kind, found.found_by) == ("http://home.example/", FeedKind.SECTION, "configured")
        source_id = found.source_id
        feed = transaction.feeds.ensure(source_id, "http://home.example/rss", minute(1), found_by="link")
        robots = transaction.feeds.ensure(
            source_id, "http://home.example/map", minute(1), FeedKind.SITEMAP, found_by="robots"
        )
        mine = transaction.feeds.ensure(source_id, "http://home.example/mine", minute(1), found_by="named")
        assert [feed.url for feed in transaction.feeds.due(minute(1), 10)] == [
            found.url,
            feed.url,
            robots.url,
            mine.url,
        ]
        # Once feeds are named, those count, and what was found by itself is left; what a person named stays.
        transaction.sources.sync([replace(home, feeds=("http://home.example/atom",))], minute(2))
        assert {feed.url for feed in transaction.feeds.due(minute(3), 10)} == {"http://home.example/atom", mine.url}
        transaction.sources.sync([home], minute(4))
        assert transaction.feeds.ensure(source_id, feed.url, minute(5), found_by="link").next_poll_at == minute(1)
        assert {feed.url for feed in transaction.feeds.due(minute(6), 10)} == {found.url, mine.url, feed.url}


def test_sitemaps_and_sections_are_polled_as_what_they_are(store):
    paper = Source(slug="p", sitemaps=("http://p.example/map",), sections=("http://p.example/news/",))
    with store.writing() as transaction:
        transaction.sources.sync([paper], NOON)
        assert {feed.url: feed.kind for feed in transaction.feeds.due(NOON, 10)} == {
            "http://p.example/map": FeedKind.SITEMAP,
            "http://p.example/news/": FeedKind.SECTION,
        }
        source_id = transaction.sources.by_slug("p").source_id
        assert transaction.feeds.section_urls(source_id, 10) == ["http://p.example/news/"]
        assert transaction.feeds.section_urls(source_id, 0) == []
        found = transaction.feeds.ensure(source_id, "http://p.example/x/", NOON, FeedKind.SECTION, found_by="section")
        assert transaction.feeds.section_urls(source_id, 10) == ["http://p.example/news/"]
        transaction.feeds.record_entries(found.feed_id, source_id, [entry("ferry")], NOON)
        assert transaction.feeds.section_urls(source_id, 10) == ["http://p.example/news/", "http://p.example/x/"]


def test_what_an_index_leads_to_is_polled_by_it_alone(store, feed):
    with store.writing() as transaction:
        children = [
            transaction.feeds.ensure(
                feed.source_id, f"http://paper.example/{name}", NOON, parent_id=feed.feed_id, changed_at=changed
            )
            for name, changed in (("old", minute(-90)), ("undated", None), ("new", minute(-5)))
        ]
        assert [child.next_poll_at for child in children] == [None, None, None]
        urls = [child.url.rpartition("/")[2] for child in transaction.feeds.children(feed.feed_id)]
        assert urls == ["new", "old", "undated"]
        ids = {child.feed_id for child in children}
        for others in (
            transaction.feeds.due(minute(1), 10),
            transaction.feeds.unplanned(),
            transaction.feeds.for_sources({feed.source_id}),
        ):
            assert not ids & {found.feed_id for found in others}
        later = transaction.feeds.ensure(feed.source_id, children[0].url, NOON, parent_id=1, changed_at=minute(9))
        assert later.changed_at == minute(9)


def test_how_long_a_feed_asks_to_be_left_alone_is_kept(store, feed):
    with store.writing() as transaction:
        transaction.feeds.record_poll(poll(feed, ttl_seconds=3600))
        assert transaction.feeds.by_url(FEED).ttl_seconds == 3600
        transaction.feeds.record_poll(poll(feed, outcome=Outcome.UNCHANGED))
        assert transaction.feeds.by_url(FEED).ttl_seconds == 3600
        transaction.feeds.record_poll(poll(feed))
        assert transaction.feeds.by_url(FEED).ttl_seconds is None
