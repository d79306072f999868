"""The addresses by which this machine reaches the world, asked of its routing table: nothing is sent."""

from __future__ import annotations

__all__ = ["find_own_addresses"]

import socket
from collections.abc import Sequence
from ipaddress import ip_address

from hongyan.mailauth.resolver import IPAddress

_SOMEWHERE = (
    (socket.AF_INET, "192.88.99.1"),  # routed by default; a datagram socket that connects sends nothing
    (socket.AF_INET6, "2001:4860:4860::8888"),
)


def find_own_addresses() -> Sequence[IPAddress]:
    """Return the addresses that connections to the world come from; behind a NAT they are private ones."""
    found = []
    for family, somewhere in _SOMEWHERE:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((somewhere, 9))
            except OSError:
                continue
            found.append(ip_address(probe.getsockname()[0]))
    return found
