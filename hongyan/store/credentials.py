"""What logins are checked against: passwords, app passwords, client certificates, networks known from earlier logins.

No secret is stored: of a password its slow hash, of an app password a keyed hash and SCRAM verifiers.
All app passwords of an account share its salt and iteration count, so that one SCRAM exchange tries each.
"""

from __future__ import annotations

__all__ = [
    "AppPassword",
    "CredentialStore",
    "Device",
    "NewAppPassword",
    "Password",
    "StoredLogin",
    "first_credential",
    "owner_of",
]

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hongyan.store.accounts import Account, Service
from hongyan.store.audit import AuditEntry
from hongyan.store.client_certificates import ClientCertificate
from hongyan.types import AccountId, CredentialId
from hongyan.wire.sasl import ScramKeys

_NUMBER_BITS = 32


def first_credential(account: AccountId) -> CredentialId:
    """Return the lowest id of an account's credentials: the account's id leads it."""
    return CredentialId(account << _NUMBER_BITS)


def owner_of(credential: CredentialId) -> AccountId:
    """Return whose credential it is."""
    return AccountId(credential >> _NUMBER_BITS)


@dataclass(frozen=True, slots=True)
class Password:
    """The account's password: each new one is a new credential, so that sessions of the old one end."""

    credential: CredentialId
    hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewAppPassword:
    """An app password to be stored. `scram` holds the verifiers of each spelling that is accepted."""

    label: str
    scopes: frozenset[Service]
    keyed_hash: bytes = field(repr=False)
    scram: tuple[ScramKeys, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AppPassword:
    """An app password as stored."""

    credential: CredentialId
    label: str
    scopes: frozenset[Service]
    keyed_hash: bytes = field(repr=False)
    scram: tuple[ScramKeys, ...]
    created_at: datetime
    last_used_at: datetime | None
    last_used_from: str


Device = AppPassword | ClientCertificate
"""What one program logs in by."""


@dataclass(frozen=True, slots=True)
class StoredLogin:
    """All that a login to one account is decided by."""

    account: Account
    password: Password | None
    scram_salt: bytes = field(repr=False)
    scram_iterations: int
    app_passwords: Sequence[AppPassword]
    networks: frozenset[str]
    """Networks of successful logins, those last seen."""
    next_credential: CredentialId
    """What the next credential will be: it grows when one is added, and tells whether this is still all."""
    certificates: Sequence[ClientCertificate] = ()
    has_second_factor: bool = False
    """Whether the password alone opens nothing."""

    @property
    def devices(self) -> Sequence[Device]:
        """All that programs log in by."""
        return (*self.app_passwords, *self.certificates)


class CredentialStore(Protocol):
    """Keeps credentials. What revokes one writes to the directory's log in the same unit, and the audit entry."""

    async def find_next_credential(self, canonical: str) -> CredentialId | None:
        """Return what the next credential of the account with that address will be; None: nobody has the address."""
        ...

    async def find_login(self, canonical: str) -> StoredLogin | None:
        """Return what belongs to an account's own address."""
        ...

    async def get_login(self, account: AccountId) -> StoredLogin:
        """Return what belongs to an account. Raises `NotFound`."""
        ...

    async def set_password(self, account: AccountId, password_hash: str, *, audit: AuditEntry) -> None:
        """Change the account's password; revoke the old one and all other credentials. Raises `NotFound`."""
        ...

    async def rehash_password(self, password: Password, password_hash: str) -> None:
        """Put another hash of the same password in its place, unless the password has changed."""
        ...

    async def add_app_password(
        self, account: AccountId, new: NewAppPassword, *, limit: int, audit: AuditEntry
    ) -> AppPassword:
        """Store an app password. Raises `NotFound`, or `OverLimit` when the account has `limit` of them."""
        ...

    async def revoke_app_passwords(
        self, account: AccountId, credentials: Sequence[CredentialId] | None = None, *, audit: AuditEntry
    ) -> Sequence[CredentialId]:
        """Revoke these, or all; return those that were there."""
        ...
