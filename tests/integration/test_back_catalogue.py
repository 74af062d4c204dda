"""The news of a publisher whose sitemaps list more than can be fetched in a day."""

from datetime import UTC, datetime, timedelta

import pytest

from crawler import reactor
from storage.clock import utc_now
from storage.records import CrawlScope
from tests.integration.service_jobs import poll_all_due, service_jobs
from tests.integration.test_exploring import XML, sitemap_index, urlset

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])

LONG_AGO = datetime(2015, 1, 1, tzinfo=UTC)
PARTS = 4
A_PART = 500


def poll_all(morgue) -> None:
    """Poll all that is due, and fetch no page."""

    async def work() -> None:
        async with service_jobs(morgue) as jobs:
            await poll_all_due(jobs)

    reactor.run(work())


def test_news_stands_before_a_back_catalogue_however_many_sitemaps_list_it(morgue, newsroom):
    parts = [newsroom.url(f"/map-{part}.xml") for part in range(PARTS)]
    newsroom.respond("/maps.xml", headers=XML, body=sitemap_index(*parts))
    for part, url in enumerate(parts):
        old = [newsroom.url(f"/2015/council-plan-passes-after-debate-{part}-{number}") for number in range(A_PART)]
        newsroom.respond(url.removeprefix(newsroom.url("")), headers=XML, body=urlset(*old, dated=LONG_AGO))
    morgue.add_source(slug="courier", sitemaps=[newsroom.url("/maps.xml")])
    poll_all(morgue)
    news = newsroom.url("/2026/ferry-runs-again-after-the-storm")
    newsroom.respond(
        "/new.rss",
        headers=XML,
        body=f'<rss version="2.0"><channel><title>x</title><item><link>{news}</link></item></channel></rss>',
    )
    morgue.add_source(slug="courier", sitemaps=[newsroom.url("/maps.xml")], feeds=[newsroom.url("/new.rss")])
    poll_all(morgue)
    with morgue.store.reading() as transaction:
        # Long after the whole catalogue should have been fetched, had its host been quick enough.
        later = utc_now() + timedelta(days=30)
        order = [
            page.url
            for page in transaction.pages.to_fetch(CrawlScope(everything=True), now=later, limit=PARTS * A_PART + 10)
        ]
    assert len(order) == PARTS * A_PART + 1
    assert order.index(news) <= 200, "behind no more than what was due at once"
