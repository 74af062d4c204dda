"""The smaller fields of an article, each read by a function of its own from the page's markup. Pure."""

import io
import re
from types import SimpleNamespace
from urllib.parse import urlsplit

from py3langid import modelio
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from crawler.extraction.linked_data import as_list, text_of
from crawler.extraction.markup import Markup, distinct
from crawler.extraction.text import folded, one_line
from storage.model import Access

_LANGUAGE = re.compile(r"^\s*([A-Za-z]{2,3})(?:[-_]|\s*$|,)")
_SAMPLE = 3000
_LONGEST_STANDFIRST = 20_000
"""Some publishers put a whole text there; what is longer was not written for people."""


def _load_identifier() -> LanguageIdentifier:
    """Load the model of languages, unpacked in memory.

    py3langid unpacks it into a temporary file of 68 MB; where less room is left, or files may not grow as large, no
    process that reads pages could start.
    """
    usual = modelio.tempfile
    modelio.tempfile = SimpleNamespace(TemporaryFile=lambda **_: io.BytesIO())
    try:
        return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    finally:
        modelio.tempfile = usual


_identifier = _load_identifier()


def site_name_of(markup: Markup) -> str | None:
    """Return the publisher's name as the page gives it."""
    publisher = markup.linked_data.resolve(markup.node.get("publisher"))
    if isinstance(publisher, list) and publisher:
        publisher = markup.linked_data.resolve(publisher[0])
    named = text_of(publisher.get("name")) if isinstance(publisher, dict) else ""
    name = markup.first_meta("og:site_name") or named or markup.first_meta("application-name", "dc.publisher")
    return name[:200] or None


def standfirst_of(markup: Markup, headline: str) -> str | None:
    """Return the line that stands under the headline, from markup; None where it only repeats the headline."""
    voices = (
        markup.first_meta("og:description"),
        text_of(markup.node.get("description")),
        markup.first_meta("description", "twitter:description", "dc.description", "sailthru.description"),
    )
    lines = (voice[:_LONGEST_STANDFIRST] for voice in voices)
    return next((line for line in lines if line and folded(line) != folded(headline)), None)


def section_of(markup: Markup) -> str | None:
    """Return the section: as markup names it, else the last named step of the breadcrumbs before the story."""
    named = (
        text_of(markup.node.get("articleSection"))
        or markup.first_meta(
            "article:section",
            "og:article:section",
            "parsely-section",
            "sailthru.section",
            "section",
            "cxenseparse:section",
        )
        or next(iter(markup.microdata.values("articleSection")), "")
    )
    if named:
        return named[:100]
    steps = _breadcrumbs(markup)
    return steps[-1][:100] if steps else None


def _breadcrumbs(markup: Markup) -> list[str]:
    """Return the steps of the breadcrumbs between the home page and the story."""
    for trail in markup.linked_data.of_type("breadcrumblist"):
        items = [item for item in as_list(trail.get("itemListElement")) if isinstance(item, dict)]
        names = [(text_of(item.get("name")) or text_of(item.get("item")), text_of(item.get("item"))) for item in items]
        steps = [name for name, _ in names[1:] if name and not name.startswith("http")]
        heads = {folded(head.text_content()) for head in markup.tree.iter("h1", "title")}
        return [step for step in steps if folded(step) not in heads and len(step) < 60][:3]
    path = urlsplit(markup.url).path
    for element in markup.tree.iter("div", "nav", "ul", "ol", "p"):
        marks = f"{element.get('class') or ''} {element.get('id') or ''}".lower()
        if "breadcrumb" not in marks:
            continue
        links = [
            (one_line(link.text_content()), _path(markup.absolute(link.get("href")))) for link in element.iter("a")
        ]
        return [name for name, to in links if 1 < len(name) < 60 and len(to) > 1 and to.rstrip("/") != path.rstrip("/")]
    return []


def _path(address: str | None) -> str:
    return urlsplit(address).path if address else ""


def tags_of(markup: Markup) -> tuple[str, ...]:
    """Return keywords and tags without repeats, at most fifty."""
    listed = [text_of(item) for item in as_list(markup.node.get("keywords"))]
    listed += markup.all_meta("article:tag", "og:article:tag", "parsely-tags", "sailthru.tags")
    if not any(listed):
        listed = [*markup.all_meta("news_keywords", "keywords"), *markup.microdata.values("keywords")]
    parts = [one_line(part) for value in listed for part in re.split(r"[,;、，]", value)]
    return tuple(distinct(part for part in parts if 1 < len(part) < 80 and ":" not in part[:12])[:50])


def canonical_url_of(markup: Markup) -> str | None:
    """Return the address that the page gives itself: its canonical link, else `og:url`."""
    for link in markup.tree.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split():
            address = markup.absolute(link.get("href"))
            if address:
                return address
    return markup.absolute(markup.first_meta("og:url"))


def image_url_of(markup: Markup) -> str | None:
    """Return the address of the story's picture."""
    address = markup.first_meta("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src")
    if not address:
        for image in as_list(markup.node.get("image")):
            image = markup.linked_data.resolve(image)  # noqa: PLW2901 - a reference stands for its node
            address = (
                text_of(image.get("url") or image.get("contentUrl")) if isinstance(image, dict) else text_of(image)
            )
            if address:
                break
    return markup.absolute(address)


def access_of(markup: Markup) -> Access:
    """Return who may read the story, by schema.org's paywall markup and the content tier that Facebook reads."""
    tier = markup.first_meta("article:content_tier", "og:article:content_tier", "content_tier").lower()
    if tier in ("metered", "locked", "free"):
        return {"metered": Access.METERED, "locked": Access.PAYWALLED, "free": Access.FREE}[tier]
    value = markup.node.get("isAccessibleForFree")
    if value is None:
        value = next(iter(markup.microdata.values("isAccessibleForFree")), None)
    said = str(value[0] if isinstance(value, list) and value else value).strip().lower().rpartition("/")[2]
    if said in ("false", "0", "no"):
        return Access.PAYWALLED
    return Access.FREE if said in ("true", "1", "yes") else Access.UNKNOWN


def language_of(markup: Markup, text: str) -> str | None:
    """Return the ISO 639-1 code of the story's language: what the page says, unless the text is plainly another."""
    said = next((code for code in map(_code, _said_languages(markup)) if code), None)
    sample = text[:_SAMPLE]
    if len(sample) < 80:
        return said
    read, certainty = _identifier.classify(sample)
    if said is None:
        return str(read) if certainty > 0.5 else None
    return (
        str(read) if said != read and certainty > 0.999 and len(sample) > 300 and not _near(said, str(read)) else said
    )


def _said_languages(markup: Markup) -> list[str]:
    root = markup.tree.getroottree().getroot()
    said = [root.get("lang") or "", root.get("xml:lang") or "", text_of(markup.node.get("inLanguage"))]
    return [*said, *markup.all_meta("content-language", "og:locale", "dc.language", "language")]


def _code(said: str) -> str | None:
    match = _LANGUAGE.match(said)
    return match[1].lower()[:2] if match and len(match[1]) == 2 else None


_NEAR = (
    {"no", "nb", "nn", "da"},
    {"hr", "sr", "bs", "sl"},
    {"id", "ms"},
    {"gl", "pt", "es"},
    {"cs", "sk"},
    {"hi", "mr", "ne"},
)


def _near(one: str, other: str) -> bool:
    """Tell whether two languages are so alike that a text is easily taken for the other."""
    return any({one, other} <= family for family in _NEAR)
