"""Pages for the tests of extraction: those of the fixtures' folder, and small ones written where they are needed."""

from datetime import UTC, datetime
from pathlib import Path

from crawler.extraction import extract
from crawler.extraction.reading import Reading
from storage.model import ExtractedArticle

FIXTURES = Path(__file__).parents[2] / "fixtures" / "pages"
CAPTURED_AT = datetime(2023, 6, 1, tzinfo=UTC)
STORY = (
    "The council of Port Marlow voted on Tuesday evening to close the harbour bridge for repairs that may last a year.",
    "Shopkeepers on the northern quay said that they would lose half of their customers, and asked for a second ferry.",
    "The mayor answered that the region had promised to pay for one, and that it would sail before the bridge closed.",
)


def page(*, head: str = "", above: str = "<h1>Bridge to close</h1>", below: str = "", lang: str = "en") -> str:
    """Return a page that shows `STORY`."""
    story = "".join(f"<p>{paragraph}</p>" for paragraph in STORY)
    return (
        f"<html lang='{lang}'><head><title>Bridge to close</title>{head}</head>"
        f"<body><article>{above}<div>{story}{below}</div></article></body></html>"
    )


def read(
    html: str, *, url: str = "https://courier.example/city/bridge-to-close", timezone: str | None = None
) -> Reading:
    """Return the reading of a page captured in June 2023."""
    return extract(html, url=url, timezone=timezone, captured_at=CAPTURED_AT, extractor="test")


def read_article(
    html: str, *, url: str = "https://courier.example/city/bridge", timezone: str | None = None
) -> ExtractedArticle:
    """Return the article on a page, which must be one."""
    reading = read(html, url=url, timezone=timezone)
    assert reading.article is not None, reading
    return reading.article
