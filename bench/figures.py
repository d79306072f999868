"""Statistics of a run: medians with their spread, percentiles, and ratios of what stood side by side."""

from __future__ import annotations

__all__ = ["Spread", "paired_ratios", "percentile"]

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Some values of the same thing: the one in the middle, the lowest and the highest."""

    median: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.median <= self.high:
            raise ValueError(f"{self.median} is not between {self.low} and {self.high}")

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """None if there are no values."""
        return cls(statistics.median(values), min(values), max(values)) if values else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value that `share` of the values do not exceed (nearest rank); None if there are no values."""
    if not values:
        return None
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)  # rounded up
    return ordered[min(max(rank, 1), len(ordered)) - 1]


def paired_ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread | None:
    """Return the spread of ours/theirs, round by round.

    The two of a round ran within seconds of one another, on a core of nearly one speed: their ratio keeps still
    when the absolute figures do not.
    """
    return Spread.of([our / their for our, their in zip(ours, theirs, strict=False) if their > 0])
