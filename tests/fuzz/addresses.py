"""Any text is an address, or an `AddressFault`; an address reads back as itself and cannot break a header line."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.addresses import Address, AddressFault, Domain

CORPUS: list[bytes] = [
    b"ann@example.com",
    b"Ann.Lee+news@EXAMPLE.COM",
    b'"a b\\"c"@example.com',
    b'"ann@other.example"@example.com',
    b"ann%other.example@example.com",
    b"ann@[192.0.2.1]",
    b"ann@[IPv6:2001:db8::1]",
    b"ann@xn--fsqu00a.xn--fiqs8s",
    "用户@例子.中国".encode(),
    "ann@例子。中国".encode(),
    "Jose\u0301@example.com".encode(),
    b"a\r\nb@example.com",
]


def target(octets: bytes) -> None:
    text = octets.decode("utf-8", "replace")
    try:
        domain = Domain.parse(text)
    except AddressFault:
        pass
    else:
        assert Domain.parse(domain.text) == domain
        assert domain.text.isascii()
        assert Domain.parse(domain.unicode) == domain
    try:
        address = Address.parse(text)
    except AddressFault:
        return
    written = str(address)
    assert Address.parse(written) == address
    assert Address.parse(address.unicode) == address
    assert len(written.encode()) <= 254
    assert not set("\r\n\0\u0085\u2028\u2029") & set(written + address.canonical)
    base, detail = address.subaddress_split()
    assert detail is None or f"{base.local_part}+{detail}" == address.local_part
