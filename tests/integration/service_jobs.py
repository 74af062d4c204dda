"""The service's jobs in tests, done one by one in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crawler.runner import open_crawling
from scheduler.feed_planner import poll_rule
from scheduler.jobs import ServiceJobs
from scheduler.planner import PagePlanner
from storage.errors import MorgueError
from tests.integration.crawls import Morgue


@asynccontextmanager
async def service_jobs(morgue: Morgue, *, poll: str = "15m") -> AsyncIterator[ServiceJobs]:
    """Give the jobs of a service, none of which may find that it cannot go on. `poll` is for sources without one."""
    broken: list[MorgueError] = []
    async with open_crawling(
        morgue.store, crawl=morgue.crawl_settings, archive=morgue.archive, software="morgue/test"
    ) as crawling:
        yield ServiceJobs(
            crawling,
            poll_due=poll_rule(crawling.sources, poll),
            pages=PagePlanner(morgue.store, crawling.sources),
            on_broken=broken.append,
        )
    assert broken == []


async def poll_all_due(jobs: ServiceJobs) -> None:
    """Poll what is due, to the end."""
    await jobs.poll_due_feeds()
    while running := jobs._running():
        await asyncio.wait(running)
