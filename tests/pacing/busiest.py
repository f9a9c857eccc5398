"""The most that happened in any second."""

from collections import deque
from collections.abc import Iterable


def busiest_second(moments: Iterable[float]) -> int:
    """How many of `moments` (seconds) lie in the fullest half-open second, wherever it begins."""
    most = 0
    within: deque[float] = deque()
    for at in sorted(moments):
        within.append(at)
        while within[0] <= at - 1:
            within.popleft()
        most = max(most, len(within))
    return most
