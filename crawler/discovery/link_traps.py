"""Link spaces that never end: calendars, facets, sessions, paths that repeat themselves. Pure.

Each rule looks at one address; what it finds is left out with the rule's name as the reason.
"""

import re
from collections import Counter
from urllib.parse import parse_qsl, urlsplit

from crawler.discovery.paging import PAGE_WORDS
from crawler.discovery.url_segments import Step, read_address
from crawler.discovery.url_words import words_of

MAX_DEPTH = 10
"""Steps of a path; deeper ones are made by links that are resolved wrongly."""

_SESSIONS = words_of(
    "sid phpsessid jsessionid sessionid session_id session aspsessionid cfid cftoken zenid oscsid s_id sess"
)
_SESSION_IN_PATH = re.compile(r";(?:jsessionid|phpsessid|sid)=|/\(S\([a-z0-9]{20,}\)\)", re.IGNORECASE)
_FACETS = words_of(
    "sort sortby sort_by sortorder sort_order order orderby order_by orden tri dir direction filter filters facet "
    "facets fq f refine view layout display mode limit per_page perpage pagesize page_size size show q query search "
    "s suche recherche keyword keywords term lang_filter author section category tag type from_date to_date datefrom "
    "dateto date_from date_to"
)
_ALWAYS_FACETS = words_of("sort sortby sort_by sortorder sort_order orderby order_by filter filters facet facets fq")
_CALENDAR = words_of(
    "month year day date week cal calendar eventdate event_date tribe-bar-date monat jahr datum mes ano mois annee "
    "archivedate archive_date m yr mon ical outlook-ical"
)
_DATE_VALUE = re.compile(r"\d{1,4}([-/.]?\d{1,2}){0,2}$")
_ACTIONS = words_of(
    "replytocom share print add-to-cart add_to_cart login redirect redirect_to return returnurl return_url "
    "returnto next_url goto dest destination destination_url ref_url mode_print"
)


def trap_of(url: str) -> str | None:
    """Return why a clean URL is one of an endless space, or None if it seems to be none.

    `session_id`; `calendar` for days, months and years without a story behind them; `facets` for lists that are sorted
    and filtered in every way; `action` for what does something instead of showing it; `repeating_path` and `too_deep`.
    """
    parts = urlsplit(url)
    if _SESSION_IN_PATH.search(parts.path):
        return "session_id"
    if parts.query:
        reason = _trap_in_query(parts.query)
        if reason:
            return reason
    steps = [step for step in parts.path.split("/") if step]
    if len(steps) > MAX_DEPTH:
        return "too_deep"
    if _repeats(steps):
        return "repeating_path"
    return "calendar" if is_calendar(url) else None


def is_calendar(url: str) -> bool:
    """Whether a path ends in a year, a month or a day, and no step before it could be a headline."""
    address = read_address(url)
    steps = address.steps
    if address.extension or not steps or any(step.words > 3 for step in steps):
        return False
    return ends_in_date(steps)


def ends_in_date(steps: tuple[Step, ...]) -> bool:
    """Whether the last steps are a year, a year and a month, or a day."""
    forms = [step.form for step in steps[-3:]]
    if not forms:
        return False
    if forms[-1] in ("year", "date", "year_month"):
        return True
    if "year" in forms[:-1]:
        return all(form in ("month_or_day", "month_name") for form in forms[forms.index("year") + 1 :])
    return forms[-2:] == ["year_month", "month_or_day"]


def _trap_in_query(query: str) -> str | None:
    pairs = [(name.lower().removesuffix("[]"), value) for name, value in parse_qsl(query, keep_blank_values=True)]
    names = {name.partition("[")[0] for name, _ in pairs}
    if names & _SESSIONS:
        return "session_id"
    if any(name in _CALENDAR and _DATE_VALUE.match(value) for name, value in pairs):
        return "calendar"
    if names & _ACTIONS:
        return "action"
    if names & _ALWAYS_FACETS or len(names & _FACETS) >= 2 or len(names - PAGE_WORDS) > 4:
        return "facets"
    return None


def _repeats(steps: list[str]) -> bool:
    """Tell whether a run of steps stands there again and again: `/a/b/a/b`, or one step three times."""
    if len(steps) < 3:
        return False
    if max(Counter(step for step in steps if not step.isdigit()).values(), default=0) >= 3:
        return True
    return any(
        steps[start : start + length] == steps[start + length : start + 2 * length]
        for length in range(2, len(steps) // 2 + 1)
        for start in range(len(steps) - 2 * length + 1)
    )
