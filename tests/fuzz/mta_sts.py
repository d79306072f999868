"""MTA-STS: the record and the policy of a domain, written by strangers.

Invariant: nothing but `StsFault` comes out of a policy; what is read has hosts that are names, an age within a year,
and fits no host that it does not name; an id of a record is letters and digits.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.mailauth.mta_sts import MAX_AGE, StsFault, StsMode, find_record, parse_policy

CORPUS: list[bytes] = [
    b"version: STSv1\r\nmode: enforce\r\nmx: mx.example.net\r\nmx: *.backup.example\r\nmax_age: 604800\r\n",
    b"version: STSv1\nmode: testing\nmx: mx.example.net.\nmax_age: 9999999999\nfuture: x\n",
    b"version: STSv1\nmode: none\nmax_age: 0",
    b"v=STSv1; id=20160831085700Z; x=y;",
]


def target(octets: bytes) -> None:
    identity = find_record([octets])
    assert identity is None or (identity.isascii() and identity.isalnum() and len(identity) <= 32)
    try:
        policy = parse_policy(octets)
    except StsFault:
        return
    assert 0 <= policy.max_age <= MAX_AGE
    assert policy.hosts or policy.mode is StsMode.NONE
    for host in policy.hosts:
        name = host.removeprefix("*.")
        assert "*" not in name
        assert name == name.lower()
        assert policy.find_pattern(f"a.b.{name}") in (None, f"*.b.{name}", f"a.b.{name}")
