"""Fetching one page that is owed, and whether it still is."""

from crawler.fetching import Fetched, FetchRequest
from crawler.runner import Crawling
from storage.model import FetchKind
from storage.records import PageState


async def is_still_owed(crawling: Crawling, page: PageState, *, by_service: bool = False, named: bool = False) -> bool:
    """Whether nobody has fetched a page since it was taken from the database, also as a section, and nobody paused it.

    While it is asked for as a section, this waits for what comes of that.
    """
    await crawling.asked.settled(page.url_key)
    return await crawling.read(lambda tx: tx.operating.is_owed(page, by_service=by_service, named=named))


async def fetch_page(crawling: Crawling, page: PageState) -> Fetched:
    """Fetch a page, conditionally where its validators still speak for what we hold."""
    settings = crawling.sources.reading_settings(page.source_id)
    # A page that was no article to another extractor may be one to this.
    speaks = page.seen_capture_id is not None or page.seen_extractor == settings.extractor
    return await crawling.fetcher.fetch(
        FetchRequest(
            url=page.url,
            kind=FetchKind.PAGE,
            source_id=page.source_id,
            delay_seconds=crawling.sources.delay_seconds(page.source_id),
            etag=page.etag if speaks else None,
            last_modified=page.last_modified if speaks else None,
        )
    )
