"""Whether time grows with the length of the input or faster: by ratios within one run, so no machine is too slow."""

import re
import time
from collections.abc import Callable

SLACK = 2.8
"""How much more time twice the input may take: 2 where time grows in line, 4 where it grows with the square."""

Act = Callable[[], object]


def best_of(times: int, act: Act) -> float:
    """Return the least processor time in seconds that an act took."""
    taken = []
    for _ in range(times):
        began = time.thread_time()
        act()
        taken.append(time.thread_time() - began)
    return min(taken)


def yardstick(length: int) -> float:
    """Return how long an ordinary pattern takes for a text of a length, in seconds, on this machine and now."""
    pattern, text = re.compile(r"(?:[a-c]|de)+?(?=[fg])"), "abcde" * (length // 5)
    return best_of(5, lambda: pattern.match(text))


def grows_too_fast(make: Callable[[int], Act], *, length: int) -> bool:
    """Whether twice the input takes far more than twice the time, twice in a row up to a length; tried three times.

    `make` makes the act for a length.
    """
    for attempt in range(3):
        first, second, third = (best_of(2 + attempt, make(length // part)) for part in (4, 2, 1))
        if second <= SLACK * first or third <= SLACK * second:
            return False
    return True
