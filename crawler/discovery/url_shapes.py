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

from crawler.discovery.link_traps import ends_in_date
from crawler.discovery.paging import PAGE_WORDS
from crawler.discovery.url_segments import Address, Step, read_address
from crawler.discovery.url_words import LEGAL_WORDS, MARKERS, LinkKind, words_of

SURELY = 0.65
"""The share of articles under a form from which on its addresses are taken for articles."""
HARDLY = 0.35
"""The share of articles under a form up to which its addresses are taken for something else."""
_OWN_WEIGHT = 4
"""How many observations the next general form counts for under the most specific one."""
_HABIT_WEIGHT = 2
_HABIT_SHARE = 0.02
"""What is usual on the web counts for two observations, and for one more with each fifty articles that are known:
three videos among five hundred entries of a feed are videos, three among five are its articles."""
_LARGEST_HABIT = 20
_UNSEEN_AFTER = 20
_LARGEST_UNSEEN = 1.5
_MOST = 6.0

_NO_ARTICLES = {
    LinkKind.TAG: -3.0,
    LinkKind.AUTHOR: -3.0,
    LinkKind.SEARCH: -4.0,
    LinkKind.VIDEO: -3.5,
    LinkKind.GALLERY: -3.5,
    LinkKind.AUDIO: -3.0,
    LinkKind.OTHER_PAGE: -2.5,
}
_BESIDE_MARKER = 0.3
_WORDS = (-1.0, -2.0, -1.0, 0.0, 1.2, 1.8, 2.3)
_DATED = {"Y/M/D": 2.0, "Y/M": 1.7, "Y": 0.7}
_ID_NAMES = words_of(
    "id p nid aid sid cid articleid article_id article art storyid story_id story newsid news_id news nr no item "
    "itemid docid doc_id idnews id_article id_news idarticle idnoticia noticia artikel post_id postid"
)
_SEARCHED = words_of("q query search s suche searchterm search_query keyword keywords buscar recherche text")
_LONGEST_SECTION = 4
_SUFFICES = 2


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


@dataclass(frozen=True, slots=True)
class _Shape:
    """An address generalised: `own` is the most specific form and `tail` the most general one."""

    own: str
    path: str
    tail: str
    dated: str
    marker: LinkKind | None
    marked_last: bool


class UrlShapes:
    """What the addresses of one publisher's articles look like. Immutable once learnt; nothing learnt is fine too."""

    def __init__(self) -> None:
        self._articles: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._above: Counter[tuple[str, ...]] = Counter()
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

    @property
    def articles_learnt(self) -> int:
        """From how many addresses of articles this was learnt."""
        return self._learnt

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
            return Judgement(LinkKind.SECTION, "above_its_articles", -_MOST)
        shape = _shape_of(address)
        habit, why = _habit(address, shape)
        score, evidence = self._weigh(shape, habit)
        return _judged(address, shape, score, evidence or why)

    def _take(self, url: str, counts: Counter[str], *, is_article: bool) -> None:
        try:
            address = read_address(url)
        except ValueError:
            return
        if not address.steps and not address.query:
            return
        shape = _shape_of(address)
        counts.update((shape.own, shape.path, shape.tail))
        if is_article:
            self._learnt += 1
            self._above.update(_prefixes(address))

    def _above_its_articles(self, address: Address) -> frozenset[tuple[str, ...]]:
        constants = _constants(address)
        is_bare = not address.query and not address.extension and len(constants) == len(address.steps) + 1
        return frozenset({constants}) if is_bare and self._above[constants] >= _SUFFICES else frozenset()

    def _weigh(self, shape: _Shape, habit: float) -> tuple[float, str]:
        """Return the log-odds of an article, and what the publisher's own addresses said, "" if nothing."""
        weight = min(_LARGEST_HABIT, _HABIT_WEIGHT + _HABIT_SHARE * self._learnt)
        share = 1 / (1 + math.exp(-habit))
        seen = self._articles[shape.tail] + self._others[shape.tail]
        if not seen and self._learnt:
            unseen = min(_LARGEST_UNSEEN, math.log1p(self._learnt / _UNSEEN_AFTER))
            return habit - unseen, "unlike_its_articles" if habit > 0 > habit - unseen else ""
        before = (0, 0)
        for form, prior in ((shape.tail, weight), (shape.path, weight), (shape.own, _OWN_WEIGHT)):
            counts = (self._articles[form], self._others[form])
            if counts != before:
                # The same addresses under a more specific form are no further evidence.
                share = (counts[0] + prior * share) / (sum(counts) + prior)
            before = counts
        score = max(-_MOST, min(_MOST, math.log(share / (1 - share))))
        if not seen:
            return score, ""
        return score, "shape_of_its_articles" if share >= 0.5 else "shape_of_other_pages"


def _judged(address: Address, shape: _Shape, score: float, why: str) -> Judgement:
    share = 1 / (1 + math.exp(-score))
    if share >= SURELY:
        return Judgement(LinkKind.ARTICLE, why, score)
    marker = shape.marker
    if marker in _NO_ARTICLES and marker and share < 0.5:
        return Judgement(marker, f"marked_as_{marker}", score)
    if share > HARDLY:
        return Judgement(LinkKind.UNKNOWN, "undecided", score)
    if _names_a_house_page(address):
        return Judgement(LinkKind.OTHER_PAGE, f"marked_as_{LinkKind.OTHER_PAGE}", score)
    if _is_short(address):
        return Judgement(LinkKind.SECTION, why if why.startswith("shape_") else "short_path", score)
    if why.startswith("shape_"):
        return Judgement(LinkKind.OTHER_PAGE, why, score)
    return Judgement(LinkKind.UNKNOWN, why or "undecided", score)


def _plain_kind(address: Address) -> Judgement | None:
    """Return what needs no weighing: the home page, a further page of a list, a calendar."""
    steps = address.steps
    if not steps and not address.query:
        return Judgement(LinkKind.SECTION, "home_page", -_MOST)
    numbered = len(steps) > 1 and steps[-2].text in PAGE_WORDS and steps[-1].text.isdigit() and steps[-1].digits <= 3
    if numbered or any(name in PAGE_WORDS and _is_page_number(name, value) for name, value in address.query):
        return Judgement(LinkKind.SECTION, "page_number", -_MOST)
    names = {name for name, _ in address.query}
    if names & _SEARCHED and not names & _ID_NAMES:
        return Judgement(LinkKind.SEARCH, "marked_as_search", -_MOST)
    if (
        steps
        and not address.query
        and not address.extension
        and ends_in_date(steps)
        and all(step.words < 4 for step in steps)
    ):
        return Judgement(LinkKind.OTHER_PAGE, "calendar", -4.0)
    return None


def _is_page_number(name: str, value: str) -> bool:
    # `p` names posts too (`/?p=12345`).
    return value.isascii() and value.isdigit() and (len(value) <= 3 or name not in ("p", "pn", "pg"))


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


def _shape_of(address: Address) -> _Shape:
    marker, marked_last = _marker(address)
    pattern: list[str] = []
    constants: list[str] = []
    dated = ""
    steps = address.steps
    last = len(steps) - 1
    place = 0
    while place <= last:
        length, date = _date_at(steps, place)
        if date and place + length <= last:
            pattern.append(date)
            dated = date if len(date) > len(dated) else dated
        else:
            length, step = 1, steps[place]
            form = _form(step, is_last=place == last)
            if form == "*" and len(constants) < 2:
                constants.append(step.text)
            if not (form == "*" and pattern[-1:] == ["*"]):
                pattern.append(form)
        place += length
    end = f".{address.extension}" if address.extension else ""
    query = "&".join(f"{name}={_value_form(value)}" for name, value in address.query)
    path = f"{marker or ''}:{'/'.join(pattern)}{end}?{query}"
    tail = f"{marker or ''}|{dated}|{pattern[-1] if pattern else ''}{end}?{query}"
    own = f"{address.host}/{'/'.join(constants)}|{path}"
    return _Shape(own=own, path=path, tail=tail, dated=dated, marker=marker, marked_last=marked_last)


def _date_at(steps: tuple[Step, ...], place: int) -> tuple[int, str]:
    """Return how many steps from `place` on make a date, and which kind."""
    form = steps[place].form
    if form == "date":
        return 1, "Y/M/D"
    if form == "year_month":
        return (2, "Y/M/D") if _forms(steps, place + 1, 1) == ["month_or_day"] else (1, "Y/M")
    if form != "year":
        return 1, ""
    after = _forms(steps, place + 1, 2)
    if not after or after[0] not in ("month_or_day", "month_name"):
        return 1, "Y"
    return (3, "Y/M/D") if after[1:] == ["month_or_day"] else (2, "Y/M")


def _forms(steps: tuple[Step, ...], start: int, count: int) -> list[str]:
    return [step.form for step in steps[start : start + count]]


def _form(step: Step, *, is_last: bool) -> str:
    if step.form in ("words", "month_name"):
        if step.has_id:
            return f"w#{_size(step.digits)}"
        return f"w{min(step.words, 4)}" if is_last or step.words > 3 else "*"
    if step.form == "id":
        return f"id{_size(step.digits)}"
    return f"n{_size(step.digits)}" if step.form in ("number", "month_or_day") else step.form


def _size(digits: int) -> int:
    """Return a class of lengths, so that a number may grow by a figure and still be alike."""
    return 0 if digits == 0 else 2 if digits <= 2 else 4 if digits <= 4 else 5


def _value_form(value: str) -> str:
    return f"n{_size(len(value))}" if value.isascii() and value.isdigit() else "x"


def _marker(address: Address) -> tuple[LinkKind | None, bool]:
    """Return what kind of page a whole step, or a label before the domain, announces, and whether the last one does."""
    found = None
    last = len(address.steps) - 1
    for place, step in enumerate(address.steps):
        if step.marker in _NO_ARTICLES:
            return step.marker, place == last
        found = found or (step.marker if place < last else None)
    labels = address.host.split(".")
    if len(labels) > 2 and not labels[-1].isdigit() and MARKERS.get(labels[0]) in _NO_ARTICLES:
        return MARKERS[labels[0]], False
    return found, False


def _habit(address: Address, shape: _Shape) -> tuple[float, str]:
    """Return the log-odds of an article by what is usual on the web, and what spoke most for it."""
    points = {"date_in_path": _DATED.get(shape.dated, 0.0)}
    steps = address.steps
    if steps:
        last = steps[-1]
        points["long_slug"] = _points_for_words(steps)
        points["number"] = _points_for_number(last, is_last=True)
        points["number"] += max((_points_for_number(step, is_last=False) for step in steps[:-1]), default=0.0)
    points["number"] = points.get("number", 0.0) + max(map(_points_for_parameter, address.query), default=0.0)
    score = sum(points.values()) - 0.5 + (0.7 if address.extension else 0.0)
    if address.is_folder and steps and steps[-1].words <= 2:
        score -= 0.3
    if shape.marker is LinkKind.ARTICLE:
        score += 1.0
    elif shape.marker is LinkKind.SECTION:
        score -= 1.0
    elif shape.marker:
        # Videos and galleries have headlines and numbers too, so these say little below such a word.
        score = _NO_ARTICLES[shape.marker] - (1.5 if shape.marked_last else 0.0) + score * _BESIDE_MARKER
    best = max(points, key=points.__getitem__)
    return max(-_MOST, min(_MOST, score)), best if score > 0 else ""


def _points_for_words(steps: tuple[Step, ...]) -> float:
    """Return what the words of a headline count for; they may stand before an id of their own: `/slug/a-12345`."""
    last = steps[-1]
    if last.form not in ("words", "month_name") or (last.has_id and last.words < 3):
        longest = max((step.words for step in steps[:-1] if step.form == "words"), default=0)
        return max(-0.5, _WORDS[min(longest, 6)])
    return _WORDS[min(last.words, 6)]


def _points_for_number(step: Step, *, is_last: bool) -> float:
    if step.form == "id":
        return 1.5
    if step.form == "words":
        return 0.0 if not step.has_id else 2.0 if step.digits >= 5 else 1.4
    if step.form == "number":
        return 1.5 if step.digits >= 5 else 1.0 if step.digits == 4 else 0.5
    return -1.5 if is_last and step.form == "month_or_day" else 0.0


def _points_for_parameter(parameter: tuple[str, str]) -> float:
    name, value = parameter
    if name in _ID_NAMES and any(map(str.isdigit, value)) and len(value) >= 2:
        return 3.0
    return -0.5


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
