"""What `morgue status` says: of everything, of one source, or of one page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from storage.clock import utc_now
from storage.errors import NotFound
from storage.escaping import printable
from storage.records import StoredSource
from storage.rendering import instant
from storage.store import Transaction

RECENT = timedelta(hours=24)


def status_row(
    transaction: Transaction, target: str | None, *, url_key: Callable[[str], str], requests_per_day: int
) -> dict[str, Any]:
    """Return the state of everything, or of the source or page that `target` names.

    `requests_per_day` is how often a host may be asked in a day, 0 for any number. Raises `NotFound`.
    """
    if target is None:
        sources = [_source_row(transaction, stored) for stored in transaction.sources.all()]
        held = transaction.hosts.held(budget=requests_per_day)
        return {
            "sources": sources,
            "outcomes_24h": transaction.fetches.counts_by_outcome(utc_now() - RECENT),
            "held_hosts": [{"host": one.host, "seconds": round(one.seconds), "reason": one.reason} for one in held],
        }
    stored = transaction.sources.by_slug(target)
    if stored is not None:
        return {"source": _source_row(transaction, stored) | {"feed_states": _feed_rows(transaction, stored)}}
    return {"page": _page_row(transaction, target, url_key(target))}


def _source_row(transaction: Transaction, stored: StoredSource) -> dict[str, Any]:
    numbers = transaction.sources.numbers(stored.source_id, now=utc_now())
    return {
        "slug": stored.source.slug,
        "configured": stored.configured,
        "watched": stored.watched,
        "paused": stored.paused,
        "feeds": numbers.feeds,
        "pages": numbers.pages,
        "articles": numbers.articles,
        "versions": numbers.versions,
        "due": numbers.due,
        "next_due_at": instant(numbers.next_due_at),
        "last_fetch_at": instant(numbers.last_fetch_at),
        "outcomes_24h": transaction.fetches.counts_by_outcome(utc_now() - RECENT, source_id=stored.source_id),
    }


def _feed_rows(transaction: Transaction, stored: StoredSource) -> list[dict[str, Any]]:
    return [
        {
            "url": feed.url,
            "kind": feed.kind,
            "last_polled_at": instant(feed.last_polled_at),
            "last_outcome": feed.last_outcome,
            "consecutive_failures": feed.consecutive_failures,
            "next_poll_at": instant(feed.next_poll_at),
        }
        for feed in transaction.feeds.for_sources({stored.source_id})
    ]


def _page_row(transaction: Transaction, target: str, key: str) -> dict[str, Any]:
    page = transaction.pages.by_key(key)
    if page is None:
        raise NotFound(target, "is neither a source nor a page that was ever seen", "`morgue crawl` takes new URLs")
    return {
        "url": page.url,
        "article_id": page.article_id,
        "alias_of": page.alias_of,
        "first_seen_at": instant(page.first_seen_at),
        "last_fetch_at": instant(page.last_fetch_at),
        "last_outcome": page.last_outcome,
        "consecutive_failures": page.consecutive_failures,
        "next_fetch_at": instant(page.next_fetch_at),
        "feed_title": page.feed_title,
        "fetches": [
            {
                "started_at": instant(fetch.started_at),
                "outcome": fetch.outcome,
                "reason": fetch.reason,
                "status": fetch.status,
                "bytes": fetch.bytes_received,
            }
            for fetch in transaction.fetches.recent(10, page_id=page.page_id)
        ],
    }


def print_status(console: Console, row: dict[str, Any]) -> None:
    """Print a state for people."""
    if "page" in row:
        _print_page(console, row["page"])
    elif "source" in row:
        _print_sources(console, [row["source"]])
        for feed in row["source"]["feed_states"]:
            console.print(
                printable(
                    f"feed {feed['url']}: {feed['last_outcome'] or 'not polled yet'}, next {feed['next_poll_at']}"
                )
            )
        _print_outcomes(console, row["source"]["outcomes_24h"])
    else:
        _print_sources(console, row["sources"])
        _print_outcomes(console, row["outcomes_24h"])
        for held in row["held_hosts"]:
            console.print(printable(f"{held['host']} is left alone for {held['seconds']} s more ({held['reason']})"))


def _print_sources(console: Console, sources: list[dict[str, Any]]) -> None:
    if not sources:
        console.print("No sources yet. `morgue crawl URL` archives a page; `morgue init` starts a configuration.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("source", no_wrap=True, overflow="ellipsis", max_width=44)
    for name in ("feeds", "pages", "articles", "versions", "due"):
        table.add_column(name, justify="right")
    table.add_column("last fetch (UTC)", no_wrap=True)
    table.add_column("next due (UTC)", no_wrap=True)
    for source in sources:
        note = " (paused)" if source["paused"] else "" if source["watched"] else " (not watched)"
        slug = printable(source["slug"]) + note
        counts = (str(source[name]) for name in ("feeds", "pages", "articles", "versions", "due"))
        table.add_row(Text(slug), *counts, _short(source["last_fetch_at"]), _short(source["next_due_at"]))
    console.print(table)


def _short(value: str | None) -> str:
    return (value or "")[:19].replace("T", " ")


def _print_outcomes(console: Console, outcomes: dict[str, int]) -> None:
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items(), key=lambda item: -item[1]))
    console.print(f"last 24 h: {counts or 'no fetch'}")


def _print_page(console: Console, page: dict[str, Any]) -> None:
    for name, value in page.items():
        if name != "fetches" and value is not None:
            console.print(Text.assemble((f"{name}: ", "dim"), printable(str(value))))
    for fetch in page["fetches"]:
        why = f" ({fetch['reason']})" if fetch["reason"] else ""
        status = f" {fetch['status']}" if fetch["status"] else ""
        console.print(
            printable(f"  {_short(fetch['started_at'])}{status} {fetch['outcome']}{why}, {fetch['bytes']} bytes")
        )
