"""What stands between a reader and the article: walls, error pages, notices and shells for scripts. Pure.

A wall is told by what it says and how it is built, together: the better part of its sentences speak as such pages do,
in few words, and the page has what goes with them (a control to accept, a form to log in, a challenge). An article
about such things speaks of them in the third person, among other sentences, and carries no such control.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from crawler.extraction import wall_words
from crawler.extraction.error_pages import names_an_error
from crawler.extraction.markup import Markup
from crawler.extraction.phrases import Phrases, phrases
from crawler.extraction.shape import is_prose
from crawler.extraction.text import folded, one_line
from storage.model import Outcome

Wall = tuple[Outcome, str]

_BOT_CHECK = phrases(wall_words.BOT_CHECK)
_CONSENT = phrases(wall_words.CONSENT)
_CONSENT_SPEAKER = phrases(wall_words.CONSENT_SPEAKER)
_ACCEPT = phrases(wall_words.ACCEPT)
_LOGIN = phrases(wall_words.LOGIN)
_READ_ON = phrases(wall_words.READ_ON)
_MAINTENANCE = phrases(wall_words.MAINTENANCE)
_OWN_SITE = phrases(wall_words.OWN_SITE)
_OUT_OF_ORDER = phrases(wall_words.MAINTENANCE, wall_words.OWN_SITE)
_SCRIPTS = phrases(("javascript", "java script"))
_REDIRECTING = phrases(wall_words.REDIRECTING)
_LOADING = phrases(wall_words.LOADING)
_SENTENCES = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？।؟])")
_TITLE_PARTS = re.compile(r"\s+[|\-–—·•:»]\s+|\s*[|»]\s*")
_SPOKEN = ("p", "h1", "h2", "h3", "h4", "li", "td", "label", "button", "div", "span", "strong", "b", "a", "center")
_UNSEEN = frozenset({"script", "style", "template", "nav", "footer", "select", "svg"})
_CONTROLS = ("button", "a", "input", "label", "span", "div")
_MOST = 0.5
_NEARLY_ALL = 0.8
_SOME = 0.25
_LONGEST = {Outcome.CONSENT_WALL: 8000, Outcome.BOT_CHECK: 1500, Outcome.MAINTENANCE: 1000, Outcome.LOGIN_WALL: 2000}
"""Characters of body beyond which a page is no such wall."""
_LONG = 4000
"""Longer than this are only requests for consent that name every partner."""
_LONGEST_BODY = max(_LONGEST.values())
_SHELL_TEXT = 400
_HARDLY_TEXT = 200
_PARAGRAPH = 60
_TEASER = 700


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

    def named(self, pattern: Phrases) -> bool:
        """Tell whether title or headings hold one of these phrases."""
        return any(pattern.search(head) for head in self.heads)

    def any(self, pattern: Phrases) -> bool:
        """Tell whether a sentence or a heading holds one of these phrases."""
        return any(pattern.search(said) for said in (*self.heads, *self.sentences))


def wall_of(markup: Markup, lines: Sequence[str], *, dated: bool, part_of_article: bool) -> Wall | None:
    """Return which wall a page with these body lines is, with a reason, or None where it is none.

    `dated` says whether explicit markup dates the page, `part_of_article` whether markup says that its text is only a
    part, for those who pay or log in.
    """
    length = sum(map(len, lines))
    if length > _LONGEST_BODY or (length > _LONG and not _begins_with(lines, _CONSENT)):
        return None
    said = what_is_said(markup.tree, lines)
    called_article = bool(markup.node) or dated
    if names_an_error(said.heads, said.sentences, length=length, called_article=called_article, markup=markup):
        return Outcome.SOFT_404, "not_found_page"
    judges = (_bot_check, _consent_wall, _login_wall, _maintenance, _script_shell)
    for judge in judges:
        wall = judge(markup.tree, said, called_article, part_of_article)
        if wall is not None and said.length <= _LONGEST.get(wall[0], _LONGEST_BODY):
            return wall
    return None


def _begins_with(lines: Sequence[str], pattern: Phrases) -> bool:
    return pattern.search(folded(" ".join(lines[:3]))) is not None


def what_is_said(tree: HtmlElement, lines: Sequence[str]) -> Said:
    """Return what a page says: its body lines, or all its shown text where the body has next to none."""
    texts = list(lines) if sum(map(len, lines)) >= _PARAGRAPH else list(dict.fromkeys([*lines, *_shown(tree)]))
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


def _bot_check(tree: HtmlElement, said: Said, called_article: bool, _: bool) -> Wall | None:
    if called_article:
        return None
    share = said.share(_BOT_CHECK)
    named = said.named(_BOT_CHECK)
    if not share and not named:
        return None
    built = _is_built_as_challenge(tree)
    if built and (named or share >= _SOME):
        return Outcome.BOT_CHECK, "challenge"
    if share >= _MOST or (named and (share >= _SOME or said.length < _PARAGRAPH)):
        return Outcome.BOT_CHECK, "asks_if_human"
    return None


def _is_built_as_challenge(tree: HtmlElement) -> bool:
    for element in tree.iter("form", "iframe", "script", "div", "input", "img"):
        marks = " ".join(filter(None, map(element.get, ("id", "class", "name", "src", "action")))).lower()
        if marks and any(piece in marks for piece in wall_words.BOT_STRUCTURE):
            return True
    return False


def _consent_wall(tree: HtmlElement, said: Said, called_article: bool, _: bool) -> Wall | None:
    share = said.share(_CONSENT)
    if share < (_NEARLY_ALL if called_article else _MOST):
        return None
    spaced = any("a" <= letter <= "z" or letter > "\u0370" for letter in "".join(said.sentences)[:200])
    spoken = said.share(_CONSENT, _CONSENT_SPEAKER)
    if spaced and spoken < _SOME:
        return None
    return (Outcome.CONSENT_WALL, "asks_for_consent") if _has_control(tree, _ACCEPT) else None


def _has_control(tree: HtmlElement, labels: Phrases) -> bool:
    """Tell whether a button, a link or the like carries one of these labels."""
    for element in tree.iter(*_CONTROLS):
        if element.tag in ("span", "div") and element.get("role") != "button":
            continue
        label = folded(element.get("value") or element.get("aria-label") or element.text_content())
        if len(label) < 60 and labels.search(label):
            return True
    return False


def _login_wall(tree: HtmlElement, said: Said, _: bool, part_of_article: bool) -> Wall | None:
    form = said.length < _TEASER and _has_login_form(tree)
    if not form and not said.any(_LOGIN):
        return None
    own = [s for s in said.sentences if is_prose(s) and not _LOGIN.search(s) and not _READ_ON.search(s)]
    if own and part_of_article:
        return None
    length = sum(map(len, own))
    if form and length < _PARAGRAPH and said.share(_LOGIN) >= _SOME:
        return Outcome.LOGIN_WALL, "login_form"
    if length >= _TEASER or not (form or _has_control(tree, _LOGIN)):
        return None
    if any(_READ_ON.search(call) for call in (*said.heads, *_calls(tree))):
        return Outcome.LOGIN_WALL, "login_to_read_on"
    return None


def _calls(tree: HtmlElement) -> Iterator[str]:
    """Yield short texts that could call on a reader to log in and read on."""
    for element in tree.iter("p", "h2", "h3", "h4", "div", "span", "strong", "legend", "label"):
        text = folded(" ".join([element.text or "", *(child.tail or "" for child in element)]))
        if 0 < len(text) < 200 and _LOGIN.search(text):
            yield text


def _has_login_form(tree: HtmlElement) -> bool:
    for field in tree.iter("input"):
        kind, name = (field.get("type") or "text").lower(), (field.get("name") or "").lower()
        if kind == "password" or (kind in ("email", "text") and name in ("username", "user", "login", "email")):
            return True
    return False


def _maintenance(_: HtmlElement, said: Said, called_article: bool, __: bool) -> Wall | None:
    if called_article or not said.any(_MAINTENANCE):
        return None
    named = said.named(_MAINTENANCE)
    share = said.share(_OUT_OF_ORDER)
    own = said.share(_OWN_SITE)
    if (named and said.length < _PARAGRAPH) or (share >= _NEARLY_ALL and own and (named or said.length < _SHELL_TEXT)):
        return Outcome.MAINTENANCE, "maintenance_notice"
    return None


def _script_shell(tree: HtmlElement, said: Said, called_article: bool, _: bool) -> Wall | None:
    if called_article or said.length > _SHELL_TEXT:
        return None
    if said.share(_SCRIPTS) >= _MOST:
        return Outcome.SCRIPT_SHELL, "asks_for_scripts"
    scripts = next(tree.iter("script"), None) is not None
    if scripts and said.length < _HARDLY_TEXT and said.share(_REDIRECTING) >= _MOST:
        return Outcome.SCRIPT_SHELL, "redirects_by_script"
    if scripts and said.length < _PARAGRAPH and said.share(_LOADING) >= _MOST:
        return Outcome.SCRIPT_SHELL, "no_text_without_scripts"
    return None
