"""`morgue run` lives through days in minutes, among newspapers that edit, fall silent, refuse and forbid.

`MORGUE_TEST_SPED_UP_SECONDS` sets for how long, on both databases; without it a short form guards the promise day by
day. The newspapers' own logs and journals are the judge: what stood where and when, and what was asked and answered.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from storage.model import Event, EventKind, Version
from storage.store import Store
from tests.acceptance.checks import Consumer, check_plans, first_column
from tests.acceptance.sped_up_morgue import VARIABLE, FastClock
from tests.acceptance.sped_up_newsrooms import RETRY_AFTER, Paper, Papers, Trouble
from tests.acceptance.test_three_processes import CLOCK_TOLERANCE, gaps
from tests.morgue_command import environment
from tests.newsroom_indexes import State
from tests.newsroom_server import LoggedRequest
from tests.running_service import crawler_configuration

SECONDS = float(os.environ.get("MORGUE_TEST_SPED_UP_SECONDS", "22"))
IS_LONG = "MORGUE_TEST_SPED_UP_SECONDS" in os.environ
CYCLE_SECONDS = 40
"""Whatever happens to the newspapers happens once in about this time."""
SPEED = 600
"""An hour, after which a missing article is gone and a copy of robots.txt is old, takes six seconds."""
STOOD_LONG = timedelta(minutes=100)
"""Much longer than the interval at which articles are looked at, and the turns of all others at the host."""
PATIENCE_SECONDS = 90

SERVICE = """\
requests_per_host_per_day = 0
[service]
http = "off"
"""


class Morgue:
    """The commands, in the sped-up world."""

    def __init__(self, folder: Path, clock: FastClock) -> None:
        self.folder = folder
        self._environment = environment({VARIABLE: clock.setting})
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command, whose output goes to a file named after its first word."""
        program = [sys.executable, "-m", "tests.acceptance.sped_up_morgue", "--config", self.folder / "morgue.toml"]
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [*program, *words],
                cwd=Path(__file__).parents[2],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def output(self, word: str) -> str:
        """Return what a command said so far."""
        return (self.folder / f"{word}.log").read_text()


@pytest.fixture(params=["sqlite", "postgresql"] if IS_LONG else ["sqlite"])
def backend(request) -> str:
    """Which database; the other one only where there is time."""
    return request.param


@pytest.fixture
def clock() -> FastClock:
    return FastClock.beginning_now(SPEED)


@pytest.fixture
def morgue(tmp_path, clock) -> Iterator[Morgue]:
    morgue = Morgue(tmp_path, clock)
    yield morgue
    for process in morgue.processes:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_a_service_lives_through_days_in_minutes(database_url, morgue, clock):
    with Papers(now=clock.now) as papers:
        sources = "\n".join(paper.source() for paper in papers.all)
        (morgue.folder / "morgue.toml").write_text(
            f"{crawler_configuration(database_url, delay_seconds=0.05)}{SERVICE}{sources}"
        )
        consumer = Consumer(database_url)
        service = morgue.start("run")

        def wait(condition: Callable[[], bool], what: str) -> None:
            wait_until(condition, what, service, morgue)

        tide = papers.tide
        wait(lambda: all(tide.newsroom.requests_for(url) for url in tide.urls), "the first stories were read")
        consumer.start()
        trouble = Trouble(papers, lambda: crawl_beside(morgue, papers))
        go_on(papers, trouble, service, morgue)
        wait(lambda: gone(database_url) == len(trouble.withdrawn) > 0, "what was withdrawn was gone")
        trouble.restore()
        crawl = morgue.start("crawl", *trouble.withdrawn)
        wait(lambda: crawl.poll() is not None, "what was withdrawn was asked for again")
        wait(lambda: rules_read_after(papers.dune, trouble) is not None, "a robots.txt was read again")
        wait(lambda: newest(database_url, papers) == standing(papers), "all that stands was known")
        service.terminate()
        assert service.wait(PATIENCE_SECONDS) == 0, morgue.output("run")
        consumer.ended.set()
        consumer.join(PATIENCE_SECONDS)
    check_requests(papers, trouble)
    histories, events = stored(database_url)
    without_version = Counter(first_column(database_url, WITHOUT_VERSION))
    for paper in papers.all:
        check_versions(paper, histories, without_version, clock)
    check_events(consumer, events, histories, trouble)
    check_left(morgue, database_url)


def go_on(papers: Papers, trouble: Trouble, service: subprocess.Popen[bytes], morgue: Morgue) -> None:
    """Edit and trouble the papers for as long as the run lasts."""
    cycles = max(1, round(SECONDS / CYCLE_SECONDS))
    for _ in range(cycles):
        began = time.monotonic()
        for due, act in trouble.cycle(SECONDS / cycles):
            while time.monotonic() - began < due:
                papers.edit_something()
                time.sleep(0.1)
                assert service.poll() is None, morgue.output("run")
            act()


def crawl_beside(morgue: Morgue, papers: Papers) -> None:
    """Start a one-off crawl of what the service looks after."""
    paper = papers.tide
    morgue.start("crawl", "--recrawl", paper.newsroom.url("/feed.rss"), *papers.gale.urls[:2])


def wait_until(condition: Callable[[], bool], what: str, service: subprocess.Popen[bytes], morgue: Morgue) -> None:
    """Wait for what the service is to bring about."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert service.poll() is None, morgue.output("run")
        assert time.monotonic() < deadline, f"waited in vain until {what}\n{morgue.output('run')[-5_000:]}"
        time.sleep(0.2)


def stored(database: str) -> tuple[dict[str, list[Version]], list[Event]]:
    """Return every article's versions by its URL, and the change feed."""
    with Store.open(database) as store, store.reading() as transaction:
        articles = transaction.versions.articles(limit=10_000)
        histories = {article.url: list(transaction.versions.history(article.article_id)) for article in articles}
        events = list(transaction.events.since(0, 1_000_000))
    assert len(histories) == len(articles), "an article was stored twice"
    return histories, events


def newest(database: str, papers: Papers) -> dict[str, tuple[str, str]]:
    """Return what the database takes for the present state of the papers' stories that are looked at by the clock."""
    with Store.open(database) as store, store.reading() as transaction:
        articles = transaction.versions.articles(limit=10_000)
    expected = standing(papers)
    return {a.url: (a.content.headline, a.content.body) for a in articles if a.url in expected}


def standing(papers: Papers) -> dict[str, tuple[str | None, str | None]]:
    """Return what stands at the papers whose stories are looked at at fixed intervals, and that may be read."""
    return {
        url: paper.newsroom.journal[urlsplit(url).path][-1].text
        for paper in papers.all
        if not paper.by_plan
        for url in paper.urls
        if not urlsplit(url).path.startswith("/opinion/")
    }


def gone(database: str) -> int:
    """Return how many articles were found gone so far."""
    with Store.open(database) as store, store.reading() as transaction:
        return sum(event.kind == EventKind.GONE for event in transaction.events.since(0, 1_000_000))


# What was asked


def check_requests(papers: Papers, trouble: Trouble) -> None:
    """Check by the papers' logs that they were asked politely, and what they allow."""
    for paper in papers.all:
        requests = paper.newsroom.requests
        smallest = sorted(gaps(requests))[:1]
        statuses = dict(sorted(Counter(request.status for request in requests).items()))
        print(f"{paper.name}: {len(requests)} requests {statuses}, limit {paper.limit}, smallest gap", smallest[0][0])
        before_known = paper.limit if paper.name != "dune" else 0.05
        assert smallest[0][0] >= before_known - CLOCK_TOLERANCE, smallest
        assert not [request for request in requests if request.path.startswith("/account/")]
        check_refusals(requests)
    assert sum(request.status == 429 for request in papers.gale.newsroom.requests) >= 2
    check_mute(papers.mute.newsroom.requests)
    check_forbidden(papers.dune, trouble)
    for up_at in trouble.up_at:
        later = [request.started - up_at for request in papers.reef.newsroom.requests if request.started > up_at]
        print("asked again after an outage, in seconds:", min(later))
    assert trouble.up_at
    assert any(request.status == 304 for paper in papers.all for request in paper.newsroom.requests)


def check_refusals(requests: tuple[LoggedRequest, ...]) -> None:
    """Check that nothing was asked before the time that a refusal named."""
    for refusal in requests:
        if refusal.status in (429, 503):
            wait = RETRY_AFTER if refusal.status == 429 else 1
            later = [request.started - refusal.ended for request in requests if request.started > refusal.ended]
            assert min(later, default=wait) >= wait - CLOCK_TOLERANCE, (refusal, min(later))


def check_mute(requests: tuple[LoggedRequest, ...]) -> None:
    """Check that nothing was asked of a host whose robots.txt could never be had, until it could; and then all was."""
    allowed_from = min(request.ended for request in requests if request.status == 200)
    first = [request for request in requests if request.ended < allowed_from]
    assert first
    assert {request.path for request in first} == {"/robots.txt"}
    assert {request.path for request in requests if request.started > allowed_from} > {"/robots.txt", "/feed.rss"}


def check_forbidden(paper: Paper, trouble: Trouble) -> None:
    """Check that nothing of a section was asked for after the robots.txt that forbids it was read."""
    requests = paper.newsroom.requests
    opinion = [request for request in requests if request.path.startswith("/opinion/story")]
    assert opinion, "it was allowed at first"
    assert any(request.status == 503 for request in requests if request.path == "/robots.txt")
    known_at = rules_read_after(paper, trouble)
    assert known_at is not None
    assert not [request for request in opinion if request.started > known_at]


def rules_read_after(paper: Paper, trouble: Trouble) -> float | None:
    """Return when the paper's robots.txt was first read after it began to forbid a section, None if it was not yet."""
    assert trouble.forbidden_at is not None
    read = [r for r in paper.newsroom.requests if r.path == "/robots.txt" and r.status == 200]
    return min((request.ended for request in read if request.started > trouble.forbidden_at), default=None)


# What was kept


def check_versions(
    paper: Paper, histories: dict[str, list[Version]], without_version: Counter[str], clock: FastClock
) -> None:
    """Check that each state that was served is a version, no other is, and none that stood long was missed.

    But for answers that were asked for to see whether there is a section at an address: nothing is kept of them. And
    for one that a crawl recorded after the service had recorded a newer one: its capture is kept, and no version made.
    """
    served_states = long_states = 0
    for url in paper.urls:
        path = urlsplit(url).path
        states = paper.newsroom.journal[path]
        texts = [(version.article.headline, version.article.body) for version in histories.get(url, [])]
        assert [version.number for version in histories.get(url, [])] == list(range(1, len(texts) + 1))
        assert len(set(texts)) == len(texts), f"twice the same version of {url}"
        known = [state.text for state in states]
        assert [text for text in texts if text not in known] == [], f"never published at {url}"
        assert sorted(texts, key=known.index) == texts, f"not in the order of their publication: {url}"
        requests = [r for r in paper.newsroom.requests if r.path == path and r.status == 200]
        served = {served_state(states, request) for request in requests} - {None}
        lost = [text for text in served if text not in texts]
        assert len(lost) <= without_version[url], f"served at {url}, and not kept: {lost}"
        served_states += len(served)
        if paper.name == "tide":
            long_states += check_long(states, texts, url, clock)
    print(f"{paper.name}: {served_states} states served, {long_states} stood long; {len(paper.urls)} stories")


def served_state(states: list[State], request: LoggedRequest) -> tuple[str | None, str | None] | None:
    """Return the text that stood while a request was answered; None where an edit fell into that time."""
    before = [state for state in states if state.since < request.started]
    during = [state for state in states if request.started <= state.since <= request.ended]
    return before[-1].text if before and not during and before[-1].body else None


def check_long(states: list[State], texts: list[tuple[str, str]], url: str, clock: FastClock) -> int:
    """Check that each state that stood long is a version; return how many did."""
    ends = [state.since for state in states[1:]]
    stood_long = [
        state.text
        for state, end in zip(states, ends, strict=False)
        if state.body and end - state.since > clock.real_seconds(STOOD_LONG)
    ]
    assert [text for text in stood_long if text not in texts] == [], f"stood long at {url}, and was missed"
    return len(stood_long)


def check_events(
    consumer: Consumer, events: list[Event], histories: dict[str, list[Version]], trouble: Trouble
) -> None:
    """Check that the change feed has each version once, that a consumer missed nothing, and what was away and back."""
    assert consumer.problem is None
    assert consumer.seen == [event.seq for event in events]
    versions = [event.version_id for event in events if event.kind in (EventKind.CREATED, EventKind.UPDATED)]
    assert sorted(versions) == sorted(version.version_id for history in histories.values() for version in history)
    for url in trouble.withdrawn:
        article = histories[url][0].article_id
        kinds = [event.kind for event in events if event.article_id == article]
        print("withdrawn and restored:", *kinds)
        assert kinds.count(EventKind.GONE) == kinds.count(EventKind.RESTORED) == 1


WITHOUT_VERSION = "SELECT url FROM fetches WHERE kind = 'section' OR reason = 'late' AND capture_id IS NOT NULL"


def check_left(morgue: Morgue, database: str) -> None:
    """Check that nothing is left in a state that nobody will touch again, and that the archive is whole."""
    check_plans(database)
    for process in morgue.processes:
        assert process.wait(PATIENCE_SECONDS) in (0, 1), morgue.output("crawl")
    assert "Traceback" not in morgue.output("run") + morgue.output("crawl")
    assert morgue.start("verify").wait(PATIENCE_SECONDS) == 0, morgue.output("verify")
