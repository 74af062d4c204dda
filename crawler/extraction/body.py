"""The paragraphs of the story: read by trafilatura from a pruned page, then freed of lines that are no prose. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement
from trafilatura import bare_extraction
from trafilatura.settings import Document

from crawler.extraction.authors import OFFICE
from crawler.extraction.text import folded, key, one_line
from crawler.extraction.written_dates import shown_dates

_LEAST_KEPT_SHARE = 0.5
"""Filters that would leave less than this of a body are wrong about it."""
_TOP = 4
"""The headline, the standfirst and the dates line can be repeated in so many first lines."""
_SURELY_A_COPY = 400
"""Characters of a passage that nobody writes twice."""
_PROMPT = re.compile(
    r"^\W*(?:(?:please )?(?:sign up|subscribe|register|get|receive|join)\b.{0,80}"
    r"\b(?:newsletters?|inbox|daily e-?mail|e-?mail updates)\b"
    r"|(?:follow|like|join|find) us on\b|(?:click|tap) here (?:to|for)\b|download (?:the|our) .{0,30}\bapp\b"
    r"|.{0,60}newsletter.{0,40}(?:abonnieren|anmelden|bestellen)|(?:abonnez|inscrivez)-vous\b.{0,80}(?:newsletter|lettre)"
    r"|(?:suscr[ií]bete|apúntate|iscriviti|inscreva-se|assine)\b.{0,80}(?:newsletter|bolet|canal))",
    re.IGNORECASE,
)
_RIGHTS = re.compile(r"^(?:©|\(c\)|copyright\b)|all rights reserved\.?$", re.IGNORECASE)


def read_body(tree: HtmlElement, *, url: str) -> list[str]:
    """Return the lines that trafilatura takes for the story of `tree`, which it changes; empty if it finds none."""
    document = bare_extraction(tree, url=url, with_metadata=False, include_comments=False)
    if not isinstance(document, Document) or not document.text:
        return []
    return [line for line in map(one_line, document.text.split("\n")) if line]


@dataclass(frozen=True, kw_only=True)
class PageLines:
    """What is known of a page's lines outside its story: keys (`text.key`) and folded names."""

    headline_keys: frozenset[str]
    standfirst_key: str
    surplus_keys: frozenset[str]
    author_names: frozenset[str]
    tag_keys: frozenset[str]
    language: str | None


def without_surplus(lines: Sequence[str], page: PageLines) -> list[str]:
    """Return the lines without what repeats the page's other fields or speaks to the reader about the site.

    No filter may take more than half of a body: then its lines are what the page has to say.
    """
    kept = list(lines)
    for is_surplus in _RULES:
        left = [line for place, line in enumerate(kept) if not is_surplus(place, kept, page)]
        kept = _if_enough(left, kept)
    return _if_enough(_without_copies(kept), kept)


def _if_enough(left: list[str], lines: list[str]) -> list[str]:
    return left if sum(map(len, left)) >= _LEAST_KEPT_SHARE * sum(map(len, lines)) else lines


def _is_headline(place: int, lines: Sequence[str], page: PageLines) -> bool:
    return place < _TOP and key(lines[place]) in page.headline_keys


def _is_repeated_standfirst(place: int, lines: Sequence[str], page: PageLines) -> bool:
    """Tell whether a line at the top is the standfirst, when the same words come again in the story."""
    return place < 2 and key(lines[place]) == page.standfirst_key and lines[place] in lines[place + 1 :]


def _is_elsewhere(place: int, lines: Sequence[str], page: PageLines) -> bool:
    return key(lines[place]) in page.surplus_keys


def _is_dates_line(place: int, lines: Sequence[str], page: PageLines) -> bool:
    """Tell whether a line says nothing but when the story was published or updated."""
    line = lines[place]
    if len(line) > 160 or not any(map(str.isdigit, line)):
        return False
    dates = shown_dates(line, page.language)
    if not dates:
        return False
    rest = line
    for shown in dates:
        rest = rest.replace(shown.raw, " ")
    words = re.findall(r"[^\W\d_]+", rest)
    labelled = any(shown.label for shown in dates)
    timed = all(shown.written.seconds is not None for shown in dates)
    return len(words) <= (6 if labelled else 3) and (place < _TOP or labelled or (timed and not words))


def _is_prompt(place: int, lines: Sequence[str], page: PageLines) -> bool:  # noqa: ARG001 - a rule like the others
    line = lines[place]
    is_prompt = len(line) < 200 and _PROMPT.search(line) is not None
    return is_prompt or (len(line) < 120 and _RIGHTS.search(line) is not None)


def _is_tags(place: int, lines: Sequence[str], page: PageLines) -> bool:
    """Tell whether a line lists the tags that the page's markup gives it."""
    line = lines[place]
    parts = [part for part in map(key, line.split(",")) if part]
    return len(parts) > 2 and all(part in page.tag_keys for part in parts)


def _is_biography(place: int, lines: Sequence[str], page: PageLines) -> bool:
    """Tell whether a line at the edge of a body presents one of the authors: `Ann Lee is a reporter who …`."""
    line = folded(lines[place])
    at_edge = place < _TOP or place >= len(lines) - _TOP
    named = any(line.startswith(name) and len(line) > len(name) for name in page.author_names)
    return at_edge and named and len(line) < 600 and OFFICE.search(line[:200]) is not None


def _without_copies(lines: Sequence[str]) -> list[str]:
    """Return the lines without passages that stand twice on the page; a refrain of an interview stays."""
    first: dict[str, int] = {}
    kept: list[str] = []
    place = 0
    while place < len(lines):
        before = first.setdefault(lines[place], place)
        end = place
        while before < place and end < len(lines) and lines[end] == lines[before + end - place]:
            end += 1
        length = sum(map(len, lines[place:end]))
        is_copy = length > _SURELY_A_COPY and (end - place >= 3 or end - place == 1)
        end = max(end, place + 1)
        kept.extend([] if is_copy else lines[place:end])
        place = end
    return kept


def _is_ornament(place: int, lines: Sequence[str], page: PageLines) -> bool:  # noqa: ARG001 - one shape for all rules
    return not any(map(str.isalnum, lines[place]))


_RULES = (
    _is_headline,
    _is_repeated_standfirst,
    _is_elsewhere,
    _is_dates_line,
    _is_prompt,
    _is_tags,
    _is_biography,
    _is_ornament,
)
