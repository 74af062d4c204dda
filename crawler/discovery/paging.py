"""Which page of a list an address is: `?page=3`, `/page/3/`, `?start=40`. Pure."""

import re
from dataclasses import dataclass

from crawler.urls import InvalidUrl, url_key

_NUMBERED = (
    "page|pagenum|page_num|pagenumber|page_number|pageno|currentpage|current_page|paged|pg|pn|p|seite|pagina|página"
    "|pag|paginanummer|sida|side|sivu|strona|stranka|strana|oldal|sayfa|halaman|trang|страница|стр|pageindex"
)
_OFFSETS = "start|offset|startat|start_index|startindex|limitstart|b_start"
PAGE_WORDS = frozenset(_NUMBERED.split("|")) | frozenset(_OFFSETS.split("|"))
"""Names of parameters, and steps of paths, that a page's number or its first entry's follows."""

_QUERY = re.compile(
    rf"(?:^|&)(?:(?P<page>{_NUMBERED})|(?P<offset>{_OFFSETS}))(?:%3Aint)?=(?P<n>\d{{1,7}})(?=&|$)", re.IGNORECASE
)
_PATH_WORDS = _NUMBERED.replace("|p|", "|")
_PATH = re.compile(
    rf"/(?:(?:{_PATH_WORDS})[/,_:=.-]?(?P<n>\d{{1,5}})|p[/-](?P<p>\d{{1,3}}))(?:/|\.[a-z]{{3,5}})?$", re.IGNORECASE
)
_OWN_NUMBER = re.compile(r"(?:/|(?<=\w)[,_-])(?P<n>\d{1,3})(?P<ending>/|\.[a-z]{3,5})?$", re.IGNORECASE)
_FIGURE = re.compile(r"\d")
_INDEX_PAGE = re.compile(r"/index\.\w{3,5}$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ListPage:
    """A numbered part of a list.

    `base` is the identity of the list itself (a `url_key` without the number), `number` the page's or, where
    `is_offset`, that of its first entry.
    """

    base: str
    number: int
    is_offset: bool


def list_page(url: str) -> ListPage | None:
    """Return which numbered page of which list an address names, or None if it names none.

    `p` is taken for a page's number only up to 999 and below the root, as it names posts too (`/?p=123`).
    """
    if _FIGURE.search(url) is None:
        return None
    try:
        return _list_page(url_key(url))
    except InvalidUrl:
        return None


def same_list(url: str, base: str) -> ListPage | None:
    """Return the page of the list `base` that an address names by a bare number: `/news/2`, `/news_2.html`.

    Only beside the list itself is such a number known to be a page's; below a list that ends in a number, as
    `/archive/2024` does, it is a month.
    """
    try:
        key = url_key(url)
    except InvalidUrl:
        return None
    found = _OWN_NUMBER.search(key)
    if found is None or ("/" in base and base[-1].isdigit()):
        return None
    start, ending = key[: found.start()], (found["ending"] or "").strip("/")
    if base not in (start, start + ending, start.removesuffix("/index")):
        return None
    return ListPage(base=base, number=int(found["n"]), is_offset=False)


def list_base(url: str) -> str:
    """Return the identity of the list that an address shows some page of. Raises `InvalidUrl`."""
    key = url_key(url)
    page = _list_page(key)
    return page.base if page else _base(key)


def _list_page(key: str) -> ListPage | None:
    path, mark, query = key.partition("?")
    found = _QUERY.search(query) if mark else None
    if found:
        number = int(found["n"])
        if (found["page"] or "").lower() == "p" and (number > 999 or not path.partition("/")[2]):
            return None
        rest = (query[: found.start()] + query[found.end() :]).strip("&")
        base = path + (f"?{rest}" if rest else "")
        return ListPage(base=_base(base), number=number, is_offset=found["offset"] is not None)
    found = _PATH.search(path)
    if not found:
        return None
    number = int(found["n"] or found["p"])
    return ListPage(base=_base(path[: found.start()] + mark + query), number=number, is_offset=False)


def _base(key: str) -> str:
    path, mark, query = key.partition("?")
    return _INDEX_PAGE.sub("", path).rstrip("/") + mark + query
