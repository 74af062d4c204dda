"""How a page is built: how much of it is links, how much is prose that stands together. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml.html import HtmlElement

from crawler.extraction.text import one_line, weight

_UNSEEN = frozenset({"script", "style", "noscript", "template", "head", "title", "textarea", "select", "option", "svg"})
_HEADINGS = ("h1", "h2", "h3", "h4", "h5")
_LONGEST_LINK = 1500
"""What is longer, a link that was never closed, is none."""
_PROSE = 60
"""Teasers and labels are shorter than this, or end without a full stop."""
SENTENCE_END = re.compile(r"[.!?…。！？؟।။][\"'”’»」』)]*$")

_WITHOUT_STOPS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Thai, Lao, Burmese and Khmer part sentences by spaces."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Numbers that tell a story from an index of stories; lengths are in characters, by their weight.

    `text` is all that is shown, `linked` what of it is inside links. `cards` counts the addresses that headings lead
    to. `prose` is the length of all sentences outside links, and `story` that of those that share one parent: an index
    has many teasers, and each stands alone.
    """

    text: int
    linked: int
    cards: int
    prose: int
    story: int
    images: int

    @property
    def density(self) -> float:
        """Which share of the text is inside links; 0 for a page without text."""
        return self.linked / self.text if self.text else 0.0


def is_prose(line: str) -> bool:
    """Tell whether a line is long enough for a sentence of a story and ends like one."""
    if 2 * len(line) < _PROSE or weight(line) < _PROSE:
        return False
    return SENTENCE_END.search(line) is not None or 2 * len(_WITHOUT_STOPS.findall(line)) > len(line)


def shape_of(tree: HtmlElement) -> Shape:
    """Return the shape of a page."""
    lengths = [weight(one_line(link.text_content())) for link in tree.iter("a") if link.get("href")]
    linked = sum(length for length in lengths if length <= _LONGEST_LINK)
    stories: dict[HtmlElement, int] = {}
    for holder, text in standing_prose(tree):
        stories[holder] = stories.get(holder, 0) + weight(text)
    return Shape(
        text=sum(weight(text) for text in _shown(tree)),
        linked=linked,
        cards=len(set(_card_targets(tree))),
        prose=sum(stories.values()),
        story=max(stories.values(), default=0),
        images=sum(1 for _ in tree.iter("img", "picture")),
    )


def _shown(tree: HtmlElement) -> Iterator[str]:
    for element in tree.iter():
        if element.text and isinstance(element.tag, str) and element.tag not in _UNSEEN:
            yield " ".join(element.text.split())
        if element.tail:
            yield " ".join(element.tail.split())


def _card_targets(tree: HtmlElement) -> Iterator[str]:
    """Yield the addresses of headings that are links, hold one, or stand in one."""
    for heading in tree.iter(*_HEADINGS):
        link = heading.find(".//a[@href]")
        if link is None:
            link = next((up for up in heading.iterancestors("a") if up.get("href")), None)
        target = link.get("href", "").partition("#")[0] if link is not None else ""
        if target:
            yield target


def _is_linked(element: HtmlElement) -> bool:
    link = next(element.iterancestors("a"), None)
    return link is not None and len(link.text_content()) <= _LONGEST_LINK


def standing_prose(tree: HtmlElement) -> Iterator[tuple[HtmlElement, str]]:
    """Yield the sentences outside links, each with the element that holds them together; links in them are left out."""
    for element in tree.iter("p", "div", "td", "span", "section", "article", "li", "blockquote"):
        if element.tag == "p":
            text = one_line(element.text_content())
        else:
            text = (element.text or "") + " ".join([child.tail for child in element if child.tail])
            text = one_line(text) if 2 * len(text) >= _PROSE else ""
        if not is_prose(text) or _is_linked(element):
            continue
        if element.tag == "p":
            for link in element.iter("a"):
                text = text.replace(one_line(link.text_content()), "", 1)
            holder = element.getparent()
        else:
            holder = element if element.find("br") is not None else element.getparent()
        if holder is not None and weight(text) >= _PROSE:
            yield holder, text
