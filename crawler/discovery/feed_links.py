"""Decides which entries of an index are wanted, and says of the others why not. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from crawler.discovery.gathering import key_or_none
from crawler.discovery.listing import Listing
from crawler.discovery.targets import leads_to_page
from crawler.urls import in_scope, registrable_domain
from storage.records import FeedEntry

STAYING_SHARE = 0.6
"""Share of an index's entries that must stay with the publisher for the others to count as leading elsewhere."""


@dataclass(frozen=True, kw_only=True)
class SortedEntries:
    """The entries that are wanted, in the order of the index, and how many are not, by reason.

    `excluded` (the source's patterns), `not_a_page` (a document, picture or sound by its extension), `home_page` (the
    index's own, or the publisher's), `paid` (marked as paid for), `elsewhere` (at another publisher). What reading the
    index left out already is not among them.
    """

    wanted: Sequence[FeedEntry]
    left_out: Mapping[str, int]


def sort_entries(
    listing: Listing,
    *,
    url: str,
    publisher_domains: frozenset[str],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> SortedEntries:
    """Sort the entries of the index at `url`. `publisher_domains` are registrable domains.

    An entry at another registrable domain than the publisher's and the index's own is left out where three fifths of
    the entries stay at these, unless a pattern of `include` fits it. Where most lead elsewhere, all are wanted: that is
    an index of other publishers' articles, or one whose entries all lead over a shortener or a counting proxy, and only
    the redirect tells where to.
    """
    own_domains = publisher_domains | {registrable_domain(url)}
    home_key = key_or_none(listing.home_url)
    left_out: Counter[str] = Counter()
    pages: list[FeedEntry] = []
    for entry in listing.entries:
        if (include or exclude) and not in_scope(entry.url, include=include, exclude=exclude):
            left_out["excluded"] += 1
        elif not leads_to_page(entry.url):
            left_out["not_a_page"] += 1
        elif entry.url_key == home_key or (_is_root(entry.url) and registrable_domain(entry.url) in own_domains):
            left_out["home_page"] += 1
        elif entry.url_key in listing.paid:
            left_out["paid"] += 1
        else:
            pages.append(entry)
    staying = [entry for entry in pages if registrable_domain(entry.url) in own_domains]
    if not include and len(staying) >= STAYING_SHARE * len(pages):
        left_out["elsewhere"] += len(pages) - len(staying)
        pages = staying
    return SortedEntries(wanted=tuple(pages), left_out=dict(+left_out))


def _is_root(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query
