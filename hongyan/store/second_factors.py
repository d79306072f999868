"""Second factors: the secret of an authenticator, encrypted by who hands it in, and recovery codes as hashes."""

from __future__ import annotations

__all__ = ["SecondFactor", "SecondFactorStanding", "SecondFactorStore"]

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hongyan.store.audit import AuditEntry
from hongyan.types import AccountId


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """The authenticator of an account. `sealed` is its secret, encrypted; `confirmed_at` None: not in force yet."""

    sealed: bytes = field(repr=False)
    confirmed_at: datetime | None
    last_step: int
    """The time step of the last code that was taken: no code of it, or of an earlier one, is taken again."""


@dataclass(frozen=True, slots=True)
class SecondFactorStanding:
    """Since when an account has a second factor, and which. `recovery_codes`: how many are left."""

    since: datetime | None
    recovery_codes: int
    has_authenticator: bool
    passkeys: int


class SecondFactorStore(Protocol):
    """Keeps second factors. Each act writes to the directory's log in the same unit, and the audit entry."""

    async def find_second_factor(self, account: AccountId) -> SecondFactor | None:
        """Return the second factor of an account, also one that is not confirmed."""
        ...

    async def second_factor_standing(self, account: AccountId) -> SecondFactorStanding:
        """Return what of it is in force: authenticator and passkeys."""
        ...

    async def put_second_factor(self, account: AccountId, sealed: bytes) -> bool:
        """Store a secret that is not in force yet, in the place of another such; False: one is in force already."""
        ...

    async def confirm_second_factor(
        self, account: AccountId, step: int, recovery_codes: Sequence[bytes], *, at: datetime, audit: AuditEntry
    ) -> bool:
        """Put what was stored in force, with recovery codes as hashes; False: there is none that waits for it."""
        ...

    async def use_step(self, account: AccountId, step: int) -> bool:
        """Take a code of this time step; False: one of it, or of a later one, was taken already."""
        ...

    async def use_recovery_code(self, account: AccountId, digest: bytes, *, audit: AuditEntry) -> bool:
        """Take a recovery code; False: there is none of this hash, or it was taken already."""
        ...

    async def put_recovery_codes(self, account: AccountId, digests: Sequence[bytes], *, audit: AuditEntry) -> bool:
        """Replace all recovery codes; False: no second factor is in force."""
        ...

    async def remove_second_factor(self, account: AccountId, *, audit: AuditEntry) -> bool:
        """Remove the authenticator; with the last factor go recovery codes and bound browsers. False: there is none."""
        ...
