"""Whether a body that nothing but the end of its connection delimits is whole. Pure.

A body with a length or in chunks says itself where it ends, and a compressed one too. What is left are plain bodies of
the old style (HTTP/1.0, `Connection: close` without a length), for which it cannot be told in general. Two signs are
sure enough to be acted on, and real pages without `</html>`, of which there are many, show neither:

- The connection ended in an orderly way, but the markup ends inside a tag, a comment, a script or a style sheet.
- The connection ended otherwise (a reset, TLS without its farewell), and the document's end is missing. Servers that
  always end TLS so are common, so it counts only together with the missing end.
"""

import re

_LEAD = 512
"""Bytes at the beginning in which markup shows that it is markup."""
_TAIL = 4096
_MARKUP = re.compile(rb"\s*+(?:\xef\xbb\xbf\s*+)?<[!?a-zA-Z]")
_TAG_BEGINS = re.compile(rb"<(?:[a-zA-Z/!?]|\Z)")
_DOCUMENT_ENDS = re.compile(
    rb"</\s*(?:html|body|rss|feed|rdf:rdf|[\w-]+:rdf|(?:[\w-]+:)?urlset|(?:[\w-]+:)?sitemapindex|opml)\s*>",
    re.IGNORECASE,
)
_RAW_TEXT = (b"script", b"style")


def is_cut(body: bytes, *, orderly: bool) -> bool:
    """Whether a body is known not to be whole; `orderly` tells how its connection ended.

    `body` has no content coding. Wide encodings (UTF-16) are looked at without their NULs.
    """
    if not body:
        return False
    if b"\0" in body[:_LEAD]:
        body = body.replace(b"\0", b"").lstrip(b"\xff\xfe")
    if not _MARKUP.match(body[:_LEAD]):
        # JSON ends with a bracket and text with its last line; that they do so by chance is little likely.
        return not orderly and body.rstrip(b" \t\r")[-1:] not in (b"\n", b"}", b"]")
    if _DOCUMENT_ENDS.search(body[-_TAIL:]):
        return False
    return not orderly or _ends_inside(body)


def _ends_inside(body: bytes) -> bool:
    last = body.rfind(b"<")
    if last > body.rfind(b">") and _TAG_BEGINS.match(body, last):
        return True
    if body.rfind(b"<!--") > body.rfind(b"-->"):
        return True
    lower = body.lower()
    return any(lower.rfind(b"<" + name) > lower.rfind(b"</" + name) for name in _RAW_TEXT)
