"""One core for the threads that take turns.

Python lets one thread run at a time. When the loop hands work to the database's threads and waits, a hand-over within
a core costs about 10 µs of CPU, and one that wakes another core about 60 µs on a virtual machine. So these threads
share a core, the idlest when they start and again whenever others have made it busy. Threads that run beside
Python (password hashing, compression of large blobs) keep all cores.
"""

from __future__ import annotations

__all__ = ["AffinityOptions", "CoreKeeper", "busy_shares", "core_times"]

import contextlib
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hongyan.options import option

_STAT = Path("/proc/stat")
_MOVE_ABOVE = 0.35  # share of our core that others use
_GAIN = 0.20  # by how much another core must be idler


@dataclass(frozen=True, slots=True)
class AffinityOptions:
    """The section `[process]`: how the process uses the machine."""

    one_core: bool = option(True, "Keep the threads that take turns on one core, the idlest.")
    look_every: float = option(10.0, "How often another core is looked for.", unit="s")


class CoreKeeper:
    """Keeps a set of threads on one core. Where the system cannot do that, it does nothing."""

    def __init__(self, allowed: frozenset[int] | None = None) -> None:
        self._allowed = allowed or _allowed_cores()
        self._threads: set[int] = set()
        self._lock = threading.Lock()
        self._core: int | None = None
        self._last = core_times()
        self._used = sum(os.times()[:2])

    def join(self) -> None:
        """Keep the calling thread on the core from now on."""
        self.adopt(threading.get_native_id())

    def adopt(self, thread: int) -> None:
        """Keep a thread, by the system's number for it, on the core from now on."""
        with self._lock:
            self._threads.add(thread)
            if self._core is None:
                self._core = self._choose(self._last, {})
            self._pin(thread)

    def look_around(self) -> int | None:
        """Move all threads if others keep our core busy; return the core."""
        times = core_times()
        before, self._last = self._last, times
        shares = busy_shares(before, times)
        with self._lock:
            if self._core is None or not shares:
                return self._core
            mine = shares.get(self._core, 0.0) - self._own_share(before, times)
            best = min(self._allowed & set(shares), key=lambda core: shares[core], default=self._core)
            if mine > _MOVE_ABOVE and shares[best] < mine - _GAIN:
                self._core = best
                for thread in tuple(self._threads):
                    self._pin(thread)
            return self._core

    def _choose(self, times: Mapping[int, tuple[int, int]], before: Mapping[int, tuple[int, int]]) -> int | None:
        shares = busy_shares(before, times)
        cores = sorted(self._allowed & set(shares) or self._allowed)
        return min(cores, key=lambda core: shares.get(core, 0.0), default=None)

    def _own_share(self, before: Mapping[int, tuple[int, int]], after: Mapping[int, tuple[int, int]]) -> float:
        """Return how much of a core this process used meanwhile."""
        core = self._core
        used = sum(os.times()[:2])
        last, self._used = self._used, used
        if core is None or core not in after or core not in before:
            return 0.0
        passed = (sum(after[core]) - sum(before[core])) / os.sysconf("SC_CLK_TCK")
        return min((used - last) / passed, 1.0) if passed > 0 else 0.0

    def _pin(self, thread: int) -> None:
        if self._core is not None:
            try:
                os.sched_setaffinity(thread, {self._core})
            except (OSError, AttributeError):
                self._threads.discard(thread)


def core_times() -> dict[int, tuple[int, int]]:
    """Return for each core its (busy, idle) ticks since the machine started."""
    times: dict[int, tuple[int, int]] = {}
    with contextlib.suppress(OSError, ValueError):
        for line in _STAT.read_text().splitlines():
            name, *numbers = line.split()
            if name.startswith("cpu") and name != "cpu":
                ticks = [int(number) for number in numbers[:8]]
                idle = ticks[3] + ticks[4]
                times[int(name[3:])] = (sum(ticks) - idle, idle)
    return times


def busy_shares(before: Mapping[int, tuple[int, int]], after: Mapping[int, tuple[int, int]]) -> dict[int, float]:
    """Return for each core the share of time that it was busy between two looks."""
    shares: dict[int, float] = {}
    for core, (busy, idle) in after.items():
        was_busy, was_idle = before.get(core, (0, 0))
        total = busy - was_busy + idle - was_idle
        shares[core] = (busy - was_busy) / total if total > 0 else 0.0
    return shares


def _allowed_cores() -> frozenset[int]:
    try:
        return frozenset(os.sched_getaffinity(0))
    except (OSError, AttributeError):
        return frozenset()
