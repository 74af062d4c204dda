"""What feeds say of when their entries were changed, and what that does to the pages of articles."""

from datetime import timedelta

import pytest

from storage.model import FeedKind, NextReason, Source
from storage.outcomes import Outcome
from storage.plan_records import PagePlan
from storage.tables import feed_entries, pages
from tests.contracts.news import CORRECTED, FERRY, NOON, entry, minute, put_off, watch

DAY = 24 * 60


@pytest.fixture
def sitemap(store):
    """A sitemap of the paper."""
    with store.writing() as transaction:
        transaction.sources.sync([Source(slug="paper", sitemaps=("http://paper.example/map.xml",))], NOON)
        source = transaction.sources.by_slug("paper")
        return transaction.feeds.ensure(source.source_id, "http://paper.example/map.xml", NOON, FeedKind.SITEMAP)


@pytest.fixture
def page(store, sitemap):
    """An article that was seen a minute after noon, and waits for its next look until a day after."""
    page = watch(store, source="paper")
    page.see(FERRY, at=1)
    plan(store, page, minute(DAY))
    return page


def plan(store, page, at):
    with store.writing() as transaction:
        put_off(transaction, {page.page.page_id: at})


def listed(store, sitemap, changed, *, at, path="ferry"):
    """Poll the sitemap, which says that a page was changed so many minutes after noon."""
    updated_at = None if changed is None else minute(changed)
    with store.writing() as transaction:
        entries = [entry(path, updated_at=updated_at)]
        transaction.feeds.record_entries(sitemap.feed_id, sitemap.source_id, entries, minute(at))


def state(store, page):
    """Return the hint of a page in minutes after noon, and whether the planner is to think of it."""
    page_id = page.page.page_id
    with store.reading() as transaction:
        found = transaction.page_plans.histories([page_id])[page_id]
        waits = page_id in {history.page_id for history in transaction.page_plans.unplanned(10)}
    return None if found.hinted_at is None else (found.hinted_at - NOON) / timedelta(minutes=1), waits


def test_a_hint_takes_back_the_plan_of_an_article_that_waits(store, sitemap, page):
    listed(store, sitemap, 5, at=6)
    assert state(store, page) == (5, True)


@pytest.mark.parametrize("changed", [None, -60, 0.5, 1])
def test_what_was_changed_before_the_last_look_is_no_hint(store, sitemap, page, changed):
    listed(store, sitemap, changed, at=6)
    assert state(store, page) == (None, False)


def test_a_time_that_is_told_again_does_nothing(store, sitemap, page):
    listed(store, sitemap, 5, at=6)
    plan(store, page, minute(DAY))
    listed(store, sitemap, 5, at=20)
    assert state(store, page) == (5, False)


def test_a_newer_time_is_kept_and_takes_no_plan_back_while_the_first_hint_waits(store, sitemap, page):
    listed(store, sitemap, 5, at=6)
    plan(store, page, minute(DAY))
    listed(store, sitemap, 15, at=20)
    listed(store, sitemap, 10, at=30)
    assert state(store, page) == (15, False)


def test_a_hint_after_the_look_that_answered_the_first_one_takes_back_the_plan(store, sitemap, page):
    listed(store, sitemap, 5, at=6)
    page.see(CORRECTED, at=7)
    plan(store, page, minute(DAY))
    listed(store, sitemap, 8, at=9)
    assert state(store, page) == (8, True)


@pytest.mark.parametrize(("ahead", "noted"), [(4, True), (6, False), (24 * 60, False)])
def test_a_time_in_the_future_is_believed_only_as_far_as_clocks_differ(store, sitemap, page, ahead, noted):
    listed(store, sitemap, 10 + ahead, at=10)
    assert state(store, page) == ((10, True) if noted else (None, False))


def test_a_page_that_is_due_stays_due(store, sitemap, page):
    plan(store, page, minute(3))
    listed(store, sitemap, 5, at=6)
    assert state(store, page) == (5, False)
    assert page.state().next_fetch_at == minute(3)


def test_only_articles_are_hinted_at(store, sitemap):
    hub, new = watch(store, "hub", source="paper"), watch(store, "new", source="paper")
    hub.get(Outcome.NOT_ARTICLE, at=1)
    plan(store, hub, minute(DAY))
    for path in ("hub", "new"):
        listed(store, sitemap, 5, at=6, path=path)
    assert state(store, hub) == (None, False)
    assert state(store, new) == (None, False)


def test_the_hint_to_an_alias_is_one_to_its_primary_page(store, sitemap, page):
    old = watch(store, "old", source="paper")
    old.record(old.look(FERRY, at=2, landed=entry("ferry")))
    plan(store, page, minute(DAY))
    listed(store, sitemap, 5, at=6, path="old")
    assert state(store, old) == (None, False)
    assert state(store, page) == (5, True)


def test_of_two_addresses_of_an_article_the_newest_hint_counts(store, sitemap, page):
    old = watch(store, "old", source="paper")
    old.record(old.look(FERRY, at=2, landed=entry("ferry")))
    plan(store, page, minute(DAY))
    with store.writing() as transaction:
        entries = [entry("ferry", updated_at=minute(5)), entry("old", updated_at=minute(7))]
        transaction.feeds.record_entries(sitemap.feed_id, sitemap.source_id, entries, minute(9))
    assert state(store, page) == (7, True)


def test_an_article_that_is_watched_no_more_is_thought_of_again_at_most_daily(store, sitemap, page):
    plan(store, page, None)
    listed(store, sitemap, 5, at=6)
    assert state(store, page) == (5, True)
    plan(store, page, None)
    listed(store, sitemap, 60, at=61)
    assert state(store, page) == (5, False)
    listed(store, sitemap, 5 + DAY, at=6 + DAY)
    assert state(store, page) == (5 + DAY, True)


@pytest.mark.parametrize("by", [{"paused": True}, {"released_by": "operator", "watch_ended": True}])
def test_no_hint_overrules_an_operator(store, sitemap, page, by):
    with store.writing() as transaction:
        transaction._connection.execute(pages.update().values(**by, next_fetch_at=None))
    listed(store, sitemap, 5, at=6)
    assert state(store, page) == (None, False)


@pytest.mark.parametrize("asked_at", [4, 7])
def test_a_hint_to_a_page_that_an_operator_asked_for_leaves_it_due(store, sitemap, page, asked_at):
    """So too where the index was fetched before the wish and is recorded after it."""
    at = minute(asked_at)
    with store.writing() as transaction:
        asked = {"requested_at": at, "next_fetch_at": at, "next_fetch_reason": NextReason.REQUESTED.value}
        transaction._connection.execute(pages.update().values(**asked))
    listed(store, sitemap, 5, at=6)
    assert page.state().next_fetch_at == at


def test_a_long_sitemap_that_says_nothing_new_writes_to_no_page(store, sitemap):
    articles = [watch(store, f"story-{number}", source="paper") for number in range(3)]
    for number, article in enumerate(articles):
        article.see(FERRY if number == 0 else CORRECTED, at=1)
    entries = [entry(f"story-{number}", updated_at=minute(-1)) for number in range(3)]
    with store.writing() as transaction:
        transaction.feeds.record_entries(sitemap.feed_id, sitemap.source_id, entries, minute(3))
        connection = transaction._connection
        assert connection.execute(feed_entries.select()).all() != []
        statements = []
        execute = connection.execute

        def note(statement, *arguments, **more):
            statements.append(str(statement))
            return execute(statement, *arguments, **more)

        connection.execute = note
        transaction.feeds.record_entries(sitemap.feed_id, sitemap.source_id, entries, minute(4))
    assert [text for text in statements if text.startswith("UPDATE pages SET hinted_at")] == []
    assert len(statements) < 12, "as many as for any other number of entries"


def test_the_look_that_counts_is_told_from_those_that_do_not(store, page):
    def last_look():
        with store.reading() as transaction:
            return transaction.page_plans.histories([page.page.page_id])[page.page.page_id].last_look_at

    assert last_look() == minute(1)
    page.get(Outcome.TIMEOUT, at=5)
    assert last_look() == minute(1)
    page.not_modified()
    assert last_look() == minute(6)
    page.see(CORRECTED, at=3)
    assert last_look() == minute(6), "a look that arrives late moves nothing"


@pytest.mark.parametrize("late", ["an article", "an error"])
def test_a_page_that_was_due_is_not_asked_for_ever_when_its_look_counts_as_late(store, page, late):
    """So it is while our clock is behind: the look before seems to be a later one."""
    page.see(FERRY, at=60)
    plan(store, page, minute(30))
    if late == "an article":
        page.see(FERRY, at=31)
    else:
        page.get(Outcome.TIMEOUT, at=31)
    assert page.state().next_fetch_at is None
    assert state(store, page)[1], "it waits for another plan"


def test_a_look_before_its_time_is_somebody_s_wish_and_not_the_rule_s(store, page):
    def reason():
        with store.reading() as transaction:
            return transaction.page_plans.histories([page.page.page_id])[page.page.page_id].next_fetch_reason

    with store.writing() as transaction:
        transaction.page_plans.put([PagePlan(page_id=page.page.page_id, at=minute(20), reason=NextReason.PLAN)])
    page.see(FERRY, at=20)
    assert reason() == "plan"
    plan(store, page, minute(40))
    page.see(FERRY, at=30)
    assert reason() == "requested"
