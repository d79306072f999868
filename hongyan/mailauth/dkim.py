"""DKIM: sign what leaves, verify what comes (RFC 6376, with RFC 8301, RFC 8463 and RFC 8616).

Signing is relaxed/relaxed with rsa-sha256 or ed25519-sha256 and never limits the body (`l=`). The
fields that readers trust are signed once more than they occur, so that nobody can add another
(RFC 6376 §8.15).

Verifying never raises for what a stranger wrote: each signature becomes a `DkimResult` with one of
the words of RFC 8601 §2.7.1 and a reason. What is weak does not pass: rsa-sha1 and RSA keys below
1024 bits (RFC 8301 §3), a body that is signed in part (`l=`), a signature that leaves out From.
At most ten signatures are looked at, and two body hashes serve them all.
"""

from __future__ import annotations

__all__ = ["MAX_SIGNATURES", "DkimResult", "DkimStatus", "SigningKey", "Verifier", "sign", "sign_message"]

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from hongyan.addresses import AddressFault, Domain
from hongyan.mailauth.canonical import (
    BodyHasher,
    Canonicalization,
    HeaderField,
    canonical_field,
    select_fields,
    split_fields,
)
from hongyan.mailauth.dkim_record import KeyFault, KeyRecord, find_key
from hongyan.mailauth.resolver import Resolver
from hongyan.mailauth.tags import TagListFault, parse_tags, unfold, without_tag
from hongyan.message.headers import find_body

MAX_SIGNATURES: Final = 10
"""Signatures of a message that are verified, from the top; the rest costs nothing and says nothing."""

_MAX_SIGNED_NAMES = 1000
_MIN_RSA_BITS = 1024
_MAX_RSA_BITS = 8192
_CLOCK_SKEW = timedelta(seconds=90)

# RFC 6376 §5.4.1, and RFC 8058 §4 for List-Unsubscribe-Post. True: sealed against an additional field of that name.
_SIGNED_FIELDS = {
    b"from": True,
    b"sender": True,
    b"reply-to": True,
    b"to": True,
    b"cc": True,
    b"subject": True,
    b"date": True,
    b"message-id": True,
    b"in-reply-to": True,
    b"references": True,
    b"mime-version": True,
    b"content-type": True,
    b"content-transfer-encoding": True,
    b"content-disposition": False,
    b"content-id": False,
    b"content-language": False,
    b"auto-submitted": False,
    b"list-id": False,
    b"list-help": False,
    b"list-post": False,
    b"list-owner": False,
    b"list-archive": False,
    b"list-subscribe": False,
    b"list-unsubscribe": False,
    b"list-unsubscribe-post": False,
}


# -- Signing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the name under which DNS has its public half."""

    domain: str
    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, octets: bytes) -> bytes:
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(octets, PKCS1v15(), SHA256())
        # RFC 8463 §3: Ed25519 signs the SHA-256 of the canonical fields.
        return self.private.sign(sha256(octets).digest())


def sign(
    header: bytes, body_digest: bytes, keys: Iterable[SigningKey], now: datetime, *, lifetime: timedelta | None = None
) -> bytes:
    """Return a DKIM-Signature field for each key, each with its CRLF.

    `header` is the header block as it leaves; `body_digest` comes from a relaxed `BodyHasher`.
    """
    fields = split_fields(header)
    counts = Counter(signed.name for signed in fields)
    names = [name for name, sealed in _SIGNED_FIELDS.items() for _ in range(counts[name] + sealed)]
    signed = b"".join(
        canonical_field(chosen.raw, Canonicalization.RELAXED) + b"\r\n" for chosen in select_fields(fields, names)
    )
    return b"".join(_signature_field(key, signed, names, body_digest, now, lifetime) for key in keys)


def sign_message(octets: bytes, keys: Iterable[SigningKey], now: datetime) -> bytes:
    """Return a DKIM-Signature field for each key, for a message that leaves as it is."""
    body = find_body(octets, 0, len(octets))
    hasher = BodyHasher()
    hasher.update(octets[body:])
    return sign(octets[:body], hasher.digest(), keys, now)


def _signature_field(
    key: SigningKey,
    signed: bytes,
    names: list[bytes],
    body_digest: bytes,
    now: datetime,
    lifetime: timedelta | None,
) -> bytes:
    times = f"t={int(now.timestamp())};"
    if lifetime is not None:
        times += f" x={int((now + lifetime).timestamp())};"
    lines = [
        f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed;".encode(),
        f"\td={key.domain}; s={key.selector};".encode(),
        f"\t{times}".encode(),
        *_fold_names(names),
        b"\tbh=" + base64.b64encode(body_digest) + b";",
        b"\tb=",
    ]
    template = b"\r\n".join(lines)
    signature = base64.b64encode(key.sign(signed + canonical_field(template, Canonicalization.RELAXED)))
    folded = b"\r\n\t ".join(signature[start : start + 72] for start in range(0, len(signature), 72))
    return template + folded + b"\r\n"


def _fold_names(names: list[bytes]) -> list[bytes]:
    lines = [b"\th=" + names[0]]
    for name in names[1:]:
        if len(lines[-1]) + len(name) > 74:
            lines[-1] += b":"
            lines.append(b"\t " + name)
        else:
            lines[-1] += b":" + name
    lines[-1] += b";"
    return lines


# -- Verifying --------------------------------------------------------------------------------------------------------


class DkimStatus(StrEnum):
    """The words of RFC 8601 §2.7.1. A message without a signature has no result, which reads "none"."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    POLICY = "policy"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimResult:
    """What one signature is worth. Domain and selector are empty where the signature could not be read."""

    status: DkimStatus
    reason: str
    """One ASCII sentence part for the comment of Authentication-Results; empty for a plain pass."""
    domain: str = ""
    """d=, as A-labels: whose mail this is said to be."""
    selector: str = ""
    identity: str = ""
    """i=, or "@" and the domain. Its domain is `domain` or below it."""
    algorithm: str = ""
    signature_start: str = ""
    """The first octets of b=, to tell signatures apart (RFC 6008 §4)."""
    key_bits: int = 0
    testing: bool = False
    """The key record says t=y: the domain is trying DKIM out."""


@dataclass(frozen=True, slots=True)
class _Signature:
    field: HeaderField
    algorithm: str
    header_form: Canonicalization
    body_form: Canonicalization
    names: tuple[bytes, ...]
    signature: bytes
    body_digest: bytes
    domain: str
    selector: str
    key_name: str
    identity: str

    def result(self, status: DkimStatus, reason: str = "", *, key_bits: int = 0, testing: bool = False) -> DkimResult:
        return DkimResult(
            status=status,
            reason=reason,
            domain=self.domain,
            selector=self.selector,
            identity=self.identity,
            algorithm=self.algorithm,
            signature_start=base64.b64encode(self.signature[:6]).decode(),
            key_bits=key_bits,
            testing=testing,
        )


class _Unusable(Exception):
    """Why a signature or a key cannot pass."""

    def __init__(self, status: DkimStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Verifier:
    """Verifies the signatures of one message while it arrives.

    Give it the header block, then the body in chunks, then ask for the results.
    """

    def __init__(self, header: bytes, now: datetime) -> None:
        self._fields = split_fields(header)
        self._signatures: list[_Signature | DkimResult] = []
        self._hashers: dict[Canonicalization, BodyHasher] = {}
        for signed in self._fields:
            if signed.name == b"dkim-signature":
                if len(self._signatures) == MAX_SIGNATURES:
                    break
                self._signatures.append(_read_signature(signed, now))
        for signature in self._signatures:
            if isinstance(signature, _Signature) and signature.body_form not in self._hashers:
                self._hashers[signature.body_form] = BodyHasher(signature.body_form)

    @property
    def needs_body(self) -> bool:
        """Whether `update` would do anything."""
        return bool(self._hashers)

    def update(self, octets: bytes) -> None:
        """Take the next octets of the body."""
        for hasher in self._hashers.values():
            hasher.update(octets)

    async def results(self, resolver: Resolver) -> tuple[DkimResult, ...]:
        """Return a result for each signature, from the top. To be called once, after the whole body."""
        digests = {form: hasher.digest() for form, hasher in self._hashers.items()}
        keys: dict[str, KeyRecord | KeyFault] = {}
        results = []
        for signature in self._signatures:
            if isinstance(signature, DkimResult):
                results.append(signature)
            elif signature.body_digest != digests[signature.body_form]:
                results.append(signature.result(DkimStatus.FAIL, "body hash did not verify"))
            else:
                if signature.key_name not in keys:
                    keys[signature.key_name] = await find_key(signature.key_name, resolver)
                results.append(self._check(signature, keys[signature.key_name]))
        return tuple(results)

    def _check(self, signature: _Signature, key: KeyRecord | KeyFault) -> DkimResult:
        if isinstance(key, KeyFault):
            status = DkimStatus.TEMPERROR if key.is_temporary else DkimStatus.PERMERROR
            return signature.result(status, key.cause)
        bits = key.public.key_size if isinstance(key.public, RSAPublicKey) else 256
        unfit = _unfit(signature, key, bits)
        if unfit:
            return signature.result(unfit.status, unfit.reason, key_bits=bits, testing=key.testing)
        try:
            _verify(key.public, signature.signature, self._signed_octets(signature))
        except InvalidSignature:
            reason = "signature did not verify"
            return signature.result(DkimStatus.FAIL, reason, key_bits=bits, testing=key.testing)
        return signature.result(DkimStatus.PASS, key_bits=bits, testing=key.testing)

    def _signed_octets(self, signature: _Signature) -> bytes:
        form = signature.header_form
        # RFC 6376 §5.4: the signature does not sign itself by h=, but at the end without its value.
        others = [other for other in self._fields if other is not signature.field]
        octets = [canonical_field(chosen.raw, form) + b"\r\n" for chosen in select_fields(others, signature.names)]
        name, _, value = signature.field.raw.partition(b":")
        octets.append(canonical_field(name + b":" + without_tag(value, b"b"), form))
        return b"".join(octets)


# -- The signature field (RFC 6376 §3.5, §6.1.1) -----------------------------------------------------------------------

_ALGORITHMS = ("rsa-sha256", "ed25519-sha256")
_REQUIRED = (b"v", b"a", b"b", b"bh", b"d", b"h", b"s")
_TIMESTAMP = re.compile(rb"[0-9]{1,12}")


def _read_signature(signed: HeaderField, now: datetime) -> _Signature | DkimResult:
    tags: dict[bytes, bytes] = {}
    try:
        tags.update(parse_tags(signed.value))
        return _signature(signed, tags, now)
    except TagListFault as fault:
        status, reason = DkimStatus.PERMERROR, fault.cause
    except _Unusable as unusable:
        status, reason = unusable.status, unusable.reason
    return DkimResult(status=status, reason=reason, domain=_readable_domain(tags.get(b"d", b"")))


def _signature(signed: HeaderField, tags: dict[bytes, bytes], now: datetime) -> _Signature:
    for name in _REQUIRED:
        if name not in tags:
            raise _Unusable(DkimStatus.PERMERROR, f"the tag {name.decode()}= is missing")
    if tags[b"v"] != b"1":
        raise _Unusable(DkimStatus.PERMERROR, "unknown version")
    algorithm = _read_algorithm(tags[b"a"])
    header_form, body_form = _read_forms(tags.get(b"c", b"simple/simple"))
    domain, key_name, selector = _read_domain(tags[b"d"], tags[b"s"])
    names = tuple(name.lower() for name in unfold(tags[b"h"]).split(b":"))
    if b"from" not in names:
        raise _Unusable(DkimStatus.PERMERROR, "From is not signed")
    if len(names) > _MAX_SIGNED_NAMES:
        raise _Unusable(DkimStatus.PERMERROR, "too many signed fields")
    if b"q" in tags and b"dns/txt" not in unfold(tags[b"q"]).split(b":"):
        raise _Unusable(DkimStatus.PERMERROR, "unknown query method")
    if b"l" in tags:
        # RFC 6376 §8.2: whoever relays the message can add to such a body.
        raise _Unusable(DkimStatus.POLICY, "the body is signed in part only")
    _check_times(tags, now)
    return _Signature(
        signed,
        algorithm,
        header_form,
        body_form,
        names,
        _base64(tags[b"b"], "b"),
        _base64(tags[b"bh"], "bh"),
        domain,
        selector,
        key_name,
        _read_identity(tags.get(b"i"), domain),
    )


def _read_algorithm(value: bytes) -> str:
    algorithm = value.decode("latin-1").lower()
    if algorithm == "rsa-sha1":
        raise _Unusable(DkimStatus.FAIL, "rsa-sha1 is not accepted")  # RFC 8301 §3.1
    if algorithm not in _ALGORITHMS:
        raise _Unusable(DkimStatus.PERMERROR, "unknown algorithm")
    return algorithm


def _read_forms(value: bytes) -> tuple[Canonicalization, Canonicalization]:
    header, _, body = value.decode("latin-1").lower().partition("/")
    try:
        return Canonicalization(header), Canonicalization(body or "simple")
    except ValueError:
        raise _Unusable(DkimStatus.PERMERROR, "unknown canonicalization") from None


def _read_domain(domain_tag: bytes, selector_tag: bytes) -> tuple[str, str, str]:
    """Return the domain, the name of the key record and the selector, as A-labels (RFC 8616 §5)."""
    try:
        domain = Domain.parse(domain_tag.decode()).text
        key_name = Domain.parse(f"{selector_tag.decode()}._domainkey.{domain}").text
    except (AddressFault, UnicodeDecodeError):
        raise _Unusable(DkimStatus.PERMERROR, "the domain or the selector is not a name") from None
    return domain, key_name, key_name.removesuffix(f"._domainkey.{domain}")


def _readable_domain(domain_tag: bytes) -> str:
    try:
        return Domain.parse(domain_tag.decode()).text
    except (AddressFault, UnicodeDecodeError):
        return ""


def _read_identity(tag: bytes | None, domain: str) -> str:
    if tag is None:
        return f"@{domain}"
    try:
        local_part, _, host = unfold(tag).decode().rpartition("@")
        host = Domain.parse(host).text
    except (AddressFault, UnicodeDecodeError):
        raise _Unusable(DkimStatus.PERMERROR, "the identity is not an address") from None
    if host != domain and not host.endswith(f".{domain}"):
        raise _Unusable(DkimStatus.PERMERROR, "the identity is not within the domain")
    return f"{local_part}@{host}"


def _check_times(tags: dict[bytes, bytes], now: datetime) -> None:
    for name in (b"t", b"x"):
        if name in tags and not _TIMESTAMP.fullmatch(tags[name]):
            raise _Unusable(DkimStatus.PERMERROR, "a time is not a number")
    if b"x" not in tags:
        return
    expires = int(tags[b"x"])
    if b"t" in tags and expires <= int(tags[b"t"]):
        raise _Unusable(DkimStatus.PERMERROR, "it expires before it was made")
    if expires < (now - _CLOCK_SKEW).timestamp():
        raise _Unusable(DkimStatus.FAIL, "signature expired")


def _base64(value: bytes, name: str) -> bytes:
    try:
        octets = base64.b64decode(unfold(value), validate=True)
    except binascii.Error:
        octets = b""
    if not octets:
        raise _Unusable(DkimStatus.PERMERROR, f"the tag {name}= is not base64")
    return octets


# -- Key and signature together ----------------------------------------------------------------------------------------


def _unfit(signature: _Signature, key: KeyRecord, bits: int) -> _Unusable | None:
    if isinstance(key.public, RSAPublicKey) != signature.algorithm.startswith("rsa"):
        return _Unusable(DkimStatus.PERMERROR, "the key is of another algorithm")
    if isinstance(key.public, RSAPublicKey) and bits < _MIN_RSA_BITS:
        return _Unusable(DkimStatus.FAIL, "the key is too short")  # RFC 8301 §3.2
    if bits > _MAX_RSA_BITS:
        return _Unusable(DkimStatus.PERMERROR, "the key is too long")
    if key.strict and signature.identity.rpartition("@")[2] != signature.domain:
        return _Unusable(DkimStatus.PERMERROR, "the key is not for subdomains")
    return None


def _verify(public: RSAPublicKey | Ed25519PublicKey, signature: bytes, octets: bytes) -> None:
    if isinstance(public, RSAPublicKey):
        public.verify(signature, octets, PKCS1v15(), SHA256())
    else:
        public.verify(signature, sha256(octets).digest())
