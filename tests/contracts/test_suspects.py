"""Texts that differ so much from the article's that they have to wait: walls, notices, rewritten stories."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.engine import WRITES, create_engine
from storage.model import Access
from storage.outcomes import Outcome
from storage.records import CrawlScope, Rereading
from tests.contracts.news import CORRECTED, FERRY, NOON, UNSIGNED, Watcher, entry, minute, watch

HOUR = 60
DAY = 24 * HOUR
LONG = replace(
    FERRY,
    access=Access.UNKNOWN,
    body="\n\n".join(
        f"Boat {number} took {number * 3} cars and the mail of island {number} across at hour {number}."
        for number in range(14)
    ),
)
"""The story at length."""
REWRITTEN = replace(
    LONG,
    headline="Ferries sail again",
    body="\n\n".join(
        f"After storm {number}, harbour {number} opens with a band and {number} flags." for number in range(9)
    ),
)
"""Another text by the same newsroom under the same address, which its canonical link names."""
WALL = replace(
    FERRY,
    access=Access.UNKNOWN,
    headline="Before you go on",
    standfirst=None,
    authors=(),
    byline=None,
    body="We and our partners store cookies.\n\nPlease agree to all of this, or manage what you allow us to do.",
    canonical_url=None,
    published=None,
)
"""Somebody's notice: it names no article."""


@pytest.fixture
def page(store):
    return watch(store)


def suspects(rows):
    return rows("SELECT candidate_kind, candidate_looks FROM pages ORDER BY id")


# What a suspect is


def test_another_text_is_suspect_and_changes_nothing_of_the_article(page, rows):
    page.see(LONG)
    before = (page.article(), page.versions())
    assert page.see(WALL, keep=False).needs_capture
    recorded = page.see(WALL)
    assert (recorded.outcome, recorded.reason, recorded.version_id) == (Outcome.SUSPECT, "other_text", None)
    assert recorded.article_id == before[0].article_id
    assert (page.article(), page.versions()) == before
    assert page.events() == ["created"]
    assert rows("SELECT outcome, reason, warc_file FROM fetches_v1 ORDER BY fetch_id DESC LIMIT 1") == [
        ("suspect", "other_text", "morgue-1.warc.gz")
    ]
    assert page.record(page.looks[-1]) == recorded


def test_a_suspect_is_no_look_but_gives_validators(page):
    page.see(LONG)
    page.see(WALL)
    state = page.state()
    assert (state.etag, state.last_outcome, state.consecutive_failures) == ('"1-2"', Outcome.SUSPECT, 1)
    with page.store.reading() as transaction:
        (history,) = transaction.page_plans.unplanned(10)
        assert transaction.captures.by_id(state.seen_capture_id).capture.captured_at == minute(2)
    assert (history.looks, history.changes, history.suspect_looks, history.has_candidate) == (1, 0, 1, False)


def test_a_text_that_lost_more_than_half_is_suspect(page):
    page.see(LONG)
    half = LONG.body.split("\n\n")
    assert page.see(replace(LONG, body="\n\n".join(half[:8]))).outcome is Outcome.UPDATED
    recorded = page.see(replace(LONG, body=half[0]))
    assert (recorded.outcome, recorded.reason) == (Outcome.SUSPECT, "cut")


def test_growth_and_live_blogs_are_never_suspect(page):
    page.see(replace(LONG, body=LONG.body.split("\n\n")[0]))
    assert page.see(LONG).change == "body"
    live = page.look(replace(LONG, body=REWRITTEN.body), live_blog=True)
    assert page.record(live).change == "body"


def test_a_text_that_was_there_before_is_reverted_to_and_no_suspect(page):
    page.see(LONG)
    for _ in range(3):
        page.see(REWRITTEN)
    recorded = page.see(LONG)
    assert (recorded.outcome, recorded.version_number) == (Outcome.REVERTED, 3)


# What confirms one


def test_a_rewritten_story_that_names_itself_is_a_version_after_two_later_looks_dated_by_the_first(page, rows):
    page.see(LONG)
    assert page.see(REWRITTEN).outcome is Outcome.SUSPECT
    assert page.see(REWRITTEN, keep=False).outcome is Outcome.SUSPECT
    recorded = page.see(REWRITTEN, keep=False)
    assert (recorded.outcome, recorded.change, recorded.version_number) == (Outcome.UPDATED, "headline+body", 2)
    version = page.versions()[1]
    assert (version.article, version.captured_at, version.last_seen_at) == (REWRITTEN, minute(2), minute(4))
    assert page.article().content == REWRITTEN
    assert page.events() == ["created", "updated"]
    assert suspects(rows) == [(None, 0)]
    assert page.see(REWRITTEN, keep=False).outcome is Outcome.UNCHANGED


@pytest.mark.parametrize(
    "name",
    [
        {"canonical_url": "https://www.paper.example/ferry/"},
        {"headline": LONG.headline},
        {"body": f"{REWRITTEN.body}\n\n{LONG.body.split(chr(10))[0]}"},
    ],
)
def test_each_way_of_naming_itself_confirms(page, name):
    page.see(LONG)
    text = replace(REWRITTEN, canonical_url=None) if "canonical_url" not in name else REWRITTEN
    assert [page.see(replace(text, **name)).outcome for _ in range(3)][-1] is Outcome.UPDATED


def test_a_text_that_names_no_article_needs_three_looks_over_a_day(page):
    page.see(LONG)
    for at in (10, 12, 22, 82, 10 + DAY - 1):
        assert page.see(WALL, at=at).outcome is Outcome.SUSPECT
    recorded = page.see(WALL, at=10 + DAY, keep=False)
    assert (recorded.outcome, page.versions()[1].captured_at) == (Outcome.UPDATED, minute(10))


def test_a_text_that_a_clock_far_ahead_saw_first_stands_since_it_was_seen_when_that_was_set_right(page):
    page.see(LONG, at=1)
    page.see(WALL, at=400 * DAY)
    page.set_clock_back()
    for at in (60, 70, 130):
        assert page.see(WALL, at=at).outcome is Outcome.SUSPECT
    assert page.see(WALL, at=60 + DAY, keep=False).outcome is Outcome.UPDATED
    versions = page.versions()
    assert [version.captured_at for version in versions] == [minute(1), minute(60)]


def test_a_reading_that_a_clock_far_ahead_took_is_confirmed_and_dated_when_that_was_set_right(page):
    page.see(FERRY, at=1)
    assert page.see(UNSIGNED, at=400 * DAY).reason == "awaits_second_look"
    page.set_clock_back()
    assert page.see(UNSIGNED, at=60).outcome is Outcome.UPDATED
    assert page.versions()[-1].captured_at == minute(60)


def test_two_looks_a_day_apart_are_too_few(page):
    page.see(LONG)
    page.see(WALL, at=10)
    assert page.see(WALL, at=10 + 2 * DAY).outcome is Outcome.SUSPECT
    assert page.see(WALL, at=11 + 2 * DAY, keep=False).outcome is Outcome.UPDATED


def test_304_and_the_same_bytes_are_further_looks_at_a_suspect(page, rows):
    page.see(LONG)
    page.see(REWRITTEN)
    seen = page.state().seen_capture_id
    second = page.not_modified()
    assert (second.outcome, second.reason, suspects(rows)) == (Outcome.SUSPECT, "other_text", [("suspect", 2)])
    assert page.state().seen_capture_id == seen
    third = page.get(Outcome.UNCHANGED, same_as=seen, body_digest=page.state().body_digest)
    assert (third.outcome, third.change) == (Outcome.UPDATED, "headline+body")
    assert page.not_modified().outcome is Outcome.NOT_MODIFIED
    assert len(page.versions()) == 2


def test_a_look_at_the_old_text_refutes_a_suspect(page, rows):
    page.see(LONG)
    page.see(REWRITTEN)
    page.see(REWRITTEN)
    assert page.see(LONG, keep=False).outcome is Outcome.UNCHANGED
    assert suspects(rows) == [(None, 0)]
    assert [page.see(REWRITTEN).outcome for _ in range(2)] == [Outcome.SUSPECT, Outcome.SUSPECT]
    assert len(page.versions()) == 1


def test_an_edit_of_the_old_text_refutes_a_suspect_too(page, rows):
    page.see(LONG)
    page.see(REWRITTEN)
    assert page.see(replace(LONG, headline=CORRECTED.headline)).change == "headline"
    assert suspects(rows) == [(None, 0)]


def test_a_failure_between_the_looks_does_not_forget_the_first(page):
    page.see(LONG)
    page.see(REWRITTEN)
    page.get(Outcome.TIMEOUT)
    page.see(REWRITTEN)
    page.get(Outcome.BOT_CHECK)
    assert page.see(REWRITTEN).outcome is Outcome.UPDATED


def test_another_suspect_text_begins_anew(page, rows):
    page.see(LONG)
    page.see(REWRITTEN)
    page.see(REWRITTEN)
    assert page.see(WALL).outcome is Outcome.SUSPECT
    assert suspects(rows) == [("suspect", 1)]
    assert [page.see(REWRITTEN).outcome for _ in range(3)][-1] is Outcome.UPDATED


def test_what_was_edited_while_the_text_was_suspect_is_a_version_of_its_own(page, rows):
    page.see(LONG)
    page.see(REWRITTEN)
    edited = replace(REWRITTEN, body=REWRITTEN.body.replace("a band", "two bands", 1))
    assert page.see(edited, keep=False).needs_capture
    page.see(edited)
    # What was seen here is in no capture that the page's validators belong to.
    assert (page.state().seen_capture_id, page.state().etag) == (None, None)
    assert page.see(edited, keep=False).needs_capture
    recorded = page.see(edited)
    assert (recorded.outcome, recorded.change, recorded.version_number) == (Outcome.UPDATED, "body", 3)
    assert [version.article for version in page.versions()] == [LONG, REWRITTEN, edited]
    assert [version.captured_at for version in page.versions()[1:]] == [minute(2), minute(page.at)]
    assert page.events() == ["created", "updated", "updated"]
    with page.store.reading() as transaction:
        (history,) = transaction.page_plans.unplanned(10)
    assert (history.looks, history.changes) == (2, 2)
    assert page.record(page.looks[-1]) == recorded


def test_a_field_that_was_missing_in_the_first_suspect_reading_waits_as_always(page):
    page.see(LONG)
    page.see(replace(REWRITTEN, authors=(), byline=None))
    page.see(REWRITTEN)
    recorded = page.see(REWRITTEN)
    # The version's change does not name the authors, who were missing once only.
    assert (recorded.outcome, recorded.change, recorded.version_number) == (Outcome.UPDATED, "headline+body", 2)
    assert page.article().content == REWRITTEN


def test_what_a_suspect_text_lacks_confirms_nothing_of_the_old_one(page):
    page.see(LONG)
    page.see(replace(REWRITTEN, authors=(), byline=None))
    recorded = page.see(replace(LONG, headline=CORRECTED.headline, authors=(), byline=None))
    assert (recorded.outcome, recorded.change) == (Outcome.UPDATED, "headline")


def test_a_field_that_waits_is_forgotten_for_a_suspect_and_waits_anew(page, rows):
    page.see(LONG)
    unsigned = replace(LONG, authors=(), byline=None)
    page.see(unsigned)
    page.see(REWRITTEN)
    assert suspects(rows) == [("suspect", 1)]
    assert page.see(unsigned).reason == "awaits_second_look"
    assert suspects(rows) == [("second_look", 1)]
    assert page.see(unsigned, keep=False).change == "authors"


# Other pages of the publisher


def other_pages(store, *paths):
    return [watch(store, path) for path in paths]


def story_of(path):
    """A story of its own at that address."""
    lines = (f"In {path} hall {path}{number} heard what {path}{number} says of {path}." for number in range(14))
    return replace(
        LONG, headline=f"Story {path}", canonical_url=f"http://paper.example/{path}", body="\n\n".join(lines)
    )


def named_wall(path):
    """A wall in the publisher's own frame, which names the page that it stands on."""
    return replace(WALL, canonical_url=f"http://paper.example/{path}", headline=f"Story {path}")


def test_a_text_that_other_pages_gave_is_never_confirmed(store):
    first, second = other_pages(store, "one", "two")
    first.see(replace(LONG, canonical_url="http://paper.example/one"))
    second.see(replace(LONG, canonical_url="http://paper.example/two", body=REWRITTEN.body))
    assert first.see(named_wall("one")).reason == "other_text"
    for at in (3, 20, HOUR, DAY, 2 * DAY, 3 * DAY):
        for page, path in ((second, "two"), (first, "one")):
            recorded = page.see(named_wall(path), at=at)
            assert (recorded.outcome, recorded.reason) == (Outcome.SUSPECT, "same_text_elsewhere")
    assert len(first.versions()) == len(second.versions()) == 1


def test_a_wall_that_changes_its_wording_stays_a_wall(store):
    twins = other_pages(store, "one", "two")
    for page, path in zip(twins, ("one", "two"), strict=True):
        page.see(story_of(path))
    for wording in (1, 2, 2, 2):
        for page, path in zip(twins, ("one", "two"), strict=True):
            offer = replace(named_wall(path), body=f"{WALL.body}\n\nThis is offer number {wording} of the week.")
            assert page.see(offer).outcome is Outcome.SUSPECT
    assert [len(page.versions()) for page in twins] == [1, 1]


def test_a_wall_that_is_known_from_elsewhere_is_not_confirmed_by_looks_that_differ_from_it_a_little(store):
    first, second = other_pages(store, "one", "two")
    first.see(story_of("one"))
    second.see(story_of("two"))
    second.see(named_wall("two"))
    assert first.see(named_wall("one")).reason == "same_text_elsewhere"
    for number in (2, 3, 4):
        numbered = replace(named_wall("one"), body=f"{WALL.body}\n\nYour number is {number}4711 today.")
        recorded = first.see(numbered)
        assert (recorded.outcome, recorded.reason) == (Outcome.SUSPECT, "same_text_elsewhere")
    assert len(first.versions()) == 1


def test_a_text_that_another_page_gave_while_it_waited_is_not_confirmed(store):
    first, second = other_pages(store, "one", "two")
    first.see(story_of("one"))
    second.see(story_of("two"))
    first.see(named_wall("one"))
    second.see(named_wall("two"))
    for number in (2, 3, 4):
        numbered = replace(named_wall("one"), body=f"{WALL.body}\n\nYour number is {number}4711 today.")
        assert first.see(numbered).reason == "same_text_elsewhere"
    assert len(first.versions()) == 1


def test_pages_that_share_only_a_text_which_a_third_one_gave_too_are_not_of_one_article(store):
    walled = other_pages(store, "one", "two", "three")
    first, second, third = walled
    # A wall that stood on two new pages before it could be told was taken for their articles.
    assert [page.see(named_wall(path)).outcome for page, path in ((first, "one"), (second, "two"))] == [
        Outcome.CREATED,
        Outcome.CREATED,
    ]
    assert third.see(named_wall("three")).outcome is Outcome.SUSPECT
    for _ in range(3):
        first.see(story_of("one"))
        second.see(story_of("two"))
    for _ in range(3):
        for page, path in ((first, "one"), (second, "two")):
            other = replace(named_wall(path), body="The server takes a rest.\n\nPlease come again in the afternoon.")
            recorded = page.see(other)
            assert recorded.outcome is Outcome.SUSPECT
    assert [len(page.versions()) for page in (first, second)] == [2, 2]


def test_pages_of_one_article_confirm_its_new_text_each(store):
    twins = other_pages(store, "one", "two")
    for twin in twins:
        twin.see(replace(LONG, published=None))
    for _ in range(2):
        for twin in twins:
            assert twin.see(replace(REWRITTEN, published=None)).outcome is Outcome.SUSPECT
    for twin in twins:
        assert twin.see(replace(REWRITTEN, published=None, headline=LONG.headline)).outcome is Outcome.UPDATED


@pytest.mark.parametrize("headline", ["Story two", "Story one"])
def test_another_article_at_the_address_of_this_one_never_becomes_its_version(store, headline):
    first, second = other_pages(store, "one", "two")
    first.see(story_of("one"))
    theirs = replace(story_of("two"), headline=headline)
    second.see(theirs)
    for at in (10, 800, 11 + DAY, 3 * DAY):
        recorded = first.see(theirs, at=at)
        assert (recorded.outcome, recorded.reason) == (Outcome.SUSPECT, "another_article")
        # Nor does one that was edited since.
        edited = replace(theirs, body=f"{theirs.body}\n\nThe mayor spoke last, at {at}.")
        assert first.see(edited, at=at + 1).outcome is Outcome.SUSPECT
    assert len(first.versions()) == 1


def test_another_article_that_names_no_address_is_not_taken_for_a_copy(store):
    first, second = other_pages(store, "one", "two")
    first.see(story_of("one"))
    theirs = replace(story_of("two"), canonical_url=None)
    second.see(theirs)
    for at in (10, 800, 11 + DAY):
        assert first.see(theirs, at=at).reason == "same_text_elsewhere"


def test_a_page_that_named_another_article_before_may_go_on_to(store):
    first, second = other_pages(store, "one", "two")
    second.see(story_of("two"))
    # A template that names one address on every page: it is believed of none.
    first.see(replace(story_of("one"), canonical_url="http://paper.example/two"))
    rewritten = replace(REWRITTEN, canonical_url="http://www.paper.example/two/")
    assert [first.see(rewritten).outcome for _ in range(3)][-1] is Outcome.UPDATED


def texts_are_not_kept_yet(database_url):
    """As in a database that was filled before texts were kept by page."""
    engine = create_engine(database_url)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        connection.exec_driver_sql("DELETE FROM page_texts")
    engine.dispose()


@pytest.mark.parametrize("look", ["same text", "not modified"])
def test_the_text_of_an_article_from_before_texts_were_kept_is_learnt_from_a_look(store, database_url, rows, look):
    first, second = other_pages(store, "one", "two")
    first.see(story_of("one"))
    theirs = replace(story_of("two"), canonical_url=None)
    second.see(theirs)
    texts_are_not_kept_yet(database_url)
    if look == "not modified":
        second.not_modified()
    else:
        second.see(theirs, keep=False)
    assert rows("SELECT page_id, of_version FROM page_texts") == [(second.page.page_id, True)]
    assert first.see(theirs).reason == "same_text_elsewhere"


def test_the_text_as_another_extractor_reads_it_is_kept_as_well(store):
    first, second = other_pages(store, "one", "two")
    first.see(story_of("one"))
    second.see(story_of("two"))
    newer = replace(story_of("two"), extractor="reader-2", canonical_url=None, body=f"{story_of('two').body}\n\nMore.")
    rereading = Rereading(version_id=second.versions()[0].version_id, extractor="reader-2", article=newer)
    second.see(newer, keep=False, rereading=rereading)
    mine = replace(story_of("one"), extractor="reader-2")
    rereading = Rereading(version_id=first.versions()[0].version_id, extractor="reader-2", article=mine)
    assert first.see(newer, rereading=rereading).reason == "same_text_elsewhere"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"canonical_url": None, "published": None}, "same_text_elsewhere"),
        ({}, "another_article"),
    ],
)
def test_the_text_of_another_page_is_no_new_baseline(store, more, reason):
    first, second = other_pages(store, "one", "two")
    first.see(story_of("one"))
    theirs = replace(story_of("two"), **more)
    second.see(theirs)
    before = first.article()
    # The capture of what was there before can no longer be read.
    unread = Rereading(version_id=first.versions()[0].version_id, extractor="reader-2", article=None)
    newer = replace(theirs, extractor="reader-2")
    assert first.see(newer, keep=False, rereading=unread).needs_capture
    recorded = first.see(newer, rereading=unread)
    assert (recorded.outcome, recorded.reason, first.article()) == (Outcome.SUSPECT, reason, before)
    again = first.see(replace(story_of("one"), extractor="reader-2"), rereading=unread)
    assert (again.outcome, again.reason) == (Outcome.COSMETIC, "new_baseline")


def test_the_text_of_an_article_at_two_addresses_is_a_new_baseline_at_each(store):
    twins = other_pages(store, "one", "two")
    undated = replace(LONG, published=None)
    for twin in twins:
        twin.see(undated)
    for twin in twins:
        unread = Rereading(version_id=twin.versions()[0].version_id, extractor="reader-2", article=None)
        recorded = twin.see(replace(undated, extractor="reader-2"), rereading=unread)
        assert (recorded.outcome, recorded.reason) == (Outcome.COSMETIC, "new_baseline")


def test_a_dated_text_under_the_same_headline_is_a_copy_and_no_wall(store):
    first, second = other_pages(store, "ferry", "two")
    first.see(LONG)
    second.see(REWRITTEN)
    assert [first.see(REWRITTEN).outcome for _ in range(3)][-1] is Outcome.UPDATED


def test_a_state_that_was_there_before_is_suspect_if_other_pages_gave_it_as_well(store):
    first, second = other_pages(store, "ferry", "two")
    first.see(WALL)
    for _ in range(3):
        first.see(replace(LONG, canonical_url="http://paper.example/ferry"))
    assert len(first.versions()) == 2
    second.see(replace(WALL, headline="Your choice"))
    assert first.see(WALL).reason == "same_text_elsewhere"
    assert len(first.versions()) == 2


def test_a_first_capture_is_no_article_where_two_other_pages_gave_its_text(store, rows):
    pages = other_pages(store, "one", "two", "three")
    assert [page.see(named_wall(f"{page.page.page_id}")).outcome for page in pages[:2]] == [Outcome.CREATED] * 2
    third = pages[2]
    for _ in range(2):
        recorded = third.see(named_wall("three"))
        assert (recorded.outcome, recorded.reason) == (Outcome.SUSPECT, "same_text_elsewhere")
        assert (recorded.article_id, third.article()) == (None, None)
    assert third.not_modified().outcome is Outcome.SUSPECT
    assert rows("SELECT count(*) FROM articles") == [(2,)]
    assert third.see(LONG).outcome is Outcome.CREATED
    assert rows("SELECT candidate_kind FROM pages WHERE id = 3") == [(None,)]


def test_an_article_at_several_addresses_is_taken_in_at_each(store):
    for path in ("one", "two", "three", "four"):
        assert watch(store, path).see(LONG).outcome is Outcome.CREATED


def test_pages_of_other_publishers_do_not_count(store):
    page = watch(store)
    with store.writing() as transaction:
        source = transaction.sources.for_domain("other.example", NOON, watched=True)
        for number in range(3):
            elsewhere = replace(entry(f"{number}"), url_key=f"other.example/{number}", host="other.example")
            found = transaction.pages.ensure(source.source_id, elsewhere, NOON, due=False)
            other = Watcher(store=store, page=found).look(WALL, at=0)
            transaction.versions.record_look(other)
    page.see(LONG)
    assert page.see(WALL).reason == "other_text"


# Paywalls and languages


TEASER = replace(LONG, body=LONG.body.split("\n\n")[0] + "\n\nSubscribe to read on.", access=Access.PAYWALLED)


def test_the_open_part_of_an_article_that_is_held_in_full_changes_nothing(page, rows):
    page.see(replace(LONG, access=Access.FREE))
    before = (page.article(), page.versions())
    assert page.see(TEASER, keep=False).needs_capture
    for _ in range(4):
        recorded = page.see(TEASER)
        assert (recorded.outcome, recorded.reason) == (Outcome.PAYWALLED, "fuller_text_held")
    assert (page.article(), page.versions()) == before
    assert (page.state().etag, page.state().consecutive_failures) == (None, 4)
    assert rows("SELECT looks FROM pages") == [(1,)]
    assert page.see(replace(LONG, access=Access.FREE), keep=False).outcome is Outcome.UNCHANGED


def test_a_large_open_part_is_not_kept(page):
    page.see(LONG)
    large = page.look(TEASER, keep=False)
    large = replace(large, fetch=replace(large.fetch, bytes_received=64 * 1024))
    assert page.record(large).outcome is Outcome.PAYWALLED


def test_an_article_that_was_partial_from_the_first_is_an_article(page):
    assert page.see(TEASER).outcome is Outcome.CREATED
    shorter = replace(TEASER, body=TEASER.body.split("\n\n")[1])
    assert page.see(shorter).outcome is Outcome.SUSPECT
    assert page.see(LONG).outcome is Outcome.UPDATED
    assert page.see(TEASER).outcome is Outcome.PAYWALLED


GERMAN = replace(
    LONG,
    language="de",
    body="\n\n".join(f"Die Fähre {number} legt wieder ab, und {number} Leute stehen am Kai." for number in range(12)),
)


def test_another_language_is_no_version_until_it_stands_for_a_day(page):
    page.see(LONG, at=1)
    for at in (2, 4, 14, DAY):
        recorded = page.see(GERMAN, at=at)
        assert (recorded.outcome, recorded.reason) == (Outcome.WRONG_LANGUAGE, "other_language")
        assert page.state().etag is None
    assert page.see(GERMAN, at=2 + DAY, keep=False).outcome is Outcome.UPDATED
    assert page.versions()[1].captured_at == minute(2)


def test_another_language_that_names_no_article_is_never_a_version(page):
    page.see(LONG)
    nameless = replace(GERMAN, headline="Willkommen", canonical_url=None)
    for day in range(1, 6):
        assert page.see(nameless, at=day * DAY).outcome is Outcome.WRONG_LANGUAGE


# Order


def test_a_look_older_than_the_suspect_does_not_refute_it(page, rows):
    page.see(LONG, at=1)
    page.see(REWRITTEN, at=10)
    assert page.see(LONG, at=5, keep=False).reason == "late"
    assert suspects(rows) == [("suspect", 1)]
    page.see(REWRITTEN, at=11)
    assert page.see(REWRITTEN, at=12).outcome is Outcome.UPDATED


def test_a_suspect_text_that_arrives_late_is_kept_and_does_not_wait(page, rows):
    page.see(LONG, at=1)
    page.see(LONG, at=10, keep=False)
    assert page.see(WALL, at=5).reason == "late"
    assert suspects(rows) == [(None, 0)]


def test_processes_that_see_a_suspect_at_the_same_time_make_one_version_of_it(page):
    page.see(LONG)
    looks = [page.look(REWRITTEN, at=10 + number / 10) for number in range(8)]
    with ThreadPoolExecutor(4) as processes:
        found = [recorded.outcome for recorded in processes.map(page.record, looks)]
    assert found.count(Outcome.UPDATED) == 1
    assert [version.article for version in page.versions()] == [LONG, REWRITTEN]
    assert page.events() == ["created", "updated"]


def test_a_suspect_read_by_another_extractor_begins_anew(page, rows):
    page.see(LONG)
    page.see(REWRITTEN)
    page.see(REWRITTEN)
    current = page.versions()[0]
    newer = replace(REWRITTEN, extractor="reader-2")
    rereading = Rereading(
        version_id=current.version_id, extractor="reader-2", article=replace(LONG, extractor="reader-2")
    )
    assert page.see(newer, rereading=rereading).outcome is Outcome.SUSPECT
    assert suspects(rows) == [("suspect", 1)]
    # The old text was read again, but not seen again.
    assert page.article().last_checked_at == minute(1)
    assert [page.see(newer).outcome for _ in range(2)][-1] is Outcome.UPDATED


# Crawls that look again at once


def to_fetch(page, **more):
    with page.store.reading() as transaction:
        found = transaction.pages.to_fetch(
            CrawlScope(page_ids=frozenset({page.page.page_id})),
            now=minute(99),
            named_since=minute(0),
            limit=9,
            **more,
        )
    return [found.page_id for found in found]


def test_a_recrawl_looks_at_a_suspect_again_until_it_is_confirmed_or_tried_three_times(page):
    page.see(LONG)
    assert to_fetch(page, recrawl_since=minute(0)) == []
    for number, text in enumerate((WALL, REWRITTEN, WALL), start=1):
        assert page.see(text).outcome is Outcome.SUSPECT
        assert to_fetch(page) == []
        assert to_fetch(page, recrawl_since=minute(0)) == ([page.page.page_id] if number < 3 else [])


def test_a_recrawl_does_not_look_again_at_a_wall_of_the_whole_site(store):
    first, second = other_pages(store, "one", "two")
    first.see(LONG)
    second.see(replace(REWRITTEN, headline="Two"))
    first.see(named_wall("one"))
    second.see(named_wall("two"))
    assert to_fetch(second, recrawl_since=minute(0)) == []


# Whatever happens


STATES = {"old": LONG, "wall": WALL, "rewritten": replace(REWRITTEN, headline="Another", canonical_url=None)}
NUMBERS = itertools.count()
"""Every example has a page of its own."""
LAX = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@LAX
@given(gaps=st.lists(st.integers(1, 5 * HOUR), min_size=1, max_size=12))
def test_no_nameless_text_becomes_a_version_within_a_day(store, gaps):
    page = watch(store, f"page-{next(NUMBERS)}")
    page.see(replace(LONG, published=None, body=f"{LONG.body}\n\n{page.page.page_id}"), at=0)
    at, first = 0, None
    for gap in gaps:
        at += gap
        wall = replace(WALL, body=f"{WALL.body} {page.page.page_id}")
        recorded = page.see(wall, at=at)
        first = at if first is None else first
        if at - first < DAY:
            assert recorded.outcome is Outcome.SUSPECT


@LAX
@given(turns=st.lists(st.sampled_from(["wall", "rewritten"]), min_size=1, max_size=8))
def test_no_alternation_with_the_old_text_ever_makes_a_version(store, turns):
    page = watch(store, f"page-{next(NUMBERS)}")
    page.see(LONG, at=0)
    for number, turn in enumerate(turns):
        assert page.see(STATES[turn], at=(2 * number + 1) * DAY).outcome is Outcome.SUSPECT
        assert page.see(LONG, at=(2 * number + 2) * DAY, keep=False).outcome is Outcome.UNCHANGED
    assert len(page.versions()) == 1


@LAX
@given(turns=st.lists(st.sampled_from(sorted(STATES)), min_size=1, max_size=8), data=st.data())
def test_recording_any_look_again_changes_nothing(store, turns, data):
    page = watch(store, f"page-{next(NUMBERS)}")
    answers = [page.see(LONG, at=0)]
    answers += [page.see(STATES[turn], at=(number + 1) * 9 * HOUR) for number, turn in enumerate(turns)]
    before = (page.state(), page.article(), page.versions(), page.events())
    looks = list(page.looks)
    for index in data.draw(st.permutations(range(len(looks)))):
        assert page.record(looks[index]) == answers[index]
    assert (page.state(), page.article(), page.versions(), page.events()) == before


@LAX
@given(data=st.data())
def test_the_order_in_which_two_processes_record_makes_no_version_of_a_wall(store, data):
    page = watch(store, f"page-{next(NUMBERS)}")
    page.see(LONG, at=0)
    turns = data.draw(st.lists(st.sampled_from(["old", "wall"]), min_size=2, max_size=7))
    looks = [page.look(STATES[turn], at=10 * (number + 1)) for number, turn in enumerate(turns)]
    for index in data.draw(st.permutations(range(len(looks)))):
        page.record(looks[index])
    assert [version.article for version in page.versions()] == [LONG]
    assert page.article().content == LONG
