"""Polling one index of links (a feed, a sitemap, a section): fetch it, read it, record the pages that it leads to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from crawler.back_catalogue import AT_ONCE, first_due_at, likely_news, spacing_of
from crawler.discovery.listing import FoundIndex
from crawler.fetching import PERMANENT_REDIRECTS, Fetched, Fetcher, FetchRequest
from crawler.freshness import fresh_seconds
from crawler.index_reading import SITEMAP_BYTES, SITEMAPS, IndexRead, IndexReader, fetch_kind
from crawler.known_addresses import LearntShapes
from crawler.new_pages import TOO_MANY_NEW, NewPages
from crawler.recorder import Recorder
from crawler.validators import usable_validators
from storage.model import FeedKind, FetchKind, Source
from storage.outcomes import POLLED_WELL, Outcome
from storage.records import EntriesRecorded, FeedEntry, FeedPoll, FeedState
from storage.store import Transaction

log = structlog.get_logger()

ENTRIES_A_TRANSACTION = 200
INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, kw_only=True)
class PollResult:
    """What polling an index came to: new and known pages, or why it could not be read.

    `outcome` is None where it was not recorded because we failed. `kind` is what the index proved to be, None where it
    could not be read. `left_out` counts links that are not wanted by reason, `pages` the pages that the index was read
    from. `poll` is what is still to be recorded of the index itself, by `FeedPoller.record`.
    """

    feed: FeedState
    outcome: Outcome | None
    reason: str | None = None
    new: int = 0
    known: int = 0
    kind: FeedKind | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    indexes: Sequence[FoundIndex] = ()
    next_url: str | None = None
    pages: int = 1
    poll: FeedPoll | None = None
    urls: frozenset[str] = frozenset()

    @property
    def healthy(self) -> bool:
        """Whether the index answered as one."""
        return self.outcome in POLLED_WELL


def _slices(entries: Sequence[FeedEntry]) -> Iterator[Sequence[FeedEntry]]:
    for start in range(0, len(entries), ENTRIES_A_TRANSACTION):
        yield entries[start : start + ENTRIES_A_TRANSACTION]


class FeedPoller:
    """Polls indexes: `ask`, `take`, `record`.

    Entries are written before the index's validators, so a crash in between only polls again.
    """

    def __init__(
        self,
        *,
        fetcher: Fetcher,
        recorder: Recorder,
        shapes: LearntShapes,
        max_bytes: int,
        default_delay_seconds: float,
        reader: IndexReader,
        new_pages: NewPages,
    ) -> None:
        self._fetcher = fetcher
        self._recorder = recorder
        self._shapes = shapes
        self._max_bytes = max_bytes
        self._default_delay = default_delay_seconds
        self.reader = reader
        self._new_pages = new_pages

    async def ask(self, feed: FeedState, source: Source, *, url: str | None = None) -> Fetched:
        """Fetch an index, or its further page at `url`. Raises `FetchingStopped`."""
        # A section is sorted anew each time, as more becomes known of what its links are.
        conditional = url is None and feed.kind is not FeedKind.SECTION and feed.is_conditional
        kind = fetch_kind(feed.kind)
        return await self._fetcher.fetch(
            FetchRequest(
                url=url or feed.polled_url,
                kind=kind,
                source_id=feed.source_id,
                delay_seconds=source.delay_seconds,
                etag=feed.etag if conditional else None,
                last_modified=feed.last_modified if conditional else None,
                validators_of=feed.moved_to if conditional else None,
                max_bytes=max(self._max_bytes, SITEMAP_BYTES) if kind is FetchKind.SITEMAP else None,
            )
        )

    async def take(self, feed: FeedState, source: Source, fetched: Fetched) -> PollResult:
        """Record the fetches and the entries of an answer to a poll of `feed`, but not yet that it was polled."""
        read = await self.read(feed, source, fetched)
        read = replace(read, entries=await self._shapes.as_known(feed.source_id, read.entries))
        await self.record_fetches(fetched, outcome=read.outcome, reason=read.reason, feed_id=feed.feed_id)
        recorded = await self._record_entries(feed, source, read, fetched.last.attempt.finished_at)
        left_out = {**read.left_out, **({TOO_MANY_NEW: recorded.cut} if recorded.cut else {})}
        if read.kind not in (FeedKind.SECTION, FeedKind.SITEMAP):
            # What these list may be no article, and tells nothing until it was fetched.
            self._shapes.note_new(feed.source_id, recorded.new)
        result = PollResult(
            feed=feed,
            outcome=read.outcome,
            reason=read.reason,
            new=recorded.new,
            known=recorded.known,
            kind=read.kind,
            left_out=left_out,
            indexes=read.indexes,
            next_url=read.next_url,
            poll=_poll(feed, fetched, read, recorded),
            urls=frozenset(entry.url_key for entry in read.entries),
        )
        say = log.info if result.new or not result.healthy else log.debug
        say(
            "feed_polled",
            feed_id=feed.feed_id,
            url=fetched.request.url,
            outcome=read.outcome,
            reason=read.reason,
            new=result.new,
            known=result.known,
            left_out=left_out,
        )
        return result

    async def read(self, feed: FeedState, source: Source, fetched: Fetched) -> IndexRead:
        """Return what an answer to a poll of `feed` lists, by what is known of its source's addresses."""
        return await self.reader.read(feed, source, fetched, shapes=await self._shapes.of(feed.source_id))

    async def record(self, result: PollResult) -> None:
        """Record that an index was polled: its validators, and that its time has come and gone."""
        poll = result.poll
        if poll is not None:
            await self._recorder.write(lambda tx: tx.feeds.record_poll(poll))

    async def record_fetches(
        self, fetched: Fetched, *, outcome: Outcome, reason: str | None, feed_id: int | None = None
    ) -> None:
        """Record the hops of an answer, the last with the outcome that reading it gave."""
        fetches = [fetched.fetch(i, feed_id=feed_id) for i in range(len(fetched.hops))]
        fetches[-1] = replace(fetches[-1], outcome=outcome, reason=reason)

        def write(tx: Transaction) -> None:
            for fetch in fetches:
                tx.fetches.record(fetch)

        await self._recorder.write(write)

    async def _record_entries(
        self, feed: FeedState, source: Source, read: IndexRead, listed_at: datetime
    ) -> EntriesRecorded:
        room = self._new_pages.room(feed, read.kind, now=listed_at)
        recorded = await self._record_within(room, feed, source, read, listed_at)
        self._new_pages.note(feed, recorded.new, now=listed_at)
        return recorded

    async def _record_within(
        self, most_new: int | None, feed: FeedState, source: Source, read: IndexRead, listed_at: datetime
    ) -> EntriesRecorded:
        if read.kind not in SITEMAPS:
            recorded, _ = await self._write_entries(feed, read.entries, listed_at, most_new=most_new)
            return recorded
        backlog = await self._recorder.write(lambda tx: tx.pages.backlog(feed.source_id, now=listed_at, limit=AT_ONCE))
        news, old = likely_news(read.entries, feed=feed, kind=read.kind, backlog=backlog, now=listed_at)
        due_at = None if read.kind is FeedKind.NEWS_SITEMAP else listed_at
        room = AT_ONCE - backlog.due
        at_once, left = await self._write_entries(
            feed, news, listed_at, first_due_at=due_at, most=room, most_new=most_new
        )
        spacing = spacing_of(self._default_delay if source.delay_seconds is None else source.delay_seconds)
        further, _ = await self._write_entries(
            feed,
            [*left, *old],
            listed_at,
            first_due_at=first_due_at(backlog, now=listed_at, spacing=spacing),
            spacing=spacing,
            most_new=None if most_new is None else most_new - at_once.new,
        )
        return EntriesRecorded(
            new=at_once.new + further.new,
            known=at_once.known + further.known,
            cut=at_once.cut + further.cut,
        )

    async def _write_entries(
        self,
        feed: FeedState,
        entries: Sequence[FeedEntry],
        listed_at: datetime,
        *,
        first_due_at: datetime | None = None,
        spacing: timedelta = timedelta(0),
        most: int | None = None,
        most_new: int | None = None,
    ) -> tuple[EntriesRecorded, Sequence[FeedEntry]]:
        """Write entries in slices, until about `most` of them were new; return what that came to, and what is left.

        Of new ones no more than `most_new` are written.
        """
        new = known = cut = 0
        for number, part in enumerate(_slices(entries)):
            if most is not None and new >= most:
                return EntriesRecorded(new=new, known=known, cut=cut), entries[number * ENTRIES_A_TRANSACTION :]
            due_at = None if first_due_at is None else first_due_at + spacing * new
            write = partial(
                _write_entries,
                feed,
                part,
                listed_at,
                first_due_at=due_at,
                spacing=spacing,
                most_new=None if most_new is None else max(0, most_new - new),
            )
            recorded = await self._recorder.write(write)
            new, known, cut = new + recorded.new, known + recorded.known, cut + recorded.cut
        return EntriesRecorded(new=new, known=known, cut=cut), ()


def _write_entries(
    feed: FeedState,
    entries: Sequence[FeedEntry],
    listed_at: datetime,
    tx: Transaction,
    *,
    first_due_at: datetime | None,
    spacing: timedelta,
    most_new: int | None,
) -> EntriesRecorded:
    return tx.feeds.record_entries(
        feed.feed_id,
        feed.source_id,
        entries,
        listed_at,
        first_due_at=first_due_at,
        spacing=spacing,
        most_new=most_new,
    )


def _poll(feed: FeedState, fetched: Fetched, read: IndexRead, recorded: EntriesRecorded) -> FeedPoll:
    exchange = fetched.last.attempt.exchange
    etag, last_modified = usable_validators(exchange, received_at=exchange.finished_at) if exchange else (None, None)
    if recorded.cut:  # what was left for the next poll must not be answered with 304 then
        etag = last_modified = None
    return FeedPoll(
        feed_id=feed.feed_id,
        outcome=read.outcome,
        polled_at=fetched.last.attempt.finished_at,
        began_at=fetched.hops[0].attempt.started_at,
        kind=read.kind,
        title=read.title,
        etag=etag,
        last_modified=last_modified,
        body_digest=None if recorded.cut else read.digest,
        ttl_seconds=read.ttl_seconds,
        max_age_seconds=fresh_seconds(exchange.response_headers, received_at=fetched.last.attempt.finished_at)
        if exchange
        else None,
        skip_hours=read.skip_hours,
        skip_days=read.skip_days,
        new=recorded.new,
        known=recorded.known,
        moved_to=_moved_to(feed, fetched),
    )


def _moved_to(feed: FeedState, fetched: Fetched) -> str | None:
    """Return where a feed is for good: where redirects led that are all permanent, or where it moved before."""
    if len(fetched.hops) == 1:
        return feed.moved_to if fetched.final_url == feed.moved_to else None
    hops = [hop.attempt.exchange for hop in fetched.hops[:-1]]
    if any(exchange is None or exchange.status not in PERMANENT_REDIRECTS for exchange in hops):
        return None
    return fetched.final_url
