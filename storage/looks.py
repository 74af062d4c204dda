"""Recording a look at a page: the fetch, what it means for the article, and the page's state; all or nothing."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from storage import crawl_state
from storage.captures import Captures
from storage.changes import Change, decide
from storage.events import Events
from storage.fetches import Fetches
from storage.history import CurrentState, History
from storage.judgement import KnownState, Verdict, came_late, judge
from storage.model import EventKind, ExtractedArticle, Outcome
from storage.page_identity import PageIdentity, moved_for_good
from storage.pages import Pages
from storage.records import Fetch, PageLook, Recorded
from storage.rows import content_values, storable

_EVENT_OF = {Outcome.UPDATED: EventKind.UPDATED, Outcome.REVERTED: EventKind.REVERTED}
_ASKED = frozenset({Outcome.UNCHANGED, Outcome.NOT_MODIFIED})


@dataclass(frozen=True, kw_only=True)
class _Sight:
    """A reading that is to be judged, and the capture that it can be traced to, where one was kept.

    `again` says that no new response was read: the capture was seen again.
    """

    reading: ExtractedArticle
    capture_id: int | None
    captured_at: datetime
    again: bool = False


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

    def record(self, look: PageLook) -> Recorded:
        """Record a look, and return what it came to.

        A look whose fetch is recorded already changes nothing. Nothing is written either when the answer asks for a
        capture or for a rereading. Raises LookupError for an unknown page, ValueError for a look that contradicts
        itself.
        """
        mark = self._events.mark()
        savepoint = self._connection.begin_nested()
        try:
            recorded = self._record(_storable(look))
        except BaseException:
            savepoint.rollback()
            self._events.forget_since(mark)
            raise
        if recorded.needs_capture or recorded.needs_rereading is not None:
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
        for hop in look.fetches_before:
            self._fetches.record(hop)
        capture_id = None if look.capture is None else self._captures.keep(look.capture)
        if look.article is None and (look.same_as_capture is None or look.fetch.outcome not in _ASKED):
            return self._record_decided(look, asked, capture_id)
        page = self._identity.judged(look, asked)
        if look.landed is not None and not moved_for_good(look.fetches_before):
            # They are another address's, which the asked page need not lead to the next time.
            look = replace(look, etag=None, last_modified=None)
        return self._record_article(look, page, capture_id)

    # Outcomes that say nothing about the article's text

    def _record_decided(self, look: PageLook, page: RowMapping, capture_id: int | None) -> Recorded:
        outcome = _decided_outcome(look.fetch)
        article_id = self._identity.article_id(page)
        self._fetches.record(look.fetch, capture_id=capture_id, article_id=article_id)
        if not came_late(look.fetch.finished_at, page["last_fetch_at"]):
            values = crawl_state.after_fetch(page, outcome, look.fetch.finished_at)
            if outcome is Outcome.NOT_ARTICLE:
                values |= crawl_state.not_an_article(look)
            self._identity.update(page["id"], values)
        return Recorded(outcome=outcome, reason=look.fetch.reason, article_id=article_id)

    # The article

    def _record_article(self, look: PageLook, page: RowMapping, capture_id: int | None) -> Recorded:
        current = self._history.current(page["id"])
        if current is None:
            return self._create(look, page, capture_id)
        if came_late(look.fetch.finished_at, current.last_checked_at):
            return self._record_late(look, page, current, capture_id)
        sight = self._sight(look, page, current, capture_id)
        if sight is None:
            return self._not_traceable(look, page, current)
        return self._judge(look, page, current, sight)

    def _record_late(self, look: PageLook, page: RowMapping, current: CurrentState, capture_id: int | None) -> Recorded:
        """Record a look that was taken before the last one: it never becomes current, and what it saw is not lost.

        A state that is known is `unchanged`. Of any other the capture is kept: it stood there, but between which of the
        versions can only be told by reading them all again.
        """
        if look.article is None:
            outcome = _decided_outcome(look.fetch)
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
        self._record_fetch(look, page, late, capture_id)
        return late

    def _create(self, look: PageLook, page: RowMapping, capture_id: int | None) -> Recorded:
        if look.article is None:
            return self._record_decided(look, page, capture_id)
        if look.capture is None or capture_id is None:
            return Recorded(outcome=Outcome.CREATED, needs_capture=True)
        seen_at, captured_at = look.fetch.finished_at, look.capture.captured_at
        article_id = self._history.create(page["id"], look.article, captured_at=captured_at, seen_at=seen_at)
        version_id = self._history.add_version(
            article_id,
            look.article,
            number=1,
            change="created",
            reverts_to=None,
            capture_id=capture_id,
            captured_at=captured_at,
            seen_at=seen_at,
        )
        self._events.add(EventKind.CREATED, article_id=article_id, version_id=version_id, occurred_at=captured_at)
        created = Recorded(
            outcome=Outcome.CREATED,
            article_id=article_id,
            version_id=version_id,
            version_number=1,
            change="created",
        )
        return self._finish(look, page, created, capture_id, crawl_state.article_read(look, capture_id))

    def _sight(self, look: PageLook, page: RowMapping, current: CurrentState, capture_id: int | None) -> _Sight | None:
        """Return what is to be judged; None for a capture seen again that shows no state known of this article."""
        seen_at = look.fetch.finished_at
        if look.article is not None:
            captured_at = look.capture.captured_at if look.capture is not None else seen_at
            return _Sight(reading=look.article, capture_id=capture_id, captured_at=captured_at)
        again = look.same_as_capture
        candidate = crawl_state.candidate(page)
        reading: ExtractedArticle | None
        if candidate is not None and again == candidate.capture_id:
            reading = candidate.article
        else:
            reading = self._seen_before(again, page, current)
        if reading is None or self._history.reading(current, reading.extractor) is None:
            return None
        return _Sight(reading=reading, capture_id=again, captured_at=seen_at, again=True)

    def _seen_before(self, again: int | None, page: RowMapping, current: CurrentState) -> ExtractedArticle | None:
        """Return the state that a capture shows which was seen again, None when that is not known."""
        if again is None:
            return None
        if again == current.capture_id:
            return current.version
        version = self._history.of_capture(current, again)
        if version is not None:
            return version.reading
        if again != page["seen_capture_id"]:
            return None
        # A capture kept though it made no version: it shows the current state, or while the page is flapping the one
        # that was seen last.
        flapping = crawl_state.flapping(page)
        return current.version if flapping is None else self._history.numbered(current, flapping.number)

    def _judge(self, look: PageLook, page: RowMapping, current: CurrentState, sight: _Sight) -> Recorded:
        baseline = self._history.reading(current, sight.reading.extractor)
        if baseline is None:
            rereading = look.rereading
            if rereading is None or (rereading.version_id, rereading.extractor) != (
                current.version_id,
                sight.reading.extractor,
            ):
                return Recorded(
                    outcome=Outcome.UNCHANGED, needs_rereading=current.version_id, article_id=current.article_id
                )
            if rereading.article is None:
                return self._new_baseline(look, page, current, sight)
            baseline = rereading.article
            self._keep_rereading(look, current, baseline)
            current = replace(current, shown=baseline)
        change = Change() if sight.reading == baseline else decide(baseline, sight.reading)
        verdict = judge(
            sight.reading,
            change=change,
            settled=self._history.settled(current, change.tentative, sight.reading.extractor),
            now=look.fetch.finished_at,
            current=current.known(baseline),
            # A capture seen again tells nothing of what changed around the text since.
            shown=sight.reading if sight.again else current.shown,
            earlier=None if sight.reading == baseline else self._history.earlier(current, sight.reading),
            candidate=crawl_state.candidate(page),
            waited=page["candidate_looks"],
            flapping=crawl_state.flapping(page),
        )
        return self._apply(look, page, current, sight, verdict)

    def _keep_rereading(self, look: PageLook, current: CurrentState, reading: ExtractedArticle) -> None:
        """Keep what the extractor in use makes of the current version; a difference is announced, never an edit."""
        seen_at = look.fetch.finished_at
        self._history.keep_reading(current.version_id, reading, kind="reread", read_at=seen_at)
        self._history.touch(current, seen_at=seen_at, values=content_values(reading))
        if replace(reading, extractor=current.version.extractor) != current.version:
            self._announce_reread(current, seen_at)

    def _announce_reread(self, current: CurrentState, seen_at: datetime) -> None:
        self._events.add(
            EventKind.REREAD, article_id=current.article_id, version_id=current.version_id, occurred_at=seen_at
        )

    def _new_baseline(self, look: PageLook, page: RowMapping, current: CurrentState, sight: _Sight) -> Recorded:
        """Compare from now on with the new reading, because the old capture cannot be read by this extractor."""
        if sight.capture_id is None:
            # Nothing else would show what was compared with from now on.
            return Recorded(outcome=Outcome.COSMETIC, needs_capture=True, article_id=current.article_id)
        seen_at = look.fetch.finished_at
        self._history.keep_reading(current.version_id, sight.reading, kind="baseline", read_at=seen_at)
        self._history.touch(current, seen_at=seen_at, values=content_values(sight.reading))
        if replace(sight.reading, extractor=current.shown.extractor) != current.shown:
            self._announce_reread(current, seen_at)
        values = crawl_state.article_read(look, sight.capture_id) | crawl_state.CLEAR_CANDIDATE
        recorded = _saw(current, Outcome.COSMETIC, reason="new_baseline")
        return self._finish(look, page, recorded, sight.capture_id, values)

    def _apply(
        self, look: PageLook, page: RowMapping, current: CurrentState, sight: _Sight, verdict: Verdict
    ) -> Recorded:
        needs_capture = verdict.candidate or (verdict.change is not None and not verdict.from_candidate)
        if needs_capture and sight.capture_id is None:
            return Recorded(outcome=verdict.outcome, needs_capture=True, article_id=current.article_id)
        if verdict.change is not None:
            return self._add_version(look, page, current, sight, verdict)
        seen_at = look.fetch.finished_at
        self._history.touch(current, seen_at=seen_at, values=content_values(sight.reading) if verdict.refresh else {})
        if not verdict.candidate and not verdict.rotates:
            self._history.seen(verdict.seen.version_id, seen_at)
        shown_by = self._captures.id_of_version(verdict.seen.version_id)
        values = self._validators(look, page, sight, otherwise=shown_by) | crawl_state.alternating(verdict.flapping)
        if verdict.candidate:
            values |= crawl_state.awaiting(page, sight.reading, sight.capture_id, sight.captured_at)
        elif verdict.rotates:
            values |= crawl_state.rotating(page)
        else:
            values |= crawl_state.CLEAR_CANDIDATE
        outcome, reason = verdict.outcome, verdict.reason
        if sight.again and outcome is Outcome.UNCHANGED:
            outcome, reason = _decided_outcome(look.fetch), look.fetch.reason
        recorded = _saw(current, outcome, reason=reason, seen=verdict.seen)
        return self._finish(look, page, recorded, None if sight.again else sight.capture_id, values)

    def _add_version(
        self, look: PageLook, page: RowMapping, current: CurrentState, sight: _Sight, verdict: Verdict
    ) -> Recorded:
        candidate = crawl_state.candidate(page) if verdict.from_candidate else None
        reading = sight.reading if candidate is None else candidate.article
        capture_id = sight.capture_id if candidate is None else candidate.capture_id
        captured_at = sight.captured_at if candidate is None else candidate.captured_at
        if capture_id is None or verdict.change is None:
            raise ValueError("a version needs a capture and a change")
        seen_at, number = look.fetch.finished_at, current.number + 1
        version_id = self._history.add_version(
            current.article_id,
            reading,
            number=number,
            change=verdict.change,
            reverts_to=verdict.reverts_to,
            capture_id=capture_id,
            captured_at=captured_at,
            seen_at=seen_at,
        )
        self._history.touch(
            current,
            seen_at=seen_at,
            values={"version_count": number, "current_number": number, **content_values(sight.reading)},
        )
        self._events.add(
            _EVENT_OF[verdict.outcome], article_id=current.article_id, version_id=version_id, occurred_at=captured_at
        )
        values = self._validators(look, page, sight, otherwise=capture_id) | crawl_state.CLEAR_CANDIDATE
        values |= crawl_state.alternating(None) | {"changes": page["changes"] + 1, "last_changed_at": captured_at}
        made = Recorded(
            outcome=verdict.outcome,
            reason=verdict.reason,
            article_id=current.article_id,
            version_id=version_id,
            version_number=number,
            change=verdict.change,
        )
        return self._finish(look, page, made, None if sight.again else sight.capture_id, values)

    def _validators(self, look: PageLook, page: RowMapping, sight: _Sight, *, otherwise: int) -> dict[str, Any]:
        """Return the page's validators; they belong to the capture kept, `otherwise` to one that shows the same."""
        if not sight.again:
            return crawl_state.article_read(look, sight.capture_id or otherwise)
        capture_id = sight.capture_id or otherwise
        stored = self._captures.by_id(capture_id)
        digest = "" if stored is None else stored.capture.body_digest
        return crawl_state.seen_again(look, page, capture_id, digest)

    def _not_traceable(self, look: PageLook, page: RowMapping, current: CurrentState) -> Recorded:
        """Record that an old capture was seen again of which we cannot tell what it means now.

        That happens when another process recorded something else meanwhile. The next request is unconditional, so that
        there is a body to judge.
        """
        outcome = _decided_outcome(look.fetch)
        recorded = Recorded(outcome=outcome, reason="capture_superseded", article_id=current.article_id)
        return self._finish(look, page, recorded, None, crawl_state.FORGET_CAPTURE)

    # What every look leaves

    def _finish(
        self, look: PageLook, page: RowMapping, recorded: Recorded, capture_id: int | None, values: dict[str, Any]
    ) -> Recorded:
        """Record the fetch and the page's state, and return what they came to."""
        self._record_fetch(look, page, recorded, capture_id)
        state = crawl_state.after_fetch(page, recorded.outcome, look.fetch.finished_at)
        self._identity.update(page["id"], state | values)
        return recorded

    def _record_fetch(self, look: PageLook, page: RowMapping, recorded: Recorded, capture_id: int | None) -> None:
        fetch = replace(look.fetch, outcome=recorded.outcome, reason=recorded.reason, page_id=page["id"])
        self._fetches.record(
            fetch, capture_id=capture_id, article_id=recorded.article_id, version_id=recorded.version_id
        )


def _storable(look: PageLook) -> PageLook:
    """Return the look with its readings as the database would give them back."""
    rereading = look.rereading
    if rereading is not None and rereading.article is not None:
        rereading = replace(rereading, article=storable(rereading.article))
    return replace(look, rereading=rereading, article=None if look.article is None else storable(look.article))


def _saw(current: CurrentState, outcome: Outcome, *, reason: str | None, seen: KnownState | None = None) -> Recorded:
    """Return what a look came to that made no version, but saw one: the current version if no other is named."""
    return Recorded(
        outcome=outcome,
        reason=reason,
        article_id=current.article_id,
        version_id=current.version_id if seen is None else seen.version_id,
        version_number=current.number if seen is None else seen.number,
    )


def _decided_outcome(fetch: Fetch) -> Outcome:
    if fetch.outcome is None:
        raise ValueError(f"the fetch of {fetch.url} has neither an outcome nor a reading")
    return fetch.outcome


def _as_recorded(row: RowMapping) -> Recorded:
    outcome = Outcome(row["outcome"])
    made = outcome in (Outcome.CREATED, Outcome.UPDATED, Outcome.REVERTED) and row["reason"] != "flapping"
    return Recorded(
        outcome=outcome,
        reason=row["reason"],
        article_id=row["article_id"],
        version_id=row["version_id"],
        version_number=row["number"],
        change=row["change"] if made else None,
    )
