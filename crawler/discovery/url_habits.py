"""How likely an address leads to an article by what is usual on the web, before anything is known. Pure."""

from crawler.discovery.url_forms import ID_NAMES, Shape, is_id
from crawler.discovery.url_segments import Address, Step
from crawler.discovery.url_words import LinkKind

MOST = 6.0
"""The largest log-odds that are ever given."""
_PENALTIES = {
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


def habit_of(address: Address, shape: Shape) -> tuple[float, str]:
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
        score = _PENALTIES[shape.marker] - (1.5 if shape.marked_last else 0.0) + score * _BESIDE_MARKER
    best = max(points, key=points.__getitem__)
    return max(-MOST, min(MOST, score)), best if score > 0 else ""


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
    if name in ID_NAMES and is_id(value):
        return 3.0
    return -0.5
