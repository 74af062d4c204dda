"""The paragraphs of the story: read by trafilatura from a pruned page, then freed of lines that are no prose. Pure."""

import re
from collections.abc import Callable, Sequence

from lxml.html import HtmlElement
from trafilatura import bare_extraction
from trafilatura.settings import Document

from crawler.extraction.text import folded, one_line
from crawler.extraction.written_dates import shown_dates

_LEAST_KEPT_SHARE = 0.5
"""Filters that would leave less than this of a body are wrong about it."""
_TOP = 4
"""The headline, the standfirst and the dates line can be repeated in so many first lines."""
_NEWSLETTER = re.compile(
    r"(?:sign up|subscribe|register|get|join).{0,60}(?:newsletter|inbox|daily email|alerts)|newsletter.{0,40}(?:abonnieren|anmelden)"
    r"|(?:abonnez|inscrivez)-vous.{0,60}(?:newsletter|lettre)|(?:follow|like|join) us on\b|click here to (?:subscribe|sign up|join|read)"
    r"|download (?:the|our) .{0,30}\bapp\b|suscr[ií]bete.{0,60}(?:newsletter|bolet)",
    re.IGNORECASE,
)
_RIGHTS = re.compile(r"^(?:©|\(c\)|copyright\b)|all rights reserved\.?$", re.IGNORECASE)


def read_body(tree: HtmlElement, *, url: str) -> list[str]:
    """Return the lines that trafilatura takes for the story of `tree`, which it changes; empty if it finds none."""
    document = bare_extraction(tree, url=url, with_metadata=False, include_comments=False)
    if not isinstance(document, Document) or not document.text:
        return []
    return [line for line in map(one_line, document.text.split("\n")) if line]


def without_surplus(
    lines: Sequence[str], *, headlines: Sequence[str], standfirst: str | None, language: str | None
) -> list[str]:
    """Return the lines without what repeats the page's other fields or speaks to the reader about the site.

    No filter may take more than half of a body: then its lines are what the page has to say.
    """
    kept = list(lines)
    titles = {folded(headline) for headline in headlines if headline}
    for unwanted in (
        lambda place, line: place < _TOP and folded(line.lstrip("# ")) in titles,
        lambda place, line: _repeats_standfirst(place, line, kept, standfirst),
        lambda place, line: _is_dates_line(place, line, language),
        lambda place, line: len(line) < 250 and _NEWSLETTER.search(line) is not None,
        lambda place, line: len(line) < 120 and _RIGHTS.search(line) is not None,
        lambda place, line: len(line) > 50 and line in kept[:place],
        lambda place, line: not any(map(str.isalnum, line)),
    ):
        kept = _filtered(kept, unwanted)
    return kept


def _filtered(lines: list[str], unwanted: Callable[[int, str], bool]) -> list[str]:
    kept = [line for place, line in enumerate(lines) if not unwanted(place, line)]
    return kept if sum(map(len, kept)) >= _LEAST_KEPT_SHARE * sum(map(len, lines)) else lines


def _repeats_standfirst(place: int, line: str, lines: Sequence[str], standfirst: str | None) -> bool:
    """Tell whether a line at the top is the standfirst, when the same words come again in the story."""
    return place < 2 and bool(standfirst) and folded(line) == folded(standfirst) and line in lines[place + 1 :]


def _is_dates_line(place: int, line: str, language: str | None) -> bool:
    """Tell whether a line says nothing but when the story was published or updated."""
    if len(line) > 160 or not any(map(str.isdigit, line)):
        return False
    dates = shown_dates(line, language)
    if not dates:
        return False
    rest = line
    for shown in dates:
        rest = rest.replace(shown.raw, " ")
    words = re.findall(r"[^\W\d_]+", rest)
    labelled = any(shown.label for shown in dates)
    return len(words) <= (6 if labelled else 3) and (place < _TOP or labelled)
