"""From text to a tree, and what stands in that tree without being part of its story.

Rules here look at structure: what is hidden, what belongs to a picture, what is only a link to another story. Names of
classes differ from house to house and are left to trafilatura, with one exception that all houses spell alike.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement
from trafilatura.utils import load_html

from crawler.extraction.text import key, one_line, without_control_characters, without_control_references

_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    }
)
_HIDING_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
MAX_ELEMENTS = 50_000
"""Elements of a page that are read. Of two thousand pages of newspapers the largest has 10,000; every element costs
some 30 µs, and more where very many stand side by side."""
_LARGEST_HIDDEN_SHARE = 0.3
"""Pages show their whole story by script: what is hidden and holds more of the text than this is no copy."""
_LONGEST_CAPTION = 400
_CAPTION_HOLDERS = frozenset({"div", "span", "figure", "center", "section", "td", "dl", "aside", "li"})
_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})
_STORY_PATH = re.compile(r"\d{3}|[^/?#]{15,}$|[^/?#]{15,}[/?#]")
"""What tells the address of a story from that of a section: a number, or a long last step."""
_LARGEST_CARD = 450
_SHORTEST_LINK = 12
_LONGEST_LINK = 8_192
"""Characters of an address that is looked at; the longest that servers take."""
_LONGEST_LABEL = 32
_SENTENCE_END = re.compile(r"[.!?…。]['\"”’»)]*\s*$")


def parse(html: str) -> HtmlElement | None:
    """Return the tree of a page's text, or None where no markup and no text is in it; never raises."""
    text = without_control_references(without_control_characters(html))
    if not text.strip():
        return None
    tree = load_html(text)
    if tree is None:
        # A fragment is refused by trafilatura, and yet a server may send nothing else.
        tree = load_html(f"<html><head></head><body><div>{text}</div></body></html>")
    if tree is not None:
        _cut(tree)
    return tree


def _cut(tree: HtmlElement) -> None:
    """Take out what stands behind the first 50,000 elements."""
    for element in list(itertools.islice(tree.iter(), MAX_ELEMENTS, None)):
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)


@dataclass(frozen=True, kw_only=True)
class Surplus:
    """What stands on a page without being its story.

    `captions` are the pictures' captions in document order. `keys` are the letters and figures (`text.key`) of lines
    that are hidden, belong to pictures, or only lead to other stories.
    """

    captions: tuple[str, ...]
    keys: frozenset[str]


def surplus_of(tree: HtmlElement, *, url: str) -> Surplus:
    """Find what is surplus on a page.

    The tree stays as it is: trafilatura weighs parts of a page against each other, and taking out even what is no
    story makes it lose some that is. Its lines are compared with these instead.
    """
    total = max(1, sum(len(paragraph.text_content()) for paragraph in tree.iter("p")))
    holders = _caption_holders(tree)
    elements = [
        *_hidden(tree, total),
        *holders,
        *_links_to_other_stories(tree, url),
        *_cards(tree, url),
        *_disclaimers(tree),
    ]
    keys = {key(part) for element in elements for part in _parts(element)}
    inside = set(elements)
    for paragraph in tree.iter("p"):
        # A pull quote, or a copy for those who listen: the same words stand in the story as well.
        words = key(paragraph.text_content())
        if words in keys and not any(above in inside for above in (paragraph, *paragraph.iterancestors())):
            keys.discard(words)
    captions = dict.fromkeys(text for text in (one_line(holder.text_content()) for holder in holders) if text)
    return Surplus(captions=tuple(captions), keys=frozenset(keys - {""}))


def _parts(element: HtmlElement) -> Iterator[str]:
    """Yield the texts that an element can come out as: the whole, and those of the blocks in it."""
    yield element.text_content()
    for inner in element.iterdescendants():
        if isinstance(inner.tag, str):
            yield inner.text_content()


def _hidden(tree: HtmlElement, total: int) -> Iterator[HtmlElement]:
    """Yield what is hidden, but for what holds so much that it can only be the story, shown by script."""
    for element in tree.iterfind(".//*[@style]"):
        if _HIDING_STYLE.search(element.get("style", "")) and _is_small(element, total):
            yield element
    for element in tree.iterfind(".//*[@hidden]"):
        if _is_small(element, total):
            yield element
    for element in tree.iterfind(".//*[@aria-hidden='true']"):
        if element.tag in _BLOCKS and _is_small(element, total):
            yield element


def _is_small(element: HtmlElement, total: int) -> bool:
    return len(element.text_content()) < _LARGEST_HIDDEN_SHARE * total


def _caption_holders(tree: HtmlElement) -> list[HtmlElement]:
    """Return the elements that hold a picture and the few words under it, and all `figcaption`s."""
    found = dict.fromkeys(tree.iter("figcaption"))
    # Each element is looked at once: a page may have a hundred thousand pictures in one.
    speaks: dict[HtmlElement, bool] = {}
    holds_caption: dict[HtmlElement, bool] = {}
    for image in tree.iter("img"):
        holder = _holder_of(image, speaks)
        if holder is None:
            continue
        if holder not in holds_caption:
            holds_caption[holder] = _is_caption_holder(holder)
        if holds_caption[holder]:
            found[holder] = None
    return list(found)


def _holder_of(image: HtmlElement, speaks: dict[HtmlElement, bool]) -> HtmlElement | None:
    """Return the innermost element around a picture that has any text; `speaks` remembers which ones have."""
    if (image.tail or "").strip():
        return None
    for element in image.iterancestors():
        if element not in speaks:
            speaks[element] = bool(element.text_content().strip())
        if speaks[element]:
            return element
        if (element.tail or "").strip() and element.tag not in _BLOCKS:
            return None
    return None


def _is_caption_holder(holder: HtmlElement) -> bool:
    if holder.tag not in _CAPTION_HOLDERS:
        return False
    text = one_line(holder.text_content())
    if not 3 <= len(text) <= _LONGEST_CAPTION or sum(1 for _ in holder.iter("p")) > 1:
        return False
    if next(holder.iter("h1", "h2", "h3", "h4", "script", "iframe"), None) is not None:
        return False
    links = sum(len(one_line(link.text_content())) for link in holder.iter("a"))
    return links * 2 <= len(text)


def _links_to_other_stories(tree: HtmlElement, url: str) -> Iterator[HtmlElement]:
    """Yield paragraphs that are nothing but links to stories of the same publisher, perhaps behind a short label.

    Whatever the language and the label (`ALSO READ |`, `Lire aussi :`, `→`), what tells them from prose is that hardly
    anything stands outside the link, and that the whole is no sentence.
    """
    site = _site(urlsplit(url).hostname)
    for element in tree.iter("p", "h2", "h3", "h4", "h5", "h6", "div", "blockquote"):
        links = list(itertools.islice((link for link in element.iter("a") if link.get("href")), 4))
        if not links or len(links) > 3 or any(child.tag in _BLOCKS for child in element.iterdescendants()):
            continue
        text = one_line(element.text_content())
        linked = sum(len(one_line(link.text_content())) for link in links)
        if linked < _SHORTEST_LINK or len(text) - linked > _LONGEST_LABEL or linked * 5 < len(text) * 3:
            continue
        if _SENTENCE_END.search(text[-4:]) and not _SENTENCE_END.search(one_line(links[-1].text_content())[-4:]):
            continue
        if all(_leads_to_story(link.get("href", ""), url, site) for link in links):
            yield element


def _cards(tree: HtmlElement, url: str) -> Iterator[HtmlElement]:
    """Yield teasers of other stories: a linked heading or picture with the few words that go with it.

    A card is the largest element around such a link that holds no other destination and little text.
    """
    site = _site(urlsplit(url).hostname)
    # What leads where, and how much text there is, by element: it may hold very many links.
    known: dict[HtmlElement, tuple[frozenset[str], int]] = {}
    for link in tree.iter("a"):
        href = link.get("href", "")
        headed = any(up.tag in _HEADINGS for up in _near(link)) or any(down.tag in _HEADINGS for down in link.iter())
        if not (headed or link.find(".//img") is not None) or not _leads_to_story(href, url, site):
            continue
        card = None
        for element in link.iterancestors("div", "li", "article", "section", "aside"):
            if element not in known:
                known[element] = _targets(element), len(element.text_content())
            targets, length = known[element]
            if length > _LARGEST_CARD or targets != {href}:
                break
            card = element
        if card is not None and card.find(".//h1") is None:
            yield card


def _targets(element: HtmlElement) -> frozenset[str]:
    """Return the stories that the links in an element lead to, two of them where there are more."""
    found: set[str] = set()
    for link in element.iter("a"):
        if len(found) < 2 and _STORY_PATH.search(to := link.get("href", "")):
            found.add(to)
    return frozenset(found)


def _near(link: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the two elements around a link."""
    return itertools.islice(link.iterancestors(), 2)


def _leads_to_story(href: str, url: str, site: str) -> bool:
    if len(href) > _LONGEST_LINK:
        return False
    try:
        target = urlsplit(urljoin(url, href.strip()))
    except ValueError:
        return False
    return target.scheme in ("http", "https") and _site(target.hostname) == site and len(target.path) > 1


def _site(host: str | None) -> str:
    """Return the label by which a publisher is known: `example` for `news.example.co.uk`; "" without a host."""
    labels = (host or "").split(".")
    if len(labels) > 2 and len(labels[-2]) <= 3:
        return labels[-3]
    return labels[-2] if len(labels) > 1 else labels[0]


def _disclaimers(tree: HtmlElement) -> Iterator[HtmlElement]:
    for element in tree.iterfind(".//*[@class]"):
        if "disclaimer" in element.get("class", "").lower().split() and len(element.text_content()) < 1500:
            yield element
