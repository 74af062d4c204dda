"""From the bytes of a sitemap to its entries. Pure: the protocol of sitemaps.org, Google's news extension, gzip.

A sitemap that is not well-formed gives the entries that could be read. Pictures, videos and the other languages of a
page (`image:loc`, `video:…`, `xhtml:link`) are no entries. Where a feed or a list of addresses serves as a sitemap, as
the protocol allows, it is read as one.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from crawler.discovery.feed_bounds import read_document
from crawler.discovery.feeds import read_feed
from crawler.discovery.gathering import Gathering, absolute
from crawler.discovery.index_dates import hinted_instant, plausible, raw_date, stated_instant
from crawler.discovery.json_feeds import begins_as_json
from crawler.discovery.listing import MAX_TITLE_LENGTH, Listing, NotAFeed
from crawler.discovery.paid_marks import title_marks_as_paid
from crawler.discovery.sitemap_markup import Located, read_markup
from crawler.discovery.unpacking import unpack
from storage.model import FeedKind

MAX_SITEMAP_ENTRIES = 50_000
"""Entries of one sitemap, and sitemaps of one index (sitemaps.org, "Using Sitemap index files")."""

MAX_SITEMAP_BYTES = 50 * 1024 * 1024
"""The most that a sitemap may have before it is packed: 52,428,800 bytes (sitemaps.org)."""

SITEMAP_ROOTS = frozenset({"urlset", "sitemapindex", "url", "sitemap"})
_FEED_ROOTS = frozenset({"rss", "rdf", "feed"})
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


def read_sitemap(body: bytes, *, url: str, content_type: str | None, now: datetime | None = None) -> Listing | NotAFeed:
    """Return what the sitemap at `url` says: entries, or for an index the sitemaps that it names, each once.

    Beyond 50,000 the newest are kept, by `lastmod` or date of publication. A `lastmod` becomes `updated_at`, a hint: a
    day without a time stands for its beginning in UTC. Where `now` is given, dates that lie in its future are dropped.
    """
    unpacked = unpack(body, max_bytes=MAX_SITEMAP_BYTES)
    document = read_document(unpacked.body, content_type=content_type)
    if document.root_name in _FEED_ROOTS or (document.root is None and begins_as_json(unpacked.body)):
        return read_feed(unpacked.body, url=url, content_type=content_type, now=now)
    if document.root_name in SITEMAP_ROOTS:
        markup = read_markup(document)
        problem = unpacked.problem or markup.problem
        return _listing(markup.located, url=url, now=now, problem=problem, left_out=markup.left_out)
    if document.root is not None:
        return NotAFeed(reason="html" if document.root_name == "html" else "xml")
    lines = url_lines(document.body)
    if lines is None:
        return NotAFeed(reason="not_xml" if document.body else "malformed" if unpacked.problem else "empty")
    # Of a list that was cut the last line may be half an address.
    whole = lines[:-1] if unpacked.problem else lines
    return _listing(
        [Located(loc=line if _is_address(line) else "") for line in whole],
        url=url,
        now=now,
        problem=unpacked.problem,
        left_out=0,
    )


def url_lines(body: bytes) -> Sequence[str] | None:
    """Return the lines of a list of addresses, one a line, or None where less than half of the lines are addresses."""
    text = body.decode("utf-8", errors="replace").removeprefix("\ufeff")
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
    return lines if lines and sum(map(_is_address, lines)) * 2 >= len(lines) else None


def _is_address(line: str) -> bool:
    return line[:8].lower().startswith(("http://", "https://")) and len(line.split()) == 1


def _listing(
    found: Sequence[Located], *, url: str, now: datetime | None, problem: str | None, left_out: int
) -> Listing:
    kept = _newest(found, now)
    gathering = Gathering(limit=MAX_SITEMAP_ENTRIES, own_url=url)
    gathering.left_out["too_many"] += left_out + len(found) - len(kept)
    for located in kept:
        _gather(located, into=gathering, url=url, now=now)
    too_many = "too_many_entries" if gathering.left_out["too_many"] else None
    return Listing(
        kind=FeedKind.NEWS_SITEMAP if any(located.is_news for located in kept) else FeedKind.SITEMAP,
        entries=gathering.entries,
        indexes=gathering.indexes,
        problem=problem or too_many,
        left_out=dict(+gathering.left_out),
        paid=gathering.paid,
    )


def _newest(found: Sequence[Located], now: datetime | None) -> Sequence[Located]:
    """Return at most 50,000, the newest, in the order of the sitemap. Those without a date are the oldest."""
    if len(found) <= MAX_SITEMAP_ENTRIES:
        return found

    def changed_at(number: int) -> datetime:
        located = found[number]
        return _changed_at(located, now) or _hint(located.published, now) or _LONG_AGO

    newest = sorted(range(len(found)), key=changed_at, reverse=True)[:MAX_SITEMAP_ENTRIES]
    return [found[number] for number in sorted(newest)]


def _gather(located: Located, *, into: Gathering, url: str, now: datetime | None) -> None:
    # Some programs escape addresses inside CDATA too, where it means an ampersand followed by `amp;`.
    link = absolute(located.loc.replace("&amp;", "&"), url)
    if located.is_index:
        into.add_index(link, changed_at=_changed_at(located, now))
        return
    published_raw = raw_date(located.published or "")
    title = " ".join((located.title or "").split())[:MAX_TITLE_LENGTH] or None
    into.add(
        (link,),
        title=title,
        published_at=plausible(stated_instant(published_raw), now=now) if published_raw else None,
        published_raw=published_raw,
        updated_at=_changed_at(located, now),
        paid=title_marks_as_paid(title),
    )


def _changed_at(located: Located, now: datetime | None) -> datetime | None:
    return _hint(located.lastmod, now)


def _hint(text: str | None, now: datetime | None) -> datetime | None:
    raw = raw_date(text or "")
    return plausible(hinted_instant(raw), now=now) if raw else None
