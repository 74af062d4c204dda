"""Articles that are missing from their address, that are gone, and that return."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from storage.disappearance import HostCensus
from storage.host_pages import HostPages
from storage.model import Access, ArticleStatus
from storage.outcomes import Outcome
from storage.records import Rereading
from tests.contracts.news import CORRECTED, FERRY, minute, watch

HOUR = 60
DAY = 24 * HOUR
OTHER = replace(FERRY, body="Nobody in the hall had heard the orchestra play so softly, and all of them stood up.")


@pytest.fixture
def page(store):
    return watch(store)


def missing(page, *, at, at_once=False, outcome=Outcome.MISSING):
    return page.get(outcome, at=at, at_once=at_once)


def answers(page, *looks):
    return [missing(page, at=at, at_once=at_once).outcome for at, at_once in looks]


def events(page):
    with page.store.reading() as transaction:
        return [(event.kind, event.version_id, event.occurred_at) for event in transaction.events.since(0)]


def test_a_missing_article_is_gone_after_a_second_look_an_hour_later(page, rows):
    page.see(FERRY)
    version = page.versions()[0]
    looks = [(10, False), (10 + HOUR - 1, False), (10 + HOUR, False), (10 + DAY, False)]
    assert answers(page, *looks) == [Outcome.MISSING, Outcome.MISSING, Outcome.GONE, Outcome.GONE]
    article = page.article()
    assert (article.status, article.content, article.version_count) == (ArticleStatus.GONE, FERRY, 1)
    assert article.last_checked_at == minute(1)
    assert events(page)[1:] == [("gone", version.version_id, minute(10))]
    assert rows("SELECT status FROM articles_v1") == [("gone",)]
    # Only a confirmed look counts.
    assert rows("SELECT looks FROM pages") == [(3,)]
    for look in list(page.looks):
        page.record(look)
    assert len(events(page)) == 2


def test_a_look_that_was_asked_for_confirms_at_once_and_is_never_the_only_one(page):
    page.see(FERRY)
    assert answers(page, (2, True), (2.1, True)) == [Outcome.MISSING, Outcome.GONE]


def test_an_article_seen_in_between_is_not_gone(page):
    page.see(FERRY)
    missing(page, at=10)
    page.see(FERRY, at=20, keep=False)
    assert answers(page, (10 + 2 * HOUR, False), (10 + 3 * HOUR, False)) == [Outcome.MISSING, Outcome.GONE]


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.HTTP_ERROR, Outcome.SOFT_404, Outcome.BOT_CHECK])
def test_failures_and_walls_neither_confirm_nor_refute_that_it_is_gone(page, outcome):
    page.see(FERRY)
    missing(page, at=10)
    for at in (HOUR, 2 * HOUR):
        assert page.get(outcome, at=at).outcome is outcome
    assert page.article().status is ArticleStatus.LIVE
    assert missing(page, at=3 * HOUR).outcome is Outcome.GONE


def test_an_address_that_gives_another_text_is_not_missing(page):
    page.see(FERRY)
    missing(page, at=10)
    assert page.see(OTHER, at=20).outcome is Outcome.SUSPECT
    assert missing(page, at=10 + HOUR).outcome is Outcome.MISSING


def test_a_page_that_never_had_an_article_is_only_missing(page):
    assert answers(page, (1, False), (1 + DAY, True)) == [Outcome.MISSING] * 2
    assert events(page) == []


def test_a_look_that_arrives_late_confirms_nothing(page):
    page.see(FERRY)
    missing(page, at=2 * HOUR)
    page.get(Outcome.TIMEOUT, at=5 * HOUR)
    assert missing(page, at=4 * HOUR).outcome is Outcome.MISSING
    assert page.article().status is ArticleStatus.LIVE


def test_processes_that_find_it_gone_at_the_same_time_put_up_one_tombstone(page):
    page.see(FERRY)
    missing(page, at=10)
    with ThreadPoolExecutor(4) as processes:
        found = list(processes.map(lambda number: missing(page, at=10 + HOUR + number).outcome, range(8)))
    # One of them may be overtaken, and then arrives late; the others all find it gone.
    assert Outcome.GONE in found
    assert page.events() == ["created", "gone"]


# Return


def gone(page, *, since):
    assert answers(page, (since, False), (since + HOUR, False))[-1] is Outcome.GONE


def test_an_article_that_returns_as_it_was_is_restored_and_unchanged(page):
    page.see(FERRY)
    gone(page, since=10)
    recorded = page.see(FERRY, at=200, keep=False)
    assert (recorded.outcome, recorded.reason, recorded.version_number) == (Outcome.UNCHANGED, "restored", 1)
    assert page.article().status is ArticleStatus.LIVE
    assert page.events() == ["created", "gone", "restored"]
    assert page.record(page.looks[-1]) == recorded
    assert page.see(FERRY, at=201, keep=False).reason is None
    gone(page, since=300)
    assert page.events() == ["created", "gone", "restored", "gone"]


def test_an_article_that_returns_edited_is_restored_and_then_updated(page):
    page.see(FERRY)
    gone(page, since=10)
    assert page.see(CORRECTED, at=200, keep=False).needs_capture
    assert page.article().status is ArticleStatus.GONE
    recorded = page.see(CORRECTED, at=200)
    assert (recorded.outcome, recorded.version_number) == (Outcome.UPDATED, 2)
    assert page.events() == ["created", "gone", "restored", "updated"]


def test_the_same_bytes_restore_it_too(page):
    page.see(FERRY)
    seen = page.state().seen_capture_id
    gone(page, since=10)
    recorded = page.get(Outcome.UNCHANGED, at=200, same_as=seen)
    assert (recorded.outcome, recorded.reason) == (Outcome.UNCHANGED, "restored")
    assert page.events()[-1] == "restored"


def test_an_article_that_returns_behind_a_paywall_is_restored(page):
    long = replace(
        FERRY, access=Access.FREE, body="\n\n".join(f"Boat {number} sails at hour {number}." for number in range(20))
    )
    page.see(long)
    gone(page, since=10)
    teaser = replace(long, access=Access.PAYWALLED, body="\n\n".join(long.body.split("\n\n")[:4]))
    assert page.see(teaser, at=200, keep=False).needs_capture
    assert page.article().status is ArticleStatus.GONE
    recorded = page.see(teaser, at=200)
    assert (recorded.outcome, recorded.reason) == (Outcome.PAYWALLED, "fuller_text_held")
    assert (page.article().status, page.article().content) == (ArticleStatus.LIVE, long)
    page.see(teaser, at=2000)
    assert page.events() == ["created", "gone", "restored"]
    assert missing(page, at=3000).outcome is Outcome.MISSING


def test_another_text_at_the_address_of_an_article_that_is_gone_does_not_restore_it_until_confirmed(page):
    page.see(FERRY)
    gone(page, since=10)
    for at in (200, 201):
        assert page.see(OTHER, at=at).outcome is Outcome.SUSPECT
        assert page.article().status is ArticleStatus.GONE
    assert page.see(OTHER, at=202).outcome is Outcome.UPDATED
    assert page.events() == ["created", "gone", "restored", "updated"]


def test_a_new_extractor_that_cannot_read_the_old_capture_restores_it_as_well(page):
    page.see(FERRY)
    gone(page, since=10)
    rereading = Rereading(version_id=page.versions()[0].version_id, extractor="reader-2", article=None)
    page.see(replace(FERRY, extractor="reader-2"), at=200, rereading=rereading)
    assert page.article().status is ArticleStatus.LIVE


# Many at once


def site(store, number):
    pages = [watch(store, f"story-{index}") for index in range(number)]
    for index, page in enumerate(pages):
        page.see(
            replace(FERRY, headline=f"Story {index}", body=f"{FERRY.body}\n\nThis is story {index}."), at=index / 10
        )
    return pages


def test_a_site_that_goes_at_once_is_in_trouble_and_not_gone(store, rows):
    pages = site(store, 10)
    for page in pages:
        missing(page, at=10)
    for hours in (1, 2, 20, 6 * 24):
        for page in pages:
            recorded = missing(page, at=10 + hours * HOUR)
            assert (recorded.outcome, recorded.reason) == (Outcome.MISSING, "many_gone")
    assert rows("SELECT count(*) FROM articles_v1 WHERE status = 'live'") == [(10,)]
    # A week of it is no trouble but the end.
    assert missing(pages[0], at=10 + 7 * DAY).outcome is Outcome.GONE


def test_what_went_is_gone_once_the_others_were_seen_again(store):
    pages = site(store, 10)
    for page in pages[:6]:
        missing(page, at=10)
    assert missing(pages[0], at=10 + HOUR).reason == "many_gone"
    for page in pages[1:6]:
        page.get(Outcome.UNCHANGED, at=10 + 2 * HOUR, same_as=page.state().seen_capture_id)
    assert missing(pages[0], at=10 + 3 * HOUR).outcome is Outcome.GONE


def test_a_small_site_all_of_which_goes_at_once_is_in_trouble_too(store):
    first, second = site(store, 2)
    for page in (first, second):
        missing(page, at=10)
    for page in (first, second):
        recorded = missing(page, at=10 + HOUR)
        assert (recorded.outcome, recorded.reason) == (Outcome.MISSING, "many_gone")
    second.get(Outcome.UNCHANGED, at=11 + HOUR, same_as=second.state().seen_capture_id)
    assert missing(first, at=12 + HOUR).outcome is Outcome.GONE


def test_a_host_is_looked_over_only_as_far_as_tells_whether_it_is_in_trouble(store):
    pages = site(store, 15)
    for page in pages[:2]:
        missing(page, at=10)
    with store.reading() as transaction:
        census = HostPages(transaction._connection).census("paper.example", missing_since=minute(10))
        assert (census, census.in_trouble) == (HostCensus(fetched=12, missing=2), False)


# What PostgreSQL uses depends on how much there is.
@pytest.mark.parametrize("backend", ["sqlite"])
def test_missing_pages_of_a_host_are_found_by_an_index(store):
    with store.reading() as transaction:
        query = "SELECT 1 FROM pages WHERE host = 'paper.example' AND missing_since >= '2026'"
        plan = transaction._connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()
        assert "ix_pages_missing" in plan[0][3]


def test_a_few_pages_that_are_removed_are_gone(store):
    pages = site(store, 9)
    for page in pages[:4]:
        missing(page, at=10)
    for page in pages[:4]:
        assert missing(page, at=10, at_once=True).outcome in (Outcome.MISSING, Outcome.GONE)
    for page in pages[:4]:
        assert missing(page, at=10 + HOUR).outcome is Outcome.GONE


def test_pages_that_were_not_fetched_in_that_hour_tell_nothing_of_it(store):
    pages = site(store, 40)
    for page in pages[:6]:
        missing(page, at=DAY)
    # The others were last seen a day ago: for all we know the whole site is down.
    assert missing(pages[0], at=DAY + HOUR).reason == "many_gone"
    for page in pages[6:]:
        page.see(page.article().content, at=DAY + HOUR, keep=False)
    assert missing(pages[0], at=DAY + 2 * HOUR).outcome is Outcome.GONE


def test_another_page_that_leads_nowhere_does_not_count(store):
    pages = site(store, 2)
    for index in range(8):
        missing(watch(store, f"never-{index}"), at=10)
    assert answers(pages[0], (10, False), (10 + HOUR, False)) == [Outcome.MISSING, Outcome.GONE]
