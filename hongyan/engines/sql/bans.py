"""Bans that all processes on one database share, in SQL."""

from __future__ import annotations

__all__ = ["SqlBans"]

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from hongyan.engines.sql.units import Many, SqlDatabase, Statement, Unit, unit_of
from hongyan.store.bans import Ban


class SqlBans:
    """`store.bans.BanStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def put_bans(self, bans: Sequence[Ban]) -> None:
        if bans:
            await self._database.write(unit_of(_put, bans), durable=False)

    async def remove_bans(self, networks: Collection[str]) -> None:
        await self._database.write(unit_of(_remove, networks))

    async def bans_in_force(self, now: datetime, *, limit: int) -> Sequence[Ban]:
        return await self._database.read(_in_force(now.timestamp(), limit))

    async def expire_bans(self, now: datetime) -> int:
        return await self._database.write(unit_of(_expire, now.timestamp()))


def _put(bans: Sequence[Ban]) -> Unit[None]:
    # In one order everywhere: two processes that write the same ones do not wait for each other in a ring.
    ordered = sorted(bans, key=lambda ban: (ban.network, ban.name))
    yield Many(
        "INSERT INTO bans (network, name, rule, why, since, until, refused) VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (network, name) DO UPDATE SET rule = excluded.rule, why = excluded.why, since = excluded.since,"
        " until = excluded.until, refused = excluded.refused WHERE excluded.until > bans.until",
        [
            (ban.network, ban.name, ban.rule, ban.why, ban.since.timestamp(), ban.until.timestamp(), ban.refused)
            for ban in ordered
        ],
    )


def _remove(networks: Collection[str]) -> Unit[None]:
    yield Many("DELETE FROM bans WHERE network = $1", [(network,) for network in sorted(networks)])


def _in_force(now: float, limit: int) -> Unit[list[Ban]]:
    rows = yield Statement(
        "SELECT network, name, rule, why, since, until, refused FROM bans WHERE until > $1"
        " ORDER BY until DESC, network, name LIMIT $2",
        (now, limit),
    )
    return [
        Ban(network, name, rule, why, datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC), refused)
        for network, name, rule, why, since, until, refused in rows
    ]


def _expire(now: float) -> Unit[int]:
    rows = yield Statement("DELETE FROM bans WHERE until <= $1 RETURNING network", (now,))
    return len(rows)
