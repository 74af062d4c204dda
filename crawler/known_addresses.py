"""What is known of each publisher's addresses, learnt from the database and kept for a while."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from crawler.discovery.url_noise import UrlNoise
from crawler.discovery.url_shapes import UrlShapes
from storage.records import FeedEntry
from storage.store import Store

EXAMPLES = 5_000
"""Addresses of each kind that a publisher's shapes are learnt from at most; the newest count."""
STORIES = 1_000
"""Pages with articles that are compared, for what never matters in their addresses."""
KEPT_SECONDS = 300.0
AGAIN_SECONDS = 30.0
"""Learning takes up to a second where much is known, so then it is not done more often for what is new."""
FEW = 500
"""From so few addresses it is learnt quickly."""
_MAX_SOURCES = 256
_GROWN_BY = 4
"""More is learnt once a quarter of what is known is new."""


@dataclass(frozen=True)
class _Learnt:
    shapes: UrlShapes
    at: float
    known: int

    def is_stale(self, now: float, new: int) -> bool:
        """Whether it is to be learnt again, where by now so many addresses are new."""
        age = now - self.at
        is_time = self.known < FEW or age >= AGAIN_SECONDS
        return age >= KEPT_SECONDS or (is_time and new > 0 and new >= self.known // _GROWN_BY)


class LearntShapes:
    """Gives the shapes of a source's addresses; learnt again after five minutes, or when much more is known."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._learnt: dict[int, _Learnt] = {}
        self._new: Counter[int] = Counter()
        self._noise: dict[int, tuple[UrlNoise, float]] = {}

    async def of(self, source_id: int) -> UrlShapes:
        """Return what is known of the addresses of a source."""
        now = asyncio.get_running_loop().time()
        learnt = self._learnt.get(source_id)
        if learnt is None or learnt.is_stale(now, self._new[source_id]):
            del self._new[source_id]
            shapes, known = await asyncio.to_thread(self._learn, source_id)
            learnt = _Learnt(shapes, at=now, known=known)
            self._keep(source_id, learnt, now=now)
        return learnt.shapes

    def _keep(self, source_id: int, learnt: _Learnt, *, now: float) -> None:
        """Keep what was learnt; what would be learnt again anyway is let go, however many sources there are."""
        self._learnt = {id_: kept for id_, kept in self._learnt.items() if now - kept.at < KEPT_SECONDS}
        self._learnt.pop(source_id, None)
        self._learnt[source_id] = learnt
        if len(self._learnt) > _MAX_SOURCES:
            del self._learnt[next(iter(self._learnt))]

    async def as_known(self, source_id: int, entries: Sequence[FeedEntry]) -> Sequence[FeedEntry]:
        """Return entries, those with the keys of known pages whose addresses are other ones of such pages.

        What is learnt of that is learnt again after five minutes.
        """
        if not entries:
            return entries
        now = asyncio.get_running_loop().time()
        noise, at = self._noise.get(source_id, (None, 0.0))
        if noise is None or now - at >= KEPT_SECONDS:
            noise = await asyncio.to_thread(self._learn_noise, source_id)
            self._noise = {id_: kept for id_, kept in self._noise.items() if now - kept[1] < KEPT_SECONDS}
            if len(self._noise) >= _MAX_SOURCES:
                del self._noise[next(iter(self._noise))]
            self._noise[source_id] = (noise, now)
        keys = [noise.known_key(entry.url, title=entry.title, published_at=entry.published_at) for entry in entries]
        return [replace(one, url_key=key) if key else one for one, key in zip(entries, keys, strict=True)]

    def _learn_noise(self, source_id: int) -> UrlNoise:
        with self._store.reading() as transaction:
            return UrlNoise.learn(transaction.pages.known_stories(source_id, STORIES))

    def note_new(self, source_id: int, count: int) -> None:
        """Say that so many more addresses of a source's articles are known by now."""
        self._new[source_id] += count

    def _learn(self, source_id: int) -> tuple[UrlShapes, int]:
        with self._store.reading() as transaction:
            known = transaction.pages.known_addresses(source_id, EXAMPLES)
            sections = transaction.feeds.section_urls(source_id, EXAMPLES)
        others = [*known.others, *sections]
        return UrlShapes.learn(known.articles, others), len(known.articles) + len(others)
