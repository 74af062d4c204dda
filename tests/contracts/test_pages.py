"""Which pages are to be fetched, and the planner's side of it."""

from datetime import timedelta

import pytest
from sqlalchemy import Text, cast, false, insert, literal, select, update

from storage.model import FeedKind, Source
from storage.outcomes import Outcome
from storage.pages import state_query
from storage.records import Backlog, CrawlScope, EntriesRecorded, FeedPoll, KnownAddresses
from storage.tables import pages
from tests.contracts.news import FERRY, NOON, entry, minute, put_off, watch

EVERYTHING = CrawlScope(everything=True)


@pytest.fixture
def paper(store):
    """A source with four pages, due after 10, 20 and 30 minutes, and one with no plan."""
    with store.writing() as transaction:
        transaction.sources.sync([Source(slug="paper", feeds=("http://paper.example/feed",))], NOON)
        source = transaction.sources.by_slug("paper")
        pages = [transaction.pages.ensure(source.source_id, entry(name), NOON, due=False) for name in "abcd"]
        put_off(transaction, {pages[0].page_id: minute(30), pages[1].page_id: minute(10), pages[2].page_id: minute(20)})
    return source


def urls(store, scope, *, limit=10, **more):
    with store.reading() as transaction:
        wanted = {"now": minute(25)} | more
        found = transaction.pages.to_fetch(scope, limit=limit, **wanted)
        counted = {name: value for name, value in wanted.items() if not name.startswith("exclude")}
        if len(found) < limit and len(counted) == len(wanted):
            assert transaction.pages.count_to_fetch(scope, **counted) == len(found)
    return [page.url_key.rpartition("/")[2] for page in found]


def page_id(store, name):
    with store.reading() as transaction:
        return transaction.pages.by_key(f"paper.example/{name}").page_id


def test_a_page_is_made_once(store):
    with store.writing() as transaction:
        source = transaction.sources.for_domain("paper.example", NOON, watched=True)
        first = transaction.pages.ensure(source.source_id, entry("a", title="A"), NOON, due=True)
        second = transaction.pages.ensure(source.source_id, entry("a", title="B"), minute(9), due=True)
        assert first == second == transaction.pages.by_id(first.page_id)
        assert transaction.pages.by_key("paper.example/b") is None
    assert (first.next_fetch_at, first.first_seen_at, first.feed_title) == (NOON, NOON, "A")


def test_due_pages_come_oldest_first_and_never_more_than_asked_for(store, paper):
    scope = CrawlScope(source_ids=frozenset({paper.source_id}))
    # What was never fetched is wanted by whoever asks for its source now, and by the service when it is due.
    assert urls(store, scope) == ["b", "c", "a"]
    assert urls(store, scope, limit=1) == ["b"]
    assert urls(store, EVERYTHING) == ["b", "c"]
    assert urls(store, EVERYTHING, now=minute(30)) == ["b", "c", "a"]
    assert urls(store, EVERYTHING, now=minute(9)) == []
    assert urls(store, CrawlScope(source_ids=frozenset({paper.source_id + 1}))) == []
    assert urls(store, CrawlScope()) == []


def test_busy_hosts_and_pages_in_work_are_passed_over(store, paper):
    assert urls(store, EVERYTHING, exclude_hosts={"paper.example"}) == []
    assert urls(store, EVERYTHING, exclude_pages=[page_id(store, "b")]) == ["c"]


def test_a_recrawl_takes_what_was_not_fetched_since_it_began(store, paper):
    recrawl = {"recrawl_since": minute(25), "now": minute(26)}
    assert urls(store, EVERYTHING, **recrawl) == ["b", "c", "a", "d"]
    watcher = watch(store, "a", source="paper")
    watcher.see(FERRY, at=25.5)
    assert urls(store, EVERYTHING, **recrawl) == ["b", "c", "d"]
    assert urls(store, EVERYTHING, **recrawl, limit=2) == ["b", "c"]


def test_a_named_page_is_fetched_once_whenever_it_is_due(store, paper):
    scope = CrawlScope(page_ids=frozenset({page_id(store, "d"), page_id(store, "a")}))
    named = {"named_since": minute(1)}
    assert urls(store, scope, **named) == ["a", "d"]
    watch(store, "d", source="paper").see(FERRY, at=2)
    assert urls(store, scope, **named) == ["a"]
    assert urls(store, CrawlScope(page_ids=scope.page_ids, everything=True), **named) == ["a", "b", "c"]


def test_paused_sources_are_left_alone_by_the_service_but_not_by_who_names_them(store, paper):
    with store.writing() as transaction:
        transaction.sources.sync([], minute(1))
        assert transaction.page_plans.unplanned(10) == []
    assert urls(store, EVERYTHING) == []
    assert urls(store, CrawlScope(source_ids=frozenset({paper.source_id}))) == ["b", "c", "a"]
    watch(store, "a", source="paper").see(FERRY)
    assert watch(store, "a", source="paper").article().status == "paused"


def test_a_back_catalogue_is_due_bit_by_bit_and_the_news_between(store, paper):
    with store.writing() as transaction:
        sitemap = transaction.feeds.ensure(paper.source_id, "http://paper.example/all.xml", NOON, FeedKind.SITEMAP)
        old = [entry(f"old-{number}") for number in range(300)]
        recorded = transaction.feeds.record_entries(
            sitemap.feed_id,
            paper.source_id,
            [old[0], entry("b"), *old[1:]],
            minute(60),
            first_due_at=minute(61),
            spacing=timedelta(minutes=1),
        )
        assert recorded == EntriesRecorded(new=300, known=1)
        transaction.feeds.record_entries(sitemap.feed_id, paper.source_id, [entry("news")], minute(63.5))
    assert urls(store, EVERYTHING, now=minute(63.9), limit=400) == ["news", "b", "c", "a", "old-0", "old-1", "old-2"]
    assert urls(store, EVERYTHING, now=minute(360), limit=400)[-1] == "old-299"
    assert "old-299" not in urls(store, EVERYTHING, now=minute(359.5), limit=400)
    with store.reading() as transaction:
        waiting = transaction.pages.backlog(paper.source_id, now=minute(64), limit=10)
        assert waiting == Backlog(due=1, until=minute(360))
        assert transaction.pages.backlog(paper.source_id + 1, now=minute(64), limit=3) == Backlog(due=0, until=None)


def test_what_a_feed_lists_is_no_longer_part_of_a_back_catalogue(store, paper):
    with store.writing() as transaction:
        feed = transaction.feeds.by_url("http://paper.example/feed")
        sitemap = transaction.feeds.ensure(paper.source_id, "http://paper.example/all.xml", NOON, FeedKind.SITEMAP)
        old = [entry(f"old-{number}") for number in range(3)]
        later = {"first_due_at": minute(600), "spacing": timedelta(minutes=1)}
        for feed_id, entries, more in ((sitemap, old, later), (feed, old[1:2], {}), (sitemap, old, later)):
            transaction.feeds.record_entries(feed_id.feed_id, paper.source_id, entries, minute(60), **more)
        assert transaction.pages.by_key("paper.example/old-1").next_fetch_at == minute(60)
        assert transaction.pages.by_key("paper.example/old-2").next_fetch_at == minute(602)
    assert urls(store, EVERYTHING, now=minute(61)) == ["old-1", "b", "c", "a"]
    fetched = watch(store, "old-2", source="paper")
    fetched.see(FERRY, at=100)
    with store.writing() as transaction:
        put_off(transaction, {fetched.state().page_id: minute(900)})
        transaction.feeds.record_entries(feed.feed_id, paper.source_id, old, minute(120))
    assert fetched.state().next_fetch_at == minute(900), "its time is planned by its age"


# What PostgreSQL uses depends on how much there is.
@pytest.mark.parametrize("backend", ["sqlite"])
def test_the_pages_that_are_due_are_found_by_an_index(store, paper):
    with store.reading() as transaction:
        connection = transaction._connection
        of_source = CrawlScope(source_ids=frozenset({paper.source_id}))
        for scope, indexes in (
            (EVERYTHING, ["ix_pages_requested", "ix_pages_due", "ix_pages_backlog"]),
            (of_source, ["ix_pages_due", "ix_pages_backlog_of_source"]),
            (CrawlScope(source_ids=frozenset({1, 2})), ["ix_pages_due", "ix_pages_backlog"]),
        ):
            found = []
            for condition, order in transaction.pages._wanted(scope, now=NOON, recrawl_since=None, named_since=None):
                query = state_query().where(condition).order_by(order, pages.c.id).limit(10)
                text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
                found.append(next(row[3] for row in plan if " pages " in row[3]))
                assert not any("TEMP B-TREE" in row[3] for row in plan), plan
            assert [line.split(" INDEX ")[1].split()[0] for line in found] == indexes


def test_what_is_known_of_a_sources_addresses(store, paper):
    watch(store, "a", source="paper").see(FERRY)
    hub = watch(store, "hub", source="paper")
    hub.get(Outcome.NOT_ARTICLE, at=1)
    with store.writing() as transaction:
        feed = transaction.feeds.by_url("http://paper.example/feed")
        transaction.feeds.record_poll(
            FeedPoll(feed_id=feed.feed_id, outcome=Outcome.LISTED, polled_at=minute(2), kind=FeedKind.RSS)
        )
        transaction.feeds.record_entries(feed.feed_id, paper.source_id, [entry("listed"), entry("hub")], minute(2))
        known = transaction.pages.known_addresses(paper.source_id, 10)
        assert transaction.pages.known_addresses(paper.source_id + 1, 10) == KnownAddresses(articles=[], others=[])
        assert len(transaction.pages.known_addresses(paper.source_id, 1).articles) == 1
    assert known.articles == ["http://paper.example/a", "http://paper.example/listed"]
    assert known.others == ["http://paper.example/hub"]


def test_a_feeds_scope_is_what_it_ever_listed(store, paper):
    with store.writing() as transaction:
        feed = transaction.feeds.by_url("http://paper.example/feed")
        listed = [entry("a"), entry("c"), entry("n")]
        transaction.feeds.record_entries(feed.feed_id, paper.source_id, listed, minute(3), first_due_at=minute(3))
        transaction.feeds.record_entries(feed.feed_id, paper.source_id, [entry("n")], minute(8))
    scope = CrawlScope(feed_ids=frozenset({feed.feed_id}))
    assert urls(store, scope) == ["n", "c", "a"]
    assert urls(store, scope, recrawl_since=minute(25)) == ["n", "c", "a"]


def test_an_alias_is_fetched_only_when_it_is_named_and_its_primary_page_in_its_stead(store, paper):
    with store.writing() as transaction:
        feed = transaction.feeds.by_url("http://paper.example/feed")
        transaction.feeds.record_entries(feed.feed_id, paper.source_id, [entry("old")], minute(3))
    watcher = watch(store, "old", source="paper")
    watcher.record(watcher.look(FERRY, at=4, landed=entry("ferry")))
    with store.writing() as transaction:
        put_off(transaction, {page_id(store, "old"): minute(5), page_id(store, "ferry"): minute(6)})
    assert urls(store, CrawlScope(feed_ids=frozenset({feed.feed_id}))) == ["ferry"]
    assert urls(store, EVERYTHING) == ["ferry", "b", "c"]
    assert urls(store, CrawlScope(page_ids=frozenset({page_id(store, "old")}))) == ["old"]
    with store.reading() as transaction:
        assert page_id(store, "old") not in {history.page_id for history in transaction.page_plans.unplanned(10)}


def test_the_planner_is_given_each_page_without_a_plan_until_it_has_one(store, paper):
    watcher = watch(store, "d", source="paper")
    watcher.see(FERRY)
    watcher.get(Outcome.TIMEOUT)
    with store.writing() as transaction:
        (history,) = transaction.page_plans.unplanned(10)
        assert (history.page_id, history.source_id) == (watcher.page.page_id, paper.source_id)
        assert (history.last_outcome, history.consecutive_failures) == (Outcome.TIMEOUT, 1)
        assert (history.looks, history.changes, history.last_changed_at) == (1, 0, None)
        assert (history.first_seen_at, history.last_fetch_at) == (NOON, minute(2))
        assert not history.has_candidate
        put_off(transaction, {history.page_id: minute(90)})
        assert transaction.page_plans.unplanned(10) == []
    assert watcher.state().next_fetch_at == minute(90)


def test_a_page_whose_watch_ended_is_planned_again_when_it_was_fetched_again(store, paper):
    watcher = watch(store, "d", source="paper")
    watcher.see(FERRY)
    with store.writing() as transaction:
        put_off(transaction, {watcher.page.page_id: None})
        assert transaction.page_plans.unplanned(10) == []
    watcher.see(FERRY)
    with store.reading() as transaction:
        assert [history.page_id for history in transaction.page_plans.unplanned(10)] == [watcher.page.page_id]


def test_the_service_looks_after_an_ad_hoc_source_only_when_that_was_asked_for(store):
    with store.writing() as transaction:
        source = transaction.sources.for_domain("adhoc.example", NOON)
        transaction.pages.ensure(source.source_id, entry("x"), NOON, due=True)
        transaction.feeds.ensure(source.source_id, "http://adhoc.example/feed", NOON)
        assert not transaction.sources.for_domain("adhoc.example", NOON).watched
    assert urls(store, EVERYTHING) == []
    with store.writing() as transaction:
        assert transaction.feeds.due(minute(60), 10) == []
        assert transaction.sources.for_domain("adhoc.example", NOON, watched=True).watched
        # A later crawl of the same domain does not end the watch.
        assert transaction.sources.for_domain("adhoc.example", NOON).watched
    assert urls(store, EVERYTHING) == ["x"]


def test_hosts_that_are_held_keep_no_others_pages_from_being_found_and_cost_little(store, paper):
    """However many older pages they have: these are passed over within the index of what is due."""
    held = [f"held{number}.example" for number in range(400)]
    with store.writing() as transaction:
        connection = transaction._connection
        at = literal(NOON, pages.c.next_fetch_at.type)
        numbers = select(literal(1).label("i")).cte("numbers", recursive=True)
        numbers = numbers.union_all(select(numbers.c.i + 1).where(numbers.c.i < 20_000))
        name = cast(numbers.c.i, Text)
        host = literal("held").concat(cast(numbers.c.i - 400 * (numbers.c.i // 400), Text)).concat(".example")
        values = {
            "source_id": literal(paper.source_id),
            "url": name,
            "url_key": name,
            "host": host,
            **dict.fromkeys(("first_seen_at", "last_fetch_at", "next_fetch_at"), at),
            **dict.fromkeys(("consecutive_failures", "looks", "changes", "missing_looks"), literal(0)),
            **dict.fromkeys(("candidate_looks", "flapping_looks"), literal(0)),
            "watch_ended": false(),
        }
        connection.execute(insert(pages).from_select(list(values), select(*values.values())))
        connection.execute(update(pages).where(pages.c.last_fetch_at.is_(None)).values(last_fetch_at=NOON))
        connection.exec_driver_sql("ANALYZE pages")
    assert urls(store, EVERYTHING, now=minute(60), exclude_hosts=held) == ["b", "c", "a"]
    with store.reading() as transaction:
        owed = transaction.workload.due_pages(minute(60), held_hosts=held)
        assert (owed.count, owed.oldest_at) == (20_003, minute(10))
        connection = transaction._connection
        wanted = transaction.pages._wanted(EVERYTHING, now=minute(60), recrawl_since=None, named_since=None)
        due, order = wanted[1]
        query = state_query().where(due, pages.c.host.not_in(held)).order_by(order, pages.c.id).limit(10)
        text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        plan = "\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} {text}"))
        assert "ix_pages_due" in plan and "Seq Scan on pages" not in plan and "SCAN pages" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan
