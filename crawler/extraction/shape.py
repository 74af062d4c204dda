"""How a page is built: how much of it is links, how much is prose that stands together. Pure."""

import itertools
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

_SENTENCE = re.compile(r"[.!?…](?:\s|[\"'”’»)]*$)|[。！？؟।]")
_WITHOUT_STOPS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Thai, Lao, Burmese and Khmer part sentences by spaces."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Numbers that tell a story from an index of stories; lengths are in characters, by their weight.

    `text` is all that is shown, `linked` what of it is inside links. `cards` counts the addresses that headings lead
    to. `prose` is the length of all sentences outside links, and `story` that of those that share one parent: an index
    has many teasers, and each stands alone. `lead` is the length of the texts that stand with the page's heading, apart
    from all cards, and `lead_texts` their number.
    """

    text: int
    linked: int
    cards: int
    prose: int
    story: int
    images: int
    lead: int
    lead_texts: int

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
    lead = _lead(tree)
    return Shape(
        text=sum(weight(text) for text in _shown(tree)),
        linked=linked,
        cards=len(set(card_targets(tree))),
        prose=sum(stories.values()),
        story=max(stories.values(), default=0),
        images=sum(1 for _ in tree.iter("img", "picture")),
        lead=sum(lead),
        lead_texts=len(lead),
    )


def _shown(tree: HtmlElement) -> Iterator[str]:
    for element in tree.iter():
        if element.text and isinstance(element.tag, str) and element.tag not in _UNSEEN:
            yield " ".join(element.text.split())
        if element.tail:
            yield " ".join(element.tail.split())


def card_targets(tree: HtmlElement) -> Iterator[str]:
    """Yield the addresses of headings that are links, hold one, or stand in one."""
    for _, target in _cards(tree):
        yield target


def _cards(tree: HtmlElement) -> Iterator[tuple[HtmlElement, str]]:
    for heading in tree.iter(*_HEADINGS):
        link = heading.find(".//a[@href]")
        if link is None:
            link = next((up for up in heading.iterancestors("a") if up.get("href")), None)
        target = link.get("href", "").partition("#")[0] if link is not None else ""
        if target:
            yield heading, target


def _lead(tree: HtmlElement) -> list[int]:
    """Return the weights of the texts outside links that stand with the page's heading, apart from all cards."""
    head = next((head for head in tree.iter("h1") if head.find(".//a[@href]") is None and not _is_linked(head)), None)
    if head is None:
        return []
    with_cards = {above for heading, _ in _cards(tree) for above in (heading, *heading.iterancestors())}
    around = head
    for above in head.iterancestors():
        if above in with_cards or above.tag == "html":
            break
        around = above
    behind = itertools.takewhile(lambda sibling: sibling not in with_cards, around.itersiblings())
    return [length for part in (around, *behind) for length in _said_outside_links(part)]


def _said_outside_links(part: HtmlElement) -> Iterator[int]:
    for element in part.iter("p", "div", "td", "li", "section", "article", "blockquote"):
        text = element.text_content() if element.tag in ("p", "li") else element.text
        text = one_line(text) if text and len(text) < _LONGEST_LINK else ""
        if (_SENTENCE.search(text) or is_prose(text)) and not _is_linked(element) and element.find(".//p") is None:
            yield weight(text) - sum(weight(one_line(link.text_content())) for link in element.iter("a"))


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
