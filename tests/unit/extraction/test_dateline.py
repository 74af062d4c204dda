"""Places at the head of a story."""

import pytest

from crawler.extraction.dateline import dateline_of

STORY = "The council voted on Tuesday to close the bridge for a year."


@pytest.mark.parametrize(
    ("beginning", "place"),
    [
        ("BANGKOK: ", "BANGKOK"),
        ("LONDON (AP) — ", "LONDON"),
        ("PARIS, Nov. 3 - ", "PARIS"),
        ("PARIS, Nov 3 (Reuters) - ", "PARIS"),
        ("ST. PAUL, Minn. (AP) -- ", "ST. PAUL, Minn."),
        ("NEW DELHI: ", "NEW DELHI"),
        ("МОСКВА — ", "МОСКВА"),
        ("BREAKING: ", None),
        ("WATCH — ", None),
        ("NATO ", None),
        ("", None),
    ],
)
def test_dateline(beginning, place):
    assert dateline_of(beginning + STORY + "\n\nLONDON: Another paragraph, no dateline.") == place
