"""Works through pages: hosts side by side, the pages of one host one after the other, and never many in memory.

What is owed stands in the database; the loop holds only a window of it, and asks for more when the window empties.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from typing import Any, Protocol

import structlog

from crawler.extraction.pool import PoolStopped
from crawler.fetching import Fetched
from storage.errors import MorgueError
from storage.records import PageState

log = structlog.get_logger()

WINDOW = 320
"""Pages held in memory at most."""
LOOK_AGAIN_SECONDS = 2.0
"""While pages are in flight, the database is asked again for more at least this often."""
A_HOST = 20
"""Pages of one host held at most, so that a host with thousands never fills the window."""


class NextPages(Protocol):
    """Asks the database for pages that are owed."""

    async def __call__(
        self, *, exclude_hosts: Collection[str], exclude_pages: Collection[int], limit: int
    ) -> Sequence[PageState]:
        """Return at most `limit` pages, none of these hosts and none of these pages."""


class PageLoop:
    """Fetches pages until none is owed, the limit is reached, or `stop` was called.

    `fetch` gets one page; `ingest` records it. A page whose recording failed is not tried again in this loop.
    `held_hosts` names the hosts that must be left alone now. `limit` counts pages that were fetched.
    """

    def __init__(
        self,
        *,
        next_pages: NextPages,
        fetch: Callable[[PageState], Awaitable[Fetched]],
        ingest: Callable[[PageState, Fetched], Awaitable[None]],
        held_hosts: Callable[[], Collection[str]],
        ingests_at_once: int,
        limit: int | None = None,
    ) -> None:
        self._next_pages = next_pages
        self._fetch = fetch
        self._ingest = ingest
        self._held_hosts = held_hosts
        self._places = asyncio.Semaphore(ingests_at_once)
        self._left = limit
        self._queues: dict[str, deque[PageState]] = {}
        self._in_hand: set[int] = set()
        self._failed: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._progress = asyncio.Event()
        self._stopping = False
        self._broken: MorgueError | None = None

    def stop(self) -> None:
        """Start no further request; what is in flight is finished and recorded."""
        self._stopping = True
        self._progress.set()

    async def run(self) -> None:
        """Work until nothing is owed. Raises what made recording impossible (`ArchiveUnavailable` and the like)."""
        try:
            while not self._stopping and self._broken is None:
                self._progress.clear()
                came = await self._refill()
                if not came and not self._in_hand:
                    break
                # A slow host must not keep what falls due for others meanwhile waiting.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                        await self._progress.wait()
        finally:
            await self._finish()
        if self._broken is not None:
            raise self._broken

    async def _finish(self) -> None:
        self._stopping = True
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _refill(self) -> int:
        """Ask for more pages when half of the window is free; return how many came."""
        room = WINDOW - len(self._in_hand)
        if self._left is not None:
            room = min(room, self._left - len(self._in_hand))
            if room <= 0:
                return 0
        if room < WINDOW // 2 and self._in_hand and self._left is None:
            return 0
        full = {host for host, queue in self._queues.items() if len(queue) >= A_HOST // 2}
        pages = await self._next_pages(
            exclude_hosts=full | set(self._held_hosts()),
            exclude_pages=self._in_hand | self._failed,
            limit=room,
        )
        for page in pages:
            self._enqueue(page)
        return len(pages)

    def _enqueue(self, page: PageState) -> None:
        queue = self._queues.get(page.host)
        if queue is not None and len(queue) >= A_HOST:
            return
        self._in_hand.add(page.page_id)
        if queue is None:
            queue = self._queues[page.host] = deque()
            queue.append(page)
            self._start(self._work_host(page.host, queue))
        else:
            queue.append(page)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work_host(self, host: str, queue: deque[PageState]) -> None:
        try:
            while queue and not self._stopping and self._broken is None and host not in self._held_hosts():
                await self._places.acquire()
                page = queue.popleft()
                try:
                    fetched = await self._fetch(page)
                except BaseException:
                    self._places.release()
                    self._in_hand.discard(page.page_id)
                    raise
                self._start(self._take_in(page, fetched))
                self._progress.set()
        finally:
            # What was not fetched is still owed, and stands in the database.
            self._in_hand.difference_update(page.page_id for page in queue)
            del self._queues[host]
            self._progress.set()

    async def _take_in(self, page: PageState, fetched: Fetched) -> None:
        try:
            await self._ingest(page, fetched)
        except MorgueError as problem:
            self._broken = self._broken or problem
        except PoolStopped:
            # Nothing is known about the page, which is still owed; this loop is about to end.
            log.info("page_left_owed", page_id=page.page_id, url=page.url)
            self._failed.add(page.page_id)
        except Exception:
            # The boundary of one page: its failure must not cost the others.
            log.exception("page_not_recorded", page_id=page.page_id, url=page.url)
            self._failed.add(page.page_id)
        finally:
            self._places.release()
            self._in_hand.discard(page.page_id)
            if self._left is not None:
                self._left -= 1
            self._progress.set()
