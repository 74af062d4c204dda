"""What a response's body is: decoded and digested if it may be a page, named if it is something else. Pure."""

import hashlib
import re
from dataclasses import dataclass

from storage.content_coding import BadContentCoding, decode_body
from storage.outcomes import Outcome

_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain", "application/xml", "text/xml"})
_UNTELLING_TYPES = frozenset({"", "application/octet-stream", "binary/octet-stream", "unknown/unknown", "text"})
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+|text")
_SNIFFED_BYTES = 1445
"""What the MIME Sniffing standard looks at."""
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
"""The binary data bytes of that standard."""
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MAGIC = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"RIFF", "media"),
    (b"PK\x03\x04", "archive"),
    (b"\x00\x00\x00\x18ftyp", "media"),
    (b"ID3", "media"),
)


def wrong_type(content_type: str | None, body: bytes) -> str | None:
    """Return what kind of thing a body is, when it is no page: `pdf`, `image`, `json` …; None for a page."""
    start = body[:32].lstrip()
    for magic, name in _MAGIC:
        if start.startswith(magic):
            return name
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if not _MEDIA_TYPE.fullmatch(media_type):
        media_type = ""
    if media_type in _PAGE_TYPES or media_type.endswith("+xml"):
        return "binary" if _is_binary(body) else None
    looks_like_markup = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if media_type in _UNTELLING_TYPES:
        return None if looks_like_markup or not body else "unknown"
    if "html" in media_type and looks_like_markup:
        return None
    family, _, subtype = media_type.partition("/")
    return subtype[:40] if family == "application" and subtype else family[:40]


def _is_binary(body: bytes) -> bool:
    """Whether more than one byte in fifty of a body's beginning is a control character that no text holds."""
    start = body[:_SNIFFED_BYTES]
    if start.startswith(_UTF16_MARKS) or b"<\0" in start or b"\0<" in start:
        return False
    return 50 * len(_CONTROLS.findall(start)) > len(start)


def digest_of(body: bytes) -> str:
    """Return the body digest under which captures are compared: `sha256:` and hex."""
    return "sha256:" + hashlib.sha256(body).hexdigest()


@dataclass(frozen=True, kw_only=True)
class PageBody:
    """A decoded body with its digest, or the outcome that its bytes alone decide."""

    content: bytes = b""
    digest: str | None = None
    outcome: Outcome | None = None
    reason: str | None = None


def read_body(body: bytes, content_encoding: str | None, *, content_type: str | None, max_bytes: int) -> PageBody:
    """Return the body of a response with its content codings undone, at most `max_bytes` of it."""
    try:
        content = decode_body(body, content_encoding, max_bytes=max_bytes)
    except BadContentCoding as problem:
        if problem.reason == "too_large":
            return PageBody(outcome=Outcome.TOO_LARGE, reason="decoded_body")
        return PageBody(outcome=Outcome.NETWORK_ERROR, reason=problem.reason)
    kind = wrong_type(content_type, content)
    if kind is not None:
        return PageBody(outcome=Outcome.WRONG_TYPE, reason=kind)
    return PageBody(content=content, digest=digest_of(content))
