"""What a server's connection tells the policy behind it.

Those of `Question` wait for an answer (`accept`, `reply` or `challenge` of the connection) before
anything else is read; the others are news. `Hello`, `MailFrom` and `RcptTo` are the commands
themselves.
"""

from __future__ import annotations

__all__ = [
    "Answered",
    "AuthAborted",
    "AuthResponse",
    "AuthStart",
    "Event",
    "Fault",
    "Hello",
    "MailFrom",
    "MessageChunk",
    "MessageEnd",
    "MessageRefused",
    "MessageStart",
    "Question",
    "Quit",
    "RcptTo",
    "Reset",
    "StartTls",
]

from dataclasses import dataclass, field

from hongyan.wire.smtp.commands import Hello, MailFrom, Quit, RcptTo, StartTls
from hongyan.wire.smtp.replies import Reply


@dataclass(frozen=True, slots=True)
class MessageStart:
    """The message is about to come: by BDAT if `chunked`, else by DATA. Refuse it now, or accept."""

    chunked: bool


@dataclass(frozen=True, slots=True)
class MessageChunk:
    """The next octets of the message, as the sender wrote them."""

    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MessageEnd:
    """The message is complete, and so many octets long. A positive answer takes over the duty to deliver it."""

    size: int


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """The message is or will be answered with this reply: no more of it comes, forget what has come."""

    reply: Reply


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
class AuthAborted:
    """The client gave up, or what it sent was no response. It has been answered; drop the exchange."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Reset:
    """RSET, already answered: whatever transaction was open is void."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A command that needs no policy was answered: NOOP, HELP, VRFY, a BDAT chunk that is not the last."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Fault:
    """A command was refused for its form or its place; it has been answered."""

    reply: Reply


Question = Hello | MailFrom | RcptTo | MessageStart | MessageEnd | AuthStart | AuthResponse
Event = Question | MessageChunk | MessageRefused | AuthAborted | Reset | StartTls | Quit | Answered | Fault
