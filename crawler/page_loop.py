"""Works through pages: hosts side by side, the pages of one host one after the other, and never many in memory.

What is owed stands in the database; the loop holds only a window of it, and asks for more when the window empties.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from typing import Any, Protocol

import structlog

from crawler.fetching import Fetched
from crawler.host_fairness import HostFairness
from crawler.politeness import FetchingHalted, FetchingStopped, NoLongerOwed
from crawler.worker_pool import PoolStopped, shortage_of
from storage.errors import MorgueError
from storage.records import PageState

log = structlog.get_logger()

WINDOW = 320
"""Pages held in memory at most, beside those that wait for a host for long."""
LONG_SECONDS = 2.0
"""A page whose fetching takes longer than this waits for its host: for its answer, or for its turn there."""
WAITING_LONG = 2_000
"""So many pages may wait so beside the others, each of another host."""
LOOK_AGAIN_SECONDS = 2.0
"""While pages are in flight, the database is asked again for more at least this often."""
RESPONSES = 128
"""Pages that were fetched and wait to be read, each of another host: with so many, no further one is asked for."""
A_HOST = 20
"""Pages of one host that wait here at most, so that a host with thousands never fills the window."""
A_HOST_IN_A_CROWD = 1
"""The same once the window is half full. From three quarters on only a host that has nothing in it may come in: a few
slow hosts with much to do must not keep all others waiting."""
INGEST_SECONDS = 24 * 3600.0
"""A page whose reading and recording, with the fetching of its further parts, take so long is given up."""
LONG_INGEST_SECONDS = 8.0
"""A page that takes longer no longer counts among those that may be read at once."""
REQUESTED_A_HOST = 4
"""So many pages of a host that somebody asked for are put before its others at a time."""


class NextPages(Protocol):
    """Asks the database for pages that are owed."""

    async def __call__(
        self, *, exclude_hosts: Collection[str], exclude_pages: Collection[int], limit: int
    ) -> Sequence[PageState]:
        """Return at most `limit` pages, none of these hosts and none of these pages."""


class RequestedPages(Protocol):
    """Asks the database for pages that somebody wants at once."""

    async def __call__(self, *, exclude_hosts: Collection[str], limit: int) -> Sequence[PageState]:
        """Return at most `limit` pages, none of these hosts, first those that were asked for first."""


class _Place:
    """A place among those that are taken in, which is given back once."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._taken = True

    def give_back(self) -> None:
        if self._taken:
            self._taken = False
            self._places.release()


class PageLoop:
    """Fetches pages until none is owed, the limit is reached, or `stop` was called.

    `fetch` gets one page; `ingest` records it. A page whose recording failed is not tried again in this loop, unless
    `on_failed` is there to be told of it: then `next_pages` decides when that page is owed again, and a loop that never
    ends because something is always due remembers nothing of it. `fetch` raises `NoLongerOwed` for a page that another
    process has fetched meanwhile.
    `held_hosts` names the hosts that must be left alone now. `limit` counts pages that were fetched. While
    `more_coming` says so, more may be owed soon though nothing is now. What `requested_pages` tells of is put before
    all else of its host, also while the window is full.

    A host that lets a page wait for long has that one page here and no more, and it takes no place of others'; what
    else is owed of that host stands in the database.
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
        more_coming: Callable[[], bool] = lambda: False,
        on_failed: Callable[[PageState], None] | None = None,
        requested_pages: RequestedPages | None = None,
    ) -> None:
        self._next_pages = next_pages
        self._fetch = fetch
        self._ingest = ingest
        self._held_hosts = held_hosts
        self._places = asyncio.Semaphore(ingests_at_once)
        self._places_a_host = max(2, ingests_at_once // 2)
        self._taking_in: Counter[str] = Counter()
        self._taken_in = asyncio.Event()
        self._left = limit
        self._more_coming = more_coming
        self._on_failed = on_failed
        self._requested_pages = requested_pages
        self._queues: dict[str, deque[PageState]] = {}
        self._in_hand: set[int] = set()
        self._failed: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting_long: dict[int, str] = {}
        self._passed_over: dict[int, float] = {}
        self._responses = asyncio.Semaphore(RESPONSES)
        self._fairness = HostFairness()
        self._progress = asyncio.Event()
        self._hungry = True
        self._ask_at = 0.0
        self._ask_for_requested_at = 0.0
        self._stopping = False
        self._broken: MorgueError | None = None

    def stop(self) -> None:
        """Start no further request; what is in flight is finished and recorded."""
        self._stopping = True
        self._progress.set()

    def abandon(self) -> None:
        """Give up what is in flight, which is then still owed."""
        self.stop()
        for task in self._tasks:
            task.cancel()

    @property
    def in_hand(self) -> int:
        """How many pages are being worked on, or wait for their turns."""
        return len(self._in_hand)

    def has_in_hand(self, page_id: int) -> bool:
        """Whether a page is being worked on, or waits for its turn."""
        return page_id in self._in_hand

    @property
    def failed(self) -> frozenset[int]:
        """The pages whose fetching or recording broke."""
        return frozenset(self._failed)

    async def run(self) -> None:
        """Work until nothing is owed. Raises what made recording impossible (`ArchiveUnavailable` and the like)."""
        try:
            while not self._stopping and self._broken is None:
                self._progress.clear()
                if not await self._refill():
                    break
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

    @property
    def _in_window(self) -> int:
        return len(self._in_hand) - len(self._waiting_long)

    def _room(self) -> int:
        room = WINDOW - self._in_window
        return room if self._left is None else min(room, self._left - len(self._in_hand))

    def _waiting_at_most(self) -> int:
        """Return how many pages of one host may wait here, besides the one that is fetched."""
        if self._in_window < WINDOW // 2:
            return A_HOST
        return 0 if self._is_crowded() else A_HOST_IN_A_CROWD

    def _waiting_at_least(self) -> int:
        """Return how many pages of one host are to wait here, if it has so many; with fewer, more are asked for."""
        return (self._waiting_at_most() + 1) // 2

    async def _refill(self) -> bool:
        """Ask for more pages where that may bring some, and return whether there is or may be anything to do."""
        now = asyncio.get_running_loop().time()
        await self._take_requested(now)
        room = self._room()
        if room <= 0:
            return bool(self._in_hand)
        if not self._hungry and now < self._ask_at and (self._in_hand or self._more_coming()):
            return True
        self._hungry = False
        self._ask_at = now + LOOK_AGAIN_SECONDS
        enough = self._waiting_at_least()
        full = {host for host, queue in self._queues.items() if len(queue) >= enough}
        full.update(self._waiting_long.values())
        self._passed_over = {page_id: until for page_id, until in self._passed_over.items() if until > now}
        waiting = self._fairness.waiting()
        pages = await self._next_pages(
            exclude_hosts=full | waiting | set(self._held_hosts()),
            exclude_pages=self._in_hand | self._failed | self._passed_over.keys(),
            limit=room,
        )
        taken = [self._enqueue(page) for page in pages]
        if len(pages) < room:
            self._admit(waiting, room - len(pages))
        if any(taken) and not all(taken):
            # Others stood behind what there was no place for; now that its host is full, they are given.
            self.ask_soon()
        # A host that was left out because it was busy may have become free while the question was answered.
        return bool(pages or self._in_hand or self._hungry) or self._more_coming()

    def _admit(self, waiting: Collection[str], places: int) -> None:
        """Let hosts have the places that are left which had to wait for others, as there are no others."""
        if waiting:
            self._fairness.admit(places)
            self.ask_soon()
        else:
            self._fairness.forget()

    def _is_crowded(self) -> bool:
        return self._in_window >= WINDOW * 3 // 4

    def _enqueue(self, page: PageState) -> bool:
        """Take a page in, and return whether there was a place for it."""
        queue = self._queues.get(page.host)
        if queue is not None and (len(queue) >= self._waiting_at_most() or page.host in self._waiting_long.values()):
            return False
        self._in_hand.add(page.page_id)
        if queue is None:
            self._begin_host(page.host, [page])
        else:
            queue.append(page)
        return True

    async def _take_requested(self, now: float) -> None:
        """Put what somebody asked for before all else of its host."""
        if self._requested_pages is None or now < self._ask_for_requested_at:
            return
        self._ask_for_requested_at = now + LOOK_AGAIN_SECONDS
        by_host: dict[str, list[PageState]] = {}
        for page in await self._requested_pages(exclude_hosts=set(self._held_hosts()), limit=WINDOW):
            first = by_host.setdefault(page.host, [])
            if len(first) < REQUESTED_A_HOST and page.page_id not in self._failed:
                first.append(page)
        for host, first in by_host.items():
            self._put_first(host, first)

    def _put_first(self, host: str, first: Sequence[PageState]) -> None:
        queue = self._queues.get(host, deque())
        waiting = {page.page_id for page in queue}
        # One that is in hand and does not wait is being fetched or recorded.
        first = [page for page in first if page.page_id in waiting or page.page_id not in self._in_hand]
        ids = {page.page_id for page in first}
        ordered = [*first, *(page for page in queue if page.page_id not in ids)]
        self._in_hand |= ids
        if host in self._queues:
            queue.clear()
            queue.extend(ordered)
        elif ordered:
            self._begin_host(host, ordered)

    def _begin_host(self, host: str, owed: Sequence[PageState]) -> None:
        queue = self._queues[host] = deque(owed)
        self._start(self._work_host(host, queue))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work_host(self, host: str, queue: deque[PageState]) -> None:
        try:
            while queue:
                # Asked anew for each page, so that hosts with much to do give way to those that wait for a place.
                async with self._responses:
                    pass
                if self._stopping or self._broken is not None or host in self._held_hosts():
                    break
                page = queue.popleft()
                if len(queue) < self._waiting_at_least():
                    self.ask_soon()
                begun = asyncio.get_running_loop().time()
                await self._work_page(page, queue)
                if self._is_crowded():
                    self._fairness.charge(host, asyncio.get_running_loop().time() - begun)
        finally:
            # What was not fetched is still owed, and stands in the database.
            self._in_hand.difference_update(page.page_id for page in queue)
            del self._queues[host]
            self.ask_soon()

    async def _work_page(self, page: PageState, queue: deque[PageState]) -> None:
        """Fetch a page, and hand it on once there is a place: a waiting page keeps only its own host waiting."""
        loop = asyncio.get_running_loop()
        takes_long = loop.call_later(LONG_SECONDS, self._note_long, page, queue)
        try:
            await self._wait_for_own(page.host)
            fetched = await self._fetch(page)
            self._note_fetched(page, takes_long)
            async with self._responses:
                await self._places.acquire()
        except asyncio.CancelledError:
            self._in_hand.discard(page.page_id)
            raise
        except NoLongerOwed:
            self._in_hand.discard(page.page_id)
            # What another process fetched it has yet to record; until then it stands in the database as it did.
            self._passed_over[page.page_id] = loop.time() + LOOK_AGAIN_SECONDS
            return
        except FetchingHalted:
            # Somebody paused its source while it waited: it is no longer owed, until that is taken back.
            self._in_hand.discard(page.page_id)
            return
        except Exception as problem:  # noqa: BLE001 - the boundary of one page
            self._note_problem(page, problem)
            self._in_hand.discard(page.page_id)
            return
        finally:
            self._note_fetched(page, takes_long)
        self._taking_in[page.host] += 1
        self._start(self._take_in(page, fetched))

    async def _wait_for_own(self, host: str) -> None:
        """Wait while pages of a host fill half of the places, before another one is fetched."""
        while self._taking_in[host] >= self._places_a_host:
            self._taken_in.clear()
            await self._taken_in.wait()

    def _note_long(self, page: PageState, queue: deque[PageState]) -> None:
        """Take a page out of the window that waits for its host, and leave to the database what else that host has."""
        if len(self._waiting_long) >= WAITING_LONG:
            return
        if self._in_window >= WINDOW // 2:
            self._in_hand.difference_update(waiting.page_id for waiting in queue)
            queue.clear()
        self._waiting_long[page.page_id] = page.host
        self.ask_soon()

    def _note_fetched(self, page: PageState, takes_long: asyncio.TimerHandle) -> None:
        takes_long.cancel()
        self._waiting_long.pop(page.page_id, None)

    def ask_soon(self) -> None:
        """Ask the database at once: something new may be owed."""
        self._hungry = True
        self._progress.set()

    async def _take_in(self, page: PageState, fetched: Fetched) -> None:
        # A page that takes long gives its place to another; of its host no more than so many are held all the same.
        place = _Place(self._places)
        giving_up = asyncio.get_running_loop().call_later(LONG_INGEST_SECONDS, place.give_back)
        try:
            async with asyncio.timeout(INGEST_SECONDS):
                await self._ingest(page, fetched)
        except FetchingHalted:
            log.info("page_left_owed", page_id=page.page_id, url=page.url)
        except Exception as problem:  # noqa: BLE001 - the boundary of one page: its failure must not cost the others
            self._note_problem(page, problem)
        finally:
            giving_up.cancel()
            place.give_back()
            self._taking_in -= Counter([page.host])
            self._taken_in.set()
            self._in_hand.discard(page.page_id)
            if self._left is not None:
                self._left -= 1
            if len(self._in_hand) in (0, WINDOW // 2):
                self.ask_soon()

    def _note_problem(self, page: PageState, problem: Exception) -> None:
        broken = problem if isinstance(problem, MorgueError) else shortage_of(problem)
        if broken is not None:
            # Nothing can be read or recorded any more; going on would only fetch in vain.
            self._broken = self._broken or broken
            self._progress.set()
            return
        if self._on_failed is None:
            self._failed.add(page.page_id)
        else:
            self._on_failed(page)
        if isinstance(problem, PoolStopped | FetchingStopped):
            # Nothing is known about the page, which is still owed; this loop is about to end.
            log.info("page_left_owed", page_id=page.page_id, url=page.url)
        else:
            log.error("page_not_recorded", page_id=page.page_id, url=page.url, exc_info=problem)
