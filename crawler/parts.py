"""Reads the further parts of an article that stands on several pages, so that nothing half is taken for its text."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from crawler.extraction.addresses import NO_ADDRESSES, PageAddresses
from crawler.extraction.joining import Joining
from crawler.extraction.text import key
from crawler.fetching import Fetched
from crawler.politeness import FetchingStopped
from crawler.urls import InvalidUrl, url_key
from crawler.variants import may_stand_alone
from storage.model import ExtractedArticle, HttpExchange
from storage.outcomes import Outcome, Trait, with_trait
from storage.records import Fetch

MAX_PARTS = 20
MAX_BYTES = 32 * 1024 * 1024
"""All bodies of the parts of one article, as sent: they are held in memory until the article is recorded."""
_WHOLE = "whole"
OTHER_ARTICLE = "other_article"
"""Why what looked like a part is none: the second article of a series."""
OTHER_TEXT = "other_text"
"""The same: nothing stands where the story stands on its first page, but comments, or a list, elsewhere."""
_ENDS = with_trait(Trait.NO_SUCH_PART)
_REFUSALS = with_trait(Trait.PART_REFUSED)
"""Then the article is what stands before it, unless we had that part already."""
_ROBOTS_UNKNOWN = frozenset({"robots_unreachable", "robots_unreadable"})
"""Reasons that hold for now only."""


@dataclass(frozen=True, kw_only=True)
class PartRead:
    """What a response that was to be a part came to: an article's text with its exchange, or the outcome instead.

    `opt_outs` are what the answer reserves.
    """

    article: ExtractedArticle | None = None
    addresses: PageAddresses = NO_ADDRESSES
    exchange: HttpExchange | None = None
    body_digest: str | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    opt_outs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The further parts of an article: those that were read, in order, and the row of every attempt at one; and the
    article of which they are parts.

    With `failure`, an outcome and a reason code such as `part_3`, nothing may be concluded: a part could not be had
    now. `in_parts` is False where what looked like a second part is none.
    """

    read: Sequence[PartRead] = ()
    fetches: Sequence[Fetch] = ()
    article: ExtractedArticle
    failure: tuple[Outcome, str] | None = None
    in_parts: bool = True


class PartsStopped(FetchingStopped):
    """No further part may be asked for; `fetches` are the rows of those that were."""

    def __init__(self, fetches: Sequence[Fetch]) -> None:
        super().__init__()
        self.fetches = fetches


@dataclass(kw_only=True)
class PartsReader:
    """Reads the parts of one article. `fetch` asks for an address, politely, `read` reads the answer.

    `parts_had` says how many further parts the article has by its current version; it is asked only if a part is
    refused or missing. `missed_before` says that an hour ago or earlier the article could not be had whole: then it
    ends before a part that is missing again. `page_id` is the page of the first part, under which all rows are kept.
    `resigned` says that a part has failed often enough: then the article ends before one that fails.
    """

    fetch: Callable[[str], Awaitable[Fetched]]
    read: Callable[[Fetched], Awaitable[PartRead]]
    parts_had: Callable[[], Awaitable[int]]
    page_id: int
    missed_before: bool = False
    resigned: bool = False
    _parts: list[PartRead] = field(default_factory=list)
    _fetches: list[Fetch] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _containers: tuple[str, ...] = ()
    _before_another: bool = False

    async def parts_of(self, first: ExtractedArticle, addresses: PageAddresses, *, url: str) -> Parts:
        """Return the further parts of the article that begins at `url`.

        The article on one page is taken where a link offers it and it holds more than the first part; else the parts
        are followed one by one, `MAX_PARTS` at most, until one is the last or brings nothing new. Raises
        `PartsStopped`.
        """
        try:
            return await self._follow(first, addresses, url=url)
        except FetchingStopped as stopped:
            raise PartsStopped(tuple(self._fetches)) from stopped

    async def _follow(self, first: ExtractedArticle, addresses: PageAddresses, *, url: str) -> Parts:
        self._seen.add(url_key(url))
        self._containers = addresses.containers
        joining = Joining(first)
        if addresses.whole is not None:
            await self._take(addresses.whole, _WHOLE, joining)
            if self._parts:
                return self._all(joining)
        following, number = addresses.next_part, 2
        while following is not None and number <= MAX_PARTS and self._bytes() < MAX_BYTES:
            part = await self._take(following, f"part_{number}", joining)
            if part is None:
                return self._all(joining, await self._missed(number))
            if part.outcome is not None:
                return self._all(joining, await self._failure(part, number))
            following, number = part.addresses.next_part, number + 1
        return self._all(joining)

    def _all(self, joining: Joining, failure: tuple[Outcome, str] | None = None) -> Parts:
        return Parts(
            read=tuple(self._parts),
            fetches=tuple(self._fetches),
            article=joining.article,
            failure=failure,
            in_parts=bool(self._parts) or not self._before_another,
        )

    def _bytes(self) -> int:
        return sum(len(part.exchange.body) for part in self._parts if part.exchange is not None)

    async def _take(self, url: str, name: str, joining: Joining) -> PartRead | None:
        """Fetch and read one part; None where there is none: it was seen already, or repeats what was."""
        if not self._is_new(url):
            return None
        fetched = await self.fetch(url)
        part = await self.read(fetched)
        if part.article is not None and (none := self._no_part(fetched.final_url, part, joining.article)):
            self._before_another = True
            self._note(fetched, part, none)
            return None
        self._note(fetched, part, name)
        if part.article is None:
            return part
        moved = len(fetched.hops) > 1 and not self._is_new(fetched.final_url)
        if moved or not joining.add(part.article):
            return None
        self._parts.append(part)
        return part

    def _no_part(self, url: str, part: PartRead, first: ExtractedArticle) -> str | None:
        """Return why what looked like a part is none; None for a part."""
        if part.article is not None and _is_another(url, part.article, part.addresses, first):
            return OTHER_ARTICLE
        theirs = part.addresses.containers
        if self._containers and theirs and self._containers[0] not in theirs:
            return OTHER_TEXT
        return None

    def _is_new(self, url: str) -> bool:
        try:
            key = url_key(url)
        except InvalidUrl:
            return False
        new = key not in self._seen
        self._seen.add(key)
        return new

    def _note(self, fetched: Fetched, part: PartRead, name: str) -> None:
        """Keep the rows of an attempt: a part that was read is no article of its own."""
        rows = [fetched.fetch(place, page_id=self.page_id) for place in range(len(fetched.hops))]
        outcome = Outcome.NOT_ARTICLE if part.outcome is None else part.outcome
        reason = name if part.outcome is None else part.reason
        opt_outs = tuple(dict.fromkeys((*rows[-1].opt_outs, *part.opt_outs)))
        self._fetches.extend((*rows[:-1], replace(rows[-1], outcome=outcome, reason=reason, opt_outs=opt_outs)))

    async def _missed(self, number: int) -> tuple[Outcome, str] | None:
        """Return the failure that a missing part is where the article had it; None where it ends, or ended before.

        Not `missing`, which would speak of the whole article.
        """
        if self.missed_before or await self.parts_had() < number - 1:
            return None
        return Outcome.HTTP_ERROR, f"part_{number}"

    async def _failure(self, part: PartRead, number: int) -> tuple[Outcome, str] | None:
        """Return why nothing can be said of the article now; None where it ends before this part."""
        outcome = part.outcome
        if outcome is None or outcome in _ENDS:
            return await self._missed(number)
        if outcome in _REFUSALS and part.reason not in _ROBOTS_UNKNOWN:
            return (outcome, f"part_{number}") if await self.parts_had() >= number - 1 else None
        return None if self.resigned else (outcome, f"part_{number}")


def _is_another(url: str, part: ExtractedArticle, addresses: PageAddresses, first: ExtractedArticle) -> bool:
    """Tell whether what looked like a part is an article of a series: it names itself, with its own headline or date.

    The headline of a part may have its number added.
    """
    if not may_stand_alone(url, addresses):
        return False
    ours, theirs = key(first.headline), key(part.headline)
    renamed = not (ours.startswith(theirs) or theirs.startswith(ours))
    return renamed or (None not in (first.published, part.published) and _day(first) != _day(part))


def _day(article: ExtractedArticle) -> str:
    return article.published.local[:10] if article.published is not None else ""
