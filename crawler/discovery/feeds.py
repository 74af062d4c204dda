"""From the bytes of a feed to its entries. Pure: RSS 0.9 to 2.0 and Atom, read by feedparser, and JSON Feed.

A feed that is not well-formed gives the entries that could be read. What is no feed is told apart, with a reason.
"""

import email.utils
import html
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import feedparser

from crawler.discovery.entry_links import EntryLinks, base_of, own_ids, own_links
from crawler.discovery.feed_bounds import MAX_BYTES, MAX_ENTRIES, Document, bound, read_document
from crawler.discovery.feed_characters import join_surrogates
from crawler.discovery.feed_wishes import skipped_days, skipped_hours, wished_seconds
from crawler.discovery.gathering import Gathering, absolute, clean_or_none, key_or_none
from crawler.discovery.index_dates import plausible
from crawler.discovery.json_feeds import begins_as_json, read_json_feed
from crawler.discovery.listing import MAX_TITLE_LENGTH, Listing, NotAFeed
from crawler.discovery.paid_marks import marks_as_paid, title_marks_as_paid
from crawler.discovery.unpacking import Unpacked, is_packed, unpack
from storage.model import FeedKind

_ROOTS = {"rss": FeedKind.RSS, "rdf": FeedKind.RSS, "feed": FeedKind.ATOM}
_OTHER_ROOTS = {"html": "html", "urlset": "sitemap", "sitemapindex": "sitemap"}

# Markup that titles are given in; a "<" before anything else is one that the writer meant.
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|br|cite|code|del|div|em|font|h[1-6]|i|img|ins|mark|p|q|s|small|span|strong|sub|sup|u)"
    r"(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\u200b]")
# The zones whose meaning is beyond doubt: UTC, those of RFC 822, and offsets.
_ZONE = re.compile(r"(?:\d\s*Z|\b(?:UTC?|GMT|[ECMP][SD]T)|[+-]\d{2}:?\d{2})\s*+(?:\([^()]*+\)\s*+)?$", re.IGNORECASE)
_GMT_OFFSET = re.compile(r"\b(?:GMT|UTC)\s*([+-])(\d{1,2})(?::?(\d{2}))?\s*+$", re.IGNORECASE)
_FILE = re.compile(r"\.(?!x?html?\b)\w{1,9}(?:[?#]|$)", re.IGNORECASE)
_COMMA = re.compile(r",(?=\S)")


def read_feed(body: bytes, *, url: str, content_type: str | None, now: datetime | None = None) -> Listing | NotAFeed:
    """Return what the feed at `url` says, links made absolute, each page once in the feed's order.

    `url` is where the feed was found after redirects; `content_type` the header as it came, or None. Where `now` is
    given, dates that lie in its future are no instants. A feed that is a gzip file by itself is unpacked.
    """
    unpacked = unpack(body, max_bytes=MAX_BYTES) if is_packed(body) else Unpacked(body=body)
    document = read_document(unpacked.body, content_type=content_type)
    kind = _ROOTS.get(document.root_name)
    if kind is None and begins_as_json(unpacked.body):
        return read_json_feed(unpacked.body, url=url, content_type=content_type, now=now)
    if kind is None:
        return NotAFeed(reason="malformed" if unpacked.problem and not document.body else _what_else(document))
    bounded = bound(document)
    try:
        parsed = _parse(join_surrogates(bounded.body), charset=document.charset)
    except Exception:  # noqa: BLE001 - the boundary of one feed: bad bytes raise a dozen kinds of errors in feedparser
        return NotAFeed(reason="malformed")
    gathering = Gathering(limit=MAX_ENTRIES)
    home_url = clean_or_none(next(_related(parsed.feed, "alternate", url), None))
    base = base_of(url, home_url)
    known = [EntryLinks(links=tuple(_links(entry, base)), title=_title(entry, kind)) for entry in parsed.entries]
    ordered = own_links(known, feed_url=url, home_url=home_url)
    ids = own_ids([_NO_TEXT.sub("", str(entry.get("id") or "")) for entry in parsed.entries])
    for entry, of_entry, links, entry_id in zip(parsed.entries, known, ordered, ids, strict=True):
        _gather(entry, links, title=of_entry.title, entry_id=entry_id, into=gathering, kind=kind, now=now)
    gathering.left_out["too_many"] += bounded.entries_cut
    is_malformed = bounded.was_mended or _is_malformed(parsed)
    cut = bounded.was_cut or gathering.left_out["too_many"] > 0
    return Listing(
        kind=kind,
        title=_title(parsed.feed, kind),
        entries=gathering.entries,
        ttl_seconds=wished_seconds(parsed.feed),
        skip_hours=skipped_hours(bounded.body) if kind is FeedKind.RSS else (),
        skip_days=skipped_days(bounded.body) if kind is FeedKind.RSS else (),
        problem=unpacked.problem or ("malformed" if is_malformed else "too_many_entries" if cut else None),
        left_out=dict(+gathering.left_out),
        next_url=_next_url(parsed.feed, url),
        home_url=home_url,
        paid=gathering.paid,
    )


def _parse(body: bytes, *, charset: str | None) -> Any:
    label = f"; charset={charset}" if charset else ""
    # A stream, because feedparser would take bytes that name a file for that file.
    return feedparser.parse(
        io.BytesIO(body),
        response_headers={"content-type": f"application/xml{label}"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )


def _what_else(document: Document) -> str:
    if not document.body:
        return "empty"
    if document.root is None:
        return "not_xml"
    return _OTHER_ROOTS.get(document.root_name, "xml")


def _is_malformed(parsed: Mapping[str, Any]) -> bool:
    # feedparser reports a label of the encoding that proved wrong in the same place; nothing is lost by that.
    harmless = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)
    return bool(parsed["bozo"]) and not isinstance(parsed.get("bozo_exception"), harmless)


def _gather(
    entry: Any,
    links: Sequence[str],
    *,
    title: str | None,
    entry_id: str | None,
    into: Gathering,
    kind: FeedKind,
    now: datetime | None,
) -> None:
    published_raw, published_at = _date(entry, "published")
    updated_raw, updated_at = _date(entry, "updated")
    if published_raw is None and kind is FeedKind.RSS:
        # The one date of an entry in RSS 1.0, `dc:date`.
        published_raw, published_at = updated_raw, updated_at
    into.add(
        links,
        title=title,
        published_at=plausible(published_at, now=now),
        published_raw=published_raw,
        updated_at=plausible(updated_at, now=now),
        entry_id=entry_id,
        paid=_is_paid(entry) or title_marks_as_paid(title),
    )


def _is_paid(entry: Any) -> bool:
    labels = [tag.get(name) for tag in entry.get("tags", ()) for name in ("term", "label")]
    relations = [word for link in entry.get("links", ()) for word in link.get("rel", "").split()]
    return any(marks_as_paid(label) for label in (*labels, *relations) if label)


def _links(entry: Any, base: str) -> Iterator[str]:
    """Give what may be the page's address, the best first. A picture or a sound that is attached never is."""
    for proxied in ("feedburner_origlink", "pheedo_origlink"):
        if entry.get(proxied):
            yield absolute(str(entry[proxied]), base)
    links = [link for link in entry.get("links", ()) if link.get("href")]

    def related(*relations: str) -> list[str]:
        found = [link for link in links if set(relations) & set(link.get("rel", "alternate").split())]
        found.sort(key=lambda link: "html" not in link.get("type", "html"))
        return [absolute(link["href"], base) for link in found]

    yield from related("canonical", "bookmark")
    yield from related("alternate")
    yield from related("self")
    # A guid is an address only where it looks like one: not every feed that gives none of its own says so.
    yield str(entry.get("id", "")).strip()
    yield from (absolute(link["href"], base) for link in links if _is_attached_page(link))
    yield from related("related", "via")
    comments = absolute(str(entry.get("comments") or ""), base)
    if "#" in comments:
        # They stand below the article.
        yield comments


def _is_attached_page(link: Any) -> bool:
    # feedparser calls the type of a link of Atom HTML where the feed does not say it.
    is_page = "html" in link.get("type", "") and not _FILE.search(link["href"])
    return is_page and "enclosure" in link.get("rel", "").split()


def _related(feed: Any, relation: str, base: str) -> Iterator[str]:
    """Give the addresses that the feed itself names in this relation to it."""
    for link in feed.get("links", ()):
        if link.get("href") and link.get("rel", "alternate") == relation:
            yield absolute(link["href"], base)


def _next_url(feed: Any, url: str) -> str | None:
    found = clean_or_none(next(_related(feed, "next", url), None))
    return found if key_or_none(found) != key_or_none(url) else None


def _title(of: Any, kind: FeedKind) -> str | None:
    title = of.get("title")
    if not title:
        return None
    marked_up = "html" in of.get("title_detail", {}).get("type", "")
    text = _TAG.sub(" " if "<br" in title.lower() else "", title) if marked_up or kind is FeedKind.RSS else title
    if marked_up or kind is FeedKind.RSS:
        # RSS does not say whether a title is markup, and many feeds escape it twice.
        text = html.unescape(text)
    return " ".join(_NO_TEXT.sub("", text).split())[:MAX_TITLE_LENGTH] or None


def _date(entry: Any, name: str) -> tuple[str | None, datetime | None]:
    """Return a date as the feed writes it and the instant it means; no instant without a zone that is beyond doubt."""
    if name not in entry or not entry[name]:
        return None, None
    raw = " ".join(_NO_TEXT.sub("", entry[name]).split())[:200]
    offset = _GMT_OFFSET.search(raw)
    try:
        if offset:
            # `GMT+9` is nine hours ahead of Greenwich, as people write it; no parser of dates knows it.
            zone = f"{offset[1]}{int(offset[2]):02d}{offset[3] or '00'}"
            instant = email.utils.parsedate_to_datetime(_COMMA.sub(", ", f"{raw[: offset.start()]}{zone}"))
        elif _ZONE.search(raw) and entry.get(f"{name}_parsed"):
            year, month, day, hour, minute, second = entry[f"{name}_parsed"][:6]
            instant = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        else:
            return raw, None
        instant = instant.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return raw, None
    return raw, plausible(instant, now=None)
