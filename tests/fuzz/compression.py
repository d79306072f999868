"""Compressed input: any octets are plain ones or a farewell, no portion is too large, and any chunking gives the same.

The first octet chooses where the input is cut. What came before a fault may have been handed on or not.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import zlib

from hongyan.servers.compression import Compressed, Inflation
from tests.support.compression import Taker

_MOST = 192 << 10  # octets that lie before the session at most


def _packed(octets: bytes, flush: int) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflate.compress(octets) + deflate.flush(flush)


CORPUS: list[bytes] = [
    b"\x03" + _packed(b"a NOOP\r\n" * 20, zlib.Z_SYNC_FLUSH),
    b"\x01" + _packed(b"a NOOP\r\n" * 20, zlib.Z_PARTIAL_FLUSH),
    b"\x05" + _packed(bytes(range(256)) * 4, zlib.Z_FULL_FLUSH),
    b"\x02" + _packed(b"x" * 300_000, zlib.Z_SYNC_FLUSH),
    b"\x04" + _packed(b"a LOGOUT\r\n", zlib.Z_FINISH) + b"more",
]


def target(octets: bytes) -> None:
    step, wire = octets[0] % 7 + 1 if octets else 1, octets[1:]
    whole = _receive([wire])
    parts = _receive([wire[at : at + step] for at in range(0, len(wire), step)])
    assert whole.farewell == parts.farewell
    assert parts.taken.startswith(whole.taken)
    assert whole.farewell or whole.taken == parts.taken
    assert max(whole.most_buffered, parts.most_buffered) <= _MOST


def _receive(chunks: list[bytes]) -> Taker:
    session = Taker()
    layer = Compressed(session, Inflation(100, 1 << 30), wake=session.wake, refuse=session.refuse)
    for chunk in chunks:
        layer.receive_data(chunk)
        woken = -1
        while session.woken > woken and not session.closing:
            woken = session.woken
            layer.advance()
        if session.closing:
            break
    return session
