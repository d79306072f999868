"""A sliding window as a sorted array of the times at which its slots were taken: what all counters have in common."""

from __future__ import annotations

__all__ = ["free_old", "time_to_fit"]

from array import array
from bisect import bisect_right


def free_old(window: array[float], before: float) -> int:
    """Free the slots that are as old as the window is long; return how many."""
    old = bisect_right(window, before)
    del window[:old]
    return old


def time_to_fit(window: array[float], limit: int, period: float, amount: int, now: float) -> float:
    """Return 0 when so many more slots fit, else how long until enough of the old ones are free."""
    excess = len(window) + amount - limit
    if excess <= 0:
        return 0.0
    if amount > limit:
        return period
    return window[excess - 1] + period - now
