"""Times as JSON feeds and sitemaps write them. Pure.

Two rules, as two things are wanted of them. When an article was published is a fact about it: an instant only where
the zone is given. When an entry was changed is a hint that serves to look at the newest first: a day without a time
stands for its beginning in UTC there, and so does a time without a zone.
"""

import email.utils
import re
from datetime import UTC, datetime, timedelta, timezone

FIRST_YEAR = 1990
"""No web page is older; earlier dates are placeholders such as 0001-01-01 and 1970-01-01."""

LEEWAY = timedelta(days=1)
"""How far ahead of now an instant may be, as clocks are wrong and local times are labelled as UTC."""

MAX_RAW_LENGTH = 200

# W3C-DTF (a profile of ISO 8601), and what people write instead: a blank for the T, zones without a colon.
_W3C = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d?)(?:-(?P<day>\d\d?)"
    r"(?:(?:T|\s+)(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,12}))?)?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?)?",
    re.IGNORECASE | re.ASCII,
)
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff\u200b]")


def raw_date(text: str) -> str | None:
    """Return a date as it is written, without control characters and needless blanks, or None where there is none."""
    return " ".join(_NO_TEXT.sub(" ", text).split())[:MAX_RAW_LENGTH] or None


def plausible(instant: datetime | None, *, now: datetime | None) -> datetime | None:
    """Return the instant, or None where it is a placeholder or lies in the future of `now`, if that is given."""
    if instant is None or instant.year < FIRST_YEAR or (now is not None and instant > now + LEEWAY):
        return None
    return instant


def stated_instant(raw: str) -> datetime | None:
    """Return the instant that a date means beyond doubt, in UTC: it has a time and a zone. Else None."""
    found = _W3C.fullmatch(raw)
    if found is None:
        return _rfc_822(raw)
    return _instant(found) if found["hour"] and found["zone"] else None


def hinted_instant(raw: str) -> datetime | None:
    """Return about when something was changed, in UTC, from a date of any precision, or None where it is no date."""
    found = _W3C.fullmatch(raw)
    return _rfc_822(raw) if found is None else _instant(found)


def _instant(found: re.Match[str]) -> datetime | None:
    microsecond = int((found["fraction"] or "").ljust(6, "0")[:6])
    try:
        instant = datetime(
            int(found["year"]),
            int(found["month"] or 1),
            int(found["day"] or 1),
            int(found["hour"] or 0),
            int(found["minute"] or 0),
            # A leap second (RFC 3339) is the last one that Python knows.
            min(int(found["second"] or 0), 59) if found["second"] == "60" else int(found["second"] or 0),
            microsecond,
            tzinfo=_zone(found["zone"]) if found["hour"] else UTC,
        )
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone:
    """Raises `ValueError` for an offset of a day or more."""
    if text is None or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _rfc_822(raw: str) -> datetime | None:
    try:
        instant = email.utils.parsedate_to_datetime(raw)
        # Without a zone, or with `-0000`, which says that the zone is not known.
        return None if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
