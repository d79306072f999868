"""Certificates by which mail programs log in: what is kept of them is what they are known by.

The key of a certificate is with its owner alone. Like an app password, a certificate is a credential of an account,
for some services; unlike one, it ends by itself.
"""

from __future__ import annotations

__all__ = ["ClientCertificate", "ClientCertificateStore", "NewClientCertificate"]

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hongyan.store.accounts import Service
from hongyan.store.audit import AuditEntry
from hongyan.types import AccountId, CredentialId


@dataclass(frozen=True, slots=True)
class NewClientCertificate:
    """A certificate to be stored. `fingerprint` is the SHA-256 of its DER."""

    label: str
    scopes: frozenset[Service]
    fingerprint: bytes = field(repr=False)
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate as stored."""

    credential: CredentialId
    label: str
    scopes: frozenset[Service]
    fingerprint: bytes = field(repr=False)
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    last_used_from: str


class ClientCertificateStore(Protocol):
    """Keeps certificates; `store.credentials.StoredLogin` holds those of an account.

    What revokes one writes to the directory's log in the same unit, and the audit entry.
    """

    async def add_certificate(
        self, account: AccountId, new: NewClientCertificate, *, limit: int, audit: AuditEntry
    ) -> ClientCertificate:
        """Store a certificate, and forget those that have ended.

        Raises `NotFound`, or `OverLimit` when the account has `limit` others.
        """
        ...

    async def revoke_certificates(
        self, account: AccountId, credentials: Sequence[CredentialId] | None = None, *, audit: AuditEntry
    ) -> Sequence[CredentialId]:
        """Revoke these, or all; return those that were there."""
        ...
