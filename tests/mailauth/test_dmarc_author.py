"""Whose domain does From name? Every field that programs read differently is refused, or all its readings count."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.addresses import Address
from hongyan.mailauth.author import MAX_AUTHOR_DOMAINS, UnfitAuthor, read_author
from hongyan.message.headers import find_body
from tests.support.testdata import case_files


def read(value: str | bytes) -> list[str] | UnfitAuthor:
    octets = value.encode() if isinstance(value, str) else value
    domains, _ = read_author(b"Subject: x\r\nFrom: " + octets + b"\r\nTo: bob@example.net\r\n")
    return domains if isinstance(domains, UnfitAuthor) else [domain.text for domain in domains]


@pytest.mark.parametrize(
    "value",
    [
        "ann@example.org",
        "<ann@example.org>",
        "Ann <ann@example.org>",
        "Ann\r\n <ann@EXAMPLE.org>",
        '"Ann, of example.net" <ann@example.org>',
        '"ceo@example.net" <ann@example.org>',
        "Ann (once ann@example.net) <ann@example.org>",
        "ann@example.org (Ann)",
        "ann@example.org(Ann)",
        '"odd@local part"@example.org',
        "Ann, Bob <ann@example.org>",
        "ann@example.org, bob@example.org",
        "Friends: ann@example.org, bob@example.org;",
        "Ann @ Work <ann@example.org>",
        "ann@example.org.",
        "WORK\\ann <ann@example.org>",
        b"J\xf6rg <ann@example.org>",
        "=?utf-8?q?ceo=40example=2enet?= <ann@example.org>",
    ],
)
def test_one_domain_is_the_authors(value: str | bytes) -> None:
    assert read(value) == ["example.org"]


@pytest.mark.parametrize(
    "value",
    [
        "ann@example.org, bob@example.net",
        "ann@example.org <bob@example.net>",
        "<ann@example.org> <bob@example.net>",
        "<ann@example.org>(a comment), bob@example.net",
        "<@example.org,@example.net:ann@example.net>",
        "<@example.org:ann@example.net>",
        "Friends: ann@example.org; bob@example.net",
        "ann@example.org@work <bob@example.net>",
        "ann @ example.org <bob@example.net>",
        "<ann@example.org, <bob@example.net>",
        "ann@example.org;bob@example.net",
    ],
)
def test_each_domain_that_somebody_could_read_counts(value: str) -> None:
    assert read(value) == ["example.org", "example.net"]


@pytest.mark.parametrize(
    "value",
    [
        "ann@example..org",
        "ann@example.org@example.net",
        "ann@example(a comment).org",
        "ann@example .org",
        "ann@example.org(a comment)example",
        'ann@"example.org"',
        "ann@exa\\mple.org",
        "<ann@>",
        "ann@-example.org",
        '"Ann <ann@example.org>',
        "(Ann <ann@example.org>",
        '\\"<bob@example.net>\\"" <ann@example.org>',
        "ann@\x00\x01example.org",
        "ann@example.org\x1b",
        b"ann@ex\xe4mple.org",
        "ann@xn--example-\u2028.org",
        "ann@192.0.2.1",
        "ann@" + "a" * 300 + ".org",
        "x" * 10_001 + " <ann@example.org>",
    ],
)
def test_what_is_no_address_is_refused(value: str | bytes) -> None:
    assert read(value) is UnfitAuthor.UNREADABLE


@pytest.mark.parametrize("value", ["", "ann", "<>", "undisclosed:;", '"ann@example.org"', "(ann@example.org)", "<ann>"])
def test_a_field_without_a_domain_is_refused(value: str) -> None:
    assert read(value) is UnfitAuthor.WITHOUT_DOMAIN


def test_an_address_literal_is_no_domain() -> None:
    assert read("ann@[192.0.2.1]") is UnfitAuthor.LITERAL
    assert read("<ann@[IPv6:2001:db8::1]>, bob@example.org") is UnfitAuthor.LITERAL


def test_internationalized_domains_become_a_labels() -> None:
    assert read("鸿@bücher.example") == ["xn--bcher-kva.example"]
    assert read("ann@bücher.example, bob@XN--BCHER-KVA.example") == ["xn--bcher-kva.example"]


def test_a_name_of_one_label_counts_where_there_is_no_other() -> None:
    assert read("root@localhost") == ["localhost"]
    assert read("root@localhost, ann@example.org") == ["example.org"]


def test_the_number_of_domains_is_bounded() -> None:
    domains = [f"example{number}.org" for number in range(MAX_AUTHOR_DOMAINS + 1)]
    assert read(", ".join(f"ann@{domain}" for domain in domains[:-1])) == domains[:-1]
    assert read(", ".join(f"ann@{domain}" for domain in domains)) is UnfitAuthor.TOO_MANY


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"", UnfitAuthor.MISSING),
        (b"Sender: ann@example.org\r\nResent-From: ann@example.org\r\n", UnfitAuthor.MISSING),
        (b"From: ann@example.org\r\nFrom: ann@example.org\r\n", UnfitAuthor.REPEATED),
        (b"From: ann@example.org\r\nfROM : bob@example.net\r\n", UnfitAuthor.REPEATED),
        (b"From: ann@example.org\r\nFrom\r\n : bob@example.net\r\n", UnfitAuthor.REPEATED),
        (b"From: ann@example.org\r\nFr\0om: bob@example.net\r\n", UnfitAuthor.REPEATED),
        (b"From: ann@example.org\r\nno field\r\nFrom: bob@example.net\r\n", UnfitAuthor.REPEATED),
        (b"From: ann@example.org\r\n" + b"X:\r\n" * 10_000, UnfitAuthor.UNREADABLE),
        (b"From: ann@example.org\r\nX: " + b"x" * (1 << 20), UnfitAuthor.UNREADABLE),
    ],
)
def test_there_is_one_from(header: bytes, why: UnfitAuthor) -> None:
    assert read_author(header)[0] is why
    assert why.sentence.startswith(("The From ", "The message "))


def test_a_mailbox_line_is_not_the_author() -> None:
    header = b"From ann@example.net Mon Nov 23 08:00:00 2026\r\nFrom: ann@example.org\r\n"
    domains, _ = read_author(header)
    assert not isinstance(domains, UnfitAuthor)
    assert [domain.text for domain in domains] == ["example.org"]


def test_real_mail_names_one_domain(count_cases: Callable[[str, int], None]) -> None:
    files = case_files("spamassassin", "easy-ham-*/*", "hard-ham-*/*")
    read_well = 0
    for file in files:
        octets = file.read_bytes()
        domains, _ = read_author(octets[: find_body(octets, 0, len(octets))])
        read_well += not isinstance(domains, UnfitAuthor) and len(domains) == 1
    assert read_well >= 0.99 * len(files)
    count_cases("spamassassin", len(files))


@given(st.text(alphabet='ab@.,;:<>()[]"\\ \t\r\nü', max_size=40).map(str.encode) | st.binary(max_size=60))
def test_no_octets_raise(value: bytes) -> None:
    domains, _ = read_author(b"From: " + value)
    if isinstance(domains, tuple):
        assert 1 <= len(domains) <= MAX_AUTHOR_DOMAINS
        assert len(set(domains)) == len(domains)
        assert not any(domain.is_literal for domain in domains)


@pytest.mark.parametrize(
    ("value", "author"),
    [
        (b"ann@geese.test", "ann@geese.test"),
        (b"Ann Goose <ann+x@geese.test> (away)", "ann+x@geese.test"),
        (b'"Goose, Ann <ceo@other.test>" <ann@geese.test>', "ann@geese.test"),
        ("雁 <雁@鸿雁.test>".encode(), "雁@鸿雁.test"),
        (b"ann@geese.test, bob@geese.test", None),
        (b"ceo@other.test <ann@geese.test>", None),
        (b"<@route.test:ann@geese.test>", None),
        (b"friends: ann@geese.test;", None),
        (b'"ann b"@geese.test', None),
        (b"ann@[192.0.2.1]", None),
        (b"nobody", None),
    ],
)
def test_the_author_is_told_where_every_program_reads_one_address(value: bytes, author: str | None) -> None:
    _, found = read_author(b"From: " + value + b"\r\nSubject: x\r\n\r\n")
    assert found == (None if author is None else Address.parse(author))


def test_of_two_from_fields_neither_is_the_author() -> None:
    assert read_author(b"From: ann@geese.test\r\nFrom: ann@geese.test\r\n\r\n")[1] is None
