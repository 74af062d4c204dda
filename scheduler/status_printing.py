"""How `morgue status` shows a state to people: on 80 columns what matters, on more of them more."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler.report import WAYS_OUT
from storage.clock import utc_now
from storage.escaping import printable
from storage.outcomes import ARTICLE_SEEN
from storage.wording import counted

WIDE = 120
"""So many columns hold everything."""
_WELL = frozenset(outcome.value for outcome in ARTICLE_SEEN) | {"listed", "redirected", "not_article"}
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_HIDDEN = frozenset({"fetches", "why"})


def print_status(console: Console, row: dict[str, Any]) -> None:
    """Print a state for people."""
    now = utc_now()
    if "page" in row:
        _print_page(console, row["page"])
        return
    _print_service(console, row["service"], now)
    if "source" in row:
        _print_source(console, row["source"], now)
        return
    for warning in row["warnings"]:
        _print_warning(console, "morgue", warning)
    for source in row["sources"]:
        for warning in source["warnings"]:
            _print_warning(console, source["slug"], warning)
    _print_sources(console, row["sources"], now)
    _print_outcomes(console, row["outcomes_24h"])
    for held in row["held_hosts"]:
        wait = _span(held["seconds"])
        console.print(printable(f"{held['host']} is left alone for {wait} more ({held['reason']})"))


def _print_service(console: Console, service: Mapping[str, Any], now: datetime) -> None:
    if service["running"]:
        since = _ago(service["started_at"], now)
        who = f"pid {service['pid']} on {service['host']}"
        console.print(printable(f"service: {service.get('state', 'running')} for {since}, {who}, {service['version']}"))
    elif "heartbeat_at" in service:
        how = "it was killed or is stuck" if service["killed"] else f"it stopped ({service.get('reason', '?')})"
        console.print(printable(f"service: not running; last heard of {_ago(service['heartbeat_at'], now)} ago, {how}"))
    else:
        console.print("service: not running")


def _print_warning(console: Console, subject: str, warning: Mapping[str, Any]) -> None:
    since = _short(warning["since"])[:16]
    what = Text.assemble(("! ", "bold red"), (printable(subject), "bold"), f": {warning['kind']} since {since}. ")
    console.print(what + Text(printable(warning["sentence"])))


def _print_sources(console: Console, sources: Sequence[Mapping[str, Any]], now: datetime) -> None:
    if not sources:
        console.print(
            "No sources yet. `morgue crawl URL` archives a page; `morgue sources add URL` has a publisher watched."
        )
        return
    wide = console.width >= WIDE
    columns = _COLUMNS if wide else [column for column in _COLUMNS if column[0] in _NARROW]
    slugs = [_at_most(printable(source["slug"]) + _note(source), 44 if wide else 22) for source in sources]
    values = [[value(source, now) for _, value in columns] for source in sources]
    names = [name for name, _ in columns]
    first = max(cell_len(slug) for slug in ("source", *slugs))
    widths = [max(map(cell_len, column)) for column in zip(names, *values, strict=True)]
    gap = "  " if wide else " "
    # A table of the library's takes twenty seconds for five thousand sources.
    lines = [_aligned(Text("source"), names, first, widths, gap)]
    lines[0].stylize("bold")
    for source, slug, cells in zip(sources, slugs, values, strict=True):
        style = "red" if source["warnings"] else "dim" if _rests(source) else ""
        lines.append(_aligned(Text(slug, style=style), cells, first, widths, gap))
    for line in lines:
        console.print(line, no_wrap=True, overflow="crop")


def _aligned(slug: Text, cells: Sequence[str], first: int, widths: Sequence[int], gap: str) -> Text:
    """Return a line of a table: a name on the left, numbers and times on the right of their columns."""
    padding = " " * (first - slug.cell_len)
    filled = (f"{gap}{' ' * (width - cell_len(cell))}{cell}" for cell, width in zip(cells, widths, strict=True))
    return Text.assemble(slug, padding, *filled)


def _at_most(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def _rests(source: Mapping[str, Any]) -> bool:
    return bool(source["paused"] or not source["watched"])


def _note(source: Mapping[str, Any]) -> str:
    if source["paused"]:
        return " (paused)"
    return "" if source["watched"] else " (not watched)"


def _share_well(source: Mapping[str, Any], _: datetime) -> str:
    """Return the share of the last day's fetches that came to what they were for."""
    outcomes = source["outcomes_24h"]
    fetched = sum(outcomes.values())
    well = sum(count for outcome, count in outcomes.items() if outcome in _WELL)
    return f"{well / fetched * 100:.0f}%" if fetched else ""


def _per_day(name: str) -> Any:
    def value(source: Mapping[str, Any], _: datetime) -> str:
        mean = source[name]
        return "" if mean is None else f"{mean:.0f}" if mean >= 10 else f"{mean:.1f}"

    return value


def _count(name: str) -> Any:
    return lambda source, _: str(source[name])


def _since(name: str) -> Any:
    return lambda source, now: _ago(source[name], now)


def _until(name: str) -> Any:
    return lambda source, now: _in(source[name], now)


_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("feeds", _count("feeds")),
    ("pages", _count("pages")),
    ("articles", _count("articles")),
    ("versions", _count("versions")),
    ("new/d", _per_day("articles_per_day")),
    ("today", _count("articles_today")),
    ("vers/d", _per_day("versions_per_day")),
    ("vers today", _count("versions_today")),
    ("well", _share_well),
    ("polled", _since("last_poll_at")),
    ("fetched", _since("last_fetch_at")),
    ("last new", _since("last_article_at")),
    ("due", _count("due")),
    ("late", lambda source, _: _span(source["overdue_seconds"]) if source["overdue_seconds"] else ""),
    ("next", _until("next_due_at")),
)
_NARROW = frozenset({"articles", "versions", "new/d", "today", "well", "polled", "due", "late", "next"})


def _print_source(console: Console, source: Mapping[str, Any], now: datetime) -> None:
    for warning in source["warnings"]:
        _print_warning(console, source["slug"], warning)
    if source["paused"]:
        console.print(printable(f"{source['slug']} is paused by the {source['paused_by']}"))
    _print_sources(console, [source], now)
    for feed in source["feed_states"]:
        _print_feed(console, feed, now)
    _print_days(console, source["days"])
    _print_outcomes(console, source["outcomes_24h"])


def _print_feed(console: Console, feed: Mapping[str, Any], now: datetime) -> None:
    said = [feed["last_outcome"] or "not polled yet"]
    if feed["consecutive_failures"]:
        said.append(f"{counted(feed['consecutive_failures'], 'failure')} in a row")
    if feed["last_new"] is not None:
        said.append(f"{feed['last_new']} new, {feed['last_known'] or 0} known")
    if feed["last_success_at"] is not None:
        said.append(f"read well {_ago(feed['last_success_at'], now)} ago")
    if feed["poll_seconds"] is not None:
        said.append(f"each {_span(feed['poll_seconds'])}")
    due = "being planned" if feed["next_poll_at"] is None else f"next {_short(feed['next_poll_at'])} UTC"
    why = f" ({feed['next_poll_reason']})" if feed["next_poll_reason"] else ""
    moved = f", moved to {feed['moved_to']}" if feed["moved_to"] else ""
    console.print(printable(f"feed {feed['url']} ({feed['kind']}{moved}): {', '.join(said)}, {due}{why}"))


def _print_days(console: Console, days: Sequence[Mapping[str, Any]]) -> None:
    if not days:
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("day (UTC)", no_wrap=True)
    names = {"found": "entries", "new": "articles", "versions": "versions", "characters": "characters"}
    for name in (*names, "polls", "most fetches came to"):
        table.add_column(name, justify="left" if name.startswith("most") else "right")
    for day in reversed(days):
        polls = f"{day['polls']}" + (f" (+{day['failed_polls']} failed)" if day["failed_polls"] else "")
        most = ", ".join(f"{count} {outcome}" for outcome, count in list(day["outcomes"].items())[:3])
        counts = ("" if day[key] is None else str(day[key]) for key in names.values())
        table.add_row(day["day"], *counts, polls, most)
    console.print(table)


def _print_outcomes(console: Console, outcomes: Mapping[str, int]) -> None:
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items(), key=lambda item: -item[1]))
    console.print(f"last 24 h: {counts or 'no fetch'}")


def _print_page(console: Console, page: Mapping[str, Any]) -> None:
    for name, value in page.items():
        if name not in _HIDDEN and value not in (None, False):
            console.print(Text.assemble((f"{name}: ", "dim"), printable(str(value))))
    for sentence in page["why"]:
        console.print(printable(sentence))
    for fetch in page["fetches"]:
        why = f" ({fetch['reason']})" if fetch["reason"] else ""
        status = f" {fetch['status']}" if fetch["status"] else ""
        console.print(
            printable(
                f"  {_short(fetch['started_at'])}{status} {fetch['outcome']}{why}, {counted(fetch['bytes'], 'byte')}"
            )
        )
    reason = page["fetches"][0]["reason"] if page["fetches"] else None
    if reason in WAYS_OUT:
        console.print(f"{reason}: {WAYS_OUT[reason]}.")


def _short(value: str | None) -> str:
    return (value or "")[:19].replace("T", " ")


def _span(seconds: float) -> str:
    """Return a length of time in its largest unit."""
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
    return f"{seconds / size:.0f} {unit}"


def _ago(value: str | None, now: datetime) -> str:
    return "" if value is None else _span(max((now - _instant(value)).total_seconds(), 0))


def _in(value: str | None, now: datetime) -> str:
    if value is None:
        return ""
    seconds = (_instant(value) - now).total_seconds()
    return "now" if seconds <= 0 else _span(seconds)


def _instant(value: str) -> datetime:
    return datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(UTC)
