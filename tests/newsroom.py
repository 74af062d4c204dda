"""A small newspaper on this machine, for tests and for the demonstration: it publishes, corrects and misbehaves.

    with Newsroom() as newsroom:
        url = newsroom.publish("ferry", headline="Ferry returns", body=["First paragraph …", "Second …"])
        newsroom.correct(url, headline="Night ferry returns")
        newsroom.respond("/broken", status=503, headers={"Retry-After": "120"})

Pages look like those of a real site, with teasers that change at each view. Everything may be called from any thread.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from gzip import compress
from urllib.parse import urlsplit

from storage.clock import utc_now
from tests.local_publisher import LocalPublisher
from tests.newsroom_pages import (
    PublishedStory,
    Site,
    article_page,
    atom_feed,
    error_page,
    list_page,
    rss_feed,
    section_path,
)
from tests.newsroom_server import Answer, LoggedRequest
from tests.newsroom_stories import Story

DEFAULT_AUTHORS = ("Marta Lindqvist",)
DEFAULT_ROBOTS = "User-agent: *\nDisallow: /account/\n"
HTML = "text/html; charset=utf-8"
# Behind the present, so that an edit a moment later has a later date, and none lies in the future.
DEFAULT_AGE = timedelta(hours=1)


class Newsroom(LocalPublisher):
    """A publisher whose stories are written by the test. It keeps them when it is closed and started again.

    Knobs, to be set at any time: `robots` is the text of robots.txt, None a 404; `validators` tells whether pages have
    ETag and Last-Modified; `compresses` whether they are gzipped for those who accept it; `feed_length` is how many of
    the newest stories the feeds name.
    """

    def __init__(
        self,
        address: str = "127.0.0.1",
        *,
        port: int = 0,
        now: Callable[[], datetime] = utc_now,
        feed_length: int = 1000,
    ) -> None:
        super().__init__(address, port=port)
        self.robots: str | None = DEFAULT_ROBOTS
        self.validators = True
        self.compresses = True
        self.feed_length = feed_length
        self._now = now
        self._stories: dict[str, PublishedStory] = {}
        self._scripts: dict[str, list[tuple[Answer, int | None]]] = {}
        self._views: Counter[str] = Counter()
        self._edits = 0
        # Lists are dated by their edits, a second each: what is withdrawn or has an old date changes them as well.
        self._opened_at = now().replace(microsecond=0) - timedelta(days=1)

    # What an editor does

    def publish(
        self,
        slug: str,
        *,
        headline: str,
        body: Sequence[str],
        standfirst: str | None = None,
        authors: Sequence[str] = DEFAULT_AUTHORS,
        section: str = "News",
        published_at: datetime | None = None,
    ) -> str:
        """Put a story on the site and into the feeds; return its URL. Without `published_at` it is an hour old.

        Extractors take less than about 250 characters of `body` for no article, and then read the page around it too.
        Raises `ValueError` for a time without a zone, or when the section has a story of that slug already.
        """
        when = published_at or self._now().replace(microsecond=0) - DEFAULT_AGE
        if when.tzinfo is None:
            raise ValueError(f"published_at of {slug} has no time zone")
        story = PublishedStory(
            slug=slug,
            path=f"{section_path(section)}{slug}",
            headline=headline,
            standfirst=standfirst,
            authors=tuple(authors),
            section=section,
            body=tuple(body),
            published_at=when,
            modified_at=when,
        )
        with self._lock:
            if story.path in self._stories:
                raise ValueError(f"{story.path} is published already; correct it instead")
            self._stories[story.path] = story
            self._edits += 1
        return self.url(story.path)

    def publish_story(self, story: Story) -> str:
        """Publish one of the invented stories, dated `hours_ago` before now."""
        return self.publish(
            story.slug,
            headline=story.headline,
            body=story.body,
            standfirst=story.standfirst,
            authors=story.authors,
            section=story.section,
            published_at=self._now().replace(microsecond=0) - timedelta(hours=story.hours_ago),
        )

    def correct(
        self,
        url: str,
        *,
        headline: str | None = None,
        body: Sequence[str] | None = None,
        standfirst: str | None = None,
        authors: Sequence[str] | None = None,
        published_at: datetime | None = None,
        silently: bool = False,
    ) -> None:
        """Edit what is given and leave the rest. `silently` leaves the date of the last change as it was.

        Without anything given only that date moves, as when an editor saves an unchanged story.
        """
        with self._lock:
            story = self.story(url)
            edited = replace(
                story,
                headline=story.headline if headline is None else headline,
                body=story.body if body is None else tuple(body),
                standfirst=story.standfirst if standfirst is None else standfirst,
                authors=story.authors if authors is None else tuple(authors),
                published_at=published_at or story.published_at,
                modified_at=story.modified_at if silently else self._later_than(story.modified_at),
            )
            self._change(edited)

    def cut(self, url: str, *, paragraphs: int) -> None:
        """Drop that many last paragraphs. Raises `ValueError` when fewer than one would be left."""
        with self._lock:
            body = self.story(url).body
            if not 0 < paragraphs < len(body):
                raise ValueError(f"cannot cut {paragraphs} of {len(body)} paragraphs")
            self.correct(url, body=body[:-paragraphs])

    def retitle(self, url: str, headline: str) -> None:
        """Give a story a new headline."""
        self.correct(url, headline=headline)

    def withdraw(self, url: str) -> None:
        """Take a story off the site: its URL answers 404 and the feeds name it no longer."""
        with self._lock:
            self._change(replace(self.story(url), withdrawn=True))

    def restore(self, url: str) -> None:
        """Bring a withdrawn story back as it was."""
        with self._lock:
            self._change(replace(self.story(url), withdrawn=False))

    def story(self, url: str) -> PublishedStory:
        """Return a story as it stands now, by URL or path. Raises `KeyError` if there never was one."""
        with self._lock:
            return self._stories[urlsplit(url).path]

    # Odd behaviour

    def respond(
        self,
        path: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        body: bytes | str = b"",
        times: int | None = None,
        delay: float = 0,
        drip: float = 0,
        truncate: int | None = None,
        close: bool = False,
        reset: bool = False,
    ) -> None:
        """Answer requests for a path in this way, whatever else is there. A path with a query goes before one without.

        With `times`, only so many; further calls then queue up behind it. Without, until `forget` or the next call.
        `delay` are seconds before the answer, `drip` seconds before each further kilobyte of the body. `truncate` ends
        the connection after so many bytes of the body; `close` gives no length and ends it after the body; `reset`
        resets it at the point where the answer ends: with no status line at all unless `truncate` says how far to go.
        Headers are sent as given; Content-Type (HTML) and Content-Length are added where they are missing.
        """
        pairs = tuple(headers.items() if isinstance(headers, Mapping) else headers)
        answer = Answer(
            status=status,
            headers=pairs,
            body=body.encode() if isinstance(body, str) else body,
            delay_seconds=delay,
            drip_seconds=drip,
            truncate=truncate,
            close=close,
            reset=reset,
        )
        with self._lock:
            script = self._scripts.setdefault(path, [])
            if script and script[-1][1] is None:
                script.clear()
            script.append((answer, times))

    def redirect(self, path: str, target: str, *, status: int = 301) -> None:
        """Send requests for a path elsewhere."""
        self.respond(path, status=status, headers={"Location": target})

    def forget(self, path: str) -> None:
        """Answer a path as before `respond`."""
        with self._lock:
            self._scripts.pop(path, None)

    # The log

    def requests_for(self, url: str) -> tuple[LoggedRequest, ...]:
        """Return the requests for a URL or path, with any query."""
        path = urlsplit(url).path
        return tuple(request for request in self.requests if request.path == path)

    # How it answers

    def _change(self, story: PublishedStory) -> None:
        self._edits += 1
        self._stories[story.path] = replace(story, revision=story.revision + 1)

    def _later_than(self, previous: datetime) -> datetime:
        """Return now, or a second after the previous edit: HTTP dates know no smaller step."""
        return max(self._now().replace(microsecond=0), previous + timedelta(seconds=1)).astimezone(previous.tzinfo)

    def _answer(self, target: str, headers: Mapping[str, str]) -> Answer:
        path = urlsplit(target).path
        scripted = self._scripted(target) or self._scripted(path)
        if scripted:
            return scripted
        with self._lock:
            site = Site(origin=self.origin, stories=self._newest())
            story = self._stories.get(path)
            edits = self._edits
            self._views[path] += 1
            views = self._views[path]
        if story and not story.withdrawn:
            state = f'W/"{story.revision}-{story.slug}"'
            return self._page(lambda: article_page(story, site, views=views), HTML, state, story.modified_at, headers)
        return self._furniture(path, site, edits, headers)

    def _scripted(self, path: str) -> Answer | None:
        with self._lock:
            script = self._scripts.get(path)
            if not script:
                return None
            answer, times = script[0]
            if times is not None:
                script[:1] = [(answer, times - 1)] if times > 1 else []
            return answer

    def _newest(self) -> tuple[PublishedStory, ...]:
        live = [story for story in self._stories.values() if not story.withdrawn]
        live.reverse()  # of stories with the same date, the one that was published last comes first
        live.sort(key=lambda story: story.published_at, reverse=True)
        return tuple(live[: self.feed_length])

    def _furniture(self, path: str, site: Site, edits: int, headers: Mapping[str, str]) -> Answer:
        """Answer for all that is no story: feeds, lists, robots.txt, and what does not exist."""
        state = f'"{edits}-{self.feed_length}"'
        latest = self._opened_at + timedelta(seconds=edits)
        here = [story for story in site.stories if section_path(story.section) == path]
        if path == "/feed.rss":
            return self._page(lambda: rss_feed(site), "application/rss+xml; charset=utf-8", state, latest, headers)
        if path == "/feed.atom":
            return self._page(lambda: atom_feed(site), "application/atom+xml; charset=utf-8", state, latest, headers)
        if path == "/":
            return self._page(lambda: list_page("Home", site.stories, site), HTML, state, latest, headers)
        if here:
            return self._page(lambda: list_page(here[0].section, here, site), HTML, state, latest, headers)
        if path == "/robots.txt" and self.robots is not None:
            return Answer(headers=(("Content-Type", "text/plain"),), body=self.robots.encode())
        missing = error_page("Page not found", "It may have moved, or it never was. Try the home page.", site)
        return Answer(status=404, headers=(("Content-Type", HTML),), body=missing.encode())

    def _page(
        self,
        render: Callable[[], str],
        content_type: str,
        state: str,
        modified_at: datetime,
        request_headers: Mapping[str, str],
    ) -> Answer:
        """Answer with a page, or with 304 if the client has this state already."""
        validators: list[tuple[str, str]] = []
        if self.validators:
            validators.append(("ETag", state))
            validators.append(("Last-Modified", format_datetime(modified_at.astimezone(UTC), usegmt=True)))
            if _is_known(request_headers, dict(validators)):
                return Answer(status=304, headers=tuple(validators))
        headers = [("Content-Type", content_type), ("Cache-Control", "max-age=60"), ("Vary", "Accept-Encoding")]
        body = render().encode()
        if self.compresses and "gzip" in request_headers.get("Accept-Encoding", ""):
            headers.append(("Content-Encoding", "gzip"))
            body = compress(body, compresslevel=1, mtime=0)
        return Answer(headers=(*headers, *validators), body=body)


def _is_known(asked: Mapping[str, str], validators: Mapping[str, str]) -> bool:
    """Tell whether the client's copy is current. An ETag goes before a date, as in RFC 9110, section 13.2.2.

    Validators must come back as they were sent, byte for byte.
    """
    etags = asked.get("If-None-Match")
    if etags is not None:
        return validators.get("ETag") in [etag.strip() for etag in etags.split(",")]
    since = asked.get("If-Modified-Since")
    return since is not None and since == validators.get("Last-Modified")
