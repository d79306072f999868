"""Accounts: who owns mail."""

from __future__ import annotations

__all__ = [
    "Account",
    "AccountChange",
    "AccountClass",
    "AccountState",
    "AccountStore",
    "Locale",
    "Role",
    "Service",
]

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hongyan.addresses import Address, Domain
from hongyan.store.audit import AuditEntry
from hongyan.types import AccountId


class Service(StrEnum):
    """What an account logs in to."""

    IMAP = "imap"
    POP3 = "pop3"
    SMTP = "smtp"
    WEB = "web"


class Role(StrEnum):
    """What an account may do beyond its own mail."""

    USER = "user"
    ADMIN = "admin"


class AccountClass(StrEnum):
    """By whom an account is used; policies refer to it."""

    CONSUMER = "consumer"
    ENTERPRISE = "enterprise"


class AccountState(StrEnum):
    """Whether an account is in use."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    """No logins and no deliveries; the mail stays."""
    REMOVED = "removed"
    """Its mail is being dropped, nobody finds it any more."""


class Locale(StrEnum):
    """The language in which the server speaks to the account's owner."""

    EN = "en"
    ZH = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account without its mail and its credentials."""

    account_id: AccountId
    address: Address
    name: str
    role: Role
    account_class: AccountClass
    state: AccountState
    locale: Locale
    services: frozenset[Service]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """What is to be different; None stays as it is."""

    name: str | None = None
    role: Role | None = None
    account_class: AccountClass | None = None
    state: AccountState | None = None
    locale: Locale | None = None
    services: frozenset[Service] | None = None

    def __post_init__(self) -> None:
        if self.state is AccountState.REMOVED:
            raise ValueError("an account is removed by `remove_account`")


class AccountStore(Protocol):
    """Keeps accounts. What changes one writes to the directory's log in the same unit, and the audit entry."""

    async def find_account(self, account: AccountId) -> Account | None:
        """Return an account that is not removed."""
        ...

    async def find_account_by_address(self, canonical: str) -> Account | None:
        """Return the account whose own address that is."""
        ...

    async def list_accounts(
        self, *, domain: Domain | None = None, after: AccountId | None = None, limit: int = 100
    ) -> Sequence[Account]:
        """Return accounts by id, those after `after`; of one domain or of all."""
        ...

    async def list_admins(self) -> Sequence[Account]:
        """Return the active accounts with the role of an admin, the oldest first."""
        ...

    async def change_account(self, account: AccountId, change: AccountChange, *, audit: AuditEntry) -> Account:
        """Change an account and return it. Raises `NotFound`."""
        ...
