"""How many pages a crawl may still fetch, where what is fetched may turn out to be no page."""

import asyncio


class FetchLimit:
    """Hands out at most so many fetches of pages; None is without bound. For one event loop."""

    def __init__(self, pages: int | None) -> None:
        self._left = pages
        self._pending = 0
        self._settled = asyncio.Event()

    @property
    def left(self) -> int | None:
        """How many pages may still be fetched, or None for any number."""
        return self._left

    async def take(self) -> bool:
        """Take one fetch, which is to be settled; False if there is none left.

        While another fetch may prove to be that of no page, it is waited for.
        """
        while self._left == 0 and self._pending:
            self._settled.clear()
            await self._settled.wait()
        if self._left == 0:
            return False
        if self._left is not None:
            self._left -= 1
        self._pending += 1
        return True

    def settle(self, *, was_page: bool) -> None:
        """Say whether a fetch that was taken was that of a page; if not, another may be made."""
        self._pending -= 1
        if self._left is not None and not was_page:
            self._left += 1
        self._settled.set()
