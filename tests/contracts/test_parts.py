"""The captures of an article's parts: which belong together, and under what digest they are compared."""

from dataclasses import replace

import pytest

from storage.outcomes import Outcome
from storage.part_digests import digest_of_parts
from storage.tables import capture_parts
from tests.contracts.news import CORRECTED, FERRY, kept, page_fetch, watch
from tests.contracts.test_suspects import LONG, WALL


def in_parts(page, article, *, at: float, parts: int = 2):
    """Return a look at an article with so many further parts."""
    look = page.look(article, at=at)
    names = [f"{page.page.page_id}-{at}-part-{number}" for number in range(2, parts + 2)]
    return replace(
        look,
        etag=None,
        last_modified=None,
        body_digest=digest_of_parts([look.capture.body_digest, *(f"sha256:{name}" for name in names)]),
        fetches_of_parts=tuple(
            page_fetch(name, at=at, outcome=Outcome.NOT_ARTICLE, reason="part_2", page_id=page.page.page_id)
            for name in names
        ),
        part_captures=tuple(kept(name, at=at, body_digest=f"sha256:{name}") for name in names),
    )


def test_a_version_knows_the_captures_of_all_its_parts_in_order(store):
    page = watch(store)
    look = in_parts(page, FERRY, at=1)
    recorded = page.record(look)
    assert recorded.outcome is Outcome.CREATED
    with store.reading() as transaction:
        captures = transaction.captures.of_version(recorded.version_id)
        assert [capture.record_id for capture in captures] == [
            look.capture.record_id,
            *(part.record_id for part in look.part_captures),
        ]
        assert transaction.versions.capture_of(recorded.version_id).record_id == look.capture.record_id
        assert transaction.captures.of_version(999) == []


def test_an_article_has_the_parts_of_its_current_version_whatever_was_seen_since(store):
    page = watch(store)
    page.record(in_parts(page, LONG, at=1))
    with store.reading() as transaction:
        assert transaction.captures.parts_of_article(page.state().article_id) == 2
        assert transaction.captures.parts_of_article(999) == 0
    # A notice that reads otherwise each time: the second look forgets what was seen.
    page.see(WALL, at=2)
    page.see(replace(WALL, body=f"{WALL.body} Your number is 4711."), at=3)
    with store.reading() as transaction:
        assert transaction.captures.parts_of_article(page.state().article_id) == 2
    page.record(in_parts(page, replace(LONG, headline="Another headline"), at=4, parts=1))
    with store.reading() as transaction:
        assert transaction.captures.parts_of_article(page.state().article_id) == 1


def test_every_attempt_at_a_part_leaves_its_row_with_its_capture(store, rows):
    page = watch(store)
    page.record(in_parts(page, FERRY, at=1))
    found = rows(
        "SELECT f.outcome, c.record_id = f.record_id FROM fetches f JOIN captures c ON c.id = f.capture_id "
        "ORDER BY f.id"
    )
    assert [(outcome, bool(same)) for outcome, same in found] == [
        ("not_article", True),
        ("not_article", True),
        ("created", True),
    ]


def test_recording_parts_twice_changes_nothing(store):
    page = watch(store)
    look = in_parts(page, FERRY, at=1)
    first = page.record(look)
    assert page.record(look).version_id == first.version_id
    with store.reading() as transaction:
        assert len(transaction.captures.of_version(first.version_id)) == 3


def test_the_digest_of_an_article_in_parts_is_that_of_all(store):
    page = watch(store)
    look = in_parts(page, FERRY, at=1)
    page.record(look)
    state = page.state()
    assert state.body_digest == look.body_digest != look.capture.body_digest
    assert state.etag is state.last_modified is None
    with store.reading() as transaction:
        assert transaction.captures.digest_of(state.seen_capture_id) == look.body_digest
        with pytest.raises(LookupError):
            transaction.captures.digest_of(999)
    seen = page.get(Outcome.UNCHANGED, at=2, same_as=state.seen_capture_id)
    assert seen.outcome is Outcome.UNCHANGED
    assert page.state().body_digest == look.body_digest


def test_parts_of_a_look_that_asks_for_its_capture_are_not_recorded(store):
    page = watch(store)
    page.record(in_parts(page, FERRY, at=1))
    asked = page.record(replace(in_parts(page, CORRECTED, at=2), capture=None, part_captures=()))
    assert asked.needs_capture
    with store.reading() as transaction:
        assert len(transaction.fetches.recent(10)) == 3
        assert len(transaction._connection.execute(capture_parts.select()).all()) == 2
    assert page.record(in_parts(page, CORRECTED, at=2)).outcome is Outcome.UPDATED


def test_one_part_has_its_own_digest_and_none_has_none():
    assert digest_of_parts(["sha256:a"]) == "sha256:a"
    assert digest_of_parts(["sha256:a", "sha256:b"]) != digest_of_parts(["sha256:b", "sha256:a"])
    with pytest.raises(ValueError, match="at least one"):
        digest_of_parts([])
