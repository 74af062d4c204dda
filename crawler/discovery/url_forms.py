"""Generalises addresses, so that those of one kind of page come out alike. Pure."""

from dataclasses import dataclass

from crawler.discovery.url_segments import Address, Step
from crawler.discovery.url_words import MARKERS, SECTIONS_TOO, LinkKind, words_of

ID_NAMES = words_of(
    "id p nid aid sid cid articleid article_id article art storyid story_id story newsid news_id news nr no item "
    "itemid docid doc_id idnews id_article id_news idarticle idnoticia noticia artikel post_id postid"
)
"""Parameters that name an article."""
_LONGEST_ID = 24
ANNOUNCED = frozenset(LinkKind) - {LinkKind.ARTICLE, LinkKind.SECTION, LinkKind.UNKNOWN}
"""Kinds of pages that a word in the address announces, and that are neither articles nor lists of them."""


@dataclass(frozen=True, slots=True)
class Shape:
    """An address generalised: `own` is the most specific form and `tail` the most general one."""

    own: str
    path: str
    tail: str
    dated: str
    marker: LinkKind | None
    marked_last: bool


def shape_of(address: Address) -> Shape:
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
    # What is neither a number nor named as one mostly tells where the reader came from.
    query = "&".join(f"{name}={form}" for name, value in address.query if (form := _value_form(name, value)))
    path = f"{marker or ''}:{'/'.join(pattern)}{end}?{query}"
    tail = f"{marker or ''}|{dated}|{pattern[-1] if pattern else ''}{end}?{query}"
    own = f"{address.host}/{'/'.join(constants)}|{path}"
    return Shape(own=own, path=path, tail=tail, dated=dated, marker=marker, marked_last=marked_last)


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


def _value_form(name: str, value: str) -> str:
    if value.isascii() and value.isdigit():
        return f"n{_size(len(value))}"
    return "x" if name in ID_NAMES and is_id(value) else ""


def is_id(value: str) -> bool:
    return 2 <= len(value) <= _LONGEST_ID and any(map(str.isdigit, value))


def _marker(address: Address) -> tuple[LinkKind | None, bool]:
    """Return what kind of page a whole step, or a label before the domain, announces, and whether the last one does."""
    found = None
    last = len(address.steps) - 1
    for place, step in enumerate(address.steps):
        if step.marker in ANNOUNCED and (place == last or step.text not in SECTIONS_TOO):
            return step.marker, place == last
        found = found or (step.marker if place < last and step.marker not in ANNOUNCED else None)
    labels = address.host.split(".")
    if len(labels) > 2 and not labels[-1].isdigit() and MARKERS.get(labels[0]) in ANNOUNCED:
        return MARKERS[labels[0]], False
    return found, False
