"""By which rule the articles of each source are looked at again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from crawler.intervals import parse_duration
from scheduler.recrawl import Limits, Rule, rule_of
from scheduler.settings import Settings
from storage.model import RecrawlRule, Source

if TYPE_CHECKING:
    # It brings Scrapy along, a second and more of every `morgue status`.
    from crawler.runner import SourceBook


@dataclass(frozen=True, kw_only=True)
class PlanSettings:
    """How articles are looked at again where their source says nothing else.

    `recrawl` is the name of a rule, or a duration; `watch_for` how long after it came out an article is watched;
    `half_life` how late an edit may be seen to be worth half, None for what the budget can afford;
    `refetches_per_article` how often an article may be fetched again, on average.
    """

    recrawl: str = RecrawlRule.PLAN.value
    watch_for: timedelta = timedelta(days=60)
    half_life: timedelta | None = None
    refetches_per_article: float = 6.0

    @property
    def limits(self) -> Limits:
        """What a rule is held to."""
        return Limits(
            watch_for=self.watch_for, refetches_per_article=self.refetches_per_article, half_life=self.half_life
        )


def plan_settings(settings: Settings) -> PlanSettings:
    """Return the settings of recrawling from those of everything."""
    return PlanSettings(
        recrawl=settings.service.recrawl,
        watch_for=parse_duration(settings.service.watch_for),
        half_life=settings.service.half_life,
        refetches_per_article=settings.crawl.refetches_per_article,
    )


class RuleBook:
    """Knows the rule of each source. A rule remembers what it computed, so there is one of each kind."""

    def __init__(self, sources: "SourceBook", settings: PlanSettings) -> None:
        self._sources = sources
        self.settings = settings
        self._rules: dict[str, Rule] = {}

    def interval(self, source_id: int) -> timedelta | None:
        """Return the interval that somebody fixed for a source's articles, or None where a rule chooses it."""
        return _interval(self._recrawl(self._sources.source(source_id).source))

    def rule(self, source_id: int) -> Rule:
        """Return the rule of a source."""
        recrawl = self._recrawl(self._sources.source(source_id).source)
        if recrawl not in self._rules:
            interval = _interval(recrawl)
            name = recrawl if interval is None else RecrawlRule.FIXED.value
            self._rules[recrawl] = rule_of(name, interval=interval, limits=self.settings.limits)
        return self._rules[recrawl]

    def described(self, sources: Iterable[Source]) -> dict[str, list[str]]:
        """Return by what the articles of these sources are planned, by their slugs: the rule, and its limits.

        Where that is another than it was, they are planned anew.
        """
        settings = self.settings
        limits = (
            f"{settings.refetches_per_article:g} in {settings.watch_for.total_seconds():.0f} s, "
            f"half in {settings.limits.half_life_in_use.total_seconds():.0f} s"
        )
        return {source.slug: [self._recrawl(source), limits] for source in sources}

    def _recrawl(self, source: Source) -> str:
        return source.recrawl or self.settings.recrawl


def _interval(recrawl: str) -> timedelta | None:
    return None if recrawl in set(RecrawlRule) else parse_duration(recrawl)
