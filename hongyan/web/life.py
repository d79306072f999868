"""The life of a connection, for answers that last as long as it: they learn when it is over, and may end it or take it.

Whoever has taken it gets all octets that come, and writes what it likes: from then on it is no HTTP (RFC 9110 §7.8).
"""

from __future__ import annotations

__all__ = ["Life", "life_of"]

from asyncio import Transport
from collections.abc import Awaitable, Callable

from starlette.types import Scope

_LEAN = 4096  # octets that wait for a peer that reads slowly, before its answer waits


class Life:
    """One connection's. It is over when the connection is lost, and when the server stops."""

    __slots__ = ("_drain", "_early", "_end", "_transport", "is_over", "receive")

    def __init__(self) -> None:
        self._transport: Transport | None = None
        self._drain: Callable[[], Awaitable[None]] | None = None
        self._early: Callable[[], bytes] | None = None
        self._end: Callable[[], None] | None = None
        self.is_over = False
        self.receive: Callable[[bytes], None] | None = None
        """Where octets go once the connection is taken."""

    def begin(self, transport: Transport, drain: Callable[[], Awaitable[None]], early: Callable[[], bytes]) -> None:
        """The connection is there. `drain` waits for room to write; `early` is what came after a request."""
        self._transport = transport
        self._drain = drain
        self._early = early

    def when_over(self, end: Callable[[], None]) -> None:
        """Call `end` when it is over, in place of whoever was to be called before: one answer at a time."""
        self._end = end
        if self._transport is not None:
            self._transport.set_write_buffer_limits(high=_LEAN)
        if self.is_over:
            end()

    def forget(self) -> None:
        """Call nobody."""
        self._end = None
        if self._transport is not None and not self.is_over:
            self._transport.set_write_buffer_limits()

    def over(self) -> None:
        """It is over. May be said twice."""
        self.is_over = True
        end, self._end = self._end, None
        if end is not None:
            end()

    def abort(self) -> None:
        """End the connection now, whatever still waits to be written."""
        if self._transport is not None:
            self._transport.abort()

    # -- once it is taken

    def take(self, receive: Callable[[bytes], None]) -> None:
        """Have all octets from now on, and those that came early."""
        self.receive = receive
        if self._early is not None and (octets := self._early()):
            receive(octets)
        self.listen(on=True)

    def listen(self, *, on: bool) -> None:
        """Go on to read from the peer, or let it wait."""
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.resume_reading if on else self._transport.pause_reading)()

    async def write(self, octets: bytes) -> None:
        """Send octets, and wait until there is room for more."""
        if self._transport is not None and self._drain is not None and not self._transport.is_closing():
            self._transport.write(octets)
            await self._drain()

    def close(self) -> None:
        """End the connection when what was written has left."""
        if self._transport is not None:
            self._transport.close()


def life_of(scope: Scope) -> Life:
    """Return the life of the connection that a request came by."""
    life = scope.get("state", {}).get("life")
    return life if isinstance(life, Life) else Life()
