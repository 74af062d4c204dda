"""Learns from a publisher's own addresses what those of its articles look like, and judges others by it. Pure.

An address is generalised in three steps, from `example.com/politics/*/2024/05/slug` over `*/2024/05/slug` to "a slug
below a month". For each form it is counted how many addresses of articles and of other pages had it. The share of
articles under the most specific form is the estimate, drawn towards that of the next general form by a few made-up
observations, and the most general one towards what is usual on the web (Dirichlet smoothing with back-off: MacKay and
Peto, 1995). So a publisher whose articles stand below `/video/` is believed as soon as its feed shows it, one that
nothing is known of is judged by habit, and what was never seen lies between.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from crawler.discovery.link_traps import ends_in_date
from crawler.discovery.paging import PAGE_WORDS
from crawler.discovery.url_forms import ANNOUNCED, ID_NAMES, Shape, shape_of
from crawler.discovery.url_habits import MOST, habit_of
from crawler.discovery.url_segments import Address, read_address
from crawler.discovery.url_words import LEGAL_WORDS, MARKERS, LinkKind, words_of

SURELY = 0.65
"""The share of articles under a form from which on its addresses are taken for articles."""
HARDLY = 0.35
"""The share of articles under a form up to which its addresses are taken for something else."""
_OWN_WEIGHT = 2
"""How many observations the next general form counts for under the most specific one."""
_HABIT_WEIGHT = 2
_HABIT_SHARE = 0.02
"""What is usual on the web counts for two observations, and for one more with each fifty articles that are known:
three videos among five hundred entries of a feed are videos, three among five are its articles."""
_LARGEST_HABIT = 20
_UNSEEN_AFTER = 20
_LARGEST_UNSEEN = 1.5
_SEARCHED = words_of("q query search s suche searchterm search_query keyword keywords buscar recherche text")
_LONGEST_SECTION = 4
_SUFFICES = 2
_HOUSE_PAGE = -2.5


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an address seems to lead to, and why.

    `score` is the logarithm of the odds that it is an article, between -6 and 6. `reason` is a short code:
    `home_page`, `page_number`, `calendar`, `above_its_articles`, `shape_of_its_articles`, `shape_of_other_pages`,
    `unlike_its_articles`, `marked_as_…` (a word in the address), `date_in_path`, `number`, `long_slug`, `short_path`,
    `no_url` or `undecided`.
    """

    kind: LinkKind
    reason: str
    score: float


class UrlShapes:
    """What the addresses of one publisher's articles look like. Immutable once learnt; nothing learnt is fine too."""

    def __init__(self) -> None:
        self._articles: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._above: Counter[tuple[str, ...]] = Counter()
        self._hosts: Counter[str] = Counter()
        self._learnt = 0

    @classmethod
    def learn(cls, articles: Iterable[str], others: Iterable[str] = ()) -> Self:
        """Learn from clean URLs: `articles` are entries of feeds and news sitemaps and pages that were read as
        articles, `others` sections and pages that were read as none.
        """
        shapes = cls()
        for url in articles:
            shapes._take(url, shapes._articles, is_article=True)
        for url in others:
            shapes._take(url, shapes._others, is_article=False)
        return shapes

    def judge(self, url: str) -> Judgement:
        """Say what a clean URL of this publisher seems to lead to."""
        try:
            address = read_address(url)
        except ValueError:
            return Judgement(LinkKind.UNKNOWN, "no_url", 0.0)
        plain = _plain_kind(address)
        if plain:
            return plain
        if _constants(address) in self._above_its_articles(address):
            return Judgement(LinkKind.SECTION, "above_its_articles", -MOST)
        shape = shape_of(address)
        habit, why = habit_of(address, shape)
        score, evidence = self._weigh(shape, habit)
        if address.host not in self._hosts:
            score -= self._unseen()
        if _names_a_house_page(address):
            score += _HOUSE_PAGE
        return _judged(address, shape, max(-MOST, min(MOST, score)), evidence or why)

    def knows_host(self, url: str) -> bool:
        """Whether articles were learnt that stand on a clean URL's host, with or without `www.`."""
        return urlsplit(url).netloc.removeprefix("www.") in self._hosts

    def _unseen(self) -> float:
        """Return how much it speaks against an address that nothing alike is among the articles learnt."""
        return min(_LARGEST_UNSEEN, math.log1p(self._learnt / _UNSEEN_AFTER))

    def _take(self, url: str, counts: Counter[str], *, is_article: bool) -> None:
        try:
            address = read_address(url)
        except ValueError:
            return
        if not address.steps and not address.query:
            return
        shape = shape_of(address)
        counts.update((shape.own, shape.path, shape.tail))
        if is_article:
            self._learnt += 1
            self._hosts[address.host] += 1
            self._above.update(_prefixes(address))

    def _above_its_articles(self, address: Address) -> frozenset[tuple[str, ...]]:
        constants = _constants(address)
        is_bare = not address.query and not address.extension and len(constants) == len(address.steps) + 1
        return frozenset({constants}) if is_bare and self._above[constants] >= _SUFFICES else frozenset()

    def _weigh(self, shape: Shape, habit: float) -> tuple[float, str]:
        """Return the log-odds of an article, and what the publisher's own addresses said, "" if nothing."""
        weight = min(_LARGEST_HABIT, _HABIT_WEIGHT + _HABIT_SHARE * self._learnt)
        share = 1 / (1 + math.exp(-habit))
        seen = self._articles[shape.tail] + self._others[shape.tail]
        if not seen and self._learnt:
            score = habit - self._unseen()
            return score, "unlike_its_articles" if habit > 0 > score else ""
        before = (0, 0)
        for form, prior in ((shape.tail, weight), (shape.path, weight), (shape.own, _OWN_WEIGHT)):
            counts = (self._articles[form], self._others[form])
            if counts != before:
                # The same addresses under a more specific form are no further evidence.
                share = (counts[0] + prior * share) / (sum(counts) + prior)
            before = counts
        score = max(-MOST, min(MOST, math.log(share / (1 - share))))
        if not seen:
            return score, ""
        return score, "shape_of_its_articles" if share >= 0.5 else "shape_of_other_pages"


def _judged(address: Address, shape: Shape, score: float, why: str) -> Judgement:
    share = 1 / (1 + math.exp(-score))
    if share >= SURELY:
        return Judgement(LinkKind.ARTICLE, why, score)
    marker = shape.marker
    if marker in ANNOUNCED and marker and share < 0.5:
        return Judgement(marker, f"marked_as_{marker}", score)
    if _names_a_house_page(address):
        return Judgement(LinkKind.OTHER_PAGE, f"marked_as_{LinkKind.OTHER_PAGE}", score)
    if share > HARDLY:
        return Judgement(LinkKind.UNKNOWN, "undecided", score)
    if _is_short(address):
        return Judgement(LinkKind.SECTION, why if why.startswith("shape_") else "short_path", score)
    if why.startswith("shape_"):
        return Judgement(LinkKind.OTHER_PAGE, why, score)
    return Judgement(LinkKind.UNKNOWN, why or "undecided", score)


def _plain_kind(address: Address) -> Judgement | None:
    """Return what needs no weighing: the home page, a further page of a list, a calendar."""
    steps = address.steps
    if not steps and not any(name in ID_NAMES for name, _ in address.query):
        return Judgement(LinkKind.SECTION, "home_page", -MOST)
    numbered = len(steps) > 1 and steps[-2].text in PAGE_WORDS and steps[-1].text.isdigit() and steps[-1].digits <= 3
    if numbered or any(_is_page_number(name, value, address) for name, value in address.query):
        return Judgement(LinkKind.SECTION, "page_number", -MOST)
    names = {name for name, _ in address.query}
    if names & _SEARCHED and not names & ID_NAMES:
        return Judgement(LinkKind.SEARCH, "marked_as_search", -MOST)
    if (
        steps
        and not address.query
        and not address.extension
        and ends_in_date(steps)
        and all(step.words < 4 for step in steps)
    ):
        return Judgement(LinkKind.OTHER_PAGE, "calendar", -4.0)
    return None


def _is_page_number(name: str, value: str, address: Address) -> bool:
    if name not in PAGE_WORDS or not (value.isascii() and value.isdigit()):
        return False
    # `p` names posts too: `/?p=12345`.
    return name != "p" or (len(value) <= 3 and bool(address.steps))


def _constants(address: Address) -> tuple[str, ...]:
    """Return the host and the leading steps that are words of a name and not of a headline."""
    found = [address.host]
    for step in address.steps:
        if step.form not in ("words", "month_name") or step.words > 3 or step.has_id:
            break
        found.append(step.text)
    return tuple(found)


def _prefixes(address: Address) -> list[tuple[str, ...]]:
    """Return the sections that an article's address stands below; a word that only announces articles is none."""
    constants = _constants(address)
    longest = min(len(constants), len(address.steps), 1 + _LONGEST_SECTION)
    found = [constants[:length] for length in range(2, longest + 1)]
    return [prefix for prefix in found if MARKERS.get(prefix[-1]) is not LinkKind.ARTICLE]


def _names_a_house_page(address: Address) -> bool:
    last = address.steps[-1] if address.steps else None
    return last is not None and last.words <= 3 and not LEGAL_WORDS.isdisjoint(last.text.replace("_", "-").split("-"))


def _is_short(address: Address) -> bool:
    steps = address.steps
    return (
        len(steps) <= _LONGEST_SECTION
        and not address.query
        and all(step.form in ("words", "month_name") and step.words <= 3 and not step.has_id for step in steps)
    )
