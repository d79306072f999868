"""Certificates of mail programs in SQL."""

from __future__ import annotations

__all__ = ["SqlClientCertificates", "read_certificates"]

from collections.abc import Sequence
from datetime import UTC, datetime

from hongyan.engines.sql.accounts import read_services, write_services
from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.credential_numbers import next_credential, numbered, revoke_credentials
from hongyan.engines.sql.directory import log_directory_change
from hongyan.engines.sql.units import Row, SqlDatabase, Statement, Unit
from hongyan.errors import OverLimit
from hongyan.store.audit import AuditEntry
from hongyan.store.client_certificates import ClientCertificate, NewClientCertificate
from hongyan.store.directory import DirectoryTopic
from hongyan.types import AccountId, CredentialId

_COLUMNS = "credential_id, label, scopes, fingerprint, created_at, expires_at, last_used_at, last_used_from"


class SqlClientCertificates:
    """`store.client_certificates.ClientCertificateStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def add_certificate(
        self, account: AccountId, new: NewClientCertificate, *, limit: int, audit: AuditEntry
    ) -> ClientCertificate:
        return await self._database.write(lambda _refs: _add(account, new, limit, audit))

    async def revoke_certificates(
        self, account: AccountId, credentials: Sequence[CredentialId] | None = None, *, audit: AuditEntry
    ) -> Sequence[CredentialId]:
        return await self._database.write(
            lambda _refs: revoke_credentials("client_certificates", account, credentials, audit)
        )


# -- parts of units, for this package


def read_certificates(account: AccountId) -> Unit[Sequence[ClientCertificate]]:
    """Return the certificates of an account, the oldest first."""
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM client_certificates WHERE account_id = $1 ORDER BY credential_id", (account,)
    )
    return [_certificate(row) for row in rows]


# -- whole units


def _add(account: AccountId, new: NewClientCertificate, limit: int, audit: AuditEntry) -> Unit[ClientCertificate]:
    number = yield from next_credential(account)
    created_at, expires_at = int(new.created_at.timestamp()), int(new.expires_at.timestamp())
    yield Statement("DELETE FROM client_certificates WHERE account_id = $1 AND expires_at <= $2", (account, created_at))
    count = yield Statement("SELECT COUNT(*) FROM client_certificates WHERE account_id = $1", (account,))
    if count[0][0] >= limit:
        raise OverLimit("The account has as many client certificates as it may have.")
    credential = numbered(account, number)
    scopes = write_services(new.scopes)
    yield Statement(
        f"INSERT INTO client_certificates (account_id, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, '')",
        (account, credential, new.label, scopes, new.fingerprint, created_at, expires_at),
    )
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.CREDENTIAL, audit.at, account)
    return _certificate((credential, new.label, scopes, new.fingerprint, created_at, expires_at, None, ""))


def _certificate(row: Row) -> ClientCertificate:
    return ClientCertificate(
        CredentialId(row[0]),
        row[1],
        read_services(row[2]),
        row[3],
        datetime.fromtimestamp(row[4], UTC),
        datetime.fromtimestamp(row[5], UTC),
        None if row[6] is None else datetime.fromtimestamp(row[6], UTC),
        row[7],
    )
