"""Address lists, from the book's examples to what strangers write."""

from __future__ import annotations

import pytest

from hongyan.message.address_list import MAX_ADDRESSES, ListedAddress, parse_address_list

END = ListedAddress(None, None, None, None)


def one(name: bytes | None, address: bytes, route: bytes | None = None) -> ListedAddress:
    local_part, _, domain = address.rpartition(b"@")
    return ListedAddress(name, route, local_part, domain)


def group(name: bytes) -> ListedAddress:
    return ListedAddress(None, None, name, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # RFC 5322, appendix A
        (b"John Doe <jdoe@machine.example>", [one(b"John Doe", b"jdoe@machine.example")]),
        (b'"Joe Q. Public" <john.q.public@example.com>', [one(b"Joe Q. Public", b"john.q.public@example.com")]),
        (b"<boss@nil.test>", [one(None, b"boss@nil.test")]),
        (b'"Giant; \\"Big\\" Box" <sysservices@example.net>', [one(b'Giant; "Big" Box', b"sysservices@example.net")]),
        (
            b"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
            [
                group(b"A Group"),
                one(b"Ed Jones", b"c@a.test"),
                one(None, b"joe@where.test"),
                one(b"John", b"jdoe@one.test"),
                END,
            ],
        ),
        (b"Undisclosed recipients:;", [group(b"Undisclosed recipients"), END]),
        (b"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", [one(b"Pete", b"pete@silly.test")]),
        (
            b"A Group(Some people)\t:Chris Jones <c@(Chris's host.)public.example>, joe@example.org (x); (the end)",
            [group(b"A Group"), one(b"Chris Jones", b"c@public.example"), one(b"x", b"joe@example.org"), END],
        ),
        (b"Joe Q. Public <john.q.public@example.com>", [one(b"Joe Q. Public", b"john.q.public@example.com")]),
        (
            b"Mary Smith <@node.test:mary@example.net>, , jdoe@test . example",
            [one(b"Mary Smith", b"mary@example.net", b"@node.test"), one(None, b"jdoe@test.example")],
        ),
        (b"John Doe <jdoe@machine(comment).  example>", [one(b"John Doe", b"jdoe@machine.example")]),
        (b"<@a.test,@b.test:c@d.test>", [one(None, b"c@d.test", b"@a.test,@b.test")]),
        # Names and local parts
        (b"jdoe@example.org (John Doe)", [one(b"John Doe", b"jdoe@example.org")]),
        (b"jdoe@example.org (a (b) c)", [one(b"a (b) c", b"jdoe@example.org")]),
        (b"Jo Doe jo@example.org", [one(b"Jo Doe", b"jo@example.org")]),
        (b'"john doe"@example.org', [one(None, b"john doe@example.org")]),
        (b'"a@b"@example.org', [ListedAddress(None, None, b"a@b", b"example.org")]),
        (b"x@[192.0.2.1], y@[IPv6:2001:db8::1]", [one(None, b"x@[192.0.2.1]"), one(None, b"y@[IPv6:2001:db8::1]")]),
        (b"=?utf-8?b?5byg?= <z@example.cn>", [one(b"=?utf-8?b?5byg?=", b"z@example.cn")]),
        ("张三 <张@例子.中国>".encode(), [one("张三".encode(), "张@例子.中国".encode())]),
        (b'" " <a@b>', [one(None, b"a@b")]),
        # Broken
        (b"root", [ListedAddress(None, None, b"root", b"")]),
        (b"Someone Else", [ListedAddress(b"Someone Else", None, b"", b"")]),
        (b"a@b; c@d;", [one(None, b"a@b"), one(None, b"c@d")]),
        (b"g: a@b", [group(b"g"), one(None, b"a@b"), END]),
        (b"a: b: c@d;", [group(b"a"), ListedAddress(b"b:", None, b"c", b"d"), END]),
        (b"<a@b", [one(None, b"a@b")]),
        (b'"open <a@b>, c@d', [ListedAddress(None, None, b"open <a@b>, c@d", b"")]),
        (b"A (open <a@b>", [ListedAddress(b"open <a@b>", None, b"A", b"")]),
        (b"A <<a@b>>", [one(b"A", b"a@b")]),
        (b"<>", [ListedAddress(None, None, b"", b"")]),
        (b"@", [ListedAddress(None, None, b"", b"")]),
        (b"a@b@c", [ListedAddress(None, None, b"a@b", b"c")]),
        (b",;, ,", []),
        (b"", []),
    ],
)
def test_lists_are_read_as_meant(value: bytes, expected: list[ListedAddress]) -> None:
    assert parse_address_list(value) == expected


def test_more_addresses_than_the_cap_are_passed_over() -> None:
    assert len(parse_address_list(b"a@b," * (MAX_ADDRESSES + 10))) == MAX_ADDRESSES
    assert len(parse_address_list(b"a," * (MAX_ADDRESSES + 10))) == MAX_ADDRESSES
