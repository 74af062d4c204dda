"""What a look at a page becomes: versions, candidates, reverts, flapping, late looks, replays, validators."""

from dataclasses import replace

import pytest

from storage.model import EXPLICIT_MARKUP, Access, ArticleStatus
from storage.outcomes import Outcome
from storage.records import PageLook
from tests.contracts.news import (
    CORRECTED,
    CUT,
    EXTRACTOR,
    FERRY,
    NOON,
    UNSIGNED,
    kept,
    minute,
    page_fetch,
    watch,
)

VALIDATORS = ("etag", "last_modified", "body_digest", "seen_capture_id", "seen_extractor")
DAY = 24 * 60
"""In minutes."""


@pytest.fixture
def page(store):
    return watch(store)


# First looks


def test_a_first_reading_needs_its_capture_and_writes_nothing_without(page):
    recorded = page.see(FERRY, keep=False)
    assert (recorded.outcome, recorded.needs_capture) == (Outcome.CREATED, True)
    assert page.article() is None
    assert page.state().last_outcome is None
    with page.store.reading() as transaction:
        assert transaction.fetches.recent(10) == []


def test_a_first_reading_creates_the_article_with_every_field(page):
    recorded = page.see(FERRY, at=3)
    assert recorded.outcome is Outcome.CREATED
    assert (recorded.version_number, recorded.change, recorded.needs_capture) == (1, "created", False)
    article = page.article()
    assert article.content == FERRY
    assert (article.article_id, article.version_id) == (recorded.article_id, recorded.version_id)
    assert (article.url, article.source_slug) == ("http://paper.example/ferry", "paper.example")
    assert (article.first_seen_at, article.last_checked_at) == (minute(3), minute(3))
    assert article.status is ArticleStatus.LIVE
    (version,) = page.versions()
    assert (version.number, version.change, version.article) == (1, "created", FERRY)
    assert (version.warc_file, version.warc_offset) == ("morgue-1.warc.gz", 3000)
    assert version.content_digest.startswith("1:")
    assert page.events() == ["created"]


def test_a_look_clears_the_plan_and_counts(page):
    assert page.state().next_fetch_at == NOON
    page.see(FERRY)
    page.see(CORRECTED)
    state = page.state()
    assert state.next_fetch_at is None
    assert state.last_fetch_at == minute(2)
    assert state.article_id == page.article().article_id
    with page.store.reading() as transaction:
        (history,) = transaction.page_plans.unplanned(10)
    assert (history.looks, history.changes, history.last_changed_at) == (2, 1, minute(2))
    assert history.published_at == FERRY.published.instant


# Edits


def test_an_edit_needs_its_capture_and_makes_a_version(page):
    page.see(FERRY)
    assert page.see(CORRECTED, keep=False).needs_capture
    recorded = page.see(CORRECTED)
    assert (recorded.outcome, recorded.change, recorded.version_number) == (Outcome.UPDATED, "headline", 2)
    first, second = page.versions()
    assert (first.article, second.article) == (FERRY, CORRECTED)
    assert second.reverts_to is None
    assert page.article().content == CORRECTED
    assert page.article().version_count == 2
    assert page.events() == ["created", "updated"]


def test_the_same_text_is_unchanged_and_only_seen_later(page):
    page.see(FERRY)
    recorded = page.see(FERRY, keep=False)
    assert (recorded.outcome, recorded.version_number, recorded.needs_capture) == (Outcome.UNCHANGED, 1, False)
    (version,) = page.versions()
    assert (version.captured_at, version.last_seen_at) == (minute(1), minute(2))
    assert page.article().last_checked_at == minute(2)
    assert page.events() == ["created"]


def test_what_makes_no_version_updates_the_article_alone(page):
    page.see(FERRY)
    moved = replace(FERRY, section="Travel", access=Access.FREE, image_caption="The boat, at dawn")
    recorded = page.see(moved, keep=False)
    assert (recorded.outcome, recorded.needs_capture) == (Outcome.COSMETIC, False)
    assert page.article().content == moved
    (version,) = page.versions()
    assert version.article == FERRY
    assert page.events() == ["created"]


def test_what_was_told_as_cosmetic_once_is_unchanged_the_next_time(page):
    page.see(FERRY)
    moved = replace(FERRY, section="Travel")
    assert page.see(moved, keep=False).outcome is Outcome.COSMETIC
    assert page.see(moved, keep=False).outcome is Outcome.UNCHANGED
    assert page.see(FERRY, keep=False).outcome is Outcome.COSMETIC
    assert page.article().content == FERRY


def test_a_304_does_not_undo_what_changed_around_the_text(page):
    page.see(FERRY)
    moved = replace(FERRY, section="Travel")
    page.see(moved, keep=False)
    assert page.not_modified().outcome is Outcome.NOT_MODIFIED
    assert page.article().content == moved


def test_a_cosmetic_capture_that_was_kept_becomes_the_one_that_validators_belong_to(page):
    page.see(FERRY)
    page.see(replace(FERRY, section="Travel"), keep=True)
    state = page.state()
    with page.store.reading() as transaction:
        assert transaction.captures.by_id(state.seen_capture_id).capture.captured_at == minute(2)
    recorded = page.not_modified()
    assert (recorded.outcome, recorded.version_number) == (Outcome.NOT_MODIFIED, 1)
    assert page.versions()[0].last_seen_at == minute(3)


# States that come back


def test_a_state_that_was_there_before_is_reverted_to(page):
    page.see(FERRY)
    page.see(CORRECTED)
    assert page.see(FERRY, keep=False).needs_capture
    recorded = page.see(FERRY)
    assert (recorded.outcome, recorded.change, recorded.version_number) == (Outcome.REVERTED, "headline", 3)
    first, _, third = page.versions()
    assert third.reverts_to == first.version_id
    assert third.content_digest == first.content_digest
    assert page.events() == ["created", "updated", "reverted"]


def test_a_date_that_differs_is_no_return_though_the_digest_is_equal(page):
    assert FERRY.published.found_in in EXPLICIT_MARKUP
    later = replace(FERRY.published, instant=minute(0), local="2026-03-02T13:00:00+01:00")
    page.see(FERRY)
    page.see(CORRECTED)
    recorded = page.see(replace(FERRY, published=later))
    assert (recorded.outcome, recorded.change) == (Outcome.UPDATED, "headline+date")


def test_an_alternating_page_makes_no_more_versions_or_events(page):
    page.see(FERRY)
    page.see(CORRECTED)
    page.see(FERRY)
    for state in (CORRECTED, FERRY, CORRECTED, CORRECTED, FERRY, CORRECTED):
        recorded = page.see(state, keep=False)
        assert not recorded.needs_capture
        if state is CORRECTED:
            assert (recorded.outcome, recorded.reason, recorded.change) == (Outcome.REVERTED, "flapping", None)
        else:
            assert recorded.outcome is Outcome.UNCHANGED
    assert len(page.versions()) == 3
    assert page.events() == ["created", "updated", "reverted"]
    assert page.article().content == FERRY


def test_an_alternating_page_settles_on_a_state_seen_three_times_in_a_row(page):
    page.see(FERRY)
    page.see(CORRECTED)
    page.see(FERRY)
    assert [page.see(CORRECTED, keep=False).reason for _ in range(2)] == ["flapping", "flapping"]
    assert page.see(CORRECTED, keep=False).needs_capture
    recorded = page.see(CORRECTED)
    assert (recorded.outcome, recorded.reason, recorded.version_number) == (Outcome.REVERTED, None, 4)
    assert page.versions()[3].reverts_to == page.versions()[1].version_id
    assert page.see(CORRECTED, keep=False).outcome is Outcome.UNCHANGED
    assert page.see(FERRY, keep=False).reason == "flapping"


def test_an_alternation_ends_with_a_third_state(page):
    page.see(FERRY)
    page.see(CORRECTED)
    page.see(FERRY)
    page.see(CORRECTED, keep=False)
    recorded = page.see(CUT)
    assert (recorded.outcome, recorded.version_number, recorded.reason) == (Outcome.UPDATED, 4, None)
    assert page.see(CORRECTED).outcome is Outcome.REVERTED
    assert len(page.versions()) == 5


def test_an_alternation_ends_when_the_current_state_stays(page, rows):
    page.see(FERRY)
    page.see(CORRECTED)
    page.see(FERRY)
    page.see(CORRECTED, keep=False)
    for _ in range(3):
        page.see(FERRY, keep=False)
    assert rows("SELECT flapping_since FROM pages") == [(None,)]


def test_a_304_while_flapping_speaks_of_the_state_that_was_seen_last(page):
    page.see(FERRY)
    page.see(CORRECTED)
    page.see(FERRY)
    assert page.see(CORRECTED, keep=False).reason == "flapping"
    second = page.not_modified()
    assert (second.outcome, second.reason, second.version_number) == (Outcome.REVERTED, "flapping", 2)
    third = page.not_modified()
    assert (third.outcome, third.reason, third.version_number) == (Outcome.REVERTED, None, 4)
    fourth = page.versions()[3]
    assert fourth.captured_at == minute(6)
    assert fourth.capture_id == page.versions()[1].capture_id


def test_a_304_of_a_capture_that_was_kept_while_flapping_speaks_of_that_state_too(page):
    page.see(FERRY)
    page.see(CORRECTED)
    page.see(FERRY)
    assert page.see(CORRECTED).reason == "flapping"
    seen = page.state().seen_capture_id
    assert seen not in {version.capture_id for version in page.versions()}
    second = page.not_modified()
    assert (second.outcome, second.reason, second.version_number) == (Outcome.REVERTED, "flapping", 2)
    assert page.versions()[2].last_seen_at == minute(3)
    third = page.not_modified()
    assert (third.outcome, third.reason, third.version_number) == (Outcome.REVERTED, None, 4)
    assert (page.article().content, page.versions()[3].capture_id) == (CORRECTED, seen)
    assert page.not_modified().outcome is Outcome.NOT_MODIFIED


# Looks that come late or twice


def test_an_older_capture_that_arrives_late_never_becomes_current(page):
    page.see(FERRY, at=1)
    page.see(CORRECTED, at=10)
    before = replace(page.state(), **dict.fromkeys(VALIDATORS))
    recorded = page.see(CUT, at=5)
    assert (recorded.outcome, recorded.reason, recorded.version_number) == (Outcome.COSMETIC, "late", None)
    assert len(page.versions()) == 2
    assert page.article().content == CORRECTED
    assert page.article().last_checked_at == minute(10)
    assert page.state() == before
    assert page.record(page.looks[-1]) == recorded
    with page.store.reading() as transaction:
        assert len(transaction.fetches.recent(10)) == 3


def test_a_text_that_arrives_late_and_is_no_version_is_kept_as_a_capture(page, rows):
    page.see(FERRY, at=1)
    page.see(CORRECTED, at=10)
    assert page.see(CUT, at=5, keep=False).needs_capture
    page.see(CUT, at=5)
    late = "SELECT f.outcome, c.record_id FROM fetches f JOIN captures c ON c.id = f.capture_id WHERE f.reason = 'late'"
    assert rows(late) == [("cosmetic", page.looks[-1].capture.record_id)]


@pytest.mark.parametrize(("state", "number"), [(FERRY, 1), (CORRECTED, 2)])
def test_a_known_state_that_arrives_late_is_unchanged_and_needs_no_capture(page, state, number):
    page.see(FERRY, at=1)
    page.see(CORRECTED, at=10)
    recorded = page.see(state, at=5, keep=False)
    assert (recorded.outcome, recorded.reason, recorded.version_number) == (Outcome.UNCHANGED, "late", number)
    assert page.record(page.looks[-1]) == recorded


def test_a_304_that_arrives_late_speaks_of_the_version_whose_capture_was_seen(page):
    page.see(FERRY, at=1)
    first = page.state().seen_capture_id
    page.see(CORRECTED, at=10)
    recorded = page.get(Outcome.NOT_MODIFIED, at=5, same_as=first)
    assert (recorded.outcome, recorded.reason, recorded.version_number) == (Outcome.NOT_MODIFIED, "late", 1)
    assert len(page.versions()) == 2


def test_a_clock_that_was_ahead_once_does_not_silence_the_article(page):
    page.see(FERRY, at=365 * DAY)
    recorded = page.see(CORRECTED, at=1)
    assert (recorded.outcome, recorded.version_number) == (Outcome.UPDATED, 2)
    assert page.article().last_checked_at == page.state().last_fetch_at == minute(1)
    # From then on the right clock decides what is late.
    assert page.see(CUT, at=0.5).reason == "late"
    assert page.see(FERRY, at=3).outcome is Outcome.REVERTED


def test_a_failure_after_a_clock_that_was_ahead_is_the_last_fetch(page):
    page.see(FERRY, at=365 * DAY)
    page.get(Outcome.TIMEOUT, at=1)
    assert (page.state().last_outcome, page.state().last_fetch_at) == (Outcome.TIMEOUT, minute(1))


def test_a_day_is_the_most_that_a_look_may_be_late(page):
    page.see(FERRY, at=DAY + 1)
    assert page.see(CORRECTED, at=1).reason == "late"
    assert page.see(CORRECTED, at=0.9).outcome is Outcome.UPDATED


@pytest.mark.parametrize("ahead", [60, DAY], ids=["an-hour", "a-day"])
def test_edits_after_the_clock_was_set_back_make_versions(page, ahead):
    page.see(FERRY, at=1)
    page.see(CORRECTED, at=2 + ahead)
    page.set_clock_back()
    recorded = page.see(CUT, at=3)
    assert (recorded.outcome, recorded.reason, recorded.version_number) == (Outcome.UPDATED, None, 3)
    assert page.article().content == CUT
    assert page.article().last_checked_at == page.state().last_fetch_at == minute(3)
    assert page.see(FERRY, at=4).outcome is Outcome.REVERTED
    # Each says when its capture was taken by the clock of then, and the numbers are the order.
    assert [version.captured_at for version in page.versions()] == [minute(1), minute(2 + ahead), minute(3), minute(4)]
    assert page.events() == ["created", "updated", "updated", "reverted"]
    # The clock is right again, and decides what is late.
    assert page.see(CUT, at=3.5).reason == "late"
    assert page.article().content == FERRY


def test_a_failure_after_the_clock_was_set_back_is_the_last_fetch(page):
    page.see(FERRY, at=60)
    page.set_clock_back()
    page.get(Outcome.TIMEOUT, at=1)
    assert (page.state().last_outcome, page.state().last_fetch_at) == (Outcome.TIMEOUT, minute(1))


def test_a_look_by_a_clock_that_is_ahead_too_still_comes_late(page):
    page.see(FERRY, at=1)
    page.see(CORRECTED, at=70)
    late = replace(page.look(CUT, at=65), recorded_at=minute(5))
    assert page.record(late).reason == "late"


def test_clocks_of_two_machines_that_differ_a_little_do_not_undo_the_order(page):
    page.see(FERRY, at=1)
    page.see(CORRECTED, at=10)
    page.set_clock_back()
    assert page.see(CUT, at=9.5).reason == "late"


def test_what_was_refused_as_late_is_asked_for_without_conditions(page):
    page.see(FERRY, at=1)
    page.see(CORRECTED, at=10)
    page.see(FERRY, at=4, keep=False)
    assert page.state().etag is not None
    page.see(CUT, at=5)
    state = page.state()
    assert (state.etag, state.last_modified, state.body_digest, state.seen_capture_id) == (None, None, None, None)
    # And where it stands still, it is a version.
    assert page.see(CUT, at=11).outcome is Outcome.UPDATED


def test_recording_the_same_fetch_again_changes_nothing(page):
    for state in (FERRY, FERRY, CORRECTED, UNSIGNED, FERRY, CORRECTED):
        page.see(state)
    page.get(Outcome.MISSING)
    looks = list(page.looks)
    before = (page.state(), page.article(), page.versions(), page.events())
    first = [(look.fetch.record_id, page.record(look)) for look in looks]
    second = [(look.fetch.record_id, page.record(look)) for look in looks]
    assert first == second
    assert (page.state(), page.article(), page.versions(), page.events()) == before
    with page.store.reading() as transaction:
        assert len(transaction.fetches.recent(100)) == len(looks)


def test_a_replayed_look_is_answered_as_it_was(page):
    answers = [page.see(state) for state in (FERRY, CORRECTED, FERRY, CORRECTED, CUT)]
    answers.append(page.get(Outcome.BLOCKED_STATUS))
    assert [page.record(look) for look in list(page.looks)] == answers


# Outcomes decided before


def test_a_304_is_a_further_sighting_of_the_capture(page):
    page.see(FERRY)
    before = page.state()
    recorded = page.not_modified()
    assert (recorded.outcome, recorded.version_number) == (Outcome.NOT_MODIFIED, 1)
    assert page.versions()[0].last_seen_at == minute(2)
    assert page.article().last_checked_at == minute(2)
    after = page.state()
    assert (after.etag, after.body_digest, after.seen_capture_id) == (
        before.etag,
        before.body_digest,
        before.seen_capture_id,
    )


def test_the_same_bytes_are_unchanged_and_bring_new_validators(page):
    page.see(FERRY)
    seen = page.state().seen_capture_id
    recorded = page.get(Outcome.UNCHANGED, same_as=seen, etag='"new"', body_digest=page.state().body_digest)
    assert recorded.outcome is Outcome.UNCHANGED
    assert (page.state().etag, page.state().seen_capture_id) == ('"new"', seen)


def test_a_superseded_capture_seen_again_makes_the_next_request_unconditional(page):
    page.see(FERRY)
    old = page.state().seen_capture_id
    page.see(CORRECTED)
    recorded = page.get(Outcome.NOT_MODIFIED, same_as=old)
    # The old state is there again: no body is needed to know which.
    assert (recorded.outcome, recorded.version_number) == (Outcome.REVERTED, 3)
    with page.store.writing() as transaction:
        stray = transaction.captures.keep(kept("stray", at=9))
    recorded = page.get(Outcome.NOT_MODIFIED, same_as=stray)
    assert (recorded.outcome, recorded.reason) == (Outcome.NOT_MODIFIED, "capture_superseded")
    assert (page.state().etag, page.state().seen_capture_id, page.state().body_digest) == (None, None, None)


@pytest.mark.parametrize(
    "outcome",
    [Outcome.TIMEOUT, Outcome.BLOCKED_STATUS, Outcome.MISSING, Outcome.EXTRACT_FAILED, Outcome.PAYWALLED],
)
def test_a_failure_counts_and_makes_the_next_request_unconditional(page, outcome):
    page.see(FERRY)
    before = page.state()
    recorded = page.get(outcome)
    assert (recorded.outcome, recorded.article_id) == (outcome, page.article().article_id)
    page.get(outcome)
    state = page.state()
    assert (state.etag, state.last_modified, state.consecutive_failures) == (None, None, 2)
    assert (state.body_digest, state.seen_capture_id) == (before.body_digest, before.seen_capture_id)
    assert (state.last_outcome, state.next_fetch_at) == (outcome, None)
    assert page.article().last_checked_at == minute(1)
    page.see(FERRY, keep=False)
    assert page.state().consecutive_failures == 0
    assert page.state().etag is not None


def test_a_page_without_an_article_gives_validators_that_belong_to_no_capture(page):
    page.get(Outcome.NOT_ARTICLE, etag='"list"', body_digest="sha256:list")
    state = page.state()
    assert (state.etag, state.body_digest, state.seen_capture_id) == ('"list"', "sha256:list", None)
    assert (state.seen_extractor, state.consecutive_failures) == (EXTRACTOR, 0)
    assert page.not_modified().outcome is Outcome.NOT_MODIFIED
    assert (page.state().etag, page.article()) == ('"list"', None)


def test_a_wall_that_was_kept_is_linked_with_its_fetch(page, rows):
    page.get(Outcome.PAYWALLED, capture=kept("wall", at=1))
    with page.store.reading() as transaction:
        assert [stored.capture.record_id for stored in transaction.captures.all()] == ["urn:uuid:wall"]
    assert rows("SELECT outcome, warc_file FROM fetches_v1") == [("paywalled", "morgue-1.warc.gz")]


def test_a_look_without_outcome_and_reading_is_refused(page):
    fetch = page_fetch("broken", at=1)
    with pytest.raises(ValueError, match="neither an outcome nor a reading"):
        page.record(PageLook(page_id=page.page.page_id, fetch=fetch, extractor=EXTRACTOR))
