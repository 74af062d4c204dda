"""Recording a look at a page: the fetch, what it means for the article, and the page's state; all or nothing."""

from dataclasses import replace

from sqlalchemy import Connection, RowMapping

from storage import crawl_state
from storage.article_looks import ArticleLooks
from storage.captures import Captures
from storage.clock import utc_now
from storage.disappearance import MANY_GONE, is_held_back, may_be_gone
from storage.events import Events
from storage.fetches import Fetches
from storage.history import CurrentState, History
from storage.host_pages import HostPages
from storage.judgement import came_late
from storage.model import EventKind
from storage.outcomes import MAKES_VERSION, Outcome
from storage.page_identity import PageIdentity
from storage.pages import Pages
from storage.records import FeedEntry, PageLook, Recorded
from storage.rows import storable
from storage.sights import Sights, decided_outcome

_ASKED = frozenset({Outcome.UNCHANGED, Outcome.NOT_MODIFIED})


class Looks:
    """Records looks. The article is locked meanwhile, so that two looks at it are judged one after the other."""

    def __init__(
        self, connection: Connection, *, pages: Pages, fetches: Fetches, captures: Captures, events: Events
    ) -> None:
        self._connection = connection
        self._identity = PageIdentity(connection, pages)
        self._fetches = fetches
        self._captures = captures
        self._events = events
        self._history = History(connection)
        self._sights = Sights(self._history)
        self._host = HostPages(connection)
        self._articles = ArticleLooks(
            connection, identity=self._identity, fetches=fetches, captures=captures, events=events
        )

    def record(self, look: PageLook) -> Recorded:
        """Record a look, and return what it came to.

        A look whose fetch is recorded already changes nothing. Nothing is written either when the answer asks for a
        capture or for a rereading, or refuses the page that the look names as its primary. Raises LookupError for an
        unknown page, ValueError for a look that contradicts itself.
        """
        mark = self._events.mark()
        savepoint = self._connection.begin_nested()
        try:
            recorded = self._record(_storable(look))
            if not _is_question(recorded):
                released = self._identity.settle_waiting(look.page_id, recorded, look.fetch.finished_at)
                recorded = replace(recorded, released_page_ids=released)
        except BaseException:
            savepoint.rollback()
            self._events.forget_since(mark)
            raise
        if _is_question(recorded):
            savepoint.rollback()
            self._events.forget_since(mark)
        else:
            savepoint.commit()
        return recorded

    def _record(self, look: PageLook) -> Recorded:
        asked = self._identity.lock(look.page_id)
        stored = self._fetches.recorded(look.fetch.record_id)
        if stored is not None:
            return _as_recorded(stored)
        if asked["requested_at"] is not None and asked["requested_at"] <= look.fetch.started_at:
            # What somebody asked for is this; a fetch that was in flight then would not have been.
            self._identity.update(asked["id"], {"requested_at": None})
            asked = self._identity.lock(look.page_id)
        for hop in look.fetches_before:
            self._fetches.record(hop)
        capture_id = None if look.capture is None else self._captures.keep(look.capture)
        parts = {} if capture_id is None else self._captures.keep_parts(capture_id, look.part_captures)
        for attempt in look.fetches_of_parts:
            self._fetches.record(attempt, capture_id=parts.get(attempt.record_id))
        if look.primary is not None:
            if not self._identity.takes_over(look, look.primary, asked):
                return self._record_alias(look, look.primary, asked, capture_id)
            asked = self._identity.lock(look.page_id)
        if look.article is None and (look.same_as_capture is None or look.fetch.outcome not in _ASKED):
            return self._record_decided(look, asked, capture_id)
        page = self._identity.judged(look, asked)
        if page is None:
            primary = self._identity.lock(self._identity.lock(look.page_id)["alias_of"])
            return self._stands_for(primary, replace(look, primary_reason="alias"), capture_id)
        return self._record_article(look, page, capture_id)

    def _record_alias(self, look: PageLook, primary: FeedEntry, asked: RowMapping, capture_id: int | None) -> Recorded:
        """Record that another page stands for this one, as it says of itself; refuse to where that cannot be."""
        target = self._identity.named_by(look, primary, asked)
        if target is None:
            return Recorded(outcome=Outcome.REDIRECTED, primary_refused=True)
        return self._stands_for(target, look, capture_id)

    def _stands_for(self, primary: RowMapping, look: PageLook, capture_id: int | None) -> Recorded:
        """Record a look at an alias that is only an alias: its text is not judged."""
        article_id, reason = self._identity.article_id(primary), look.primary_reason
        fetch = replace(look.fetch, outcome=Outcome.REDIRECTED, reason=reason, location=primary["url"])
        self._fetches.record(fetch, capture_id=capture_id, article_id=article_id)
        return Recorded(outcome=Outcome.REDIRECTED, reason=reason, article_id=article_id, primary_page_id=primary["id"])

    # Outcomes that say nothing about the article's text

    def _record_decided(self, look: PageLook, page: RowMapping, capture_id: int | None) -> Recorded:
        outcome, reason = decided_outcome(look), look.fetch.reason
        article_id = self._identity.article_id(page)
        late = came_late(look.fetch.finished_at, page["last_fetch_at"], now=look.now)
        if outcome is Outcome.MISSING and not late:
            outcome, reason = self._missing(look, page)
        fetch = replace(look.fetch, outcome=outcome, reason=reason)
        self._fetches.record(fetch, capture_id=capture_id, article_id=article_id)
        if not late:
            values = crawl_state.after_fetch(page, outcome, look)
            if outcome is Outcome.NOT_ARTICLE:
                values |= crawl_state.not_an_article(look)
        else:
            values = crawl_state.after_late_look(page)
        self._identity.update(page["id"], values)
        return Recorded(outcome=outcome, reason=reason, article_id=article_id)

    def _missing(self, look: PageLook, page: RowMapping) -> tuple[Outcome, str | None]:
        """Return whether the article that the page had is missing or gone, and why; put up its tombstone if it is."""
        reason = look.fetch.reason
        current = self._history.current(page["id"])
        if current is None:
            return Outcome.MISSING, reason
        now, since = look.fetch.finished_at, page["missing_since"]
        if current.gone:
            self._identity.ask_aliases(page["id"], now, again=True)
            return Outcome.GONE, reason
        if not may_be_gone(missing_since=since, now=now, at_once=look.at_once):
            return Outcome.MISSING, reason
        census = self._host.census(page["host"], missing_since=since)
        if is_held_back(census, missing_since=since, now=now):
            return Outcome.MISSING, MANY_GONE
        self._history.set_gone(current.article_id, gone=True)
        self._identity.ask_aliases(page["id"], now, again=False)
        self._events.add(
            EventKind.GONE, article_id=current.article_id, version_id=current.version_id, occurred_at=since
        )
        return Outcome.GONE, reason

    # The article

    def _record_article(self, look: PageLook, page: RowMapping, capture_id: int | None) -> Recorded:
        current = self._history.current(page["id"])
        if current is None:
            first = self._sights.of_new_page(look, page, capture_id)
            if first is None:
                return self._record_decided(look, page, capture_id)
            return self._articles.create(look, page, first)
        if _is_late(look, page, current):
            return self._record_late(look, page, current, capture_id)
        sight = self._sights.of_article(look, page, current, capture_id)
        if sight is None:
            return self._articles.not_traceable(look, page, current)
        return self._articles.judge(look, page, current, sight)

    def _record_late(self, look: PageLook, page: RowMapping, current: CurrentState, capture_id: int | None) -> Recorded:
        """Record a look that was taken before the last one: it never becomes current, and what it saw is not lost.

        A state that is known is `unchanged`. Of any other the capture is kept: it stood there, but between which of the
        versions can only be told by reading them all again. And it is asked for once more, in case it still stands.
        """
        if look.article is None:
            outcome = decided_outcome(look)
            seen = None if look.same_as_capture is None else self._history.of_capture(current, look.same_as_capture)
        else:
            seen = self._history.known_state(current, look.article)
            outcome = Outcome.COSMETIC if seen is None else Outcome.UNCHANGED
            if seen is None and capture_id is None:
                return Recorded(outcome=outcome, reason="late", needs_capture=True, article_id=current.article_id)
        late = Recorded(
            outcome=outcome,
            reason="late",
            article_id=current.article_id,
            version_id=None if seen is None else seen.version_id,
            version_number=None if seen is None else seen.number,
        )
        self._articles.record_fetch(look, page, late, capture_id)
        refused = look.article is not None and late.version_id is None
        self._identity.update(page["id"], crawl_state.after_late_look(page, refused=refused))
        return late


def _is_late(look: PageLook, page: RowMapping, current: CurrentState) -> bool:
    """Say whether a later look is recorded already, one at the article or the first at a suspect text."""
    suspect = crawl_state.candidate(page)
    first_suspected_at = suspect.captured_at if suspect is not None and suspect.kind.suspect else None
    looked_at = look.fetch.finished_at
    return any(came_late(looked_at, at, now=look.now) for at in (current.last_checked_at, first_suspected_at))


def _is_question(recorded: Recorded) -> bool:
    """Whether nothing was recorded yet, because something is asked of the caller first."""
    return recorded.needs_capture or recorded.needs_rereading is not None or recorded.primary_refused


def _storable(look: PageLook) -> PageLook:
    """Return the look with its readings as the database would give them back, and the instant of its recording."""
    rereading = look.rereading
    if rereading is not None and rereading.article is not None:
        rereading = replace(rereading, article=storable(rereading.article))
    article = None if look.article is None else storable(look.article)
    return replace(look, rereading=rereading, article=article, recorded_at=look.recorded_at or utc_now())


def _as_recorded(row: RowMapping) -> Recorded:
    outcome = Outcome(row["outcome"])
    made = outcome in MAKES_VERSION and row["reason"] != "flapping"
    return Recorded(
        outcome=outcome,
        reason=row["reason"],
        article_id=row["article_id"],
        version_id=row["version_id"],
        version_number=row["number"],
        change=row["change"] if made else None,
    )
