"""Received: the way of a message, as strangers write it.

Invariant: of whatever a header holds a bounded number of hops is read; names are short ASCII that is safe in a line of
a terminal, and times are ones that can be shown.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from datetime import UTC, datetime

from hongyan.message.hops import MAX_TOLD, read_hops

CORPUS: list[bytes] = [
    (
        b"Received: from a.test (x (y) [192.0.2.1])\r\n\tby b.test (Postfix) with ESMTPS id 1\r\n\tfor <c@d.test>;\r\n"
        b"\tMon, 6 Jan 2025 10:00:00 +0800 (CST)\r\nreceived :by c; 31 Dec 9999 23:59:59 -2359\nFrom: a@b.test\r\n\r\n"
    ),
    b"Received: from (by; x\\) by\r\n y ; Wed Nov 20 10:05:00 2002; ;\r\nReceived:\r\nReceived: ;;;;\r\n",
]


def target(octets: bytes) -> None:
    hops = read_hops(octets)
    assert len(hops) <= MAX_TOLD
    for hop in hops:
        for name in (hop.sent_by, hop.taken_by):
            assert len(name) <= 100
            assert name.isascii()
            assert name.isprintable()
        assert hop.at is None or datetime.fromtimestamp(hop.at, UTC)
