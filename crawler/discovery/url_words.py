"""Words that addresses are made of the world over, and what kind of page each announces. Pure.

These are general habits of content systems in some twenty languages, no publishers' names. They are where judging
begins; what a publisher's own addresses show goes before them (`crawler.discovery.url_shapes`).
"""

import re
from enum import StrEnum
from urllib.parse import unquote


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text that lists them between spaces."""
    return frozenset(text.split())


class LinkKind(StrEnum):
    """What an address seems to lead to."""

    ARTICLE = "article"
    SECTION = "section"
    GALLERY = "gallery"
    VIDEO = "video"
    AUDIO = "audio"
    TAG = "tag"
    AUTHOR = "author"
    SEARCH = "search"
    OTHER_PAGE = "other_page"
    """Legal notices, accounts, newsletters, shops, help: pages of the publisher that are no journalism."""
    UNKNOWN = "unknown"


_TAG = """
    tag tags topic topics thema themen theme themes tema temas temat tematy teema teemat tagi etiqueta etiquetas
    schlagwort schlagworte stichwort keyword keywords emne emner amne amnen tags-list label labels argomento argomenti
    onderwerp onderwerpen sujet sujets mot-cle mots-cles stitky stitek etichetta etichette konu etiket тег теги тема
    темы метка hashtag subject subjects hub
"""
_AUTHOR = """
    author authors autor autoren autorin autores auteur auteurs autore autori forfatter journalist journalists
    journaliste journalistes journalisten writer writers byline contributor contributors columnist columnists
    redakteur redakteure verfasser periodista periodistas profile profiles profil user users member members staff
    reporter reporters skribent kirjoittaja yazar yazarlar автор авторы author-profile people-profile
"""
_VIDEO = """
    video videos videa watch tv-video video-clips videoclip clip clips vod videothek mediathek webtv web-tv live-tv
    livestream filmy wideo видео відео βίντεο shorts reels
"""
_GALLERY = """
    gallery galleries galerie galeries galerien galeria galerias galleria galerija bildergalerie bildergalerien
    bildstrecke bildstrecken fotostrecke fotostrecken photostory photo photos foto fotos fotogalerie fotogaleria
    fotogalerias fotogallery photo-gallery photogallery photo-essay diaporama diaporamas slideshow slideshows bilder
    bildspel pictures picture-gallery in-pictures image images imagenes immagini infographics cartoon cartoons
    фото фотогалерея галерея photostream
"""
_AUDIO = """
    podcast podcasts audio audios audiothek listen radio sound hoeren подкаст подкасты аудио lyd poslech
"""
_SEARCH = """
    search suche suchen recherche recherches rechercher buscar busca busqueda buscador pesquisa ricerca cerca zoeken
    sok soeg haku szukaj hledat hladat kereses arama ara cari поиск пошук find finder search-results suchergebnis
    suchergebnisse resultat
"""
_OTHER = """
    about about-us aboutus about-me ueber-uns uber-uns a-propos apropos acerca acerca-de quienes-somos sobre sobre-nos
    quem-somos chi-siamo over-ons om-oss om-os o-nas o-nama o-nas hakkimizda kim-jest-esmy meist tietoa
    contact contacts contact-us contactus kontakt kontakte kontakty contacto contato contatti contactez-nous iletisim
    imprint impressum impresszum mentions-legales aviso-legal note-legali colofon legal legal-notice legals
    privacy privacy-policy privacypolicy datenschutz datenschutzerklaerung datenschutzhinweis dataskydd confidentialite
    politique-de-confidentialite privacidad politica-de-privacidad privacidade informativa-privacy tietosuoja
    personvern privatlivspolitik polityka-prywatnosci ochrana-osobnich-udaju gizlilik adatvedelem
    cookie cookies cookie-policy cookie-richtlinie politica-de-cookies cookie-settings consent gdpr dsgvo
    terms terms-of-use terms-of-service terms-and-conditions termsofuse conditions agb nutzungsbedingungen cgu cgv
    terminos terminos-y-condiciones condiciones termos termos-de-uso condizioni voorwaarden regulamin vilkar villkor
    disclaimer copyright licensing permissions rights accessibility barrierefreiheit accessibilite accesibilidad
    login log-in logout signin sign-in sign-out signup sign-up register registration registrieren anmelden anmeldung
    registrierung abmelden connexion inscription se-connecter iniciar-sesion registro entrar cadastro accedi registrati
    inloggen aanmelden logga-in logg-inn zaloguj rejestracja prihlaseni giris uye-ol auth oauth sso account accounts
    konto mein-konto meinkonto my-account myaccount mon-compte mi-cuenta minha-conta profil-bearbeiten password
    user-account users-account
    subscribe subscription subscriptions abo abos abonnement abonnements abonnieren abonnement-digital suscripcion
    suscripciones suscribete assinatura assine abbonamenti abbonati prenumerera prenumerata predplatne abonner s-abonner
    newsletter newsletters news-letter boletin boletines infolettre nieuwsbrief nyhetsbrev nyhedsbrev uutiskirje
    advertise advertising advertisement advertisers advertise-with-us werbung werben mediadaten media-kit mediakit
    publicite publicidad publicidade pubblicita reklama annonsera anunciate anunciese annoncer mediainfo
    careers career jobs job karriere stellenangebote stellenmarkt emploi empleo trabalhe-conosco lavora-con-noi
    faq faqs help hilfe aide ayuda ajuda aiuto hulp hjelp support customer-service kundenservice servicecenter
    shop store boutique tienda loja negozio winkel sklep cart warenkorb checkout basket kasse
    sitemap site-map sitemaps plan-du-site mapa-del-sitio mapa-do-site mappa-sito
    feedback report-error corrections-form submit share print printable email-alerts alerts notifications rss feed feeds
    app apps download downloads epaper e-paper e-edition eedition epages digital-edition archive-search
    games game puzzles puzzle crossword crosswords sudoku quiz quizzes spiele jeux juegos jogos giochi horoscope
    horoscopes horoskop horoskope horoscopo weather-forecast wetter meteo obituaries-form
    comment comments kommentar-form trackback amp-consent wp-login.php wp-admin wp-json cdn-cgi event-calendar
    tv-programm tv-guide fernsehprogramm lotto lottery coupons gutscheine gutschein vouchers deals-codes
    policy policies guidelines membership descuentos cupones classifieds kleinanzeigen advertorial advertorials
"""
_INDEX = """
    category categories kategorie kategorien kategoria kategori categoria categorie rubrik rubriken rubrique rubriques
    rubric rubrika ressort ressorts section sections seccion secciones secao editoria sezione sezioni archive archives
    archiv archivo arquivo archivio archief arkiv arkisto arhiv архив рубрика рубрики раздел index home start startseite
    accueil inicio latest latest-news most-read all newsticker
"""
_ARTICLE = """
    article articles story stories artikel artikeln articulo articulos artigo artigos articolo articoli artikkel
    artykul artykuly clanek clanky clanok cikk artikl artikli noticia noticias haber makale posts entry news-story
    newsdetail detail details beitrag post storia read n
"""

_KINDS = (
    (_TAG, LinkKind.TAG),
    (_AUTHOR, LinkKind.AUTHOR),
    (_VIDEO, LinkKind.VIDEO),
    (_GALLERY, LinkKind.GALLERY),
    (_AUDIO, LinkKind.AUDIO),
    (_SEARCH, LinkKind.SEARCH),
    (_OTHER, LinkKind.OTHER_PAGE),
    (_INDEX, LinkKind.SECTION),
    (_ARTICLE, LinkKind.ARTICLE),
)
MARKERS = {word: kind for words, kind in _KINDS for word in words.split()}
"""A whole step of a path, or the first label of a host, and the kind of page that it announces."""

SECTIONS_TOO = words_of(
    "legal games game comment comments quiz quizzes meteo wetter weather-forecast horoscope horoscopes horoskop "
    "horoskope horoscopo radio sound career careers"
)
"""Words that announce a page of their own at the end of a path, and are sections of newspapers before it."""

LEGAL_WORDS = words_of(
    "privacy cookie cookies datenschutz impressum imprint legal terms agb login logout signin signup newsletter "
    "newsletters subscribe subscription abonnement advertise contact kontakt faq disclaimer"
)
"""Words that make a step of two or three a page of the house and no section: `cookie-notice`, `contact-form`."""

# Documents, sound, pictures, film, data, programs: what no HTML is behind.
_NOT_A_PAGE = words_of(
    "pdf doc docx xls xlsx ppt pptx odt ods epub mobi ps rtf csv txt "
    "jpg jpeg png gif webp avif svg ico bmp tif tiff heic mp3 m4a ogg oga opus wav aac flac m3u m3u8 pls "
    "mp4 m4v webm mov avi mkv mpg mpeg flv wmv swf zip gz tgz bz2 rar 7z tar exe dmg apk ipa iso "
    "css js mjs map json xml rss atom rdf ics vcf woff woff2 ttf eot otf"
)
PAGE_EXTENSIONS = words_of(
    "html htm shtml xhtml phtml php php3 php5 asp aspx jsp jspx jsf cfm cgi pl do ece story amp ars dhtml"
)
_EXTENSION = re.compile(r"\.([a-z0-9]{1,6})$", re.IGNORECASE)


def is_page(path: str) -> bool:
    """Whether what stands at a path may be an HTML page, by its extension: `/report.pdf` is none."""
    found = _EXTENSION.search(path)
    return found is None or found[1].lower() not in _NOT_A_PAGE


def without_extension(step: str) -> tuple[str, str]:
    """Return the last step of a path without the extension of a page, and that extension or ""."""
    found = _EXTENSION.search(step)
    if found is None or found[1].lower() not in PAGE_EXTENSIONS:
        return step, ""
    return step[: found.start()], found[1].lower()


def plain(step: str) -> str:
    """Return a step of a path as people read it: unescaped, in lower case."""
    return (unquote(step) if "%" in step else step).lower()
