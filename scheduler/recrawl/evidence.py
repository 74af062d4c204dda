"""How fast one article is edited, as its looks tell: a Gamma posterior that is corrected for edits between two looks.

Edits arrive at rate k·s(age); a look that covers ΔS of the cumulative shape S sees whether there was any, not how many.
The correction is the one of J. Cho and H. Garcia-Molina, "Estimating Frequency of Change", ACM Transactions on Internet
Technology 3(3), 2003, in the form of an expected count: x edits expected, and at least one known, are x/(1−P) of them
with P the chance of none. For a rate that is known P is e^(−x). For one that is not, P is the mean of that over the
posterior, (β/(β+ΔS))^α, and larger: where most articles are never edited, one that is may well be edited again and
again, and e^(−x) would be slow to believe it.
"""

import math


def chance_of_some(alpha: float, beta: float, covered: float) -> float:
    """Return the chance that an article of posterior Gamma(α, β) is edited while S grows by `covered`."""
    return -math.expm1(-alpha * math.log1p(covered / beta))


def edits_of_change(alpha: float, beta: float, covered: float) -> float:
    """Return how many edits are expected in a look that showed a change and covers a ΔS; 1 where that is 0."""
    x = alpha / beta * covered
    # The chance can round to 0 where next to nothing is covered.
    return x / chance_of_some(alpha, beta, covered) if x > 1e-12 else 1.0


def observe(alpha: float, beta: float, *, covered: float, changed: bool) -> tuple[float, float]:
    """Return what a look adds to α and β of a posterior Gamma(alpha, beta).

    `covered` is ΔS, what the look covers; a negative one, of a clock that was set back, counts as nothing.
    """
    covered = max(0.0, covered)
    return edits_of_change(alpha, beta, covered) if changed else 0.0, covered
