"""Which domains are ours, and what each says about its addresses.

All of them are in memory, so that the question is answered at once, for each recipient and each login.
A change made elsewhere is known after the directory's log was read (`accounts.watch`).
"""

from __future__ import annotations

__all__ = ["Domains"]

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from hongyan.addresses import Address, Domain
from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.clock import Clock
from hongyan.errors import NotFound
from hongyan.store.directory import DirectoryChange, DirectoryTopic
from hongyan.store.domains import DomainSettings, DomainStore


class Domains:
    """The domains we serve. `load` comes before all else; `changed` is called after each change.

    It makes this process know of the change, and soon all others.
    """

    def __init__(
        self, store: DomainStore, audit: AuditLog, clock: Clock, changed: Callable[[], Awaitable[None]]
    ) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self._changed = changed
        self._domains: dict[Domain, DomainSettings] = {}

    async def load(self) -> None:
        """Read all domains."""
        self._domains = {settings.domain: settings for settings in await self._store.list_domains()}

    async def refresh(self, changes: Sequence[DirectoryChange] | None) -> None:
        """Take note of the directory's log; None: anything may have changed."""
        if changes is None or any(change.topic is DirectoryTopic.DOMAIN for change in changes):
            await self.load()

    def find(self, domain: Domain) -> DomainSettings | None:
        """Return the settings of a domain of ours."""
        return self._domains.get(domain)

    def is_local(self, domain: Domain) -> bool:
        """Whether mail for that domain is ours to deliver."""
        return domain in self._domains

    def list_domains(self) -> Sequence[DomainSettings]:
        """Return all domains, sorted by name."""
        return list(self._domains.values())

    async def add(self, domain: Domain, actor: Actor) -> DomainSettings:
        """Serve a domain. Raises `AlreadyExists`."""
        settings = DomainSettings(domain, self._clock.now().replace(microsecond=0))
        await self._store.add_domain(
            settings, audit=self._audit.entry(AuditEvent.DOMAIN_ADDED, actor, domain=domain.text)
        )
        await self._changed()
        return settings

    async def set_catch_all(self, domain: Domain, target: Address | None, actor: Actor) -> None:
        """Say who gets mail for addresses that nobody has; None: nobody. Raises `NotFound`."""
        await self._change(replace(self._get(domain), catch_all=target), actor)

    async def set_separators(self, domain: Domain, separators: str, actor: Actor) -> None:
        """Say which characters begin a subaddress. Raises `NotFound` or `ValueError`."""
        await self._change(replace(self._get(domain), separators=separators), actor)

    async def require_second_factor(self, domain: Domain, actor: Actor, *, required: bool) -> None:
        """Say whether each account of a domain has to have a second factor. Raises `NotFound`."""
        await self._change(replace(self._get(domain), needs_second_factor=required), actor)

    async def remove(self, domain: Domain, actor: Actor) -> None:
        """Serve a domain no longer. Raises `NotFound`, or `Refused` while it has accounts or aliases."""
        await self._store.remove_domain(
            domain, audit=self._audit.entry(AuditEvent.DOMAIN_REMOVED, actor, domain=domain.text)
        )
        await self._changed()

    def _get(self, domain: Domain) -> DomainSettings:
        settings = self._domains.get(domain)
        if settings is None:
            raise NotFound("That domain is not served here.")
        return settings

    async def _change(self, settings: DomainSettings, actor: Actor) -> None:
        entry = self._audit.entry(
            AuditEvent.DOMAIN_CHANGED,
            actor,
            domain=settings.domain.text,
            catch_all=str(settings.catch_all or ""),
            separators=settings.separators,
            needs_second_factor=str(settings.needs_second_factor).lower(),
        )
        await self._store.change_domain(settings, audit=entry)
        await self._changed()
