"""How much two texts have in common."""

import pytest

from storage.likeness import Text

STORY = (
    "The night ferry returns after eleven years. Its owner bought a second-hand vessel from a northern yard, "
    "and forty passengers have booked for the first crossing already."
)


def test_a_text_is_like_itself_whatever_its_typography_and_letter_case():
    shouted = STORY.upper().replace("-", "–").replace(" ", "  ")
    assert Text(STORY).likeness(Text(shouted)) == Text(STORY).share_in(Text(shouted)) == 1


def test_two_subjects_share_next_to_nothing():
    other = (
        "The library closes its reading rooms for the summer. After the storm the roof of the old hall let in so "
        "much rain that the books had to be moved to a school."
    )
    assert Text(STORY).share_in(Text(other)) < 0.05


def test_a_part_stands_in_the_whole_and_not_the_other_way_round():
    part = STORY.partition(". ")[0]
    assert Text(part).share_in(Text(STORY)) == 1
    assert Text(STORY).share_in(Text(part)) < 0.5


@pytest.mark.parametrize("text", ["夜船は十一年ぶりに戻ってきた", "夜航渡轮时隔十一年重新启航", "เรือกลางคืนกลับมาอีกครั้ง"])
def test_languages_without_spaces_are_compared_by_characters(text):
    edited = text[:-2]
    assert 0.5 < Text(text).share_in(Text(edited)) < 1
    assert Text(text).share_in(Text(text[::-1])) < 0.5


@pytest.mark.parametrize("text", ["", "…", "—"])
def test_nothing_is_like_nothing(text):
    assert Text(text).share_in(Text(STORY)) == Text(text).likeness(Text(text)) == 0


def test_a_text_of_two_words_can_be_compared():
    assert Text("More soon").likeness(Text("more soon")) == 1
    assert Text("More soon").likeness(Text("More later")) == 0
