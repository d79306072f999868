"""Second factors in SQL. `accounts.second_factor` says whether one is in force, where logins are decided."""

from __future__ import annotations

__all__ = ["SqlSecondFactors", "end_second_factor", "replace_recovery_codes"]

from collections.abc import Sequence
from datetime import UTC, datetime

from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.directory import log_directory_change
from hongyan.engines.sql.units import Many, SqlDatabase, Statement, Unit
from hongyan.store.audit import AuditEntry
from hongyan.store.directory import DirectoryTopic
from hongyan.store.second_factors import SecondFactor, SecondFactorStanding
from hongyan.store.web_sessions import SessionKind
from hongyan.types import AccountId


class SqlSecondFactors:
    """`store.second_factors.SecondFactorStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def find_second_factor(self, account: AccountId) -> SecondFactor | None:
        return await self._database.read_small(lambda: _find(account))

    async def second_factor_standing(self, account: AccountId) -> SecondFactorStanding:
        return await self._database.read_small(lambda: _standing(account))

    async def put_second_factor(self, account: AccountId, sealed: bytes) -> bool:
        return await self._database.write(lambda _refs: _put(account, sealed))

    async def confirm_second_factor(
        self, account: AccountId, step: int, recovery_codes: Sequence[bytes], *, at: datetime, audit: AuditEntry
    ) -> bool:
        return await self._database.write(lambda _refs: _confirm(account, step, recovery_codes, at, audit))

    async def use_step(self, account: AccountId, step: int) -> bool:
        return await self._database.write(lambda _refs: _use_step(account, step))

    async def use_recovery_code(self, account: AccountId, digest: bytes, *, audit: AuditEntry) -> bool:
        return await self._database.write(lambda _refs: _use_code(account, digest, audit))

    async def put_recovery_codes(self, account: AccountId, digests: Sequence[bytes], *, audit: AuditEntry) -> bool:
        return await self._database.write(lambda _refs: _put_codes(account, digests, audit))

    async def remove_second_factor(self, account: AccountId, *, audit: AuditEntry) -> bool:
        return await self._database.write(lambda _refs: _remove(account, audit))


def _find(account: AccountId) -> Unit[SecondFactor | None]:
    rows = yield Statement(
        "SELECT sealed, confirmed_at, last_step FROM second_factors WHERE account_id = $1", (account,)
    )
    if not rows:
        return None
    sealed, confirmed_at, last_step = rows[0]
    moment = None if confirmed_at is None else datetime.fromtimestamp(confirmed_at, UTC)
    return SecondFactor(sealed, moment, last_step)


def _standing(account: AccountId) -> Unit[SecondFactorStanding]:
    rows = yield Statement(
        "SELECT confirmed_at FROM second_factors WHERE account_id = $1 AND confirmed_at IS NOT NULL", (account,)
    )
    keys = yield Statement("SELECT COUNT(*), MIN(created_at) FROM passkeys WHERE account_id = $1", (account,))
    codes = yield Statement("SELECT COUNT(*) FROM recovery_codes WHERE account_id = $1", (account,))
    begun = [row[0] for row in rows] + [row[1] for row in keys if row[1] is not None]
    since = datetime.fromtimestamp(min(begun), UTC) if begun else None
    return SecondFactorStanding(since, codes[0][0], bool(rows), keys[0][0])


def _put(account: AccountId, sealed: bytes) -> Unit[bool]:
    stored = yield Statement(
        "INSERT INTO second_factors (account_id, sealed, confirmed_at, last_step) VALUES ($1, $2, NULL, 0)"
        " ON CONFLICT (account_id) DO UPDATE SET sealed = excluded.sealed, last_step = 0"
        " WHERE second_factors.confirmed_at IS NULL RETURNING account_id",
        (account, sealed),
    )
    return bool(stored)


def _confirm(account: AccountId, step: int, digests: Sequence[bytes], at: datetime, audit: AuditEntry) -> Unit[bool]:
    confirmed = yield Statement(
        "UPDATE second_factors SET confirmed_at = $1, last_step = $2 WHERE account_id = $3 AND confirmed_at IS NULL"
        " RETURNING account_id",
        (int(at.timestamp()), step, account),
    )
    if not confirmed:
        return False
    yield Statement("UPDATE accounts SET second_factor = 1 WHERE account_id = $1", (account,))
    yield from replace_recovery_codes(account, digests)
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.ACCOUNT, audit.at, account)
    return True


def _use_step(account: AccountId, step: int) -> Unit[bool]:
    # One statement: of two that show the same code at once, one finds the step taken.
    taken = yield Statement(
        "UPDATE second_factors SET last_step = $1 WHERE account_id = $2 AND last_step < $1 RETURNING account_id",
        (step, account),
    )
    return bool(taken)


def _use_code(account: AccountId, digest: bytes, audit: AuditEntry) -> Unit[bool]:
    gone = yield Statement(
        "DELETE FROM recovery_codes WHERE account_id = $1 AND digest = $2 RETURNING account_id", (account, digest)
    )
    if gone:
        yield from insert_audit(audit)
    return bool(gone)


def _put_codes(account: AccountId, digests: Sequence[bytes], audit: AuditEntry) -> Unit[bool]:
    rows = yield Statement("SELECT 1 FROM accounts WHERE account_id = $1 AND second_factor = 1", (account,))
    if not rows:
        return False
    yield from replace_recovery_codes(account, digests)
    yield from insert_audit(audit)
    return True


def _remove(account: AccountId, audit: AuditEntry) -> Unit[bool]:
    gone = yield Statement("DELETE FROM second_factors WHERE account_id = $1 RETURNING confirmed_at", (account,))
    if not gone or gone[0][0] is None:
        return False
    yield from end_second_factor(account)
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.ACCOUNT, audit.at, account)
    return True


def end_second_factor(account: AccountId) -> Unit[None]:
    """Let the password alone open the web again if neither an authenticator nor a passkey is left."""
    ended = yield Statement(
        "UPDATE accounts SET second_factor = 0 WHERE account_id = $1"
        " AND NOT EXISTS (SELECT 1 FROM second_factors f WHERE f.account_id = $1 AND f.confirmed_at IS NOT NULL)"
        " AND NOT EXISTS (SELECT 1 FROM passkeys p WHERE p.account_id = $1) RETURNING account_id",
        (account,),
    )
    if not ended:
        return
    yield Statement("DELETE FROM recovery_codes WHERE account_id = $1", (account,))
    yield Statement(
        "DELETE FROM web_sessions WHERE account_id = $1 AND kind = $2", (account, SessionKind.BINDING.value)
    )


def replace_recovery_codes(account: AccountId, digests: Sequence[bytes]) -> Unit[None]:
    """Store these in the place of all."""
    yield Statement("DELETE FROM recovery_codes WHERE account_id = $1", (account,))
    yield Many(
        "INSERT INTO recovery_codes (account_id, digest) VALUES ($1, $2)", [(account, digest) for digest in digests]
    )
