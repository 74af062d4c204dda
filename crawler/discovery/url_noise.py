"""Which parts of a publisher's addresses never matter, so that one story gets new addresses without end. Pure.

Session ids, tokens, cache busters and names of servers are told by what is known of the publisher's own pages: several
of its stories stand at addresses that differ in such a part alone, as canonical links, redirects or equal texts showed,
and no two of them do that are different stories. No list of names is needed, and none would hold everywhere: what is a
token to one publisher chooses the article of another.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from storage.records import KnownPage

MIN_STORIES = 3
"""So many stories must stand at addresses that differ in a part for it to be taken for noise."""

MIN_SAME_TEXTS = 6
"""Likewise where nothing but equal texts shows that: a story may be printed twice, as what an agency wrote is."""
USUAL_SHARE = 0.5
"""Tokens in paths are in the addresses of so many stories at least, which what is printed twice is not."""
_PARAMETERS = frozenset({"query", "path"})
"""The kinds of parts that are parameters: behind the `?`, and behind a `;` in the path."""

_Part = tuple[Hashable, ...]


@dataclass(frozen=True)
class _Address:
    """A URL in its parts: `segments` is how many its path has, `values` what stands in each part that it has."""

    segments: int
    values: dict[_Part, str]

    def without(self, parts: frozenset[_Part]) -> Hashable:
        """Return what is left of it without some parts, to be compared with others."""
        return self.segments, frozenset(item for item in self.values.items() if item[0] not in parts)

    def differing_paths(self, other: "_Address") -> frozenset[_Part]:
        """Return the parts in which two addresses differ, without parameters of either kind."""
        differing = (part for part, _ in self.values.items() ^ other.values.items())
        return frozenset(part for part in differing if part[0] not in _PARAMETERS)


class UrlNoise:
    """What is known of one publisher's addresses. `usual` are the parts in which those of most stories differ."""

    def __init__(self, parts: frozenset[_Part], pages: Iterable[KnownPage], *, usual: frozenset[_Part]) -> None:
        self._parts = parts
        self._usual = usual
        self._pages: dict[Hashable, KnownPage] = {}
        for page in pages if parts else ():
            bare = _parts_of(page.url).without(parts)
            known = self._pages.get(bare)
            self._pages[bare] = page if known is None else _one_of(known, page)

    @classmethod
    def learn(cls, pages: Sequence[KnownPage]) -> "UrlNoise":
        """Learn from pages whose stories are known."""
        addresses = [(_parts_of(page.url), page.story) for page in pages]
        candidates = [part for part, stories in _differing(addresses).most_common() if stories >= MIN_STORIES]
        # Several tokens change together, so all of them are tried at once first.
        noise = frozenset(candidates)
        if _mixes(addresses, noise):
            noise = frozenset()
            for part in candidates:
                if not _mixes(addresses, noise | {part}):
                    noise |= {part}
        by_article = [(address, page.article) for (address, _), page in zip(addresses, pages, strict=True)]
        usual = _usual(by_article, least=MIN_STORIES) | _usual(addresses, least=MIN_SAME_TEXTS)
        return cls(noise, pages, usual=usual)

    def known_key(self, url: str, *, title: str | None, published_at: datetime | None) -> str | None:
        """Return the `url_key` of the page that is known at another address of this one's story; None for no such.

        `title` and `published_at` are the index's own, of which neither may differ. Where the addresses differ in more
        than parameters, there must be a title, and a date too unless half of all stories have addresses that differ so:
        a column that comes out each week under one title, with another number in its address, would else be taken for
        its first issue, and never be fetched, because three others were printed twice.
        """
        if not self._parts:
            return None
        address = _parts_of(url)
        found = self._pages.get(address.without(self._parts))
        if found is None:
            return None
        told = ((title, found.title), (published_at, found.published_at))
        if any(one and other and one != other for one, other in told):
            return None
        differing = address.differing_paths(_parts_of(found.url))
        titled, dated = (bool(one and other) for one, other in told)
        is_sure = not differing or (titled and (dated or differing <= self._usual))
        return found.url_key if is_sure else None


def _parts_of(url: str) -> _Address:
    split = urlsplit(url)
    values: dict[_Part, str] = {("host",): split.netloc.removeprefix("www.")}
    segments = split.path.split("/")[1:]
    for place, segment in enumerate(segments):
        name, *parameters = segment.split(";")
        for parameter in parameters:
            values["path", parameter.partition("=")[0]] = parameter
        values["segment", place] = name
    if segments:
        # What stands behind the last dash of the last segment may be a number or a token by itself.
        stem, dash, tail = values["segment", len(segments) - 1].rpartition("-")
        if dash:
            values["segment", len(segments) - 1], values[("tail",)] = stem, tail
    for parameter in filter(None, split.query.split("&")):
        name, equals, _ = parameter.partition("=")
        part = "query", name if equals else ""
        values[part] = f"{values[part]}&{parameter}" if part in values else parameter
    return _Address(len(segments), values)


def _differing(addresses: Iterable[tuple[_Address, str]]) -> Counter[_Part]:
    """Count for each part the stories at addresses that differ in it; paths of as many segments are compared."""
    of_story: defaultdict[Hashable, list[_Address]] = defaultdict(list)
    for address, story in addresses:
        of_story[story, address.segments].append(address)
    stories: Counter[_Part] = Counter()
    for same in of_story.values():
        parts = {part for address in same for part in address.values} if len(same) > 1 else set()
        stories.update(part for part in parts if len({address.values.get(part) for address in same}) > 1)
    return stories


def _usual(addresses: Sequence[tuple[_Address, str]], *, least: int) -> frozenset[_Part]:
    """Return the parts in which the addresses of most stories differ."""
    most = max(least, USUAL_SHARE * len({story for _, story in addresses}))
    return frozenset(part for part, stories in _differing(addresses).items() if stories >= most)


def _one_of(known: KnownPage, page: KnownPage) -> KnownPage:
    """Return one of two pages of a story, the article's own before another, with what an index says of either."""
    first, other = (page, known) if known.is_alias and not page.is_alias else (known, page)
    return replace(first, title=first.title or other.title, published_at=first.published_at or other.published_at)


def _mixes(addresses: Iterable[tuple[_Address, str]], parts: frozenset[_Part]) -> bool:
    """Whether different stories would have one address without these parts."""
    story_of: dict[Hashable, str] = {}
    return any(story_of.setdefault(address.without(parts), story) != story for address, story in addresses)
