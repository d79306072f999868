"""One timer for all connections of a server.

An idle connection has no timer of its own. It stands in one of the wheel's slots; each second the wheel turns by
one slot and asks whoever stands there when to look again. A deadline is kept to the second: never early, and
at most two seconds late.
"""

from __future__ import annotations

__all__ = ["Timed", "Wheel"]

import asyncio
import math
from collections.abc import Callable
from typing import Protocol

from hongyan import telemetry
from hongyan.clock import Clock
from hongyan.telemetry import metrics

_SLOTS = 64
_FARTHEST = _SLOTS - 1  # seconds; whoever has more time is asked sooner than it need be
_OUT = -1

log = telemetry.logger("servers")


class Timed(Protocol):
    """What can stand in the wheel."""

    slot: int
    """Written by the wheel alone; begins as -1."""

    def due(self, now: float) -> float:
        """Do what is due, and return the seconds until the next look, or 0 to leave the wheel."""
        ...


class Wheel:
    """Asks everything that stands in it, in good time."""

    __slots__ = ("_clock", "_second", "_slots", "now")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._slots: list[set[Timed]] = [set() for _ in range(_SLOTS)]
        self.now = clock.monotonic()
        """The time of the last turn, for those whom a second more or less does not matter."""
        self._second = int(self.now)

    def add(self, item: Timed, seconds: float) -> None:
        """Look at the item after so many seconds, or sooner. It must not stand in the wheel already."""
        ahead = min(max(math.ceil(seconds), 1), _FARTHEST)
        item.slot = (int(self.now) + ahead) % _SLOTS
        self._slots[item.slot].add(item)

    def remove(self, item: Timed) -> None:
        """Forget the item, if it stands here."""
        if item.slot != _OUT:
            self._slots[item.slot].discard(item)
            item.slot = _OUT

    def every(self, seconds: float, act: Callable[[], None]) -> None:
        """Call `act` at least each so many seconds, at most 63, for as long as the wheel turns."""
        self.add(_Repeated(seconds, act), seconds)

    def turn(self) -> None:
        """Look at everything whose time has come since the last turn."""
        now = self.now = self._clock.monotonic()
        second = int(now)
        for passed in range(max(self._second + 1, second - _FARTHEST), second + 1):
            place = passed % _SLOTS
            items, self._slots[place] = self._slots[place], set()
            for item in items:
                self._look(item, now)
        self._second = second

    async def run(self) -> None:
        """Turn once a second until cancelled."""
        while True:
            await asyncio.sleep(1)
            self.turn()

    def _look(self, item: Timed, now: float) -> None:
        item.slot = _OUT
        try:
            again = item.due(now)
        except Exception as error:  # noqa: BLE001 - the top of a job: one connection's fault must not stop all timers
            metrics.panic_total.labels("servers").inc()
            log.error("panic", error=error)
            return
        if again > 0:
            self.add(item, again)


class _Repeated:
    __slots__ = ("_act", "_seconds", "slot")

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self.slot = _OUT
        self._seconds = seconds
        self._act = act

    def due(self, now: float) -> float:  # noqa: ARG002 - it keeps to its beat
        try:
            self._act()
        except Exception as error:  # noqa: BLE001 - the top of a job, which goes on
            metrics.panic_total.labels("servers").inc()
            log.error("panic", error=error)
        return self._seconds
