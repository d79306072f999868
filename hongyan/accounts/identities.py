"""From which addresses an account may write (RFC 6409 §6.1, §8.1; RFC 8621 §6).

Its own address with any subaddress; an alias that stands for it alone, or whose members may write from it;
and what was granted to it. An address that another account has is never lent by a subaddress.
"""

from __future__ import annotations

__all__ = ["Identities"]

from collections.abc import Awaitable, Callable, Sequence

from hongyan.accounts.cache import Cache
from hongyan.addresses import Address
from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.domains.domains import Domains
from hongyan.store.accounts import AccountStore
from hongyan.store.aliases import AddressEntry, Alias, AliasStore
from hongyan.store.directory import DirectoryChange, DirectoryTopic
from hongyan.types import AccountId

_KEPT = 20_000


class Identities:
    """Knows who may write from where. `changed` is called after each change."""

    def __init__(
        self,
        store: AliasStore,
        accounts: AccountStore,
        domains: Domains,
        audit: AuditLog,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._domains = domains
        self._audit = audit
        self._changed = changed
        self._known: Cache[tuple[AccountId, Address], bool] = Cache(_KEPT)

    async def refresh(self, changes: Sequence[DirectoryChange] | None) -> None:
        """Take note of the directory's log."""
        if changes is None or any(change.topic is not DirectoryTopic.CREDENTIAL for change in changes):
            self._known.clear()

    def find(self, account: AccountId, address: Address) -> bool | None:
        """Whether the account may write from the address; None when that has to be looked up."""
        return self._known.find((account, address))

    async def may_use(self, account: AccountId, address: Address) -> bool:
        """Whether the account may write from the address."""
        known = self._known.find((account, address))
        if known is not None:
            return known
        generation = self._known.generation
        allowed = await self._look_up(account, address)
        self._known.keep((account, address), allowed, generation)
        return allowed

    async def list_identities(self, account: AccountId) -> Sequence[Address]:
        """Return the addresses from which an account may write, its own first, without subaddresses."""
        owner = await self._accounts.find_account(account)
        if owner is None:
            return []
        found = {owner.address.canonical: owner.address}
        for alias in await self._store.aliases_of(owner.address.canonical):
            if _lends(alias):
                found.setdefault(alias.address.canonical, alias.address)
        for address in await self._store.list_identities(account):
            found.setdefault(address.canonical, address)
        return list(found.values())

    async def grant(self, account: AccountId, address: Address, actor: Actor) -> None:
        """Let an account write from an address. Raises `NotFound` when there is no such account."""
        entry = self._audit.entry(AuditEvent.IDENTITY_GRANTED, actor, account=account, address=str(address))
        await self._store.grant_identity(account, address, audit=entry)
        await self._changed()

    async def revoke(self, account: AccountId, address: Address, actor: Actor) -> None:
        """Take a grant back. Raises `NotFound`."""
        entry = self._audit.entry(AuditEvent.IDENTITY_REVOKED, actor, account=account, address=str(address))
        await self._store.revoke_identity(account, address, audit=entry)
        await self._changed()

    async def _look_up(self, account: AccountId, address: Address) -> bool:
        owner = await self._accounts.find_account(account)
        if owner is None:
            return False
        granted = await self._store.list_identities(account)
        if address.canonical in {grant.canonical for grant in granted}:
            return True
        base = self._base(address)
        entries = await self._store.find_addresses(list({address.canonical: None, base.canonical: None}))
        entry = entries.get(address.canonical) or entries.get(base.canonical)
        return entry is not None and self._is_lent(entry, owner.address)

    def _is_lent(self, entry: AddressEntry, own: Address) -> bool:
        if entry.account is not None:
            return entry.address.canonical == own.canonical
        if len(entry.targets) != 1 and not entry.members_may_send:
            return False
        return own.canonical in {self._base(target).canonical for target in entry.targets}

    def _base(self, address: Address) -> Address:
        settings = self._domains.find(address.domain)
        return address.subaddress_split(settings.separators)[0] if settings else address


def _lends(alias: Alias) -> bool:
    return len(alias.targets) == 1 or alias.members_may_send
