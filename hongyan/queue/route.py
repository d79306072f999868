"""Which way a message goes: from facts to hosts, in the order in which they are tried. Pure.

MX by preference, hosts of one preference shuffled (RFC 5321 §5.1); no MX: the domain's own address;
the null MX takes no mail (RFC 7505). A host that is this server cuts the list there: behind it wait
servers that would send the message back. What cannot be reached is told at once (`Unroutable`),
with a cause that a person understands.
"""

from __future__ import annotations

__all__ = [
    "Credentials",
    "ExchangeFacts",
    "Hop",
    "LocalRoute",
    "LookupResult",
    "MailFacts",
    "RemoteRoute",
    "Route",
    "RouteOptions",
    "SmartHost",
    "Unroutable",
    "is_public",
    "order_exchanges",
    "route_by_mx",
    "route_to_smart_host",
]

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from itertools import groupby, zip_longest
from typing import Final, Literal, TypeVar

from hongyan.clock import Random
from hongyan.errors import ConfigurationError
from hongyan.mailauth.mta_sts import StsMode, StsPolicy
from hongyan.mailauth.resolver import IPAddress, MxRecord
from hongyan.options import option
from hongyan.queue.causes import Cause
from hongyan.queue.providers import organisation_of
from hongyan.queue.security import NO_TLSA, OPPORTUNISTIC, Demand, Demander, TlsaFacts, TlsLevel, TlsPolicy, decide
from hongyan.secret import Secret

SMTP_PORT: Final = 25

_MAX_HOSTS: Final = 5
"""Hosts that are tried for one destination in one attempt."""

_MAX_ADDRESSES: Final = 2
"""Addresses that are tried for one host in one attempt."""

_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]{1,253}))(?::([0-9]{1,5}))?")

_SHARED: Final = IPv6Address("64:ff9b::")  # NAT64 (RFC 6052 §2.1) embeds an IPv4 address in its last 32 bits.


@dataclass(frozen=True, slots=True)
class RouteOptions:
    """The section `[route]`."""

    smart_host: str = option("", "HOST:PORT of a relay that takes all outgoing mail; empty: deliver by MX.")
    smart_host_tls: TlsPolicy = option(
        TlsPolicy.OPPORTUNISTIC, "TLS towards the relay: never, opportunistic, required or verified."
    )
    smart_host_user: str = option("", "Name to log in with at the relay; the secret stands in its own file.")
    ip: Literal["prefer6", "prefer4", "only6", "only4"] = option(
        "prefer6", "Which addresses of a host are tried, and which come first."
    )
    private_addresses: bool = option(
        False, "Deliver to hosts whose address is private or loopback too; a relay named here is always allowed."
    )
    hold: bool = option(False, "Hold mail for other servers in the queue: for a server that is tried out.")


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to log in at a smart host."""

    user: str
    password: Secret


@dataclass(frozen=True, slots=True)
class SmartHost:
    """A relay that the operator named. `host` is a name or an IP address."""

    host: str
    port: int = SMTP_PORT
    tls: TlsPolicy = TlsPolicy.OPPORTUNISTIC
    credentials: Credentials | None = None

    @staticmethod
    def parse(text: str, tls: TlsPolicy, credentials: Credentials | None = None) -> SmartHost:
        """Read "HOST", "HOST:PORT" or "[IPV6]:PORT". Raises `ConfigurationError`."""
        match = _HOST_PORT.fullmatch(text)
        if not match or not 0 < int(match[3] or SMTP_PORT) < 65536:
            raise ConfigurationError(f"{text!r} is not HOST:PORT")
        return SmartHost((match[1] or match[2]).lower(), int(match[3] or SMTP_PORT), tls, credentials)


# -- Facts, as `queue.lookup` finds them -------------------------------------------------------------------------------


class LookupResult(Enum):
    """How a question ended."""

    FOUND = "found"
    NO_DATA = "no data"
    NO_DOMAIN = "no domain"
    TEMPORARY = "temporary"


@dataclass(frozen=True, slots=True)
class ExchangeFacts:
    """A mail exchanger and its addresses."""

    host: str
    preference: int
    result: LookupResult
    addresses: tuple[IPAddress, ...] = ()
    tlsa: TlsaFacts = NO_TLSA


@dataclass(frozen=True, slots=True)
class MailFacts:
    """What DNS says about a domain's mail, exchanges in the order to try."""

    domain: str
    mx: LookupResult
    exchanges: tuple[ExchangeFacts, ...] = ()
    """With NO_DATA for `mx`: the domain itself, the implicit MX."""
    is_null_mx: bool = False
    is_cut: bool = False
    """This server is among the exchanges; those of its preference and behind were left out."""
    is_secure: bool = False
    """DNSSEC vouches for the names of the exchanges."""
    sts: StsPolicy | None = None
    """The domain's MTA-STS policy."""
    remembered: TlsLevel = TlsLevel.PLAIN
    """How well connections for the domain were secured before."""


# -- Decisions ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hop:
    """A host to try, and at which addresses."""

    host: str
    addresses: tuple[IPAddress, ...]
    port: int = SMTP_PORT
    demand: Demand = OPPORTUNISTIC
    refusal: Cause | None = None
    """Why nothing may be sent to the host, unless the sender waives what the domain publishes."""
    is_vouched: bool = False
    """That this host takes the domain's mail hangs on more than an unsigned answer of the DNS (RFC 8689 §4.2.1)."""


@dataclass(frozen=True, slots=True)
class LocalRoute:
    """Into our own mailboxes."""


@dataclass(frozen=True, slots=True)
class RemoteRoute:
    """To another host by SMTP. `name` is the domain or the smart host; connections are shared by it."""

    name: str
    hops: tuple[Hop, ...]
    credentials: Credentials | None = field(default=None, repr=False)
    pool: str = ""
    """Which of our own addresses it leaves by: the name of a pool."""
    is_relay: bool = False
    """The operator named it: all destinations go there, and what its TLS is like says nothing of them."""
    is_waived: bool = False
    """The sender waives what the domain publishes (RFC 8689 §5)."""

    @property
    def provider(self) -> str:
        """Whose hosts they are; empty for a relay."""
        return "" if self.is_relay else organisation_of(self.hops[0].host)

    @property
    def door(self) -> str:
        """All hosts together, whatever their order."""
        return " ".join(sorted(f"{hop.host}:{hop.port}" for hop in self.hops))


@dataclass(frozen=True, slots=True)
class Unroutable:
    """There is no way, for good or for now."""

    cause: Cause
    detail: str = ""


Route = LocalRoute | RemoteRoute | Unroutable


def order_exchanges(
    records: Sequence[MxRecord], own_names: Collection[str], random: Random
) -> tuple[tuple[MxRecord, ...], bool]:
    """Return exchanges in the order to try, and whether the list was cut because one of them is this server."""
    ordered: list[MxRecord] = []
    for _, group in groupby(sorted(records, key=_preference), key=_preference):
        equal = list(group)
        if any(record.exchange in own_names for record in equal):
            return tuple(ordered), True
        ordered.extend(_shuffled(equal, random))
    return tuple(ordered), False


def route_by_mx(
    facts: MailFacts, options: RouteOptions, random: Random, own_addresses: Collection[IPAddress] = ()
) -> RemoteRoute | Unroutable:
    """Decide which hosts to try for a domain."""
    if facts.is_null_mx:
        return Unroutable(Cause.NULL_MX, facts.domain)
    if facts.mx is LookupResult.NO_DOMAIN:
        return Unroutable(Cause.NO_SUCH_DOMAIN, facts.domain)
    if facts.mx is LookupResult.TEMPORARY:
        return Unroutable(Cause.DNS_UNAVAILABLE, facts.domain)
    exchanges, is_cut = _cut_at_own_address(facts.exchanges, own_addresses)
    hops: list[Hop] = []
    for exchange in exchanges:
        addresses = _choose_addresses(exchange.addresses, options, random)
        if addresses:
            hops.append(_secured(facts, exchange.host, exchange.tlsa, addresses))
    if hops:
        return RemoteRoute(facts.domain, tuple(hops[:_MAX_HOSTS]))
    return Unroutable(_why_nowhere(exchanges, is_cut or facts.is_cut), facts.domain)


def route_to_smart_host(
    smart_host: SmartHost, addresses: Sequence[IPAddress], options: RouteOptions, random: Random
) -> RemoteRoute | Unroutable:
    """Decide at which addresses to try the relay; the operator named it, so that any address is right."""
    chosen = _choose_addresses(addresses, options, random, any_network=True)
    if not chosen:
        return Unroutable(Cause.RELAY_UNAVAILABLE, smart_host.host)
    demand = Demand(smart_host.tls, Demander.OPERATOR)
    hop = Hop(smart_host.host, chosen, smart_host.port, demand, is_vouched=True)
    return RemoteRoute(f"{smart_host.host}:{smart_host.port}", (hop,), smart_host.credentials, is_relay=True)


def _secured(facts: MailFacts, host: str, tlsa: TlsaFacts, addresses: tuple[IPAddress, ...]) -> Hop:
    sts = facts.sts
    is_named = sts is not None and sts.mode is StsMode.ENFORCE and sts.find_pattern(host) is not None
    is_vouched = facts.is_secure or is_named
    decided = decide(facts.domain, host, tlsa, sts, facts.remembered)
    if isinstance(decided, Cause):
        return Hop(host, addresses, refusal=decided, is_vouched=is_vouched)
    return Hop(host, addresses, demand=decided, is_vouched=is_vouched)


def _preference(record: MxRecord) -> int:
    return record.preference


_Item = TypeVar("_Item")


def _shuffled(items: Sequence[_Item], random: Random) -> list[_Item]:
    shuffled = list(items)
    for last in range(len(shuffled) - 1, 0, -1):
        other = random.below(last + 1)
        shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
    return shuffled


def _cut_at_own_address(
    exchanges: Sequence[ExchangeFacts], own_addresses: Collection[IPAddress]
) -> tuple[list[ExchangeFacts], bool]:
    ours = [exchange.preference for exchange in exchanges if not set(own_addresses).isdisjoint(exchange.addresses)]
    if not ours:
        return list(exchanges), False
    return [exchange for exchange in exchanges if exchange.preference < min(ours)], True


def _why_nowhere(exchanges: Sequence[ExchangeFacts], is_cut: bool) -> Cause:
    results = {exchange.result for exchange in exchanges}
    if LookupResult.TEMPORARY in results:
        return Cause.DNS_UNAVAILABLE
    if LookupResult.FOUND in results:
        return Cause.UNREACHABLE_NETWORK
    return Cause.LOOPS_TO_US if is_cut else Cause.NO_ADDRESS


def _choose_addresses(
    addresses: Sequence[IPAddress], options: RouteOptions, random: Random, *, any_network: bool = False
) -> tuple[IPAddress, ...]:
    """Return a few addresses, IP versions by turns, so that one broken version costs one try (RFC 8305 §4)."""
    if not (any_network or options.private_addresses):
        addresses = [address for address in addresses if is_public(address)]
    version6 = _shuffled([address for address in addresses if address.version == 6], random)
    version4 = _shuffled([address for address in addresses if address.version == 4], random)
    match options.ip:
        case "only6":
            chosen = _by_turns(version6)
        case "only4":
            chosen = _by_turns(version4)
        case "prefer6":
            chosen = _by_turns(version6, version4)
        case "prefer4":
            chosen = _by_turns(version4, version6)
    return tuple(chosen[:_MAX_ADDRESSES])


def _by_turns(*versions: Sequence[IPAddress]) -> list[IPAddress]:
    return [address for turn in zip_longest(*versions) for address in turn if address is not None]


def is_public(address: IPAddress) -> bool:
    """Whether an address is one of the world's: not private, loopback or local, also where it is written as another."""
    if isinstance(address, IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour
        if int(address) >> 32 == int(_SHARED) >> 32:
            embedded = IPv4Address(int(address) & 0xFFFFFFFF)
        if embedded is not None:
            return is_public(embedded)
    return address.is_global and not address.is_multicast
