"""What a right secret proves: whose it is, and what it opens."""

from __future__ import annotations

__all__ = ["NOBODY", "Proven"]

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from hongyan.addresses import Address
from hongyan.store.accounts import Account, AccountClass, AccountState, Locale, Role, Service
from hongyan.store.credentials import AppPassword, StoredLogin
from hongyan.types import AccountId, CredentialId
from hongyan.wire.sasl import SCRAM_ITERATIONS


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody has shown a right secret of an account: an app password, or the password."""

    login: StoredLogin
    credential: CredentialId
    app_password: AppPassword | None

    def opens(self, service: Service) -> bool:
        """Whether the secret is for the service. One secret may be both, password and app password."""
        return self.app_password is None or service in self.app_password.scopes


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
