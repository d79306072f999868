"""Bans as a firewall takes them: whoever is refused by us need not reach us at all.

Only bans of whole networks are told. One that is for a single login name is no firewall's business: others who share
the address may log in.
"""

from __future__ import annotations

__all__ = ["Banned", "fail2ban_lines", "nftables_lines"]

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import NamedTuple

_PORTS = "25, 110, 143, 465, 587, 993, 995"


class Banned(NamedTuple):
    """A network (an IPv4 address or an IPv6 /64) and for how many seconds more it is refused."""

    network: str
    seconds: int


def nftables_lines(bans: Iterable[Banned]) -> Iterator[str]:
    """Yield what `nft -f -` reads: two sets whose elements end by themselves. To read it again does no harm."""
    yield "add table inet hongyan"
    for version, kind in ((4, "ipv4_addr"), (6, "ipv6_addr")):
        yield f"add set inet hongyan banned{version} {{ type {kind}; flags interval, timeout; }}"
    yield "# The rules, once, in a chain of yours that filters input:"
    for version, family in ((4, "ip"), (6, "ip6")):
        yield f"#   {family} saddr @banned{version} tcp dport {{ {_PORTS} }} drop"
    for network, seconds in bans:
        version = ip_network(network).version
        yield f"add element inet hongyan banned{version} {{ {network} timeout {max(seconds, 1)}s }}"


def fail2ban_lines(bans: Iterable[Banned]) -> Iterator[str]:
    """Yield commands that ban in fail2ban's jail `hongyan`, for as long as the jail's `bantime` says."""
    for network, _seconds in bans:
        yield f"fail2ban-client set hongyan banip {network}"
