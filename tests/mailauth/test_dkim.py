"""DKIM: what we sign verifies, what was changed does not, and what is weak does not pass."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hongyan.mailauth.canonical import BodyHasher
from hongyan.mailauth.dkim import MAX_SIGNATURES, DkimResult, DkimStatus, SigningKey, Verifier, sign
from tests.support.resolver import FakeResolver

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HEADER = (
    b"From: \xe9\xb8\xbf\xe9\x9b\x81 <ann@example.org>\r\n"
    b"To: bob@example.net\r\n"
    b"Subject: Wild\r\n  goose\r\n"
    b"Date: Mon, 23 Nov 2026 08:00:00 +0000\r\n"
    b"Message-ID: <1@example.org>\r\n"
)
BODY = b"Letters\t come  \r\n\r\nby goose.\r\n\r\n"

RSA = SigningKey("example.org", "rsa2026", generate_private_key(65537, 2048))
ED25519 = SigningKey("example.org", "ed2026", Ed25519PrivateKey.generate())


def public_octets(key: SigningKey) -> bytes:
    public = key.private.public_key()
    if isinstance(key.private, Ed25519PrivateKey):
        return public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def record(key: SigningKey, **tags: str) -> str:
    kind = "ed25519" if isinstance(key.private, Ed25519PrivateKey) else "rsa"
    tags = {"v": "DKIM1", "k": kind, "p": base64.b64encode(public_octets(key)).decode(), **tags}
    return "; ".join(f"{name}={value}" for name, value in tags.items())


def dns(*keys: SigningKey, **tags: str) -> FakeResolver:
    resolver = FakeResolver()
    for key in keys:
        resolver.add_txt(f"{key.selector}._domainkey.{key.domain}", record(key, **tags))
    return resolver


def signatures(
    *keys: SigningKey, header: bytes = HEADER, body: bytes = BODY, lifetime: timedelta | None = None
) -> bytes:
    hasher = BodyHasher()
    hasher.update(body)
    return sign(header, hasher.digest(), keys, NOW, lifetime=lifetime)


async def verify(
    header: bytes, body: bytes = BODY, resolver: FakeResolver | None = None, now: datetime = NOW
) -> tuple[DkimResult, ...]:
    verifier = Verifier(header, now)
    verifier.update(body)
    return await verifier.results(resolver or dns(RSA, ED25519))


async def verify_one(header: bytes, **options: object) -> DkimResult:
    (result,) = await verify(header, **options)  # type: ignore[arg-type]
    return result


async def test_what_we_sign_with_each_key_passes() -> None:
    signed = signatures(RSA, ED25519)
    rsa, ed25519 = await verify(signed + HEADER)
    assert (rsa.status, rsa.domain, rsa.selector, rsa.identity) == (
        DkimStatus.PASS,
        "example.org",
        "rsa2026",
        "@example.org",
    )
    assert (rsa.algorithm, rsa.key_bits, rsa.reason, rsa.testing) == ("rsa-sha256", 2048, "", False)
    assert (ed25519.status, ed25519.algorithm) == (DkimStatus.PASS, "ed25519-sha256")
    assert f"b={ed25519.signature_start}".encode() in signed


def test_signature_lines_are_short_ascii_and_end_with_crlf() -> None:
    signed = signatures(RSA, ED25519, lifetime=timedelta(days=7))
    assert signed.endswith(b"\r\n")
    assert signed.isascii()
    lines = signed.split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert all(line.startswith((b"DKIM-Signature:", b"\t")) for line in lines[:-1])
    assert b"l=" not in signed.replace(b"hl=", b"").split(b"bh=")[0]


def test_a_private_key_is_not_printed() -> None:
    assert "private" not in repr(RSA)
    assert "RSAPrivateKey" not in repr(RSA)


async def test_relays_may_refold_and_add_trace_fields() -> None:
    changed = HEADER.replace(b"Subject: Wild\r\n  goose", b"SUBJECT:  Wild goose \t")
    result = await verify_one(b"Received: x\r\n" + signatures(RSA) + changed, body=b"Letters come\r\n\r\nby goose.\r\n")
    assert result.status is DkimStatus.PASS


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.replace(b"ann@", b"eve@"),
        lambda header: header.replace(b"Wild", b"Tame"),
        lambda header: header + b"Subject: Another\r\n",
        lambda header: b"From: eve@example.com\r\n" + header,
        lambda header: header + b"Reply-To: eve@example.com\r\n",
        lambda header: header + b"Content-Type: text/html\r\n",
        lambda header: header.replace(b"Date:", b"X-Date:"),
    ],
)
async def test_a_changed_or_added_field_fails(change: object) -> None:
    result = await verify_one(signatures(ED25519) + change(HEADER))  # type: ignore[operator]
    assert (result.status, result.reason) == (DkimStatus.FAIL, "signature did not verify")


async def test_a_changed_body_fails_without_a_look_at_dns() -> None:
    resolver = dns(RSA)
    result = await verify_one(signatures(RSA) + HEADER, body=BODY + b"PS", resolver=resolver)
    assert (result.status, result.reason) == (DkimStatus.FAIL, "body hash did not verify")
    assert resolver.asked == []


async def test_a_message_without_signature_needs_no_body_and_has_no_result() -> None:
    verifier = Verifier(HEADER, NOW)
    assert not verifier.needs_body
    assert await verifier.results(dns()) == ()


async def test_ten_signatures_are_looked_at_and_no_more() -> None:
    resolver = dns(ED25519)
    results = await verify(signatures(ED25519) * 25 + HEADER, resolver=resolver)
    assert len(results) == MAX_SIGNATURES == 10
    assert len(resolver.asked) == 1, "one key is asked for once"


async def test_a_signature_expires_with_ninety_seconds_of_grace() -> None:
    signed = signatures(ED25519, lifetime=timedelta(hours=1)) + HEADER
    assert (await verify_one(signed, now=NOW + timedelta(hours=1, seconds=89))).status is DkimStatus.PASS
    late = await verify_one(signed, now=NOW + timedelta(hours=1, seconds=92))
    assert (late.status, late.reason) == (DkimStatus.FAIL, "signature expired")


def edited(before: bytes, after: bytes) -> bytes:
    signed = signatures(ED25519)
    assert before in signed
    return signed.replace(before, after) + HEADER


@pytest.mark.parametrize(
    ("before", "after", "status", "reason"),
    [
        (b"v=1;", b"", "permerror", "the tag v= is missing"),
        (b"v=1;", b"v=2;", "permerror", "unknown version"),
        (b"v=1;", b"v=1; v=1;", "permerror", "the tag v comes twice"),
        (b"v=1;", b"nonsense;", "permerror", "not a tag list"),
        (b"a=ed25519-sha256", b"a=rsa-sha1", "fail", "rsa-sha1 is not accepted"),
        (b"a=ed25519-sha256", b"a=rsa-sha512", "permerror", "unknown algorithm"),
        (b"a=ed25519-sha256", b"a=rsa-sha256", "permerror", "the key is of another algorithm"),
        (b"c=relaxed/relaxed", b"c=loose", "permerror", "unknown canonicalization"),
        (b"v=1;", b"v=1; l=10;", "policy", "the body is signed in part only"),
        (b"v=1;", b"v=1; q=http;", "permerror", "unknown query method"),
        (b"v=1;", b"v=1; i=@example.com;", "permerror", "the identity is not within the domain"),
        (b"v=1;", b"v=1; i=@notexample.org;", "permerror", "the identity is not within the domain"),
        (b"v=1;", b"v=1; i=ann@[;", "permerror", "the identity is not an address"),
        (b"v=1;", b"v=1; x=1;", "permerror", "it expires before it was made"),
        (b"v=1;", b"v=1; x=-1;", "permerror", "a time is not a number"),
        (b"s=ed2026", b"s=.", "permerror", "the domain or the selector is not a name"),
        (b"d=example.org", b"d=exa mple.org", "permerror", "the domain or the selector is not a name"),
        (b"d=example.org", b"d=\xff.org", "permerror", "the domain or the selector is not a name"),
        (b"h=from:from:", b"h=", "permerror", "From is not signed"),
        (b"h=from:", b"h=from:" + b"x:" * 1000, "permerror", "too many signed fields"),
        (b"\tbh=", b"\tbh=*", "permerror", "the tag bh= is not base64"),
        (b"\tb=", b"\tb=; z=", "permerror", "the tag b= is not base64"),
    ],
)
async def test_an_unusable_signature_says_why(before: bytes, after: bytes, status: str, reason: str) -> None:
    result = await verify_one(edited(before, after))
    assert (result.status.value, result.reason) == (status, reason)


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("v=DKIM1; p=", "permerror", "key revoked"),
        ("v=DKIM1; p=" + "A" * 5000, "permerror", "the key is too long"),
        ("v=DKIM1; k=ed25519", "permerror", "the key record has no key"),
        ("v=DKIM2; k=ed25519; p=YQ==", "permerror", "the key record has an unknown version"),
        ("k=ed25519; v=DKIM1; p=YQ==", "permerror", "the key record has an unknown version"),
        ("k=ed448; p=YQ==", "permerror", "unknown type of key"),
        ("k=ed25519; p=YQ==", "permerror", "the key cannot be read"),
        ("k=ed25519; p=*", "permerror", "the key cannot be read"),
        ("k=rsa; p=YQ==", "permerror", "the key cannot be read"),
        ("v=spf1 -all", "permerror", "the key record has an unknown version"),
        ("", "permerror", "the key record has no key"),
        (record(ED25519, h="sha1"), "permerror", "the key does not allow sha256"),
        (record(ED25519, s="web"), "permerror", "the key is not for mail"),
        (record(ED25519, s="web:email", h="sha1 : sha256"), "pass", ""),
        (record(ED25519, t="s"), "pass", ""),
        (record(ED25519, n="a note", x="unknown"), "pass", ""),
        (record(SigningKey("", "", Ed25519PrivateKey.generate())), "fail", "signature did not verify"),
    ],
)
async def test_a_key_record_is_held_to_the_standard(text: str, status: str, reason: str) -> None:
    resolver = FakeResolver().add_txt("ed2026._domainkey.example.org", text)
    result = await verify_one(signatures(ED25519) + HEADER, resolver=resolver)
    assert (result.status.value, result.reason) == (status, reason)


async def test_a_stray_text_beside_the_key_does_no_harm() -> None:
    resolver = FakeResolver().add_txt("ed2026._domainkey.example.org", "a note", record(ED25519))
    assert (await verify_one(signatures(ED25519) + HEADER, resolver=resolver)).status is DkimStatus.PASS


async def test_a_key_may_be_in_test() -> None:
    assert (await verify_one(signatures(ED25519) + HEADER, resolver=dns(ED25519, t="y"))).testing


async def test_a_strict_key_is_not_for_subdomains() -> None:
    header = edited(b"v=1;", b"v=1; i=ann@lists.example.org;")
    result = await verify_one(header, resolver=dns(ED25519, t="s:y"))
    assert result.reason == "the key is not for subdomains"
    assert (await verify_one(header)).identity == "ann@lists.example.org"


async def test_an_absent_key_is_permanent_and_an_unreachable_one_temporary() -> None:
    header = signatures(ED25519) + HEADER
    assert (await verify_one(header, resolver=FakeResolver())).reason == "no key for signature"
    failing = FakeResolver(failing={"ed2026._domainkey.example.org"})
    assert (await verify_one(header, resolver=failing)).status is DkimStatus.TEMPERROR


async def test_an_rsa_key_below_1024_bits_does_not_pass() -> None:
    short = RSAPublicNumbers(65537, (1 << 1022) | 1).public_key()
    octets = short.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    resolver = FakeResolver().add_txt("rsa2026._domainkey.example.org", f"p={base64.b64encode(octets).decode()}")
    result = await verify_one(signatures(RSA) + HEADER, resolver=resolver)
    assert (result.status, result.reason, result.key_bits) == (DkimStatus.FAIL, "the key is too short", 1023)


async def test_an_rsa_key_that_costs_too_much_is_not_used() -> None:
    costly = RSAPublicNumbers((1 << 33) + 1, (1 << 2047) | 1).public_key()
    octets = costly.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    resolver = FakeResolver().add_txt("rsa2026._domainkey.example.org", f"p={base64.b64encode(octets).decode()}")
    result = await verify_one(signatures(RSA) + HEADER, resolver=resolver)
    assert (result.status, result.reason) == (DkimStatus.PERMERROR, "the exponent of the key is too large")


async def test_a_key_in_the_older_rsa_form_is_read_too() -> None:
    octets = RSA.private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    resolver = FakeResolver().add_txt("rsa2026._domainkey.example.org", f"p={base64.b64encode(octets).decode()}")
    assert (await verify_one(signatures(RSA) + HEADER, resolver=resolver)).status is DkimStatus.PASS


async def test_internationalized_domains_are_looked_up_by_their_a_labels() -> None:
    key = SigningKey("xn--fiq228c.example", "s1", ED25519.private)
    signed = signatures(key).replace(b"xn--fiq228c.example", "中文.example".encode())
    result = await verify_one(signed + HEADER, resolver=dns(key))
    assert result.domain == "xn--fiq228c.example"
    assert result.reason == "signature did not verify", "the field itself was changed; the key was found"


async def test_all_digit_selectors_are_names() -> None:
    key = SigningKey("example.org", "20230601", ED25519.private)
    assert (await verify_one(signatures(key) + HEADER, resolver=dns(key))).selector == "20230601"


async def test_a_header_without_any_known_field_is_signed_all_the_same() -> None:
    signed = signatures(ED25519, header=b"X-Nothing: 1\r\n")
    assert (await verify_one(signed + b"X-Nothing: 2\r\n")).status is DkimStatus.PASS
