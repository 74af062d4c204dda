"""What a rule of recrawling is told of one article, and what it answers. Values only; all instants are aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the looks at one article told about its rate of edits, beyond its host's prior; kept with its page.

    `alpha` counts edits, `beta` is the exposure they were seen in, in units of the age shape's S. `interval_seconds` is
    for the rules that remember an interval and change it after each look; None before the first.
    """

    alpha: float = 0.0
    beta: float = 0.0
    interval_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One article as it is watched. `looks` and `changes` are of looks that count, the first one among the looks.

    `born_at` is when it was published, or first seen if that is earlier or unknown. `last_look_at` is None before the
    first look. `hinted_at` is the time at which a feed or sitemap says it was updated, if that is newer than the last
    look; else None.
    """

    born_at: datetime
    last_look_at: datetime | None
    last_changed_at: datetime | None = None
    looks: int = 0
    changes: int = 0
    evidence: Evidence = Evidence()
    hinted_at: datetime | None = None

    def age(self, at: datetime) -> float:
        """Return the article's age at an instant, in seconds; 0 for one before its birth."""
        return max(0.0, (at - self.born_at).total_seconds())


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an operator asks of recrawling.

    An article is watched until it is `watch_for` old, and looked at again `refetches_per_article` times in that life on
    average. Seeing an edit `half_life` late is worth half as much as seeing it at once; where none is given, it is
    what such a budget can afford. No wait is shorter than `shortest`, nor longer than `longest`: at a low budget
    the last look may well come at the end of the watch.
    """

    watch_for: timedelta = timedelta(days=60)
    refetches_per_article: float = 6.0
    half_life: timedelta | None = None
    shortest: timedelta = timedelta(minutes=5)
    longest: timedelta = timedelta(days=60)

    @property
    def half_life_in_use(self) -> timedelta:
        """The half-life of an edit's worth: three times the mean time between looks where the operator gives none.

        With a much shorter one the plan would give up on quiet articles early, and miss what is edited later.
        """
        return self.half_life or 3 * self.watch_for / max(self.refetches_per_article, 0.1)

    def bounded(self, seconds: float) -> float:
        """Return a wait in seconds, within the bounds."""
        return min(max(seconds, self.shortest.total_seconds()), self.longest.total_seconds())


@dataclass(frozen=True, kw_only=True)
class Decision:
    """When an article is looked at again, and why. `at` is None where no further look is worth its price.

    `detail` holds the numbers for an explanation, among them `age_seconds` (at the decision), and of the plan
    `expected_edits` (until the look), `edited_share` (of such articles, by this age), `price` and `gain`.
    """

    at: datetime | None
    reason: str
    detail: Mapping[str, float] = field(default_factory=dict)
