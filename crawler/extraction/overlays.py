"""Banners and dialogs that lie over a story: what asks for consent, or to log in, above an article that is all there.
Templates too, which are never shown.

They are taken out of the tree, unlike other surplus: a request for consent can be longer than the story under it, and
would be weighed as the story itself.
"""

import itertools
import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from crawler.extraction import wall_words
from crawler.extraction.phrases import phrases
from crawler.extraction.shape import is_prose
from crawler.extraction.text import folded, one_line

_ASKING = phrases(wall_words.CONSENT, wall_words.ACCEPT)
_ASKING_OR_LOGIN = phrases(wall_words.CONSENT, wall_words.ACCEPT, wall_words.LOGIN)
_MARKS = re.compile(
    r"cookie|consent|gdpr|rgpd|dsgvo|privacy|(?:^|[-_ ])(?:cmp|tcf|overlay|modal|dialog|popup|banner|interstitial)"
    r"(?:$|[-_ ])",
    re.IGNORECASE,
)
_HOLDERS = ("div", "section", "aside", "dialog", "form", "footer", "header")
_ENOUGH_CONSENT = 0.4
_MOST_FORMS = 10
_LARGEST_FORM = 400
_MOST_LOOKS = 8
"""So many times a page's text is read at most in search of overlays: they can lie in one another."""
_LEAST_PAGE = 10_000
_LEAST_ELEMENT = 50
_LEAST_STORY = 100
"""Prose outside the overlays, in characters; with less, what lies above is all that the page shows."""


def remove_overlays(tree: HtmlElement, *, logins: bool) -> None:
    """Take banners and dialogs out of `tree`, where a story stands outside them.

    Requests to log in are taken out only with `logins`, for pages that say themselves that they show a part: on others
    they tell that the text is walled.
    """
    found = [*_templates(tree), *_overlays(tree, logins=logins), *(_login_forms(tree) if logins else ())]
    if not found:
        return
    inside = set(found)
    outside = 0
    for paragraph in tree.iter("p", "div"):
        text = one_line(paragraph.text_content() if paragraph.tag == "p" else paragraph.text)
        if is_prose(text) and not any(above in inside for above in paragraph.iterancestors()):
            outside += len(text)
    if outside < _LEAST_STORY:
        return
    for overlay in found:
        overlay.drop_tree()


def _templates(tree: HtmlElement) -> Iterator[HtmlElement]:
    """Yield templates, which browsers do not show, but for those that make a shadow tree, which they do."""
    for element in tree.iter("template"):
        if element.get("shadowrootmode") is None and element.get("shadowroot") is None:
            yield element


def _overlays(tree: HtmlElement, *, logins: bool) -> Iterator[HtmlElement]:
    """Yield the outermost elements that are marked as a banner or dialog and speak as one.

    What is marked and lies in many others that are marked, and speak of something else, is not looked at.
    """
    seen: set[HtmlElement] = set()
    left = _MOST_LOOKS * max(_LEAST_PAGE, len(tree.text_content()))
    for element in tree.iter(*_HOLDERS):
        marks = f"{element.get('id') or ''} {element.get('class') or ''}"
        dialog = (
            element.tag == "dialog" or element.get("role") in ("dialog", "alertdialog") or element.get("aria-modal")
        )
        if not dialog and not _MARKS.search(marks):
            continue
        if any(above in seen for above in element.iterancestors()):
            continue
        left -= max(_LEAST_ELEMENT, len(element.text_content()))
        if left < 0:
            return
        if element.find(".//h1") is not None:
            continue
        if element.find(".//article") is None and _speaks_as_one(element, logins=logins):
            seen.add(element)
            yield element


def _login_forms(tree: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the largest element around each password field that holds no prose and little else."""
    seen: set[HtmlElement] = set()
    for field in itertools.islice(tree.iterfind(".//input[@type='password']"), _MOST_FORMS):
        around = None
        for element in field.iterancestors(*_HOLDERS):
            text = one_line(element.text_content())
            if len(text) > _LARGEST_FORM or any(is_prose(one_line(part.text_content())) for part in element.iter("p")):
                break
            around = element
        if around is not None and around not in seen and around.find(".//h1") is None:
            seen.add(around)
            yield around


def _speaks_as_one(element: HtmlElement, *, logins: bool) -> bool:
    """Tell whether most of an element asks for consent or to log in, and it has something to press."""
    if next(element.iter("button", "input", "a"), None) is None:
        return False
    texts = [folded(part.text_content()) for part in element.iter("p", "h2", "h3", "h4", "li", "label", "button")]
    texts = [text for text in texts if text] or [folded(element.text_content())]
    total = sum(map(len, texts))
    asking = _ASKING_OR_LOGIN if logins else _ASKING
    return total > 0 and sum(len(text) for text in texts if asking.search(text)) >= _ENOUGH_CONSENT * total
