"""Where on a page its story's paragraphs stand: what tells the story's further parts from pages of comments. Pure."""

import itertools
import re
from dataclasses import dataclass

from lxml.html import HtmlElement

from crawler.extraction.text import one_line, weight

_MAX_PARAGRAPHS = 3000
_LEAST_TEXT = 40
"""Letters of a paragraph that may be one of a story."""
_MAX_NAMES = 50
_DIGITS = re.compile(r"\d+")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


@dataclass(frozen=True, kw_only=True)
class Containers:
    """The elements that hold paragraphs: the one with most text first, by names that all pages of a template share.

    `names` is empty where the page names none of them, or has no paragraphs.
    """

    names: tuple[str, ...] = ()
    first: HtmlElement | None = None
    around: frozenset[HtmlElement] = frozenset()

    def block_of(self, element: HtmlElement) -> HtmlElement:
        """Return what holds an element and stands beside the story's paragraphs, or above what holds them."""
        block = element
        for above in element.iterancestors():
            if above in self.around:
                break
            block = above
        return block

    def headings_of(self, element: HtmlElement) -> list[str]:
        """Return the headings in the block of an element."""
        return [one_line(heading.text_content()) for heading in self.block_of(element).iter(*_HEADINGS)]


def containers_of(tree: HtmlElement) -> Containers:
    """Return what holds the paragraphs of a page."""
    sizes: dict[HtmlElement, int] = {}
    firsts: dict[HtmlElement, HtmlElement] = {}
    for paragraph in itertools.islice(tree.iter("p"), _MAX_PARAGRAPHS):
        size = weight(one_line(paragraph.text_content()))
        parent = paragraph.getparent()
        if size >= _LEAST_TEXT and parent is not None:
            sizes[parent] = sizes.get(parent, 0) + size
            firsts.setdefault(parent, paragraph)
    if not sizes:
        return Containers()
    main = max(sizes, key=lambda parent: sizes[parent])
    parents = sorted(sizes, key=lambda parent: -sizes[parent])[:_MAX_NAMES]
    names = dict.fromkeys(_name(parent) for parent in parents)
    return Containers(
        # Where the story's own container has no name, nothing can be told by names.
        names=tuple(names) if _name(main) else (),
        first=firsts[main],
        around=frozenset((main, *main.iterancestors())),
    )


def _name(element: HtmlElement) -> str:
    """Return what an element is called, `div#text.story`, without figures, which may be the part's; "" for none."""
    for above in (element, *itertools.islice(element.iterancestors(), 3)):
        if above.tag in ("body", "html"):
            return ""
        named = f"{above.get('id') or ''}.{' '.join((above.get('class') or '').split()[:1])}"
        if named != "." or above.tag in ("article", "section"):
            return (str(above.tag) + "#" + _DIGITS.sub("", named))[:100]
    return ""
