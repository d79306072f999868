"""Commands about the session itself: who speaks, what is enabled, waiting."""

from __future__ import annotations

__all__ = [
    "Authenticate",
    "Capability",
    "Compress",
    "Enable",
    "Id",
    "Idle",
    "Login",
    "Logout",
    "Noop",
    "StartTls",
    "Unauthenticate",
]

from collections.abc import Mapping
from dataclasses import dataclass, field

from hongyan.secret import Secret


@dataclass(frozen=True, slots=True)
class Capability:
    """CAPABILITY, RFC 9051 §6.1.1."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP, RFC 9051 §6.1.2."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Logout:
    """LOGOUT, RFC 9051 §6.1.3."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Id:
    """ID, RFC 2971 §3.1. Fields keep their order; their names are lower-case. Empty for NIL."""

    tag: bytes
    fields: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class StartTls:
    """STARTTLS, RFC 9051 §6.2.1."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Authenticate:
    """AUTHENTICATE, RFC 9051 §6.2.2. The mechanism is upper-case.

    The initial response is in base64 as it was sent, `=` for an empty one (RFC 4959 §3), and None if there is none.
    """

    tag: bytes
    mechanism: str
    initial_response: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """LOGIN, RFC 9051 §6.2.3."""

    tag: bytes
    userid: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Enable:
    """ENABLE, RFC 9051 §6.3.1. Capabilities are upper-case, known or not."""

    tag: bytes
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compress:
    """COMPRESS, RFC 4978 §3. The algorithm is upper-case."""

    tag: bytes
    algorithm: str


@dataclass(frozen=True, slots=True)
class Unauthenticate:
    """UNAUTHENTICATE, RFC 8437 §2."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Idle:
    """IDLE, RFC 9051 §6.3.13."""

    tag: bytes
