"""Phrases of walls are found as words, not inside other words, and in linear time."""

import pytest

from crawler.extraction import wall_words
from crawler.extraction.phrases import covers, phrases


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (wall_words.BOT_CHECK, "x-ray identifies a lost painting", False),
        (wall_words.BOT_CHECK, "ray id: 8f1", True),
        (wall_words.BOT_CHECK, "troops unblock the coastal road", False),
        (wall_words.CONSENT_SPEAKER, "for some time the home side led", False),
        (wall_words.CONSENT_SPEAKER, "me ja kumppanimme", True),
        (wall_words.ACCEPT, "disagree", False),
        (wall_words.ACCEPT, "the agreement", False),
        (wall_words.ACCEPT, "i agree", True),
        (wall_words.ACCEPT, "同意する", True),
        (wall_words.LOGIN, "a blog in three parts", False),
        (wall_words.LOGIN, "jetzt registrieren", True),
        (wall_words.LOGIN, "wie kann ich mich anmelden", True),
        (wall_words.LOGIN, "termasuk", False),
        (wall_words.CONSENT, "הסכמה לעוגיות", True),
    ],
)
def test_words(words, text, found):
    assert bool(phrases(words).search(text)) is found


def test_a_phrase_covers_what_says_little_else():
    pattern = phrases(("one more step", "wartung"))
    assert covers(pattern, "one more step")
    assert covers(pattern, "wartungsarbeiten")
    assert not covers(pattern, "one more step for the climber")
