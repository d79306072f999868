"""Any name in EHLO is judged, and only our own name or address is taken for a lie."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.screening.helo import HeloFacts, judge_helo

_OURS = ("mail.hongyan.test", "[203.0.113.5]")

CORPUS: list[bytes] = [
    b"mx.example.org",
    b"mail.hongyan.test.",
    b"[203.0.113.5]",
    b"[IPv6:2001:db8::1]",
    b"[IPv6:::ffff:203.0.113.5]",
    b"192.0.2.1",
    b"localhost",
    b"[[[]]]",
    b"\xe9\x9b\x81.example",
]


def target(octets: bytes) -> None:
    name = octets.decode("utf-8", "replace").lower()
    facts = HeloFacts(name=name, peer="192.0.2.1", own_name=_OURS[0], own_address="203.0.113.5")
    oddity = judge_helo(facts)
    assert 0 <= oddity.score <= 1
    assert oddity.is_own == oddity.reason.startswith("own-")
    if oddity.reason == "own-name":
        assert name.rstrip(".") == _OURS[0]
