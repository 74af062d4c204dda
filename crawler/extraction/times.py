"""When a page says that it was published and modified, and how sure that is. Pure.

Markup written for machines goes before text written for people, and that before a date in the address. A time without
a zone becomes an instant only by the zone of its source. Times later than a day after the capture are refused: they
are typing errors, or dates of an event that the story tells of.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from crawler.extraction.text import one_line
from storage.model import StatedTime

_ISO = re.compile(
    r"^\W*(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:(?:\s*T\s*|\s+|,\s*)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d{1,2}:?\d{2}|[+-]\d{2})?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?(Z|[+-]\d{2}:?\d{2})?)?$")
_EPOCH = re.compile(r"^(\d{10})(?:\.\d+)?$|^(\d{13})$")
_OFFSET = re.compile(r"^([+-])(\d{1,2}):?(\d{2})?$")
_EARLIEST_YEAR = 1800
_LATEST_AFTER_CAPTURE = timedelta(days=1)

ZONE_NAMES: dict[str, timezone | str] = {
    **dict.fromkeys(("Z", "UTC", "GMT"), UTC),
    **dict.fromkeys(("CEST", "MESZ", "EET", "SAST"), timezone(timedelta(hours=2))),
    **dict.fromkeys(("CET", "MEZ", "WEST"), timezone(timedelta(hours=1))),
    **dict.fromkeys(("EEST", "MSK"), timezone(timedelta(hours=3))),
    **dict.fromkeys(("JST", "KST"), timezone(timedelta(hours=9))),
    **dict.fromkeys(("HKT", "SGT", "AWST"), timezone(timedelta(hours=8))),
    "AEST": timezone(timedelta(hours=10)),
    "AEDT": timezone(timedelta(hours=11)),
    "NZST": timezone(timedelta(hours=12)),
    "NZDT": timezone(timedelta(hours=13)),
    "EDT": timezone(timedelta(hours=-4)),
    "EST": timezone(timedelta(hours=-5)),
    "PDT": timezone(timedelta(hours=-7)),
    "PST": timezone(timedelta(hours=-8)),
    "ET": "America/New_York",
    "PT": "America/Los_Angeles",
}
"""Names of zones that mean one thing. IST, BST, CST and their like mean several, and give no zone."""


@dataclass(frozen=True, kw_only=True)
class Reckoning:
    """What makes a stated time an instant: the source's zone (an IANA name or None) and when the page was captured."""

    timezone: str | None
    captured_at: datetime


@dataclass(frozen=True, kw_only=True)
class WallTime:
    """A time as it is written: a day, perhaps a time of day, perhaps a zone (an offset, or an IANA name)."""

    day: date
    seconds: int | None = None
    zone: timezone | str | None = None


def stated_time(raw: str, *, found_in: str, reckoning: Reckoning) -> StatedTime | None:
    """Return the time that a machine-readable string states, or None if it states none that can be true."""
    raw = one_line(raw)
    written = written_time(raw)
    return None if written is None else resolve(written, raw=raw, found_in=found_in, reckoning=reckoning)


def written_time(raw: str) -> WallTime | None:
    """Return the time of an ISO 8601, RFC 5322 or epoch string, or None."""
    if match := _ISO.match(raw) or _COMPACT.match(raw):
        return _from_groups(match.groups())
    if match := _EPOCH.match(raw):
        seconds = int(match[1] or match[2][:10])
        moment = datetime.fromtimestamp(seconds, UTC)
        return WallTime(day=moment.date(), seconds=_seconds(moment), zone=UTC) if seconds > 86_400 else None
    try:
        moment = parsedate_to_datetime(raw)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    offset = moment.utcoffset()
    return WallTime(day=moment.date(), seconds=_seconds(moment), zone=None if offset is None else timezone(offset))


def _seconds(moment: datetime) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _from_groups(groups: Sequence[str | None]) -> WallTime | None:
    """Return the time of year, month, day, hour, minute, second and zone as they were matched."""
    year, month, day, hour, minute, second, zone = groups
    try:
        the_day = date(int(year or 0), int(month or 0), int(day or 0))
    except ValueError:
        return None
    if hour is None or minute is None or int(hour) > 23 or int(minute) > 59:
        return WallTime(day=the_day)
    seconds = int(hour) * 3600 + int(minute) * 60 + min(int(second or 0), 59)
    return WallTime(day=the_day, seconds=seconds, zone=zone_of(zone))


def zone_of(name: str | None) -> timezone | str | None:
    """Return the zone that a suffix names: an offset such as `+05:30`, or a name that means one zone; else None."""
    if not name:
        return None
    if match := _OFFSET.match(name):
        span = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        return timezone(-span if match[1] == "-" else span) if span < timedelta(hours=15) else None
    return ZONE_NAMES.get(name.upper())


def resolve(written: WallTime, *, raw: str, found_in: str, reckoning: Reckoning) -> StatedTime | None:
    """Return a written time as a stated one; None if it is later than its capture, or before any newspaper."""
    if written.day.year < _EARLIEST_YEAR:
        return None
    latest = reckoning.captured_at + _LATEST_AFTER_CAPTURE
    if written.seconds is None:
        if written.day > latest.date():
            return None
        return StatedTime(local=written.day.isoformat(), raw=raw[:200], found_in=found_in)
    naive = datetime(written.day.year, written.day.month, written.day.day) + timedelta(seconds=written.seconds)  # noqa: DTZ001 - a wall clock
    zone = ZoneInfo(written.zone) if isinstance(written.zone, str) else written.zone
    home = zone or (ZoneInfo(reckoning.timezone) if reckoning.timezone else None)
    if (naive.replace(tzinfo=home) if home else naive.replace(tzinfo=UTC)) > latest:
        return None
    local = naive.replace(tzinfo=zone).isoformat(timespec="seconds")
    return StatedTime(
        instant=naive.replace(tzinfo=home).astimezone(UTC) if home else None,
        local=re.sub(r"\+00:00$", "Z", local) if re.search(r"Z|GMT|UTC", raw) else local,
        zone_known=zone is not None,
        raw=raw[:200],
        found_in=found_in,
    )


Candidates = Iterator[tuple[str, str]]
"""Raw strings with where they were found, best first."""


def first_stated(candidates: Candidates, reckoning: Reckoning) -> StatedTime | None:
    """Return the first candidate that states a time; one with a time of day goes before a bare day of the same date."""
    chosen: StatedTime | None = None
    for raw, found_in in candidates:
        stated = stated_time(raw, found_in=found_in, reckoning=reckoning)
        if stated is None:
            continue
        if len(stated.local) > 10 and (chosen is None or stated.local[:10] == chosen.local):
            return stated
        chosen = chosen or stated
    return chosen


_URL_DAY: tuple[re.Pattern[str], ...] = (
    re.compile(r"[/_.-](?P<y>(?:19|20)\d\d)[/_-](?P<m>\d{1,2})[/_-](?P<d>\d{1,2})(?=[/_.-]|$)"),
    re.compile(r"/(?P<y>(?:19|20)\d\d)/(?P<m>[a-z]{3})[a-z]*/(?P<d>\d{1,2})(?=/|$)", re.IGNORECASE),
    re.compile(r"/(?P<y>20\d\d)(?P<m>\d\d)(?P<d>\d\d)(?=[/_.-]|$)"),
)
_ENGLISH_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def day_of_url(url: str, reckoning: Reckoning) -> StatedTime | None:
    """Return the day that an address names, such as `/2022/nov/18/` or `/2022/11/18/`, as a day only."""
    path = url.partition("://")[2].partition("/")[2]
    for pattern in _URL_DAY:
        for match in pattern.finditer("/" + path):
            month = match["m"].lower()
            number = (
                _ENGLISH_MONTHS.index(month) + 1 if month in _ENGLISH_MONTHS else int(month) if month.isdigit() else 0
            )
            written = _from_groups((match["y"], str(number), match["d"], None, None, None, None))
            if written and (stated := resolve(written, raw=match[0], found_in="url", reckoning=reckoning)):
                return stated
    return None
