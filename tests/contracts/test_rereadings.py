"""Readings of different extractors are never compared with each other."""

from dataclasses import replace

import pytest

from storage.outcomes import Outcome
from storage.records import Rereading
from tests.contracts.news import CORRECTED, FERRY, UNSIGNED, watch

NEW = "reader-2"


def by_new(article):
    """Return the article as the new extractor reads it: with a shorter body, which is no edit."""
    return replace(article, extractor=NEW, body=article.body.replace("Its captain said that the", "The"))


@pytest.fixture
def page(store):
    page = watch(store)
    page.see(FERRY)
    return page


def reread(page, article, *, number=-1):
    return Rereading(version_id=page.versions()[number].version_id, extractor=NEW, article=article)


def test_another_extractor_asks_for_the_old_capture_to_be_read_first(page):
    before = page.state()
    recorded = page.see(by_new(FERRY))
    assert recorded.needs_rereading == page.versions()[0].version_id
    assert (len(page.versions()), page.events(), page.state()) == (1, ["created"], before)


def test_what_differs_by_extractor_alone_is_a_rereading_and_no_edit(page):
    recorded = page.see(by_new(FERRY), keep=False, rereading=reread(page, by_new(FERRY)))
    assert (recorded.outcome, recorded.version_number) == (Outcome.UNCHANGED, 1)
    (version,) = page.versions()
    assert version.article == FERRY
    assert page.article().content == by_new(FERRY)
    assert page.events() == ["created", "reread"]
    assert page.see(by_new(FERRY), keep=False).outcome is Outcome.UNCHANGED
    assert page.events() == ["created", "reread"]


def test_a_rereading_that_agrees_makes_no_event(page):
    same = replace(FERRY, extractor=NEW)
    assert page.see(same, keep=False, rereading=reread(page, same)).outcome is Outcome.UNCHANGED
    assert page.events() == ["created"]


def test_an_edit_is_found_between_two_readings_of_the_new_extractor(page):
    asked = page.see(by_new(CORRECTED), keep=False, rereading=reread(page, by_new(FERRY)))
    assert asked.needs_capture
    assert page.events() == ["created"]
    recorded = page.see(by_new(CORRECTED), rereading=reread(page, by_new(FERRY)))
    assert (recorded.outcome, recorded.change) == (Outcome.UPDATED, "headline")
    assert page.events() == ["created", "reread", "updated"]
    assert page.versions()[1].article == by_new(CORRECTED)


def test_a_return_is_known_from_the_rereading(page):
    page.see(by_new(CORRECTED), rereading=reread(page, by_new(FERRY)))
    recorded = page.see(by_new(FERRY))
    assert recorded.outcome is Outcome.REVERTED
    first, _, third = page.versions()
    assert third.reverts_to == first.version_id


def test_an_old_capture_that_cannot_be_read_makes_the_new_reading_the_baseline(page, rows):
    # Without its capture nothing would show the text that is compared with from then on.
    assert page.see(by_new(CORRECTED), keep=False, rereading=reread(page, None)).needs_capture
    assert rows("SELECT count(*) FROM extractions") == [(0,)]
    recorded = page.see(by_new(CORRECTED), rereading=reread(page, None))
    assert (recorded.outcome, recorded.reason) == (Outcome.COSMETIC, "new_baseline")
    kept = "SELECT c.record_id FROM fetches f JOIN captures c ON c.id = f.capture_id WHERE f.reason = 'new_baseline'"
    assert rows(kept) == [(page.looks[-1].capture.record_id,)]
    assert len(page.versions()) == 1
    assert page.see(by_new(CORRECTED), keep=False).outcome is Outcome.UNCHANGED
    assert page.see(by_new(FERRY)).change == "headline"
    assert rows("SELECT kind, extractor FROM extractions") == [("baseline", NEW)]


def test_a_rereading_of_another_version_is_not_taken(page):
    stale = reread(page, by_new(FERRY))
    page.see(CORRECTED)
    assert page.see(by_new(CORRECTED), rereading=stale).needs_rereading == page.versions()[1].version_id


def test_going_back_to_the_first_extractor_needs_no_rereading(page):
    page.see(by_new(FERRY), keep=False, rereading=reread(page, by_new(FERRY)))
    recorded = page.see(FERRY, keep=False)
    assert (recorded.outcome, recorded.needs_rereading) == (Outcome.UNCHANGED, None)
    assert page.article().content == FERRY


def test_a_304_needs_no_rereading(page):
    assert page.not_modified().outcome is Outcome.NOT_MODIFIED


def test_a_waiting_reading_of_the_old_extractor_does_not_confirm_one_of_the_new(page):
    page.see(UNSIGNED)
    recorded = page.see(by_new(UNSIGNED), rereading=reread(page, by_new(FERRY)))
    assert recorded.reason == "awaits_second_look"
    assert page.see(by_new(UNSIGNED)).change == "authors"
