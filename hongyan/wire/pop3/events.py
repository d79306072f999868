"""What a POP3 connection tells the session behind it.

Those of `Question` wait for an answer before anything else is read; the others are news.
"""

from __future__ import annotations

__all__ = [
    "Answered",
    "AuthAborted",
    "AuthResponse",
    "AuthStart",
    "Event",
    "Fault",
    "Leave",
    "Listed",
    "Login",
    "Question",
    "Retrieve",
    "StartTls",
]

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Login:
    """USER and PASS: answer with `open` or `refuse`."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthStart:
    """AUTH with a mechanism that was offered, and the decoded initial response where there is one."""

    mechanism: str
    initial_response: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthResponse:
    """The decoded answer to the last challenge."""

    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Retrieve:
    """RETR, or TOP if `lines` is given: answer with `begin_message`, `message`, `end_message`, or with `refuse`."""

    number: int
    lines: int | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """QUIT after a login: delete these messages for good, then `accept`, or `refuse`."""

    deleted: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AuthAborted:
    """The client gave up, or what it sent was no response. It has been answered; drop the exchange."""


@dataclass(frozen=True, slots=True)
class StartTls:
    """STLS, already answered: do the handshake, then call `tls_started`."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A command that needs nobody else was answered."""

    verb: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Lines of a listing are there to be sent, and more will follow: time to serve others, or to wait for the peer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A command was refused for its form or its place, and has been answered."""

    text: str


Question = Login | AuthStart | AuthResponse | Retrieve | Leave
Event = Question | AuthAborted | StartTls | Answered | Listed | Fault
