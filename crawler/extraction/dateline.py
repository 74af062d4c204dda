"""The dateline: the place that a story is filed from, at the head of its first paragraph. Pure."""

import re

_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĹĻĽŁŃŅŇŌŐŒŔŘŚŞŠŢŤŪŮŰŹŻŽА-ЯЁІЇЄҐΑ-Ω]"
_PLACE = rf"{_CAPITAL}[{_CAPITAL[1:-1]}.'’\- /]{{1,40}}"
_AGENCY = r"\s*\((?:[A-Z][\w .&/\-]{1,30})\)"
_MONTH_DAY = r",?\s*\d{0,2}\.?\s*[A-Z][a-z]{2,8}\.?\s*\d{0,2}(?:,?\s*\d{4})?"
_REGION = r",\s*[A-Z][\w. ]{1,25}"
_BEGINNING = re.compile(
    rf"^(?P<place>{_PLACE}(?:{_REGION})?)(?:(?:{_MONTH_DAY})?(?:{_AGENCY})?\s*(?:[—–]|--|\s-)\s*|(?:{_MONTH_DAY})?(?:{_AGENCY})?\s*:\s+|{_AGENCY}\s*-\s*)(?=[\"'“‘«]?\w)"
)
_LONGEST = 400
"""Characters at the head of a paragraph within which a dateline ends; with every part of it, it has some 200."""
_NO_PLACE = frozenset(
    {
        "UPDATE",
        "UPDATED",
        "BREAKING",
        "WATCH",
        "EXCLUSIVE",
        "LIVE",
        "READ",
        "NOTE",
        "CORRECTION",
        "EDITOR'S NOTE",
        "VIDEO",
        "PHOTOS",
        "OPINION",
    }
    | {
        "ANALYSIS",
        "COMMENT",
        "Q",
        "A",
        "ALSO READ",
        "READ MORE",
        "READ ALSO",
        "SPOILER ALERT",
        "WARNING",
        "FACT CHECK",
        "UPDATE 1",
        "PS",
        "P.S.",
    }
)


def dateline_of(body: str) -> str | None:
    """Return the place at the start of the first paragraph: `LISBON`, `LONDON`, `ST. PAUL, Minn.`, or None.

    It is read from forms such as `LISBON: …`, `LONDON (AP) — …` and `PARIS, Nov. 3 - …`, the place in capitals. The
    paragraph itself keeps it.
    """
    first = body.partition("\n\n")[0]
    match = _BEGINNING.match(first[:_LONGEST])
    if match is None or len(first) < 40:
        return None
    place = match["place"].strip(" ,-")
    place = re.sub(r",\s*(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?(?:\s*\d+)?$", "", place)
    return None if place.upper() in _NO_PLACE or len(place) < 3 else place
