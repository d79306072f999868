"""Whose is an address? From a forward-path to the accounts that get the mail, and to addresses elsewhere.

In this order: an address that is there as written; its base, when it is a subaddress (RFC 5233 §1); `postmaster`
and `abuse` of each domain, which are the admins' unless somebody has them (RFC 5321 §4.5.1, RFC 2142 §4); the
domain's catch-all. Aliases are followed, each address once: loops end by themselves, and the whole is bounded.

The decision is a value. It is kept in memory until the directory changes.
"""

from __future__ import annotations

__all__ = ["MAX_DEPTH", "MAX_EXPANSION", "Aliases", "LocalRecipient", "Refusal", "Resolution", "Via"]

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from hongyan import telemetry
from hongyan.accounts.cache import Cache
from hongyan.accounts.quotas import Quotas
from hongyan.addresses import Address, Domain
from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.domains.domains import Domains
from hongyan.errors import NotFound
from hongyan.store.accounts import AccountState, AccountStore
from hongyan.store.aliases import AddressEntry, Alias, AliasStore
from hongyan.store.directory import DirectoryChange, DirectoryTopic
from hongyan.types import AccountId

log = telemetry.logger("accounts")

MAX_DEPTH = 10
"""Aliases behind aliases."""

MAX_EXPANSION = 1000
"""Addresses that one forward-path may come to."""

_KEPT = 20_000
_KEPT_REFUSALS = 20_000  # kept apart: who tries many names must not push out those who get mail
_ROLES = frozenset({"postmaster", "abuse"})


class Refusal(StrEnum):
    """Why an address gets no mail."""

    NOT_LOCAL = "not-local"
    """Its domain is not ours."""
    UNKNOWN = "unknown"
    """Nobody has it."""
    DISABLED = "disabled"
    """Its account is suspended."""
    OVER_QUOTA = "over-quota"
    """All whose it is are full."""
    LOOP = "loop"
    """Its alias leads only to itself."""
    TOO_MANY = "too-many"
    """Its alias leads to more addresses, or further, than is allowed."""


class Via(StrEnum):
    """By what the address that was asked for was found."""

    EXACT = "exact"
    SUBADDRESS = "subaddress"
    ALIAS = "alias"
    ROLE = "role"
    CATCH_ALL = "catch-all"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class LocalRecipient:
    """An account that gets the mail. `detail` is the subaddress it was found by (RFC 5233 §1)."""

    account: AccountId
    address: Address
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a forward-path comes to: accounts and addresses elsewhere, or a refusal and neither."""

    recipients: tuple[LocalRecipient, ...] = ()
    external: tuple[Address, ...] = ()
    refusal: Refusal | None = None
    via: Via = Via.NOTHING
    refused: tuple[LocalRecipient, ...] = ()
    """Accounts that do not get it because they are full or suspended."""

    def __post_init__(self) -> None:
        if (self.refusal is None) != bool(self.recipients or self.external):
            raise ValueError("either somebody gets the mail, or there is a reason why nobody does")


_NOT_LOCAL = Resolution(refusal=Refusal.NOT_LOCAL)


class Aliases:
    """Resolves forward-paths, and keeps the aliases. `changed` is called after each change of theirs."""

    def __init__(
        self,
        store: AliasStore,
        accounts: AccountStore,
        domains: Domains,
        quotas: Quotas,
        audit: AuditLog,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._domains = domains
        self._quotas = quotas
        self._audit = audit
        self._changed = changed
        self._resolved: Cache[Address | None, Resolution] = Cache(_KEPT)
        self._refused: Cache[Address | None, Resolution] = Cache(_KEPT_REFUSALS)

    async def refresh(self, changes: Sequence[DirectoryChange] | None) -> None:
        """Take note of the directory's log."""
        if changes is None or any(change.topic is not DirectoryTopic.CREDENTIAL for change in changes):
            self._resolved.clear()
            self._refused.clear()

    # -- resolving

    def separators(self, domain: Domain) -> str:
        """Return the characters that begin a subaddress of a domain; none where there are none, or it is not ours."""
        settings = self._domains.find(domain)
        return settings.separators if settings else ""

    def find(self, address: Address | None) -> Resolution | None:
        """Return what is known without waiting, else None: then `resolve`. The address None is `<postmaster>`."""
        if address is not None and not self._domains.is_local(address.domain):
            return _NOT_LOCAL
        resolution = self._resolved.find(address)
        if resolution is None:
            return self._refused.find(address)
        if resolution.external:
            return resolution
        full = [self._quotas.find_full(recipient.account) for recipient in resolution.recipients]
        if False in full:
            return resolution
        return None if None in full else _over_quota(resolution)

    async def resolve(self, address: Address | None) -> Resolution:
        """Return what a forward-path comes to. The address None is `<postmaster>` (RFC 5321 §4.1.1.3)."""
        known = self.find(address)
        if known is not None:
            return known
        resolution = self._resolved.find(address) or await self._look_up(address)
        if resolution.refusal is not None or resolution.external:
            return resolution
        for recipient in resolution.recipients:
            if not await self._quotas.is_full(recipient.account):
                return resolution
        return _over_quota(resolution)

    async def _look_up(self, address: Address | None) -> Resolution:
        # Both caches are cleared together.
        generation = self._resolved.generation
        expansion = _Expansion()
        if address is None:
            await self._add_admins(expansion)
        else:
            await self._expand(address, expansion)
        resolution = expansion.result()
        cache = self._resolved if resolution.refusal is None else self._refused
        cache.keep(address, resolution, generation)
        return resolution

    async def _expand(self, address: Address, expansion: _Expansion) -> None:
        """Follow aliases breadth first, with one query for each level."""
        level: list[tuple[Address, str | None]] = [(address, None)]
        for depth in range(MAX_DEPTH + 1):
            level = [(target, detail) for target, detail in level if expansion.enter(target)]
            if expansion.is_too_large:
                return
            local = [(target, detail) for target, detail in level if self._domains.is_local(target.domain)]
            expansion.external += [target for target, _ in level if not self._domains.is_local(target.domain)]
            if not local:
                return
            entries = await self._store.find_addresses(list(self._keys([target for target, _ in local])))
            level = []
            for target, detail in local:
                level += await self._step(target, detail, entries, expansion, first=depth == 0)
                if len(level) > MAX_EXPANSION:
                    expansion.is_too_large = True
                    return
        expansion.is_too_large = bool(level)

    def _keys(self, addresses: Sequence[Address]) -> dict[str, None]:
        keys: dict[str, None] = {}
        for address in addresses:
            keys[address.canonical] = None
            keys[self._split(address)[0].canonical] = None
        return keys

    def _split(self, address: Address) -> tuple[Address, str | None]:
        return address.subaddress_split(self.separators(address.domain))

    async def _step(
        self,
        target: Address,
        detail: str | None,
        entries: Mapping[str, AddressEntry],
        expansion: _Expansion,
        *,
        first: bool,
    ) -> list[tuple[Address, str | None]]:
        """Take one address: return the addresses it stands for, or note the account that has it."""
        via = Via.EXACT
        entry = entries.get(target.canonical)
        if entry is None:
            via = Via.SUBADDRESS
            base, tag = self._split(target)
            entry, detail = entries.get(base.canonical), tag if tag is not None else detail
        if entry is None:
            return await self._nobody(target, expansion, first=first)
        if entry.account is None:
            expansion.note(Via.ALIAS, first=first)
            return [(address, detail) for address in entry.targets]
        expansion.note(via, first=first)
        expansion.add(entry.account, entry.address, entry.state, detail)
        return []

    async def _nobody(self, target: Address, expansion: _Expansion, *, first: bool) -> list[tuple[Address, str | None]]:
        """Nobody has the address: is it a role, is there a catch-all?"""
        if target.local_part.lower() in _ROLES:
            expansion.note(Via.ROLE, first=first)
            await self._add_admins(expansion)
            return []
        settings = self._domains.find(target.domain)
        if settings is None or settings.catch_all is None:
            return []
        expansion.note(Via.CATCH_ALL, first=first)
        return [(settings.catch_all, None)]

    async def _add_admins(self, expansion: _Expansion) -> None:
        expansion.note(Via.ROLE, first=not expansion.entered)
        admins = await self._accounts.list_admins()
        if not admins:
            log.error("no-admin", reads="postmaster and abuse")
        for admin in admins:
            expansion.add(admin.account_id, admin.address, admin.state, None)

    # -- aliases

    async def put(self, alias: Alias, actor: Actor) -> None:
        """Make or replace an alias. Raises `AlreadyExists` for an account's address, `NotFound` for its domain."""
        entry = self._audit.entry(
            AuditEvent.ALIAS_SAVED,
            actor,
            address=str(alias.address),
            targets=" ".join(map(str, alias.targets)),
            members_may_send=str(alias.members_may_send).lower(),
        )
        await self._store.put_alias(alias, audit=entry)
        await self._changed()

    async def remove(self, address: Address, actor: Actor) -> None:
        """Remove an alias. Raises `NotFound`."""
        entry = self._audit.entry(AuditEvent.ALIAS_REMOVED, actor, address=str(address))
        await self._store.remove_alias(address, audit=entry)
        await self._changed()

    async def list_aliases(self, *, domain: Domain | None = None, after: str = "", limit: int = 100) -> Sequence[Alias]:
        """Return aliases by canonical address, those after `after`; of one domain or of all."""
        return await self._store.list_aliases(domain=domain, after=after, limit=limit)

    async def get(self, address: Address) -> Alias:
        """Return an alias. Raises `NotFound`."""
        entry = (await self._store.find_addresses([address.canonical])).get(address.canonical)
        if entry is None or entry.account is not None or not entry.targets:
            raise NotFound("There is no such alias.")
        return Alias(entry.address, entry.targets, entry.members_may_send)


@dataclass(slots=True)
class _Expansion:
    """What was found on the way."""

    recipients: dict[AccountId, LocalRecipient] = field(default_factory=dict)
    external: list[Address] = field(default_factory=list)
    entered: set[str] = field(default_factory=set)
    via: Via = Via.NOTHING
    disabled: list[LocalRecipient] = field(default_factory=list)
    is_loop: bool = False
    is_too_large: bool = False

    def enter(self, address: Address) -> bool:
        """Note that an address is looked at; false for one that was looked at before."""
        canonical = address.canonical
        if canonical in self.entered:
            self.is_loop = True
            return False
        self.entered.add(canonical)
        self.is_too_large = len(self.entered) > MAX_EXPANSION
        return not self.is_too_large

    def note(self, via: Via, *, first: bool) -> None:
        if first:
            self.via = via

    def add(self, account: AccountId, address: Address, state: AccountState, detail: str | None) -> None:
        if state is not AccountState.ACTIVE:
            self.disabled.append(LocalRecipient(account, address, detail))
        elif account not in self.recipients:
            self.recipients[account] = LocalRecipient(account, address, detail)

    def result(self) -> Resolution:
        if self.is_too_large:
            return Resolution(refusal=Refusal.TOO_MANY, via=self.via)
        if self.recipients or self.external:
            return Resolution(tuple(self.recipients.values()), tuple(self.external), None, self.via)
        if self.disabled:
            return Resolution(refusal=Refusal.DISABLED, via=self.via, refused=tuple(self.disabled))
        return Resolution(refusal=Refusal.LOOP if self.is_loop else Refusal.UNKNOWN, via=self.via)


def _over_quota(resolution: Resolution) -> Resolution:
    return replace(resolution, recipients=(), refused=resolution.recipients, refusal=Refusal.OVER_QUOTA)
