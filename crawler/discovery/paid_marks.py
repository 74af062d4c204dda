"""Tells entries that somebody paid for by the labels that the trade puts on them. Pure.

The labels are those that advertising law and the codes of press councils ask for, in the languages where they are in
common use, and no publisher's own name for such a series. Words that are also a subject (`advertising`, `publicité`,
`Werbung`) are not among them: an article about the advertising trade is an article.
"""

import html
import re
import unicodedata
from functools import lru_cache

MAX_LABEL_LENGTH = 300

_LABELS = """
    sponsored; sponsored content; sponsored post; sponsored article; sponsored story; sponsored feature; sponsored news
    sponsor content; sponsored links; paid content; paid post; paid partnership; paid partner content; paid story
    partner content; partnered content; in paid partnership; advertorial; advertorials; advertisement; advertisements
    advertisement feature; advertising feature; advertiser content; ad feature; native ad; native advertising
    native content; branded content; brand content; promoted content; promoted post; paid advertisement
    anzeige; anzeigen; bezahlte anzeige; gesponsert; gesponserter beitrag; gesponserter inhalt; gesponserte inhalte
    bezahlter inhalt; bezahlte inhalte; bezahlte partnerschaft; bezahlter beitrag; partnerinhalt; werbebeitrag
    anzeigensonderveröffentlichung; entgeltliche einschaltung; publireportage; publireportagen; paid for by
    contenu sponsorisé; article sponsorisé; sponsorisé; contenu partenaire; contenu de marque; publi rédactionnel
    publirédactionnel; publi reportage; publi info; contenu publicitaire
    contenido patrocinado; patrocinado; artículo patrocinado; publirreportaje; contenido de marca; remitido
    conteúdo patrocinado; conteúdo de marca; publieditorial; informe publicitário; publirreportagem
    contenuto sponsorizzato; sponsorizzato; articolo sponsorizzato; pubbliredazionale; publiredazionale
    informazione pubblicitaria; contenuto a pagamento
    gesponsord; gesponsorde content; gesponsorde inhoud; betaalde inhoud; partnercontent; ingezonden mededeling
    annons; annonsartikel; betalt innehåll; sponsrat innehåll; sponsrat; innehåll från annonsör
    annonse; annonsørinnhold; betalt innhold; sponset innhold
    annonce; annoncer; annoncørbetalt indhold; betalt indhold; sponsoreret indhold; sponsoreret
    kaupallinen yhteistyö; maksettu sisältö; mainos; sponsoroitu sisältö
    artykuł sponsorowany; tekst sponsorowany; materiał sponsorowany; materiał partnera; materiał promocyjny
    komerční sdělení; komerční prezentace; placený obsah; sponzorovaný obsah; platený obsah; komerčná správa
    támogatott tartalom; fizetett hirdetés; fizetett tartalom; conținut sponsorizat; articol sponsorizat
    sponzorirani sadržaj; plaćeni sadržaj; promo sadržaj; sponzorirano; oglasno sporočilo; χορηγούμενο περιεχόμενο
    на правах рекламы; партнерский материал; рекламный материал; на правах реклами; партнерський матеріал
    платена публикация; sponsorlu içerik; reklam içeriği; konten bersponsor; nội dung tài trợ
    記事広告; タイアップ広告; 赞助内容; 贊助內容; محتوى مدفوع; محتوى ممول; תוכן שיווקי; תוכן ממומן
"""

_TAGS = re.compile(r"<!\[CDATA\[|\]\]>|<[^<>]*>")
_ATTRIBUTE = re.compile(r"""\b(?:term|label)\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')""", re.IGNORECASE)
_BETWEEN = re.compile(r"[\W_]+")
_PARTS = re.compile(r"(?:(?<!\s)\s++)?[/|>»]\s*+")
_PREFIX = re.compile(r"\s*(?:\[([^\[\]]{2,60})\]|\(([^()]{2,60})\)|([^:|]{2,60})[:|]\s)")


def _plain(label: str) -> str:
    """Return a label without case, accents, and what stands between its words."""
    letters = unicodedata.normalize("NFKD", label.casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _BETWEEN.sub(" ", bare).strip()


_PLAIN_LABELS = frozenset(filter(None, map(_plain, re.split(r"[;\n]", _LABELS))))


def marks_as_paid(label: str) -> bool:
    """Whether a category, tag or `rel` says that somebody paid for the entry; of a path of categories, any part."""
    # What is too long to be a label must not be remembered either.
    return 0 < len(label) <= MAX_LABEL_LENGTH and _label_marks_as_paid(label)


@lru_cache(maxsize=4096)
def _label_marks_as_paid(label: str) -> bool:
    plain = _plain(label)
    return plain in _PLAIN_LABELS or any(_plain(part) in _PLAIN_LABELS for part in _PARTS.split(label))


def title_marks_as_paid(title: str | None) -> bool:
    """Whether a title begins with such a label, as `Sponsored: …` or `[Anzeige] …`."""
    found = _PREFIX.match(title or "")
    return found is not None and marks_as_paid(found[1] or found[2] or found[3])


def markup_marks_as_paid(markup: bytes) -> bool:
    """Whether a `category` element, as it stands in a feed, is such a label. Read as UTF-8: others pass unseen."""
    return len(markup) <= 2 * MAX_LABEL_LENGTH and _element_marks_as_paid(markup)


@lru_cache(maxsize=4096)
def _element_marks_as_paid(markup: bytes) -> bool:
    text = markup.decode("utf-8", errors="replace")
    labels = [_TAGS.sub("", text), *(double or single for double, single in _ATTRIBUTE.findall(text))]
    return any(marks_as_paid(html.unescape(label)) for label in labels)
