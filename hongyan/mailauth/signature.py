"""What the signature fields of DKIM and ARC have in common: their tags, and the check against a key.

DKIM-Signature (RFC 6376 §3.5) and ARC-Message-Signature (RFC 8617 §4.1.2) sign the same way; ARC-Seal
(RFC 8617 §4.1.3) signs fields only. The same is too weak for all of them: rsa-sha1, RSA keys below
1024 bits (RFC 8301 §3), a body that is signed in part (`l=`), a signature that leaves out From.
"""

from __future__ import annotations

__all__ = [
    "DkimStatus",
    "MessageSignature",
    "Signature",
    "SignedHeader",
    "Unusable",
    "key_bits",
    "read_message_signature",
    "read_name",
    "read_signature",
    "require_fit",
    "require_tags",
    "require_timestamp",
    "verify",
]

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from hongyan.addresses import AddressFault, Domain
from hongyan.mailauth.canonical import Canonicalization, FieldStacks, HeaderField, canonical_field
from hongyan.mailauth.dkim_record import KeyRecord
from hongyan.mailauth.tags import unfold, without_tag

_ALGORITHMS = ("rsa-sha256", "ed25519-sha256")
_MAX_SIGNED_NAMES: Final = 1000
_MIN_RSA_BITS: Final = 1024
_MAX_RSA_BITS: Final = 8192
_CLOCK_SKEW = timedelta(seconds=90)
_TIMESTAMP = re.compile(rb"[0-9]{1,12}")
_SHA256 = Prehashed(SHA256())


class DkimStatus(StrEnum):
    """The words of RFC 8601 §2.7.1. A message without a signature has no result, which reads "none"."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    POLICY = "policy"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class Unusable(Exception):
    """Why a signature or a key cannot pass."""

    def __init__(self, status: DkimStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Signature:
    """Octets, and the key that is said to have made them."""

    algorithm: str
    octets: bytes
    domain: str
    """d=, as A-labels."""
    selector: str
    key_name: str
    """Where the DNS has the key."""


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """A signature of chosen fields, and by its digest of the body."""

    field: HeaderField
    signature: Signature
    header_form: Canonicalization
    body_form: Canonicalization
    names: tuple[bytes, ...]
    body_digest: bytes


# -- Reading (RFC 6376 §3.5, §6.1.1) ----------------------------------------------------------------------------------


def read_signature(tags: Mapping[bytes, bytes]) -> Signature:
    """Return what a=, b=, d= and s= say. Raises `Unusable`."""
    require_tags(tags, (b"a", b"b", b"d", b"s"))
    algorithm = _read_algorithm(tags[b"a"])
    domain, key_name, selector = _read_names(tags[b"d"], tags[b"s"])
    return Signature(algorithm, _base64(tags[b"b"], "b"), domain, selector, key_name)


def read_message_signature(field: HeaderField, tags: Mapping[bytes, bytes], now: datetime) -> MessageSignature:
    """Return the signature that a field with these tags holds. Raises `Unusable`."""
    require_tags(tags, (b"a", b"b", b"bh", b"d", b"h", b"s"))
    signature = read_signature(tags)
    header_form, body_form = _read_forms(tags.get(b"c", b"simple/simple"))
    names = tuple(name.lower() for name in unfold(tags[b"h"]).split(b":"))
    if b"from" not in names:
        raise Unusable(DkimStatus.PERMERROR, "From is not signed")
    if len(names) > _MAX_SIGNED_NAMES:
        raise Unusable(DkimStatus.PERMERROR, "too many signed fields")
    if b"q" in tags and b"dns/txt" not in unfold(tags[b"q"]).split(b":"):
        raise Unusable(DkimStatus.PERMERROR, "unknown query method")
    if b"l" in tags:
        # RFC 6376 §8.2: whoever relays the message can add to such a body.
        raise Unusable(DkimStatus.POLICY, "the body is signed in part only")
    _require_time(tags, now)
    return MessageSignature(field, signature, header_form, body_form, names, _base64(tags[b"bh"], "bh"))


def require_tags(tags: Mapping[bytes, bytes], names: Iterable[bytes]) -> None:
    """Raise `Unusable` for the first of the names that is missing."""
    for name in names:
        if name not in tags:
            raise Unusable(DkimStatus.PERMERROR, f"the tag {name.decode()}= is missing")


def require_timestamp(tags: Mapping[bytes, bytes], name: bytes) -> None:
    """Raise `Unusable` for a time that is no number of seconds."""
    if name in tags and not _TIMESTAMP.fullmatch(tags[name]):
        raise Unusable(DkimStatus.PERMERROR, "a time is not a number")


def read_name(octets: bytes) -> str:
    """Return a domain as A-labels, or nothing for what is no domain (RFC 8616 §5)."""
    try:
        return Domain.parse(octets.decode()).text
    except (AddressFault, UnicodeDecodeError):
        return ""


def _read_algorithm(value: bytes) -> str:
    algorithm = value.decode("latin-1").lower()
    if algorithm == "rsa-sha1":
        raise Unusable(DkimStatus.FAIL, "rsa-sha1 is not accepted")  # RFC 8301 §3.1
    if algorithm not in _ALGORITHMS:
        raise Unusable(DkimStatus.PERMERROR, "unknown algorithm")
    return algorithm


def _read_forms(value: bytes) -> tuple[Canonicalization, Canonicalization]:
    header, _, body = value.decode("latin-1").lower().partition("/")
    try:
        return Canonicalization(header), Canonicalization(body or "simple")
    except ValueError:
        raise Unusable(DkimStatus.PERMERROR, "unknown canonicalization") from None


def _read_names(domain_tag: bytes, selector_tag: bytes) -> tuple[str, str, str]:
    """Return the domain, the name of the key record and the selector."""
    domain = read_name(domain_tag)
    key_name = read_name(selector_tag + b"._domainkey." + domain.encode()) if domain else ""
    if not key_name:
        raise Unusable(DkimStatus.PERMERROR, "the domain or the selector is not a name")
    return domain, key_name, key_name.removesuffix(f"._domainkey.{domain}")


def _require_time(tags: Mapping[bytes, bytes], now: datetime) -> None:
    require_timestamp(tags, b"t")
    require_timestamp(tags, b"x")
    if b"x" not in tags:
        return
    expires = int(tags[b"x"])
    if b"t" in tags and expires <= int(tags[b"t"]):
        raise Unusable(DkimStatus.PERMERROR, "it expires before it was made")
    if expires < (now - _CLOCK_SKEW).timestamp():
        raise Unusable(DkimStatus.FAIL, "signature expired")


def _base64(value: bytes, name: str) -> bytes:
    try:
        octets = base64.b64decode(unfold(value), validate=True)
    except binascii.Error:
        octets = b""
    if not octets:
        raise Unusable(DkimStatus.PERMERROR, f"the tag {name}= is not base64")
    return octets


# -- Checking against a key -------------------------------------------------------------------------------------------


class SignedHeader:
    """The fields of a message as signatures cover them: sorted, and brought into canonical form, once for all."""

    __slots__ = ("_fields", "_relaxed")

    def __init__(self, fields: Iterable[HeaderField]) -> None:
        self._fields = FieldStacks(fields)
        self._relaxed: dict[bytes, bytes] = {}

    def digest(self, signed: MessageSignature) -> bytes:
        """Return the SHA-256 of what a signature signs (RFC 6376 §3.7)."""
        form = signed.header_form
        # RFC 6376 §5.4: the signature does not sign itself by h=, but at the end without its value.
        chosen = self._fields.select(signed.names, besides=signed.field)
        digest = sha256(b"".join([self._line(each.raw, form) for each in chosen]))
        name, _, value = signed.field.raw.partition(b":")
        digest.update(canonical_field(name + b":" + without_tag(value, b"b"), form))
        return digest.digest()

    def _line(self, raw: bytes, form: Canonicalization) -> bytes:
        if form is Canonicalization.SIMPLE:
            return raw + b"\r\n"
        line = self._relaxed.get(raw)
        if line is None:
            line = self._relaxed[raw] = canonical_field(raw, form) + b"\r\n"
        return line


def key_bits(key: KeyRecord) -> int:
    return key.public.key_size if isinstance(key.public, RSAPublicKey) else 256


def require_fit(signature: Signature, key: KeyRecord) -> None:
    """Raise `Unusable` unless the key may have made such a signature."""
    if isinstance(key.public, RSAPublicKey) != signature.algorithm.startswith("rsa"):
        raise Unusable(DkimStatus.PERMERROR, "the key is of another algorithm")
    bits = key_bits(key)
    if isinstance(key.public, RSAPublicKey) and bits < _MIN_RSA_BITS:
        raise Unusable(DkimStatus.FAIL, "the key is too short")  # RFC 8301 §3.2
    if bits > _MAX_RSA_BITS:
        raise Unusable(DkimStatus.PERMERROR, "the key is too long")


def verify(signature: Signature, key: KeyRecord, digest: bytes) -> None:
    """Raise `InvalidSignature` unless the key signed the SHA-256 digest."""
    if isinstance(key.public, RSAPublicKey):
        key.public.verify(signature.octets, digest, PKCS1v15(), _SHA256)
    else:
        key.public.verify(signature.octets, digest)  # RFC 8463 §3: Ed25519 signs the SHA-256
