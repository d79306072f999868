"""Reputation in SQL."""

from __future__ import annotations

__all__ = ["SqlReputation"]

from collections.abc import Collection, Mapping
from datetime import datetime

from hongyan.engines.sql.units import SqlDatabase, Statement, Unit, unit_of
from hongyan.store.reputation import MAX_NOTED, History, Kind, Subject
from hongyan.types import AccountId


class SqlReputation:
    """`store.reputation.ReputationStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def find(self, account: AccountId, subjects: Collection[Subject]) -> Mapping[Subject, History]:
        return await self._database.read_small(lambda: _find(account, subjects))

    async def note(self, account: AccountId, subjects: Collection[Subject], at: datetime, *, good: bool) -> None:
        second = int(at.timestamp())
        first = await self._database.write(unit_of(_note, account, sorted(subjects, key=_order), second, good))
        for network in first:  # A unit of its own: what all accounts share is no account's.
            await self._database.write(unit_of(_note_network, network, second, good))

    async def find_network(self, network: str) -> History:
        return await self._database.read_small(lambda: _find_network(network))

    async def expire(self, before: datetime) -> int:
        return await self._database.write(unit_of(_expire, int(before.timestamp())))


def _order(subject: Subject) -> tuple[str, str]:
    return subject.kind.value, subject.name


def _find(account: AccountId, subjects: Collection[Subject]) -> Unit[Mapping[Subject, History]]:
    found = {}
    for subject in subjects:
        rows = yield Statement(
            "SELECT good, bad FROM reputation WHERE account_id = $1 AND kind = $2 AND subject = $3",
            (account, subject.kind.value, subject.name),
        )
        if rows:
            found[subject] = History(*rows[0])
    return found


def _note(account: AccountId, subjects: Collection[Subject], at: int, good: bool) -> Unit[list[str]]:
    """Return the networks of which the account thinks so for the first time."""
    first = []
    for kind, name in subjects:
        rows = yield Statement(_NOTE[good], (account, kind.value, name, int(good), int(not good), at))
        if kind is Kind.NETWORK and rows[0][0] == 1:
            first.append(name)
    return first


def _note_sql(table: str, key: str, values: str, mine: str, other: str) -> str:
    return (
        f"INSERT INTO {table} ({key}, good, bad, noted_at) VALUES ({values}) ON CONFLICT ({key}) DO UPDATE SET"
        f" {mine} = CASE WHEN {table}.{mine} < {MAX_NOTED} THEN {table}.{mine} + 1 ELSE {MAX_NOTED} END,"
        f" {other} = CASE WHEN {table}.{mine} < {MAX_NOTED} OR {table}.{other} = 0 THEN {table}.{other}"
        f" ELSE {table}.{other} - 1 END, noted_at = excluded.noted_at RETURNING {mine}"
    )


_NOTE = {
    good: _note_sql("reputation", "account_id, kind, subject", "$1, $2, $3, $4, $5, $6", mine, other)
    for good, mine, other in ((True, "good", "bad"), (False, "bad", "good"))
}
_NOTE_NETWORK = {
    good: _note_sql("network_names", "network", "$1, $2, $3, $4", mine, other)
    for good, mine, other in ((True, "good", "bad"), (False, "bad", "good"))
}


def _note_network(network: str, at: int, good: bool) -> Unit[None]:
    yield Statement(_NOTE_NETWORK[good], (network, int(good), int(not good), at))


def _find_network(network: str) -> Unit[History]:
    rows = yield Statement("SELECT good, bad FROM network_names WHERE network = $1", (network,))
    return History(*rows[0]) if rows else History()


def _expire(before: int) -> Unit[int]:
    gone = 0
    for table, key in (("reputation", "account_id"), ("network_names", "network")):
        rows = yield Statement(f"DELETE FROM {table} WHERE noted_at < $1 RETURNING {key}", (before,))
        gone += len(rows)
    return gone
