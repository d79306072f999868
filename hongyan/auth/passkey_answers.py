"""What a browser answers for a passkey, read and checked (WebAuthn Level 3 §7.1, §7.2); pure.

Whose challenge it is, and whether it was taken before, is for `auth.passkeys` to say.
"""

from __future__ import annotations

__all__ = ["NOT_ACCEPTED", "Claim", "PasskeyPage", "Registered", "check_claim", "read_claim", "read_registration"]

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import cbor2
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import (
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AttestationFormat, AuthenticationCredential

from hongyan.errors import Refused

NOT_ACCEPTED: Final = "This passkey was not accepted."

_MAX_HANDLE: Final = 1023  # octets, WebAuthn §5.8.3
_FAULTS: Final = (
    WebAuthnException,
    cbor2.CBORDecodeError,
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError),
)
"""What an answer that no browser makes may run into within the library; `tests/fuzz/passkey_answers.py` looks."""


@dataclass(frozen=True, slots=True)
class PasskeyPage:
    """Our page that asks the browser: its host name, and its origin as a browser writes it."""

    host: str
    origin: str


@dataclass(frozen=True, slots=True)
class Registered:
    """A passkey that was made: the challenge that it answers, its handle, its key, and how often it has signed."""

    challenge: bytes
    handle: bytes
    public_key: bytes = field(repr=False)
    sign_count: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody says that he has the passkey of a handle; `owner` is by what its keeper knows the account."""

    challenge: bytes
    handle: bytes
    owner: bytes | None
    credential: AuthenticationCredential = field(repr=False)


def read_registration(response: Mapping[str, object], page: PasskeyPage) -> Registered:
    """Return the passkey of a response. Raises `Refused` for one that is not right or not of this page.

    Certificates are refused before they are read.
    """
    try:
        credential = parse_registration_credential_json(dict(response))
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
        attested = parse_attestation_object(credential.response.attestation_object)
        if attested.fmt is not AttestationFormat.NONE and attested.att_stmt.x5c:
            raise Refused(NOT_ACCEPTED)
        verified = verify_registration_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=page.host, expected_origin=page.origin
        )
    except _FAULTS as fault:
        raise Refused(NOT_ACCEPTED, cause=type(fault).__name__) from None
    if not 0 < len(verified.credential_id) <= _MAX_HANDLE:
        raise Refused(NOT_ACCEPTED)
    return Registered(challenge, verified.credential_id, verified.credential_public_key, verified.sign_count)


def read_claim(response: Mapping[str, object]) -> Claim:
    """Return what a response claims; nothing of it is proven. Raises `Refused`."""
    try:
        credential = parse_authentication_credential_json(dict(response))
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
    except _FAULTS as fault:
        raise Refused(NOT_ACCEPTED, cause=type(fault).__name__) from None
    if len(credential.raw_id) > _MAX_HANDLE:
        raise Refused(NOT_ACCEPTED)
    return Claim(challenge, credential.raw_id, credential.response.user_handle, credential)


def check_claim(claim: Claim, page: PasskeyPage, public_key: bytes, sign_count: int, *, recognised: bool) -> int:
    """Return how often the passkey has signed now; with `recognised` its keeper has to have recognised the owner.

    Raises `Refused` for a wrong signature, another page, or a count that is not above the last.
    """
    try:
        verified = verify_authentication_response(
            credential=claim.credential,
            expected_challenge=claim.challenge,
            expected_rp_id=page.host,
            expected_origin=page.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=recognised,
        )
    except _FAULTS as fault:
        raise Refused(NOT_ACCEPTED, cause=type(fault).__name__) from None
    return verified.new_sign_count
