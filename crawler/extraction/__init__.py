"""From bytes to an article: pure, and the only place that reads with trafilatura.

    decoding.py     bytes → text                     document_type.py   page, feed, sitemap or no markup at all
    document.py     text → a tree, and its surplus   overlays.py   what lies over a story
    linked_data.py  JSON-LD and microdata            markup.py     meta elements and visible parts
    headline.py authors.py times.py dateline.py      one field each
    body.py         the paragraphs of the story      verdict.py    is this an article at all
    shape.py page_kind.py   home pages, sections …   walls.py error_pages.py wall_words.py   what stands before it
    permissions.py  what robots may do with the page; `robots_metas.py` the words for it where nobody reads the page
    parts.py part_numbers.py  what addresses the page names: its own, and those of further parts of its article
    containers.py   where a page has its paragraphs  joining.py     one article out of its parts
    reader.py       puts an article together         identity.py   the extractor id
    pool.py         many pages in worker processes   command.py    what `morgue extract` prints

What only carries readings imports this package without loading trafilatura, which takes a second.
"""

from datetime import datetime

from crawler.extraction.identity import extractor_id
from crawler.extraction.reading import Reading
from storage.model import Headers

__all__ = ["Reading", "decode_html", "extract", "extractor_id"]


def extract(
    html: str,
    *,
    url: str,
    timezone: str | None,
    captured_at: datetime,
    extractor: str,
    headers: Headers = (),
    robots_token: str = "",
) -> Reading:
    """Return the reading of one page; see `crawler.extraction.reader.read_page`."""
    from crawler.extraction.reader import read_page  # noqa: PLC0415 - loads trafilatura

    return read_page(
        html,
        url=url,
        timezone=timezone,
        captured_at=captured_at,
        extractor=extractor,
        headers=headers,
        robots_token=robots_token,
    )


def decode_html(body: bytes, *, content_type: str | None) -> str:
    """Return the text of a page; see `crawler.extraction.decoding.decode_html`."""
    from crawler.extraction import decoding  # noqa: PLC0415 - loads the detector

    return decoding.decode_html(body, content_type=content_type)
