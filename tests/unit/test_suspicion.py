"""Which texts are doubted, what the open part of a paywalled article is, and what confirms a suspect."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from storage.model import Access, ExtractedArticle, StatedTime
from storage.records import Candidate, CandidateKind
from storage.suspicion import (
    Doubt,
    continues,
    doubt_about,
    is_behind_paywall,
    is_confirmed,
    is_dated,
    names_itself,
)

URL = "https://www.paper.example/ferry/"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PARAGRAPHS = [
    f"Paragraph {number} tells of crossing {number * 7}, of the captain's day {number} and of a quay in town {number}."
    for number in range(12)
]


def story(*paragraphs: str, **more) -> ExtractedArticle:
    values = {"headline": "Ferry resumes", "extractor": "reader-1", "language": "en"} | more
    return ExtractedArticle(body="\n\n".join(paragraphs), **values)


OLD = story(*PARAGRAPHS)
OTHER = story(*(f"Nobody in the hall number {number} had heard the orchestra play so softly." for number in range(12)))
GERMAN = story(
    *(f"Die Fähre Nummer {number} legt wieder ab, und viele Leute stehen dafür am Kai." for number in range(12)),
    language="de",
)


def doubt(old, new, *, live_blog=False):
    return doubt_about(new, old=old, live_blog=live_blog)


def test_a_text_that_shares_almost_nothing_is_doubted():
    assert doubt(OLD, OTHER) is Doubt.OTHER_TEXT


@pytest.mark.parametrize(("left", "doubted"), [(11, None), (7, None), (5, Doubt.CUT), (1, Doubt.CUT)])
def test_a_text_that_lost_more_than_half_is_doubted(left, doubted):
    assert doubt(OLD, story(*PARAGRAPHS[:left])) is doubted


def test_a_text_of_which_half_the_sentences_were_written_anew_is_an_edit():
    rewritten = [*PARAGRAPHS[:6], *OTHER.body.split("\n\n")[6:]]
    assert doubt(OLD, story(*rewritten)) is None


@pytest.mark.parametrize("old", [PARAGRAPHS[0], "More soon.", "夜船は戻った"])
def test_growth_that_contains_the_old_text_is_never_doubted(old):
    assert doubt(story(old), story("A new beginning.", old, *OTHER.body.split("\n\n"))) is None


def test_a_flash_that_became_another_text_is_doubted():
    assert doubt(story("More soon, we are told by the editor."), OTHER) is Doubt.OTHER_TEXT


def test_a_live_blog_is_never_doubted():
    assert doubt(OLD, OTHER, live_blog=True) is None
    assert doubt(OLD, story(PARAGRAPHS[0]), live_blog=True) is None


def test_another_language_is_told_apart_where_both_texts_are_long_enough_to_be_sure():
    assert doubt(OLD, GERMAN) is Doubt.OTHER_LANGUAGE
    assert doubt(OLD, replace(GERMAN, language=None)) is Doubt.OTHER_TEXT
    assert doubt(OLD, replace(OLD, language="de", body=OLD.body + "\n\nMore.")) is None
    assert doubt(OLD, story("Bitte melden Sie sich an, um weiterzulesen.", language="de")) is Doubt.OTHER_TEXT


# Paywalls


def closed(*paragraphs, access=Access.PAYWALLED):
    return story(*paragraphs, access=access)


@pytest.mark.parametrize("access", [Access.PAYWALLED, Access.METERED])
def test_less_than_half_of_a_fuller_text_is_the_open_part(access):
    teaser = closed(PARAGRAPHS[0], "Subscribe to read on.", access=access)
    assert is_behind_paywall(teaser, old=OLD)
    # Also of a page that said from the first that it is not free, and showed all of its text.
    assert is_behind_paywall(teaser, old=replace(OLD, access=access))
    assert not is_behind_paywall(replace(teaser, access=Access.FREE), old=OLD)


def test_a_notice_in_the_place_of_a_paid_article_is_no_open_part():
    retraction = closed("The editors have withdrawn this report because its figures were invented.")
    assert not is_behind_paywall(retraction, old=replace(OLD, access=Access.PAYWALLED))


def test_a_long_beginning_is_the_open_part_only_where_the_text_was_free():
    beginning = closed(*PARAGRAPHS[:9], PARAGRAPHS[9][:30] + "…")
    assert is_behind_paywall(beginning, old=OLD)
    assert not is_behind_paywall(beginning, old=replace(OLD, access=Access.PAYWALLED))
    assert not is_behind_paywall(closed(*PARAGRAPHS[:8], "An end of its own."), old=OLD)


def test_an_article_that_was_partial_from_the_first_has_no_fuller_text():
    partial = closed(*PARAGRAPHS[:4])
    assert not is_behind_paywall(closed(PARAGRAPHS[0]), old=partial)
    assert is_behind_paywall(closed(PARAGRAPHS[0]), old=replace(partial, access=Access.FREE))


# Naming


@pytest.mark.parametrize(
    "address", ["https://www.paper.example/ferry/", "http://paper.example/ferry", "https://PAPER.example/ferry#top"]
)
def test_a_page_names_itself_by_its_canonical_address(address):
    assert names_itself(replace(OTHER, headline="Another", canonical_url=address), old=OLD, url=URL)


def test_a_page_names_itself_by_the_address_that_the_article_gave_before():
    old = replace(OLD, canonical_url="https://paper.example/2026/ferry-resumes")
    new = replace(OTHER, headline="Another", canonical_url="https://paper.example/2026/ferry-resumes/")
    assert names_itself(new, old=old, url=URL)
    assert not names_itself(replace(new, canonical_url="https://paper.example/login"), old=old, url=URL)


def test_a_page_names_itself_by_its_headline():
    assert names_itself(replace(OTHER, headline="Ferry  resumes"), old=OLD, url=URL)
    assert not names_itself(replace(OTHER, headline="Ferry resume"), old=OLD, url=URL)


def test_a_page_names_itself_by_a_paragraph_that_is_long_enough():
    other = replace(OTHER, headline="Another")
    assert names_itself(replace(other, body=f"New.\n\n{PARAGRAPHS[5]}"), old=OLD, url=URL)
    short = "Read more here."
    assert not names_itself(
        replace(other, body=f"{other.body}\n\n{short}"), old=replace(OLD, body=f"{OLD.body}\n\n{short}"), url=URL
    )


# Confirming


def candidate(article, kind=CandidateKind.SUSPECT):
    return Candidate(article=article, capture_id=1, captured_at=NOON, looks=1, kind=kind)


def test_a_look_continues_a_suspect_that_it_resembles_more_than_the_old_text():
    edited = replace(OTHER, body=OTHER.body.replace("softly", "loudly", 1))
    assert continues(OTHER, candidate(OTHER), old=OLD, live_blog=False)
    assert continues(edited, candidate(OTHER), old=OLD, live_blog=False)
    assert not continues(GERMAN, candidate(OTHER), old=OLD, live_blog=False)
    assert not continues(OTHER, candidate(OTHER, CandidateKind.SECOND_LOOK), old=OLD, live_blog=False)
    assert not continues(OTHER, candidate(replace(OTHER, extractor="reader-2")), old=OLD, live_blog=False)
    assert not continues(OTHER, None, old=OLD, live_blog=False)


def test_texts_that_only_share_a_phrase_do_not_continue_each_other():
    phrase = "All rights reserved by the paper."
    one, another = replace(OTHER, body=f"{OTHER.body}\n\n{phrase}"), replace(GERMAN, body=f"{GERMAN.body}\n\n{phrase}")
    assert not continues(another, candidate(one), old=OLD, live_blog=False)


HOURS = (0, 23.9, 24)


@pytest.mark.parametrize("doubted", list(Doubt))
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("hours", HOURS)
@pytest.mark.parametrize("looks", [1, 2, 3, 500])
def test_what_confirms_a_suspect(doubted, named, hours, looks):
    now = NOON + timedelta(hours=hours)
    facts = {"looks": looks, "first_seen_at": NOON, "now": now, "named": named}
    proof = named and hours >= 24 if doubted is Doubt.OTHER_LANGUAGE else named or hours >= 24
    wanted = looks >= 3 and proof
    assert is_confirmed(doubted, **facts, others=False) is wanted
    assert not is_confirmed(doubted, **facts, others=True)


@pytest.mark.parametrize(
    ("found_in", "dated"), [("json_ld", True), ("meta", True), ("time_element", False), ("url", False)]
)
def test_only_markup_for_machines_dates_a_text(found_in, dated):
    stated = StatedTime(local="2026-03-02", raw="2026-03-02", found_in=found_in)
    assert is_dated(replace(OLD, published=stated)) is dated
    assert not is_dated(OLD)
