"""Pools of sending addresses: from which of our addresses a message leaves, and under which name.

A pool is chosen by the sender (a domain or an address) and by the destination (a domain, or the provider of its mail
servers); the first pool in the order of the file that fits takes the message, and without one the system chooses. Its
addresses take turns; a network stands for all its hosts. With `warm_up` a new address sends few messages a day at
first, by a published schedule; what is more leaves by an address of the pool that may send it, or as if there were no
pool.

An address without a name in the DNS, or whose name is another, is taken for a bot's: that is looked at when the server
starts, and logged.
"""

from __future__ import annotations

__all__ = ["MAX_ADDRESSES", "WARM_UP", "PoolOptions", "Source", "SourcePools"]

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from hongyan import telemetry
from hongyan.addresses import Address, Domain
from hongyan.clock import Clock
from hongyan.errors import PeerFault, ServerFault
from hongyan.mailauth.resolver import DnsNotFound, DnsTemporary, IPAddress, Resolver
from hongyan.options import option
from hongyan.store.sending_addresses import AddressUse, SendingAddressStore

IPNetwork = IPv4Network | IPv6Network

WARM_UP: Final = (50, 100, 200, 400, 800, 1500, 3000, 6000, 12_000, 25_000)
"""Messages that an address may send on its first day, its second …; afterwards as many as there are."""

MAX_ADDRESSES: Final = 4096
"""Addresses of a pool: a /20 of IPv4."""

_ADDRESS: Final = "{address}"
_DAY: Final = 86_400
_SAVE: Final = 60.0

_log = telemetry.logger("smtp-client")


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """One entry of `[pools]`."""

    addresses: tuple[str, ...] = option((), "IP addresses of this machine, or networks such as 192.0.2.0/24, in turn.")
    names: tuple[str, ...] = option(
        (),
        "What EHLO says: one name for all addresses, or one for each; {address} in it stands for the address, with"
        " hyphens; none: the name of this host.",
    )
    senders: tuple[str, ...] = option((), "Domains or addresses whose mail leaves by this pool; none: anybody's.")
    destinations: tuple[str, ...] = option((), "Domains or providers whose mail leaves by it; none: all.")
    warm_up: bool = option(False, "Let a new address begin with few messages a day.")

    def __post_init__(self) -> None:
        if sum(_size(text) for text in self.addresses) > MAX_ADDRESSES:
            raise ValueError(f"a pool has at most {MAX_ADDRESSES} addresses")
        if len(self.names) not in (0, 1, len(self.listed())):
            raise ValueError("a pool has one name, or as many names as addresses")
        for number, address in enumerate(self.listed() if self.names else ()):
            _require_domain(self.name_of(address, number, ""))

    def listed(self) -> list[IPAddress]:
        """Return each address, those of networks too, in the order of the file."""
        return [address for text in self.addresses for address in _addresses(text)]

    def name_of(self, address: IPAddress, number: int, hostname: str) -> str:
        """Return what EHLO says from the address of that number in `listed`."""
        name = self.names[number % len(self.names)] if self.names else hostname
        return name.replace(_ADDRESS, address.exploded.replace(".", "-").replace(":", "-"))


@dataclass(frozen=True, slots=True)
class Source:
    """An address to send from, and the name to say."""

    address: IPAddress
    name: str
    warms_up: bool


class SourcePools:
    """Chooses pools and their addresses, and counts what leaves by those that warm up."""

    def __init__(
        self, pools: Mapping[str, PoolOptions], hostname: str, clock: Clock, store: SendingAddressStore | None = None
    ) -> None:
        self._pools = {name: _Pool(options, hostname) for name, options in pools.items()}
        self._clock = clock
        self._store = store
        self._uses: dict[str, AddressUse] = {}
        self._unsaved: set[str] = set()

    async def run(self, resolver: Resolver | None) -> None:
        """Read how warm addresses are, look at their names, and keep the counts for as long as the server runs."""
        if self._store is not None and self._pools:
            self._uses = {one.address: one for one in await self._store.read()}
        if resolver is not None:
            for source in [source for pool in self._pools.values() for source in pool.sources]:
                await _check_name(source, resolver)
        while True:
            await asyncio.sleep(_SAVE)
            await self.save()

    async def save(self) -> None:
        """Store what was counted."""
        unsaved, self._unsaved = self._unsaved, set()
        if self._store is not None and unsaved:
            try:
                await self._store.put([self._uses[one] for one in sorted(unsaved)])
            except ServerFault as fault:
                _log.error("warm-up-unsaved", error=fault)
                self._unsaved |= unsaved

    def choose(self, sender: Address | None, destination: str, provider: str) -> str:
        """Return the name of the pool that a message leaves by; empty if none is for it."""
        for name, pool in self._pools.items():
            if pool.fits(sender, destination, provider):
                return name
        return ""

    def addresses_of(self, domain: Domain) -> Mapping[IPAddress, str]:
        """Return the addresses that mail of a domain may leave by, and what EHLO says from each."""
        fitting = (pool for pool in self._pools.values() if pool.serves(domain))
        return {source.address: source.name.lower() for pool in fitting for source in pool.sources}

    def networks_of(self, domain: Domain) -> Sequence[IPNetwork]:
        """Return the networks among them that are named as such: all of their addresses are ours."""
        return [network for pool in self._pools.values() if pool.serves(domain) for network in pool.networks]

    def find(self, pool: str, version: int) -> Source | None:
        """Return the next address of a pool for this IP version; None if the system is to choose."""
        known = self._pools.get(pool)
        for _ in range(len(known.sources) if known else 0):
            source = known.next() if known else None
            if source is not None and source.address.version == version and self._has_room(source):
                return source
        return None

    def sent(self, source: Source) -> None:
        """A message has left by an address."""
        if source.warms_up:
            use = self._use(source)
            self._uses[use.address] = AddressUse(use.address, use.began, use.day, use.sent + 1)
            self._unsaved.add(use.address)

    def _has_room(self, source: Source) -> bool:
        if not source.warms_up:
            return True
        use = self._use(source)
        age = use.day - use.began
        return age >= len(WARM_UP) or use.sent < WARM_UP[age]

    def _use(self, source: Source) -> AddressUse:
        """Return how an address was used today."""
        text, today = str(source.address), int(self._clock.timestamp()) // _DAY
        known = self._uses.get(text)
        if known is None:
            return AddressUse(text, today, today, 0)
        return known if known.day == today else AddressUse(text, known.began, max(today, known.began), 0)


class _Pool:
    """One pool, and whose turn it is."""

    def __init__(self, options: PoolOptions, hostname: str) -> None:
        self.sources = [
            Source(address, options.name_of(address, number, hostname), options.warm_up)
            for number, address in enumerate(options.listed())
        ]
        self.networks = [ip_network(text) for text in options.addresses if "/" in text]
        self._senders = {_canonical(text) for text in options.senders}
        self._destinations = {Domain.parse(text).text for text in options.destinations}
        self._turn = 0

    def fits(self, sender: Address | None, destination: str, provider: str) -> bool:
        if self._destinations and self._destinations.isdisjoint((destination, provider)):
            return False
        if not self._senders:
            return True
        return sender is not None and not self._senders.isdisjoint((sender.canonical, sender.domain.text))

    def serves(self, domain: Domain) -> bool:
        """Whether mail of a domain, or of somebody there, may leave by it."""
        domains = {text.rpartition("@")[2] for text in self._senders}
        return not domains or domain.text in domains

    def next(self) -> Source:
        self._turn += 1
        return self.sources[self._turn % len(self.sources)]


def _size(text: str) -> int:
    return int(ip_network(text).num_addresses) if "/" in text else 1


def _addresses(text: str) -> Iterable[IPAddress]:
    return ip_network(text).hosts() if "/" in text else (ip_address(text),)


def _require_domain(text: str) -> None:
    try:
        Domain.parse(text)
    except PeerFault as fault:
        raise ValueError(f"{text} is no name of a host") from fault


def _canonical(text: str) -> str:
    return Address.parse(text).canonical if "@" in text else Domain.parse(text).text


async def _check_name(source: Source, resolver: Resolver) -> None:
    """Log if the DNS does not know an address by the name that EHLO says (RFC 1912 §2.1)."""
    try:
        names = [name.rstrip(".").lower() for name in (await resolver.ptr(source.address)).records]
        found = (await resolver.addresses(source.name)).records if source.name.lower() in names else ()
    except DnsTemporary:
        return
    except DnsNotFound:
        names, found = [], ()
    if source.address not in found:
        _log.warning("sending-address-misnamed", address=source.address, name=source.name, known_as=" ".join(names))
