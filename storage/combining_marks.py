"""Bounds how many marks a letter carries, so that putting them in their order costs no more than a text's length. Pure.

A normal form sorts the marks behind a letter, which takes the square of their number, and a page may hold a hundred
thousand. Unicode's own bound for streams is 30, far more than any language needs (UAX #15, 13, Stream-Safe Text
Format); what goes beyond it is left out here, so that a text of both forms stays the same however often it is bounded.
"""

import re
import unicodedata

MAX_MARKS = 30

# No mark is a letter or ASCII: in nearly all texts there is no such run.
_RUN = re.compile(rf"[^\w\x00-\x7f]{{{MAX_MARKS + 1},}}")


def with_bounded_marks(text: str) -> str:
    """Return `text` with at most 30 combining marks in a row."""
    return text if text.isascii() else _RUN.sub(_bounded, text)


def _bounded(run: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for character in run[0]:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)
