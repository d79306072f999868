"""Transport security of other domains in SQL. Times are seconds since 1970."""

from __future__ import annotations

__all__ = ["SqlTransport"]

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from hongyan.engines.sql.units import Row, SqlDatabase, Statement, Unit, Value, unit_of
from hongyan.store.transport import KeptLevel, KeptPolicy

_POLICY: Final = "domain, identity, policy, fetched_at, expires_at, used_at"
_LEVEL: Final = "domain, level, candidate, candidate_since, seen_at"


class SqlTransport:
    """`store.transport.TransportStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def find_policy(self, domain: str) -> KeptPolicy | None:
        rows = await self._database.read_small(lambda: _find(f"SELECT {_POLICY} FROM sts_policies", domain))
        return _policy(rows[0]) if rows else None

    async def put_policy(self, policy: KeptPolicy) -> None:
        fetched, expires, used = map(_stamp, (policy.fetched_at, policy.expires_at, policy.used_at))
        values = (policy.domain, policy.identity, policy.text, fetched, expires, used)
        await self._database.write(unit_of(_put, _PUT_POLICY, values), durable=False)

    async def list_policies(
        self, *, expiring_before: datetime | None = None, limit: int = 1000
    ) -> Sequence[KeptPolicy]:
        latest = _MAX if expiring_before is None else _stamp(expiring_before)
        rows = await self._database.read(_list(_LIST_POLICIES, latest, limit))
        return [_policy(row) for row in rows]

    async def find_level(self, domain: str) -> KeptLevel | None:
        rows = await self._database.read_small(lambda: _find(f"SELECT {_LEVEL} FROM tls_levels", domain))
        return _level(rows[0]) if rows else None

    async def put_level(self, level: KeptLevel) -> None:
        values = (level.domain, level.level, level.candidate, _stamp(level.candidate_since), _stamp(level.seen_at))
        await self._database.write(unit_of(_put, _PUT_LEVEL, values), durable=False)

    async def list_levels(self, *, limit: int = 1000) -> Sequence[KeptLevel]:
        rows = await self._database.read(_list(f"SELECT {_LEVEL} FROM tls_levels ORDER BY domain LIMIT $1", limit))
        return [_level(row) for row in rows]

    async def forget(self, domain: str) -> bool:
        return await self._database.write(unit_of(_forget, domain))

    async def expire(self, *, policies_before: datetime, levels_before: datetime) -> int:
        return await self._database.write(
            unit_of(_expire, _stamp(policies_before), _stamp(levels_before)), durable=False
        )


_MAX: Final = 1 << 62

_LIST_POLICIES: Final = f"SELECT {_POLICY} FROM sts_policies WHERE expires_at < $1 ORDER BY expires_at LIMIT $2"
_PUT_POLICY: Final = (
    f"INSERT INTO sts_policies ({_POLICY}) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (domain) DO UPDATE SET"
    " identity = excluded.identity, policy = excluded.policy, fetched_at = excluded.fetched_at,"
    " expires_at = excluded.expires_at, used_at = excluded.used_at"
)
_PUT_LEVEL: Final = (
    f"INSERT INTO tls_levels ({_LEVEL}) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (domain) DO UPDATE SET"
    " level = excluded.level, candidate = excluded.candidate, candidate_since = excluded.candidate_since,"
    " seen_at = excluded.seen_at"
)


def _find(sql: str, domain: str) -> Unit[list[Row]]:
    return (yield Statement(f"{sql} WHERE domain = $1", (domain,)))


def _list(sql: str, *values: Value) -> Unit[list[Row]]:
    return (yield Statement(sql, values))


def _put(sql: str, values: Sequence[Value]) -> Unit[None]:
    yield Statement(sql, values)


def _forget(domain: str) -> Unit[bool]:
    levels = yield Statement("DELETE FROM tls_levels WHERE domain = $1 RETURNING domain", (domain,))
    policies = yield Statement("DELETE FROM sts_policies WHERE domain = $1 RETURNING domain", (domain,))
    return bool(levels or policies)


def _expire(policies_before: int, levels_before: int) -> Unit[int]:
    policies = yield Statement("DELETE FROM sts_policies WHERE expires_at < $1 RETURNING domain", (policies_before,))
    levels = yield Statement("DELETE FROM tls_levels WHERE seen_at < $1 RETURNING domain", (levels_before,))
    return len(policies) + len(levels)


def _policy(row: Row) -> KeptPolicy:
    return KeptPolicy(row[0], row[1], bytes(row[2]), _time(row[3]), _time(row[4]), _time(row[5]))


def _level(row: Row) -> KeptLevel:
    return KeptLevel(row[0], row[1], row[2], _time(row[3]), _time(row[4]))


def _stamp(at: datetime) -> int:
    return int(at.timestamp())


def _time(stamp: int) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)
