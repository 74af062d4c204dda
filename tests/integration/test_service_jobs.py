"""What the service's jobs do with sources that are to be explored."""

import pytest

from crawler import reactor
from storage.model import FeedKind
from tests.integration.service_jobs import poll_all_due, service_jobs
from tests.integration.test_exploring import XML, page, sitemap_index, stored, urlset
from tests.newsroom_stories import STORIES

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])


def run_jobs(morgue, *, rounds: int) -> None:
    """Poll what is due, fetch what is due and plan, so many times."""

    async def work() -> None:
        async with service_jobs(morgue) as jobs:
            for _ in range(rounds):
                await poll_all_due(jobs)
                await jobs.fetch_due_pages()
                await jobs.plan()

    reactor.run(work())


def test_the_service_explores_a_source_that_names_only_its_home_page(morgue, newsroom):
    stories = [newsroom.publish_story(story) for story in STORIES]
    newsroom.robots = f"User-agent: *\nSitemap: {newsroom.url('/maps.xml')}\n"
    newsroom.respond("/maps.xml", headers=XML, body=sitemap_index(newsroom.url("/map.xml")))
    newsroom.respond("/map.xml", headers=XML, body=urlset(stories[0]))
    nav = '<nav><a href="/news/">News</a></nav>'
    newsroom.respond(
        "/",
        body=page(stories[1], head='<link rel="alternate" type="application/rss+xml" href="/feed.rss">', more=nav),
    )
    newsroom.respond("/news/", body=page(stories[2], more='<a rel="next" href="/news/?page=2">Next</a>'))
    newsroom.respond("/news/?page=2", body=page(stories[3]))
    newsroom.feed_length = 1
    morgue.add_source(slug="courier", homepage=newsroom.url("/"))
    run_jobs(morgue, rounds=2)
    assert set(stories[:4]) <= stored(morgue)
    with morgue.store.reading() as transaction:
        source = transaction.sources.by_slug("courier")
        feeds = transaction.feeds.for_sources({source.source_id})
    assert {feed.kind for feed in feeds} == {FeedKind.SECTION, FeedKind.RSS, FeedKind.SITEMAP}
    assert all(feed.next_poll_at is not None for feed in feeds), "all that was found is polled from now on"
    before = len(newsroom.requests)
    run_jobs(morgue, rounds=1)
    assert len(newsroom.requests) == before, "nothing is due again yet"


def test_the_service_goes_no_deeper_than_a_crawl_however_often_it_polls(morgue, newsroom):
    """Each poll begins anew; how deep a section was found is kept with it."""
    newsroom.robots = None
    names = ["north", "south", "east", "west", "middle"]
    for depth in range(len(names)):
        below = "/" + "/".join(names[: depth + 1]) + "/"
        above = "/" + "".join(f"{name}/" for name in names[:depth])
        newsroom.respond(above, body=page(more=f'<nav><a href="{below}">Below</a></nav>'))
    morgue.add_source(slug="courier", sections=[newsroom.url("/")])
    run_jobs(morgue, rounds=6)
    with morgue.store.reading() as transaction:
        source = transaction.sources.by_slug("courier")
        depths = [feed.depth for feed in transaction.feeds.for_sources({source.source_id})]
    assert depths == [None, 1, 2, 3]
    assert newsroom.requests_for("/north/south/east/west/") == ()
