"""The account of refetches: what articles cost, and at which price.

An article is entered whole when it is found: with the looks that its rule expects to come. Each look then corrects
that, by itself and by how many are expected to follow now instead of before. So what articles cost is known when they
are new, and not only when the last of them is two months old; and where expectations are wrong, the looks put them
right. One that is found late, as of a back catalogue, counts for as much of an article as there is left of its looks.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

ELASTICITY = 2.5
"""By how many per cent the price must rise to spend one per cent less."""
_TRUSTED_ARTICLES = 20.0
"""What so many articles cost is believed half; and so many looks."""
_ENOUGH_ARTICLES = 400.0
"""What so many cost is believed alone."""
_LARGEST_STEP = 1.5
"""Of the logarithm of a price, from the mean of those that were paid."""
_LARGEST_STEP_UP = 4.0
"""Of the logarithm of a restraint: larger, for a host that takes many times its share takes it from all others."""
_LARGEST_LOGARITHM = 20.0
"""Of prices and restraints; what is stored beyond is rubbish."""
_LEAST_COST = 1e-3
"""Of an article, in refetches."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Sums that fade: of articles that were new, of the logarithms of the price and of the host's restraint at which
    they were entered, and of the refetches that they cost or will."""

    articles: float = 0.0
    refetches: float = 0.0
    logs_of_price: float = 0.0
    logs_of_restraint: float = 0.0

    def with_article(self, refetches: float, *, share: float, price: float, restraint: float) -> "Account":
        """Return the account with another article of which so many refetches are expected.

        `share` is how much of an article's looks these are, from 0 to 1: 1 for a new one. `price` is that of all
        hosts, without the restraint.
        """
        return Account(
            articles=self.articles + share,
            refetches=self.refetches + refetches,
            logs_of_price=self.logs_of_price + share * math.log(price),
            logs_of_restraint=self.logs_of_restraint + share * math.log(restraint),
        )

    def charged(self, refetches: float) -> "Account":
        """Return the account with refetches, made or to be expected; below 0 where fewer are than before."""
        return replace(self, refetches=self.refetches + refetches)

    def times(self, factor: float) -> "Account":
        """Return the account with all sums multiplied."""
        return Account(**{name: value * factor for name, value in vars(self).items()})

    def plus(self, other: "Account") -> "Account":
        """Return the sums of both."""
        return Account(**{name: value + getattr(other, name) for name, value in vars(self).items()})

    def price(self, budget: float, start: Callable[[], float]) -> float:
        """Return the price that would have spent `budget` refetches an article, by what was spent at which price.

        `start` is a price from elsewhere, for as long as little was spent.
        """
        trust = 1.0 if self.articles >= _ENOUGH_ARTICLES else _trust(self.articles)
        begin = math.log(start()) if trust < 1 else 0.0
        if trust == 0:
            return math.exp(begin)
        return math.exp(trust * self._answer(self.logs_of_price, budget) + (1 - trust) * begin)

    def restraint(self, *, least: float, most: float, bound: float) -> float:
        """Return by how much a host's price differs from that of all, from 1/`bound` to `bound`: above 1 so that it
        spends `most` refetches an article, below 1 so that it spends `least`; 1 between.

        A few articles that cost many looks are proof enough of the former.
        """
        if self.articles <= 0:
            return 1.0
        dearer = _trust(self.refetches) * self._answer(self.logs_of_restraint, most, largest=_LARGEST_STEP_UP)
        if dearer > 0:
            return math.exp(min(dearer, math.log(bound)))
        cheaper = _trust(self.articles) * self._answer(self.logs_of_restraint, least)
        return math.exp(max(cheaper, -math.log(bound))) if cheaper < 0 else 1.0

    def _answer(self, logs: float, budget: float, *, largest: float = _LARGEST_STEP) -> float:
        """Return a logarithm of price or restraint that is right if spending answers to it as it usually does.

        Spending is compared with the mean of the logarithms under which it was spent: without that, the answer would
        grow for as long as the looks of the past are still in the account, and overshoot.
        """
        cost = max(self.refetches / self.articles, _LEAST_COST)
        excess = math.log(cost / max(budget, _LEAST_COST))
        mean = max(-_LARGEST_LOGARITHM, min(_LARGEST_LOGARITHM, logs / self.articles))
        return mean + max(-_LARGEST_STEP, min(largest, ELASTICITY * excess))


def _trust(count: float) -> float:
    return max(count, 0.0) / (max(count, 0.0) + _TRUSTED_ARTICLES)
