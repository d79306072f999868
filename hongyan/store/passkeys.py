"""Port: passkeys, of which the server keeps public keys alone (WebAuthn Level 3 §4)."""

from __future__ import annotations

__all__ = ["NewPasskey", "Passkey", "PasskeyStore"]

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hongyan.store.audit import AuditEntry
from hongyan.types import AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasskey:
    """A passkey to be stored. `handle` is its credential id, `host` the name for which its keeper shows it."""

    handle: bytes
    host: str
    public_key: bytes = field(repr=False)
    sign_count: int
    label: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey as stored; `number` is unique within its account."""

    account: AccountId
    number: int
    handle: bytes
    host: str
    public_key: bytes = field(repr=False)
    sign_count: int
    label: str
    created_at: datetime
    used_at: datetime | None


class PasskeyStore(Protocol):
    """Keeps passkeys. What adds or removes one writes to the directory's log in the same unit, and the audit entry."""

    async def add_passkey(
        self,
        account: AccountId,
        new: NewPasskey,
        *,
        limit: int,
        recovery_codes: Sequence[bytes],
        audit: AuditEntry,
    ) -> tuple[Passkey, bool]:
        """Store a passkey; the account has a second factor from then on.

        True: it had none before, and the recovery codes, as hashes, were stored. Raises `NotFound`, `AlreadyExists`
        for a handle that is known, whosever it is, or `OverLimit` when there are `limit` already.
        """
        ...

    async def find_passkey(self, handle: bytes) -> Passkey | None:
        """Return the passkey of that handle."""
        ...

    async def list_passkeys(self, account: AccountId) -> Sequence[Passkey]:
        """Return the passkeys of an account, the oldest first."""
        ...

    async def use_passkey(self, passkey: Passkey, sign_count: int, at: datetime) -> bool:
        """Note a use; False: the count is not above the last, so that a copy is at work, or the passkey is gone."""
        ...

    async def remove_passkey(self, account: AccountId, number: int, *, audit: AuditEntry) -> bool:
        """Remove a passkey; with the last second factor go recovery codes and bound browsers. False: there is none."""
        ...
