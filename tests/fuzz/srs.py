"""Any address reverses to a sender that rewrites back, or is an `SrsFault`."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from datetime import UTC, datetime

from hongyan.addresses import Address, AddressFault, Domain
from hongyan.queue.srs import Srs, SrsFault

_NOW = datetime(2026, 11, 23, tzinfo=UTC)
_OURS = Domain.parse("mx.ours.example")
_SRS = Srs(_OURS, [b"secret"])

CORPUS: list[bytes] = [
    _SRS.forward(Address.parse("ann@elsewhere.example"), _NOW).local_part.encode(),
    _SRS.forward(Address.parse("SRS0=abcd=XY=a.example=b@c.example"), _NOW).local_part.encode(),
    b"SRS0=abcd=XY=a.example=b",
    b"SRS1=abcd=a.example==abcd=XY=b.example=c",
    b'srs0+abcd=xy=[192.0.2.1]="b c"',
]


def target(octets: bytes) -> None:
    try:
        address = Address(octets.decode("utf-8", "replace"), _OURS)
    except AddressFault:
        return
    try:
        sender = _SRS.reverse(address, _NOW)
    except SrsFault:
        pass
    else:
        assert sender.domain != _OURS or sender.local_part
    try:
        rewritten = _SRS.forward(Address(address.local_part, Domain.parse("elsewhere.example")), _NOW)
    except SrsFault:
        return
    assert len(rewritten.local_part) <= 64
    _SRS.reverse(rewritten, _NOW)
