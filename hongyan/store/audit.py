"""What happened: acts one by one, and login attempts folded by kind.

An act is stored in the unit of work that carries it out, so that neither is there without the other. Login
attempts are counted by kind (who, from where, how, with what result), many in one write, and never
hold up a login.
"""

from __future__ import annotations

__all__ = [
    "AuditEntry",
    "AuditStore",
    "CredentialUse",
    "KnownNetwork",
    "LoginBatch",
    "LoginFold",
    "LoginKind",
]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hongyan.types import AccountId, CredentialId


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act.

    `entry_id` grows with time and is unique; `event` is `source:subject:action` as `audit.events` lists them;
    `actor` is who did it, `peer` from where. `account` is whose matter it is, None for the server's.
    """

    entry_id: int
    at: datetime
    event: str
    account: AccountId | None
    actor: str
    peer: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoginKind:
    """What login attempts must have in common to be counted together.

    `address` is the peer's address, `result` "ok" or why it was refused, `label` that of the app password.
    """

    account: AccountId | None
    address: str
    service: str
    mechanism: str
    tls: str
    result: str
    label: str
    client: str


@dataclass(frozen=True, slots=True)
class LoginFold:
    """So many attempts of one kind, the first and the last of them."""

    kind: LoginKind
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class CredentialUse:
    """The last use of an app password."""

    credential: CredentialId
    at: datetime
    address: str


@dataclass(frozen=True, slots=True)
class KnownNetwork:
    """A network from which the account logged in."""

    account: AccountId
    network: str
    last_at: datetime


@dataclass(frozen=True, slots=True)
class LoginBatch:
    """What happened at the door of one account since the last batch. Attempts on unknown names have account None."""

    account: AccountId | None
    folds: Sequence[LoginFold]
    uses: Sequence[CredentialUse] = ()
    networks: Sequence[KnownNetwork] = ()


class AuditStore(Protocol):
    """Keeps the trail."""

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Store acts that have no other unit of work."""
        ...

    async def list_audit(
        self,
        *,
        account: AccountId | None = None,
        event_prefix: str = "",
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[AuditEntry]:
        """Return acts, the newest first; of one account, of one kind, older than the entry `before`."""
        ...

    async def expire_audit(self, before: datetime) -> int:
        """Drop acts older than that; return how many."""
        ...

    async def record_logins(self, batch: LoginBatch) -> None:
        """Add counts to the folds of one account, and note uses and networks. A power loss may undo the last second."""
        ...

    async def list_logins(self, account: AccountId | None, *, limit: int = 100) -> Sequence[LoginFold]:
        """Return the folds of one account, or of unknown names (None), the last seen first."""
        ...

    async def list_known_networks(self, *, limit: int) -> Sequence[KnownNetwork]:
        """Return networks of successful logins, the last seen first."""
        ...

    async def expire_logins(self, before: datetime, *, keep: int) -> int:
        """Drop folds and networks last seen before that, and of each account all but the newest `keep` folds."""
        ...
