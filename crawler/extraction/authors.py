"""Who wrote the story: names only, in the page's order. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from lxml.html import HtmlElement
from trafilatura.metadata import extract_author

from crawler.extraction.linked_data import as_list, text_of, types_of
from crawler.extraction.markup import Markup, distinct
from crawler.extraction.text import folded, one_line

_BY = re.compile(
    r"^\W*(?:(?:written|reported|story|text|words|article|posted|published|analysis|opinion)\s+)?"
    r"(?:by|von|par|por|di|af|av|door|przez|oleh|od|από|автор|текст|author|autor|autorin|auteur|autore)\b\s*:?\s*",
    re.IGNORECASE,
)
_JOINS = re.compile(
    r"(?:(?<!\s)\s++)?[;|•·/]\s*+|(?<!\s)\s++&\s++"
    r"|(?:(?:(?<!\s)\s++)?,|(?<!\s))\s++(?:and|und|et|y|e|og|och|en|i|ja|ve|dan|и|та|και|with|mit|avec)\s++(?=\S++\s++\S)",
    re.IGNORECASE,
)
OFFICE = re.compile(
    r"\b(?:reporter|correspondent|editor|writer|journalist|columnist|contributor|producer|staff|bureau|chief|senior|"
    r"redakteur|redaktion|korrespondent|journaliste|rédact|periodista|redacci|giornalista|redattore|director|professor|"
    r"lecturer|fellow|analyst|photographer|author|desk)",
    re.IGNORECASE,
)
_NO_NAME = re.compile(r"https?:|www\.|@|\d{3}|[{}<>\[\]=]|^\W*$")
_ADDRESS = re.compile(r"(?:https?:|www\.|/)\S+$", re.IGNORECASE)
_LONGEST_NAME = 80
_LONGEST_BYLINE = 200
_LONGEST_LINE = 10_000
_MOST_AUTHORS = 200
"""Far more than any story names; what lists more is no list of its authors."""


def authors_of(markup: Markup, site_name: str | None) -> tuple[str, ...]:
    """Return the authors' names; empty where the page names none.

    JSON-LD goes before microdata, that before meta elements and before what is shown. An organisation counts when
    markup says that the story is its work; the site's own name among other authors does not.
    """
    for names in _sources(markup):
        found = distinct(names)
        own = {folded(site_name)}
        found = [name for name in found if folded(name) not in own] or found
        if found:
            return tuple(found[:_MOST_AUTHORS])
    return ()


def _sources(markup: Markup) -> Iterator[Iterable[str]]:
    yield _from_json_ld(markup)
    yield _names(", ".join(markup.microdata.values("author")))
    for meta in (
        ("author", "dc.creator", "dcterms.creator", "parsely-author", "sailthru.author", "byl", "article:author_name"),
        ("article:author", "og:article:author", "cxenseparse:author", "citation_author", "creator"),
    ):
        yield [name for value in markup.all_meta(*meta) for name in _names(value)]
    shown = extract_author(markup.tree)
    yield _names(shown.replace("; ", ";")) if shown else []


def _from_json_ld(markup: Markup) -> list[str]:
    names: list[str] = []
    for node in (markup.node, *markup.linked_data.articles()):
        for author in [*as_list(node.get("author")), *([] if node.get("author") else as_list(node.get("creator")))]:
            names.extend(_author_names(markup.linked_data.resolve(author)))
        if names:
            break
    return names


def _author_names(author: Any) -> list[str]:
    if isinstance(author, dict):
        names = [one_line(text_of(name)) for name in as_list(author.get("name"))]
        if "organization" in types_of(author) or "newsmediaorganization" in types_of(author):
            return [name for name in names if name and not _NO_NAME.search(name)]
        return [part for name in names for part in _names(name)]
    return _names(text_of(author)) if isinstance(author, str) else []


def _names(text: str) -> list[str]:
    """Return the names in a line such as `By Ann Lee and Bo Chan, Staff Writers`."""
    line = _BY.sub("", one_line(text)[:_LONGEST_LINE])
    found: list[str] = []
    if _ADDRESS.match(line):
        return found
    for part in _JOINS.split(line):
        for place, piece in enumerate(part.split(",")):
            name = _BY.sub("", piece).strip(" .:-–—\"'()")
            if not name or len(name) > _LONGEST_NAME or _NO_NAME.search(name):
                continue
            if (place or found) and OFFICE.search(name):
                continue
            found.append(name)
    return found


def byline_of(markup: Markup, authors: tuple[str, ...]) -> str | None:
    """Return the line that names the authors as the page shows it, or None."""
    wanted = [folded(name) for name in authors]
    for element in markup.tree.iter("p", "div", "span", "address", "a", "li", "h3", "h4", "h5", "h6"):
        if not _marked_as_byline(element):
            continue
        line = one_line(element.text_content())
        if 2 < len(line) <= _LONGEST_BYLINE and (any(name in folded(line) for name in wanted) or _BY.match(line)):
            return line
    return None


def _marked_as_byline(element: HtmlElement) -> bool:
    marks = " ".join(element.get(name) or "" for name in ("class", "itemprop", "rel", "id")).lower()
    return "byline" in marks or "author" in marks or "autor" in marks
