"""Whatever a page hands in as the answer of a passkey is read, or `Refused`; no signature is right by chance."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import json

import cbor2

from hongyan.auth.passkey_answers import PasskeyPage, check_claim, read_claim, read_registration
from hongyan.errors import Refused
from tests.support.authenticator import Authenticator, decode, encode

_PAGE = PasskeyPage("localhost", "http://localhost:8080")
_OPTIONS = {"challenge": encode(bytes(56)), "user": {"id": encode(b"ann")}}
_MADE = Authenticator(_PAGE.origin)
_KEY = read_registration(_MADE.create(_OPTIONS), _PAGE).public_key
_PACKED = {"alg": -7, "sig": b"signature"}

CORPUS: list[bytes] = [
    json.dumps(_MADE.create(_OPTIONS)).encode(),
    json.dumps(_MADE.create(_OPTIONS, statement=_PACKED)).encode(),
    json.dumps(_MADE.create(_OPTIONS, statement={**_PACKED, "x5c": [b"certificate"]})).encode(),
    json.dumps(_MADE.get(_OPTIONS)).encode(),
    cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": bytes(37)}),
    cbor2.dumps({"fmt": "tpm", "attStmt": {"ver": "2.0", "certInfo": b"x", "pubArea": b"y"}, "authData": bytes(200)}),
    b"\x81" * 900,
    b"\xa1\x63fmt\xd8\x1c\x80",
]
_TRUE = json.loads(CORPUS[3])["response"]["signature"]


def target(octets: bytes) -> None:
    try:
        response = json.loads(octets)
    except (ValueError, RecursionError):
        made = _MADE.create(_OPTIONS)
        response = {**made, "response": {**made["response"], "attestationObject": encode(octets)}}  # type: ignore[dict-item]
    if not isinstance(response, dict):
        return
    try:
        assert len(read_registration(response, _PAGE).handle) <= 1023
    except Refused:
        pass
    try:
        claim = read_claim(response)
        check_claim(claim, _PAGE, _KEY, 0, recognised=True)
    except Refused:
        return
    assert decode(response["response"]["signature"]) == decode(_TRUE)
