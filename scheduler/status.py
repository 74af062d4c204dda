"""What `morgue status` knows: of everything, of one source, or of one page. How it is printed is in
`scheduler.status_printing`."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from scheduler.explaining import explain
from scheduler.rule_book import PlanSettings
from scheduler.standing_warnings import StandingWarning, read_warnings
from storage.clock import utc_now
from storage.errors import NotFound
from storage.overview import SourceStanding
from storage.plan_records import PageHistory
from storage.records import FeedState, StoredSource
from storage.rendering import instant
from storage.service_lock import SERVICE_NAME
from storage.store import Transaction
from storage.tallies import Tally

RECENT = timedelta(hours=24)
WEEK = timedelta(days=7)
DAYS_SHOWN = timedelta(days=14)
LAST_HEARD_OF = timedelta(seconds=90)
"""A service writes each half minute that it is there; one that did not for so long was killed, or is stuck."""


def status_row(
    transaction: Transaction,
    target: str | None,
    *,
    url_key: Callable[[str], str],
    requests_per_day: int,
    settings: PlanSettings | None = None,
) -> dict[str, Any]:
    """Return the state of everything, or of the source or page that `target` names.

    `requests_per_day` is how often a host may be asked in a day, 0 for any number; `settings` are those by which pages
    are planned. Raises `NotFound`.
    """
    now = utc_now()
    if target is None:
        return _everything(transaction, requests_per_day, now)
    stored = transaction.sources.by_slug(target)
    if stored is not None:
        return {"service": service_row(transaction, now), "source": _one_source(transaction, stored, now)}
    page = _page_row(transaction, target, url_key(target))
    page["why"] = explain(
        transaction,
        page.pop("page_id"),
        settings=settings or PlanSettings(),
        now=now,
        requests_per_day=requests_per_day,
    )
    return {"page": page}


def service_row(transaction: Transaction, now: datetime) -> dict[str, Any]:
    """Return whether a service runs, by what it last said of itself: which one, and since when.

    What it said at an instant that is yet to come was said before the clock was set back.
    """
    stored = transaction.service_state.get(SERVICE_NAME)
    if stored is None:
        return {"running": False}
    value, heard_at = stored
    stopped, lately = "stopped_at" in value, abs(now - heard_at) <= LAST_HEARD_OF
    return {**value, "running": not stopped and lately, "killed": not stopped and not lately}


def _everything(transaction: Transaction, requests_per_day: int, now: datetime) -> dict[str, Any]:
    standings = transaction.overview.standings(now=now)
    outcomes = transaction.overview.outcomes(now - RECENT)
    days = transaction.tallies.since((now - WEEK).date())
    warnings = read_warnings(transaction)
    of_source: dict[str | None, list[StandingWarning]] = {}
    for warning in warnings:
        of_source.setdefault(warning.source, []).append(warning)
    rows = [
        _source_row(
            stored,
            standings[stored.source_id],
            days.get(stored.source_id, []),
            of_source.get(stored.source.slug, []),
            now,
        )
        | {"outcomes_24h": dict(outcomes.get(stored.source_id, Counter()).most_common())}
        for stored in transaction.sources.all()
    ]
    held = transaction.hosts.held(budget=requests_per_day)
    return {
        "service": service_row(transaction, now),
        "warnings": [_warning_row(warning) for warning in warnings if warning.source is None],
        "sources": sorted(rows, key=_trouble_first),
        "outcomes_24h": dict(sum(outcomes.values(), Counter()).most_common()),
        "held_hosts": [{"host": one.host, "seconds": round(one.seconds), "reason": one.reason} for one in held],
    }


def _trouble_first(row: Mapping[str, Any]) -> tuple[bool, bool, bool, str]:
    """Order sources: those with warnings, then those with a feed that fails, those that nobody looks after last."""
    rests = row["paused"] or not row["watched"]
    return rests, not row["warnings"], not row["failing_feeds"], row["slug"]


def _one_source(transaction: Transaction, stored: StoredSource, now: datetime) -> dict[str, Any]:
    of_it = [stored.source_id]
    standing = transaction.overview.standings(now=now, source_id=stored.source_id)
    outcomes = transaction.overview.outcomes(now - RECENT, stored.source_id).get(stored.source_id, Counter())
    days = transaction.tallies.since((now - DAYS_SHOWN).date(), of_it).get(stored.source_id, [])
    warnings = [warning for warning in read_warnings(transaction) if warning.source == stored.source.slug]
    return _source_row(stored, standing[stored.source_id], days, warnings, now) | {
        "outcomes_24h": dict(outcomes.most_common()),
        "feed_states": [_feed_row(feed) for feed in transaction.feeds.for_sources(of_it)],
        "days": [_day_row(day) for day in days],
    }


def _source_row(
    stored: StoredSource,
    standing: SourceStanding,
    days: Sequence[Tally],
    warnings: Sequence[StandingWarning],
    now: datetime,
) -> dict[str, Any]:
    late = standing.due > 0 and standing.next_due_at is not None
    return {
        "slug": stored.source.slug,
        "configured": stored.configured,
        "watched": stored.watched,
        "paused": stored.paused,
        "paused_by": (stored.paused_by or "configuration") if stored.paused else None,
        "warnings": [_warning_row(warning) for warning in warnings],
        "feeds": standing.feeds,
        "failing_feeds": standing.failing_feeds,
        "pages": standing.pages,
        "articles": standing.articles,
        "versions": standing.versions,
        **_rates(days, now),
        "due": standing.due,
        "overdue_seconds": round((now - standing.next_due_at).total_seconds()) if late and standing.next_due_at else 0,
        "next_due_at": instant(standing.next_due_at),
        "next_poll_at": instant(standing.next_poll_at),
        "last_fetch_at": instant(standing.last_fetch_at),
        "last_poll_at": instant(standing.last_poll_at),
        "last_article_at": instant(max((day.last_article_at for day in days if day.last_article_at), default=None)),
    }


def _rates(days: Sequence[Tally], now: datetime) -> dict[str, Any]:
    """Return articles and versions of today (UTC) and a day of the last seven; null for a mean of no day."""
    today = now.astimezone(UTC).date()
    week = [day for day in days if today - WEEK <= day.day < today]
    this = [day for day in days if day.day == today]
    # A source that is younger, or that was counted for the first time less than a week ago.
    span = (today - week[0].day).days if week else 0

    def mean(count: int) -> float | None:
        return round(count / span, 1) if span else None

    return {
        "articles_per_day": mean(sum(day.articles for day in week)),
        "versions_per_day": mean(sum(day.versions for day in week)),
        "articles_today": sum(day.articles for day in this),
        "versions_today": sum(day.versions for day in this),
    }


def _warning_row(warning: StandingWarning) -> dict[str, Any]:
    return {
        "kind": warning.kind.value,
        "subject": warning.subject,
        "sentence": warning.sentence,
        "since": instant(warning.since),
    }


def _day_row(day: Tally) -> dict[str, Any]:
    return {
        "day": day.day.isoformat(),
        "articles": day.articles,
        "versions": day.versions,
        "entries": day.entries,
        "polls": day.healthy_polls,
        "failed_polls": day.failed_polls,
        "characters": round(day.text_sum / day.articles) if day.articles else None,
        "fields": dict(day.fields),
        "outcomes": dict(Counter(day.pages).most_common()),
    }


def _feed_row(feed: FeedState) -> dict[str, Any]:
    return {
        "url": feed.url,
        "moved_to": feed.moved_to,
        "kind": feed.kind,
        "last_polled_at": instant(feed.last_polled_at),
        "last_success_at": instant(feed.last_success_at),
        "last_outcome": feed.last_outcome,
        "last_new": feed.last_new,
        "last_known": feed.last_known,
        "consecutive_failures": feed.consecutive_failures,
        "poll_seconds": feed.poll_seconds,
        "next_poll_at": instant(feed.next_poll_at),
        "next_poll_reason": feed.next_poll_reason,
    }


def _page_row(transaction: Transaction, target: str, key: str) -> dict[str, Any]:
    page = transaction.pages.by_key(key)
    if page is None:
        raise NotFound(target, "is neither a source nor a page that was ever seen", "`morgue crawl` takes new URLs")
    history = transaction.page_plans.histories([page.page_id]).get(page.page_id)
    return {
        "page_id": page.page_id,
        "url": page.url,
        "article_id": page.article_id,
        "alias_of": page.alias_of,
        "first_seen_at": instant(page.first_seen_at),
        "last_fetch_at": instant(page.last_fetch_at),
        "last_outcome": page.last_outcome,
        "consecutive_failures": page.consecutive_failures,
        "next_fetch_at": instant(page.next_fetch_at),
        **({} if history is None else _plan_row(history)),
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


def _plan_row(history: PageHistory) -> dict[str, Any]:
    return {
        "next_fetch_reason": history.next_fetch_reason,
        "last_look_at": instant(history.last_look_at),
        "looks": history.looks,
        "changes": history.changes,
        "last_changed_at": instant(history.last_changed_at),
        "hinted_at": instant(history.hinted_at),
        "rate_alpha": round(history.rate_alpha, 4),
        "rate_beta": round(history.rate_beta, 4),
        "watch_ended": history.watch_ended,
        "paused": history.paused,
    }
