"""What is said of a source that was tried, and what a publisher is called."""

import pytest

from crawler.checking import IndexCheck, SampleCheck, problems_of
from crawler.source_finding import name_of
from storage.model import FeedKind, StatedTime
from storage.outcomes import Outcome

FEED = IndexCheck(
    url="http://p.example/rss", kind=FeedKind.RSS, found_by="configured", outcome=Outcome.LISTED, articles=3
)
EMPTY = IndexCheck(url="http://p.example/e", kind=FeedKind.RSS, found_by="configured", outcome=Outcome.LISTED)
BROKEN = IndexCheck(
    url="http://p.example/b", kind=FeedKind.UNKNOWN, found_by="configured", outcome=Outcome.MISSING, reason="not_found"
)
GOOD = SampleCheck(url="http://p.example/1", outcome=Outcome.LISTED, headline="Ferry", words=200)
WALL = SampleCheck(url="http://p.example/2", outcome=Outcome.CONSENT_WALL, reason="consent_page")
UNZONED = SampleCheck(
    url="http://p.example/3",
    outcome=Outcome.LISTED,
    headline="Ferry",
    published=StatedTime(local="2026-11-24T08:00:00", raw="x", found_in="json_ld"),
)


@pytest.mark.parametrize(
    ("indexes", "samples", "problems"),
    [
        ([FEED], [GOOD], set()),
        ([], [], {"nothing_configured"}),
        ([EMPTY], [], {"no_articles_listed"}),
        ([FEED, BROKEN], [GOOD], {"index_failed"}),
        ([BROKEN], [], {"index_failed", "no_articles_listed"}),
        ([FEED], [WALL, WALL], {"no_sample_is_an_article"}),
        ([FEED], [WALL, GOOD], set()),
        ([FEED], [UNZONED], {"no_time_zone"}),
    ],
)
def test_problems_are_named(indexes, samples, problems):
    assert set(problems_of(indexes, samples)) == problems


def test_a_problem_says_which_address_and_why():
    assert problems_of([BROKEN], [])["index_failed"] == "http://p.example/b: missing (not_found)"
    assert "consent_wall" in problems_of([FEED], [WALL])["no_sample_is_an_article"]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("The Harbour Courier", "The Harbour Courier"),
        ("Saltmere Tidings | Saltmere Tidings", "Saltmere Tidings"),
        ("Home - The Courier", "The Courier"),
        ("The Courier – News from the harbour", "The Courier – News from the harbour"),
        ("Home", "Home"),
        ("", ""),
        (None, None),
    ],
)
def test_a_publisher_is_called_by_its_title(title, name):
    assert name_of(title) == name
