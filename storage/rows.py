"""Between rows and the domain's values."""

from dataclasses import fields
from typing import Any

from sqlalchemy import RowMapping

from storage.article_fields import article_content, reading_from_json, reading_json
from storage.column_types import storable_json
from storage.model import (
    Article,
    ArticleStatus,
    Capture,
    ExtractedArticle,
    FeedKind,
    FetchKind,
    PollReason,
    Source,
    Version,
)
from storage.outcomes import Outcome
from storage.records import FeedState, Fetch, PageState, StoredCapture, StoredSource

SOURCE_LISTS = ("feeds", "sitemaps", "sections", "include", "exclude")


def storable(article: ExtractedArticle) -> ExtractedArticle:
    """Return a reading as it comes back from the database, so that it compares with stored ones."""
    return reading_from_json(storable_json(reading_json(article)))


def source_values(source: Source) -> dict[str, Any]:
    """Return a source as the values of its columns."""
    values = {field.name: getattr(source, field.name) for field in fields(source)}
    return values | {name: list(values[name]) for name in SOURCE_LISTS}


def stored_source(row: RowMapping) -> StoredSource:
    """Return a row of `sources`."""
    values = {field.name: row[field.name] for field in fields(Source)}
    source = Source(**(values | {name: tuple(values[name]) for name in SOURCE_LISTS}))
    return StoredSource(
        source_id=row["id"],
        source=source,
        configured=row["configured"],
        watched=row["watched"],
        paused=row["paused"],
        paused_by=row["paused_by"],
    )


def feed_state(row: RowMapping) -> FeedState:
    """Return a row of `feeds`."""
    same = {field.name: row[field.name] for field in fields(FeedState) if field.name not in {"feed_id", "kind"}}
    same["last_outcome"] = _outcome(row["last_outcome"])
    same["next_poll_reason"] = None if row["next_poll_reason"] is None else PollReason(row["next_poll_reason"])
    same["skip_hours"] = tuple(row["skip_hours"] or ())
    same["skip_days"] = tuple(row["skip_days"] or ())
    return FeedState(feed_id=row["id"], kind=FeedKind(row["kind"]), **same)


def page_state(row: RowMapping) -> PageState:
    """Return a row of `pages` with its `article_id`."""
    same = {field.name: row[field.name] for field in fields(PageState) if field.name != "page_id"}
    same["last_outcome"] = _outcome(row["last_outcome"])
    return PageState(page_id=row["id"], **same)


def _outcome(text: str | None) -> Outcome | None:
    return None if text is None else Outcome(text)


def fetch_values(fetch: Fetch) -> dict[str, Any]:
    """Return a fetch as the values of its columns. Raises ValueError when its outcome is not decided."""
    if fetch.outcome is None:
        raise ValueError(f"the fetch {fetch.record_id} has no outcome yet")
    values = {field.name: getattr(fetch, field.name) for field in fields(fetch)}
    return values | {
        "kind": fetch.kind.value,
        "outcome": fetch.outcome.value,
        "headers": dict(fetch.headers),
        "opt_outs": list(fetch.opt_outs),
    }


def fetch_record(row: RowMapping) -> Fetch:
    """Return a row of `fetches`."""
    values = {field.name: row[field.name] for field in fields(Fetch)}
    decided = {"kind": FetchKind(row["kind"]), "outcome": Outcome(row["outcome"]), "opt_outs": tuple(row["opt_outs"])}
    return Fetch(**(values | decided))


def stored_capture(row: RowMapping) -> StoredCapture:
    """Return a row of `captures`."""
    capture = Capture(
        record_id=row["record_id"],
        url=row["url"],
        captured_at=row["captured_at"],
        warc_file=row["warc_file"],
        offset=row["warc_offset"],
        length=row["warc_length"],
        body_digest=row["body_digest"],
    )
    return StoredCapture(capture_id=row["id"], capture=capture)


def version(row: RowMapping) -> Version:
    """Return a row of `versions` joined with its capture's place."""
    return Version(
        version_id=row["id"],
        article_id=row["article_id"],
        number=row["number"],
        change=row["change"],
        captured_at=row["captured_at"],
        last_seen_at=row["last_seen_at"],
        content_digest=row["content_digest"],
        article=article_content(dict(row)),
        capture_id=row["capture_id"],
        warc_file=row["warc_file"],
        warc_offset=row["warc_offset"],
        reverts_to=row["reverts_to"],
    )


def article(row: RowMapping) -> Article:
    """Return a row of `articles` joined with its page, source and current version."""
    return Article(
        article_id=row["id"],
        source_slug=row["slug"],
        url=row["url"],
        status=ArticleStatus(row["status"]),
        first_seen_at=row["first_seen_at"],
        last_checked_at=row["last_checked_at"],
        version_count=row["version_count"],
        version_id=row["version_id"],
        content=article_content(dict(row)),
        opt_outs=tuple(row["opt_outs"]),
    )
