"""How fast one article is edited, as its looks tell: a Gamma posterior that is corrected for edits between two looks.

Edits arrive at rate k·s(age); a look that covers ΔS of the cumulative shape S sees whether there was any, not how many.
The correction is the one of J. Cho and H. Garcia-Molina, "Estimating Frequency of Change", ACM Transactions on Internet
Technology 3(3), 2003, in the form of an expected count.
"""

import math


def expected_edits(x: float) -> float:
    """Return the expected number of edits where at least one is known and `x` are expected: x/(1−e^(−x)), 1 at 0."""
    return x / -math.expm1(-x) if x > 1e-9 else 1.0


def chance_of_none(alpha: float, beta: float, covered: float) -> float:
    """Return the chance that an article of posterior Gamma(α, β) is not edited while S grows by `covered`."""
    return math.exp(-alpha * math.log1p(covered / beta))


def observe(alpha: float, beta: float, *, covered: float, changed: bool, extra: float = 0.0) -> tuple[float, float]:
    """Return what a look adds to α and β of a posterior Gamma(alpha, beta).

    `covered` is ΔS, what the look covers; a negative one, of a clock that was set back, counts as nothing.
    `extra` are edits expected in the aftermath of an earlier one, which tell nothing of the rate: what was seen is
    shared between both as it was expected of them.
    """
    covered = max(0.0, covered)
    if not changed:
        return 0.0, covered
    x = alpha / beta * covered
    return expected_edits(x + extra) * (x / (x + extra) if extra > 0 else 1.0), covered
