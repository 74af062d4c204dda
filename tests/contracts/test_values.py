"""What goes in comes out: text, instants, lists; and what must not go in is refused or cleaned."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import StatementError

from storage.model import Capture, StatedTime
from storage.outcomes import Outcome
from tests.contracts.news import FERRY, NOON, entry, kept, minute, page_fetch, watch


def test_nul_and_lone_surrogates_are_removed_where_text_enters(store):
    page = watch(store, "dirty")
    dirty = replace(
        FERRY,
        headline="Ferry\x00 resumes\ud800",
        authors=("Ada\x00 Quill", "J\udfffon"),
        tags=("a\x00",),
        image_caption="\ud83d",
    )
    look = page.look(dirty)
    look = replace(look, etag='"\x00"', fetch=replace(look.fetch, headers={"x\x00": "\ud800y"}))
    page.record(look)
    content = page.article().content
    assert (content.headline, content.authors, content.tags) == ("Ferry resumes", ("Ada Quill", "Jon"), ("a",))
    assert content.image_caption == ""
    assert page.state().etag == '""'
    with store.reading() as transaction:
        assert transaction.fetches.recent(1)[0].headers == {"x": "y"}
    assert page.see(dirty, keep=False).outcome is Outcome.UNCHANGED


def test_a_waiting_reading_survives_dirty_text_too(store):
    page = watch(store)
    page.see(FERRY)
    dirty = replace(FERRY, standfirst=None, section="\x00")
    assert page.see(dirty).reason == "awaits_second_look"
    assert page.see(dirty, keep=False).change == "standfirst"


def test_text_of_every_script_comes_back(store):
    page = watch(store)
    text = "Zażółć gęślą — „日本語“ 🛳️ עברית"
    page.see(replace(FERRY, headline=text, authors=(text,)))
    assert page.article().content.headline == text
    assert page.article().content.authors == (text,)


def test_instants_come_back_in_utc_whatever_zone_they_went_in_with(store):
    page = watch(store)
    kolkata = timezone(timedelta(hours=5, minutes=30))
    instant = datetime(2026, 3, 2, 20, 31, 2, 123456, tzinfo=kolkata)
    stated = StatedTime(instant=instant, local="2026-03-02T20:31:02", raw="8:31 PM", found_in="text")
    page.see(replace(FERRY, published=stated))
    back = page.article().content.published
    assert back.instant == instant
    assert back.instant.utcoffset() == timedelta(0)
    assert back == replace(stated, instant=instant)


def test_a_time_without_a_zone_is_refused(store):
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(StatementError, match="needs a zone"), store.writing() as transaction:
        transaction.sources.for_domain("paper.example", naive)
    with pytest.raises(StatementError, match="needs a zone"), store.reading() as transaction:
        transaction.feeds.due(naive, 1)


def test_an_article_with_nothing_but_headline_and_body_comes_back(store):
    page = watch(store)
    bare = type(FERRY)(headline="Fog", body="The fog stays.", extractor=FERRY.extractor)
    page.see(bare)
    assert page.article().content == bare
    assert page.versions()[0].article == bare


def test_lists_in_the_views_are_json_and_never_null(store, rows, backend):
    watch(store, "a").see(FERRY)
    watch(store, "b").see(type(FERRY)(headline="Fog", body="The fog stays.", extractor=FERRY.extractor))
    lists = rows("SELECT authors, tags FROM articles_v1 ORDER BY article_id")
    if backend == "sqlite":
        assert lists[0][1] == '["ferries", "Öxley"]'
        lists = [tuple(json.loads(value) for value in row) for row in lists]
    assert lists == [(["Ada Quill", "Jon Reed"], ["ferries", "Öxley"]), ([], [])]


def test_times_in_sqlites_views_are_text_of_one_width_that_sorts(store, rows, backend):
    page = watch(store)
    page.see(FERRY, at=1)
    page.see(FERRY, at=1.5)
    (times,) = rows("SELECT first_seen_at, last_checked_at, published_at FROM articles_v1")
    if backend == "sqlite":
        assert times == (
            "2026-03-02 12:01:00.000000+00:00",
            "2026-03-02 12:01:30.000000+00:00",
            "2026-03-02 06:30:00.000000+00:00",
        )
    else:
        assert times == (minute(1), minute(1.5), FERRY.published.instant)


def test_the_views_tell_the_whole_story(store, rows):
    page = watch(store)
    page.see(FERRY)
    page.see(replace(FERRY, headline="Boats again"))
    page.see(FERRY)
    assert rows("SELECT version, change, headline, extractor FROM article_versions_v1 ORDER BY version") == [
        (1, "created", FERRY.headline, FERRY.extractor),
        (2, "headline", "Boats again", FERRY.extractor),
        (3, "headline", FERRY.headline, FERRY.extractor),
    ]
    assert rows(
        "SELECT a.version FROM article_versions_v1 v JOIN article_versions_v1 a ON a.version_id = v.reverts_to"
    ) == [(1,)]
    assert rows("SELECT source, url, version_count, status FROM articles_v1") == [
        ("paper.example", "http://paper.example/ferry", 3, "live")
    ]
    assert rows("SELECT version, headline_before, headline_after FROM headline_changes_v1 ORDER BY version") == [
        (2, FERRY.headline, "Boats again"),
        (3, "Boats again", FERRY.headline),
    ]
    assert rows("SELECT kind FROM article_events_v1 ORDER BY seq") == [("created",), ("updated",), ("reverted",)]
    assert rows("SELECT count(*), count(version_id), count(warc_file) FROM fetches_v1") == [(3, 3, 3)]


def test_fetches_may_be_thinned_out_without_changing_anything_else(store, rows, backend):
    page = watch(store)
    for state in (FERRY, replace(FERRY, headline="Boats again"), FERRY):
        page.see(state)
    views = ("articles_v1", "article_versions_v1", "article_events_v1", "headline_changes_v1")
    before = [rows(f"SELECT * FROM {view}") for view in views]
    with store.reading() as transaction:
        histories = transaction.page_plans.unplanned(10)
    with store._for_writing.begin() as connection:
        connection.exec_driver_sql("DELETE FROM fetches")
    assert [rows(f"SELECT * FROM {view}") for view in views] == before
    with store.reading() as transaction:
        assert transaction.page_plans.unplanned(10) == histories


def test_captures_are_kept_once_and_found_in_order(store):
    captures = [replace(kept(f"c{number}", at=number), offset=number) for number in range(5)]
    with store.writing() as transaction:
        ids = [transaction.captures.keep(capture) for capture in (*captures, *captures)]
        assert ids[:5] == ids[5:]
        assert [stored.capture for stored in transaction.captures.after(ids[1], limit=2)] == captures[2:4]
        assert [stored.capture for stored in transaction.captures.all()] == captures
        assert transaction.captures.by_id(ids[0]).capture == captures[0]
        assert transaction.captures.by_id(999) is None
    assert isinstance(captures[0], Capture)


def test_articles_are_found_by_source_text_and_change(store):
    first, second = watch(store, "a"), watch(store, "b", source="other.example")
    first.see(FERRY, at=1)
    second.see(replace(FERRY, headline="Fog 100% over OXLEY", body="Nothing is seen."), at=1)
    second.see(replace(FERRY, headline="Fog lifts", body="Nothing is seen."), at=30)
    with store.reading() as transaction:
        find = transaction.versions.articles

        def names(**more):
            return [found.url[-1] for found in find(limit=10, **more)]

        assert names() == ["b", "a"]
        assert names(offset=1) == ["a"]
        assert names(source="paper.example") == ["a"]
        assert names(changed=True) == ["b"]
        assert names(since=minute(20)) == ["b"]
        assert names(contains="fERRY left") == ["a"]
        assert names(contains="100%") == []
        assert names(contains="fog") == ["b"]
        one = transaction.versions.by_id(first.article().article_id)
        assert one == first.article()
        assert transaction.versions.by_id(999) is None
        assert transaction.versions.version(one.article_id, 1) == first.versions()[0]
        assert transaction.versions.version(one.article_id, 2) is None
        assert transaction.versions.capture_of(one.version_id).record_id == first.looks[0].capture.record_id
        assert transaction.versions.capture_of(999) is None


def test_a_fetch_comes_back_as_it_was_recorded(store):
    page = watch(store)
    fetch = page_fetch(
        "whole",
        at=1,
        hop=2,
        outcome=Outcome.HTTP_ERROR,
        status=500,
        reason="server_error",
        bytes_received=5_000_000_000,
        location="/x",
        headers={"server": "nginx"},
        source_id=page.page.source_id,
        page_id=page.page.page_id,
    )
    with store.writing() as transaction:
        transaction.fetches.record(fetch)
        assert transaction.fetches.recent(1) == [fetch]
        assert transaction.pages.by_key(entry("none").url_key) is None
