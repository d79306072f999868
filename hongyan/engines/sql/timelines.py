"""Timelines in SQL."""

from __future__ import annotations

__all__ = ["SqlTimelines", "insert_timeline"]

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from hongyan.engines.sql.passage_rows import from_passage, to_passage
from hongyan.engines.sql.queue_rows import from_stamp, to_stamp
from hongyan.engines.sql.units import Many, Row, SqlDatabase, Statement, Unit, Value
from hongyan.store.timelines import (
    MAX_NAME,
    MAX_TEXT,
    Direction,
    NewTimelineEntry,
    Step,
    TimelineEntry,
    clean,
)
from hongyan.types import AccountId

_BATCH: Final = 1000
"""Rows that are dropped in one unit of work, so that no other has to wait long."""

_COLUMNS = (
    "account_id, mid, at, direction, step, address, counterpart, stage, host, code, status, text, encrypted,"
    " next_attempt, folder, reason, passage, fold, times, first_at"
)
_INSERT = (
    f"INSERT INTO timelines ({_COLUMNS})"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 1, $19)"
)
_FOLD = (
    f"{_INSERT} ON CONFLICT (account_id, fold) WHERE fold IS NOT NULL DO UPDATE SET times = timelines.times + 1,"
    " at = excluded.at, mid = excluded.mid, text = excluded.text"
)


class SqlTimelines:
    """`store.timelines.TimelineStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def append_timeline(self, entries: Sequence[NewTimelineEntry]) -> None:
        await self._database.write(lambda _refs: insert_timeline(entries), durable=False)

    async def list_timeline(
        self,
        account: AccountId | None,
        *,
        mid: str | None = None,
        counterpart: str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[TimelineEntry]:
        stamp = None if since is None else to_stamp(since)
        return await self._database.read(_list(account, mid, counterpart, stamp, before, limit))

    async def expire_timeline(self, before: datetime, *, keep: int) -> int:
        stamp, dropped = to_stamp(before), 0
        while True:
            gone = await self._database.write(lambda _refs: _drop_oldest(stamp))
            dropped += gone
            if gone < _BATCH:
                break
        for account, surplus in await self._database.read(_crowded(keep)):
            dropped += await self._database.write(
                lambda _refs, account=account, surplus=surplus: _trim(account, surplus)  # type: ignore[misc]  # bound here
            )
        return dropped


def insert_timeline(entries: Sequence[NewTimelineEntry]) -> Unit[None]:
    """Write steps in the unit of work that takes them."""
    plain = [_row(entry) for entry in entries if entry.fold is None]
    folded = [_row(entry) for entry in entries if entry.fold is not None]
    if len(plain) == 1:
        yield Statement(_INSERT, plain[0])
    elif plain:
        yield Many(_INSERT, plain)
    if folded:
        yield Many(_FOLD, folded)


def _row(entry: NewTimelineEntry) -> tuple[Value, ...]:
    at = to_stamp(entry.at)
    return (
        entry.account,
        entry.mid,
        at,
        entry.direction.value,
        entry.step.value,
        _name(entry.address),
        _name(entry.counterpart),
        entry.stage,
        _name(entry.host),
        entry.code,
        entry.status,
        _storable(entry.text, MAX_TEXT) if entry.text else "",
        entry.is_encrypted if entry.is_encrypted is None else int(entry.is_encrypted),
        None if entry.next_attempt is None else to_stamp(entry.next_attempt),
        _name(entry.folder),
        entry.reason,
        from_passage(entry.passage),
        entry.fold,
        at,
    )


def _name(text: str) -> str:
    return text if text.isascii() and text.isprintable() and len(text) <= MAX_NAME else _storable(text, MAX_NAME)


def _storable(text: str, limit: int) -> str:
    return clean(text, limit).encode("utf-8", "replace").decode()


def _list(
    account: AccountId | None,
    mid: str | None,
    counterpart: str | None,
    since: int | None,
    before: int | None,
    limit: int,
) -> Unit[Sequence[TimelineEntry]]:
    conditions = ["1 = 1"]
    values: list[Value] = []
    for condition, value in (
        ("account_id = $", account),
        ("mid = $", mid),
        ("LOWER(counterpart) = $", None if counterpart is None else counterpart.lower()),
        ("at >= $", since),
        ("entry_id < $", before),
    ):
        if value is not None:
            values.append(value)
            conditions.append(f"{condition}{len(values)}")
    values.append(limit)
    rows = yield Statement(
        f"SELECT entry_id, {_COLUMNS} FROM timelines WHERE {' AND '.join(conditions)}"
        f" ORDER BY entry_id DESC LIMIT ${len(values)}",
        values,
    )
    return [_entry(row) for row in rows]


def _entry(row: Row) -> TimelineEntry:
    (entry_id, account, mid, at, direction, step, address, counterpart, stage, host, code, status, text) = row[:13]
    encrypted, next_attempt, folder, reason, passage, _, times, first_at = row[13:]
    new = NewTimelineEntry(
        account=AccountId(account),
        direction=Direction(direction),
        mid=mid,
        step=Step(step),
        at=from_stamp(at),
        address=address,
        counterpart=counterpart,
        stage=stage,
        host=host,
        code=code,
        status=status,
        text=text,
        is_encrypted=None if encrypted is None else bool(encrypted),
        next_attempt=None if next_attempt is None else from_stamp(next_attempt),
        folder=folder,
        reason=reason,
        passage=to_passage(passage),
    )
    return TimelineEntry(entry_id=entry_id, new=new, times=times, first_at=from_stamp(first_at))


def _drop_oldest(before: int) -> Unit[int]:
    """Drop what is too old among the oldest: more than a batch of them is left for the next unit."""
    rows = yield Statement(
        "DELETE FROM timelines WHERE entry_id IN (SELECT entry_id FROM timelines ORDER BY entry_id LIMIT $1)"
        " AND at < $2 RETURNING entry_id",
        (_BATCH, before),
    )
    return len(rows)


def _crowded(keep: int) -> Unit[Sequence[tuple[int, int]]]:
    rows = yield Statement(
        "SELECT account_id, COUNT(*) FROM timelines GROUP BY account_id HAVING COUNT(*) > $1", (keep,)
    )
    return [(row[0], row[1] - keep) for row in rows]


def _trim(account: int, surplus: int) -> Unit[int]:
    rows = yield Statement(
        "DELETE FROM timelines WHERE account_id = $1 AND entry_id IN"
        " (SELECT entry_id FROM timelines WHERE account_id = $1 ORDER BY entry_id LIMIT $2) RETURNING entry_id",
        (account, surplus),
    )
    return len(rows)
