"""Reads from a page's links whether its article goes on elsewhere: the numbers under a text, `Next page`. Pure.

A link counts only if its address is that of this page with another number (`part_numbers`), and if it says so itself:
by the number as its text, by `rel=next`, by words for `next page`. That keeps apart a section's pagination, the next
article, and the pages of the comments.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lxml.html import HtmlElement

from crawler.extraction.addresses import PageAddresses
from crawler.extraction.containers import Containers, containers_of
from crawler.extraction.markup import Markup
from crawler.extraction.part_numbers import base_of, part_numbers
from crawler.extraction.text import one_line

MAX_LINKS = 5000
"""Links of a page that are looked at."""
_LONGEST_TEXT = 120
_PAGE = r"(?:page|seite|teil|part|p[áa]gina|side|sida|strona|sivu|sayfa|strana|страница|сторінка|ページ|页|페이지)"
_PAGES = re.compile(_PAGE, re.IGNORECASE)
_NUMBER = re.compile(
    rf"(?:(?:go to |gehe zu |aller à la )?{_PAGE}\s*)?(?P<number>\d{{1,2}})\.?(?P<more>\s*[:–—-]\s.*)?", re.IGNORECASE
)
_NEXT_PAGE = re.compile(
    r"(?:(?:read|go) .{0,20}on |zur |auf )?(?:"
    r"next page|n[äa]chste[nr]? seite|page suivante|(?:p[áa]gina siguiente|siguiente p[áa]gina)|pr[óo]xima p[áa]gina"
    r"|pagina successiva|volgende pagina|nästa sida|neste side|næste side|seuraava sivu|następna strona|další strana"
    r"|следующая страница|наступна сторінка|sonraki sayfa|halaman berikutnya|次のページ|下一页|下一頁|다음 페이지"
    r"|weiterlesen auf seite \d+)",
    re.IGNORECASE,
)
_NEXT = re.compile(
    r"next|weiter|suivante?|siguiente|pr[óo]xima|successiva|avanti|volgende|nästa|neste|næste|seuraava|następna|dalej"
    r"|další|далее|вперёд|далі|sonraki|berikutnya|次へ|下一页|다음|continue|continued?",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_ENDING = re.compile(r"\.[a-z]{2,5}$")
_ARROWS_BEFORE, _ARROWS_AFTER = " ›»>→▶<«‹←|", " ›»>→▶|"
_WHOLE = re.compile(
    r"single[- ]page(?: view)?|view (?:as |on )?(?:one|a single|single) page|(?:view|show) all(?: pages)?"
    r"|(?:read )?(?:all|(?:the )?(?:whole|entire|full) (?:article|story)) on (?:one|a single) page"
    r"|(?:alles |artikel |text )?auf einer seite(?: (?:lesen|anzeigen))?|komplettansicht"
    r"|(?:lire |tout |afficher )*sur une (?:seule )?page|(?:ver |leer )?(?:todo )?en una (?:sola )?p[áa]gina"
    r"|(?:leggi )?(?:tutto )?in una (?:sola )?pagina|(?:alles )?op (?:een|één) pagina|(?:visa )?(?:allt )?på en sida"
    r"|(?:всё )?на одной странице|全文(?:表示)?",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"comment|komment|comentari|disqus|reaction|reaktion|forum|discussi|diskussion|repl(?:y|ies)\b|leserbrief|leserme"
    r"|responses|related|teaser|recommend|latest|listing|most-?read|more-?(?:news|stories|articles)"
    r"|breadcrumb|archive-?nav|post-?nav",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class _Link:
    """A link to a part: its number, and what part the page itself then is."""

    url: str
    number: int
    own: int
    certain: bool


def addresses_of(markup: Markup) -> PageAddresses:
    """Return what a page's markup says about its own address and about further parts of its article."""
    tree = markup.tree
    root = tree.getroottree().getroot()
    canonical = dict.fromkeys(
        address
        for link in tree.iter("link")
        if "canonical" in _relations(link) and (address := markup.absolute(link.get("href")))
    )
    own = markup.absolute(markup.first_meta("og:url"))
    is_amp = any(name in root.attrib for name in ("amp", "⚡", "amphtml"))
    elements = list(_links(markup))
    containers = containers_of(tree) if elements else Containers()
    passed = _before(tree, containers.first, elements)
    links = [
        link
        for element in elements
        if element not in passed and (link := _part(element, markup, containers)) is not None
    ]
    addresses = PageAddresses(canonical=tuple(canonical), own=own, linked_data=_in_linked_data(markup), is_amp=is_amp)
    addresses = replace(addresses, containers=containers.names)
    return _with_parts(addresses, links, markup)


def _in_linked_data(markup: Markup) -> str | None:
    """Return the address that the JSON-LD of the page's article gives it."""
    for name in ("url", "mainEntityOfPage"):
        said = markup.node.get(name)
        if isinstance(said, dict):
            said = said.get("@id") or said.get("url")
        if isinstance(said, str) and (address := markup.absolute(said)):
            return address
    return None


def _with_parts(addresses: PageAddresses, links: list[_Link], markup: Markup) -> PageAddresses:
    # Where links disagree about which part this is, the first that is certain of it is believed.
    links = sorted(links, key=lambda link: not link.certain)
    if not links:
        return addresses
    own = links[0].own
    by_number: dict[int, str] = {}
    for link in links:
        if link.own == own:
            by_number.setdefault(link.number, link.url)
    if own > 1 and not links[0].certain and 1 not in by_number:
        return addresses
    following = by_number.get(own + 1)
    return replace(
        addresses,
        part=own,
        first_part=by_number.get(1) if own > 1 else None,
        next_part=following,
        whole=_whole(markup) if own == 1 and following is not None else None,
    )


def _relations(element: HtmlElement) -> list[str]:
    return (element.get("rel") or "").lower().split()


def _links(markup: Markup) -> Iterator[HtmlElement]:
    """Yield the links whose address may be this page's with another number."""
    numbered = part_numbers(markup.url)
    bases = (base_of(markup.url), *(number.base for number in numbered))
    paths = {"/" + _ENDING.sub("", base.partition("?")[0].partition("/")[2]) for base in bases} - {"/"}
    may_be_first = any(number.number > 1 for number in numbered)
    for element in itertools.islice(markup.tree.iter("a", "link"), MAX_LINKS):
        href = element.get("href") or ""
        if not may_be_first and not _DIGIT.search(href):
            continue
        if element.tag == "link" and not {"next", "prev"} & set(_relations(element)):
            continue
        relative = not href.startswith("/") and ":" not in href
        if relative or any(path in href for path in paths):
            yield element


def _before(tree: HtmlElement, first: HtmlElement | None, links: list[HtmlElement]) -> set[HtmlElement]:
    """Return the links that stand above the story's first paragraph: what they number is something else.

    What the head says of the next page stands above it too, but counts.
    """
    above: set[HtmlElement] = set()
    if first is None or not links:
        return above
    for element in tree.iter("a", "p"):
        if element is first:
            return above.intersection(links)
        above.add(element)
    return set()


def _part(element: HtmlElement, markup: Markup, containers: Containers) -> _Link | None:
    url = markup.absolute((element.get("href") or "").partition("#")[0])
    links = [] if url is None else list(_relations_between(markup.url, url))
    if not links or _is_elsewhere(element):
        return None
    said = _said(element)
    if said.bare_number and not all(_PAGES.search(heading) for heading in containers.headings_of(element)):
        # A list of something under a heading of its own, with numbers for the rest of the list.
        return None
    return next((link for link in links if _is_borne_out(link, said, element)), None)


def _relations_between(here: str, there: str) -> Iterator[_Link]:
    """Yield the ways in which two addresses are two parts of one article."""
    base, own = base_of(here), part_numbers(here)
    there_base, numbers = base_of(there), part_numbers(there)
    for number in numbers:
        for mine in own:
            if mine.base == number.base and mine.number != number.number:
                yield _Link(url=there, number=number.number, own=mine.number, certain=mine.sure and number.sure)
        if number.base == base and number.number > 1:
            yield _Link(url=there, number=number.number, own=1, certain=number.sure)
    for mine in own:
        if mine.base == there_base and mine.number > 1:
            yield _Link(url=there, number=1, own=mine.number, certain=mine.sure)


@dataclass(frozen=True, kw_only=True)
class _Said:
    """What a link says of itself: a number, that it leads on, that it leads on by a page."""

    number: int | None
    leads_on: bool
    by_a_page: bool
    bare_number: bool


def _said(element: HtmlElement) -> _Said:
    number, leads_on, by_a_page = None, bool({"next", "prev"} & set(_relations(element))), False
    for text in (element.text_content(), element.get("aria-label"), element.get("title")):
        words = one_line(text)
        if not words or len(words) > _LONGEST_TEXT:
            continue
        bare = _without_arrows(words)
        if number is None and (match := _NUMBER.fullmatch(bare)):
            number = int(match["number"])
        by_a_page = by_a_page or _NEXT_PAGE.fullmatch(bare) is not None
        leads_on = leads_on or by_a_page or not bare or _NEXT.fullmatch(bare) is not None
    bare_number = one_line(element.text_content()).strip(".").isdecimal()
    return _Said(number=number, leads_on=leads_on, by_a_page=by_a_page, bare_number=bare_number)


def _without_arrows(words: str) -> str:
    return words.lstrip(_ARROWS_BEFORE).rstrip(_ARROWS_AFTER)


def _is_borne_out(link: _Link, said: _Said, element: HtmlElement) -> bool:
    if said.number is not None:
        return said.number == link.number
    if link.certain:
        return said.leads_on
    # `/monday-quiz-2` is as likely the next quiz, and WordPress calls its neighbours next and previous too.
    return said.by_a_page and element.tag == "a"


def _is_elsewhere(element: HtmlElement) -> bool:
    for above in (element, *element.iterancestors()):
        if above.tag in ("body", "head"):
            return False
        if above.tag in ("footer", "aside"):
            return True
        if _ELSEWHERE.search(f"{above.get('class') or ''} {above.get('id') or ''}"):
            return True
    return False


def _whole(markup: Markup) -> str | None:
    """Return the address of the article on one page, where a link offers it that stays at this address or below it."""
    here = base_of(markup.url).partition("?")[0]
    for element in itertools.islice(markup.tree.iter("a"), MAX_LINKS):
        words = _without_arrows(one_line(element.text_content()))
        if not words or len(words) > _LONGEST_TEXT or not _WHOLE.fullmatch(words) or _is_elsewhere(element):
            continue
        url = markup.absolute((element.get("href") or "").partition("#")[0])
        if url is None or base_of(url) == base_of(markup.url):
            continue
        there = base_of(url).partition("?")[0]
        if there == here or there.startswith(f"{here}/"):
            return url
    return None
