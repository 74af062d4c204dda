"""From the bytes of a JSON feed to its entries. Pure: JSON Feed 1.0 and 1.1 (jsonfeed.org).

The page of an item is its `url`, the publisher's own; only where there is none is it `external_url`, the page elsewhere
that a link blog writes about, and last its `id`, where that is an address. What has the wrong type is passed over.
"""

import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from crawler.discovery.entry_links import EntryLinks, base_of, own_ids, own_links
from crawler.discovery.feed_bounds import MAX_ENTRIES
from crawler.discovery.feed_characters import usable_charset
from crawler.discovery.gathering import Gathering, absolute, clean_or_none, key_or_none
from crawler.discovery.index_dates import plausible, raw_date, stated_instant
from crawler.discovery.listing import MAX_TITLE_LENGTH, MAX_TTL_SECONDS, Listing, NotAFeed
from crawler.discovery.paid_marks import marks_as_paid, title_marks_as_paid
from storage.model import FeedKind

MAX_VALUES = 2_000_000
"""About how many values are parsed: each may take a hundred bytes of memory, however short it is written."""

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_VERSION = "jsonfeed.org/version/"
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\u200b]")
_BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLANKS = b" \t\r\n\x00"
# What tells a JSON feed near its beginning: its version, with or without escaped slashes.
_TOLD_BY = re.compile(rb'"version"\s*:\s*"https?:(?:\\?/){2}(?:www\.)?jsonfeed\.org\\?/version\\?/')


def begins_as_json(body: bytes) -> bool:
    """Whether a body begins as a JSON object or list, in UTF-8 or UTF-16."""
    for mark in _BYTE_ORDER_MARKS:
        body = body.removeprefix(mark)
    return body[:1_000].lstrip(_BLANKS)[:1] in (b"{", b"[")


def begins_as_json_feed(body: bytes) -> bool:
    """Whether a body, or its beginning, is a JSON feed by the version that it names."""
    return begins_as_json(body) and _TOLD_BY.search(body.replace(b"\x00", b"")) is not None


def read_json_feed(
    body: bytes, *, url: str, content_type: str | None = None, now: datetime | None = None
) -> Listing | NotAFeed:
    """Return what the JSON feed at `url` says, each page once in the feed's order.

    A feed that says it has `expired` asks to be left alone for as long as any may. Where `now` is given, dates that lie
    in its future are no instants.
    """
    if sum(map(body.count, (b"[", b"{", b",", b":"))) > MAX_VALUES:
        return NotAFeed(reason="too_large")
    try:
        feed = json.loads(_text(body, content_type))
    except (ValueError, RecursionError):
        return NotAFeed(reason="malformed")
    if not isinstance(feed, dict) or not _is_json_feed(feed):
        return NotAFeed(reason="json")
    gathering = Gathering(limit=MAX_ENTRIES)
    home_url = clean_or_none(_absolute(feed.get("home_page_url"), url))
    base = base_of(url, home_url)
    sequence = _sequence(feed.get("items"))
    items = [item for item in sequence if isinstance(item, dict)]
    gathering.left_out["no_url"] += len(sequence) - len(items)
    known = [EntryLinks(links=tuple(_links(item, base)), title=_title(item.get("title"))) for item in items]
    ids = own_ids([_NO_TEXT.sub("", item["id"]) if isinstance(item.get("id"), str) else None for item in items])
    ordered = own_links(known, feed_url=url, home_url=home_url)
    for item, links, entry_id in zip(items, ordered, ids, strict=True):
        _gather(item, links, entry_id=entry_id, into=gathering, now=now)
    next_url = clean_or_none(_absolute(feed.get("next_url"), url))
    return Listing(
        kind=FeedKind.JSON,
        title=_title(feed.get("title")),
        entries=gathering.entries,
        ttl_seconds=MAX_TTL_SECONDS if feed.get("expired") is True else None,
        problem="too_many_entries" if gathering.left_out["too_many"] else None,
        left_out=dict(+gathering.left_out),
        next_url=next_url if key_or_none(next_url) != key_or_none(url) else None,
        home_url=home_url,
        paid=gathering.paid,
    )


def _text(body: bytes, content_type: str | None) -> str:
    """Decode a body as JSON is encoded: UTF-8, or UTF-16 and UTF-32 told by their zeros; else as the header says."""
    encoding = json.detect_encoding(body)
    try:
        return body.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        label = _CHARSET.search(content_type or "")
        charset = usable_charset(label[1]) if label else None
        return body.decode(charset or encoding, errors="replace")


def _is_json_feed(feed: Mapping[str, Any]) -> bool:
    """Whether it names the version of a JSON feed, or has what only such a feed has: items with text and dates."""
    version = feed.get("version")
    if isinstance(version, str) and _VERSION in version:
        return True
    typical = {"content_html", "content_text", "date_published"}
    items = [item for item in _sequence(feed.get("items")) if isinstance(item, dict)]
    return any("url" in item and typical & set(item) for item in items)


def _gather(
    item: Mapping[str, Any],
    links: Sequence[str],
    *,
    entry_id: str | None,
    into: Gathering,
    now: datetime | None,
) -> None:
    published_raw, published_at = _date(item.get("date_published"), now)
    _, updated_at = _date(item.get("date_modified"), now)
    title = _title(item.get("title"))
    tags = [tag for tag in _sequence(item.get("tags")) if isinstance(tag, str)]
    into.add(
        links,
        title=title,
        published_at=published_at,
        published_raw=published_raw,
        updated_at=updated_at,
        entry_id=entry_id,
        paid=any(map(marks_as_paid, tags)) or title_marks_as_paid(title),
    )


def _links(item: Mapping[str, Any], base: str) -> Iterator[str]:
    for name in ("url", "external_url"):
        link = _absolute(item.get(name), base)
        if link:
            yield link
    # An id is an address only where it looks like one.
    if isinstance(item.get("id"), str):
        yield item["id"].strip()


def _absolute(link: Any, base: str) -> str:
    return absolute(link, base) if isinstance(link, str) else ""


def _title(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join(_NO_TEXT.sub("", value).split())[:MAX_TITLE_LENGTH] or None


def _date(value: Any, now: datetime | None) -> tuple[str | None, datetime | None]:
    raw = raw_date(value) if isinstance(value, str) else None
    return raw, plausible(stated_instant(raw), now=now) if raw else None


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
