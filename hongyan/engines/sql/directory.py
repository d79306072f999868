"""The directory's change log in SQL, and the server's counters."""

from __future__ import annotations

__all__ = ["SqlDirectory", "log_directory_change", "next_number"]

from collections.abc import Sequence
from datetime import datetime

from hongyan.engines.sql.units import SqlDatabase, Statement, Unit
from hongyan.store.directory import DirectoryChange, DirectoryTopic
from hongyan.types import AccountId, CredentialId


class SqlDirectory:
    """`store.directory.DirectoryStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def directory_position(self) -> int:
        return await self._database.read_small(lambda: _counter("directory"))

    async def directory_changes(self, after: int, *, limit: int = 1000) -> Sequence[DirectoryChange] | None:
        return await self._database.read(_changes(after, limit))

    async def expire_directory_changes(self, before: datetime) -> int:
        return await self._database.write(lambda _refs: _expire(int(before.timestamp())))


# -- parts of units, for this package


def next_number(counter: str) -> Unit[int]:
    """Advance a counter of the server by one. It is locked until the unit ends: numbers come in commit order."""
    rows = yield Statement(
        "UPDATE server_counters SET value = value + 1 WHERE name = $1 RETURNING value",
        (counter,),
    )
    return int(rows[0][0])


def log_directory_change(
    topic: DirectoryTopic, at: datetime, account: AccountId | None = None, credential: CredentialId | None = None
) -> Unit[None]:
    """Write an entry of the log. It comes late in its unit, since it holds up all others who write one."""
    number = yield from next_number("directory")
    yield Statement(
        "INSERT INTO directory_log (number, at, topic, account_id, credential_id) VALUES ($1, $2, $3, $4, $5)",
        (number, int(at.timestamp()), topic.value, account, credential),
    )


# -- whole units


def _counter(name: str) -> Unit[int]:
    rows = yield Statement("SELECT value FROM server_counters WHERE name = $1", (name,))
    return int(rows[0][0])


def _changes(after: int, limit: int) -> Unit[Sequence[DirectoryChange] | None]:
    rows = yield Statement(
        "SELECT number, topic, account_id, credential_id FROM directory_log WHERE number > $1 ORDER BY number LIMIT $2",
        (after, limit),
    )
    if not rows or rows[0][0] != after + 1:
        # Numbers have no gaps: what is not there was dropped, or is still to come.
        dropped = yield from _counter("directory-dropped")
        if after < dropped:
            return None
    return [
        DirectoryChange(
            row[0],
            DirectoryTopic(row[1]),
            None if row[2] is None else AccountId(row[2]),
            None if row[3] is None else CredentialId(row[3]),
        )
        for row in rows
    ]


def _expire(before: int) -> Unit[int]:
    rows = yield Statement("SELECT MAX(number), COUNT(*) FROM directory_log WHERE at < $1", (before,))
    last, count = rows[0]
    if not count:
        return 0
    # Up to a number, not by time: a clock that was set back must not make holes in the log.
    gone = yield Statement("DELETE FROM directory_log WHERE number <= $1 RETURNING number", (last,))
    yield Statement("UPDATE server_counters SET value = $1 WHERE name = 'directory-dropped'", (last,))
    return len(gone)
