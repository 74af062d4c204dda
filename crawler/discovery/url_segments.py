"""Takes an address apart into steps and says what each is made of: a year, a number, words of a headline. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from crawler.discovery.url_words import MARKERS, LinkKind, plain, without_extension, words_of

MAX_STEPS = 12
"""Steps of a path that are looked at; no publisher needs more to tell an article."""

_YEAR = re.compile(r"(?:19[5-9]|20[0-4])\d$")
_DATE = re.compile(r"(?:19[5-9]|20[0-4])\d([-_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])$")
_YEAR_MONTH = re.compile(r"(?:19[5-9]|20[0-4])\d[-_]?(?:0?[1-9]|1[0-2])$")
_MONTHS = words_of(
    "jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july august september "
    "october november december januar februar märz maerz mai juni juli oktober dezember janvier fevrier février mars "
    "avril juin juillet aout août septembre octobre novembre decembre décembre enero febrero marzo abril mayo junio "
    "julio agosto septiembre octubre noviembre diciembre"
)
_SEPARATORS = re.compile(r"[-_+,.~ :;!'’\u200c–—]+")
_ID = re.compile(r"(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{6,40}$")
_OPAQUE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
_MIXED_CASE_ID = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[A-Z0-9].*[A-Z0-9])[A-Za-z0-9]{10,40}$")
_LETTERED_NUMBER = re.compile(r"[a-z]{1,10}(\d{4,})$")
_WITHOUT_SPACES = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LONGEST_KNOWN = 200
"""Characters of a step that is remembered: nearly all have fewer, and others would fill the memory."""
_LETTERS_A_WORD = 2.5
"""In Chinese, Japanese and Thai, which are written without spaces between words."""
_SESSION = words_of("sid phpsessid jsessionid sessionid session_id")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path. `text` is in lower case, unescaped and without extension.

    `form` is what it is made of: `year`, `month_or_day`, `month_name`, `date`, `year_month`, `number` (of `digits`
    figures), `id` (letters and figures that are no words) or `words`. `words` counts those of a headline or a name;
    `digits` is how many figures the longest number in it has that stands as an id, before or behind the words.
    """

    text: str
    form: str
    words: int = 0
    digits: int = 0
    has_id: bool = False
    marker: LinkKind | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart. `labels` are the host's, `query` its parameters in order of their names, sessions left
    out. `is_folder` says that the path ends in a slash.
    """

    host: str
    steps: tuple[Step, ...]
    extension: str
    is_folder: bool
    query: tuple[tuple[str, str], ...]


def read_step(raw: str) -> Step:
    """Say what one step of a path is made of."""
    return _known_step(raw) if len(raw) <= _LONGEST_KNOWN else _step(raw)


@lru_cache(maxsize=8_192)
def _known_step(raw: str) -> Step:
    return _step(raw)


def _step(raw: str) -> Step:
    text = plain(raw)
    marker = MARKERS.get(text)
    if text.isascii() and text.isdigit():
        return _number(text)
    if _DATE.match(text):
        return Step(text=text, form="date")
    if text in _MONTHS:
        return Step(text=text, form="month_name", words=1)
    if _YEAR_MONTH.match(text):
        return Step(text=text, form="year_month")
    if _OPAQUE.match(text) or (text.isascii() and _ID.match(text)) or _MIXED_CASE_ID.match(raw):
        digits = len(found[1]) if (found := _LETTERED_NUMBER.match(text)) else 0
        return Step(text=text, form="id", digits=digits, has_id=True, marker=marker)
    return _words(text, raw, marker)


def _number(text: str) -> Step:
    if _YEAR.match(text):
        return Step(text=text, form="year")
    if _DATE.match(text):
        return Step(text=text, form="date")
    if len(text) <= 2 and 1 <= int(text) <= 31:
        return Step(text=text, form="month_or_day", digits=len(text))
    return Step(text=text, form="number", digits=len(text), has_id=len(text) >= 3)


def _words(text: str, raw: str, marker: LinkKind | None) -> Step:
    parts = [part for part in _SEPARATORS.split(text) if part]
    digits, words, has_id = 0, 0.0, False
    for place, part in enumerate(parts):
        edge = place in (0, len(parts) - 1)
        if part.isdigit():
            if edge and len(parts) > 1 and len(part) >= 4 and not _YEAR.match(part):
                digits = max(digits, len(part))
            words += 0 if edge else 0.5
        elif part.isascii() and edge and len(parts) > 1 and (_ID.match(part) or _LETTERED_NUMBER.match(part)):
            has_id = True
            lettered = _LETTERED_NUMBER.search(part)
            digits = max(digits, len(lettered[1])) if lettered else digits
        else:
            unspaced = 0 if part.isascii() else len(_WITHOUT_SPACES.findall(part))
            words += unspaced / _LETTERS_A_WORD if unspaced > 2 else 1
    last = _SEPARATORS.split(raw)[-1] if raw else ""
    if len(parts) > 1 and _MIXED_CASE_ID.match(last):
        words, has_id = words - (0 if has_id else 1), True
    return Step(text=text, form="words", words=round(words), digits=digits, has_id=has_id or digits > 0, marker=marker)


def read_address(url: str) -> Address:
    """Take a clean URL apart (`crawler.urls.clean_url`): what is none is read as well as it goes.

    Raises `ValueError` for what is no URL at all.
    """
    parts = urlsplit(url)
    raw = [step for step in parts.path.split(";")[0].split("/") if step]
    extension = ""
    if raw:
        raw[-1], extension = without_extension(raw[-1])
    if raw and raw[-1].lower() in ("index", "default", "home", "") and extension:
        raw, extension = raw[:-1], ""
    query = () if not parts.query else tuple(sorted(_parameters(parts.query)))
    return Address(
        host=parts.netloc.removeprefix("www."),
        steps=tuple(map(read_step, raw[:MAX_STEPS])),
        extension=extension,
        is_folder=parts.path.endswith("/"),
        query=query,
    )


def _parameters(query: str) -> Sequence[tuple[str, str]]:
    pairs = (pair.partition("=") for pair in query.split("&")[:MAX_STEPS] if pair)
    return [(name.lower(), value) for name, _, value in pairs if name.lower() not in _SESSION]
