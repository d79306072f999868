"""How addresses that warm up were used, in SQL."""

from __future__ import annotations

__all__ = ["SqlSendingAddresses"]

from collections.abc import Sequence

from hongyan.engines.sql.units import Many, SqlDatabase, Statement, Unit
from hongyan.store.sending_addresses import AddressUse


class SqlSendingAddresses:
    """`store.sending_addresses.SendingAddressStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def read(self) -> Sequence[AddressUse]:
        return await self._database.read(_read())

    async def put(self, uses: Sequence[AddressUse]) -> None:
        await self._database.write(lambda _refs: _put(uses), durable=False)


def _read() -> Unit[list[AddressUse]]:
    rows = yield Statement("SELECT address, began_at, day, sent FROM sending_addresses ORDER BY address")
    return [AddressUse(*row) for row in rows]


def _put(uses: Sequence[AddressUse]) -> Unit[None]:
    yield Many(
        "INSERT INTO sending_addresses (address, began_at, day, sent) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (address) DO UPDATE SET day = excluded.day, sent = excluded.sent",
        [(one.address, one.began, one.day, one.sent) for one in uses],
    )
