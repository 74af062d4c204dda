"""What a text is that came under a page's address: a page, a feed, a sitemap, or no markup at all. Pure.

Told by the text and not by its label: pages are served as `text/plain` and `application/xml`, feeds as `text/html`.
"""

import re

_PROLOGUE = re.compile(
    r"(?:\s|\ufeff|\0|<\?.*?\?>|<!--.*?-->|<!doctype[^>\[]*(?:\[.*?\]\s*)?>)*", re.IGNORECASE | re.DOTALL
)
"""XML declaration, processing instructions, comments and document type, before the first element."""
_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_KINDS = {"rss": "feed", "feed": "feed", "rdf": "feed", "opml": "feed", "urlset": "sitemap", "sitemapindex": "sitemap"}
_OTHER_XML = frozenset({"svg", "opensearchdescription", "error", "manifest", "xrd", "envelope", "kml", "gpx"})
_TAG = re.compile(r"</?[a-z][a-z0-9-]*(?:\s[^<>]*)?/?>", re.IGNORECASE)
_LOOKED_AT = 4096


def kind_of_document(text: str) -> str | None:
    """Return `feed`, `sitemap`, `xml` or `plain_text` for what is no page; None for a page and for what is empty."""
    prologue = _PROLOGUE.match(text[:_LOOKED_AT])
    begins = prologue.end() if prologue else 0
    root = _ROOT.match(text, begins)
    if root is not None:
        name = root[1].lower()
        return _KINDS.get(name) or ("xml" if name in _OTHER_XML else None)
    if text[begins:].strip("\0\ufeff \t\r\n") and _TAG.search(text) is None:
        return "plain_text"
    return None
