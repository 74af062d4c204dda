"""The headline: what most of a page's own voices call the story. Pure."""

import re
from urllib.parse import urlsplit

from trafilatura.metadata import extract_title

from crawler.extraction.linked_data import text_of
from crawler.extraction.markup import Markup
from crawler.extraction.text import folded, one_line

_TAIL = re.compile(r"^(.{8,}?)\s*(?:\s[|\-–—:•·»]|[|–—»]|-(?=\s))\s*([^|]{2,50})$")

_LONGEST = 1_000
"""Characters of a headline; what goes on is a text that stands in its place."""


def headline_of(markup: Markup, site_name: str | None) -> str:
    """Return the headline, or "" if the page has none.

    JSON-LD, a sole `h1`, `og:title` and the title element vote. Between equals the earlier of that list wins, since
    titles for search engines and social networks are often another text than the one above the story.
    """
    voices = [one_line(voice)[:_LONGEST] for voice in _voices(markup)]
    voices = [_without_tail(voice, site_name, markup.url, voices) for voice in voices]
    counts: dict[str, int] = {}
    for voice in voices:
        counts[folded(voice)] = counts.get(folded(voice), 0) + 1
    counts.pop("", None)
    if not counts:
        return ""
    most = max(counts.values())
    return next(voice for voice in voices if counts.get(folded(voice)) == most)


def _voices(markup: Markup) -> list[str]:
    heads = [one_line(head.text_content()) for head in markup.tree.iter("h1")]
    heads = [head for head in heads if head]
    title = markup.tree.find(".//title")
    named = text_of(markup.node.get("headline")) or next(iter(markup.microdata.values("headline")), "")
    voices = [
        named,
        heads[0] if len(heads) == 1 else "",
        markup.first_meta("og:title", "twitter:title", "dc.title", "parsely-title", "sailthru.title"),
        one_line(title.text_content()) if title is not None else "",
    ]
    if not any(voices[:3]):
        voices.append(extract_title(markup.tree) or "")
    return voices


def _without_tail(title: str, site_name: str | None, url: str, others: list[str]) -> str:
    """Return a title without the name of the site behind it (`Headline - Site`, `Headline | Section | Site`)."""
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    known = {folded(other) for other in others}
    for _ in range(3):
        match = _TAIL.match(title)
        if match is None:
            break
        name = re.sub(r"\W", "", folded(match[2]))
        is_site = bool(name) and (
            name == re.sub(r"\W", "", folded(site_name))
            or name in re.sub(r"\W", "", host)
            or re.sub(r"\W", "", host.partition(".")[0]) in name
        )
        if not (is_site or folded(match[1]) in known):
            break
        title = match[1].rstrip()
    return title
