"""Trusted senders in SQL."""

from __future__ import annotations

__all__ = ["SqlTrustedSenders"]

from collections.abc import Sequence
from datetime import UTC, datetime

from hongyan.addresses import Address
from hongyan.engines.sql.units import SqlDatabase, Statement, Unit
from hongyan.errors import NotFound, OverLimit
from hongyan.store.trusted_senders import MAX_TRUSTED, TrustedSender
from hongyan.types import AccountId


class SqlTrustedSenders:
    """`store.trusted_senders.TrustedSenderStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def trust(self, account: AccountId, address: Address, at: datetime) -> None:
        await self._database.write(lambda _refs: _trust(account, address, at))

    async def untrust(self, account: AccountId, address: Address) -> bool:
        return await self._database.write(lambda _refs: _untrust(account, address))

    async def list_trusted(self, account: AccountId) -> Sequence[TrustedSender]:
        return await self._database.read_small(lambda: _list(account))

    async def is_trusted(self, account: AccountId, address: Address) -> bool:
        return await self._database.read_small(lambda: _is_trusted(account, address))


def _trust(account: AccountId, address: Address, at: datetime) -> Unit[None]:
    # The account's row is locked until the unit ends: two at once do not both take the last place.
    alive = yield Statement(
        "UPDATE account_state SET next_email = next_email WHERE account_id = $1 RETURNING account_id", (account,)
    )
    if not alive:
        raise NotFound("There is no such account.")
    rows = yield Statement(
        "SELECT COUNT(*) FROM trusted_senders WHERE account_id = $1 AND address <> $2", (account, address.canonical)
    )
    if rows[0][0] >= MAX_TRUSTED:
        raise OverLimit("That many senders cannot be trusted; take one away first.")
    yield Statement(
        "INSERT INTO trusted_senders (account_id, address, trusted_at) VALUES ($1, $2, $3)"
        " ON CONFLICT (account_id, address) DO NOTHING",
        (account, address.canonical, int(at.timestamp() * 1000)),
    )


def _untrust(account: AccountId, address: Address) -> Unit[bool]:
    gone = yield Statement(
        "DELETE FROM trusted_senders WHERE account_id = $1 AND address = $2 RETURNING address",
        (account, address.canonical),
    )
    return bool(gone)


def _list(account: AccountId) -> Unit[list[TrustedSender]]:
    rows = yield Statement(
        "SELECT address, trusted_at FROM trusted_senders WHERE account_id = $1 ORDER BY address", (account,)
    )
    return [TrustedSender(Address.parse(address), datetime.fromtimestamp(at / 1000, UTC)) for address, at in rows]


def _is_trusted(account: AccountId, address: Address) -> Unit[bool]:
    rows = yield Statement(
        "SELECT 1 FROM trusted_senders WHERE account_id = $1 AND address = $2", (account, address.canonical)
    )
    return bool(rows)
