"""Addresses: one table for all, keyed by the canonical form, of accounts and of aliases; and identities.

An alias is an address that stands for one or several others, here or elsewhere. An identity is an address
from which an account may write although neither its own address nor an alias of it says so.
"""

from __future__ import annotations

__all__ = ["MAX_TARGETS", "AddressEntry", "Alias", "AliasStore"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hongyan.addresses import Address, Domain
from hongyan.store.accounts import AccountState
from hongyan.store.audit import AuditEntry
from hongyan.types import AccountId

MAX_TARGETS = 1000
"""Addresses that an alias stands for."""


@dataclass(frozen=True, slots=True)
class Alias:
    """An address that stands for others.

    `members_may_send`: whether the accounts that it stands for may write from it.
    """

    address: Address
    targets: tuple[Address, ...]
    members_may_send: bool

    def __post_init__(self) -> None:
        if not 0 < len(self.targets) <= MAX_TARGETS:
            raise ValueError(f"an alias has between 1 and {MAX_TARGETS} targets")
        if len({target.canonical for target in self.targets}) != len(self.targets):
            raise ValueError("an alias names each target once")


@dataclass(frozen=True, slots=True)
class AddressEntry:
    """What an address stands for: an account, or the targets of an alias."""

    address: Address
    account: AccountId | None
    state: AccountState
    targets: tuple[Address, ...]
    members_may_send: bool


class AliasStore(Protocol):
    """Keeps addresses. What changes one writes to the directory's log in the same unit, and the audit entry."""

    async def find_addresses(self, canonicals: Sequence[str]) -> Mapping[str, AddressEntry]:
        """Return what stands under these keys."""
        ...

    async def put_alias(self, alias: Alias, *, audit: AuditEntry) -> None:
        """Make or replace an alias.

        Raises `AlreadyExists` when an account has the address and `NotFound` when its domain is not served.
        """
        ...

    async def remove_alias(self, address: Address, *, audit: AuditEntry) -> None:
        """Remove an alias, also from aliases and catch-alls that point to it. Raises `NotFound`."""
        ...

    async def list_aliases(self, *, domain: Domain | None = None, after: str = "", limit: int = 100) -> Sequence[Alias]:
        """Return aliases by canonical address, those after `after`; of one domain or of all."""
        ...

    async def aliases_of(self, canonical: str) -> Sequence[Alias]:
        """Return the aliases that name this address as a target."""
        ...

    async def grant_identity(self, account: AccountId, address: Address, *, audit: AuditEntry) -> None:
        """Let an account write from an address. Raises `NotFound` when there is no such account."""
        ...

    async def revoke_identity(self, account: AccountId, address: Address, *, audit: AuditEntry) -> None:
        """Take that back. Raises `NotFound` when it was not granted."""
        ...

    async def list_identities(self, account: AccountId) -> Sequence[Address]:
        """Return the addresses granted to an account, sorted."""
        ...
