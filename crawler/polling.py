"""Polling one feed: fetch it, read it, and record the pages that it leads to."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import structlog

from crawler.discovery.feeds import read_feed
from crawler.discovery.listing import Listing, NotAFeed
from crawler.fetching import Fetched, Fetcher, FetchRequest
from crawler.ingest import digest_of
from crawler.recorder import Recorder
from crawler.urls import in_scope
from storage.content_coding import BadContentCoding, decode_body
from storage.model import FetchKind, Outcome, Source
from storage.records import EntriesRecorded, FeedEntry, FeedPoll, FeedState, Fetch
from storage.store import Transaction

log = structlog.get_logger()

ENTRIES_A_TRANSACTION = 200


@dataclass(frozen=True, kw_only=True)
class PollResult:
    """What polling a feed came to: new and known pages, or why it could not be read.

    `outcome` is None where it was not recorded because we failed.
    """

    feed: FeedState
    outcome: Outcome | None
    reason: str | None = None
    new: int = 0
    known: int = 0

    @property
    def healthy(self) -> bool:
        """Whether the feed answered as a feed."""
        return self.outcome in (Outcome.LISTED, Outcome.NOT_MODIFIED, Outcome.UNCHANGED)


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """An answer to a poll, judged: the outcome, and where there is one the reading with the entries that are wanted."""

    outcome: Outcome
    reason: str | None = None
    reading: Listing | None = None
    wanted: Sequence[FeedEntry] = ()
    digest: str | None = None


def _wanted(reading: Listing, source: Source) -> list[FeedEntry]:
    return [entry for entry in reading.entries if in_scope(entry.url, include=source.include, exclude=source.exclude)]


def _slices(entries: Sequence[FeedEntry]) -> Iterator[Sequence[FeedEntry]]:
    for start in range(0, len(entries), ENTRIES_A_TRANSACTION):
        yield entries[start : start + ENTRIES_A_TRANSACTION]


def _record_entries(
    feed: FeedState, entries: Sequence[FeedEntry], listed_at: datetime, tx: Transaction
) -> EntriesRecorded:
    return tx.feeds.record_entries(feed.feed_id, feed.source_id, entries, listed_at)


class FeedPoller:
    """Polls feeds. Entries are written before the feed's validators, so a crash in between only polls again."""

    def __init__(self, *, fetcher: Fetcher, recorder: Recorder, max_bytes: int) -> None:
        self._fetcher = fetcher
        self._recorder = recorder
        self._max_bytes = max_bytes

    async def poll(self, feed: FeedState, source: Source) -> PollResult:
        """Fetch a feed, conditionally where it gave validators, and record what it lists.

        When it is due again is for the planner to say.

        Raises `DatabaseUnavailable` when that could not be recorded.
        """
        request = FetchRequest(
            url=feed.url,
            kind=FetchKind.FEED,
            source_id=feed.source_id,
            delay_seconds=source.delay_seconds,
            etag=feed.etag,
            last_modified=feed.last_modified,
        )
        return await self.take(feed, source, await self._fetcher.fetch(request))

    async def take(self, feed: FeedState, source: Source, fetched: Fetched) -> PollResult:
        """Record an answer that was fetched already as a poll of `feed`."""
        judged = await asyncio.to_thread(self._judge, feed, source, fetched)
        fetches = [fetched.fetch(i, feed_id=feed.feed_id) for i in range(len(fetched.hops))]
        fetches[-1] = replace(fetches[-1], outcome=judged.outcome, reason=judged.reason)
        listed_at = fetched.last.attempt.finished_at
        new = known = 0
        for entries in _slices(judged.wanted):
            recorded = await self._recorder.write(partial(_record_entries, feed, entries, listed_at))
            new, known = new + recorded.new, known + recorded.known
        await self._record_state(feed, fetched, judged, fetches)
        result = PollResult(feed=feed, outcome=judged.outcome, reason=judged.reason, new=new, known=known)
        log.info(
            "feed_polled", feed_id=feed.feed_id, outcome=result.outcome, reason=result.reason, new=new, known=known
        )
        return result

    async def _record_state(self, feed: FeedState, fetched: Fetched, judged: _Judged, fetches: Sequence[Fetch]) -> None:
        exchange = fetched.last.attempt.exchange
        poll = FeedPoll(
            feed_id=feed.feed_id,
            outcome=judged.outcome,
            polled_at=fetched.last.attempt.finished_at,
            kind=judged.reading.kind if judged.reading else None,
            title=judged.reading.title if judged.reading else None,
            etag=exchange.header("etag") if exchange else None,
            last_modified=exchange.header("last-modified") if exchange else None,
            body_digest=judged.digest,
        )

        def write(tx: Transaction) -> None:
            for fetch in fetches:
                tx.fetches.record(fetch)
            tx.feeds.record_poll(poll)

        await self._recorder.write(write)

    def _judge(self, feed: FeedState, source: Source, fetched: Fetched) -> _Judged:
        hop = fetched.last
        exchange = hop.attempt.exchange
        if hop.outcome is not None or exchange is None:
            return _Judged(outcome=hop.outcome or Outcome.NETWORK_ERROR, reason=hop.reason)
        try:
            body = decode_body(exchange.body, exchange.header("content-encoding"), max_bytes=self._max_bytes)
        except BadContentCoding as problem:
            if problem.reason == "too_large":
                return _Judged(outcome=Outcome.TOO_LARGE, reason="decoded_body")
            return _Judged(outcome=Outcome.NETWORK_ERROR, reason=problem.reason)
        digest = digest_of(body)
        if digest == feed.body_digest:
            return _Judged(outcome=Outcome.UNCHANGED, reason="same_bytes", digest=digest)
        reading = read_feed(body, url=fetched.final_url, content_type=exchange.header("content-type"))
        if isinstance(reading, NotAFeed):
            return _Judged(outcome=Outcome.WRONG_TYPE, reason=reading.reason)
        return _Judged(
            outcome=Outcome.LISTED,
            reason=reading.problem,
            reading=reading,
            wanted=_wanted(reading, source),
            digest=digest,
        )
