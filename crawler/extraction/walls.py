"""What stands between a reader and the article: walls, error pages, notices and shells for scripts. Pure.

A wall is told by what it says and how it is built, together: the better part of its sentences speak as such pages do,
in few words, and the page has what goes with them (a control to accept, a form to log in, a challenge). An article
about such things speaks of them in the third person, among other sentences, and carries no such control. Of a page
whose markup calls it an article, which templates do of walls too, no sentence may say anything else.
"""

import itertools
from collections.abc import Iterator, Sequence

from lxml.html import HtmlElement

from crawler.extraction import wall_words
from crawler.extraction.error_pages import names_an_error
from crawler.extraction.markup import Markup
from crawler.extraction.notices import notice_of
from crawler.extraction.phrases import Phrases, covers, phrases
from crawler.extraction.said import PARAGRAPH, Said, what_is_said
from crawler.extraction.shape import is_prose
from crawler.extraction.text import folded, weight
from storage.outcomes import Outcome

Wall = tuple[Outcome, str]

_BOT_CHECK = phrases(wall_words.BOT_CHECK)
_BOT_TITLES = phrases(wall_words.BOT_TITLES)
_CONSENT = phrases(wall_words.CONSENT)
_CONSENT_SPEAKER = phrases(wall_words.CONSENT_SPEAKER)
_ACCEPT = phrases(wall_words.ACCEPT)
_LOGIN = phrases(wall_words.LOGIN)
_READ_ON = phrases(wall_words.READ_ON)
_GO_ON = phrases(wall_words.GO_ON)
_NOT_TO_READ_ON = phrases(wall_words.NOT_TO_READ_ON)
_SCRIPTS = phrases(("javascript", "java script"))
_ASKS_FOR_SCRIPTS = phrases(wall_words.ASKS_FOR_SCRIPTS)
_REDIRECTING = phrases(wall_words.REDIRECTING)
_LOADING = phrases(wall_words.LOADING)
_CONTROLS = ("button", "a", "input", "label", "span", "div")
_MOST = 0.5
_NEARLY_ALL = 0.8
_SOME = 0.25
_LONGEST = {Outcome.CONSENT_WALL: 200_000, Outcome.BOT_CHECK: 1500, Outcome.MAINTENANCE: 1000, Outcome.LOGIN_WALL: 2000}
"""Characters of body beyond which a page is no such wall."""
_LONG = 4000
"""Longer than this are only requests for consent that name every partner."""
_LONGEST_BODY = max(_LONGEST.values())
_SHELL_TEXT = 400
_HARDLY_TEXT = 200
_TEASER = 700
_LITTLE_ELSE = 100
_SHORT_CALL = 60
_LARGEST_BOX = 400
_KINDS_OF_CONSENT = 2
"""Different phrases of a request for consent: recipes too speak of cookies and to their readers."""


def wall_of(markup: Markup, lines: Sequence[str], *, called_article: bool, part_of_article: bool) -> Wall | None:
    """Return which wall a page with these body lines is, with a reason, or None where it is none.

    `called_article` says whether markup calls the page an article or dates it, `part_of_article` whether it says that
    the text is only a part, for those who pay or log in.
    """
    length = sum(map(len, lines))
    if length > _LONGEST_BODY or (length > _LONG and not begins_with_consent(lines)):
        return None
    said = what_is_said(markup.tree, lines)
    if names_an_error(said, length=length, called_article=called_article, markup=markup):
        return Outcome.SOFT_404, "not_found_page"
    judges = (_bot_check, _consent_wall, _login_wall, _notice, _script_shell)
    for judge in judges:
        wall = judge(markup.tree, said, called_article, part_of_article)
        if wall is not None and said.length <= _LONGEST.get(wall[0], _LONG):
            return wall
    return None


def begins_with_consent(lines: Sequence[str]) -> bool:
    """Tell whether the first lines of a body may be those of a request for consent."""
    return _CONSENT.search(folded(" ".join(lines[:3]))) is not None


def _bot_check(tree: HtmlElement, said: Said, called_article: bool, _: bool) -> Wall | None:
    named = any(_BOT_CHECK.search(head) or covers(_BOT_TITLES, head) for head in said.heads)
    told = sum(len(one) for one in said.sentences if _BOT_CHECK.search(one) or covers(_BOT_TITLES, one))
    if not told and not named:
        return None
    share = told / said.length if said.length else 0.0
    unlike = said.unlike(_BOT_CHECK, _BOT_TITLES)
    if called_article and not (named and unlike < PARAGRAPH):
        return None
    if (share >= _SOME or (named and unlike < _LITTLE_ELSE)) and _is_built_as_challenge(tree):
        return Outcome.BOT_CHECK, "challenge"
    if share >= _MOST or (named and (share >= _SOME or said.length < PARAGRAPH)):
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
    if share < (_NEARLY_ALL if said.length > _LONG else _MOST):
        return None
    if called_article and said.unlike(_CONSENT, _CONSENT_SPEAKER) >= PARAGRAPH:
        return None
    spaced = any("a" <= letter <= "z" or letter > "\u0370" for letter in "".join(said.sentences)[:200])
    spoken = said.share(_CONSENT, _CONSENT_SPEAKER)
    if spaced and said.length <= _LONG and spoken < (_MOST if called_article else _SOME):
        return None
    kinds = {found[0] for one in (*said.heads, *said.sentences) for found in _CONSENT.finditer(one)}
    if len(kinds) < _KINDS_OF_CONSENT:
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
    length = sum(map(weight, own))
    if form and length < PARAGRAPH and said.share(_LOGIN) >= _SOME:
        return Outcome.LOGIN_WALL, "login_form"
    if length >= _TEASER or not (form or _has_control(tree, _LOGIN)):
        return None
    return (Outcome.LOGIN_WALL, "login_to_read_on") if any(map(_calls_to_log_in, _short_texts(tree))) else None


def _short_texts(tree: HtmlElement) -> Iterator[tuple[HtmlElement, str]]:
    """Yield short texts that could call on a reader to log in and read on, with their elements."""
    for element in tree.iter("p", "h1", "h2", "h3", "h4", "div", "span", "strong", "legend", "label", "a"):
        text = folded(" ".join([element.text or "", *(child.tail or "" for child in element)]))
        if 0 < len(text) < 200:
            yield element, text


def _calls_to_log_in(call: tuple[HtmlElement, str]) -> bool:
    """Tell whether a text, or a small box that it stands in, says to log in so as to read on."""
    element, text = call
    if not _READ_ON.search(text) and not (len(text) < _SHORT_CALL and _GO_ON.search(text)):
        return False
    for box in (element, *itertools.islice(element.iterancestors(), 2)):
        around = text if box is element else folded(box.text_content())
        if len(around) > _LARGEST_BOX or _NOT_TO_READ_ON.search(around) or box.find(".//article") is not None:
            return False
        if _LOGIN.search(around):
            return box is element or box.find(".//h1") is None
    return False


def _has_login_form(tree: HtmlElement) -> bool:
    """Tell whether a page asks for name or password, other than in the small form that stands in a site's header."""
    for field in tree.iter("input"):
        kind, name = (field.get("type") or "text").lower(), (field.get("name") or "").lower()
        asks = kind == "password" or (kind in ("email", "text") and name in ("username", "user", "login", "email"))
        if asks and next(field.iterancestors("header", "nav", "footer"), None) is None:
            return True
    return False


def _notice(_: HtmlElement, said: Said, called_article: bool, __: bool) -> Wall | None:
    return notice_of(said, called_article=called_article)


def _script_shell(tree: HtmlElement, said: Said, called_article: bool, _: bool) -> Wall | None:
    if called_article or said.length > _SHELL_TEXT:
        return None
    if said.share(_SCRIPTS, _ASKS_FOR_SCRIPTS) >= _MOST:
        return Outcome.SCRIPT_SHELL, "asks_for_scripts"
    scripts = next(tree.iter("script"), None) is not None
    if scripts and said.length < _HARDLY_TEXT and _redirects(said):
        return Outcome.SCRIPT_SHELL, "redirects_by_script"
    if scripts and said.length < PARAGRAPH and said.share(_LOADING) >= _MOST:
        return Outcome.SCRIPT_SHELL, "no_text_without_scripts"
    return None


def _redirects(said: Said) -> bool:
    """Tell whether most of what is said begins with the word for redirecting, or tells it to the reader."""
    told = (one for one in said.sentences if _REDIRECTING.match(one) or _CONSENT_SPEAKER.search(one))
    return sum(len(one) for one in told if _REDIRECTING.search(one)) >= _MOST * said.length > 0
