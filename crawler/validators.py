"""Which validators of an answer are worth sending back. Pure."""

import email.utils
from datetime import UTC, datetime, timedelta

from storage.model import HttpExchange

LONGEST = 1_000
"""Characters of a validator that is kept."""
_CLOCKS_DIFFER = timedelta(minutes=10)


def usable_validators(exchange: HttpExchange, *, received_at: datetime) -> tuple[str | None, str | None]:
    """Return the ETag and the Last-Modified of an answer, each None where it is absent or cannot be right.

    What was changed in the future, by the server's own clock too, was not: such a time stays the same whatever changes
    (RFC 9110, 8.8.2.1). Nor is an ETag believed that only repeats it. One that is longer than any server makes it is
    none either: nobody would want to send it back.
    """
    etag, modified = (_of_a_length(exchange.header(name)) for name in ("etag", "last-modified"))
    changed_at = _instant(modified)
    if changed_at is None or changed_at <= received_at + _CLOCKS_DIFFER:
        return etag, modified
    answered_at = _instant(exchange.header("date"))
    if answered_at is not None and changed_at <= answered_at:
        return etag, modified
    repeats = etag is not None and _instant(etag.removeprefix("W/").strip('"')) == changed_at
    return None if repeats else etag, None


def _of_a_length(value: str | None) -> str | None:
    return value if value is not None and len(value) <= LONGEST else None


def _instant(text: str | None) -> datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(text) if text else None
        if found is None:
            return None
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
