"""Credentials of whatever kind: their numbers, of which each is given once, and how they end."""

from __future__ import annotations

__all__ = ["drop_credentials", "next_credential", "numbered", "revoke_credentials"]

from collections.abc import Sequence
from typing import Literal

from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.directory import log_directory_change
from hongyan.engines.sql.units import Statement, Unit
from hongyan.errors import NotFound
from hongyan.store.audit import AuditEntry
from hongyan.store.credentials import first_credential
from hongyan.store.directory import DirectoryTopic
from hongyan.types import AccountId, CredentialId

_Table = Literal["app_passwords", "client_certificates", "web_sessions"]


def numbered(account: AccountId, number: int) -> CredentialId:
    """Return the account's credential of that number."""
    return CredentialId(first_credential(account) + number)


def next_credential(account: AccountId) -> Unit[int]:
    """Take the number of a new credential; it locks the account's row until the unit ends. Raises `NotFound`."""
    rows = yield Statement(
        "UPDATE accounts SET next_credential = next_credential + 1"
        " WHERE account_id = $1 AND state <> 'removed' RETURNING next_credential - 1",
        (account,),
    )
    if not rows:
        raise NotFound("There is no such account.")
    return int(rows[0][0])


def drop_credentials(table: _Table, account: AccountId) -> Unit[list[CredentialId]]:
    """Remove all credentials of one kind, and return which they were."""
    gone = yield Statement(f"DELETE FROM {table} WHERE account_id = $1 RETURNING credential_id", (account,))
    return [CredentialId(row[0]) for row in gone]


def revoke_credentials(
    table: _Table, account: AccountId, credentials: Sequence[CredentialId] | None, audit: AuditEntry
) -> Unit[Sequence[CredentialId]]:
    """Remove these credentials of one kind, or all (None), and tell every process; return those that were there."""
    revoked: list[CredentialId] = []
    if credentials is None:
        revoked = yield from drop_credentials(table, account)
    else:
        for credential in credentials:
            gone = yield Statement(
                f"DELETE FROM {table} WHERE account_id = $1 AND credential_id = $2 RETURNING credential_id",
                (account, credential),
            )
            revoked += [CredentialId(row[0]) for row in gone]
    if revoked:
        yield from insert_audit(audit)
    for credential in revoked:
        yield from log_directory_change(DirectoryTopic.CREDENTIAL, audit.at, account, credential)
    return revoked
