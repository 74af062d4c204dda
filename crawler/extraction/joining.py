"""Makes one article of the readings of its parts. Pure; imports nothing heavy."""

from collections.abc import Sequence
from dataclasses import replace

from crawler.extraction.text import key
from storage.model import ExtractedArticle

_LONG = 100
"""Letters of a line that nobody writes in two parts; a shorter one may be an answer given twice."""


class Joining:
    """An article that grows part by part; everything is the first part's but the body, which is all of theirs."""

    def __init__(self, first: ExtractedArticle) -> None:
        self._first = first
        self._body = [first.body]
        known = (first.headline, first.standfirst, first.byline, *first.body.split("\n\n"))
        self._known = {key(text) for text in known if text} | {""}

    def add(self, part: ExtractedArticle) -> bool:
        """Add the paragraphs of a part that none before it has, and return whether it has any.

        What each part repeats stands at its edges (headline, standfirst, bylines, the list of parts), so a repeated
        line is dropped there; between new lines it is dropped only if it is long.
        """
        lines = [(line, key(line)) for line in part.body.split("\n\n")]
        headline = key(part.headline)
        fresh = [place for place, (_, name) in enumerate(lines) if name not in self._known and name != headline]
        if not fresh:
            return False
        between = lines[fresh[0] : fresh[-1] + 1]
        self._body.extend(line for line, name in between if name not in self._known or len(name) < _LONG)
        self._known.update(name for _, name in lines)
        return True

    @property
    def article(self) -> ExtractedArticle:
        """The article as far as it goes."""
        return replace(self._first, body="\n\n".join(self._body))


def joined(parts: Sequence[ExtractedArticle]) -> ExtractedArticle:
    """Return the article whose parts these are, in order. Raises ValueError for none."""
    if not parts:
        raise ValueError("an article has at least one part")
    joining = Joining(parts[0])
    for part in parts[1:]:
        joining.add(part)
    return joining.article
