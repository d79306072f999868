"""Sliding windows that all processes on one database share.

A window is a row, and whoever takes a slot holds it until the commit: a crowd at several machines does not slip
through. Times are those of the wall clock, which the machines have in common; where they differ a window stays in
order by its last slot.
"""

from __future__ import annotations

__all__ = ["SqlCounters"]

from array import array
from bisect import bisect_right

from hongyan.clock import Clock
from hongyan.engines.sql.units import MakeUnit, SqlDatabase, Statement, T, Unit, unit_of
from hongyan.engines.windows import free_old, time_to_fit
from hongyan.errors import ServerFault, Unavailable


class SqlCounters:
    """`store.counters.Counters` in SQL."""

    def __init__(self, database: SqlDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def take(self, key: str, limit: int, period: float, amount: int = 1) -> float:
        return await self._write(unit_of(_take, key, limit, period, amount, self._clock.timestamp()))

    async def give_back(self, key: str, amount: int = 1) -> None:
        await self._write(unit_of(_give_back, key, amount))

    async def count(self, key: str, period: float) -> int:
        try:
            slots = await self._database.read(_slots(key))
        except ServerFault as fault:
            raise Unavailable(cause=fault.cause) from fault
        return len(slots) - bisect_right(slots, self._clock.timestamp() - period)

    async def forget(self, prefix: str) -> None:
        await self._write(unit_of(_forget, prefix))

    async def expire(self) -> int:
        """Remove windows that are empty; return how many."""
        return await self._write(unit_of(_expire, self._clock.timestamp()))

    async def _write(self, make: MakeUnit[T]) -> T:
        try:
            return await self._database.write(make, durable=False, small=True)
        except Unavailable:
            raise
        except ServerFault as fault:  # whatever it is, the windows cannot be reached
            raise Unavailable(cause=fault.cause) from fault


def _take(key: str, limit: int, period: float, amount: int, now: float) -> Unit[float]:
    rows = yield Statement(
        "INSERT INTO limit_windows (name, slots, expires_at) VALUES ($1, $2, $3)"
        " ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING slots",
        (key, b"", now),
    )
    window = array("d", rows[0][0])
    free_old(window, now - period)
    wait = time_to_fit(window, limit, period, amount, now)
    if not wait:
        window.extend([max(now, window[-1]) if window else now] * amount)
    ends = (window[-1] if window else now) + period
    yield Statement("UPDATE limit_windows SET slots = $1, expires_at = $2 WHERE name = $3", (bytes(window), ends, key))
    return wait


def _give_back(key: str, amount: int) -> Unit[None]:
    # The row is held from here on: another's slots are not lost.
    rows = yield Statement("UPDATE limit_windows SET name = name WHERE name = $1 RETURNING slots", (key,))
    if rows:
        window = array("d", rows[0][0])
        del window[max(len(window) - amount, 0) :]
        yield Statement("UPDATE limit_windows SET slots = $1 WHERE name = $2", (bytes(window), key))


def _slots(key: str) -> Unit[array[float]]:
    rows = yield Statement("SELECT slots FROM limit_windows WHERE name = $1", (key,))
    return array("d", rows[0][0] if rows else b"")


def _forget(prefix: str) -> Unit[None]:
    yield Statement("DELETE FROM limit_windows WHERE substr(name, 1, $1) = $2", (len(prefix), prefix))


def _expire(now: float) -> Unit[int]:
    rows = yield Statement("DELETE FROM limit_windows WHERE expires_at <= $1 RETURNING name", (now,))
    return len(rows)
