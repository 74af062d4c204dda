"""What a fetch leaves in its page's row: outcome, failures, validators, a reading that waits. Pure."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from sqlalchemy import RowMapping

from storage.article_fields import reading_from_json, reading_json
from storage.judgement import Flapping, last_look
from storage.model import ExtractedArticle, NextReason
from storage.outcomes import ARTICLE_SEEN, KEEPS_VALIDATORS, LOOKS, Outcome, Trait, with_trait
from storage.records import Candidate, CandidateKind, Fetch, PageLook, kept_validators, proved_by

FOR_GOOD = frozenset({301, 308})
"""Statuses by which a server says that an address has moved for good (RFC 9110, 15.4); any other may end tomorrow."""
CHANGED = with_trait(Trait.OTHER_TEXT)
_ADDRESS_LOST = with_trait(Trait.ADDRESS_LOST)
_ADDRESS_ANSWERS = with_trait(Trait.ADDRESS_ANSWERS)
_FORGET_VALIDATORS = {"etag": None, "last_modified": None}
FORGET_CAPTURE = _FORGET_VALIDATORS | {"body_digest": None, "seen_capture_id": None, "seen_extractor": None}
CLEAR_CANDIDATE: dict[str, Any] = {
    "candidate": None,
    "candidate_kind": None,
    "candidate_capture_id": None,
    "candidate_captured_at": None,
    "candidate_looks": 0,
}


def after_fetch(page: RowMapping, outcome: Outcome, look: PageLook) -> dict[str, Any]:
    """Return the values that any recorded fetch gives its page. The plan is cleared: the planner makes another.

    A fetch that somebody asked for and that has not begun yet stays owed; and a page that somebody released stays so.
    """
    finished_at, now = look.fetch.finished_at, look.now
    failed = outcome not in LOOKS and outcome is not Outcome.REDIRECTED
    values: dict[str, Any] = {
        "last_outcome": outcome.value,
        "last_fetch_at": last_look(finished_at, page["last_fetch_at"], now=now),
        "next_fetch_at": page["requested_at"],
        "watch_ended": page["released_by"] is not None,
        "consecutive_failures": page["consecutive_failures"] + 1 if failed else 0,
        "looks": page["looks"] + (outcome in LOOKS),
    }
    if outcome in LOOKS:
        values["last_look_at"] = last_look(finished_at, page["last_look_at"], now=now)
    if page["next_fetch_at"] is not None and page["next_fetch_at"] > finished_at:
        # It was not due: somebody asked for it, and no rule pays for it.
        values["next_fetch_reason"] = NextReason.REQUESTED.value
    if outcome in _ADDRESS_LOST:
        # No later than now, even where a clock said so that was ahead.
        since = min(finished_at, page["missing_since"] or finished_at)
        values |= {"missing_since": since, "missing_looks": page["missing_looks"] + 1}
    elif outcome in _ADDRESS_ANSWERS:
        values |= {"missing_since": None, "missing_looks": 0}
    if outcome not in KEEPS_VALIDATORS:
        values |= _FORGET_VALIDATORS
    return values | _landed(page, outcome, look) | _validators_tried(page, outcome, look)


def _landed(page: RowMapping, outcome: Outcome, look: PageLook) -> dict[str, Any]:
    """Return where a look ended, and how many in a row were led there for good or asked there."""
    hops, landed = look.fetches_before, look.fetch.url
    if outcome not in KEEPS_VALIDATORS:
        # What moved may have moved back, so the next look asks at the page's own address.
        return {"moved_looks": 0}
    if landed == page["url"]:
        return {"landed_url": None, "moved_looks": 0}
    for_good = moved_for_good(hops) if hops else landed == page["landed_url"]
    before = page["moved_looks"] if landed == page["landed_url"] else 0
    # Unknown addresses may lead to the home page for good until there is an article.
    moved = for_good and outcome in ARTICLE_SEEN
    return {"landed_url": landed, "moved_looks": before + 1 if moved else 0}


def _validators_tried(page: RowMapping, outcome: Outcome, look: PageLook) -> dict[str, Any]:
    """Return what an answer tells of the validators that the page had (`storage.records.validators_hold`)."""
    if look.fetch.status == HTTPStatus.NOT_MODIFIED:
        return {"not_modified_looks": page["not_modified_looks"] + 1}
    if outcome not in KEEPS_VALIDATORS:
        return {}
    same = (look.etag, look.last_modified) == (page["etag"], page["last_modified"])
    proved = proved_by(
        proved=page["validators_proved"],
        not_modified=page["not_modified_looks"],
        same_validators=same,
        same=outcome is Outcome.UNCHANGED,
        changed=outcome in CHANGED,
    )
    return {"not_modified_looks": 0, "validators_proved": proved}


def moved_for_good(hops: Sequence[Fetch]) -> bool:
    """Say whether every hop that led to a page was a permanent redirect."""
    return all(hop.status in FOR_GOOD for hop in hops)


def after_late_look(page: RowMapping, *, refused: bool = False) -> dict[str, Any]:
    """Return the values that a look gives its page that was taken before the last one: nothing but another plan.

    Without that a page that was due would stay so, and be asked again and again, for as long as our clock is behind.
    `refused` says that it saw a state that is no version. Then the next request is unconditional: if that state still
    stands, it is seen again.
    """
    return {"next_fetch_at": page["requested_at"]} | (FORGET_CAPTURE if refused else {})


def not_an_article(look: PageLook) -> dict[str, Any]:
    """Return the validators that a page without an article gives: they belong to no capture."""
    return {
        "etag": look.etag,
        "last_modified": look.last_modified,
        "body_digest": look.body_digest,
        "seen_capture_id": None,
        "seen_extractor": look.extractor,
    }


def article_read(look: PageLook, capture_id: int) -> dict[str, Any]:
    """Return the validators of a response that was read, belonging to a capture that shows the same text."""
    return not_an_article(look) | {"seen_capture_id": capture_id}


def seen_again(look: PageLook, page: RowMapping, capture_id: int, body_digest: str) -> dict[str, Any]:
    """Return the validators after a 304 or the same bytes; a 304 need not repeat them."""
    same = capture_id == page["seen_capture_id"]
    is_304 = look.fetch.status == HTTPStatus.NOT_MODIFIED or look.fetch.outcome is Outcome.NOT_MODIFIED
    etag, last_modified = kept_validators(look, page) if same and is_304 else (look.etag, look.last_modified)
    return {
        "etag": etag,
        "last_modified": last_modified,
        "body_digest": page["body_digest"] if same else body_digest,
        "seen_capture_id": capture_id,
        "seen_extractor": page["seen_extractor"] if same else look.extractor,
    }


def candidate(page: RowMapping, *, seen_at: datetime | None = None) -> Candidate | None:
    """Return the reading that waits for another look, if there is one.

    `seen_at` is when the look was taken that is to be judged with it: a reading that claims to be later was dated by a
    clock that was ahead, and counts as taken then; a text that must stand for a day would stand for none until then.
    """
    if page["candidate"] is None:
        return None
    captured_at = page["candidate_captured_at"]
    return Candidate(
        article=reading_from_json(page["candidate"]),
        capture_id=page["candidate_capture_id"],
        captured_at=captured_at if seen_at is None else min(captured_at, seen_at),
        looks=page["candidate_looks"],
        kind=CandidateKind(page["candidate_kind"] or CandidateKind.SECOND_LOOK),
    )


def waited(page: RowMapping) -> int:
    """Return how many readings in a row have waited for a second look."""
    waiting = candidate(page)
    return 0 if waiting is not None and waiting.kind.suspect else int(page["candidate_looks"])


def awaiting(
    page: RowMapping, reading: ExtractedArticle, capture_id: int | None, captured_at: datetime
) -> dict[str, Any]:
    """Return the values of a page whose reading waits for a second look."""
    return {
        "candidate": reading_json(reading),
        "candidate_kind": CandidateKind.SECOND_LOOK.value,
        "candidate_capture_id": capture_id,
        "candidate_captured_at": captured_at,
        "candidate_looks": waited(page) + 1,
    }


def suspected(
    page: RowMapping, reading: ExtractedArticle, capture_id: int, captured_at: datetime, *, elsewhere: bool
) -> dict[str, Any]:
    """Return the values of a page that gives a suspect text for the first time.

    The page answered, so failures before it no longer count, and it is looked at again soon; unless it gives another
    suspect text at every look.
    """
    first = Candidate(article=reading, capture_id=capture_id, captured_at=captured_at, looks=0)
    before = candidate(page)
    rotates = before is not None and before.kind.suspect and before.looks == 1
    failures = page["consecutive_failures"] if rotates else 0
    return suspected_again(first, elsewhere=elsewhere) | {"consecutive_failures": failures + 1}


def suspected_again(first: Candidate, *, elsewhere: bool) -> dict[str, Any]:
    """Return the values of a page that gives a suspect text once more; it stays as it was read first."""
    kind = CandidateKind.ELSEWHERE if elsewhere else CandidateKind.SUSPECT
    return {
        "candidate": reading_json(first.article),
        "candidate_kind": kind.value,
        "candidate_capture_id": first.capture_id,
        "candidate_captured_at": first.captured_at,
        "candidate_looks": first.looks + 1,
    }


def rotating(page: RowMapping) -> dict[str, Any]:
    """Return the values of a page that shows something else at every look: nothing waits and nothing is compared with.

    That so many have waited is kept until a look shows the current state, or a version is written.
    """
    return FORGET_CAPTURE | CLEAR_CANDIDATE | {"candidate_looks": waited(page)}


def flapping(page: RowMapping) -> Flapping | None:
    """Return the alternation that the page is in, if it is in one."""
    if page["flapping_since"] is None:
        return None
    return Flapping(since=page["flapping_since"], number=page["flapping_number"], looks=page["flapping_looks"])


def alternating(state: Flapping | None) -> dict[str, Any]:
    """Return the values of a page in that alternation, or in none."""
    return {
        "flapping_since": None if state is None else state.since,
        "flapping_number": None if state is None else state.number,
        "flapping_looks": 0 if state is None else state.looks,
    }
