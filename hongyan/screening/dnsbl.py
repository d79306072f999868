"""DNS block lists (RFC 5782): who is listed where, what that weighs, and whether a list can be believed. Pure.

A list answers the name made of the address, turned round, and its zone: with an address of 127.0.0.0/8 whose meaning is
the list's own, or with NXDOMAIN. Every list is tried before it is believed and now and then after: it has to list
127.0.0.2 and must not list 127.0.0.1 (RFC 5782 §5). One that does otherwise has died, was sold, or answers everything,
and is switched off until it behaves. So is one that answers with 127.255.255.x, by which lists say that they do not
serve the asker, or with an address that is no return code.
"""

from __future__ import annotations

__all__ = ["BlockList", "Health", "Reading", "judge_health", "name_of", "read_answer", "tried_with"]

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

from hongyan.mailauth.resolver import IPAddress
from hongyan.options import option

_CODES = IPv4Network("127.0.0.0/8")
_ERRORS = IPv4Network("127.255.255.0/24")


@dataclass(frozen=True, slots=True)
class BlockList:
    """One entry of `[[dnsbl.lists]]`."""

    zone: str = option("dnsbl.example", "The zone that is asked, such as zen.spamhaus.org.")
    weight: float = option(1.0, "How much a listing weighs.")
    codes: tuple[str, ...] = option(
        (), "Return codes that count, as addresses or networks within 127.0.0.0/8; empty: all."
    )
    ipv6: bool = option(True, "Whether the list knows IPv6 addresses.")

    def __post_init__(self) -> None:
        if not self.zone or self.zone.startswith(".") or len(self.zone) > 180:
            raise ValueError("a block list has a zone")
        if not 0 < self.weight <= 100:
            raise ValueError("a block list weighs more than 0 and at most 100")
        if any(not IPv4Network(code).subnet_of(_CODES) for code in self.codes):
            raise ValueError("return codes of a block list lie within 127.0.0.0/8")


class Reading(Enum):
    """What an answer means."""

    LISTED = "listed"
    CLEAN = "clean"
    UNUSABLE = "unusable"
    """The list says that it does not serve us, or it is no block list any more."""


class Health(Enum):
    """Whether a list can be believed."""

    GOOD = "good"
    SILENT = "silent"
    """It does not list what it has to list."""
    LISTS_ALL = "lists-all"
    """It lists what it must not list."""
    REFUSES = "refuses"
    """It answers with an error code, or with what is no return code."""


def name_of(address: IPAddress, zone: str) -> str:
    """Return the name to ask for (RFC 5782 §2.1, §2.4)."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None and address.packed[12] != 127:
        address = address.ipv4_mapped
    turned = address.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    return f"{turned}.{zone.strip('.')}"


def read_answer(entry: BlockList, records: Sequence[IPAddress]) -> Reading:
    """Return what a list's A records mean; none: the name does not exist."""
    codes = [record for record in records if isinstance(record, IPv4Address)]
    if any(code not in _CODES or code in _ERRORS for code in codes):
        return Reading.UNUSABLE
    counted = [IPv4Network(code) for code in entry.codes]
    listed = any(not counted or any(code in network for network in counted) for code in codes)
    return Reading.LISTED if listed else Reading.CLEAN


def tried_with(*, ipv6: bool) -> tuple[IPAddress, IPAddress]:
    """Return what has to be listed and what must not be (RFC 5782 §5)."""
    if ipv6:
        return ip_address("::ffff:127.0.0.2"), ip_address("::ffff:127.0.0.1")
    return ip_address("127.0.0.2"), ip_address("127.0.0.1")


def judge_health(has_to: Sequence[IPAddress], must_not: Sequence[IPAddress]) -> Health:
    """Return whether a list can be believed, from its answers for both test points. Any return code counts."""
    everything = BlockList(zone="test")
    readings = read_answer(everything, has_to), read_answer(everything, must_not)
    if Reading.UNUSABLE in readings:
        return Health.REFUSES
    if readings[1] is Reading.LISTED:
        return Health.LISTS_ALL
    return Health.GOOD if readings[0] is Reading.LISTED else Health.SILENT
