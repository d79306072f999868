"""What a client's connection tells its driver."""

from __future__ import annotations

__all__ = [
    "Answer",
    "AuthRefused",
    "Authenticated",
    "ClientEvent",
    "ContentWanted",
    "Ended",
    "HandshakeDue",
    "Ready",
    "Sent",
    "Stage",
    "TlsRefused",
]

from dataclasses import dataclass
from enum import StrEnum

from hongyan.wire.smtp.capabilities import Capabilities
from hongyan.wire.smtp.replies import Reply


class Stage(StrEnum):
    """Which words of ours a reply answers; LOCAL is what we found without asking."""

    GREETING = "greeting"
    HELLO = "hello"
    TLS = "tls"
    LOGIN = "login"
    MAIL = "mail"
    RECIPIENT = "recipient"
    DATA = "data"
    END = "end of data"
    QUIT = "quit"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply that ends the matter for one recipient. Only at Stage.END can it be positive."""

    stage: Stage
    reply: Reply

    @property
    def delivered(self) -> bool:
        return self.stage is Stage.END and self.reply.is_positive


@dataclass(frozen=True, slots=True)
class Ready:
    """Greeting and EHLO are done: go on with TLS, a login, or a message."""

    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class HandshakeDue:
    """The server awaits the TLS handshake: do it, then call `tls_started`."""


@dataclass(frozen=True, slots=True)
class TlsRefused:
    """The server takes back its offer of TLS. The session could go on without."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The login succeeded."""


@dataclass(frozen=True, slots=True)
class AuthRefused:
    """The login failed."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class ContentWanted:
    """Hand the content over: `content` for each piece while `wants_content`, then `end_content`."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The transaction is over. One answer for each recipient of the envelope, in its order."""

    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over, outside a transaction."""

    stage: Stage
    reply: Reply


ClientEvent = Ready | HandshakeDue | TlsRefused | Authenticated | AuthRefused | ContentWanted | Sent | Ended
