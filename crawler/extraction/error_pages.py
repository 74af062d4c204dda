"""Pages that come with status 200 and say that nothing is here. Pure."""

import re

from lxml.html import HtmlElement

from crawler.extraction.markup import Markup
from crawler.extraction.phrases import phrases
from crawler.extraction.said import Said
from crawler.extraction.shape import standing_prose
from crawler.extraction.text import folded, weight

_THING = (
    r"(?:page|article|story|content|url|seite|artikel|página|artículo|noticia|notícia|pagina|articolo|contenu"
    r"|sida|side)"
)
_WHICH = (
    r"(?: (?:(?:that )?you(?: a|'|we)re looking for|(?:that )?you (?:have )?requested|demandée|recherchée|solicitada"
    r"|richiesta|opgevraagd))?"
)
_ERRORS = (
    # a number with the word for error before or behind it
    r"(?:(?:http|status|error|fehler|erreur|errore|erro|fout|fel|fejl|feil|virhe|błąd|chyba|ошибка|помилка|hata)[ :]+)?"
    r"(?:code )?4(?:04|10)(?: ?(?:error|not found|gone|page not found|fehler))?",
    # `Sorry, the page you requested could not be found` in what is near to it
    r"(?:(?:oops|ooops|sorry|hoppla|désolé|lo sentimos|ops|ups|tyvärr|desværre|beklager)[!,.… ]*)?(?:but )?"
    r"(?:(?:the|this|that|die|diese|der|dieser|la|cette|esta|questa|de|deze) )?"
    rf"(?:requested |gewünschte |angeforderte )?{_THING}{_WHICH}"
    r" (?:(?:was |is )?not found|(?:has|have) expired"
    r"|(?:could not|couldn't|can not|cannot|can't) be found|(?:does not|doesn't) exist"
    r"|no longer exists|is (?:no longer|not) available|has been removed|wurde (?:leider )?nicht gefunden"
    r"|konnte (?:leider )?nicht gefunden werden|nicht gefunden|(?:ist )?nicht (?:mehr )?(?:verfügbar|vorhanden)"
    r"|existiert (?:leider )?nicht(?: mehr)?|introuvable|non trouvée|n'existe (?:pas|plus)|no (?:encontrada|existe)"
    r"|no disponible|non trovat[ao]|non esiste|não encontrad[ao]|não existe|niet (?:gevonden|beschikbaar)"
    r"|bestaat niet(?: meer)?|hittades inte|finns inte(?: längre)?|(?:(?:blev|er|ble) )?ikke (?:fundet|funnet)"
    r"|findes ikke|finnes ikke)",
    r"(?:sorry, )?we (?:can't|cannot|couldn't|could not) find (?:that|this|the) page(?: you(?: a|')re looking for)?",
    r"not found|nothing (?:was )?found(?: here)?|no se (?:ha )?(?:encontrado|encontró|encuentra) la página",
    r"sivua ei löy(?:dy|tynyt)|(?:ta )?strona nie (?:została znaleziona|istnieje)|nie znaleziono strony",
    r"stránka (?:nebyla nalezena|neexistuje)|(?:такая )?страница не (?:найдена|существует)",
    r"сторінку не знайдено|сторінка не існує|(?:aradığınız )?sayfa bulunamadı|halaman tidak ditemukan",
    r"الصفحة غير موجودة|لم يتم العثور على الصفحة|הדף לא נמצא|העמוד לא נמצא|(?:यह )?(?:पेज|पृष्ठ) नहीं मिला",
    r"(?:抱歉[,，]?)?(?:您访问的)?(?:页面|頁面|网页|網頁)(?:不存在|未找到|找不到)|找不到(?:页面|頁面|网页|網頁)",
    r"(?:お探しの)?(?:ページ|記事)[がは](?:見つかりません(?:でした)?|存在しません)",
    r"(?:요청하신 )?(?:페이지|기사)를 찾을 수 (?:없습니다|없음)|존재하지 않는 (?:페이지|기사)입니다",
)
_ERROR = re.compile(rf"(?:{'|'.join(_ERRORS)})[!.。]?")
"""A heading that is an error message as a whole, and nothing else."""
_HINT = re.compile(
    r"\b4(?:04|10)\b|not found|can't find|could not find|hier ist etwas schiefgelaufen|has expired|not be found"
    r"|can't be found|no longer (?:available|exists?)|^(?:ooo?ps|ups|hoppla)\b"
    r"|nicht (?:mehr )?(?:gefunden|verfügbar)|introuvable|non trouvée|no encontrad|no se (?:ha )?encontr|não encontrad"
    r"|non trovat|niet gevonden|hittades inte|finns inte|ikke (?:fundet|funnet)|ei löy|neexistuje"
    r"|nie (?:została znaleziona|istnieje)|nebyla nalezena|не найден|не существует"
    r"|не знайден|bulunamadı|غير موجودة|לא נמצא|नहीं मिला"
    r"|tidak ditemukan|不存在|未找到|找不到|見つかりません|찾을 수 없"
)
"""A heading that may be one."""
_EXPLAINED = phrases((
    "you are looking for", "you were looking for", "you're looking for", "you requested", "you tried",
    "may have been moved", "has been moved", "been removed", "been deleted", "mistyped", "typed", "check the url",
    "check the address", "the link", "home page", "homepage", "use the search", "try searching", "try the search",
    "gesucht", "eingegeben", "verschoben", "gelöscht", "startseite", "suchfunktion", "recherchez", "demandé",
    "supprimé", "déplacé", "page d'accueil", "accueil", "que buscas", "que busca", "eliminad", "página de inicio",
    "portada", "che cerchi", "cercando", "rimoss", "spostat", "que procura", "removid", "página inicial",
    "verwijderd", "verplaatst", "startpagina", "tagits bort", "startsidan", "flyttet", "slettet", "forsiden",
    "poistettu", "etusivu", "usunięt", "przeniesion", "strona główna", "stronę główną", "odstraněn", "přesunut",
    "удален", "удалён", "перемещен", "главную", "видален", "головну", "kaldırıl", "taşınm", "ana sayfa", "حذف",
    "نقل", "الصفحة الرئيسية", "הוסר", "דף הבית", "हटा", "होम पेज", "dihapus", "dipindah", "beranda", "首页", "首頁",
    "已删除", "已刪除", "被删除", "被刪除", "削除", "移動", "トップページ", "삭제", "이동", "메인", "could not find",
    "couldn't find", "not available", "expired", "gibt es leider nicht", "nicht mehr",
))  # fmt: skip
_HEADS_READ = 4
"""Title and first headings, parts of a title counted; further down stand teasers."""
_LONGEST_EXPLANATION = 1000
_LITTLE_ELSE = 60
_STORY = 120
_LONGEST_WITH_TEASERS = 4000
"""Error pages show teasers, which can be read as a body."""


def names_an_error(said: Said, *, length: int, called_article: bool, markup: Markup) -> bool:
    """Tell whether a page says that nothing is here: in a heading that says nothing else, or in one that is explained.

    `length` is that of the body. An article may be titled like an error; but then a story stands under its title.
    """
    if length > _LONGEST_WITH_TEASERS:
        return False
    first = said.heads[:_HEADS_READ]
    whole = any(_ERROR.fullmatch(head) for head in first)
    if not whole and (length >= _LONGEST_EXPLANATION or not any(len(h) < 80 and _HINT.search(h) for h in first)):
        return False
    if called_article:
        return whole and length < _LONGEST_EXPLANATION and said.unlike(_EXPLAINED, _HINT) < _LITTLE_ELSE
    if whole and length >= _LONGEST_EXPLANATION and markup.microdata.properties.get("articleBody"):
        return False
    if _has_story(markup.tree):
        return False
    return whole or 2 * said.share(_EXPLAINED) >= 1


def _has_story(tree: HtmlElement) -> bool:
    """Tell whether sentences that explain no error stand together."""
    stories: dict[HtmlElement, int] = {}
    for holder, text in standing_prose(tree):
        if not _EXPLAINED.search(folded(text)) and not _HINT.search(folded(text)):
            stories[holder] = stories.get(holder, 0) + weight(text)
    return max(stories.values(), default=0) >= _STORY
