"""What a page says, as its walls and notices are told by: title and headings, and its sentences. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from crawler.extraction.phrases import Phrases, covers
from crawler.extraction.text import folded, one_line, weight

_SENTENCES = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？।؟])")
_TITLE_PARTS = re.compile(r"(?<!\s)\s++[|\-–—·•:»]\s++|(?:(?<!\s)\s++)?[|»]\s*+")
_SPOKEN = ("p", "h1", "h2", "h3", "h4", "li", "td", "label", "button", "div", "span", "strong", "b", "a", "center")
_UNSEEN = frozenset({"script", "style", "template", "nav", "footer", "select", "svg"})
PARAGRAPH = 60
"""Characters of less text than one paragraph has."""
_LABEL = 25
"""Shorter than this, by weight, are labels and links, not sentences."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a page says: title and headings, and its sentences, all folded; `length` of the sentences in characters."""

    heads: tuple[str, ...]
    sentences: tuple[str, ...]
    length: int

    def share(self, *patterns: Phrases) -> float:
        """Return which share of the text stands in sentences that hold a phrase of every list."""
        told = sum(len(said) for said in self.sentences if all(pattern.search(said) for pattern in patterns))
        return told / self.length if self.length else 0.0

    def unlike(self, *patterns: Phrases) -> int:
        """Return the weight of the sentences, other than labels, that hold no phrase of any of these lists."""
        weights = (weight(said) for said in self.sentences if not any(pattern.search(said) for pattern in patterns))
        return sum(one for one in weights if one >= _LABEL)

    def headed(self, pattern: Phrases) -> bool:
        """Tell whether title or a heading says one of these phrases and little else."""
        return any(covers(pattern, head) for head in self.heads)

    def any(self, pattern: Phrases) -> bool:
        """Tell whether a sentence or a heading holds one of these phrases."""
        return any(pattern.search(said) for said in (*self.heads, *self.sentences))


def what_is_said(tree: HtmlElement, lines: Sequence[str]) -> Said:
    """Return what a page says: its body lines, or all its shown text where the body has next to none."""
    texts = list(lines) if sum(map(len, lines)) >= PARAGRAPH else list(dict.fromkeys([*lines, *_shown(tree)]))
    sentences = tuple(part for text in texts for part in _SENTENCES.split(folded(text)) if part)
    return Said(heads=tuple(_heads(tree)), sentences=sentences, length=sum(map(len, sentences)))


def _heads(tree: HtmlElement) -> Iterator[str]:
    title = tree.find(".//title")
    heads = [*([title] if title is not None else []), *tree.iter("h1", "h2")]
    for head in heads[:12]:
        text = one_line(head.text_content())
        if 0 < len(text) < 160:
            yield from (folded(part) for part in _TITLE_PARTS.split(text) if part.strip())


def _shown(tree: HtmlElement) -> Iterator[str]:
    """Yield the own text of each element, but of those that nobody reads; also what stands in `noscript`."""
    for element in tree.iter(*_SPOKEN, "noscript"):
        if any(up.tag in _UNSEEN for up in element.iterancestors()):
            continue
        own = one_line(" ".join([element.text or "", *(child.tail or "" for child in element)]))
        if own:
            yield own
