"""Which addresses are those of parts of one page: `?page=2`, `/seite-2`, `/2/`, `name-2.html`. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

_PAGES = "page|pagina|página|pag|pg|seite|side|sida|strona|sivu|sayfa|strana|stranka|stranica|oldal|hoja|blad"
_PARTS = "teil|part|partie|parte|deel|folge|episode"
_WORDS = f"{_PAGES}|{_PARTS}"
_COUNTS_PARTS = re.compile(rf"(?:{_PARTS})[-_/]?", re.IGNORECASE)
"""In a path these count the articles of a series as often as the pages of one."""
_PARAMETERS = re.compile(
    rf"(?:{_WORDS}|p|s|paged|pageno|page_no|pagenum|pagenumber|currentpage|curpage)", re.IGNORECASE
)
_WORDED_STEP = re.compile(rf"(?P<base>.+?)/(?P<word>(?:{_WORDS})[-_/]?|p)(?P<number>\d{{1,2}})/?", re.IGNORECASE)
_BARE_STEP = re.compile(r"(?P<base>.+)/(?P<number>\d{1,2})/?")
_NAME = re.compile(
    rf"(?P<stem>.*?[^/\d])[-_.,~](?P<word>(?:{_WORDS}|p|s)[-_]?)?(?P<number>\d{{1,2}})(?P<ending>\.[a-z]{{2,5}})?/?",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class PartNumber:
    """One way to read an address: part `number` of what stands at `base`.

    It is `sure` where a word or parameter says that a number counts pages. A bare number at the end of a path or a
    name, and a `part-2`, may as well be that of another article.
    """

    base: str
    number: int
    sure: bool


def part_numbers(url: str) -> list[PartNumber]:
    """Return the ways in which an address may be that of a part, the sure ones first."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    host, path = parts.netloc.lower().removeprefix("www."), parts.path
    found = list(_in_query(host, path, parts.query))
    rest = "&".join(sorted(filter(None, parts.query.split("&"))))
    if step := _WORDED_STEP.fullmatch(path):
        found.append(_read(host, step["base"], rest, step["number"], sure=_counts_pages(step["word"])))
    elif step := _BARE_STEP.fullmatch(path):
        found.append(_read(host, step["base"], rest, step["number"], sure=False))
    if name := _NAME.fullmatch(path):
        base = name["stem"] + (name["ending"] or "")
        found.append(_read(host, base, rest, name["number"], sure=_counts_pages(name["word"])))
    return [number for number in found if number.number > 0]


def is_sure_part(url: str) -> bool:
    """Tell whether an address says that it is that of a further page of something."""
    return any(number.sure and number.number > 1 for number in part_numbers(url))


def base_of(url: str) -> str:
    """Return an address in the form that `PartNumber.base` has: what it is the first part of, if it is one."""
    parts = urlsplit(url)
    rest = "&".join(sorted(filter(None, parts.query.split("&"))))
    return _base(parts.netloc.lower().removeprefix("www."), parts.path, rest)


def _counts_pages(word: str | None) -> bool:
    return word is not None and _COUNTS_PARTS.fullmatch(word) is None


def _in_query(host: str, path: str, query: str) -> Iterator[PartNumber]:
    pairs = [pair for pair in query.split("&") if pair]
    for pair in pairs:
        name, _, value = pair.partition("=")
        if _PARAMETERS.fullmatch(name) and value.isdecimal() and len(value) < 3:
            rest = "&".join(sorted(other for other in pairs if other is not pair))
            yield _read(host, path, rest, value, sure=True)


def _read(host: str, path: str, query: str, number: str, *, sure: bool) -> PartNumber:
    return PartNumber(base=_base(host, path, query), number=int(number), sure=sure)


def _base(host: str, path: str, query: str) -> str:
    return f"{host}{path.rstrip('/')}?{query}"
