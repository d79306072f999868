"""SPF checks against a DNS that each test writes: identities, mechanisms, explanations; what hostile records cost."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.addresses import Address
from hongyan.mailauth.resolver import Answer
from hongyan.mailauth.spf import (
    MAX_EXPLANATION,
    Inquiry,
    SpfIdentity,
    SpfLimits,
    SpfResult,
    SpfStatus,
    check_helo,
    check_host,
    check_mail_from,
)
from tests.support.clock import FakeClock
from tests.support.resolver import FakeResolver, Record

V4 = "192.0.2.3"
V6 = "2001:db8::cb01"
PASS, FAIL, SOFTFAIL, NEUTRAL = SpfStatus.PASS, SpfStatus.FAIL, SpfStatus.SOFTFAIL, SpfStatus.NEUTRAL
NONE, TEMPERROR, PERMERROR = SpfStatus.NONE, SpfStatus.TEMPERROR, SpfStatus.PERMERROR


def inquiry(resolver: FakeResolver, **limits: int) -> Inquiry:
    return Inquiry(
        resolver=resolver,
        clock=FakeClock(),
        deadline=1020.0,
        receiver="mx.hongyan.test",
        limits=SpfLimits(**limits),
    )


async def check(
    resolver: FakeResolver,
    address: str = V4,
    *,
    sender: str = "ann@example.com",
    helo: str = "mx.example.org",
    **limits: int,
) -> SpfResult:
    domain = sender.rpartition("@")[2]
    return await check_host(ip_address(address), domain, sender, inquiry(resolver, **limits), helo=helo)


def says(record: str | bytes, name: str = "example.com") -> FakeResolver:
    return FakeResolver().add_txt(name, record)


# -- The identity and its record --------------------------------------------------------------------------------------


async def test_the_envelope_sender_is_checked() -> None:
    resolver = says("v=spf1 ip4:192.0.2.0/24 -all")
    result = await check_mail_from(
        ip_address(V4), Address.parse("ann@example.com"), "mx.example.org", inquiry(resolver)
    )
    assert result == SpfResult(
        status=PASS,
        identity=SpfIdentity.MAIL_FROM,
        domain="example.com",
        reason="example.com lets this address send",
        mechanism="ip4:192.0.2.0/24",
    )


async def test_the_null_reverse_path_is_postmaster_at_the_helo_name() -> None:
    resolver = says("v=spf1 exists:%{l}.%{o}.%{d} -all", "mx.example.org")
    resolver.add_address("postmaster.mx.example.org.mx.example.org", "127.0.0.2")
    result = await check_mail_from(ip_address(V4), None, "mx.example.org", inquiry(resolver))
    assert (result.status, result.identity, result.domain) == (PASS, SpfIdentity.MAIL_FROM, "mx.example.org")


async def test_a_sender_without_a_local_part_is_postmaster() -> None:
    """RFC 7208 §4.3."""
    resolver = says("v=spf1 exists:%{l}.%{o} -all").add_address("postmaster.example.com", "127.0.0.2")
    assert (await check(resolver, sender="@example.com")).status is PASS


async def test_the_helo_name_is_checked() -> None:
    resolver = says("v=spf1 -all", "mx.example.org")
    result = await check_helo(ip_address(V4), "MX.example.org.", inquiry(resolver))
    assert (result.status, result.identity, result.domain) == (FAIL, SpfIdentity.HELO, "mx.example.org")


@pytest.mark.parametrize(
    "helo",
    [
        "",
        ".",
        "localhost",
        "[192.0.2.3]",
        "[IPv6:2001:db8::1]",
        "192.0.2.3",
        "a..example",
        "a b.example",
        "\udcff.example",
        "x" * 64 + ".example",
        "é" * 300,
        "-",
        "\0.example",
        "(a).example",
    ],
)
async def test_what_is_no_domain_has_no_record_and_nothing_is_asked(helo: str) -> None:
    resolver = FakeResolver()
    result = await check_helo(ip_address(V4), helo, inquiry(resolver))
    assert (result.status, result.domain) == (NONE, "")
    assert resolver.asked == []


async def test_names_beyond_ascii_are_asked_for_as_a_labels() -> None:
    resolver = says("v=spf1 exists:%{d}.x.%{o} -all", "xn--bcher-kva.example")
    resolver.add_address("xn--bcher-kva.example.x.xn--bcher-kva.example", "127.0.0.2")
    sender = Address.parse("ann@bücher.example")
    result = await check_mail_from(ip_address(V4), sender, "x", inquiry(resolver))
    assert (result.status, result.domain) == (PASS, "xn--bcher-kva.example")


@pytest.mark.parametrize("macro", ["%{l}", "%{s}", "%{L}", "%{l1r+}"])
async def test_a_term_with_a_local_part_beyond_ascii_matches_nothing(macro: str) -> None:
    """RFC 8616 §4."""
    resolver = says(f"v=spf1 a:{macro}.example.com exists:{macro}.example.com ptr:{macro}.example.com ~all")
    result = await check(resolver, sender="жанна@example.com")
    assert result.status is SOFTFAIL
    assert resolver.asked == [("TXT", "example.com")]


@pytest.mark.parametrize(
    ("records", "status"),
    [
        (["v=spf1 +all"], PASS),
        (["v=spf10 +all", "v=DKIM1", b"\xff", b"", "v=spf1 -all"], FAIL),
        (["v=spf10 +all"], NONE),
        ([], NONE),
        (["v=spf1", "v=spf1"], PERMERROR),
        (["v=spf1 -all", "V=SPF1 -all"], PERMERROR),
        (["v=spf1"], NEUTRAL),
        (["v=spf1 a:b"], PERMERROR),
        ([b"v=spf1 \xff"], PERMERROR),
        (["v=spf1 " + "a " * 3000], PERMERROR),
    ],
)
async def test_the_one_record_of_the_domain_is_found(records: list[str | bytes], status: SpfStatus) -> None:
    resolver = FakeResolver().add_address("example.com", "203.0.113.1")
    if records:
        resolver.add_txt("example.com", *records)
    result = await check(resolver)
    assert result.status is status
    assert result.reason.isascii()


async def test_a_domain_that_does_not_exist_has_no_record() -> None:
    assert (await check(FakeResolver())).status is NONE


async def test_a_record_that_nobody_could_ask_for_is_a_temporary_error() -> None:
    result = await check(FakeResolver(failing={"example.com"}))
    assert result.status is TEMPERROR
    assert result.reason == "the DNS did not answer: example.com/TXT"


# -- Mechanisms -------------------------------------------------------------------------------------------------------

ZONE = (
    FakeResolver()
    .add_address("example.com", "192.0.2.10", "192.0.2.11")
    .add_address("amy.example.com", "192.0.2.65")
    .add_address("bob.example.com", "192.0.2.66")
    .add_address("mail-a.example.com", "192.0.2.129", "2001:db8::129")
    .add_address("mail-b.example.com", "192.0.2.130")
    .add_address("mail-c.example.org", "192.0.2.140")
    .add_mx("example.com", (10, "mail-a.example.com"), (20, "mail-b.example.com"))
    .add_mx("example.org", (10, "mail-c.example.org"))
    .add_ptr("192.0.2.10", "example.com")
    .add_ptr("192.0.2.65", "amy.example.com")
    .add_ptr("192.0.2.140", "mail-c.example.org")
    .add_ptr("10.0.0.4", "bob.example.com")
    .add_address("10.2.0.192.in-addr._spf.example.com", "127.0.0.2")
)
"""The zone of RFC 7208 appendix A, with an IPv6 address more."""


@pytest.mark.parametrize(
    ("record", "passing", "failing"),
    [
        ("v=spf1 +all", ["192.0.2.129", "203.0.113.1", V6], []),
        ("v=spf1 a -all", ["192.0.2.10", "192.0.2.11"], ["192.0.2.65", "2001:db8::10"]),
        ("v=spf1 a:example.org -all", [], ["192.0.2.10", "192.0.2.140"]),
        ("v=spf1 mx -all", ["192.0.2.129", "192.0.2.130", "2001:db8::129"], ["192.0.2.10", "2001:db8::130"]),
        ("v=spf1 mx:example.org -all", ["192.0.2.140"], ["192.0.2.130"]),
        ("v=spf1 mx mx:example.org -all", ["192.0.2.129", "192.0.2.130", "192.0.2.140"], ["192.0.2.10"]),
        ("v=spf1 mx/30 mx:example.org/30 -all", ["192.0.2.131", "192.0.2.143"], ["192.0.2.132", "192.0.2.144"]),
        ("v=spf1 mx/30//64 -all", ["2001:db8::1", "192.0.2.128"], ["2001:db8:0:1::129", "2001:db9::"]),
        ("v=spf1 ptr -all", ["192.0.2.10", "192.0.2.65"], ["192.0.2.140", "10.0.0.4", "192.0.2.11", V6]),
        ("v=spf1 ptr:example.org -all", ["192.0.2.140"], ["192.0.2.65"]),
        ("v=spf1 ip4:192.0.2.128/28 -all", ["192.0.2.129", "192.0.2.140"], ["192.0.2.65", V6]),
        ("v=spf1 ip6:2001:db8::/96 -all", [V6], ["2001:db8:1::1", "192.0.2.1"]),
        ("v=spf1 ip4:0.0.0.0/0 -all", ["203.0.113.1", "::ffff:203.0.113.1"], [V6]),
        ("v=spf1 ip6::: -all", ["::"], ["0.0.0.0", "::1"]),
        ("v=spf1 ip6:::/0 -all", [V6], ["192.0.2.1", "::ffff:192.0.2.1"]),
        ("v=spf1 exists:%{ir}.%{v}._spf.%{d} -all", ["192.0.2.10"], ["192.0.2.11", V6]),
        ("v=spf1 -ip4:192.0.2.1 +ip4:192.0.2.0/24 -all", ["192.0.2.2"], ["192.0.2.1", "::ffff:192.0.2.1"]),
        ("v=spf1 A:%{D2}/24 -ALL", ["192.0.2.99", "::ffff:192.0.2.99"], ["192.0.3.1"]),
    ],
)  # fmt: skip
async def test_each_mechanism(record: str, passing: list[str], failing: list[str]) -> None:
    resolver = FakeResolver(records=dict(ZONE.records)).add_txt("example.com", record)
    assert [(address, (await check(resolver, address)).status) for address in passing] == [(x, PASS) for x in passing]
    assert [(address, (await check(resolver, address)).status) for address in failing] == [(x, FAIL) for x in failing]


async def test_a_name_that_only_ends_like_the_domain_is_not_within_it() -> None:
    resolver = says("v=spf1 ptr -all").add_ptr(V4, "badexample.com").add_address("badexample.com", V4)
    assert (await check(resolver)).status is FAIL


async def test_a_client_of_ipv6_asks_exists_for_an_ipv4_address() -> None:
    resolver = says("v=spf1 exists:a.example.com exists:b.example.com ~all").add_address("a.example.com", "2001:db8::1")
    assert (await check(resolver, V6)).status is SOFTFAIL
    assert (await check(resolver.add_address("b.example.com", "127.0.0.2"), V6)).status is PASS


async def test_a_macro_spells_the_nibbles_of_an_ipv6_address() -> None:
    name = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
    resolver = says("v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all").add_address(name, "127.0.0.2")
    assert (await check(resolver, V6)).status is PASS


async def test_the_zone_of_a_link_local_address_is_left_out() -> None:
    resolver = says("v=spf1 ptr exists:%{ir}.example ip6:fe80::/10 -all")
    assert (await check(resolver, "fe80::1%eth0")).status is PASS


async def test_a_term_is_told_without_what_would_end_a_comment() -> None:
    resolver = says('v=spf1 a:")(\\.example -all').add_address('")(\\.example', V4)
    result = await check(resolver)
    assert (result.status, result.mechanism) == (PASS, "a:????.example")


async def test_a_match_names_its_term_and_the_first_one_decides() -> None:
    resolver = says("v=spf1 ip4:203.0.113.1 ?A:a.example.com -all").add_address("a.example.com", V4)
    result = await check(resolver)
    assert (result.status, result.mechanism, result.lookups) == (NEUTRAL, "A:a.example.com", 1)


async def test_no_match_is_neutral() -> None:
    result = await check(says("v=spf1 ip4:203.0.113.1"))
    assert (result.status, result.mechanism) == (NEUTRAL, "")


@pytest.mark.parametrize(
    ("included", "status"),
    [
        ("v=spf1 +all", PASS),
        ("v=spf1 -all", SOFTFAIL),
        ("v=spf1 ~all", SOFTFAIL),
        ("v=spf1 ?all", SOFTFAIL),
        ("v=spf1", SOFTFAIL),
        ("v=spf1 redirect=c.example", PASS),
        ("v=spf1 oops", PERMERROR),
        ("no record", PERMERROR),
        ("v=spf1 a:failing.example", TEMPERROR),
    ],
)
async def test_include_asks_for_a_pass(included: str, status: SpfStatus) -> None:
    resolver = says("v=spf1 include:b.example ~all").add_txt("b.example", included).add_txt("c.example", "v=spf1 +all")
    resolver.failing.add("failing.example")
    result = await check(resolver)
    assert result.status is status
    assert result.mechanism == {PASS: "include:b.example", SOFTFAIL: "all"}.get(status, "")


@pytest.mark.parametrize(
    ("target", "status"),
    [("v=spf1 -all", FAIL), ("v=spf1 +all", PASS), ("v=spf1", NEUTRAL), ("none", PERMERROR), ("v=spf1 x", PERMERROR)],
)
async def test_redirect_is_as_if_the_other_domain_had_been_asked(target: str, status: SpfStatus) -> None:
    resolver = says("v=spf1 redirect=%{d2}.b.example ip4:203.0.113.1").add_txt("example.com.b.example", target)
    result = await check(resolver)
    assert (result.status, result.domain) == (status, "example.com")


async def test_a_reason_names_the_other_domain_without_what_would_end_a_comment() -> None:
    resolver = says("v=spf1 redirect=a)(.b.example").add_txt("a)(.b.example", "v=spf1 ?all")
    assert (await check(resolver)).reason == "a??.b.example says nothing of this address"


async def test_redirect_is_not_followed_where_a_mechanism_matches() -> None:
    result = await check(says("v=spf1 redirect=b.example ?all"))
    assert (result.status, result.lookups) == (NEUTRAL, 0)


@pytest.mark.parametrize(
    "term", ["include:%{h}", "redirect=%{h}", "include:missing.example", "redirect=missing.example"]
)
async def test_a_record_that_is_counted_on_has_to_be_there(term: str) -> None:
    result = await check(says(f"v=spf1 {term}"), helo="JUMPIN' JUPITER")
    assert result.status is PERMERROR
    assert "counts on a record that is not there" in result.reason


@pytest.mark.parametrize("term", ["a:%{h}", "mx:%{h}", "exists:%{h}", "ptr:%{h}"])
@pytest.mark.parametrize(
    "helo", ["", "localhost", "JUMPIN' JUPITER.org", "a..b", "x" * 64 + ".org", "é.org", "\udcff.org"]
)
async def test_a_name_that_cannot_be_matches_nothing_and_is_not_asked_for(term: str, helo: str) -> None:
    resolver = says(f"v=spf1 {term} ~all")
    result = await check(resolver, helo=helo)
    assert (result.status, result.lookups, result.void_lookups) == (SOFTFAIL, 1, 0)
    assert resolver.asked == [("TXT", "example.com")]


FAILING = "a:b.example mx:b.example mx:c.example exists:b.example include:b.example redirect=b.example"


@pytest.mark.parametrize("term", FAILING.split())
async def test_a_failure_of_the_dns_is_a_temporary_error(term: str) -> None:
    resolver = says(f"v=spf1 {term}").add_mx("c.example", (0, "a.example"), (1, "b.example"))
    resolver.add_address("a.example", "203.0.113.1").failing.add("b.example")
    result = await check(resolver)
    assert result.status is TEMPERROR
    assert result.reason.startswith("the DNS did not answer: b.example/")


async def test_what_comes_after_a_match_is_not_asked_for() -> None:
    resolver = says("v=spf1 mx -all").add_mx("example.com", (0, "a.example"), (1, "b.example"))
    resolver.add_address("a.example", V4).failing.add("b.example")
    assert (await check(resolver)).status is PASS
    assert ("A", "b.example") not in resolver.asked


async def test_a_failure_in_the_reverse_zone_is_no_match() -> None:
    resolver = says("v=spf1 ptr -all")
    resolver.failing.add(ip_address(V4).reverse_pointer)
    assert (await check(resolver)).status is FAIL
    resolver.failing.clear()
    resolver.add_ptr(V4, "a.example.com", "b.example.com").add_address("b.example.com", V4).failing.add("a.example.com")
    assert (await check(resolver)).status is PASS


# -- Explanations -----------------------------------------------------------------------------------------------------


async def explanation(text: str | bytes, resolver: FakeResolver | None = None, address: str = V4, **said: str) -> str:
    resolver = (resolver or FakeResolver()).add_txt("example.com", "v=spf1 -all exp=why.%{d}")
    return (await check(resolver.add_txt("why.example.com", text), address, **said)).explanation


async def test_a_fail_is_explained_in_the_words_of_the_domain() -> None:
    text = "%{i} is not one of %{d}'s; see http://%{d}/why.html?s=%{S}&ip=%{C}%_%%%- %{r} %{t} %{h} %{p}"
    assert await explanation(text) == (
        "192.0.2.3 is not one of example.com's; see http://example.com/why.html?s=ann%40example.com&ip=192.0.2.3 %%20 "
        "mx.hongyan.test 1767268800 mx.example.org unknown"
    )


async def test_an_explanation_shows_an_ipv6_address_as_people_read_it() -> None:
    assert await explanation("%{c} %{v}", address=V6) == "2001:db8::cb01 ip6"


@pytest.mark.parametrize("text", [b"caf\xc3\xa9", "%{x}", "%", "two\nlines", "\0", "", b"\xff" * 70000, "a" * 5000])
async def test_an_explanation_with_a_fault_is_none(text: str | bytes) -> None:
    assert await explanation(text) == ""


async def test_a_long_explanation_is_cut() -> None:
    assert await explanation("%{s}" * 1000) == ("ann@example.com" * 1000)[:MAX_EXPLANATION]


@pytest.mark.parametrize("said", [{"sender": "жанна@example.com"}, {"helo": "é\r\n250 hello"}, {"helo": "\udcff"}])
async def test_an_explanation_repeats_nothing_that_is_not_printable_ascii(said: dict[str, str]) -> None:
    assert await explanation("%{s} %{h}", **said) == ""
    assert (await explanation("%{L} %{H}", **said)).isascii()


async def test_an_explanation_is_asked_for_after_a_fail_only_and_if_the_caller_wants_it() -> None:
    resolver = says("v=spf1 ~all exp=why.example.com").add_txt("why.example.com", "because")
    assert (await check(resolver)).explanation == ""
    resolver = says("v=spf1 -all exp=why.example.com").add_txt("why.example.com", "because")
    silent = Inquiry(resolver=resolver, clock=FakeClock(), deadline=2000, explains=False)
    result = await check_host(ip_address(V4), "example.com", "ann@example.com", silent)
    assert (result.status, result.explanation) == (FAIL, "")
    assert resolver.asked == [("TXT", "example.com")]


async def test_an_explanation_that_is_not_there_or_not_alone_changes_nothing() -> None:
    resolver = says("v=spf1 -all exp=why.example.com")
    assert (await check(resolver)).status is FAIL
    resolver.add_txt("why.example.com", "one", "two")
    assert (await check(resolver)).explanation == ""
    resolver.failing.add("why.example.com")
    result = await check(resolver)
    assert (result.status, result.explanation, result.void_lookups) == (FAIL, "", 0)


async def test_the_explanation_is_that_of_the_domain_that_failed() -> None:
    resolver = says("v=spf1 include:b.example redirect=c.example exp=x.a.example")
    resolver.add_txt("b.example", "v=spf1 -all exp=x.b.example").add_txt("c.example", "v=spf1 -all exp=x.%{d}")
    for name in "abc":
        resolver.add_txt(f"x.{name}.example", f"{name} says no")
    assert (await check(resolver)).explanation == "c says no"


# -- The client's name ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pointers", "value"),
    [
        (["other.example", "a.example.com", "example.com"], "example.com"),
        (["other.example", "a.example.com"], "a.example.com"),
        (["badexample.com", "OTHER.example."], "badexample.com"),
        (["forged.example.com", "other.example"], "other.example"),
        (["forged.example.com"], "unknown"),
        (["localhost", "a b.example", "\\032.example", "x" * 64 + ".example"], "unknown"),
        ([], "unknown"),
    ],
)
async def test_the_macro_p_is_a_name_that_leads_back(pointers: list[str], value: str) -> None:
    resolver = FakeResolver()
    for name in ("other.example", "a.example.com", "example.com", "badexample.com", "localhost"):
        resolver.add_address(name, V4)
    if pointers:
        resolver.add_ptr(V4, *pointers)
    assert await explanation("%{p}", resolver) == value


async def test_the_macro_p_counts_as_a_term_once_in_a_check() -> None:
    resolver = says("v=spf1 " + "exists:%{p}.x.example.com " * 2 + "ip4:192.0.2.3")
    result = await check(resolver, voids=9)
    assert (result.status, result.lookups, result.void_lookups) == (PASS, 3, 2)
    assert len([kind for kind, _ in resolver.asked if kind == "PTR"]) == 1


async def test_what_explains_counts_as_no_term() -> None:
    resolver = says("v=spf1 " + "a:x.example " * 10 + "-all exp=why.%{p}").add_address("x.example", "203.0.113.1")
    resolver.add_ptr(V4, "b.example").add_address("b.example", V4).add_txt("why.b.example", "because")
    result = await check(resolver)
    assert (result.status, result.explanation, result.lookups) == (FAIL, "because", 10)


async def test_names_of_the_reverse_zone_are_asked_for_once_and_only_ten() -> None:
    names = [f"n{number}.example.com" for number in range(30)]
    resolver = says("v=spf1 ptr ptr:n1.example.com ~all").add_ptr(V4, *names).add_address(names[10], V4)
    result = await check(resolver)
    assert (result.status, result.void_lookups) == (SOFTFAIL, 0)
    assert [name for kind, name in resolver.asked if kind == "A"] == names[:10]


async def test_an_empty_reverse_zone_makes_no_error_of_a_fail() -> None:
    assert (await check(says("v=spf1 ptr:a.example ptr:b.example ptr:c.example ptr -all"))).status is FAIL


# -- Limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("term", ["a:x.example", "mx:x.example", "ptr", "include:n.example"])
async def test_ten_terms_may_ask_and_no_more(term: str) -> None:
    def resolver(times: int) -> FakeResolver:
        found = says("v=spf1 " + f"{term} " * times + "-all").add_txt("n.example", "v=spf1")
        return found.add_address("x.example", "203.0.113.1").add_mx("x.example", (0, "x.example"))

    result = await check(resolver(10))
    assert (result.status, result.lookups) == (FAIL, 10)
    result = await check(resolver(11))
    assert (result.status, result.lookups) == (PERMERROR, 10)
    assert "more than 10 terms" in result.reason


async def test_terms_that_do_not_ask_are_not_counted() -> None:
    result = await check(says("v=spf1 " + "ip4:203.0.113.1 ip6:::1 x=y " * 100 + "-all"))
    assert (result.status, result.lookups) == (FAIL, 0)


async def test_terms_of_included_records_are_counted_together() -> None:
    resolver = says("v=spf1 include:b.example include:b.example include:b.example -all")
    resolver.add_txt("b.example", "v=spf1 a:x.example a:x.example a:x.example").add_address("x.example", "203.0.113.1")
    assert (await check(resolver)).status is PERMERROR
    assert (await check(resolver, terms=12)).status is FAIL


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 include:example.com",
        "v=spf1 redirect=example.com",
        "v=spf1 include:b.example",
        "v=spf1 redirect=b.example",
    ],
)
async def test_loops_end(record: str) -> None:
    resolver = says(record).add_txt("b.example", "v=spf1 include:example.com redirect=example.com")
    result = await check(resolver)
    assert (result.status, result.lookups) == (PERMERROR, 10)
    assert len(resolver.asked) == 11


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("term", ["a:{}.example", "mx:{}.example", "exists:{}.example"])
async def test_two_terms_may_ask_in_vain_and_no_more(term: str, exists: bool) -> None:
    def resolver(names: str) -> FakeResolver:
        found = says("v=spf1 " + " ".join(term.format(name) for name in names) + " -all")
        for name in names if exists else "":
            found.add_txt(f"{name}.example", "no data of the kind that is asked for")
        return found

    result = await check(resolver("ab"))
    assert (result.status, result.void_lookups) == (FAIL, 2)
    result = await check(resolver("abc"))
    assert (result.status, result.void_lookups) == (PERMERROR, 3)
    assert "c.example" in result.reason


async def test_exchangers_without_an_address_count_as_one_void_term() -> None:
    """RFC 7208 §4.6.4 speaks of terms: hosts of IPv4 alone make no error for a client of IPv6."""
    resolver = says("v=spf1 mx mx:b.example -all").add_mx("example.com", *((n, f"mx{n}.example") for n in range(9)))
    resolver.add_mx("b.example", (0, "mx0.example"), (0, "six.example"), (0, "mx1.example"))
    resolver.add_address("six.example", "2001:db8::1")
    result = await check(resolver, V6)
    assert (result.status, result.void_lookups) == (FAIL, 1)


async def test_the_null_mx_names_no_host() -> None:
    resolver = says("v=spf1 mx -all").add_mx("example.com", (0, ""))
    result = await check(resolver)
    assert (result.status, result.void_lookups) == (FAIL, 0)
    assert resolver.asked == [("TXT", "example.com"), ("MX", "example.com")]


async def test_more_than_ten_exchangers_are_an_error() -> None:
    resolver = says("v=spf1 mx -all").add_mx("example.com", *((n, f"mx{n}.example") for n in range(11)))
    result = await check(resolver.add_address("mx0.example", V4))
    assert (result.status, result.reason) == (PERMERROR, "example.com has more than 10 mail exchangers")
    assert (await check(resolver, names=11)).status is PASS


async def test_any_number_of_addresses_is_compared() -> None:
    resolver = says("v=spf1 a -all").add_address("example.com", *(str(IPv4Address(n)) for n in range(2000)), V4)
    assert (await check(resolver)).status is PASS


async def test_the_caller_limits_the_questions() -> None:
    resolver = says("v=spf1 mx mx:b.example -all")
    for name in ("example.com", "b.example"):
        resolver.add_mx(name, *((n, f"mx{n}.{name}") for n in range(9))).add_address(f"mx8.{name}", "203.0.113.1")
    assert (await check(resolver, questions=21)).status is FAIL
    resolver.asked.clear()
    result = await check(resolver, questions=20)
    assert (result.status, result.reason) == (PERMERROR, "more than 20 questions to the DNS")
    assert len(resolver.asked) == 20


async def test_no_record_and_no_client_can_ask_more_than_the_limits_allow() -> None:
    """The worst of all: ten names to confirm, ten terms of ten exchangers each, and an explanation."""
    domains = [f"d{number}.example" for number in range(9)]
    resolver = says("v=spf1 mx:%{p}.example " + " ".join(f"mx:{name}" for name in domains) + " -all exp=%{p}.example")
    resolver.add_ptr(V4, *(f"p{number}.example" for number in range(20)))
    for name in ["unknown.example", *domains]:
        resolver.add_mx(name, *((n, f"mx{n}.{name}") for n in range(10))).add_address(f"mx9.{name}", "203.0.113.1")
    result = await check(resolver)
    assert result.status is PERMERROR, "with the macro there are eleven terms"
    assert len(resolver.asked) <= SpfLimits().questions
    assert (await check(resolver, terms=11)).status is FAIL


class SlowResolver(FakeResolver):
    """Takes some seconds for each answer."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        super().__init__()
        self._clock = clock
        self._seconds = seconds

    def _find(self, kind: str, name: str, type_: type[Record]) -> Answer[Record]:
        self._clock.advance(self._seconds)
        return super()._find(kind, name, type_)


async def test_nothing_is_asked_after_the_deadline() -> None:
    clock = FakeClock()
    resolver = SlowResolver(clock, 6.0)
    resolver.add_txt("example.com", "v=spf1 include:example.com")
    until = Inquiry(resolver=resolver, clock=clock, deadline=clock.monotonic() + 20)
    result = await check_host(ip_address(V4), "example.com", "ann@example.com", until)
    assert (result.status, len(resolver.asked)) == (TEMPERROR, 4)
    assert result.reason == "the time was over before example.com was asked for"


async def test_a_fail_stays_one_when_there_is_no_time_left_for_its_explanation() -> None:
    clock = FakeClock()
    resolver = SlowResolver(clock, 6.0)
    resolver.add_txt("example.com", "v=spf1 -all exp=why.example.com").add_txt("why.example.com", "because")
    until = Inquiry(resolver=resolver, clock=clock, deadline=clock.monotonic() + 5)
    result = await check_host(ip_address(V4), "example.com", "ann@example.com", until)
    assert (result.status, result.explanation) == (FAIL, "")


async def test_a_bomb_of_macros_asks_for_names_that_fit() -> None:
    long = "b." * 60 + "example.com"
    resolver = says("v=spf1 exists:" + "%{s}." * 700 + "%{d} -all", long)
    result = await check(resolver, sender=f"{'a.' * 60}a@{long}")
    assert result.status is FAIL
    assert all(len(name) <= 253 for _, name in resolver.asked)


# -- Whatever anybody writes ------------------------------------------------------------------------------------------

TERMS = """
all -mx ?ptr ~a a a/0//0 a:b.example mx mx:%{d} mx:b.example//64 ptr ptr:%{h} ip4:192.0.2.0/24 ip6:::/0 %
include:example.com include:%{l}.example exists:%{ir}.%{v}.%{p} redirect=b.example redirect=%{o} exp=%{s}.example
exp=why.example x=%{d}
"""
SOME_TERMS = st.lists(st.sampled_from(TERMS.split()), max_size=12)


@given(st.binary(max_size=200), st.text(max_size=80), st.text(max_size=80))
async def test_any_record_sender_and_name_give_a_result(octets: bytes, sender: str, helo: str) -> None:
    for record in (octets, b"v=spf1 " + octets, b"v=spf1 -all exp=why.example"):
        resolver = says(record).add_txt("why.example", octets)
        result = await check_host(ip_address(V4), "example.com", sender, inquiry(resolver), helo=helo)
        assert_safe(result)
        assert_safe(await check_helo(IPv6Address(V6), helo, inquiry(resolver)))


@given(SOME_TERMS, SOME_TERMS, st.sampled_from([V4, V6, "::ffff:203.0.113.1"]))
async def test_any_terms_stay_within_the_limits(terms: list[str], others: list[str], address: str) -> None:
    resolver = says("v=spf1 " + " ".join(terms)).add_txt("b.example", "v=spf1 " + " ".join(others))
    resolver.add_mx("example.com", (0, "b.example"), (0, "")).add_address("b.example", "192.0.2.3", "2001:db8::1")
    resolver.add_ptr(V4, "b.example").add_txt("why.example", "%{s} %{p} %{t}")
    result = await check(resolver, address)
    assert_safe(result)
    assert len(resolver.asked) <= 123
    assert result.lookups <= 10
    assert result.void_lookups <= 3


def assert_safe(result: SpfResult) -> None:
    for text in (result.reason, result.mechanism):
        assert text.isascii()
        assert text.isprintable()
        assert not set(text) & set('()"\\')
        assert len(text) <= 400
    assert result.reason
    assert result.explanation.isascii()
    assert result.explanation.isprintable()
    assert len(result.explanation) <= MAX_EXPLANATION
