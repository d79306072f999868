"""A session whose octets travel compressed (RFC 4978): it stands between the connection and the protocol's session.

What comes is inflated a portion at a time, the next one when the session has dealt with the last: however far a few
octets reach, no more than a portion lies in memory, and other connections have their turn in between. What the peer
may make of its octets in all is bounded as well (`Inflation`): beyond it the peer is sent away. Everything that is
sent in one go ends at an octet, so that the peer can read it (RFC 4978 §4).

The window in which we look for repetitions is small, for it is memory of every connection: mail programs with a full
one read us just as well. The peer's may be as large as there are.
"""

from __future__ import annotations

__all__ = ["Compressed", "Inflation"]

import zlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final

from hongyan.servers.session import Session
from hongyan.servers.tls import TlsInfo

_PORTION: Final = 64 << 10
"""Octets that are inflated in one go."""

_AHEAD: Final = 128 << 10
"""Octets that the session may have before it, when it is handed more: a whole line, so that it is never stuck."""

_LEVEL, _WINDOW, _MEMORY = 3, 13, 6
"""How hard we try, and with how much memory (64 KiB): more of either gains a few octets in a hundred."""

_PEER_WINDOW: Final = 15


@dataclass(frozen=True, slots=True)
class Inflation:
    """How large what comes may become: `ratio` times its size, and `free` octets besides."""

    ratio: int
    free: int


class Compressed:
    """What the connection drives in the session's place."""

    __slots__ = (
        "_bounds",
        "_came",
        "_deflate",
        "_full",
        "_inflate",
        "_made",
        "_refuse",
        "_session",
        "_waiting",
        "_wake",
    )

    def __init__(
        self, session: Session, bounds: Inflation, *, wake: Callable[[], None], refuse: Callable[[str], None]
    ) -> None:
        """`wake` has `advance` called again; `refuse` lets the session say farewell with a sentence."""
        self._session = session
        self._bounds = bounds
        self._wake = wake
        self._refuse = refuse
        self._inflate = zlib.decompressobj(-_PEER_WINDOW)
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -_WINDOW, _MEMORY)
        self._waiting = b""  # what came and was not inflated yet
        self._full = False  # the last portion was a whole one: zlib may hold more
        self._came = self._made = 0  # octets, before and after

    # -- what is inflated and deflated

    @property
    def buffered(self) -> int:
        return self._session.buffered + len(self._waiting)

    def receive_data(self, octets: bytes) -> None:
        self._came += len(octets)
        self._waiting = self._waiting + octets if self._waiting else octets

    def advance(self) -> Coroutine[object, object, None] | None:
        if (self._waiting or self._full) and self._session.buffered < _AHEAD and not self._session.closing:
            self._hand_on()
        work = self._session.advance()
        if (self._waiting or self._full) and work is None:
            self._wake()
        return work

    def data_to_send(self) -> bytes:
        octets = self._session.data_to_send()
        if not octets:
            return b""
        # Five octets that end all that came before; there are readers that wait at the shorter Z_PARTIAL_FLUSH.
        return self._deflate.compress(octets) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def _hand_on(self) -> None:
        try:
            octets = self._inflate.decompress(self._waiting, _PORTION)
        except zlib.error:
            self._end("What came is not compressed by DEFLATE.")
            return
        self._waiting = self._inflate.unconsumed_tail
        self._full = len(octets) == _PORTION
        self._made += len(octets)
        if self._inflate.eof:
            self._end("The compressed stream has ended.")
        elif self._made > self._bounds.free + self._bounds.ratio * self._came:
            self._end("What came compressed is too large for its size.")
        elif octets:
            self._session.receive_data(octets)

    def _end(self, sentence: str) -> None:
        self._waiting, self._full = b"", False
        self._refuse(sentence)

    # -- what is the session's own

    @property
    def closing(self) -> bool:
        return self._session.closing

    @property
    def starttls(self) -> bool:
        return self._session.starttls

    def receive_eof(self) -> None:
        self._session.receive_eof()

    def tls_started(self, tls: TlsInfo) -> None:
        self._session.tls_started(tls)

    def timeout(self) -> float:
        return self._session.timeout()

    def timed_out(self) -> None:
        self._session.timed_out()

    def failed(self) -> None:
        self._session.failed()

    def shutdown(self) -> None:
        self._session.shutdown()

    def connection_lost(self) -> None:
        self._session.connection_lost()
