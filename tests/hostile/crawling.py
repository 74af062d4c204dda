"""Crawls every case of the table with the real crawler, and tells what came of each."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crawler.catalogue import sources
from crawler.settings import CrawlSettings, SourceSettings
from crawler.urls import clean_url, url_key
from storage.clock import utc_now
from storage.model import Article, FetchKind
from storage.outcomes import Outcome
from storage.records import Fetch
from storage.store import Store
from tests.hostile.case import FEED_PATH, PAGE_PATH, Case, Kept, feed_answer
from tests.hostile.names import INNER, PUBLIC, names_of_our_own
from tests.integration.bad_answers import GOOD, PARAGRAPHS, feed
from tests.integration.bad_server import BadServer, Script, bad_server
from tests.integration.crawls import USER_AGENT, Morgue

SETTINGS = CrawlSettings(
    user_agent=USER_AGENT,
    allow_private_addresses=True,
    delay_seconds=0,
    processes=2,
    timeout_seconds=6.0,
    idle_timeout_seconds=3.0,
    max_bytes=200_000,
    max_redirects=3,
)

_TELLING = re.compile(rb"^(?:authorization|proxy-authorization|cookie|referer|from):.*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the database says of a case: the row that decides, and what is kept, with the article's `paragraphs`.

    `asked` are the paths asked for, and `told` the lines in which requests tell who asks, or from where.
    """

    outcome: Outcome | None
    reason: str | None
    status: int | None
    kept: Kept
    versions: int
    opt_outs: Sequence[str]
    paragraphs: Sequence[str]
    asked: Sequence[str]
    told: Sequence[str]


@dataclass(kw_only=True)
class Results:
    """What came of all cases; `read_later` are those of which the right article was read once the server was well."""

    found: dict[str, Found] = field(default_factory=dict)
    outcomes: set[Outcome] = field(default_factory=set)
    read_later: set[str] = field(default_factory=set)


class HostileCrawl:
    """One crawl of many cases, each with a server of its own."""

    def __init__(self, cases: Sequence[Case], store: Store, folder: Path, stack: ExitStack) -> None:
        self._cases = cases
        self._morgue = Morgue(store=store, folder=folder, crawl_settings=SETTINGS)
        self._servers = {
            case.name: stack.enter_context(bad_server(hosts=(PUBLIC, INNER) if case.guarded else (INNER,)))
            for case in cases
        }
        self._add_sources()

    def run(self) -> Results:
        """Crawl the cases: first looks of those that have two, then all, at last those whose answer becomes good."""
        seconds = [case for case in self._cases if case.before]
        self._answer(seconds, lambda case: case.before)
        # These answers are good, and must not be late on a busy machine.
        self._crawl(seconds, timeout_seconds=60.0, idle_timeout_seconds=20.0)
        self._answer(self._cases, lambda case: case.answers)
        self._crawl([case for case in self._cases if not (case.guarded or case.hurried or case.respecting)])
        self._crawl([case for case in self._cases if case.respecting], respect_noarchive=True)
        self._crawl([case for case in self._cases if case.hurried], extract_timeout_seconds=0.01)
        with names_of_our_own():
            self._crawl([case for case in self._cases if case.guarded], allow_private_addresses=False)
        results = Results(outcomes={fetch.outcome for fetch in self._morgue.fetches() if fetch.outcome})
        results.found = {case.name: self._found(case) for case in self._cases}
        results.read_later = self._read_later([case for case in self._cases if case.later])
        return results

    def _read_later(self, cases: Sequence[Case]) -> set[str]:
        good = {PAGE_PATH: GOOD, FEED_PATH: feed_answer(feed(PAGE_PATH))}
        self._answer(cases, lambda _: good)
        self._crawl(cases)
        articles = {case.name: self._article(self._servers[case.name].url(PAGE_PATH)) for case in cases}
        return {name for name, article in articles.items() if _paragraphs(article) == PARAGRAPHS}

    def _crawl(self, cases: Sequence[Case], **settings: Any) -> None:
        targets = [self._slug(case) if case.listed_as else self._url(case) for case in cases]
        self._morgue.crawl_settings = SETTINGS.model_copy(update=settings)
        if targets:
            self._morgue.crawl(*targets, recrawl=True)

    def _slug(self, case: Case) -> str:
        return f"case-{self._servers[case.name].port}"

    def _url(self, case: Case) -> str:
        server = self._servers[case.name]
        return case.target.replace("_PORT", str(server.port)) if "://" in case.target else server.url(case.target)

    def _add_sources(self) -> None:
        settings = [
            SourceSettings(slug=self._slug(case), **{case.listed_as: (self._url(case),)})
            for case in self._cases
            if case.listed_as
        ]
        with self._morgue.store.writing() as transaction:
            transaction.sources.sync(sources(settings), utc_now())

    def _answer(self, cases: Iterable[Case], answers: Callable[[Case], Mapping[str, Script]]) -> None:
        for case in cases:
            server = self._servers[case.name]
            server.scripts = {path: _with_port(script, server) for path, script in answers(case).items()}

    def _found(self, case: Case) -> Found:
        target = clean_url(self._url(case))
        row = _deciding_row(self._morgue.fetches(), target)
        article = self._article(row.url) or self._article(target)
        server = self._servers[case.name]
        return Found(
            outcome=row.outcome,
            reason=row.reason,
            status=row.status,
            kept=self._kept(row, article),
            versions=article.version_count if article else 0,
            opt_outs=tuple(row.opt_outs),
            paragraphs=_paragraphs(article),
            asked=tuple(server.asked),
            told=tuple(line.decode("latin-1") for head in server.heads for line in _TELLING.findall(head)),
        )

    def _article(self, url: str) -> Article | None:
        with self._morgue.store.reading() as transaction:
            return transaction.versions.for_url_key(url_key(url))

    def _kept(self, row: Fetch, article: Article | None) -> Kept:
        if row.outcome is Outcome.LISTED:
            return Kept.LINKS
        if article:
            return Kept.ARTICLE
        with self._morgue.store.reading() as transaction:
            captured = any(stored.capture.url == row.url for stored in transaction.captures.all())
        if captured:
            return Kept.CAPTURE
        return Kept.NOTHING if row.status is None else Kept.HEADERS


def differences(case: Case, found: Found) -> dict[str, tuple[object, object]]:
    """Return what did not end as the table says: by name, what was wanted and what was found."""
    kept = case.kept is Kept.ARTICLE
    wanted = {
        "outcome": case.outcome,
        "reason": case.reason,
        "kept": case.kept,
        "versions": case.versions if kept else 0,
        "opt_outs": tuple(case.opt_outs),
        "paragraphs": tuple(case.paragraphs) if kept else (),
        "told": (),
    }
    pairs = {name: (value, getattr(found, name)) for name, value in wanted.items()}
    return {name: (value, there) for name, (value, there) in pairs.items() if value != there}


def _paragraphs(article: Article | None) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, article.content.body.split("\n")))) if article else ()


def _with_port(script: Script, server: BadServer) -> Script:
    return script.replace(b"_PORT", str(server.port).encode()) if isinstance(script, bytes) else script


def _deciding_row(fetches: Sequence[Fetch], target: str) -> Fetch:
    """Return the last hop of the last request for a URL."""
    chains = [fetch.chain_id for fetch in fetches if fetch.url == target and fetch.kind is not FetchKind.ROBOTS]
    if not chains:
        raise LookupError(f"nothing was recorded of {target}")
    return max((fetch for fetch in fetches if fetch.chain_id == chains[-1]), key=lambda fetch: fetch.hop)


def crawl_cases(cases: Sequence[Case], folder: Path) -> Results:
    """Crawl the cases in a folder with a new database and archive."""
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(f"sqlite:///{folder / 'morgue.db'}", create=True))
        return HostileCrawl(cases, store, folder, stack).run()
