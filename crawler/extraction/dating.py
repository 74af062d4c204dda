"""Which of a page's many dates are those of publication and of the last change. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from htmldate import find_date
from lxml.html import HtmlElement

from crawler.extraction.linked_data import text_of
from crawler.extraction.markup import Markup
from crawler.extraction.text import one_line
from crawler.extraction.times import Reckoning, day_of_url, first_stated, resolve, stated_time
from crawler.extraction.written_dates import ShownDate, shown_dates
from storage.model import StatedTime

_PUBLISHED_META = (
    "article:published_time",
    "og:article:published_time",
    "article:published",
    "datepublished",
    "parsely-pub-date",
    "sailthru.date",
    "cxenseparse:recs:publishtime",
    "article.published",
    "published-date",
    "publish-date",
    "publish_date",
    "publication_date",
    "pubdate",
    "dc.date.issued",
    "dcterms.created",
    "dc.date",
    "citation_publication_date",
    "date",
    "datecreated",
)
_MODIFIED_META = (
    "article:modified_time",
    "og:updated_time",
    "og:article:modified_time",
    "article:updated_time",
    "datemodified",
    "last-modified",
    "lastmod",
    "article.updated",
    "dc.date.modified",
    "dcterms.modified",
    "revised",
)
_MOST_WORDS = 4
_LONGEST_DATES_LINE = 200
_LINES_READ = 60
"""A dates line stands near the headline: so many short lines behind it are read."""


@dataclass(frozen=True, kw_only=True)
class Dates:
    """When the story was published and modified, as the page says."""

    published: StatedTime | None
    modified: StatedTime | None


def dates_of(markup: Markup, *, language: str | None, reckoning: Reckoning) -> Dates:
    """Return the dates of a page: markup first, then the line that shows them, then the day in the address."""
    published = first_stated(_published(markup), reckoning)
    modified = first_stated(_modified(markup), reckoning)
    if published is None or modified is None:
        shown = _shown(markup.tree, language, reckoning) if published is None else []
        published = published or _labelled(shown, "published", reckoning) or _unlabelled(shown, markup.url, reckoning)
        modified = modified or _labelled(shown, "updated", reckoning)
    published = published or _found_by_htmldate(markup, reckoning)
    return Dates(published=published, modified=modified)


def _published(markup: Markup) -> Iterator[tuple[str, str]]:
    for node in (markup.node, *markup.linked_data.articles()):
        yield text_of(node.get("datePublished")), "json_ld"
    for value in markup.microdata.values("datePublished"):
        yield value, "microdata"
    for value in markup.all_meta(*_PUBLISHED_META[:2]):
        yield value, "meta"
    for name in _PUBLISHED_META[2:]:
        for value in markup.meta.get(name, ()):
            yield value, "meta"
    for node in markup.linked_data.of_type("webpage"):
        yield text_of(node.get("datePublished")), "json_ld"
    yield from _time_elements(markup.tree, updated=False)


def _modified(markup: Markup) -> Iterator[tuple[str, str]]:
    yield text_of(markup.node.get("dateModified")), "json_ld"
    for value in markup.microdata.values("dateModified"):
        yield value, "microdata"
    for name in _MODIFIED_META:
        for value in markup.meta.get(name, ()):
            yield value, "meta"
    for node in markup.linked_data.of_type("webpage"):
        yield text_of(node.get("dateModified")), "json_ld"
    yield from _time_elements(markup.tree, updated=True)


def _time_elements(tree: HtmlElement, *, updated: bool) -> Iterator[tuple[str, str]]:
    """Yield the `time` elements from the headline on; those marked as of an update apart from the others."""
    for element in _from_headline(tree):
        if element.tag != "time" or not element.get("datetime"):
            continue
        marks = f"{element.get('class') or ''} {element.get('itemprop') or ''}".lower()
        parent = element.getparent()
        around = one_line(parent.text_content())[:80] if parent is not None else ""
        labels = {shown.label for shown in shown_dates(around, None)}
        is_update = "updat" in marks or "modif" in marks or labels == {"updated"}
        if is_update == updated:
            yield element.get("datetime", ""), "time_element"


def _from_headline(tree: HtmlElement) -> Iterator[HtmlElement]:
    head = next((head for head in tree.iter("h1") if one_line(head.text_content())), None)
    if head is None:
        yield from tree.iter("time", "p", "div", "span", "li")
        return
    yield from head.iterancestors("header")
    yield from (element for element in head.xpath("following::*") if element.tag in ("time", "p", "div", "span", "li"))


def _shown(tree: HtmlElement, language: str | None, reckoning: Reckoning) -> list[ShownDate]:
    """Return the dates in the first short line behind the headline that shows any that can be true."""
    read = 0
    for element in _from_headline(tree):
        line = one_line(element.text_content())
        if not 6 <= len(line) <= _LONGEST_DATES_LINE:
            continue
        read += 1
        dates = shown_dates(line, language) if any(map(str.isdigit, line)) else []
        dates = [
            shown for shown in dates if resolve(shown.written, raw=shown.raw, found_in="text", reckoning=reckoning)
        ]
        if dates and (any(shown.label for shown in dates) or _is_bare(line, dates)):
            return dates
        if read >= _LINES_READ:
            break
    return []


def _is_bare(line: str, dates: list[ShownDate]) -> bool:
    """Tell whether a line shows hardly more than a date, such as a name before it: else it tells of some other day."""
    for shown in dates:
        line = line.replace(shown.raw, " ", 1)
    return len(re.findall(r"[^\W\d_]+", line)) <= _MOST_WORDS


def _unlabelled(shown: list[ShownDate], url: str, reckoning: Reckoning) -> StatedTime | None:
    """Return the date without a label, unless the address names another day: then that."""
    of_text, of_url = _labelled(shown, None, reckoning), day_of_url(url, reckoning)
    if of_text is not None and of_url is not None and of_text.local[:10] != of_url.local:
        return of_url
    return of_text or of_url


def _labelled(shown: list[ShownDate], label: str | None, reckoning: Reckoning) -> StatedTime | None:
    for one in shown:
        if one.label == label:
            return resolve(one.written, raw=one.raw, found_in="text", reckoning=reckoning)
    return None


def _found_by_htmldate(markup: Markup, reckoning: Reckoning) -> StatedTime | None:
    """Return the day that htmldate finds where all else fails."""
    try:
        day = find_date(
            markup.tree,
            url=markup.url,
            original_date=True,
            max_date=reckoning.captured_at.strftime("%Y-%m-%d"),
        )
    except ValueError:
        return None
    return stated_time(day, found_in="text", reckoning=reckoning) if day else None
