"""How an account comes to be, all at once, and how it goes, step by step."""

from __future__ import annotations

__all__ = ["NewAccount", "NewMailbox", "ProvisioningStore"]

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hongyan.addresses import Address
from hongyan.store.accounts import Account, AccountClass, Locale, Role, Service
from hongyan.store.audit import AuditEntry
from hongyan.store.credentials import NewAppPassword
from hongyan.types import AccountId


@dataclass(frozen=True, slots=True)
class NewMailbox:
    """A mailbox that a new account begins with."""

    name: str
    special_use: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """All of a new account: it is stored at once, and usable then."""

    address: Address
    name: str = ""
    role: Role = Role.USER
    account_class: AccountClass = AccountClass.CONSUMER
    locale: Locale = Locale.EN
    services: frozenset[Service]
    created_at: datetime
    mailboxes: Sequence[NewMailbox]
    uidvalidity_chance: int
    """An unguessable number: see `create_account_state`."""
    limit_octets: int = 0
    limit_messages: int = 0
    password_hash: str = field(default="", repr=False)
    scram_salt: bytes = field(repr=False)
    scram_iterations: int
    app_passwords: Sequence[NewAppPassword] = ()


class ProvisioningStore(Protocol):
    """Makes and removes accounts. It writes to the directory's log in the same unit, and the audit entry."""

    async def create_account(self, new: NewAccount, *, audit: AuditEntry) -> Account:
        """Store an account with its address, mailboxes and credentials; the audit entry is given its id.

        Raises `AlreadyExists` when the address is taken and `NotFound` when its domain is not served.
        """
        ...

    async def remove_account(self, account: AccountId, *, audit: AuditEntry) -> None:
        """Take away address, credentials and identities: from now on nobody finds the account. Raises `NotFound`.

        The address also leaves the aliases and catch-alls that point to it, so that who gets it next gets no mail
        by them; an alias without a target left goes too.
        """
        ...

    async def list_removed(self) -> Sequence[AccountId]:
        """Return removed accounts whose mail is still to be dropped."""
        ...

    async def drop_mail(self, account: AccountId, *, limit: int = 2000) -> bool:
        """Drop some of a removed account's rows; return whether there may be more.

        What messages held is left to the sweep, as after an expunge.
        """
        ...
