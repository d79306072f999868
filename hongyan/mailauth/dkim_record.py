"""The key record: a public key in the DNS, as DKIM and ARC look it up (RFC 6376 §3.6.1, §6.1.2)."""

from __future__ import annotations

__all__ = ["KeyFault", "KeyRecord", "find_key", "parse_key_record"]

import base64
import binascii
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from hongyan.errors import PeerFault
from hongyan.mailauth.resolver import DnsNotFound, DnsTemporary, Resolver
from hongyan.mailauth.tags import TagListFault, parse_tags, unfold

_MAX_EXPONENT_BITS: Final = 33
_MAX_KEY: Final = 4096  # octets of base64: RSA with 16,384 bits needs two thirds of it
"""Keys have 65537 or 3. With an exponent as long as the key each check would cost some hundred times as much."""


class KeyFault(PeerFault):
    """There is no key to verify with; `cause` says why, in ASCII."""

    def __init__(self, cause: str, *, is_temporary: bool = False) -> None:
        super().__init__(cause=cause)
        self.is_temporary = is_temporary


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A public key and how it may be used."""

    public: RSAPublicKey | Ed25519PublicKey
    testing: bool
    """t=y: the domain is trying DKIM out."""
    strict: bool
    """t=s: the identity's domain is the signing domain, not one below it."""


async def find_key(name: str, resolver: Resolver) -> KeyRecord | KeyFault:
    """Ask for the key at `name` ("selector._domainkey.example.org")."""
    try:
        answer = await resolver.txt(name)
    except DnsNotFound:
        return KeyFault("no key for signature")
    except DnsTemporary:
        return KeyFault("key unavailable", is_temporary=True)
    # One record is allowed (RFC 6376 §3.6.2.2); others at the name that are no key records do no harm.
    fault = KeyFault("no key for signature")
    for record in answer.records:
        try:
            return parse_key_record(record)
        except TagListFault:
            continue
        except KeyFault as reason:
            fault = reason
    return fault


def parse_key_record(record: bytes) -> KeyRecord:
    """Return the key that a TXT record holds. Raises `KeyFault`, or `TagListFault` for what is no tag list."""
    tags = parse_tags(record)
    if b"v" in tags and (tags[b"v"] != b"DKIM1" or next(iter(tags)) != b"v"):
        raise KeyFault("the key record has an unknown version")
    if b"p" not in tags:
        raise KeyFault("the key record has no key")
    if not tags[b"p"]:
        raise KeyFault("key revoked")
    if len(tags[b"p"]) > _MAX_KEY:
        raise KeyFault("the key is too long")
    hashes = unfold(tags.get(b"h", b"sha256")).split(b":")
    services = unfold(tags.get(b"s", b"*")).split(b":")
    if b"sha256" not in hashes:
        raise KeyFault("the key does not allow sha256")
    if b"*" not in services and b"email" not in services:
        raise KeyFault("the key is not for mail")
    flags = unfold(tags.get(b"t", b"")).split(b":")
    public = _public_key(tags.get(b"k", b"rsa"), tags[b"p"])
    return KeyRecord(public, testing=b"y" in flags, strict=b"s" in flags)


@lru_cache(maxsize=256)
def _public_key(kind: bytes, value: bytes) -> RSAPublicKey | Ed25519PublicKey:
    if kind not in (b"rsa", b"ed25519"):
        raise KeyFault("unknown type of key")
    try:
        octets = base64.b64decode(unfold(value), validate=True)
        if kind == b"ed25519":
            return Ed25519PublicKey.from_public_bytes(octets)  # RFC 8463 §4.2: the 32 octets themselves
        public = load_der_public_key(octets)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        raise KeyFault("the key cannot be read") from None
    if not isinstance(public, RSAPublicKey):
        raise KeyFault("the key cannot be read")
    if public.public_numbers().e.bit_length() > _MAX_EXPONENT_BITS:
        raise KeyFault("the exponent of the key is too large")
    return public
