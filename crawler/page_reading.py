"""Reading a response that may be a page, all of it in a worker process: codings undone, digest, text, normal forms.

What comes back is bounded and ready to be compared; the decoded body stays in the process that read it.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from crawler.extraction.pool import ReadTask, read_task
from crawler.extraction.reading import Reading
from crawler.extraction.robots_metas import robots_metas
from crawler.page_bodies import read_body
from crawler.watching import UNWATCHED, Watcher
from crawler.worker_pool import Kind, WorkFailed, Works, owner_of
from storage.fingerprint import normal_forms, remember
from storage.model import ExtractedArticle, Headers, HttpExchange
from storage.outcomes import Outcome

log = structlog.get_logger()

FORMS_SECONDS = 1.0
"""Seconds of computing that the normal forms of an article may take; of a book they take some hundredths. Whoever
compares versions makes them again for the earlier one, on the thread that writes."""


@dataclass(frozen=True, kw_only=True)
class PageTask:
    """A response to be read as a page at `url`. `body` is as it was sent, at most `max_bytes` of it once decoded.

    `unless_digest` is that of a body which need not be read again. With `look_only` the page is not read at all: only
    told is what its bytes are and what its markup says to robots.
    """

    body: bytes
    content_encoding: str | None
    content_type: str | None
    headers: Headers
    url: str
    timezone: str | None
    captured_at: datetime
    robots_token: str
    max_bytes: int
    unless_digest: str | None = None
    look_only: bool = False


@dataclass(frozen=True, kw_only=True)
class PageRead:
    """What a response came to.

    `digest` is that of the decoded body, None where it cannot be had. `outcome` and `reason` are there where the bytes
    alone decide; `reading` where the page was read, or could not be. `metas` are what the markup says to robots, by
    lower-case names, where nothing was read. `forms` are the normal forms of the article's texts.
    """

    digest: str | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    reading: Reading | None = None
    metas: Mapping[str, Sequence[str]] = field(default_factory=dict)
    forms: Mapping[str, str] = field(default_factory=dict)


def task_of(exchange: HttpExchange, *, url: str, timezone: str | None, robots_token: str, max_bytes: int) -> PageTask:
    """Return the task of reading a response that was asked for at `url`."""
    return PageTask(
        body=exchange.body,
        content_encoding=exchange.header("content-encoding"),
        content_type=exchange.header("content-type"),
        headers=exchange.response_headers,
        url=url,
        timezone=timezone,
        captured_at=exchange.finished_at,
        robots_token=robots_token,
        max_bytes=max_bytes,
    )


def read_page(task: PageTask) -> PageRead:
    """Read a response as a page, in this process."""
    body = read_body(task.body, task.content_encoding, content_type=task.content_type, max_bytes=task.max_bytes)
    if body.outcome is not None:
        return PageRead(outcome=body.outcome, reason=body.reason)
    read = PageRead(digest=body.digest)
    if task.look_only or body.digest == task.unless_digest:
        return replace(read, metas=robots_metas(body.content))
    reading = read_task(
        ReadTask(
            body=body.content,
            content_type=task.content_type,
            url=task.url,
            timezone=task.timezone,
            captured_at=task.captured_at,
            headers=task.headers,
            robots_token=task.robots_token,
        )
    )
    if reading.article is None:
        return replace(read, reading=reading, metas=robots_metas(body.content))
    return replace(read, reading=reading, forms=forms_of(reading.article))


def forms_of(article: ExtractedArticle) -> dict[str, str]:
    """Return the normal forms of an article's texts. Raises `TimeoutError` where they take too long to be made."""
    begun = time.process_time()
    forms = normal_forms(article)
    if time.process_time() - begun > FORMS_SECONDS:
        raise TimeoutError(f"the normal forms of {len(article.body)} characters took too long")
    return forms


class PageReader:
    """Reads responses in worker processes. Says `EXTRACT_FAILED` of what ends or holds up its reader."""

    def __init__(self, workers: Works, *, watcher: Watcher = UNWATCHED) -> None:
        self._workers = workers
        self._watcher = watcher

    async def read(self, task: PageTask) -> PageRead:
        """Return what a response came to; `EXTRACT_FAILED` with `timeout`, `crash`, `memory` or the exception's name.

        Raises `PoolStopped` and `ExtractionUnavailable`, which say nothing about the page.
        """
        begun = time.monotonic()
        failure = None
        try:
            read = await self._workers.run(read_page, task, owner=owner_of(task.url), kind=Kind.PAGE)
        except WorkFailed as failed:
            failure = failed.reason
            log.warning("extract_failed", url=task.url, reason=failed.reason, problem=failed.problem)
            read = replace(await self.look(task), reading=Reading(outcome=Outcome.EXTRACT_FAILED, reason=failed.reason))
        if read.reading is not None:
            known = failure in (None, "timeout", "crash")
            self._watcher.page_read(time.monotonic() - begun, failure if known else "error")
        remember(read.forms)
        return read

    async def look(self, task: PageTask) -> PageRead:
        """Return what a response is without reading it: its digest, and what its markup says to robots.

        Nothing is known of one that holds up even this.
        """
        try:
            return await self._workers.run(read_page, replace(task, look_only=True), owner=owner_of(task.url))
        except WorkFailed as failed:
            log.warning("extract_failed", url=task.url, reason=failed.reason, problem=failed.problem)
            return PageRead()

    async def prepare(self, article: ExtractedArticle, *, url: str) -> bool:
        """Have the texts of an article ready to be compared that was put together; False where that takes too long."""
        try:
            remember(await self._workers.run(forms_of, article, owner=owner_of(url), kind=Kind.PAGE))
        except WorkFailed as failed:
            log.warning("extract_failed", url=url, reason=failed.reason, problem=failed.problem)
            return False
        return True
