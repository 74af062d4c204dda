"""What a crawl says when it is over: for programs, and for people."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from crawler.crawl_account import CrawlReport
from crawler.politeness import HOST_SILENT
from crawler.polling import PollResult
from storage.escaping import printable
from storage.host_turns import BUDGET_SPENT, HOST_ASKED_TO_WAIT, HOST_REFUSES
from storage.model import FeedKind
from storage.outcomes import Family, Outcome, Trait, of_family, with_trait
from storage.rendering import instant, shown
from storage.wording import counted

INDEXES_SHOWN = 25
NOARCHIVE = "noarchive"
WAYS_OUT = {
    "internal_address": "`allow_private_addresses = true` under [crawl] allows internal addresses",
    "port": "it belongs to another service, and no browser asks for a page there; name one that serves HTTP",
}
"""What to do by the reason of a `blocked_address`, which nobody would guess."""
_NOT_HAD = with_trait(Trait.UNREACHABLE) | of_family(Family.FORBIDDEN)
"""Outcomes of pages that were not asked for, or of which no whole answer came."""
_WHY_HELD = {
    BUDGET_SPENT: "was asked as often today as it may be, and is",
    HOST_SILENT: "let several requests run into their time limits, and is",
    HOST_REFUSES: "refused one page after the other, and is",
}
"""Why a host is left alone that did not ask for it."""
_NOT_SENT = (BUDGET_SPENT, HOST_ASKED_TO_WAIT, HOST_REFUSES, HOST_SILENT)
"""Reasons of `rate_limited` without a request."""
_LABELS = {FeedKind.SITEMAP: "sitemap", FeedKind.NEWS_SITEMAP: "sitemap", FeedKind.SECTION: "section"}
_BOUNDS = {
    "sections": "sections were found",
    "feeds": "feeds were found",
    "section_depth": "links deep was the way to sections",
    "pages": "pages of a list were read",
    "sitemaps": "sitemaps were read",
    "sitemap_depth": "sitemap indexes were below each other",
    "links": "links were taken from sitemaps",
}


def index_label(kind: FeedKind) -> str:
    """Return what people call an index of this kind."""
    return _LABELS.get(kind, "feed")


def report_row(report: CrawlReport) -> dict[str, Any]:
    """Return the account of a crawl for programs."""
    return {
        "fetched": report.fetched - sum(_not_had(report).values()),
        "outcomes": dict(sorted(report.outcomes.items())),
        "reasons": dict(sorted(report.reasons.items())),
        "feeds": [
            {
                "url": result.feed.url,
                "kind": result.kind or result.feed.kind,
                "outcome": result.outcome,
                "reason": result.reason,
                "pages": result.pages,
                "new": result.new,
                "known": result.known,
                "left_out": dict(result.left_out),
            }
            for result in report.feeds
        ],
        "bounds_reached": [
            {"bound": reached.bound, "number": reached.number, "url": reached.url} for reached in report.reached
        ],
        "named": [{"url": result.url, "outcome": result.outcome, "reason": result.reason} for result in report.named],
        "held_hosts": {
            host: {"until": instant(hold.until), "reason": hold.reason} for host, hold in report.held.items()
        },
        "failed_targets": report.failed_targets,
        "failed_indexes": report.failed_indexes,
        "stopped": report.stopped,
    }


def print_report(out: Console, report: CrawlReport) -> None:
    """Print the account of a crawl for people."""
    for result in report.feeds[:INDEXES_SHOWN]:
        out.print(_index_line(result))
    if len(report.feeds) > INDEXES_SHOWN:
        out.print(_rest_line(report.feeds[INDEXES_SHOWN:]))
    for reached in report.reached:
        out.print(
            f"bound: {reached.number} {_BOUNDS[reached.bound]}; {printable(reached.url)} and what is behind it was not"
        )
    for named in report.named:
        why = f" ({printable(named.reason)})" if named.reason else ""
        out.print(f"{printable(named.url)}: {named.outcome or 'not fetched'}{why}")
    out.print(_pages_line(report))
    if unkept := report.reasons[NOARCHIVE]:
        asks = "asks" if unkept == 1 else "ask"
        out.print(
            f"{unkept} of them {asks} not to be archived (noarchive): not kept, as [crawl] respect_noarchive says"
        )
    reasons = report.reasons.keys() | {result.reason for result in report.feeds} | {one.reason for one in report.named}
    for reason, way_out in WAYS_OUT.items():
        if reason in reasons:
            out.print(f"{reason}: {way_out}.")
    for host, hold in report.held.items():
        why = _WHY_HELD.get(hold.reason, "asked to be")
        out.print(f"{printable(host)} {why} left alone until {shown(hold.until)} UTC; its pages are still owed")
    if report.stopped:
        out.print("Stopped before the end; what was fetched is kept, the rest is still owed.")


def _not_had(report: CrawlReport) -> Counter[str]:
    """Return how many pages came to which outcome without being fetched; what says `noarchive` was."""
    outcomes = Counter({name: count for name, count in report.outcomes.items() if name in _NOT_HAD})
    outcomes[Outcome.BLOCKED_ROBOTS] -= report.reasons[NOARCHIVE]
    outcomes[Outcome.RATE_LIMITED] = sum(report.reasons[reason] for reason in _NOT_SENT)
    return +outcomes


def _pages_line(report: CrawlReport) -> str:
    not_had = _not_had(report)
    had = Counter(report.outcomes) - not_had
    line = f"{counted(had.total(), 'page')} fetched" + (f": {_counted(had)}" if had else "")
    return line + (f"; {not_had.total():,} not fetched: {_counted(not_had)}" if not_had else "")


def _index_line(result: PollResult) -> str:
    label = index_label(result.kind or result.feed.kind)
    why = f" ({printable(result.reason)})" if result.reason else ""
    pages = f" on {result.pages} pages" if result.pages > 1 else ""
    left_out = f"; left out: {_counted(result.left_out)}" if result.left_out else ""
    return (
        f"{label} {printable(result.feed.url)}: {result.outcome or 'not polled'}{why}, "
        f"{result.new} new, {result.known} known{pages}{left_out}"
    )


def _rest_line(results: list[PollResult]) -> str:
    labels = Counter(index_label(result.kind or result.feed.kind) for result in results)
    new, known = sum(result.new for result in results), sum(result.known for result in results)
    more = ", ".join(counted(count, label) for label, count in sorted(labels.items()))
    return f"and {more} more (--json names them): {new} new, {known} known"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if count)
