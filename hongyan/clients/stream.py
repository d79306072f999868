"""A stream that we opened, by TCP or to a Unix socket: octets out, octets in, TLS in between. One task uses it.

Every wait has a time-out of the caller's. Writing does not wait for a peer that talks instead of
reading: `drain` returns as soon as there is something to hear.
"""

from __future__ import annotations

__all__ = ["OctetStream"]

import asyncio
import ssl
from collections.abc import Sequence
from typing import Final, cast

from hongyan.clients.peer_chain import peer_chain
from hongyan.mailauth.resolver import IPAddress

_MOST_UNREAD: Final = 262_144
"""Octets from the peer that are kept before it is made to wait."""


class OctetStream(asyncio.Protocol):
    """One connection. `open` makes it; `close` or `abort` ends it."""

    __slots__ = ("_arrived", "_changed", "_eof", "_lost", "_paused", "_transport", "encrypted")

    def __init__(self) -> None:
        self.encrypted = False
        self._transport: asyncio.Transport | None = None
        self._arrived: list[bytes] = []
        self._changed: asyncio.Future[None] | None = None
        self._eof = False
        self._lost = False
        self._paused = False

    @staticmethod
    async def open(address: IPAddress, port: int, *, source: IPAddress | None, timeout: float) -> OctetStream:
        """Connect. Raises `OSError`, or `TimeoutError`, which is one."""
        loop = asyncio.get_running_loop()
        local = None if source is None else (str(source), 0)
        async with asyncio.timeout(timeout):
            _, stream = await loop.create_connection(OctetStream, str(address), port, local_addr=local)
        return stream

    @staticmethod
    async def open_named(host: str, port: int, *, timeout: float) -> OctetStream:
        """Connect to a host that the operator named. Raises `OSError`, or `TimeoutError`, which is one."""
        async with asyncio.timeout(timeout):
            _, stream = await asyncio.get_running_loop().create_connection(OctetStream, host, port)
        return stream

    @staticmethod
    async def open_unix(path: str, *, timeout: float) -> OctetStream:
        """Connect to a Unix socket. Raises `OSError`, or `TimeoutError`, which is one."""
        async with asyncio.timeout(timeout):
            _, stream = await asyncio.get_running_loop().create_unix_connection(OctetStream, path)
        return stream

    @property
    def has_ended(self) -> bool:
        """Whether nothing more can come."""
        return (self._lost or self._eof) and not self._arrived

    @property
    def is_quiet(self) -> bool:
        """Whether the connection stands and nothing came that was not read."""
        return not (self._lost or self._eof or self._arrived)

    async def receive(self, timeout: float) -> bytes:
        """Return what came, b"" at the end. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout):
            while not (self._arrived or self._eof or self._lost):
                await self._wait()
        return self.take()

    def take(self) -> bytes:
        """Return what came and was not read yet, without waiting."""
        octets = b"".join(self._arrived)
        self._arrived.clear()
        if self._transport is not None and not self._lost:
            self._transport.resume_reading()
        return octets

    def write(self, octets: bytes) -> None:
        if octets and self._transport is not None and not self._lost:
            self._transport.write(octets)

    async def drain(self, timeout: float) -> None:
        """Wait until more may be written, or something is to be read. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout):
            while self._paused and not (self._arrived or self._eof or self._lost):
                await self._wait()

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str | None, timeout: float) -> None:
        """Do the handshake; what came before it is thrown away. Raises `OSError`, of which TLS errors are some."""
        if self._transport is None or self._lost:
            raise ConnectionResetError("the connection was lost")
        loop = asyncio.get_running_loop()
        self._arrived.clear()
        async with asyncio.timeout(timeout):
            transport = await loop.start_tls(
                self._transport, self, context, server_hostname=server_hostname, ssl_handshake_timeout=timeout
            )
        if transport is None:
            raise ConnectionResetError("the connection was lost")
        self._transport = transport
        self.encrypted = True

    def peer_certificates(self) -> Sequence[bytes]:
        """Return the certificates that the peer showed, in DER, its own first; none without TLS."""
        if self._transport is None or not self.encrypted:
            return ()
        return peer_chain(self._transport.get_extra_info("ssl_object"))

    @property
    def local_address(self) -> str:
        """The address that the connection comes from; empty where it is not known."""
        name = None if self._transport is None else self._transport.get_extra_info("sockname")
        return str(name[0]) if name else ""

    def close(self) -> None:
        """Send what was written, then close."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    async def _wait(self) -> None:
        self._changed = asyncio.get_running_loop().create_future()
        try:
            await self._changed
        finally:
            self._changed = None

    def _wake(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do all that asyncio's do, without being of their class.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._arrived.append(data)
        if self._transport is not None and sum(map(len, self._arrived)) > _MOST_UNREAD:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._eof = True
        self._wake()
        return False

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        self._lost = True
        self._wake()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._wake()
