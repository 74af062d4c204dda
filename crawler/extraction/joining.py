"""Makes one article of the readings of its parts. Pure; imports nothing heavy."""

from collections.abc import Sequence
from dataclasses import replace

from crawler.extraction.text import key
from storage.model import ExtractedArticle

_LONG = 100
"""Letters of a line that nobody writes in two parts; a shorter one may be an answer given twice."""


def new_lines(part: ExtractedArticle, before: Sequence[ExtractedArticle]) -> list[str]:
    """Return the paragraphs of a part that none before it has, in their order.

    What each part repeats stands at its edges (headline, standfirst, bylines, the list of parts), so a repeated line
    is dropped there; between new lines it is dropped only if it is long.
    """
    first = before[0]
    known = {key(text) for text in (first.headline, first.standfirst, first.byline, part.headline) if text} | {""}
    known.update(key(line) for article in before for line in article.body.split("\n\n"))
    lines = part.body.split("\n\n")
    fresh = [place for place, line in enumerate(lines) if key(line) not in known]
    if not fresh:
        return []
    between = lines[fresh[0] : fresh[-1] + 1]
    return [line for line in between if key(line) not in known or len(key(line)) < _LONG]


def joined(parts: Sequence[ExtractedArticle]) -> ExtractedArticle:
    """Return the article whose parts these are, in order: everything is the first part's but the body, which is all.

    Raises ValueError for no parts.
    """
    if not parts:
        raise ValueError("an article has at least one part")
    body = [parts[0].body]
    for place, part in enumerate(parts[1:], start=1):
        body.extend(new_lines(part, parts[:place]))
    return replace(parts[0], body="\n\n".join(body))
