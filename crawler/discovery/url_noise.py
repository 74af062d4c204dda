"""Which parts of a publisher's addresses never matter, so that one story gets new addresses without end. Pure.

Session ids, tokens, cache busters and names of servers are told by what is known of the publisher's own pages: several
of its stories stand at addresses that differ in such a part alone, as canonical links, redirects or equal texts showed,
and no two of them do that are different stories. No list of names is needed, and none would hold everywhere: what is a
token to one publisher chooses the article of another.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from storage.records import KnownPage

MIN_STORIES = 3
"""So many stories must stand at addresses that differ in a part for it to be taken for noise."""

_Part = tuple[Hashable, ...]


@dataclass(frozen=True)
class _Address:
    """A URL in its parts: `segments` is how many its path has, `values` what stands in each part that it has."""

    segments: int
    values: dict[_Part, str]

    def without(self, parts: frozenset[_Part]) -> Hashable:
        """Return what is left of it without some parts, to be compared with others."""
        return self.segments, frozenset(item for item in self.values.items() if item[0] not in parts)


class UrlNoise:
    """What is known of one publisher's addresses."""

    def __init__(self, parts: frozenset[_Part], pages: Iterable[KnownPage]) -> None:
        self._parts = parts
        self._pages: dict[Hashable, KnownPage] = {}
        if parts:
            for page in pages:
                known = self._pages.setdefault(_parts_of(page.url).without(parts), page)
                if known.is_alias and not page.is_alias:
                    self._pages[_parts_of(page.url).without(parts)] = page

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
        return cls(noise, pages)

    def known_key(self, url: str, *, title: str | None) -> str | None:
        """Return the `url_key` of the page that is known at another address of this one's story; None for no such.

        `title` is the index's own of it: the same address may be given to another story one day.
        """
        if not self._parts:
            return None
        found = self._pages.get(_parts_of(url).without(self._parts))
        if found is None or (title and found.title and title != found.title):
            return None
        return found.url_key


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


def _mixes(addresses: Iterable[tuple[_Address, str]], parts: frozenset[_Part]) -> bool:
    """Whether different stories would have one address without these parts."""
    story_of: dict[Hashable, str] = {}
    return any(story_of.setdefault(address.without(parts), story) != story for address, story in addresses)
