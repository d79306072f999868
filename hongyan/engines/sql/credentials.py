"""Credentials in SQL."""

from __future__ import annotations

__all__ = ["SqlCredentials", "insert_app_password", "revoke_all"]

from collections.abc import Sequence
from datetime import UTC, datetime

from hongyan.engines.sql.accounts import ACCOUNT_COLUMNS, read_account, read_services, write_services
from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.client_certificates import read_certificates
from hongyan.engines.sql.credential_numbers import drop_credentials, next_credential, numbered, revoke_credentials
from hongyan.engines.sql.directory import log_directory_change
from hongyan.engines.sql.units import Row, SqlDatabase, Statement, Unit
from hongyan.errors import NotFound, OverLimit
from hongyan.store.audit import AuditEntry
from hongyan.store.credentials import (
    AppPassword,
    NewAppPassword,
    Password,
    StoredLogin,
    owner_of,
)
from hongyan.store.directory import DirectoryTopic
from hongyan.types import AccountId, CredentialId
from hongyan.wire.sasl import ScramKeys

_LOGIN = (
    f"{ACCOUNT_COLUMNS}, a.password_credential, a.password_hash, a.scram_salt, a.scram_iterations, a.next_credential,"
    " a.second_factor"
)
_APP_PASSWORD = "credential_id, label, scopes, keyed_hash, scram, created_at, last_used_at, last_used_from"  # noqa: S105 - columns
_KEY = 32  # octets of each of the two keys of a SCRAM verifier
_NETWORKS = 64


class SqlCredentials:
    """`store.credentials.CredentialStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def find_next_credential(self, canonical: str) -> CredentialId | None:
        return await self._database.read_small(lambda: _find_next_credential(canonical))

    async def find_login(self, canonical: str) -> StoredLogin | None:
        return await self._database.read_small(lambda: _find_login(canonical))

    async def get_login(self, account: AccountId) -> StoredLogin:
        return await self._database.read_small(lambda: _get_login(account))

    async def set_password(self, account: AccountId, password_hash: str, *, audit: AuditEntry) -> None:
        await self._database.write(lambda _refs: _set_password(account, password_hash, audit))

    async def rehash_password(self, password: Password, password_hash: str) -> None:
        await self._database.write(lambda _refs: _rehash(password, password_hash))

    async def add_app_password(
        self, account: AccountId, new: NewAppPassword, *, limit: int, audit: AuditEntry
    ) -> AppPassword:
        return await self._database.write(lambda _refs: _add(account, new, limit, audit))

    async def revoke_app_passwords(
        self, account: AccountId, credentials: Sequence[CredentialId] | None = None, *, audit: AuditEntry
    ) -> Sequence[CredentialId]:
        return await self._database.write(
            lambda _refs: revoke_credentials("app_passwords", account, credentials, audit)
        )


# -- parts of units, for this package


def insert_app_password(account: AccountId, number: int, new: NewAppPassword) -> Unit[CredentialId]:
    """Store an app password under the account's credential of that number."""
    credential = numbered(account, number)
    yield Statement(
        "INSERT INTO app_passwords (account_id, credential_id, label, scopes, keyed_hash, scram, created_at,"
        " last_used_at, last_used_from) VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, '')",
        (
            account,
            credential,
            new.label,
            write_services(new.scopes),
            new.keyed_hash,
            b"".join(keys.stored_key + keys.server_key for keys in new.scram),
            int(new.created_at.timestamp()),
        ),
    )
    return credential


def revoke_all(account: AccountId) -> Unit[list[CredentialId]]:
    """Drop all app passwords, certificates and web sessions of an account."""
    app_passwords = yield from drop_credentials("app_passwords", account)
    certificates = yield from drop_credentials("client_certificates", account)
    return [*app_passwords, *certificates, *(yield from drop_credentials("web_sessions", account))]


# -- whole units


def _find_next_credential(canonical: str) -> Unit[CredentialId | None]:
    rows = yield Statement(
        "SELECT a.account_id, a.next_credential FROM addresses d JOIN accounts a ON a.account_id = d.account_id"
        " WHERE d.canonical = $1",
        (canonical,),
    )
    return numbered(AccountId(rows[0][0]), rows[0][1]) if rows else None


def _find_login(canonical: str) -> Unit[StoredLogin | None]:
    rows = yield Statement(
        f"SELECT {_LOGIN} FROM addresses d JOIN accounts a ON a.account_id = d.account_id WHERE d.canonical = $1",
        (canonical,),
    )
    return (yield from _read_login(rows[0])) if rows else None


def _get_login(account: AccountId) -> Unit[StoredLogin]:
    rows = yield Statement(
        f"SELECT {_LOGIN} FROM accounts a WHERE a.account_id = $1 AND a.state <> 'removed'", (account,)
    )
    if not rows:
        raise NotFound("There is no such account.")
    return (yield from _read_login(rows[0]))


def _read_login(row: Row) -> Unit[StoredLogin]:
    """Read the rest of a login."""
    account = read_account(row)
    secrets = yield Statement(
        f"SELECT {_APP_PASSWORD} FROM app_passwords WHERE account_id = $1 ORDER BY credential_id",
        (account.account_id,),
    )
    certificates = yield from read_certificates(account.account_id)
    networks = yield Statement(
        "SELECT network FROM known_networks WHERE account_id = $1 ORDER BY last_at DESC LIMIT $2",
        (account.account_id, _NETWORKS),
    )
    return StoredLogin(
        account,
        Password(CredentialId(row[9]), row[10]) if row[10] else None,
        row[11],
        row[12],
        [_app_password(secret) for secret in secrets],
        frozenset(network for (network,) in networks),
        numbered(account.account_id, row[13]),
        certificates,
        has_second_factor=bool(row[14]),
    )


def _app_password(row: Row) -> AppPassword:
    keys = row[4]
    return AppPassword(
        CredentialId(row[0]),
        row[1],
        read_services(row[2]),
        row[3],
        tuple(ScramKeys(keys[at : at + _KEY], keys[at + _KEY : at + 2 * _KEY]) for at in range(0, len(keys), 2 * _KEY)),
        datetime.fromtimestamp(row[5], UTC),
        None if row[6] is None else datetime.fromtimestamp(row[6], UTC),
        row[7],
    )


def _set_password(account: AccountId, password_hash: str, audit: AuditEntry) -> Unit[None]:
    number = yield from next_credential(account)
    old = yield Statement("SELECT password_credential FROM accounts WHERE account_id = $1", (account,))
    yield Statement(
        "UPDATE accounts SET password_hash = $1, password_credential = $2 WHERE account_id = $3",
        (password_hash, numbered(account, number), account),
    )
    revoked = yield from revoke_all(account)
    yield from insert_audit(audit)
    for credential in (CredentialId(old[0][0]), *revoked):
        yield from log_directory_change(DirectoryTopic.CREDENTIAL, audit.at, account, credential)


def _rehash(password: Password, password_hash: str) -> Unit[None]:
    yield Statement(
        "UPDATE accounts SET password_hash = $1 WHERE account_id = $2 AND password_credential = $3",
        (password_hash, owner_of(password.credential), password.credential),
    )


def _add(account: AccountId, new: NewAppPassword, limit: int, audit: AuditEntry) -> Unit[AppPassword]:
    number = yield from next_credential(account)
    count = yield Statement("SELECT COUNT(*) FROM app_passwords WHERE account_id = $1", (account,))
    if count[0][0] >= limit:
        raise OverLimit("The account has as many app passwords as it may have.")
    credential = yield from insert_app_password(account, number, new)
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.CREDENTIAL, audit.at, account)
    return AppPassword(credential, new.label, new.scopes, new.keyed_hash, new.scram, new.created_at, None, "")
