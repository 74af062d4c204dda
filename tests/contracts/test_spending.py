"""What the planner spends on articles over weeks: a real database, looks through the store, the present passed in."""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import fmean

import pytest

from crawler.runner import SourceBook
from scheduler.planner import PagePlanner
from scheduler.recrawl.rule import MOST_SHARE
from scheduler.recrawl.shape import PRIOR_RATES, AgeShape
from scheduler.rule_book import PlanSettings
from storage.model import BY_RULE, NextReason, Source
from storage.outcomes import Outcome
from storage.plan_records import PageHistory
from tests.contracts.news import FERRY, NOON, Watcher, entry

WEEKS = 10
WATCH_FOR = timedelta(days=14)
BUDGET = 5.0
TICK = timedelta(hours=3)
FAILS, WAITS = 0.2, 0.2
"""Shares of the looks of the rule that fail first, and of those at an edit that leave a reading to be seen again."""
EDITS = {"quiet": 0.4, "busy": 2.5}
"""Edits expected of an article by source; articles differ much within one."""
EVERY = timedelta(hours=16)
"""So often each source publishes."""
_SHAPE = AgeShape(PRIOR_RATES)


@dataclass
class _Story:
    source: str
    born_at: datetime
    page: Watcher
    edits: list[datetime]
    number: int
    wanted_at: datetime = NOON
    by_rule: int = 0
    read: int = 0
    waits: bool = False

    def fetch(self, reason: NextReason, now: datetime, chance: random.Random) -> None:
        """Fetch the page: some looks fail, some readings are believed only when seen twice."""
        at = (now - NOON) / timedelta(minutes=1) + self.number / 1000
        self.by_rule += reason in BY_RULE
        if reason in BY_RULE and chance.random() < FAILS:
            self.page.get(Outcome.TIMEOUT, at=at)
            return
        edited = sum(edit <= now for edit in self.edits)
        self.waits = edited > self.read and not self.waits and chance.random() < WAITS
        if not self.waits:
            self.read = edited
        text = replace(
            FERRY,
            published=None,
            modified=None,
            canonical_url=None,
            body=f"{FERRY.body}\n\nThis is story {self.number}, edited {self.read} times.",
        )
        self.page.see(replace(text, authors=(), byline=None) if self.waits else text, at=at)


def _edits(mean: float, born_at: datetime, chance: random.Random) -> list[datetime]:
    rate, at, edits = chance.gammavariate(0.5, mean / 0.5), 0.0, []
    while rate > 1e-6 and (at := at + chance.expovariate(rate)) < _SHAPE.cumulative(WATCH_FOR.total_seconds()):
        edits.append(born_at + timedelta(seconds=_SHAPE.age_at(at)))
    return edits


class _Weeks:
    """Sources that publish, and a service that looks after them, tick by tick."""

    def __init__(self, store) -> None:
        self.store, self.chance = store, random.Random(11)
        self.planner = PagePlanner(
            store, SourceBook(store), PlanSettings(watch_for=WATCH_FOR, refetches_per_article=BUDGET)
        )
        with store.writing() as transaction:
            transaction.sources.sync([Source(slug=slug) for slug in EDITS], NOON)
            self.sources = {slug: transaction.sources.by_slug(slug).source_id for slug in EDITS}
        self.stories: dict[int, _Story] = {}

    def publish(self, source: str, now: datetime) -> None:
        number = len(self.stories)
        url = f"http://{source}.example/story-{number}"
        with self.store.writing() as transaction:
            listed = replace(entry(f"story-{number}"), url=url, url_key=url.removeprefix("http://"))
            page = transaction.pages.ensure(self.sources[source], listed, now, due=True)
        edits = _edits(EDITS[source], now, self.chance)
        self.stories[page.page_id] = _Story(source, now, Watcher(self.store, page), edits, number)

    def histories(self) -> dict[int, PageHistory]:
        with self.store.reading() as transaction:
            return transaction.page_plans.histories(self.stories)

    def tick(self, now: datetime) -> None:
        found = self.histories()
        due = [page_id for page_id, one in found.items() if one.next_fetch_at is not None and one.next_fetch_at <= now]
        for page_id, one in found.items():
            if one.next_fetch_at is not None:
                self.stories[page_id].wanted_at = one.next_fetch_at
            elif one.next_fetch_reason is NextReason.FINISHED:
                # A look that became too dear before it was due is not wanted any more.
                self.stories[page_id].wanted_at = one.last_look_at
        reasons = {page_id: found[page_id].next_fetch_reason for page_id in due}
        for page_id in due:
            self.stories[page_id].fetch(reasons[page_id] or NextReason.NEW, now, self.chance)
        if due:
            self.planner.plan(now)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_articles_are_looked_at_as_often_as_is_asked_and_none_is_forgotten(store):
    """Measured are the fetches by rule, those that fail among them, at all articles that came out in the third week or
    later, over their whole watch. What follows from a failure or an odd reading is not the rule's."""
    weeks, now, publish_at = _Weeks(store), NOON, dict.fromkeys(EDITS, NOON)
    end = NOON + timedelta(weeks=WEEKS)
    while now < end:
        for source, at in publish_at.items():
            if at <= now < end - WATCH_FOR:
                weeks.publish(source, now)
                publish_at[source] = at + EVERY
        weeks.tick(now)
        now += TICK
    settled = [story for story in weeks.stories.values() if story.born_at >= NOON + timedelta(weeks=2)]
    spent = {source: fmean(story.by_rule for story in settled if story.source == source) for source in EDITS}
    assert fmean(spent.values()) == pytest.approx(BUDGET, rel=0.1), "of all articles"
    assert spent["quiet"] < BUDGET < spent["busy"] < BUDGET * MOST_SHARE, "more where more is edited"
    for page_id, page in weeks.histories().items():
        story = weeks.stories[page_id]
        assert page.watch_ended or page.next_fetch_at > now - TICK, "every page is watched or was released"
        assert page.looks > 0
        if page.next_fetch_reason is NextReason.RELEASED:
            assert page.last_look_at >= story.wanted_at, "it has got its last look"
