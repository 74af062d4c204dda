"""Fields that are empty on one side: a passing fault of the page more often than an edit, so they wait."""

from dataclasses import replace

import pytest

from storage.outcomes import Outcome
from tests.contracts.news import CORRECTED, CUT, FERRY, UNSIGNED, minute, watch

BARE = replace(CORRECTED, standfirst=None, authors=())
"""State B, read when the standfirst and the authors happened to be missing."""


@pytest.fixture
def page(store):
    return watch(store)


def test_a_vanished_field_counts_only_after_a_second_look_and_is_dated_by_the_first(page):
    page.see(FERRY)
    assert page.see(UNSIGNED, keep=False).needs_capture
    first = page.see(UNSIGNED)
    assert (first.outcome, first.reason) == (Outcome.COSMETIC, "awaits_second_look")
    assert page.article().content == FERRY
    assert page.versions()[0].last_seen_at == minute(1)
    second = page.see(UNSIGNED, keep=False)
    assert (second.outcome, second.change, second.version_number) == (Outcome.UPDATED, "authors", 2)
    version = page.versions()[1]
    assert (version.captured_at, version.last_seen_at) == (minute(3), minute(4))
    assert version.article == UNSIGNED
    assert page.events() == ["created", "updated"]


def test_a_field_that_comes_back_at_once_leaves_nothing(page):
    page.see(FERRY)
    page.see(UNSIGNED)
    assert page.see(FERRY, keep=False).outcome is Outcome.UNCHANGED
    assert page.see(UNSIGNED).reason == "awaits_second_look"
    assert len(page.versions()) == 1


def test_another_vanished_field_begins_its_own_wait(page):
    page.see(FERRY)
    page.see(UNSIGNED)
    assert page.see(replace(FERRY, standfirst=None)).reason == "awaits_second_look"
    assert page.see(UNSIGNED).reason == "awaits_second_look"
    assert len(page.versions()) == 1


def test_the_bytes_of_a_waiting_reading_seen_again_are_its_second_look(page):
    page.see(FERRY)
    page.see(UNSIGNED)
    recorded = page.not_modified()
    assert (recorded.outcome, recorded.change) == (Outcome.UPDATED, "authors")
    assert page.versions()[1].captured_at == minute(2)
    assert page.not_modified().outcome is Outcome.NOT_MODIFIED
    assert len(page.versions()) == 2


def test_a_failure_between_two_looks_does_not_forget_the_first(page):
    page.see(FERRY)
    page.see(UNSIGNED)
    page.get(Outcome.TIMEOUT)
    assert page.see(UNSIGNED, keep=False).change == "authors"


# Together with an edit


def test_what_was_missing_once_beside_an_edit_is_not_named_and_makes_no_version_when_it_is_back(page):
    page.see(FERRY)
    recorded = page.see(BARE)
    assert (recorded.outcome, recorded.change) == (Outcome.UPDATED, "headline")
    assert page.versions()[1].article == BARE
    returned = page.see(CORRECTED, keep=False)
    assert (returned.outcome, returned.reason, returned.needs_capture) == (Outcome.COSMETIC, None, False)
    assert page.article().content == CORRECTED
    assert [page.see(state, keep=False).outcome for state in (CORRECTED, BARE, CORRECTED)] == [
        Outcome.UNCHANGED,
        Outcome.COSMETIC,
        Outcome.COSMETIC,
    ]
    assert [version.change for version in page.versions()] == ["created", "headline"]
    assert page.events() == ["created", "updated"]


def test_a_304_after_such_a_return_does_not_undo_it(page):
    page.see(FERRY)
    page.see(BARE)
    page.see(CORRECTED, keep=False)
    assert page.not_modified().outcome is Outcome.NOT_MODIFIED
    assert page.article().content == CORRECTED


def test_what_appeared_once_beside_an_edit_makes_no_version_when_it_is_gone(page):
    plain = replace(FERRY, standfirst=None)
    page.see(plain)
    assert page.see(replace(CORRECTED, standfirst="Most read now")).change == "headline"
    assert page.see(replace(CORRECTED, standfirst=None), keep=False).outcome is Outcome.COSMETIC
    assert len(page.versions()) == 2


def test_another_value_than_the_one_before_is_no_return(page):
    page.see(FERRY)
    page.see(BARE)
    other = replace(CORRECTED, standfirst="A second boat is to follow.")
    assert page.see(other).reason == "awaits_second_look"
    assert page.see(other).change == "standfirst"


def test_what_the_waiting_reading_showed_already_is_named_with_the_edit(page):
    page.see(FERRY)
    page.see(UNSIGNED)
    recorded = page.see(replace(BARE, byline=None))
    # The authors were missing twice, the standfirst once.
    assert (recorded.outcome, recorded.change) == (Outcome.UPDATED, "headline+authors")
    signed = replace(CORRECTED, standfirst=None)
    assert page.see(signed).reason == "awaits_second_look"
    assert page.see(signed).change == "authors"
    assert page.see(CORRECTED, keep=False).outcome is Outcome.COSMETIC


def test_a_loss_counts_though_an_earlier_version_happened_to_lack_the_field(page):
    page.see(FERRY)
    page.see(BARE)
    page.see(replace(CORRECTED, body=CUT.body))
    assert [version.change for version in page.versions()] == ["created", "headline", "body"]
    unsigned = replace(CORRECTED, body=CUT.body, authors=())
    assert page.see(unsigned).reason == "awaits_second_look"
    assert page.see(unsigned).change == "authors"


def test_an_earlier_state_comes_back_whole_and_names_what_that_brings(page):
    page.see(FERRY)
    page.see(UNSIGNED)
    page.see(UNSIGNED)
    page.see(replace(UNSIGNED, headline=CORRECTED.headline))
    recorded = page.see(FERRY)
    assert (recorded.outcome, recorded.change) == (Outcome.REVERTED, "headline+authors")
    # So that the authors count as settled, and losing them again is an edit.
    page.see(UNSIGNED)
    assert page.see(UNSIGNED).change == "authors"


# Something else at every look


def rotation(number):
    return replace(FERRY, standfirst=f"Most read now: story {number}")


def test_a_field_that_shows_something_else_at_every_look_is_waited_for_three_times(page, rows):
    page.see(replace(FERRY, standfirst=None))
    for number in range(3):
        assert page.see(rotation(number)).reason == "awaits_second_look"
    for number in range(3, 8):
        recorded = page.see(rotation(number), keep=False)
        assert (recorded.outcome, recorded.reason, recorded.needs_capture) == (Outcome.COSMETIC, "rotating", False)
    assert len(page.versions()) == 1
    assert page.versions()[0].last_seen_at == minute(1)
    assert rows("SELECT count(*) FROM captures") == [(4,)]
    with page.store.reading() as transaction:
        assert not transaction.page_plans.unplanned(10)[0].has_candidate
    # Nothing that was kept shows what stands there, so the next request is unconditional.
    state = page.state()
    assert (state.etag, state.body_digest, state.seen_capture_id) == (None, None, None)


def test_a_look_at_the_current_state_ends_the_rotation(page):
    plain = replace(FERRY, standfirst=None)
    page.see(plain)
    for number in range(4):
        page.see(rotation(number))
    assert page.see(plain, keep=False).outcome is Outcome.UNCHANGED
    assert page.see(rotation(9)).reason == "awaits_second_look"
    assert page.see(rotation(9), keep=False).change == "standfirst"


def test_an_edit_counts_while_a_field_rotates(page):
    page.see(replace(FERRY, standfirst=None))
    for number in range(5):
        page.see(rotation(number))
    assert page.see(replace(rotation(5), headline=CORRECTED.headline)).change == "headline"
