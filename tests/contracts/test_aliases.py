"""Pages that another one stands for: what becomes of them when that is gone, returns, or is refused for a while."""

from dataclasses import replace

import pytest

from storage.outcomes import Outcome
from storage.records import CrawlScope, PageLook
from tests.contracts.news import CUT, EXTRACTOR, FERRY, entry, minute, page_fetch, put_off, watch
from tests.contracts.test_page_identity import at_page, due, naming, page_at, through

OTHER = replace(FERRY, headline="A whale at the lighthouse", body="A whale was seen. " * 9)


def gone(page, *, at):
    """Let a page be missing twice, so that its article is gone."""
    page.get(Outcome.MISSING, at=at)
    assert page.get(Outcome.MISSING, at=at + 60).outcome is Outcome.GONE


def wanted(store, scope, *, at):
    with store.reading() as transaction:
        found = transaction.pages.to_fetch(scope, now=minute(at), named_since=minute(at), limit=10)
        assert transaction.pages.count_to_fetch(scope, now=minute(at), named_since=minute(at)) == len(found)
    return [page.page_id for page in found]


def plan(page, *, at):
    with page.store.writing() as transaction:
        put_off(transaction, {page.page.page_id: minute(at)})


def refused(page, outcome, reason, *, at):
    fetch = page_fetch(f"r{at}", at=at, outcome=outcome, reason=reason, status=None, page_id=page.page.page_id)
    return page.record(PageLook(page_id=page.page.page_id, fetch=fetch, extractor=EXTRACTOR)).released_page_ids


# Whose page is gone


def test_the_aliases_of_an_article_that_is_gone_are_asked_once(store):
    page, amp, short = watch(store), watch(store, "amp/ferry"), watch(store, "s/1")
    page.see(FERRY, at=1)
    naming(amp, FERRY, "ferry", at=2)
    through(short, FERRY, "ferry", 301, at=3, keep=False)
    page.get(Outcome.MISSING, at=10)
    plan(page, at=1000)
    everything, source = CrawlScope(everything=True), CrawlScope(source_ids=frozenset({page.page.source_id}))
    assert wanted(store, everything, at=71) == []
    gone(page, at=11)
    plan(page, at=1000)
    aliases = [amp.page.page_id, short.page.page_id]
    for scope in (everything, source, CrawlScope(page_ids=frozenset({page.page.page_id}))):
        assert wanted(store, scope, at=71)[-2:] == aliases
    for alias in (amp, short):
        alias.get(Outcome.MISSING, at=72)
    assert wanted(store, everything, at=999) == []
    assert page.events() == ["created", "gone"]


def test_the_aliases_that_a_feed_listed_are_asked_when_their_article_is_gone(store):
    page, amp = watch(store), watch(store, "amp/ferry")
    with store.writing() as transaction:
        feed = transaction.feeds.ensure(page.page.source_id, "http://paper.example/feed", minute(0))
        transaction.feeds.record_entries(feed.feed_id, page.page.source_id, [entry("ferry")], minute(0))
    page.see(FERRY, at=1)
    naming(amp, FERRY, "ferry", at=2)
    gone(page, at=10)
    plan(page, at=1000)
    assert wanted(store, CrawlScope(feed_ids=frozenset({feed.feed_id})), at=71) == [amp.page.page_id]


def test_an_alias_that_could_not_be_reached_is_asked_again_with_its_primary_page_but_not_for_ever(store):
    page, amp = watch(store), watch(store, "amp/ferry")
    page.see(FERRY, at=1)
    naming(amp, FERRY, "ferry", at=2)
    gone(page, at=10)
    asked = 0
    for at in range(100, 700, 100):
        plan(page, at=1000)
        if wanted(store, CrawlScope(everything=True), at=at) == [amp.page.page_id]:
            amp.get(Outcome.TIMEOUT, at=at)
            asked += 1
        page.get(Outcome.MISSING, at=at + 1)
    assert asked == 3


@pytest.mark.parametrize("status", [None, 302, 301])
def test_a_redirect_alias_that_shows_the_article_of_a_page_that_is_gone_takes_it_over(store, status):
    old = watch(store, "old")
    through(old, FERRY, "ferry", 301, at=1)
    gone(at_page(store, "ferry"), at=10)
    recorded = old.see(FERRY, at=110) if status is None else through(old, FERRY, "elsewhere", status, at=110)
    assert (recorded.outcome, recorded.reason, recorded.version_number) == (Outcome.UNCHANGED, "restored", 1)
    assert old.events() == ["created", "gone", "restored"]
    primary = page_at(store, "elsewhere" if status == 301 else "old")
    assert primary.alias_of is None
    assert page_at(store, "ferry").alias_of == primary.page_id
    assert old.state().alias_of == (primary.page_id if status == 301 else None)
    assert len(old.versions()) == 1
    assert due(store, at=111) == [primary.page_id]


def test_an_alias_that_another_one_leads_to_takes_over_the_article_of_a_page_that_is_gone(store):
    page, amp, short = watch(store), watch(store, "amp/ferry"), watch(store, "s/1")
    page.see(FERRY, at=1)
    naming(amp, FERRY, "ferry", at=2)
    through(short, FERRY, "ferry", 301, at=3, keep=False)
    gone(page, at=10)
    assert through(short, FERRY, "amp/ferry", 301, at=80, keep=False).reason == "restored"
    assert amp.state().alias_of is None
    assert page.state().alias_of == short.state().alias_of == amp.page.page_id


def test_an_alias_that_an_article_moved_to_takes_it_over_when_the_old_address_is_gone(store):
    page = watch(store)
    page.see(FERRY, at=1)
    through(page, FERRY, "ferry-2", 301, at=2, keep=False)
    gone(page, at=10)
    new = at_page(store, "ferry-2")
    assert new.see(FERRY, at=80, keep=False).reason == "restored"
    assert page.state().alias_of == new.page.page_id
    assert due(store, at=90) == [new.page.page_id]


def test_an_alias_that_shows_another_story_stands_alone_though_its_article_is_gone(store):
    old = watch(store, "old")
    through(old, FERRY, "ferry", 301, at=1)
    gone(at_page(store, "ferry"), at=10)
    assert old.see(OTHER, at=110).outcome is Outcome.CREATED
    assert old.state().alias_of is None
    assert old.events() == ["created", "gone", "created"]


def test_an_alias_that_names_an_address_without_an_article_takes_over_what_it_stood_for(store):
    page, amp = watch(store), watch(store, "amp/ferry")
    page.see(FERRY, at=1)
    naming(amp, FERRY, "ferry", at=2)
    gone(page, at=10)
    assert naming(amp, FERRY, "ferry-renamed", at=80).reason == "restored"
    assert page.state().alias_of == amp.page.page_id


@pytest.mark.parametrize("status", [None, 302, 301])
def test_an_alias_that_shows_the_article_of_a_live_page_stays_one_and_makes_no_version(store, status):
    old = watch(store, "old")
    through(old, FERRY, "ferry", 301, at=1)
    primary = page_at(store, "ferry")
    recorded = old.see(CUT, at=10) if status is None else through(old, CUT, "elsewhere", status, at=10)
    assert (recorded.outcome, recorded.reason) == (Outcome.REDIRECTED, "alias")
    assert (recorded.primary_page_id, recorded.article_id) == (primary.page_id, primary.article_id)
    assert old.state().alias_of == primary.page_id
    # What belongs to the alias's address says nothing of the primary page's.
    assert page_at(store, "ferry") == primary
    assert old.events() == ["created"]
    if status == 301:
        assert page_at(store, "elsewhere").alias_of == primary.page_id


def test_the_old_primary_page_that_returns_is_an_alias_of_what_took_over(store):
    page, amp = watch(store), watch(store, "amp/ferry")
    page.see(FERRY, at=1)
    naming(amp, FERRY, "ferry", at=2)
    gone(page, at=10)
    naming(amp, FERRY, "ferry", at=80)
    for at in (90, 100):
        assert page.see(FERRY, at=at).outcome is Outcome.REDIRECTED
        assert page.state().alias_of == amp.page.page_id
    # And it takes the article back when that is gone where it went; nothing it saw before stands in the way.
    gone(amp, at=110)
    assert (page.state().seen_capture_id, page.state().body_digest) == (None, None)
    assert page.page.page_id in due(store, at=171)
    assert page.see(FERRY, at=172).reason == "restored"
    assert amp.state().alias_of == page.page.page_id
    assert page.events() == ["created", "gone", "restored", "gone", "restored"]


# Refusals that pass


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome.BLOCKED_ROBOTS, "robots_unreachable"),
        (Outcome.BLOCKED_STATUS, "status_403"),
        (Outcome.BLOCKED_ADDRESS, "internal_address"),
        (Outcome.BOT_CHECK, "challenge"),
    ],
)
def test_a_refusal_that_may_pass_ends_the_wait_only_the_third_time(store, outcome, reason):
    amp = watch(store, "amp/ferry")
    naming(amp, FERRY, "ferry", at=1)
    primary = at_page(store, "ferry", at=1)
    assert refused(primary, outcome, reason, at=2) == ()
    # Asked meanwhile, the page waits all the same.
    assert not naming(amp, FERRY, "ferry", at=3).primary_refused
    assert refused(primary, outcome, reason, at=4) == ()
    assert refused(primary, outcome, reason, at=5) == (amp.page.page_id,)


def test_an_article_is_one_when_its_page_was_refused_once(store):
    amp = watch(store, "amp/ferry")
    naming(amp, FERRY, "ferry", at=1)
    primary = at_page(store, "ferry", at=1)
    refused(primary, Outcome.BLOCKED_ROBOTS, "robots_unreachable", at=2)
    primary.see(FERRY, at=15)
    assert amp.article() == primary.article()
    assert amp.events() == ["created"]


@pytest.mark.parametrize("reason", ["disallowed", "noarchive"])
def test_what_the_publisher_forbids_ends_the_wait_at_once(store, reason):
    amp, other = watch(store, "amp/ferry"), watch(store, "print/ferry")
    naming(amp, FERRY, "ferry", at=1)
    primary = at_page(store, "ferry", at=1)
    assert refused(primary, Outcome.BLOCKED_ROBOTS, reason, at=2) == (amp.page.page_id,)
    # Whether it is forbidden still is asked for the sake of the next page that names it.
    naming(other, FERRY, "ferry", at=3)
    assert primary.page.page_id in due(store, at=3)
    assert refused(primary, Outcome.BLOCKED_ROBOTS, reason, at=4) == (other.page.page_id,)


def test_a_name_that_was_refused_is_believed_once_the_article_is_there(store):
    amp = watch(store, "amp/ferry")
    naming(amp, FERRY, "ferry", at=1)
    primary = at_page(store, "ferry", at=1)
    primary.get(Outcome.MISSING, at=2)
    assert naming(amp, FERRY, "ferry", at=3).primary_refused
    amp.get(Outcome.TIMEOUT, at=3)
    primary.see(FERRY, at=4)
    assert naming(amp, FERRY, "ferry", at=5).primary_page_id == primary.page.page_id
    assert amp.article() == primary.article()
    # From now on it is an alias like any other.
    assert naming(amp, FERRY, "ferry-2", at=6).primary_page_id == page_at(store, "ferry-2").page_id
