"""What a right secret proves: whose it is, and what it opens."""

from __future__ import annotations

__all__ = ["NOBODY", "Proven"]

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from hongyan.addresses import Address
from hongyan.auth.principal import LoginAttempt
from hongyan.store.accounts import Account, AccountClass, AccountState, Locale, Role
from hongyan.store.credentials import Device, StoredLogin
from hongyan.types import AccountId, CredentialId
from hongyan.wire.sasl import SCRAM_ITERATIONS


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody has shown what opens an account: an app password, a client certificate, or (None) the password."""

    login: StoredLogin
    credential: CredentialId
    device: Device | None

    def opens(self, attempt: LoginAttempt) -> bool:
        """Whether the secret is for what is attempted. One secret may be both, password and app password."""
        return self.device is None or not self.device.scopes.isdisjoint({attempt.service, *attempt.admits})


NOBODY: Final = StoredLogin(
    Account(
        account_id=AccountId(0),
        address=Address.parse("nobody@nowhere.invalid"),
        name="",
        role=Role.USER,
        account_class=AccountClass.CONSUMER,
        state=AccountState.REMOVED,
        locale=Locale.EN,
        services=frozenset(),
        created_at=datetime.fromtimestamp(0, UTC),
    ),
    None,
    bytes(16),
    SCRAM_ITERATIONS,
    (),
    frozenset(),
    CredentialId(0),
)
"""What a name that nobody has is checked against: no secret fits."""
