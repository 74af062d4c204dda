"""The account of refetches: what articles cost, and at which price.

An article is entered whole when it is new: with the looks that its rule expects to come. Each look then corrects that,
by itself and by how many are expected to follow now instead of before. Over an article's life these entries add up to
its looks, whatever was expected; and as an expectation is mostly right, what articles cost is known when they are new,
and not only when the last of them is two months old.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

ELASTICITY = 2.5
"""By how many per cent the price must rise to spend one per cent less."""
_TRUSTED_ARTICLES = 20.0
"""What so many articles cost is believed half."""
_ENOUGH_ARTICLES = 400.0
"""What so many cost is believed alone."""
_LARGEST_STEP = 1.5
"""Of the logarithm of what is spent for each fetch that was asked."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Sums that fade: of articles that were new, of refetches that they cost or will, and of the logarithms of the
    price and of the host's restraint under which these were made."""

    articles: float = 0.0
    refetches: float = 0.0
    logs_of_price: float = 0.0
    logs_of_restraint: float = 0.0

    def with_article(self, weight: float) -> "Account":
        """Return the account with a new article, which counts for `weight` articles."""
        return replace(self, articles=self.articles + weight)

    def charged(self, refetches: float, *, price: float, restraint: float) -> "Account":
        """Return the account with refetches, made or to be expected; fewer than none where fewer are than before.

        `price` is that of all hosts, without the restraint.
        """
        return replace(
            self,
            refetches=self.refetches + refetches,
            logs_of_price=self.logs_of_price + refetches * math.log(price),
            logs_of_restraint=self.logs_of_restraint + refetches * math.log(restraint),
        )

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
        trust, nothing_spent = self._trust(), self.refetches <= 0
        begin = math.log(start()) if trust < 1 or nothing_spent else 0.0
        answer = begin - _LARGEST_STEP if nothing_spent else self._answer(self.logs_of_price, budget)
        return math.exp(trust * answer + (1 - trust) * begin)

    def restraint(self, most: float, largest: float) -> float:
        """Return the restraint, from 1 to `largest`, that would have spent `most` refetches an article."""
        trust = self._trust() if self.refetches > 0 else 0.0
        return (
            math.exp(max(0.0, min(trust * self._answer(self.logs_of_restraint, most), math.log(largest))))
            if trust
            else 1.0
        )

    def _trust(self) -> float:
        if self.articles >= _ENOUGH_ARTICLES:
            return 1.0
        return max(self.articles, 0.0) / (self.articles + _TRUSTED_ARTICLES)

    def _answer(self, logs: float, budget: float) -> float:
        """Return a logarithm of price or restraint that is right if spending answers to it as it usually does.

        Spending is compared with the mean of the logarithms under which it was spent: without that, the answer would
        grow for as long as the looks of the past are still in the account, and overshoot.
        """
        excess = math.log(self.refetches / (self.articles * max(budget, 0.05)))
        return logs / self.refetches + max(-_LARGEST_STEP, min(_LARGEST_STEP, ELASTICITY * excess))
