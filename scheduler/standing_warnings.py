"""The warnings that stand: what housekeeping found wrong, kept in the database for `morgue status` and the metrics."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog

from scheduler.breakage import FeedFacts, SourceFacts, warnings
from scheduler.source_warnings import SILENT, SourceWarning, Standing, WarningKind
from storage.records import FeedState, StoredSource
from storage.store import Transaction

log = structlog.get_logger()

STATE = "warnings"
LOOK_BACK = timedelta(days=120)
"""So many days of tallies a judgement needs: a month that is judged at a small source, and three before it."""


@dataclass(frozen=True, kw_only=True)
class StandingWarning:
    """A warning of a source (its slug), or of the whole service (None), with the instant when it was raised.

    `subject` is what it is about: a field, an outcome, a feed's address, a folder. `usual` is what was usual when it
    was raised, by which it ends.
    """

    source: str | None
    kind: WarningKind
    subject: str | None
    sentence: str
    since: datetime
    usual: float | None = None


def read_warnings(transaction: Transaction) -> list[StandingWarning]:
    """Return the warnings that stand, those of the service first; none where nobody ever looked."""
    stored = transaction.service_state.get(STATE)
    if stored is None:
        return []
    return [
        StandingWarning(**{**row, "kind": WarningKind(row["kind"]), "since": datetime.fromisoformat(row["since"])})
        for row in stored[0]
        # A later program may know more kinds.
        if row["kind"] in set(WarningKind)
    ]


def keep_warnings(transaction: Transaction, standing: Sequence[StandingWarning], now: datetime) -> None:
    """Keep the warnings that stand."""
    rows = [asdict(warning) | {"since": warning.since.isoformat()} for warning in standing]
    transaction.service_state.put(STATE, rows, now)


def judged_sources(
    transaction: Transaction, sources: Sequence[StoredSource], standing: Iterable[StandingWarning], *, now: datetime
) -> dict[str | None, list[SourceWarning]]:
    """Return what seems to be wrong with each of some sources; nothing is with those that nobody watches.

    A source that cannot be judged is left out, so that its warnings stand.
    """
    watched = {stored.source_id: stored for stored in sources if stored.watched and not stored.paused}
    found: dict[str | None, list[SourceWarning]] = {stored.source.slug: [] for stored in sources}
    days = transaction.tallies.since((now - LOOK_BACK).date(), watched.keys())
    facts = _facts(transaction, watched, standing)
    for source_id, stored in watched.items():
        try:
            found[stored.source.slug] = warnings(days.get(source_id, []), facts=facts[source_id], now=now)
        except Exception:
            # The boundary of one source: whatever is odd about it must not keep the others from being judged.
            log.exception("judging_failed", source=stored.source.slug)
            del found[stored.source.slug]
    return found


def _facts(
    transaction: Transaction, watched: Mapping[int, StoredSource], standing: Iterable[StandingWarning]
) -> dict[int, SourceFacts]:
    first_seen = transaction.overview.sources_seen(watched.keys())
    feeds: dict[int, list[FeedState]] = {source_id: [] for source_id in watched}
    for feed in transaction.feeds.for_sources(watched.keys()):
        feeds[feed.source_id].append(feed)
    empty = [feed.feed_id for of_source in feeds.values() for feed in of_source if _listed(feed) == 0]
    listed_before = transaction.overview.feeds_with_entries(empty)
    feeds_seen = transaction.overview.feeds_seen([feed.feed_id for of_source in feeds.values() for feed in of_source])
    stands: dict[str | None, list[Standing]] = {}
    for one in standing:
        warning = SourceWarning(kind=one.kind, subject=one.subject, sentence=one.sentence, usual=one.usual)
        stands.setdefault(one.source, []).append(Standing(warning=warning, since=one.since))
    return {
        source_id: SourceFacts(
            first_seen_at=first_seen[source_id],
            standing=stands.get(stored.source.slug, ()),
            feeds=[_feed_facts(feed, feeds_seen[feed.feed_id], listed_before) for feed in feeds[source_id]],
        )
        for source_id, stored in watched.items()
    }


def _listed(feed: FeedState) -> int | None:
    """Return how many entries the last list had, None where that is not known."""
    return None if feed.last_new is None or feed.last_known is None else feed.last_new + feed.last_known


def _feed_facts(feed: FeedState, first_seen_at: datetime, listed_before: Collection[int]) -> FeedFacts:
    return FeedFacts(
        url=feed.url,
        kind=feed.kind,
        first_seen_at=first_seen_at,
        last_outcome=feed.last_outcome,
        consecutive_failures=feed.consecutive_failures,
        last_success_at=feed.last_success_at,
        last_listed=_listed(feed),
        listed_before=feed.feed_id in listed_before,
        interval=_interval(feed),
    )


def _interval(feed: FeedState) -> timedelta | None:
    """Return how often a feed is polled at present, None where that is not known."""
    if feed.next_poll_at is not None and feed.last_polled_at is not None and feed.next_poll_at > feed.last_polled_at:
        return feed.next_poll_at - feed.last_polled_at
    return None if feed.poll_seconds is None else timedelta(seconds=feed.poll_seconds)


def renewed(
    standing: Sequence[StandingWarning], found: Mapping[str | None, Sequence[SourceWarning]], *, now: datetime
) -> list[StandingWarning]:
    """Return the warnings that stand after some sources (and the service, under None) were judged anew.

    One that stood before keeps the instant when it was raised.
    """
    since = {(warning.source, warning.kind, warning.subject): warning.since for warning in standing}
    kept = [warning for warning in standing if warning.source not in found]
    anew = [
        StandingWarning(
            source=source,
            kind=warning.kind,
            subject=warning.subject,
            sentence=warning.sentence,
            since=since.get((source, warning.kind, warning.subject), now),
            usual=warning.usual,
        )
        for source, of_source in found.items()
        for warning in of_source
    ]
    return sorted([*kept, *anew], key=lambda warning: (warning.source or "", warning.kind, warning.subject or ""))


def differing(
    before: Sequence[StandingWarning], after: Sequence[StandingWarning]
) -> tuple[list[StandingWarning], list[StandingWarning]]:
    """Return which warnings were raised and which ended.

    A silence of which more is known by now (whether its feeds lead to anything) is raised anew, but has not ended.
    """
    old = {(warning.source, warning.kind, warning.subject): warning for warning in before}
    new = {(warning.source, warning.kind, warning.subject): warning for warning in after}
    raised = [warning for key, warning in new.items() if key not in old]
    silent = {warning.source for warning in after if warning.kind in SILENT}
    ended = [warning for key, warning in old.items() if key not in new]
    return raised, [warning for warning in ended if warning.kind not in SILENT or warning.source not in silent]
