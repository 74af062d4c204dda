"""Where a list goes on: the next page by `rel=next`, by the words on a link, or by its number. Pure."""

import re
from collections.abc import Iterator, Sequence

from crawler.discovery.paging import list_base, list_page, same_list
from crawler.urls import InvalidUrl, url_key

_WORDS = frozenset(
    word.strip()
    for word in """
    next|next page|next posts|older|older posts|older articles|older stories|older entries|older news|previous articles
    load more|more stories|more articles|more news|show more|view more|see more|next »|weiter|weitere|nächste
    nächste seite|ältere|ältere beiträge|ältere artikel|ältere einträge|mehr laden|mehr anzeigen|weitere artikel
    suivant|suivante|page suivante|suivants|articles suivants|articles plus anciens|plus anciens|voir plus
    plus d'articles|siguiente|siguientes|página siguiente|pagina siguiente|anteriores|más noticias|ver más|cargar más
    próxima|próximo|próxima página|seguinte|página seguinte|mais antigas|mais notícias|ver mais|carregar mais
    successiva|successivo|pagina successiva|avanti|articoli precedenti|carica altri|mostra altri|volgende
    volgende pagina|oudere berichten|meer laden|nästa|nästa sida|äldre|äldre inlägg|visa fler|neste|neste side
    eldre innlegg|næste|næste side|ældre|vis flere|flere|seuraava|seuraava sivu|vanhemmat|näytä lisää|następna
    następna strona|następne|starsze|starsze wpisy|pokaż więcej|další|další strana|starší|starší příspěvky|ďalšia|ďalej
    staršie|következő|következő oldal|régebbi|înainte|pagina următoare|următoarea|sljedeća|sljedeća stranica|следующая
    следующая страница|вперед|вперёд|далее|ещё|показать ещё|старые записи|наступна|наступна сторінка|далі|следваща
    следећа|επόμενη|επόμενη σελίδα|sonraki|sonraki sayfa|daha fazla|次へ|次のページ|次の記事|もっと見る|下一页|下一頁
    下页|后一页|다음|다음 페이지|더보기|التالي|الصفحة التالية|المزيد|הבא|הבאים|לעמוד הבא|بعدی|صفحه بعد|अगला
    अगला पेज|পরবর্তী|tiếp|trang sau|trang tiếp|berikutnya|selanjutnya|halaman berikutnya|seterusnya|ถัดไป|หน้าถัดไป
    """.replace("\n", "|").split("|")
    if word.strip()
)
_SIGNS = re.compile(r"^[\s<>«»‹›←→⟶➔▶►▸❯·|.…:-]+|[\s<>«»‹›←→⟶➔▶►▸❯·|.…:-]+$")
_FORWARD = frozenset({">", ">>", "»", "›", "→", "⟶", "➔", "▶", "►", "▸", "❯", "»»", "››"})


def next_pages(
    url: str,
    head_links: Sequence[tuple[str, frozenset[str]]],
    anchors: Sequence[tuple[str, frozenset[str], str]],
) -> list[str]:
    """Return where the list at `url` goes on, the surest evidence alone: usually one address, none at its end.

    `head_links` are addresses with their `rel`, `anchors` addresses with `rel` and text. Only what is on the same host
    counts, and never the page itself nor, where both are numbered, a page before it.
    """
    try:
        here = _List(url)
    except InvalidUrl:
        return []
    stated = [to for to, rel in (*head_links, *((to, rel) for to, rel, _ in anchors)) if "next" in rel]
    worded = [to for to, _, text in anchors if _says_next(text)]
    return (
        list(here.onward(stated))[:1]
        or list(here.onward(worded, only_below=True))[:1]
        or here.numbered([(to, text) for to, _, text in anchors])
    )


def _says_next(text: str) -> bool:
    if len(text) > 40:
        return False
    return text.strip() in _FORWARD or _SIGNS.sub("", text).casefold() in _WORDS


class _List:
    """The list that is shown, and which of its pages."""

    def __init__(self, url: str) -> None:
        self._key = url_key(url)
        self._host = self._key.partition("/")[0]
        self._page = list_page(url)
        self._base = list_base(url)
        if self._page is None:
            # A small number at the end may be the page's: `/news/3` the third page of `/news`.
            parent = self._key.rstrip("/").rpartition("/")[0]
            own = same_list(url, parent) if "/" in parent else None
            self._base, self._page = (parent, own) if own else (self._base, None)

    def onward(self, urls: Sequence[str], *, only_below: bool = False) -> Iterator[str]:
        """Yield those that may be the next page; `only_below` those that are a page of this list or stand below it."""
        for url in dict.fromkeys(urls):
            key = url_key(url)
            if key == self._key or key.partition("/")[0] != self._host:
                continue
            page = list_page(url)
            if page and self._page and page.base == self._page.base and page.number <= self._page.number:
                continue
            if not only_below or (page and page.base == self._base) or self._is_below(key):
                yield url

    def _is_below(self, key: str) -> bool:
        path, base = key.partition("?")[0].rstrip("/"), self._base.partition("?")[0]
        rest = path.removeprefix(base) if path.startswith(base) else None
        # A cursor among the parameters, or a short step: no slug of an article that "next" leads to.
        return rest is not None and (rest == "" or (rest.startswith("/") and len(rest) <= 24 and rest.count("-") < 3))

    def numbered(self, links: Sequence[tuple[str, str]]) -> list[str]:
        """Return the page whose number follows this one's."""
        found: dict[int, tuple[str, str]] = {}
        for url, text in links:
            page = list_page(url) or (same_list(url, self._base) if text.isdigit() else None)
            if page and page.base == self._base:
                found.setdefault(page.number, (url, text))
        after = self._page.number if self._page else 1
        if self._page is None and 1 in found and found[1][1] not in ("", "1") and 0 not in found:
            # Counted from 0: the link to `?page=1` reads "2".
            after = 0
        following = min((number for number in found if number > after), default=None)
        return [] if following is None else [found[following][0]]
