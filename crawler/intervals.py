"""How a configuration writes "how often": durations as `90s`, `15m`, `6h`, `30d`, and cron expressions. Pure."""

import re
from collections.abc import Collection, Iterator
from datetime import timedelta

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,6})?[smhd])+")
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)([smhd])")
LONGEST_DURATION = timedelta(days=3650)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _WEEKDAYS),
)
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_CRON_PART = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d{1,4}))?")


def parse_duration(text: str) -> timedelta:
    """Return the duration that a text as `5s`, `10m`, `1h30m` or `30d` writes.

    Raises `ValueError` where it writes none, or one over ten years.
    """
    compact = text.strip().lower()
    if not _DURATION.fullmatch(compact):
        raise ValueError("is no duration; write 30s, 10m, 6h or 30d")
    seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _PART.findall(compact))
    if seconds > LONGEST_DURATION.total_seconds():
        raise ValueError("is a duration of more than ten years")
    return timedelta(seconds=seconds)


def is_cron(text: str) -> bool:
    """Whether a text is meant as a cron expression: five words."""
    return len(text.split()) == 5


def cron_expression(text: str) -> str:
    """Return a cron expression of five fields, checked, with its weekdays as a list of names.

    Numbers of weekdays are crontab's (0 and 7 are Sunday), which not every scheduler shares; names are the same
    everywhere. Raises `ValueError` for a field that is no cron field, for a day that none of the months has, and where
    both a day of the month and a day of the week are named, because schedulers differ in whether one of them or both
    must hold.
    """
    words = text.lower().split()
    if len(words) != 5:
        raise ValueError("is no cron expression; it has five fields: minute, hour, day, month, day of the week")
    values = [
        _field_values(word, name=name, low=low, high=high, names=names)
        for word, (name, low, high, names) in zip(words, _FIELDS, strict=True)
    ]
    if not _is_some_day(days=values[2], months=values[3]):
        raise ValueError("names a day that never comes in the months that it names")
    if words[2] != "*" and words[4] != "*":
        raise ValueError("names a day of the month and a day of the week; name only one of them")
    if words[4] != "*":
        days = sorted({day % 7 for day in values[4]})
        words[4] = ",".join(_WEEKDAYS[day] for day in days)
    return " ".join(words)


def _is_some_day(*, days: Collection[int], months: Collection[int]) -> bool:
    """Whether one of the months has one of the days, if only in a leap year."""
    return any(min(days) <= _LONGEST_MONTHS[month - 1] for month in months)


def _field_values(word: str, *, name: str, low: int, high: int, names: tuple[str, ...]) -> list[int]:
    values: list[int] = []
    for part in word.split(","):
        values.extend(_part_values(part, name=name, low=low, high=high, names=names))
    return values


def _part_values(part: str, *, name: str, low: int, high: int, names: tuple[str, ...]) -> Iterator[int]:
    shape = _CRON_PART.fullmatch(part)
    if shape is None or (shape["first"] == "*" and shape["last"] is not None):
        raise ValueError(f"has a {name} that is no cron field: {part[:40]!r}")
    step = int(shape["step"] or 1)
    if shape["first"] == "*":
        # Seven is a second name of Sunday, not an eighth day.
        first, last = low, min(high, 6) if names == _WEEKDAYS else high
    else:
        first = _number(shape["first"], name=name, low=low, high=high, names=names)
        # `5/15` means from 5 to the end; `5` alone is 5.
        alone = high if shape["step"] else first
        last = _number(shape["last"], name=name, low=low, high=high, names=names) if shape["last"] else alone
    if step < 1 or last < first:
        raise ValueError(f"has a {name} that names no time: {part[:40]!r}")
    return iter(range(first, last + 1, step))


def _number(word: str, *, name: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if word in names:
        return names.index(word) + (1 if names is _MONTHS else 0)
    if not (word.isascii() and word.isdigit()) or not low <= int(word[:9]) <= high:
        raise ValueError(f"has a {name} outside {low}-{high}: {word[:40]!r}")
    return int(word)
