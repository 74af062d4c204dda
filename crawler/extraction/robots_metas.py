"""What the `meta` elements of a page say to robots, found without reading the page. Pure; imports nothing heavy.

For answers of which something is kept although nobody read them: the page of a 404, one that the extractor gave up.
Whoever errs here errs on the side of the publisher.
"""

import html
import re
from collections.abc import Iterator

from crawler.extraction.text import one_line

_WANTED = re.compile(rb"<!--|<meta(?=[\s/])((?:[^>\"']|\"[^\"]{0,4000}\"|'[^']{0,4000}'|[\"'])*+)", re.IGNORECASE)
"""A quotation mark that is not closed within some thousand bytes is read as any other character."""
_ATTRIBUTE = re.compile(r"(?<![^\s\"'<>/=])([^\s\"'<>/=]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>]++))")
_NAMES = ("property", "name", "itemprop", "http-equiv")
_LONGEST = 8192
"""Bytes of an element that are read."""
_MOST = 1000


def robots_metas(body: bytes) -> dict[str, list[str]]:
    """Return the contents of the `meta` elements of a decoded body by their lower-case names.

    The body may be text of any kind that writes markup in ASCII, UTF-16 too. What stands in comments does not count.
    """
    found: dict[str, list[str]] = {}
    for element in _elements(body.replace(b"\0", b"")):
        attributes: dict[str, str] = {}
        for name, *values in _ATTRIBUTE.findall(element[:_LONGEST].decode("utf-8", "replace")):
            attributes.setdefault(name.lower(), html.unescape(next(filter(None, values), "")))
        for name in _NAMES:
            for word in attributes.get(name, "").lower().split():
                found.setdefault(word, []).append(one_line(attributes.get("content")))
    return found


def _elements(body: bytes) -> Iterator[bytes]:
    position, count, comments_end = 0, 0, True
    while count < _MOST and (match := _WANTED.search(body, position)):
        position = match.end()
        if match[1] is not None:
            count += 1
            yield match[1]
        elif comments_end:
            # `<!-->` is a comment too. One that never ends hides nothing.
            end = body.find(b"-->", match.start() + 2)
            comments_end = end >= 0
            position = max(position, end + 3)
