"""Puts an article together from a page's text: parse, read the markup, read the body, judge. Pure."""

from dataclasses import replace
from datetime import datetime

from lxml.html import HtmlElement

from crawler.extraction.authors import authors_of, byline_of
from crawler.extraction.body import PageLines, read_body, without_surplus
from crawler.extraction.dateline import dateline_of
from crawler.extraction.dating import dates_of
from crawler.extraction.document import Surplus, parse, surplus_of
from crawler.extraction.document_type import kind_of_document
from crawler.extraction.fields import (
    access_of,
    canonical_url_of,
    image_url_of,
    language_of,
    section_of,
    site_name_of,
    standfirst_of,
    tags_of,
)
from crawler.extraction.headline import headline_of
from crawler.extraction.linked_data import text_of, types_of
from crawler.extraction.listed import listed_markup
from crawler.extraction.markup import Markup, read_markup
from crawler.extraction.overlays import remove_overlays
from crawler.extraction.parts import addresses_of
from crawler.extraction.permissions import permissions_of
from crawler.extraction.reading import Reading
from crawler.extraction.text import folded, key, one_line
from crawler.extraction.times import Reckoning
from crawler.extraction.verdict import refusal
from storage.model import EXPLICIT_MARKUP, Access, ExtractedArticle, Headers
from storage.outcomes import Outcome

_LONGEST_CAPTION = 10_000


def read_page(
    html: str,
    *,
    url: str,
    timezone: str | None,
    captured_at: datetime,
    extractor: str,
    headers: Headers = (),
    robots_token: str = "",
) -> Reading:
    """Return the reading of a page's text, and what the page permits.

    `url` is its address, by which links and dates are read; `timezone` the IANA name of its source's zone, or None;
    `captured_at` when it was fetched, aware; `extractor` the id to be written into the article. `headers` are the
    response's and `robots_token` our name in robots.txt.
    """
    kind = kind_of_document(html)
    tree = parse(html) if kind is None else None
    if tree is None:
        permissions = permissions_of(headers, {}, robots_token=robots_token)
        return Reading(outcome=Outcome.NOT_ARTICLE, reason=kind or "empty", permissions=permissions)
    markup = read_markup(tree, url)
    permissions = permissions_of(headers, markup.meta, robots_token=robots_token)
    reckoning = Reckoning(timezone=timezone, captured_at=captured_at)
    addresses = addresses_of(markup)  # before reading the body, which changes the tree
    reading = _read(markup, reckoning=reckoning, extractor=extractor)
    return replace(reading, permissions=permissions, addresses=addresses)


def _read(markup: Markup, *, reckoning: Reckoning, extractor: str) -> Reading:
    tree, url = markup.tree, markup.url
    site_name = site_name_of(markup)
    headline = headline_of(markup, site_name)
    standfirst = standfirst_of(markup, headline)
    authors = authors_of(markup, site_name)
    section, byline = section_of(markup), byline_of(markup, authors)
    language = language_of(markup, "")
    dates = dates_of(markup, language=language, reckoning=reckoning)
    # A `time` element may belong to the first teaser of an index, as may the markup of articles that are only listed.
    listed = listed_markup(markup)
    dated = dates.published is not None and dates.published.found_in in EXPLICIT_MARKUP - {"time_element"} - listed
    surplus = surplus_of(tree, url=url)
    tags, canonical_url = tags_of(markup), canonical_url_of(markup)
    access = access_of(markup)
    remove_overlays(tree, logins=access in (Access.PAYWALLED, Access.METERED))
    lines = read_body(tree, url=url)
    known = PageLines(
        headline_keys=frozenset(map(key, (headline, *_heads(tree)))) - {""},
        standfirst_key=key(standfirst or ""),
        surplus_keys=surplus.keys | {key(url), key(canonical_url or "")} - {""},
        author_names=frozenset(map(folded, authors)),
        tag_keys=frozenset(map(key, tags)) - {""},
        language=language or language_of(markup, "\n".join(lines)),
    )
    lines = without_surplus(lines, known)
    refused = refusal(markup, lines, dated=dated, access=access, listed=listed)
    if refused is not None:
        return refused
    body = "\n\n".join(lines)
    return Reading(
        article=ExtractedArticle(
            headline=headline or lines[0][:200],
            body=body,
            extractor=extractor,
            standfirst=standfirst,
            byline=byline,
            authors=authors,
            dateline=dateline_of(body),
            section=section,
            tags=tags,
            language=language_of(markup, body),
            canonical_url=canonical_url,
            published=dates.published,
            modified=dates.modified,
            image_url=image_url_of(markup),
            image_caption=_caption(markup, surplus),
            site_name=site_name,
            access=access,
        ),
        live_blog="liveblogposting" in types_of(markup.node),
    )


def _heads(tree: HtmlElement) -> list[str]:
    return [one_line(head.text_content()) for head in tree.iter("h1")]


def _caption(markup: Markup, surplus: Surplus) -> str | None:
    """Return the caption of the story's first picture."""
    if surplus.captions:
        return surplus.captions[0][:_LONGEST_CAPTION]
    image = markup.linked_data.resolve(markup.node.get("image"))
    return (text_of(image.get("caption"))[:_LONGEST_CAPTION] or None) if isinstance(image, dict) else None
