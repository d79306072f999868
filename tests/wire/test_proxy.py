"""The PROXY protocol: headers that are right, and those that are not."""

from __future__ import annotations

import struct
from ipaddress import IPv6Address

import pytest

from hongyan.wire.proxy import Endpoint, ProxyFault, ProxyHeader, ProxyReceiver

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
SOURCE4 = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + struct.pack("!HH", 51000, 25)
SOURCE6 = IPv6Address("2001:db8::1").packed + IPv6Address("2001:db8::2").packed + struct.pack("!HH", 1, 2)
HEADER4 = ProxyHeader(Endpoint("192.0.2.1", 51000), Endpoint("198.51.100.2", 25))
HEADER6 = ProxyHeader(Endpoint("2001:db8::1", 1), Endpoint("2001:db8::2", 2))
OWN = ProxyHeader(None, None)


def v2(command: int, family: int, body: bytes, length: int | None = None) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(body) if length is None else length) + body


@pytest.mark.parametrize(
    ("octets", "header"),
    [
        (b"PROXY TCP4 192.0.2.1 198.51.100.2 51000 25\r\n", HEADER4),
        (b"PROXY TCP6 2001:db8::1 2001:DB8:0::2 1 2\r\n", HEADER6),
        (b"PROXY TCP6 1::2 1::2 0 0\r\n", ProxyHeader(Endpoint("1::2", 0), Endpoint("1::2", 0))),
        (b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 51000 25\r\n", HEADER4),
        (b"PROXY UNKNOWN\r\n", OWN),
        (b"PROXY UNKNOWN whatever follows is not looked at\r\n", OWN),
        (v2(0x21, 0x11, SOURCE4), HEADER4),
        (v2(0x21, 0x11, SOURCE4 + b"\x04\x00\x01x"), HEADER4),
        (v2(0x21, 0x21, SOURCE6), HEADER6),
        (v2(0x21, 0x21, SOURCE6 + b"\x20" + b"t" * 2000), HEADER6),
        (v2(0x20, 0x11, SOURCE4), OWN),
        (v2(0x20, 0x00, b""), OWN),
        (v2(0x21, 0x00, b"anything"), OWN),
        (v2(0x21, 0x31, b"u" * 216), OWN),
    ],
)
def test_a_header_is_read_however_it_is_cut(octets: bytes, header: ProxyHeader) -> None:
    for rest in (b"", b"EHLO a\r\n", b"\x16\x03\x01"):
        wire = octets + rest
        for place in range(len(wire)):
            receiver = ProxyReceiver()
            first = receiver.feed(wire[:place]) if place else None
            if place < len(octets):
                assert first is None
                assert receiver.feed(wire[place:]) == header
                assert receiver.rest == rest
            else:
                assert first == header
                assert receiver.rest == wire[len(octets) : place]
        receiver = ProxyReceiver()
        for position in range(len(octets)):
            result = receiver.feed(octets[position : position + 1])
            assert (result == header) is (position == len(octets) - 1)


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO a.example\r\n",
        b"\x16\x03\x01\x02\x00",
        b"PROXY\r\n",
        b"PROXI TCP4",
        b"\r\n\r\nX",
        b"proxy TCP4 192.0.2.1 198.51.100.2 51000 25\r\n",
        b"PROXY TCP5 192.0.2.1 198.51.100.2 51000 25\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 51000\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 51000 25 \r\n",
        b"PROXY TCP4  192.0.2.1 198.51.100.2 51000 25\r\n",
        b"PROXY TCP4 192.0.2.01 198.51.100.2 51000 25\r\n",
        b"PROXY TCP4 192.0.2.256 198.51.100.2 51000 25\r\n",
        b"PROXY TCP4 2001:db8::1 2001:db8::2 51000 25\r\n",
        b"PROXY TCP6 192.0.2.1 198.51.100.2 51000 25\r\n",
        b"PROXY TCP6 fe80::1%eth0 2001:db8::2 51000 25\r\n",
        b"PROXY TCP4 192.0.2.1%1 198.51.100.2 51000 25\r\n",
        b"PROXY TCP4 0xc0.0.2.1 198.51.100.2 51000 25\r\n",
        b"PROXY TCP4 3221225985 198.51.100.2 51000 25\r\n",
        "PROXY TCP4 ١٩٢.0.2.1 198.51.100.2 51000 25\r\n".encode(),
        "PROXY TCP4 192.0.2.1 198.51.100.2 ٥ 25\r\n".encode(),
        b"PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 051000 25\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 -1 25\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 51000 25\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 51000 25\rX",
        b"PROXY UNKNOWN a\nb\r\n",
        b"PROXY UNKNOWN a\rb\r\n",
        b"PROXY UNKNOWNX\r\n",
        b"PROXY UNKNOWN " + b"x" * 93,
        b"PROXY UNKNOWN " + b"x" * 200 + b"\r\n",
        v2(0x11, 0x11, SOURCE4),
        v2(0x22, 0x11, SOURCE4),
        v2(0x21, 0x12, SOURCE4),
        v2(0x21, 0x41, SOURCE4),
        v2(0x21, 0x11, SOURCE4[:-1]),
        v2(0x21, 0x21, SOURCE4),
        v2(0x21, 0x11, b"", 2049),
        v2(0x20, 0x00, b"", 65535),
    ],
)
def test_what_is_no_header_is_a_fault_however_it_is_cut(octets: bytes) -> None:
    with pytest.raises(ProxyFault):
        ProxyReceiver().feed(octets)
    receiver = ProxyReceiver()
    with pytest.raises(ProxyFault):
        any(receiver.feed(octets[position : position + 1]) for position in range(len(octets)))


@pytest.mark.parametrize(
    "octets",
    [b"", b"P", b"PROXY TCP4 192.0", b"PROXY UNKNOWN\r", SIGNATURE[:5], SIGNATURE, v2(0x21, 0x11, SOURCE4)[:-1]],
)
def test_half_a_header_waits(octets: bytes) -> None:
    assert ProxyReceiver().feed(octets) is None
