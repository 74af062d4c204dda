"""Where pages move, and validators that prove to be right or wrong, on both databases."""

from dataclasses import replace

import pytest

from storage.outcomes import Outcome
from storage.records import MOST_NOT_MODIFIED, MOVES_TO_BELIEVE
from tests.contracts.news import FERRY, entry, page_fetch, watch


@pytest.fixture
def page(store):
    return watch(store, "ferry")


EDITED = replace(FERRY, headline="Night ferry is late")


def moved(page, *statuses, at, reading=FERRY):
    before = tuple(
        page_fetch(f"hop-{at}-{number}", at=at, outcome=Outcome.REDIRECTED, status=status)
        for number, status in enumerate(statuses)
    )
    return page.record(page.look(reading, at=at, landed=entry("culture/ferry"), fetches_before=before))


def test_a_page_that_moved_for_good_is_asked_there_after_three_looks(page):
    page.see(FERRY)
    new = entry("culture/ferry").url
    for number in range(MOVES_TO_BELIEVE):
        assert page.state().asked_url == page.page.url
        moved(page, 301, 308, at=10 + number)
    state = page.state()
    assert (state.asked_url, state.url, state.landed_url) == (new, page.page.url, new)
    assert state.etag is not None
    assert page.article().url == page.page.url


@pytest.mark.parametrize("statuses", [(302,), (301, 302), (307,)])
def test_a_redirect_that_may_end_is_followed_each_time(page, statuses):
    page.see(FERRY)
    for number in range(MOVES_TO_BELIEVE + 1):
        moved(page, *statuses, at=10 + number)
    state = page.state()
    # Its validators are those of where it leads, to be sent there alone.
    assert (state.asked_url, state.landed_url) == (page.page.url, entry("culture/ferry").url)
    assert state.etag is not None


def test_what_moved_is_asked_at_its_old_address_when_the_new_one_fails(page):
    page.see(FERRY)
    for number in range(MOVES_TO_BELIEVE):
        moved(page, 301, at=10 + number)
    page.get(Outcome.MISSING, at=20)
    assert page.state().asked_url == page.page.url


def test_a_look_at_its_own_address_ends_a_move(page):
    page.see(FERRY)
    for number in range(MOVES_TO_BELIEVE):
        moved(page, 301, at=10 + number)
    page.see(FERRY)
    assert (page.state().asked_url, page.state().landed_url) == (page.page.url, None)


def test_validators_are_proved_by_a_whole_answer_after_one_304_then_after_two_and_four(page):
    page.see(FERRY)
    found = []
    for _ in range(12):
        state = page.state()
        found.append(state.is_conditional)
        if state.is_conditional:
            page.not_modified()
        else:
            same = {"etag": state.etag, "last_modified": state.last_modified, "body_digest": state.body_digest}
            page.get(Outcome.UNCHANGED, same_as=state.seen_capture_id, **same)
    assert found == [True, False, True, True, False, True, True, True, True, False, True, True]
    assert page.state().validators_proved == 3


def test_validators_that_stayed_the_same_while_the_text_changed_are_believed_no_more(page):
    page.see(FERRY)
    state = page.state()
    page.not_modified()
    look = replace(page.look(EDITED), etag=state.etag, last_modified=state.last_modified)
    assert page.record(look).outcome is Outcome.UPDATED
    assert not page.state().is_conditional
    assert page.state().validators_proved == -1


def test_validators_that_changed_with_the_text_are_believed(page):
    page.see(FERRY)
    page.not_modified()
    assert page.see(EDITED).outcome is Outcome.UPDATED
    assert page.state().is_conditional


@pytest.mark.parametrize(("etag", "kept"), [(None, True), ("same", True), ("gzip", True), ('"other"', False)])
def test_a_304_that_names_another_body_is_followed_by_a_whole_answer(page, etag, kept):
    page.see(FERRY)
    before = page.state()
    named = {"same": before.etag, "gzip": f'W/{before.etag[:-1]}-gzip"'}.get(etag, etag)
    page.get(Outcome.NOT_MODIFIED, same_as=before.seen_capture_id, etag=named)
    assert (page.state().etag is not None) is kept


def test_no_feed_or_page_is_asked_conditionally_for_ever():
    assert MOST_NOT_MODIFIED <= 16
