"""Chains of ARC for tests: `seal` does what a relay does, and as wrongly as the test asks (RFC 8617 §5.1)."""

from __future__ import annotations

__all__ = ["Relay", "add_chain", "new_key", "relays_dns", "seal"]

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hongyan.mailauth.canonical import BodyHasher, Canonicalization, canonical_field, select_fields, split_fields
from hongyan.mailauth.dkim import SigningKey
from tests.support.resolver import FakeResolver


@dataclass(frozen=True)
class Relay:
    """Who seals, and which tags differ from what is right. None leaves a tag out."""

    key: SigningKey
    results: str = "lists.example.org; spf=pass smtp.mailfrom=ann@example.org"
    results_start: str = "i={instance};"
    message_tags: dict[str, str | None] = field(default_factory=dict)
    seal_tags: dict[str, str | None] = field(default_factory=dict)
    form: str = "relaxed/relaxed"


def seal(header: bytes, body: bytes, relay: Relay, instance: int) -> bytes:
    """Return the header with one more set above it."""
    start = relay.results_start.format(instance=instance)
    header = f"ARC-Authentication-Results: {start} {relay.results}\r\n".encode() + header
    header = _message_signature(header, body, relay, instance) + header
    return _seal(header, relay, instance) + header


def add_chain(header: bytes, body: bytes, relays: Sequence[Relay]) -> bytes:
    """Return the header as it comes from the last of the relays."""
    for instance, relay in enumerate(relays, start=1):
        header = seal(header, body, relay, instance)
    return header


def relays_dns(*relays: Relay) -> FakeResolver:
    """Return a DNS with the keys of the relays."""
    resolver = FakeResolver()
    for key in {relay.key.selector: relay.key for relay in relays}.values():
        public = key.private.public_key()
        if isinstance(key.private, RSAPrivateKey):
            kind, octets = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, octets = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        resolver.add_txt(f"{key.selector}._domainkey.{key.domain}", f"k={kind}; p={b64encode(octets).decode()}")
    return resolver


def new_key(domain: str = "example.net", selector: str = "arc") -> SigningKey:
    return SigningKey(domain, selector, Ed25519PrivateKey.generate())


def _message_signature(header: bytes, body: bytes, relay: Relay, instance: int) -> bytes:
    header_form, body_form = map(Canonicalization, relay.form.split("/"))
    hasher = BodyHasher(body_form)
    hasher.update(body)
    tags = _common_tags(relay, instance) | {
        "c": relay.form,
        "h": "from:to:subject:date",
        "bh": b64encode(hasher.digest()).decode(),
    }
    unsigned = _field("ARC-Message-Signature", tags | relay.message_tags)
    names = (tags | relay.message_tags)["h"] or ""
    chosen = select_fields(split_fields(header), names.encode().lower().split(b":"))
    octets = b"".join(canonical_field(each.raw, header_form) + b"\r\n" for each in chosen)
    return _sign(unsigned, octets + canonical_field(unsigned, header_form), relay)


def _seal(header: bytes, relay: Relay, instance: int) -> bytes:
    tags = _common_tags(relay, instance) | {"cv": "none" if instance == 1 else "pass"}
    unsigned = _field("ARC-Seal", tags | relay.seal_tags)
    # The newest set stands on top: seal, signature, results. What is signed begins with the oldest.
    fields = [each.raw for each in split_fields(header) if each.name.startswith(b"arc-")]
    octets = b"".join(canonical_field(raw, Canonicalization.RELAXED) + b"\r\n" for raw in reversed(fields))
    return _sign(unsigned, octets + canonical_field(unsigned, Canonicalization.RELAXED), relay)


def _common_tags(relay: Relay, instance: int) -> dict[str, str | None]:
    key = relay.key
    return {"i": str(instance), "a": key.algorithm, "d": key.domain, "s": key.selector, "t": "1795420800"}


def _field(name: str, tags: dict[str, str | None]) -> bytes:
    present = "; ".join(f"{tag}={value}" for tag, value in tags.items() if value is not None)
    return f"{name}: {present};\r\n\tb=".encode()


def _sign(unsigned: bytes, octets: bytes, relay: Relay) -> bytes:
    return unsigned + b64encode(relay.key.sign(octets)) + b"\r\n"
