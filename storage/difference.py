"""What differs between two texts, by words, in a form that people can read. Pure."""

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import groupby

from storage.article_fields import ARTICLE_FIELDS
from storage.model import ExtractedArticle, StatedTime


class SegmentKind(StrEnum):
    """What became of a stretch of text."""

    EQUAL = "equal"
    INSERT = "insert"
    DELETE = "delete"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A stretch of text that stands in both texts, only in the new one, or only in the old one."""

    kind: SegmentKind
    text: str


@dataclass(frozen=True, kw_only=True)
class FieldDifference:
    """A field of an article that differs, and how; `field` is its name in `ExtractedArticle`."""

    field: str
    segments: tuple[Segment, ...]

    def as_row(self) -> dict[str, object]:
        """Return the difference as JSON takes it."""
        segments = [{"kind": segment.kind.value, "text": segment.text} for segment in self.segments]
        return {"field": self.field, "segments": segments}


_FIELDS = tuple(field.name for field in fields(ExtractedArticle) if field.name != "extractor")
_PROSE = frozenset(field.name for field in ARTICLE_FIELDS if field.by_words)
"""Fields that are compared by words; of the others the whole value is given for the whole."""

# Thai, Lao, Burmese, Khmer, kana, Chinese and Japanese signs: scripts that put no space between words.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\uff66-\uff9f"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_URL = r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]’”]"
"""An address is one word: with a mark inside it could not be followed. What ends the sentence is no part of it."""
_TOKEN = re.compile(rf"\s+|{_URL}|[{_UNSPACED}]|(?:[^\W{_UNSPACED}]|(?<=\w)['’](?=\w))+|[^\w\s]|.", re.DOTALL)
_PARAGRAPH = re.compile(r"(\n\s*\n\s*)")

_AT_ONCE = 200_000
"""So many pairs of words are compared at once; longer passages are first divided at stretches that did not change."""

_AT_MOST = 2_000_000
"""A changed stretch with more pairs of words than this is shown as a whole: nobody would read it word by word."""

_ANCHOR = 8
"""Words and spaces in a row that, standing once in each text, mark the same place in both."""

_PAIRS_OF_PARAGRAPHS = 20_000
"""A passage with more pairs of paragraphs than this is another text, and is not searched for edited ones."""

_LIKENESS = 0.4
"""Share of words in common from which on two paragraphs are one paragraph that was edited."""


def word_difference(old: str, new: str) -> list[Segment]:
    """Return the segments that lead from `old` to `new`, by words, or by signs in scripts that have no spaces.

    Joined without the insertions they are `old`, without the deletions `new`, letter by letter. Paragraphs are set
    against each other first, so that one that moved in from elsewhere is not woven into its neighbours.
    """
    a, b = _paragraphs(old), _paragraphs(new)
    lead = _common_length(a, b)
    tail = _common_length(a[lead:][::-1], b[lead:][::-1])
    segments = list(_plain(SegmentKind.EQUAL, a[:lead]))
    old_parts, new_parts = a[lead : len(a) - tail], b[lead : len(b) - tail]
    if len(old_parts) * len(new_parts) > _AT_MOST:
        segments.extend(_passage(old_parts, new_parts))
    else:
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, old_parts, new_parts, autojunk=False).get_opcodes():
            if tag == "equal":
                segments.append(Segment(kind=SegmentKind.EQUAL, text="".join(old_parts[i1:i2])))
            else:
                segments.extend(_passage(old_parts[i1:i2], new_parts[j1:j2]))
    segments.extend(_plain(SegmentKind.EQUAL, a[len(a) - tail :]))
    return _joined(segments)


def article_difference(old: ExtractedArticle, new: ExtractedArticle) -> list[FieldDifference]:
    """Return how the fields differ that do, in the order in which an article lists them."""
    shown = ((name, _shown(getattr(old, name)), _shown(getattr(new, name))) for name in _FIELDS)
    return [
        FieldDifference(
            field=name, segments=tuple(word_difference(before, after) if name in _PROSE else _replaced(before, after))
        )
        for name, before, after in shown
        if before != after
    ]


def _replaced(old: str, new: str) -> list[Segment]:
    """Return a whole value given for another: half a date or half an address says nothing."""
    return _joined([*_plain(SegmentKind.DELETE, [old]), *_plain(SegmentKind.INSERT, [new])])


def _shown(value: object) -> str:
    """Return a field's value as one text: times as the page shows them, lists joined by commas."""
    if value is None:
        return ""
    if isinstance(value, StatedTime):
        return value.local
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _paragraphs(text: str) -> list[str]:
    """Split a text into its paragraphs, each with the empty line that follows it."""
    parts = _PARAGRAPH.split(text)
    joined = (a + b for a, b in zip(parts[::2], [*parts[1::2], ""], strict=True))
    return [part for part in joined if part]


def _passage(old: Sequence[str], new: Sequence[str]) -> Iterator[Segment]:
    """Set the paragraphs of a changed passage against each other, like against like, in their order."""
    at_old = at_new = 0
    for pair_old, pair_new in [*_pairs(old, new), (len(old), len(new))]:
        yield from _plain(SegmentKind.DELETE, old[at_old:pair_old])
        yield from _plain(SegmentKind.INSERT, new[at_new:pair_new])
        if pair_old < len(old):
            yield from _words(old[pair_old], new[pair_new])
        at_old, at_new = pair_old + 1, pair_new + 1


def _pairs(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return which old and new paragraphs are the same paragraph before and after an edit, both in order.

    Of all ways to pair them the one with the most in common is taken (an alignment by dynamic programming).
    """
    if len(old) == len(new) == 1:
        return [(0, 0)]
    if len(old) * len(new) > _PAIRS_OF_PARAGRAPHS:
        return []
    old_words = [set(_tokens(paragraph)) for paragraph in old]
    new_words = [set(_tokens(paragraph)) for paragraph in new]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    likeness = [[_likeness(a, b) for b in new_words] for a in old_words]
    for i in reversed(range(len(old))):
        for j in reversed(range(len(new))):
            paired = likeness[i][j] + best[i + 1][j + 1] if likeness[i][j] >= _LIKENESS else 0.0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(old) and j < len(new):
        if best[i][j] == best[i + 1][j]:
            i += 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            pairs.append((i, j))
            i, j = i + 1, j + 1
    return pairs


def _likeness(one: set[str], other: set[str]) -> float:
    """Return the share of words that two paragraphs have in common, between 0 and 1."""
    words = {word for word in one | other if word[0].isalnum()}
    return len(words & one & other) / len(words) if words else 0.0


def _words(old: str, new: str) -> Iterator[Segment]:
    """Compare two texts word by word."""
    a, b = _tokens(old), _tokens(new)
    lead = _common_length(a, b)
    tail = _common_length(a[lead:][::-1], b[lead:][::-1])
    yield from _plain(SegmentKind.EQUAL, a[:lead])
    yield from _divided(a[lead : len(a) - tail], b[lead : len(b) - tail])
    yield from _plain(SegmentKind.EQUAL, a[len(a) - tail :])


def _divided(a: Sequence[str], b: Sequence[str]) -> Iterator[Segment]:
    """Compare two lists of words; long ones in the pieces between stretches that stand unchanged in both."""
    at_a = at_b = 0
    for i, j in _anchors(a, b) if len(a) * len(b) > _AT_ONCE else []:
        if i < at_a or j < at_b:  # within the stretch that the anchor before it began
            continue
        yield from _matched(a[at_a:i], b[at_b:j])
        length = _common_length(a, b, i, j)
        yield from _plain(SegmentKind.EQUAL, a[i : i + length])
        at_a, at_b = i + length, j + length
    yield from _matched(a[at_a:], b[at_b:])


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Return places that are the same in both lists, in the order of both: the longest such chain."""
    places_a, places_b = _unique_places(a), _unique_places(b)
    candidates = sorted((at, places_b[run]) for run, at in places_a.items() if run in places_b)
    lowest: list[int] = []  # the least last place in b of a chain of each length
    chain_of: list[int] = []
    for _, j in candidates:
        length = bisect_left(lowest, j)
        lowest[length : length + 1] = [j]
        chain_of.append(length)
    chain: list[tuple[int, int]] = []
    wanted = len(lowest) - 1
    for place, length in zip(reversed(candidates), reversed(chain_of), strict=True):
        if length == wanted and (not chain or place[1] < chain[-1][1]):
            chain.append(place)
            wanted -= 1
    return chain[::-1]


def _unique_places(words: Sequence[str]) -> dict[tuple[str, ...], int]:
    """Return where each run of words begins that occurs once."""
    runs = [tuple(words[at : at + _ANCHOR]) for at in range(len(words) - _ANCHOR + 1)]
    often = Counter(runs)
    return {run: at for at, run in enumerate(runs) if often[run] == 1}


def _matched(a: Sequence[str], b: Sequence[str]) -> Iterator[Segment]:
    """Compare two lists of words, without islands of equal text that hold no word."""
    if len(a) * len(b) > _AT_MOST:
        yield from _plain(SegmentKind.DELETE, a)
        yield from _plain(SegmentKind.INSERT, b)
        return
    gone: list[str] = []
    come: list[str] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        # A lone space or comma between two changed words would chop a changed phrase into confetti.
        island = tag == "equal" and (gone or come) and not any(word[0].isalnum() for word in a[i1:i2])
        if tag != "equal" or (island and i2 < len(a) and j2 < len(b)):
            gone += a[i1:i2]
            come += b[j1:j2]
            continue
        yield from _plain(SegmentKind.DELETE, gone)
        yield from _plain(SegmentKind.INSERT, come)
        yield from _plain(SegmentKind.EQUAL, a[i1:i2])
        gone, come = [], []
    yield from _plain(SegmentKind.DELETE, gone)
    yield from _plain(SegmentKind.INSERT, come)


def _common_length(a: Sequence[str], b: Sequence[str], at_a: int = 0, at_b: int = 0) -> int:
    """Return how many words are the same in both lists from these places on."""
    most = min(len(a) - at_a, len(b) - at_b)
    return next((length for length in range(most) if a[at_a + length] != b[at_b + length]), most)


def _tokens(text: str) -> list[str]:
    """Split a text into words, white space, and single marks, losing nothing. A mark above a letter stays with it."""
    tokens: list[list[str]] = []
    for token in _TOKEN.findall(text):
        if tokens and not token.isspace() and unicodedata.category(token[0]).startswith("M"):
            tokens[-1].append(token)
        else:
            tokens.append([token])
    return ["".join(token) for token in tokens]


def _plain(kind: SegmentKind, parts: Iterable[str]) -> Iterator[Segment]:
    if text := "".join(parts):
        yield Segment(kind=kind, text=text)


def _joined(segments: Iterable[Segment]) -> list[Segment]:
    """Join neighbours of one kind; within a changed stretch the deleted text comes before the inserted one."""
    joined: list[Segment] = []
    for equal, group in groupby(segments, key=lambda segment: segment.kind is SegmentKind.EQUAL):
        stretch = list(group)
        kinds = (SegmentKind.EQUAL,) if equal else (SegmentKind.DELETE, SegmentKind.INSERT)
        for kind in kinds:
            joined.extend(_plain(kind, [segment.text for segment in stretch if segment.kind is kind]))
    return joined
