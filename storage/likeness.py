"""How much two texts have in common, by runs of three words. Pure; languages written without spaces go by characters.

Two texts on different subjects share next to no three words in a row, whatever common words they share; a text that
was edited lightly shares nearly all.
"""

import re

from storage.fingerprint import normalise

_RUN = 3
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese: a word has no visible end there, so each character is one."""
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


class Text:
    """A text as it is compared: its words in order, letter case and typography aside, and its runs of three words."""

    def __init__(self, text: str) -> None:
        self.normalised = normalise(text).casefold()
        self.words = _WORD.findall(self.normalised)
        self.runs = frozenset(zip(*(self.words[start:] for start in range(_RUN)), strict=False)) or frozenset(
            [tuple(self.words)] if self.words else []
        )

    def share_in(self, other: "Text") -> float:
        """Return which share of this text stands in the other, from 0 to 1; of no words, nothing does."""
        return len(self.runs & other.runs) / len(self.runs) if self.runs else 0.0

    def likeness(self, other: "Text") -> float:
        """Return how alike the two are, from 0 for nothing in common to 1 for the same (the Dice coefficient)."""
        total = len(self.runs) + len(other.runs)
        return 2 * len(self.runs & other.runs) / total if total else 0.0
