"""The greylist in SQL."""

from __future__ import annotations

__all__ = ["SqlGreylist"]

from datetime import UTC, datetime

from hongyan.engines.sql.units import SqlDatabase, Statement, Unit, unit_of
from hongyan.store.greylist import Contact, Triplet


class SqlGreylist:
    """`store.greylist.GreylistStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def meet(self, triplet: Triplet, now: datetime) -> Contact:
        return await self._database.write(unit_of(_meet, triplet, _second(now)), durable=False, small=True)

    async def pass_on(self, triplet: Triplet, now: datetime) -> None:
        await self._database.write(unit_of(_set, triplet, "passed_at", _second(now)), durable=False, small=True)

    async def begin_anew(self, triplet: Triplet, now: datetime) -> None:
        await self._database.write(unit_of(_set, triplet, "first_at", _second(now)), durable=False, small=True)

    async def expire_greylist(self, waiting: datetime, passed: datetime) -> int:
        return await self._database.write(unit_of(_expire, _second(waiting), _second(passed)))


def _second(moment: datetime) -> int:
    return int(moment.timestamp())


def _meet(triplet: Triplet, now: int) -> Unit[Contact]:
    rows = yield Statement(
        "INSERT INTO greylist (source, sender, recipient, first_at, passed_at, seen_at) VALUES ($1, $2, $3, $4, 0, $5)"
        " ON CONFLICT (source, sender, recipient) DO UPDATE SET seen_at = excluded.seen_at"
        " RETURNING first_at, passed_at",
        (*triplet, now, now),
    )
    first_at, passed_at = rows[0]
    return Contact(datetime.fromtimestamp(first_at, UTC), datetime.fromtimestamp(passed_at, UTC) if passed_at else None)


def _set(triplet: Triplet, column: str, now: int) -> Unit[None]:
    yield Statement(
        f"UPDATE greylist SET {column} = $1 WHERE source = $2 AND sender = $3 AND recipient = $4", (now, *triplet)
    )


def _expire(waiting: int, passed: int) -> Unit[int]:
    rows = yield Statement(
        "DELETE FROM greylist WHERE (passed_at = 0 AND seen_at < $1) OR (passed_at > 0 AND seen_at < $2)"
        " RETURNING source",
        (waiting, passed),
    )
    return len(rows)
