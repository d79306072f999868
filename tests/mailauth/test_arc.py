"""ARC: a chain holds as a whole or not at all, and each rule of RFC 8617 §5.2 is one way to break it."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from hongyan.mailauth.arc import MAX_SETS, ArcHop, ArcResult, ArcStatus, ArcVerifier
from hongyan.mailauth.canonical import BodyDigests, Canonicalization, canonical_field, split_fields
from hongyan.mailauth.dkim import DkimStatus, SigningKey, Verifier, sign_message
from hongyan.mailauth.tags import without_tag
from tests.support.arc import Relay, add_chain, new_key, relays_dns, seal
from tests.support.resolver import FakeResolver

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HEADER = (
    b"From: Ann <ann@example.org>\r\n"
    b"To: geese@lists.example.net\r\n"
    b"Subject: Wild\r\n  goose\r\n"
    b"Date: Mon, 23 Nov 2026 08:00:00 +0000\r\n"
)
BODY = b"Letters\t come  \r\n\r\nby goose.\r\n\r\n"

RSA_RELAY = Relay(SigningKey("lists.example.net", "rsa", generate_private_key(65537, 2048)), "lists.example.net; a=b")
RELAY = Relay(new_key("forward.example.com", "ed"), "forward.example.com;\r\n dkim=pass header.d=example.org")
KEYS = (RSA_RELAY, RELAY)


async def validate(
    header: bytes, body: bytes = BODY, resolver: FakeResolver | None = None, now: datetime = NOW
) -> ArcResult:
    verifier = ArcVerifier(header, now)
    verifier.update(body)
    return await verifier.finish(resolver or relays_dns(*KEYS))


async def reason(header: bytes, resolver: FakeResolver | None = None, body: bytes = BODY) -> str:
    found = await validate(header, body, resolver)
    assert found.status is ArcStatus.FAIL
    assert found.hops == ()
    return found.reason


async def test_a_message_without_a_chain_has_none_and_needs_no_body() -> None:
    verifier = ArcVerifier(HEADER, NOW)
    assert not verifier.needs_body
    resolver = FakeResolver()
    assert await verifier.finish(resolver) == ArcResult(status=ArcStatus.NONE)
    assert resolver.asked == []


async def test_a_chain_of_two_relays_passes_and_tells_what_each_saw() -> None:
    assert await validate(add_chain(HEADER, BODY, KEYS)) == ArcResult(
        status=ArcStatus.PASS,
        instance=2,
        hops=(
            ArcHop(1, "lists.example.net", b"lists.example.net; a=b"),
            ArcHop(2, "forward.example.com", b"forward.example.com;\r\n dkim=pass header.d=example.org"),
        ),
    )


@pytest.mark.parametrize("form", ["simple/simple", "simple/relaxed", "relaxed/simple"])
async def test_each_canonical_form_passes(form: str) -> None:
    found = await validate(add_chain(HEADER, BODY, [RSA_RELAY, replace(RELAY, form=form)]))
    assert (found.status, found.oldest_pass) == (ArcStatus.PASS, 0)


async def test_fifty_sets_pass_and_a_key_is_asked_for_once() -> None:
    resolver = relays_dns(*KEYS)
    found = await validate(add_chain(HEADER, BODY, [RELAY] * MAX_SETS), resolver=resolver)
    assert (found.status, found.instance, len(found.domains)) == (ArcStatus.PASS, 50, 50)
    assert len(resolver.asked) == 1


async def test_more_than_fifty_sets_fail_without_a_look_at_dns() -> None:
    resolver = relays_dns(*KEYS)
    found = await validate(add_chain(HEADER, BODY, [RELAY] * 51), resolver=resolver)
    assert (found.status, found.reason, found.instance) == (ArcStatus.FAIL, "more than 50 sets", 50)
    assert resolver.asked == []


async def test_where_the_fields_of_a_set_stand_does_not_matter() -> None:
    lines = split(add_chain(HEADER, BODY, KEYS))
    assert (await validate(b"".join(reversed(lines[:6])) + b"".join(lines[6:]))).status is ArcStatus.PASS


def split(header: bytes) -> list[bytes]:
    """The fields of a header, folded as they are, each with its CRLF."""
    fields = header.replace(b"\r\n\t", b"\0\t").replace(b"\r\n ", b"\0 ").splitlines(keepends=True)
    return [line.replace(b"\0", b"\r\n") for line in fields]


# -- Oldest pass ------------------------------------------------------------------------------------------------------


async def test_a_relay_that_changed_the_message_is_the_oldest_to_vouch_for_what_came() -> None:
    changed = HEADER.replace(b"Wild", b"[geese] Wild")
    first = seal(HEADER, BODY, RSA_RELAY, 1).replace(HEADER, changed)
    header = seal(seal(first, BODY, RELAY, 2), BODY, RELAY, 3)
    found = await validate(header)
    assert (found.status, found.instance, found.oldest_pass) == (ArcStatus.PASS, 3, 2)


async def test_a_relay_that_changed_the_body_is_seen_too() -> None:
    footed = BODY + b"-- \r\nThe list of geese\r\n"
    header = seal(seal(HEADER, BODY, RSA_RELAY, 1), footed, RELAY, 2)
    found = await validate(header, footed)
    assert (found.status, found.oldest_pass) == (ArcStatus.PASS, 2)


async def test_an_older_signature_that_cannot_be_used_breaks_no_chain() -> None:
    odd = replace(RSA_RELAY, message_tags={"a": "rsa-sha1"})
    found = await validate(add_chain(HEADER, BODY, [odd, RELAY]))
    assert (found.status, found.oldest_pass) == (ArcStatus.PASS, 2)


# -- Structure (RFC 8617 §5.2, 1 to 3) --------------------------------------------------------------------------------


@pytest.mark.parametrize("instance", [1, 2])
@pytest.mark.parametrize("name", ["ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"])
async def test_a_set_has_each_of_its_fields_once(name: str, instance: int) -> None:
    lines = split(add_chain(HEADER, BODY, KEYS))
    (own,) = (line for line in lines if line.startswith(f"{name}: i={instance};".encode()))
    assert await reason(b"".join(line for line in lines if line != own)) == f"{name} {instance}: it is missing"
    assert await reason(own + b"".join(lines)) == f"{name} {instance}: it comes twice"


async def test_the_numbers_have_no_gap() -> None:
    header = seal(seal(HEADER, BODY, RSA_RELAY, 1), BODY, RELAY, 3)
    assert await reason(header) == "ARC-Authentication-Results 2: it is missing"


@pytest.mark.parametrize("number", ["0", "51", "", "x", "-1", "001", "1 1", "9" * 5000])
async def test_a_number_is_one_from_1_to_50(number: str) -> None:
    for name in ("message", "seal"):
        relay = replace(RELAY, **{f"{name}_tags": {"i": number}})  # type: ignore[arg-type]
        assert (await reason(seal(HEADER, BODY, relay, 1))).endswith("its number is not one from 1 to 50")


@pytest.mark.parametrize(
    ("start", "wrong"),
    [
        ("", "it does not begin with its number"),
        ("i=1", "it does not begin with its number"),
        ("I=1;", "it does not begin with its number"),
        ("i=123;", "it does not begin with its number"),
        ("x=y; i=1;", "it does not begin with its number"),
        ("(" * 5000 + " i=1;", "it does not begin with its number"),
        ("i=0;", "its number is not one from 1 to 50"),
    ],
)
async def test_the_results_begin_with_their_number(start: str, wrong: str) -> None:
    header = seal(HEADER, BODY, replace(RELAY, results_start=start), 1)
    assert await reason(header) == f"ARC-Authentication-Results: {wrong}"


@pytest.mark.parametrize("start", ["(first) i = 1 (of\r\n one) ;", "\r\n i=01;", "i(one)=(two)1(three)(four);"])
async def test_the_number_of_the_results_may_have_space_and_comments(start: str) -> None:
    found = await validate(seal(HEADER, BODY, replace(RSA_RELAY, results_start=start), 1))
    assert found.hops == (ArcHop(1, "lists.example.net", b"lists.example.net; a=b"),)


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        (("pass",), "ARC-Seal 1: its cv= breaks the chain"),
        (("",), "ARC-Seal 1: its cv= breaks the chain"),
        ((None,), "ARC-Seal 1: the tag cv= is missing"),
        (("fail",), "ARC-Seal 1: the chain is sealed as broken"),
        (("none", "none"), "ARC-Seal 2: its cv= breaks the chain"),
        (("none", "FAIL"), "ARC-Seal 2: the chain is sealed as broken"),
        (("fail", "pass"), "ARC-Seal 1: its cv= breaks the chain"),
        (("pass", "pass"), "ARC-Seal 1: its cv= breaks the chain"),
        (("none", "fail", "pass"), "ARC-Seal 2: its cv= breaks the chain"),
    ],
)
async def test_the_first_seal_says_none_and_each_other_one_pass(values: tuple[str | None, ...], wrong: str) -> None:
    resolver = relays_dns(*KEYS)
    header = add_chain(HEADER, BODY, [replace(RELAY, seal_tags={"cv": value}) for value in values])
    assert await reason(header, resolver) == wrong
    assert resolver.asked == []


async def test_a_chain_sealed_as_broken_may_lack_what_it_likes() -> None:
    header = seal(HEADER, BODY, replace(RELAY, seal_tags={"cv": "fail"}), 4)
    found = await validate(header)
    assert (found.reason, found.instance) == ("ARC-Seal 4: the chain is sealed as broken", 4)


# -- The latest signature of the message (RFC 8617 §5.2, 4) ------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.replace(b"ann@", b"eve@"),
        lambda header: header.replace(b"Wild", b"Tame"),
        lambda header: header + b"Subject: Another\r\n",
        lambda header: header.replace(b"Date:", b"X-Date:"),
    ],
)
async def test_a_changed_field_breaks_the_chain(change: Callable[[bytes], bytes]) -> None:
    assert await reason(change(add_chain(HEADER, BODY, KEYS))) == "ARC-Message-Signature 2: signature did not verify"


async def test_a_changed_body_breaks_the_chain_without_a_look_at_dns() -> None:
    resolver = relays_dns(*KEYS)
    header = add_chain(HEADER, BODY, KEYS)
    assert await reason(header, resolver, b"Eve\r\n") == "ARC-Message-Signature 2: body hash did not verify"
    assert resolver.asked == []


@pytest.mark.parametrize(
    ("tags", "wrong"),
    [
        ({"a": None}, "the tag a= is missing"),
        ({"a": "rsa-sha1"}, "rsa-sha1 is not accepted"),
        ({"a": "rsa-sha512"}, "unknown algorithm"),
        ({"a": "rsa-sha256"}, "the key is of another algorithm"),
        ({"bh": None}, "the tag bh= is missing"),
        ({"bh": "*"}, "the tag bh= is not base64"),
        ({"c": "loose"}, "unknown canonicalization"),
        ({"d": None}, "the tag d= is missing"),
        ({"d": "exa mple"}, "the domain or the selector is not a name"),
        ({"d": "example.invalid"}, "no key for signature"),
        ({"h": None}, "the tag h= is missing"),
        ({"h": "to:subject"}, "From is not signed"),
        ({"h": "from:ARC-Seal"}, "it signs seals"),
        ({"h": "from:" + "x:" * 1000}, "too many signed fields"),
        ({"l": "5"}, "the body is signed in part only"),
        ({"s": None}, "the tag s= is missing"),
        ({"s": "other"}, "no key for signature"),
        ({"t": "yesterday"}, "a time is not a number"),
        ({"x": "1795420801"}, "signature expired"),
    ],
)
async def test_a_signature_of_the_message_is_held_to_the_rules_of_dkim(tags: dict[str, str | None], wrong: str) -> None:
    late = datetime(2026, 11, 24, tzinfo=UTC)
    header = seal(HEADER, BODY, replace(RELAY, message_tags=tags), 1)
    found = await validate(header, now=late)
    assert found.reason == f"ARC-Message-Signature 1: {wrong}"


async def test_a_version_and_unknown_tags_are_ignored() -> None:
    relay = replace(RELAY, message_tags={"v": "7", "zz": "top"}, seal_tags={"zz": "top", "x": "never"})
    assert (await validate(seal(HEADER, BODY, relay, 1))).status is ArcStatus.PASS


# -- Seals (RFC 8617 §4.1.3, §5.2, 6) ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "wrong"),
    [
        ({"a": None}, "the tag a= is missing"),
        ({"a": "rsa-sha1"}, "rsa-sha1 is not accepted"),
        ({"d": None}, "the tag d= is missing"),
        ({"d": "***"}, "the domain or the selector is not a name"),
        ({"s": ""}, "the domain or the selector is not a name"),
        ({"s": "other"}, "no key for signature"),
        ({"h": "from"}, "it has a tag h="),
        ({"t": ""}, "a time is not a number"),
    ],
)
async def test_a_seal_has_what_it_needs_and_no_list_of_fields(tags: dict[str, str | None], wrong: str) -> None:
    header = add_chain(HEADER, BODY, [replace(RELAY, seal_tags=tags), RELAY])
    assert await reason(header) == f"ARC-Seal 1: {wrong}"


@pytest.mark.parametrize(
    ("before", "after", "wrong"),
    [
        (b"lists.example.net; a=b", b"lists.example.net; a=c", "ARC-Seal 2: signature did not verify"),
        (b"dkim=pass", b"dkim=fail", "ARC-Seal 2: signature did not verify"),
        (b"ARC-Message-Signature: i=1;", b"ARC-Message-Signature: i=1; z=;", "ARC-Seal 2: signature did not verify"),
        (b"ARC-Seal: i=2;", b"ARC-Seal: i=2; z=;", "ARC-Seal 2: signature did not verify"),
        (b"ARC-Seal: i=1;", b"ARC-Seal: i=1; i=1;", "ARC-Seal: the tag i comes twice"),
        (b"ARC-Seal: i=1;", b"ARC-Seal: i=1;;", "ARC-Seal: not a tag list"),
        (b"ARC-Seal: i=1;", b"ARC-Seal:", "ARC-Seal: the tag i= is missing"),
    ],
)
async def test_a_set_that_somebody_changed_breaks_the_chain(before: bytes, after: bytes, wrong: str) -> None:
    header = add_chain(HEADER, BODY, KEYS)
    assert before in header
    assert await reason(header.replace(before, after)) == wrong


async def test_an_older_seal_is_verified_too() -> None:
    """The second relay sealed what it got, without a look: its own seal is right, and the chain is broken."""
    first = seal(HEADER, BODY, RSA_RELAY, 1).replace(b"a=b", b"a=c")
    assert await reason(seal(first, BODY, RELAY, 2)) == "ARC-Seal 1: signature did not verify"


async def test_relays_may_refold_what_is_sealed() -> None:
    header = add_chain(HEADER, BODY, KEYS)
    refolded = header.replace(b"ARC-Authentication-Results: i=1; ", b"arc-authentication-results : i=1;\r\n\t ")
    assert refolded != header
    assert (await validate(refolded)).status is ArcStatus.PASS


# -- Keys -------------------------------------------------------------------------------------------------------------


async def test_every_failure_is_permanent_also_that_of_the_dns() -> None:
    """RFC 8617 §5.2.1."""
    resolver = relays_dns(*KEYS)
    resolver.failing.add("rsa._domainkey.lists.example.net")
    assert await reason(add_chain(HEADER, BODY, KEYS), resolver) == "ARC-Seal 1: key unavailable"


async def test_an_rsa_key_below_1024_bits_does_not_seal() -> None:
    short = RSAPublicNumbers(65537, (1 << 1022) | 1).public_key()
    octets = short.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    resolver = relays_dns(RELAY).add_txt("rsa._domainkey.lists.example.net", f"p={b64encode(octets).decode()}")
    assert await reason(add_chain(HEADER, BODY, KEYS), resolver) == "ARC-Seal 1: the key is too short"


async def test_a_revoked_key_does_not_seal() -> None:
    resolver = relays_dns(RELAY).add_txt("rsa._domainkey.lists.example.net", "p=")
    assert await reason(add_chain(HEADER, BODY, KEYS), resolver) == "ARC-Seal 1: key revoked"


# -- Beside DKIM ------------------------------------------------------------------------------------------------------


async def test_dkim_and_arc_share_the_digests_of_a_body() -> None:
    signed = sign_message(HEADER + b"\r\n" + BODY, [SigningKey("lists.example.net", "rsa", RSA_RELAY.key.private)], NOW)
    header = add_chain(signed + HEADER, BODY, KEYS)
    body = BodyDigests()
    verifier, chain = Verifier(header, NOW, body), ArcVerifier(header, NOW, body)
    body.update(BODY)
    (dkim,) = await verifier.results(relays_dns(*KEYS))
    assert dkim.status is DkimStatus.PASS
    assert (await chain.finish(relays_dns(*KEYS))).status is ArcStatus.PASS


# -- Whatever comes ---------------------------------------------------------------------------------------------------

CHAIN = add_chain(HEADER, BODY, [replace(RELAY, form="simple/simple"), RELAY])
DNS = relays_dns(RELAY)


@given(st.lists(st.integers(0, len(BODY)), max_size=8))
def test_any_chunking_gives_the_same(cuts: list[int]) -> None:
    verifier = ArcVerifier(CHAIN, NOW)
    edges = [0, *sorted(cuts), len(BODY)]
    for start, end in pairwise(edges):
        verifier.update(BODY[start:end])
    assert asyncio.run(verifier.finish(DNS)).status is ArcStatus.PASS


@given(st.integers(0, CHAIN.index(b"From:") - 1), st.binary(max_size=4), st.integers(0, 40))
def test_no_octet_of_a_chain_changes_without_notice(start: int, put: bytes, taken: int) -> None:
    edited = CHAIN[:start] + put + CHAIN[start + taken :]
    found = asyncio.run(validate(edited, resolver=DNS))
    assert found.status is ArcStatus.FAIL or sealed_form(edited) == sealed_form(CHAIN)


def sealed_form(header: bytes) -> list[bytes]:
    """The fields of a chain as seals cover them; what b= of a seal says, only the key can tell."""
    lines = []
    for each in split_fields(header):
        if each.name.startswith(b"arc-"):
            name, _, value = each.raw.partition(b":")
            octets = name + b":" + (without_tag(value, b"b") if each.name == b"arc-seal" else value)
            lines.append(canonical_field(octets, Canonicalization.RELAXED))
    return sorted(lines)


FIELD_NAMES = st.sampled_from([b"ARC-Seal", b"ARC-Message-Signature", b"ARC-Authentication-Results", b"From"])
PIECES = st.sampled_from(
    [b"i=1", b"i=2", b"i=", b";", b" ", b"(", b")", b"\r\n ", b"cv=none", b"cv=pass", b"a=rsa-sha256", b"b=", b"YQ==",
     b"bh=YQ==", b"d=a.b", b"s=c", b"h=from", b"c=simple", b"t=1", b"x=0", b"\xff", b"\\", b":"]
)  # fmt: skip


@given(st.lists(st.tuples(FIELD_NAMES, st.lists(PIECES, max_size=20).map(b"".join)), max_size=12), st.binary())
def test_nothing_that_a_stranger_writes_raises(fields: list[tuple[bytes, bytes]], body: bytes) -> None:
    header = b"".join(name + b":" + value + b"\r\n" for name, value in fields)
    found = asyncio.run(validate(header, body))
    assert (found.status is ArcStatus.FAIL) == bool(found.reason)
    assert found.reason.isascii()
    assert found.hops == ()
