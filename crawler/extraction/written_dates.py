"""Dates that a page shows to its readers: `Published: 18th November 2022 03:26 PM | Last Updated: …`. Pure.

Names of months come from the CLDR for the page's language, and English; labels are those that newspapers use.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from babel import Locale, UnknownLocaleError

from crawler.extraction.times import WallTime, zone_of

_UPDATED = (
    "updated|modified|last update|revised|edited|actualis|mis à jour|modifié|aktualisier|zuletzt|geändert|stand"
    "|actualizad|modificad|atualizad|aggiornat|modificat|uppdatera|ändrad|opdateret|ajourført|oppdatert"
    "|bijgewerkt|gewijzigd|aktualiz|zaktualiz|обновлен|изменен|оновлен|frissít|módosít|päivitetty|güncel"
    "|diperbarui|更新|수정|업데이트|अपडेट|تحديث"
)
_PUBLISHED = (
    "published|posted|created|issued|first publish|publi|veröffentlich|erstellt|erschien|pubblicat|opublik"
    "|gepubliceerd|geplaatst|lagt ut|udgivet|julkaistu|megjelen|опубликован|опубліковано|yayın|tayang|発表|公開"
    "|配信|入力|입력|등록|发布|發布|प्रकाशित|نشر"
)
_LABEL = re.compile(f"(?P<updated>{_UPDATED})|(?P<published>{_PUBLISHED})", re.IGNORECASE)
_CLOCK = re.compile(
    r"(?<![\d:.])(?P<hour>[012]?\d)\s*(?:[:h]|(?<=\d)\.(?=\d\d(?!\.?\d)))\s?(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?!\d)"
    r"\s*(?P<half>[ap]\.?\s?m\b\.?)?(?:\s*Uhr|\s*hrs)?\s*[([]?(?P<zone>UTC|GMT|[A-Z]{2,4}\b|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_NEAR = 30
"""A time of day belongs to a date when it stands at most so many characters away from it."""


@dataclass(frozen=True, kw_only=True)
class ShownDate:
    """A date in a line, with the label before it: `published`, `updated`, or None where it has none."""

    written: WallTime
    label: str | None
    raw: str


def shown_dates(line: str, language: str | None) -> list[ShownDate]:
    """Return the dates of a line in its order. Months are looked up in `language`, an ISO 639-1 code, and English."""
    found: list[ShownDate] = []
    matches = list(_dates(line, language))
    left = 0
    for index, (start, end, day) in enumerate(matches):
        right = matches[index + 1][0] if index + 1 < len(matches) else len(line)
        clock = _clock_near(line, start, end, left, right)
        label, label_start = None, start
        for label_match in _LABEL.finditer(line, left, end):
            label = "updated" if label_match["updated"] else "published"
            label_start = min(label_start, label_match.start())
        span_end = max(end, clock.end()) if clock else end
        found.append(
            ShownDate(
                written=_with_clock(day, clock),
                label=label,
                raw=line[min(label_start, start, clock.start() if clock else start) : span_end].strip(" |·•,-–—/"),
            )
        )
        left = span_end
    return found


def _clock_near(line: str, start: int, end: int, left: int, right: int) -> re.Match[str] | None:
    """Return the time of day that belongs to a date: the next one behind it, else the last one before it."""
    after = _CLOCK.search(line, end, min(right, end + _NEAR))
    if after and int(after["hour"]) < 24:
        return after
    before = [match for match in _CLOCK.finditer(line, max(left, start - _NEAR), start) if int(match["hour"]) < 24]
    return before[-1] if before else None


def _with_clock(day: date, clock: re.Match[str] | None) -> WallTime:
    if clock is None:
        return WallTime(day=day)
    hour = int(clock["hour"])
    half = (clock["half"] or "").lower()
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    seconds = hour * 3600 + int(clock["minute"]) * 60 + int(clock["second"] or 0)
    return WallTime(day=day, seconds=seconds, zone=zone_of(clock["zone"]))


def _dates(line: str, language: str | None) -> Iterator[tuple[int, int, date]]:
    """Yield start, end and day of the dates in a line, in its order and without overlaps."""
    found = []
    for code in dict.fromkeys(("en", language or "en")):
        pattern, months = _named_months(code)
        for match in pattern.finditer(line):
            groups = match.groupdict()
            name = groups["m1"] or groups["m2"]
            day = _day(groups["y1"] or groups["y2"], months[name.casefold().rstrip(".")], groups["d1"] or groups["d2"])
            found.append((match.start(), match.end(), day))
    for pattern in _NUMERIC:
        for match in pattern.finditer(line):
            found.append((match.start(), match.end(), _numeric_day(match, language)))
    last = -1
    for start, end, day in sorted((item for item in found if item[2]), key=lambda item: (item[0], -item[1])):
        if start > last and day is not None:
            yield start, end, day
            last = end


def _day(year: str, month: str | int, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


_NUMERIC = (
    re.compile(
        r"(?<!\d)(?P<y>(?:19|20)\d\d)\s?[-./年년]\s?(?P<m>\d{1,2})\s?[-./月월]\s?(?P<d>\d{1,2})(?:日|일)?(?!\d)"
    ),
    re.compile(r"(?<![\d.])(?P<a>\d{1,2})(?P<sep>[./-])\s?(?P<b>\d{1,2})(?P=sep)\s?(?P<y>(?:19|20)\d\d)(?!\d)"),
)


def _numeric_day(match: re.Match[str], language: str | None) -> date | None:
    groups = match.groupdict()
    if "m" in groups:
        return _day(match["y"], match["m"], match["d"])
    first, second = int(match["a"]), int(match["b"])
    if first > 12 or match["sep"] == "." or (second <= 12 and language not in (None, "en")):
        return _day(match["y"], match["b"], match["a"])
    # 03/04/2022 in English is read in two ways, and so in none.
    return _day(match["y"], match["a"], match["b"]) if second > 12 or first == second else None


@lru_cache(maxsize=64)
def _named_months(language: str) -> tuple[re.Pattern[str], dict[str, int]]:
    """Return the pattern of dates with a named month in a language, and the numbers of its names, casefolded."""
    names: dict[str, int] = {}
    try:
        months = Locale.parse(language).months
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in months[context][width].items():
                    if not name.isdigit():
                        names[name.casefold().rstrip(".")] = number
    except (UnknownLocaleError, ValueError, KeyError):
        names = {}
    if language == "en":
        names["sept"] = 9
    names = {name: number for name, number in names.items() if not name[0].isdigit()} or {"\0": 1}
    month = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    day = r"(?P<{}>[0-3]?\d)(?!\d)(?:st|nd|rd|th|er|\.|º|°)?"
    year = r"(?P<{}>(?:19|20)\d\d)(?!\d)"
    return (
        re.compile(
            rf"(?<![\d:]){day.format('d1')}\s?(?:de |of )?[-/ ]?(?P<m1>{month})"
            rf"\.?,?(?: de| del)?[-/ ]\s?{year.format('y1')}"
            rf"|(?<!\w)(?P<m2>{month})\.?\s{day.format('d2')},?\s{year.format('y2')}",
            re.IGNORECASE,
        ),
        names,
    )
