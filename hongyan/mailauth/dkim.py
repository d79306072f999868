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
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from hongyan.addresses import AddressFault, Domain
from hongyan.mailauth.canonical import (
    BodyDigests,
    BodyHasher,
    Canonicalization,
    HeaderField,
    canonical_field,
    select_fields,
    split_fields,
)
from hongyan.mailauth.dkim_record import KeyFault, KeyRecord, find_key
from hongyan.mailauth.resolver import Resolver
from hongyan.mailauth.signature import (
    DkimStatus,
    MessageSignature,
    SignedHeader,
    Unusable,
    key_bits,
    read_message_signature,
    read_name,
    require_fit,
    require_tags,
    verify,
)
from hongyan.mailauth.tags import TagListFault, parse_tags, unfold
from hongyan.message.headers import find_body

MAX_SIGNATURES: Final = 10
"""Signatures of a message that are verified, from the top; the rest costs nothing and says nothing."""

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
class _Signed:
    message: MessageSignature
    identity: str

    def result(self, status: DkimStatus, reason: str = "", key: KeyRecord | None = None) -> DkimResult:
        signature = self.message.signature
        return DkimResult(
            status=status,
            reason=reason,
            domain=signature.domain,
            selector=signature.selector,
            identity=self.identity,
            algorithm=signature.algorithm,
            signature_start=base64.b64encode(signature.octets[:6]).decode(),
            key_bits=key_bits(key) if key else 0,
            testing=key is not None and key.testing,
        )


class Verifier:
    """Verifies the signatures of one message while it arrives.

    Give it the header block, then the body in chunks, then ask for the results. With an `ArcVerifier`
    it may share the digests of the body; then one of the two is fed.
    """

    def __init__(self, header: bytes, now: datetime, body: BodyDigests | None = None) -> None:
        fields = split_fields(header)
        self._header = SignedHeader(fields)
        self._body = body if body is not None else BodyDigests()
        self._signatures: list[_Signed | DkimResult] = []
        for received in fields:
            if received.name == b"dkim-signature":
                if len(self._signatures) == MAX_SIGNATURES:
                    break
                self._signatures.append(_read_signed(received, now))
        for signed in self._signatures:
            if isinstance(signed, _Signed):
                self._body.require(signed.message.body_form)

    @property
    def needs_body(self) -> bool:
        """Whether `update` would do anything."""
        return self._body.needed

    def update(self, octets: bytes) -> None:
        """Take the next octets of the body."""
        self._body.update(octets)

    async def results(self, resolver: Resolver) -> tuple[DkimResult, ...]:
        """Return a result for each signature, from the top. To be called once, after the whole body."""
        keys: dict[str, KeyRecord | KeyFault] = {}
        results = []
        for signed in self._signatures:
            if isinstance(signed, DkimResult):
                results.append(signed)
            elif signed.message.body_digest != self._body.digest(signed.message.body_form):
                results.append(signed.result(DkimStatus.FAIL, "body hash did not verify"))
            else:
                name = signed.message.signature.key_name
                if name not in keys:
                    keys[name] = await find_key(name, resolver)
                results.append(self._check(signed, keys[name]))
        return tuple(results)

    def _check(self, signed: _Signed, key: KeyRecord | KeyFault) -> DkimResult:
        if isinstance(key, KeyFault):
            status = DkimStatus.TEMPERROR if key.is_temporary else DkimStatus.PERMERROR
            return signed.result(status, key.cause)
        signature = signed.message.signature
        try:
            require_fit(signature, key)
            if key.strict and signed.identity.rpartition("@")[2] != signature.domain:
                raise Unusable(DkimStatus.PERMERROR, "the key is not for subdomains")
            verify(signature, key, self._header.digest(signed.message))
        except Unusable as unusable:
            return signed.result(unusable.status, unusable.reason, key)
        except InvalidSignature:
            return signed.result(DkimStatus.FAIL, "signature did not verify", key)
        return signed.result(DkimStatus.PASS, key=key)


def _read_signed(received: HeaderField, now: datetime) -> _Signed | DkimResult:
    tags: dict[bytes, bytes] = {}
    try:
        tags.update(parse_tags(received.value))
        require_tags(tags, (b"v", b"a", b"b", b"bh", b"d", b"h", b"s"))
        if tags[b"v"] != b"1":
            raise Unusable(DkimStatus.PERMERROR, "unknown version")
        message = read_message_signature(received, tags, now)
        return _Signed(message, _read_identity(tags.get(b"i"), message.signature.domain))
    except TagListFault as fault:
        status, reason = DkimStatus.PERMERROR, fault.cause
    except Unusable as unusable:
        status, reason = unusable.status, unusable.reason
    return DkimResult(status=status, reason=reason, domain=read_name(tags.get(b"d", b"")))


def _read_identity(tag: bytes | None, domain: str) -> str:
    if tag is None:
        return f"@{domain}"
    try:
        local_part, _, host = unfold(tag).decode().rpartition("@")
        host = Domain.parse(host).text
    except (AddressFault, UnicodeDecodeError):
        raise Unusable(DkimStatus.PERMERROR, "the identity is not an address") from None
    if host != domain and not host.endswith(f".{domain}"):
        raise Unusable(DkimStatus.PERMERROR, "the identity is not within the domain")
    return f"{local_part}@{host}"
