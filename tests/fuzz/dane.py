"""DANE: TLSA records of a zone and certificates of a server, both written by strangers.

Invariant: nothing but `DaneFault` comes out, and octets that no record knows never fit one.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from datetime import UTC, datetime

from cryptography.hazmat.primitives.serialization import Encoding

from hongyan.mailauth.dane import DaneFault, usable_records, verify_chain
from hongyan.mailauth.resolver import TlsaRecord
from tests.support.authority import Authority, tlsa

_GEESE = Authority("Geese", datetime(2026, 1, 1, tzinfo=UTC))
_MX = _GEESE.issue("mx.example.net", days=(-1, 1000))
_FOREIGN = Authority("Foxes").root
_KNOWN = [tlsa(2, 1, 1, _FOREIGN.certificate), tlsa(3, 1, 1, _FOREIGN.certificate)]
_NOW = datetime(2026, 2, 1, tzinfo=UTC)

CORPUS: list[bytes] = [
    b"\x03\x01\x01" + _KNOWN[0].data + _MX.chain[0],
    b"\x02\x00\x00" + _GEESE.root.certificate.public_bytes(Encoding.DER),
    b"\x03\x00\x02" + bytes(64),
    b"\x03\x00\x00" + _MX.chain[0].replace(bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d027f")),
    b"\x02\x00\x00" + _MX.chain[0].replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020112")),
]


def target(octets: bytes) -> None:
    usage, selector, matching = (octets + bytes(3))[:3]
    usable = usable_records([TlsaRecord(usage, selector, matching, octets[3:])])
    assert all(record.usage in (2, 3) for record in usable)
    for chain in ([octets[3:]], [*_MX.chain[:1], octets[3:]], [octets, *_MX.chain]):
        try:
            verify_chain(chain, _KNOWN, ["mx.example.net"], _NOW)
        except DaneFault:
            continue
        raise AssertionError("a certificate of nobody's fits a record")
    try:
        verify_chain(_MX.chain, usable, ["mx.example.net"], _NOW)
    except DaneFault:
        pass
