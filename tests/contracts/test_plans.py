"""What the planner makes of looks and hints, and keeps."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from crawler.runner import SourceBook
from scheduler import planner
from scheduler.planner import FIRST_TRUST, PagePlanner
from scheduler.recrawl import Habits
from scheduler.recrawl.account import Account
from scheduler.recrawl.plan import Plan
from scheduler.rule_book import PlanSettings
from storage.errors import DatabaseBusy
from storage.model import FeedKind, NextReason, Source
from storage.outcomes import Outcome
from storage.plan_records import Learnt, PagePlan
from storage.records import CrawlScope
from storage.tables import pages
from tests.contracts.news import CORRECTED, FERRY, NOON, Watcher, entry, minute, put_off, watch

HOST = "paper.example"
HOUR, DAY = 60, 24 * 60


@pytest.fixture
def paper(store):
    """A configured source."""
    with store.writing() as transaction:
        transaction.sources.sync([Source(slug="paper")], NOON)
        return transaction.sources.by_slug("paper")


@pytest.fixture
def page(store, paper):
    """A page that is watched."""
    return watch(store, source="paper")


def plans(store, **settings) -> PagePlanner:
    """Return a planner as the service begins with."""
    return PagePlanner(store, SourceBook(store), PlanSettings(**settings))


def history(store, page):
    with store.reading() as transaction:
        return transaction.page_plans.histories([page.page.page_id])[page.page.page_id]


def habits(store, host=HOST) -> Habits:
    with store.reading() as transaction:
        return Habits.from_json(transaction.host_habits.of([host]).get(host))


def price_elsewhere(transaction, price, now):
    """Have other hosts spend what is asked at this price of a fetch, so that it is the price of all."""
    spent = Account(articles=1e6, refetches=6e6, logs_of_price=1e6 * math.log(price))
    others = Habits(accounts={"plan": spent}, learnt_at=now)
    transaction.host_habits.put({"elsewhere.example": others.to_json()}, now)


def hint(store, paper, changed, *, at, path="ferry"):
    """Have a sitemap say that a page was changed so many minutes after noon."""
    with store.writing() as transaction:
        feed = transaction.feeds.ensure(paper.source_id, "http://paper.example/map.xml", NOON, FeedKind.SITEMAP)
        entries = [entry(path, updated_at=minute(changed))]
        transaction.feeds.record_entries(feed.feed_id, paper.source_id, entries, minute(at))


# What is kept


def test_a_plan_is_kept_with_what_was_learnt_for_it(store, page):
    page.see(FERRY, at=1)
    learnt = Learnt(
        until=minute(1), changes=0, rate_alpha=1.5, rate_beta=0.25, interval_seconds=3600.0, hinted_at=minute(3)
    )
    plan = PagePlan(page_id=page.page.page_id, at=minute(90), reason=NextReason.GEOMETRIC, learnt=learnt)
    with store.writing() as transaction:
        transaction.page_plans.put([plan])
    found = history(store, page)
    assert (found.next_fetch_at, found.next_fetch_reason, found.watch_ended) == (minute(90), "geometric", False)
    assert (found.learnt_until, found.rate_alpha, found.rate_beta) == (minute(1), 1.5, 0.25)
    assert (found.interval_seconds, found.hinted_at) == (3600.0, minute(3))
    with store.writing() as transaction:
        transaction.page_plans.put([replace(plan, at=None, reason=NextReason.RELEASED, learnt=None)])
    found = history(store, page)
    assert (found.next_fetch_at, found.next_fetch_reason, found.watch_ended) == (None, "released", True)
    assert found.rate_alpha == 1.5


def test_what_is_known_of_hosts_is_kept_by_host(store):
    with store.writing() as transaction:
        assert transaction.host_habits.lock(["b.example", "a.example"], NOON) == {"a.example": {}, "b.example": {}}
        transaction.host_habits.put({"a.example": {"looks": 1.5}, "b.example": {"looks": 2.0}}, NOON)
        transaction.host_habits.put({"a.example": {"looks": 3.1, "ä": [0.1]}}, minute(1))
    with store.reading() as transaction:
        assert transaction.host_habits.all() == {"a.example": {"looks": 3.1, "ä": [0.1]}, "b.example": {"looks": 2.0}}
        assert transaction.host_habits.of(["b.example", "c.example"]) == {"b.example": {"looks": 2.0}}


# Planning


def test_every_page_gets_a_time_and_a_reason_once(store, paper, page):
    page.see(FERRY, at=1)
    for path, outcome in (("hub", Outcome.NOT_ARTICLE), ("down", Outcome.TIMEOUT)):
        watch(store, path, source="paper").get(outcome, at=1)
    planner = plans(store)
    assert planner.plan(minute(2)) == 3
    assert planner.plan(minute(2)) == 0
    with store.reading() as transaction:
        reasons = {
            found.url_key: transaction.page_plans.histories([found.page_id])[found.page_id].next_fetch_reason
            for found in (transaction.pages.by_key(f"paper.example/{path}") for path in ("ferry", "hub", "down"))
        }
    assert reasons == {
        "paper.example/ferry": "plan",
        "paper.example/hub": "not_article",
        "paper.example/down": "retry",
    }
    assert page.state().next_fetch_at > minute(6)


def test_looks_teach_once_however_often_is_planned(store, page):
    page.see(FERRY, at=1)
    plans(store).plan(minute(2))
    page.see(CORRECTED, at=60)
    plans(store).plan(minute(61))
    once, known = history(store, page), habits(store)
    assert once.rate_alpha > 0 and once.rate_beta > 0
    assert (once.learnt_until, once.learnt_changes) == (minute(60), 1)
    assert known.looks == 1 and sum(known.events) > 0
    with store.writing() as transaction:
        transaction._connection.execute(pages.update().values(next_fetch_at=None))
    plans(store).plan(minute(62))
    again = history(store, page)
    assert (again.rate_alpha, again.rate_beta) == (once.rate_alpha, once.rate_beta)
    assert habits(store) == known


def test_two_looks_between_two_plans_teach_as_one_that_covers_both(store, page):
    page.see(FERRY, at=1)
    plans(store).plan(minute(2))
    page.see(CORRECTED, at=60)
    page.see(CORRECTED, at=90)
    plans(store).plan(minute(91))
    found = history(store, page)
    assert (found.learnt_until, found.learnt_changes, habits(store).looks) == (minute(90), 1, 1)


def test_a_look_that_waits_for_a_second_one_is_learnt_of_with_it(store, page):
    page.see(FERRY, at=1)
    plans(store).plan(minute(2))
    page.see(replace(FERRY, authors=(), byline=None), at=60)
    plans(store).plan(minute(61))
    assert history(store, page).next_fetch_reason == "second_look"
    assert habits(store).looks == 0
    page.see(replace(FERRY, authors=(), byline=None), at=70)
    plans(store).plan(minute(71))
    found = history(store, page)
    assert (found.learnt_until, found.learnt_changes, habits(store).looks) == (minute(70), 1, 1)


def test_what_changed_while_it_was_thought_over_is_left_for_later(store, page, monkeypatch):
    page.see(FERRY, at=1)
    plans(store).plan(minute(2))
    page.see(FERRY, at=60)
    other = watch(store, "other", source="paper")
    other.get(Outcome.TIMEOUT, at=60)
    write, meanwhile = PagePlanner._write, [CORRECTED]

    def write_late(self, part, now):
        if meanwhile:
            page.see(meanwhile.pop(), at=61)
        write(self, part, now)

    monkeypatch.setattr(PagePlanner, "_write", write_late)
    assert plans(store).plan(minute(62)) == 2, "it is tried again"
    found = history(store, page)
    assert (found.learnt_until, found.learnt_changes) == (minute(61), 1)
    assert habits(store).looks == 1, "what was not written is not learnt of either"


def test_a_host_that_another_process_learnt_of_is_left_for_later(store, page, monkeypatch):
    page.see(FERRY, at=1)
    plans(store).plan(minute(2))
    page.see(FERRY, at=60)
    write, meanwhile = PagePlanner._write, ["once"]

    def write_late(self, part, now):
        if meanwhile:
            meanwhile.pop()
            with store.writing() as transaction:
                transaction.host_habits.put({HOST: Habits(looks=7.0, learnt_at=minute(60)).to_json()}, now)
        write(self, part, now)

    monkeypatch.setattr(PagePlanner, "_write", write_late)
    assert plans(store).plan(minute(61)) == 1
    assert habits(store).looks == 8


@pytest.mark.parametrize("what", ["the page", "its host"])
def test_a_look_whose_plan_is_thrown_away_is_paid_once_all_the_same(store, page, monkeypatch, what):
    """The rule's budget is charged for a fetch in the plan that follows it, which something else may make void.

    What is expected of an article is left out of the account here, so that it holds nothing but fetches.
    """
    monkeypatch.setattr(Plan, "expected_looks", lambda *_: 0.0)
    monkeypatch.setattr(planner, "REPLANS_A_RUN", 0)
    page.see(FERRY, at=1)
    plans(store).plan(minute(2))
    due = (page.state().next_fetch_at - NOON) / timedelta(minutes=1)
    page.get(Outcome.TIMEOUT, at=due + 1)
    write, drafts = PagePlanner._write, []

    def write_late(self, part, now):
        drafts.extend(part.drafts)
        if len(drafts) == 1 and what == "the page":
            page.see(FERRY, at=due + 11)
        elif len(drafts) == 1:
            with store.writing() as transaction:
                known = Habits.from_json(transaction.host_habits.of([HOST]).get(HOST))
                spent = known.account("plan").charged(4)
                other = replace(known.with_account("plan", spent), hints=known.hints + 1)
                transaction.host_habits.put({HOST: other.to_json()}, now)
        write(self, part, now)

    monkeypatch.setattr(PagePlanner, "_write", write_late)
    assert plans(store).plan(minute(due + 12)) == 1
    assert len(drafts) == 2, "one was thrown away"
    paid = 1 if what == "the page" else 5
    assert habits(store).account("plan").refetches == pytest.approx(paid, abs=0.1)
    plans(store).plan(minute(due + 13))
    assert habits(store).account("plan").refetches == pytest.approx(paid, abs=0.1)


def test_a_page_that_is_paused_while_it_is_thought_over_stays_without_a_plan(store, page, monkeypatch):
    page.see(FERRY, at=1)
    write = PagePlanner._write

    def write_late(self, part, now):
        with store.writing() as transaction:
            transaction._connection.execute(pages.update().values(paused=True))
        write(self, part, now)

    monkeypatch.setattr(PagePlanner, "_write", write_late)
    assert plans(store).plan(minute(3)) == 0
    assert page.state().next_fetch_at is None


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_rule_that_fails_costs_one_page_its_plan_for_a_day_and_no_other(store, page, monkeypatch):
    page.see(FERRY, at=1)
    other = watch(store, "other", source="paper")
    other.get(Outcome.TIMEOUT, at=1)
    monkeypatch.setattr(planner, "learn_looks", lambda *_, **__: 1 // 0)
    assert plans(store).plan(minute(2)) == 2
    assert page.state().next_fetch_at == minute(2 + DAY)
    assert other.state().next_fetch_at == minute(11)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_what_could_not_be_written_because_of_others_is_owed(store, page, monkeypatch):
    page.see(FERRY, at=1)
    service = plans(store)

    def busy():
        raise DatabaseBusy("the database", "is locked", "try again")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(store, "writing", busy)
        assert service.plan(minute(2)) == 0
    assert service.plan(minute(3)) == 1
    assert page.state().next_fetch_at is not None


def test_more_pages_than_one_slice_are_planned(store, paper, monkeypatch):
    monkeypatch.setattr(planner, "SLICE", 2)
    watched = [watch(store, f"story-{number}", source="paper") for number in range(5)]
    for number, page in enumerate(watched):
        page.get(Outcome.TIMEOUT, at=1 + number)
    assert plans(store).plan(minute(10)) == 5
    assert all(page.state().next_fetch_at is not None for page in watched)


# Rules


@pytest.mark.parametrize("hours", [1, 3, 24])
def test_all_looks_of_a_short_watch_come_within_it(store, page, hours):
    short = {"watch_for": timedelta(hours=hours), "refetches_per_article": 4}
    page.see(replace(FERRY, published=None), at=1)
    looks, at = 0, 2
    plans(store, **short).plan(minute(at))
    while (due := page.state().next_fetch_at) is not None:
        assert minute(at) <= due <= minute(hours * HOUR)
        looks, at = looks + 1, (due - NOON) / timedelta(minutes=1) + 1
        page.see(replace(FERRY, published=None), at=at)
        plans(store, **short).plan(minute(at + 0.5))
    assert 1 <= looks <= 8
    assert history(store, page).next_fetch_reason in ("finished", "released")
    assert habits(store).account("plan").refetches == pytest.approx(looks, rel=0.1)


def test_a_source_may_fix_the_interval_or_the_rule(store, page):
    page.see(FERRY, at=1)
    for recrawl, at, reason in (("6h", minute(1 + 6 * HOUR), "fixed"), ("geometric", minute(1 + HOUR), "geometric")):
        with store.writing() as transaction:
            transaction.sources.sync([Source(slug="paper", recrawl=recrawl)], NOON)
            transaction._connection.execute(pages.update().values(next_fetch_at=None))
        plans(store).plan(minute(2))
        found = history(store, page)
        assert (found.next_fetch_at, found.next_fetch_reason) == (at, reason)


def test_other_settings_are_a_planning_anew_that_goes_on_where_it_was_left(store, paper, monkeypatch):
    monkeypatch.setattr(planner, "SLICE", 1)
    monkeypatch.setattr(planner, "REPLANS_A_RUN", 1)
    watched = [watch(store, f"story-{number}", source="paper") for number in range(3)]
    for number, page in enumerate(watched):
        page.see(replace(FERRY, body=f"{FERRY.body}\n\nThis is story {number}."), at=1)
    plans(store, recrawl="6h").plan(minute(2))
    first = plans(store, recrawl="1h")
    first.plan(minute(3))
    assert [page.state().next_fetch_at for page in watched] == [minute(61), minute(361), minute(361)]
    second = plans(store, recrawl="1h")  # the process was ended meanwhile
    for _ in range(3):
        second.plan(minute(4))
    assert [page.state().next_fetch_at for page in watched] == [minute(61)] * 3
    with store.writing() as transaction:
        put_off(transaction, {watched[0].page.page_id: minute(999)})
    plans(store, recrawl="1h").plan(minute(5))
    assert watched[0].state().next_fetch_at == minute(999), "what was planned by the same settings stays"


def test_a_longer_watch_takes_back_what_was_released_and_a_shorter_one_releases(store, page):
    page.see(FERRY, at=1)
    plans(store, watch_for=timedelta(hours=2)).plan(minute(HOUR))
    assert history(store, page).next_fetch_reason == "released", "published at half past six"
    assert page.article().status == "live"
    plans(store, watch_for=timedelta(days=60)).plan(minute(HOUR))
    assert history(store, page).next_fetch_reason == "plan"
    plans(store, watch_for=timedelta(hours=2)).plan(minute(HOUR))
    assert history(store, page).next_fetch_reason == "released"
    assert page.state().next_fetch_at is None


def test_what_an_operator_released_is_not_taken_back_by_other_settings(store, page):
    page.see(FERRY, at=1)
    plans(store, recrawl="6h").plan(minute(2))
    released = {"released_by": "operator", "watch_ended": True, "next_fetch_at": None, "next_fetch_reason": "released"}
    with store.writing() as transaction:
        transaction._connection.execute(pages.update().values(**released))
    plans(store, recrawl="1h").plan(minute(3))
    assert page.state().next_fetch_at is None


def test_a_price_that_moved_is_a_planning_anew_of_the_hosts_planned_pages(store, paper, monkeypatch):
    monkeypatch.setattr(planner, "SLICE", 2)
    watched = [watch(store, f"story-{number}", source="paper") for number in range(5)]
    for number, page in enumerate(watched):
        page.see(replace(FERRY, body=f"{FERRY.body}\n\nThis is story {number}."), at=1)
    plans(store).plan(minute(2))
    cheap = [page.state().next_fetch_at for page in watched]
    with store.writing() as transaction:
        known = Habits.from_json(transaction.host_habits.of([HOST])[HOST])
        price_elsewhere(transaction, known.prices["plan"] * 1.5, minute(3))
        put_off(transaction, {watched[4].page.page_id: minute(4)})
    watched[0].see(replace(FERRY, body=f"{FERRY.body}\n\nThis is story 0."), at=5)
    service = plans(store)
    for _ in range(3):
        service.plan(minute(6))
    assert all(page.state().next_fetch_at > before for page, before in zip(watched[1:4], cheap[1:4], strict=True))
    assert watched[4].state().next_fetch_at == minute(4), "what is due may be under way"
    assert habits(store).planned_prices == pytest.approx(habits(store).prices)


def finish(store, watched, *, at=2, **settings):
    """Have no further look at these be worth a fetch, each of which showed a story of its own a minute after noon."""
    for number, page in enumerate(watched):
        page.see(replace(FERRY, body=f"{FERRY.body}\n\nThis is story {number}.", published=None), at=1)
    plans(store, **settings).plan(minute(at))
    with store.writing() as transaction:
        finished = {"next_fetch_at": None, "next_fetch_reason": "finished", "watch_ended": True}
        transaction._connection.execute(pages.update().values(**finished))


def move_price(store, *, times, at):
    """Have a fetch cost so many times what it did when the host's pages were planned, which another story tells."""
    with store.writing() as transaction:
        known = Habits.from_json(transaction.host_habits.of([HOST])[HOST])
        price_elsewhere(transaction, known.planned_prices["plan"] * times, minute(at))
    watch(store, f"news-{at}", source="paper").see(replace(FERRY, body=f"News of {at}.", published=None), at=at)


def reasons_of(store, watched):
    return [str(history(store, page).next_fetch_reason) for page in watched]


def test_a_fetch_that_became_cheaper_brings_back_what_was_finished_in_slices(store, paper, monkeypatch):
    monkeypatch.setattr(planner, "SLICE", 2)
    monkeypatch.setattr(planner, "REPLANS_A_RUN", 1)
    watched = [watch(store, f"story-{number}", source="paper") for number in range(5)]
    finish(store, watched)
    service = plans(store)
    move_price(store, times=1.5, at=10)
    for _ in range(9):
        service.plan(minute(11))
    assert reasons_of(store, watched) == ["finished"] * 5, "nothing is cheaper"
    move_price(store, times=0.5, at=20)
    back = []
    for _ in range(9):
        service.plan(minute(21))
        back.append(reasons_of(store, watched).count("plan"))
    assert back[-1] == 5
    assert max(after - before for before, after in zip([0, *back], back, strict=False)) <= 2
    assert all(page.state().next_fetch_at > minute(21) for page in watched)
    assert habits(store).planned_prices == pytest.approx(habits(store).prices)


def test_what_is_older_than_it_is_watched_or_was_released_by_an_operator_is_not_brought_back(store, paper):
    watched = [watch(store, name, source="paper") for name in ("young", "old", "anew", "released", "paused")]
    finish(store, watched)
    young, old, anew, released, paused = watched
    changed = (
        (young, {"first_seen_at": minute(30 * DAY)}),
        # Edited a day before its watch ended: what is still watched then would be looked at again for that.
        (old, {"last_changed_at": minute(59 * DAY), "last_fetch_at": minute(59 * DAY + 1), "last_outcome": "updated"}),
        (anew, {"watched_from": minute(30 * DAY)}),
    )
    with store.writing() as transaction:
        transaction.operating.release_page(released.page.page_id)
        transaction.operating.pause_page(paused.page.page_id)
        for page, values in changed:
            of_page = pages.c.id == page.page.page_id
            transaction._connection.execute(pages.update().where(of_page).values(values))
    move_price(store, times=0.2, at=61 * DAY)
    service = plans(store)
    for _ in range(3):
        service.plan(minute(61 * DAY + 1))
    assert reasons_of(store, watched) == ["plan", "released", "plan", "released", "finished"]
    assert old.state().next_fetch_at is None and released.state().next_fetch_at is None


def test_a_larger_budget_or_another_rule_brings_back_what_was_finished(store, page):
    page.see(FERRY, at=1)
    plans(store, refetches_per_article=0.01).plan(minute(2))
    assert reasons_of(store, [page]) == ["finished"]
    plans(store, refetches_per_article=20).plan(minute(3))
    assert reasons_of(store, [page]) == ["plan"]
    plans(store, refetches_per_article=0.01).plan(minute(4))
    assert reasons_of(store, [page]) == ["finished"]
    plans(store, refetches_per_article=0.01, recrawl="6h").plan(minute(5))
    assert reasons_of(store, [page]) == ["fixed"]


# Hints


def test_an_edit_that_is_announced_is_due_at_once_and_its_truth_remembered(store, paper, page):
    page.see(FERRY, at=1)
    service = plans(store)
    service.plan(minute(2))
    hint(store, paper, 30, at=31)
    service.plan(minute(31))
    found = history(store, page)
    assert (found.next_fetch_at, found.next_fetch_reason) == (minute(31), "hint")
    page.see(CORRECTED, at=32)
    service.plan(minute(33))
    found, known = history(store, page), habits(store)
    assert (found.hinted_at, found.next_fetch_reason) == (None, "plan")
    assert 0.5 < known.true_hints <= known.hints <= 1


def test_a_released_article_comes_back_on_a_hint_and_is_released_again(store, paper, page):
    page.see(FERRY, at=1)
    service = plans(store)
    service.plan(minute(61 * DAY))
    assert history(store, page).next_fetch_reason == "released"
    hint(store, paper, 61 * DAY + 5, at=61 * DAY + 6)
    service.plan(minute(61 * DAY + 7))
    assert history(store, page).next_fetch_reason == "hint"
    page.see(FERRY, at=61 * DAY + 8)
    service.plan(minute(61 * DAY + 9))
    found = history(store, page)
    assert (found.next_fetch_reason, found.next_fetch_at, found.looks) == ("released", None, 2)
    assert page.article().status == "live"


def test_a_released_article_that_somebody_looked_at_is_released_again(store, page):
    page.see(FERRY, at=1)
    plans(store).plan(minute(61 * DAY))
    page.see(FERRY, at=61 * DAY + 5)
    plans(store).plan(minute(61 * DAY + 6))
    found = history(store, page)
    assert (found.next_fetch_reason, found.looks, len(page.versions())) == ("released", 2, 1)
    page.see(CORRECTED, at=62 * DAY)
    plans(store).plan(minute(62 * DAY + 1))
    assert history(store, page).next_fetch_reason == "still_changes"
    assert len(page.versions()) == 2


@pytest.mark.parametrize("backend", ["sqlite"])
def test_an_index_that_hints_at_everything_costs_few_looks_and_is_soon_ignored(store, paper):
    """A sitemap that gives every entry the time of its own making, made anew each day; nothing is ever edited."""
    count = 60
    watched = [watch(store, f"story-{number}", source="paper") for number in range(count)]
    bodies = [replace(FERRY, body=f"{FERRY.body}\n\nThis is story {number}.") for number in range(count)]
    for page, body in zip(watched, bodies, strict=True):
        page.see(body, at=1)
    service = plans(store)
    service.plan(minute(2))
    fetched = []
    for day in range(1, 8):
        at = day * DAY
        with store.writing() as transaction:
            feed = transaction.feeds.ensure(paper.source_id, "http://paper.example/map.xml", NOON, FeedKind.SITEMAP)
            entries = [entry(f"story-{number}", updated_at=minute(at)) for number in range(count)]
            transaction.feeds.record_entries(feed.feed_id, paper.source_id, entries, minute(at))
        service.plan(minute(at + 1))
        hinted = [number for number, page in enumerate(watched) if history(store, page).next_fetch_reason == "hint"]
        for number in hinted:
            watched[number].see(bodies[number], at=at + 2 + number / 100)
        service.plan(minute(at + 5))
        fetched.append(len(hinted))
    assert fetched[0] <= FIRST_TRUST
    assert fetched[1:] == [0] * 6, "its hints proved to tell nothing"
    assert all(history(store, page).next_fetch_at or history(store, page).watch_ended for page in watched)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_hinted_pages_that_nobody_looks_at_take_no_place_for_ever(store, paper, monkeypatch):
    monkeypatch.setattr(planner, "FIRST_TRUST", 2)
    watched = [watch(store, f"story-{number}", source="paper") for number in range(4)]
    for number, page in enumerate(watched):
        page.see(replace(FERRY, body=f"{FERRY.body}\n\nThis is story {number}."), at=1)
    service = plans(store)
    service.plan(minute(2))

    def hint_at(numbers, at):
        for number in numbers:
            hint(store, paper, at, at=at, path=f"story-{number}")
            service.plan(minute(at))
        return [number for number, page in enumerate(watched) if history(store, page).next_fetch_reason == "hint"]

    assert hint_at(range(4), 30) == [0, 1]
    with store.writing() as transaction:
        of_page = pages.c.id.in_([page.page.page_id for page in watched[:2]])
        transaction._connection.execute(pages.update().where(of_page).values(paused=True))
    assert hint_at([2, 3], 40) == [0, 1]
    with store.writing() as transaction:
        put_off(transaction, {page.page.page_id: minute(9 * DAY) for page in watched[2:]})
    assert hint_at([2, 3], 31 + DAY) == [0, 1, 2, 3]


# Clocks


def test_a_clock_that_was_set_back_by_an_hour_costs_no_plan(store, page):
    page.see(FERRY, at=120)
    plans(store).plan(minute(121))
    page.see(CORRECTED, at=60)
    service = plans(store)
    service.plan(minute(61))
    found = history(store, page)
    assert minute(61) <= found.next_fetch_at <= minute(61) + timedelta(days=7)
    assert habits(store).looks == 0


@pytest.mark.parametrize("days", [2, 400])
def test_pages_that_a_clock_far_ahead_put_off_are_planned_anew_when_it_was_set_right(store, page, days):
    wrong = days * DAY
    page.see(FERRY, at=wrong)
    plans(store).plan(minute(wrong + 1))
    running = plans(store)
    running.plan(minute(wrong + 2))
    for service in (running, plans(store)):
        service.plan(minute(60))
        found = history(store, page)
        assert minute(60) <= found.next_fetch_at <= minute(60) + timedelta(days=7)
        with store.writing() as transaction:
            ahead = {"last_fetch_at": minute(wrong), "next_fetch_at": minute(wrong + DAY)}
            transaction._connection.execute(pages.update().values(**ahead))
    page.see(CORRECTED, at=90)
    plans(store).plan(minute(91))
    found = history(store, page)
    assert (found.learnt_until, found.learnt_changes) == (minute(90), found.changes), "learning goes on from there"
    page.see(FERRY, at=150)
    plans(store).plan(minute(151))
    assert habits(store).looks == pytest.approx(2, abs=0.01)


def test_pages_that_a_clock_a_year_ahead_found_are_fetched_when_it_was_set_right(store, paper):
    year = 365 * DAY
    with store.writing() as transaction:
        feed = transaction.feeds.ensure(paper.source_id, "http://paper.example/feed.rss", NOON, FeedKind.RSS)
        transaction.feeds.record_entries(feed.feed_id, paper.source_id, [entry("new")], minute(year))
        first_due = minute(year + 10)
        old = [entry("old")]
        transaction.feeds.record_entries(feed.feed_id, paper.source_id, old, minute(year), first_due_at=first_due)
    plans(store).plan(minute(5))
    with store.reading() as transaction:
        due = transaction.pages.to_fetch(CrawlScope(everything=True), now=minute(6), limit=10)
        assert [page.url[-3:] for page in due] == ["new", "old"], "the back catalogue stays behind all else"
        assert transaction.workload.due_pages(minute(6)).count == 1
        assert {page.first_seen_at for page in due} == {minute(5)}


@pytest.mark.parametrize("ahead", [2 * HOUR, DAY, 400 * DAY])
def test_what_a_clock_that_was_ahead_planned_or_released_is_planned_anew_when_it_was_set_right(store, paper, ahead):
    """It fetched nothing meanwhile, so only that it planned by then tells."""
    soon, late = watch(store, "soon", source="paper"), watch(store, "late", source="paper")
    for page in (soon, late):
        page.see(replace(FERRY, body=f"{FERRY.body}\n\n{page.page.url}", published=None), at=1)
    running = plans(store, recrawl="1h")
    running.plan(minute(2))
    right = soon.state().next_fetch_at, late.state().next_fetch_at
    assert right == (minute(61), minute(61))
    for one in (running, plans(store, recrawl="1h")):
        with store.writing() as transaction:
            transaction._connection.execute(pages.update().values(next_fetch_at=None))
        plans(store, recrawl="1h").plan(minute(3 + ahead))
        assert (late.state().next_fetch_at or minute(ahead + 4)) > minute(61)
        one.plan(minute(4))
        plans(store, recrawl="1h").plan(minute(5))
        assert (soon.state().next_fetch_at, late.state().next_fetch_at) == right


@pytest.mark.parametrize("ahead", [2 * HOUR, DAY, 400 * DAY])
def test_a_page_that_a_clock_that_was_ahead_found_and_fetched_is_watched_as_any_when_it_was_set_right(store, ahead):
    with store.writing() as transaction:
        stored = transaction.sources.for_domain("paper.example", NOON, watched=True)
        found = transaction.pages.ensure(stored.source_id, entry("ferry"), minute(ahead), due=True)
    page = Watcher(store=store, page=found)
    page.see(replace(FERRY, published=None), at=ahead + 1)
    plans(store).plan(minute(ahead + 2))
    page.set_clock_back()
    service, looks, at = plans(store), 0, 5
    service.plan(minute(5))
    while (due := page.state().next_fetch_at) is not None and due < minute(20 * DAY):
        assert minute(at) <= due <= minute(at + 20 * DAY)
        looks, at = looks + 1, (due - NOON) / timedelta(minutes=1) + 1
        page.see(replace(FERRY, published=None), at=at)
        service.plan(minute(at + 1))
    assert 1 <= looks <= 15, "it grows older, and is looked at more and more seldom"


@pytest.mark.parametrize("ahead", [5, DAY, 400 * DAY])
def test_what_was_asked_for_by_a_clock_that_was_ahead_is_fetched_now(store, paper, page, ahead):
    page.see(FERRY, at=1)
    service = plans(store)
    service.plan(minute(2))
    with store.writing() as transaction:
        transaction.operating.request_fetch(page.page.page_id, minute(ahead))
    service.plan(minute(3))
    with store.reading() as transaction:
        assert [one.page_id for one in transaction.pages.requested(now=minute(3), limit=9)] == [page.page.page_id]
    page.see(CORRECTED, at=4)
    service.plan(minute(5))
    found = history(store, page)
    assert (found.next_fetch_reason, found.next_fetch_at > minute(5)) == ("plan", True)


def test_what_is_due_later_than_any_plan_says_is_planned_anew(store, page):
    page.see(FERRY, at=1)
    plans(store).plan(minute(2))
    with store.writing() as transaction:
        put_off(transaction, {page.page.page_id: minute(70 * DAY)})
    plans(store).plan(minute(3))
    assert page.state().next_fetch_at < minute(60 * DAY)


@pytest.mark.parametrize("age", [timedelta(days=1, hours=1), timedelta(days=31)])
def test_ages_over_a_day_and_a_month_are_counted_whole(store, page, age):
    page.see(FERRY, at=1)
    plans(store).plan(minute(2))
    later = 1 + age / timedelta(minutes=1)
    page.see(FERRY, at=later)
    plans(store).plan(minute(later + 1))
    found = history(store, page)
    assert found.next_fetch_at is None or found.next_fetch_at - minute(later) > timedelta(hours=12)
    assert found.learnt_until == minute(later)


def test_habits_of_a_program_that_kept_no_account_make_no_plan_fail(store, paper):
    """A look at an article that was known before is charged where no article was ever entered."""
    old = watch(store, "old", source="paper")
    old.see(replace(FERRY, published=None), at=1)
    plans(store).plan(minute(2))
    with store.writing() as transaction:
        known = dict(transaction.host_habits.of([HOST])[HOST])
        known.pop("accounts")
        transaction.host_habits.put({HOST: known}, minute(3))
        put_off(transaction, {old.page.page_id: minute(4)})
    old.see(replace(FERRY, published=None), at=5)
    plans(store).plan(minute(6))
    news = watch(store, "news", source="paper")
    news.see(replace(FERRY, body="Other news.", published=None), at=7)
    plans(store).plan(minute(8))
    assert [history(store, page).next_fetch_reason for page in (old, news)] == ["plan", "plan"]
