"""What makes two URLs one page, and which of them share a host. Pure.

A URL has three forms here. `clean_url` is the address to request; `url_key` names the page that stands there, the
same for http and https, with and without `www.`, in whatever order the parameters came; `host_key` says whose pause
between two requests it falls under.
"""

import ipaddress
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

import idna
from w3lib.url import safe_url_string

from storage.records import FeedEntry

if TYPE_CHECKING:
    import tldextract

MAX_URL_LENGTH = 2_048
"""Characters of a page's URL in its clean form: what sitemaps allow, and what an index of a database can hold."""

MAX_REQUEST_LENGTH = 8_192
"""Characters of a URL that is only requested, as on the way through a redirect (RFC 9110 asks for 8,000 at least)."""

MAX_WRITTEN_LENGTH = 16_384
"""Characters of a URL as it is written, before anything is done with it: escapes and parameters that only track make it
longer than its clean form. What is longer is taken for no URL: to split, join and remember it would cost more."""

_MAX_WRITTEN_HOST = 1_024
"""Characters of a host as it is written: a name has at most 253, which escapes make three times as long."""

_DEFAULT_PORTS = {"http": 80, "https": 443}

_TRACKING_PREFIXES = ("utm_", "mtm_", "pk_", "piwik_", "hsa_", "at_medium", "at_campaign", "at_custom", "at_link_")
_TRACKING_NAMES = frozenset(
    {
        # Click identifiers of advertisers and social networks.
        *("fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "ysclid", "twclid", "ttclid"),
        *("igshid", "igsh", "li_fat_id", "epik", "s_kwcid", "__twitter_impression", "spref"),
        # Newsletters and analytics.
        *("mc_cid", "mc_eid", "mkt_tok", "_ga", "_gl", "_hsenc", "_hsmi", "vero_id", "vero_conv", "oly_anon_id"),
        *("oly_enc_id", "wickedid", "__s", "xtor", "cmpid"),
        # Where a link was followed from, as publishers' feeds and share buttons mark it.
        *("ns_mchannel", "ns_source", "ns_campaign", "ns_linkname", "ns_fee", "guccounter", "guce_referrer"),
        *("guce_referrer_sig", "traffic_source"),
    }
)
"""Parameters that say how a reader came, never what the page is. Names that some site uses to choose an article
(`id`, `source`, `ref`, `cid`, `p`) are not among them: dropping one of those would make many articles one."""

# C0 controls, DEL, C1 controls and lone surrogates have no place in an address, however it is escaped.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_BREAKS = re.compile(r"[\t\r\n]")
# What never needs escaping where it stands: most URLs consist of nothing else, and a sitemap has 50,000 of them.
_SAFE = re.compile(r"[A-Za-z0-9._~%/:?&=+,;@!$()*-]*")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class InvalidUrl(ValueError):
    """A string that is no http(s) URL; the message says why, without the URL."""


@cache
def _suffixes() -> "tldextract.TLDExtract":
    """Return the list of public suffixes that comes with the package; nothing is ever downloaded or written for it.

    Importing the package brings a whole HTTP client along, which those need not wait for who only want help.
    """
    import tldextract  # noqa: PLC0415 - see above

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def clean_url(url: str, *, keep_query: bool = False) -> str:
    """Return the canonical form of `url` to request.

    Scheme and host in lower case, the host in its ASCII form (IDNA 2008), no default port, no user name or password,
    no fragment, dot segments resolved (RFC 3986, 5.2.4), escapes in upper case and only where they are needed, and no
    parameters that only track how a reader came. The order of parameters stays, as a server may care for it.
    `keep_query` keeps the tracking ones too, and more length: for a redirect they may be what it is about.

    Raises `InvalidUrl` for anything that is no http(s) URL with a host.
    """
    return _clean(_split(url), keep_query=keep_query)


def _clean(parts: SplitResult, *, keep_query: bool = False) -> str:
    netloc = _host_with_port(parts)
    path = _without_dot_segments(_normal_escapes(parts.path)) or "/"
    query = _normal_escapes(parts.query)
    if not keep_query:
        query = _without_tracking(query)
    clean: str = urlunsplit((parts.scheme, netloc, path, query, ""))
    if not _SAFE.fullmatch(clean):
        # Only what is no ASCII, and what must be escaped, is left for it to do.
        clean = safe_url_string(clean)
    if len(clean) > (MAX_REQUEST_LENGTH if keep_query else MAX_URL_LENGTH):
        raise InvalidUrl("the URL is too long")
    return clean


def url_key(url: str) -> str:
    """Return the identity of a page: its clean URL without scheme and leading `www.`, with the parameters sorted.

    Raises `InvalidUrl`.
    """
    return _key(clean_url(url))


def _key(clean: str) -> str:
    parts = urlsplit(clean)
    query = "&".join(sorted(part for part in parts.query.split("&") if part))
    return _without_www(parts.netloc) + parts.path + (f"?{query}" if query else "")


def host_key(url: str) -> str:
    """Return what the pause between two requests is kept for: the registrable domain.

    For hosts that have none (addresses, `localhost` and other names of one word) it is `host:port`, the port always
    given. Raises `InvalidUrl`.
    """
    return _host_key(_split(url))


def _host_key(parts: SplitResult) -> str:
    host = _ascii_host(parts.hostname or "")
    return _registrable(host) or f"{host}:{parts.port or _DEFAULT_PORTS[parts.scheme]}"


def registrable_domain(url: str) -> str:
    """Return the domain that somebody registered, as `example.co.uk`, or the host where there is no such domain.

    A name under a suffix where anybody may publish (`somebody.github.io`) is a domain of its own. Raises `InvalidUrl`.
    """
    host = _ascii_host(_split(url).hostname or "")
    return _registrable(host) or host


def joined_url(base: str, link: str) -> str:
    """Return a link made absolute by the URL that it is relative to. Raises `InvalidUrl`."""
    if max(len(base), len(link)) > MAX_WRITTEN_LENGTH:
        raise InvalidUrl("the URL is too long")
    try:
        return urljoin(base, link)
    except ValueError as problem:
        raise InvalidUrl("it is not well-formed") from problem


def feed_entry(
    url: str,
    *,
    title: str | None = None,
    published_at: datetime | None = None,
    published_raw: str | None = None,
    updated_at: datetime | None = None,
    entry_id: str | None = None,
) -> FeedEntry:
    """Return the entry for a link, with its identity and its host. Raises `InvalidUrl`."""
    parts = _split(url)
    clean = _clean(parts)
    return FeedEntry(
        url=clean,
        url_key=_key(clean),
        host=_host_key(parts),
        title=title,
        published_at=published_at,
        published_raw=published_raw,
        updated_at=updated_at,
        entry_id=entry_id,
    )


def _split(url: str) -> SplitResult:
    # As browsers do (WHATWG, "basic URL parser"): blanks around it and line breaks inside it are not part of a URL,
    # and a backslash before the query is a slash. Not to follow them here would let two readers see two hosts.
    text = url.strip("".join(map(chr, range(0x21))) + "\u00a0\ufeff")
    if len(text) > MAX_WRITTEN_LENGTH:
        raise InvalidUrl("the URL is too long")
    text = _LINE_BREAKS.sub("", text)
    if _FORBIDDEN.search(text):
        raise InvalidUrl("it contains control characters")
    mark = re.search(r"[?#]", text)
    end = mark.start() if mark else len(text)
    try:
        parts = urlsplit(text[:end].replace("\\", "/") + text[end:])
        port = parts.port
    except ValueError as problem:
        raise InvalidUrl("it is not well-formed") from problem
    if parts.scheme not in _DEFAULT_PORTS:
        raise InvalidUrl("it is no http or https URL")
    if not parts.hostname:
        raise InvalidUrl("it has no host")
    if port == 0:
        raise InvalidUrl("its port is 0")
    return parts


def _host_with_port(parts: SplitResult) -> str:
    host = _ascii_host(parts.hostname or "")
    return host if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{parts.port}"


def _ascii_host(host: str) -> str:
    """Return a host as it goes over the wire: ASCII, lower case, an IPv6 address in brackets."""
    if len(host) > _MAX_WRITTEN_HOST:
        raise InvalidUrl("its host is not well-formed")
    return _known_ascii_host(host)


@lru_cache(maxsize=4096)
def _known_ascii_host(host: str) -> str:
    if ":" in host:
        try:
            return f"[{ipaddress.IPv6Address(host)}]"
        except ValueError as problem:
            raise InvalidUrl("its host is no IPv6 address") from problem
    name = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), host) if "%" in host else host
    if not name.isascii():
        name = _idna(name)
    name = name.lower().removesuffix(".")
    if len(name) > 253 or any(len(label) > 63 for label in name.split(".")) or not _HOST.fullmatch(name):
        raise InvalidUrl("its host is not well-formed")
    return name


def _idna(name: str) -> str:
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except UnicodeError:
        # Names that only the older rule allows, such as those with emoji, are registered all the same.
        try:
            return name.encode("idna").decode("ascii")
        except UnicodeError as problem:
            raise InvalidUrl("its host is no internationalised name") from problem


@lru_cache(maxsize=4096)
def _registrable(host: str) -> str | None:
    found = _suffixes().extract_str(host)
    if found.suffix:
        # A public suffix by itself, as `github.io`, serves pages too.
        return f"{found.domain}.{found.suffix}" if found.domain else found.suffix
    labels = host.split(".")
    if len(labels) == 1 or labels[-1].isdigit() or host.startswith("["):
        return None
    # A top-level domain that the list does not know is taken as one (publicsuffix.org, "the prevailing rule is *").
    return ".".join(labels[-2:])


@lru_cache(maxsize=4096)
def _without_www(netloc: str) -> str:
    bare = netloc.removeprefix("www.")
    host = bare.partition(":")[0]
    # In `www.com` and `www.co.uk` it is the name itself.
    return bare if "." in host and _suffixes().extract_str(host).suffix != host else netloc


def _normal_escapes(text: str) -> str:
    def normal(escape: re.Match[str]) -> str:
        character = chr(int(escape[1], 16))
        return character if character in _UNRESERVED else escape[0].upper()

    return _ESCAPE.sub(normal, _BARE_PERCENT.sub("%25", text))


def _without_dot_segments(path: str) -> str:
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _without_tracking(query: str) -> str:
    return "&".join(part for part in query.split("&") if part and not _tracks(part.partition("=")[0].lower()))


def _tracks(name: str) -> bool:
    return name in _TRACKING_NAMES or name.startswith(_TRACKING_PREFIXES)


def in_scope(url: str, *, include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Whether a page belongs to a source's choice: some pattern of `include` fits, if there are any, and no `exclude`.

    In a pattern `*` stands for any characters. One that begins with `/` is for the path and the parameters
    (`/sport/*`), any other for the whole URL (`https://blog.example.com/*`). Raises `InvalidUrl`.
    """
    clean = clean_url(url)
    parts = urlsplit(clean)
    below = parts.path + (f"?{parts.query}" if parts.query else "")

    def fits(pattern: str) -> bool:
        return _fits(pattern, below if pattern.startswith("/") else clean)

    return (not include or any(map(fits, include))) and not any(map(fits, exclude))


def _fits(pattern: str, text: str) -> bool:
    """Whether a pattern with `*` fits the whole text, in time that grows with their lengths: each piece is looked for
    once, from where the one before it ended."""
    first, *others = pattern.split("*")
    if not others:
        return pattern == text
    *middle, last = others
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
