"""The newspaper with every kind of index, and with a journal of what stood where and when.

It is apart from `Newsroom` because a crawl that explores a publisher takes in all that it finds.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from html import escape

from storage.clock import utc_now
from tests.newsroom import Newsroom
from tests.newsroom_pages import SITE_NAME, PublishedStory, Site
from tests.newsroom_server import Answer

NEWS_AGE = timedelta(days=2)
_XML = "application/xml; charset=utf-8"
_SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS = ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'


@dataclass(frozen=True, kw_only=True)
class State:
    """What a page showed from an instant on, on the clock of `LoggedRequest`; no text while it was withdrawn."""

    since: float
    headline: str | None
    body: str | None

    @property
    def text(self) -> tuple[str | None, str | None]:
        """What a version holds of it."""
        return self.headline, self.body


class IndexedNewsroom(Newsroom):
    """Has `/feed.json`, `/sitemap.xml` with the times of last changes, and `/sitemap-news.xml` besides.

    Its robots.txt says that a copy of it holds for an hour, the shortest time that the crawler heeds.
    `journal` holds each story's states in their order, by the story's path.
    """

    def __init__(self, address: str = "127.0.0.1", *, port: int = 0, now: Callable[[], datetime] = utc_now) -> None:
        self.journal: dict[str, list[State]] = {}
        super().__init__(address, port=port, now=now)

    def publish(self, slug: str, **facts) -> str:
        """Put a story on the site, and note it in the journal."""
        with self._lock:
            url = super().publish(slug, **facts)
            self._note(self.story(url))
        return url

    def _change(self, story: PublishedStory) -> None:
        super()._change(story)
        self._note(story)

    def _note(self, story: PublishedStory) -> None:
        shown = not story.withdrawn
        state = State(
            since=time.perf_counter(),
            headline=story.headline if shown else None,
            body="\n\n".join(story.body) if shown else None,
        )
        states = self.journal.setdefault(story.path, [])
        if not states or states[-1].text != state.text:
            states.append(state)

    def _furniture(self, path: str, site: Site, edits: int, headers: Mapping[str, str]) -> Answer:
        written: dict[str, tuple[Callable[[Site], str], str]] = {
            "/feed.json": (json_feed, "application/feed+json"),
            "/sitemap.xml": (sitemap, _XML),
            "/sitemap-news.xml": (lambda site: news_sitemap(site, now=self._now()), _XML),
        }
        if path not in written:
            answer = super()._furniture(path, site, edits, headers)
            if path != "/robots.txt":
                return answer
            return replace(answer, headers=(*answer.headers, ("Cache-Control", "max-age=3600")))
        render, content_type = written[path]
        latest = self._opened_at + timedelta(seconds=edits)
        return self._page(lambda: render(site), content_type, f'"{edits}"', latest, headers)


def json_feed(site: Site) -> str:
    """Return the JSON Feed 1.1 of the newest stories."""
    items = [
        {
            "id": site.url(story.path),
            "url": site.url(story.path),
            "title": story.headline,
            "date_published": story.published_at.isoformat(),
            "date_modified": story.modified_at.isoformat(),
        }
        for story in site.stories
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": SITE_NAME,
        "home_page_url": site.url("/"),
        "feed_url": site.url("/feed.json"),
        "items": items,
    }
    return json.dumps(feed, ensure_ascii=False)


def sitemap(site: Site) -> str:
    """Return the sitemap of all stories, with the times of their last changes."""
    return _urlset(
        f"<loc>{escape(site.url(story.path))}</loc><lastmod>{story.modified_at.isoformat()}</lastmod>"
        for story in site.stories
    )


def news_sitemap(site: Site, *, now: datetime) -> str:
    """Return the news sitemap: the stories of the last two days."""
    return _urlset(
        (
            f"<loc>{escape(site.url(story.path))}</loc><news:news><news:publication><news:name>{SITE_NAME}</news:name>"
            "<news:language>en</news:language></news:publication>"
            f"<news:publication_date>{story.published_at.isoformat()}</news:publication_date>"
            f"<news:title>{escape(story.headline)}</news:title></news:news>"
            for story in site.stories
            if now - story.published_at < NEWS_AGE
        ),
        more=_NEWS,
    )


def _urlset(rows, *, more: str = "") -> str:
    urls = "".join(f"<url>{row}</url>" for row in rows)
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="{_SITEMAPS}"{more}>{urls}</urlset>'
