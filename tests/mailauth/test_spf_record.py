"""SPF records: the grammar of RFC 7208 §12, to the letter."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.mailauth.spf_macros import MacroString
from hongyan.mailauth.spf_record import (
    MAX_RECORD,
    A,
    All,
    Exists,
    Include,
    Mechanism,
    Mx,
    Network,
    Ptr,
    SpfRecord,
    SpfRecordFault,
    SpfStatus,
    is_spf_record,
    parse_record,
    printable,
)

VOID_TERMS = """
all:x.example all/8 -all. ++all + - b mx4 all, a;b : /24 =x 1up=foo _x=y x=% x=%abc v=spf1%
a: a:/24 a:museum a:a.123 a/ a// a/33 a/024 a/00 a//129 a/24/64 a///64 a//64/24 a/x a.example.org a:%{c}.example.org
mx: mx/-1 mx:example.-com ptr: ptr/24 ptr:x include include: include:x include:%{x} include:a.b/24
exists exists: exists/24 exists:a.b/24 ip4 ip4: ip4/24 ip4:192.0.2 ip4:192.0.2.01 ip4:192.0.2.256 ip4:192.0.2.0/
ip4:192.0.2.0/33 ip4:192.0.2.0/024 ip4:192.0.2.0//24 ip4:192.0.2.1:25 ip4:::1 ip4:%{i}
ip6 ip6: ip6:192.0.2.1 ip6:::1/129 ip6:::1//64 ip6:fe80::1%eth0 ip6:[::1] ip6:1::2::3
redirect= redirect=x redirect=-all redirect:a.b redirect=%{t}.a.b exp= exp=-all exp:a.b exp=%{r}.a.b
"""


def literal(name: str) -> MacroString:
    return MacroString((name,))


@pytest.mark.parametrize("octets", [b"v=spf1", b"V=SPF1", b"v=spf1 ", b"v=spf1 -all", b"v=SpF1  a"])
def test_records_that_are_taken(octets: bytes) -> None:
    assert is_spf_record(octets)
    assert parse_record(octets)


@pytest.mark.parametrize(
    "octets",
    [b"", b"v=spf", b"v=spf10", b"v=spf1-all", b" v=spf1", b"v=spf1\t-all", b"spf2.0/pra", b"v=spf1\0"],
)
def test_records_of_other_kinds_are_left_alone(octets: bytes) -> None:
    assert not is_spf_record(octets)
    with pytest.raises(SpfRecordFault):
        parse_record(octets)


@pytest.mark.parametrize(
    ("term", "mechanism"),
    [
        ("all", All()),
        ("ALL", All()),
        ("a", A(None, 32, 128)),
        ("A/24", A(None, 24, 128)),
        ("a//64", A(None, 32, 64)),
        ("a/24//64", A(None, 24, 64)),
        ("a/0//0", A(None, 0, 0)),
        ("a:mx.example.org/24//64", A(literal("mx.example.org"), 24, 64)),
        ("a:foo:bar/baz.example.com", A(literal("foo:bar/baz.example.com"), 32, 128)),
        ("a:foo/24.example.com/8", A(literal("foo/24.example.com"), 8, 128)),
        ("mx", Mx(None, 32, 128)),
        ("mx:example.org//128", Mx(literal("example.org"), 32, 128)),
        ("ptr", Ptr(None)),
        ("ptr:example.org", Ptr(literal("example.org"))),
        ("include:_spf.example.org", Include(literal("_spf.example.org"))),
        ("exists:example.org.", Exists(literal("example.org."))),
        ("ip4:192.0.2.1", Network.of(ip_address("192.0.2.1"), 32)),
        ("IP4:192.0.2.77/24", Network.of(ip_address("192.0.2.77"), 24)),
        ("ip6:2001:db8::/32", Network.of(ip_address("2001:db8::"), 32)),
        ("ip6:::1", Network.of(ip_address("::1"), 128)),
        ("ip6:::ffff:192.0.2.1/96", Network.of(ip_address("::ffff:192.0.2.1"), 96)),
    ],
)
def test_each_mechanism(term: str, mechanism: Mechanism) -> None:
    (directive,) = parse_record(f"v=spf1 {term}".encode()).directives
    assert directive.mechanism == mechanism
    assert directive.text == term
    assert directive.status is SpfStatus.PASS


@pytest.mark.parametrize(
    ("qualifier", "status"),
    [("+", SpfStatus.PASS), ("-", SpfStatus.FAIL), ("~", SpfStatus.SOFTFAIL), ("?", SpfStatus.NEUTRAL)],
)
def test_each_qualifier(qualifier: str, status: SpfStatus) -> None:
    (directive,) = parse_record(f"v=spf1 {qualifier}mx".encode()).directives
    assert (directive.status, directive.text) == (status, "mx")


@pytest.mark.parametrize(
    "term",
    VOID_TERMS.split(),
)
def test_a_fault_anywhere_makes_the_record_void(term: str) -> None:
    for record in (f"v=spf1 {term}", f"v=spf1 +all {term}", f"v=spf1 {term} -all"):
        with pytest.raises(SpfRecordFault) as fault:
            parse_record(record.encode())
        assert fault.value.cause


@pytest.mark.parametrize("octet", [*range(32), *range(127, 256)])
def test_what_is_not_visible_ascii_makes_the_record_void(octet: int) -> None:
    with pytest.raises(SpfRecordFault):
        parse_record(b"v=spf1 a" + bytes([octet]) + b" -all")


def test_modifiers() -> None:
    record = parse_record(b"v=spf1 Redirect=a.example unknown=%{d} x.y-z_1= EXP=b.example moo=%{t}/\"'=:")
    assert record == SpfRecord((), literal("a.example"), literal("b.example"))


@pytest.mark.parametrize("name", ["redirect", "exp"])
def test_modifiers_that_may_stand_once(name: str) -> None:
    with pytest.raises(SpfRecordFault, match="twice"):
        parse_record(f"v=spf1 {name}=a.example -all {name.upper()}=a.example".encode())


def test_a_record_beyond_the_limit_is_not_read() -> None:
    fits = b"v=spf1 ".ljust(MAX_RECORD - 4) + b"-all"
    assert parse_record(fits).directives
    with pytest.raises(SpfRecordFault, match="longer"):
        parse_record(fits + b" ")


def test_the_common_mistake_of_an_address_in_a_is_named() -> None:
    with pytest.raises(SpfRecordFault, match=r"^a:192\.0\.2\.1: an address where a name belongs"):
        parse_record(b"v=spf1 a:192.0.2.1 -all")


def test_terms_are_told_without_what_would_end_a_comment() -> None:
    assert printable('x"\\()\r\n\u00e9z') == "x???????z"
    assert printable("y" * 1000) == "y" * 80 + "..."


@given(st.binary(max_size=200))
def test_any_octets_give_a_record_or_a_fault(octets: bytes) -> None:
    causes = []
    for record in (octets, b"v=spf1 " + octets):
        try:
            parse_record(record)
        except SpfRecordFault as fault:
            causes.append(fault.cause)
    assert all(cause.isascii() and cause.isprintable() for cause in causes)
