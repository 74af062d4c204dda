"""From a fetched page to a recorded fact: decode, read, and hand to the history, which decides.

Knows neither Scrapy nor SQL: it is given something that reads pages, something that records and something that gives
old captures back.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from crawler.extraction.addresses import PageAddresses
from crawler.extraction.permissions import Permissions, permissions_of
from crawler.extraction.reading import Reading
from crawler.fetching import Fetched
from crawler.page_reading import PageRead, PageTask, task_of
from crawler.parts import PartRead, PartsReader, PartsStopped
from crawler.recorder import Sighting
from crawler.rereading import KnowsCaptures, ReadingSettings, ReadsCaptures, ReadsPages, Rereader
from crawler.sightings import decided, evidence, is_evidence, not_comparable, same_bytes
from crawler.urls import InvalidUrl, feed_entry, url_key
from crawler.validators import usable_validators
from crawler.variants import Primary, primary_of, states_own_address
from crawler.watching import say_what_came
from storage.model import ExtractedArticle, HttpExchange
from storage.outcomes import Outcome, Trait, with_trait
from storage.part_digests import digest_of_parts
from storage.records import KEPT_WALL_BYTES, FeedEntry, Fetch, PageLook, PageState, Recorded

log = structlog.get_logger()

MAX_REREADINGS = 5
PATIENCE_WITH_PARTS = 3
"""So many failures in a row of a page without an article, and the article ends before a part that cannot be had."""
BETWEEN_LOOKS = timedelta(hours=1)
"""Two looks this far apart must miss a part that an article had, as with articles that are gone."""
_WALLS = with_trait(Trait.WALL)
_REFUSALS = with_trait(Trait.REFUSAL)


class RecordsSightings(Protocol):
    """The recorder."""

    async def record(self, sighting: Sighting) -> Recorded:
        """Record a sighting and return what it came to."""

    async def record_attempts(self, fetches: Sequence[Fetch]) -> None:
        """Record attempts that say nothing about any page."""


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """A 200 with a body that may be a page, and whose it is."""

    page: PageState
    fetched: Fetched
    exchange: HttpExchange
    settings: ReadingSettings


class PageIngest:
    """Turns fetched pages into recorded facts."""

    def __init__(
        self,
        *,
        reader: ReadsPages,
        recorder: RecordsSightings,
        archive: ReadsCaptures,
        captures: KnowsCaptures,
        fetch_part: Callable[[PageState, str], Awaitable[Fetched]],
        reading_settings: Callable[[int], ReadingSettings],
        max_bytes: int,
        keep_all: bool,
        robots_token: str = "",
        respect_noarchive: bool = False,
    ) -> None:
        self._reader = reader
        self._recorder = recorder
        self._captures = captures
        self._rereader = Rereader(reader=reader, archive=archive, captures=captures, max_bytes=max_bytes)
        self._fetch_part = fetch_part
        self._reading_settings = reading_settings
        self._max_bytes = max_bytes
        self._keep_all = keep_all
        self._robots_token = robots_token
        self._respect_noarchive = respect_noarchive

    async def ingest(self, page: PageState, fetched: Fetched, *, at_once: bool = False) -> Recorded:
        """Record what fetching `page` brought, and return what it came to.

        `at_once` says that somebody asked for this look, so that it counts however soon after another.

        Raises `ArchiveUnavailable` or `DatabaseUnavailable` when it could not be recorded; nothing is then. Raises
        `FetchingStopped` when a further part of the article may not be asked for: then only the attempts are recorded.
        """
        settings = self._reading_settings(page.source_id)
        sighting = await self._sighting(page, fetched, settings)
        sighting = replace(sighting, look=replace(sighting.look, at_once=at_once))
        recorded = await self._recorder.record(sighting)
        if recorded.primary_refused:
            sighting = await self._sighting(page, fetched, settings, believed=False)
            sighting = replace(sighting, look=replace(sighting.look, at_once=at_once))
            recorded = await self._recorder.record(sighting)
        rereadings = 0
        while recorded.needs_rereading is not None:
            # Another process may have written a version meanwhile, whose capture then has to be read again too.
            rereadings += 1
            if rereadings > MAX_REREADINGS:
                raise RuntimeError(f"{page.url}: its current version changed {MAX_REREADINGS} times while it was read")
            rereading = await self._rereader.reread(recorded.needs_rereading, page, settings)
            if rereading is None:
                recorded = await self._recorder.record(not_comparable(sighting))
            else:
                look = replace(sighting.look, rereading=rereading)
                recorded = await self._recorder.record(replace(sighting, look=look))
        say_what_came(page, recorded)
        return recorded

    async def _sighting(
        self, page: PageState, fetched: Fetched, settings: ReadingSettings, *, believed: bool = True
    ) -> Sighting:
        """Return what was seen. `believed` is False once the page's word for another address proved wrong."""
        base = PageLook(
            page_id=page.page_id,
            fetch=fetched.fetch(-1, page_id=page.page_id),
            fetches_before=tuple(fetched.fetch(i, page_id=page.page_id) for i in range(len(fetched.hops) - 1)),
            extractor=settings.extractor,
        )
        exchange = fetched.last.attempt.exchange
        if exchange is None:
            return Sighting(look=base)
        etag, last_modified = usable_validators(exchange, received_at=exchange.finished_at)
        base = replace(base, etag=etag, last_modified=last_modified)
        base, refused = self._permitted(
            base, permissions_of(exchange.response_headers, {}, robots_token=self._robots_token)
        )
        if fetched.last.outcome is Outcome.NOT_MODIFIED:
            if page.seen_capture_id is None:
                # What was no article is none still; `not_modified` would say that an article stood there.
                return Sighting(look=decided(base, Outcome.NOT_ARTICLE, "not_modified"))
            return Sighting(look=replace(base, same_as_capture=page.seen_capture_id))
        if refused:
            return Sighting(look=base)
        if fetched.last.outcome is not None:
            return await self._unread(base, fetched=fetched, exchange=exchange, settings=settings)
        answer = _Answer(page=page, fetched=fetched, exchange=exchange, settings=settings)
        return await self._read(base, answer, believed=believed)

    async def _read(self, base: PageLook, answer: _Answer, *, believed: bool) -> Sighting:
        page, fetched, exchange = answer.page, answer.fetched, answer.exchange
        task = self._task(fetched, exchange=exchange, settings=answer.settings)
        if page.body_digest and same_bytes(base, page, page.body_digest, answer.settings.extractor):
            task = replace(task, unless_digest=page.body_digest)
        read = await self._reader.read(task)
        if read.outcome is not None:
            return Sighting(look=decided(base, read.outcome, read.reason))
        base = replace(base, body_digest=read.digest)
        if read.reading is None:
            seen_again = same_bytes(base, page, read.digest, answer.settings.extractor)
            return Sighting(look=self._permitted(seen_again or base, self._said(exchange, read))[0])
        reading = read.reading
        base, refused = self._permitted(base, reading.permissions)
        if refused:
            return Sighting(look=base)
        if reading.article is None:
            outcome = reading.outcome or Outcome.EXTRACT_FAILED
            if outcome is Outcome.NOT_ARTICLE and page.article_id is not None and len(fetched.hops) > 1:
                # An article whose address now leads to a section or the home page is missing, not read.
                return self._evidence(decided(base, Outcome.MISSING, "redirected_to_section"), exchange, read)
            return self._evidence(decided(base, outcome, reading.reason), exchange, read)
        look = replace(base, article=reading.article, live_blog=reading.live_blog)
        primary = _primary(page, fetched, reading) if believed else None
        if primary is not None:
            look = replace(look, primary=primary.entry, primary_reason=primary.reason)
            return Sighting(look=look, exchange=exchange, body_digest=read.digest, keep=self._keep_all)
        # The first capture of an article is always kept, so it need not be asked for.
        keep = self._keep_all or page.article_id is None
        landed = _landing(page, fetched)
        names_itself = landed is not None and states_own_address(fetched.final_url, reading.addresses)
        look = replace(look, landed=landed, names_itself=names_itself)
        sighting = Sighting(look=look, exchange=exchange, body_digest=read.digest, keep=keep)
        return await self._with_parts(sighting, reading.article, reading.addresses, answer)

    async def _with_parts(
        self, sighting: Sighting, first: ExtractedArticle, addresses: PageAddresses, answer: _Answer
    ) -> Sighting:
        """Return the sighting of a whole article, of which this page may be the first part only."""
        page = answer.page
        if addresses.part > 1 or addresses.next_part is None:
            return sighting
        reader = PartsReader(
            fetch=lambda url: self._fetch_part(page, url),
            read=lambda fetched: self._read_part(fetched, answer.settings),
            parts_had=lambda: self._parts_had(page),
            page_id=page.page_id,
            missed_before=_missed_before(page, answer.exchange.finished_at),
            resigned=page.article_id is None and page.consecutive_failures >= PATIENCE_WITH_PARTS,
        )
        try:
            parts = await reader.parts_of(first, addresses, url=answer.fetched.final_url)
        except PartsStopped as stopped:
            # Every attempt leaves its row; nothing else is known about the page, which is still owed.
            look = decided(sighting.look, Outcome.NETWORK_ERROR, "stopped")
            await self._recorder.record_attempts((*look.fetches_before, look.fetch, *stopped.fetches))
            raise
        look = replace(sighting.look, fetches_of_parts=parts.fetches)
        if parts.failure is not None:
            return Sighting(look=decided(replace(look, article=None, landed=None), *parts.failure))
        if not parts.in_parts:
            return replace(sighting, look=look)
        # Validators are the first part's, which tell nothing of the others.
        look = replace(look, etag=None, last_modified=None)
        if not parts.read:
            # The text goes on where we could not follow; what is the same next time is only its beginning.
            return replace(sighting, look=replace(look, body_digest=None))
        kept = tuple((part.exchange, part.body_digest) for part in parts.read if part.exchange and part.body_digest)
        digest = digest_of_parts([sighting.body_digest or "", *(part_digest for _, part_digest in kept)])
        look = replace(look, body_digest=digest)
        unread = replace(look, article=None, landed=None)
        if seen_again := same_bytes(unread, page, digest, answer.settings.extractor):
            return Sighting(look=seen_again)
        if not await self._reader.prepare(parts.article, url=answer.fetched.final_url):
            return Sighting(look=decided(unread, Outcome.EXTRACT_FAILED, "timeout"))
        look = replace(look, article=parts.article)
        return replace(sighting, look=look, parts=kept)

    async def _read_part(self, fetched: Fetched, settings: ReadingSettings) -> PartRead:
        last = fetched.last
        exchange = last.attempt.exchange
        if exchange is None:
            return PartRead(outcome=last.outcome or Outcome.NETWORK_ERROR, reason=last.reason)
        said = permissions_of(exchange.response_headers, {}, robots_token=self._robots_token)
        if last.outcome is not None:
            return PartRead(outcome=last.outcome, reason=last.reason, opt_outs=said.opt_outs)
        read = await self._reader.read(self._task(fetched, exchange=exchange, settings=settings))
        if read.outcome is not None or read.reading is None:
            return PartRead(outcome=read.outcome, reason=read.reason, opt_outs=said.opt_outs)
        reading = read.reading
        opt_outs = tuple(dict.fromkeys((*said.opt_outs, *reading.permissions.opt_outs)))
        if (said.noarchive or reading.permissions.noarchive) and self._respect_noarchive:
            return PartRead(outcome=Outcome.BLOCKED_ROBOTS, reason="noarchive", opt_outs=opt_outs)
        if reading.article is None:
            outcome = reading.outcome or Outcome.EXTRACT_FAILED
            return PartRead(outcome=outcome, reason=reading.reason, opt_outs=opt_outs)
        return PartRead(
            article=reading.article,
            addresses=reading.addresses,
            exchange=exchange,
            body_digest=read.digest,
            opt_outs=opt_outs,
        )

    async def _parts_had(self, page: PageState) -> int:
        """Return how many further parts the article has by its current version."""
        return 0 if page.article_id is None else await self._captures.parts_of_article(page.article_id)

    def _task(self, fetched: Fetched, *, exchange: HttpExchange, settings: ReadingSettings) -> PageTask:
        return task_of(
            exchange,
            url=fetched.final_url,
            timezone=settings.timezone,
            robots_token=self._robots_token,
            max_bytes=self._max_bytes,
        )

    def _permitted(self, look: PageLook, permissions: Permissions) -> tuple[PageLook, bool]:
        """Return the look with what its answer reserves, and whether nothing of the answer may be kept.

        Then the outcome is decided, but for an answer whose status has decided it already.
        """
        opt_outs = tuple(dict.fromkeys((*look.fetch.opt_outs, *permissions.opt_outs)))
        look = replace(look, fetch=replace(look.fetch, opt_outs=opt_outs))
        if not (permissions.noarchive and self._respect_noarchive):
            return look, False
        if look.fetch.outcome is None:
            look = decided(look, Outcome.BLOCKED_ROBOTS, "noarchive")
        return look, True

    async def _unread(
        self, look: PageLook, *, fetched: Fetched, exchange: HttpExchange, settings: ReadingSettings
    ) -> Sighting:
        """Return the sighting of an answer whose status decided what it is; a refusal's body may say why."""
        outcome = look.fetch.outcome
        task = self._task(fetched, exchange=exchange, settings=settings)
        if outcome in _REFUSALS and 0 < len(exchange.body) < KEPT_WALL_BYTES:
            read = await self._reader.read(task)
            if read.reading is not None:
                look, refused = self._permitted(look, read.reading.permissions)
                if refused:
                    return Sighting(look=look)
                if read.reading.outcome in _WALLS:
                    look = decided(look, outcome, read.reading.outcome.value)
            return self._evidence(look, exchange, read)
        if not is_evidence(outcome, exchange):
            return Sighting(look=look)
        return self._evidence(look, exchange, await self._reader.look(task))

    def _evidence(self, look: PageLook, exchange: HttpExchange, read: PageRead) -> Sighting:
        """Return the sighting of a response that shows no article, with its capture where that is kept and permitted.

        Of most of them nobody read the markup: a 404 may ask not to be archived, as may what the extractor gave up.
        """
        if not is_evidence(look.fetch.outcome, exchange):
            return Sighting(look=look)
        look, refused = self._permitted(look, self._said(exchange, read))
        return Sighting(look=look) if refused else evidence(look, exchange, read.digest)

    def _said(self, exchange: HttpExchange, read: PageRead) -> Permissions:
        """Return what an answer permits whose markup nobody read, or read before."""
        return permissions_of(exchange.response_headers, read.metas, robots_token=self._robots_token)


def _missed_before(page: PageState, now: datetime) -> bool:
    """Tell whether an article could not be had whole at its last look, and that was long enough ago to ask again."""
    if page.last_outcome is not Outcome.HTTP_ERROR or page.last_fetch_at is None:
        return False
    return now - page.last_fetch_at >= BETWEEN_LOOKS


def _primary(page: PageState, fetched: Fetched, reading: Reading) -> Primary | None:
    """Return the page that stands for this one by its own word; None where it is its own, or has an article already."""
    if page.article_id is not None and page.alias_of is None:
        return None
    primary = primary_of(fetched.final_url, reading.addresses)
    return None if primary is None or primary.entry.url_key == page.url_key else primary


def _landing(page: PageState, fetched: Fetched) -> FeedEntry | None:
    """Return the page that redirects led to, when it is another than the one asked for."""
    if len(fetched.hops) == 1:
        return None
    try:
        if url_key(fetched.final_url) == page.url_key:
            return None
        return feed_entry(fetched.final_url)
    except InvalidUrl:
        return None
