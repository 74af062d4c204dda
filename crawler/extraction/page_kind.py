"""What a page is that shows no story of its own: a home page, a section, a gallery, a video. Pure.

Told by address, by markup, and by the shape of the page; never by whose page it is.
"""

import re
from urllib.parse import parse_qsl, urlsplit

from lxml.html import HtmlElement

from crawler.extraction.markup import Markup
from crawler.extraction.shape import Shape, card_targets
from crawler.extraction.text import folded

_ROOT = re.compile(r"^/?(?:(?:index|default|home)(?:\.\w{2,5})?/?|[a-z]{2}(?:-[a-z]{2})?/?)?$", re.IGNORECASE)
_QUERY_OF_AN_ARTICLE = frozenset({"p", "id", "page_id", "article", "artikel", "story", "aid", "nid", "newsid", "sid"})
_QUERY_OF_THE_HOME_PAGE = re.compile(
    r"^(?:utm_.*|.*cl(?:ick)?id|.*session.*|page|paged|pg|lang|language|locale|edition|ref|src|source|from|v|ver|t|ts|r"
    r"|time|cb|nocache|_.*)$"
)
_NUMBER = re.compile(r"\d")
_LAST_STEPS = r"(?:/[^/.]+)?(?:/page/\d+|/\d{1,4})?/?$"
"""Behind the word for an index stand its name and the number of its page; a story lies deeper."""
_PATHS = (
    ("tag", re.compile(rf"/(?:tags?|topics?|themen?|thema|sujets?|temas?|etiquetas?|keywords?){_LAST_STEPS}")),
    ("author", re.compile(rf"/(?:authors?|autor(?:en|es)?|auteurs?|autori|profiles?){_LAST_STEPS}|^/by/[^/]+/?$")),
    ("search", re.compile(rf"/(?:search|suche|recherche|buscar|busqueda|busca|cerca|zoeken|sok|haku){_LAST_STEPS}")),
    ("live_index", re.compile(r"^/(?:live|liveticker|live-blogs?|en-direct|directos?|ao-vivo|diretta)/?$")),
    ("section", re.compile(rf"/(?:category|categories|sections?|rubrik(?:en)?|ressorts?|rubriques?){_LAST_STEPS}")),
    ("section", re.compile(r"/(?:archives?|archiv|archivo|arquivo)(?:/\d+)*/?$")),
)
"""Steps of addresses that indexes of links have in common; the shape of the page has to bear them out."""
_TYPES = (
    ("search", frozenset({"searchresultspage"})),
    ("author", frozenset({"profilepage"})),
    ("section", frozenset({"collectionpage", "itemlist"})),
    ("contact", frozenset({"contactpage"})),
)
_GALLERY_TYPES = frozenset({"imagegallery", "mediagallery"})
_GALLERY_PATH = re.compile(
    r"/(?:galler(?:y|ies)|photos?|photo-galler\w+|pictures|slideshows?|fotos?|fotostrecken?|bildergalerien?|bilder"
    r"|diaporamas?|galerias?|galerie|fotogaler\w+)(?:/|$)"
)
_VIDEO_PATH = re.compile(r"/(?:videos?|watch|mediathek|player)(?:/|$)")
_AUDIO_TYPES = frozenset({"podcastepisode", "radioepisode", "audioobject", "musicrecording", "podcastseries"})
_AUDIO_PATH = re.compile(r"/(?:audio|podcasts?|listen)(?:/|$)")

_FEW_CARDS = 5
_MANY_CARDS = 10
_LINKED = 0.5
"""A story's page stays below this share of linked text unless the story is short."""
_MOSTLY_LINKED = 0.7
_ALL_LINKED = 0.85
_SHORT_STORY = 400
"""Standing prose of a teaser or two; a story has more, or markup that calls it one."""
_SCATTERED = 4
"""Prose that is so many times as long as what stands together of it stands in teasers."""
_TEASER = 200
_HARDLY_PROSE = 150
_WORDS_OF_A_STORY = 3
"""So many words in an address's last step are a headline's; sections have shorter names."""
_WORDS_OF_A_TITLE = 4
_LEAST_LEAD = 40
_LEAD = 100
_LONG_LEAD = 150
_PHOTO_STORY = 150
_ONE_PAGE_SITE = 1000
SHORT_TEXT = 600
"""A body that only goes with a picture or a film is shorter."""
_GALLERY_IMAGES = 5


def is_one_page_site(shape: Shape, *, length: int) -> bool:
    """Tell whether a home page with a body of this length is all that its site has: text, and few links and cards."""
    return shape.cards < _FEW_CARDS and shape.density < _LINKED and length >= _ONE_PAGE_SITE


def is_root(url: str) -> bool:
    """Tell whether an address is that of a host's home page, or of its home page in one language."""
    parts = urlsplit(url)
    if not parts.hostname or not _ROOT.match(parts.path):
        return False
    return not any(_names_an_article(name.lower(), value) for name, value in parse_qsl(parts.query))


def _names_an_article(name: str, value: str) -> bool:
    """Tell whether a parameter may be the number of an article, as in `?cid=77` or `?q=node/55`."""
    return name in _QUERY_OF_AN_ARTICLE or (
        _NUMBER.search(value) is not None and not _QUERY_OF_THE_HOME_PAGE.match(name)
    )


def kind_of_medium(markup: Markup, shape: Shape, length: int, *, dated: bool = False) -> str | None:
    """Return `video`, `audio` or `gallery` for a page whose few words only go with such a thing, else None.

    `length` is that of the body. A page that calls itself an article is one, however many pictures it shows; so is one
    that only its address puts among pictures, where markup dates it or a story stands with them.
    """
    # Of a page that its markup calls a gallery the captions make the body, however many they are.
    is_short = length < SHORT_TEXT or bool(_GALLERY_TYPES & markup.linked_data.types)
    if markup.node or not is_short or shape.story >= _SHORT_STORY:
        return None
    path = urlsplit(markup.url).path.lower()
    kind, types = markup.first_meta("og:type").lower(), markup.linked_data.types
    called_article = kind == "article"
    if kind.startswith("video") or (not called_article and ("videoobject" in types or _VIDEO_PATH.search(path))):
        return "video"
    if kind.startswith(("music", "audio")) or (
        not called_article and (_AUDIO_TYPES & types or _AUDIO_PATH.search(path))
    ):
        return "audio"
    if shape.images >= _GALLERY_IMAGES and (
        _GALLERY_TYPES & types
        or (not (called_article or dated) and shape.story < _PHOTO_STORY and _GALLERY_PATH.search(path))
    ):
        return "gallery"
    return None


def kind_of_index(markup: Markup, shape: Shape, *, length: int, linked_body: float) -> str | None:
    """Return which kind of index of other pages a page is, or None where it may be a story.

    `length` is that of the body, `linked_body` the share of it that stands in links elsewhere on the page: teasers.
    For pages without JSON-LD of an article and without a date in markup.
    """
    typed = _by_type(markup)
    # Publishing systems call their sections articles in Open Graph, and rightly collections in JSON-LD.
    claimed = typed is None and markup.first_meta("og:type").lower() in ("article", "news")
    named = typed or kind_by_address(markup)
    if typed is None and leads_into_a_story(markup, shape, named=named):
        return None
    canonical = next(iter(markup.all_meta("og:url")), "")
    if shape.story >= _SHORT_STORY or 2 * shape.story > length:
        listed = named in ("author", "search", "tag") and not claimed
        return named if listed and shape.cards >= _MANY_CARDS and shape.density >= _LINKED else None
    if claimed:
        hollow = shape.story < _HARDLY_PROSE and shape.density >= _ALL_LINKED
        return (named or "section") if hollow and (linked_body >= _LINKED or shape.cards >= _MANY_CARDS) else None
    if named and (shape.cards >= _FEW_CARDS or (shape.density >= _LINKED and shape.prose < _SHORT_STORY)):
        return named
    if shape.cards >= _FEW_CARDS and is_root(canonical) and shape.density >= _LINKED:
        return "section"
    dense = shape.density >= _MOSTLY_LINKED and (
        shape.cards >= _FEW_CARDS or linked_body >= _LINKED or shape.density >= 0.9
    )
    teasers = shape.story < _TEASER and shape.prose >= _SCATTERED * shape.story > 0
    scattered = shape.density >= _LINKED or teasers
    if dense or (shape.cards >= _MANY_CARDS and scattered):
        return "section" if shape.cards >= _FEW_CARDS else "index"
    return None


def leads_into_a_story(markup: Markup, shape: Shape, *, named: str | None) -> bool:
    """Tell whether a text stands with the page's heading, apart from cards, at an address like a headline's.

    `named` is what index the address names: then the text has to be longer than the introduction of an index, and the
    address to repeat the heading.
    """
    last = urlsplit(markup.url).path.lower().rstrip("/").rpartition("/")[2]
    words = [word for word in re.split(r"[-_.]", last) if word.isalpha()]
    if named in ("author", "search"):
        return False
    if named in ("tag", "live_index"):
        return shape.lead >= _LONG_LEAD and shape.lead_texts > 1 and _repeats_heading(markup, words)
    if "/live" in markup.url and shape.prose >= _SHORT_STORY and _repeats_heading(markup, words):
        return True
    if shape.lead >= _LEAST_LEAD and (len(words) >= _WORDS_OF_A_STORY or re.search(r"\d{4}", last)):
        return True
    return named is None and len(words) > 1 and shape.lead >= _LEAD and shape.lead_texts > 1


def _repeats_heading(markup: Markup, words: list[str]) -> bool:
    heads = {word for head in markup.tree.iter("h1") for word in re.findall(r"\w+", folded(head.text_content()))}
    return len(words) >= _WORDS_OF_A_TITLE and heads.issuperset(words)


def has_many_cards(tree: HtmlElement) -> bool:
    """Tell whether so many headings lead to other pages that the page may only list them; quick to tell."""
    return len(set(card_targets(tree))) >= _MANY_CARDS


def lists_teasers(shape: Shape) -> bool:
    """Tell whether a page is many cards and scattered teasers, and nothing of a story, whatever its markup says."""
    scattered = shape.story < _TEASER and shape.prose >= _SCATTERED * shape.story > 0
    return shape.cards >= _MANY_CARDS and scattered and shape.lead < _LEAST_LEAD


def _by_type(markup: Markup) -> str | None:
    types = markup.linked_data.types
    return next((kind for kind, names in _TYPES if names & types), None)


def kind_by_address(markup: Markup) -> str | None:
    """Return which kind of index an address names, or None."""
    parts = urlsplit(markup.url)
    if any(name in ("q", "s", "query", "search") and value for name, value in parse_qsl(parts.query)):
        return "search"
    path = parts.path.lower()
    return next((kind for kind, pattern in _PATHS if pattern.search(path)), None)
