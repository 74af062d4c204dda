"""Which of the addresses in a sitemap are worth a request: sitemaps name galleries, tags and sections as well. Pure."""

from collections import Counter
from collections.abc import Sequence

from crawler.discovery.feed_links import SortedEntries, sort_entries
from crawler.discovery.listing import Listing
from crawler.discovery.url_shapes import UrlShapes
from crawler.discovery.url_words import LinkKind
from crawler.urls import registrable_domain
from storage.model import FeedKind

_WANTED = frozenset({LinkKind.ARTICLE, LinkKind.UNKNOWN})
"""What a sitemap lists and no shape speaks against is asked for: being wrong costs a request, passing over a text."""

_DOUBT = -2.0
"""A short path alone tells little: from these log-odds on, a page of three words may be a story as well."""


def sort_sitemap(
    listing: Listing,
    *,
    url: str,
    shapes: UrlShapes,
    publisher_domains: frozenset[str],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> SortedEntries:
    """Return the entries of the sitemap at `url` that may be articles.

    What `crawler.discovery.feed_links` leaves out of a feed is left out here too. Else, where `include` is given, it
    alone decides; where it is not, what leads to another publisher is left out (`elsewhere`), and so is what the shape
    of its address tells to be no article (`tag`, `gallery`, …). A news sitemap lists articles only, so its entries are
    not judged by their shapes.
    """
    chosen = sort_entries(listing, url=url, publisher_domains=publisher_domains, include=include, exclude=exclude)

    def why_not(url: str) -> str | None:
        if include:
            return None
        if registrable_domain(url) not in publisher_domains:
            return "elsewhere"
        if listing.kind is FeedKind.NEWS_SITEMAP:
            return None
        judged = shapes.judge(url)
        doubtful = judged.reason == "short_path" and judged.score > _DOUBT
        return None if judged.kind in _WANTED or doubtful else judged.kind.value

    wanted = []
    left_out: Counter[str] = Counter(chosen.left_out)
    for entry in chosen.wanted:
        reason = why_not(entry.url)
        if reason is None:
            wanted.append(entry)
        else:
            left_out[reason] += 1
    return SortedEntries(wanted=wanted, left_out=left_out)
