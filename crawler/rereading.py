"""Reads what is in the archive with the extractor in use, so that like is compared with like."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from crawler.extraction.joining import joined
from crawler.extraction.reading import Reading
from crawler.page_reading import PageRead, PageTask, task_of
from storage.errors import CaptureUnreadable
from storage.model import Capture, ExtractedArticle, HttpExchange
from storage.outcomes import Outcome
from storage.records import PageState, Rereading

log = structlog.get_logger()


class ReadsPages(Protocol):
    """Reads responses in processes of its own."""

    async def read(self, task: PageTask) -> PageRead:
        """Return what a response came to."""

    async def look(self, task: PageTask) -> PageRead:
        """Return what a response is, without reading it."""

    async def prepare(self, article: ExtractedArticle, *, url: str) -> bool:
        """Have an article ready to be compared that was put together; False where that takes too long."""


class ReadsCaptures(Protocol):
    """The archive, as far as it is read here."""

    def read(self, capture: Capture) -> HttpExchange:
        """Return the exchange that was kept; raises `CaptureUnreadable`."""


class KnowsCaptures(Protocol):
    """The database, as far as it is asked for captures."""

    async def of_version(self, version_id: int) -> Sequence[Capture]:
        """Return the captures that a version was read from, one for each part; none when there is no such version."""

    async def parts_of_article(self, article_id: int) -> int:
        """Return in how many further parts the current version of an article was read; 0 where there is none."""


@dataclass(frozen=True, kw_only=True)
class ReadingSettings:
    """What a page's source says about reading it, and the id of the extractor that this makes."""

    timezone: str | None
    extractor: str


class Rereader:
    """Reads the captures of versions once more."""

    def __init__(self, *, reader: ReadsPages, archive: ReadsCaptures, captures: KnowsCaptures, max_bytes: int) -> None:
        self._reader = reader
        self._archive = archive
        self._captures = captures
        self._max_bytes = max_bytes

    async def reread(self, version_id: int, page: PageState, settings: ReadingSettings) -> Rereading | None:
        """Read the current version's capture with the extractor in use, so that like is compared with like.

        Returns None when reading failed without saying anything about the capture (it took too long, or the worker
        died): then nothing can be concluded from this look.
        """
        readings: list[Reading] = []
        for capture in await self._captures.of_version(version_id):
            reading = await self._read_again(capture, page, settings)
            if reading is None or reading.article is None:
                readings.clear()
                if reading is not None and reading.outcome is Outcome.EXTRACT_FAILED:
                    return None
                break
            readings.append(reading)
        article = _whole(readings)
        if len(readings) > 1 and article is not None and not await self._reader.prepare(article, url=page.url):
            return None
        return Rereading(version_id=version_id, extractor=settings.extractor, article=article)

    async def _read_again(self, capture: Capture, page: PageState, settings: ReadingSettings) -> Reading | None:
        """Read an old capture; None where it cannot be read back."""
        try:
            exchange = await asyncio.to_thread(self._archive.read, capture)
        except CaptureUnreadable as problem:
            log.warning("capture_unreadable", page_id=page.page_id, problem=str(problem))
            return None
        task = task_of(
            exchange, url=capture.url, timezone=settings.timezone, robots_token="", max_bytes=self._max_bytes
        )
        # Permissions were asked when it was kept.
        read = await self._reader.read(replace(task, captured_at=capture.captured_at, headers=()))
        return read.reading


def _whole(readings: Sequence[Reading]) -> ExtractedArticle | None:
    """Return the article whose parts these are; None where it goes on in parts that were not kept, and for none."""
    articles = [reading.article for reading in readings if reading.article is not None]
    if not articles:
        return None
    first = readings[0].addresses
    goes_on = first.part == 1 and first.next_part is not None
    return None if goes_on and len(articles) == 1 else joined(articles)
