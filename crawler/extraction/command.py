"""What `morgue extract` prints: one page, or many by a manifest, as rows of plain values. Nothing is stored."""

import gzip
import json
import os
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as DeadlinePassed
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pebble import ProcessExpired, ProcessPool

from crawler.extraction.pool import ReadTask, read_task, worker_pool
from crawler.extraction.reading import Reading
from storage.article_fields import reading_json
from storage.clock import utc_now
from storage.model import ExtractedArticle
from storage.outcomes import Outcome

Row = dict[str, Any]

_DEADLINE_SECONDS = 60.0
_ROWS_AHEAD = 4
"""Rows in work for each process: enough to keep it busy, few enough to keep memory flat."""


def extract_file(html: bytes, url: str, timezone: str | None, captured_at: datetime) -> Row:
    """Return what the extractor makes of a page's bytes: all content fields, then `outcome` and `reason`."""
    task = ReadTask(body=html, content_type=None, url=url, timezone=timezone, captured_at=captured_at)
    return reading_row(read_task(task))


def extract_batch(manifest: Path, *, timezone: str | None = None, processes: int | None = None) -> Iterator[Row]:
    """Yield a row for each row `{"id","url","html_path"[,"timezone"]}` of a manifest, in its order.

    Paths are relative to the manifest and may end in `.gz`. A row's own zone goes before `timezone`. A row that cannot
    be read gives one with `error`, and the others go on. Raises `OSError` if the manifest itself cannot be read.
    """
    workers = processes or os.cpu_count() or 1
    pool = worker_pool(processes=workers)
    try:
        waiting: deque[tuple[Row, Future[Row] | None]] = deque()
        with manifest.open(encoding="utf-8", errors="replace") as lines:
            for line in filter(str.strip, lines):
                row = _manifest_row(line)
                waiting.append((row, None if "error" in row else _schedule(pool, row, manifest.parent, timezone)))
                if len(waiting) >= _ROWS_AHEAD * workers:
                    yield _finished(pool, *waiting.popleft(), manifest.parent, timezone)
        while waiting:
            yield _finished(pool, *waiting.popleft(), manifest.parent, timezone)
    finally:
        pool.stop()  # type: ignore[no-untyped-call]  # pebble types a part of its API
        pool.join()


def _manifest_row(line: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError as problem:
        return {"id": None, "error": f"no JSON: {problem}"}
    if not isinstance(row, dict):
        return {"id": None, "error": "no JSON object"}
    missing = [name for name in ("id", "url", "html_path") if not isinstance(row.get(name), str | int)]
    if missing:
        return {"id": row.get("id"), "error": f"without {', '.join(missing)}"}
    return row


def _schedule(pool: ProcessPool, row: Row, folder: Path, timezone: str | None) -> "Future[Row]":
    scheduled: Future[Row] = pool.schedule(
        _read_row, args=[row, folder, row.get("timezone") or timezone], timeout=_DEADLINE_SECONDS
    )
    return scheduled


def _finished(pool: ProcessPool, row: Row, future: "Future[Row] | None", folder: Path, timezone: str | None) -> Row:
    """Return a row when it is done; a page that hangs or crashes its worker is tried once more."""
    if future is None:
        return row
    for attempt in (future, None):
        try:
            return (attempt or _schedule(pool, row, folder, timezone)).result()
        except DeadlinePassed:
            reason = "timeout"
        except ProcessExpired:
            reason = "crash"
    return {"id": row["id"], **reading_row(Reading(outcome=Outcome.EXTRACT_FAILED, reason=reason))}


def _read_row(row: Row, folder: Path, timezone: str | None) -> Row:
    """Read the page of one manifest row, in a worker."""
    path = folder / str(row["html_path"])
    try:
        body = path.read_bytes()
        if path.suffix == ".gz":
            body = gzip.decompress(body)
        if timezone is not None:
            ZoneInfo(timezone)
    except (OSError, EOFError, zlib.error, ValueError, LookupError) as problem:
        return {"id": row["id"], "error": f"{path.name}: {problem}"}
    try:
        return {"id": row["id"], **extract_file(body, str(row["url"]), timezone, utc_now())}
    except Exception as problem:  # noqa: BLE001 - the boundary of a job: one page must not end the batch
        failed = Reading(outcome=Outcome.EXTRACT_FAILED, reason=type(problem).__name__)
        return {"id": row["id"], **reading_row(failed)}


def reading_row(reading: Reading) -> Row:
    """Return a reading as plain values, under the names of the content fields."""
    outcome = None if reading.outcome is None else reading.outcome.value
    fields = _no_fields() if reading.article is None else article_row(reading.article)
    return {**fields, "outcome": outcome, "reason": reading.reason}


def article_row(article: ExtractedArticle) -> Row:
    """Return an article as plain values. Instants are ISO 8601 in UTC."""
    row = reading_json(article)
    return {name: False if value is None and name.endswith("_zone_known") else value for name, value in row.items()}


def _no_fields() -> Row:
    empty = article_row(ExtractedArticle(headline="", body="", extractor=""))
    return {
        name: value if isinstance(value, list) or name.endswith("_known") else None for name, value in empty.items()
    }
