"""Silent breakage: a source that still answers, but of which nothing good comes any more. Pure.

Each source is judged against itself: its last days (or weeks, where little comes) against the weeks before. What chance
does to a source at which nothing changed is bounded in `scheduler.shares` and `scheduler.silence`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from scheduler.shares import Share, has_jumped, percent, total
from scheduler.silence import silence
from storage.model import FeedKind, Outcome
from storage.tallies import FIELDS, TEXT_BOUNDS, Tally

BASELINE = timedelta(days=28)
"""So long before the days that are judged lie those that they are judged by."""
LEAST_PAGES = 20
"""So many fetches are judged together: those of today, or of as many days before as it takes."""
LEAST_ARTICLES = 12
LEAST_BASELINE = 30
LONGEST_WINDOW = timedelta(days=7)
HALF = 0.5
NEARLY_ALL = 0.8
FEED_FAILS_FOR = timedelta(hours=24)
FEED_FAILURES = 3
LEAST_FILLED = 0.3
"""A field that fewer articles have was never a habit."""


class WarningKind(StrEnum):
    """What may be wrong; the list is closed."""

    NO_ARTICLES = "no_articles"
    FEED_STALE = "feed_stale"
    FEED_EMPTY = "feed_empty"
    FEED_FAILING = "feed_failing"
    FIELD_MISSING = "field_missing"
    TEXT_SHORT = "text_short"
    ZONE_MISSING = "zone_missing"
    PAGES_REFUSED = "pages_refused"
    PAGES_WALLED = "pages_walled"
    PAGES_UNREAD = "pages_unread"
    PAGES_UNREACHABLE = "pages_unreachable"
    ROBOTS_FORBIDS = "robots_forbids"
    ALL_SUSPECT = "all_suspect"
    VERSIONS_EXPLODING = "versions_exploding"
    # Of the whole service.
    DISK_LOW = "disk_low"
    WAL_HELD_BACK = "wal_held_back"


OUTCOMES_OF: dict[WarningKind, frozenset[Outcome]] = {
    WarningKind.ROBOTS_FORBIDS: frozenset({Outcome.BLOCKED_ROBOTS}),
    WarningKind.PAGES_REFUSED: frozenset({Outcome.BLOCKED_STATUS, Outcome.RATE_LIMITED, Outcome.BOT_CHECK}),
    WarningKind.PAGES_WALLED: frozenset(
        {Outcome.CONSENT_WALL, Outcome.LOGIN_WALL, Outcome.PAYWALLED, Outcome.SCRIPT_SHELL}
    ),
    WarningKind.PAGES_UNREAD: frozenset(
        {
            Outcome.EXTRACT_FAILED,
            Outcome.NOT_ARTICLE,
            Outcome.SOFT_404,
            Outcome.MAINTENANCE,
            Outcome.WRONG_LANGUAGE,
            Outcome.WRONG_TYPE,
            Outcome.TOO_LARGE,
        }
    ),
    WarningKind.PAGES_UNREACHABLE: frozenset(
        {Outcome.TIMEOUT, Outcome.NETWORK_ERROR, Outcome.HTTP_ERROR, Outcome.MISSING}
    ),
    WarningKind.ALL_SUSPECT: frozenset({Outcome.SUSPECT}),
}
"""Which outcomes of pages are counted together, for what they have in common for an operator."""

_NEVER_USUAL = frozenset(Outcome) - {Outcome.NOT_ARTICLE}
"""Outcomes of which nearly all is wrong even where it has always been so; some sources list much that is no article."""
_NEW_VERSION = (Outcome.UPDATED, Outcome.REVERTED)
_LOOKED_AGAIN = (*_NEW_VERSION, Outcome.COSMETIC, Outcome.UNCHANGED, Outcome.NOT_MODIFIED)
_LISTS = frozenset({FeedKind.RSS, FeedKind.ATOM, FeedKind.JSON, FeedKind.SECTION})
"""Indexes that are never empty; a news sitemap is where nothing was published for two days."""
_HEALTHY = frozenset({Outcome.LISTED, Outcome.UNCHANGED, Outcome.NOT_MODIFIED})
_NAMES = {"published_at": "a time of publication", "image_url": "a picture", "authors": "authors"}


@dataclass(frozen=True, kw_only=True)
class FeedFacts:
    """What is known of one polled index. `listed_before` says that it ever listed anything, `last_listed` how many
    entries its last list had, None where that is not known."""

    url: str
    kind: FeedKind
    first_seen_at: datetime
    last_outcome: Outcome | None
    consecutive_failures: int
    last_success_at: datetime | None
    last_listed: int | None
    listed_before: bool


@dataclass(frozen=True, kw_only=True)
class SourceFacts:
    """What is known of a source beside its tallies. `silent_since` is when its present silence was warned of first."""

    first_seen_at: datetime
    silent_since: datetime | None = None
    feeds: Sequence[FeedFacts] = ()


@dataclass(frozen=True, kw_only=True)
class SourceWarning:
    """What seems to be wrong with a source: a code, what it is about (a field, an outcome, a feed's address), and a
    sentence with figures."""

    kind: WarningKind
    subject: str | None = None
    sentence: str


def warnings(days: Sequence[Tally], *, facts: SourceFacts, now: datetime) -> list[SourceWarning]:
    """Return what seems to be wrong with a source that is watched. `days` are its tallies, oldest first."""
    days = [day for day in days if day.day <= now.date()]
    found = [*_feeds(facts, now), *_pages(days), *_versions(days), *_fields(days), *_texts(days), *_zones(days)]
    return [*_silence(days, facts, now), *found]


# Feeds


def _feeds(facts: SourceFacts, now: datetime) -> Iterator[SourceWarning]:
    for feed in facts.feeds:
        well_at = feed.last_success_at or feed.first_seen_at
        failing = feed.last_outcome is not None and feed.last_outcome not in _HEALTHY
        if failing and feed.consecutive_failures >= FEED_FAILURES and now - well_at >= FEED_FAILS_FOR:
            well = "was never read well" if feed.last_success_at is None else f"was last read well at {_at(well_at)}"
            yield SourceWarning(
                kind=WarningKind.FEED_FAILING,
                subject=feed.url,
                sentence=f"The feed {feed.url} {well}, and failed {feed.consecutive_failures} times in a row since "
                f"({feed.last_outcome}).",
            )
        if feed.last_listed == 0 and feed.listed_before and feed.kind in _LISTS and not failing:
            yield SourceWarning(
                kind=WarningKind.FEED_EMPTY,
                subject=feed.url,
                sentence=f"The feed {feed.url} answers well, but lists nothing any more.",
            )


def _silence(days: Sequence[Tally], facts: SourceFacts, now: datetime) -> Iterator[SourceWarning]:
    recent = [day for day in days if now.date() - day.day <= timedelta(days=1)]
    if not any(day.healthy_polls for day in recent):
        return  # feeds that fail are another warning, and a service that was off is none
    polled_at = max(day.last_poll_at for day in recent if day.last_poll_at is not None)
    never = _never_any(days)
    if never is not None:
        yield never
        return
    quiet = silence(days, first_day=facts.first_seen_at.date(), now=now)
    if quiet is not None:
        usual = f"{quiet.news_a_day:.0f} a day" if quiet.news_a_day >= 1 else f"{quiet.news_a_day * 7:.1f} a week"
        begin = f"No new article for {_duration(quiet.hours)}, since {_at(quiet.since)}; {usual} are usual."
        yield _silent(begin, days, quiet.since, polled_at)
    elif facts.silent_since is not None and not any(_later(day.last_article_at, facts.silent_since) for day in days):
        # What was usual before is forgotten by now.
        yield _silent(f"No new article since {_at(facts.silent_since)}.", days, facts.silent_since, polled_at)


def _later(instant: datetime | None, other: datetime) -> bool:
    return instant is not None and instant > other


def _silent(begin: str, days: Sequence[Tally], since: datetime, polled_at: datetime) -> SourceWarning:
    """Warn of a silence, by whether the feeds lead to anything new."""
    entries = sum(day.entries for day in days if day.day > since.date())
    well = f"{begin} Its feeds were last read well at {_at(polled_at)}"
    if entries:
        sentence = f"{well}, and led to {entries} new addresses since, none of which became an article."
        return SourceWarning(kind=WarningKind.NO_ARTICLES, sentence=sentence)
    return SourceWarning(kind=WarningKind.FEED_STALE, sentence=f"{well}, and list nothing new.")


def _never_any(days: Sequence[Tally]) -> SourceWarning | None:
    """Warn of a source that never brought an article, though it leads to many addresses that were fetched."""
    polled = [day for day in days if day.healthy_polls]
    entries, fetched = sum(day.entries for day in days), _fetched(days).of
    if any(day.articles for day in days) or len(polled) < 2 or min(entries, fetched) < LEAST_PAGES:
        return None
    return SourceWarning(
        kind=WarningKind.NO_ARTICLES,
        sentence=f"Its feeds led to {entries} addresses since {polled[0].day}, and {fetched} fetches were made, but "
        "none became an article.",
    )


# Pages


def _fetched(days: Sequence[Tally], outcomes: frozenset[Outcome] = frozenset()) -> Share:
    """Return how many fetches of pages came to some outcomes; a redirect is not counted, for its end is."""
    return total([_outcomes(day, outcomes) for day in days])


def _outcomes(day: Tally, outcomes: frozenset[Outcome]) -> Share:
    of = sum(day.pages.values()) - day.pages.get(Outcome.REDIRECTED.value, 0)
    return Share(count=sum(day.pages.get(outcome.value, 0) for outcome in outcomes), of=of)


def _pages(days: Sequence[Tally]) -> Iterator[SourceWarning]:
    last, before = split(days, lambda day: _outcomes(day, frozenset()).of, LEAST_PAGES)
    for kind, outcomes in OUTCOMES_OF.items():
        now = _fetched(last, outcomes)
        if now.share < HALF or now.of < LEAST_PAGES:
            continue
        usual = [_outcomes(day, outcomes) for day in before]
        jumped = now.share >= 2 * total(usual).share and has_jumped(now, usual)
        if jumped or _fetched(last, outcomes & _NEVER_USUAL).share >= NEARLY_ALL:
            yield _about_pages(kind, last, now, total(usual))


def _about_pages(kind: WarningKind, last: Sequence[Tally], now: Share, before: Share) -> SourceWarning:
    """Say what pages came to, with the most frequent outcome and reason."""
    outcome = max(OUTCOMES_OF[kind], key=lambda one: sum(day.pages.get(one.value, 0) for day in last)).value
    reasons: dict[str, int] = {}
    for day in last:
        for reason, count in day.reasons.get(outcome, {}).items():
            reasons[reason] = reasons.get(reason, 0) + count
    why = f" ({max(reasons, key=lambda reason: reasons[reason])})" if reasons else ""
    what = "and others like it" if len(OUTCOMES_OF[kind]) > 1 else ""
    named = " ".join(part for part in (f"{outcome}{why}", what) if part)
    sentence = f"{now.percent} of the {now.of} pages fetched {_when(last)} came to {named}{_before(before)}."
    return SourceWarning(kind=kind, subject=outcome, sentence=sentence)


def _versions(days: Sequence[Tally]) -> Iterator[SourceWarning]:
    def updated(day: Tally) -> Share:
        again = [day.pages.get(outcome.value, 0) for outcome in _LOOKED_AGAIN]
        return Share(count=sum(again[: len(_NEW_VERSION)]), of=sum(again))

    last, before = split(days, lambda day: updated(day).of, LEAST_PAGES)
    now, usual = total([updated(day) for day in last]), [updated(day) for day in before]
    if now.of < LEAST_PAGES or now.share < HALF:
        return
    if now.share >= NEARLY_ALL or (now.share >= 2 * total(usual).share and has_jumped(now, usual)):
        yield SourceWarning(
            kind=WarningKind.VERSIONS_EXPLODING,
            sentence=f"{now.percent} of the {now.of} articles looked at again {_when(last)} had changed"
            f"{_before(total(usual))}: something that is no text of the article may have got into it.",
        )


# Articles


def _fields(days: Sequence[Tally]) -> Iterator[SourceWarning]:
    last, before = split(days, lambda day: day.articles, LEAST_ARTICLES)
    if total_articles(last) < LEAST_ARTICLES or total_articles(before) < LEAST_BASELINE:
        return
    for name in FIELDS:
        lack = [Share(count=day.articles - day.fields.get(name, 0), of=day.articles) for day in before]
        now = total([Share(count=day.fields.get(name, 0), of=day.articles) for day in last])
        filled = 1 - total(lack).share
        if filled < LEAST_FILLED or now.share > filled / 2:
            continue
        if has_jumped(Share(count=now.of - now.count, of=now.of), lack):
            yield SourceWarning(
                kind=WarningKind.FIELD_MISSING,
                subject=name,
                sentence=f"{now.percent} of the {now.of} new articles {_when(last)} have "
                f"{_NAMES.get(name, f'a {name}')}; before it was {percent(filled)}.",
            )


def _texts(days: Sequence[Tally]) -> Iterator[SourceWarning]:
    last, before = split(days, lambda day: day.articles, LEAST_ARTICLES)
    articles, usual_articles = total_articles(last), total_articles(before)
    if articles < LEAST_ARTICLES or usual_articles < LEAST_BASELINE:
        return
    mean = sum(day.text_sum for day in last) / articles
    usual_mean = sum(day.text_sum for day in before) / usual_articles
    short = _median_place(before)
    if not short or mean > usual_mean / 2:
        return

    def shorter(day: Tally) -> Share:
        return Share(count=sum(day.text_lengths[:short]), of=day.articles)

    now = total([shorter(day) for day in last])
    if now.share >= HALF and has_jumped(now, [shorter(day) for day in before]):
        yield SourceWarning(
            kind=WarningKind.TEXT_SHORT,
            sentence=f"The {articles} new articles {_when(last)} have {mean:.0f} characters on average; before it was "
            f"{usual_mean:.0f}. {now.percent} have less than {TEXT_BOUNDS[short - 1]}.",
        )


def _median_place(days: Sequence[Tally]) -> int:
    """Return between which bounds the median length of texts is."""
    counts = [sum(place) for place in zip(*(day.text_lengths for day in days), strict=True)]
    half, below = sum(counts) / 2, 0
    for place, count in enumerate(counts):
        below += count
        if below >= half:
            return place
    return len(TEXT_BOUNDS)


def _zones(days: Sequence[Tally]) -> Iterator[SourceWarning]:
    last, before = split(days, lambda day: day.articles, LEAST_ARTICLES)
    now = total([Share(count=day.unzoned, of=day.articles) for day in last])
    usual = [Share(count=day.unzoned, of=day.articles) for day in before]
    if now.of < LEAST_ARTICLES or now.share < HALF:
        return
    if now.share >= NEARLY_ALL or (now.share >= 2 * total(usual).share and has_jumped(now, usual)):
        yield SourceWarning(
            kind=WarningKind.ZONE_MISSING,
            sentence=f"{now.percent} of the {now.of} new articles {_when(last)} give their time without a zone, so "
            f"that published_at is empty{_before(total(usual))}; a `timezone` for the source would help.",
        )


# Days


def split(days: Sequence[Tally], size: Callable[[Tally], int], least: int) -> tuple[Sequence[Tally], Sequence[Tally]]:
    """Return the last days that hold `least` of what `size` counts, a week at most, and the weeks before them."""
    start, held = len(days), 0
    while start and held < least and days[-1].day - days[start - 1].day < LONGEST_WINDOW:
        start -= 1
        held += size(days[start])
    last = days[start:]
    if not last:
        return last, ()
    return last, [day for day in days[:start] if last[0].day - day.day <= BASELINE]


def total_articles(days: Sequence[Tally]) -> int:
    """Return how many new articles some days brought."""
    return sum(day.articles for day in days)


# Words


def _at(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _when(days: Sequence[Tally]) -> str:
    return f"on {days[0].day}" if len(days) == 1 else f"since {days[0].day}"


def _before(before: Share) -> str:
    return f"; before it was {before.percent}" if before.of else ""


def _duration(hours: float) -> str:
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"
