"""What a listener asks of TLS: profiles, from strict to lenient, and contexts made by them.

- `certificate`: TLS 1.3 alone, and a certificate of the peer that our authority for mail programs has signed. There is
  no session ticket, so that each connection shows its own.
- `modern`: TLS 1.3 alone.
- `intermediate`: TLS 1.2 and newer, with forward secrecy and authenticated encryption (RFC 9325 §4.2). For port 25,
  where a sender that is asked for more falls back to no TLS at all (RFC 7435 §3), and wherever nothing else is said.
- `legacy`: TLS 1.0 and newer, with CBC and SHA-1. For devices that cannot be replaced, on a listener of their own:
  RFC 8996 forbids these versions, and nobody meets them unless the operator says so (tests/interop/test_tls_profiles.py
  guards that).

In none of them is there a cipher without forward secrecy, a compression or a renegotiation.
"""

from __future__ import annotations

__all__ = ["CERTIFICATE_SERVICES", "TlsChoice", "TlsProfile", "make_server_context", "profile_of"]

import ssl
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NoReturn

TlsProfile = Literal["certificate", "modern", "intermediate", "legacy"]
TlsChoice = Literal["", "modern", "intermediate", "legacy"]
"""A profile, or nothing: what fits the service."""

_STRICT_SERVICES = frozenset({"submission", "submissions"})
CERTIFICATE_SERVICES: Final = frozenset({"submissions-certificate", "imaps-certificate", "pop3s-certificate"})
"""Services whose clients show a certificate."""


@dataclass(frozen=True, slots=True)
class _Profile:
    """The oldest version, and the ciphers of TLS 1.2 and before; those of 1.3 are all good."""

    floor: ssl.TLSVersion
    ciphers: str


_PROFILES: Mapping[TlsProfile, _Profile] = {
    "certificate": _Profile(ssl.TLSVersion.TLSv1_3, "ECDHE+AESGCM:ECDHE+CHACHA20"),
    "modern": _Profile(ssl.TLSVersion.TLSv1_3, "ECDHE+AESGCM:ECDHE+CHACHA20"),
    "intermediate": _Profile(ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM:ECDHE+CHACHA20"),
    # Level 0 lets SHA-1 sign a handshake, without which there is no TLS 1.0 and 1.1 in OpenSSL 3.
    "legacy": _Profile(
        ssl.TLSVersion.TLSv1, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:!aNULL:!eNULL:!PSK:!aPSK:@SECLEVEL=0"
    ),
}


def profile_of(service: str, wanted: TlsChoice) -> TlsProfile:
    """Return the profile of a listener; where the operator says nothing: `modern` for our users' submission."""
    if service in CERTIFICATE_SERVICES:
        return "certificate"  # before TLS 1.3 a client's certificate travels in the clear
    if wanted:
        return wanted
    return "modern" if service in _STRICT_SERVICES else "intermediate"


def make_server_context(chain: str, key: str, profile: TlsProfile) -> ssl.SSLContext:
    """Return a context that shows a certificate; that of `certificate` trusts no client yet.

    Raises `OSError`, of which `ssl.SSLError` is one, or `ValueError`."""
    wanted = _PROFILES[profile]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that the old versions are old
        context.minimum_version = wanted.floor
    context.set_ciphers(wanted.ciphers)
    context.options |= (
        ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_SINGLE_ECDH_USE
    )
    context.num_tickets = 1  # of TLS 1.3; two are for browsers that open connections side by side
    if profile == "certificate":
        context.verify_mode = ssl.CERT_REQUIRED  # the machine's roots are not loaded
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    context.load_cert_chain(chain, key, password=_no_password)
    return context


def _no_password() -> NoReturn:
    """OpenSSL would ask the terminal, and the server would stand still."""
    raise ValueError("the private key is protected by a password; store it without one")
