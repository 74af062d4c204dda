"""Runs one crawl from opening to closing, and turns signals into a clean end."""

from collections.abc import Callable

from crawler.crawl import Crawl
from crawler.crawl_account import CrawlReport, CrawlRequest
from crawler.runner import open_crawling
from crawler.settings import CrawlSettings
from crawler.stopping import stopped_by_signals
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

    On SIGINT or SIGTERM no further request is started, what is in flight is finished and recorded where that takes no
    more than some seconds, and the report says `stopped`; another signal ends the process at once, which loses nothing
    that was recorded.
    """
    async with open_crawling(store, crawl=crawl, archive=archive, software=software) as crawling:
        job = Crawl(crawling, request, progress=progress)
        with stopped_by_signals(on_stop=job.stop, on_give_up=job.give_up):
            return await job.run()
