"""For how long an answer holds, by its headers (RFC 9111, 4.2). Pure."""

import email.utils
import re
from datetime import UTC, datetime

from storage.model import Headers

ABSURD_SECONDS = 7 * 86_400
"""Whoever says that a list of news holds for longer says it of all files alike, and does not mean the list."""

_DIRECTIVE = re.compile(r"([a-z][a-z-]*)\s*(?:=\s*(?:\"([^\"]*)\"|([^\s,;\"]*)))?", re.IGNORECASE)
_NOT_KEPT = frozenset({"no-cache", "no-store"})


def fresh_seconds(headers: Headers, *, received_at: datetime) -> int | None:
    """Return for how many seconds an answer says that it holds, None where it says nothing of that.

    0 where it says that it does not hold, or nothing that can be believed. `max-age` goes before `Expires`; the time
    that a cache on the way had it (`Age`) is taken off. What is said for shared caches is not meant for us.
    """
    control = _all_of(headers, "cache-control")
    expires = _all_of(headers, "expires")
    directives = _directives(control)
    if _NOT_KEPT & directives.keys():
        return 0
    if "max-age" in directives:
        seconds = _number(directives["max-age"])
    elif expires is not None:
        seconds = _until(expires, _all_of(headers, "date"), received_at)
    else:
        return None if control is None else 0
    age = _number((_all_of(headers, "age") or "").strip()) or 0
    held = (seconds or 0) - age
    return held if held > 0 and (seconds or 0) <= ABSURD_SECONDS else 0


def _all_of(headers: Headers, wanted: str) -> str | None:
    values = [value for name, value in headers if name.lower() == wanted]
    return ", ".join(values) if values else None


def _directives(control: str | None) -> dict[str, str]:
    """Return the directives by name, of a repeated one the first, as RFC 9111 advises."""
    found: dict[str, str] = {}
    for name, quoted, plain in _DIRECTIVE.findall(control or ""):
        found.setdefault(name.lower(), quoted or plain)
    return found


def _number(text: str) -> int | None:
    return int(text[:12]) if text.isascii() and text.isdigit() else None


def _until(expires: str, date: str | None, received_at: datetime) -> int | None:
    """Return the seconds from an answer's own date to when it expires."""
    end = _instant(expires)
    if end is None:
        # Mostly `0` or `-1`, which mean that it is stale already.
        return None
    begin = _instant(date) if date else None
    return int((end - (begin or received_at)).total_seconds())


def _instant(text: str) -> datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(text)
        # HTTP's dates are those of Greenwich, whether they say so or not.
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
