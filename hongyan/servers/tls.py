"""TLS on a live transport: at once after accept, or when a session says so.

Handshakes are dear and strangers ask for them, so there is a limit on those under way, a queue of bounded length
before it, and a deadline that counts the wait too.
"""

from __future__ import annotations

__all__ = ["HandshakeFailed", "Handshakes", "Secured", "Successor", "TlsInfo", "TlsOptions", "tls_info"]

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol, cast

from hongyan.errors import PeerFault
from hongyan.options import option
from hongyan.telemetry import metrics


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """The section `[tls]`: handshakes."""

    handshake_timeout: float = option(20.0, "How long a peer may take for its handshake.", unit="s")
    handshakes: int = option(200, "Handshakes under way at once; more wait their turn.")
    handshakes_waiting: int = option(2000, "Handshakes that wait their turn; a connection beyond is closed.")
    shutdown_timeout: float = option(5.0, "How long a peer may take to end TLS.", unit="s")

    def __post_init__(self) -> None:
        if min(self.handshake_timeout, self.handshakes, self.shutdown_timeout) <= 0 or self.handshakes_waiting < 0:
            raise ValueError("limits of handshakes must be positive")


@dataclass(frozen=True, slots=True)
class TlsInfo:
    """What a handshake agreed on. `server_name` is what the peer asked for (RFC 6066 §3), for the log.

    `certificate` is what the peer has shown and our authority for mail programs has signed, in DER; mostly none is
    asked for.
    """

    version: str
    cipher: str
    server_name: str | None
    certificate: bytes | None = field(default=None, repr=False)


class Successor(Protocol):
    """The protocol that takes over when the handshake is done."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None: ...
    def data_received(self, data: bytes) -> None: ...
    def eof_received(self) -> bool | None: ...
    def connection_lost(self, exc: Exception | None) -> None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...


class HandshakeFailed(PeerFault):
    """The peer would not or could not, was too slow, or too many were waiting."""


class Secured:
    """A transport under TLS, before its protocol takes over."""

    __slots__ = ("_early", "info", "transport")

    def __init__(self, transport: asyncio.Transport, info: TlsInfo, early: _Early) -> None:
        self.transport = transport
        self.info = info
        self._early = early

    def hand_over(self, protocol: Successor) -> None:
        """Let the protocol have the transport, with what has come through it already."""
        self.transport.set_protocol(cast(asyncio.BaseProtocol, protocol))
        self._early.pass_on(protocol)


class Handshakes:
    """Turns transports into TLS transports, a bounded number at once."""

    def __init__(self, options: TlsOptions) -> None:
        self._options = options
        self._free = asyncio.Semaphore(options.handshakes)
        self._waiting = 0

    @property
    def busy(self) -> bool:
        """Whether a handshake that need not be made had better not be made."""
        return self._waiting > self._options.handshakes // 2

    async def start(
        self, transport: asyncio.Transport, find_context: Callable[[], ssl.SSLContext], listener: str
    ) -> Secured:
        """Begin TLS on a transport that has spoken plain text. Raises `HandshakeFailed`; it is closed then."""
        early = _Early()
        try:
            async with self._turn(listener):
                upper = await asyncio.get_running_loop().start_tls(
                    transport,
                    early,
                    find_context(),
                    server_side=True,
                    ssl_handshake_timeout=self._options.handshake_timeout * 2,  # ours comes first
                    ssl_shutdown_timeout=self._options.shutdown_timeout,
                )
                # A transport that is lost without an error wakes `start_tls` as if all were well.
                if upper is None or upper.get_extra_info("ssl_object") is None:
                    raise HandshakeFailed(cause="lost: the peer hung up")
        except BaseException:
            transport.abort()
            raise
        return Secured(upper, tls_info(upper), early)

    async def accept(
        self,
        accepted: socket.socket,
        make_protocol: Callable[[], asyncio.BaseProtocol],
        find_context: Callable[[], ssl.SSLContext],
        listener: str,
    ) -> None:
        """Begin TLS on a socket; the protocol is made when it stands. Raises `HandshakeFailed`; it is closed then."""
        try:
            async with self._turn(listener):
                await asyncio.get_running_loop().connect_accepted_socket(
                    make_protocol,
                    accepted,
                    ssl=find_context(),
                    ssl_handshake_timeout=self._options.handshake_timeout * 2,
                    ssl_shutdown_timeout=self._options.shutdown_timeout,
                )
        except BaseException:
            accepted.close()
            raise

    @contextlib.asynccontextmanager
    async def _turn(self, listener: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold the handshake within to the deadline. Names what went wrong."""
        self._waiting += 1
        try:
            if self._waiting > self._options.handshakes + self._options.handshakes_waiting:
                raise HandshakeFailed(cause="overload")
            async with asyncio.timeout(self._options.handshake_timeout), self._free:
                yield
        except (TimeoutError, OSError, RuntimeError, HandshakeFailed) as error:
            failure = _failure(error)
            metrics.tls_handshakes_total.labels(listener, failure.cause.partition(":")[0]).inc()
            raise failure from error
        finally:
            self._waiting -= 1
        metrics.tls_handshakes_total.labels(listener, "ok").inc()


def tls_info(transport: asyncio.BaseTransport) -> TlsInfo:
    """Return what the handshake of a TLS transport agreed on."""
    session = cast(ssl.SSLObject, transport.get_extra_info("ssl_object"))
    cipher = session.cipher()
    return TlsInfo(
        session.version() or "",
        cipher[0] if cipher else "",
        getattr(session, "server_name", None),
        session.getpeercert(binary_form=True),
    )


def _failure(error: Exception) -> HandshakeFailed:
    match error:
        case HandshakeFailed():
            return error
        case TimeoutError():
            return HandshakeFailed(cause="timeout")
        case ssl.SSLError():
            return HandshakeFailed(cause=f"alert: {error.reason or error}")
    return HandshakeFailed(cause=f"lost: {error}")  # it hung up; uvloop raises RuntimeError for what is closed


class _Early(asyncio.Protocol):
    """Keeps what happens between the end of the handshake and the moment its waiter has its turn."""

    __slots__ = ("_eof", "_lost", "_next", "_octets")

    def __init__(self) -> None:
        self._octets: list[bytes] = []
        self._eof = False
        self._lost = False
        self._next: Successor | None = None

    def data_received(self, data: bytes) -> None:
        self._octets.append(data)

    def eof_received(self) -> None:
        self._eof = True

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = True
        if self._next is not None:
            self._next.connection_lost(error)

    def pass_on(self, protocol: Successor) -> None:
        self._next = protocol
        if self._octets:
            protocol.data_received(b"".join(self._octets))
        if self._eof:
            protocol.eof_received()
        if self._lost:
            protocol.connection_lost(None)
