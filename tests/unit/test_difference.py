"""How a difference reads."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.difference import SegmentKind, article_difference, word_difference
from storage.model import ExtractedArticle, StatedTime

SIGNS = {"equal": "{}", "insert": "[+{}+]", "delete": "[-{}-]"}


def marked(old, new):
    return "".join(SIGNS[segment.kind].format(segment.text) for segment in word_difference(old, new))


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("The ferry is late.", "The ferry is late.", "The ferry is late."),
        ("The ferry is late.", "The ferry was late.", "The ferry [-is-][+was+] late."),
        ("12 people died", "13 people died", "[-12-][+13+] people died"),
        ("The mayor spoke.", "The mayor's wife spoke.", "The [-mayor-][+mayor's wife+] spoke."),
        ("late", "late again", "late[+ again+]"),
        ("", "new text", "[+new text+]"),
        ("old text", "", "[-old text-]"),
        ("", "", ""),
        ("one red fish", "two blue fish", "[-one red-][+two blue+] fish"),
        ("late, he said", "late; he said", "late[-,-][+;+] he said"),
        ("東京都知事", "東京府知事", "東京[-都-][+府+]知事"),
        ("เรือมาสาย", "เรือไม่มาสาย", "เรือ[+ไม่+]มาสาย"),
        ("First.\n\nThird.", "First.\n\nSecond.\n\nThird.", "First.\n\n[+Second.\n\n+]Third."),
        (
            "The ferry was late on Monday.\n\nNobody was hurt.",
            "Rain fell.\n\nThe ferry was very late on Monday.\n\nNobody was hurt.",
            "[+Rain fell.\n\n+]The ferry was [+very +]late on Monday.\n\nNobody was hurt.",
        ),
    ],
)
def test_how_a_difference_reads(old, new, shown):
    assert marked(old, new) == shown


texts = st.text(alphabet="ab c.,'\n東e\u0301", max_size=40)


@given(texts, texts)
def test_both_texts_can_be_read_from_the_segments(old, new):
    segments = word_difference(old, new)
    assert "".join(segment.text for segment in segments if segment.kind != "insert") == old
    assert "".join(segment.text for segment in segments if segment.kind != "delete") == new
    assert all(segment.text for segment in segments)
    assert all(one.kind != other.kind for one, other in pairwise(segments))


def test_a_long_body_is_compared_by_its_words():
    """Edits all over ten thousand words in one paragraph each way, and in many."""
    choice = random.Random(3)
    words = [f"word{choice.randrange(2_000)}" for _ in range(10_000)]
    edited = [f"{word}x" if choice.random() < 0.05 else word for word in words]
    for width in (80, 10_000):
        old, new = (
            "\n\n".join(" ".join(text[at : at + width]) for at in range(0, len(text), width))
            for text in (words, edited)
        )
        kept = sum(len(segment.text) for segment in word_difference(old, new) if segment.kind == "equal")
        assert kept > 0.9 * len(old)


def test_an_address_is_one_word():
    old, new = "See https://a.example/b/c-1?x=1, please.", "See https://a.example/b/c-2?x=1, please."
    assert [(one.kind.value, one.text) for one in word_difference(old, new)] == [
        ("equal", "See "),
        ("delete", "https://a.example/b/c-1?x=1"),
        ("insert", "https://a.example/b/c-2?x=1"),
        ("equal", ", please."),
    ]


ARTICLE = ExtractedArticle(
    headline="Ferry late",
    body="The ferry was late.",
    extractor="x1",
    authors=("Ada", "Ben"),
    published=StatedTime(local="2026-03-02T15:26:00", raw="2 March", found_in="json_ld"),
)


def test_all_fields_that_differ_are_shown_in_order():
    new = replace(
        ARTICLE,
        headline="Ferry early",
        authors=("Ada",),
        section="Sea",
        published=StatedTime(local="2026-03-03", raw="3 March", found_in="json_ld"),
        extractor="x2",
    )
    differences = article_difference(ARTICLE, new)
    assert [difference.field for difference in differences] == ["headline", "authors", "section", "published"]
    assert differences[0].as_row() == {
        "field": "headline",
        "segments": [
            {"kind": "equal", "text": "Ferry "},
            {"kind": "delete", "text": "late"},
            {"kind": "insert", "text": "early"},
        ],
    }
    assert article_difference(ARTICLE, ARTICLE) == []


def test_a_date_is_given_whole_for_the_other():
    before = StatedTime(local="2026-11-24T08:19:27+00:00", raw="x", found_in="json_ld")
    after = StatedTime(local="2026-11-24T10:19:31+00:00", raw="x", found_in="json_ld")
    old = ExtractedArticle(headline="h", body="b", extractor="x", modified=before)
    new = ExtractedArticle(headline="h", body="b", extractor="x", modified=after)
    (difference,) = article_difference(old, new)
    assert [(part.kind, part.text) for part in difference.segments] == [
        (SegmentKind.DELETE, before.local),
        (SegmentKind.INSERT, after.local),
    ]
