"""Passkeys in SQL. `accounts.second_factor` says whether an account has one, or an authenticator."""

from __future__ import annotations

__all__ = ["SqlPasskeys"]

from collections.abc import Sequence
from datetime import UTC, datetime

from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.credential_numbers import next_credential
from hongyan.engines.sql.directory import log_directory_change
from hongyan.engines.sql.second_factors import end_second_factor, replace_recovery_codes
from hongyan.engines.sql.units import Row, SqlDatabase, Statement, Unit
from hongyan.errors import AlreadyExists, OverLimit
from hongyan.store.audit import AuditEntry
from hongyan.store.directory import DirectoryTopic
from hongyan.store.passkeys import NewPasskey, Passkey
from hongyan.types import AccountId

_COLUMNS = "account_id, number, handle, host, public_key, sign_count, label, created_at, used_at"


class SqlPasskeys:
    """`store.passkeys.PasskeyStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def add_passkey(
        self, account: AccountId, new: NewPasskey, *, limit: int, recovery_codes: Sequence[bytes], audit: AuditEntry
    ) -> tuple[Passkey, bool]:
        return await self._database.write(lambda _refs: _add(account, new, limit, recovery_codes, audit))

    async def find_passkey(self, handle: bytes) -> Passkey | None:
        return await self._database.read_small(lambda: _find(handle))

    async def list_passkeys(self, account: AccountId) -> Sequence[Passkey]:
        return await self._database.read(_list(account))

    async def use_passkey(self, passkey: Passkey, sign_count: int, at: datetime) -> bool:
        return await self._database.write(lambda _refs: _use(passkey, sign_count, at))

    async def remove_passkey(self, account: AccountId, number: int, *, audit: AuditEntry) -> bool:
        return await self._database.write(lambda _refs: _remove(account, number, audit))


def _add(
    account: AccountId, new: NewPasskey, limit: int, recovery_codes: Sequence[bytes], audit: AuditEntry
) -> Unit[tuple[Passkey, bool]]:
    number = yield from next_credential(account)  # it locks the account's row, and so the count below
    rows = yield Statement("SELECT COUNT(*) FROM passkeys WHERE account_id = $1", (account,))
    if rows[0][0] >= limit:
        raise OverLimit("The account has as many passkeys as it may have.")
    row: Row = (
        account,
        number,
        new.handle,
        new.host,
        new.public_key,
        new.sign_count,
        new.label,
        int(new.created_at.timestamp()),
        None,
    )
    added = yield Statement(
        f"INSERT INTO passkeys ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        " ON CONFLICT (handle) DO NOTHING RETURNING number",
        row,
    )
    if not added:
        raise AlreadyExists("This passkey is known already.")
    first = yield Statement(
        "UPDATE accounts SET second_factor = 1 WHERE account_id = $1 AND second_factor = 0 RETURNING account_id",
        (account,),
    )
    if first:
        yield from replace_recovery_codes(account, recovery_codes)
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.ACCOUNT, audit.at, account)
    return _passkey(row), bool(first)


def _find(handle: bytes) -> Unit[Passkey | None]:
    rows = yield Statement(f"SELECT {_COLUMNS} FROM passkeys WHERE handle = $1", (handle,))
    return _passkey(rows[0]) if rows else None


def _list(account: AccountId) -> Unit[Sequence[Passkey]]:
    rows = yield Statement(f"SELECT {_COLUMNS} FROM passkeys WHERE account_id = $1 ORDER BY number", (account,))
    return [_passkey(row) for row in rows]


def _use(passkey: Passkey, sign_count: int, at: datetime) -> Unit[bool]:
    # One statement: of two that show the same count at once, one finds it taken. Many keepers count nothing: 0 stays 0.
    used = yield Statement(
        "UPDATE passkeys SET sign_count = $1, used_at = $2 WHERE account_id = $3 AND number = $4"
        " AND (sign_count < $1 OR (sign_count = 0 AND $1 = 0)) RETURNING number",
        (sign_count, int(at.timestamp()), passkey.account, passkey.number),
    )
    return bool(used)


def _remove(account: AccountId, number: int, audit: AuditEntry) -> Unit[bool]:
    gone = yield Statement(
        "DELETE FROM passkeys WHERE account_id = $1 AND number = $2 RETURNING number", (account, number)
    )
    if not gone:
        return False
    yield from end_second_factor(account)
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.ACCOUNT, audit.at, account)
    return True


def _passkey(row: Row) -> Passkey:
    account, number, handle, host, public_key, sign_count, label, created_at, used_at = row
    return Passkey(
        account=AccountId(account),
        number=number,
        handle=handle,
        host=host,
        public_key=public_key,
        sign_count=sign_count,
        label=label,
        created_at=datetime.fromtimestamp(created_at, UTC),
        used_at=None if used_at is None else datetime.fromtimestamp(used_at, UTC),
    )
