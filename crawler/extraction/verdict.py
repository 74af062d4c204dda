"""Is this an article? Everything that reads as one is; what is plainly something else is told apart. Pure."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from crawler.extraction.linked_data import ARTICLE_TYPES
from crawler.extraction.markup import Markup
from crawler.extraction.reading import Reading
from crawler.extraction.text import one_line
from storage.model import Outcome

_NOT_FOUND = re.compile(
    r"^(?:error )?4(?:04|10)\b|\berror 4(?:04|10)\b|\b4(?:04|10)[ :–-]+(?:error|not|page)"
    r"|page (?:was )?not found|not be found|page (?:does not|doesn['’]t|no longer) exists?"
    r"|no longer available|article (?:was )?not found|^oops\b|seite (?:wurde )?nicht gefunden"
    r"|nicht (?:mehr )?(?:verfügbar|gefunden)|page (?:introuvable|non trouvée)|página no encontrada"
    r"|no se (?:ha encontrado|encontró)|página não encontrada|pagina non trovata|pagina niet gevonden"
    r"|sidan (?:hittades inte|finns inte)|siden (?:blev|er|ble) ikke (?:fundet|funnet)"
    r"|strona nie (?:została znaleziona|istnieje)|страница не найдена|сторінку не знайдено|sayfa bulunamadı"
    r"|halaman tidak ditemukan|ページが見つかりません|페이지를 찾을 수 없",
    re.IGNORECASE,
)
_INDEX_TYPES = frozenset(
    {"collectionpage", "searchresultspage", "imagegallery", "mediagallery", "profilepage", "contactpage"}
)
_INDEX_PATH = re.compile(
    r"^/(?:index\.\w+|home|[a-z]{2}(?:-[a-z]{2})?/?)?$|^/(?:tags?|topics?|search|suche|recherche|category|categories|authors?)(?:/|$)",
    re.IGNORECASE,
)
_ERROR_BODY = 1000
_SHELL_BODY = 200
_SHORT_BODY = 800
_PROSE = 60
"""Teasers are shorter than this, or end without a full stop."""
_SENTENCE_END = re.compile(r"[.!?…。！？؟।][\"'”’»」)]*$")


def refusal(markup: Markup, lines: Sequence[str], *, dated: bool) -> Reading | None:
    """Return why a page with these body lines is no article, or None if it is one.

    `dated` says whether explicit markup dates the page.
    """
    length = sum(map(len, lines))
    article_markup = _has_article_markup(markup)
    if length < _ERROR_BODY and not dated and not markup.node and _names_an_error(markup.tree):
        return Reading(outcome=Outcome.SOFT_404, reason="not_found_page")
    if length < 25:
        return _empty(markup)
    if not article_markup and not dated and _is_index(markup, lines, length):
        return Reading(outcome=Outcome.NOT_ARTICLE, reason="index")
    return None


def _has_article_markup(markup: Markup) -> bool:
    kind = markup.first_meta("og:type").lower()
    typed = any(
        item.get("itemtype", "").rstrip("/").rpartition("/")[2].lower() in ARTICLE_TYPES
        for item in markup.tree.iterfind(".//*[@itemtype]")
    )
    return bool(markup.node) or kind in ("article", "news", "blog") or typed


def _names_an_error(tree: HtmlElement) -> bool:
    """Tell whether a page's title or main heading says that nothing is here."""
    title = tree.find(".//title")
    heads = [title] if title is not None else []
    heads.extend(tree.iter("h1"))
    return any(_NOT_FOUND.search(text) for text in (one_line(head.text_content()) for head in heads) if len(text) < 120)


def _empty(markup: Markup) -> Reading:
    """Return what a page without a story is: a shell for scripts, a video, a gallery, or nothing."""
    tree = markup.tree
    shown = "".join(
        text
        for element in tree.iter("p", "h1", "h2", "h3", "li", "a", "td")
        if (text := one_line(element.text_content()))
    )
    scripts = sum(1 for script in tree.iter("script") if "json" not in (script.get("type") or ""))
    if len(shown) < _SHELL_BODY and scripts and not markup.node:
        return Reading(outcome=Outcome.SCRIPT_SHELL, reason="no_text_without_scripts")
    if markup.linked_data.of_type("videoobject") or markup.first_meta("og:type").startswith("video"):
        return Reading(outcome=Outcome.NOT_ARTICLE, reason="video")
    return Reading(outcome=Outcome.NOT_ARTICLE, reason="empty" if len(shown) < _SHELL_BODY else "no_story")


def _is_index(markup: Markup, lines: Sequence[str], length: int) -> bool:
    """Tell whether a page that no markup calls an article is an index of other pages."""
    path = urlsplit(markup.url).path
    indexed = bool(_INDEX_TYPES & markup.linked_data.types) or _INDEX_PATH.match(path) is not None
    sentences = sum(len(line) > _PROSE and _SENTENCE_END.search(line) is not None for line in lines)
    headings = sum(1 for head in markup.tree.iter("h2", "h3", "h4") if next(head.iter("a"), None) is not None)
    cards = headings + sum(1 for _ in markup.tree.iter("article"))
    if indexed:
        return cards >= 5 or (sentences < 3 and length < _SHORT_BODY)
    return cards >= 8 and sentences < 2
