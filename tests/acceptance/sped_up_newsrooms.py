"""Six newspapers for a service that lives through days in minutes, and the hand that edits and troubles them.

Each has its own indexes and its own trouble; all times of trouble are seconds of the machine's own clock, those by
which stories are dated are of the sped-up world.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tests.acceptance.test_kills import paragraphs
from tests.newsroom_indexes import IndexedNewsroom

DELAY = 0.05
CRAWL_DELAY = 0.2
RETRY_AFTER = 2
RULES = "User-agent: *\nDisallow: /account/\n"
NO_OPINION = f"{RULES}Disallow: /opinion/\n"
STORIES = 6


@dataclass(eq=False)
class Paper:
    """One newspaper: its newsroom, how its source is configured, and the least pause between two requests to it."""

    name: str
    newsroom: IndexedNewsroom
    indexes: dict[str, tuple[str, ...]]
    limit: float = DELAY
    by_plan: bool = False
    urls: list[str] = field(default_factory=list)

    def source(self) -> str:
        """Return its `[[source]]`."""
        lines = ["[[source]]", f'slug = "{self.name}"']
        for key, paths in self.indexes.items():
            urls = ", ".join(f'"{self.newsroom.url(path)}"' for path in paths)
            lines.append(f"{key} = [{urls}]")
        if not self.by_plan:
            lines += [f'poll = "{POLL}"', f'recrawl = "{RECRAWL}"']
        return "\n".join(lines)


POLL, RECRAWL = "20m", "30m"


class Papers:
    """All of them, used as `with`. `now` is the clock by which stories are dated."""

    def __init__(self, *, now: Callable[[], datetime], seed: int = 11) -> None:
        def newsroom(number: int) -> IndexedNewsroom:
            return IndexedNewsroom(f"127.0.0.{number}", now=now)

        self._chance = random.Random(seed)
        self._numbers = 0
        self.tide = Paper("tide", newsroom(21), {"feeds": ("/feed.rss",), "sitemaps": ("/sitemap.xml",)})
        self.gale = Paper("gale", newsroom(22), {"feeds": ("/feed.atom",)})
        self.reef = Paper("reef", newsroom(23), {"feeds": ("/feed.json",), "sitemaps": ("/sitemap-news.xml",)})
        self.dune = Paper("dune", newsroom(24), {"feeds": ("/feed.rss",), "sections": ("/news/",)}, limit=CRAWL_DELAY)
        self.mute = Paper("mute", newsroom(25), {"feeds": ("/feed.rss",)})
        self.slow = Paper("slow", newsroom(26), {"feeds": ("/feed.atom",), "sitemaps": ("/sitemap.xml",)}, by_plan=True)
        self.all = (self.tide, self.gale, self.reef, self.dune, self.mute, self.slow)
        self.dune.newsroom.robots = f"{RULES}Crawl-delay: {CRAWL_DELAY}\n"
        self.mute.newsroom.respond("/robots.txt", status=503, headers={"Retry-After": "1"})

    def __enter__(self) -> "Papers":
        for paper in self.all:
            paper.newsroom.start()
            for _ in range(STORIES):
                self.publish(paper)
        for _ in range(3):
            self.publish(self.dune, section="Opinion")
        return self

    def __exit__(self, *_: object) -> None:
        for paper in self.all:
            paper.newsroom.close()

    @property
    def seldom_edited(self) -> str:
        """A story that is edited at set times only."""
        return self.tide.urls[0]

    # What editors do

    def publish(self, paper: Paper, *, section: str = "News") -> str:
        """Publish an invented story, and return its URL."""
        self._numbers += 1
        number = self._numbers
        headline = f"District {number} settles its ferry landing"
        url = paper.newsroom.publish(f"story-{number}", headline=headline, body=paragraphs(number), section=section)
        paper.urls.append(url)
        return url

    def edit(self, paper: Paper, url: str) -> None:
        """Change a headline or a sentence; no story ever shows again what it showed before."""
        self._numbers += 1
        story = paper.newsroom.story(url)
        if self._chance.random() < 0.5:
            paper.newsroom.retitle(url, f"{story.headline.split(':')[0]}: hearing {self._numbers}")
            return
        first = story.body[0].split("; hearing ")[0].removesuffix(".")
        paper.newsroom.correct(url, body=[f"{first}; hearing {self._numbers}.", *story.body[1:]])

    def edit_something(self) -> None:
        """Edit any story that stands, now and then in a burst, or publish a new one."""
        paper = self._chance.choice(self.all)
        if self._chance.random() < 0.15:
            self.publish(paper)
            return
        url = self._chance.choice(paper.urls)
        if paper.newsroom.story(url).withdrawn or url == self.seldom_edited:
            return
        for _ in range(3 if self._chance.random() < 0.2 else 1):
            self.edit(paper, url)
            time.sleep(self._chance.uniform(0.0, 0.3))


class Trouble:
    """What happens to the papers in the course of a run, each at its time."""

    def __init__(self, papers: Papers, crawl: Callable[[], None]) -> None:
        self._papers = papers
        self._crawl = crawl
        self.withdrawn: list[str] = []
        self.up_at: list[float] = []
        self.forbidden_at: float | None = None

    def cycle(self, seconds: float) -> list[tuple[float, Callable[[], None]]]:
        """Return what happens within so many seconds, with the share of them that has passed by then."""
        acts = [
            (0.02, self._edit_seldom),
            (0.05, self._close_robots),
            (0.10, self._withdraw),
            (0.10, self._unmute),
            (0.15, self._refuse),
            (0.25, self._go_down),
            (0.40, self._come_back),
            (0.45, self._crawl),
            (0.50, self._open_robots),
            (0.55, self._edit_seldom),
            (0.55, self._refuse),
            (0.60, self._forbid),
            (1.0, self._papers.edit_something),
        ]
        return [(share * seconds, act) for share, act in acts]

    def _edit_seldom(self) -> None:
        self._papers.edit(self._papers.tide, self._papers.seldom_edited)

    def _withdraw(self) -> None:
        """Take a story down that was read already."""
        paper = self._papers.tide
        spared = (self._papers.seldom_edited, *self.withdrawn)
        served = [url for url in paper.urls if url not in spared and paper.newsroom.requests_for(url)]
        for url in served[:1]:
            paper.newsroom.withdraw(url)
            self.withdrawn.append(url)

    def restore(self) -> None:
        """Bring back what was withdrawn."""
        for url in self.withdrawn:
            self._papers.tide.newsroom.restore(url)

    def _unmute(self) -> None:
        self._papers.mute.newsroom.forget("/robots.txt")

    def _refuse(self) -> None:
        newsroom = self._papers.gale.newsroom
        for path in ("/feed.atom", self._papers.gale.urls[0].removeprefix(newsroom.origin)):
            newsroom.respond(path, status=429, headers={"Retry-After": str(RETRY_AFTER)}, times=1)

    def _go_down(self) -> None:
        self._papers.reef.newsroom.close()

    def _come_back(self) -> None:
        self._papers.reef.newsroom.start()
        self.up_at.append(time.perf_counter())

    def _close_robots(self) -> None:
        self._papers.dune.newsroom.respond("/robots.txt", status=503, headers={"Retry-After": "1"})

    def _open_robots(self) -> None:
        self._papers.dune.newsroom.forget("/robots.txt")

    def _forbid(self) -> None:
        if self.forbidden_at is None:
            self._papers.dune.newsroom.robots = f"{NO_OPINION}Crawl-delay: {CRAWL_DELAY}\n"
            self.forbidden_at = time.perf_counter()
