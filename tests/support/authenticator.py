"""An authenticator in a few lines: makes a passkey and signs with it, as a browser hands it to a page.

What it says can be bent: another origin, another host, an older count, an owner who was not recognised.
"""

from __future__ import annotations

__all__ = ["Authenticator"]

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey of one host."""

    origin: str
    host: str = "localhost"
    count: int = 0
    recognises: bool = True
    handle: bytes = b"a passkey of thirty-two octets.."
    owner: bytes = b""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: Mapping[str, Any], *, statement: Mapping[str, object] | None = None) -> dict[str, object]:
        """Return what `navigator.credentials.create` gives."""
        self.owner = decode(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})  # RFC 9053 §7.1.1
        attested = bytes(16) + len(self.handle).to_bytes(2, "big") + self.handle + public
        data = self._data(_ATTESTED) + attested
        form = {"fmt": "none" if statement is None else "packed", "attStmt": statement or {}, "authData": data}
        client = self._client("webauthn.create", options["challenge"])
        return self._credential(
            {
                "clientDataJSON": encode(client),
                "attestationObject": encode(cbor2.dumps(form)),
                "transports": ["internal"],
            }
        )

    def get(self, options: Mapping[str, Any]) -> dict[str, object]:
        """Return what `navigator.credentials.get` gives."""
        data, client = self._data(0), self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(
            {
                "clientDataJSON": encode(client),
                "authenticatorData": encode(data),
                "signature": encode(signature),
                "userHandle": encode(self.owner),
            }
        )

    def _data(self, flags: int) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.recognises else 0)
        return sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _credential(self, response: Mapping[str, object]) -> dict[str, object]:
        name = encode(self.handle)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}


def encode(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
