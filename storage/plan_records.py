"""What the planner of looks at pages is given, and what it hands back. Frozen values; every instant is in UTC."""

from dataclasses import dataclass
from datetime import datetime

from storage.model import NextReason
from storage.outcomes import Outcome


@dataclass(frozen=True, kw_only=True)
class PageHistory:
    """What the planner is given to say when a page is due next, and what it said last.

    `last_look_at` is the last look that counted, `looks` and `changes` how many there were, and how many of them made a
    version. What they told until `learnt_until`, with `learnt_changes` changes, is in `rate_alpha` and `rate_beta`, a
    Gamma distribution's parameters beyond those of its host, and in `interval_seconds`, of the rules that adapt one.
    `hinted_at` is the newest time of a change that an index gave since the last look.
    `has_candidate` says that a reading waits for a second look; `suspect_looks` how many looks showed a suspect text,
    0 where none waits that looks can confirm. `has_article` says that it is the primary page of an article.
    `watched_from` is when an operator had it watched anew, `released_by` who ended its watch for good.
    """

    page_id: int
    source_id: int
    host: str
    first_seen_at: datetime
    published_at: datetime | None
    last_fetch_at: datetime | None
    last_outcome: Outcome | None
    consecutive_failures: int
    looks: int
    changes: int
    last_changed_at: datetime | None
    has_candidate: bool
    suspect_looks: int = 0
    has_article: bool = False
    last_look_at: datetime | None = None
    rate_alpha: float = 0.0
    rate_beta: float = 0.0
    interval_seconds: float | None = None
    learnt_until: datetime | None = None
    learnt_changes: int = 0
    hinted_at: datetime | None = None
    watched_from: datetime | None = None
    next_fetch_at: datetime | None = None
    next_fetch_reason: NextReason | None = None
    watch_ended: bool = False
    paused: bool = False
    alias_of: int | None = None
    released_by: str | None = None

    @property
    def born_at(self) -> datetime:
        """When the article came out, as far as we know: a date on a page may be wrong, but what we saw ourselves is the
        least age that it can have."""
        return min(self.first_seen_at, self.published_at or self.first_seen_at)


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """What the looks at a page until an instant told of how often it is edited; the fields are those of `PageHistory`.

    `hinted_at` is the hint that still waits for a look.
    """

    until: datetime
    changes: int
    rate_alpha: float
    rate_beta: float
    interval_seconds: float | None
    hinted_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class PagePlan:
    """When a page is due next and why; `at` is None for one that is not watched any more. `learnt` is None where the
    looks so far told nothing new."""

    page_id: int
    at: datetime | None
    reason: NextReason
    learnt: Learnt | None = None
