"""The PROXY protocol, versions 1 and 2: who the client is when a proxy stands between.

Read from the raw socket before anything else, TLS included, and only from trusted networks:
whoever may send this header may claim to be anybody. A connection that does not begin with one
is refused (HAProxy's `proxy-protocol.txt` §2 forbids guessing).

    v1  PROXY TCP4 192.0.2.1 198.51.100.2 51000 25 CRLF       at most 107 octets
    v2  a signature of 12 octets, version and command, family and transport, length, addresses, TLVs

LOCAL and UNKNOWN stand for the proxy's own connections, such as health checks: `source` is None, and
the real connection's addresses hold. TLVs are skipped.
"""

from __future__ import annotations

__all__ = ["Endpoint", "ProxyFault", "ProxyHeader", "ProxyReceiver"]

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from struct import Struct
from typing import Final

from hongyan.errors import PeerFault

_V1_START: Final = b"PROXY "
_V1_LIMIT: Final = 107
_V1_LINE = re.compile(rb"PROXY (TCP4|TCP6) ([0-9A-Fa-f:.]{2,39}) ([0-9A-Fa-f:.]{2,39}) ([0-9]{1,5}) ([0-9]{1,5})")

_V2_START: Final = b"\r\n\r\n\0\r\nQUIT\n"
_V2_HEAD = Struct("!12sBBH")
_V2_INET = Struct("!4s4sHH")
_V2_INET6 = Struct("!16s16sHH")
_V2_LOCAL, _V2_PROXY = 0x20, 0x21
_V2_UNSPEC, _V2_TCP4, _V2_TCP6, _V2_UNIX = 0x00, 0x11, 0x21, 0x31
_V2_LIMIT: Final = 2048
"""Octets that may follow the head. The length field allows 65,535; addresses and the TLVs in use need a few hundred."""


class ProxyFault(PeerFault):
    """There is no PROXY header, or a broken one: close the connection and say nothing."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and a port; an IPv4 address in IPv6 clothes (RFC 4291 §2.5.5.2) is undressed."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """Where the connection comes from and which address it was made to; None where the proxy speaks for itself."""

    source: Endpoint | None
    destination: Endpoint | None


_OWN: Final = ProxyHeader(None, None)


class ProxyReceiver:
    """Takes the first octets of a connection until the header is complete. `rest` is what follows it."""

    __slots__ = ("_octets", "rest")

    def __init__(self) -> None:
        self._octets = b""
        self.rest = b""

    def feed(self, octets: bytes) -> ProxyHeader | None:
        """Return the header, or None while more octets are needed. Raises ProxyFault."""
        self._octets += octets
        head = self._octets[: len(_V2_START)]
        if head.startswith(_V1_START):
            return self._read_v1()
        if head == _V2_START:
            return self._read_v2()
        if not head or _V1_START.startswith(head) or _V2_START.startswith(head):
            return None
        raise ProxyFault("The connection does not begin with a PROXY header")

    def _read_v1(self) -> ProxyHeader | None:
        line, end, rest = self._octets[:_V1_LIMIT].partition(b"\r\n")
        if b"\n" in line or b"\r" in (line if end else line[:-1]) or (not end and len(self._octets) >= _V1_LIMIT):
            raise ProxyFault("The PROXY line does not end where it should")
        if not end:
            return None
        self.rest = rest + self._octets[_V1_LIMIT:]
        if line == b"PROXY UNKNOWN" or line.startswith(b"PROXY UNKNOWN "):
            return _OWN
        match = _V1_LINE.fullmatch(line)
        if not match:
            raise ProxyFault("The PROXY line is not well formed")
        family, source, destination, source_port, destination_port = match.groups()
        address = IPv4Address if family == b"TCP4" else IPv6Address
        return ProxyHeader(
            _endpoint(address, source.decode("ascii"), _port(source_port)),
            _endpoint(address, destination.decode("ascii"), _port(destination_port)),
        )

    def _read_v2(self) -> ProxyHeader | None:
        if len(self._octets) < _V2_HEAD.size:
            return None
        _, command, family, length = _V2_HEAD.unpack_from(self._octets)
        if command not in (_V2_LOCAL, _V2_PROXY):
            raise ProxyFault("The PROXY header has an unknown version or command")
        if length > _V2_LIMIT:
            raise ProxyFault("The PROXY header is too long")
        end = _V2_HEAD.size + length
        if len(self._octets) < end:
            return None
        addresses, self.rest = self._octets[_V2_HEAD.size : end], self._octets[end:]
        if command == _V2_LOCAL or family in (_V2_UNSPEC, _V2_UNIX):
            return _OWN
        form = {_V2_TCP4: _V2_INET, _V2_TCP6: _V2_INET6}.get(family)
        if form is None or length < form.size:
            raise ProxyFault("The PROXY header has an unknown family or too few addresses")
        source, destination, source_port, destination_port = form.unpack_from(addresses)
        address = IPv4Address if family == _V2_TCP4 else IPv6Address
        return ProxyHeader(
            _endpoint(address, source, source_port),
            _endpoint(address, destination, destination_port),
        )


def _endpoint(kind: type[IPv4Address | IPv6Address], written: str | bytes, port: int) -> Endpoint:
    try:
        address = kind(written)
    except ValueError:
        raise ProxyFault("The PROXY header holds no valid address") from None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return Endpoint(str(mapped or address), port)


def _port(digits: bytes) -> int:
    port = int(digits)
    if port > 65535 or (digits.startswith(b"0") and digits != b"0"):
        raise ProxyFault("The PROXY line holds no valid port")
    return port
