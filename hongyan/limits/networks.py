"""Networks as limits count them: an IPv4 address, or the /64 of an IPv6 address; around it the /24, or the /48.

Whoever has one address of a /64 has them all: it is one link (RFC 4291 §2.5.1). A /48 is what one site is given
(RFC 6177 §2), and a /24 the smallest IPv4 network that is routed by itself.
"""

from __future__ import annotations

__all__ = ["is_loopback", "is_within", "network_of", "parse_networks", "wide_network_of"]

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network


@lru_cache(maxsize=8192)
def network_of(host: str) -> str:
    """Return the network of an IP address, as text: "192.0.2.1" or "2001:db8::/64". Other text stands for itself."""
    address = _address(host)
    if address is None:
        return host
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))


@lru_cache(maxsize=8192)
def wide_network_of(host: str) -> str:
    """Return the network around an IP address: "192.0.2.0/24" or "2001:db8::/48". Other text stands for itself."""
    address = _address(host)
    if address is None:
        return host
    if isinstance(address, IPv4Address):
        return str(IPv4Network((int(address) >> 8 << 8, 24)))
    return str(IPv6Network((int(address) >> 80 << 80, 48)))


@lru_cache(maxsize=8192)
def is_loopback(host: str) -> bool:
    """Whether the address is one of this machine's own, which no other machine can use."""
    address = _address(host)
    return address is not None and address.is_loopback


def is_within(host: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Whether the address lies in one of the networks."""
    if not networks:
        return False
    address = _address(host)
    return address is not None and any(address in network for network in networks)


def parse_networks(texts: Iterable[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return networks written as addresses or prefixes. Raises `ValueError`."""
    return tuple(map(ip_network, texts))


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped  # RFC 4291 §2.5.5.2: the same machine, seen through another socket
    return address
