"""Bans as a firewall takes them: whoever is refused by us need not reach us at all.

A ban for an offence on port 25 is for that port alone: users beside the offender read their mail. Only bans of whole
networks are told. One that is for a single login name is no firewall's business: others who share
the address may log in.
"""

from __future__ import annotations

__all__ = ["Banned", "fail2ban_lines", "nftables_lines"]

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import NamedTuple

_SETS = {"banned": "25, 110, 143, 465, 587, 993, 995", "smtp_banned": "25"}


class Banned(NamedTuple):
    """A network, for how many seconds more it is refused, and whether on port 25 alone."""

    network: str
    seconds: int
    smtp_alone: bool = False


def nftables_lines(bans: Iterable[Banned]) -> Iterator[str]:
    """Yield what `nft -f -` reads: sets whose elements end by themselves. To read it again does no harm."""
    yield "add table inet hongyan"
    for name in _SETS:
        for version, kind in ((4, "ipv4_addr"), (6, "ipv6_addr")):
            yield f"add set inet hongyan {name}{version} {{ type {kind}; flags interval, timeout; }}"
    yield "# The rules, once, in a chain of yours that filters input:"
    for name, ports in _SETS.items():
        for version, family in ((4, "ip"), (6, "ip6")):
            yield f"#   {family} saddr @{name}{version} tcp dport {{ {ports} }} drop"
    for network, seconds, smtp_alone in bans:
        name = f"{'smtp_banned' if smtp_alone else 'banned'}{ip_network(network).version}"
        yield f"add element inet hongyan {name} {{ {network} timeout {max(seconds, 1)}s }}"


def fail2ban_lines(bans: Iterable[Banned]) -> Iterator[str]:
    """Yield commands that ban in fail2ban's jail `hongyan`, for as long as the jail's `bantime` says."""
    for network, _seconds, _smtp_alone in bans:
        yield f"fail2ban-client set hongyan banip {network}"
