"""Time and chance, handed in. No other module asks the system for either.

Wall time is aware UTC; durations are measured on the monotonic clock, which no correction of
the wall clock moves.
"""

from __future__ import annotations

__all__ = ["Clock", "Random", "SystemClock", "SystemRandom"]

import random
import secrets
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time is it?"""

    def now(self) -> datetime:
        """Return the wall time, aware and in UTC."""
        ...

    def timestamp(self) -> float:
        """Return the wall time in seconds since 1970, as `now` does, but cheap."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps. Its zero means nothing."""
        ...


class Random(Protocol):
    """Chance: secrets and jitter."""

    def token(self, octets: int) -> bytes:
        """Return so many octets that nobody can guess."""
        ...

    def below(self, bound: int) -> int:
        """Return an unguessable number in [0, bound)."""
        ...

    def jitter(self, spread: float) -> float:
        """Return a factor near 1, evenly spread over [1 - spread, 1 + spread]. Not secret."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    timestamp = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


class SystemRandom:
    """The machine's randomness."""

    token = staticmethod(secrets.token_bytes)
    below = staticmethod(secrets.randbelow)

    def jitter(self, spread: float) -> float:
        return random.uniform(1 - spread, 1 + spread)  # noqa: S311 - it spreads load and guards no secret
