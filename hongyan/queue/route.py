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
    "TlsPolicy",
    "Unroutable",
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
from hongyan.mailauth.resolver import IPAddress, MxRecord
from hongyan.options import option
from hongyan.queue.causes import Cause
from hongyan.secret import Secret

SMTP_PORT: Final = 25

_MAX_HOSTS: Final = 5
"""Hosts that are tried for one destination in one attempt."""

_MAX_ADDRESSES: Final = 2
"""Addresses that are tried for one host in one attempt."""

_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]{1,253}))(?::([0-9]{1,5}))?")

_SHARED: Final = IPv6Address("64:ff9b::")  # NAT64 (RFC 6052 §2.1) embeds an IPv4 address in its last 32 bits.


class TlsPolicy(Enum):
    """What is asked of the connection to the next hop."""

    NEVER = "never"
    OPPORTUNISTIC = "opportunistic"
    """TLS where it is offered, certificates unchecked (RFC 7435); in the clear where it is not or fails."""
    REQUIRED = "required"
    """TLS or nothing; certificates unchecked."""
    VERIFIED = "verified"
    """TLS with a certificate for the host's name, or nothing."""


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


# -- Decisions ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hop:
    """A host to try, and at which addresses."""

    host: str
    addresses: tuple[IPAddress, ...]
    port: int = SMTP_PORT


@dataclass(frozen=True, slots=True)
class LocalRoute:
    """Into our own mailboxes."""


@dataclass(frozen=True, slots=True)
class RemoteRoute:
    """To another host by SMTP. `name` is the domain or the smart host; connections are shared by it."""

    name: str
    hops: tuple[Hop, ...]
    tls: TlsPolicy = TlsPolicy.OPPORTUNISTIC
    credentials: Credentials | None = field(default=None, repr=False)


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
            hops.append(Hop(exchange.host, addresses))
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
    hop = Hop(smart_host.host, chosen, smart_host.port)
    return RemoteRoute(f"{smart_host.host}:{smart_host.port}", (hop,), smart_host.tls, smart_host.credentials)


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
        addresses = [address for address in addresses if _is_public(address)]
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


def _is_public(address: IPAddress) -> bool:
    if isinstance(address, IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour
        if int(address) >> 32 == int(_SHARED) >> 32:
            embedded = IPv4Address(int(address) & 0xFFFFFFFF)
        if embedded is not None:
            return _is_public(embedded)
    return address.is_global and not address.is_multicast
