"""What a day brought a source, counted from facts."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from storage.model import FetchKind, StatedTime
from storage.outcomes import Outcome
from storage.store import Store
from tests.contracts.news import CORRECTED, CUT, FERRY, NOON, Watcher, entry, minute, page_fetch

DAY = NOON.date()


@pytest.fixture
def source_id(store: Store) -> int:
    """A source of an invented paper."""
    with store.writing() as transaction:
        return transaction.sources.for_domain("paper.example", NOON, watched=True).source_id


def watch(store: Store, source_id: int, path: str, *, at: float = 0) -> Watcher:
    """Return somebody who looks at a page that was found at that minute."""
    with store.writing() as transaction:
        page = transaction.pages.ensure(source_id, entry(path), minute(at), due=True)
    return Watcher(store=store, page=page, at=at)


def count(store: Store, day: date = DAY):
    """Count a day, keep it, and return what was kept of it."""
    with store.writing() as transaction:
        transaction.tallies.keep(day, transaction.tallies.count(day), NOON)
        return {
            source_id: tallies[0]
            for source_id, tallies in transaction.tallies.since(day).items()
            if tallies[0].day == day
        }


def record(store: Store, source_id: int, *fetches) -> None:
    """Record attempts of a source."""
    with store.writing() as transaction:
        for fetch in fetches:
            transaction.fetches.record(replace(fetch, source_id=source_id))


def test_outcomes_and_polls_are_counted_apart(store, source_id):
    record(
        store,
        source_id,
        page_fetch("a", at=1, outcome=Outcome.BLOCKED_STATUS, reason="forbidden"),
        page_fetch("b", at=2, outcome=Outcome.BLOCKED_STATUS, reason="forbidden"),
        page_fetch("c", at=3, outcome=Outcome.UNCHANGED, reason="late"),
        page_fetch("d", at=4, outcome=Outcome.LISTED, kind=FetchKind.FEED),
        page_fetch("e", at=5, outcome=Outcome.NOT_MODIFIED, kind=FetchKind.SITEMAP),
        page_fetch("f", at=6, outcome=Outcome.REDIRECTED, kind=FetchKind.FEED),
        page_fetch("g", at=7, outcome=Outcome.HTTP_ERROR, kind=FetchKind.FEED),
        page_fetch("h", at=8, outcome=Outcome.LISTED, kind=FetchKind.ROBOTS),
        page_fetch("i", at=24 * 60, outcome=Outcome.LISTED, kind=FetchKind.FEED),
    )
    record(store, None, page_fetch("j", at=9, outcome=Outcome.LISTED, kind=FetchKind.FEED))
    tally = count(store)[source_id]
    assert tally.pages == {"blocked_status": 2, "unchanged": 1}
    assert tally.reasons == {"blocked_status": {"forbidden": 2}}
    assert (tally.healthy_polls, tally.failed_polls) == (2, 1)
    assert sum(tally.poll_hours) == 2
    assert tally.last_poll_at == minute(5)
    assert (tally.articles, tally.last_article_at, tally.versions) == (0, None, 0)


def test_a_day_ends_at_midnight_of_utc(store, source_id):
    record(store, source_id, *(page_fetch(str(at), at=at, outcome=Outcome.GONE) for at in (-721, -720, 719.99, 720)))
    assert count(store)[source_id].pages == {"gone": 2}
    assert count(store, DAY - timedelta(days=1))[source_id].pages == {"gone": 1}
    assert count(store, DAY + timedelta(days=1))[source_id].pages == {"gone": 1}


def test_articles_are_counted_by_their_first_version(store, source_id):
    ferry = watch(store, source_id, "ferry")
    ferry.see(FERRY, at=1)
    ferry.see(CORRECTED, at=61)
    bare = replace(FERRY, headline="", standfirst=None, authors=(), section=None, image_url=None, language=None)
    local = StatedTime(local="2026-03-02T07:30:00", raw="2 March", found_in="text")
    bare = replace(bare, published=local, body="Another text that nobody else has. " * 20)
    watch(store, source_id, "bare", at=70).see(bare, at=75)
    tally = count(store)[source_id]
    assert (tally.articles, tally.news, tally.versions, tally.entries) == (2, 2, 3, 2)
    assert tally.fields == dict.fromkeys(
        ("headline", "standfirst", "authors", "published_at", "section", "image_url"), 1
    )
    assert tally.unzoned == 1
    assert tally.hours[12] == 1 and tally.hours[13] == 1 and sum(tally.hours) == 2
    assert tally.entry_hours[12] == 1 and tally.entry_hours[13] == 1 and sum(tally.entry_hours) == 2
    assert tally.text_sum == len(FERRY.body) + len(bare.body)
    assert tally.text_lengths == (1, 0, 1, 0, 0, 0, 0)
    assert tally.access == {"metered": 2}
    assert tally.languages == {"en": 1}
    assert tally.last_article_at == minute(75)


def test_what_was_published_long_ago_is_no_news(store, source_id):
    old = replace(FERRY.published, instant=NOON - timedelta(days=30))
    watch(store, source_id, "old", at=0).see(replace(FERRY, published=old), at=1)
    # Without a date it is news if it was found lately.
    watch(store, source_id, "found", at=-60 * 48).see(replace(CUT, published=None), at=2)
    tally = count(store)[source_id]
    assert (tally.articles, tally.news) == (2, 0)


def test_counting_again_writes_only_what_is_new(store, source_id):
    record(store, source_id, page_fetch("a", at=1, outcome=Outcome.GONE))
    with store.writing() as transaction:
        assert transaction.tallies.keep(DAY, transaction.tallies.count(DAY), NOON) == 1
        assert transaction.tallies.keep(DAY, transaction.tallies.count(DAY), NOON) == 0
    record(store, source_id, page_fetch("b", at=2, outcome=Outcome.GONE))
    with store.writing() as transaction:
        assert transaction.tallies.keep(DAY, transaction.tallies.count(DAY), NOON) == 1
        assert transaction.tallies.since(DAY, [source_id])[source_id][0].pages == {"gone": 2}
        assert transaction.tallies.keep(DAY, {}, NOON) == 1
        assert transaction.tallies.since(DAY) == {}
        assert transaction.tallies.first_day() == DAY
