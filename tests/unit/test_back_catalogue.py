"""What of a sitemap is due at once, and what waits behind the news."""

from datetime import UTC, datetime, timedelta

import pytest

from crawler.back_catalogue import first_due_at, likely_news, spacing_of
from crawler.urls import feed_entry
from storage.model import FeedKind
from storage.records import Backlog, FeedEntry, FeedState

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FEED = FeedState(feed_id=1, source_id=1, url="http://paper.example/map.xml", kind=FeedKind.SITEMAP)
WAITING = Backlog(due=0, until=NOW + timedelta(hours=5))
NOTHING = Backlog(due=0, until=None)


def entries() -> list[FeedEntry]:
    dates = {"old": timedelta(days=400), "undated": None, "fresh": timedelta(hours=30), "touched": timedelta(hours=2)}
    made = []
    for name, age in dates.items():
        entry = feed_entry(f"http://paper.example/{name}")
        date = None if age is None else NOW - age
        made.append(
            FeedEntry(
                url=entry.url,
                url_key=entry.url_key,
                host=entry.host,
                published_at=date if name == "fresh" else None,
                updated_at=None if name == "fresh" else date,
            )
        )
    return made


@pytest.mark.parametrize(
    ("polled", "kind", "backlog", "news"),
    [
        (False, FeedKind.SITEMAP, NOTHING, ["old", "undated", "fresh", "touched"]),
        (False, FeedKind.SITEMAP, WAITING, ["fresh", "touched"]),
        (True, FeedKind.SITEMAP, WAITING, ["old", "undated", "fresh", "touched"]),
        (False, FeedKind.NEWS_SITEMAP, WAITING, ["old", "undated", "fresh", "touched"]),
    ],
)
def test_what_may_be_news(polled, kind, backlog, news):
    feed = FeedState(**vars(FEED) | {"last_polled_at": NOW if polled else None})
    first, rest = likely_news(entries(), feed=feed, kind=kind, backlog=backlog, now=NOW)
    assert [entry.url.rpartition("/")[2] for entry in first] == news
    assert sorted([*first, *rest], key=lambda entry: entry.url) == sorted(entries(), key=lambda entry: entry.url)


def test_a_back_catalogue_goes_on_where_it_ended():
    second = timedelta(seconds=1)
    assert first_due_at(NOTHING, now=NOW, spacing=second) == NOW + second
    assert first_due_at(WAITING, now=NOW, spacing=second) == NOW + timedelta(hours=5) + second
    overdue = Backlog(due=0, until=NOW - timedelta(hours=5))
    assert first_due_at(overdue, now=NOW, spacing=second) == NOW + second


def test_a_back_catalogue_is_due_later_than_it_was_found_also_without_a_pause():
    assert spacing_of(2.5) == timedelta(seconds=2.5)
    assert first_due_at(NOTHING, now=NOW, spacing=spacing_of(0)) > NOW
