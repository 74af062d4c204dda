"""The counts of days, whenever they were made, are what anybody finds who counts the rows again at the end."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from scheduler.counting import count_days
from storage.model import FetchKind
from storage.outcomes import Outcome
from storage.store import Store
from storage.tables import fetches, pages, versions
from storage.tallies import FIELDS, FOUND_FOR, NEWS_FOR, Tally, text_place
from tests.contracts.news import CORRECTED, CUT, FERRY, UNSIGNED, Watcher, entry, minute, page_fetch

STATES = (FERRY, CORRECTED, CUT, UNSIGNED, replace(FERRY, published=None, section=None, body="Short. " * 90))
FAILURES = ((Outcome.HTTP_ERROR, "http_500"), (Outcome.NETWORK_ERROR, "dns"), (Outcome.BLOCKED_STATUS, None))
POLLS = (Outcome.LISTED, Outcome.NOT_MODIFIED, Outcome.UNCHANGED, Outcome.REDIRECTED, Outcome.TIMEOUT)
LOOKED = {"created", "updated", "reverted", "cosmetic", "unchanged", "not_modified", "not_article", "gone"}
HEALTHY = {"listed", "unchanged", "not_modified"}


class History:
    """Two papers over some days, with looks, failures and polls at random, and a clock that is set now and then."""

    def __init__(self, store: Store, chance: random.Random) -> None:
        self._store = store
        self._chance = chance
        self.at = self.latest = 0.0
        self._number = 0
        self._watchers: list[Watcher] = []
        with store.writing() as transaction:
            self._sources = [
                transaction.sources.for_domain(domain, minute(0), watched=True).source_id
                for domain in ("paper.example", "herald.example")
            ]

    def step(self) -> None:
        """Let something happen, and some minutes pass."""
        self._chance.choice((self._find, self._look, self._look, self._look, self._fail, self._poll))()
        if self._chance.random() < 0.05:
            self._wait()
        self.at += self._chance.expovariate(1 / 20)
        self.latest = max(self.latest, self.at)

    def count(self) -> None:
        """Count, as the service does now and then, until nothing waits."""
        while count_days(self._store, minute(self.at)):
            pass

    def _find(self) -> None:
        self._number += 1
        with self._store.writing() as transaction:
            source_id = self._chance.choice(self._sources)
            page = transaction.pages.ensure(source_id, entry(f"{self._number}"), minute(self.at), due=True)
        self._watchers.append(Watcher(store=self._store, page=page, at=self.at))

    def _look(self) -> None:
        if self._watchers:
            watcher, article = self._chance.choice(self._watchers), self._chance.choice(STATES)
            watcher.see(replace(article, body=f"Of story {watcher.page.page_id}.\n\n{article.body}"), at=self._late())

    def _fail(self) -> None:
        outcome, reason = self._chance.choice(FAILURES)
        self._record(FetchKind.PAGE, outcome, reason)

    def _poll(self) -> None:
        kind = self._chance.choice((FetchKind.FEED, FetchKind.SITEMAP, FetchKind.SECTION, FetchKind.ROBOTS))
        self._record(kind, self._chance.choice(POLLS), None)

    def _record(self, kind: FetchKind, outcome: Outcome, reason: str | None) -> None:
        self._number += 1
        fetch = page_fetch(f"{self._number}", at=self._late(), outcome=outcome, kind=kind, reason=reason)
        with self._store.writing() as transaction:
            transaction.fetches.record(replace(fetch, source_id=self._chance.choice([*self._sources, None])))

    def _late(self) -> float:
        """Return when something was fetched that is recorded now: seconds ago, or hours, as where all stood still."""
        return self.at - self._chance.choice((0.0, 0.05, 0.05, 1.0, 20.0, 9 * 60.0))

    def _wait(self) -> None:
        hours = self._chance.choice((0.5, 3.0, 9.0, 50.0, 700.0, -0.5, -2.0, -9.0, -50.0, -700.0))
        self.at += hours * 60
        self.count()


def recounted(store: Store, source_id: int, day: date) -> Tally:
    """Count a day from the rows of the tables, one after the other."""
    start = datetime.combine(day, time.min, tzinfo=UTC)
    with store.reading() as transaction:
        every = [dict(row) for row in transaction._connection.execute(fetches.select()).mappings()]
        known = {row["id"]: dict(row) for row in transaction._connection.execute(versions.select()).mappings()}
        found = {row["id"]: dict(row) for row in transaction._connection.execute(pages.select()).mappings()}
    mine = [row for row in every if row["source_id"] == source_id and row["finished_at"].date() == day]
    of_pages = [row for row in mine if row["kind"] == "page"]
    of_polls = [row for row in mine if row["kind"] in ("feed", "sitemap", "section")]
    well = [row["finished_at"] for row in of_polls if row["outcome"] in HEALTHY]
    told_nothing = [row for row in of_pages if row["outcome"] not in LOOKED and row["reason"] is not None]
    created = [row for row in of_pages if row["outcome"] == "created"]
    texts = [known[row["version_id"]] for row in created]

    def is_news(row: dict[str, Any]) -> bool:
        at = known[row["version_id"]]["published_at"]
        first_seen_at: datetime = found[row["page_id"]]["first_seen_at"]
        return bool(at >= start - NEWS_FOR if at is not None else first_seen_at >= start - FOUND_FOR)

    news = [row for row in created if is_news(row)]
    first_seen = [page["first_seen_at"] for page in found.values() if page["source_id"] == source_id]
    entries = [at for at in first_seen if at.date() == day]
    return Tally(
        day=day,
        pages=Counter(row["outcome"] for row in of_pages),
        reasons={
            outcome: Counter(row["reason"] for row in told_nothing if row["outcome"] == outcome)
            for outcome in {row["outcome"] for row in told_nothing}
        },
        polls=Counter(row["outcome"] for row in of_polls),
        entries=len(entries),
        articles=len(created),
        news=len(news),
        hours=places(24, (row["finished_at"].hour for row in news)),
        fields=Counter(name for text in texts for name in FIELDS if text[name]),
        unzoned=sum(text["published_local"] is not None and text["published_at"] is None for text in texts),
        text_sum=sum(len(text["body"]) for text in texts),
        text_lengths=places(7, (text_place(len(text["body"])) for text in texts)),
        access=Counter(text["access"] for text in texts),
        languages=Counter(text["language"] for text in texts if text["language"]),
        poll_hours=places(24, (at.hour for at in well)),
        entry_hours=places(24, (at.hour for at in entries)),
        last_article_at=max((row["finished_at"] for row in created), default=None),
        last_poll_at=max(well, default=None),
    )


def places(size: int, numbers: Iterable[int]) -> tuple[int, ...]:
    counts = Counter(numbers)
    return tuple(counts[number] for number in range(size))


@pytest.mark.parametrize("seed", range(2))
def test_what_was_counted_is_what_is_there(store: Store, seed: int, rows: Callable[[str], list[tuple]]):
    chance = random.Random(seed)
    history = History(store, chance)
    for _ in range(200):
        history.step()
        if chance.random() < 0.2:
            history.count()
    # What a clock that was ahead made is counted once that time has come.
    history.at += max(0.0, history.latest - history.at) + 2 * 24 * 60
    history.count()
    with store.reading() as transaction:
        kept = transaction.tallies.since(date.min)
    assert rows("SELECT count(*) FROM versions")[0][0] > 10
    for source_id, tallies in kept.items():
        for tally in tallies:
            assert tally == recounted(store, source_id, tally.day), tally.day
    counted = {(source_id, tally.day) for source_id, tallies in kept.items() for tally in tallies}
    happened = {
        (source_id, datetime.fromisoformat(str(at)).astimezone(UTC).date())
        for source_id, at in rows("SELECT source_id, finished_at FROM fetches WHERE kind <> 'robots'")
        if source_id is not None
    }
    assert happened <= counted
