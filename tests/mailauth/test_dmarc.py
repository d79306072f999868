"""DMARC: the examples of RFC 9989, what the owner of a domain may ask for, and a DNS that does not answer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.addresses import Domain
from hongyan.mailauth.dkim import DkimResult, DkimStatus
from hongyan.mailauth.dmarc import DmarcResult, DmarcStatus, Identifiers, Mechanism, Policy, check_dmarc
from hongyan.mailauth.dmarc_tree import MAX_QUESTIONS, DmarcTree
from tests.support.resolver import FakeResolver

SPF, DKIM = Mechanism.SPF, Mechanism.DKIM


def dns(**records: str) -> FakeResolver:
    """Return a DNS with policy records; `example_org` stands for example.org, and each domain exists."""
    resolver = FakeResolver()
    for name, text in records.items():
        add_policy(resolver, name.replace("_", "."), text)
    return resolver


def add_policy(resolver: FakeResolver, domain: str, tags: str) -> FakeResolver:
    return resolver.add_txt(domain, "a note").add_txt(f"_dmarc.{domain}", f"v=DMARC1; {tags}")


def signature(domain: str, status: DkimStatus = DkimStatus.PASS) -> DkimResult:
    return DkimResult(status=status, reason="" if status is DkimStatus.PASS else "a reason", domain=domain)


async def check(
    resolver: FakeResolver,
    author: str,
    *,
    spf: str | None = None,
    dkim: Sequence[str] = (),
    identifiers: Identifiers | None = None,
) -> DmarcResult:
    authors = [Domain.parse(domain) for domain in author.split()]
    return await check_dmarc(authors, identifiers or Identifiers(spf=spf, dkim=tuple(dkim)), resolver)


def questions(resolver: FakeResolver) -> list[str]:
    return [name for _, name in resolver.asked]


# -- RFC 9989, appendix B ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("author", "identifier", "strict", "relaxed"),
    [
        ("example.com", "example.com", True, True),
        ("example.com", "child.example.com", False, True),
        ("child.example.com", "example.net", False, False),
        ("child.example.com", "example.com", False, True),
    ],
)
async def test_alignment_as_in_the_examples(author: str, identifier: str, strict: bool, relaxed: bool) -> None:
    for tags, aligned in (("adkim=s; aspf=s", strict), ("adkim=r; aspf=r", relaxed)):
        resolver = dns(example_com=f"p=reject; {tags}", example_net="p=none")
        by_spf = await check(resolver, author, spf=identifier)
        by_dkim = await check(resolver, author, dkim=[identifier])
        assert by_spf.aligned_by == ((SPF,) if aligned else ())
        assert by_dkim.aligned_by == ((DKIM,) if aligned else ())
        assert by_spf.status is by_dkim.status is (DmarcStatus.PASS if aligned else DmarcStatus.FAIL)


async def test_simple_example_of_the_tree_walk() -> None:
    resolver = dns(example_com="p=reject", signing_example_com="p=none")
    result = await check(resolver, "example.com", spf="example.com", dkim=["signing.example.com"])
    assert result.aligned_by == (SPF, DKIM)
    assert (result.organizational_domain, result.policy_domain) == ("example.com", "example.com")
    assert questions(resolver) == ["_dmarc.example.com", "_dmarc.com", "_dmarc.signing.example.com"]


async def test_deep_example_of_the_tree_walk() -> None:
    resolver = dns(example_com="p=reject", signing_example_com="p=none")
    author = "a.b.c.d.e.f.g.h.i.j.k.example.com"
    result = await check(resolver, author, spf="example.com", dkim=["signing.example.com"])
    assert questions(resolver)[:8] == [
        "_dmarc.a.b.c.d.e.f.g.h.i.j.k.example.com",
        "_dmarc.g.h.i.j.k.example.com",
        "_dmarc.h.i.j.k.example.com",
        "_dmarc.i.j.k.example.com",
        "_dmarc.j.k.example.com",
        "_dmarc.k.example.com",
        "_dmarc.example.com",
        "_dmarc.com",
    ]
    assert result.aligned_by == (SPF, DKIM)
    assert (result.organizational_domain, result.policy_domain) == ("example.com", "example.com")


async def test_example_with_a_public_suffix() -> None:
    resolver = dns(bank_example="p=reject; psd=y", giant_bank_example="p=quarantine")
    result = await check(resolver, "giant.bank.example", spf="mail.giant.bank.example", dkim=["mail.mega.bank.example"])
    assert result.aligned_by == (SPF,)
    assert (result.organizational_domain, result.policy_domain) == ("giant.bank.example", "giant.bank.example")
    assert await DmarcTree(resolver).organizational_domain("mail.mega.bank.example") == "mega.bank.example"
    assert "_dmarc.example" not in questions(resolver)


# -- The organizational domain (RFC 9989 §4.10.2) ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "organization"),
    [
        ({}, "a.mail.example.com"),
        ({"mail_example_com": "p=none", "example_com": "p=none"}, "example.com"),
        ({"mail_example_com": "p=none; psd=n", "example_com": "p=none"}, "mail.example.com"),
        ({"com": "p=none; psd=y"}, "example.com"),
        ({"com": "p=none"}, "com"),
        ({"a_mail_example_com": "p=none; psd=y", "example_com": "p=none"}, "a.mail.example.com"),
        ({"mail_example_com": "psd=y"}, "a.mail.example.com"),
        ({"example_com": "p=broken; psd=u"}, "example.com"),
    ],
)
async def test_the_organizational_domain(records: dict[str, str], organization: str) -> None:
    assert await DmarcTree(dns(**records)).organizational_domain("a.mail.example.com") == organization


@pytest.mark.parametrize("labels", [1, 2, 7, 8, 9, 60])
async def test_a_walk_asks_eight_names_at_most(labels: int) -> None:
    resolver = FakeResolver()
    domain = ".".join("abcdefghij"[label % 10] for label in range(labels))
    assert await DmarcTree(resolver).walk(domain) == []
    asked = questions(resolver)
    assert len(asked) == min(labels, MAX_QUESTIONS)
    assert asked[0] == f"_dmarc.{domain}"
    assert asked[-1] == f"_dmarc.{domain.rpartition('.')[2]}"
    assert all(name.count(".") <= 7 for name in asked[1:])


async def test_several_records_are_as_good_as_none() -> None:
    resolver = dns(example_org="p=reject").add_txt("_dmarc.example.org", "v=DMARC1; p=none")
    assert (await check(resolver, "example.org")).status is DmarcStatus.NONE


async def test_other_records_at_the_name_do_no_harm() -> None:
    resolver = dns(example_org="p=reject").add_txt("_dmarc.example.org", "v=spf1 -all", b"\xff", "")
    assert (await check(resolver, "example.org")).disposition is Policy.REJECT


# -- Which policy (RFC 9989 §4.10.1) ----------------------------------------------------------------------------------


async def test_without_a_policy_nothing_applies() -> None:
    result = await check(FakeResolver(), "example.org", spf="example.org")
    assert (result.status, result.policy, result.disposition) == (DmarcStatus.NONE, Policy.NONE, Policy.NONE)
    assert (result.domain, result.policy_domain, result.record) == ("example.org", "", None)


async def test_a_record_of_the_domain_itself_counts_with_its_p() -> None:
    result = await check(dns(example_org="p=reject", a_example_org="p=none; sp=reject; np=reject"), "a.example.org")
    assert (result.status, result.policy, result.policy_domain) == (DmarcStatus.FAIL, Policy.NONE, "a.example.org")
    assert result.organizational_domain == "example.org"


async def test_a_subdomain_has_the_policy_for_subdomains() -> None:
    resolver = dns(example_org="p=none; sp=quarantine; np=reject").add_address("there.example.org", "192.0.2.1")
    there = await check(resolver, "there.example.org")
    missing = await check(resolver, "missing.example.org")
    assert (there.policy, missing.policy) == (Policy.QUARANTINE, Policy.REJECT)


async def test_whether_a_domain_exists_is_asked_only_where_it_matters() -> None:
    resolver = dns(example_org="p=reject; np=reject")
    await check(resolver, "missing.example.org")
    assert "missing.example.org" not in questions(resolver)


async def test_the_records_between_are_not_for_their_subdomains() -> None:
    result = await check(dns(example_org="p=quarantine", mail_example_org="p=reject"), "a.mail.example.org")
    assert (result.policy, result.policy_domain) == (Policy.QUARANTINE, "example.org")


async def test_a_public_suffix_speaks_for_organizations_without_a_policy() -> None:
    resolver = dns(bank_example="p=none; np=reject; sp=quarantine; psd=y").add_address(
        "small.bank.example", "192.0.2.1"
    )
    small = await check(resolver, "small.bank.example")
    forged = await check(resolver, "forged.bank.example", dkim=["bank.example"])
    assert (small.policy, small.policy_domain, small.organizational_domain) == (
        Policy.QUARANTINE,
        "bank.example",
        "small.bank.example",
    )
    assert (forged.status, forged.disposition) == (DmarcStatus.FAIL, Policy.REJECT)


async def test_testing_makes_the_disposition_one_milder() -> None:
    for policy, disposition in (("reject", "quarantine"), ("quarantine", "none"), ("none", "none")):
        result = await check(dns(example_org=f"p={policy}; t=y"), "example.org")
        assert (result.status, result.policy.value, result.disposition.value) == (DmarcStatus.FAIL, policy, disposition)


async def test_a_policy_that_cannot_be_read_is_an_error_and_asks_for_nothing() -> None:
    result = await check(dns(example_org="p=rject"), "example.org", spf="example.org")
    assert (result.status, result.disposition) == (DmarcStatus.PERMERROR, Policy.NONE)
    result = await check(dns(example_org="p=rject; rua=mailto:d@example.org"), "example.org")
    assert (result.status, result.disposition) == (DmarcStatus.FAIL, Policy.NONE)


async def test_a_pass_disposes_of_nothing() -> None:
    result = await check(dns(example_org="p=reject"), "example.org", spf="example.org", dkim=["example.org"])
    assert (result.status, result.policy, result.disposition) == (DmarcStatus.PASS, Policy.REJECT, Policy.NONE)
    assert result.reason == "aligned by SPF and DKIM"


@pytest.mark.parametrize("domain", ["org", "example.org.evil.example", "notexample.org", "", "xample.org"])
async def test_domains_that_only_look_alike_are_not_aligned(domain: str) -> None:
    result = await check(dns(example_org="p=reject"), "example.org", spf=domain, dkim=[domain])
    assert (result.status, result.disposition) == (DmarcStatus.FAIL, Policy.REJECT)


async def test_a_subdomain_of_somebody_else_is_not_aligned() -> None:
    resolver = dns(example_org="p=reject", tenant_example_org="p=none; psd=n")
    assert (await check(resolver, "example.org", dkim=["tenant.example.org"])).status is DmarcStatus.FAIL
    assert (await check(resolver, "tenant.example.org", dkim=["example.org"])).status is DmarcStatus.FAIL


async def test_a_domain_that_cannot_be_aligned_is_not_looked_up() -> None:
    resolver = dns(example_org="p=reject")
    await check(resolver, "example.org", spf="a.evil.example", dkim=[f"d{number}.evil.example" for number in range(10)])
    assert questions(resolver) == ["_dmarc.example.org", "_dmarc.org"]


# -- Several authors, none, and no name (RFC 9989 §11.5) ---------------------------------------------------------------


async def test_of_several_authors_the_worst_counts() -> None:
    resolver = dns(bank_example="p=reject", example_org="p=quarantine", free_example="p=none")
    passing = await check(resolver, "example.org bank.example", spf="example.org")
    assert (passing.domain, passing.disposition) == ("bank.example", Policy.REJECT)
    assert (await check(resolver, "free.example example.org")).domain == "example.org"
    assert (await check(resolver, "nothing.example free.example")).domain == "free.example"
    assert (await check(resolver, "example.org example.org", spf="example.org")).status is DmarcStatus.PASS


async def test_without_an_author_there_is_no_result() -> None:
    result = await check_dmarc([], Identifiers(), FakeResolver())
    assert (result.status, result.domain) == (DmarcStatus.NONE, "")


async def test_an_address_literal_has_no_policy() -> None:
    resolver = FakeResolver()
    assert (await check(resolver, "[192.0.2.1]")).status is DmarcStatus.NONE
    assert resolver.asked == []


# -- A DNS that does not answer (RFC 9989 §5.3.6) ----------------------------------------------------------------------


async def test_a_policy_that_cannot_be_asked_for_is_a_temporary_error() -> None:
    resolver = FakeResolver(failing={"_dmarc.example.org"})
    result = await check(resolver, "example.org", spf="example.org")
    assert (result.status, result.disposition) == (DmarcStatus.TEMPERROR, Policy.NONE)
    assert (await check(resolver, "a.example.org")).status is DmarcStatus.TEMPERROR


async def test_a_silent_parent_matters_only_where_it_decides() -> None:
    resolver = dns(example_org="p=reject")
    resolver.failing.add("_dmarc.org")
    exact = await check(resolver, "example.org", dkim=["example.org"])
    assert (exact.status, exact.organizational_domain) == (DmarcStatus.PASS, "")
    assert (await check(resolver, "example.org", dkim=["a.example.org"])).status is DmarcStatus.TEMPERROR
    assert (await check(resolver, "example.org", dkim=["evil.example"])).disposition is Policy.REJECT
    assert (await check(resolver, "example.org")).disposition is Policy.REJECT


async def test_an_identifier_that_cannot_be_placed_never_makes_mail_fail() -> None:
    resolver = dns(example_org="p=reject")
    resolver.failing.add("_dmarc.a.example.org")
    assert (await check(resolver, "example.org", spf="a.example.org")).status is DmarcStatus.TEMPERROR
    both = await check(resolver, "example.org", spf="a.example.org", dkim=["b.example.org"])
    assert both.aligned_by == (DKIM,)


async def test_a_check_that_had_no_answer_never_makes_mail_fail() -> None:
    resolver = dns(example_org="p=reject; adkim=s")
    for identifiers, status in (
        (Identifiers(spf_unsure="example.org"), DmarcStatus.TEMPERROR),
        (Identifiers(spf_unsure="a.example.org"), DmarcStatus.TEMPERROR),
        (Identifiers(spf_unsure="evil.example"), DmarcStatus.FAIL),
        (Identifiers(dkim_unsure=("example.org",)), DmarcStatus.TEMPERROR),
        (Identifiers(dkim_unsure=("a.example.org",)), DmarcStatus.FAIL),
        (Identifiers(dkim=("example.org",), spf_unsure="example.org"), DmarcStatus.PASS),
    ):
        assert (await check(resolver, "example.org", identifiers=identifiers)).status is status


async def test_np_is_not_guessed() -> None:
    resolver = dns(example_org="p=none; np=reject")
    resolver.failing.add("a.example.org")
    result = await check(resolver, "a.example.org")
    assert (result.status, result.disposition) == (DmarcStatus.TEMPERROR, Policy.NONE)
    assert (await check(resolver, "a.example.org", dkim=["example.org"])).status is DmarcStatus.PASS


async def test_a_dead_name_server_is_waited_for_once() -> None:
    resolver = FakeResolver(failing={"_dmarc.org"})
    add_policy(resolver, "example.org", "p=reject")
    await check(resolver, "example.org", dkim=[f"d{number}.example.org" for number in range(10)])
    assert questions(resolver).count("_dmarc.org") == 1


# -- What counts of SPF and DKIM --------------------------------------------------------------------------------------


def test_identifiers_are_what_passed_and_what_nobody_could_check() -> None:
    signatures = [
        signature("Example.org"),
        signature("example.org"),
        signature("a.example", DkimStatus.FAIL),
        signature("b.example", DkimStatus.TEMPERROR),
        signature("c.example", DkimStatus.POLICY),
        signature("", DkimStatus.TEMPERROR),
    ]
    assert Identifiers.of("MX.example", signatures) == Identifiers(
        spf="mx.example", dkim=("example.org",), dkim_unsure=("b.example",)
    )
    assert Identifiers.of(None, [], spf_unsure_domain="A.example") == Identifiers(spf_unsure="a.example")


# -- Any DNS ----------------------------------------------------------------------------------------------------------

_NAMES = st.lists(st.sampled_from(["a", "b", "org"]), min_size=1, max_size=10).map(".".join)
_TAGS = st.sampled_from(["p=reject", "p=none; psd=y", "psd=n; np=reject", "p=x", "aspf=s; adkim=s; p=quarantine; t=y"])


@given(
    records=st.dictionaries(_NAMES, _TAGS, max_size=6),
    failing=st.sets(_NAMES, max_size=3),
    author=_NAMES,
    spf=st.none() | _NAMES,
    dkim=st.lists(_NAMES, max_size=4),
    unsure=st.lists(_NAMES, max_size=2),
)
async def test_any_dns_gives_a_result_that_agrees_with_itself(
    records: dict[str, str], failing: set[str], author: str, spf: str | None, dkim: list[str], unsure: list[str]
) -> None:
    resolver = FakeResolver(failing={f"_dmarc.{name}" for name in failing})
    for name, tags in records.items():
        add_policy(resolver, name, tags)
    identifiers = Identifiers(spf=spf, dkim=tuple(dkim), dkim_unsure=tuple(unsure))
    result = await check(resolver, author, identifiers=identifiers)
    assert result.reason.isascii()
    assert (result.status is DmarcStatus.PASS) == bool(result.aligned_by)
    assert result.status is DmarcStatus.FAIL or result.disposition is Policy.NONE
    assert result.disposition.strictness <= result.policy.strictness
    assert author == result.organizational_domain or author.endswith(result.organizational_domain)
    assert len(questions(resolver)) <= MAX_QUESTIONS * (3 + len(dkim) + len(unsure))
