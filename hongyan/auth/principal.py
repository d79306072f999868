"""What the door is asked and what it answers: attempts, principals, refusals."""

from __future__ import annotations

__all__ = ["EXTERNAL", "LoginAttempt", "LoginReason", "LoginRefused", "Principal", "ScramOffer"]

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from hongyan.addresses import Address
from hongyan.errors import Refused
from hongyan.secret import Secret
from hongyan.store.accounts import Role, Service
from hongyan.types import AccountId, CredentialId
from hongyan.wire.sasl import ScramVerifiers

EXTERNAL: Final = "EXTERNAL"
"""The mechanism that takes what TLS has proven (RFC 4422 appendix A)."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is logged in, with what, what for, and until when, where the credential ends by itself."""

    account: AccountId
    address: Address
    scopes: frozenset[Service]
    credential: CredentialId
    role: Role
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAttempt:
    """Somebody wants in. `secret` is None for SCRAM and EXTERNAL, where it never comes.

    `peer` is the peer's IP address, `tls` the version of TLS or None, `client` what the program calls itself,
    `mechanism` "PLAIN", "LOGIN", "SCRAM-SHA-256", "EXTERNAL", "BASIC" or the protocol's own command ("USER", "LOGIN").
    An app password for one of the services that `admits` names opens this one too; it gives no scope that it lacks.
    """

    service: Service
    name: str
    peer: str
    tls: str | None
    mechanism: str
    secret: Secret | None = None
    client: str = ""
    asks_second_factor: bool = False
    """Whether who lets in will ask for the second factor. Else the password of an account with one is refused."""
    admits: frozenset[Service] = frozenset()


class LoginReason(StrEnum):
    """Why a login is refused."""

    UNKNOWN_NAME = "unknown-name"
    WRONG_SECRET = "wrong-secret"  # noqa: S105 - the name of a reason
    TLS_REQUIRED = "tls-required"
    TOO_MANY_FAILURES = "too-many-failures"
    """From this network, or with this name from this network."""
    BUSY = "busy"
    """Too many passwords are being checked; later it may do."""
    SECOND_FACTOR = "second-factor"
    """The password is right, but the account has a second factor that cannot be asked for here."""
    SECOND_FACTOR_WRONG = "second-factor-wrong"
    UNAVAILABLE = "unavailable"
    """Our fault; later it may do."""
    SERVICE_OFF = "service-off"
    SCOPE = "scope"
    """The app password is right, and for other services."""
    SUSPENDED = "suspended"
    CLASS = "class"
    """The account's class may not use the service."""
    DEVICE_LIMIT = "device-limit"

    @property
    def is_temporary(self) -> bool:
        """Whether the same attempt may succeed later: 4yz in SMTP, UNAVAILABLE in IMAP, SYS/TEMP in POP3."""
        return self in (LoginReason.TOO_MANY_FAILURES, LoginReason.BUSY, LoginReason.UNAVAILABLE)


class LoginRefused(Refused):
    """The login is refused.

    `sentence` is for the peer, and `told` is what the reply's code may say. `reason` is the truth, for us alone:
    a peer is told WRONG_SECRET for an unknown name, or for a suspended account without a right app password.
    """

    def __init__(
        self,
        reason: LoginReason,
        sentence: str,
        *,
        told: LoginReason | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence, cause=reason.value)
        self.reason = reason
        self.told = told or reason
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class ScramOffer:
    """What a SCRAM exchange is tried against, and whose each candidate is."""

    verifiers: ScramVerifiers
    credentials: tuple[CredentialId, ...] = field(repr=False)
