"""Gathers the entries of an index, each page once, and counts what is not among them. Pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from crawler.discovery.listing import FoundBy, FoundIndex
from crawler.urls import InvalidUrl, clean_url, feed_entry, joined_url, url_key
from storage.model import FeedKind
from storage.records import FeedEntry


class Gathering:
    """The entries and indexes found so far, at most `limit` of each. `own_url` is the index's own, or None where it
    names no others."""

    def __init__(self, *, limit: int, own_url: str | None = None) -> None:
        self._limit = limit
        self._entries: dict[str, FeedEntry] = {}
        self._indexes: dict[str, FoundIndex] = {}
        self._paid: set[str] = set()
        self._own_key = key_or_none(own_url)
        self.left_out: Counter[str] = Counter()

    @property
    def entries(self) -> tuple[FeedEntry, ...]:
        return tuple(self._entries.values())

    @property
    def indexes(self) -> tuple[FoundIndex, ...]:
        return tuple(self._indexes.values())

    @property
    def paid(self) -> frozenset[str]:
        return frozenset(self._paid)

    def add(
        self,
        links: Iterable[str],
        *,
        title: str | None = None,
        published_at: datetime | None = None,
        published_raw: str | None = None,
        updated_at: datetime | None = None,
        entry_id: str | None = None,
        paid: bool = False,
    ) -> None:
        """Take an entry in by the first of `links`, best first, that is a web address."""
        for link in links:
            try:
                entry = feed_entry(
                    link,
                    title=title,
                    published_at=published_at,
                    published_raw=published_raw,
                    updated_at=updated_at,
                    entry_id=entry_id,
                )
            except InvalidUrl:
                continue
            self._take(entry, paid=paid)
            return
        self.left_out["no_url"] += 1

    def _take(self, entry: FeedEntry, *, paid: bool) -> None:
        if entry.url_key in self._entries:
            self.left_out["repeated"] += 1
        elif len(self._entries) >= self._limit:
            self.left_out["too_many"] += 1
        else:
            self._entries[entry.url_key] = entry
            if paid:
                self._paid.add(entry.url_key)

    def add_index(self, link: str, *, changed_at: datetime | None) -> None:
        """Take in a sitemap that a sitemap index names."""
        try:
            clean, key = clean_url(link), url_key(link)
        except InvalidUrl:
            self.left_out["no_url"] += 1
            return
        if key in self._indexes or key == self._own_key:
            self.left_out["repeated"] += 1
        elif len(self._indexes) >= self._limit:
            self.left_out["too_many"] += 1
        else:
            self._indexes[key] = FoundIndex(
                url=clean, kind=FeedKind.SITEMAP, found_by=FoundBy.SITEMAP_INDEX, changed_at=changed_at
            )


def absolute(link: str, base: str) -> str:
    """Return a link made absolute, or an empty string where it is beyond that.

    One that is absolute stays as it is: joining would drop an empty parameter or query at its end.
    """
    link = link.strip()
    if not link or link[:8].lower().startswith(("http://", "https://")):
        return link
    try:
        return joined_url(base, link)
    except InvalidUrl:
        return ""


def key_or_none(url: str | None) -> str | None:
    """Return a URL's identity, or None where it is no web address."""
    try:
        return url_key(url) if url else None
    except InvalidUrl:
        return None


def clean_or_none(url: str | None) -> str | None:
    """Return a URL's form to request, or None where it is no web address."""
    try:
        return clean_url(url) if url else None
    except InvalidUrl:
        return None
