"""Sorts the links of a section or home page: articles, further sections, the next page, and what is left out. Pure.

What a link leads to is judged by its address (`crawler.discovery.url_shapes`) and, where that leaves doubt, by how it
stands on the page: a headline of many words in a card with a date, or a word in a menu.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from crawler.discovery.index_page import IndexPage, PageLink
from crawler.discovery.link_traps import trap_of
from crawler.discovery.listing import FoundBy, FoundIndex
from crawler.discovery.paging import list_base, list_page
from crawler.discovery.url_forms import ANNOUNCED
from crawler.discovery.url_shapes import Judgement, UrlShapes
from crawler.discovery.url_words import LinkKind, is_page
from crawler.urls import feed_entry, in_scope, registrable_domain, url_key
from storage.model import FeedKind
from storage.records import FeedEntry

MAX_EXPLAINED = 500
MAX_TITLE = 200
ARTICLE_SCORE = 0.6
"""The log-odds from which a link is followed as an article: somewhat better than even."""
_IN_NAVIGATION = -2.0
_HEADING = 1.0
_DATED = 1.2
_PAID = frozenset({"sponsored", "ugc-ad", "advertisement"})


@dataclass(frozen=True, kw_only=True)
class SortedLinks:
    """What a page leads to. `sections` begin with those that articles are known to stand below, then those in menus.

    `left_out` counts, by reason, the links that are none of it: `excluded`, `not_a_page`, `elsewhere` (another
    publisher), `other_host` (no articles are known there), `paid`, `nofollow`, `itself`, `feed`, `pagination`, a trap's
    name (`crawler.discovery.link_traps`), a kind of page (`tag`, `author`, `video`, …) or `undecided`. `explained` says
    of each link, up to `MAX_EXPLAINED`, its URL, what it is taken for (`article`, `section`, `next_page` or `left_out`)
    and why.
    """

    articles: Sequence[FeedEntry]
    sections: Sequence[FoundIndex]
    next_pages: Sequence[FoundIndex]
    left_out: Mapping[str, int]
    explained: Sequence[tuple[str, str, str]]


@dataclass(kw_only=True)
class _Sorting:
    articles: list[FeedEntry] = field(default_factory=list)
    sections: list[tuple[tuple[bool, bool, int], FoundIndex]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    explained: list[tuple[str, str, str]] = field(default_factory=list)

    def explain(self, url: str, verdict: str, reason: str) -> None:
        if len(self.explained) < MAX_EXPLAINED:
            self.explained.append((url, verdict, reason))

    def leave_out(self, url: str, reason: str) -> None:
        self.left_out[reason] += 1
        self.explain(url, "left_out", reason)


def sort_links(
    page: IndexPage,
    *,
    url: str,
    shapes: UrlShapes,
    publisher_domains: frozenset[str],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> SortedLinks:
    """Sort the links of the page at `url`.

    `publisher_domains` are registrable domains (`crawler.urls.registrable_domain`); the page's own is one in any case.
    What fits `exclude` is left out, what fits `include` is an article whatever it looks like, and where there are
    `include` patterns, nothing else is one; sections are followed all the same, as the way to it.
    """
    domains = publisher_domains | {registrable_domain(url)}
    scope = _Scope(url=url, domains=domains, include=include, exclude=exclude, shapes=shapes)
    sorting = _Sorting()
    next_pages = [] if page.nofollow else _next_pages(page, scope, sorting)
    known = set() if page.nofollow else {url_key(next_url) for next_url in page.next_urls}
    feeds = {url_key(feed.url) for feed in page.feeds}
    for link in page.links:
        key = url_key(link.url)
        if key in known:
            continue
        if page.nofollow:
            sorting.leave_out(link.url, "nofollow")
        elif key in feeds:
            sorting.leave_out(link.url, "feed")
        else:
            scope.sort(link, key, sorting)
    for reason, count in page.left_out.items():
        sorting.left_out[reason] += count
    return SortedLinks(
        articles=sorting.articles,
        sections=[found for _, found in sorted(sorting.sections, key=lambda section: section[0])],
        next_pages=next_pages,
        left_out=sorting.left_out,
        explained=sorting.explained,
    )


def _next_pages(page: IndexPage, scope: "_Scope", sorting: _Sorting) -> list[FoundIndex]:
    found = []
    for url in page.next_urls:
        trap = trap_of(url)
        if registrable_domain(url) not in scope.domains:
            sorting.leave_out(url, "elsewhere")
        elif not in_scope(url, include=(), exclude=scope.exclude):
            sorting.leave_out(url, "excluded")
        elif trap == "calendar" or (trap and trap != trap_of(scope.url)):
            # The next month has a next month too; what was filtered when it was named may go on so.
            sorting.leave_out(url, trap)
        else:
            found.append(FoundIndex(url=url, kind=FeedKind.SECTION, found_by=FoundBy.PAGINATION))
            sorting.explain(url, "next_page", "pagination")
    return found


@dataclass(frozen=True, kw_only=True)
class _Scope:
    """Whose links are followed, and which of them."""

    url: str
    domains: frozenset[str]
    include: Sequence[str]
    exclude: Sequence[str]
    shapes: UrlShapes

    def sort(self, link: PageLink, key: str, sorting: _Sorting) -> None:
        """Put one link where it belongs."""
        if key == url_key(self.url):
            sorting.leave_out(link.url, "itself")
        elif self.exclude and not in_scope(link.url, include=(), exclude=self.exclude):
            sorting.leave_out(link.url, "excluded")
        elif self._is_included(link.url):
            self._is_article(link, "included", sorting)
        else:
            reason = self._unwanted(link)
            if reason:
                sorting.leave_out(link.url, reason)
            else:
                self._sort_by_kind(link, sorting)

    def _is_included(self, url: str) -> bool:
        """Whether a pattern of `include` fits; one of a path alone says nothing of other publishers' pages."""
        own = registrable_domain(url) in self.domains
        patterns = [pattern for pattern in self.include if own or not pattern.startswith("/")]
        return bool(patterns) and in_scope(url, include=patterns, exclude=())

    def _unwanted(self, link: PageLink) -> str | None:
        """Return why a link is not followed, whatever its address looks like."""
        if registrable_domain(link.url) not in self.domains:
            return "elsewhere"
        if link.rel & _PAID:
            return "paid"
        if not is_page(link.url.partition("?")[0]):
            return "not_a_page"
        if "nofollow" in link.rel:
            return "nofollow"
        trap = trap_of(link.url)
        if trap and not (trap == "calendar" and self._is_story(link)):
            return trap
        return "pagination" if self._is_page_of_list(link.url) else None

    def _is_page_of_list(self, url: str) -> bool:
        """Whether an address is a further page of some list, which is reached from its first one, or of this list."""
        page = list_page(url)
        return page is not None and (page.number > (0 if page.is_offset else 1) or page.base == list_base(self.url))

    def _is_story(self, link: PageLink) -> bool:
        return self.shapes.judge(link.url).kind is LinkKind.ARTICLE

    def _sort_by_kind(self, link: PageLink, sorting: _Sorting) -> None:
        judged = self.shapes.judge(link.url)
        if judged.kind in ANNOUNCED:
            # Their links look like those of articles: only the publisher's own addresses can tell that they are.
            sorting.leave_out(link.url, str(judged.kind))
        elif _is_article(link, judged):
            if self.include:
                sorting.leave_out(link.url, "excluded")
            else:
                self._is_article(link, _why(judged), sorting)
        elif judged.kind is LinkKind.SECTION or link.in_navigation:
            self._is_section(link, judged, sorting)
        else:
            sorting.leave_out(link.url, "undecided")

    def _is_section(self, link: PageLink, judged: Judgement, sorting: _Sorting) -> None:
        """Take a link for a section, unless it leads to a host that is not known to have articles: shops, jobs."""
        if _host(link.url) != _host(self.url) and not self.shapes.knows_host(link.url):
            sorting.leave_out(link.url, "other_host")
            return
        if judged.reason == "home_page" and "?" in link.url:
            sorting.leave_out(link.url, "facets")
            return
        reason = judged.reason if judged.kind is LinkKind.SECTION else "in_navigation"
        sorting.explain(link.url, "section", reason)
        promise = (reason != "above_its_articles", not link.in_navigation, link.position)
        title = link.text[:MAX_TITLE] or None
        found = FoundIndex(url=link.url, kind=FeedKind.SECTION, found_by=FoundBy.SECTION, title=title)
        sorting.sections.append((promise, found))

    def _is_article(self, link: PageLink, reason: str, sorting: _Sorting) -> None:
        sorting.articles.append(feed_entry(link.url, title=link.text if link.words > 1 else None))
        sorting.explain(link.url, "article", reason)


def _host(url: str) -> str:
    return urlsplit(url).netloc.removeprefix("www.")


def _is_article(link: PageLink, judged: Judgement) -> bool:
    """Weigh an address and the place of its link; what the publisher's own addresses showed is not overruled."""
    if judged.reason in ("above_its_articles", "home_page", "page_number"):
        return False
    if judged.kind is LinkKind.ARTICLE and judged.reason == "shape_of_its_articles":
        return True
    if judged.reason == "shape_of_other_pages":
        return False
    return judged.score + _standing(link) >= ARTICLE_SCORE


def _standing(link: PageLink) -> float:
    """Return what the place of a link adds to the log-odds that it leads to an article."""
    words = 0.8 if link.words >= 5 else 0.3 if link.words == 4 else 0.0 if link.words >= 3 else -0.7
    words = 1.5 if link.words >= 8 else words
    return (
        words
        + (_IN_NAVIGATION if link.in_navigation else 0.0)
        + (_HEADING if link.is_heading and link.words > 1 else 0.0)
        + (_DATED if link.dated else 0.0)
    )


def _why(judged: Judgement) -> str:
    return judged.reason if judged.kind is LinkKind.ARTICLE else "headline"
