"""Whether a share jumped: counts of some days against those of the weeks before. Pure.

The bound on false alarms is Chernoff's: of n cases with probability p, a share of at least s comes up with probability
exp(-n·D) at most, where D = s·ln(s/p) + (1-s)·ln((1-s)/(1-p)). Cases of one day resemble each other (a section without
authors, an hour in which a server is down), so n is divided by how much more than by chance the days before differed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

EVIDENCE = 14.0
"""So much evidence (natural logarithm) an alarm needs: one in 1,200,000 looks at a source at which nothing changed.

A source is judged by 16 shares, seven of them by up to eight numbers of articles. Were each looked at anew with five
independent sets of cases a day, that would be one false alarm in ten years.
"""
HALF = 0.5
NEARLY_ALL = 0.8


@dataclass(frozen=True, kw_only=True)
class Share:
    """So many of so many; what cannot be (more than all, or less than none) is taken for the nearest that can."""

    count: int
    of: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", max(self.of, 0))
        object.__setattr__(self, "count", min(max(self.count, 0), self.of))

    @property
    def share(self) -> float:
        """The share, 0 of nothing."""
        return self.count / self.of if self.of else 0.0

    @property
    def percent(self) -> str:
        """The share for people."""
        return percent(self.share)


def percent(share: float) -> str:
    """Return a share for people."""
    return f"{share * 100:.0f} %"


def total(days: Sequence[Share]) -> Share:
    """Return the share over all days."""
    return Share(count=sum(day.count for day in days), of=sum(day.of for day in days))


def has_jumped(now: Share, before: Sequence[Share], longer: Sequence[Share] = ()) -> bool:
    """Whether a share grew beyond chance. `before` are earlier days, each by itself; `longer` are those days and more,
    if more are known: how much days differ takes more of them to tell than what is usual."""
    if now.share <= total(before).share:
        return False
    likeness = max(_likeness(before), _likeness(longer))
    usual = _usual_at_most(before, likeness)
    if now.share <= usual:
        return False
    return now.of / likeness * _divergence(now.share, usual) >= EVIDENCE


def has_risen(now: Sequence[Share], before: Sequence[Share]) -> bool:
    """Whether days, the last of which is not over, hold more such cases than whole days before, beyond chance.

    Of such a day the share tells little: a source may give its agency copy without authors, and all of it in the
    morning. How many such cases a day holds in the end is known of the days before, and only more than that are news.
    The bound is Chernoff's again, of a Poisson number, divided by how much more than by chance the days before varied.
    """
    usual = [day.count for day in before if day.of]
    if not usual:
        return True
    count, days = total(now).count, sum(1 for day in now if day.of)
    mean = (sum(usual) + 1) / (len(usual) + 1)
    variation = max(sum((one - mean) ** 2 for one in usual) / max(len(usual) - 1, 1) / mean, 1.0)
    most = days * (mean + 2 * math.sqrt(mean * variation / len(usual)))
    return count > most and (count * math.log(count / most) - count + most) / variation >= EVIDENCE


def has_doubled(now: Share, before: Sequence[Share], longer: Sequence[Share] = ()) -> bool:
    """Whether a share grew beyond chance to twice what was usual, and to a half at least."""
    return now.share >= max(HALF, 2 * total(before).share) and has_jumped(now, before, longer)


def prevails(now: Share, before: Sequence[Share], longer: Sequence[Share] = (), *, least: int) -> bool:
    """Whether of `least` cases or more most are so: nearly all, whatever was usual, or many more than before."""
    return now.of >= least and (now.share >= NEARLY_ALL or has_doubled(now, before, longer))


def is_calm(share: float, usual: float) -> bool:
    """Whether a share that had come to prevail is back near what was usual."""
    return share < (HALF + min(usual, HALF)) / 2


def _usual_at_most(before: Sequence[Share], likeness: float) -> float:
    """Return the share of earlier days as high as it may have been: by two standard errors, and never nothing."""
    whole = total(before)
    guess = (whole.count + 1) / (whole.of + 2)
    error = math.sqrt(guess * (1 - guess) * likeness / (whole.of + 2))
    return min(guess + 2 * error, 1 - 1e-9)


def _likeness(before: Sequence[Share]) -> float:
    """Return how much more than by chance the shares of single days differ, at least 1 (the design effect)."""
    usual, days = total(before).share, [day for day in before if day.of]
    if len(days) < 3 or not 0 < usual < 1:
        return 1.0
    squares = sum((day.count - day.of * usual) ** 2 / (day.of * usual * (1 - usual)) for day in days)
    return max(squares / (len(days) - 1), 1.0)


def _divergence(share: float, usual: float) -> float:
    """Return Kullback and Leibler's divergence of two shares."""
    above = share * math.log(share / usual) if share else 0.0
    below = (1 - share) * math.log((1 - share) / (1 - usual)) if share < 1 else 0.0
    return above + below
