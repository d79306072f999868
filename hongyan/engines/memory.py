"""Bus and counters of a single process."""

from __future__ import annotations

__all__ = ["MemoryBus", "MemoryCounters"]

import asyncio
from array import array
from bisect import bisect_right

from hongyan import telemetry
from hongyan.clock import Clock
from hongyan.engines.windows import free_old, time_to_fit
from hongyan.store.bus import Subscription, Take, Topic
from hongyan.telemetry import metrics

_MAX_HINTS = 100_000  # that wait for the loop; beyond, the oldest is lost
_MAX_WINDOWS = 200_000
_MAX_SLOTS = 4_000_000  # 8 octets each

log = telemetry.logger("engines")


class MemoryBus:
    """Hands hints to the subscribers in the loop's next round, all about one subject as one."""

    def __init__(self, *, max_hints: int = _MAX_HINTS) -> None:
        self._max_hints = max_hints
        self._takers: dict[Topic, list[Take]] = {topic: [] for topic in Topic}
        self._waiting: dict[tuple[Topic, int], int] = {}

    def publish(self, topic: Topic, subject: int, position: int) -> None:
        if not self._takers[topic]:
            return
        waiting = self._waiting
        if not waiting:
            asyncio.get_running_loop().call_soon(self._hand_out)
        key = (topic, subject)
        known = waiting.get(key)
        if known is None and len(waiting) >= self._max_hints:
            del waiting[next(iter(waiting))]
        waiting[key] = position if known is None else max(known, position)

    def subscribe(self, topic: Topic, take: Take) -> Subscription:
        return _Subscription(self._takers[topic], take)

    def _hand_out(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for (topic, subject), position in waiting.items():
            for take in tuple(self._takers[topic]):
                try:
                    take(subject, position)
                except Exception as error:  # noqa: BLE001 - the top of a job: one listener must not stop the others
                    metrics.panic_total.labels("engines").inc()
                    log.error("panic", error=error, topic=topic.value)


class _Subscription:
    def __init__(self, takers: list[Take], take: Take) -> None:
        self._takers = takers
        self._take = take
        takers.append(take)

    def cancel(self) -> None:
        if self._take in self._takers:
            self._takers.remove(self._take)


class MemoryCounters:
    """Windows as sorted arrays of times, in bounded memory."""

    def __init__(self, clock: Clock, *, max_windows: int = _MAX_WINDOWS, max_slots: int = _MAX_SLOTS) -> None:
        self._clock = clock
        self._max_windows = max_windows
        self._max_slots = max_slots
        self._windows: dict[str, array[float]] = {}  # the longest untouched first
        self._slots = 0

    async def take(self, key: str, limit: int, period: float, amount: int = 1) -> float:
        now = self._clock.monotonic()
        window = self._windows.pop(key, None)
        if window is None:
            window = array("d")
        else:
            self._slots -= free_old(window, now - period)
        wait = time_to_fit(window, limit, period, amount, now)
        if not wait:
            window.extend([now] * amount)
            self._slots += amount
        if window:
            self._windows[key] = window  # it was touched last
            self._make_room()
        return wait

    async def give_back(self, key: str, amount: int = 1) -> None:
        window = self._windows.get(key)
        if window is not None:
            freed = min(amount, len(window))
            del window[len(window) - freed :]
            self._slots -= freed
            if not window:
                del self._windows[key]

    async def count(self, key: str, period: float) -> int:
        window = self._windows.get(key, ())
        return len(window) - bisect_right(window, self._clock.monotonic() - period)

    async def forget(self, prefix: str) -> None:
        for key in [key for key in self._windows if key.startswith(prefix)]:
            self._slots -= len(self._windows.pop(key))

    def _make_room(self) -> None:
        while len(self._windows) > self._max_windows or (self._slots > self._max_slots and len(self._windows) > 1):
            self._slots -= len(self._windows.pop(next(iter(self._windows))))
