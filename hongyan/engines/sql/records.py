"""Small records of accounts, in SQL."""

from __future__ import annotations

__all__ = ["SqlRecords"]

from collections.abc import Collection, Mapping, Sequence

from hongyan.engines.sql.units import Many, SqlDatabase, Statement, Unit, unit_of
from hongyan.errors import NotFound, OverLimit
from hongyan.store.records import MAX_DEPARTED, Record, RecordChanges, RecordKind
from hongyan.types import AccountId


class SqlRecords:
    """`store.records.RecordStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def list_records(self, account: AccountId, kind: RecordKind) -> tuple[Sequence[Record], int]:
        return await self._database.read(_list(account, kind))

    async def change_records(
        self,
        account: AccountId,
        kind: RecordKind,
        *,
        put: Mapping[str, str] | None = None,
        remove: Collection[str] = (),
        most: int,
    ) -> int:
        return await self._database.write(unit_of(_change, account, kind, put or {}, list(remove), most))

    async def record_changes(self, account: AccountId, kind: RecordKind, since: int) -> RecordChanges | None:
        return await self._database.read(_changes(account, kind, since))


def _list(account: AccountId, kind: RecordKind) -> Unit[tuple[Sequence[Record], int]]:
    state, _floor = yield from _state(account, kind)
    rows = yield Statement(
        "SELECT record_id, document, made, changed FROM records"
        " WHERE account_id = $1 AND kind = $2 AND gone = 0 ORDER BY made, record_id",
        (account, kind.value),
    )
    return [Record(*row) for row in rows], state


def _state(account: AccountId, kind: RecordKind) -> Unit[tuple[int, int]]:
    rows = yield Statement(
        "SELECT state, floor FROM record_states WHERE account_id = $1 AND kind = $2", (account, kind.value)
    )
    return (rows[0][0], rows[0][1]) if rows else (0, 0)


def _change(
    account: AccountId, kind: RecordKind, put: Mapping[str, str], remove: Sequence[str], most: int
) -> Unit[int]:
    key = (account, kind.value)
    alive = yield Statement("SELECT 1 FROM account_state WHERE account_id = $1", (account,))
    if not alive:
        raise NotFound("There is no such account.")
    # The row of the state is locked until the unit ends, so that states are given in the order of their changes.
    rows = yield Statement(
        "INSERT INTO record_states (account_id, kind, state) VALUES ($1, $2, 1)"
        " ON CONFLICT (account_id, kind) DO UPDATE SET state = record_states.state + 1 RETURNING state",
        key,
    )
    state: int = rows[0][0]
    if remove:
        yield Many(
            "UPDATE records SET document = '', changed = $1, gone = 1"
            " WHERE account_id = $2 AND kind = $3 AND record_id = $4 AND gone = 0",
            [(state, *key, one) for one in remove],
        )
    if put:
        yield Many(
            "INSERT INTO records (account_id, kind, record_id, document, made, changed) VALUES ($1, $2, $3, $4, $5, $5)"
            " ON CONFLICT (account_id, kind, record_id) DO UPDATE SET document = excluded.document,"
            " changed = excluded.changed, made = CASE WHEN records.gone = 1 THEN excluded.made ELSE records.made END,"
            " gone = 0",
            [(*key, one, document, state) for one, document in put.items()],
        )
    rows = yield Statement("SELECT count(*) FROM records WHERE account_id = $1 AND kind = $2 AND gone = 0", key)
    if put and rows[0][0] > most:
        raise OverLimit(f"There may be {most} of them.")
    if remove:
        yield from _forget_departed(account, kind)
    return state


def _forget_departed(account: AccountId, kind: RecordKind) -> Unit[None]:
    """Keep the newest of what is gone, and remember from where on."""
    key = (account, kind.value)
    rows = yield Statement(
        "SELECT changed FROM records WHERE account_id = $1 AND kind = $2 AND gone = 1"
        " ORDER BY changed DESC LIMIT 1 OFFSET $3",
        (*key, MAX_DEPARTED),
    )
    if rows:
        yield Statement(
            "DELETE FROM records WHERE account_id = $1 AND kind = $2 AND gone = 1 AND changed <= $3", (*key, rows[0][0])
        )
        yield Statement("UPDATE record_states SET floor = $3 WHERE account_id = $1 AND kind = $2", (*key, rows[0][0]))


def _changes(account: AccountId, kind: RecordKind, since: int) -> Unit[RecordChanges | None]:
    # The state before the rows, the floor behind them: what happens meanwhile is told again, or is noticed.
    state, _floor = yield from _state(account, kind)
    rows = yield Statement(
        "SELECT record_id, made, gone FROM records WHERE account_id = $1 AND kind = $2 AND changed > $3"
        " ORDER BY changed, record_id",
        (account, kind.value, since),
    )
    _state_now, floor = yield from _state(account, kind)
    if since > state or since < floor:
        return None
    created = [one for one, made, gone in rows if not gone and made > since]
    updated = [one for one, made, gone in rows if not gone and made <= since]
    destroyed = [one for one, made, gone in rows if gone and made <= since]
    return RecordChanges(created, updated, destroyed, state)
