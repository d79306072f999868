"""The audit trail in SQL."""

from __future__ import annotations

__all__ = ["SqlAudit", "insert_audit"]

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

from hongyan.engines.sql.units import Many, SqlDatabase, Statement, Unit, Value
from hongyan.store.audit import AuditEntry, KnownNetwork, LoginBatch, LoginFold, LoginKind
from hongyan.types import AccountId

_NOBODY = 0
"""The account of the server's own matters and of unknown names."""

_KIND = ("address", "service", "mechanism", "tls", "result", "label", "client")


class SqlAudit:
    """`store.audit.AuditStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        await self._database.write(lambda _refs: _append(entries))

    async def list_audit(
        self,
        *,
        account: AccountId | None = None,
        event_prefix: str = "",
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[AuditEntry]:
        return await self._database.read(_list(account, event_prefix, before, limit))

    async def expire_audit(self, before: datetime) -> int:
        return await self._database.write(lambda _refs: _expire(int(before.timestamp())))

    async def record_logins(self, batch: LoginBatch) -> None:
        await self._database.write(lambda _refs: _record_logins(batch), durable=False)

    async def list_logins(self, account: AccountId | None, *, limit: int = 100) -> Sequence[LoginFold]:
        return await self._database.read(_list_logins(account, limit))

    async def list_known_networks(self, *, limit: int) -> Sequence[KnownNetwork]:
        return await self._database.read(_list_networks(limit))

    async def expire_logins(self, before: datetime, *, keep: int) -> int:
        return await self._database.write(lambda _refs: _expire_logins(int(before.timestamp()), keep))


# -- parts of units, for this package


def insert_audit(entry: AuditEntry, account: AccountId | None = None) -> Unit[None]:
    """Write an act in the unit that carries it out; `account` where the entry could not know it yet."""
    yield from _append([entry if account is None else replace(entry, account=account)])


# -- whole units


def _append(entries: Sequence[AuditEntry]) -> Unit[None]:
    yield Many(
        "INSERT INTO audit_log (entry_id, at, account_id, event, actor, peer, detail)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            (
                entry.entry_id,
                int(entry.at.timestamp()),
                entry.account or _NOBODY,
                entry.event,
                entry.actor,
                entry.peer,
                json.dumps(dict(entry.detail), ensure_ascii=False),
            )
            for entry in entries
        ],
    )


def _list(account: AccountId | None, event_prefix: str, before: int | None, limit: int) -> Unit[Sequence[AuditEntry]]:
    conditions = ["1 = 1"]
    values: list[Value] = []
    for condition, value in (
        ("account_id = $", account),
        ("entry_id < $", before),
        (f"substr(event, 1, {len(event_prefix)}) = $", event_prefix or None),
    ):
        if value is not None:
            values.append(value)
            conditions.append(f"{condition}{len(values)}")
    values.append(limit)
    rows = yield Statement(
        "SELECT entry_id, at, account_id, event, actor, peer, detail FROM audit_log WHERE"
        f" {' AND '.join(conditions)} ORDER BY entry_id DESC LIMIT ${len(values)}",
        values,
    )
    return [
        AuditEntry(
            row[0],
            _time(row[1]),
            row[3],
            AccountId(row[2]) if row[2] else None,
            row[4],
            row[5],
            json.loads(row[6]),
        )
        for row in rows
    ]


def _expire(before: int) -> Unit[int]:
    gone = yield Statement("DELETE FROM audit_log WHERE at < $1 RETURNING entry_id", (before,))
    return len(gone)


def _record_logins(batch: LoginBatch) -> Unit[None]:
    account = batch.account or _NOBODY
    if batch.folds:
        yield Many(
            f"INSERT INTO login_log (account_id, kind, {', '.join(_KIND)}, attempts, first_at, last_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
            " ON CONFLICT (account_id, kind) DO UPDATE SET attempts = login_log.attempts + excluded.attempts,"
            " first_at = CASE WHEN excluded.first_at < login_log.first_at THEN excluded.first_at"
            " ELSE login_log.first_at END,"
            " last_at = CASE WHEN excluded.last_at > login_log.last_at THEN excluded.last_at"
            " ELSE login_log.last_at END",
            [_fold_row(account, fold) for fold in batch.folds],
        )
    if batch.networks:
        yield Many(
            "INSERT INTO known_networks (account_id, network, last_at) VALUES ($1, $2, $3)"
            " ON CONFLICT (account_id, network) DO UPDATE SET last_at = excluded.last_at",
            [(account, known.network, int(known.last_at.timestamp())) for known in batch.networks],
        )
    for table in ("app_passwords", "client_certificates") if batch.uses else ():
        yield Many(
            f"UPDATE {table} SET last_used_at = $1, last_used_from = $2 WHERE account_id = $3 AND credential_id = $4",
            [(int(use.at.timestamp()), use.address, account, use.credential) for use in batch.uses],
        )


def _fold_row(account: int, fold: LoginFold) -> tuple[Value, ...]:
    texts = tuple(getattr(fold.kind, name) for name in _KIND)
    kind = sha256("\0".join(texts).encode("utf-8", "replace")).digest()[:16]
    return (account, kind, *texts, fold.count, int(fold.first_at.timestamp()), int(fold.last_at.timestamp()))


def _list_logins(account: AccountId | None, limit: int) -> Unit[Sequence[LoginFold]]:
    rows = yield Statement(
        f"SELECT {', '.join(_KIND)}, attempts, first_at, last_at FROM login_log"
        " WHERE account_id = $1 ORDER BY last_at DESC, kind LIMIT $2",
        (account or _NOBODY, limit),
    )
    return [LoginFold(LoginKind(account, *row[:7]), row[7], _time(row[8]), _time(row[9])) for row in rows]


def _list_networks(limit: int) -> Unit[Sequence[KnownNetwork]]:
    rows = yield Statement(
        "SELECT account_id, network, last_at FROM known_networks ORDER BY last_at DESC, account_id, network LIMIT $1",
        (limit,),
    )
    return [KnownNetwork(AccountId(row[0]), row[1], _time(row[2])) for row in rows]


def _expire_logins(before: int, keep: int) -> Unit[int]:
    old = yield Statement("DELETE FROM login_log WHERE last_at < $1 RETURNING account_id", (before,))
    yield Statement("DELETE FROM known_networks WHERE last_at < $1", (before,))
    crowded = yield Statement(
        "SELECT account_id, COUNT(*) FROM login_log GROUP BY account_id HAVING COUNT(*) > $1", (keep,)
    )
    surplus = 0
    for account, count in crowded:
        yield Statement(
            "DELETE FROM login_log WHERE account_id = $1 AND kind IN"
            " (SELECT kind FROM login_log WHERE account_id = $1 ORDER BY last_at, kind LIMIT $2)",
            (account, count - keep),
        )
        surplus += count - keep
    return len(old) + surplus


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
