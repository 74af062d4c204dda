"""Tells what an address led to by the beginning of its body, and where to look for an index that nobody names. Pure."""

import re
from enum import StrEnum
from urllib.parse import urlsplit

from crawler.discovery.feed_bounds import Document, read_document
from crawler.discovery.json_feeds import begins_as_json, begins_as_json_feed
from crawler.discovery.sitemaps import SITEMAP_ROOTS, url_lines
from crawler.discovery.unpacking import is_packed, unpack

COMMON_FEED_PLACES = (
    "/feed/",
    "/rss.xml",
    "/rss",
    "/feed.xml",
    "/atom.xml",
    "/index.xml",
    "/feed.json",
    "/feeds/posts/default",
)
"""Paths where content systems put their feed unless told otherwise, most common first: WordPress; Drupal and Gatsby;
Ghost and many of publishers' own; Jekyll and Eleventy; Movable Type and Hexo; Hugo; the place that jsonfeed.org
recommends; Blogger."""

COMMON_SITEMAP_PLACES = ("/sitemap.xml", "/sitemap_index.xml", "/wp-sitemap.xml", "/news-sitemap.xml")
"""Paths of sitemaps that robots.txt does not name: the protocol's own example (sitemaps.org), Yoast SEO's index, that
of WordPress since 5.5, and Yoast's for news."""

_BEGINNING = 65_536
_FEED_ROOTS = frozenset({"rss", "rdf", "feed"})
_HTML_ROOTS = frozenset(
    {"html", "head", "body", "title", "meta", "link", "script", "style", "base", "noscript", "iframe", "center", "font"}
    | {"div", "main", "article", "section", "header", "nav", "p", "table", "h1", "h2", "h3", "span", "a", "br", "img"}
)
_MEDIA_TYPES = ("image/", "audio/", "video/", "font/", "application/pdf")
_MEDIA_MAGIC = re.compile(
    rb"%PDF-|\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|RIFF....(?:WEBP|WAVE|AVI )|ID3|OggS|fLaC|PK\x03\x04|\x1aE\xdf\xa3"
    rb"|....ftyp|Rar!|7z\xbc\xaf|wOF[F2]",
    re.DOTALL,
)
# A page may begin with what its server forgot to fill in or to hide, `{{…}}` or `[debug]`.
_HTML_BEGINS = re.compile(rb"<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_NO_PAGES = frozenset(
    {"pdf", "ps", "epub", "mobi", "doc", "docx", "odt", "rtf", "xls", "xlsx", "ods", "csv", "ppt", "pptx", "odp", "ics"}
    | {"jpg", "jpeg", "png", "gif", "webp", "avif", "heic", "svg", "bmp", "tif", "tiff", "ico"}
    | {"mp3", "m4a", "aac", "ogg", "oga", "opus", "wav", "flac", "mp4", "m4v", "mov", "avi", "mkv", "webm", "m3u8"}
    | {"zip", "gz", "tgz", "bz2", "xz", "7z", "rar", "exe", "msi", "dmg", "apk", "iso", "torrent", "woff", "woff2"}
    | {"rss", "atom"}
)


class TargetKind(StrEnum):
    """What an address leads to."""

    FEED = "feed"
    SITEMAP = "sitemap"
    PAGE = "page"
    OTHER = "other"


def kind_of_body(body: bytes, content_type: str | None, *, url: str) -> TargetKind:
    """Return what a response is by the beginning of its decoded body.

    The content type only decides where the body does not, and rules out media. `url` is its address after redirects:
    a list of addresses is a sitemap only where the type or the name says that it is text.
    """
    label = (content_type or "").strip().lower()
    if is_packed(body):
        body = unpack(body[:_BEGINNING], max_bytes=_BEGINNING).body
    elif label.startswith(_MEDIA_TYPES) and "svg" not in label:
        return TargetKind.OTHER
    beginning = body[:_BEGINNING]
    if _MEDIA_MAGIC.match(beginning):
        return TargetKind.OTHER
    if begins_as_json_feed(beginning):
        return TargetKind.FEED
    if begins_as_json(beginning) and not (label.startswith(_HTML_TYPES) and _HTML_BEGINS.search(beginning)):
        return TargetKind.OTHER
    document = read_document(beginning, content_type=None)
    if document.root is not None:
        return _kind_of_root(document, label)
    if _lists_addresses(document, label=label, url=url):
        return TargetKind.SITEMAP
    return TargetKind.PAGE if not label or label.startswith(_HTML_TYPES) else TargetKind.OTHER


def _kind_of_root(document: Document, label: str) -> TargetKind:
    if document.root_name in _FEED_ROOTS:
        return TargetKind.FEED
    if document.root_name in SITEMAP_ROOTS:
        return TargetKind.SITEMAP
    is_page = document.root_name in _HTML_ROOTS or label.startswith(_HTML_TYPES)
    return TargetKind.PAGE if is_page else TargetKind.OTHER


def _lists_addresses(document: Document, *, label: str, url: str) -> bool:
    is_text = label.startswith("text/plain") or urlsplit(url).path.lower().endswith((".txt", ".txt.gz"))
    # The last line may be cut. A page of one address is a message more often than a sitemap.
    return (is_text or not label.startswith(_HTML_TYPES)) and url_lines(document.body) is not None


def leads_to_page(url: str) -> bool:
    """Whether an address may lead to a page, by the extension of its path: not to a document, a picture, a sound."""
    name = urlsplit(url).path.rpartition("/")[2]
    _, dot, extension = name.rpartition(".")
    return not dot or extension.lower() not in _NO_PAGES
