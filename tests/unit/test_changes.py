"""What counts as a change: the rules that every version rests on."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.changes import decide
from storage.fingerprint import content_digest
from storage.model import Access, ChangedField, ExtractedArticle, StatedTime


def stated(local, *, instant=None, found_in="json_ld"):
    """A time as the page shows it; with an offset in `local` the instant follows from it."""
    shown = datetime.fromisoformat(local)
    zoned = shown.tzinfo is not None
    if zoned:
        instant = shown.astimezone(UTC)
    return StatedTime(instant=instant, local=local, zone_known=zoned, raw=local, found_in=found_in)


BASE = ExtractedArticle(
    headline="Harbour bridge closed",
    standfirst="Engineers found cracks",
    body="The bridge was closed on Monday.\n\n“It will take weeks,” said the mayor.",
    authors=("Ada Byron", "Ben Okri"),
    published=stated("2026-03-02T15:26:00+00:00"),
    extractor="x1",
)


def test_the_same_reading_is_the_same_text():
    verdict = decide(BASE, BASE)
    assert verdict.same_text
    assert not verdict.cosmetic
    assert not verdict.makes_version
    assert verdict.name == ""


@pytest.mark.parametrize(
    ("edit", "name"),
    [
        ({"headline": "Harbour bridge reopened"}, "headline"),
        ({"headline": "HARBOUR BRIDGE CLOSED"}, "headline"),
        ({"standfirst": "Engineers found rust"}, "standfirst"),
        ({"body": "The bridge was closed on Tuesday."}, "body"),
        ({"body": ""}, "body"),
        ({"authors": ("Ada Byron",)}, "authors"),
        ({"published": stated("2026-03-02T15:27:00+00:00")}, "date"),
        ({"body": "New.", "authors": ("Cy",), "headline": "New"}, "headline+body+authors"),
    ],
)
def test_an_edit_makes_a_version_and_is_named(edit, name):
    verdict = decide(BASE, replace(BASE, **edit))
    assert verdict.name == name
    assert verdict.makes_version
    assert not verdict.same_text
    assert not verdict.cosmetic


@pytest.mark.parametrize(
    "edit",
    [
        {"body": BASE.body.replace("“", '"').replace("”", '"').replace("\n\n", " ")},
        {"headline": "Harbour  bridge\u00a0closed"},
        {"authors": ("Ben Okri", "Ada Byron")},
        {"modified": stated("2026-03-03T09:00:00+00:00")},
        {"section": "News"},
        {"tags": ("bridges",)},
        {"image_url": "https://example.org/b.jpg"},
        {"image_caption": "The bridge"},
        {"access": Access.METERED},
        {"byline": "By Ada Byron"},
        {"canonical_url": "https://example.org/bridge"},
        {"published": replace(stated("2026-03-02T15:26:00+00:00"), raw="2 March")},
    ],
)
def test_everything_else_is_cosmetic(edit):
    verdict = decide(BASE, replace(BASE, **edit))
    assert verdict.same_text
    assert verdict.cosmetic


def test_an_edit_beside_something_cosmetic_is_both():
    verdict = decide(BASE, replace(BASE, body="New.", section="News"))
    assert (verdict.name, verdict.cosmetic) == ("body", True)


@pytest.mark.parametrize(
    ("emptied", "field"),
    [
        ({"headline": ""}, ChangedField.HEADLINE),
        ({"standfirst": None}, ChangedField.STANDFIRST),
        ({"standfirst": " \u200b"}, ChangedField.STANDFIRST),
        ({"authors": ()}, ChangedField.AUTHORS),
        ({"published": None}, ChangedField.DATE),
    ],
)
def test_a_field_empty_on_one_side_waits_for_a_second_look(emptied, field):
    other = replace(BASE, **emptied)
    for verdict in (decide(BASE, other), decide(other, BASE)):
        assert verdict.tentative == (field,)
        assert not verdict.makes_version
        assert not verdict.same_text
        assert verdict.confirmed().fields == (field,)


def test_confirmed_fields_join_the_others_in_order():
    verdict = decide(BASE, replace(BASE, headline="", body="New.", authors=()))
    assert (verdict.fields, verdict.confirmed().name) == ((ChangedField.BODY,), "headline+body+authors")


def test_an_absent_and_an_empty_standfirst_are_the_same():
    assert not decide(replace(BASE, standfirst=None), replace(BASE, standfirst="")).cosmetic


def test_readings_of_two_extractors_are_never_compared():
    with pytest.raises(ValueError, match="x2"):
        decide(BASE, replace(BASE, extractor="x2"))


BERLIN_DAY = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)  # midnight in Berlin on 2 March


@pytest.mark.parametrize(
    ("old", "new", "edited"),
    [
        # The same instant in another zone, and another instant with the same clock.
        (stated("2026-03-02T15:26:00+00:00"), stated("2026-03-02T16:26:00+01:00"), False),
        (stated("2026-03-02T15:26:00+00:00"), stated("2026-03-02T15:26:00+01:00"), True),
        # More precision, in both directions.
        (stated("2026-03-02"), stated("2026-03-02T15:26:00Z"), False),
        (stated("2026-03-02"), stated("2026-03-03T15:26:00Z"), True),
        (stated("2026-03-02T15:26"), stated("2026-03-02T15:26:41"), False),
        (stated("2026-03-02T15:26:00Z"), stated("2026-03-02T15:26:41Z"), False),
        (stated("2026-03-02T15:26:41Z"), stated("2026-03-02T15:26:41.250Z"), False),
        (stated("2026-03-02T15:26:41Z"), stated("2026-03-02T15:26:42Z"), True),
        (stated("2026-03-02"), stated("2026-03-03"), True),
        # A zone that is newly known: the clock may stay, or the instant of the source's zone may.
        (stated("2026-03-02T15:26:00"), stated("2026-03-02T15:26:00+01:00"), False),
        (stated("2026-03-02T15:26:00", instant=datetime(2026, 3, 2, 14, 26, tzinfo=UTC)),
         stated("2026-03-02T14:26:00Z"), False),
        (stated("2026-03-02T15:26:00"), stated("2026-03-02T17:26:00Z"), True),
        # A day in the source's zone, then an instant that is still the day before in UTC.
        (stated("2026-03-02", instant=BERLIN_DAY), stated("2026-03-01T23:30:00Z"), False),
        (stated("2026-03-02", instant=BERLIN_DAY), stated("2026-03-01T22:30:00Z"), True),
        # Markup of two kinds, and places that are no markup.
        (stated("2026-03-02"), stated("2026-03-09", found_in="meta"), False),
        (stated("2026-03-02", found_in="text"), stated("2026-03-09", found_in="text"), False),
        (stated("2026-03-02", found_in="url"), None, False),
        (StatedTime(local="soon", raw="soon", found_in="meta"), StatedTime(local="later", raw="later", found_in="meta"),
         True),
    ],
)  # fmt: skip
def test_when_a_date_of_publication_was_edited(old, new, edited):
    one, other = replace(BASE, published=old), replace(BASE, published=new)
    for verdict in (decide(one, other), decide(other, one)):
        assert (ChangedField.DATE in verdict.fields) is edited
        assert not verdict.tentative
        assert verdict.makes_version is edited


# Texts of the shape that newsrooms write, from few letters so that equal and nearly equal ones are frequent.
texts = st.text(alphabet="aAé1 .,-'\"“”’–—\n\u00a0\u200b", max_size=30)
names = st.lists(st.sampled_from(["Ada", "Ben O’Dea", "Ben O'Dea", "Cy", " "]), max_size=3).map(tuple)
times = st.sampled_from(
    [None]
    + [
        stated(local, found_in=kind)
        for kind in ("json_ld", "meta", "text")
        for local in ("2026-03-02", "2026-03-02T15:26:00Z", "2026-03-02T15:26:41Z", "2026-03-02T15:26", "2026-03-03")
    ]
)
readings = st.builds(
    ExtractedArticle,
    headline=texts,
    body=texts,
    standfirst=st.none() | texts,
    authors=names,
    published=times,
    section=st.none() | st.just("News"),
    extractor=st.just("x1"),
)


@given(readings, readings)
def test_the_verdict_names_the_same_in_both_directions(one, other):
    assert decide(one, other) == decide(other, one)


@given(readings)
def test_a_reading_never_differs_from_itself(one):
    verdict = decide(one, one)
    assert verdict.same_text
    assert not verdict.cosmetic


@given(readings, readings)
def test_the_digest_and_the_verdict_agree_on_the_text(one, other):
    verdict = decide(one, other)
    text_differs = bool({*verdict.fields, *verdict.tentative} - {ChangedField.DATE})
    assert text_differs is (content_digest(one) != content_digest(other))


MUTATIONS = {
    " ": ["\u00a0", "  ", "\n\n", "\t", "\u2009"],
    '"': ["“", "”", "„", "«", "»"],
    "'": ["’", "‘", "ʼ"],
    "-": ["–", "—", "‐", "‑"],
}


@given(st.data())
def test_typography_never_makes_a_version(data):
    text = data.draw(st.text(alphabet="abC1 '\"-.", max_size=40))
    mutated = "".join(
        data.draw(st.sampled_from([letter, *MUTATIONS.get(letter, [letter + "\u00ad", letter + "\u200b"])]))
        for letter in text
    )
    one = replace(BASE, headline=text, body=text, standfirst=text)
    verdict = decide(one, replace(BASE, headline=mutated, body=mutated, standfirst=mutated))
    assert verdict.same_text
    assert verdict.cosmetic is (text != mutated)
