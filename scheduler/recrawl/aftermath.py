"""What follows an edit: for some hours after a look that showed a change, more edits come than rate and age would have it.

Corrections come in bursts: who looks again minutes after a change finds what an hour later is overwritten. The extra
rate depends on the time since that look alone, is constant within a few bins, ends after a day, and is learnt per host.
"""

from bisect import bisect_right
from collections.abc import Sequence

EDGES = (0.0, 600.0, 1800.0, 5400.0, 18_000.0, 86_400.0)
"""Where the bins begin, in seconds after the look; the last value ends the last bin."""
BINS = len(EDGES) - 1
_PRIOR_EDITS = 0.02
"""Extra edits expected in each bin before anything is learnt."""
PRIOR_RATES = tuple(_PRIOR_EDITS / (EDGES[place + 1] - EDGES[place]) for place in range(BINS))
POOL_WEIGHT = 0.5
HOST_WEIGHT = 2.0


def learnt_rates(
    events: Sequence[float], exposure: Sequence[float], towards: Sequence[float], weight: float
) -> tuple[float, ...]:
    """Return extra edits a second in each bin, drawn `towards` others as if each bin had seen `weight` edits.

    `events` are the extra edits expected in each bin, `exposure` the seconds watched there.
    """
    return tuple(
        (events[place] + weight) / (exposure[place] + weight / max(towards[place], 1e-12)) for place in range(BINS)
    )


def cumulative(rates: Sequence[float], since: float) -> float:
    """Return how many extra edits are expected until `since` seconds after the look that showed a change."""
    if since <= 0:
        return 0.0
    whole = min(bisect_right(EDGES, since) - 1, BINS)
    total = sum(rates[place] * (EDGES[place + 1] - EDGES[place]) for place in range(whole))
    return total + (rates[whole] * (since - EDGES[whole]) if whole < BINS else 0.0)


def split(begin: float, end: float) -> list[tuple[int, float]]:
    """Return the bins that an interval touches, each with how many seconds of it lie there."""
    parts = []
    for place in range(BINS):
        inside = min(end, EDGES[place + 1]) - max(begin, EDGES[place])
        if inside > 0:
            parts.append((place, inside))
    return parts
