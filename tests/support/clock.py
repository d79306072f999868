"""Time and chance that a test is master of: `hongyan.clock.Clock` and `Random`, in two classes."""

from __future__ import annotations

__all__ = ["FakeClock", "FakeRandom"]

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


class FakeClock:
    """Stands still until `advance`. The wall clock alone is moved by `set`, as an administrator does."""

    def __init__(self, start: datetime = _START) -> None:
        self._wall = start
        self._monotonic = 1000.0  # Its zero means nothing: code that thinks otherwise should fail.
        self._timers: list[Callable[[], None]] = []

    def now(self) -> datetime:
        return self._wall

    def timestamp(self) -> float:
        return self._wall.timestamp()

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, duration: float | timedelta) -> None:
        """Let time pass: seconds or a duration."""
        passed = duration if isinstance(duration, timedelta) else timedelta(seconds=duration)
        if passed < timedelta():
            raise ValueError("time does not run backwards; set the wall clock instead")
        self._wall += passed
        self._monotonic += passed.total_seconds()
        for turn in self._timers:
            turn()

    def drives(self, turn: Callable[[], None]) -> None:
        """Call `turn` whenever time has passed: what begins after a jump is not taken for as old as what was before."""
        self._timers.append(turn)

    def set(self, wall: datetime) -> None:
        """Correct the wall clock, in either direction; durations do not notice."""
        self._wall = wall


class FakeRandom:
    """The same chances in each run."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def token(self, octets: int) -> bytes:
        return self._random.randbytes(octets)

    def below(self, bound: int) -> int:
        return self._random.randrange(bound)

    def jitter(self, spread: float) -> float:
        return self._random.uniform(1 - spread, 1 + spread)
