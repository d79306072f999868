"""One-time codes by time (RFC 6238 over RFC 4226): SHA-1, six digits, thirty seconds, as every authenticator has them.

A code of the step before or after is taken as well, for clocks that are not quite right (RFC 6238 §5.2). That a code is
taken once is for whoever keeps the last step.
"""

from __future__ import annotations

__all__ = [
    "code_at",
    "format_recovery_code",
    "make_recovery_code",
    "make_totp_secret",
    "match_code",
    "normalize_recovery_code",
    "provisioning_uri",
    "step_at",
]

import hmac
from base64 import b32encode
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from hongyan.clock import Random

_OCTETS: Final = 20  # RFC 4226 §4 R6: 160 bits
_SECONDS: Final = 30
_DIGITS: Final = 6
_DRIFT: Final = 1  # steps
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # without what looks like something else
_RECOVERY: Final = 12  # characters: 59 bits
_HALF: Final = 6


def make_totp_secret(random: Random) -> bytes:
    """Return the secret of a new authenticator."""
    return random.token(_OCTETS)


def step_at(moment: datetime) -> int:
    """Return the time step in which a moment lies."""
    return int(moment.timestamp()) // _SECONDS


def code_at(secret: bytes, step: int) -> str:
    """Return the code of a time step: HOTP with the step as its counter (RFC 4226 §5.3).

    >>> code_at(b"12345678901234567890", 59 // 30)
    '287082'
    """
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"


def match_code(secret: bytes, code: str, now: datetime, last_step: int) -> int | None:
    """Return the time step that a code is of, if it is of now or nearly, and later than the last that was taken."""
    shown = "".join(code.split()).encode("utf-8", "replace")
    current, found = step_at(now), None
    for step in range(current - _DRIFT, current + _DRIFT + 1):
        fits = hmac.compare_digest(code_at(secret, step).encode(), shown)
        if fits and step > last_step:
            found = step
    return found


def provisioning_uri(secret: bytes, address: str, issuer: str) -> str:
    """Return the otpauth: URI that an authenticator reads from a QR code."""
    label = quote(f"{issuer}:{address}", safe=":@")
    query = urlencode({"secret": b32encode(secret).decode().rstrip("="), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{label}?{query}"


def make_recovery_code(random: Random) -> str:
    """Return a code that opens once what an authenticator would."""
    return "".join(_ALPHABET[random.below(len(_ALPHABET))] for _ in range(_RECOVERY))


def format_recovery_code(code: str) -> str:
    """Return a recovery code as people read it.

    >>> format_recovery_code("abcdefghjkmn")
    'abcdef-ghjkmn'
    """
    return f"{code[:_HALF]}-{code[_HALF:]}"


def normalize_recovery_code(shown: str) -> str | None:
    """Return a recovery code without what people put between; None: it cannot be one."""
    code = "".join(character for character in shown.lower() if character.isalnum())
    return code if len(code) == _RECOVERY else None
