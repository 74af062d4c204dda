"""What the layers hand to each other: states read from the database, and facts to be recorded in it.

Frozen values; every instant is aware and in UTC. Rows of the database never leave `storage`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from storage.model import Capture, ExtractedArticle, FeedKind, FetchKind, PollReason, Source
from storage.outcomes import Outcome

KEPT_WALL_BYTES = 64 * 1024
"""A response that shows no article, or a part of one only, is kept as evidence when it is smaller than this."""
_OF_CODING = re.compile(r"(?:-|--|;|\.)(?:gzip|gz|br|zstd|df|deflate)$")
MOVES_TO_BELIEVE = 3
"""So many polls, or looks, in a row must be led to one address by permanent redirects before it is asked directly."""
MOST_NOT_MODIFIED = 16
"""After so many 304 in a row a whole answer is asked for, however often such proved the validators right."""


def validators_hold(*, not_modified: int, proved: int) -> bool:
    """Whether a request may be conditional after so many 304 in a row.

    There are servers whose validators stay the same whatever changes, which only a whole answer shows. The first one
    is asked for after one 304, and after twice as many each time that one `proved` the validators right; where one
    proved them wrong (-1) they are believed no more.
    """
    return proved >= 0 and not_modified < min(2 ** min(proved, 16), MOST_NOT_MODIFIED)


def proved_by(*, proved: int, not_modified: int, same_validators: bool, same: bool, changed: bool) -> int:
    """Return how often validators were proved right, after a whole answer; -1 where it proves them wrong.

    It proves something only after a 304, and with the same validators: right where what it shows is the `same`, wrong
    where that `changed` and a 304 would have hidden it. What is neither, as another advertisement, proves nothing.
    """
    if proved < 0 or not not_modified or not same_validators:
        return proved
    if changed:
        return -1
    return proved + 1 if same else proved


class HasValidators(Protocol):
    """An answer, or what is kept of one."""

    @property
    def etag(self) -> str | None:
        """Its ETag as it came."""

    @property
    def last_modified(self) -> str | None:
        """Its Last-Modified as it came."""


def kept_validators(answer: HasValidators, before: Mapping[Any, Any]) -> tuple[str | None, str | None]:
    """Return the ETag and the Last-Modified after a 304 or the same bytes; a 304 need not repeat them.

    An ETag that differs from the one before is that of a body that nobody received: then none is kept, and the next
    answer is a whole one.
    """
    if answer.etag and before["etag"] and _tag(answer.etag) != _tag(before["etag"]):
        return None, None
    return answer.etag or before["etag"], answer.last_modified or before["last_modified"]


def _tag(etag: str) -> str:
    """Return an ETag without what servers add where they compress, or leave out."""
    return _OF_CODING.sub("", etag.removeprefix("W/").strip('"'))


@dataclass(frozen=True, kw_only=True)
class StoredSource:
    """A source in the database. `configured` is False for one made for the registrable domain of an ad-hoc URL;
    `watched` tells whether the service looks after it; `paused_by` who paused one that is `paused`: `operator`, or None
    for the configuration, which no longer names it.
    """

    source_id: int
    source: Source
    configured: bool
    watched: bool
    paused: bool
    paused_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class SourceNumbers:
    """How much a source has: feeds, pages, articles, versions, and pages that are due; when the next one is due, and
    when the last was fetched."""

    feeds: int
    pages: int
    articles: int
    versions: int
    due: int
    next_due_at: datetime | None
    last_fetch_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class FeedState:
    """A polled index and where its polling stands. Validators are echoed as they came.

    `parent_id` is the index that led here and polls it; None for one that is polled by itself. `found_by` says how it
    was found (`crawler.discovery.listing.FoundBy`), `changed_at` when its parent says that it changed last,
    `ttl_seconds` for how long it asks to be left alone. `depth` is how many links deep it was found, None where it was
    named or configured; `goes_on_at` where reading its further pages was cut, None where it was read to its end;
    `probed_at` when the common places of a home page's publisher were tried; `paused` whether the service leaves it,
    and `paused_by` is `operator` where somebody said so.

    `poll_seconds` is the interval learnt from what polls brought, None while nothing is; `learnt_until` is the healthy
    poll up to which it was, and `unlearnt_new` counts what was new since. `last_new` and `last_known` are the entries
    that the last healthy poll, which ended at `last_success_at`, found to be new and known; what was new in the
    sitemaps that an index led to is included. `max_age_seconds` is how long its answer said that it holds;
    `skip_hours` (0 to 23) and `skip_days` (0 is Monday), both in UTC, are when it asks not to be polled.
    `next_poll_reason` is why it is due when it is. `moved_to` is where the last `moved_polls` polls were led for good.
    `not_modified_polls` and `validators_proved` are what `validators_hold` asks for.
    """

    feed_id: int
    source_id: int
    url: str
    kind: FeedKind
    etag: str | None = None
    last_modified: str | None = None
    body_digest: str | None = None
    last_polled_at: datetime | None = None
    next_poll_at: datetime | None = None
    last_outcome: Outcome | None = None
    consecutive_failures: int = 0
    parent_id: int | None = None
    found_by: str | None = None
    changed_at: datetime | None = None
    ttl_seconds: int | None = None
    depth: int | None = None
    goes_on_at: str | None = None
    probed_at: datetime | None = None
    paused: bool = False
    paused_by: str | None = None
    poll_seconds: float | None = None
    learnt_until: datetime | None = None
    unlearnt_new: int = 0
    last_new: int | None = None
    last_known: int | None = None
    last_success_at: datetime | None = None
    max_age_seconds: int | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    next_poll_reason: PollReason | None = None
    moved_to: str | None = None
    moved_polls: int = 0
    not_modified_polls: int = 0
    validators_proved: int = 0

    @property
    def is_conditional(self) -> bool:
        """Whether the next poll may be conditional, as far as its validators are to be believed."""
        return validators_hold(not_modified=self.not_modified_polls, proved=self.validators_proved)

    @property
    def polled_url(self) -> str:
        """The address to ask: where the feed moved for good, once `MOVES_TO_BELIEVE` polls in a row said so."""
        return self.moved_to if self.moved_to is not None and self.moved_polls >= MOVES_TO_BELIEVE else self.url


@dataclass(frozen=True, kw_only=True)
class FeedEntry:
    """One entry of a feed: the link, and the feed's own title and dates, kept beside the page's.

    `url` is absolute, `url_key` its identity (`crawler.urls.url_key`), `host` the politeness key of its host. Where the
    address is known to be another one of a page that is known, `url_key` is that page's. `entry_id` is the id that the
    feed gives this entry and no other, None where it gives none.
    """

    url: str
    url_key: str
    host: str
    title: str | None = None
    published_at: datetime | None = None
    published_raw: str | None = None
    updated_at: datetime | None = None
    entry_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class FeedPoll:
    """What one poll of a feed brought, to be recorded with its entries in one transaction.

    `kind` is None where the answer was not read. Validators, digest, `ttl_seconds` and what is to be skipped replace
    the stored ones when `outcome` is `LISTED`. `max_age_seconds` replaces the stored one unless it is None after a 304,
    which then said nothing of it. `new` and `known` count the entries that were recorded before, in slices.
    `moved_to` is where permanent redirects alone led from the address that was asked for; None where it answered
    itself. `began_at` is when the poll began, None where that does not matter.

    Recording it clears the feed's `next_poll_at`: when it is due again is for the planner to say.
    """

    feed_id: int
    outcome: Outcome
    polled_at: datetime
    began_at: datetime | None = None
    kind: FeedKind | None = None
    title: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    body_digest: str | None = None
    ttl_seconds: int | None = None
    max_age_seconds: int | None = None
    skip_hours: Sequence[int] = ()
    skip_days: Sequence[int] = ()
    new: int = 0
    known: int = 0
    moved_to: str | None = None
    entries: Sequence[FeedEntry] = ()


@dataclass(frozen=True, kw_only=True)
class FeedPlan:
    """When a feed is due next and why, and what was learnt for that.

    With `learnt_until` the interval `poll_seconds` was learnt from the polls until then, of which `learnt_new` new
    entries are used up; without, what is known of the feed stays as it is.
    """

    feed_id: int
    next_poll_at: datetime
    reason: PollReason
    poll_seconds: float | None = None
    learnt_until: datetime | None = None
    learnt_new: int = 0


@dataclass(frozen=True, kw_only=True)
class EntriesRecorded:
    """How many entries of a poll led to pages that were new, and how many to known ones; `cut` are those that would
    have been new, beyond what was wanted."""

    new: int
    known: int
    cut: int = 0


class CandidateKind(StrEnum):
    """What a reading waits for."""

    SECOND_LOOK = "second_look"
    """One more look that shows the same: fields are empty on one side."""
    SUSPECT = "suspect"
    """Looks that show that another text is this article's."""
    ELSEWHERE = "elsewhere"
    """The same, though other pages of the publisher gave that text too, so that no look can show it."""

    @property
    def suspect(self) -> bool:
        """Whether the text is doubted."""
        return self is not CandidateKind.SECOND_LOOK


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A reading that waits for another look before it may become a version.

    `capture_id` is the capture that it was first read from. `looks` is, of a suspect, how many looks showed it, and
    else how many looks in a row, this one's the last, brought a reading that had to wait.
    """

    article: ExtractedArticle
    capture_id: int
    captured_at: datetime
    looks: int
    kind: CandidateKind = CandidateKind.SECOND_LOOK


@dataclass(frozen=True, kw_only=True)
class PageState:
    """One watched URL and its crawl state.

    `etag`, `last_modified` and `body_digest` belong to the capture `seen_capture_id` (None after `not_article`) as read
    by `seen_extractor`; the first two are None when the next request must be unconditional. `alias_of` is the page
    that stands for this one when its address only redirects. `watched_from` is when somebody handed it to the service.
    `landed_url` is where the last look ended where that is another address, whose the validators are then; the last
    `moved_looks` looks were led there for good. `not_modified_looks` and `validators_proved` are what `validators_hold`
    asks for.
    """

    page_id: int
    source_id: int
    url: str
    url_key: str
    host: str
    article_id: int | None = None
    alias_of: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    body_digest: str | None = None
    seen_capture_id: int | None = None
    seen_extractor: str | None = None
    last_outcome: Outcome | None = None
    consecutive_failures: int = 0
    first_seen_at: datetime
    last_fetch_at: datetime | None = None
    next_fetch_at: datetime | None = None
    feed_title: str | None = None
    feed_published_at: datetime | None = None
    watched_from: datetime | None = None
    landed_url: str | None = None
    moved_looks: int = 0
    not_modified_looks: int = 0
    validators_proved: int = 0

    @property
    def asked_url(self) -> str:
        """The address to ask: where the page moved for good, once `MOVES_TO_BELIEVE` looks in a row said so.

        One in `MOST_NOT_MODIFIED` asks at its own address all the same, which may lead elsewhere by then.
        """
        moved = self.moved_looks >= MOVES_TO_BELIEVE and self.moved_looks % MOST_NOT_MODIFIED != 0
        return self.landed_url if moved and self.landed_url is not None else self.url

    @property
    def is_conditional(self) -> bool:
        """Whether the next request may be conditional, as far as its validators are to be believed."""
        return validators_hold(not_modified=self.not_modified_looks, proved=self.validators_proved)


@dataclass(frozen=True, kw_only=True)
class KnownAddresses:
    """Addresses of one source by what they proved to be: articles, and what was no article."""

    articles: Sequence[str]
    others: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class KnownPage:
    """A page whose story is known. `article` is the same for pages that stand for one article, by what they say of
    themselves or by where they lead, and `story` also for articles whose text is the same; `title` and `published_at`
    are an index's own of it."""

    url: str
    url_key: str
    article: str
    story: str
    title: str | None = None
    published_at: datetime | None = None
    is_alias: bool = False


@dataclass(frozen=True, kw_only=True)
class CrawlScope:
    """Which pages a crawl may fetch: those of these sources, those that these feeds ever listed, and these named ones.

    `everything` is the service's scope: all pages of sources that are watched and not paused.
    """

    source_ids: frozenset[int] = frozenset()
    feed_ids: frozenset[int] = frozenset()
    page_ids: frozenset[int] = frozenset()
    everything: bool = False


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """What of a source waits for its first fetch: pages that are `due` at once, as news is, and when the last of its
    back catalogue is planned to be fetched, None where there is none."""

    due: int
    until: datetime | None


@dataclass(frozen=True, kw_only=True)
class StoredCapture:
    """A capture in the database."""

    capture_id: int
    capture: Capture


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """One HTTP attempt and its outcome, one hop of a chain of redirects or the whole of it.

    `record_id` is unique and makes recording idempotent. `chain_id` is the same for all hops of one request and `hop`
    counts from 0. `outcome` is None for a page whose reading the history has still to judge. `reason` is a short code
    (`dns`, `refused`, `tls`, `reset`, `short_body`, `bad_encoding`, `redirect_loop`, …). `headers` are the response's
    headers that matter. `bytes_received` counts the body as sent. `opt_outs` are what the
    answer reserves (`noai`, `tdm-reservation`, …).
    """

    record_id: str
    chain_id: str
    hop: int
    kind: FetchKind
    url: str
    source_id: int | None
    page_id: int | None = None
    feed_id: int | None = None
    started_at: datetime
    finished_at: datetime
    outcome: Outcome | None
    reason: str | None = None
    status: int | None = None
    bytes_received: int = 0
    location: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    opt_outs: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Rereading:
    """An old capture read again by the extractor now in use, so that a new reading can be compared with it.

    `article` is None when the old capture could not be read as an article; then the new reading becomes the baseline.
    """

    version_id: int
    extractor: str
    article: ExtractedArticle | None


@dataclass(frozen=True, kw_only=True)
class PageLook:
    """A fetch of a page with everything that the history needs to judge it, recorded in one transaction.

    `fetch` is the last hop and `fetches_before` the hops that led to it. `landed` names the page of the final URL when
    redirects led to another page than the one that was asked for, and `names_itself` says that it calls that address
    its own. `same_as_capture` is set for a 304 or the same
    bytes: the capture that was seen again. `article` is the reading of a 200 that reads as an article; without it
    `fetch.outcome` is decided already. `primary` is the page that stands for this one by what it says of itself, and
    `primary_reason` why (`canonical`, `amp`, `mobile`, `print` or `part`). Of an article in parts `fetches_of_parts`
    are the attempts at its further parts, `part_captures` the captures of those that were read, in order, and
    `body_digest` is that of all parts. `live_blog` says that the page calls its text a live blog, `at_once` that
    somebody asked for this look (`--recrawl`), so that it counts however soon after another. `capture` is the kept
    response, or None when the caller did not keep it. `etag` and `last_modified` are the response's own. `recorded_at`
    is when the look is recorded, by the clock that also dated it; None stands for the present instant.
    """

    page_id: int
    fetch: Fetch
    fetches_before: Sequence[Fetch] = ()
    landed: FeedEntry | None = None
    names_itself: bool = False
    article: ExtractedArticle | None = None
    extractor: str
    rereading: Rereading | None = None
    capture: Capture | None = None
    body_digest: str | None = None
    primary: FeedEntry | None = None
    primary_reason: str | None = None
    fetches_of_parts: Sequence[Fetch] = ()
    part_captures: Sequence[Capture] = ()
    same_as_capture: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    live_blog: bool = False
    at_once: bool = False
    recorded_at: datetime | None = None

    @property
    def opt_outs(self) -> tuple[str, ...]:
        """What the page and the further parts of its article reserve, without repeats."""
        fetches = (self.fetch, *self.fetches_of_parts)
        return tuple(dict.fromkeys(word for fetch in fetches for word in fetch.opt_outs))

    @property
    def now(self) -> datetime:
        """The instant of recording. Raises ValueError where it is not known yet."""
        if self.recorded_at is None:
            raise ValueError("a look is judged when it is recorded")
        return self.recorded_at


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What recording a look came to.

    `needs_capture` means that nothing was written, because the look makes a version and its capture was not given:
    keep the capture and record again. `needs_rereading` likewise names the version whose capture must be read again
    by the extractor in use, and `primary_refused` says that no other page stands for this one: record its own article.
    `primary_page_id` is the page that stands for this one from now on, and `released_page_ids` are the pages for which
    this one does not, as they had said: they are due again. `change` names the changed fields (`headline+body`) or is
    `created`.
    """

    outcome: Outcome
    reason: str | None = None
    needs_capture: bool = False
    needs_rereading: int | None = None
    primary_refused: bool = False
    primary_page_id: int | None = None
    released_page_ids: Sequence[int] = ()
    article_id: int | None = None
    version_id: int | None = None
    version_number: int | None = None
    change: str | None = None
