"""Recording what a look at a page tells of its article: versions, states seen again, texts that have to wait."""

from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from sqlalchemy import Connection, RowMapping

from storage import crawl_state
from storage.article_fields import content_values
from storage.captures import Captures
from storage.events import Events
from storage.evidence import Evidence
from storage.fetches import Fetches
from storage.history import CurrentState, History
from storage.host_pages import HostPages
from storage.judgement import SAME_TEXT_ELSEWHERE, KnownState, Suspicion, Verdict, same_state
from storage.model import EventKind, ExtractedArticle
from storage.outcomes import Outcome
from storage.page_identity import PageIdentity
from storage.records import KEPT_WALL_BYTES, PageLook, Recorded
from storage.sights import Case, Sight, decided_outcome
from storage.suspicion import OTHERS_OF_FIRST

_EVENT_OF = {Outcome.UPDATED: EventKind.UPDATED, Outcome.REVERTED: EventKind.REVERTED}


class ArticleLooks:
    """Judges readings of a page that is locked, and records what comes of them."""

    def __init__(
        self,
        connection: Connection,
        *,
        identity: PageIdentity,
        fetches: Fetches,
        captures: Captures,
        events: Events,
    ) -> None:
        self._identity = identity
        self._fetches = fetches
        self._captures = captures
        self._events = events
        self._history = History(connection)
        self._host = HostPages(connection)
        self._evidence = Evidence(self._history, self._host)

    # A page without an article

    def create(self, look: PageLook, page: RowMapping, sight: Sight) -> Recorded:
        """Make the article of a page from its first reading, or refuse to: a text that other pages gave is a wall's."""
        if sight.capture_id is None:
            return Recorded(outcome=Outcome.CREATED, needs_capture=True)
        others = self._host.others_with(page, sight.reading, most=OTHERS_OF_FIRST, copies=True)
        refused = others >= OTHERS_OF_FIRST
        self._host.keep_text(page, sight.reading, sight.captured_at, of_version=not refused)
        if refused:
            return self._refuse_first(look, page, sight, sight.capture_id)
        seen_at, captured_at = look.fetch.finished_at, sight.captured_at
        article_id = self._history.create(
            page["id"], sight.reading, captured_at=captured_at, seen_at=seen_at, opt_outs=look.opt_outs
        )
        version_id = self._history.add_version(
            article_id,
            sight.reading,
            number=1,
            change="created",
            reverts_to=None,
            capture_id=sight.capture_id,
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
        values = self._validators(look, page, sight, otherwise=sight.capture_id) | crawl_state.CLEAR_CANDIDATE
        return self._finish(look, page, created, sight.capture_id, values)

    def _refuse_first(self, look: PageLook, page: RowMapping, sight: Sight, capture_id: int) -> Recorded:
        values = self._validators(look, page, sight, otherwise=capture_id)
        values |= crawl_state.suspected(page, sight.reading, capture_id, sight.captured_at, elsewhere=True)
        refused = Recorded(outcome=Outcome.SUSPECT, reason=SAME_TEXT_ELSEWHERE)
        return self._finish(look, page, refused, capture_id, values)

    # A page with an article

    def judge(
        self, look: PageLook, page: RowMapping, current: CurrentState, sight: Sight, *, made: Recorded | None = None
    ) -> Recorded:
        """Judge a reading and record what comes of it. `made` is the version that this look has made already."""
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
                return self._new_baseline(Case(look=look, page=page, current=current, sight=sight))
            baseline = rereading.article
            self._keep_rereading(look, page, current, baseline)
            current = replace(current, shown=baseline)
        case = Case(look=look, page=page, current=current, sight=sight, made=made)
        return self._apply(case, self._evidence.verdict(case, baseline))

    def _keep_rereading(
        self, look: PageLook, page: RowMapping, current: CurrentState, reading: ExtractedArticle
    ) -> None:
        """Keep what the extractor in use makes of the current version; a difference is announced, never an edit."""
        self._history.keep_reading(current.version_id, reading, kind="reread", read_at=look.fetch.finished_at)
        self._host.keep_text(page, reading, look.fetch.finished_at, of_version=True)
        self._history.touch(current, seen_at=current.last_checked_at, values=content_values(reading))
        if replace(reading, extractor=current.version.extractor) != current.version:
            self._announce(EventKind.REREAD, current, look.fetch.finished_at)

    def _announce(self, kind: EventKind, current: CurrentState, occurred_at: datetime) -> None:
        self._events.add(kind, article_id=current.article_id, version_id=current.version_id, occurred_at=occurred_at)

    def _new_baseline(self, case: Case) -> Recorded:
        """Compare from now on with the new reading, because the old capture cannot be read by this extractor."""
        current, sight, seen_at = case.current, case.sight, case.seen_at
        reason = self._evidence.known_as_other(case)
        if reason is not None:
            suspicion = Suspicion(continues=False, elsewhere=True)
            seen = current.known(current.version)
            verdict = Verdict(outcome=Outcome.SUSPECT, reason=reason, seen=seen, suspicion=suspicion)
            return self._suspect(case, verdict, suspicion)
        if sight.capture_id is None:
            # Nothing else would show what was compared with from now on.
            return case.needs_capture(Outcome.COSMETIC)
        self._restore(case)
        self._history.keep_reading(current.version_id, sight.reading, kind="baseline", read_at=seen_at)
        self._host.keep_text(case.page, sight.reading, sight.captured_at, of_version=True)
        self._history.touch(current, seen_at=seen_at, values=content_values(sight.reading))
        if replace(sight.reading, extractor=current.shown.extractor) != current.shown:
            self._announce(EventKind.REREAD, current, seen_at)
        values = crawl_state.article_read(case.look, sight.capture_id) | crawl_state.CLEAR_CANDIDATE
        recorded = _saw(current, Outcome.COSMETIC, reason="new_baseline")
        return self._finish(case.look, case.page, recorded, sight.capture_id, values)

    # What a verdict brings

    def _apply(self, case: Case, verdict: Verdict) -> Recorded:
        sight = case.sight
        if verdict.suspicion is not None:
            return self._suspect(case, verdict, verdict.suspicion)
        if verdict.outcome is Outcome.PAYWALLED:
            return self._paywalled(case, verdict)
        needs_capture = verdict.candidate or (verdict.change is not None and not verdict.from_candidate)
        if needs_capture and sight.capture_id is None:
            return case.needs_capture(verdict.outcome)
        restored = self._restore(case)
        if verdict.change is not None:
            return self._add_version(case, verdict, verdict.change)
        values = content_values(sight.reading) if verdict.refresh else {}
        values["opt_outs"] = _opt_outs(case)
        self._history.touch(case.current, seen_at=case.seen_at, values=values)
        if not verdict.candidate and not verdict.rotates:
            self._history.seen(verdict.seen.version_id, case.seen_at)
            if not self._host.has_text_of(case.page):
                self._host.keep_text(case.page, sight.reading, sight.captured_at, of_version=True)
        shown_by = self._captures.id_of_version(verdict.seen.version_id)
        values = self._validators(case.look, case.page, sight, otherwise=shown_by)
        values |= crawl_state.alternating(verdict.flapping)
        if verdict.candidate:
            values |= crawl_state.awaiting(case.page, sight.reading, sight.capture_id, sight.captured_at)
        elif verdict.rotates:
            values |= crawl_state.rotating(case.page)
        else:
            values |= crawl_state.CLEAR_CANDIDATE
        recorded = case.made or _without_version(case, verdict, restored=restored)
        return self._finish(case.look, case.page, recorded, case.kept_capture, values)

    def _restore(self, case: Case) -> bool:
        """Announce the return of an article that was gone, before what its text says now; False if it was not."""
        if not case.current.gone:
            return False
        self._history.set_gone(case.current.article_id, gone=False)
        self._announce(EventKind.RESTORED, case.current, case.seen_at)
        return True

    def _suspect(self, case: Case, verdict: Verdict, suspicion: Suspicion) -> Recorded:
        """Record a text that has to wait: no version was seen, and the article is as it was."""
        sight, page = case.sight, case.page
        candidate = crawl_state.candidate(page, seen_at=case.seen_at) if suspicion.continues else None
        shows_candidate = candidate is not None and same_state(candidate.article, sight.reading)
        capture_id = sight.capture_id
        if capture_id is None and candidate is not None and shows_candidate:
            capture_id = candidate.capture_id
        if capture_id is None:
            return case.needs_capture(verdict.outcome)
        self._host.keep_text(page, sight.reading, sight.captured_at)
        if candidate is None:
            values = crawl_state.suspected(
                page, sight.reading, capture_id, sight.captured_at, elsewhere=suspicion.elsewhere
            )
        else:
            values = crawl_state.suspected_again(candidate, elsewhere=suspicion.elsewhere)
        if verdict.outcome is Outcome.SUSPECT and (candidate is None or shows_candidate):
            belongs_to = capture_id if candidate is None else candidate.capture_id
            shown = replace(sight, capture_id=belongs_to)
            values |= self._validators(case.look, page, shown, otherwise=belongs_to)
        else:
            # No capture stands for what was seen here, so the next response is read whatever it is.
            values |= crawl_state.FORGET_CAPTURE
        return self._finish(case.look, page, case.made or case.refused(verdict), capture_id, values)

    def _paywalled(self, case: Case, verdict: Verdict) -> Recorded:
        """Record that only a part of the article was shown: its text stays as it was, but it is there."""
        if case.sight.capture_id is None and case.look.fetch.bytes_received < KEPT_WALL_BYTES:
            return case.needs_capture(verdict.outcome)
        self._restore(case)
        return self._finish(case.look, case.page, case.made or case.refused(verdict), case.sight.capture_id, {})

    def _add_version(self, case: Case, verdict: Verdict, change: str) -> Recorded:
        current, sight, page = case.current, case.sight, case.page
        candidate = crawl_state.candidate(page, seen_at=case.seen_at) if verdict.from_candidate else None
        reading = sight.reading if candidate is None else candidate.article
        capture_id = sight.capture_id if candidate is None else candidate.capture_id
        captured_at = sight.captured_at if candidate is None else candidate.captured_at
        if capture_id is None:
            raise ValueError("a version needs a capture")
        number = current.number + 1
        version_id = self._history.add_version(
            current.article_id,
            reading,
            number=number,
            change=change,
            reverts_to=verdict.reverts_to,
            capture_id=capture_id,
            captured_at=captured_at,
            seen_at=case.seen_at,
        )
        values = {"version_count": number, "current_number": number, **content_values(sight.reading)}
        values["opt_outs"] = _opt_outs(case)
        self._history.touch(current, seen_at=case.seen_at, values=values)
        self._host.keep_text(page, reading, captured_at, of_version=True)
        self._events.add(
            _EVENT_OF[verdict.outcome], article_id=current.article_id, version_id=version_id, occurred_at=captured_at
        )
        values = self._validators(case.look, page, sight, otherwise=capture_id) | crawl_state.CLEAR_CANDIDATE
        values |= crawl_state.alternating(None) | {"changes": page["changes"] + 1, "last_changed_at": captured_at}
        made = Recorded(
            outcome=verdict.outcome,
            reason=verdict.reason,
            article_id=current.article_id,
            version_id=version_id,
            version_number=number,
            change=change,
        )
        if candidate is not None and candidate.kind.suspect and not same_state(reading, sight.reading):
            return self._judge_edited(case, made, values)
        return self._finish(case.look, page, made, case.kept_capture, values)

    def _judge_edited(self, case: Case, made: Recorded, values: dict[str, Any]) -> Recorded:
        """Judge the look that confirmed a text once more: it shows that text edited since."""
        page_id = case.page["id"]
        self._identity.update(page_id, values)
        current = self._history.current(page_id)
        if current is None:
            raise LookupError(f"page {page_id} lost its article while it was judged")
        return self.judge(case.look, self._identity.lock(page_id), current, case.sight, made=made)

    def _validators(self, look: PageLook, page: RowMapping, sight: Sight, *, otherwise: int) -> dict[str, Any]:
        """Return the page's validators; they belong to the capture kept, `otherwise` to one that shows the same."""
        if not sight.again:
            return crawl_state.article_read(look, sight.capture_id or otherwise)
        capture_id = sight.capture_id or otherwise
        return crawl_state.seen_again(look, page, capture_id, self._captures.digest_of(capture_id))

    def not_traceable(self, look: PageLook, page: RowMapping, current: CurrentState) -> Recorded:
        """Record that an old capture was seen again of which we cannot tell what it means now.

        That happens when another process recorded something else meanwhile. The next request is unconditional, so that
        there is a body to judge.
        """
        outcome = decided_outcome(look)
        recorded = Recorded(outcome=outcome, reason="capture_superseded", article_id=current.article_id)
        return self._finish(look, page, recorded, None, crawl_state.FORGET_CAPTURE)

    # What every look leaves

    def _finish(
        self, look: PageLook, page: RowMapping, recorded: Recorded, capture_id: int | None, values: dict[str, Any]
    ) -> Recorded:
        """Record the fetch and the page's state, and return what they came to."""
        self.record_fetch(look, page, recorded, capture_id)
        state = crawl_state.after_fetch(page, recorded.outcome, look)
        self._identity.update(page["id"], state | values)
        return recorded

    def record_fetch(self, look: PageLook, page: RowMapping, recorded: Recorded, capture_id: int | None) -> None:
        """Record the fetch of a look with what it came to."""
        fetch = replace(look.fetch, outcome=recorded.outcome, reason=recorded.reason, page_id=page["id"])
        self._fetches.record(
            fetch, capture_id=capture_id, article_id=recorded.article_id, version_id=recorded.version_id
        )


def _opt_outs(case: Case) -> list[str]:
    """Return what the article's publisher reserves. A 304 has no markup, and takes nothing back that was said there."""
    without_markup = case.look.fetch.status == HTTPStatus.NOT_MODIFIED
    return list(dict.fromkeys((*(case.current.opt_outs if without_markup else ()), *case.look.opt_outs)))


def _without_version(case: Case, verdict: Verdict, *, restored: bool) -> Recorded:
    """Return what a look came to that saw a state that is known, or one that waits."""
    outcome, reason = verdict.outcome, verdict.reason
    if case.sight.again and outcome is Outcome.UNCHANGED:
        outcome, reason = decided_outcome(case.look), case.look.fetch.reason
    if restored:
        reason = verdict.reason or "restored"
    return _saw(case.current, outcome, reason=reason, seen=verdict.seen)


def _saw(current: CurrentState, outcome: Outcome, *, reason: str | None, seen: KnownState | None = None) -> Recorded:
    """Return what a look came to that made no version, but saw one: the current version if no other is named."""
    return Recorded(
        outcome=outcome,
        reason=reason,
        article_id=current.article_id,
        version_id=current.version_id if seen is None else seen.version_id,
        version_number=current.number if seen is None else seen.number,
    )
