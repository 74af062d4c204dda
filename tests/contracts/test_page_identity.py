"""Which page's article a look is about when addresses redirect, and which pages are aliases."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import update

from storage.outcomes import Outcome
from storage.pages import Pages
from storage.records import CrawlScope
from storage.store import Store
from storage.tables import pages
from tests.contracts.news import CORRECTED, CUT, FERRY, Watcher, entry, minute, page_fetch, watch


def hops(name, *statuses, at):
    """Return the hops of a redirect: a permanent one where no statuses are given."""
    return tuple(
        page_fetch(f"{name}-hop-{number}", at=at, hop=number, outcome=Outcome.REDIRECTED, status=status)
        for number, status in enumerate(statuses or (301,))
    )


def through(page, article, target, *statuses, at, keep=True):
    """Record a look at a page that was redirected with those statuses."""
    name = f"{page.page.page_id}-{at}"
    before = hops(name, *statuses, at=at)
    return page.record(page.look(article, at=at, keep=keep, landed=entry(target), fetches_before=before))


def due(store, *, at):
    with store.reading() as transaction:
        pages = transaction.pages.to_fetch(CrawlScope(everything=True), now=minute(at), limit=10)
        unplanned = transaction.page_plans.unplanned(10)
    return sorted({page.page_id for page in (*pages, *unplanned)})


def page_at(store, path):
    with store.reading() as transaction:
        return transaction.pages.by_key(f"paper.example/{path}")


def test_a_page_that_redirects_becomes_an_alias_of_where_it_leads(store):
    old = watch(store, "old-ferry")
    look = old.look(FERRY, landed=entry("ferry"), fetches_before=hops("a", at=1))
    recorded = old.record(look)
    assert recorded.outcome is Outcome.CREATED
    alias = old.state()
    with store.reading() as transaction:
        primary = transaction.pages.by_key("paper.example/ferry")
        assert len(transaction.fetches.recent(10)) == 2
        assert [fetch.outcome for fetch in transaction.fetches.recent(10, page_id=primary.page_id)] == [Outcome.CREATED]
    assert alias.alias_of == primary.page_id
    assert (alias.last_outcome, alias.etag, alias.next_fetch_at) == (Outcome.REDIRECTED, None, None)
    assert alias.article_id == primary.article_id == recorded.article_id
    assert primary.etag is not None
    assert old.article().url == "http://paper.example/ferry"


def test_a_second_alias_of_a_known_article_makes_no_second_article(store):
    first = watch(store)
    first.see(FERRY)
    second = watch(store, "amp/ferry")
    second.at = 5
    recorded = second.record(second.look(FERRY, keep=False, landed=entry("ferry"), fetches_before=hops("b", at=6)))
    assert recorded.outcome is Outcome.UNCHANGED
    assert second.article().article_id == first.article().article_id
    assert first.versions()[0].last_seen_at == minute(6)


def test_an_article_keeps_its_page_when_that_begins_to_redirect(store):
    page = watch(store)
    page.see(FERRY)
    recorded = page.record(page.look(CORRECTED, landed=entry("ferry-2"), fetches_before=hops("c", at=2)))
    assert (recorded.outcome, recorded.version_number) == (Outcome.UPDATED, 2)
    assert page.state().alias_of is None


def test_an_article_that_moves_for_good_stays_one_and_is_watched_where_it_was(store):
    page = watch(store)
    page.see(FERRY)
    assert through(page, FERRY, "ferry-2", at=2, keep=False).outcome is Outcome.UNCHANGED
    moved = page_at(store, "ferry-2")
    assert (moved.alias_of, moved.article_id) == (page.page.page_id, page.article().article_id)
    # Only the page that has the article is planned, and as after any other look.
    assert due(store, at=9) == [page.page.page_id]
    assert (page.state().last_outcome, page.state().consecutive_failures) == (Outcome.UNCHANGED, 0)
    assert through(page, CORRECTED, "ferry-2", at=3).version_number == 2
    assert page.events() == ["created", "updated"]


def test_the_new_address_of_an_article_that_moved_shows_that_article(store):
    page = watch(store)
    page.see(FERRY)
    through(page, FERRY, "ferry-2", at=2)
    new = Watcher(store=store, page=page_at(store, "ferry-2"), at=2)
    for state, outcome in ((FERRY, Outcome.UNCHANGED), (CORRECTED, Outcome.UPDATED), (CORRECTED, Outcome.UNCHANGED)):
        recorded = new.see(state)
        assert (recorded.outcome, recorded.article_id) == (outcome, page.article().article_id)
    assert new.state().alias_of == page.page.page_id
    assert page.events() == ["created", "updated"]


def test_aliases_of_the_new_address_become_aliases_of_the_article_that_moved(store):
    page, other = watch(store), watch(store, "other")
    # The other page led to the new address before there was an article.
    new = watch(store, "ferry-2")
    with store.writing() as transaction:
        transaction.pages._connection.execute(
            update(pages).where(pages.c.id == other.page.page_id).values(alias_of=new.page.page_id)
        )
    page.see(FERRY)
    through(page, FERRY, "ferry-2", at=2)
    assert new.state().alias_of == other.state().alias_of == page.page.page_id


@pytest.mark.parametrize("statuses", [(302,), (303,), (307,), (301, 302), (302, 308)])
def test_a_redirect_that_may_end_makes_no_alias(store, statuses):
    stories = [watch(store, f"story-{number}") for number in range(3)]
    for at, story in enumerate(stories, start=1):
        assert through(story, CUT, "notice", *statuses, at=at).outcome is Outcome.CREATED
        state = story.state()
        assert (state.alias_of, state.last_outcome) == (None, Outcome.CREATED)
        # The notice's validators would say nothing of the story.
        assert (state.landed_url, state.asked_url) == (entry("notice").url, state.url)
    assert due(store, at=9) == [story.page.page_id for story in stories]
    assert page_at(store, "notice") is None
    assert stories[0].see(FERRY).outcome is Outcome.UPDATED
    assert stories[0].article().content == FERRY


@pytest.mark.parametrize("statuses", [(301,), (308,), (301, 308)])
def test_a_redirect_for_good_makes_an_alias(store, statuses):
    old = watch(store, "old")
    through(old, FERRY, "ferry", *statuses, at=1)
    assert old.state().alias_of == page_at(store, "ferry").page_id


def test_what_is_known_as_another_pages_article_is_not_archived_twice(store):
    first, short = watch(store), watch(store, "s/1")
    first.see(FERRY)
    for at in (2, 3):
        recorded = through(short, FERRY, "ferry", 302, at=at, keep=False)
        assert (recorded.outcome, recorded.article_id) == (Outcome.UNCHANGED, first.article().article_id)
        state = short.state()
        assert (state.alias_of, state.article_id, state.last_outcome) == (None, None, Outcome.REDIRECTED)
    # It is asked again, for it may show its own article one day, but less and less often.
    assert short.state().consecutive_failures == 2
    assert short.see(CUT).outcome is Outcome.CREATED


def test_an_alias_stays_one_when_its_redirect_leads_to_the_same_page_for_now(store):
    old = watch(store, "old")
    through(old, FERRY, "ferry", 301, at=1)
    assert through(old, CORRECTED, "ferry", 302, at=2).version_number == 2
    assert old.state().alias_of == page_at(store, "ferry").page_id
    assert old.events() == ["created", "updated"]


@pytest.mark.parametrize("status", [301, 302])
def test_two_articles_are_not_made_one_by_a_redirect(store, status):
    first, second = watch(store, "a"), watch(store, "b")
    first.see(FERRY)
    second.see(CUT, at=2)
    for at in (3, 4):
        recorded = through(first, CUT, "b", status, at=at, keep=False)
        assert (recorded.outcome, recorded.article_id) == (Outcome.UNCHANGED, second.article().article_id)
    assert first.article().content == FERRY
    state = first.state()
    assert (state.alias_of, state.last_outcome, state.consecutive_failures) == (None, Outcome.REDIRECTED, 2)


def test_a_redirect_that_leads_to_an_error_makes_no_alias(store):
    page = watch(store)
    page.get(Outcome.MISSING, landed=entry("nowhere"), fetches_before=hops("d", at=1))
    assert page.state().alias_of is None
    assert page.state().last_outcome is Outcome.MISSING
    with store.reading() as transaction:
        assert transaction.pages.by_key("paper.example/nowhere") is None


def test_aliases_point_at_the_primary_page_and_never_at_another_alias(store):
    first, second = watch(store, "a"), watch(store, "b")
    first.record(first.look(FERRY, landed=entry("b")))
    second.at = 1
    # The article belongs to b, so b stays its page though it now redirects to a page without one.
    second.record(second.look(FERRY, keep=False, landed=entry("c")))
    assert first.state().alias_of == second.page.page_id
    assert second.state().alias_of is None
    # And a landing on an alias is a landing on its primary page.
    third = watch(store, "d")
    third.at = 5
    assert third.record(third.look(FERRY, keep=False, landed=entry("a"))).outcome is Outcome.UNCHANGED
    assert third.state().alias_of == second.page.page_id


def test_a_page_that_shows_another_article_itself_is_no_alias_any_more(store):
    page = watch(store, "old-ferry")
    page.record(page.look(FERRY, landed=entry("ferry")))
    assert page.see(replace(CUT, headline="A whale at the lighthouse")).outcome is Outcome.CREATED
    assert page.state().alias_of is None


def test_a_look_that_asks_for_its_capture_leaves_no_page_behind(store):
    page = watch(store, "old-ferry")
    assert page.record(page.look(FERRY, keep=False, landed=entry("ferry"))).needs_capture
    assert page.state().alias_of is None
    with store.reading() as transaction:
        assert transaction.pages.by_key("paper.example/ferry") is None


# Two processes at once


@pytest.fixture
def postgres_store(postgres, postgres_template):
    url = postgres.create(template=postgres_template)
    with Store.open(url) as opened:
        yield opened
    postgres.drop(url)


def test_a_page_that_becomes_an_alias_meanwhile_is_followed_to_its_end(postgres_store, monkeypatch):
    """While one process finds that a leads to b, another one records that b leads to c."""
    a, b = watch(postgres_store, "a"), watch(postgres_store, "b")
    ensure = Pages.ensure

    def ensure_and_be_overtaken(self, source_id, link, now, due):
        page = ensure(self, source_id, link, now, due)
        if link.url_key.endswith("/b"):
            other = threading.Thread(target=through, args=(b, FERRY, "c"), kwargs={"at": 1})
            other.start()
            other.join()
        return page

    monkeypatch.setattr(Pages, "ensure", ensure_and_be_overtaken)
    assert through(a, FERRY, "b", at=2, keep=False).outcome is Outcome.UNCHANGED
    primary = page_at(postgres_store, "c")
    assert a.state().alias_of == b.state().alias_of == primary.page_id
    assert (primary.alias_of, a.events()) == (None, ["created"])


# Pages that name another one as the address of their article


def naming(page, article, target, *, at, keep=False):
    """Record a look at a page that names another as its primary page."""
    return page.record(page.look(article, at=at, keep=keep, primary=entry(target), primary_reason="amp"))


def at_page(store, path, at=0.0):
    """Return a watcher of a page that is there already."""
    return Watcher(store=store, page=page_at(store, path), at=at)


def test_a_page_that_names_another_waits_for_its_article(store):
    amp = watch(store, "amp/ferry")
    recorded = naming(amp, FERRY, "ferry", at=1)
    primary = page_at(store, "ferry")
    assert (recorded.outcome, recorded.reason, recorded.primary_page_id) == (
        Outcome.REDIRECTED,
        "amp",
        primary.page_id,
    )
    assert (recorded.article_id, amp.article()) == (None, None)
    assert amp.state().alias_of == primary.page_id
    assert due(store, at=1) == [primary.page_id]
    with store.reading() as transaction:
        fetch = transaction.fetches.recent(1)[0]
    assert (fetch.outcome, fetch.reason, fetch.location) == (Outcome.REDIRECTED, "amp", "http://paper.example/ferry")
    at_page(store, "ferry").see(FERRY, at=2)
    assert amp.article().url == "http://paper.example/ferry"
    assert amp.events() == ["created"]


@pytest.mark.parametrize(
    "outcome", [Outcome.MISSING, Outcome.NOT_ARTICLE, Outcome.SCRIPT_SHELL, Outcome.LOGIN_WALL, Outcome.SOFT_404]
)
def test_a_page_whose_named_address_has_no_article_is_due_again_and_stands_alone(store, outcome):
    amp = watch(store, "amp/ferry")
    naming(amp, FERRY, "ferry", at=1)
    recorded = at_page(store, "ferry").get(outcome, at=2)
    assert recorded.released_page_ids == (amp.page.page_id,)
    assert amp.state().alias_of is None
    assert amp.page.page_id in due(store, at=2)
    assert naming(amp, FERRY, "ferry", at=3).primary_refused
    assert amp.see(FERRY, at=3).outcome is Outcome.CREATED


def test_a_page_waits_for_an_address_that_fails_a_few_times_only(store):
    amp = watch(store, "amp/ferry")
    naming(amp, FERRY, "ferry", at=1)
    primary = at_page(store, "ferry", at=1)
    released = [primary.get(Outcome.TIMEOUT).released_page_ids for _ in range(3)]
    assert released == [(), (), (amp.page.page_id,)]


def test_a_page_that_names_another_story_stands_alone_once_that_is_read(store):
    other = replace(FERRY, headline="A whale at the lighthouse", body="A whale was seen. " * 9)
    page = watch(store, "amp/whale")
    naming(page, other, "ferry", at=1)
    recorded = at_page(store, "ferry").see(FERRY, at=2)
    assert recorded.outcome is Outcome.CREATED
    assert recorded.released_page_ids == (page.page.page_id,)
    assert page.see(other, at=3).outcome is Outcome.CREATED
    again = watch(store, "amp/whale-2")
    assert naming(again, other, "ferry", at=4).primary_refused
    assert again.state().alias_of is None
    assert page_at(store, "ferry").article_id is not None


def test_a_refusal_leaves_no_trace_of_the_page_that_was_named(store):
    page = watch(store)
    page.see(FERRY, at=1)
    assert naming(page, FERRY, "ferry-2", at=2).primary_refused
    assert page_at(store, "ferry-2") is None
    with store.reading() as transaction:
        assert len(transaction.fetches.recent(10)) == 1


def test_an_address_that_pages_with_many_headlines_name_is_the_templates(store):
    watchers = [watch(store, f"story-{number}") for number in range(4)]
    answers = [
        naming(page, replace(FERRY, headline=f"Story {number}"), "latest", at=number + 1)
        for number, page in enumerate(watchers)
    ]
    assert [answer.primary_refused for answer in answers] == [False, False, False, True]


def test_many_variants_of_one_story_name_its_address(store):
    watchers = [watch(store, f"form-{number}") for number in range(5)]
    assert not any(naming(page, FERRY, "ferry", at=at + 1).primary_refused for at, page in enumerate(watchers))


def test_pages_that_name_each_other_in_turn_end_somewhere(store):
    first = watch(store, "one")
    naming(first, FERRY, "two", at=1)
    assert naming(at_page(store, "two"), FERRY, "one", at=2).primary_refused
    second = at_page(store, "two")
    assert second.see(FERRY, at=2).outcome is Outcome.CREATED
    assert first.state().alias_of == second.page.page_id


def test_a_chain_of_names_is_followed_twice(store):
    naming(watch(store, "one"), FERRY, "two", at=1)
    assert not naming(at_page(store, "two"), FERRY, "three", at=2).primary_refused
    assert naming(at_page(store, "three"), FERRY, "four", at=3).primary_refused
    at_page(store, "three").see(FERRY, at=3)
    found = {page_at(store, path).article_id for path in ("one", "two", "three")}
    assert len(found) == 1
    assert None not in found


def test_recording_a_name_twice_changes_nothing(store):
    amp = watch(store, "amp/ferry")
    look = amp.look(FERRY, at=1, keep=False, primary=entry("ferry"), primary_reason="amp")
    amp.record(look)
    before = amp.state()
    assert amp.record(look).outcome is Outcome.REDIRECTED
    assert amp.state() == before


def test_an_alias_that_lives_takes_over_the_article_of_a_page_that_is_gone(store):
    page = watch(store)
    page.see(FERRY, at=1)
    amp, other = watch(store, "amp/ferry"), watch(store, "print/ferry")
    naming(amp, FERRY, "ferry", at=2)
    naming(other, FERRY, "ferry", at=3)
    page.get(Outcome.MISSING, at=10)
    page.get(Outcome.MISSING, at=100)
    recorded = naming(amp, FERRY, "ferry", at=110)
    assert (recorded.outcome, recorded.version_number) == (Outcome.UNCHANGED, 1)
    assert page.events() == ["created", "gone", "restored"]
    assert amp.article().url == "http://paper.example/amp/ferry"
    assert page.state().alias_of == other.state().alias_of == amp.page.page_id
    assert amp.state().alias_of is None
    assert due(store, at=111) == [amp.page.page_id]


def test_an_alias_does_not_take_over_an_article_that_is_missing_for_the_first_time(store):
    page = watch(store)
    page.see(FERRY, at=1)
    amp = watch(store, "amp/ferry")
    page.get(Outcome.MISSING, at=10)
    assert naming(amp, FERRY, "ferry", at=11).outcome is Outcome.REDIRECTED
    assert amp.state().alias_of == page.page.page_id


def test_pages_that_wait_for_one_address_are_few(store):
    for number in range(50):
        assert not naming(watch(store, f"form-{number}"), FERRY, "ferry", at=number + 1).primary_refused
    assert naming(watch(store, "form-50"), FERRY, "ferry", at=51).primary_refused
    at_page(store, "ferry").see(FERRY, at=52)
    assert not naming(watch(store, "form-51"), FERRY, "ferry", at=53).primary_refused
