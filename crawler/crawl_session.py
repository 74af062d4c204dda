"""Runs one crawl from opening to closing, and turns signals into a clean end."""

import asyncio
import signal
from collections.abc import Callable

from crawler.crawl import Crawl
from crawler.crawl_account import CrawlReport, CrawlRequest
from crawler.runner import open_crawling
from crawler.settings import CrawlSettings
from storage.settings import ArchiveSettings
from storage.store import Store


async def run_crawl(
    store: Store,
    request: CrawlRequest,
    *,
    crawl: CrawlSettings,
    archive: ArchiveSettings,
    software: str,
    progress: Callable[[CrawlReport], None],
) -> CrawlReport:
    """Crawl and return the account.

    On SIGINT or SIGTERM no further request is started, what is in flight is finished and recorded, and the report says
    `stopped`; the same signal again ends the process at once, which loses nothing that was recorded.
    """
    loop = asyncio.get_running_loop()
    async with open_crawling(store, crawl=crawl, archive=archive, software=software) as crawling:
        job = Crawl(crawling, request, progress=progress)

        def on_signal(number: signal.Signals) -> None:
            job.stop()
            loop.remove_signal_handler(number)

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal, number)
        try:
            return await job.run()
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
