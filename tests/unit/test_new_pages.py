"""A list that names other addresses at each poll brings only so many of them."""

from datetime import UTC, datetime, timedelta

from crawler.new_pages import A_POLL, CATALOGUE, NewPages
from storage.model import FeedKind
from storage.records import FeedState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def feed(feed_id: int, source_id: int = 1) -> FeedState:
    return FeedState(feed_id=feed_id, source_id=source_id, url=f"https://a.example/{feed_id}", kind=FeedKind.RSS)


def brought(pages: NewPages, index: FeedState, listed: int, *, now: datetime = NOW, kind=FeedKind.RSS) -> int:
    """Return how many of the listed pages, all new, a poll brings."""
    room = pages.room(index, kind, now=now)
    new = listed if room is None else min(listed, room)
    pages.note(index, new, now=now)
    return new


def test_a_poll_an_index_and_a_source_bring_so_many_a_day():
    pages = NewPages(a_day=20_000)
    assert [brought(pages, feed(1), 10_000) for _ in range(4)] == [A_POLL, A_POLL, 1_000, 0]
    others = [brought(pages, feed(number), 10_000) for number in range(2, 6) for _ in range(3)]
    assert sum(others) == 15_000
    assert brought(pages, feed(9, source_id=2), 300) == 300
    assert brought(pages, feed(1), 10, now=NOW + timedelta(days=1)) == 10


def test_a_back_catalogue_may_be_long():
    assert brought(NewPages(a_day=20_000), feed(1), 50_000, kind=FeedKind.SITEMAP) == A_POLL * CATALOGUE


def test_there_may_be_no_bound():
    assert brought(NewPages(a_day=0), feed(1), 50_000) == 50_000
