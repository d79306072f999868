"""Aliases: addresses that stand for others; `*@domain` is the domain's catch-all."""

from __future__ import annotations

__all__ = ["alias_operations"]

from collections.abc import Mapping, Sequence

from hongyan.addresses import Address, Domain
from hongyan.assembly.services import Services
from hongyan.errors import AlreadyExists, NotFound, Refused
from hongyan.operations.calling import Caller, Document, Operation
from hongyan.store.aliases import MAX_TARGETS, Alias
from hongyan.store.domains import DomainSettings

_PAGE = 1000
_ANYBODY = "*"


def alias_operations(services: Services) -> Mapping[str, Operation]:
    """Return the operations on aliases, by name."""
    group = _Aliases(services)
    return {"alias.add": group.add, "alias.list": group.list_aliases, "alias.remove": group.remove}


class _Aliases:
    def __init__(self, services: Services) -> None:
        self._aliases = services.directory.aliases
        self._accounts = services.directory.accounts
        self._domains = services.directory.domains

    async def add(
        self,
        caller: Caller,
        *,
        address: str,
        targets: list[str],
        members_may_send: bool = False,
        dry_run: bool = False,
    ) -> Document:
        """Make an alias, or replace it; `*@domain` gets what nobody else of the domain does."""
        parsed = Address.parse(address)
        addresses = _parse_targets(targets)
        if parsed.local_part == _ANYBODY and len(addresses) > 1:
            raise Refused("A catch-all has one target: an address, which may be an alias of several.")
        if dry_run:
            await self._require_possible(parsed)
        elif parsed.local_part == _ANYBODY:
            await self._domains.set_catch_all(parsed.domain, addresses[0], caller.actor)
        else:
            await self._aliases.put(Alias(parsed, addresses, members_may_send), caller.actor)
        document = _shown(parsed, addresses, members_may_send=members_may_send)
        return {**document, "dry_run": True} if dry_run else document

    async def list_aliases(self, caller: Caller, *, domain: str | None = None) -> Document:  # noqa: ARG002
        """Return aliases and catch-alls, of one domain or of all."""
        only = None if domain is None else Domain.parse(domain)
        listed = [
            _shown(_catch_all(settings), [settings.catch_all], members_may_send=False)
            for settings in self._domains.list_domains()
            if settings.catch_all is not None and only in (None, settings.domain)
        ]
        last = ""
        while page := await self._aliases.list_aliases(domain=only, after=last, limit=_PAGE):
            listed += [_shown(alias.address, alias.targets, members_may_send=alias.members_may_send) for alias in page]
            last = page[-1].address.canonical
        return {"aliases": listed}

    async def remove(self, caller: Caller, *, address: str, dry_run: bool = False) -> Document:
        """Remove an alias or a catch-all."""
        parsed = Address.parse(address)
        if parsed.local_part == _ANYBODY:
            settings = self._domains.find(parsed.domain)
            if settings is None or settings.catch_all is None:
                raise NotFound("There is no such alias.")
            targets: Sequence[Address] = [settings.catch_all]
            if not dry_run:
                await self._domains.set_catch_all(parsed.domain, None, caller.actor)
        else:
            targets = (await self._aliases.get(parsed)).targets
            if not dry_run:
                await self._aliases.remove(parsed, caller.actor)
        document = _shown(parsed, targets, members_may_send=False)
        return {**document, "dry_run": True} if dry_run else document

    async def _require_possible(self, address: Address) -> None:
        """Refuse what `put` would refuse."""
        if not self._domains.is_local(address.domain):
            raise NotFound("That domain is not served here.")
        if await self._accounts.find(address) is not None:
            raise AlreadyExists("An account has that address.")


def _parse_targets(texts: Sequence[str]) -> tuple[Address, ...]:
    """Return each address once."""
    targets = {target.canonical: target for target in map(Address.parse, texts)}
    if not 0 < len(targets) <= MAX_TARGETS:
        raise Refused(f"An alias has between 1 and {MAX_TARGETS} targets.")
    return tuple(targets.values())


def _catch_all(settings: DomainSettings) -> Address:
    return Address(_ANYBODY, settings.domain)


def _shown(address: Address, targets: Sequence[Address], *, members_may_send: bool) -> Document:
    return {
        "address": str(address),
        "targets": [str(target) for target in targets],
        "members_may_send": members_may_send,
    }
