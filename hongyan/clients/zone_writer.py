"""Changes zones where the configuration allows it: by signed dynamic updates (RFC 2136), or at a provider."""

from __future__ import annotations

__all__ = ["ZoneWriter"]

from collections.abc import Mapping, Sequence

from hongyan.clients.dns_providers.aliyun import Aliyun
from hongyan.clients.dns_providers.cloudflare import Cloudflare
from hongyan.clients.dns_providers.dnspod import Dnspod
from hongyan.clients.dns_providers.provider import DnsProvider, DnsProviderOptions
from hongyan.clients.dns_update import Change, DnsUpdateOptions, DnsUpdater, find_options
from hongyan.clients.resolver import RecordResolver
from hongyan.clock import Clock, Random
from hongyan.domains.dns_records import Kind, Record, quote_text
from hongyan.store.domain_state import OwnRecord


class ZoneWriter:
    """`domains.publisher.ZoneWriter`. A zone that a provider's entry names is changed there."""

    def __init__(
        self,
        updates: Sequence[DnsUpdateOptions],
        providers: Sequence[DnsProviderOptions],
        resolver: RecordResolver,
        clock: Clock,
        random: Random,
    ) -> None:
        self._updates = tuple(updates)
        self._updaters = {options: DnsUpdater(options, resolver, clock) for options in updates}
        self._providers: Mapping[str, DnsProvider] = {
            zone.lower().rstrip("."): _make(options, clock, random) for options in providers for zone in options.zones
        }

    def covers(self, name: str) -> bool:
        return self._provider_zone(name) is not None or find_options(self._updates, name) is not None

    async def write(self, add: Sequence[Record], remove: Sequence[OwnRecord]) -> None:
        changes: dict[DnsUpdateOptions, list[Change]] = {}
        for mine in remove:
            zone = self._provider_zone(mine.name)
            if zone is not None:
                await self._providers[zone].remove(zone, mine.name, mine.kind, mine.value)
            elif (options := find_options(self._updates, mine.name)) is not None:
                data = _data(mine.kind, mine.value)
                changes.setdefault(options, []).append(Change.remove(mine.name, mine.kind, data))
        for record in add:
            zone = self._provider_zone(record.name)
            if zone is not None:
                await self._providers[zone].add(zone, record.name, record.kind, record.value)
            elif (options := find_options(self._updates, record.name)) is not None:
                data = _data(record.kind, record.value)
                changes.setdefault(options, []).append(Change.add(record.name, record.kind.value, data))
        for options, those in changes.items():
            await self._updaters[options].change(those)

    def _provider_zone(self, name: str) -> str | None:
        above = [zone for zone in self._providers if name == zone or name.endswith(f".{zone}")]
        return max(above, key=len, default=None)


def _data(kind: str, value: str) -> str:
    return quote_text(value) if kind == Kind.TXT else value


def _make(options: DnsProviderOptions, clock: Clock, random: Random) -> DnsProvider:
    match options.kind:
        case "cloudflare":
            return Cloudflare(options)
        case "aliyun":
            return Aliyun(options, clock, random)
        case "dnspod":
            return Dnspod(options, clock)
