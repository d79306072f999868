"""Addresses that bounce, in SQL. Account 0 stands for the whole server."""

from __future__ import annotations

__all__ = ["SqlSuppressions"]

from collections.abc import Sequence
from datetime import datetime

from hongyan.addresses import Address, AddressFault
from hongyan.engines.sql.queue_rows import from_stamp, to_stamp
from hongyan.engines.sql.units import Row, SqlDatabase, Statement, Unit
from hongyan.store.suppressions import HardBounce, Suppression
from hongyan.types import AccountId


class SqlSuppressions:
    """`store.suppressions.SuppressionStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def note(self, bounces: Sequence[HardBounce]) -> int:
        return await self._database.write(lambda _refs: _note(bounces), durable=False)

    async def list_suppressed(self, now: datetime, *, limit: int) -> Sequence[Suppression]:
        return await self._database.read(_list(to_stamp(now), limit))

    async def remove(self, address: Address, account: AccountId | None, *, everywhere: bool) -> int:
        return await self._database.write(lambda _refs: _remove(address, account, everywhere))

    async def forget(self, now: datetime) -> int:
        return await self._database.write(lambda _refs: _forget(to_stamp(now)), durable=False)


_NOTE = (
    "INSERT INTO suppressions (account_id, address, bounces, first_at, last_at, suppressed_at, ends_at, status, text)"
    " VALUES ($1, $2, 1, $3, $3, NULL, $4, $5, $6) ON CONFLICT (account_id, address) DO UPDATE SET"
    " bounces = CASE WHEN suppressions.ends_at < $3 THEN 1 ELSE suppressions.bounces + 1 END,"
    " suppressed_at = CASE WHEN suppressions.ends_at < $3 THEN NULL ELSE suppressions.suppressed_at END,"
    " last_at = $3, ends_at = CASE WHEN suppressions.ends_at < $3 OR suppressions.suppressed_at IS NULL THEN $4"
    " ELSE suppressions.ends_at END, status = $5, text = $6 RETURNING bounces, suppressed_at"
)


def _note(bounces: Sequence[HardBounce]) -> Unit[int]:
    suppressed = 0
    for one in bounces:
        key = (one.account or 0, one.address.canonical)
        now = to_stamp(one.at)
        text = one.text.replace("\0", "").encode("utf-8", "replace").decode()
        rows = yield Statement(_NOTE, (*key, now, to_stamp(one.at + one.rule.within), one.status, text))
        count, since = rows[0]
        if since is None and count >= one.rule.bounces:
            yield Statement(
                "UPDATE suppressions SET suppressed_at = $1, ends_at = $2 WHERE account_id = $3 AND address = $4",
                (now, to_stamp(one.at + one.rule.lasts), *key),
            )
            suppressed += 1
    return suppressed


def _list(now: int, limit: int) -> Unit[list[Suppression]]:
    rows = yield Statement(
        "SELECT account_id, address, bounces, suppressed_at, ends_at, status, text FROM suppressions"
        " WHERE suppressed_at IS NOT NULL AND ends_at >= $1 ORDER BY suppressed_at DESC, account_id, address LIMIT $2",
        (now, limit),
    )
    return [found for row in rows if (found := _read(row)) is not None]


def _read(row: Row) -> Suppression | None:
    """Return a row's suppression; None for an address whose key is longer than an address may be: İ has a long i."""
    account, key, bounces, since, until, status, text = row
    try:
        address = Address.parse(key)
    except AddressFault:
        return None
    whose = AccountId(account) if account else None
    return Suppression(whose, address, bounces, from_stamp(since), from_stamp(until), status, text)


def _remove(address: Address, account: AccountId | None, everywhere: bool) -> Unit[int]:
    rows = yield Statement(
        "DELETE FROM suppressions WHERE address = $1 AND ($2 = 1 OR account_id = $3) RETURNING account_id",
        (address.canonical, int(everywhere), account or 0),
    )
    return len(rows)


def _forget(now: int) -> Unit[int]:
    rows = yield Statement("DELETE FROM suppressions WHERE ends_at < $1 RETURNING account_id", (now,))
    return len(rows)
