"""Pages that take long to be read, written down while they are, so that a service which is ended meanwhile does not
begin with them again.

What comes of a page in the end is recorded as of any other. But until then it is due: without this a page that is the
reason why a service is ended, by whomever, would be the first thing that each next one does.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

import structlog

from crawler.worker_pool import PoolStopped
from scheduler.policy import retry_interval
from storage.clock import utc_now
from storage.errors import MorgueError
from storage.store import Transaction

log = structlog.get_logger()

Result = TypeVar("Result")

LONG_SECONDS = 3.0
"""So long a page may be taken in before it is written down: of ten thousand pages perhaps one is."""
MOST = 500
_NAME = "slow_readings"

Reads = Callable[[Callable[[Transaction], Any]], Awaitable[Any]]


class SlowReadings:
    """Knows which pages took long when a service was ended, and for how long each is left alone.

    `read` and `write` run a function in a transaction. `now` gives aware instants.
    """

    def __init__(self, *, read: Reads, write: Reads, now: Callable[[], datetime] = utc_now) -> None:
        self._read = read
        self._write = write
        self._now = now
        self._known: dict[int, tuple[int, datetime]] | None = None

    async def left_alone(self) -> set[int]:
        """Return the pages that are not to be begun now."""
        now = self._now()
        return {page_id for page_id, (_, until) in (await self._all()).items() if until > now}

    @contextlib.asynccontextmanager
    async def reading(self, page_id: int) -> AsyncIterator[None]:
        """Write down a page if what is done within takes long; when that comes to its end, whichever, forget it.

        What is given up because the service stops is not forgotten.
        """
        noting = asyncio.create_task(self._note_later(page_id))
        try:
            yield
        except (asyncio.CancelledError, PoolStopped):
            noting.cancel()
            raise
        except BaseException:
            await self._forget(page_id, noting)
            raise
        await self._forget(page_id, noting)

    async def _note_later(self, page_id: int) -> None:
        await asyncio.sleep(LONG_SECONDS)
        known = await self._all()
        times = known.get(page_id, (0, None))[0] + 1
        known[page_id] = (times, self._now() + retry_interval(times))
        while len(known) > MOST:
            del known[next(iter(known))]
        await self._put()

    async def _forget(self, page_id: int, noting: "asyncio.Task[None]") -> None:
        noting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await noting
        if (await self._all()).pop(page_id, None) is not None:
            await self._put()

    async def _all(self) -> dict[int, tuple[int, datetime]]:
        if self._known is None:
            stored = await self._read(lambda tx: tx.service_state.get(_NAME))
            known = {} if stored is None else _from_json(stored[0])
            self._known = known if self._known is None else self._known
        return self._known

    async def _put(self) -> None:
        value = {str(page_id): [times, until.isoformat()] for page_id, (times, until) in (await self._all()).items()}
        now = self._now()
        try:
            await self._write(lambda tx: tx.service_state.put(_NAME, value, now))
        except MorgueError as problem:
            log.debug("slow_readings_not_kept", problem=str(problem))


def _from_json(value: Any) -> dict[int, tuple[int, datetime]]:
    try:
        return {int(page_id): (int(times), datetime.fromisoformat(until)) for page_id, (times, until) in value.items()}
    except (AttributeError, TypeError, ValueError):
        # Of another version of this program; nothing is lost by not knowing.
        return {}
