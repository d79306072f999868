"""DKIM against messages that other programs signed: the collections of Stalwart's mail-auth and of Mail::DKIM.

Mail::DKIM's names tell what its authors expected in 2006: many of its good ones use rsa-sha1, keys
of 512 bits or drafts of DKIM, which must not pass any more (RFC 8301). So the table names what passes.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from hongyan.mailauth.canonical import Canonicalization, canonical_field, select_fields, split_fields
from hongyan.mailauth.dkim import DkimResult, DkimStatus, Verifier
from hongyan.mailauth.dkim_record import KeyRecord, find_key
from hongyan.mailauth.tags import parse_tags, unfold, without_tag
from tests.support.resolver import FakeResolver
from tests.support.testdata import case_files, crlf

MADE_IN_2018 = datetime(2018, 6, 13, 14, 0, tzinfo=UTC)


def message(octets: bytes) -> tuple[bytes, bytes]:
    header, _, body = crlf(octets).partition(b"\r\n\r\n")
    return header + b"\r\n", body


async def results(header: bytes, body: bytes, resolver: FakeResolver) -> tuple[DkimResult, ...]:
    verifier = Verifier(header, MADE_IN_2018)
    verifier.update(body)
    return await verifier.results(resolver)


def maildkim_records() -> FakeResolver:
    resolver = FakeResolver()
    (records,) = case_files("dkim-maildkim", "FAKE_DNS.dat")
    for line in records.read_text().splitlines():
        name, _, text = line.partition(" ")
        text = text.strip()
        if text.startswith("~~"):
            resolver.failing.add(name)
        elif name and name != "#" and text != "NXDOMAIN":
            resolver.add_txt(name, text.strip('"'))
    return resolver


async def test_messages_signed_for_mail_auth_pass(count_cases: Callable[[str, int], None]) -> None:
    files = case_files("dkim-mailauth", "dkim/*.txt")
    for file in files:
        records, _, octets = file.read_bytes().partition(b"\n\n")
        resolver = FakeResolver()
        for line in records.decode().splitlines():
            resolver.add_txt(*line.split(" ", 1))
        found = await results(*message(octets), resolver)
        assert found, file.name
        assert all(result.status is DkimStatus.PASS for result in found), (file.name, found)
    count_cases("dkim-mailauth", len(files))


async def test_messages_of_mail_dkim_get_what_today_demands(count_cases: Callable[[str, int], None]) -> None:
    resolver = maildkim_records()
    files = case_files("dkim-maildkim", "corpus/*.txt")
    for file in files:
        found = await results(*message(file.read_bytes()), resolver)
        passed = {result.algorithm for result in found if result.status is DkimStatus.PASS}
        assert passed == ({"ed25519-sha256"} if file.name == "goodkey_ed25519.txt" else set()), (file.name, found)
        for result in found:
            assert result.status is DkimStatus.PASS or result.reason
    count_cases("dkim-maildkim", len(files))


@pytest.mark.parametrize("name", ["mine_ietf01_3.txt", "mine_ietf01_4.txt"])
async def test_the_canonical_forms_agree_with_drafts_that_lack_a_version(name: str) -> None:
    """Simple and relaxed, rsa-sha256, from before v=1: the rules of §3.4 and §3.7 were the same."""
    (file,) = case_files("dkim-maildkim", f"corpus/{name}")
    header, body = message(file.read_bytes())
    (result,) = await results(header, body, maildkim_records())
    assert result.reason == "the tag v= is missing"
    fields = split_fields(header)
    signature = next(field for field in fields if field.name == b"dkim-signature")
    tags = parse_tags(signature.value)
    form = Canonicalization(tags[b"c"].decode())
    chosen = select_fields(fields, unfold(tags[b"h"]).lower().split(b":"))
    octets = b"".join(canonical_field(field.raw, form) + b"\r\n" for field in chosen)
    octets += canonical_field(b"DKIM-Signature:" + without_tag(signature.value, b"b"), form)
    await _require_signed("selector1._domainkey.messiah.edu", tags[b"b"], octets)


async def _require_signed(name: str, signature: bytes, octets: bytes) -> None:
    key = await find_key(name, maildkim_records())
    assert isinstance(key, KeyRecord)
    assert isinstance(key.public, RSAPublicKey)
    key.public.verify(b64decode(unfold(signature)), octets, PKCS1v15(), SHA256())
