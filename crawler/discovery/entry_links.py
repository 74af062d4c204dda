"""Which of the links of a feed's entry is the address of its page. Pure.

Some feeds give every entry the same link, the publisher's home page or a section, and its own address elsewhere: in the
`guid`, the `id`, or another relation.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from crawler.discovery.gathering import key_or_none

MAX_ID_LENGTH = 500
"""Characters of an entry's id, well within what an index of a database can hold."""


@dataclass(frozen=True, kw_only=True)
class EntryLinks:
    """The links of one entry, all absolute, what may best be its page's address first; and its title."""

    links: Sequence[str]
    title: str | None = None


def own_links(entries: Sequence[EntryLinks], *, feed_url: str, home_url: str | None) -> list[Sequence[str]]:
    """Return the links of each entry, those that are of this entry alone before those that are not.

    The home page of a host, the page that the feed says it belongs to, and the feed itself are nobody's article. Nor is
    a link that entries with other titles have too, where each of these has an address besides that no other has: an
    entry that is only listed again keeps its link.
    """
    nobodys = {key_or_none(feed_url), key_or_none(home_url), None}
    found = [_Keyed(entry) for entry in entries]
    shared = _shared(found)
    with_others = [one for one in found if one.first_key in shared]
    others: dict[str, set[str | None]] = {}
    for one in with_others:
        for key in {key for key in one.keys[1:] if key is not None and not _is_general(key, nobodys)}:
            others.setdefault(key, set()).add(one.entry.title)
    only_their_own = {key for key, titles in others.items() if len(titles) == 1}
    return [one.ordered(nobodys, shared, only_their_own) for one in found]


def own_ids(ids: Sequence[str | None]) -> list[str | None]:
    """Return the ids of a feed's entries, None for what is empty, too long, or the id of others too."""
    stripped = [(entry_id or "").strip() for entry_id in ids]
    times = Counter(stripped)
    return [one if 0 < len(one) <= MAX_ID_LENGTH and times[one] == 1 else None for one in stripped]


class _Keyed:
    """An entry with the identities of its links; of most entries only the first is asked for."""

    def __init__(self, entry: EntryLinks) -> None:
        self.entry = entry
        self.first_key = key_or_none(entry.links[0]) if entry.links else None
        self._keys: list[str | None] | None = None

    @property
    def keys(self) -> list[str | None]:
        if self._keys is None:
            self._keys = [self.first_key, *map(key_or_none, self.entry.links[1:])]
        return self._keys

    def ordered(self, nobodys: set[str | None], shared: set[str], only_their_own: set[str]) -> Sequence[str]:
        """Return the links in order: the first stays the first unless it is not this entry's and another is."""
        if len(self.entry.links) < 2:
            return self.entry.links
        if self.first_key in shared:
            own = [key in only_their_own for key in self.keys]
        elif self.first_key is None or _is_general(self.first_key, nobodys):
            own = [key is not None and not _is_general(key, nobodys) for key in self.keys]
        else:
            return self.entry.links
        pairs = list(zip(self.entry.links, own, strict=True))
        return [*(link for link, is_own in pairs if is_own), *(link for link, is_own in pairs if not is_own)]


def _shared(found: Iterable[_Keyed]) -> set[str]:
    """Return the identities of first links that entries with different titles have."""
    titles: dict[str, set[str | None]] = {}
    times: Counter[str] = Counter()
    for one in found:
        if one.first_key is not None:
            titles.setdefault(one.first_key, set()).add(one.entry.title)
            times[one.first_key] += 1
    return {key for key, count in times.items() if count > 1 and len(titles[key]) > 1}


def _is_general(key: str, nobodys: set[str | None]) -> bool:
    parts = urlsplit(f"//{key}")
    return key in nobodys or (parts.path in ("", "/") and not parts.query)


def base_of(feed_url: str, home_url: str | None) -> str:
    """Return what the relative links of a feed's entries are meant by: the page that the feed belongs to.

    So its writers mean them, and readers take them: the feed may lie in another folder, or be handed on by another
    host. A home page on a machine without a domain was forgotten there by whoever built the site. `xml:base` goes
    before all of this; what it says was applied already.
    """
    if home_url is None:
        return feed_url
    named, asked = urlsplit(home_url).hostname or "", urlsplit(feed_url).hostname or ""
    return feed_url if "." not in named and named != asked else home_url
