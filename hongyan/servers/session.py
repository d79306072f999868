"""What a protocol offers to the driver that serves it."""

from __future__ import annotations

__all__ = ["PeerGone", "Session"]

from collections.abc import Coroutine
from typing import Protocol

from hongyan.errors import PeerFault
from hongyan.servers.tls import TlsInfo


class PeerGone(PeerFault):
    """The connection is lost; what was to be written reaches nobody."""


class Session(Protocol):
    """What a protocol must offer. One object for each TCP stream; its methods never block and never write."""

    @property
    def closing(self) -> bool:
        """Write what is queued, then close."""
        ...

    @property
    def starttls(self) -> bool:
        """Write what is queued, then begin TLS. Cleared by `tls_started`. The session has dropped its input."""
        ...

    @property
    def buffered(self) -> int:
        """Octets received that wait to be handled."""
        ...

    def receive_data(self, octets: bytes) -> None:
        """Take octets; nothing is answered before `advance`."""
        ...

    def receive_eof(self) -> None:
        """The peer will send no more; it may still read. What came whole is still carried out."""
        ...

    def advance(self) -> Coroutine[object, object, None] | None:
        """Handle what can be answered at once. Return the coroutine of a command that must wait: it is awaited,
        then `advance` is called again. None: more octets are needed. Long input may be handled in
        portions: call `Connection.wake` and return None."""
        ...

    def data_to_send(self) -> bytes:
        """Return everything queued since last time."""
        ...

    def tls_started(self, tls: TlsInfo) -> None:
        """TLS stands: forget what the peer said before it."""
        ...

    def timeout(self) -> float:
        """Seconds that the peer may stay silent in the present state."""
        ...

    def timed_out(self) -> None:
        """The peer was silent too long: queue a farewell and set `closing`."""
        ...

    def failed(self) -> None:
        """An error of ours ended a command: queue a farewell (421, BYE, -ERR) and set `closing`."""
        ...

    def shutdown(self) -> None:
        """The server stops: say so in the next `advance` at which it may be said, and set `closing`."""
        ...

    def connection_lost(self) -> None:
        """The connection is gone and no command is at work: let go of everything. Called once."""
        ...
