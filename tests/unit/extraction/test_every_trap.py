"""One page that carries every trap at once; each field is a test of its own."""

from datetime import UTC, datetime

import pytest

from storage.model import ExtractedArticle
from tests.unit.extraction.pages import FIXTURES, read_article

URL = "https://www.courier.example/city/2023/mar/07/harbour-bridge-to-close-88121.html"


@pytest.fixture(scope="module")
def html() -> str:
    return (FIXTURES / "every_trap.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def article(html: str) -> ExtractedArticle:
    return read_article(html, url=URL, timezone="Asia/Kolkata")


def test_body_is_the_story_paragraph_by_paragraph(article):
    paragraphs = article.body.split("\n\n")
    assert [paragraph[:22] for paragraph in paragraphs] == [
        "PORT MARLOW: The harbo",
        '"We would rather close',
        "Engineers found cracks",
        "A ferry instead",
        "Until the bridge opens",
        "The budget for the yea",
        "The last time that the",
    ]


@pytest.mark.parametrize(
    "surplus",
    [
        "ALSO READ",
        "Lire aussi",
        "regatta",
        "customs house",
        "Published",
        "Disclaimer",
        "whatsapp",
        "Market hall",
        "rights",
    ],
)
def test_nothing_around_the_story_is_in_the_body(article, surplus):
    assert surplus not in article.body


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("headline", "Harbour bridge to close for a year of repairs"),
        ("standfirst", "Engineers found cracks in two of the five piers during an inspection in spring."),
        ("dateline", "PORT MARLOW"),
        ("section", "City"),
        ("site_name", "The Quayside Courier"),
        ("language", "en"),
        ("image_caption", "The harbour bridge at dusk, with the old customs house behind it (Photo | Ida Lund)"),
        ("image_url", "https://www.courier.example/pictures/bridge-1200.jpg"),
        ("canonical_url", URL),
        ("authors", ()),
    ],
)
def test_fields(article, field, value):
    assert getattr(article, field) == value


def test_shown_times_become_instants_by_the_zone_of_the_source(article):
    assert article.published.instant == datetime(2023, 3, 7, 15, 35, tzinfo=UTC)
    assert article.modified.instant == datetime(2023, 3, 8, 2, 10, tzinfo=UTC)
    assert (article.published.local, article.published.zone_known) == ("2023-03-07T21:05:00", False)
    assert article.published.found_in == article.modified.found_in == "text"


def test_without_a_zone_there_is_no_instant(html):
    published = read_article(html, url=URL).published
    assert published.instant is None
    assert published.local == "2023-03-07T21:05:00"
