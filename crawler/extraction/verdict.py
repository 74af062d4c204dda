"""Is this an article? Everything that reads as one is; what is plainly something else is told apart. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from crawler.extraction.linked_data import ARTICLE_TYPES
from crawler.extraction.markup import Markup
from crawler.extraction.page_kind import (
    SHORT_TEXT,
    has_many_cards,
    is_one_page_site,
    is_root,
    kind_by_address,
    kind_of_index,
    kind_of_medium,
    lists_teasers,
)
from crawler.extraction.reading import Reading
from crawler.extraction.shape import Shape, shape_of
from crawler.extraction.text import key, weight
from crawler.extraction.walls import begins_with_consent, wall_of
from storage.model import Access
from storage.outcomes import Outcome

_LEAST_BODY = 25
_SHELL_BODY = 200
_TIMES = 3
"""So many times of day an article shows: published, changed, read."""
_SURELY_A_STORY = 1500
"""A body of so many characters needs no further look where markup calls the page an article and dates it."""


def refusal(
    markup: Markup, lines: Sequence[str], *, dated: bool, access: Access, listed: frozenset[str]
) -> Reading | None:
    """Return why a page with these body lines is no article, or None if it is one.

    A home page is none, whatever its markup says, but for a site that is one page. `dated` says whether explicit
    markup dates the page, and `listed` which kinds of markup are of other pages' articles.
    """
    if "json_ld" in listed:
        markup = replace(markup, node={})
    length = sum(map(len, lines))
    called_article = _has_article_markup(markup, listed=listed)
    root = is_root(markup.url)
    asks = begins_with_consent(lines)
    if markup.node and dated and length >= _SURELY_A_STORY and not root and not asks:
        return None
    part = access in (Access.PAYWALLED, Access.METERED)
    wall = wall_of(markup, lines, called_article=called_article or dated or _has_time(markup), part_of_article=part)
    if wall is not None:
        return _refused(*wall)
    if not root and length >= _LEAST_BODY and markup.node:
        return None
    if not root and dated and length >= SHORT_TEXT and not has_many_cards(markup.tree):
        return None
    shape = shape_of(markup.tree)
    shows = length >= _LEAST_BODY or shape.text >= _SHELL_BODY
    if root and shows and not is_one_page_site(shape, length=length):
        return _refused(Outcome.NOT_ARTICLE, "home_page")
    if length < _LEAST_BODY:
        return _without_text(markup, shape)
    if dated and not markup.node and lists_teasers(shape):
        return _refused(Outcome.NOT_ARTICLE, kind_by_address(markup) or "section")
    if dated and length >= SHORT_TEXT:
        return None
    kind = kind_of_medium(markup, shape, length, dated=dated)
    if kind is None and not markup.node and not dated:
        weighed = sum(map(weight, lines))
        kind = kind_of_index(markup, shape, length=weighed, linked_body=_linked_share(markup, lines, length))
    return _refused(Outcome.NOT_ARTICLE, kind) if kind else None


def _refused(outcome: Outcome, reason: str) -> Reading:
    return Reading(outcome=outcome, reason=reason)


def _has_article_markup(markup: Markup, *, listed: frozenset[str]) -> bool:
    kind = markup.first_meta("og:type").lower()
    typed = "microdata" not in listed and any(
        item.get("itemtype", "").rstrip("/").rpartition("/")[2].lower() in ARTICLE_TYPES
        for item in markup.tree.iterfind(".//*[@itemtype]")
    )
    return bool(markup.node) or kind in ("article", "news") or typed


def _has_time(markup: Markup) -> bool:
    """Tell whether a page shows when its one text was written, in markup for it."""
    times = [time for time in markup.tree.iter("time") if time.get("datetime")]
    return 0 < len(times) <= _TIMES and bool(markup.tree.xpath("boolean(//h1)"))


def _linked_share(markup: Markup, lines: Sequence[str], length: int) -> float:
    """Return which share of a body stands in links elsewhere on its page."""
    linked = {key(link.text_content()) for link in markup.tree.iter("a")} - {""}
    return sum(len(line) for line in lines if key(line) in linked) / max(1, length)


def _without_text(markup: Markup, shape: Shape) -> Reading:
    """Return what a page without a story is: a shell for scripts, a video, an index, or nothing."""
    tree = markup.tree
    scripts = sum(1 for script in tree.iter("script") if "json" not in (script.get("type") or ""))
    if shape.text < _SHELL_BODY and scripts and not markup.node:
        return _refused(Outcome.SCRIPT_SHELL, "no_text_without_scripts")
    kind = kind_of_medium(markup, shape, 0)
    if kind is None and not markup.node:
        kind = kind_of_index(markup, shape, length=0, linked_body=0.0)
    return _refused(Outcome.NOT_ARTICLE, kind or ("empty" if shape.text < _SHELL_BODY else "no_story"))
