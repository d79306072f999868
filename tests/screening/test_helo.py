"""What the name in EHLO tells: only our own name is a lie."""

from __future__ import annotations

import pytest

from hongyan.screening.helo import HeloFacts, judge_helo


def judge(name: str) -> tuple[str, bool]:
    oddity = judge_helo(HeloFacts(name=name, peer="192.0.2.1", own_name="mail.hongyan.test", own_address="203.0.113.5"))
    assert (oddity.score > 0) == (oddity.reason != "plain")
    return oddity.reason, oddity.is_own


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("mx.example.org", "plain"),
        ("mail.hongyan.test", "own-name"),
        ("mail.hongyan.test.", "own-name"),
        ("other.hongyan.test", "plain"),
        ("[203.0.113.5]", "own-address"),
        ("[192.0.2.1]", "literal"),
        ("[192.0.2.9]", "foreign-literal"),
        ("[ipv6:2001:db8::1]", "foreign-literal"),
        ("[192.0.2", "bad-literal"),
        ("192.0.2.1", "bare-address"),
        ("localhost", "local-name"),
        ("printer.lan", "local-name"),
        ("mail", "short-name"),
    ],
)
def test_a_name_is_judged(name: str, reason: str) -> None:
    assert judge(name) == (reason, reason.startswith("own-"))
