"""Addresses: what is one, what it is normalised to, and what it can never be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.addresses import MAX_ADDRESS, MAX_LOCAL_PART, Address, AddressFault, Domain


@pytest.mark.parametrize(
    ("text", "written", "canonical"),
    [
        ("ann@example.com", "ann@example.com", "ann@example.com"),
        ("Ann.Lee@EXAMPLE.Com", "Ann.Lee@example.com", "ann.lee@example.com"),
        ("!#$%&'*+-/=?^_`{|}~@x.y", "!#$%&'*+-/=?^_`{|}~@x.y", "!#$%&'*+-/=?^_`{|}~@x.y"),
        ('"ann"@x.y', "ann@x.y", "ann@x.y"),
        ('"a.b"@x.y', "a.b@x.y", "a.b@x.y"),
        ('"a..b"@x.y', '"a..b"@x.y', '"a..b"@x.y'),
        ('"a b"@x.y', '"a b"@x.y', '"a b"@x.y'),
        ('"a\\"\\\\b"@x.y', '"a\\"\\\\b"@x.y', '"a\\"\\\\b"@x.y'),
        ('"\\a\\b"@x.y', "ab@x.y", "ab@x.y"),
        ('"ann@other.example"@x.y', '"ann@other.example"@x.y', '"ann@other.example"@x.y'),
        ("ann@localhost", "ann@localhost", "ann@localhost"),
        ("root@web_1.example.com", "root@web_1.example.com", "root@web_1.example.com"),
        ("ann@[192.0.2.1]", "ann@[192.0.2.1]", "ann@[192.0.2.1]"),
        ("ann@[IPv6:2001:DB8:0:0::1]", "ann@[IPv6:2001:db8::1]", "ann@[IPv6:2001:db8::1]"),
        ("ann@[ipv6:::1]", "ann@[IPv6:::1]", "ann@[IPv6:::1]"),
        ("用户@例子.中国", "用户@xn--fsqu00a.xn--fiqs8s", "用户@xn--fsqu00a.xn--fiqs8s"),
        ("ann@例子。中国", "ann@xn--fsqu00a.xn--fiqs8s", "ann@xn--fsqu00a.xn--fiqs8s"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("Jose\u0301@x.y", "José@x.y", "josé@x.y"),
        ("ÄNNE@x.y", "ÄNNE@x.y", "änne@x.y"),
        ("ａｎｎ@x.y", "ａｎｎ@x.y", "ａｎｎ@x.y"),
    ],
)
def test_an_address_has_one_written_form_and_one_key(text: str, written: str, canonical: str) -> None:
    address = Address.parse(text)
    assert str(address) == written
    assert address.canonical == canonical
    assert Address.parse(written) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@example.com",
        "ann@",
        "ann@example.com ",
        " ann@example.com",
        "a b@example.com",
        ".ann@example.com",
        "ann.@example.com",
        "a..b@example.com",
        "ann<x>@example.com",
        "a,b@example.com",
        'a"b"@example.com',
        '"a"b@example.com',
        '"a"b"@example.com',
        '"a\\"@example.com',
        '""@example.com',
        "ann@example..com",
        "ann@.example.com",
        "ann@example.com.",
        "ann@-example.com",
        "ann@example-.com",
        "ann@exam ple.com",
        "ann@192.0.2.1",
        "ann@example.1",
        "ann@[192.0.2]",
        "ann@[192.0.2.01]",
        "ann@[192.0.2.1",
        "ann@[IPv6:fe80::1%eth0]",
        "ann@[IPv6:1::2::3]",
        "ann@[tag:content]",
        "ann@[]",
        "ann@\u2488com",
        "ann@xn--例.com",
        "ann\r\n@example.com",
        '"a\r\nb"@example.com',
        '"a\x00b"@example.com',
        '"a\tb"@example.com',
        "a\x7fb@example.com",
        "a\u0085b@x.y",
        "a\u2028b@x.y",
        "a\u00a0b@x.y",
        "a\u202eb@x.y",
        "a\ud800b@x.y",
        "ann@\ud800.y",
    ],
)
def test_what_is_no_address_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(AddressFault) as refused:
        Address.parse(text)
    assert refused.value.sentence.isascii()
    assert refused.value.sentence.isprintable()


def test_a_look_alike_does_not_become_an_ascii_user() -> None:
    """U+212A KELVIN SIGN is K in NFC: kate must not get what was sent to it (hostile.md, homographs)."""
    with pytest.raises(AddressFault):
        Address.parse("\u212aate@example.com")
    assert Address.parse("аnn@example.com").canonical != "ann@example.com"  # Cyrillic a


@pytest.mark.parametrize(
    "text",
    ["joe%other.example@x.y", "other.example!joe@x.y", '"joe@other.example"@x.y', '"@a.example:joe"@x.y'],
)
def test_routing_within_a_local_part_is_never_read(text: str) -> None:
    assert Address.parse(text).domain == Domain("x.y")


def test_limits_are_octets() -> None:
    assert Address.parse("a" * MAX_LOCAL_PART + "@b.c").local_part == "a" * MAX_LOCAL_PART
    assert Address.parse("中" * 42 + "@b.c")
    for text in ("a" * (MAX_LOCAL_PART + 1) + "@b.c", "中" * 43 + "@b.c"):
        with pytest.raises(AddressFault):
            Address.parse(text)
    long_domain = ".".join(["d" * 61] * 4)
    assert len(long_domain) == 247
    assert Address.parse(f"abcdef@{long_domain}").domain.text == long_domain
    with pytest.raises(AddressFault):
        Address.parse(f"abcdefg@{long_domain}")
    assert len(f"abcdef@{long_domain}") == MAX_ADDRESS
    with pytest.raises(AddressFault):
        Domain.parse("d" * 64 + ".example")
    with pytest.raises(AddressFault):
        Domain.parse(".".join(["d" * 63] * 4) + ".e")
    with pytest.raises(AddressFault):
        Address.parse("a" * 100_000)


@pytest.mark.parametrize(
    ("text", "base", "detail"),
    [
        ("ann@x.y", "ann@x.y", None),
        ("ann+news@x.y", "ann@x.y", "news"),
        ("ann+@x.y", "ann@x.y", ""),
        ("ann+a+b@x.y", "ann@x.y", "a+b"),
        ("+ann@x.y", "+ann@x.y", None),
        ("ann-news@x.y", "ann-news@x.y", None),
    ],
)
def test_a_subaddress_is_split_at_the_first_separator(text: str, base: str, detail: str | None) -> None:
    assert Address.parse(text).subaddress_split() == (Address.parse(base), detail)


def test_other_separators_can_be_chosen() -> None:
    assert Address.parse("ann-news+x@x.y").subaddress_split("-+") == (Address.parse("ann@x.y"), "news+x")
    assert Address.parse("ann+x@x.y").subaddress_split("") == (Address.parse("ann+x@x.y"), None)


def test_people_read_u_labels_and_programs_a_labels() -> None:
    address = Address.parse("ann@例子.中国")
    assert address.domain.text == "xn--fsqu00a.xn--fiqs8s"
    assert address.unicode == "ann@例子.中国"
    assert address.is_ascii
    assert not Address.parse("用户@x.y").is_ascii
    assert Domain.parse("xn--zzzz9.example").unicode == "xn--zzzz9.example"


def test_an_address_literal_knows_its_address() -> None:
    assert str(Domain.parse("[192.0.2.1]").address) == "192.0.2.1"
    assert str(Domain.parse("[IPv6:2001:db8::1]").address) == "2001:db8::1"
    assert Domain.parse("example.com").address is None
    assert Domain.parse("[192.0.2.1]").is_literal


@pytest.mark.parametrize("text", ["Example.com", "例子.中国", "[IPv6:2001:DB8::1]", "", "a..b", "192.0.2.1"])
def test_a_domain_that_is_not_canonical_cannot_be_built(text: str) -> None:
    with pytest.raises(AddressFault):
        Domain(text)


@pytest.mark.parametrize("local_part", ["", "a\nb", "Jose\u0301", "a" * 129])
def test_an_address_that_is_not_normal_cannot_be_built(local_part: str) -> None:
    with pytest.raises(AddressFault):
        Address(local_part, Domain("x.y"))


@given(st.text(max_size=40), st.sampled_from(["x.y", "[192.0.2.1]", "例子.中国"]))
def test_what_can_be_built_reads_back_as_itself(local_part: str, domain: str) -> None:
    try:
        address = Address(local_part, Domain.parse(domain))
    except AddressFault:
        return
    if local_part.isascii() or not local_part.replace("\u212a", "K").isascii():
        assert Address.parse(str(address)) == address
        assert Address.parse(address.unicode) == address


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_fault(text: str) -> None:
    try:
        address = Address.parse(text)
    except AddressFault:
        return
    assert Address.parse(str(address)) == address
    assert "\n" not in str(address)
    assert "\r" not in str(address)
