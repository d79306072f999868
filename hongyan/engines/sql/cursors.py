"""Cursors of the consumers of the change logs, in SQL."""

from __future__ import annotations

__all__ = ["SqlCursors"]

from collections.abc import Sequence

from hongyan.engines.sql.units import SqlDatabase, Statement, Unit
from hongyan.types import AccountId, ModSeq


class SqlCursors:
    """`store.cursors.CursorStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def find_cursor(self, account: AccountId, consumer: str) -> ModSeq:
        return await self._database.read_small(lambda: _find(account, consumer))

    async def advance_cursor(self, account: AccountId, consumer: str, modseq: ModSeq) -> None:
        await self._database.write(lambda _refs: _advance(account, consumer, modseq), durable=False, small=True)

    async def drop_cursors(self, consumer: str) -> None:
        await self._database.write(lambda _refs: _drop(consumer))

    async def list_behind(self, consumer: str, after: AccountId, limit: int) -> Sequence[AccountId]:
        return await self._database.read(_list_behind(consumer, after, limit))


def _find(account: AccountId, consumer: str) -> Unit[ModSeq]:
    rows = yield Statement(
        "SELECT modseq FROM consumer_cursors WHERE account_id = $1 AND consumer = $2", (account, consumer)
    )
    return ModSeq(rows[0][0] if rows else 0)


def _advance(account: AccountId, consumer: str, modseq: ModSeq) -> Unit[None]:
    alive = yield Statement("SELECT 1 FROM account_state WHERE account_id = $1", (account,))
    if alive:
        yield Statement(
            "INSERT INTO consumer_cursors (account_id, consumer, modseq) VALUES ($1, $2, $3)"
            " ON CONFLICT (account_id, consumer) DO UPDATE SET modseq = excluded.modseq"
            " WHERE consumer_cursors.modseq < excluded.modseq",
            (account, consumer, modseq),
        )


def _drop(consumer: str) -> Unit[None]:
    yield Statement("DELETE FROM consumer_cursors WHERE consumer = $1", (consumer,))


def _list_behind(consumer: str, after: AccountId, limit: int) -> Unit[Sequence[AccountId]]:
    rows = yield Statement(
        "SELECT a.account_id FROM account_state a LEFT JOIN consumer_cursors c"
        " ON c.account_id = a.account_id AND c.consumer = $1"
        " WHERE a.account_id > $2 AND a.highestmodseq > COALESCE(c.modseq, 0) ORDER BY a.account_id LIMIT $3",
        (consumer, after, limit),
    )
    return [AccountId(row[0]) for row in rows]
