"""How the service looks at articles again: what their publisher announces, and what it only pretends to."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from crawler import reactor
from storage.clock import utc_now
from storage.model import NextReason
from storage.tables import feeds
from tests.integration.service_jobs import poll_all_due, service_jobs
from tests.integration.test_exploring import XML, urlset
from tests.newsroom import Newsroom
from tests.newsroom_stories import STORIES

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])


def run_service(morgue, *acts: Callable[[], None]) -> None:
    """Do what is due, and again after each of the acts, when every feed is due once more."""

    async def work() -> None:
        async with service_jobs(morgue) as jobs:
            for act in (lambda: None, *acts):
                act()
                with morgue.store.writing() as transaction:
                    transaction._connection.execute(feeds.update().values(next_poll_at=utc_now()))
                await poll_all_due(jobs)
                await jobs.plan()
                await jobs.fetch_due_pages()
                await jobs.plan()

    reactor.run(work())


def history_of(morgue, url):
    with morgue.store.reading() as transaction:
        page = transaction.pages.by_key(url.partition("://")[2])
        return transaction.page_plans.histories([page.page_id])[page.page_id]


def test_an_edit_that_is_announced_is_fetched_at_once_and_nothing_else_is(morgue):
    # Its clock is a little ahead, as clocks are.
    with Newsroom(now=lambda: utc_now() + timedelta(seconds=3)) as newsroom:
        ferry, library, *_ = [newsroom.publish_story(story) for story in STORIES]
        morgue.add_source(slug="courier", feeds=[newsroom.url("/feed.atom")])
        run_service(morgue, lambda: newsroom.correct(ferry, headline="Night ferry returns to the old harbour"))
        assert [version.article.headline for version in morgue.history(ferry)][1:] == [
            "Night ferry returns to the old harbour"
        ]
        assert len(newsroom.requests_for(ferry)) == 2
        assert len(newsroom.requests_for(library)) == 1
    told = history_of(morgue, ferry)
    assert (told.changes, told.hinted_at) == (1, None)
    assert told.next_fetch_reason is NextReason.PLAN and told.next_fetch_at > utc_now()


def test_an_index_that_calls_everything_new_is_not_believed_for_long(morgue, newsroom):
    """As sitemaps do that give each entry the time of their own making."""
    stories = [newsroom.publish_story(story) for story in STORIES]

    def make_sitemap() -> None:
        newsroom.respond("/map.xml", headers=XML, body=urlset(*stories, dated=utc_now()))

    make_sitemap()
    morgue.add_source(slug="courier", sitemaps=[newsroom.url("/map.xml")])
    run_service(morgue, make_sitemap, make_sitemap, make_sitemap, make_sitemap, make_sitemap)
    asked = [len(newsroom.requests_for(story)) for story in stories]
    assert len(newsroom.requests_for("/map.xml")) == 6
    assert max(asked) <= 3, "once for itself, and until its publisher was known for it"
    assert all(history_of(morgue, story).next_fetch_at > utc_now() for story in stories)
