"""Web Push: a message that the subscriber alone can read, and the proof of who sends it (RFC 8291, RFC 8188, RFC 8292).

Pure: keys and chance come in. Keys are points of P-256 in uncompressed form, 65 octets.
"""

from __future__ import annotations

__all__ = [
    "AUTH_SECRET",
    "MAX_PLAINTEXT",
    "PUBLIC_KEY",
    "SALT",
    "encrypt_push",
    "is_public_key",
    "make_private_key",
    "public_octets",
    "vapid_field",
]

import base64
import json
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PUBLIC_KEY: Final = 65
AUTH_SECRET: Final = 16
SALT: Final = 16
"""Octets."""

_RECORD: Final = 4096
_OVERHEAD: Final = SALT + 4 + 1 + PUBLIC_KEY + 1 + 16  # the header, the delimiter and the tag
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The number of points of P-256 (FIPS 186-5)."""

MAX_PLAINTEXT: Final = _RECORD - _OVERHEAD
"""Octets of a message that each push service takes (RFC 8030 §7.2), encrypted and all: 3993."""


def is_public_key(octets: bytes) -> bool:
    """Whether the octets are a point of P-256 that one may agree on a secret with."""
    try:
        _public_key(octets)
    except ValueError:
        return False
    return True


def public_octets(key: EllipticCurvePrivateKey) -> bytes:
    """Return the public half of a key."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def make_private_key(chance: bytes) -> EllipticCurvePrivateKey:
    """Return the key of 48 octets or more that nobody can guess: each key is as likely as each other."""
    if len(chance) < 48:
        raise ValueError("a key is made of 48 octets at least")
    return derive_private_key(int.from_bytes(chance, "big") % (_ORDER - 1) + 1, SECP256R1())


def encrypt_push(
    plaintext: bytes, receiver: bytes, secret: bytes, *, sender: EllipticCurvePrivateKey, salt: bytes
) -> bytes:
    """Return a body of the content coding aes128gcm, in one record (RFC 8291 §4).

    `receiver` and `secret` are p256dh and auth of the subscription; `sender` and `salt` are for this message alone.
    Raises `ValueError` for what is too long, or no key.
    """
    if len(plaintext) > MAX_PLAINTEXT:
        raise ValueError("the message is longer than a push service takes")
    ours = public_octets(sender)
    shared = sender.exchange(ECDH(), _public_key(receiver))
    # RFC 8291 §3.4: the secret of the subscription is mixed in, so that its keys alone open nothing.
    keying = _derive(shared, secret, b"WebPush: info\0" + receiver + ours, 32)
    key = _derive(keying, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(keying, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + _RECORD.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return header + AESGCM(key).encrypt(nonce, plaintext + b"\x02", None)  # RFC 8188 §2: 2 ends the last record


def vapid_field(key: EllipticCurvePrivateKey, origin: str, subject: str, ends_at: int) -> str:
    """Return the Authorization field for the push service at an origin (RFC 8292 §2, §3).

    `subject` is a URL by which the sender can be reached; `ends_at`, in seconds since 1970, is within a day.
    """
    claims = {"aud": origin, "exp": ends_at, "sub": subject}
    signed = f"{_encode_json({'typ': 'JWT', 'alg': 'ES256'})}.{_encode_json(claims)}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ECDSA(SHA256())))
    signature = _encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))  # RFC 7518 §3.4
    return f"vapid t={signed}.{signature}, k={_encode(public_octets(key))}"


def _public_key(octets: bytes) -> EllipticCurvePublicKey:
    if len(octets) != PUBLIC_KEY:
        raise ValueError("a public key has 65 octets")
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), octets)


def _derive(keying: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(keying)


def _encode_json(value: dict[str, object]) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
