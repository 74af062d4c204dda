"""The spider that keeps a Scrapy engine open for as long as somebody fetches with it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from scrapy import Spider


class EngineSpider(Spider):
    """Hands out its engine and stays open until told to end. Requests are made by `crawler.fetching`, not yielded."""

    name = "engine"

    def __init__(self, *, ready: "asyncio.Future[Any]", end: asyncio.Event, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._ready = ready
        self._end = end

    async def start(self) -> AsyncIterator[Any]:
        """Announce the engine and wait for the end; yields nothing."""
        self._ready.set_result(self.crawler.engine)
        await self._end.wait()
        # An asynchronous generator by its type, though it has nothing to yield.
        nothing: tuple[Any, ...] = ()
        for request in nothing:
            yield request
