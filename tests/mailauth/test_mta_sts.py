"""MTA-STS records and policies, as strangers write them (RFC 8461 §3.1, §3.2, §4.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.mailauth.mta_sts import MAX_AGE, MAX_POLICY, StsFault, StsMode, StsPolicy, find_record, parse_policy

POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mx.example.net\r\nmx: *.backup.example\r\nmax_age: 604800\r\n"


@pytest.mark.parametrize(
    ("texts", "identity"),
    [
        ([b"v=STSv1; id=20160831085700Z;"], "20160831085700Z"),
        ([b"v=STSv1;id=a"], "a"),
        ([b"v=spf1 -all", b"v=STSv1; x=y; id=1"], "1"),
        ([b"v=STSv1; id=1; id=2"], "1"),
        ([], None),
        ([b"v=STSv1; id=1", b"v=STSv1; id=2"], None),
        ([b"v=STSv1"], None),
        ([b"v=STSv1; id="], None),
        ([b"v=STSv1; id=a-b"], None),
        ([b"v=STSv1; id=" + b"1" * 33], None),
        ([b"v=STSv1; id=1; nonsense"], None),
        ([b"v=STSv2; id=1"], None),
        ([b"v=STSv10; id=1"], None),
        ([b"V=STSv1; id=1"], None),
        ([b" v=STSv1; id=1"], None),
        ([b"v=STSv1; id=1; x=\xff"], None),
    ],
)
def test_the_record_names_the_policy(texts: list[bytes], identity: str | None) -> None:
    assert find_record(texts) == identity


def test_a_policy_is_read() -> None:
    policy = parse_policy(POLICY)
    assert policy == StsPolicy(StsMode.ENFORCE, ("mx.example.net", "*.backup.example"), 604_800)
    assert parse_policy(POLICY.replace(b"\r\n", b"\n")) == policy
    assert parse_policy(POLICY + b"future-field: whatever\r\n\r\n") == policy
    assert parse_policy(POLICY.replace(b": ", b":  \t")) == policy
    assert parse_policy(POLICY + b"mode: none\r\nmax_age: 1\r\n") == policy  # the first of two counts


def test_the_mode_none_names_no_host() -> None:
    assert parse_policy(b"version: STSv1\nmode: none\nmax_age: 86400\n") == StsPolicy(StsMode.NONE, (), 86_400)


def test_a_policy_is_kept_for_a_year_at_most() -> None:
    assert parse_policy(POLICY.replace(b"604800", b"9999999999")).max_age == MAX_AGE
    assert parse_policy(POLICY.replace(b"604800", b"0")).max_age == 0


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<html>",
        POLICY.replace(b"STSv1", b"STSv2"),
        POLICY.replace(b"version: STSv1\r\n", b""),
        POLICY.replace(b"enforce", b"Enforce"),
        POLICY.replace(b"mode: enforce\r\n", b""),
        POLICY.replace(b"604800", b"-1"),
        POLICY.replace(b"604800", b"1e9"),
        POLICY.replace(b"max_age: 604800\r\n", b""),
        b"version: STSv1\nmode: enforce\nmax_age: 1\n",
        POLICY.replace(b"*.backup", b"*backup"),
        POLICY.replace(b"*.backup", b"a.*.backup"),
        POLICY.replace(b"*.backup.example", b"*."),
        POLICY.replace(b"*.backup.example", b"*"),
        POLICY.replace(b"mx.example.net", b"[192.0.2.1]"),
        POLICY.replace(b"mx.example.net", b""),
        POLICY + b"\xff: 1\r\n",
        POLICY + b"no field\r\n",
        POLICY + b"long: " + b"x" * 1000 + b"\r\n",
        POLICY + b"x: 1\r\n" * (MAX_POLICY // 6),
        b"version: STSv1\nmode: enforce\nmax_age: 1\n" + b"".join(b"mx: h%d.a\n" % number for number in range(1001)),
    ],
)
def test_what_is_no_policy_is_refused(octets: bytes) -> None:
    with pytest.raises(StsFault):
        parse_policy(octets)


@pytest.mark.parametrize(
    ("host", "pattern"),
    [
        ("mx.example.net", "mx.example.net"),
        ("MX.Example.NET.", "mx.example.net"),
        ("a.backup.example", "*.backup.example"),
        ("backup.example", None),
        ("a.b.backup.example", None),
        ("evil-mx.example.net", None),
        ("example.net", None),
        ("*.backup.example.evil.example", None),
        ("", None),
    ],
)
def test_a_star_stands_for_one_label(host: str, pattern: str | None) -> None:
    assert parse_policy(POLICY).find_pattern(host) == pattern


@given(st.binary(max_size=300))
def test_only_policies_come_out(octets: bytes) -> None:
    for text in (octets, POLICY + octets, octets + POLICY):
        try:
            policy = parse_policy(text)
        except StsFault:
            continue
        assert 0 <= policy.max_age <= MAX_AGE
        assert policy.hosts or policy.mode is StsMode.NONE
