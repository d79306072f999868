"""Any octets are a PROXY header, the start of one, or a ProxyFault, and any chunking gives the same.

The first octet chooses where the input is cut.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from ipaddress import ip_address

from hongyan.wire.proxy import ProxyFault, ProxyHeader, ProxyReceiver

CORPUS: list[bytes] = [
    b"\x03PROXY TCP4 192.0.2.1 198.51.100.2 51000 25\r\nEHLO a\r\n",
    b"\x05PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 51000 25\r\n",
    b"\x01PROXY UNKNOWN x y z\r\n",
    b"\x02\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\xc7\x38\x00\x19EHLO a\r\n",
    b"\x07\r\n\r\n\0\r\nQUIT\n\x21\x21\x00\x24" + b"\x20\x01\x0d\xb8" * 8 + b"\xc7\x38\x00\x19",
    b"\x04\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00",
]


def target(octets: bytes) -> None:
    step, wire = octets[0] % 7 + 1 if octets else 1, octets[1:]
    whole = _receive([wire])
    assert _receive([wire[i : i + step] for i in range(0, len(wire), step)]) == whole
    if isinstance(whole, tuple):
        header, rest = whole
        assert wire.endswith(rest)
        for endpoint in (header.source, header.destination):
            if endpoint:
                assert str(ip_address(endpoint.host)) == endpoint.host
                assert 0 <= endpoint.port < 65536


def _receive(chunks: list[bytes]) -> tuple[ProxyHeader, bytes] | str:
    receiver = ProxyReceiver()
    for number, chunk in enumerate(chunks):
        try:
            header = receiver.feed(chunk)
        except ProxyFault:
            return "fault"
        if header:
            return header, receiver.rest + b"".join(chunks[number + 1 :])
    return "unfinished"
