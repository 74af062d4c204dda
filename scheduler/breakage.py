"""Silent breakage: a source that still answers, but of which nothing good comes any more. Pure.

Each source is judged against itself: its last days (or weeks, where little comes) against the weeks before. What chance
does to a source at which nothing changed is bounded in `scheduler.shares` and `scheduler.silence`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scheduler.addresses import new_addresses, old_articles
from scheduler.article_breakage import article_warnings
from scheduler.page_breakage import LEAST_PAGES, fetched, page_warnings
from scheduler.silence import silence
from scheduler.source_warnings import SILENT, SourceWarning, Standing, WarningKind
from storage.model import FeedKind
from storage.outcomes import POLLED_WELL, Outcome
from storage.tallies import Tally
from storage.wording import counted

FEED_FAILS_FOR = timedelta(hours=24)
FEED_FAILURES = 3
_LISTS = frozenset({FeedKind.RSS, FeedKind.ATOM, FeedKind.JSON, FeedKind.SECTION})
"""Indexes that are never empty; a news sitemap is where nothing was published for two days."""


@dataclass(frozen=True, kw_only=True)
class FeedFacts:
    """What is known of one polled index. `listed_before` says that it ever listed anything, `last_listed` how many
    entries its last list had, None where that is not known, and `interval` is how often it is polled at present."""

    url: str
    kind: FeedKind
    first_seen_at: datetime
    last_outcome: Outcome | None
    consecutive_failures: int
    last_success_at: datetime | None
    last_listed: int | None
    listed_before: bool
    interval: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class SourceFacts:
    """What is known of a source beside its tallies. `standing` are the warnings of it that stand."""

    first_seen_at: datetime
    standing: Sequence[Standing] = ()
    feeds: Sequence[FeedFacts] = ()


def warnings(days: Sequence[Tally], *, facts: SourceFacts, now: datetime) -> list[SourceWarning]:
    """Return what seems to be wrong with a source that is watched. `days` are its tallies, oldest first."""
    days = [day for day in days if day.day <= now.date()]
    # Nearly all of a day is taken for the whole.
    today = (now + timedelta(hours=1)).date()
    shares = [*page_warnings(days, facts.standing, today=today), *article_warnings(days, facts.standing, today=today)]
    return [*_silence(days, facts, now), *_feeds(facts, now), *shares]


# Feeds


def _feeds(facts: SourceFacts, now: datetime) -> Iterator[SourceWarning]:
    for feed in facts.feeds:
        well_at = feed.last_success_at or feed.first_seen_at
        failing = feed.last_outcome is not None and feed.last_outcome not in POLLED_WELL
        if failing and feed.consecutive_failures >= FEED_FAILURES and now - well_at >= FEED_FAILS_FOR:
            well = "was never read well" if feed.last_success_at is None else f"was last read well at {_at(well_at)}"
            failed = f"failed {counted(feed.consecutive_failures, 'time')} in a row since"
            yield SourceWarning(
                kind=WarningKind.FEED_FAILING,
                subject=feed.url,
                sentence=f"The feed {feed.url} {well}, and {failed} ({feed.last_outcome}).",
            )
        if feed.last_listed == 0 and feed.listed_before and feed.kind in _LISTS and not failing:
            yield SourceWarning(
                kind=WarningKind.FEED_EMPTY,
                subject=feed.url,
                sentence=f"The feed {feed.url} answers well, but lists nothing any more.",
            )


def _silence(days: Sequence[Tally], facts: SourceFacts, now: datetime) -> Iterator[SourceWarning]:
    standing = next((one for one in facts.standing if one.warning.kind in SILENT), None)
    if standing is not None and any(_later(day.last_article_at, standing.since) for day in days):
        standing = None
    recent = [day for day in days if now.date() - day.day <= timedelta(days=1)]
    if not any(day.healthy_polls for day in recent):
        # Feeds that fail are another warning, and a service that was off is none; nor do they end one.
        if standing is not None:
            yield standing.warning
        return
    polled_at = max(day.last_poll_at for day in recent if day.last_poll_at is not None)
    never = _never_any(days)
    if never is not None:
        yield never
        return
    told = standing is not None and standing.warning.kind is WarningKind.NO_ARTICLES
    quiet = silence(days, first_day=facts.first_seen_at.date(), now=now, interval=_interval(facts), told=told)
    if quiet is not None:
        usual = f"{quiet.news_a_day:.0f} a day" if quiet.news_a_day >= 1 else f"{quiet.news_a_day * 7:.1f} a week"
        begin = f"No news for {_duration(quiet.hours)}, since {_at(quiet.since)}; {usual} are usual."
        yield _silent(begin, days, quiet.since, polled_at)
    elif standing is not None:
        # What was usual before is forgotten by now.
        yield _silent(f"No new article since {_at(standing.since)}.", days, standing.since, polled_at)


def _interval(facts: SourceFacts) -> timedelta | None:
    """Return how often the feed is polled that is polled most often, of those that are well."""
    well = (feed.interval for feed in facts.feeds if feed.interval is not None and not feed.consecutive_failures)
    return min(well, default=None)


def _later(instant: datetime | None, other: datetime) -> bool:
    return instant is not None and instant > other


def _silent(begin: str, days: Sequence[Tally], since: datetime, polled_at: datetime) -> SourceWarning:
    """Warn of a silence, by whether the feeds lead to anything new."""
    entries = new_addresses(days, since)
    well = f"{begin} Its feeds were last read well at {_at(polled_at)}"
    if entries:
        became = "news" if old_articles(days, since) else "an article"
        sentence = f"{well}, and led to {entries} new addresses since, none of which became {became}."
        return SourceWarning(kind=WarningKind.NO_ARTICLES, sentence=sentence)
    return SourceWarning(kind=WarningKind.FEED_STALE, sentence=f"{well}, and list nothing new.")


def _never_any(days: Sequence[Tally]) -> SourceWarning | None:
    """Warn of a source that never brought an article, though it leads to many addresses that were fetched."""
    polled = [day for day in days if day.healthy_polls]
    entries, fetches = sum(day.entries for day in days), fetched(days).of
    if any(day.articles for day in days) or len(polled) < 2 or min(entries, fetches) < LEAST_PAGES:
        return None
    return SourceWarning(
        kind=WarningKind.NO_ARTICLES,
        sentence=f"Its feeds led to {entries} addresses since {polled[0].day}, and {fetches} fetches were made, but "
        "none became an article.",
    )


# Words


def _at(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _duration(hours: float) -> str:
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"
