"""AMP, mobile and print pages, and others that name another address as their own: which page stands for them. Pure.

What a page says of itself is believed only within its publisher, and only where it can be true; whether an article
stands at that address is found out by looking there (`storage.page_identity`).
"""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from crawler.extraction.addresses import PageAddresses
from crawler.extraction.part_numbers import is_sure_part
from crawler.urls import InvalidUrl, feed_entry, registrable_domain, url_key
from storage.records import FeedEntry

AMP, MOBILE, PRINT, PART, CANONICAL = "amp", "mobile", "print", "part", "canonical"

_AMP_HOST = re.compile(r"amp\.", re.IGNORECASE)
_AMP_STEP = re.compile(r"/amp(?=/|$)|[./]amp(?:\.html?)?$|\.amp\.html?$", re.IGNORECASE)
_AMP_QUERY = re.compile(
    r"(?:^|&)(?:amp(?:=(?:1|true|yes)?)?|outputtype=amp(?:-type)?|output=amp|_amp=true)(?=&|$)", re.IGNORECASE
)
_MOBILE_HOST = re.compile(r"(?:m|mobile|mobil|touch|wap)\.", re.IGNORECASE)
_PRINT_STEP = re.compile(
    r"/(?:print|printable|druck|druckversion|drucken|imprimir|imprimer|stampa)(?=/|$|\.)|[.,-]print(?:\.html?)?$",
    re.IGNORECASE,
)
_PRINT_QUERY = re.compile(
    r"(?:^|&)(?:(?:print|printable|printview|druck|imprimir)(?:=(?:1|true|yes|y)?)?|(?:view|mode|type|output|format)=print\w*)(?=&|$)",
    re.IGNORECASE,
)
_HOME = re.compile(r"/(?:(?:index|default|home|main)(?:\.\w+)?/?|[a-z]{2}(?:[-_][a-z]{2})?/?)?", re.IGNORECASE)
_ONE_WORD = re.compile(r"/[^\W\d_]+/?")


@dataclass(frozen=True, kw_only=True)
class Primary:
    """The page that a page names in its own stead; `reason` is `amp`, `mobile`, `print`, `part` or `canonical`."""

    entry: FeedEntry
    reason: str


def primary_of(url: str, addresses: PageAddresses) -> Primary | None:
    """Return the page that stands for the page at `url` by what that says of itself; None where it is its own.

    Nothing is believed of a page that names several addresses, one of another publisher (of an AMP cache, too, whose
    pages name their publisher's), a home page, or a section above itself. The first part of an article stands for
    the others whatever they say, but for one that may be an article of a series (`may_stand_alone`).
    """
    form = form_of(url, is_amp=addresses.is_amp)
    named, reason = _named(addresses, known_form=form is not None), form or CANONICAL
    if addresses.part > 1 and addresses.first_part is not None and not may_stand_alone(url, addresses):
        named, reason = addresses.first_part, PART
    if named is None:
        return None
    try:
        entry = feed_entry(named)
        if entry.url_key == url_key(url) or registrable_domain(named) != registrable_domain(url):
            return None
    except InvalidUrl:
        return None
    return None if _is_no_article(urlsplit(entry.url), urlsplit(url)) else Primary(entry=entry, reason=reason)


def may_stand_alone(url: str, addresses: PageAddresses) -> bool:
    """Tell whether what looks like a part of an article may be the second article of a series: it names itself.

    Publishers name the further pages of one article so too; but these have addresses that count pages.
    """
    return states_own_address(url, addresses) and not is_sure_part(url)


def states_own_address(url: str, addresses: PageAddresses) -> bool:
    """Tell whether a page says that its article stands at its own address, and nowhere else."""
    stated = addresses.canonical or tuple(filter(None, (addresses.linked_data, addresses.own)))[:1]
    try:
        return {url_key(address) for address in stated} == {url_key(url)}
    except InvalidUrl:
        return False


def form_of(url: str, *, is_amp: bool = False) -> str | None:
    """Return what kind of variant an address or its markup shows (`amp`, `mobile`, `print`), None for a plain page."""
    parts = urlsplit(url)
    host = parts.netloc
    if is_amp or _AMP_HOST.match(host) or _AMP_STEP.search(parts.path) or _AMP_QUERY.search(parts.query):
        return AMP
    if _PRINT_STEP.search(parts.path) or _PRINT_QUERY.search(parts.query):
        return PRINT
    return MOBILE if _MOBILE_HOST.match(host) and host.count(".") > 1 else None


def _named(addresses: PageAddresses, *, known_form: bool) -> str | None:
    """Return the one address that a page names; `og:url` is asked only of a page that is plainly a variant."""
    names: dict[str, str] = {}
    for address in addresses.canonical:
        try:
            names.setdefault(url_key(address), address)
        except InvalidUrl:
            continue
    if len(names) > 1:
        return None
    return next(iter(names.values()), addresses.own if known_form else None)


def _is_no_article(target: SplitResult, page: SplitResult) -> bool:
    """Tell whether an address can only be that of a home page, or of a section that the page stands under."""
    if not target.query and _HOME.fullmatch(target.path):
        return True
    own = _AMP_STEP.sub("", _PRINT_STEP.sub("", page.path)).rstrip("/")
    above = not target.query and _ONE_WORD.fullmatch(target.path) is not None
    return above and own != target.path.rstrip("/")
