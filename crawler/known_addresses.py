"""What is known of each publisher's addresses, learnt from the database and kept for a while."""

import asyncio
from dataclasses import dataclass

from crawler.discovery.url_shapes import UrlShapes
from storage.store import Store

EXAMPLES = 5_000
"""Addresses of each kind that a publisher's shapes are learnt from at most; the newest count."""
KEPT_SECONDS = 300.0


@dataclass(frozen=True)
class _Learnt:
    shapes: UrlShapes
    until: float


class LearntShapes:
    """Gives the shapes of a source's addresses; learnt again after five minutes, or when something was forgotten."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._learnt: dict[int, _Learnt] = {}

    async def of(self, source_id: int) -> UrlShapes:
        """Return what is known of the addresses of a source."""
        now = asyncio.get_running_loop().time()
        learnt = self._learnt.get(source_id)
        if learnt is None or learnt.until <= now:
            shapes = await asyncio.to_thread(self._learn, source_id)
            learnt = self._learnt[source_id] = _Learnt(shapes, now + KEPT_SECONDS)
        return learnt.shapes

    def forget(self, source_id: int) -> None:
        """Learn a source's shapes again when they are next asked for, because more is known by now."""
        self._learnt.pop(source_id, None)

    def _learn(self, source_id: int) -> UrlShapes:
        with self._store.reading() as transaction:
            known = transaction.pages.known_addresses(source_id, EXAMPLES)
            sections = transaction.feeds.section_urls(source_id, EXAMPLES)
        return UrlShapes.learn(known.articles, [*known.others, *sections])
