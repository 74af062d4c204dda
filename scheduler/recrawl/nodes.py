"""A Gamma distribution of rates k as five values with weights."""

import math

NODES = 5


def gamma_nodes(alpha: float, beta: float) -> tuple[tuple[float, float], ...]:
    """Return (k, weight) pairs that stand for Gamma(α, β): evenly spaced in log k, its mean kept exactly.

    Evenly spaced quantiles would miss the few busy articles of a small α, which make most of the edits. What lies below
    the lowest value is hardly ever edited and has no node, so the weights may add up to less than 1.
    """
    width = 1.0 / math.sqrt(alpha + 0.35)
    step = 1.05 * width
    centre = math.log((alpha + 0.35) / beta) - 0.9 * step
    norm = alpha * math.log(beta) - math.lgamma(alpha)
    pairs = []
    for place in range(NODES):
        log_k = centre + step * (place - NODES // 2)
        k = math.exp(log_k)
        pairs.append((k, step * math.exp(norm + alpha * log_k - beta * k)))
    mean = sum(k * weight for k, weight in pairs)
    total = sum(weight for _, weight in pairs)
    # Too much weight where few nodes meet a narrow peak is put right first, then the mean.
    shrink = min(1.0, 1.0 / total)
    scale = alpha / beta / (mean * shrink)
    return tuple((k * scale, weight * shrink) for k, weight in pairs)
