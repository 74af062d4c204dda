"""Readings, looks and fetches of an invented paper, as short to write as the tests need them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from storage.model import Access, Capture, ExtractedArticle, FetchKind, NextReason, StatedTime
from storage.outcomes import Outcome
from storage.plan_records import PagePlan
from storage.records import FeedEntry, Fetch, PageLook, PageState, Recorded, Rereading
from storage.store import Store, Transaction

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
EXTRACTOR = "reader-1"

FERRY = ExtractedArticle(
    headline="Ferry to Oxley resumes after the storm",
    standfirst="The first boat left at dawn with forty passengers.",
    byline="By Ada Quill and Jon Reed",
    authors=("Ada Quill", "Jon Reed"),
    dateline="OXLEY",
    section="Harbour",
    tags=("ferries", "Öxley"),
    body="The ferry left the quay at six.\n\nIts captain said that the sea was calm.\n\nTwo boats follow.",
    language="en",
    canonical_url="http://paper.example/ferry",
    published=StatedTime(
        instant=datetime(2026, 3, 2, 6, 30, tzinfo=UTC),
        local="2026-03-02T07:30:00+01:00",
        zone_known=True,
        raw="2026-03-02T07:30:00+01:00",
        found_in="json_ld",
    ),
    modified=StatedTime(local="2026-03-02", raw="2 March 2026", found_in="text"),
    image_url="http://paper.example/ferry.jpg",
    image_caption="The boat at dawn",
    site_name="The Oxley Paper",
    access=Access.METERED,
    extractor=EXTRACTOR,
)
"""State A of the story."""

CORRECTED = replace(FERRY, headline="Ferry to Oxley resumes two days after the storm")
"""State B: another headline."""

CUT = replace(FERRY, body="The ferry left the quay at six.\n\nIts captain said that the sea was calm.")
"""State C: a paragraph less."""

UNSIGNED = replace(FERRY, authors=(), byline=None)
"""State D: the authors are gone, which counts only when it is seen twice."""


def minute(number: float) -> datetime:
    """Return the instant so many minutes after noon."""
    return NOON + timedelta(minutes=number)


def entry(path: str, **more) -> FeedEntry:
    """Return a link to a page of the paper."""
    key = f"paper.example/{path}"
    return FeedEntry(url=f"http://{key}", url_key=key, host="paper.example", **more)


def page_fetch(
    name: str, *, at: float, outcome: Outcome | None = None, url: str = "http://paper.example/ferry", **more
):
    """Return a fetch that finished so many minutes after noon."""
    values = {"chain_id": name, "hop": 0, "kind": FetchKind.PAGE, "source_id": None, "status": 200} | more
    return Fetch(
        record_id=f"urn:uuid:{name}",
        url=url,
        started_at=minute(at) - timedelta(seconds=1),
        finished_at=minute(at),
        outcome=outcome,
        **values,
    )


def kept(name: str, *, at: float, body_digest: str = "sha256:00") -> Capture:
    """Return a capture of that exchange."""
    return Capture(
        record_id=f"urn:uuid:{name}",
        url="http://paper.example/ferry",
        captured_at=minute(at),
        warc_file="morgue-1.warc.gz",
        offset=int(at * 1000),
        length=900,
        body_digest=body_digest,
    )


@dataclass
class Watcher:
    """Looks at one page again and again; each look is a minute later and in a transaction of its own."""

    store: Store
    page: PageState
    at: float = 0
    clock: float = 0
    """The latest instant so far, in minutes: a late look is recorded then, unless the clock is set back."""
    looks: list[PageLook] = field(default_factory=list)

    def record(self, look: PageLook) -> Recorded:
        """Record a look as it is."""
        self.looks.append(look)
        with self.store.writing() as transaction:
            return transaction.versions.record_look(look)

    def see(
        self,
        article: ExtractedArticle,
        *,
        at: float | None = None,
        keep: bool = True,
        rereading: Rereading | None = None,
    ) -> Recorded:
        """Read the page, and find that state of the article."""
        return self.record(self.look(article, at=at, keep=keep, rereading=rereading))

    def look(
        self,
        article: ExtractedArticle,
        *,
        at: float | None = None,
        keep: bool = True,
        rereading: Rereading | None = None,
        **more,
    ) -> PageLook:
        """Return a look that found that state."""
        at = self._next(at)
        name = f"{self.page.page_id}-{at}"
        landed = more.get("landed")
        url = self.page.url if landed is None else landed.url
        return PageLook(
            page_id=self.page.page_id,
            fetch=page_fetch(name, at=at, url=url, page_id=self.page.page_id, source_id=self.page.source_id),
            article=article,
            extractor=article.extractor,
            capture=kept(name, at=at, body_digest=f"sha256:{name}") if keep else None,
            body_digest=f"sha256:{name}",
            etag=f'"{name}"',
            last_modified="Mon, 02 Mar 2026 12:00:00 GMT",
            rereading=rereading,
            recorded_at=minute(self.clock),
            **more,
        )

    def get(self, outcome: Outcome, *, at: float | None = None, same_as: int | None = None, **more) -> Recorded:
        """Fetch the page with an outcome that is decided already."""
        at = self._next(at)
        fetch = page_fetch(
            f"{self.page.page_id}-{at}",
            at=at,
            url=self.page.url,
            outcome=outcome,
            page_id=self.page.page_id,
            status=304 if outcome is Outcome.NOT_MODIFIED else 200,
        )
        return self.record(
            PageLook(
                page_id=self.page.page_id,
                fetch=fetch,
                extractor=EXTRACTOR,
                same_as_capture=same_as,
                recorded_at=minute(self.clock),
                **more,
            )
        )

    def set_clock_back(self) -> None:
        """Have the next look be recorded when it is taken, however late others were taken."""
        self.clock = 0

    def not_modified(self) -> Recorded:
        """Ask for the page conditionally, and be told that what was seen last still stands."""
        return self.get(Outcome.NOT_MODIFIED, same_as=self.state().seen_capture_id)

    def _next(self, at: float | None) -> float:
        self.at = self.at + 1 if at is None else at
        self.clock = max(self.clock, self.at)
        return self.at

    def state(self) -> PageState:
        """Return the page as the database has it."""
        with self.store.reading() as transaction:
            page = transaction.pages.by_id(self.page.page_id)
        assert page is not None
        return page

    def article(self):
        """Return the page's article, or None."""
        with self.store.reading() as transaction:
            return transaction.versions.for_url_key(self.page.url_key)

    def versions(self):
        """Return the versions of the page's article."""
        found = self.article()
        with self.store.reading() as transaction:
            return [] if found is None else transaction.versions.history(found.article_id)

    def events(self) -> list[str]:
        """Return the kinds of all events so far."""
        with self.store.reading() as transaction:
            return [event.kind for event in transaction.events.since(0)]


def put_off(transaction: Transaction, plans: Mapping[int, datetime | None]) -> None:
    """Have pages be due at these instants; None for one that is not watched any more."""
    transaction.page_plans.put(
        [
            PagePlan(page_id=page_id, at=at, reason=NextReason.RELEASED if at is None else NextReason.PLAN)
            for page_id, at in plans.items()
        ]
    )


def watch(store: Store, path: str = "ferry", *, source: str = "paper.example") -> Watcher:
    """Begin to watch a page."""
    with store.writing() as transaction:
        stored = transaction.sources.for_domain(source, NOON, watched=True)
        page = transaction.pages.ensure(stored.source_id, entry(path), NOON, due=True)
    return Watcher(store=store, page=page)
